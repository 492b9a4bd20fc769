//! Functions of dates, which are day numbers here, of instants, which are
//! microseconds, and of times of day and durations, which are nanoseconds.

use jiff::civil::Date;
use rollcall_odata::Decimal;
use rollcall_odata::plan::expression::Function;
use rusqlite::types::Value as Owned;

use super::Arguments;
use crate::column::computed::instant_of;
use crate::column::{date_of, day_number, decimal};

const DAY: i64 = 86_400_000_000_000;
const HOUR: i64 = 3_600_000_000_000;
const MINUTE: i64 = 60_000_000_000;
const SECOND: i64 = 1_000_000_000;
const MICROSECOND: i64 = 1_000;

/// `None` where there is no value to give, or it is not a function of this file.
pub(super) fn evaluate(function: Function, a: &Arguments<'_, '_>) -> Option<Owned> {
    let date = || a.int(0).and_then(date_of);
    let moment = || a.int(0).and_then(Moment::of);
    let time = || a.int(0);
    match function {
        Function::DateYear => date().map(|date| int(date.year())),
        Function::DateMonth => date().map(|date| int(date.month())),
        Function::DateDay => date().map(|date| int(date.day())),
        Function::InstantYear => moment().map(|one| int(one.date.year())),
        Function::InstantMonth => moment().map(|one| int(one.date.month())),
        Function::InstantDay => moment().map(|one| int(one.date.day())),
        Function::InstantHour => moment().map(|one| int(one.time / HOUR)),
        Function::InstantMinute => moment().map(|one| int(one.time % HOUR / MINUTE)),
        Function::InstantSecond => moment().map(|one| int(one.time % MINUTE / SECOND)),
        Function::InstantFraction => moment().and_then(|one| fraction(one.time)),
        Function::InstantDate => moment().map(|one| int(day_number(one.date))),
        Function::InstantTime => moment().map(|one| int(one.time)),
        Function::TimeHour => time().map(|time| int(time / HOUR)),
        Function::TimeMinute => time().map(|time| int(time % HOUR / MINUTE)),
        Function::TimeSecond => time().map(|time| int(time % MINUTE / SECOND)),
        Function::TimeFraction => time().and_then(fraction),
        Function::TotalSeconds => a.int(0).and_then(seconds),
        Function::DatePlus => day_later(a, 1),
        Function::DateMinus => day_later(a, -1),
        Function::DateDifference => difference(a, DAY),
        Function::InstantPlus => instant_later(a, 1),
        Function::InstantMinus => instant_later(a, -1),
        Function::InstantDifference => difference(a, MICROSECOND),
        _ => None,
    }
}

/// An instant in UTC: its day, and how many nanoseconds of it have gone.
struct Moment {
    date: Date,
    time: i64,
}

impl Moment {
    fn of(microseconds: i64) -> Option<Self> {
        let date = instant_of(microseconds)?.date();
        Some(Self { date, time: microseconds.rem_euclid(DAY / MICROSECOND) * MICROSECOND })
    }
}

fn int(number: impl Into<i64>) -> Owned {
    Owned::Integer(number.into())
}

fn fraction(time: i64) -> Option<Owned> {
    seconds(time % SECOND)
}

fn seconds(nanoseconds: i64) -> Option<Owned> {
    Decimal::from(nanoseconds).div(&Decimal::from(SECOND)).map(|number| decimal::owned(&number))
}

/// Midnight of a day, so much later or earlier, as a day again.
fn day_later(a: &Arguments<'_, '_>, sign: i128) -> Option<Owned> {
    let day = later(a, sign, DAY)?;
    date_of(day).filter(|date| date.year() >= 0).map(|_| Owned::Integer(day))
}

fn instant_later(a: &Arguments<'_, '_>, sign: i128) -> Option<Owned> {
    let instant = later(a, sign, MICROSECOND)?;
    instant_of(instant).map(|_| Owned::Integer(instant))
}

/// A count of something so long, a duration later or earlier, without what is
/// shorter. The least duration has a negative that only a wider integer holds.
fn later(a: &Arguments<'_, '_>, sign: i128, unit: i64) -> Option<i64> {
    let (from, duration) = (i128::from(a.int(0)?), i128::from(a.int(1)?) * sign);
    i64::try_from(from + duration.div_euclid(i128::from(unit))).ok()
}

/// The duration between two counts of something that is so long.
fn difference(a: &Arguments<'_, '_>, unit: i64) -> Option<Owned> {
    a.int(0)?.checked_sub(a.int(1)?)?.checked_mul(unit).map(Owned::Integer)
}
