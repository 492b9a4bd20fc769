//! Many rows at once: the same as one by one, in any order and repetition.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rollcall_odata::edm::EntitySet;
use rollcall_odata::plan::bulk::{Bulk, Fate, Policy, Rows};
use rollcall_odata::{Row, Value};
use rollcall_store::{Conflict, Error, Options, Outcome, Store, Written};
use uuid::Uuid;

use crate::support::*;

/// A row of few facts, keys and numbers, so that they meet.
#[derive(Debug, Clone, Copy)]
struct Said {
    key: Option<u128>,
    fact: (u8, u8, u8),
    count: i64,
}

fn rows() -> impl Strategy<Value = Vec<Said>> {
    let key = prop_oneof![3 => Just(None), 1 => (1_u128..5).prop_map(Some)];
    let said = (key, (0_u8..5, 0_u8..3, 0_u8..3), 0_i64..2);
    prop::collection::vec(said.prop_map(|(key, fact, count)| Said { key, fact, count }), 0..90)
}

fn row_of(set: &EntitySet, said: Said) -> Row {
    let day = format!("2026-11-0{}", said.fact.0 + 1);
    let refreshed = format!("2026-11-1{}", said.fact.1);
    let period = [7, 30, 10_000][usize::from(said.fact.2)];
    let mut row = row(set, 0, (&day, &refreshed, period), said.count);
    row[0] = said.key.map_or(Value::Null, |key| Value::Guid(Uuid::from_u128(key)));
    row
}

fn bulk(house: &House, rows: &[Row], first_key: u128) -> Bulk {
    let mut all = Rows::new(house.counts().entity_type.properties.len());
    for row in rows {
        all.push(row.clone());
    }
    Bulk {
        set: house.counts(),
        rows: all,
        first_key: Uuid::from_u128(first_key),
        policy: Policy::Keep,
        fate: Fate::Each,
    }
}

/// A tenant's entities by fact, and what a row does to them.
#[derive(Default)]
struct Naive {
    facts: BTreeMap<String, Row>,
    changes: i64,
}

impl Naive {
    fn say(&mut self, set: &EntitySet, row: &Row, policy: Policy) -> Outcome {
        let fact = format!("{:?}", fact_of(set, row));
        let Some(there) = self.facts.get_mut(&fact) else {
            if !row[0].is_null() && self.facts.values().any(|other| other[0] == row[0]) {
                return Outcome::Conflicting(Conflict::Key);
            }
            self.facts.insert(fact, row.clone());
            self.changes += 1;
            return Outcome::Created;
        };
        let id = match &there[0] {
            Value::Guid(id) => *id,
            // The model does not know the keys that were assigned.
            _ => Uuid::nil(),
        };
        let other_key = !row[0].is_null() && there[0] != row[0];
        if !other_key && there[1..] == row[1..] {
            return Outcome::Unchanged;
        }
        if other_key || policy == Policy::Keep {
            return Outcome::Conflicting(Conflict::Fact { id });
        }
        there[1..].clone_from_slice(&row[1..]);
        self.changes += 1;
        Outcome::Replaced
    }
}

