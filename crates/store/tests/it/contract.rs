//! Create, read, change and delete; what is refused, and what is written down of it all.

use rollcall_odata::edm::Role;
use rollcall_odata::plan::{Read, Selector, Write};
use rollcall_odata::{Period, Row, Value};
use rollcall_store::{Entity, Error, RowSink, Written};
use uuid::Uuid;

use crate::support::*;

const FACT: (&str, &str, i64) = ("2026-11-18", "2026-11-20", 7);

fn created(version: u64, row: &Row) -> Written {
    Written::Created(Entity { version, row: row.clone() })
}

#[tokio::test]
async fn what_is_created_is_read_by_key_and_by_fact() {
    let house = House::new();
    let set = house.counts();
    let mut first = row(&set, 1, FACT, i64::MAX);
    first[2] = Value::Null;
    let second = row(&set, 2, ("2026-11-18", "2026-11-20", 10_000), 0);
    assert_eq!(house.create(ONE, &first).await, Ok(created(1, &first)));
    assert_eq!(house.create(ONE, &second).await, Ok(created(2, &second)));
    assert_eq!(house.by_key(ONE, 1).await, Some(Entity { version: 1, row: first.clone() }));
    for (version, row) in [(1, first), (2, second)] {
        let selector = Selector::Fact(fact_of(&set, &row));
        let found = house.store.read(ONE, Read { set: set.clone(), selector }).await.unwrap();
        assert_eq!(found, Some(Entity { version, row }));
    }
    assert_eq!(house.by_key(ONE, 3).await, None);
    house.is_sound();
}

#[tokio::test]
async fn tenants_do_not_meet() {
    let house = House::new();
    let set = house.counts();
    let (mine, theirs) = (row(&set, 1, FACT, 9), row(&set, 1, FACT, 8));
    assert_eq!(house.create(ONE, &mine).await, Ok(created(1, &mine)));
    assert_eq!(house.by_key(TWO, 1).await, None);
    assert_eq!(house.store.count(TWO, set.clone()).await, Ok(0));
    let gone = Write::Delete(delete(&set, 1));
    assert_eq!(house.write(TWO, gone.clone()).await, Err(Error::NotFound));
    assert_eq!(house.create(TWO, &theirs).await, Ok(created(1, &theirs)));
    assert_eq!(house.by_key(ONE, 1).await.unwrap().row, mine);
    assert_eq!(house.write(TWO, gone).await, Ok(Written::Deleted));
    assert_eq!(house.by_key(ONE, 1).await.unwrap().row, mine);
    assert_eq!(
        (house.list(TWO, all(&set)).await.1, house.list(ONE, all(&set)).await.1.len()),
        (vec![], 1)
    );
    house.is_sound();
}

#[tokio::test]
async fn a_fact_and_a_key_are_there_once() {
    let house = House::new();
    let set = house.counts();
    let there = row(&set, 1, FACT, 9);
    house.create(ONE, &there).await.unwrap();
    let exists = Err(Error::FactExists { id: Uuid::from_u128(1) });
    assert_eq!(house.create(ONE, &row(&set, 2, FACT, 1)).await, exists);
    assert_eq!(house.create(ONE, &there).await, exists, "both are there: the fact tells more");
    let other = row(&set, 1, ("2026-11-17", "2026-11-20", 7), 9);
    assert_eq!(house.create(ONE, &other).await, Err(Error::KeyExists));
    // Nothing refused leaves a trace: the next change is the second.
    let next = row(&set, 2, ("2026-11-17", "2026-11-20", 7), 9);
    assert_eq!(house.create(ONE, &next).await, Ok(created(2, &next)));
    house.is_sound();
}

