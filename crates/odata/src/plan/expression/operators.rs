//! Operators and the types of their operands, with the errors of OData's library.

use super::bind::Typed;
use super::functions::Signature;
use super::{Comparison, Expression, Function, Kept, Ty, literal};
use jiff::SignedDuration;

use crate::error::Error;
use crate::payload::primitive;
use crate::uri::filter::{Binary, Unary};
use crate::value::{Decimal, Double, Period, Value};

/// Functions without a signature of their own, for the error that tells of it.
pub(super) const SPECIAL: &[(&str, &str)] = &[
    ("now", "now()"),
    ("mindatetime", "mindatetime()"),
    ("maxdatetime", "maxdatetime()"),
    ("totaloffsetminutes", "totaloffsetminutes(Edm.DateTimeOffset)"),
    ("cast", "cast(expression, type)"),
    ("isof", "isof(expression, type); isof(type)"),
];

/// `not` of a condition, `-` of a number or duration.
pub(super) fn unary(operator: Unary, operand: Typed) -> Result<Typed, Error> {
    match (operator, operand.ty) {
        (Unary::Not, Some(Ty::Boolean) | None) => {
            Ok(Typed::new(Ty::Boolean, Expression::Not(Box::new(operand.expression))))
        }
        (Unary::Negate, None) => Ok(Typed::null()),
        (Unary::Negate, Some(ty @ (Ty::Int | Ty::Duration))) => {
            Ok(Typed::call(ty, Function::IntNegate, vec![operand]))
        }
        (Unary::Negate, Some(Ty::Decimal)) => {
            Ok(Typed::call(Ty::Decimal, Function::DecimalNegate, vec![operand]))
        }
        (Unary::Negate, Some(Ty::Double)) => {
            Ok(Typed::call(Ty::Double, Function::DoubleNegate, vec![operand]))
        }
        (_, Some(ty)) => Err(Error::bad_request(format!(
            "A unary operator with an incompatible type was detected. Found operand type '{}' for \
             operator kind '{operator:?}'.",
            ty.name()
        ))),
    }
}

/// Any operator between two operands.
pub(super) fn binary(operator: Binary, left: Typed, right: Typed) -> Result<Typed, Error> {
    match operator {
        Binary::Eq => comparison(Comparison::Eq, left, right),
        Binary::Ne => comparison(Comparison::Ne, left, right),
        Binary::Gt => comparison(Comparison::Gt, left, right),
        Binary::Ge => comparison(Comparison::Ge, left, right),
        Binary::Lt => comparison(Comparison::Lt, left, right),
        Binary::Le => comparison(Comparison::Le, left, right),
        _ => arithmetic(operator, left, right),
    }
}

fn comparison(operator: Comparison, left: Typed, right: Typed) -> Result<Typed, Error> {
    let kind = match operator {
        Comparison::Eq => "Equal",
        Comparison::Ne => "NotEqual",
        Comparison::Gt => "GreaterThan",
        Comparison::Ge => "GreaterThanOrEqual",
        Comparison::Lt => "LessThan",
        Comparison::Le => "LessThanOrEqual",
    };
    let (left, right) = alike(left, right, kind)?;
    let expression = match operator {
        Comparison::Eq => equality(left, right),
        Comparison::Ne => match equality(left, right) {
            Expression::Compare(_, one, other) => Expression::Compare(operator, one, other),
            Expression::Value(Value::Bool(same)) => Expression::Value(Value::Bool(!same)),
            other => Expression::Not(Box::new(other)),
        },
        _ => {
            let number = |one: Typed| Box::new(apart(one, Function::NaNAsNull).expression);
            Expression::Compare(operator, number(left), number(right))
        }
    };
    Ok(Typed::new(Ty::Boolean, expression))
}

/// Both of one type, or both numbers, a literal cast where that makes them so.
fn alike(left: Typed, right: Typed, kind: &str) -> Result<(Typed, Typed), Error> {
    let (Some(one), Some(other)) = (left.ty, right.ty) else { return Ok((left, right)) };
    if one == other {
        return Ok((left, right));
    }
    if one.is_number() && other.is_number() {
        return Ok(match (one, other) {
            (Ty::Double, _) | (_, Ty::Double) => (as_double(left), as_double(right)),
            _ => match (one, left.integer, right.integer) {
                (Ty::Int, _, Some(number)) => (left, Typed::value(Ty::Int, Value::Int(number))),
                (Ty::Decimal, Some(number), _) => {
                    (Typed::value(Ty::Int, Value::Int(number)), right)
                }
                _ => (as_decimal(left), as_decimal(right)),
            },
        });
    }
    if let Some(right) = literal::cast(&right, one) {
        return Ok((left, right));
    }
    match literal::cast(&left, other) {
        Some(left) => Ok((left, right)),
        None => Err(Error::bad_request(incompatible(one.name(), other.name(), kind))),
    }
}

