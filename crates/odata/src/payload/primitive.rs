//! Primitive values from their text, whether it stood in a body or in a URL.

use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use base64::engine::{DecodePaddingMode, Engine};
use jiff::civil::Date;
use jiff::{SignedDuration, Span};
use uuid::Uuid;

use crate::edm::{Property, Role, Type};
use crate::value::{Period, Value};

/// How `Edm.Binary` is written; on input its padding will do as well.
const BINARY_TEXT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    NO_PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The form in which keys are kept; on input either letter case will do.
pub const GUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// A key as it is sent.
pub const GUID_IN: &str =
    "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$";

/// The form in which periods are kept; on input a leading D will do.
pub const PERIOD: &str = "^([1-9][0-9]{0,3}|ALL)$";

/// A period as it is sent.
pub const PERIOD_IN: &str = "^([Dd]?[1-9][0-9]{0,3}|[Aa][Ll][Ll])$";

/// A duration, with days as its longest part.
pub const DURATION: &str = "^-?P([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+([.][0-9]+)?S)?)?$";

/// A value of this property from the text of a string or URL literal, or
/// `None` where the text is none. Numbers and Booleans are not among strings.
pub fn from_text(property: &Property, text: &str) -> Option<Value> {
    match property.role {
        Role::Key => guid(text).map(Value::Guid),
        Role::Period => Period::parse(text).map(Value::Period),
        _ => text_of_type(&property.ty, text),
    }
}

/// A value of this property from a URL literal without quotes: what a JSON
/// number or Boolean may be, and dates, GUIDs and durations.
pub fn from_literal(property: &Property, text: &str) -> Option<Value> {
    match property.ty {
        Type::Int64 | Type::Int32 => integer(property.role, &property.ty, text).map(Value::Int),
        Type::Boolean => text.parse().ok().map(Value::Bool),
        Type::String => None,
        _ => from_text(property, text),
    }
}

/// The text of a primitive value; `from_literal_or_text` takes it back.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Text(text) => text.clone(),
        Value::Date(date) => date.to_string(),
        Value::Period(period) => period.to_string(),
        Value::Guid(guid) => guid.to_string(),
        Value::Duration(duration) => duration.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::TimeOfDay(time) => time.to_string(),
        Value::Instant(instant) => format!("{instant}Z"),
        Value::Binary(bytes) => BINARY_TEXT.encode(bytes),
        Value::Null | Value::List(_) | Value::Record(_) => String::new(),
    }
}

/// Appends what `text_of` gives.
pub fn write_text(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Date(date) => write_date(out, *date),
        Value::Guid(guid) => {
            let mut buffer = Uuid::encode_buffer();
            out.extend_from_slice(guid.hyphenated().encode_lower(&mut buffer).as_bytes());
        }
        value => out.extend_from_slice(text_of(value).as_bytes()),
    }
}

/// Dates are most of an answer's text; a year has four digits (see `Value::Date`).
fn write_date(out: &mut Vec<u8>, date: Date) {
    let (year, month, day) = (date.year(), date.month(), date.day());
    let parts = [year / 100, year % 100, month.into(), day.into()];
    for (number, part) in parts.into_iter().enumerate() {
        if number > 1 {
            out.push(b'-');
        }
        let digits = [part / 10, part % 10].map(|digit| b'0' + u8::try_from(digit).unwrap_or(0));
        out.extend_from_slice(&digits);
    }
}

/// A value of this property from its text, whether or not its type has quotes in URLs.
pub fn from_literal_or_text(property: &Property, text: &str) -> Option<Value> {
    from_literal(property, text).or_else(|| from_text(property, text))
}

/// A whole number in the range of this property: digits, with a minus before
/// them or not. A fraction or an exponent makes it none, whatever its value.
pub fn integer(role: Role, ty: &Type, text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = text.parse().ok().filter(|_| whole)?;
    (least(role, ty)..=greatest(ty)).contains(&number).then_some(number)
}

/// As `from_text`, by type alone: for the items of a collection.
pub fn text_of_type(ty: &Type, text: &str) -> Option<Value> {
    match ty {
        Type::String => Some(Value::Text(text.to_owned())),
        Type::Date => date(text).map(Value::Date),
        Type::Guid => guid(text).map(Value::Guid),
        Type::Duration => duration(text).map(Value::Duration),
        _ => None,
    }
}

/// A real day as `YYYY-MM-DD`, years 0000 to 9999.
pub fn date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shaped {
        return None;
    }
    Date::new(text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?).ok()
}

