//! What takes a hold of the writer's own connection to be tried.

use std::sync::Arc;
use std::sync::mpsc;

use rollcall_odata::edm::{EntitySet, Model, Role};
use rollcall_odata::plan::bulk::{Bulk, Fate, Policy, Rows};
use rollcall_odata::plan::{Create, Delete, Precondition, Selector, Write};
use rollcall_odata::{Period, Row, Value, catalog};
use rusqlite::{Connection, StatementStatus, params_from_iter};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::open_to_read;
use super::writer::{Message, Request, Task};
use crate::sql::Sql;
use crate::{Author, Error, Options, Store, Written};

struct House {
    store: Store,
    model: Model,
    folder: tempfile::TempDir,
}

impl House {
    fn new(options: &Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = catalog::load(catalog::EMBEDDED).unwrap();
        let store = Store::open(&folder.path().join("db"), &model, options).unwrap();
        Self { store, model, folder }
    }

    fn set(&self) -> Arc<EntitySet> {
        Arc::clone(&self.model.entity_sets[0])
    }

    /// Runs this on the writer's thread.
    fn run(&self, work: impl FnOnce(&Connection) + Send + 'static) {
        self.store.0.to_writer.put(Message::Run(Box::new(work))).unwrap();
    }

    /// Holds the writer until what this gives is dropped.
    fn hold(&self) -> mpsc::Sender<()> {
        self.hold_again()()
    }

    /// The same in its turn: what this gives waits for that.
    fn hold_again(&self) -> impl FnOnce() -> mpsc::Sender<()> + use<> {
        let (release, released) = mpsc::channel();
        let (held, holding) = mpsc::channel();
        self.run(move |_| {
            held.send(()).unwrap();
            released.recv().unwrap_err();
        });
        move || {
            holding.recv().unwrap();
            release
        }
    }

    /// Many rows, of which there is none.
    fn no_rows(&self) -> Bulk {
        Bulk {
            set: self.set(),
            rows: Rows::default(),
            first_key: Uuid::nil(),
            policy: Policy::Keep,
            fate: Fate::Each,
        }
    }

    /// A create of a fact of its own, and more text in its audit than a page holds.
    fn request(&self, number: i64) -> (Author, Write) {
        self.request_of(1, number)
    }

