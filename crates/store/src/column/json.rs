//! Values as JSON text: for collections and complex values in a column, and
//! for the former values of a change. Members bear the names of properties, so
//! that other SQL tools can read them and a complex type can grow.

use std::fmt::Write as _;

use rollcall_odata::{Period, Value};
use serde_json::Value as Json;

use super::Kind;

/// Writes the value, or gives nothing where it is not of this kind.
pub(crate) fn write(out: &mut String, kind: &Kind, value: &Value) -> Option<()> {
    match (kind, value) {
        (_, Value::Null) => out.push_str("null"),
        (Kind::Bool, Value::Bool(value)) => shown(out, value),
        (Kind::Int64 | Kind::Int32, Value::Int(number)) => shown(out, number),
        (Kind::Text, Value::Text(text)) => string(out, text),
        (Kind::Date, Value::Date(date)) => string(out, &date.to_string()),
        (Kind::Period, Value::Period(period)) => string(out, &period.to_string()),
        (Kind::Guid, Value::Guid(guid)) => string(out, &guid.to_string()),
        (Kind::Duration, Value::Duration(duration)) => string(out, &duration.to_string()),
        (Kind::List(item), Value::List(items)) => {
            out.push('[');
            for (number, value) in items.iter().enumerate() {
                separate(out, number);
                write(out, item, value)?;
            }
            out.push(']');
        }
        (Kind::Record(members), Value::Record(values)) if members.len() == values.len() => {
            let named = members.iter().map(|(name, kind)| (name.as_str(), kind));
            object(out, named.zip(values))?;
        }
        _ => return None,
    }
    Some(())
}

/// Writes an object of these members, or gives nothing where a value is not of its kind.
pub(crate) fn object<'a>(
    out: &mut String,
    members: impl Iterator<Item = ((&'a str, &'a Kind), &'a Value)>,
) -> Option<()> {
    out.push('{');
    for (number, ((name, kind), value)) in members.enumerate() {
        separate(out, number);
        string(out, name);
        out.push(':');
        write(out, kind, value)?;
    }
    out.push('}');
    Some(())
}

/// The value in this JSON, or nothing where it is not of this kind. A member
/// that is missing is null: its type has grown since.
pub(crate) fn read(kind: &Kind, json: &Json) -> Option<Value> {
    Some(match (kind, json) {
        (_, Json::Null) => Value::Null,
        (Kind::Bool, Json::Bool(value)) => Value::Bool(*value),
        (Kind::Int64 | Kind::Int32, Json::Number(number)) => Value::Int(number.as_i64()?),
        (_, Json::String(text)) => return read_text(kind, text),
        (Kind::List(item), Json::Array(items)) => {
            Value::List(items.iter().map(|one| read(item, one)).collect::<Option<_>>()?)
        }
        (Kind::Record(members), Json::Object(object)) => {
            let member = |(name, kind): &(String, Kind)| {
                object.get(name).map_or(Some(Value::Null), |json| read(kind, json))
            };
            Value::Record(members.iter().map(member).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn read_text(kind: &Kind, text: &str) -> Option<Value> {
    Some(match kind {
        Kind::Text => Value::Text(text.to_owned()),
        Kind::Date => Value::Date(text.parse().ok()?),
        Kind::Period => Value::Period(Period::parse(text)?),
        Kind::Guid => Value::Guid(text.parse().ok()?),
        Kind::Duration => Value::Duration(text.parse().ok()?),
        _ => return None,
    })
}

fn separate(out: &mut String, number: usize) {
    if number > 0 {
        out.push(',');
    }
}

fn string(out: &mut String, text: &str) {
    shown(out, &Json::from(text));
}

fn shown(out: &mut String, value: &impl std::fmt::Display) {
    // Writing into memory cannot fail.
    let _ = write!(out, "{value}");
}
