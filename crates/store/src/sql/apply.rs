//! What `$apply` asks for as SQL: selects within selects, the rows of the
//! source innermost. The text depends on the relation's shape alone.

use rollcall_odata::plan::apply::{Aggregate, Applied, Grouping, Limit, Part, Relation};
use rollcall_odata::plan::expression::{Expression, Function, Ty};
use rollcall_odata::plan::query::{OrderKey, Shape};
use rollcall_odata::uri::apply::Method;
use rusqlite::types::Value as Owned;

use super::predicate::{Statement, Writer};
use super::select::{Source, beyond};
use crate::sqlite::functions::{self, aggregates};

/// The number of a row within its group, while rows are counted off.
const ROW: &str = "\"$row\"";
/// Whether a row is one of the input, or only says that its group is there.
const HERE: &str = "\"$here\"";

impl Source<'_> {
    /// How many rows `$apply` makes of these.
    pub fn count_applied(&self, applied: &Applied, filter: Option<&Expression>) -> Statement {
        let mut writer = self.writer("SELECT count(*)");
        self.applied_rows(&mut writer, applied, filter);
        writer.statement
    }

    /// A page of the rows that `$apply` makes of these. Each gives the number of
    /// its form, every column, what is computed, and the keys of the order.
    pub fn rows_applied(
        &self,
        applied: &Applied,
        shape: &Shape,
        after: Option<&[Owned]>,
    ) -> Statement {
        let mut writer = self.writer("SELECT ");
        match applied.form {
            Some(form) => writer.column(form),
            None => writer.push("0"),
        }
        for column in &applied.columns {
            writer.push(", ");
            writer.column(column.at);
        }
        let computed = shape.computed.iter().map(|one| &one.expression);
        for expression in computed.chain(shape.order.iter().map(|key| &key.expression)) {
            writer.push(", ");
            writer.value(expression);
        }
        self.applied_rows(&mut writer, applied, shape.filter.as_ref());
        if let Some(after) = after {
            beyond(&mut writer, shape, after);
        }
        let first = applied.columns.len() + shape.computed.len() + 2;
        for (number, key) in shape.order.iter().enumerate() {
            writer.push(if number == 0 { " ORDER BY " } else { ", " });
            writer.push(&format!("{}{}", first + number, direction(key)));
        }
        writer.page(shape.skip);
        writer.statement
    }

    fn applied_rows(
        &self,
        writer: &mut Writer<'_>,
        applied: &Applied,
        filter: Option<&Expression>,
    ) {
        writer.push(" FROM (");
        self.relation(writer, &applied.relation);
        writer.push(") WHERE ");
        match filter {
            Some(filter) => writer.holds(filter),
            None => writer.push("1"),
        }
    }

    fn relation(&self, writer: &mut Writer<'_>, relation: &Relation) {
        match relation {
            Relation::Source => writer.push(&self.select),
            Relation::Filter(input, condition) => {
                self.of(writer, "SELECT *", input);
                writer.push(" WHERE ");
                writer.holds(condition);
            }
            Relation::Compute(input, columns) => {
                writer.push("SELECT *");
                for (at, expression) in columns {
                    writer.push(", ");
                    writer.value(expression);
                    writer.named(*at);
                }
                self.of(writer, "", input);
            }
            Relation::Group(grouping) => self.group(writer, grouping),
            Relation::Limit(limit) if limit.within.is_empty() => self.limit(writer, limit),
            Relation::Limit(limit) => self.limit_of_each(writer, limit),
            Relation::Union(parts, columns) => {
                for (number, part) in parts.iter().enumerate() {
                    writer.push(if number > 0 { " UNION ALL " } else { "" });
                    self.part(writer, number, part, columns);
                }
            }
        }
    }

    /// A select of another relation.
    fn of(&self, writer: &mut Writer<'_>, select: &str, input: &Relation) {
        writer.push(&format!("{select} FROM ("));
        self.relation(writer, input);
        writer.push(")");
    }

    fn group(&self, writer: &mut Writer<'_>, grouping: &Grouping) {
        let Grouping { input, by, values, every, always, .. } = grouping;
        // Of nothing at all a select would be none.
        writer.push("SELECT 1");
        for at in by {
            writer.push(", ");
            writer.column(*at);
        }
        for (at, aggregate) in values {
            writer.push(", ");
            writer.aggregate(aggregate, every.is_some());
            writer.named(*at);
        }
        match every {
            Some(every) => self.with_every_group(writer, grouping, every),
            None => self.of(writer, "", input),
        }
        if by.is_empty() {
            writer.push(if *always { "" } else { " HAVING count(*) > 0" });
            return;
        }
        writer.push(" GROUP BY ");
        writer.columns(by);
    }

    /// The rows of the input, and one for each group of the rows that it was made of.
    fn with_every_group(&self, writer: &mut Writer<'_>, grouping: &Grouping, every: &Relation) {
        let Grouping { input, columns, by, .. } = grouping;
        writer.push(&format!(" FROM (SELECT 1 AS {HERE}"));
        for at in columns {
            writer.push(", ");
            writer.column(*at);
        }
        self.of(writer, "", input);
        writer.push(" UNION ALL SELECT DISTINCT 0");
        for at in columns {
            writer.push(", ");
            if by.contains(at) {
                writer.column(*at);
            } else {
                writer.push("NULL");
            }
        }
        self.of(writer, "", every);
        writer.push(")");
    }

    fn limit(&self, writer: &mut Writer<'_>, limit: &Limit) {
        self.of(writer, "SELECT *", &limit.input);
        writer.order(" ORDER BY ", &limit.order);
        writer.push(" LIMIT ");
        writer.bind(number(limit.top.unwrap_or(u64::MAX)));
        writer.push(" OFFSET ");
        writer.bind(number(limit.skip));
    }

    fn limit_of_each(&self, writer: &mut Writer<'_>, limit: &Limit) {
        writer.push("SELECT ");
        writer.columns(&limit.columns);
        writer.push(" FROM (SELECT *, row_number() OVER (PARTITION BY ");
        writer.columns(&limit.within);
        writer.order(" ORDER BY ", &limit.order);
        self.of(writer, &format!(") AS {ROW}"), &limit.input);
        writer.push(&format!(") WHERE {ROW} > "));
        writer.bind(number(limit.skip));
        writer.push(&format!(" AND {ROW} <= "));
        writer.bind(number(limit.top.unwrap_or(u64::MAX).saturating_add(limit.skip)));
    }

    fn part(&self, writer: &mut Writer<'_>, number: usize, part: &Part, columns: &[usize]) {
        writer.push("SELECT ");
        let (form, first) = part.form;
        for (place, at) in columns.iter().enumerate() {
            writer.push(if place > 0 { ", " } else { "" });
            if *at == form {
                writer.push(&first.to_string());
                if let Some(old) = part.old_form {
                    writer.push(" + ");
                    writer.column(old);
                }
            } else if *at == part.number {
                writer.push(&number.to_string());
            } else if *at == part.place && part.order.is_empty() {
                writer.push("0");
            } else if *at == part.place {
                writer.order("row_number() OVER (ORDER BY ", &part.order);
                writer.push(")");
            } else if part.columns.contains(at) {
                writer.column(*at);
            } else {
                writer.push("NULL");
            }
            writer.named(*at);
        }
        self.of(writer, "", &part.relation);
    }
}

