//! Arithmetic by the standard: of integers, of decimals, and of doubles where
//! one operand is a double.

use bigdecimal::BigDecimal;
use bigdecimal::RoundingMode::{Down, HalfUp};
use bigdecimal::num_bigint::Sign;

use super::{D, V};

pub fn double(number: f64) -> V {
    if number.is_nan() { V::NaN } else { V::Double(number + 0.0) }
}

/// 28 digits after the point, rounded away from zero, and 38 before it.
pub fn decimal(number: &BigDecimal) -> V {
    let number = number.with_scale_round(28, HalfUp);
    if number.abs() < BigDecimal::from(10).powi(38) { V::Decimal(D(number)) } else { V::Null }
}

pub fn exact(value: &V) -> Option<BigDecimal> {
    match value {
        V::Int(number) => Some(BigDecimal::from(*number)),
        V::Decimal(D(number)) => Some(number.clone()),
        _ => None,
    }
}

pub fn rounded(value: &V) -> Option<f64> {
    match value {
        V::Int(number) => Some(*number as f64),
        V::Decimal(D(number)) => Some(number.to_plain_string().parse().unwrap()),
        V::Double(number) => Some(*number),
        V::NaN => Some(f64::NAN),
        _ => None,
    }
}

/// Both as the numbers that they are, and as doubles.
pub fn numbers(name: &str, (one, other): (&V, &V), as_doubles: (f64, f64)) -> V {
    match (one, other) {
        (V::Int(one), V::Int(other)) if name != "divby" => {
            integers(name, *one, *other).map_or(V::Null, V::Int)
        }
        _ => match (exact(one), exact(other)) {
            (Some(one), Some(other)) => decimals(name, &one, &other),
            _ => doubles(name, as_doubles.0, as_doubles.1),
        },
    }
}

pub fn decimals(name: &str, one: &BigDecimal, other: &BigDecimal) -> V {
    let zero = other.sign() == Sign::NoSign;
    decimal(&match name {
        "add" => one + other,
        "sub" => one - other,
        "mul" => one * other,
        _ if zero => return V::Null,
        "div" | "divby" => one / other,
        "mod" => one % other,
        _ => panic!("{name}"),
    })
}

/// Without its fraction.
pub fn integer(number: &BigDecimal) -> Option<i64> {
    number.with_scale_round(0, Down).to_plain_string().parse().ok()
}

pub fn integers(name: &str, one: i64, other: i64) -> Option<i64> {
    let (one, other) = (i128::from(one), i128::from(other));
    let result = match name {
        "add" => one + other,
        "sub" => one - other,
        "mul" => one * other,
        "div" if other != 0 => one / other,
        "mod" if other != 0 => one % other,
        _ => return None,
    };
    i64::try_from(result).ok()
}

pub fn doubles(name: &str, one: f64, other: f64) -> V {
    double(match name {
        "add" => one + other,
        "sub" => one - other,
        "mul" => one * other,
        _ if other == 0.0 => return V::Null,
        "div" | "divby" => one / other,
        "mod" => one % other,
        _ => panic!("{name}"),
    })
}

pub fn scaled(name: &str, duration: i64, by: f64) -> V {
    match doubles(name, duration as f64, by) {
        V::Double(number) => whole(number).map_or(V::Null, V::Duration),
        _ => V::Null,
    }
}

pub fn whole(number: f64) -> Option<i64> {
    if number.is_finite() { i64::try_from(number.trunc() as i128).ok() } else { None }
}
