//! Calls: of functions, of `cast` and `isof`, of `case`, and of what would be a
//! lambda.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::{Binder, Typed};
use crate::edm::Type;
use crate::error::Error;
use crate::plan::expression::functions::{NOT_SERVED, SIGNATURES, Signature};
use crate::plan::expression::{Expression, Function, Ty, cast, collection, operators, pattern};
use crate::uri::filter::{Kind, Literal, Node};
use crate::value::Value;

impl Binder<'_> {
    pub(super) fn call(&mut self, name: &str, arguments: &[Node]) -> Result<Typed, Error> {
        let lower = name.to_ascii_lowercase();
        if matches!(lower.as_str(), "cast" | "isof") {
            return self.by_type(&lower, arguments);
        }
        if let Some(function) = collection::named(&lower) {
            return self.of_collections(function, &lower, arguments);
        }
        if NOT_SERVED.contains(&lower.as_str()) {
            return Err(self.not_served(&format!("The function '{lower}'")));
        }
        let arguments =
            arguments.iter().map(|one| self.bind(one)).collect::<Result<Vec<_>, _>>()?;
        match (lower.as_str(), arguments.as_slice()) {
            ("now", []) => Ok(instant(Offset::UTC.to_datetime(self.setting.now))),
            ("mindatetime", []) => Ok(instant(cast::LEAST_INSTANT)),
            ("maxdatetime", []) => Ok(instant(cast::GREATEST_INSTANT)),
            ("totaloffsetminutes", [Typed { ty: Some(Ty::Instant), offset, .. }]) => {
                Ok(Typed::value(Ty::Int, Value::Int(*offset)))
            }
            // An integer is rounded already.
            ("round" | "floor" | "ceiling", [Typed { ty: Some(Ty::Int), .. }]) => {
                arguments.into_iter().next().ok_or_else(|| self.unknown(name))
            }
            ("matchespattern", [_, pattern]) => {
                let computed = self.pattern(pattern)?;
                let bound = self.canonical(name, &lower, arguments)?;
                Ok(if computed { with_its_pattern(bound) } else { bound })
            }
            _ => self.canonical(name, &lower, arguments),
        }
    }

    /// Whether the pattern of `matchesPattern` may differ from row to row. One
    /// for all rows is looked at here.
    fn pattern(&mut self, pattern: &Typed) -> Result<bool, Error> {
        self.count(pattern::NODES)?;
        match &pattern.expression {
            Expression::Value(Value::Text(text)) => {
                pattern::check(text, self.option, self.setting.limits)?;
                Ok(false)
            }
            // Of another type, which its signature tells.
            Expression::Value(_) => Ok(false),
            _ => Ok(true),
        }
    }

    fn canonical(&self, name: &str, lower: &str, arguments: Vec<Typed>) -> Result<Typed, Error> {
        let known: Vec<&Signature> = SIGNATURES.iter().filter(|one| one.name == lower).collect();
        if known.is_empty() && !operators::SPECIAL.iter().any(|(other, _)| *other == lower) {
            return Err(self.unknown(name));
        }
        let fits = |signature: &&&Signature| {
            let types = signature.arguments;
            types.len() == arguments.len()
                && arguments.iter().zip(types).all(|(one, ty)| operators::fits(one, *ty))
        };
        match known.iter().find(fits) {
            None => Err(self.wrong(&operators::no_signature(lower, &known))),
            Some(signature) => {
                let adapted = arguments
                    .into_iter()
                    .zip(signature.arguments)
                    .map(|(one, ty)| operators::adapted(one, *ty));
                Ok(Typed::call(signature.gives, signature.function, adapted.collect()))
            }
        }
    }

    fn unknown(&self, name: &str) -> Error {
        self.wrong(&format!(
            "An unknown function with name '{name}' was found. This may also be a function import \
             or a key lookup on a navigation property, which is not allowed."
        ))
    }

    /// `cast` and `isof`, whose last argument is the name of a type.
    fn by_type(&mut self, function: &str, arguments: &[Node]) -> Result<Typed, Error> {
        let (value, name) = match arguments {
            [name] => (None, name),
            [value, name] => (Some(value), name),
            _ => return Err(self.wrong(&operators::no_signature(function, &[]))),
        };
        let name = match &name.kind {
            Kind::Path(name) => name.join("/"),
            // As Microsoft's client for .NET writes it.
            Kind::Literal(Literal::Text(name)) => name.clone(),
            _ => {
                let message =
                    format!("The last argument of '{function}' is not the name of a type.");
                return Err(self.wrong(&message));
            }
        };
        let Some(value) = value.filter(|value| !is_row(value)) else {
            return self.row_by_type(function, &name);
        };
        let declared = self.declared_type(value);
        let value = self.bind(value)?;
        let bound = match function {
            "cast" => cast::cast(value, &name),
            _ => cast::is_of(value, declared, &name),
        };
        bound.map_err(|error| error.about(self.option))
    }

    /// Whether the row itself is of a type, or the row as one of a type.
    fn row_by_type(&self, function: &str, name: &str) -> Result<Typed, Error> {
        if function == "cast" {
            let message = "The entity itself cannot be cast where a single value is expected: \
                           expected a value and a primitive type, as in cast(1,Edm.Decimal).";
            return Err(self.wrong(message));
        }
        let own = &self.setting.set.entity_type;
        let heirs = std::iter::successors(Some(own), |one| one.base.as_ref());
        let is = heirs.into_iter().any(|one| one.name == name);
        Ok(Typed::value(Ty::Boolean, Value::Bool(is)))
    }

    fn declared_type(&self, node: &Node) -> Option<String> {
        let names = match &node.kind {
            Kind::Path(names) => names,
            Kind::Call(name, arguments) if name.eq_ignore_ascii_case("cast") => {
                return match &arguments.last()?.kind {
                    Kind::Path(ty) => Some(ty.join("/")),
                    _ => None,
                };
            }
            _ => return None,
        };
        let entity_type = &self.setting.set.entity_type;
        let at = entity_type.find(names.last()?)?;
        Some(entity_type.properties[at].ty.to_string())
    }

    pub(super) fn case(&mut self, branches: &[(Node, Node)]) -> Result<Typed, Error> {
        let mut bound = Vec::with_capacity(branches.len());
        for (condition, value) in branches {
            let (condition, value) = (self.bind(condition)?, self.bind(value)?);
            if condition.ty.is_some_and(|ty| ty != Ty::Boolean) {
                let message = "Each condition of 'case' must evaluate to a single boolean value.";
                return Err(self.wrong(message));
            }
            bound.push((condition.expression, value));
        }
        operators::case(bound).map_err(|error| error.about(self.option))
    }

    pub(super) fn lambda(&self, path: &[String], name: &str) -> Error {
        if !name.eq_ignore_ascii_case("any") && !name.eq_ignore_ascii_case("all") {
            return self.unknown(name);
        }
        let entity_type = &self.setting.set.entity_type;
        let Some(at) = path.last().and_then(|one| entity_type.find(one)) else {
            return self.no_property(&path.join("/"));
        };
        let property = &entity_type.properties[at];
        if matches!(property.ty, Type::Collection(_)) {
            return self.wrong(&format!(
                "'{name}' has no items to go over in '{}', which is of type {} and is taken whole: \
                 expected hassubset or hassubsequence.",
                property.name, property.ty
            ));
        }
        self.wrong(&format!(
            "'{name}' stands after '{}', which is of type {}: expected a collection.",
            property.name, property.ty
        ))
    }
}

/// Whether this is the row itself.
fn is_row(node: &Node) -> bool {
    matches!(&node.kind, Kind::Path(names) if names.len() == 1 && names[0].eq_ignore_ascii_case("$it"))
}

/// `matchesPattern` with a pattern that may differ from row to row.
fn with_its_pattern(bound: Typed) -> Typed {
    let expression = match bound.expression {
        Expression::Call(Function::MatchesPattern, arguments) => {
            Expression::Call(Function::MatchesItsPattern, arguments)
        }
        other => other,
    };
    Typed { expression, ..bound }
}

fn instant(instant: DateTime) -> Typed {
    let typed = Typed::new(Ty::Instant, Expression::Value(Value::Instant(instant)));
    Typed { literal: false, ..typed }
}
