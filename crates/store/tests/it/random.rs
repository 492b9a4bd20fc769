//! Random writes against a model that is too simple to be wrong.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rollcall_odata::edm::{EntitySet, Role};
use rollcall_odata::plan::Write;
use rollcall_odata::{Period, Row, Value};
use rollcall_store::{Entity, Error, Written};
use uuid::Uuid;

use crate::support::*;

#[derive(Debug, Clone)]
pub enum Step {
    Create { key: u128, fact: (u8, u8, u8), count: i64 },
    Update { key: u128, fact: (u8, u8, u8), count: i64 },
    Delete { key: u128 },
}

pub fn steps() -> impl Strategy<Value = Vec<(bool, Step)>> {
    let values = || (0_u128..6, (0_u8..3, 0_u8..3, 0_u8..2), 0_i64..2);
    let step = prop_oneof![
        3 => values().prop_map(|(key, fact, count)| Step::Create { key, fact, count }),
        2 => values().prop_map(|(key, fact, count)| Step::Update { key, fact, count }),
        2 => (0_u128..6).prop_map(|key| Step::Delete { key }),
    ];
    prop::collection::vec((any::<bool>(), step), 1..40)
}

fn row_of(set: &EntitySet, key: u128, fact: (u8, u8, u8), count: i64) -> Row {
    let day = format!("2026-11-0{}", fact.0 + 1);
    let refreshed = format!("2026-11-1{}", fact.1);
    row(set, key, (&day, &refreshed, [7, 10_000][usize::from(fact.2)]), count)
}

/// One tenant as a list of entities and a number.
#[derive(Default, Clone)]
pub struct Naive {
    pub entities: BTreeMap<u128, Entity>,
    changes: u64,
}

impl Naive {
    pub fn expect(&mut self, set: &EntitySet, step: &Step) -> Result<Written, Error> {
        match step {
            Step::Create { key, fact, count } => {
                let row = row_of(set, *key, *fact, *count);
                self.refuse_fact(set, &row, None)?;
                if self.entities.contains_key(key) {
                    return Err(Error::KeyExists);
                }
                Ok(Written::Created(self.put(*key, row)))
            }
            Step::Update { key, fact, count } => {
                let there = self.entities.get(key).ok_or(Error::NotFound)?;
                let row = row_of(set, *key, *fact, *count);
                if there.row == row {
                    return Ok(Written::Unchanged(there.clone()));
                }
                self.refuse_fact(set, &row, Some(*key))?;
                Ok(Written::Changed(self.put(*key, row)))
            }
            Step::Delete { key } => {
                self.entities.remove(key).ok_or(Error::NotFound)?;
                self.changes += 1;
                Ok(Written::Deleted)
            }
        }
    }

    fn put(&mut self, key: u128, row: Row) -> Entity {
        self.changes += 1;
        let entity = Entity { version: self.changes, row };
        self.entities.insert(key, entity.clone());
        entity
    }

    fn refuse_fact(&self, set: &EntitySet, row: &Row, but: Option<u128>) -> Result<(), Error> {
        let same = |(key, there): &(&u128, &Entity)| {
            Some(**key) != but && fact_of(set, &there.row) == fact_of(set, row)
        };
        match self.entities.iter().find(same) {
            Some((key, _)) => Err(Error::FactExists { id: Uuid::from_u128(*key) }),
            None => Ok(()),
        }
    }

    /// Newest refresh date, its longest period, first and last day, as `refresh` keeps them.
    pub fn refresh(&self, set: &EntitySet) -> Option<[i64; 4]> {
        let epoch = date("1970-01-01");
        let day = |row: &Row, role| match row[set.entity_type.in_role(role).unwrap()] {
            Value::Date(date) => date.duration_since(epoch).as_hours() / 24,
            _ => panic!(),
        };
        let period = |row: &Row| match row[set.entity_type.in_role(Role::Period).unwrap()] {
            Value::Period(period) => Period::number(period),
            _ => panic!(),
        };
        let rows = || self.entities.values().map(|entity| &entity.row);
        let (refreshed, period) =
            rows().map(|row| (day(row, Role::Refreshed), period(row))).max()?;
        let days = || rows().map(|row| day(row, Role::Date));
        Some([refreshed, period, days().min()?, days().max()?])
    }
}

pub fn plan_of(set: &std::sync::Arc<EntitySet>, step: &Step) -> Write {
    match step {
        Step::Create { key, fact, count } => create(set, &row_of(set, *key, *fact, *count)),
        Step::Update { key, fact, count } => {
            let row = row_of(set, *key, *fact, *count);
            Write::Update(update(set, *key, row.into_iter().enumerate().collect()))
        }
        Step::Delete { key } => Write::Delete(delete(set, *key)),
    }
}

pub fn kept_refresh(house: &House, tenant: Uuid) -> Option<[i64; 4]> {
    let text = "SELECT refreshed, period, first_day, last_day FROM refresh \
                JOIN tenant ON tenant.number = refresh.tenant WHERE guid = ?1";
    let sql = house.sql();
    let mut statement = sql.prepare(text).unwrap();
    let mut rows = statement.query([tenant.as_bytes()]).unwrap();
    let row = rows.next().unwrap()?;
    Some([0, 1, 2, 3].map(|n| row.get(n).unwrap()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_store_does_as_the_model_does(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let house = House::new();
        let set = house.counts();
        let mut naive: BTreeMap<Uuid, Naive> = BTreeMap::new();
        for (second, step) in &steps {
            let tenant = if *second { TWO } else { ONE };
            let one = naive.entry(tenant).or_default();
            let expected = one.expect(&set, step);
            let outcome = runtime.block_on(house.write(tenant, plan_of(&set, step)));
            prop_assert_eq!(outcome, expected, "{:?}", step);
            prop_assert_eq!(kept_refresh(&house, tenant), one.refresh(&set), "{:?}", step);
        }
        for (tenant, one) in &naive {
            let (_, rows) = runtime.block_on(house.list(*tenant, all(&set)));
            let mut kept: Vec<(u64, Row)> = rows;
            kept.sort_by_key(|(version, _)| *version);
            let mut there: Vec<(u64, Row)> =
                one.entities.values().map(|entity| (entity.version, entity.row.clone())).collect();
            there.sort_by_key(|(version, _)| *version);
            prop_assert_eq!(kept, there);
        }
        house.is_sound();
    }
}
