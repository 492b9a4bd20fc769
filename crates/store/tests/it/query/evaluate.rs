//! What an expression is by the standard, row by row, in the plainest way.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "what a cast saturates or rounds is what the standard asks for"
)]

mod numbers;

use std::cmp::Ordering;

use bigdecimal::BigDecimal;
use bigdecimal::RoundingMode::{self, Ceiling, Floor, HalfUp};
use jiff::civil::{Date, DateTime, Time, date};
use jiff::{SignedDuration, ToSpan};
use rollcall_odata::{Row, Value};

pub use numbers::{decimal, decimals};
use numbers::{double, exact, integer, integers, numbers, rounded, scaled, whole};

/// A value as the evaluator knows it.
#[derive(Debug, Clone, PartialEq)]
pub enum V {
    Null,
    Bool(bool),
    Int(i64),
    Decimal(D),
    Double(f64),
    NaN,
    Text(String),
    Date(Date),
    Time(Time),
    /// Microseconds from 1970.
    Instant(i64),
    Guid(uuid::Uuid),
    /// Nanoseconds.
    Duration(i64),
    List(Vec<V>),
}

/// A decimal, which shows its digits.
#[derive(Clone, PartialEq)]
pub struct D(pub BigDecimal);

impl std::fmt::Debug for D {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.normalized().to_plain_string())
    }
}

