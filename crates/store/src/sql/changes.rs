//! The statements of change tracking.

use rollcall_odata::edm::EntitySet;
use rollcall_odata::plan::query::Shape;
use rusqlite::types::Value as Owned;

use super::predicate::{Statement, Writer};
use super::{TENANT, VERSION, quoted};

/// Tenant, number: entity and time of that change.
pub(crate) const ONE: &str = "SELECT entity, at FROM change WHERE tenant = ?1 AND number = ?2";

/// What is to be told of a change: an entity that is asked for.
pub(crate) const SHOWN: i64 = 1;
/// An entity that is not asked for, and may have been before.
pub(crate) const LEFT: i64 = 0;
/// An entity that is no more.
pub(crate) const GONE: i64 = 2;

/// Which changes are looked at, as numbers.
pub(crate) struct Range {
    pub tenant: i64,
    pub data_set: i64,
    /// The last one before them, and the last one of them.
    pub after: i64,
    pub to: i64,
    /// The most that are given.
    pub limit: i64,
}

/// What there is to tell of a range of changes, in their order: version, every
/// property and what is computed, as `select` gives them; then the change's
/// number, its entity, and one of `SHOWN`, `LEFT` and `GONE`.
///
/// A change that made what is there now is the one whose number the row has as
/// its version; one that was followed by another of the same entity tells
/// nothing, as the other will. Who is created and not asked for was not before.
pub(crate) fn told(set: &EntitySet, shape: &Shape, range: &Range) -> Statement {
    let statement = Statement { text: String::new(), values: Vec::new(), limit: None, given: None };
    let mut writer = Writer { set, statement };
    let Range { tenant, data_set, after, to, limit } = *range;
    writer.statement.values = [tenant, data_set, after, to, limit].map(Owned::Integer).into();
    writer.push(&format!("SELECT {VERSION}"));
    for at in 0..set.entity_type.properties.len() {
        writer.push(", ");
        writer.column(at);
    }
    for one in &shape.computed {
        writer.push(&format!(", CASE WHEN \"$told\" = {SHOWN} THEN "));
        writer.value(&one.expression);
        writer.push(" END");
    }
    writer.push(&format!(
        ", \"$number\", \"$entity\", \"$told\" FROM (SELECT *, \
         CASE WHEN \"$kind\" = 'deleted' THEN {GONE} WHEN {VERSION} IS NULL THEN NULL WHEN "
    ));
    match &shape.filter {
        Some(filter) => writer.holds(filter),
        None => writer.push("1"),
    }
    writer.push(&format!(
        " THEN {SHOWN} WHEN \"$kind\" = 'changed' THEN {LEFT} END AS \"$told\" FROM ({})) \
         WHERE \"$told\" IS NOT NULL ORDER BY \"$number\" LIMIT ?5",
        changes(set)
    ));
    writer.statement
}

/// Changes with what they made, where that is still there.
fn changes(set: &EntitySet) -> String {
    let columns = set.entity_type.properties.iter().map(|one| {
        let name = quoted(&one.name);
        format!(", kept.{name} AS {name}")
    });
    let (columns, table, key) =
        (columns.collect::<String>(), quoted(&set.table), quoted(&set.entity_type.key().name));
    format!(
        "SELECT change.number AS \"$number\", change.entity AS \"$entity\", \
         change.kind AS \"$kind\", kept.{VERSION} AS {VERSION}{columns} \
         FROM change LEFT JOIN {table} AS kept ON kept.{TENANT} = change.tenant \
         AND kept.{key} = change.entity AND kept.{VERSION} = change.number \
         WHERE change.tenant = ?1 AND change.data_set = ?2 \
         AND change.number > ?3 AND change.number <= ?4"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rollcall_odata::Value;
    use rollcall_odata::catalog;
    use rollcall_odata::edm::Role;
    use rollcall_odata::plan::expression::{Comparison, Expression};
    use rusqlite::Connection;

    use super::*;
    use crate::sql::define;

    #[test]
    fn changes_are_one_range_and_each_finds_its_row() {
        let set = Arc::clone(&catalog::load(catalog::EMBEDDED).unwrap().entity_sets[0]);
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(define::TABLES).unwrap();
        connection.execute_batch(&define::table(&set)).unwrap();
        let text = |after: i64, value: i64| {
            let at = set.entity_type.in_role(Role::Measure).unwrap();
            let both = [Expression::Stored(at), Expression::Value(Value::Int(value))].map(Box::new);
            let [one, other] = both;
            let filter = Some(Expression::Compare(Comparison::Gt, one, other));
            let range = Range { tenant: 1, data_set: 1, after, to: after + 1, limit: 2 };
            told(&set, &Shape { filter, ..Shape::default() }, &range)
        };
        assert_eq!(text(1, 2).text, text(30, 40).text, "it depends on the shape alone");
        let Statement { text, values, .. } = text(1, 2);
        let mut prepared = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
        let values = rusqlite::params_from_iter(values);
        let steps = prepared.query_map(values, |row| row.get::<_, String>(3)).unwrap();
        let plan = steps.map(Result::unwrap).collect::<Vec<_>>();
        let [range, row] = plan.as_slice() else { panic!("{plan:?}") };
        assert!(range.starts_with("SEARCH change USING PRIMARY KEY (tenant=?"), "{range}");
        assert!(range.ends_with("number>? AND number<?)"), "{range}");
        assert!(row.starts_with("SEARCH kept USING "), "{row}");
    }
}