/// An integer as a decimal. A literal stays one.
fn as_decimal(number: Typed) -> Typed {
    match (&number.expression, number.ty) {
        (Expression::Value(Value::Int(value)), _) => {
            Typed::value(Ty::Decimal, Value::Decimal(Decimal::from(*value)))
        }
        (_, Some(Ty::Int)) => Typed::call(Ty::Decimal, Function::IntToDecimal, vec![number]),
        _ => number,
    }
}

/// A number as a double, with the rounding that this takes. A literal stays one.
#[expect(clippy::cast_precision_loss, reason = "that is what a double does")]
fn as_double(number: Typed) -> Typed {
    let double = |value: f64| Typed::value(Ty::Double, Value::Double(Double(value)));
    match (&number.expression, number.ty) {
        (Expression::Value(Value::Int(value)), _) => double(*value as f64),
        (Expression::Value(Value::Decimal(value)), _) => double(value.to_double()),
        (_, Some(Ty::Int | Ty::Decimal)) => {
            Typed::call(Ty::Double, Function::IntToDouble, vec![number])
        }
        _ => number,
    }
}

/// A double that may be no number, as something that compares with none.
fn apart(double: Typed, how: Function) -> Typed {
    let is_number = match &double.expression {
        Expression::Value(Value::Double(Double(number))) => !number.is_nan(),
        Expression::Value(_) | Expression::Call(Function::IntToDouble, _) => true,
        _ => false,
    };
    match double.ty {
        Some(Ty::Double) if !is_number => Typed::call(Ty::Double, how, vec![double]),
        _ => double,
    }
}

pub(super) fn incompatible(left: &str, right: &str, kind: &str) -> String {
    format!(
        "A binary operator with incompatible types was detected. Found operand types '{left}' and \
         '{right}' for operator kind '{kind}'."
    )
}

/// Equality of a key or period with a literal is that of what is kept: with
/// a text that is none in its one form nothing is equal. Nor is anything with
/// what is no number.
fn equality(left: Typed, right: Typed) -> Expression {
    let (left, right) = (left.expression, apart(right, Function::NaNApart).expression);
    let (left, right) = match (left, right) {
        (value @ Expression::Value(_), shown @ Expression::Shown(..)) => (shown, value),
        other => other,
    };
    let (left, right) = match (left, right) {
        (Expression::Shown(at, how), Expression::Value(value)) => match kept(how, &value) {
            None => return Expression::Value(Value::Bool(false)),
            Some(value) => (Expression::Stored(at), Expression::Value(value)),
        },
        other => other,
    };
    Expression::equal(left, right)
}

/// What is kept of a key or period that clients see as this string.
fn kept(how: Kept, shown: &Value) -> Option<Value> {
    let Value::Text(text) = shown else { return Some(Value::Null) };
    let kept = match how {
        Kept::Guid => Value::Guid(primitive::guid(text)?),
        Kept::Period => Value::Period(Period::parse(text)?),
    };
    (primitive::text_of(&kept) == *text).then_some(kept)
}

/// Whether an `in` is one comparison with a list of values. A literal is cast to
/// what it stands beside, and another number to the double that it stands
/// beside, which differs from item to item.
pub(super) fn is_plain(value: &Typed, items: &[Typed]) -> bool {
    let plain = |item: &Typed| {
        let rounds = value.ty != Some(Ty::Double) && item.ty == Some(Ty::Double);
        matches!(item.expression, Expression::Value(_)) && !rounds
    };
    !value.literal && items.iter().all(plain)
}

/// `in`: as many equalities as there are items.
pub(super) fn is_in(value: Typed, items: Vec<Typed>) -> Result<Typed, Error> {
    let plain = is_plain(&value, &items);
    let mut values = Vec::with_capacity(items.len());
    let mut equalities = Vec::new();
    for item in items {
        if plain
            && (value.ty, item.ty) == (Some(Ty::Int), Some(Ty::Decimal))
            && item.integer.is_none()
        {
            // No integer is equal to it.
            continue;
        }
        let (one, item) = alike(value.clone(), item, "Equal")?;
        match equality(one, item) {
            // What is no value is no number, to which none is equal.
            Expression::Compare(_, _, item) if plain => values.extend(as_value(*item)),
            other => equalities.push(other),
        }
    }
    let expression = match value.expression {
        _ if !plain => one_of(equalities),
        Expression::Shown(at, _) => Expression::In(Box::new(Expression::Stored(at)), values),
        other => Expression::In(Box::new(other), values),
    };
    Ok(Typed::new(Ty::Boolean, expression))
}

