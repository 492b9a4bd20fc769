//! A first object to create, made from the catalogue's own examples.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rollcall_odata::edm::{EntitySet, Property, Role, Type};
use serde_json::{Map, Value, json};

/// The JSON of an object of this set as it could be created now: yesterday's
/// refresh of the day before.
pub fn body(set: &EntitySet, now: Timestamp) -> String {
    let today = TimeZone::UTC.to_datetime(now).date();
    let before = |days: i64| today.checked_sub(days.days()).unwrap_or(today);
    let (refreshed, day) = (before(1), before(2));
    let own = set.entity_type.properties.iter().skip(1);
    // Built by hand to keep the documented order.
    let members: Vec<String> = own
        .map(|property| format!("{}:{}", json!(property.name), value(property, refreshed, day)))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn value(property: &Property, refreshed: Date, day: Date) -> Value {
    match (property.role, &property.ty) {
        (Role::Refreshed, _) => json!(refreshed.to_string()),
        (Role::Date, _) | (_, Type::Date) => json!(day.to_string()),
        (Role::Period, _) => json!("7"),
        (Role::Measure, _) | (_, Type::Int64 | Type::Int32) => json!(property.example.unwrap_or(1)),
        (_, Type::String) => json!("example"),
        (_, Type::Boolean) => json!(false),
        (_, Type::Guid) => json!(uuid::Uuid::nil().to_string()),
        (_, Type::Duration) => json!("PT0S"),
        (_, Type::Collection(_)) => json!([]),
        (_, Type::Complex(_)) => Value::Object(Map::new()),
    }
}