/// An expression.
#[derive(Debug, Clone)]
pub enum E {
    Is(V),
    Property(usize),
    Not(Box<E>),
    Minus(Box<E>),
    And(Vec<E>),
    Or(Vec<E>),
    Operator(&'static str, Box<E>, Box<E>),
    In(Box<E>, Vec<E>),
    Function(&'static str, Vec<E>),
    Case(Vec<(E, E)>),
    Cast(Box<E>, &'static str),
    Array(Vec<V>),
    /// What a property of the row at this address is, whichever row asks.
    Of(String, usize, V),
}

/// The property as clients see it.
pub fn seen(value: &Value) -> V {
    match value {
        Value::Null => V::Null,
        Value::Bool(value) => V::Bool(*value),
        Value::Int(number) => V::Int(*number),
        Value::Text(text) => V::Text(text.clone()),
        Value::Date(date) => V::Date(*date),
        Value::Period(period) => V::Text(period.to_string()),
        Value::Guid(guid) => V::Guid(*guid),
        Value::Duration(duration) => V::Duration(i64::try_from(duration.as_nanos()).unwrap()),
        Value::Decimal(number) => V::Decimal(D(number.to_string().parse().unwrap())),
        Value::Double(number) => double(number.0),
        Value::TimeOfDay(time) => V::Time(*time),
        Value::Instant(instant) => V::Instant(microseconds(&format!("{instant}Z"))),
        Value::List(items) => V::List(items.iter().map(seen).collect()),
        Value::Binary(_) | Value::Record(_) => panic!(),
    }
}

pub fn evaluate(e: &E, row: &Row) -> V {
    match e {
        E::Is(value) | E::Of(_, _, value) => value.clone(),
        E::Property(0) => match &row[0] {
            Value::Guid(key) => V::Text(key.to_string()),
            _ => panic!(),
        },
        E::Property(at) => seen(&row[*at]),
        E::Not(one) => match evaluate(one, row) {
            V::Bool(value) => V::Bool(!value),
            _ => V::Null,
        },
        E::Minus(one) => match evaluate(one, row) {
            V::Int(number) => number.checked_neg().map_or(V::Null, V::Int),
            V::Duration(number) => number.checked_neg().map_or(V::Null, V::Duration),
            V::Decimal(D(number)) => V::Decimal(D(-number)),
            V::Double(number) => double(-number),
            V::NaN => V::NaN,
            _ => V::Null,
        },
        E::Function("now", _) => V::Instant(microseconds(super::NOW)),
        E::Array(all) => V::List(all.clone()),
        E::And(all) => third_state(all, row, false),
        E::Or(all) => third_state(all, row, true),
        E::Operator(name, one, other) => operator(name, evaluate(one, row), evaluate(other, row)),
        E::In(one, all) => {
            let one = evaluate(one, row);
            V::Bool(all.iter().any(|other| is_equal(&one, &evaluate(other, row))))
        }
        E::Function(name, arguments) => {
            let arguments: Vec<V> = arguments.iter().map(|one| evaluate(one, row)).collect();
            if arguments.contains(&V::Null) { V::Null } else { function(name, &arguments) }
        }
        E::Case(branches) => {
            let holds = |(condition, _): &&(E, E)| evaluate(condition, row) == V::Bool(true);
            branches.iter().find(holds).map_or(V::Null, |(_, value)| evaluate(value, row))
        }
        E::Cast(one, ty) => cast(&evaluate(one, row), ty),
    }
}

/// `and` is decided by a false, `or` by a true; else a null makes it null.
fn third_state(all: &[E], row: &Row, decides: bool) -> V {
    let values: Vec<V> = all.iter().map(|one| evaluate(one, row)).collect();
    if values.contains(&V::Bool(decides)) {
        V::Bool(decides)
    } else if values.contains(&V::Null) {
        V::Null
    } else {
        V::Bool(!decides)
    }
}

/// Null is less than any value, and what is no number greater than any that
/// is. Numbers are compared as doubles where one is a double.
pub fn compare(one: &V, other: &V) -> Ordering {
    match (one, other) {
        (V::Null, V::Null) | (V::NaN, V::NaN) => Ordering::Equal,
        (V::Null, _) | (_, V::NaN) => Ordering::Less,
        (_, V::Null) | (V::NaN, _) => Ordering::Greater,
        (V::Bool(one), V::Bool(other)) => one.cmp(other),
        (V::Int(one), V::Int(other))
        | (V::Instant(one), V::Instant(other))
        | (V::Duration(one), V::Duration(other)) => one.cmp(other),
        (V::Int(_) | V::Decimal(_), V::Int(_) | V::Decimal(_)) => exact(one).cmp(&exact(other)),
        (V::Double(_), _) | (_, V::Double(_)) => {
            rounded(one).unwrap().partial_cmp(&rounded(other).unwrap()).unwrap()
        }
        (V::Text(one), V::Text(other)) => one.chars().cmp(other.chars()),
        (V::Date(one), V::Date(other)) => one.cmp(other),
        (V::Time(one), V::Time(other)) => one.cmp(other),
        (V::Guid(one), V::Guid(other)) => one.to_string().cmp(&other.to_string()),
        different => panic!("{different:?}"),
    }
}

fn is_equal(one: &V, other: &V) -> bool {
    *one != V::NaN && *other != V::NaN && compare(one, other).is_eq()
}

fn operator(name: &str, one: V, other: V) -> V {
    let (left, right) = (one.clone(), other.clone());
    let null = one == V::Null || other == V::Null;
    let ordered = !null && one != V::NaN && other != V::NaN;
    match name {
        "eq" => return V::Bool(is_equal(&one, &other)),
        "ne" => return V::Bool(!is_equal(&one, &other)),
        "gt" => return V::Bool(ordered && compare(&one, &other).is_gt()),
        "ge" => return V::Bool(ordered && compare(&one, &other).is_ge()),
        "lt" => return V::Bool(ordered && compare(&one, &other).is_lt()),
        "le" => return V::Bool(ordered && compare(&one, &other).is_le()),
        _ if null => return V::Null,
        _ => {}
    }
    if let (Some(one), Some(other)) = (rounded(&one), rounded(&other)) {
        return numbers(name, (&left, &right), (one, other));
    }
    match (name, one, other) {
        (_, V::Duration(one), V::Duration(other))
        | ("mul" | "div", V::Duration(one), V::Int(other))
        | ("mul", V::Int(one), V::Duration(other)) => {
            integers(name, one, other).map_or(V::Null, V::Duration)
        }
        (_, V::Duration(one), V::NaN) | (_, V::NaN, V::Duration(one)) => {
            scaled(name, one, f64::NAN)
        }
        (_, V::Duration(one), V::Double(other)) => scaled(name, one, other),
        ("mul", V::Double(one), V::Duration(other)) => scaled(name, other, one),
        (_, V::Duration(one), by @ (V::Int(_) | V::Decimal(_)))
        | (_, by @ V::Decimal(_), V::Duration(one)) => {
            match decimals(name, &BigDecimal::from(one), &exact(&by).unwrap()) {
                V::Decimal(D(number)) => integer(&number).map_or(V::Null, V::Duration),
                _ => V::Null,
            }
        }
        (name, V::Date(one), V::Duration(other)) => {
            let other = SignedDuration::from_nanos_i128(signed(name, other));
            let later = one.to_datetime(Time::midnight()).checked_add(other).map(DateTime::date);
            later.ok().filter(|it| it.year() >= 0).map_or(V::Null, V::Date)
        }
        (_, V::Date(one), V::Date(other)) => {
            let nanoseconds = i128::from(one.duration_since(other).as_hours()) * 3_600_000_000_000;
            i64::try_from(nanoseconds).map_or(V::Null, V::Duration)
        }
        (name, V::Instant(one), V::Duration(other)) => {
            let later = (i128::from(one) * 1000 + signed(name, other)).div_euclid(1000);
            let later = i64::try_from(later).ok();
            let kept = |it: &i64| civil(*it).is_some_and(|it| it.year() >= 0);
            later.filter(kept).map_or(V::Null, V::Instant)
        }
        (_, V::Instant(one), V::Instant(other)) => {
            let nanoseconds = (i128::from(one) - i128::from(other)) * 1000;
            i64::try_from(nanoseconds).map_or(V::Null, V::Duration)
        }
        different => panic!("{different:?}"),
    }
}

/// The day and the time so many microseconds after 1970, up to the end of the year 9999.
pub fn civil(microseconds: i64) -> Option<DateTime> {
    let day = microseconds.div_euclid(86_400_000_000);
    let date = date(1970, 1, 1).checked_add(day.days()).ok()?;
    let of_day = SignedDuration::from_micros(microseconds.rem_euclid(86_400_000_000));
    date.to_datetime(Time::midnight()).checked_add(of_day).ok()
}

/// How many microseconds after 1970 an instant is that is written in UTC.
pub fn microseconds(text: &str) -> i64 {
    let civil: DateTime = text.strip_suffix('Z').unwrap().parse().unwrap();
    let days = civil.date().duration_since(date(1970, 1, 1)).as_hours() / 24;
    let of_day = civil.time().duration_since(Time::midnight()).as_micros();
    days * 86_400_000_000 + i64::try_from(of_day).unwrap()
}

fn signed(name: &str, nanoseconds: i64) -> i128 {
    if name == "sub" { -i128::from(nanoseconds) } else { i128::from(nanoseconds) }
}

fn function(name: &str, arguments: &[V]) -> V {
    match (name, arguments) {
        ("contains", [V::Text(one), V::Text(other)]) => V::Bool(position(one, other).is_some()),
        ("startswith", [V::Text(one), V::Text(other)]) => {
            V::Bool(letters(one).starts_with(&letters(other)))
        }
        ("endswith", [V::Text(one), V::Text(other)]) => {
            V::Bool(letters(one).ends_with(&letters(other)))
        }
        ("indexof", [V::Text(one), V::Text(other)]) => {
            V::Int(position(one, other).map_or(-1, |at| i64::try_from(at).unwrap()))
        }
        ("length", [V::Text(one)]) => V::Int(i64::try_from(letters(one).len()).unwrap()),
        ("substring", [V::Text(one), V::Int(from)]) => substring(one, *from, i64::MAX),
        ("substring", [V::Text(one), V::Int(from), V::Int(most)]) => substring(one, *from, *most),
        ("tolower", [V::Text(one)]) => V::Text(one.to_lowercase()),
        ("toupper", [V::Text(one)]) => V::Text(one.to_uppercase()),
        ("trim", [V::Text(one)]) => V::Text(trimmed(one)),
        ("concat", [V::Text(one), V::Text(other)]) => V::Text(one.clone() + other),
        ("round" | "floor" | "ceiling", [V::Int(number)]) => V::Int(*number),
        ("round", [V::Double(number)]) => double(number.round()),
        ("floor", [V::Double(number)]) => double(number.floor()),
        ("ceiling", [V::Double(number)]) => double(number.ceil()),
        ("round" | "floor" | "ceiling", [V::NaN]) => V::NaN,
        ("round", [V::Decimal(it)]) => whole_decimal(it, HalfUp),
        ("floor", [V::Decimal(it)]) => whole_decimal(it, Floor),
        ("ceiling", [V::Decimal(it)]) => whole_decimal(it, Ceiling),
        ("totalseconds", [V::Duration(it)]) => decimal(&BigDecimal::new((*it).into(), 9)),
        ("hassubset", [V::List(whole), V::List(part)]) => {
            let mut left = whole.clone();
            V::Bool(part.iter().all(|item| {
                let at = left.iter().position(|other| other == item);
                at.map(|at| left.remove(at)).is_some()
            }))
        }
        ("hassubsequence", [V::List(whole), V::List(part)]) => V::Bool(leaves(whole, part)),
        // What is generated has no marks of patterns but this one.
        ("matchesPattern", [V::Text(_), V::Text(pattern)]) if pattern.contains('(') => V::Null,
        ("matchesPattern", [V::Text(text), V::Text(pattern)]) => {
            V::Bool(position(text, pattern).is_some())
        }
        (_, [V::Date(date)]) => part(name, Some(*date), None),
        (_, [V::Time(time)]) => part(name, None, Some(*time)),
        (_, [V::Instant(it)]) => {
            let civil = civil(*it).unwrap();
            part(name, Some(civil.date()), Some(civil.time()))
        }
        different => panic!("{different:?}"),
    }
}

fn whole_decimal(D(number): &D, mode: RoundingMode) -> V {
    decimal(&number.with_scale_round(0, mode))
}

/// Whether one leaves the other when items are taken out.
fn leaves(whole: &[V], part: &[V]) -> bool {
    match (whole.split_first(), part.split_first()) {
        (_, None) => true,
        (None, _) => false,
        (Some((one, whole)), Some((other, rest))) => {
            (one == other && leaves(whole, rest)) || leaves(whole, part)
        }
    }
}

fn part(name: &str, date: Option<Date>, time: Option<Time>) -> V {
    V::Int(match name {
        "year" => i64::from(date.unwrap().year()),
        "month" => i64::from(date.unwrap().month()),
        "day" => i64::from(date.unwrap().day()),
        "hour" => i64::from(time.unwrap().hour()),
        "minute" => i64::from(time.unwrap().minute()),
        "second" => i64::from(time.unwrap().second()),
        "fractionalseconds" => {
            return decimal(&BigDecimal::new(time.unwrap().subsec_nanosecond().into(), 9));
        }
        "date" => return V::Date(date.unwrap()),
        "time" => return V::Time(time.unwrap()),
        _ => panic!("{name}"),
    })
}

fn letters(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn position(text: &str, part: &str) -> Option<usize> {
    let (text, part) = (letters(text), letters(part));
    (0..=text.len()).find(|at| text[*at..].starts_with(&part))
}

fn substring(text: &str, from: i64, most: i64) -> V {
    let letters = letters(text);
    let length = i128::try_from(letters.len()).unwrap();
    let from = i128::from(from);
    let from = if from < 0 { (length + from).max(0) } else { from.min(length) };
    let end = (from + i128::from(most).max(0)).min(length);
    let at = |position: i128| usize::try_from(position).unwrap();
    V::Text(letters[at(from)..at(end)].iter().collect())
}

fn trimmed(text: &str) -> String {
    let mut letters = letters(text);
    while letters.first().is_some_and(|letter| letter.is_whitespace()) {
        letters.remove(0);
    }
    while letters.last().is_some_and(|letter| letter.is_whitespace()) {
        letters.pop();
    }
    letters.into_iter().collect()
}

fn cast(value: &V, ty: &str) -> V {
    let range = |least: i64, most: i64| match value {
        V::Int(number) if *number >= least && *number <= most => V::Int(*number),
        _ => V::Null,
    };
    match (ty, value) {
        (_, V::Null) | ("Edm.Int64" | "Edm.Decimal", V::NaN) => V::Null,
        ("Edm.Int16", _) => range(-0x8000, 0x7fff),
        ("Edm.Byte", _) => range(0, 255),
        ("Edm.Int64" | "Edm.Double" | "Edm.Decimal", V::Text(text)) => read(ty, text),
        ("Edm.Int64", V::Double(number)) => whole(*number).map_or(V::Null, V::Int),
        ("Edm.Int64", V::Decimal(D(number))) => integer(number).map_or(V::Null, V::Int),
        ("Edm.Decimal", V::Double(number)) if number.is_infinite() => V::Null,
        ("Edm.Decimal", V::Double(number)) => decimal(&format!("{number:e}").parse().unwrap()),
        ("Edm.Decimal", value) => decimal(&exact(value).unwrap()),
        ("Edm.Double", value) => double(rounded(value).unwrap()),
        ("Edm.Single", value) => double(f64::from(rounded(value).unwrap() as f32)),
        ("Edm.Date", V::Text(text)) => text.parse().map_or(V::Null, V::Date),
        ("Edm.String", _) => V::Text(match value {
            V::Bool(value) => value.to_string(),
            V::Int(number) => number.to_string(),
            V::Decimal(number) => format!("{number:?}"),
            V::NaN => "NaN".to_owned(),
            V::Double(number) if number.is_infinite() => {
                if *number > 0.0 {
                    "INF".to_owned()
                } else {
                    "-INF".to_owned()
                }
            }
            V::Double(number) => number.to_string(),
            V::Date(date) => date.to_string(),
            V::Guid(guid) => guid.to_string(),
            V::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        }),
        different => panic!("{different:?}"),
    }
}

/// The texts that are generated are numbers of a plain form or none at all.
fn read(ty: &str, text: &str) -> V {
    let plain = |letter: char| letter.is_ascii_digit() || letter == '-';
    if text.is_empty() || !text.chars().all(plain) || text == "-" {
        return V::Null;
    }
    match ty {
        "Edm.Int64" => text.parse().map_or(V::Null, V::Int),
        "Edm.Decimal" => text.parse::<i64>().map_or(V::Null, |it| decimal(&BigDecimal::from(it))),
        _ => text.parse().map_or(V::Null, double),
    }
}
