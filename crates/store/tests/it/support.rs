//! A store in a folder of its own, a catalogue, and short ways to say what to write.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rollcall_odata::edm::{EntitySet, Model, Role};
use rollcall_odata::plan::query::Shape;
use rollcall_odata::plan::{
    Create, Delete, List, Precondition, Read, Selector, Update, Versions, Write,
};
use rollcall_odata::{Period, Row, Value, catalog};
use rollcall_store::{Author, Entity, Error, Listed, Options, RowSink, Store, Written};
use tempfile::TempDir;
use uuid::Uuid;

/// Sets that the embedded catalogue has not: one whose identity has every
/// type that an identity can have, and one with nothing that `refresh` knows.
pub const MORE: &str = r#"
    [[complex_type]]
    name = "microsoft.graph.part"
    property = [
        { name = "label", type = "Edm.String" },
        { name = "since", type = "Edm.Date" },
    ]

    [[entity_type]]
    name = "microsoft.graph.everything"
    base = "microsoft.graph.entity"
    property = [
        { name = "flag", type = "Edm.Boolean" },
        { name = "count", type = "Edm.Int64" },
        { name = "text", type = "Edm.String" },
        { name = "day", type = "Edm.Date" },
        { name = "guid", type = "Edm.Guid" },
        { name = "length", type = "Edm.Duration" },
        { name = "span", type = "Edm.String", role = "period" },
        { name = "small", type = "Edm.Int32" },
        { name = "names", type = "Collection(Edm.String)" },
        { name = "parts", type = "Collection(microsoft.graph.part)" },
    ]

    [[entity_set]]
    name = "everythings"
    under = "reports"
    entity_type = "microsoft.graph.everything"
    table = "everything"
    identity = ["flag", "count", "text", "day", "guid", "length", "span"]

    [[entity_set]]
    name = "Change"
    under = "reports"
    entity_type = "microsoft.graph.everything"
    table = "everything_else"
    identity = ["text"]
"#;

pub const ONE: Uuid = Uuid::from_u128(0x1111);
pub const TWO: Uuid = Uuid::from_u128(0x2222);

pub fn model_with(more: &str) -> Model {
    let files = [catalog::EMBEDDED, &[("more.toml", more)]].concat();
    catalog::load(&files).unwrap()
}

/// A store, its model and its folder.
pub struct House {
    pub store: Store,
    pub model: Model,
    pub folder: TempDir,
}

impl House {
    pub fn new() -> Self {
        Self::with(MORE)
    }

    pub fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = model_with(more);
        let store = Store::open(&folder.path().join("db"), &model, &Options::default()).unwrap();
        Self { store, model, folder }
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("db")
    }

    /// The database as another SQL tool sees it.
    pub fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }

    pub fn counts(&self) -> Arc<EntitySet> {
        Arc::clone(&self.model.entity_sets[0])
    }

    pub fn set(&self, name: &str) -> Arc<EntitySet> {
        Arc::clone(self.model.entity_set(name).unwrap())
    }

    /// Nothing is wrong with the whole database.
    pub fn is_sound(&self) {
        let report = rollcall_store::check(&self.file(), &self.model).unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
    }

    pub async fn write(&self, tenant: Uuid, plan: Write) -> Result<Written, Error> {
        self.store.write(author(tenant), plan).await
    }

    /// Creates a row of the first set.
    pub async fn create(&self, tenant: Uuid, row: &Row) -> Result<Written, Error> {
        self.write(tenant, create(&self.counts(), row)).await
    }

    pub async fn by_key(&self, tenant: Uuid, key: u128) -> Option<Entity> {
        let plan = Read { set: self.counts(), selector: Selector::Key(Uuid::from_u128(key)) };
        self.store.read(tenant, plan).await.unwrap()
    }

    pub async fn list(&self, tenant: Uuid, plan: List) -> (Listed, Vec<(u64, Row)>) {
        let (listed, Rows(rows)) = self.store.list(tenant, plan, Rows(Vec::new())).await.unwrap();
        (listed, rows)
    }
}

/// Keeps the rows that it is given.
pub struct Rows(pub Vec<(u64, Row)>);

impl RowSink for Rows {
    fn row(&mut self, version: u64, row: &Row) {
        self.0.push((version, row.clone()));
    }
}

/// Keeps the rows that it is given, and has room for so many.
pub struct Few(pub Vec<Row>, pub usize);

impl RowSink for Few {
    fn row(&mut self, _version: u64, row: &Row) {
        self.0.push(row.clone());
    }

    fn has_room(&self) -> bool {
        self.0.len() < self.1
    }
}

pub fn author(tenant: Uuid) -> Author {
    Author {
        tenant,
        principal: "app reporter".to_owned(),
        at: Timestamp::from_millisecond(1_795_000_000_123).unwrap(),
    }
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// A row of the first set: this fact, and the same number for every count.
pub fn row(set: &EntitySet, key: u128, fact: (&str, &str, i64), count: i64) -> Row {
    let (day, refreshed, period) = fact;
    let mut row: Row = set.entity_type.properties.iter().map(|_| Value::Int(count)).collect();
    row[0] = Value::Guid(Uuid::from_u128(key));
    row[set.entity_type.in_role(Role::Date).unwrap()] = Value::Date(date(day));
    row[set.entity_type.in_role(Role::Refreshed).unwrap()] = Value::Date(date(refreshed));
    row[set.entity_type.in_role(Role::Period).unwrap()] =
        Value::Period(Period::from_number(period).unwrap());
    row
}

pub fn fact_of(set: &EntitySet, row: &Row) -> Vec<Value> {
    set.identity.iter().map(|at| row[*at].clone()).collect()
}

pub fn create(set: &Arc<EntitySet>, row: &Row) -> Write {
    Write::Create(Create { set: Arc::clone(set), row: row.clone() })
}

/// An update that changes these values, of the entity with this key.
pub fn update(set: &Arc<EntitySet>, key: u128, values: Vec<(usize, Value)>) -> Update {
    Update {
        set: Arc::clone(set),
        selector: Selector::Key(Uuid::from_u128(key)),
        precondition: Precondition::default(),
        values,
        newest_refresh: date("2100-01-01"),
        or_create: None,
    }
}

pub fn delete(set: &Arc<EntitySet>, key: u128) -> Delete {
    Delete {
        set: Arc::clone(set),
        selector: Selector::Key(Uuid::from_u128(key)),
        precondition: Precondition::default(),
    }
}

pub fn all(set: &Arc<EntitySet>) -> List {
    plain(set, 1_000_000)
}

/// The first rows of a set, as many as this, without any option.
pub fn plain(set: &Arc<EntitySet>, limit: usize) -> List {
    List { set: Arc::clone(set), limit, after: None, count: false, shape: Shape::default() }
}

/// `If-Match` with this version.
pub fn matches(version: u64) -> Precondition {
    Precondition { matches: Some(Versions::Of(vec![version])), matches_none: None }
}

/// `If-None-Match: *`.
pub fn only_new() -> Precondition {
    Precondition { matches: None, matches_none: Some(Versions::Any) }
}