    fn request_of(&self, tenant: u128, number: i64) -> (Author, Write) {
        let set = self.set();
        let mut row: Row = set.entity_type.properties.iter().map(|_| Value::Null).collect();
        row[0] = Value::Guid(Uuid::from_u128(u128::try_from(number).unwrap()));
        let day = jiff::civil::date(2026, 11, 18);
        for at in &set.identity {
            row[*at] = Value::Date(day);
        }
        let days = u16::try_from(number).unwrap() + 1;
        row[set.entity_type.in_role(Role::Period).unwrap()] =
            Value::Period(Period::of_days(days).unwrap());
        let author = Author {
            tenant: Uuid::from_u128(tenant),
            principal: "p".repeat(8192),
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        (author, Write::Create(Create { set, row }))
    }

    fn queue(&self, number: i64) -> oneshot::Receiver<Result<Written, Error>> {
        self.queue_of(1, number)
    }

    fn queue_of(&self, tenant: u128, number: i64) -> oneshot::Receiver<Result<Written, Error>> {
        let (author, plan) = self.request_of(tenant, number);
        let (answer, outcome) = oneshot::channel();
        let task = Task::One(Box::new(plan), answer);
        let request = Box::new(Request { author, task });
        self.store.0.to_writer.put(Message::Write(request)).unwrap();
        outcome
    }

    async fn create(&self, number: i64) -> Result<Written, Error> {
        let (author, plan) = self.request(number);
        self.store.write(author, plan).await
    }

    async fn count(&self) -> u64 {
        self.store.count(Uuid::from_u128(1), self.set()).await.unwrap()
    }

    fn is_sound(&self) {
        let report = crate::check(&self.folder.path().join("db"), &self.model).unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
    }
}

fn is_created(outcome: &Result<Written, Error>) -> bool {
    matches!(outcome, Ok(Written::Created(_)))
}

#[tokio::test]
async fn one_batch_holds_what_is_queued_and_a_refusal_leaves_its_neighbours() {
    let house = House::new(&Options::default());
    let hold = house.hold();
    let outcomes = [1, 2, 1, 3].map(|number| house.queue(number));
    // A client that has gone takes nothing with it.
    drop(house.queue(4));
    drop(hold);
    let mut answered = Vec::new();
    for outcome in outcomes {
        answered.push(outcome.await.unwrap());
    }
    assert!(is_created(&answered[0]) && is_created(&answered[1]) && is_created(&answered[3]));
    assert_eq!(answered[2], Err(Error::FactExists { id: Uuid::from_u128(1) }));
    assert!(is_created(&house.create(5).await));
    assert_eq!(house.count().await, 5);
    house.is_sound();
}

#[tokio::test]
async fn a_full_queue_says_so_at_once() {
    let house = House::new(&Options { queue: 2, ..Options::default() });
    let hold = house.hold();
    let queued = [house.queue(1), house.queue(2)];
    assert_eq!(house.create(3).await, Err(Error::Busy));
    drop(hold);
    for outcome in queued {
        assert!(is_created(&outcome.await.unwrap()));
    }
    assert!(is_created(&house.create(3).await));
}

#[tokio::test]
async fn a_tenant_that_floods_gives_way_and_others_do_not_wait_for_it() {
    let house = House::new(&Options { queue: 5, ..Options::default() });
    let hold = house.hold();
    let mut flood: Vec<_> = (1..=5).map(|number| house.queue(number)).collect();
    assert_eq!(house.create(6).await, Err(Error::Busy), "one alone has all of it");
    let mut other = house.queue_of(2, 1);
    assert_eq!(flood.pop().unwrap().await.unwrap(), Err(Error::OverShare), "its newest gave way");
    assert_eq!(house.create(6).await, Err(Error::OverShare));
    // Held again after a turn of each, in place of another one of the flood.
    let held_again = house.hold_again();
    assert_eq!(flood.pop().unwrap().await.unwrap(), Err(Error::OverShare));
    drop(hold);
    let held_again = held_again();
    assert!(is_created(&other.try_recv().unwrap()), "it is on the disk");
    let waiting = flood.iter_mut().filter_map(|one| one.try_recv().err()).count();
    assert_eq!((flood.len(), waiting), (3, 2), "before what was there first");
    drop(held_again);
    for one in flood.into_iter().skip(1) {
        assert!(is_created(&one.await.unwrap()));
    }
    house.is_sound();
}

#[tokio::test]
async fn one_tenant_s_reads_leave_a_reader_to_others_and_give_way() {
    let house = House::new(&Options { readers: 1, queue: 2, ..Options::default() });
    let (release, released) = mpsc::channel::<()>();
    let (held, holding) = mpsc::channel();
    let store = house.store.clone();
    let slow = tokio::spawn(async move {
        let work = move |_: &Connection, _: &crate::table::Tables| {
            held.send(()).unwrap();
            released.recv().unwrap_err();
            Ok(())
        };
        store.ask(Uuid::from_u128(1), work).await
    });
    // Each task runs until it waits.
    tokio::task::yield_now().await;
    holding.recv().unwrap();
    let [next, newest] = [(); 2].map(|()| {
        let (store, set) = (house.store.clone(), house.set());
        tokio::spawn(async move { store.count(Uuid::from_u128(1), set).await })
    });
    tokio::task::yield_now().await;
    assert_eq!(house.store.count(Uuid::from_u128(2), house.set()).await, Ok(0));
    assert_eq!(newest.await.unwrap(), Err(Error::OverShare));
    assert!(!next.is_finished());
    drop(release);
    assert_eq!((slow.await.unwrap(), next.await.unwrap()), (Ok(()), Ok(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_waits_for_what_is_queued() {
    let house = House::new(&Options::default());
    let hold = house.hold();
    let queued: Vec<_> = (1..50).map(|number| house.queue(number)).collect();
    let store = house.store.clone();
    let closing = tokio::task::spawn_blocking(|| store.close());
    drop(hold);
    for outcome in queued {
        assert!(is_created(&outcome.await.unwrap()));
    }
    closing.await.unwrap();
    house.is_sound();
}

#[tokio::test]
async fn a_full_disk_refuses_the_whole_batch_and_is_left_behind_without_reopening() {
    let house = House::new(&Options::default());
    assert!(is_created(&house.create(1).await));
    house.run(|connection| {
        let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        limit(connection, pages + 4);
    });
    let hold = house.hold();
    let queued: Vec<_> = (2..20).map(|number| house.queue(number)).collect();
    drop(hold);
    let mut full = 0;
    for outcome in queued {
        match outcome.await.unwrap() {
            Err(Error::Full(_)) => full += 1,
            // Queued after the transaction that failed had taken its part.
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(full, 18);
    assert_eq!(house.count().await, 1, "reads go on");
    let (author, _) = house.request(0);
    let missing = Delete {
        set: house.set(),
        selector: Selector::Key(Uuid::nil()),
        precondition: Precondition::default(),
    };
    let refused = house.store.write(author, Write::Delete(missing)).await;
    assert_eq!(refused, Err(Error::NotFound), "this needs no disk, and says nothing of it");
    assert!(matches!(house.store.ready().await, Err(Error::Full(_))));
    house.run(|connection| limit(connection, 1_000_000));
    assert_eq!(house.store.ready().await, Ok(()));
    let Ok(Written::Created(next)) = house.create(2).await else { panic!() };
    assert_eq!(next.version, 2, "what was undone has left no gap");
    house.is_sound();
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_to_turns_good_by_itself() {
    let house = House::new(&Options::default());
    assert!(is_created(&house.create(1).await));
    house.run(|connection| connection.execute_batch("PRAGMA query_only = ON").unwrap());
    assert!(matches!(house.create(2).await, Err(Error::Unwritable(_))));
    assert!(matches!(house.store.ready().await, Err(Error::Unwritable(_))));
    assert_eq!(house.count().await, 1);
    house.run(|connection| connection.execute_batch("PRAGMA query_only = OFF").unwrap());
    assert!(is_created(&house.create(2).await));
    assert_eq!(house.store.ready().await, Ok(()));
    house.is_sound();
}

fn limit(connection: &Connection, pages: i64) {
    let text = format!("PRAGMA max_page_count = {pages}");
    connection.query_row(&text, [], |_| Ok(())).unwrap();
}

#[test]
fn a_statement_is_planned_once_whatever_is_bound() {
    let house = House::new(&Options::default());
    let connection = open_to_read(&house.folder.path().join("db")).unwrap();
    let [own, shared] = Sql::of(&house.set()).windows.unwrap();
    let texts = [own, shared].into_iter().flat_map(|one| [Some(one.rows), one.likely]);
    for text in texts.flatten() {
        let mut statement = connection.prepare(&text).unwrap();
        for number in 0..3 {
            let values = std::iter::repeat_n(number, statement.parameter_count());
            assert!(statement.query(params_from_iter(values)).unwrap().next().unwrap().is_none());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}

#[tokio::test]
async fn what_is_held_for_rows_is_held_until_they_are_written() {
    let house = House::new(&Options::default());
    let writer = house.hold();
    let (author, _) = house.request(1);
    let rows = house.no_rows();
    let held = Arc::new(());
    let [gone, waiting] = [(); 2].map(|()| {
        let held = Arc::clone(&held);
        house.store.bulk(author.clone(), rows.clone(), held).unwrap()
    });
    drop(gone);
    assert_eq!(Arc::strong_count(&held), 3);
    drop(writer);
    assert_eq!(waiting.outcomes().await, Ok(vec![]));
    assert_eq!(Arc::strong_count(&held), 1, "before the answer");
}

#[tokio::test]
async fn whatever_gives_way_is_answered() {
    let house = House::new(&Options { queue: 2, readers: 1, ..Options::default() });
    let store = house.store.clone();
    let tenant = Uuid::from_u128(1);
    let (author, plan) = house.request(1);
    let rows = house.no_rows();
    for kind in 0..3 {
        let hold = house.hold();
        let first = house.queue(2 + kind);
        let newest = match kind {
            0 => {
                let (store, author, plan) = (store.clone(), author.clone(), plan.clone());
                tokio::spawn(async move {
                    store.write_all(author, vec![plan]).await.map(drop).map_err(|one| one.error)
                })
            }
            1 => {
                let pending = store.bulk(author.clone(), rows.clone(), ()).unwrap();
                tokio::spawn(async move { pending.outcomes().await.map(drop) })
            }
            _ => {
                let store = store.clone();
                tokio::spawn(async move { store.reset(tenant).await })
            }
        };
        // The task runs until it waits.
        tokio::task::yield_now().await;
        let other = house.queue_of(2, 1 + kind);
        assert_eq!(newest.await.unwrap(), Err(Error::OverShare), "{kind}");
        drop(hold);
        assert!(is_created(&first.await.unwrap()) && is_created(&other.await.unwrap()));
    }
    house.is_sound();
}
