//! The SQL texts that make tables and views.

use rollcall_odata::edm::EntitySet;

use super::{TENANT, VERSION, column, descends, period_text, quoted};
use crate::column::Kind;

/// Everything that a database has in it: how many tables, views and indexes.
pub(crate) const OBJECTS: &str = "SELECT count(*) FROM sqlite_schema";
/// How many of these have the name `?1`, in lower case.
pub(crate) const OBJECTS_NAMED: &str = "SELECT count(*) FROM sqlite_schema WHERE lower(name) = ?1";
/// The columns of the table `?1`.
pub(crate) const COLUMNS: &str = "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1)";

/// All data sets that are known.
pub(crate) const DATA_SETS: &str = "SELECT name, number, view, shape FROM data_set";
/// One more: its table's name, its view's, its shape.
pub(crate) const NEW_DATA_SET: &str =
    "INSERT INTO data_set (name, view, shape) VALUES (?1, ?2, ?3)";
/// Table, shape: the shape from now on.
pub(crate) const NEW_SHAPE: &str = "UPDATE data_set SET shape = ?2 WHERE name = ?1";
/// Table, view: the view from now on.
pub(crate) const NEW_VIEW: &str = "UPDATE data_set SET view = ?2 WHERE name = ?1";

/// A view is made anew.
pub(crate) fn drop_view(name: &str) -> String {
    format!("DROP VIEW IF EXISTS {}", quoted(name))
}

/// The tables that every database has. `change` and `refresh` are ordinary
/// tables with documented columns, for people with other SQL tools.
pub(crate) const TABLES: &str = "
    CREATE TABLE tenant (
        number INTEGER PRIMARY KEY,
        guid BLOB NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE data_set (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,   -- of its table
        view TEXT NOT NULL,          -- of its view
        shape TEXT NOT NULL          -- one line for each column
    ) STRICT;
    CREATE TABLE change (
        tenant INTEGER NOT NULL,
        number INTEGER NOT NULL,     -- 1, 2, 3 and so on for each tenant
        data_set INTEGER NOT NULL,
        entity BLOB NOT NULL,        -- its key
        -- No IN, here and in repeated: of more than two SQLite makes a table, for every row.
        kind TEXT NOT NULL CHECK (kind = 'created' OR kind = 'changed' OR kind = 'deleted'),
        who TEXT NOT NULL,
        at INTEGER NOT NULL,         -- milliseconds since 1970 in UTC
        former TEXT,                 -- the entity before the change, as JSON
        PRIMARY KEY (tenant, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE refresh (
        tenant INTEGER NOT NULL,
        data_set INTEGER NOT NULL,
        refreshed INTEGER,           -- the newest refresh date, as a day number
        period INTEGER,              -- the longest period of that refresh date
        first_day INTEGER,
        last_day INTEGER,
        PRIMARY KEY (tenant, data_set)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE probe (space BLOB NOT NULL) STRICT;
";

/// What format 2 has beyond `TABLES`: requests that are done once, for as long
/// as they may be sent again.
pub(crate) const REPEATED: &str = "
    CREATE TABLE repeated (
        tenant INTEGER NOT NULL,
        who TEXT NOT NULL,
        client TEXT NOT NULL,        -- the client's name for itself, or nothing
        request BLOB NOT NULL,       -- its name for the request
        part INTEGER NOT NULL,       -- which of the request's writes
        digest BLOB NOT NULL,        -- of the request
        until INTEGER NOT NULL,      -- milliseconds since 1970 in UTC
        kind TEXT NOT NULL CHECK (
            kind = 'created' OR kind = 'changed' OR kind = 'unchanged' OR kind = 'deleted'
        ),
        version INTEGER,
        entity TEXT,                 -- as it was after the write, as JSON
        PRIMARY KEY (tenant, who, client, request, part)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX repeated_until ON repeated (tenant, until);
";

/// The names in these, which no data set's table may have.
pub(crate) const RESERVED: [&str; 6] =
    ["tenant", "data_set", "change", "refresh", "probe", "repeated"];

/// One column as a table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub name: String,
    pub sql_type: &'static str,
    pub required: bool,
    /// Its place in the primary key, from 1; 0 outside it.
    pub in_key: u32,
}

/// The columns of a data set's table, in the order of a new one.
pub(crate) fn columns(set: &EntitySet) -> Vec<Column> {
    let number = |name: &str, in_key| Column {
        name: name.trim_matches('"').to_owned(),
        sql_type: "INTEGER",
        required: true,
        in_key,
    };
    let properties = set.entity_type.properties.iter().enumerate().map(|(at, property)| Column {
        name: property.name.clone(),
        sql_type: Kind::of(property).sql_type(),
        required: !set.nullable(at),
        in_key: set
            .identity
            .iter()
            .zip(2..)
            .find(|(one, _)| **one == at)
            .map_or(0, |(_, place)| place),
    });
    [number(TENANT, 1), number(VERSION, 0)].into_iter().chain(properties).collect()
}

/// The table of a data set, clustered by what says which fact a row is.
pub(crate) fn table(set: &EntitySet) -> String {
    let columns: Vec<String> = columns(set).iter().map(definition).collect();
    let key: Vec<String> = set
        .identity
        .iter()
        .map(|at| format!("{}{}", column(set, *at), if descends(set, *at) { " DESC" } else { "" }))
        .collect();
    format!(
        "CREATE TABLE {} ({}, PRIMARY KEY ({TENANT}, {}), UNIQUE ({TENANT}, {})) \
         STRICT, WITHOUT ROWID",
        quoted(&set.table),
        columns.join(", "),
        key.join(", "),
        column(set, 0)
    )
}

/// One more column of a data set's table.
pub(crate) fn add_column(set: &EntitySet, column: &Column) -> String {
    format!("ALTER TABLE {} ADD COLUMN {}", quoted(&set.table), definition(column))
}

fn definition(column: &Column) -> String {
    let required = if column.required { " NOT NULL" } else { "" };
    format!("{} {}{required}", quoted(&column.name), column.sql_type)
}

/// The view of a data set, for other SQL tools: plain dates, GUIDs and periods.
pub(crate) fn view(set: &EntitySet, name: &str) -> String {
    let properties = set.entity_type.properties.iter().map(|property| {
        let column = format!("kept.{}", quoted(&property.name));
        format!("{} AS {}", plain(&Kind::of(property), &column), quoted(&property.name))
    });
    format!(
        "CREATE VIEW {} AS SELECT {} AS {TENANT}, {}, kept.{VERSION} AS {VERSION} \
         FROM {} AS kept JOIN tenant AS owner ON owner.number = kept.{TENANT}",
        quoted(name),
        plain(&Kind::Guid, "owner.guid"),
        properties.collect::<Vec<_>>().join(", "),
        quoted(&set.table)
    )
}

fn plain(kind: &Kind, column: &str) -> String {
    match kind {
        Kind::Date => format!("date({column} * 86400, 'unixepoch')"),
        Kind::Period => period_text(column),
        Kind::Guid => {
            let part = |start, length| format!("substr(lower(hex({column})), {start}, {length})");
            [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)].join(" || '-' || ")
        }
        _ => column.to_owned(),
    }
}