#[tokio::test]
async fn an_update_changes_moves_or_changes_nothing() {
    let house = House::new();
    let set = house.counts();
    let there = row(&set, 1, FACT, 9);
    house.create(ONE, &there).await.unwrap();
    let other = row(&set, 2, ("2026-11-18", "2026-11-20", 30), 9);
    house.create(ONE, &other).await.unwrap();

    let same = update(&set, 1, vec![(2, Value::Int(9)), (0, there[0].clone())]);
    let unchanged = Written::Unchanged(Entity { version: 1, row: there.clone() });
    assert_eq!(house.write(ONE, Write::Update(same)).await, Ok(unchanged));

    let mut changed = there.clone();
    changed[2] = Value::Null;
    let change = update(&set, 1, vec![(2, Value::Null)]);
    let entity = Entity { version: 3, row: changed.clone() };
    assert_eq!(house.write(ONE, Write::Update(change)).await, Ok(Written::Changed(entity.clone())));
    assert_eq!(house.by_key(ONE, 1).await, Some(entity));

    let period = set.entity_type.in_role(Role::Period).unwrap();
    let onto = update(&set, 1, vec![(period, Value::Period(Period::of_days(30).unwrap()))]);
    let exists = Err(Error::FactExists { id: Uuid::from_u128(2) });
    assert_eq!(house.write(ONE, Write::Update(onto)).await, exists);

    let mut moved = changed;
    moved[period] = Value::Period(Period::ALL);
    let mut aside = update(&set, 0, vec![(period, Value::Period(Period::ALL))]);
    aside.selector = Selector::Fact(fact_of(&set, &there));
    let entity = Entity { version: 4, row: moved };
    assert_eq!(house.write(ONE, Write::Update(aside)).await, Ok(Written::Changed(entity.clone())));
    assert_eq!(house.by_key(ONE, 1).await, Some(entity));
    let before = Read { set: set.clone(), selector: Selector::Fact(fact_of(&set, &there)) };
    assert_eq!(house.store.read(ONE, before).await, Ok(None));
    house.is_sound();
}

#[tokio::test]
async fn an_update_keeps_the_rules() {
    let house = House::new();
    let set = house.counts();
    house.create(ONE, &row(&set, 1, FACT, 9)).await.unwrap();
    let day = set.entity_type.in_role(Role::Date).unwrap();
    let late = update(&set, 1, vec![(day, Value::Date(date("2026-11-21")))]);
    let rekeyed = update(&set, 1, vec![(0, Value::Guid(Uuid::from_u128(5)))]);
    for plan in [late, rekeyed] {
        let outcome = house.write(ONE, Write::Update(plan)).await;
        assert!(matches!(outcome, Err(Error::Refused(_))), "{outcome:?}");
    }
    let stale = |mut plan: rollcall_odata::plan::Update| {
        plan.precondition = matches(2);
        Write::Update(plan)
    };
    let change = update(&set, 1, vec![(2, Value::Int(1))]);
    assert_eq!(house.write(ONE, stale(change)).await, Err(Error::PreconditionFailed));
    let missing = update(&set, 7, vec![(2, Value::Int(1))]);
    assert_eq!(house.write(ONE, stale(missing.clone())).await, Err(Error::NotFound));
    assert_eq!(house.write(TWO, Write::Update(missing)).await, Err(Error::NotFound));
    assert_eq!(house.by_key(ONE, 1).await.unwrap().version, 1);
    house.is_sound();
}

#[tokio::test]
async fn an_update_creates_only_what_it_may() {
    let house = House::new();
    let set = house.counts();
    let wanted = row(&set, 1, FACT, 9);
    let mut plan = update(&set, 1, vec![(2, Value::Int(9))]);
    plan.selector = Selector::Fact(fact_of(&set, &wanted));
    let refusal = rollcall_odata::Error::bad_request("not enough");
    plan.or_create = Some(Err(refusal.clone()));
    let refused = house.write(ONE, Write::Update(plan.clone())).await;
    assert_eq!(refused, Err(Error::Refused(refusal)));
    plan.or_create = Some(Ok(wanted.clone()));
    plan.precondition = matches(1);
    let failed = house.write(ONE, Write::Update(plan.clone())).await;
    assert_eq!(failed, Err(Error::PreconditionFailed));
    plan.precondition = only_new();
    assert_eq!(house.write(ONE, Write::Update(plan.clone())).await, Ok(created(1, &wanted)));
    let again = house.write(ONE, Write::Update(plan)).await;
    assert_eq!(again, Err(Error::PreconditionFailed));
    house.is_sound();
}

