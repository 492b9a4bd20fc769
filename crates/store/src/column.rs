//! How values are kept in columns.
//!
//! | value | column |
//! | --- | --- |
//! | date | days since 1970-01-01 |
//! | period | its number, 10000 for all |
//! | key, GUID | 16 bytes |
//! | whole number | itself |
//! | Boolean | 0 or 1 |
//! | duration | nanoseconds |
//! | text | itself |
//! | collection, complex value | JSON text |
//!
//! Numbers and bytes in place of texts make keys short, and their order is
//! the order of what they mean.

pub(crate) mod computed;
pub(crate) mod decimal;
pub(crate) mod json;

use jiff::{SignedDuration, civil::Date};
use rollcall_odata::edm::{Property, Role, Type};
use rollcall_odata::{Period, Value};
use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use uuid::Uuid;

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// The kind of a column: which values it takes and how it keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Int64,
    Int32,
    Bool,
    Date,
    Period,
    Guid,
    Duration,
    List(Box<Kind>),
    Record(Vec<(String, Kind)>),
}

impl Kind {
    /// The kind of a property: its role says more than its type.
    pub fn of(property: &Property) -> Self {
        match property.role {
            Role::Key => Self::Guid,
            Role::Period => Self::Period,
            _ => Self::of_type(&property.ty),
        }
    }

    fn of_type(ty: &Type) -> Self {
        match ty {
            Type::Int64 => Self::Int64,
            Type::Int32 => Self::Int32,
            Type::Boolean => Self::Bool,
            Type::String => Self::Text,
            Type::Date => Self::Date,
            Type::Guid => Self::Guid,
            Type::Duration => Self::Duration,
            Type::Collection(item) => Self::List(Box::new(Self::of_type(item))),
            Type::Complex(complex) => Self::Record(
                complex.properties.iter().map(|one| (one.name.clone(), Self::of(one))).collect(),
            ),
        }
    }

    /// The type that SQLite checks.
    pub fn sql_type(&self) -> &'static str {
        match self {
            Self::Text | Self::List(_) | Self::Record(_) => "TEXT",
            Self::Guid => "BLOB",
            _ => "INTEGER",
        }
    }

    /// Its name in the recorded shape of a table; never to be changed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int64 => "int64",
            Self::Int32 => "int32",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Period => "period",
            Self::Guid => "guid",
            Self::Duration => "duration",
            Self::List(_) => "list",
            Self::Record(_) => "record",
        }
    }

    /// The value as SQLite keeps it, or nothing where it is not of this kind.
    pub fn encode<'v>(&self, value: &'v Value) -> Option<ToSqlOutput<'v>> {
        Some(match (self, value) {
            (_, Value::Null) => ToSqlOutput::Owned(Owned::Null),
            (Self::Text, Value::Text(text)) => {
                ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
            }
            (Self::Guid, Value::Guid(guid)) => {
                ToSqlOutput::Borrowed(ValueRef::Blob(guid.as_bytes()))
            }
            (Self::Int64 | Self::Int32, Value::Int(number)) => ToSqlOutput::from(*number),
            (Self::Bool, Value::Bool(value)) => ToSqlOutput::from(i64::from(*value)),
            (Self::Date, Value::Date(date)) => ToSqlOutput::from(day_number(*date)),
            (Self::Period, Value::Period(period)) => ToSqlOutput::from(period.number()),
            (Self::Duration, Value::Duration(duration)) => {
                ToSqlOutput::from(i64::try_from(duration.as_nanos()).ok()?)
            }
            (Self::List(_) | Self::Record(_), value) => {
                let mut text = String::new();
                json::write(&mut text, self, value)?;
                ToSqlOutput::from(text)
            }
            _ => return None,
        })
    }

    /// The value that SQLite keeps, or nothing where it is not of this kind.
    pub fn decode(&self, stored: ValueRef<'_>) -> Option<Value> {
        Some(match (self, stored) {
            (_, ValueRef::Null) => Value::Null,
            (Self::Text, ValueRef::Text(bytes)) => {
                Value::Text(std::str::from_utf8(bytes).ok()?.to_owned())
            }
            (Self::Guid, ValueRef::Blob(bytes)) => Value::Guid(Uuid::from_slice(bytes).ok()?),
            (Self::List(_) | Self::Record(_), ValueRef::Text(bytes)) => {
                json::read(self, &serde_json::from_slice(bytes).ok()?)?
            }
            (_, ValueRef::Integer(number)) => return self.decode_number(number),
            _ => return None,
        })
    }

    fn decode_number(&self, number: i64) -> Option<Value> {
        Some(match self {
            Self::Int64 | Self::Int32 => Value::Int(number),
            Self::Bool if number == 0 || number == 1 => Value::Bool(number == 1),
            Self::Date => Value::Date(date_of(number)?),
            Self::Period => Value::Period(Period::from_number(number)?),
            Self::Duration => Value::Duration(SignedDuration::from_nanos(number)),
            _ => return None,
        })
    }
}

