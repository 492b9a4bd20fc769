//! Expressions with every name resolved and every literal typed.
//!
//! What they mean follows OData 4.01: `eq` and `ne` with null are true or
//! false, the other comparisons with null are false, functions and arithmetic
//! with null are null, `and`, `or` and `not` know a third state. Within a row
//! an integer overflow, a division by zero, and a value that cannot be cast or
//! that no day or time has, are null.

mod bind;
mod cast;
pub mod collection;
mod functions;
mod literal;
mod operators;
pub mod pattern;
#[cfg(test)]
mod tests;

pub(crate) use bind::{Binder, Setting, Typed, no_property};
pub use functions::Function;
pub use literal::value as literal_of;

use std::sync::Arc;

use crate::edm::{EntitySet, Property, Role, Type};
use crate::plan::Selector;
use crate::value::Value;

/// A primitive type, as expressions tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ty {
    /// `Edm.Boolean`.
    Boolean,
    /// `Edm.Int64`, and the shorter integers.
    Int,
    /// `Edm.Decimal`, which is exact.
    Decimal,
    /// `Edm.Double`, and `Edm.Single`.
    Double,
    /// `Edm.String`.
    String,
    /// `Edm.Date`.
    Date,
    /// `Edm.TimeOfDay`, to the nanosecond.
    TimeOfDay,
    /// `Edm.DateTimeOffset`, to the microsecond, in UTC.
    Instant,
    /// `Edm.Guid`.
    Guid,
    /// `Edm.Duration`.
    Duration,
    /// `Edm.Binary`.
    Binary,
}

impl Ty {
    /// Its name in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "Edm.Boolean",
            Self::Int => "Edm.Int64",
            Self::Decimal => "Edm.Decimal",
            Self::Double => "Edm.Double",
            Self::String => "Edm.String",
            Self::Date => "Edm.Date",
            Self::TimeOfDay => "Edm.TimeOfDay",
            Self::Instant => "Edm.DateTimeOffset",
            Self::Guid => "Edm.Guid",
            Self::Duration => "Edm.Duration",
            Self::Binary => "Edm.Binary",
        }
    }

    /// The type that expressions know a declared one as; `None` of one that none takes.
    fn of(declared: &Type) -> Option<Self> {
        Some(match declared {
            Type::Boolean => Self::Boolean,
            Type::Int64 | Type::Int32 => Self::Int,
            Type::String => Self::String,
            Type::Date => Self::Date,
            Type::Guid => Self::Guid,
            Type::Duration => Self::Duration,
            Type::Complex(_) | Type::Collection(_) => return None,
        })
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Decimal | Self::Double)
    }
}

/// The type of what is kept of a property; `None` of one that no expression takes.
pub(crate) fn stored_type(property: &Property) -> Option<Ty> {
    match property.role {
        Role::Key => Some(Ty::Guid),
        Role::Period => Some(Ty::Int),
        _ => Ty::of(&property.ty),
    }
}

/// An expression over the properties of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A value.
    Value(Value),
    /// The property at this position, or a column that `$apply` has added, as
    /// the value that it is kept as.
    Stored(usize),
    /// The property at this position as the string that clients see: the key
    /// and the period, which are kept as something else.
    Shown(usize, Kept),
    /// Not.
    Not(Box<Expression>),
    /// All of these.
    And(Vec<Expression>),
    /// One of these.
    Or(Vec<Expression>),
    /// Two values of one type, or two numbers.
    Compare(Comparison, Box<Expression>, Box<Expression>),
    /// Whether a value is one of these, of which one may be null.
    In(Box<Expression>, Vec<Value>),
    /// A function; null where an argument is.
    Call(Function, Vec<Expression>),
    /// The value of the first condition that holds, or null.
    Case(Vec<(Expression, Expression)>),
    /// What an expression is for one entity of a set, of the same tenant; null
    /// where there is no such entity.
    Of(Box<Entity>, Box<Expression>),
}

/// An entity that an expression looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Where it is.
    pub set: Arc<EntitySet>,
    /// Which one.
    pub selector: Selector,
}

impl Expression {
    /// Whether both are the same value, or both null.
    pub(crate) fn equal(one: Self, other: Self) -> Self {
        Self::Compare(Comparison::Eq, Box::new(one), Box::new(other))
    }
}

/// How a property is kept that clients see as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The key, as a GUID.
    Guid,
    /// The period, as a number.
    Period,
}

/// The comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The same value, or both null.
    Eq,
    /// Not the same value.
    Ne,
    /// Greater.
    Gt,
    /// Greater or the same.
    Ge,
    /// Less.
    Lt,
    /// Less or the same.
    Le,
}