fn as_value(expression: Expression) -> Option<Value> {
    if let Expression::Value(value) = expression { Some(value) } else { None }
}

fn one_of(mut all: Vec<Expression>) -> Expression {
    match all.pop() {
        None => Expression::Value(Value::Bool(false)),
        Some(only) if all.is_empty() => only,
        Some(last) => {
            all.push(last);
            Expression::Or(all)
        }
    }
}

fn arithmetic(operator: Binary, left: Typed, right: Typed) -> Result<Typed, Error> {
    let kind = match operator {
        Binary::Add => "Add",
        Binary::Sub => "Subtract",
        Binary::Mul => "Multiply",
        Binary::Mod => "Modulo",
        _ => "Divide",
    };
    let names = (left.type_name(), right.type_name());
    let (left, right) = cast_operands(left, right);
    let Some((function, ty)) = operation(operator, left.ty, right.ty) else {
        return Err(Error::bad_request(incompatible(names.0, names.1, kind)));
    };
    let swapped = operator == Binary::Mul && right.ty == Some(Ty::Duration);
    let operands = if swapped { vec![right, left] } else { vec![left, right] };
    Ok(Typed::call(ty, function, operands))
}

/// A string literal beside a number is a number, beside a day or time a duration.
fn cast_operands(left: Typed, right: Typed) -> (Typed, Typed) {
    let beside = |ty: Option<Ty>| match ty {
        Some(Ty::Int | Ty::Decimal | Ty::Double) => Some([Ty::Int, Ty::Decimal, Ty::Double]),
        Some(Ty::Date | Ty::Instant | Ty::Duration) => Some([Ty::Duration; 3]),
        _ => None,
    };
    let cast = |one: &Typed, other: Option<Ty>| {
        beside(other).and_then(|all| all.into_iter().find_map(|ty| literal::cast(one, ty)))
    };
    let (new_left, new_right) = (cast(&left, right.ty), cast(&right, left.ty));
    (new_left.unwrap_or(left), new_right.unwrap_or(right))
}

/// The function that an operator is for operands of these types, and what it gives.
fn operation(operator: Binary, left: Option<Ty>, right: Option<Ty>) -> Option<(Function, Ty)> {
    // A null is of whatever type there is: the outcome is null in any case.
    let (left, right) = (left.or(right).unwrap_or(Ty::Int), right.or(left).unwrap_or(Ty::Int));
    if left.is_number() && right.is_number() {
        return Some(if left == Ty::Double || right == Ty::Double {
            (of_doubles(operator), Ty::Double)
        } else if left == Ty::Int && right == Ty::Int && operator != Binary::DivBy {
            (of_integers(operator), Ty::Int)
        } else {
            (of_decimals(operator), Ty::Decimal)
        });
    }
    Some(match (operator, left, right) {
        (Binary::Add, Ty::Date, Ty::Duration) => (Function::DatePlus, Ty::Date),
        (Binary::Sub, Ty::Date, Ty::Duration) => (Function::DateMinus, Ty::Date),
        (Binary::Sub, Ty::Date, Ty::Date) => (Function::DateDifference, Ty::Duration),
        (Binary::Add, Ty::Instant, Ty::Duration) => (Function::InstantPlus, Ty::Instant),
        (Binary::Sub, Ty::Instant, Ty::Duration) => (Function::InstantMinus, Ty::Instant),
        (Binary::Sub, Ty::Instant, Ty::Instant) => (Function::InstantDifference, Ty::Duration),
        (Binary::Add, Ty::Duration, Ty::Duration) => (Function::IntAdd, Ty::Duration),
        (Binary::Sub, Ty::Duration, Ty::Duration) => (Function::IntSub, Ty::Duration),
        (Binary::Mul, Ty::Duration, Ty::Int) | (Binary::Mul, Ty::Int, Ty::Duration) => {
            (Function::IntMul, Ty::Duration)
        }
        (Binary::Mul, Ty::Duration, Ty::Decimal | Ty::Double)
        | (Binary::Mul, Ty::Decimal | Ty::Double, Ty::Duration) => {
            (Function::DurationTimes, Ty::Duration)
        }
        (Binary::Div, Ty::Duration, Ty::Int) => (Function::IntDiv, Ty::Duration),
        (Binary::Div | Binary::DivBy, Ty::Duration, Ty::Int | Ty::Decimal | Ty::Double) => {
            (Function::DurationOver, Ty::Duration)
        }
        _ => return None,
    })
}

