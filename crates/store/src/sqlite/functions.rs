//! The functions of expressions, as SQLite calls them.
//!
//! SQLite's own would not do: its sums of integers become doubles when they
//! overflow, its texts end at a zero byte and know ASCII's letter case alone,
//! and it has no durations. So all functions are ours, in one manner: null
//! where an argument is null, and null where there is no value to give.

pub(crate) mod aggregates;
mod calendar;
mod collections;
mod decimals;
mod numbers;
mod patterns;
mod texts;

use std::sync::Arc;

use rollcall_odata::Decimal;
use rollcall_odata::plan::expression::Function;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value as Owned, ValueRef};
use rusqlite::{Connection, Result};

use crate::column::{computed, decimal};

/// What SQLite knows a function as. The protocol's own names are none of SQLite's.
pub(crate) fn name(function: Function) -> String {
    format!("odata_{function:?}")
}

/// Lets statements of this connection call the functions.
pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    let plain = |function: &&Function| **function != Function::MatchesItsPattern;
    for function in Function::ALL.iter().filter(plain) {
        let (name, function) = (name(*function), *function);
        connection.create_scalar_function(name.as_str(), -1, flags, move |context| {
            let arguments = Arguments(context);
            Ok(evaluate(function, &arguments).unwrap_or(Owned::Null))
        })?;
    }
    patterns::register(connection, flags)?;
    aggregates::register(connection)
}

fn evaluate(function: Function, arguments: &Arguments<'_, '_>) -> Option<Owned> {
    texts::evaluate(function, arguments)
        .or_else(|| numbers::evaluate(function, arguments))
        .or_else(|| decimals::evaluate(function, arguments))
        .or_else(|| collections::evaluate(function, arguments))
        .or_else(|| calendar::evaluate(function, arguments))
}

/// What a function is called with. An argument of another type than is asked
/// for is none: plans have the right types.
struct Arguments<'a, 'c>(&'a Context<'c>);

impl Arguments<'_, '_> {
    fn get(&self, at: usize) -> ValueRef<'_> {
        if at < self.0.len() { self.0.get_raw(at) } else { ValueRef::Null }
    }

    fn int(&self, at: usize) -> Option<i64> {
        if let ValueRef::Integer(number) = self.get(at) { Some(number) } else { None }
    }

    #[expect(clippy::cast_precision_loss, reason = "that is what a double does")]
    fn double(&self, at: usize) -> Option<f64> {
        match self.get(at) {
            ValueRef::Integer(number) => Some(number as f64),
            ValueRef::Real(number) => Some(number),
            ValueRef::Blob(bytes) => decimal::read(bytes).map(|number| number.to_double()),
            ValueRef::Text(computed::NAN) => Some(f64::NAN),
            _ => None,
        }
    }

    fn decimal(&self, at: usize) -> Option<Decimal> {
        match self.get(at) {
            ValueRef::Integer(number) => Some(Decimal::from(number)),
            ValueRef::Blob(bytes) => decimal::read(bytes),
            _ => None,
        }
    }

    fn text(&self, at: usize) -> Option<&str> {
        let ValueRef::Text(bytes) = self.get(at) else { return None };
        std::str::from_utf8(bytes).ok()
    }

    /// What is made of an argument that is the same for all rows: made once
    /// in each run of a statement.
    fn made<T: Send + Sync + 'static>(
        &self,
        at: usize,
        make: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Arc<T>> {
        let make = |value: ValueRef<'_>| {
            value.as_str().ok().and_then(make).ok_or("an argument of which nothing can be made")
        };
        self.0.get_or_create_aux(i32::try_from(at).ok()?, make).ok()
    }

    fn blob(&self, at: usize) -> Option<&[u8]> {
        if let ValueRef::Blob(bytes) = self.get(at) { Some(bytes) } else { None }
    }
}

fn boolean(value: bool) -> Owned {
    Owned::Integer(i64::from(value))
}

/// A double; zero has no sign.
fn real(number: f64) -> Owned {
    computed::double(number + 0.0)
}
