//! Who follows the changes ends with what is there, whatever is written meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use rollcall_odata::edm::{EntitySet, Role};
use rollcall_odata::plan::Write;
use rollcall_odata::plan::bulk::{Bulk, Fate, Policy, Rows as Many};
use rollcall_odata::plan::delta::{Changes, Moment, Reason};
use rollcall_odata::plan::expression::{Comparison, Expression};
use rollcall_odata::plan::query::Shape;
use rollcall_odata::{Row, Value};
use rollcall_store::{ChangeSink, Error, Followed, Options, RowSink, Store};
use uuid::Uuid;

use crate::random::{plan_of, steps};
use crate::support::*;

/// An entity with its version, or why there is none.
type What = Result<(u64, Row), Reason>;

/// What a page of changes has told, in its order.
#[derive(Default)]
struct Told(Vec<(Uuid, What)>);

impl RowSink for Told {
    fn row(&mut self, version: u64, row: &Row) {
        self.0.push((key_of(row), Ok((version, row.clone()))));
    }
}

impl ChangeSink for Told {
    fn removed(&mut self, key: Uuid, reason: Reason) {
        self.0.push((key, Err(reason)));
    }
}

fn key_of(row: &Row) -> Uuid {
    match row[0] {
        Value::Guid(key) => key,
        _ => panic!("a key that is no GUID"),
    }
}

/// Those of which something is counted.
fn counted(set: &EntitySet) -> Shape {
    let at = set.entity_type.in_role(Role::Measure).unwrap();
    let both = [Expression::Stored(at), Expression::Value(Value::Int(0))].map(Box::new);
    let [count, zero] = both;
    Shape { filter: Some(Expression::Compare(Comparison::Gt, count, zero)), ..Shape::default() }
}

async fn page(store: &Store, tenant: Uuid, plan: Changes) -> Result<(Followed, Told), Error> {
    store.changes(tenant, plan, Told::default()).await
}

/// Somebody who reads what changes, and keeps what they are told.
struct Reader {
    set: Arc<EntitySet>,
    shape: Shape,
    limit: usize,
    since: Moment,
    known: BTreeMap<Uuid, (u64, Row)>,
}

impl Reader {
    fn new(set: Arc<EntitySet>, shape: Shape, limit: usize) -> Self {
        Self { set, shape, limit, since: Moment::default(), known: BTreeMap::new() }
    }

    /// Reads one page; whether there was more.
    async fn read(&mut self, store: &Store, tenant: Uuid) -> bool {
        let (set, shape) = (Arc::clone(&self.set), self.shape.clone());
        let plan = Changes { set, limit: self.limit, since: self.since, shape };
        let (followed, Told(told)) = page(store, tenant, plan).await.unwrap();
        assert!(told.len() <= self.limit);
        assert!(followed.until.number >= self.since.number);
        for (key, what) in told {
            match what {
                Ok(entity) => drop(self.known.insert(key, entity)),
                Err(_) => drop(self.known.remove(&key)),
            }
        }
        self.since = followed.until;
        followed.more
    }

    async fn read_all(&mut self, store: &Store, tenant: Uuid) {
        while self.read(store, tenant).await {}
    }

