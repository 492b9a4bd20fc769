//! From one catalogue to the next: by adding, or not at all.

use std::fs;
use std::path::Path;

use rollcall_odata::Value;
use rollcall_odata::edm::Model;
use rollcall_odata::plan::{Read, Selector};
use rollcall_store::{Error, Options, Store, check};
use uuid::Uuid;

use crate::support::*;

const BEFORE: &str = r#"
    [[complex_type]]
    name = "microsoft.graph.part"
    property = [{ name = "label", type = "Edm.String" }]

    [[entity_type]]
    name = "microsoft.graph.thing"
    base = "microsoft.graph.entity"
    property = [
        { name = "day", type = "Edm.Date", role = "date" },
        { name = "size", type = "Edm.Int64", role = "measure" },
        { name = "parts", type = "Collection(microsoft.graph.part)" },
    ]

    [[entity_set]]
    name = "things"
    under = "reports"
    entity_type = "microsoft.graph.thing"
    table = "thing"
    identity = ["day"]
"#;

fn open(folder: &Path, model: &Model) -> Result<Store, Error> {
    Store::open(&folder.join("db"), model, &Options::default())
}

/// A database of the catalogue before, with one row; closed.
async fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let model = model_with(BEFORE);
    let store = open(folder.path(), &model).unwrap();
    let part = Value::Record(vec![Value::Text("a".to_owned())]);
    let row = vec![
        Value::Guid(Uuid::from_u128(1)),
        Value::Date(date("2026-11-18")),
        Value::Int(9),
        Value::List(vec![part]),
    ];
    let plan = create(model.entity_set("things").unwrap(), &row);
    store.write(author(ONE), plan).await.unwrap();
    tokio::task::spawn_blocking(|| store.close()).await.unwrap();
    folder
}

#[tokio::test]
async fn a_property_that_is_new_is_null_in_the_rows_of_before() {
    let folder = prepared().await;
    let after = BEFORE
        .replace(
            "role = \"measure\" },",
            "role = \"measure\" }, { name = \"note\", type = \"Edm.String\" },",
        )
        .replace(
            "{ name = \"label\"",
            "{ name = \"since\", type = \"Edm.Date\" }, { name = \"label\"",
        )
        .replace("name = \"things\"", "name = \"thingsOfNote\"");
    let model = model_with(&after);
    for _ in 0..2 {
        let store = open(folder.path(), &model).unwrap();
        let set = model.entity_set("thingsOfNote").unwrap().clone();
        let plan = Read { set, selector: Selector::Key(Uuid::from_u128(1)) };
        let row = store.read(ONE, plan).await.unwrap().unwrap().row;
        let part = Value::Record(vec![Value::Null, Value::Text("a".to_owned())]);
        assert_eq!(row[2..], [Value::Int(9), Value::Null, Value::List(vec![part])]);
        tokio::task::spawn_blocking(|| store.close()).await.unwrap();
        assert_eq!(
            check(&folder.path().join("db"), &model).unwrap().problems,
            Vec::<String>::new()
        );
    }
    let sql = rusqlite::Connection::open(folder.path().join("db")).unwrap();
    sql.prepare("SELECT note FROM \"thingsOfNote\"").unwrap();
    assert!(sql.prepare("SELECT 1 FROM things").is_err(), "the view of the old name is gone");
}