fn of_integers(operator: Binary) -> Function {
    match operator {
        Binary::Add => Function::IntAdd,
        Binary::Sub => Function::IntSub,
        Binary::Mul => Function::IntMul,
        Binary::Mod => Function::IntMod,
        _ => Function::IntDiv,
    }
}

fn of_decimals(operator: Binary) -> Function {
    match operator {
        Binary::Add => Function::DecimalAdd,
        Binary::Sub => Function::DecimalSub,
        Binary::Mul => Function::DecimalMul,
        Binary::Mod => Function::DecimalMod,
        _ => Function::DecimalDiv,
    }
}

fn of_doubles(operator: Binary) -> Function {
    match operator {
        Binary::Add => Function::DoubleAdd,
        Binary::Sub => Function::DoubleSub,
        Binary::Mul => Function::DoubleMul,
        Binary::Mod => Function::DoubleMod,
        _ => Function::DoubleDiv,
    }
}

/// Whether an argument can stand where this type is wanted.
pub(super) fn fits(argument: &Typed, ty: Ty) -> bool {
    match argument.ty {
        None => true,
        Some(own) if own == ty || (own.is_number() && ty == Ty::Double) => true,
        Some(Ty::Int) if ty == Ty::Decimal => true,
        Some(_) => literal::cast(argument, ty).is_some(),
    }
}

/// An argument that fits, as what is wanted. The parts of an instant that was
/// written with an offset are those that were written.
pub(super) fn adapted(argument: Typed, ty: Ty) -> Typed {
    let argument = literal::cast(&argument, ty).unwrap_or(argument);
    match &argument.expression {
        Expression::Value(Value::Instant(instant)) if argument.offset != 0 => {
            let local = instant.checked_add(SignedDuration::from_mins(argument.offset));
            local.map_or(argument, |local| Typed::value(ty, Value::Instant(local)))
        }
        _ => argument,
    }
}

/// No signature of a function fits its arguments.
pub(super) fn no_signature(name: &str, known: &[&Signature]) -> String {
    let types = |one: &&Signature| {
        let types: Vec<&str> = one.arguments.iter().map(|ty| ty.name()).collect();
        format!("{}({})", one.name, types.join(", "))
    };
    let special = SPECIAL.iter().filter(|(other, _)| *other == name).map(|(_, shown)| shown);
    let known = known.iter().map(types).chain(special.map(|shown| (*shown).to_owned()));
    format!(
        "No function signature for the function with name '{name}' matches the specified \
         arguments. The function signatures considered are: {}.",
        known.collect::<Vec<_>>().join("; ")
    )
}

/// The type of what is of either type; the two where there is none.
pub(super) fn common(one: Option<Ty>, other: Option<Ty>) -> Result<Option<Ty>, (Ty, Ty)> {
    match (one, other) {
        (None, ty) | (ty, None) => Ok(ty),
        (Some(one), Some(other)) if one == other => Ok(Some(one)),
        (Some(one), Some(other)) if one.is_number() && other.is_number() => {
            Ok(Some(if one == Ty::Double || other == Ty::Double {
                Ty::Double
            } else {
                Ty::Decimal
            }))
        }
        (Some(one), Some(other)) => Err((one, other)),
    }
}

/// A value as one of a type that is common to it and others.
pub(super) fn as_one(ty: Option<Ty>, value: Typed) -> Expression {
    match ty {
        Some(Ty::Double) => as_double(value).expression,
        Some(Ty::Decimal) => as_decimal(value).expression,
        _ => value.expression,
    }
}

/// `case`: the values of all branches are of one type, or numbers.
pub(super) fn case(branches: Vec<(Expression, Typed)>) -> Result<Typed, Error> {
    let mut ty: Option<Ty> = None;
    for (_, value) in &branches {
        ty = common(ty, value.ty).map_err(|(one, other)| {
            Error::bad_request(format!(
                "The values of 'case' are of types {} and {}: expected one type.",
                one.name(),
                other.name()
            ))
        })?;
    }
    let branches = branches.into_iter().map(|(condition, value)| (condition, as_one(ty, value)));
    let case = Typed::new(Ty::String, Expression::Case(branches.collect()));
    Ok(Typed { ty, ..case })
}