impl Writer<'_> {
    fn named(&mut self, at: usize) {
        self.push(" AS ");
        self.column(at);
    }

    fn columns(&mut self, all: &[usize]) {
        for (number, at) in all.iter().enumerate() {
            self.push(if number > 0 { ", " } else { "" });
            self.column(*at);
        }
    }

    fn order(&mut self, before: &str, keys: &[OrderKey]) {
        for (number, key) in keys.iter().enumerate() {
            self.push(if number > 0 { ", " } else { before });
            self.value(&key.expression);
            self.push(direction(key));
        }
    }

    /// One value over the rows of a group; where some are not of the input, only
    /// those count that are.
    fn aggregate(&mut self, aggregate: &Aggregate, some: bool) {
        let filter = if some { format!(" FILTER (WHERE {HERE})") } else { String::new() };
        let decimal = functions::name(Function::IntToDecimal);
        match aggregate {
            Aggregate::Count => self.push(&format!("{decimal}(count(*){filter})")),
            Aggregate::Of(Method::CountDistinct, expression, _) => {
                self.push(&format!("{decimal}(count(DISTINCT "));
                self.value(expression);
                self.push(&format!("){filter})"));
            }
            Aggregate::Of(method, expression, ty) => {
                self.push(&format!("{}(", method_name(*method, *ty)));
                self.value(expression);
                self.push(&format!("){filter}"));
            }
        }
    }
}

fn method_name(method: Method, ty: Ty) -> &'static str {
    match (method, ty) {
        (Method::Min, _) => "min",
        (Method::Max, _) => "max",
        (Method::Average, Ty::Double) => aggregates::AVERAGE_OF_DOUBLES,
        (Method::Average, Ty::Decimal) => aggregates::AVERAGE_OF_DECIMALS,
        (Method::Average, _) => aggregates::AVERAGE,
        (_, Ty::Double) => aggregates::SUM_OF_DOUBLES,
        (_, Ty::Decimal) => aggregates::SUM_OF_DECIMALS,
        _ => aggregates::SUM,
    }
}

fn direction(key: &OrderKey) -> &'static str {
    if key.descending { " DESC" } else { "" }
}

fn number(count: u64) -> Owned {
    Owned::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}