#[tokio::test]
async fn what_is_more_than_an_addition_is_refused_and_nothing_touched() {
    for (from, to, column) in [
        // As SQLite sees it these two are the same.
        ("\"Edm.Int64\", role = \"measure\"", "\"Edm.Date\"", "size"),
        ("\"Edm.Int64\", role = \"measure\"", "\"Edm.String\"", "size"),
        ("{ name = \"size\", type = \"Edm.Int64\", role = \"measure\" },", "", "size"),
        (
            "name = \"label\", type = \"Edm.String\"",
            "name = \"label\", type = \"Edm.Guid\"",
            "parts[].label",
        ),
        ("identity = [\"day\"]", "identity = [\"day\", \"size\"]", "size"),
        ("identity = [\"day\"]", "identity = [\"size\"]", "day"),
        ("identity = [\"day\"]", "identity = [\"note\", \"day\"]", "day"),
        ("identity = [\"day\"]", "identity = [\"day\", \"note\"]", "note"),
    ] {
        let folder = prepared().await;
        let before = fs::read(folder.path().join("db")).unwrap();
        let mut after = BEFORE.replace(from, to);
        if to.contains("note") {
            after = after.replace(
                "role = \"measure\" },",
                "role = \"measure\" }, { name = \"note\", type = \"Edm.String\" },",
            );
        }
        let outcome = open(folder.path(), &model_with(&after)).map(drop);
        let Err(Error::Mismatch(message)) = outcome else { panic!("{to}: {outcome:?}") };
        assert!(
            message.starts_with(&format!("table \"thing\", column \"{column}\" ")),
            "{message}"
        );
        assert!(fs::read(folder.path().join("db")).unwrap() == before, "{to}");
        open(folder.path(), &model_with(BEFORE)).unwrap();
    }
}

#[tokio::test]
async fn a_newer_format_is_refused_and_nothing_touched() {
    let folder = prepared().await;
    let file = folder.path().join("db");
    rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 3).unwrap();
    let before = fs::read(&file).unwrap();
    let newer = Err(Error::Newer { found: 3, known: 2 });
    assert_eq!(open(folder.path(), &model_with(BEFORE)).map(drop), newer);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no file was added");
    assert_eq!(check(&file, &model_with(BEFORE)).map(drop), newer);
    assert!(fs::read(&file).unwrap() == before);
    // The same where the format stands in the log and not yet in the file.
    let folder = prepared().await;
    let file = folder.path().join("db");
    let sql = rusqlite::Connection::open(&file).unwrap();
    sql.pragma_update(None, "user_version", 3).unwrap();
    assert_eq!(open(folder.path(), &model_with(BEFORE)).map(drop), newer);
}

#[tokio::test]
async fn a_first_start_that_was_cut_off_is_taken_back() {
    let folder = prepared().await;
    let cut_off = tempfile::tempdir().unwrap();
    let sql = rusqlite::Connection::open(folder.path().join("db")).unwrap();
    // A transaction that has written to the file already, as before write-ahead mode.
    sql.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN").unwrap();
    for _ in 0..50 {
        sql.execute("INSERT INTO probe (space) VALUES (zeroblob(8192))", []).unwrap();
    }
    for name in ["db", "db-journal"] {
        fs::copy(folder.path().join(name), cut_off.path().join(name)).unwrap();
    }
    let model = model_with(BEFORE);
    let store = open(cut_off.path(), &model).unwrap();
    assert_eq!(store.count(ONE, model.entity_set("things").unwrap().clone()).await, Ok(1));
    let report = check(&cut_off.path().join("db"), &model).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
}

#[tokio::test]
async fn what_others_made_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let sql = rusqlite::Connection::open(folder.path().join("db")).unwrap();
    sql.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    drop(sql);
    let outcome = open(folder.path(), &model_with(BEFORE)).map(drop);
    assert!(matches!(outcome, Err(Error::Mismatch(_))), "{outcome:?}");
    fs::write(folder.path().join("db"), "not a database, but a text of some length").unwrap();
    let outcome = open(folder.path(), &model_with(BEFORE)).map(drop);
    assert!(matches!(outcome, Err(Error::Failed(_))), "{outcome:?}");
}

#[test]
fn a_table_may_not_have_the_name_of_one_of_ours() {
    for table in ["change", "Refresh", "repeated", "sqlite_things"] {
        let folder = tempfile::tempdir().unwrap();
        let model = model_with(&BEFORE.replace("\"thing\"", &format!("\"{table}\"")));
        let outcome = open(folder.path(), &model).map(drop);
        assert!(matches!(outcome, Err(Error::Mismatch(_))), "{outcome:?}");
    }
}