#[tokio::test]
async fn a_delete_takes_the_row_and_no_version_comes_back() {
    let house = House::new();
    let set = house.counts();
    let there = row(&set, 1, FACT, 9);
    house.create(ONE, &there).await.unwrap();
    let mut plan = delete(&set, 1);
    plan.precondition = matches(9);
    let failed = house.write(ONE, Write::Delete(plan.clone())).await;
    assert_eq!(failed, Err(Error::PreconditionFailed));
    plan.precondition = matches(1);
    plan.selector = Selector::Fact(fact_of(&set, &there));
    assert_eq!(house.write(ONE, Write::Delete(plan.clone())).await, Ok(Written::Deleted));
    assert_eq!(house.write(ONE, Write::Delete(plan)).await, Err(Error::NotFound));
    assert_eq!(house.create(ONE, &there).await, Ok(created(3, &there)));
    house.is_sound();
}

#[tokio::test]
async fn every_change_is_written_down_with_what_was_before() {
    let house = House::new();
    let set = house.counts();
    let there = row(&set, 1, FACT, 9);
    house.create(ONE, &there).await.unwrap();
    house.write(ONE, Write::Update(update(&set, 1, vec![(2, Value::Null)]))).await.unwrap();
    house.write(ONE, Write::Delete(delete(&set, 1))).await.unwrap();
    let sql = house.sql();
    let mut statement = sql
        .prepare(
            "SELECT change.number, kind, who, at, hex(entity), former, data_set.name FROM change \
             JOIN data_set ON data_set.number = data_set ORDER BY change.number",
        )
        .unwrap();
    let changes = statement.query_map([], |row| {
        let (number, kind, who): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (at, entity, former): (i64, String, Option<String>) =
            (row.get(3)?, row.get(4)?, row.get(5)?);
        Ok((number, kind, who, at, entity, former, row.get::<_, String>(6)?))
    });
    let changes: Vec<_> = changes.unwrap().map(Result::unwrap).collect();
    let kinds: Vec<&str> = changes.iter().map(|change| change.1.as_str()).collect();
    assert_eq!(kinds, ["created", "changed", "deleted"]);
    for (n, change) in changes.iter().enumerate() {
        assert_eq!(change.0, i64::try_from(n).unwrap() + 1);
        assert_eq!((change.2.as_str(), change.3), ("app reporter", 1_795_000_000_123));
        assert_eq!(change.4, format!("{:032X}", 1));
        assert_eq!(change.6, set.table);
    }
    assert_eq!(changes[0].5, None);
    let former: Vec<serde_json::Value> = changes[1..]
        .iter()
        .map(|change| serde_json::from_str(change.5.as_ref().unwrap()).unwrap())
        .collect();
    let name = |at: usize| &set.entity_type.properties[at].name;
    let period = set.entity_type.in_role(Role::Period).unwrap();
    assert_eq!(former[0].as_object().unwrap().len(), set.entity_type.properties.len());
    assert_eq!((&former[0][name(2)], &former[1][name(2)]), (&9.into(), &().into()));
    assert_eq!(former[0][name(period)], "7");
    assert_eq!(former[0][name(0)], Uuid::from_u128(1).to_string());
}

#[tokio::test]
async fn other_tools_see_plain_values() {
    let house = House::new();
    let set = house.counts();
    let (early, all_days) =
        (row(&set, 1, FACT, 9), row(&set, 2, ("0000-01-01", "9999-12-31", 10_000), 9));
    house.create(ONE, &early).await.unwrap();
    house.create(ONE, &all_days).await.unwrap();
    let names = [Role::Date, Role::Refreshed, Role::Period]
        .map(|role| &set.entity_type.properties[set.entity_type.in_role(role).unwrap()].name);
    let [day, refreshed, period] = names;
    let text = format!(
        "SELECT \"$tenant\", \"{}\", \"{day}\", \"{refreshed}\", \"{period}\" FROM \"{}\" ORDER BY 2",
        set.entity_type.key().name,
        set.name
    );
    let sql = house.sql();
    let mut statement = sql.prepare(&text).unwrap();
    let rows = statement.query_map([], |row| {
        (0..5).map(|n| row.get::<_, String>(n)).collect::<Result<Vec<_>, _>>()
    });
    let rows: Vec<Vec<String>> = rows.unwrap().map(Result::unwrap).collect();
    let (tenant, key) = (ONE.to_string(), |n| Uuid::from_u128(n).to_string());
    assert_eq!(rows[0], [&tenant, &key(1), "2026-11-18", "2026-11-20", "7"]);
    assert_eq!(rows[1], [&tenant, &key(2), "0000-01-01", "9999-12-31", "ALL"]);
    // An entity set that is named like a table of ours has its view beside it.
    sql.prepare("SELECT * FROM \"Change$\"").unwrap();
}