    async fn is_up_to_date(&self, house: &House, tenant: Uuid) {
        let plan = rollcall_odata::plan::List { shape: self.shape.clone(), ..all(&self.set) };
        let (_, rows) = house.list(tenant, plan).await;
        let there: BTreeMap<Uuid, (u64, Row)> =
            rows.into_iter().map(|(version, row)| (key_of(&row), (version, row))).collect();
        assert_eq!(self.known, there);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() })]

    #[test]
    fn readers_of_any_pace_end_with_what_is_there(
        steps in steps(),
        limits in (1_usize..4, 1_usize..9),
        paces in (1_usize..7, 1_usize..7),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let house = House::new();
        let set = house.counts();
        let mut readers = [
            (Reader::new(house.counts(), Shape::default(), limits.0), paces.0),
            (Reader::new(house.counts(), counted(&set), limits.1), paces.1),
        ];
        for (number, (second, step)) in steps.iter().enumerate() {
            let tenant = if *second { TWO } else { ONE };
            drop(runtime.block_on(house.write(tenant, plan_of(&set, step))));
            for (reader, pace) in &mut readers {
                if number % *pace == 0 {
                    runtime.block_on(reader.read(&house.store, ONE));
                }
            }
        }
        for (reader, _) in &mut readers {
            runtime.block_on(reader.read_all(&house.store, ONE));
            runtime.block_on(reader.is_up_to_date(&house, ONE));
            prop_assert_eq!(reader.since, runtime.block_on(house.store.moment(ONE)).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_is_missed_while_others_write() {
    let house = House::new();
    let set = house.counts();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4_u128 {
        let (store, set) = (house.store.clone(), house.counts());
        writers.spawn(async move {
            for round in 0..60_u8 {
                let (key, fact) = (writer * 100 + u128::from(round % 20), (writer, round % 20));
                let day = format!("20{:02}-01-{:02}", fact.0, fact.1 + 1);
                let made = row(&set, key, (&day, "2026-11-20", 7), i64::from(round % 2));
                let plan = match round / 20 {
                    0 => create(&set, &made),
                    1 => Write::Update(update(&set, key, made.into_iter().enumerate().collect())),
                    _ if round % 3 == 0 => Write::Delete(delete(&set, key)),
                    _ => continue,
                };
                store.write(author(ONE), plan).await.unwrap();
            }
        });
    }
    let mut readers = [
        Reader::new(house.counts(), Shape::default(), 3),
        Reader::new(set.clone(), counted(&set), 2),
    ];
    loop {
        let written = writers.is_empty();
        for reader in &mut readers {
            reader.read(&house.store, ONE).await;
        }
        if written {
            break;
        }
        while writers.try_join_next().is_some_and(|done| done.is_ok()) {}
    }
    for reader in &mut readers {
        reader.read_all(&house.store, ONE).await;
        reader.is_up_to_date(&house, ONE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_change_is_told_once() {
    let house = House::new();
    let set = house.counts();
    let fact =
        |key| (["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"][key], "2026-11-20", 7);
    let at = |key: usize, count| row(&set, u128::try_from(key).unwrap(), fact(key), count);
    for key in 0..4 {
        house.create(ONE, &at(key, 1)).await.unwrap();
    }
    let since = house.store.moment(ONE).await.unwrap();
    let change = |key, count| {
        let values = at(key, count).into_iter().enumerate().collect();
        Write::Update(update(&set, u128::try_from(key).unwrap(), values))
    };
    for plan in [
        change(1, 5),
        change(1, 6),
        change(2, 0),
        Write::Delete(delete(&set, 3)),
        Write::Delete(delete(&set, 0)),
        create(&set, &at(0, 0)),
    ] {
        house.write(ONE, plan).await.unwrap();
    }
    let told = async |shape| {
        let plan = Changes { set: house.counts(), limit: 10, since, shape };
        let (followed, Told(told)) = page(&house.store, ONE, plan).await.unwrap();
        assert!(!followed.more);
        let short = |(key, what): (Uuid, What)| (key.as_u128(), what.map(|(version, _)| version));
        told.into_iter().map(short).collect::<Vec<_>>()
    };
    let (gone, left) = (Err(Reason::Deleted), Err(Reason::Changed));
    let all = [(1, Ok(6)), (2, Ok(7)), (3, gone), (0, gone), (0, Ok(10))];
    assert_eq!(told(Shape::default()).await, all);
    assert_eq!(told(counted(&set)).await, [(1, Ok(6)), (2, left), (3, gone), (0, gone)]);
}

fn many(house: &House, days: std::ops::Range<i64>, count: i64) -> Bulk {
    let mut rows = Many::new(house.counts().entity_type.properties.len());
    for number in days {
        let day = date("0001-01-01").checked_add(jiff::Span::new().days(number)).unwrap();
        let mut row = row(&house.counts(), 0, (&day.to_string(), "9990-11-20", 7), count);
        row[0] = Value::Null;
        rows.push(row);
    }
    let first_key = Uuid::from_u128(1 << 100);
    let (policy, fate) = (Policy::Replace, Fate::Each);
    Bulk { set: house.counts(), rows, first_key, policy, fate }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_looks_at_so_many_changes_and_no_more() {
    let house = House::new();
    for count in [1, 2] {
        house
            .store
            .bulk(author(ONE), many(&house, 0..10_500, count), ())
            .unwrap()
            .outcomes()
            .await
            .unwrap();
    }
    let mut reader = Reader::new(house.counts(), Shape::default(), 30_000);
    assert!(reader.read(&house.store, ONE).await, "there is more than a page looks at");
    assert_eq!((reader.since.number, reader.known.len()), (20_000, 9_500));
    assert!(!reader.read(&house.store, ONE).await);
    reader.is_up_to_date(&house, ONE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_of_another_history_is_none() {
    let house = House::new();
    let set = house.counts();
    let ask = async |store: &Store, tenant, since| {
        let plan = Changes { set: house.counts(), limit: 1, since, shape: Shape::default() };
        page(store, tenant, plan).await.map(|(followed, _)| followed)
    };
    house.create(ONE, &row(&set, 1, ("2026-11-01", "2026-11-20", 7), 1)).await.unwrap();
    let copied = house.store.moment(ONE).await.unwrap();
    let copy = house.folder.path().join("copy");
    rollcall_store::backup(&house.file(), &copy).unwrap();
    house.create(ONE, &row(&set, 2, ("2026-11-02", "2026-11-20", 7), 1)).await.unwrap();
    let since = house.store.moment(ONE).await.unwrap();
    assert_eq!(ask(&house.store, ONE, since).await, Ok(Followed { until: since, more: false }));

    let copy = Store::open(&copy, &house.model, &Options::default()).unwrap();
    assert_eq!(ask(&copy, ONE, since).await, Err(Error::UnknownMoment), "beyond what is there");
    assert!(ask(&copy, ONE, copied).await.is_ok(), "the copy has that");
    let other = create(&set, &row(&set, 3, ("2026-11-02", "2026-11-20", 7), 1));
    copy.write(author(ONE), other).await.unwrap();
    assert_eq!(ask(&copy, ONE, since).await, Err(Error::UnknownMoment), "another change");

    let forged = Moment { number: since.number, change: None };
    for (tenant, since) in [
        (ONE, forged),
        (ONE, Moment { number: u64::MAX, change: None }),
        (ONE, Moment { number: 3, change: None }),
        (ONE, Moment { number: 0, ..since }),
        (TWO, since),
        (TWO, forged),
    ] {
        assert_eq!(ask(&house.store, tenant, since).await, Err(Error::UnknownMoment), "{since:?}");
    }
    let begin = Moment::default();
    assert_eq!(ask(&house.store, TWO, begin).await, Ok(Followed { until: begin, more: false }));
}
