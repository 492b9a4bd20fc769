//! Every SQL text that reads and writes: those of a table are made once, from
//! its shape; `select` makes those of a query, from the plan's.
//!
//! A text depends on the shape alone; values are always bound, and the tenant
//! is always `?1`. So statement caches hit, and nothing can be injected.

mod apply;
pub(crate) mod changes;
pub(crate) mod define;
pub(crate) mod once;
pub(crate) mod predicate;
pub(crate) mod select;
pub(crate) mod whole;
pub(crate) mod window;

use rollcall_odata::Period;
use rollcall_odata::edm::{EntitySet, Role, Type};

/// The column of the tenant's number. A property's name has no `$`.
const TENANT: &str = "\"$tenant\"";
/// The column of the number of the change that made the row.
const VERSION: &str = "\"$version\"";

/// The tenant's number by its GUID, `?1`.
pub(crate) const TENANT_NUMBER: &str = "SELECT number FROM tenant WHERE guid = ?1";
/// A new tenant of the GUID `?1`; gives its number.
pub(crate) const NEW_TENANT: &str = "INSERT INTO tenant (guid) VALUES (?1) RETURNING number";
/// The number of the tenant's last change, 0 before the first.
pub(crate) const LAST_CHANGE: &str =
    "SELECT coalesce(max(number), 0) FROM change WHERE tenant = ?1";
/// One more change: tenant, number, data set, entity, kind, who, at, former values.
pub(crate) const NEW_CHANGE: &str = "INSERT INTO change (tenant, number, data_set, entity, kind, who, at, former) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
/// Rows have come: tenant, data set, their newest refresh date, its longest
/// period, their first and last date. Nulls say nothing.
pub(crate) const REFRESH_ENTER: &str = "\
    INSERT INTO refresh (tenant, data_set, refreshed, period, first_day, last_day) \
    VALUES (?1, ?2, ?3, CASE WHEN ?3 IS NOT NULL THEN ?4 END, ?5, ?6) \
    ON CONFLICT (tenant, data_set) DO UPDATE SET \
    period = CASE \
        WHEN excluded.refreshed IS NULL THEN period \
        WHEN refreshed IS NULL OR excluded.refreshed > refreshed THEN excluded.period \
        WHEN excluded.refreshed = refreshed \
            THEN coalesce(max(period, excluded.period), period, excluded.period) \
        ELSE period END, \
    refreshed = coalesce(max(refreshed, excluded.refreshed), refreshed, excluded.refreshed), \
    first_day = coalesce(min(first_day, excluded.first_day), first_day, excluded.first_day), \
    last_day = coalesce(max(last_day, excluded.last_day), last_day, excluded.last_day)";
/// Forget what is known of a tenant's data set.
pub(crate) const REFRESH_FORGET: &str = "DELETE FROM refresh WHERE tenant = ?1 AND data_set = ?2";

/// Forget all of a tenant but its rows.
pub(crate) const FORGET_TENANT: [&str; 3] = [
    "DELETE FROM change WHERE tenant = ?1",
    "DELETE FROM refresh WHERE tenant = ?1",
    "DELETE FROM repeated WHERE tenant = ?1",
];

/// Something to write: as much as `?1`.
pub(crate) const PROBE: &str = "INSERT INTO probe (space) VALUES (?1)";
/// Takes it away.
pub(crate) const PROBE_END: &str = "DELETE FROM probe";

/// How many rows of many go into one statement. Its own cost is then little,
/// and SQLite keeps its place in each tree from row to row.
pub(crate) const CHUNK: usize = 32;

/// `CHUNK` rows that are created: tenant, number of the first change, data
/// set, who, at, then the key of each.
fn new_changes() -> String {
    let row = |n: usize| format!("(?1, ?2 + {n}, ?3, ?{}, 'created', ?4, ?5)", n + 6);
    format!(
        "INSERT OR FAIL INTO change (tenant, number, data_set, entity, kind, who, at) VALUES {}",
        (0..CHUNK).map(row).collect::<Vec<_>>().join(", ")
    )
}

/// The marks of `CHUNK` rows of so many properties.
fn chunk_of_rows(width: usize) -> String {
    let row = |n: usize| {
        let first = 3 + n * width;
        let marks: Vec<String> = (first..first + width).map(|mark| format!("?{mark}")).collect();
        format!("(?1, ?2 + {n}, {})", marks.join(", "))
    };
    (0..CHUNK).map(row).collect::<Vec<_>>().join(", ")
}

