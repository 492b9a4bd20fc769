//! Values and rows: what a property holds once its type is known.

mod decimal;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};
use uuid::Uuid;

pub use decimal::Decimal;

/// One value of one property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Not reported. Never confused with zero.
    Null,
    /// `Edm.Boolean`.
    Bool(bool),
    /// `Edm.Int32` and `Edm.Int64`.
    Int(i64),
    /// `Edm.String`.
    Text(String),
    /// `Edm.Date`, in the proleptic Gregorian calendar, years 0000 to 9999.
    Date(Date),
    /// A report period: `Edm.String` in the model, a number of days here.
    Period(Period),
    /// The key (`Edm.String` in the model) and `Edm.Guid`.
    Guid(Uuid),
    /// `Edm.Duration`, to the nanosecond.
    Duration(SignedDuration),
    /// `Edm.Decimal`; only expressions have it.
    Decimal(Decimal),
    /// `Edm.Double`; only expressions have it.
    Double(Double),
    /// `Edm.TimeOfDay`; only expressions have it.
    TimeOfDay(Time),
    /// `Edm.DateTimeOffset`, in UTC; only expressions have it.
    Instant(DateTime),
    /// `Edm.Binary`; only expressions have it.
    Binary(Vec<u8>),
    /// A collection.
    List(Vec<Value>),
    /// A complex value: one value for each property of its type, in declared order.
    Record(Vec<Value>),
}

impl Value {
    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The bytes that it has in memory besides its own.
    pub fn besides(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::List(values) | Self::Record(values) => {
                values.iter().map(|value| size_of::<Self>() + value.besides()).sum()
            }
            _ => 0,
        }
    }
}

/// A double. Two are the same if they have the same bits.
#[derive(Debug, Clone, Copy)]
pub struct Double(pub f64);

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Double {}

impl std::fmt::Display for Double {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            f64::INFINITY => f.write_str("INF"),
            f64::NEG_INFINITY => f.write_str("-INF"),
            number => number.fmt(f),
        }
    }
}

/// One entity: a value for each of `EntityType::properties`, the key first.
pub type Row = Vec<Value>;

/// The number of days that a report covers: 1 to 9999, or all there are.
///
/// Ordered by length, so `ALL` is the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(u16);

impl Period {
    /// Every day there is. Kept as one more than the longest number of days.
    pub const ALL: Self = Self(10_000);

    /// A period of `days` days, or nothing outside 1 to 9999.
    pub fn of_days(days: u16) -> Option<Self> {
        (1..Self::ALL.0).contains(&days).then_some(Self(days))
    }

    /// From its stored number: 1 to 9999, or 10000 for `ALL`.
    pub fn from_number(number: i64) -> Option<Self> {
        u16::try_from(number).ok().filter(|n| (1..=Self::ALL.0).contains(n)).map(Self)
    }

    /// Its stored number: the days, or 10000 for `ALL`.
    pub fn number(self) -> i64 {
        i64::from(self.0)
    }

    /// From text: `7`, `D7` and `d7` are seven days; `ALL` in any letter case
    /// is all. A leading zero, a sign or a blank makes it no period.
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("all") {
            return Some(Self::ALL);
        }
        let digits = text.strip_prefix(['D', 'd']).unwrap_or(text);
        let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if !plain || digits.starts_with('0') {
            return None;
        }
        Self::of_days(digits.parse().ok()?)
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == Self::ALL { f.write_str("ALL") } else { self.0.fmt(f) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_read_as_graph_writes_them() {
        for (text, number) in [("7", 7), ("D7", 7), ("d180", 180), ("9999", 9999), ("aLL", 10_000)]
        {
            assert_eq!(Period::parse(text).map(Period::number), Some(number), "{text}");
        }
        for text in ["", "D", "0", "007", "10000", "-7", "+7", " 7", "7 ", "DD7", "D-7", "week"] {
            assert_eq!(Period::parse(text), None, "{text}");
        }
        assert_eq!(Period::ALL.to_string(), "ALL");
        assert!(Period::ALL > Period::of_days(9999).unwrap());
    }
}
