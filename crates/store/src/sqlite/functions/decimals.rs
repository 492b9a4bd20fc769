//! Functions of decimals, each of whose arguments may be an integer.

use rollcall_odata::Decimal;
use rollcall_odata::plan::expression::Function;
use rusqlite::types::Value as Owned;

use super::{Arguments, real};
use crate::column::decimal::owned;

/// `None` where there is no value to give, or it is not a function of this file.
pub(super) fn evaluate(function: Function, a: &Arguments<'_, '_>) -> Option<Owned> {
    match function {
        Function::DecimalAdd => both(a, Decimal::add),
        Function::DecimalSub => both(a, Decimal::sub),
        Function::DecimalMul => both(a, Decimal::mul),
        Function::DecimalDiv => both(a, Decimal::div),
        Function::DecimalMod => both(a, Decimal::rem),
        Function::DecimalNegate => a.decimal(0).map(|number| owned(&number.negated())),
        Function::DecimalRound => one(a, Decimal::round),
        Function::DecimalFloor => one(a, Decimal::floor),
        Function::DecimalCeiling => one(a, Decimal::ceiling),
        Function::IntToDecimal => a.decimal(0).map(|number| owned(&number)),
        Function::DoubleToDecimal => {
            a.double(0).and_then(Decimal::nearest).map(|number| owned(&number))
        }
        Function::DecimalToInt => {
            a.decimal(0).and_then(|number| number.to_integer()).map(Owned::Integer)
        }
        Function::IntToDouble => a.double(0).map(real),
        _ => None,
    }
}

fn one(a: &Arguments<'_, '_>, of: impl Fn(&Decimal) -> Option<Decimal>) -> Option<Owned> {
    of(&a.decimal(0)?).map(|number| owned(&number))
}

fn both(
    a: &Arguments<'_, '_>,
    of: impl Fn(&Decimal, &Decimal) -> Option<Decimal>,
) -> Option<Owned> {
    of(&a.decimal(0)?, &a.decimal(1)?).map(|number| owned(&number))
}