/// The texts of one table.
#[derive(Debug)]
pub(crate) struct Sql {
    /// Tenant, version, then every property.
    pub insert: String,
    /// What `new_changes` says.
    pub new_changes: String,
    /// Tenant, version of the first row, then every property of each of
    /// `CHUNK` rows; the others' versions follow the first's. Those before one
    /// that meets a conflict stay: SQLite need not be able to take them back.
    pub insert_chunk: String,
    /// Tenant, version, then every property; the key says which row.
    pub update: String,
    /// Tenant, key.
    pub delete: String,
    /// Tenant: all of its rows.
    pub delete_all: String,
    /// Tenant, key: version and every property.
    pub by_key: String,
    /// Tenant, identity: version and every property.
    pub by_fact: String,
    /// Tenant, identity: the key.
    pub key_of_fact: String,
    /// Tenant: how many rows.
    pub count: String,
    /// Tenant, most rows: version and every property, from the first row on.
    pub first_rows: String,
    /// What follows a row, in the order of the statements: tenant, most rows,
    /// then as many values of that row's identity as the statement's number
    /// counts down from all of them.
    pub rows_after: Vec<String>,
    /// What a report function gives, each row with its own refresh date and
    /// with that of the data set; see `window`. None where the set has none.
    pub windows: Option<[window::Texts; 2]>,
    /// Tenant, data set, refresh date, period and date of a row that has gone:
    /// whether `refresh` is to be made anew. No row where it is not known.
    pub refresh_stale: String,
    /// Tenant, data set: `refresh` from the rows, where there are any.
    pub refresh_renew: String,
}

impl Sql {
    pub fn of(set: &EntitySet) -> Self {
        let properties: Vec<String> =
            set.entity_type.properties.iter().map(|one| quoted(&one.name)).collect();
        let table = quoted(&set.table);
        let (key, all) = (&properties[0], properties.join(", "));
        let marks = (3..properties.len() + 3).map(|n| format!("?{n}")).collect::<Vec<_>>();
        let sets =
            properties.iter().zip(&marks).skip(1).map(|(one, mark)| format!("{one} = {mark}"));
        let select = format!("SELECT {VERSION}, {all} FROM {table} WHERE {TENANT} = ?1");
        let fact = equal(set, &set.identity, 2);
        let insert = format!("INSERT INTO {table} ({TENANT}, {VERSION}, {all}) VALUES ");
        Self {
            new_changes: new_changes(),
            insert_chunk: insert.replacen("INSERT", "INSERT OR FAIL", 1)
                + &chunk_of_rows(properties.len()),
            insert: format!("{insert}(?1, ?2, {})", marks.join(", ")),
            update: format!(
                "UPDATE {table} SET {VERSION} = ?2, {} WHERE {TENANT} = ?1 AND {key} = ?3",
                sets.collect::<Vec<_>>().join(", ")
            ),
            delete: format!("DELETE FROM {table} WHERE {TENANT} = ?1 AND {key} = ?2"),
            delete_all: format!("DELETE FROM {table} WHERE {TENANT} = ?1"),
            by_key: format!("{select} AND {key} = ?2"),
            by_fact: format!("{select}{fact}"),
            key_of_fact: format!("SELECT {key} FROM {table} WHERE {TENANT} = ?1{fact}"),
            count: format!("SELECT count(*) FROM {table} WHERE {TENANT} = ?1"),
            first_rows: format!("{select} ORDER BY {} LIMIT ?2", order(set, 0, "")),
            rows_after: rows_after(set, &select),
            windows: window::texts(set, false).zip(window::texts(set, true)).map(Into::into),
            refresh_stale: refresh_stale(set),
            refresh_renew: refresh_renew(set),
        }
    }
}

/// A period as text, from the column that keeps its number.
pub(crate) fn period_text(column: &str) -> String {
    let all = Period::ALL;
    format!("CASE {column} WHEN {} THEN '{all}' ELSE CAST({column} AS TEXT) END", all.number())
}

/// An identifier as SQL takes it whatever it is.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether this property of an identity is kept and listed from the greatest
/// to the least: the newest day is what is asked for most.
pub(crate) fn descends(set: &EntitySet, position: usize) -> bool {
    set.entity_type.properties[position].ty == Type::Date
}

/// The column of a property, or one that `$apply` has added: the numbers of
/// these go on where those of the properties end.
fn column(set: &EntitySet, position: usize) -> String {
    let properties = &set.entity_type.properties;
    match properties.get(position) {
        Some(property) => quoted(&property.name),
        None => format!("\"${}\"", position - properties.len()),
    }
}

