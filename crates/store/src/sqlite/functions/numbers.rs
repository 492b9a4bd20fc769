//! Functions of numbers, and of durations as the whole numbers that they are kept as.

use rollcall_odata::Decimal;
use rollcall_odata::plan::expression::Function;
use rusqlite::types::Value as Owned;

use super::{Arguments, real};

/// What is no number where it must not be like another that is none.
const APART: &str = "NaN apart";

/// `None` where there is no value to give, or it is not a function of this file.
pub(super) fn evaluate(function: Function, a: &Arguments<'_, '_>) -> Option<Owned> {
    match function {
        Function::IntAdd => integers(a, i64::checked_add),
        Function::IntSub => integers(a, i64::checked_sub),
        Function::IntMul => integers(a, i64::checked_mul),
        Function::IntDiv => integers(a, i64::checked_div),
        // The least integer by -1 leaves 0, though their quotient is too large.
        Function::IntMod => integers(a, |one, by| (by != 0).then(|| one.wrapping_rem(by))),
        Function::IntNegate => a.int(0).and_then(i64::checked_neg).map(Owned::Integer),
        Function::DoubleAdd => doubles(a, |one, other| Some(one + other)),
        Function::DoubleSub => doubles(a, |one, other| Some(one - other)),
        Function::DoubleMul => doubles(a, |one, other| Some(one * other)),
        Function::DoubleDiv => doubles(a, |one, by| (by != 0.0).then(|| one / by)),
        Function::DoubleMod => doubles(a, |one, by| (by != 0.0).then(|| one % by)),
        Function::DoubleNegate => a.double(0).map(|number| real(-number)),
        Function::Round => a.double(0).map(|number| real(number.round())),
        Function::Floor => a.double(0).map(|number| real(number.floor())),
        Function::Ceiling => a.double(0).map(|number| real(number.ceil())),
        Function::DoubleToInt => a.double(0).and_then(whole).map(Owned::Integer),
        Function::ToSingle => a.double(0).map(single),
        Function::NaNApart => a.double(0).map(|number| {
            if number.is_nan() { Owned::Text(APART.to_owned()) } else { real(number) }
        }),
        Function::NaNAsNull => a.double(0).filter(|number| !number.is_nan()).map(real),
        Function::DurationTimes => scaled(a, |one, by| Some(one * by), Decimal::mul),
        Function::DurationOver => scaled(a, |one, by| (by != 0.0).then(|| one / by), Decimal::div),
        Function::ToInt32 => within(a, i64::from(i32::MIN), i64::from(i32::MAX)),
        Function::ToInt16 => within(a, i64::from(i16::MIN), i64::from(i16::MAX)),
        Function::ToByte => within(a, 0, i64::from(u8::MAX)),
        Function::ToSByte => within(a, i64::from(i8::MIN), i64::from(i8::MAX)),
        _ => None,
    }
}

fn integers(a: &Arguments<'_, '_>, of: impl Fn(i64, i64) -> Option<i64>) -> Option<Owned> {
    of(a.int(0)?, a.int(1)?).map(Owned::Integer)
}

fn doubles(a: &Arguments<'_, '_>, of: impl Fn(f64, f64) -> Option<f64>) -> Option<Owned> {
    of(a.double(0)?, a.double(1)?).map(real)
}

/// A duration scaled by a double, or exactly by any other number, without what
/// is shorter than a nanosecond.
fn scaled(
    a: &Arguments<'_, '_>,
    doubles: impl Fn(f64, f64) -> Option<f64>,
    decimals: impl Fn(&Decimal, &Decimal) -> Option<Decimal>,
) -> Option<Owned> {
    let scaled = match a.decimal(1) {
        Some(by) => decimals(&a.decimal(0)?, &by)?.to_integer()?,
        None => whole(doubles(a.double(0)?, a.double(1)?)?)?,
    };
    Some(Owned::Integer(scaled))
}

#[expect(clippy::cast_possible_truncation, reason = "that is what the type is for")]
fn single(number: f64) -> Owned {
    real(f64::from(number as f32))
}

fn within(a: &Arguments<'_, '_>, least: i64, most: i64) -> Option<Owned> {
    a.int(0).filter(|number| (least..=most).contains(number)).map(Owned::Integer)
}

/// The double without its fraction, where an integer can hold that.
#[expect(clippy::cast_possible_truncation, reason = "the range is looked at")]
fn whole(number: f64) -> Option<i64> {
    // 2^63, the first that is too large, is a double; the last that is not is none.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    (-BEYOND..BEYOND).contains(&number).then_some(number as i64)
}
