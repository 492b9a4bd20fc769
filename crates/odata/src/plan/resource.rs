//! From a path's segments to the resource that they address.

mod address;
pub(super) mod key;

use super::Selector;
use super::window::Window;
use crate::edm::{Model, Type, names_type, singleton_type, unqualified};
use crate::error::{Code, Error};
use crate::payload::primitive;
use crate::uri::options::{Options, SystemOption};
use crate::uri::path::{self, Arguments, Segment};
use address::below;
pub use address::{Place, entity_id};
use key::selector;

/// The function of change tracking, which every entity set has.
pub const DELTA: &str = "delta";

/// What a path addresses.
#[derive(Debug, Clone)]
pub enum Resource {
    /// The service document.
    Service,
    /// `$metadata`.
    Metadata,
    /// `$batch`.
    Batch,
    /// `$query` after any other: what is asked for stands in the body.
    Query,
    /// A singleton, by its declared name.
    Singleton(String),
    /// The entities of a set.
    Set(Place),
    /// What has changed in a set.
    Delta(Place),
    /// The number of entities of a set, as plain text.
    Count(Place),
    /// One entity.
    Entity(Place, Selector),
    /// One entity by its address, which is in `$id`.
    ById(Place, Selector),
    /// The address of one entity.
    Reference(Place, Selector),
    /// The addresses of the entities of a set.
    References(Place),
    /// The property at this position of one entity.
    Property(Place, Selector, usize),
    /// Its value, as plain text.
    Value(Place, Selector, usize),
    /// The rows of a report function, of which these expressions are true.
    Function(Window, Vec<String>),
    /// The number of them, as plain text.
    ReportCount(Window, Vec<String>),
}

impl Resource {
    /// What stands in the segments `$filter(…)` of its path.
    pub fn filters(&self) -> &[String] {
        match self {
            Self::Set(place) | Self::Count(place) | Self::References(place) => &place.filters,
            Self::Function(_, filters) | Self::ReportCount(_, filters) => filters,
            _ => &[],
        }
    }
}

/// Resolves a path against the model. What is there but not served is 501,
/// what is not there 400 in Graph's words, a key that can be none 404. `root` is
/// the service root, absolute, without a slash at its end.
pub fn resolve(
    model: &Model,
    root: &str,
    segments: &[Segment],
    options: &Options,
) -> Result<Resource, Error> {
    let Some((first, rest)) = segments.split_first() else { return Ok(Resource::Service) };
    if segments.last().is_some_and(|last| named(last, "$query")) {
        return Ok(Resource::Query);
    }
    if named(first, "$metadata") {
        return end(rest, Resource::Metadata);
    }
    if named(first, "$batch") {
        return end(rest, Resource::Batch);
    }
    if named(first, "$entity") {
        return by_id(model, root, rest, options);
    }
    if let Some(set) = model.entity_set(&first.name) {
        return in_set(Place::new(set, set.name.clone()), first, rest, options);
    }
    match model.singleton(&first.name) {
        Some(name) if plain(first) => below_singleton(model, name, rest, options),
        _ => Err(known(first, &["$all", "$crossjoin"])),
    }
}

fn below_singleton(
    model: &Model,
    singleton: &str,
    segments: &[Segment],
    options: &Options,
) -> Result<Resource, Error> {
    let Some((first, rest)) = segments.split_first() else {
        return Ok(Resource::Singleton(singleton.to_owned()));
    };
    if let Some(set) = model.entity_set(&first.name).filter(|set| set.under == singleton) {
        let path = [singleton, "/", &set.name].concat();
        return in_set(Place::new(set, path), first, rest, options);
    }
    // A cast to its own type changes nothing.
    if plain(first) && names_type(&first.name, &singleton_type(singleton)) {
        return below_singleton(model, singleton, rest, options);
    }
    // Only a function has a namespace before it.
    let name = unqualified(&first.name).unwrap_or(&first.name);
    match model.function(singleton, name) {
        Some(function) => {
            let window = Window::of(function, first.arguments.as_ref(), options)?;
            in_function(window, Vec::new(), rest)
        }
        None => Err(not_found(first)),
    }
}

