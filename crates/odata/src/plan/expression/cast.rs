//! `cast` and `isof` with the primitive types.

use jiff::civil::DateTime;

use super::bind::Typed;
use super::{Comparison, Expression, Function, Ty};
use crate::error::{Code, Error};
use crate::value::Value;

/// The first instant of the year 0001, which is `mindatetime()`.
pub(super) const LEAST_INSTANT: DateTime = DateTime::constant(1, 1, 1, 0, 0, 0, 0);

/// The last instant of the year 9999, to the microsecond, which is `maxdatetime()`.
pub(super) const GREATEST_INSTANT: DateTime =
    DateTime::constant(9999, 12, 31, 23, 59, 59, 999_999_000);

/// A primitive type by its name: what it is computed as, and what keeps a
/// number within its range.
fn primitive(name: &str) -> Result<(Ty, Option<Function>), Error> {
    Ok(match name {
        "Edm.Boolean" => (Ty::Boolean, None),
        "Edm.Int64" => (Ty::Int, None),
        "Edm.Int32" => (Ty::Int, Some(Function::ToInt32)),
        "Edm.Int16" => (Ty::Int, Some(Function::ToInt16)),
        "Edm.Byte" => (Ty::Int, Some(Function::ToByte)),
        "Edm.SByte" => (Ty::Int, Some(Function::ToSByte)),
        "Edm.Decimal" => (Ty::Decimal, None),
        "Edm.Double" => (Ty::Double, None),
        "Edm.Single" => (Ty::Double, Some(Function::ToSingle)),
        "Edm.String" => (Ty::String, None),
        "Edm.Date" => (Ty::Date, None),
        "Edm.TimeOfDay" => (Ty::TimeOfDay, None),
        "Edm.DateTimeOffset" => (Ty::Instant, None),
        "Edm.Guid" => (Ty::Guid, None),
        "Edm.Duration" => (Ty::Duration, None),
        "Edm.Binary" => (Ty::Binary, None),
        _ if name.starts_with("Edm.Geo") => return Err(not_served(name)),
        _ => {
            let message = format!(
                "There is no type '{name}' that a value could be of: expected a primitive type \
                 such as Edm.Decimal."
            );
            return Err(Error::bad_request(message));
        }
    })
}

fn not_served(name: &str) -> Error {
    Error::new(Code::NotImplemented, format!("The type '{name}' is not served here."))
}

/// A value as one of another type; null where that is not possible.
pub(super) fn cast(value: Typed, name: &str) -> Result<Typed, Error> {
    let (ty, range) = primitive(name)?;
    let Some(from) = value.ty else { return Ok(Typed { ty: Some(ty), ..Typed::null() }) };
    let cast = match conversion(from, ty) {
        Conversion::Same => Typed::new(ty, value.expression),
        Conversion::By(function) => Typed::call(ty, function, vec![value]),
        Conversion::Impossible => Typed::new(ty, Expression::Value(Value::Null)),
    };
    Ok(match range {
        Some(range) => Typed::call(ty, range, vec![cast]),
        None => cast,
    })
}

enum Conversion {
    Same,
    By(Function),
    Impossible,
}

fn conversion(from: Ty, to: Ty) -> Conversion {
    Conversion::By(match (from, to) {
        (from, to) if from == to => return Conversion::Same,
        (Ty::Int | Ty::Decimal, Ty::Double) => Function::IntToDouble,
        (Ty::Int, Ty::Decimal) => Function::IntToDecimal,
        (Ty::Decimal, Ty::Int) => Function::DecimalToInt,
        (Ty::Double, Ty::Decimal) => Function::DoubleToDecimal,
        (Ty::Decimal, Ty::String) => Function::DecimalToText,
        (Ty::Double, Ty::Int) => Function::DoubleToInt,
        (Ty::Instant, Ty::Date) => Function::InstantDate,
        (Ty::Instant, Ty::TimeOfDay) => Function::InstantTime,
        (Ty::Boolean, Ty::String) => Function::BooleanToText,
        (Ty::Int, Ty::String) => Function::IntToText,
        (Ty::Double, Ty::String) => Function::DoubleToText,
        (Ty::Date, Ty::String) => Function::DateToText,
        (Ty::TimeOfDay, Ty::String) => Function::TimeToText,
        (Ty::Instant, Ty::String) => Function::InstantToText,
        (Ty::Guid, Ty::String) => Function::GuidToText,
        (Ty::Duration, Ty::String) => Function::DurationToText,
        (Ty::Binary, Ty::String) => Function::BinaryToText,
        (Ty::String, Ty::Boolean) => Function::TextToBoolean,
        (Ty::String, Ty::Int) => Function::TextToInt,
        (Ty::String, Ty::Decimal) => Function::TextToDecimal,
        (Ty::String, Ty::Double) => Function::TextToDouble,
        (Ty::String, Ty::Date) => Function::TextToDate,
        (Ty::String, Ty::TimeOfDay) => Function::TextToTime,
        (Ty::String, Ty::Instant) => Function::TextToInstant,
        (Ty::String, Ty::Guid) => Function::TextToGuid,
        (Ty::String, Ty::Duration) => Function::TextToDuration,
        (Ty::String, Ty::Binary) => Function::TextToBinary,
        _ => return Conversion::Impossible,
    })
}

/// Whether a value is of a type: null is of none, a property of the one that
/// is declared, anything else of the one that it is computed as.
pub(super) fn is_of(value: Typed, declared: Option<String>, name: &str) -> Result<Typed, Error> {
    primitive(name)?;
    let own = declared.unwrap_or_else(|| value.type_name().to_owned());
    let expression = if own == name {
        let null = Box::new(Expression::Value(Value::Null));
        Expression::Compare(Comparison::Ne, Box::new(value.expression), null)
    } else {
        Expression::Value(Value::Bool(false))
    };
    Ok(Typed::new(Ty::Boolean, expression))
}
