//! A request that has a name is done once, and always answered the same.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rollcall_odata::Row;
use rollcall_odata::plan::{Name, Once, Write};
use rollcall_store::{Author, Entity, Error, Options, Store, Written, check};
use uuid::Uuid;

use crate::random::{Step, plan_of, steps};
use crate::support::*;

/// How long requests are remembered here, in seconds.
const REMEMBERED: i64 = 10;

fn at(second: i64) -> Timestamp {
    author(ONE).at + SignedDuration::from_secs(second)
}

fn by(tenant: Uuid, principal: &str, second: i64) -> Author {
    Author { tenant, principal: principal.to_owned(), at: at(second) }
}

/// This write under this name, first asked for at this second.
fn once(request: u128, digest: u8, second: i64, write: Write) -> Write {
    let name = Name { client: String::new(), request: Uuid::from_u128(request), part: 0 };
    let (digest, until) = ([digest; 32], at(second + REMEMBERED));
    Write::Once(Box::new(Once { name, digest, until, write }))
}

/// One request in a random order of them: which, what, and how much later.
type Sent = (u8, Step, i64);

fn sent() -> impl Strategy<Value = Vec<Sent>> {
    let step = steps().prop_map(|steps| steps[0].1.clone());
    prop::collection::vec((0_u8..4, step, 0_i64..4), 1..40)
}

/// A number for a content: equal ones have equal numbers, and some others by chance.
fn digest(what: &str) -> u8 {
    what.bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte))
}

/// What is remembered, and until when.
type Memory = BTreeMap<u8, (String, i64, Written)>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_name_stands_for_one_write_until_its_time_is_over(sent in sent()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (house, plainly) = (House::new(), House::new());
        let set = house.counts();
        let (mut memory, mut now) = (Memory::new(), 0);
        for (name, step, later) in &sent {
            now += later;
            let (what, plan) = (format!("{step:?}"), plan_of(&set, step));
            let known = memory.get(name).filter(|(_, until, _)| *until > now);
            let expected = match known {
                Some((same, _, written)) if *same == what => Ok(written.clone()),
                Some(_) => Err(Error::OtherRequest),
                None => runtime.block_on(plainly.write(ONE, plan.clone())),
            };
            let by_chance =
                known.is_some_and(|(other, ..)| *other != what && digest(other) == digest(&what));
            prop_assume!(!by_chance);
            let plan = once((*name).into(), digest(&what), now, plan);
            let outcome = runtime.block_on(house.store.write(by(ONE, "app", now), plan));
            prop_assert_eq!(&outcome, &expected, "{} {:?}", name, step);
            if known.is_none() && let Ok(written) = outcome {
                memory.insert(*name, (what, now + REMEMBERED, written));
            }
        }
        let rows = |house: &House| runtime.block_on(house.list(ONE, all(&set))).1;
        prop_assert_eq!(rows(&house), rows(&plainly));
        house.is_sound();
    }
}

fn one(house: &House, key: u128, day: u8) -> Row {
    row(&house.counts(), key, (&format!("2026-11-{day:02}"), "2026-11-20", 7), 1)
}

