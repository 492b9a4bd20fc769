//! `$search` as a condition on the properties of a row.
//!
//! A word or phrase is found in a row where a string has it, in any letter
//! case, or where a date or number has exactly this text. The key is not searched.

use super::expression::{Expression, Function, Kept, Ty, literal_of};
use crate::edm::{EntitySet, Property, Role, Type};
use crate::uri::search::Search;
use crate::value::Value;

/// What must be true of a row that is found, where these properties are there.
pub(crate) fn condition(
    set: &EntitySet,
    present: impl Fn(usize) -> bool + Copy,
    search: &Search,
) -> Expression {
    let each = |all: &[Search]| all.iter().map(|one| condition(set, present, one)).collect();
    match search {
        Search::Term(term) => Expression::Or(found(set, present, term)),
        Search::Not(one) => Expression::Not(Box::new(condition(set, present, one))),
        Search::And(all) => Expression::And(each(all)),
        Search::Or(all) => Expression::Or(each(all)),
    }
}

fn found(set: &EntitySet, present: impl Fn(usize) -> bool, term: &str) -> Vec<Expression> {
    let properties = set.entity_type.properties.iter().enumerate();
    let properties = properties.filter(|(at, _)| present(*at));
    properties.filter_map(|(at, property)| in_property(at, property, term)).collect()
}

/// Never null: what is not found is not found.
fn in_property(at: usize, property: &Property, term: &str) -> Option<Expression> {
    match (property.role, &property.ty) {
        (Role::Key, _) => None,
        (Role::Period, _) => Some(has(Expression::Shown(at, Kept::Period), term)),
        (_, Type::String) => Some(has(Expression::Stored(at), term)),
        (_, Type::Int64 | Type::Int32) => equals(at, Ty::Int, term),
        (_, Type::Date) => equals(at, Ty::Date, term),
        _ => None,
    }
}

fn has(text: Expression, term: &str) -> Expression {
    let lower = Expression::Call(Function::ToLower, vec![text]);
    let term = Expression::Value(Value::Text(term.to_lowercase()));
    same(Expression::Call(Function::Contains, vec![lower, term]), Value::Bool(true))
}

/// Equality with what this is the one text of.
fn equals(at: usize, ty: Ty, term: &str) -> Option<Expression> {
    let value = literal_of(ty, term)?;
    let exact = crate::payload::primitive::text_of(&value) == term;
    exact.then(|| same(Expression::Stored(at), value))
}

fn same(one: Expression, value: Value) -> Expression {
    Expression::equal(one, Expression::Value(value))
}
