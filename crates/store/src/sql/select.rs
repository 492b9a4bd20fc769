//! The statements of lists and counts that have a shape of their own.

use rollcall_odata::edm::EntitySet;
use rollcall_odata::plan::expression::{Expression, Ty};
use rollcall_odata::plan::query::Shape;
use rusqlite::types::Value as Owned;

use super::predicate::{Statement, Writer};
use super::{TENANT, VERSION, column, descends, equal, order, quoted};

/// Where rows come from: a select that gives the version and every property of
/// its set, by the names of the table's columns.
#[derive(Debug, Clone)]
pub(crate) struct Source<'a> {
    pub set: &'a EntitySet,
    /// The select.
    pub select: String,
    /// The values of its marks.
    pub values: Vec<Owned>,
    /// Whether the order of the identity costs nothing, as in the table.
    pub clustered: bool,
}

impl<'a> Source<'a> {
    /// All rows that the tenant has in the table of a set.
    pub fn table(set: &'a EntitySet, tenant: i64) -> Self {
        let all: Vec<String> =
            set.entity_type.properties.iter().map(|one| quoted(&one.name)).collect();
        let (all, table) = (all.join(", "), quoted(&set.table));
        let select = format!("SELECT {VERSION}, {all} FROM {table} WHERE {TENANT} = ?1");
        Self { set, select, values: vec![Owned::Integer(tenant)], clustered: true }
    }

    /// The rows of a report function, by their own statement.
    pub fn labelled(set: &'a EntitySet, select: &str, values: Vec<Owned>) -> Self {
        Self { set, select: select.to_owned(), values, clustered: false }
    }

    pub(super) fn writer(&self, text: &str) -> Writer<'a> {
        let statement = Statement {
            text: text.to_owned(),
            values: self.values.clone(),
            limit: None,
            given: None,
        };
        Writer { set: self.set, statement }
    }

    fn from(&self, writer: &mut Writer<'_>, filter: Option<&Expression>) {
        writer.push(&format!(" FROM ({}) WHERE ", self.select));
        match filter {
            Some(filter) => writer.holds(filter),
            None => writer.push("1"),
        }
    }

    /// How many rows there are.
    pub fn count(&self, filter: Option<&Expression>) -> Statement {
        let mut writer = self.writer("SELECT count(*)");
        self.from(&mut writer, filter);
        writer.statement
    }

    /// The rows of a page, in the order of the statements. Each gives the
    /// version, every property, what is computed, and the keys of the order.
    ///
    /// `after` is where the page before ended: the keys' values, then the identity.
    pub fn rows(&self, shape: &Shape, after: Option<&[Owned]>) -> Vec<Statement> {
        match after {
            None => vec![self.page(shape, 0, |_| {})],
            // One range of the clustered key after another: see `rows_after`.
            Some(fact) if shape.order.is_empty() && self.clustered => {
                let ranges = (0..self.set.identity.len()).rev();
                ranges
                    .map(|last| self.page(shape, last, |writer| range(writer, last, fact)))
                    .collect()
            }
            Some(after) => vec![self.page(shape, 0, |writer| beyond(writer, shape, after))],
        }
    }

    /// The rows for which a condition holds, of which the first `shared` parts
    /// of the identity are the same.
    fn page(&self, shape: &Shape, shared: usize, condition: impl Fn(&mut Writer<'_>)) -> Statement {
        let mut writer = self.writer(&format!("SELECT {VERSION}"));
        let properties = self.set.entity_type.properties.len();
        for at in 0..properties {
            writer.push(", ");
            writer.column(at);
        }
        let computed = shape.computed.iter().map(|one| &one.expression);
        for expression in computed.chain(shape.order.iter().map(|key| &key.expression)) {
            writer.push(", ");
            writer.value(expression);
        }
        self.from(&mut writer, shape.filter.as_ref());
        condition(&mut writer);
        writer.push(" ORDER BY ");
        // Null is the least of all to SQLite as it is to the protocol.
        for (number, key) in (properties + shape.computed.len() + 2..).zip(&shape.order) {
            writer.push(&format!("{number}{}, ", if key.descending { " DESC" } else { "" }));
        }
        writer.push(&order(self.set, shared, ""));
        writer.page(shape.skip);
        writer.statement
    }
}

/// The rows that share all of an identity before this part, which is beyond.
fn range(writer: &mut Writer<'_>, last: usize, fact: &[Owned]) {
    let set = writer.set;
    let first_mark = writer.statement.values.len() + 1;
    writer.push(&equal(set, &set.identity[..last], first_mark));
    writer.statement.values.extend_from_slice(&fact[..last]);
    let beyond = if descends(set, set.identity[last]) { '<' } else { '>' };
    writer.push(&format!(" AND {} {beyond} ", column(set, set.identity[last])));
    writer.bind(fact[last].clone());
}

/// The rows beyond one, by the keys of the order and then by the identity:
/// beyond in the first key, or as it is in that and beyond in the second, and so on.
pub(super) fn beyond(writer: &mut Writer<'_>, shape: &Shape, after: &[Owned]) {
    let set = writer.set;
    let (keys, fact) = after.split_at(shape.order.len());
    writer.push(" AND ");
    for (key, value) in shape.order.iter().zip(keys) {
        writer.push("(");
        beyond_in_key(writer, &key.expression, key.descending, value);
        writer.push(" OR (");
        same_in_key(writer, &key.expression, value);
        writer.push(" AND ");
    }
    for (at, value) in set.identity.iter().zip(fact) {
        let (column, beyond) = (column(set, *at), if descends(set, *at) { '<' } else { '>' });
        writer.push(&format!("({column} {beyond} "));
        writer.bind(value.clone());
        writer.push(&format!(" OR ({column} = "));
        writer.bind(value.clone());
        writer.push(" AND ");
    }
    writer.push("0");
    writer.push(&"))".repeat(after.len()));
}

