//! How the values of expressions go into statements and come out of them.
//!
//! Properties are as in their columns. What only expressions have: a double is
//! itself, and a text where it is no number, for which SQLite has none; a time
//! of day counts nanoseconds, an instant microseconds from 1970; a decimal is
//! bytes in the order of the numbers, and a collection JSON as in its column.

use jiff::SignedDuration;
use jiff::civil::{DateTime, Time};
use rollcall_odata::payload::primitive;
use rollcall_odata::plan::expression::Ty;
use rollcall_odata::{Double, Value};
use rusqlite::types::{Value as Owned, ValueRef};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{date_of, day_number, decimal};

/// A double that is no number.
pub(crate) const NAN: &[u8] = b"NaN";

/// A double as it is bound: after all numbers where it is none.
pub(crate) fn double(number: f64) -> Owned {
    if number.is_nan() { Owned::Text("NaN".to_owned()) } else { Owned::Real(number) }
}

/// The value as it is bound.
pub(crate) fn encode(value: &Value) -> Owned {
    match value {
        // Expressions have no complex values.
        Value::Null | Value::Record(_) => Owned::Null,
        Value::Bool(value) => Owned::Integer(i64::from(*value)),
        Value::Int(number) => Owned::Integer(*number),
        Value::Text(text) => Owned::Text(text.clone()),
        Value::Date(date) => Owned::Integer(day_number(*date)),
        Value::Period(period) => Owned::Integer(period.number()),
        Value::Guid(guid) => Owned::Blob(guid.as_bytes().to_vec()),
        Value::Duration(duration) => {
            i64::try_from(duration.as_nanos()).map_or(Owned::Null, Owned::Integer)
        }
        Value::Decimal(number) => decimal::owned(number),
        Value::Double(number) => double(number.0),
        Value::TimeOfDay(time) => Owned::Integer(nanoseconds_of(*time)),
        Value::Instant(instant) => Owned::Integer(microseconds(*instant)),
        Value::Binary(bytes) => Owned::Blob(bytes.clone()),
        Value::List(items) => Owned::Text(items.iter().map(item).collect::<Json>().to_string()),
    }
}

/// An item of a collection, as its column has it.
fn item(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(number) => Json::from(*number),
        other => Json::from(primitive::text_of(other)),
    }
}

/// The value of this type that a statement gives, or nothing where it is none.
pub(crate) fn decode(ty: Ty, given: ValueRef<'_>) -> Option<Value> {
    Some(match (ty, given) {
        (_, ValueRef::Null) => Value::Null,
        (Ty::Boolean, ValueRef::Integer(number @ (0 | 1))) => Value::Bool(number == 1),
        (Ty::Int, ValueRef::Integer(number)) => Value::Int(number),
        (Ty::Decimal, ValueRef::Blob(bytes)) => Value::Decimal(decimal::read(bytes)?),
        (Ty::Double, ValueRef::Real(number)) => Value::Double(Double(number)),
        (Ty::Double, ValueRef::Text(NAN)) => Value::Double(Double(f64::NAN)),
        (Ty::Binary, ValueRef::Blob(bytes)) => Value::Binary(bytes.to_vec()),
        (Ty::String, ValueRef::Text(text)) => {
            Value::Text(std::str::from_utf8(text).ok()?.to_owned())
        }
        (Ty::Date, ValueRef::Integer(number)) => Value::Date(date_of(number)?),
        (Ty::TimeOfDay, ValueRef::Integer(number)) => Value::TimeOfDay(time_of(number)?),
        (Ty::Instant, ValueRef::Integer(number)) => Value::Instant(instant_of(number)?),
        (Ty::Guid, ValueRef::Blob(bytes)) => Value::Guid(Uuid::from_slice(bytes).ok()?),
        (Ty::Duration, ValueRef::Integer(number)) => {
            Value::Duration(SignedDuration::from_nanos(number))
        }
        _ => return None,
    })
}

fn nanoseconds_of(time: Time) -> i64 {
    let seconds =
        i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    seconds * 1_000_000_000 + i64::from(time.subsec_nanosecond())
}

/// The time of day so many nanoseconds after midnight.
pub(crate) fn time_of(nanoseconds: i64) -> Option<Time> {
    let part = |of: i64, most: i64| i8::try_from(nanoseconds / of % most).ok();
    let (hour, minute) = (part(3_600_000_000_000, 24)?, part(60_000_000_000, 60)?);
    let fraction = i32::try_from(nanoseconds % 1_000_000_000).ok()?;
    Time::new(hour, minute, part(1_000_000_000, 60)?, fraction).ok()
}

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// How many microseconds after 1970 an instant is.
fn microseconds(instant: DateTime) -> i64 {
    // The years that there are have fewer than half as many as fit.
    i64::try_from(instant.duration_since(EPOCH).as_micros()).unwrap_or(i64::MAX)
}

/// The instant so many microseconds after 1970, in the years 0000 to 9999.
pub(crate) fn instant_of(microseconds: i64) -> Option<DateTime> {
    let instant = EPOCH.checked_add(SignedDuration::from_micros(microseconds)).ok()?;
    (0..=9999).contains(&instant.year()).then_some(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_come_back_to_the_last_that_there_is() {
        let first = DateTime::constant(0, 1, 1, 0, 0, 0, 0);
        let last = DateTime::constant(9999, 12, 31, 23, 59, 59, 999_999_000);
        for instant in [first, EPOCH, last] {
            assert_eq!(instant_of(microseconds(instant)), Some(instant));
        }
        for beyond in [microseconds(first) - 1, microseconds(last) + 1, i64::MIN, i64::MAX] {
            assert_eq!(instant_of(beyond), None);
        }
    }
}
