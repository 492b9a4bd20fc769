//! Functions of texts, whose characters are Unicode's.

use rollcall_odata::Value;
use rollcall_odata::plan::expression::pattern::Pattern;
use rollcall_odata::plan::expression::{Function, Ty, literal_of};
use rusqlite::types::Value as Owned;
use uuid::Uuid;

use super::{Arguments, boolean};
use crate::column::computed::{decode, encode};

/// The longest text that `concat` gives, in bytes: parts that stand many times
/// in an expression would else make texts of any length, for every row.
const LONGEST: usize = 1024 * 1024;

/// `None` where there is no value to give, or it is not a function of this file.
pub(super) fn evaluate(function: Function, a: &Arguments<'_, '_>) -> Option<Owned> {
    match function {
        Function::Contains => pair(a).map(|(text, part)| boolean(text.contains(part))),
        Function::StartsWith => pair(a).map(|(text, part)| boolean(text.starts_with(part))),
        Function::EndsWith => pair(a).map(|(text, part)| boolean(text.ends_with(part))),
        Function::MatchesPattern => matches(a),
        Function::Length => a.text(0).map(|text| number(text.chars().count())),
        Function::IndexOf => pair(a).map(|(text, part)| index_of(text, part)),
        Function::Substring => substring(a, usize::MAX),
        Function::SubstringOf => {
            a.int(2).and_then(|most| substring(a, usize::try_from(most).unwrap_or(0)))
        }
        Function::ToLower => a.text(0).map(|text| Owned::Text(text.to_lowercase())),
        Function::ToUpper => a.text(0).map(|text| Owned::Text(text.to_uppercase())),
        Function::Trim => a.text(0).map(|text| Owned::Text(text.trim().to_owned())),
        Function::Concat => {
            let (one, other) = pair(a)?;
            let fits = one.len() + other.len() <= LONGEST;
            fits.then(|| Owned::Text(format!("{one}{other}")))
        }
        Function::BooleanToText => shown(Ty::Boolean, a),
        Function::IntToText => shown(Ty::Int, a),
        Function::DecimalToText => shown(Ty::Decimal, a),
        Function::DoubleToText => shown(Ty::Double, a),
        Function::DateToText => shown(Ty::Date, a),
        Function::TimeToText => shown(Ty::TimeOfDay, a),
        Function::InstantToText => shown(Ty::Instant, a),
        Function::DurationToText => shown(Ty::Duration, a),
        Function::BinaryToText => shown(Ty::Binary, a),
        Function::GuidToText => a
            .blob(0)
            .and_then(|bytes| Uuid::from_slice(bytes).ok())
            .map(|guid| Owned::Text(guid.to_string())),
        Function::TextToBoolean => read(Ty::Boolean, a),
        Function::TextToInt => read(Ty::Int, a),
        Function::TextToDecimal => read(Ty::Decimal, a),
        Function::TextToDouble => read(Ty::Double, a),
        Function::TextToDate => read(Ty::Date, a),
        Function::TextToTime => read(Ty::TimeOfDay, a),
        // Without an offset it is of UTC.
        Function::TextToInstant => read(Ty::Instant, a).or_else(|| {
            literal_of(Ty::Instant, &format!("{}Z", a.text(0)?)).map(|value| encode(&value))
        }),
        Function::TextToGuid => read(Ty::Guid, a),
        Function::TextToDuration => read(Ty::Duration, a),
        Function::TextToBinary => read(Ty::Binary, a),
        _ => None,
    }
}

fn pair<'a>(a: &'a Arguments<'_, '_>) -> Option<(&'a str, &'a str)> {
    Some((a.text(0)?, a.text(1)?))
}

fn matches(a: &Arguments<'_, '_>) -> Option<Owned> {
    let text = a.text(0)?;
    a.made(1, Pattern::of).map(|pattern| boolean(pattern.is_found_in(text)))
}

fn number(count: usize) -> Owned {
    Owned::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

fn index_of(text: &str, part: &str) -> Owned {
    text.find(part).map_or(Owned::Integer(-1), |at| number(text[..at].chars().count()))
}

/// From a position on, which counts from the end where it is negative; one
/// that lies before the start is the start.
fn substring(a: &Arguments<'_, '_>, most: usize) -> Option<Owned> {
    let (text, from) = (a.text(0)?, a.int(1)?);
    let distance = usize::try_from(from.unsigned_abs()).unwrap_or(usize::MAX);
    let from = if from < 0 { text.chars().count().saturating_sub(distance) } else { distance };
    Some(Owned::Text(text.chars().skip(from).take(most).collect()))
}

fn shown(ty: Ty, a: &Arguments<'_, '_>) -> Option<Owned> {
    let value = decode(ty, a.get(0)).filter(|value| *value != Value::Null)?;
    Some(Owned::Text(rollcall_odata::payload::primitive::text_of(&value)))
}

fn read(ty: Ty, a: &Arguments<'_, '_>) -> Option<Owned> {
    literal_of(ty, a.text(0)?).map(|value| encode(&value))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn texts_do_not_grow_without_bound() {
        let connection = Connection::open_in_memory().unwrap();
        super::super::register(&connection).unwrap();
        let sql = format!("SELECT {}(?1, ?2) IS NULL", super::super::name(Function::Concat));
        let is_null = |one: usize, other: usize| {
            let texts = [one, other].map(|length| "x".repeat(length));
            connection.query_row(&sql, texts, |row| row.get::<_, bool>(0)).unwrap()
        };
        assert!(!is_null(LONGEST - 1, 1));
        assert!(is_null(LONGEST, 1));
        assert!(!is_null(0, LONGEST));
    }
}