/// What follows a report function: nothing, the number of its rows, or the
/// stream that Graph's version 1.0 declares it to give.
fn in_function(
    window: Window,
    mut filters: Vec<String>,
    rest: &[Segment],
) -> Result<Resource, Error> {
    let Some((first, rest)) = rest.split_first() else {
        return Ok(Resource::Function(window, filters));
    };
    if let Some(filter) = filter(first) {
        filters.push(filter.to_owned());
        return in_function(window, filters, rest);
    }
    if named(first, "$count") {
        return end(rest, Resource::ReportCount(window, filters));
    }
    // A cast to the type that all have changes nothing.
    if plain(first) && names_type(&first.name, &window.function.entity_set.entity_type.name) {
        return in_function(window, filters, rest);
    }
    if named(first, "content") && filters.is_empty() {
        return end(rest, Resource::Function(window, filters));
    }
    Err(known(first, &["$each"]))
}

/// What stands in `$filter(…)`.
fn filter(segment: &Segment) -> Option<&str> {
    match &segment.arguments {
        Some(Arguments::Expression(text)) if segment.name.eq_ignore_ascii_case("$filter") => {
            Some(text)
        }
        _ => None,
    }
}

fn in_set(
    place: Place,
    segment: &Segment,
    rest: &[Segment],
    options: &Options,
) -> Result<Resource, Error> {
    if let Some(arguments) = &segment.arguments {
        let selector = selector(&place.set, arguments, options)?;
        return in_entity(place, selector, rest);
    }
    let Some((first, after)) = rest.split_first() else { return Ok(Resource::Set(place)) };
    // A cast to the type that all have changes nothing.
    if names_type(&first.name, &place.set.entity_type.name) {
        return in_set(place, first, after, options);
    }
    if is_delta(first) {
        return end(after, Resource::Delta(place));
    }
    if first.name.starts_with('$') || !plain(first) {
        return in_collection(place, rest);
    }
    let rest = after;
    let selector = Selector::Key(primitive::guid(&first.name).ok_or_else(|| no_such(&first.name))?);
    in_entity(place, selector, rest)
}

/// What follows a set, of which expressions in the path may leave a part.
fn in_collection(mut place: Place, rest: &[Segment]) -> Result<Resource, Error> {
    let Some((first, rest)) = rest.split_first() else { return Ok(Resource::Set(place)) };
    if let Some(filter) = filter(first) {
        place.filters.push(filter.to_owned());
        return in_collection(place, rest);
    }
    if named(first, "$count") {
        return end(rest, Resource::Count(place));
    }
    if named(first, "$ref") {
        return end(rest, Resource::References(place));
    }
    if plain(first) && names_type(&first.name, &place.set.entity_type.name) {
        return in_collection(place, rest);
    }
    Err(known(first, &["$each", "$all"]))
}

/// The function of change tracking, with or without its namespace and its parentheses.
fn is_delta(segment: &Segment) -> bool {
    let name = unqualified(&segment.name).unwrap_or(&segment.name);
    name.eq_ignore_ascii_case(DELTA) && matches!(segment.arguments, None | Some(Arguments::Empty))
}

fn in_entity(place: Place, selector: Selector, rest: &[Segment]) -> Result<Resource, Error> {
    let Some((first, rest)) = rest.split_first() else {
        return Ok(Resource::Entity(place, selector));
    };
    let ty = &place.set.entity_type;
    if plain(first) && names_type(&first.name, &ty.name) {
        return in_entity(place, selector, rest);
    }
    if named(first, "$ref") {
        return end(rest, Resource::Reference(place, selector));
    }
    if named(first, "$value") {
        let message = format!(
            "An entity of type {} is no media stream. Expected '$value' after a primitive property.",
            ty.name
        );
        return Err(Error::bad_request(message).about("$value"));
    }
    match ty.properties.iter().position(|property| named(first, &property.name)) {
        Some(at) => in_property(place, selector, at, rest),
        None => Err(not_found(first)),
    }
}