/// The outcome with the key made equal that the model cannot know.
fn bare(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Conflicting(Conflict::Fact { id }) if id.as_u128() >= 1 << 64 => {
            Outcome::Conflicting(Conflict::Fact { id: Uuid::nil() })
        }
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn batches_do_as_the_model_does(batches in prop::collection::vec((rows(), any::<bool>()), 1..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (house, mut naive) = (House::new(), Naive::default());
        let set = house.counts();
        for (number, (said, replace)) in batches.iter().enumerate() {
            let rows: Vec<Row> = said.iter().map(|said| row_of(&set, *said)).collect();
            let mut plan = bulk(&house, &rows, (number as u128 + 1) << 64);
            plan.policy = if *replace { Policy::Replace } else { Policy::Keep };
            // They are written in the order of the table; those of one fact as they came.
            let mut order: Vec<usize> = (0..rows.len()).collect();
            order.sort_by_key(|at| {
                let (day, refreshed, period) = said[*at].fact;
                (9 - day, 9 - refreshed, period)
            });
            let mut expected = vec![Outcome::Unchanged; rows.len()];
            for at in order {
                expected[at] = naive.say(&set, &rows[at], plan.policy);
            }
            let pending = house.store.bulk(author(ONE), plan, ()).unwrap();
            let outcomes = runtime.block_on(pending.outcomes()).unwrap();
            let outcomes: Vec<Outcome> = outcomes.into_iter().map(bare).collect();
            prop_assert_eq!(outcomes, expected);
        }
        let (_, kept) = runtime.block_on(house.list(ONE, all(&set)));
        prop_assert_eq!(kept.len(), naive.facts.len());
        for (_, row) in kept {
            let there = &naive.facts[&format!("{:?}", fact_of(&set, &row))];
            prop_assert_eq!(&row[1..], &there[1..]);
        }
        let changes: i64 = house.sql().query_row("SELECT count(*) FROM change", [], |row| {
            row.get(0)
        }).unwrap();
        prop_assert_eq!(changes, naive.changes);
        house.is_sound();
    }

    #[test]
    fn any_order_and_repetition_gives_the_same(said in rows(), order in any::<u64>(), cut in 1_usize..40) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // Numbers that follow from the fact: nothing is in conflict.
        let number = |said: &Said| i64::from(said.fact.0) * 100 + i64::from(said.fact.1);
        let said: Vec<Said> =
            said.iter().map(|one| Said { key: None, count: number(one), ..*one }).collect();
        let straight = House::new();
        let set = straight.counts();
        let rows: Vec<Row> = said.iter().map(|said| row_of(&set, *said)).collect();
        let mut shuffled: Vec<Row> = rows.iter().chain(&rows).cloned().collect();
        shuffled.sort_by_cached_key(|row| {
            format!("{row:?}").bytes().fold(order, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
        });
        let other = House::new();
        let keep = |house: &House, rows: &[Row], first: u128| {
            let pending = house.store.bulk(author(ONE), bulk(house, rows, first), ()).unwrap();
            runtime.block_on(pending.outcomes()).unwrap()
        };
        keep(&straight, &rows, 1 << 64);
        for (number, part) in shuffled.chunks(cut).enumerate() {
            keep(&other, part, (number as u128 + 1) << 64);
        }
        let facts = |house: &House| {
            let (_, rows) = runtime.block_on(house.list(ONE, all(&set)));
            rows.into_iter().map(|(_, row)| row[1..].to_vec()).collect::<Vec<_>>()
        };
        prop_assert_eq!(facts(&straight), facts(&other));
        let again = keep(&straight, &shuffled, 1 << 70);
        prop_assert!(again.iter().all(|one| *one == Outcome::Unchanged));
        straight.is_sound();
        other.is_sound();
    }
}

fn numbered(house: &House, n: i16, count: i64) -> Row {
    let day = date("2026-11-18").checked_sub(jiff::Span::new().days(n)).unwrap().to_string();
    let mut row = row(&house.counts(), 0, (&day, "2026-11-20", 7), count);
    row[0] = Value::Null;
    row
}

#[tokio::test(flavor = "multi_thread")]
async fn all_or_none_and_none_at_all() {
    let house = House::new();
    let first: Vec<Row> = (0..50).map(|n| numbered(&house, n, 1)).collect();
    let write = |rows: &[Row], first: u128, fate: Fate| {
        let mut plan = bulk(&house, rows, first << 64);
        plan.fate = fate;
        house.store.bulk(author(ONE), plan, ()).unwrap().outcomes()
    };
    let outcomes = write(&first, 1, Fate::None).await.unwrap();
    assert!(outcomes.iter().all(|one| *one == Outcome::Created));
    assert_eq!(house.store.count(ONE, house.counts()).await, Ok(0));
    write(&first, 2, Fate::AllOrNone).await.unwrap();
    assert_eq!(house.store.count(ONE, house.counts()).await, Ok(50));
    let second: Vec<Row> = (49..120).map(|n| numbered(&house, n, 2)).collect();
    let outcomes = write(&second, 3, Fate::AllOrNone).await.unwrap();
    let refused = |one: &&Outcome| matches!(one, Outcome::Conflicting(_));
    assert_eq!(outcomes.iter().filter(refused).count(), 1);
    assert_eq!(house.store.count(ONE, house.counts()).await, Ok(50));
    assert_eq!(write(&[], 4, Fate::AllOrNone).await, Ok(Vec::new()));
    let next =
        house.create(ONE, &row(&house.counts(), 9, ("2000-01-01", "2000-01-02", 7), 1)).await;
    assert!(matches!(next, Ok(Written::Created(entity)) if entity.version == 51));
    house.is_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn others_write_between_batches_and_tenants_stay_apart() {
    let house = House::new();
    let mut tasks = tokio::task::JoinSet::new();
    for batch in 0..20_i16 {
        let rows: Vec<Row> = (0..100).map(|n| numbered(&house, batch * 100 + n, 1)).collect();
        let tenant = if batch % 2 == 0 { ONE } else { TWO };
        let plan = bulk(&house, &rows, (u128::try_from(batch).unwrap() + 1) << 64);
        let pending = house.store.bulk(author(tenant), plan, ()).unwrap();
        tasks.spawn(async move { pending.outcomes().await.map(|all| all.len()) });
        let one = row(&house.counts(), 1, ("1999-01-01", "2026-11-20", i64::from(batch) + 1), 1);
        let mut one = one;
        one[0] = Value::Guid(Uuid::from_u128(1000 + u128::try_from(batch).unwrap()));
        let (store, plan) = (house.store.clone(), create(&house.counts(), &one));
        tasks.spawn(async move { store.write(author(ONE), plan).await.map(|_| 1) });
    }
    let done = tasks.join_all().await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert_eq!(house.store.count(ONE, house.counts()).await, Ok(1020));
    assert_eq!(house.store.count(TWO, house.counts()).await, Ok(1000));
    house.is_sound();
}

#[tokio::test]
async fn a_replaced_row_keeps_its_former_values() {
    let house = House::new();
    let rows = |count| (0..40).map(|n| numbered(&house, n, count)).collect::<Vec<Row>>();
    let mut plan = bulk(&house, &rows(1), 1 << 64);
    house.store.bulk(author(ONE), plan.clone(), ()).unwrap().outcomes().await.unwrap();
    plan = bulk(&house, &rows(2), 2 << 64);
    plan.policy = Policy::Replace;
    let outcomes = house.store.bulk(author(ONE), plan, ()).unwrap().outcomes().await.unwrap();
    assert!(outcomes.iter().all(|one| *one == Outcome::Replaced));
    let former: i64 = house
        .sql()
        .query_row(
            "SELECT count(*) FROM change WHERE kind = 'changed' AND former LIKE '%\":1,%'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(former, 40);
    house.is_sound();
}

#[tokio::test]
async fn rows_of_another_width_are_refused() {
    let house = House::new();
    let mut plan = bulk(&house, &[], 1);
    plan.rows = Rows::new(2);
    plan.rows.push([Value::Null, Value::Null]);
    assert!(matches!(house.store.bulk(author(ONE), plan, ()), Err(Error::Failed(_))));
}

#[tokio::test]
async fn a_row_in_the_middle_of_a_chunk_stops_no_other() {
    let house = House::new();
    let write = |rows: Vec<Row>, first: u128| {
        house.store.bulk(author(ONE), bulk(&house, &rows, first << 64), ()).unwrap().outcomes()
    };
    write(vec![numbered(&house, 20, 1), numbered(&house, 90, 1)], 1).await.unwrap();
    let outcomes = write((0..100).map(|n| numbered(&house, n, 2)).collect(), 2).await.unwrap();
    for (n, outcome) in outcomes.iter().enumerate() {
        let there = n == 20 || n == 90;
        assert_eq!(matches!(outcome, Outcome::Conflicting(_)), there, "{n}: {outcome:?}");
        assert_eq!(*outcome == Outcome::Created, !there, "{n}: {outcome:?}");
    }
    assert_eq!(house.store.count(ONE, house.counts()).await, Ok(100));
    house.is_sound();
}

/// The log cannot be put away while somebody reads it; rows are loaded through it then.
#[test]
fn a_folder_is_loaded_while_another_has_it_open() {
    let house = House::new();
    let (file, model) = (house.file(), house.model);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let set = std::sync::Arc::clone(&model.entity_sets[0]);
    let said = row(&set, 1, ("2026-11-01", "2026-11-10", 7), 5);
    runtime.block_on(house.store.write(author(ONE), create(&set, &said))).unwrap();
    house.store.close();
    let reader = rusqlite::Connection::open(&file).unwrap();
    let count = || -> i64 {
        let sql = format!("SELECT count(*) FROM {}", set.table);
        reader.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(), 1);
    let options = Options { load: true, readers: 1, ..Options::default() };
    let store = Store::open(&file, &model, &options).unwrap();
    let said = row(&set, 2, ("2026-11-02", "2026-11-10", 7), 5);
    runtime.block_on(store.write(author(ONE), create(&set, &said))).unwrap();
    assert_eq!(count(), 2);
    store.close();
    let report = rollcall_store::check(&file, &model).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
}