/// `AND` and an equality for each of these properties, with marks from `first` on.
fn equal(set: &EntitySet, positions: &[usize], first: usize) -> String {
    let terms = positions.iter().zip(first..);
    terms.fold(String::new(), |text, (at, n)| format!("{text} AND {} = ?{n}", column(set, *at)))
}

/// The order of the identity from its property `from` on, the columns of `table`,
/// which is empty or ends with a dot.
fn order(set: &EntitySet, from: usize, table: &str) -> String {
    let terms = set.identity[from..].iter().map(|at| {
        let direction = if descends(set, *at) { " DESC" } else { "" };
        format!("{table}{}{direction}", column(set, *at))
    });
    terms.collect::<Vec<_>>().join(", ")
}

/// The rows after one row, in several statements: first those that share all
/// of its identity but the last value, then all but the last two, and so on.
/// Each is one range of the clustered key, so a page costs the same wherever
/// it starts; one condition over mixed directions would scan.
fn rows_after(set: &EntitySet, select: &str) -> Vec<String> {
    let statement = |last: usize| {
        let shared = equal(set, &set.identity[..last], 3);
        let beyond = if descends(set, set.identity[last]) { '<' } else { '>' };
        let column = column(set, set.identity[last]);
        let order = order(set, last, "");
        format!("{select}{shared} AND {column} {beyond} ?{} ORDER BY {order} LIMIT ?2", last + 3)
    };
    (0..set.identity.len()).rev().map(statement).collect()
}

/// The column in this role, or a null where the type has none.
fn in_role(set: &EntitySet, role: Role) -> String {
    set.entity_type.in_role(role).map_or_else(|| "NULL".to_owned(), |at| column(set, at))
}

fn refresh_stale(set: &EntitySet) -> String {
    let table = quoted(&set.table);
    let (refreshed, period, date) = refresh_columns(set);
    let rows = format!("SELECT 1 FROM {table} WHERE {TENANT} = ?1");
    format!(
        "SELECT (refreshed IS ?3 AND (period IS ?4 OR refreshed IS NULL) \
             AND NOT EXISTS ({rows} AND {refreshed} IS ?3 AND {period} IS ?4)) \
         OR ((first_day IS ?5 OR last_day IS ?5) AND NOT EXISTS ({rows} AND {date} IS ?5)) \
         FROM refresh WHERE tenant = ?1 AND data_set = ?2"
    )
}

fn refresh_renew(set: &EntitySet) -> String {
    let per_tenant = refresh_per_tenant(set, "= ?1");
    format!(
        "INSERT INTO refresh (tenant, data_set, refreshed, period, first_day, last_day) \
         SELECT tenant, ?2, refreshed, period, first_day, last_day FROM ({per_tenant})"
    )
}

/// What `refresh` must hold by what the rows of the tenants in question say.
fn refresh_per_tenant(set: &EntitySet, tenants: &str) -> String {
    let table = quoted(&set.table);
    let (refreshed, period, date) = refresh_columns(set);
    format!(
        "SELECT tenant, refreshed, \
         (SELECT max({period}) FROM {table} \
             WHERE {TENANT} = known.tenant AND {refreshed} = known.refreshed) AS period, \
         first_day, last_day \
         FROM (SELECT {TENANT} AS tenant, max({refreshed}) AS refreshed, \
             min({date}) AS first_day, max({date}) AS last_day \
             FROM {table} WHERE {TENANT} {tenants} GROUP BY {TENANT}) AS known"
    )
}

fn refresh_columns(set: &EntitySet) -> (String, String, String) {
    let [refreshed, period, date] =
        [Role::Refreshed, Role::Period, Role::Date].map(|role| in_role(set, role));
    (refreshed, period, date)
}

/// Texts that find what must not be, for a check of the whole database. These
/// alone speak of all tenants, to the person who owns the folder.
pub(crate) mod audit {
    use super::{EntitySet, TENANT, VERSION, quoted, refresh_per_tenant};

    /// How many changes there are.
    pub(crate) const CHANGES: &str = "SELECT count(*) FROM change";

    /// Tenants whose changes are not numbered 1, 2, 3 and so on.
    pub(crate) const GAPS: &str = "SELECT tenant FROM change GROUP BY tenant \
         HAVING min(number) <> 1 OR max(number) <> count(*)";

    /// How many changes have former values that are not JSON, or that are
    /// missing, or there without need.
    pub(crate) const FORMER: &str = "SELECT count(*) FROM change \
         WHERE (kind = 'created') <> (former IS NULL) OR NOT json_valid(coalesce(former, '{}'))";

