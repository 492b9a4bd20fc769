//! What stays when things go wrong, and what a copy or a check says.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rollcall_odata::plan::Write;
use rollcall_odata::{Row, Value};
use rollcall_store::{Error, Options, Store, Written, backup, check};
use uuid::Uuid;

use crate::support::*;

const FACT: (&str, &str, i64) = ("2026-11-18", "2026-11-20", 7);

/// Row number `n`, of a day of its own.
fn numbered(house: &House, n: i16) -> Row {
    let day = date("2026-11-18").checked_sub(jiff::Span::new().days(n)).unwrap().to_string();
    row(&house.counts(), u128::try_from(n).unwrap() + 1, (&day, "2026-11-20", 7), n.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_there_after_an_end_without_goodbye() {
    let mut house = House::new();
    for n in 0..20 {
        house.create(ONE, &numbered(&house, n)).await.unwrap();
    }
    let file = house.file();
    house.store = Store::open(&file, &house.model, &Options::default()).unwrap();
    assert_eq!(house.store.count(ONE, house.counts()).await, Ok(20));
    let next = house.create(ONE, &numbered(&house, 20)).await.unwrap();
    assert!(matches!(next, Written::Created(entity) if entity.version == 21));
    house.is_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_answers_what_was_queued_and_leaves_one_file() {
    let house = House::new();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..50 {
        let (store, plan) = (house.store.clone(), create(&house.counts(), &numbered(&house, n)));
        tasks.spawn(async move { store.write(author(ONE), plan).await });
    }
    let store = house.store.clone();
    tokio::task::spawn_blocking(|| store.close()).await.unwrap();
    let outcomes = tasks.join_all().await;
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!(outcomes.iter().all(|one| matches!(one, Ok(_) | Err(Error::Closed))), "{outcomes:?}");
    assert_eq!(house.create(ONE, &numbered(&house, 50)).await, Err(Error::Closed));
    assert_eq!(house.store.count(ONE, house.counts()).await, Err(Error::Closed));
    assert_eq!(house.store.ready().await, Err(Error::Closed));
    let again = house.store.clone();
    tokio::task::spawn_blocking(|| again.close()).await.unwrap();
    let files: Vec<_> = std::fs::read_dir(house.folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let store = Store::open(&house.file(), &house.model, &Options::default()).unwrap();
    assert_eq!(store.count(ONE, house.counts()).await, Ok(u64::try_from(done).unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_creates_of_one_fact_one_is_done() {
    let house = House::new();
    let set = house.counts();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..100 {
        let (store, plan) = (house.store.clone(), create(&set, &row(&set, n + 1, FACT, 9)));
        tasks.spawn(async move { store.write(author(ONE), plan).await });
    }
    let outcomes = tasks.join_all().await;
    let created: Vec<&Row> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Ok(Written::Created(entity)) => Some(&entity.row),
            _ => None,
        })
        .collect();
    assert_eq!(created.len(), 1);
    let Value::Guid(id) = created[0][0] else { panic!() };
    let told = outcomes.iter().filter(|one| **one == Err(Error::FactExists { id })).count();
    assert_eq!(told, 99);
    house.is_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_of_which_some_fail_do_not_disturb_each_other() {
    let house = House::new();
    let set = house.counts();
    house.create(ONE, &row(&set, 1000, ("2000-01-01", "2026-11-20", 7), 9)).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..60_i16 {
        let plan = match n % 3 {
            0 => create(&set, &numbered(&house, n)),
            1 => create(&set, &row(&set, 2000, ("2000-01-01", "2026-11-20", 7), 9)),
            _ => Write::Delete(delete(&set, 5000)),
        };
        let store = house.store.clone();
        tasks.spawn(async move { (n, store.write(author(ONE), plan).await) });
    }
    for (n, outcome) in tasks.join_all().await {
        match n % 3 {
            0 => assert!(matches!(outcome, Ok(Written::Created(_))), "{outcome:?}"),
            1 => assert_eq!(outcome, Err(Error::FactExists { id: Uuid::from_u128(1000) })),
            _ => assert_eq!(outcome, Err(Error::NotFound)),
        }
    }
    assert_eq!(house.store.count(ONE, set).await, Ok(21));
    house.is_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_writers_is_whole_and_replaces_nothing() {
    let house = House::new();
    let (to, file) = (house.folder.path().join("copy"), house.file());
    house.create(ONE, &numbered(&house, 0)).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..100 {
        let (store, plan) = (house.store.clone(), create(&house.counts(), &numbered(&house, n)));
        tasks.spawn(async move { store.write(author(ONE), plan).await.map(drop) });
    }
    let target = to.clone();
    tokio::task::spawn_blocking(move || backup(&file, &target)).await.unwrap().unwrap();
    assert!(tasks.join_all().await.into_iter().all(|one| one.is_ok()));
    assert_eq!(check(&to, &house.model).unwrap().problems, Vec::<String>::new());
    assert_eq!(std::fs::read_dir(house.folder.path()).unwrap().filter(is_unfinished).count(), 0);
    let before = std::fs::read(&to).unwrap();
    assert!(matches!(backup(&house.file(), &to), Err(Error::Failed(_))));
    assert_eq!(std::fs::read(&to).unwrap(), before);
    let store = Store::open(&to, &house.model, &Options::default()).unwrap();
    assert!(store.count(ONE, house.counts()).await.unwrap() >= 1);
    let nothing = house.folder.path().join("nothing");
    assert!(backup(&nothing, &house.folder.path().join("other")).is_err());
    assert!(!nothing.exists());
}

fn is_unfinished(entry: &std::io::Result<std::fs::DirEntry>) -> bool {
    entry.as_ref().unwrap().file_name().to_string_lossy().contains("unfinished")
}

#[tokio::test]
async fn a_check_finds_what_was_tampered_with() {
    let tamper = |text: String| async move {
        let house = House::new();
        for n in 0..3 {
            house.create(ONE, &numbered(&house, n)).await.unwrap();
        }
        house.is_sound();
        let set = house.counts();
        let day = &set.entity_type.properties[set.identity[0]].name;
        house.sql().execute_batch(&text.replace("{t}", &set.table).replace("{day}", day)).unwrap();
        let report = check(&house.file(), &house.model).unwrap();
        assert!(!report.problems.is_empty(), "{text}");
    };
    for text in [
        "DELETE FROM {t} WHERE \"$version\" = 2",
        "UPDATE {t} SET \"$version\" = 9 WHERE \"$version\" = 2",
        "UPDATE {t} SET \"$tenant\" = 5",
        "UPDATE {t} SET \"{day}\" = 4000000000 WHERE \"$version\" = 2",
        "DELETE FROM change WHERE number = 2",
        "UPDATE change SET former = 'no' WHERE number = 2",
        "UPDATE refresh SET last_day = last_day + 1",
        "DELETE FROM refresh",
        "ALTER TABLE {t} ADD COLUMN foreign_one TEXT",
        "UPDATE data_set SET shape = ''",
    ] {
        tamper(text.to_owned()).await;
    }
}

/// A file system of one megabyte, where this process may mount one.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "rollcall"]).arg(at);
        succeeds(&mut mount).then_some(Self(at))
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        succeeds(Command::new("umount").arg("-l").arg(self.0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_was_full_is_written_to_again_once_it_has_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        println!("skipped: a_disk_that_was_full_is_written_to_again_once_it_has_room (no mount)");
        return;
    };
    let model = Arc::new(model_with(MORE));
    let ballast = disk.0.join("ballast");
    let store = Store::open(&disk.0.join("db"), &model, &Options::default()).unwrap();
    let house = House::new();
    let set = model.entity_sets[0].clone();
    store.write(author(ONE), create(&set, &numbered(&house, 0))).await.unwrap();
    // Writes until there is no room left at all.
    drop(std::fs::write(&ballast, vec![0; 2_000_000]));
    let mut n = 1;
    let error = loop {
        match store.write(author(ONE), create(&set, &numbered(&house, n))).await {
            Ok(_) => n += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Full(_) | Error::Unwritable(_)), "{error:?}");
    assert!(store.ready().await.is_err());
    assert_eq!(store.count(ONE, set.clone()).await, Ok(u64::try_from(n).unwrap()));
    std::fs::remove_file(ballast).unwrap();
    assert_eq!(store.ready().await, Ok(()));
    store.write(author(ONE), create(&set, &numbered(&house, n))).await.unwrap();
    tokio::task::spawn_blocking(|| store.close()).await.unwrap();
    let report = check(&disk.0.join("db"), &model).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
}