/// A GUID of 8-4-4-4-12 hexadecimal digits, in either letter case.
pub fn guid(text: &str) -> Option<Uuid> {
    // The library also reads braces and URNs, which have other lengths.
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

/// A duration of days, hours, minutes and seconds, `P1DT2H3M4.5S`; a day has 24 hours.
/// Longer than some 292 years either way is none: it is kept in nanoseconds.
pub fn duration(text: &str) -> Option<SignedDuration> {
    let signless = text.strip_prefix('-').unwrap_or(text);
    if !signless.starts_with('P') || signless.contains(|c: char| c.is_ascii_lowercase()) {
        return None;
    }
    let span: Span = text.parse().ok()?;
    if span.get_years() != 0 || span.get_months() != 0 || span.get_weeks() != 0 {
        return None;
    }
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    i64::try_from(duration.as_nanos()).ok().map(|_| duration)
}

/// Bytes from base64url, with its padding or without.
pub fn binary(text: &str) -> Option<Vec<u8>> {
    BINARY_TEXT.decode(text).ok()
}

/// What a value of this property looks like, to end "Expected …".
pub fn expected(property: &Property) -> String {
    match (property.role, &property.ty) {
        (Role::Key, _) => "a GUID of 8-4-4-4-12 hexadecimal digits".to_owned(),
        (Role::Period, _) => "a period of \"1\" to \"9999\" days, or \"ALL\"".to_owned(),
        (Role::Measure, ty) => format!("a whole number from 0 to {}", greatest(ty)),
        (_, ty) => expected_of_type(ty),
    }
}

/// As `expected`, by type alone.
pub fn expected_of_type(ty: &Type) -> String {
    match ty {
        Type::Int64 => format!("a whole number from {} to {}", i64::MIN, i64::MAX),
        Type::Int32 => format!("a whole number from {} to {}", i32::MIN, i32::MAX),
        Type::Boolean => "true or false".to_owned(),
        Type::String => "a string".to_owned(),
        Type::Date => "a real day as \"YYYY-MM-DD\"".to_owned(),
        Type::Guid => "a GUID of 8-4-4-4-12 hexadecimal digits".to_owned(),
        Type::Duration => "a duration such as \"PT1H30M\"".to_owned(),
        Type::Complex(complex) => format!("an object of type {}", complex.name),
        Type::Collection(item) => format!("an array; each item {}", expected_of_type(item)),
    }
}

/// The greatest value of an integer type.
pub fn greatest(ty: &Type) -> i64 {
    if *ty == Type::Int32 { i64::from(i32::MAX) } else { i64::MAX }
}

/// The least value of an integer property: a count is never negative.
pub fn least(role: Role, ty: &Type) -> i64 {
    match (role, ty) {
        (Role::Measure, _) => 0,
        (_, Type::Int32) => i64::from(i32::MIN),
        _ => i64::MIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_real_days() {
        for good in ["2026-11-18", "2024-02-29", "0000-01-01", "9999-12-31"] {
            assert_eq!(date(good).map(|day| day.to_string()), Some(good.to_owned()));
        }
        for bad in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "20261118",
            "2026-11-18T00:00:00Z",
            "+002026-11",
            "2026/11/18",
            " 2026-11-18",
            "2026-11-1x",
            "２０26-11-1",
            "",
        ] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }

    #[test]
    fn text_is_written_as_it_is_told() {
        let dates = ["0000-01-01", "0999-12-31", "2026-11-18", "9999-02-03"];
        let dates = dates.iter().map(|one| Value::Date(date(one).unwrap()));
        let others = [Value::Guid(Uuid::from_u128(7)), Value::Period(Period::ALL), Value::Int(-9)];
        for value in dates.chain(others) {
            let mut out = Vec::new();
            write_text(&mut out, &value);
            assert_eq!(String::from_utf8(out).unwrap(), text_of(&value));
        }
    }

    #[test]
    fn guids_have_one_form() {
        assert!(guid("DA0E2EB0-2eb0-da0e-b02e-0edab02e0eda").is_some());
        for bad in [
            "da0e2eb02eb0da0eb02e0edab02e0eda",
            "{da0e2eb0-2eb0-da0e-b02e-0edab02e0eda}",
            "da0e2eb0-2eb0-da0e-b02e-0edab02e0edg",
            "da0e2eb02eb0-da0e-b02e-0edab02e0eda-",
            "",
        ] {
            assert_eq!(guid(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_are_days_and_less() {
        assert_eq!(duration("P1DT1H").unwrap().as_hours(), 25);
        assert_eq!(duration("-PT0.5S").unwrap().as_millis(), -500);
        for bad in ["P1Y", "P1M", "P1W", "1h", "PT", "P", "pt1h", "PT1h", "P999999D"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