/// Null comes first, and last where the greatest does.
fn beyond_in_key(writer: &mut Writer<'_>, key: &Expression, descending: bool, value: &Owned) {
    match (value, descending) {
        (Owned::Null, true) => writer.push("0"),
        (Owned::Null, false) => {
            writer.value(key);
            writer.push(" IS NOT NULL");
        }
        (value, false) => {
            writer.value(key);
            writer.push(" > ");
            writer.bind(value.clone());
        }
        (value, true) => {
            writer.push("ifnull(");
            writer.value(key);
            writer.push(" < ");
            writer.bind(value.clone());
            writer.push(", 1)");
        }
    }
}

fn same_in_key(writer: &mut Writer<'_>, key: &Expression, value: &Owned) {
    writer.value(key);
    writer.push(" IS ");
    writer.bind(value.clone());
}

/// The types of what a statement of `Source::rows` gives after the properties.
pub(crate) fn extra(shape: &Shape) -> Vec<Ty> {
    let computed = shape.computed.iter().map(|one| one.ty);
    computed.chain(shape.order.iter().map(|key| key.ty)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rollcall_odata::Value;
    use rollcall_odata::catalog;
    use rollcall_odata::edm::{EntitySet, Role};
    use rollcall_odata::plan::expression::Comparison;
    use rollcall_odata::plan::query::OrderKey;
    use rusqlite::Connection;

    use super::*;
    use crate::sql::define;

    fn set() -> Arc<EntitySet> {
        Arc::clone(&catalog::load(catalog::EMBEDDED).unwrap().entity_sets[0])
    }

    fn compare(operator: Comparison, one: Expression, value: Value) -> Expression {
        Expression::Compare(operator, Box::new(one), Box::new(Expression::Value(value)))
    }

    fn filtered(filter: Expression) -> Shape {
        Shape { filter: Some(filter), ..Shape::default() }
    }

    fn measure(set: &EntitySet, value: i64) -> Shape {
        let at = set.entity_type.in_role(Role::Measure).unwrap();
        filtered(compare(Comparison::Gt, Expression::Stored(at), Value::Int(value)))
    }

    /// How SQLite goes about a statement.
    fn plan_of(set: &EntitySet, statement: &Statement) -> String {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(define::TABLES).unwrap();
        connection.execute_batch(&define::table(set)).unwrap();
        let mut prepared =
            connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.text)).unwrap();
        let values = rusqlite::params_from_iter(&statement.values);
        let steps = prepared.query_map(values, |row| row.get::<_, String>(3)).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_text_depends_on_the_shape_alone() {
        let set = set();
        let texts = |tenant: i64, value: i64, after: [i64; 3]| {
            let after = after.map(Owned::Integer);
            let rows = Source::table(&set, tenant).rows(&measure(&set, value), Some(&after));
            rows.into_iter().map(|one| one.text).collect::<Vec<_>>()
        };
        assert_eq!(texts(1, 5, [1, 2, 3]), texts(2, i64::MIN, [-1, 0, 10_000]));
        assert!(texts(7_777, 8_888, [9_999; 3]).iter().all(|text| !text.contains("777")));
    }

    #[test]
    fn the_pages_of_a_filter_are_ranges_of_the_clustered_key() {
        let set = set();
        let source = Source::table(&set, 1);
        let after = [1, 2, 3].map(Owned::Integer);
        let first = source.rows(&measure(&set, 5), None);
        for statement in first.iter().chain(&source.rows(&measure(&set, 5), Some(&after))) {
            let plan = plan_of(&set, statement);
            assert!(plan.starts_with("SEARCH"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains('\n'), "{plan}");
        }
    }

    #[test]
    fn keys_and_facts_are_found_by_their_indexes() {
        let set = set();
        let key = compare(Comparison::Eq, Expression::Stored(0), Value::Guid(uuid::Uuid::nil()));
        let day = set.entity_type.in_role(Role::Date).unwrap();
        let on = Value::Date("2026-11-18".parse().unwrap());
        let several = Expression::In(Box::new(Expression::Stored(day)), vec![on.clone()]);
        for (filter, index) in [
            (key, "sqlite_autoindex"),
            (compare(Comparison::Eq, Expression::Stored(day), on.clone()), "PRIMARY KEY"),
            (compare(Comparison::Ge, Expression::Stored(day), on), "PRIMARY KEY"),
            (several, "PRIMARY KEY"),
        ] {
            let statement = &Source::table(&set, 1).rows(&filtered(filter), None)[0];
            let plan = plan_of(&set, statement);
            assert!(plan.contains("SEARCH") && plan.contains(index), "{plan}");
            assert!(plan.matches('?').count() == 2, "{plan}");
        }
    }

    #[test]
    fn an_order_by_the_key_needs_no_sorting_at_its_start() {
        let set = set();
        let key = |expression, ty| OrderKey { expression, ty, descending: false };
        let by = |key| Shape { order: vec![key], ..Shape::default() };
        let guid = by(key(Expression::Stored(0), Ty::Guid));
        let plan = plan_of(&set, &Source::table(&set, 1).rows(&guid, None)[0]);
        assert!(plan.contains("sqlite_autoindex"), "{plan}");
    }
}