async fn say(
    house: &House,
    (tenant, principal): (Uuid, &str),
    name: (&str, u128, u32),
    digest: u8,
    row: &Row,
) -> Result<Written, Error> {
    let Write::Once(mut once) = once(name.1, digest, 0, create(&house.counts(), row)) else {
        panic!("it has a name");
    };
    (once.name.client, once.name.part) = (name.0.to_owned(), name.2);
    house.store.write(by(tenant, principal, 0), Write::Once(once)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_its_author_s_own() {
    let house = House::new();
    let first = say(&house, (ONE, "app"), ("", 1, 0), 1, &one(&house, 1, 1)).await.unwrap();
    // Another tenant, another principal, another client of one.
    for (number, who, name) in [
        (2, (TWO, "app"), ("", 1, 0)),
        (3, (ONE, "other"), ("", 1, 0)),
        (4, (ONE, "app"), ("second", 1, 0)),
    ] {
        let row = one(&house, number, u8::try_from(number).unwrap());
        let written = say(&house, who, name, 2, &row).await.unwrap();
        assert!(matches!(written, Written::Created(Entity { row: made, .. }) if made == row));
    }
    let again = say(&house, (ONE, "app"), ("", 1, 0), 1, &one(&house, 9, 9)).await;
    assert_eq!(again, Ok(first), "what was planned anew is not looked at");
    // Whichever write of another request it is.
    for part in [0, 1, u32::MAX] {
        let reused = say(&house, (ONE, "app"), ("", 1, part), 2, &one(&house, 9, 9)).await;
        assert_eq!(reused, Err(Error::OtherRequest));
    }
    assert_eq!(house.store.count(ONE, house.counts()).await, Ok(3));
    let other_part = say(&house, (ONE, "app"), ("", 1, 7), 1, &one(&house, 9, 9)).await;
    assert!(matches!(other_part, Ok(Written::Created(_))), "{other_part:?}");
    house.is_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_a_name_is_known_before_anything_is_done() {
    let house = House::new();
    let fits = async |who: (Uuid, &str), second, digest| {
        let name = Name { client: String::new(), request: Uuid::from_u128(1), part: 0 };
        house.store.fits(by(who.0, who.1, second), name, [digest; 32]).await
    };
    let app = (ONE, "app");
    assert_eq!(fits(app, 0, 1).await, Ok(()), "nobody has written anything yet");
    say(&house, app, ("", 1, 3), 1, &one(&house, 1, 1)).await.unwrap();
    assert_eq!(fits(app, 0, 1).await, Ok(()));
    assert_eq!(fits(app, 0, 2).await, Err(Error::OtherRequest));
    assert_eq!(fits((ONE, "other"), 0, 2).await, Ok(()));
    assert_eq!(fits((TWO, "app"), 0, 2).await, Ok(()));
    assert_eq!(fits(app, REMEMBERED, 2).await, Ok(()), "its time is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_the_same_time_one_is_done() {
    let house = House::new();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..50 {
        let store = house.store.clone();
        let plan = once(1, 1, 0, create(&house.counts(), &one(&house, number, 1)));
        tasks.spawn(async move { store.write(author(ONE), plan).await });
    }
    let outcomes = tasks.join_all().await;
    assert!(matches!(outcomes[0], Ok(Written::Created(_))), "{:?}", outcomes[0]);
    assert!(outcomes.iter().all(|one| one == &outcomes[0]), "{outcomes:?}");
    assert_eq!(house.store.count(ONE, house.counts()).await, Ok(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_forgotten_and_a_refusal_at_once() {
    let house = House::new();
    let set = house.counts();
    let write = async |number: u8, second| {
        let plan = create(&set, &one(&house, number.into(), number + 1));
        let plan = once(number.into(), 1, second, plan);
        house.store.write(by(ONE, "app", second), plan).await.unwrap()
    };
    let kept = || {
        let sql = "SELECT count(*) FROM repeated";
        house.sql().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    for number in 0..20 {
        write(number, 0).await;
    }
    assert_eq!(kept(), 20);
    for (number, left) in [(20, 5), (21, 2), (22, 3)] {
        write(number, REMEMBERED).await;
        assert_eq!(kept(), left, "each makes room for more than itself");
    }
    let app = (ONE, "app");
    let taken = say(&house, app, ("", 30, 0), 1, &one(&house, 0, 1)).await;
    assert!(matches!(taken, Err(Error::FactExists { .. })), "{taken:?}");
    house.write(ONE, Write::Delete(delete(&set, 0))).await.unwrap();
    let free = say(&house, app, ("", 30, 0), 1, &one(&house, 0, 1)).await;
    assert!(matches!(free, Ok(Written::Created(_))), "a refusal is not remembered: {free:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_before_learns_to_remember() {
    let house = House::new();
    house.create(ONE, &one(&house, 1, 1)).await.unwrap();
    let store = house.store.clone();
    tokio::task::spawn_blocking(|| store.close()).await.unwrap();
    // As the first format had it.
    house.sql().execute_batch("DROP TABLE repeated; PRAGMA user_version = 1").unwrap();
    house.is_sound();
    let write = async |store: &Store| {
        let plan = once(1, 1, 0, create(&house.counts(), &one(&house, 2, 2)));
        store.write(author(ONE), plan).await.unwrap()
    };
    for _ in 0..2 {
        let store = Store::open(&house.file(), &house.model, &Options::default()).unwrap();
        let outcome = write(&store).await;
        assert!(matches!(outcome, Written::Created(Entity { version: 2, .. })), "{outcome:?}");
        tokio::task::spawn_blocking(|| store.close()).await.unwrap();
    }
    house.is_sound();
    let copy = house.folder.path().join("copy");
    rollcall_store::backup(&house.file(), &copy).unwrap();
    let copy = Store::open(&copy, &house.model, &Options::default()).unwrap();
    assert!(matches!(write(&copy).await, Written::Created(Entity { version: 2, .. })));
    house.sql().execute_batch("UPDATE repeated SET entity = NULL").unwrap();
    assert_eq!(check(&house.file(), &house.model).unwrap().problems.len(), 1);
}
