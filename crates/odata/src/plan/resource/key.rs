//! From what stands in the parentheses after a set to the entity that is meant.

use super::no_such;
use crate::edm::EntitySet;
use crate::error::Error;
use crate::payload::primitive;
use crate::plan::Selector;
use crate::uri::options::Options;
use crate::uri::path::{self, Arguments, Literal};
use crate::value::Value;

/// The entity that the parentheses after a set mean.
pub(super) fn selector(
    set: &EntitySet,
    arguments: &Arguments,
    options: &Options,
) -> Result<Selector, Error> {
    match arguments {
        Arguments::Empty | Arguments::Expression(_) => Err(Error::bad_request(format!(
            "The parentheses after '{}' are empty: expected {}.",
            set.name,
            both_keys(set)
        ))),
        Arguments::Single(literal) => key(set, literal, options),
        Arguments::Named(parts) => match parts.as_slice() {
            [(name, literal)] if name.eq_ignore_ascii_case(&set.entity_type.key().name) => {
                key(set, literal, options)
            }
            parts => fact(set, parts, options),
        },
    }
}

fn key(set: &EntitySet, literal: &Literal, options: &Options) -> Result<Selector, Error> {
    match valued(literal, options)? {
        Literal::Text(text) => {
            primitive::guid(&text).map(Selector::Key).ok_or_else(|| no_such(&text))
        }
        Literal::Bare(text) | Literal::Alias(text) => Err(Error::bad_request(format!(
            "The key '{text}' of '{}' is not in single quotes: expected {}.",
            set.name,
            both_keys(set)
        ))),
    }
}

/// The alternate key: every part of the identity once, in any order.
fn fact(
    set: &EntitySet,
    parts: &[(String, Literal)],
    options: &Options,
) -> Result<Selector, Error> {
    let properties = &set.entity_type.properties;
    let wrong =
        |message: String| Error::bad_request(format!("{message} Expected {}.", both_keys(set)));
    let mut values: Vec<Option<Value>> = vec![None; set.identity.len()];
    for (name, literal) in parts {
        let named = |at: &usize| properties[*at].name.eq_ignore_ascii_case(name);
        let Some(part) = set.identity.iter().position(named) else {
            return Err(wrong(format!("'{name}' is no part of a key of '{}'.", set.name)));
        };
        if values[part].is_some() {
            return Err(wrong(format!("The key part '{name}' is given twice.")));
        }
        let property = &properties[set.identity[part]];
        let value = match valued(literal, options)? {
            Literal::Text(text) => primitive::from_text(property, &text).ok_or(text),
            Literal::Bare(text) | Literal::Alias(text) => {
                primitive::from_literal(property, &text).ok_or(text)
            }
        };
        values[part] = Some(value.map_err(|text| {
            let expected = primitive::expected(property);
            let name = &property.name;
            let message = format!("The key part '{name}' cannot be '{text}': expected {expected}.");
            Error::bad_request(message).about(name.as_str())
        })?);
    }
    let all: Option<Vec<Value>> = values.into_iter().collect();
    all.map(Selector::Fact).ok_or_else(|| wrong("The key is not complete.".to_owned()))
}

/// The literal itself, or the one that a parameter alias stands for.
pub(in crate::plan) fn valued(literal: &Literal, options: &Options) -> Result<Literal, Error> {
    let Literal::Alias(name) = literal else { return Ok(literal.clone()) };
    let value = options.alias(name).and_then(path::parse_literal);
    match value {
        Some(value) if !matches!(value, Literal::Alias(_)) => Ok(value),
        _ => {
            let message = format!("The parameter alias '@{name}' has no value in the query.");
            Err(Error::bad_request(message).about(format!("@{name}")))
        }
    }
}

/// How an entity of this set is addressed, to end "Expected …".
fn both_keys(set: &EntitySet) -> String {
    let name_of = |at: &usize| format!("{}=…", set.entity_type.properties[*at].name);
    let parts: Vec<String> = set.identity.iter().map(name_of).collect();
    format!("{}('…') or {}({})", set.name, set.name, parts.join(","))
}
