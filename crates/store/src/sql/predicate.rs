//! Expressions as SQL. The text depends on an expression's shape alone: every
//! value is bound.
//!
//! A condition has two forms. In `value` it is true, false or null, as the
//! protocol wants it. In `holds` null may stand for false, which is so for what
//! decides over a row, and for the operands of `and` and `or` there: it is the
//! form that SQLite finds indexes for.

use rollcall_odata::Value;
use rollcall_odata::edm::EntitySet;
use rollcall_odata::plan::Selector;
use rollcall_odata::plan::expression::{Comparison, Entity, Expression, Function, Kept};
use rusqlite::types::Value as Owned;

use super::{TENANT, column, period_text, quoted};
use crate::column::computed;
use crate::sqlite::functions;

/// A statement and the values of its marks.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Statement {
    pub text: String,
    pub values: Vec<Owned>,
    /// Which of the values is the most rows; it is filled in when the
    /// statement runs.
    pub limit: Option<usize>,
    /// Which of them is how many rows the statement before gave, where this one
    /// goes on for it: from a row of nulls, if there was one.
    pub given: Option<usize>,
}

/// Writes a statement over the rows of one set.
pub(super) struct Writer<'a> {
    pub set: &'a EntitySet,
    pub statement: Statement,
}

impl Writer<'_> {
    pub fn push(&mut self, text: &str) {
        self.statement.text.push_str(text);
    }

    pub fn bind(&mut self, value: Owned) {
        self.statement.values.push(value);
        self.push(&format!("?{}", self.statement.values.len()));
    }

    /// At most so many rows as the statement is told when it runs.
    pub fn page(&mut self, skip: u64) {
        self.push(" LIMIT ");
        self.statement.limit = Some(self.statement.values.len());
        self.bind(Owned::Null);
        if skip > 0 {
            self.push(" OFFSET ");
            self.bind(Owned::Integer(i64::try_from(skip).unwrap_or(i64::MAX)));
        }
    }

    pub fn column(&mut self, at: usize) {
        let column = column(self.set, at);
        self.push(&column);
    }

    /// The parts with a text between them, in parentheses; `none` where there are none.
    fn joined<T>(&mut self, parts: &[T], between: &str, none: &str, write: impl Fn(&mut Self, &T)) {
        self.push("(");
        for (number, part) in parts.iter().enumerate() {
            self.push(if number > 0 { between } else { "" });
            write(self, part);
        }
        self.push(if parts.is_empty() { none } else { "" });
        self.push(")");
    }

    /// The expression's value.
    pub fn value(&mut self, expression: &Expression) {
        match expression {
            Expression::Value(value) => self.bind(computed::encode(value)),
            Expression::Stored(at) => self.column(*at),
            Expression::Shown(at, kept) => self.shown(*at, *kept),
            Expression::Not(one) => self.wrapped("(NOT ", one, ")"),
            Expression::And(all) => self.joined(all, " AND ", "1", Self::value),
            Expression::Or(all) => self.joined(all, " OR ", "0", Self::value),
            Expression::Compare(Comparison::Eq, one, other) => {
                self.between("(", one, " IS ", other, ")");
            }
            Expression::Compare(Comparison::Ne, one, other) => {
                self.between("(", one, " IS NOT ", other, ")");
            }
            Expression::Compare(operator, one, other) => {
                self.between("ifnull(", one, relation(*operator), other, ", 0)");
            }
            Expression::In(one, values) => self.is_in(one, values),
            Expression::Call(function, arguments) => self.call(*function, arguments),
            Expression::Case(branches) => self.case(branches),
            Expression::Of(entity, value) => self.of(entity, value),
        }
    }

    /// Whether the expression is true.
    pub fn holds(&mut self, expression: &Expression) {
        match expression {
            Expression::And(all) => self.joined(all, " AND ", "1", Self::holds),
            Expression::Or(all) => self.joined(all, " OR ", "0", Self::holds),
            Expression::Compare(
                operator @ (Comparison::Gt | Comparison::Ge | Comparison::Lt | Comparison::Le),
                one,
                other,
            ) => self.between("(", one, relation(*operator), other, ")"),
            Expression::In(one, values) if !values.contains(&Value::Null) => {
                self.plainly_in(one, values);
            }
            other => self.value(other),
        }
    }

    /// One row of the tenant, whose number is the first value of every statement.
    fn of(&mut self, entity: &Entity, value: &Expression) {
        let Entity { set, selector } = entity;
        let mut inside = Writer { set, statement: std::mem::take(&mut self.statement) };
        inside.push("(SELECT ");
        inside.value(value);
        inside.push(&format!(" FROM {} WHERE {TENANT} = ?1", quoted(&set.table)));
        let same = |inside: &mut Writer<'_>, at: usize, value: &Value| {
            inside.push(" AND ");
            inside.column(at);
            inside.push(" = ");
            inside.bind(computed::encode(value));
        };
        match selector {
            Selector::Key(key) => same(&mut inside, 0, &Value::Guid(*key)),
            Selector::Fact(fact) => {
                set.identity.iter().zip(fact).for_each(|(at, one)| same(&mut inside, *at, one));
            }
        }
        inside.push(")");
        self.statement = inside.statement;
    }

    fn wrapped(&mut self, before: &str, one: &Expression, after: &str) {
        self.push(before);
        self.value(one);
        self.push(after);
    }

    fn between(
        &mut self,
        before: &str,
        one: &Expression,
        between: &str,
        other: &Expression,
        after: &str,
    ) {
        self.wrapped(before, one, between);
        self.wrapped("", other, after);
    }

    fn shown(&mut self, at: usize, kept: Kept) {
        let column = column(self.set, at);
        match kept {
            Kept::Guid => {
                let name = functions::name(Function::GuidToText);
                self.push(&format!("{name}({column})"));
            }
            Kept::Period => self.push(&period_text(&column)),
        }
    }

    /// Null is in a list that has it, and in no other.
    fn is_in(&mut self, one: &Expression, values: &[Value]) {
        let others: Vec<Value> = values.iter().filter(|value| !value.is_null()).cloned().collect();
        match (others.len() < values.len(), others.is_empty()) {
            (true, true) => self.wrapped("(", one, " IS NULL)"),
            // Without a null in it a list that is not empty gives null for null alone.
            (has_null, _) => {
                self.push("(");
                self.plainly_in(one, &others);
                self.push(if has_null { " IS NOT 0)" } else { " IS 1)" });
            }
        }
    }

    fn plainly_in(&mut self, one: &Expression, values: &[Value]) {
        self.wrapped("(", one, " IN ");
        self.joined(values, ", ", "", |writer, value| writer.bind(computed::encode(value)));
        self.push(")");
    }

    fn call(&mut self, function: Function, arguments: &[Expression]) {
        self.push(&functions::name(function));
        self.joined(arguments, ", ", "", Self::value);
    }

    fn case(&mut self, branches: &[(Expression, Expression)]) {
        self.push("CASE");
        for (condition, value) in branches {
            self.push(" WHEN ");
            self.holds(condition);
            self.wrapped(" THEN ", value, "");
        }
        self.push(" END");
    }
}

fn relation(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Eq => " IS ",
        Comparison::Ne => " IS NOT ",
        Comparison::Gt => " > ",
        Comparison::Ge => " >= ",
        Comparison::Lt => " < ",
        Comparison::Le => " <= ",
    }
}