/// Days from 1970-01-01 to this date; negative before it.
pub(crate) fn day_number(date: Date) -> i64 {
    date.duration_since(EPOCH).as_hours() / 24
}

/// The date of a day number, where there is one.
pub(crate) fn date_of(day_number: i64) -> Option<Date> {
    EPOCH.checked_add(SignedDuration::from_hours(day_number.checked_mul(24)?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(kind: &Kind, value: &Value) -> Option<Value> {
        let encoded = kind.encode(value)?;
        let stored = match &encoded {
            ToSqlOutput::Borrowed(stored) => *stored,
            ToSqlOutput::Owned(owned) => owned.into(),
            _ => panic!("{encoded:?}"),
        };
        kind.decode(stored)
    }

    #[test]
    fn dates_are_day_numbers() {
        for (text, number) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2026-11-18", 20_775),
            ("0000-01-01", -719_528),
            ("9999-12-31", 2_932_896),
        ] {
            let date: Date = text.parse().unwrap();
            assert_eq!((day_number(date), date_of(number)), (number, Some(date)), "{text}");
        }
        assert_eq!((date_of(i64::MAX), date_of(4_000_000_000_000)), (None, None));
    }

    #[test]
    fn every_kind_gives_back_what_it_took() {
        let record = Kind::Record(vec![
            ("day".to_owned(), Kind::Date),
            ("length".to_owned(), Kind::Duration),
            ("names".to_owned(), Kind::List(Box::new(Kind::Text))),
            ("period".to_owned(), Kind::Period),
            ("id".to_owned(), Kind::Guid),
            ("flag".to_owned(), Kind::Bool),
            ("count".to_owned(), Kind::Int64),
        ]);
        let value = Value::Record(vec![
            Value::Date("2026-02-28".parse().unwrap()),
            Value::Duration(SignedDuration::new(-90_061, -5)),
            Value::List(vec![Value::Text("a\"\u{0}\n\u{1F600}".to_owned()), Value::Null]),
            Value::Period(Period::ALL),
            Value::Guid(Uuid::from_u128(7)),
            Value::Bool(true),
            Value::Int(i64::MIN),
        ]);
        assert_eq!(round(&record, &value), Some(value.clone()));
        let Kind::Record(kinds) = &record else { panic!() };
        let Value::Record(values) = &value else { panic!() };
        for ((_, kind), value) in kinds.iter().zip(values) {
            assert_eq!(round(kind, value).as_ref(), Some(value));
            assert_eq!(round(kind, &Value::Null), Some(Value::Null));
        }
        let many = Kind::List(Box::new(record));
        let two = Value::List(vec![value.clone(), value]);
        assert_eq!(round(&many, &two), Some(two));
    }

    #[test]
    fn a_value_of_another_kind_is_refused() {
        assert_eq!(round(&Kind::Int64, &Value::Text("9".to_owned())), None);
        assert_eq!(round(&Kind::Text, &Value::Int(9)), None);
        let ages = Value::Duration(SignedDuration::from_hours(24 * 365 * 300));
        assert_eq!(round(&Kind::Duration, &ages), None);
        assert_eq!(
            round(&Kind::List(Box::new(Kind::Text)), &Value::List(vec![Value::Int(1)])),
            None
        );
        assert_eq!(Kind::Bool.decode(ValueRef::Integer(2)), None);
        assert_eq!(Kind::Period.decode(ValueRef::Integer(0)), None);
    }
}
