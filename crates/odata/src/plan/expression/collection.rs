//! The functions of collections: whether one holds what another has.
//!
//! A collection is in the row, as one of its properties, or is written as a
//! JSON array. One that is written is of no type of its own: its items are
//! those of what it stands beside.

use std::collections::HashMap;
use std::hash::Hash;

use super::bind::{Binder, Typed};
use super::{Expression, Function, Ty, literal, operators};
use crate::edm::Type;
use crate::error::Error;
use crate::payload::primitive;
use crate::uri::filter::{Kind, Literal, Node};
use crate::value::Value;

/// Whether the second has no item more often than the first, in any order.
pub fn has_subset<T: Hash + Eq>(whole: &[T], part: &[T]) -> bool {
    let mut left: HashMap<&T, usize> = HashMap::new();
    for item in whole {
        *left.entry(item).or_default() += 1;
    }
    part.iter().all(|item| match left.get_mut(item) {
        Some(count @ 1..) => {
            *count -= 1;
            true
        }
        _ => false,
    })
}

/// Whether the second is what the first leaves when items are taken out.
pub fn has_subsequence<T: Eq>(whole: &[T], part: &[T]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|item| whole.any(|other| other == item))
}

/// The function of collections that has this name.
pub(super) fn named(lower: &str) -> Option<Function> {
    match lower {
        "hassubset" => Some(Function::HasSubset),
        "hassubsequence" => Some(Function::HasSubsequence),
        _ => None,
    }
}

/// An argument.
enum Collection {
    Written(Vec<Typed>),
    Property(usize, Type),
    Null,
}

impl Binder<'_> {
    /// `hassubset` or `hassubsequence`.
    pub(super) fn of_collections(
        &mut self,
        function: Function,
        name: &str,
        arguments: &[Node],
    ) -> Result<Typed, Error> {
        let [whole, part] = arguments else {
            let message = format!("'{name}' takes two collections: found {}.", arguments.len());
            return Err(self.wrong(&message));
        };
        let (whole, part) = (self.collection(name, whole)?, self.collection(name, part)?);
        let arguments = match (whole, part) {
            (Collection::Null, _) | (_, Collection::Null) => {
                return Ok(Typed { ty: Some(Ty::Boolean), ..Typed::null() });
            }
            (Collection::Written(whole), Collection::Written(part)) => {
                return self.of_written(function, whole, part);
            }
            (Collection::Property(one, ty), Collection::Property(other, other_ty)) => {
                if Ty::of(&ty) != Ty::of(&other_ty) {
                    return Err(self.unlike(&ty.to_string(), &other_ty.to_string()));
                }
                vec![Expression::Stored(one), Expression::Stored(other)]
            }
            (Collection::Property(at, ty), Collection::Written(items)) => {
                vec![Expression::Stored(at), self.beside(&ty, items)?]
            }
            (Collection::Written(items), Collection::Property(at, ty)) => {
                vec![self.beside(&ty, items)?, Expression::Stored(at)]
            }
        };
        Ok(Typed::new(Ty::Boolean, Expression::Call(function, arguments)))
    }

    fn collection(&mut self, function: &str, node: &Node) -> Result<Collection, Error> {
        self.count(1)?;
        match &node.kind {
            Kind::Literal(Literal::Null) => Ok(Collection::Null),
            Kind::Array(items) | Kind::List(items) => self.items(items).map(Collection::Written),
            Kind::Alias(name) => match self.alias_value(name)? {
                None => Ok(Collection::Null),
                Some(node) => self.inside_alias(|binder| binder.collection(function, &node)),
            },
            Kind::Path(names) => self.collection_property(function, names),
            _ => {
                let found = self.bind(node)?.type_name();
                Err(self.no_collection(function, &format!("'{node}' is of type {found}")))
            }
        }
    }

    fn collection_property(
        &mut self,
        function: &str,
        names: &[String],
    ) -> Result<Collection, Error> {
        let entity_type = &self.setting.set.entity_type;
        let names = self.of_the_row(names);
        let [name] = names else { return Err(self.longer_path(names)) };
        if let Some(at) = self.setting.find(name)
            && let Type::Collection(item) = &entity_type.properties[at].ty
        {
            return Ok(Collection::Property(at, item.as_ref().clone()));
        }
        let found = self.path(std::slice::from_ref(name))?.type_name();
        Err(self.no_collection(function, &format!("'{name}' is of type {found}")))
    }

    fn no_collection(&self, function: &str, found: &str) -> Error {
        self.wrong(&format!(
            "{found}, and '{function}' takes two collections: expected a property that is one, or \
             a JSON array such as [1,2]."
        ))
    }

    fn unlike(&self, one: &str, other: &str) -> Error {
        self.wrong(&format!(
            "The items of two collections are of types {one} and {other}, of which no two are \
             equal. Expected one type."
        ))
    }

    /// Both are written: the same for every row.
    fn of_written(
        &self,
        function: Function,
        whole: Vec<Typed>,
        part: Vec<Typed>,
    ) -> Result<Typed, Error> {
        let mut ty = None;
        for item in whole.iter().chain(&part) {
            ty = operators::common(ty, item.ty)
                .map_err(|(one, other)| self.unlike(one.name(), other.name()))?;
        }
        let texts = |items: Vec<Typed>| -> Vec<Option<String>> {
            items.into_iter().map(|item| text_of(operators::as_one(ty, item))).collect()
        };
        let (whole, part) = (texts(whole), texts(part));
        let holds = match function {
            Function::HasSubset => has_subset(&whole, &part),
            _ => has_subsequence(&whole, &part),
        };
        Ok(Typed::value(Ty::Boolean, Value::Bool(holds)))
    }

    /// A collection that is written beside a property with items of a type.
    fn beside(&self, ty: &Type, items: Vec<Typed>) -> Result<Expression, Error> {
        let wanted = Ty::of(ty);
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let item = match wanted {
                Some(wanted) => literal::cast(&item, wanted).unwrap_or(item),
                None => item,
            };
            // A whole number may be written with a point; another is no item.
            values.push(match (wanted, item.ty, item.integer) {
                (Some(Ty::Int), Some(own), Some(number)) if own.is_number() => Value::Int(number),
                (Some(Ty::Int), Some(own), _) if own.is_number() => as_value(item),
                (wanted, own, _) if own.is_none() || own == wanted => as_value(item),
                _ => return Err(self.unlike(&ty.to_string(), item.type_name())),
            });
        }
        Ok(Expression::Value(Value::List(values)))
    }
}

fn as_value(item: Typed) -> Value {
    if let Expression::Value(value) = item.expression { value } else { Value::Null }
}

fn text_of(expression: Expression) -> Option<String> {
    match expression {
        Expression::Value(value) if !value.is_null() => Some(primitive::text_of(&value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the standard.
    #[test]
    fn subsets_and_subsequences() {
        for (whole, part, subset, subsequence) in [
            (&[4, 1, 3][..], &[4, 1, 3][..], true, true),
            (&[4, 1, 3], &[1, 3, 4], true, false),
            (&[4, 1, 3], &[3, 1], true, false),
            (&[4, 1, 3], &[4, 3], true, true),
            (&[4, 1, 3, 1], &[1, 1], true, true),
            (&[1, 2], &[1, 1, 2], false, false),
            (&[], &[], true, true),
            (&[], &[1], false, false),
        ] {
            assert_eq!(has_subset(whole, part), subset, "{whole:?} {part:?}");
            assert_eq!(has_subsequence(whole, part), subsequence, "{whole:?} {part:?}");
        }
    }
}