    /// How many requests are remembered.
    pub(crate) const REPEATED: &str = "SELECT count(*) FROM repeated";

    /// How many of them have what cannot be: a tenant that is not known, or no
    /// entity where there must be one.
    pub(crate) const REPEATED_WRONG: &str = "SELECT count(*) FROM repeated \
         WHERE tenant NOT IN (SELECT number FROM tenant) \
         OR (kind = 'deleted') <> (entity IS NULL) OR (version IS NULL) <> (entity IS NULL) \
         OR NOT json_valid(coalesce(entity, '{}'))";

    /// Every row there is, as `Sql::by_key` gives one.
    pub(crate) fn rows(set: &EntitySet) -> String {
        let all: Vec<String> =
            set.entity_type.properties.iter().map(|one| quoted(&one.name)).collect();
        format!("SELECT {VERSION}, {} FROM {}", all.join(", "), quoted(&set.table))
    }

    /// How many rows have a tenant that is not known.
    pub(crate) fn strays(set: &EntitySet) -> String {
        let table = quoted(&set.table);
        format!("SELECT count(*) FROM {table} WHERE {TENANT} NOT IN (SELECT number FROM tenant)")
    }

    /// Data set `?1`: how many rows were not made by the last change of their
    /// entity, and how many entities that were not deleted have no row.
    pub(crate) fn versions(set: &EntitySet) -> [String; 2] {
        let key = quoted(&set.entity_type.key().name);
        let rows = format!("SELECT {TENANT}, {key}, {VERSION} FROM {}", quoted(&set.table));
        // SQLite takes `kind` from the row that has the maximum.
        let live = "SELECT tenant, entity, number FROM (\
             SELECT tenant, entity, max(number) AS number, kind FROM change \
             WHERE data_set = ?1 GROUP BY tenant, entity) WHERE kind <> 'deleted'";
        both_ways(&rows, live)
    }

    /// Data set `?1`: how many tenants' rows say what `refresh` does not, and the reverse.
    pub(crate) fn refresh(set: &EntitySet) -> [String; 2] {
        let said = refresh_per_tenant(set, "IS NOT NULL");
        let kept = "SELECT tenant, refreshed, period, first_day, last_day \
                    FROM refresh WHERE data_set = ?1";
        both_ways(&said, kept)
    }

    fn both_ways(one: &str, other: &str) -> [String; 2] {
        // The parameter stands in both texts, whichever of them needs it.
        let more = |one: &str, other: &str| {
            format!(
                "SELECT count(*) FROM (SELECT * FROM ({one}) EXCEPT SELECT * FROM ({other})) \
                 WHERE ?1 IS NOT NULL"
            )
        };
        [more(one, other), more(other, one)]
    }
}

#[cfg(test)]
mod tests {
    use rollcall_odata::catalog;
    use rusqlite::Connection;

    use super::*;

    fn plan_of(connection: &Connection, sql: &str) -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let marks = statement.parameter_count();
        let nothing = rusqlite::params_from_iter(std::iter::repeat_n(0, marks));
        let steps = statement.query_map(nothing, |row| row.get::<_, String>(3)).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn lookups_and_pages_seek_and_never_sort() {
        let model = catalog::load(catalog::EMBEDDED).unwrap();
        let set = &model.entity_sets[0];
        let connection = Connection::open_in_memory().unwrap();
        rusqlite::vtab::series::load_module(&connection).unwrap();
        connection.execute_batch(define::TABLES).unwrap();
        connection.execute_batch(&define::table(set)).unwrap();
        let sql = Sql::of(set);
        let texts = [&sql.by_key, &sql.by_fact, &sql.key_of_fact, &sql.first_rows, &sql.count];
        for window::Texts { likely, rows } in sql.windows.as_ref().unwrap() {
            let plan = plan_of(&connection, rows);
            assert!(!plan.contains("SCAN kept"), "{rows}\n{plan}");
            let plan = plan_of(&connection, likely.as_ref().unwrap());
            assert_eq!(plan.matches("SEARCH").count(), 2, "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
        for text in texts.into_iter().chain(&sql.rows_after) {
            let plan = plan_of(&connection, text);
            assert!(plan.starts_with("SEARCH"), "{text}\n{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{text}\n{plan}");
        }
        let terms: Vec<usize> = sql
            .rows_after
            .iter()
            .map(|one| plan_of(&connection, one).matches('?').count())
            .collect();
        assert_eq!(terms, [4, 3, 2], "each statement is one range of the clustered key");
    }
}
