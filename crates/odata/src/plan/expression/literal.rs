//! Literals to values: by how they are written, and by what they stand beside.

use jiff::SignedDuration;
use jiff::civil::{DateTime, Time};

use super::bind::Typed;
use super::{Expression, Ty};
use crate::error::{Code, Error};
use crate::payload::primitive;
use crate::uri::filter::Literal;
use crate::value::{Decimal, Double, Value};

/// The value of a literal that stands alone.
pub(super) fn typed(literal: &Literal) -> Result<Typed, Error> {
    match literal {
        Literal::Null => Ok(Typed::null()),
        Literal::Boolean(value) => Ok(Typed::value(Ty::Boolean, Value::Bool(*value))),
        Literal::Text(text) => Ok(Typed::value(Ty::String, Value::Text(text.clone()))),
        Literal::Guid(text) => of_type(Ty::Guid, text).ok_or_else(|| no_literal(text)),
        Literal::Number(text) => number_like(text),
        Literal::Prefixed(word, text) => prefixed(word, text),
    }
}

fn number_like(text: &str) -> Result<Typed, Error> {
    [Ty::Int, Ty::Decimal, Ty::Double, Ty::Date, Ty::TimeOfDay, Ty::Instant]
        .into_iter()
        .find_map(|ty| of_type(ty, text))
        .ok_or_else(|| no_literal(text))
}

fn prefixed(word: &str, text: &str) -> Result<Typed, Error> {
    let lower = word.to_ascii_lowercase();
    let whole = format!("{word}'{text}'");
    match lower.as_str() {
        "duration" => of_type(Ty::Duration, text).ok_or_else(|| no_literal(&whole)),
        "binary" => of_type(Ty::Binary, text).ok_or_else(|| no_literal(&whole)),
        "geography" | "geometry" => Err(Error::new(
            Code::NotImplemented,
            format!("The literal {whole} is not served here."),
        )),
        _ => Err(Error::bad_request(format!(
            "The literal {whole} is of no type of this service: there is no type '{word}'."
        ))),
    }
}

fn no_literal(text: &str) -> Error {
    Error::bad_request(format!(
        "Unrecognized literal '{text}': expected a number, a real day as YYYY-MM-DD, a time as \
         hh:mm:ss, both with T between them and Z or ±hh:mm after them, a GUID, \
         duration'PT1H30M', or binary'…' with base64url in it."
    ))
}

/// A value of this type from its text, as a literal or within the quotes of one.
pub(super) fn of_type(ty: Ty, text: &str) -> Option<Typed> {
    if ty == Ty::Instant {
        let (value, offset) = instant(text)?;
        return Some(Typed { offset, ..Typed::value(ty, Value::Instant(value)) });
    }
    Some(Typed::value(ty, value(ty, text)?))
}

/// A value of this type from its text.
pub fn value(ty: Ty, text: &str) -> Option<Value> {
    Some(match ty {
        Ty::Boolean if text.eq_ignore_ascii_case("true") => Value::Bool(true),
        Ty::Boolean if text.eq_ignore_ascii_case("false") => Value::Bool(false),
        Ty::Boolean => return None,
        Ty::Int => Value::Int(integer(text)?),
        Ty::Decimal => Value::Decimal(Decimal::parse(text)?),
        Ty::Double => Value::Double(Double(double(text)?)),
        Ty::String => Value::Text(text.to_owned()),
        Ty::Date => Value::Date(primitive::date(text)?),
        Ty::TimeOfDay => Value::TimeOfDay(time(text)?),
        Ty::Instant => Value::Instant(instant(text)?.0),
        Ty::Guid => Value::Guid(primitive::guid(text)?),
        Ty::Duration => Value::Duration(primitive::duration(text)?),
        Ty::Binary => Value::Binary(primitive::binary(text)?),
    })
}

fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// Digits, a fraction and an exponent, or what is no finite number; what is too great for
/// one is infinite.
fn double(text: &str) -> Option<f64> {
    match text {
        "INF" => return Some(f64::INFINITY),
        "-INF" => return Some(f64::NEG_INFINITY),
        "NaN" => return Some(f64::NAN),
        _ => {}
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let shaped = digits(whole) && digits(fraction) && digits(exponent);
    text.parse().ok().filter(|_| shaped)
}

/// A number with a fraction of zeros as the integer that it is: beside an
/// integer it is compared as one, as the column is kept.
pub(super) fn as_integer(literal: &Literal) -> Option<i64> {
    let Literal::Number(text) = literal else { return None };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    integer(whole).filter(|_| fraction.bytes().all(|digit| digit == b'0'))
}

/// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fraction`, of at most twelve digits as in the ABNF,
/// of which nine count.
fn time(text: &str) -> Option<Time> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    let two = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let fraction_fits =
        (1..=12).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let count_fits = parts.len() == 3 || (parts.len() == 2 && !text.contains('.'));
    if !count_fits || !parts.iter().all(two) || !fraction_fits {
        return None;
    }
    let number = |at: usize| parts.get(at).map_or(Some(0), |part| part.parse::<i8>().ok());
    let nanoseconds: i32 = format!("{fraction:0<9}")[..9].parse().ok()?;
    Time::new(number(0)?, number(1)?, number(2)?, nanoseconds).ok()
}

/// A day, `T`, a time of which what is less than a microsecond does not count, and `Z` or
/// an offset, which is given in minutes.
fn instant(text: &str) -> Option<(DateTime, i64)> {
    let (day, rest) = text.split_once(['T', 't'])?;
    let (clock, offset) = if let Some(clock) = rest.strip_suffix(['Z', 'z']) {
        (clock, 0)
    } else {
        let (clock, offset) = rest.split_at(rest.rfind(['+', '-'])?);
        (clock, offset_minutes(offset)?)
    };
    let time = time(clock)?;
    let whole = time.with().subsec_nanosecond(time.subsec_nanosecond() / 1000 * 1000).build();
    let local = primitive::date(day)?.to_datetime(whole.ok()?);
    let instant = local.checked_sub(SignedDuration::from_mins(offset)).ok()?;
    (0..=9999).contains(&instant.year()).then_some((instant, offset))
}

fn offset_minutes(text: &str) -> Option<i64> {
    let offset = time(&text[1..]).filter(|_| text.len() == 6)?;
    let minutes = i64::from(offset.hour()) * 60 + i64::from(offset.minute());
    let most = 14 * 60;
    (minutes <= most).then_some(if text.starts_with('-') { -minutes } else { minutes })
}

/// A string literal as the type that it stands beside: in URLs strings are
/// cast to what is wanted.
pub(super) fn cast(from: &Typed, ty: Ty) -> Option<Typed> {
    match &from.expression {
        Expression::Value(Value::Text(text)) if from.literal && ty != Ty::String => {
            of_type(ty, text)
        }
        _ => None,
    }
}