fn in_property(
    place: Place,
    selector: Selector,
    at: usize,
    rest: &[Segment],
) -> Result<Resource, Error> {
    let Some((first, rest)) = rest.split_first() else {
        return Ok(Resource::Property(place, selector, at));
    };
    let property = &place.set.entity_type.properties[at];
    if !named(first, "$value") {
        // A collection has a number of items, and no report in the catalogue has one.
        let counted: &[&str] = match property.ty {
            Type::Collection(_) => &["$count"],
            _ => &[],
        };
        return Err(known(first, counted));
    }
    if matches!(property.ty, Type::Collection(_) | Type::Complex(_)) {
        let message = format!(
            "The property '{}' is of type {} and has no raw value. Expected '$value' after a \
             primitive property.",
            property.name, property.ty
        );
        return Err(Error::bad_request(message).about("$value"));
    }
    end(rest, Resource::Value(place, selector, at))
}

/// The entity whose address, absolute or relative to the service root, is in
/// `$id`; a cast to its type may follow.
fn by_id(
    model: &Model,
    root: &str,
    rest: &[Segment],
    options: &Options,
) -> Result<Resource, Error> {
    let wrong = || {
        let message = format!(
            "Expected $entity?$id= and the address of an entity, relative to {root}/ or absolute."
        );
        Error::bad_request(message).about("$id")
    };
    // Without `$` it is an everyday word elsewhere.
    let id = options.get(SystemOption::Id).or_else(|| options.custom("id")).ok_or_else(wrong)?;
    let path = below(root, id).unwrap_or(id);
    // An address that would need another `$id` is none of an entity.
    let segments = path::parse(path)?;
    let entity = match segments.first() {
        Some(first) if !named(first, "$entity") => resolve(model, root, &segments, options)?,
        _ => return Err(wrong()),
    };
    let Resource::Entity(place, selector) = entity else { return Err(wrong()) };
    let rest = match rest {
        [cast, rest @ ..] if plain(cast) && names_type(&cast.name, &place.set.entity_type.name) => {
            rest
        }
        rest => rest,
    };
    end(rest, Resource::ById(place, selector))
}

fn plain(segment: &Segment) -> bool {
    segment.arguments.is_none()
}

/// Whether a segment is this name alone, in any letter case.
fn named(segment: &Segment, name: &str) -> bool {
    plain(segment) && segment.name.eq_ignore_ascii_case(name)
}

fn end(rest: &[Segment], resource: Resource) -> Result<Resource, Error> {
    rest.first().map_or(Ok(resource), |segment| Err(not_found(segment)))
}

/// A segment that OData knows and that is not served, or one that nobody knows.
fn known(segment: &Segment, names: &[&str]) -> Error {
    if names.iter().any(|name| segment.name.eq_ignore_ascii_case(name)) {
        return not_served(&format!("The segment '{}'", segment.name));
    }
    not_found(segment)
}

fn not_served(what: &str) -> Error {
    Error::new(Code::NotImplemented, format!("{what} is not served here."))
}

fn not_found(segment: &Segment) -> Error {
    let name = &segment.name;
    Error::bad_request(format!("Resource not found for the segment '{name}'.")).about(name.as_str())
}

/// There is no entity of this name, or none that this tenant may know of.
pub fn no_such(name: &str) -> Error {
    let message = format!(
        "Resource '{name}' does not exist or one of its queried reference-property objects are \
         not present."
    );
    Error::new(Code::NotFound, message)
}

#[cfg(test)]
mod tests;