#[tokio::test]
async fn what_no_column_takes_is_refused_without_a_trace() {
    let house = House::new();
    let set = house.counts();
    let good = row(&set, 1, FACT, 9);
    let mut bad = vec![good[..5].to_vec()];
    for (at, value) in [(2, Value::Bool(true)), (set.identity[0], Value::Null), (0, Value::Null)] {
        bad.push(good.clone());
        bad.last_mut().unwrap()[at] = value;
    }
    for row in bad {
        let outcome = house.create(ONE, &row).await;
        assert!(matches!(outcome, Err(Error::Failed(_))), "{outcome:?}");
    }
    let tenants: i64 =
        house.sql().query_row("SELECT count(*) FROM tenant", [], |row| row.get(0)).unwrap();
    assert_eq!(tenants, 0);
    let foreign =
        model_with(&MORE.replace("everythings", "others").replace("\"everything\"", "\"other\""));
    let plan = Read {
        set: foreign.entity_set("others").unwrap().clone(),
        selector: Selector::Key(Uuid::nil()),
    };
    assert!(matches!(house.store.read(ONE, plan).await, Err(Error::Failed(_))));
}

#[tokio::test]
async fn a_panic_ends_one_request_and_no_more() {
    struct Panics;
    impl RowSink for Panics {
        fn row(&mut self, _: u64, _: &Row) {
            panic!("on purpose");
        }
    }
    let house = House::new();
    let set = house.counts();
    house.create(ONE, &row(&set, 1, FACT, 9)).await.unwrap();
    for _ in 0..8 {
        let outcome = house.store.list(ONE, all(&set), Panics).await.map(|_| ());
        assert_eq!(outcome, Err(Error::Closed));
    }
    // There is no property 99.
    let plan = update(&set, 1, vec![(99, Value::Null)]);
    assert_eq!(house.write(ONE, Write::Update(plan)).await, Err(Error::Closed));
    let second = row(&set, 2, ("2026-11-17", "2026-11-20", 7), 9);
    assert_eq!(house.create(ONE, &second).await, Ok(created(2, &second)));
    assert_eq!(house.list(ONE, all(&set)).await.1.len(), 2);
    assert_eq!(house.store.ready().await, Ok(()));
}

#[tokio::test]
async fn a_tenant_is_taken_away_whole_and_others_stay() {
    let house = House::new();
    let set = house.counts();
    let (mine, theirs) = (row(&set, 1, FACT, 9), row(&set, 1, FACT, 8));
    house.create(ONE, &mine).await.unwrap();
    house.write(ONE, Write::Update(update(&set, 1, vec![(2, Value::Null)]))).await.unwrap();
    house.create(TWO, &theirs).await.unwrap();
    let before = house.store.moment(ONE).await.unwrap();
    assert_eq!(house.store.reset(ONE).await, Ok(()));
    assert_eq!(house.by_key(ONE, 1).await, None);
    assert_eq!(house.by_key(TWO, 1).await.unwrap().row, theirs);
    let left = |table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        house.sql().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(["change", "refresh", "repeated"].map(left), [1, 1, 0], "those of the other");
    assert_eq!(house.create(ONE, &mine).await, Ok(created(1, &mine)), "it begins anew");
    assert_ne!(house.store.moment(ONE).await.unwrap(), before);
    assert_eq!(house.store.reset(Uuid::from_u128(99)).await, Ok(()), "who has nothing");
    house.is_sound();
}
