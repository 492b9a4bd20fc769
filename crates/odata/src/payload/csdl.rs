//! `$metadata`: the model as CSDL, with every rule that goes beyond a type.
//!
//! One walk over the model makes a tree, and both formats are written from it:
//! they cannot say different things.

mod annotations;
mod format;
mod json;
mod tree;
mod xml;

use std::sync::Arc;

use crate::edm::{
    ComplexType, EntitySet, EntityType, Function, Model, Property, Type, singleton_type,
};
use crate::plan::resource::DELTA;
use crate::plan::window;
pub use format::Format;
use tree::{Container, Kind, Member, Overload, Schema, Set, Singleton, Structured, TypeUse};

/// The vocabularies whose terms are used.
const VOCABULARIES: &[Vocabulary] = &[
    Vocabulary { namespace: "Org.OData.Aggregation.V1", alias: "Aggregation" },
    Vocabulary { namespace: "Org.OData.Capabilities.V1", alias: "Capabilities" },
    Vocabulary { namespace: "Org.OData.Core.V1", alias: "Core" },
    Vocabulary { namespace: "Org.OData.Repeatability.V1", alias: "Repeatability" },
    Vocabulary { namespace: "Org.OData.Validation.V1", alias: "Validation" },
];

/// A vocabulary of OASIS.
struct Vocabulary {
    namespace: &'static str,
    alias: &'static str,
}

impl Vocabulary {
    /// Where OASIS publishes it in this format.
    fn published(&self, format: &str) -> String {
        const PLACE: &str = "https://oasis-tcs.github.io/odata-vocabularies/vocabularies";
        format!("{PLACE}/{}.{format}", self.namespace)
    }
}

/// Durations are kept to the nanosecond; without a precision whole seconds would be meant.
const DURATION_DIGITS: u8 = 9;

/// `$metadata` in this format. The same model gives the same text.
pub fn document(model: &Model, format: Format) -> String {
    match format {
        Format::Xml => xml(model),
        Format::Json => json(model),
    }
}

/// `$metadata` as XML.
pub fn xml(model: &Model) -> String {
    xml::document(&schema(model))
}

/// `$metadata` as JSON.
pub fn json(model: &Model) -> String {
    json::document(&schema(model))
}

fn schema(model: &Model) -> Schema {
    let complex = model.complex_types.iter().map(|one| complex_type(one));
    let entities = model.entity_types.iter().map(|one| entity_type(model, one));
    let singletons = model.singletons();
    let roots = singletons.iter().map(|one| root_type(model, one));
    let functions = model.functions.iter().map(|one| (one.name.clone(), overloads(one)));
    Schema {
        types: complex.chain(entities).chain(roots).collect(),
        functions: functions.chain(deltas(model)).collect(),
        container: Container {
            name: "GraphService",
            sets: model.entity_sets.iter().map(|set| entity_set(model, set)).collect(),
            singletons: singletons.iter().map(|one| singleton(model, one)).collect(),
            annotations: annotations::container(),
        },
    }
}

fn complex_type(complex: &ComplexType) -> Structured {
    let members = complex.properties.iter().map(|one| property(one, true)).collect();
    structured(Kind::Complex, short(&complex.name), members)
}

fn entity_type(model: &Model, ty: &EntityType) -> Structured {
    let identity = shared_identity(model, ty);
    let inherited = ty.base.as_ref().map_or(0, |base| base.properties.len());
    let own = ty.properties.iter().enumerate().skip(inherited);
    let members = own.map(|(at, one)| property(one, at != 0 && !identity.contains(&at)));
    Structured {
        base: ty.base.as_ref().map(|base| base.name.clone()),
        is_abstract: ty.base.is_none(),
        key: ty.base.is_none().then(|| ty.key().name.clone()),
        annotations: annotations::entity_type(ty, identity),
        ..structured(Kind::Entity, short(&ty.name), members.collect())
    }
}

fn structured(kind: Kind, name: &str, members: Vec<Member>) -> Structured {
    let (name, annotations) = (name.to_owned(), Vec::new());
    Structured { kind, name, base: None, is_abstract: false, key: None, members, annotations }
}

fn property(property: &Property, nullable: bool) -> Member {
    let (item, collection) = match &property.ty {
        Type::Collection(item) => (item.as_ref(), true),
        single => (single, false),
    };
    Member {
        name: property.name.clone(),
        ty: TypeUse { name: item.to_string(), collection },
        navigation: false,
        nullable: nullable && !collection,
        precision: (item == &Type::Duration).then_some(DURATION_DIGITS),
        annotations: annotations::property(property),
    }
}

/// The type of a singleton. It has no key, as nothing has properties there,
/// and leads to its entity sets without containing them.
fn root_type(model: &Model, singleton: &str) -> Structured {
    let sets = model.entity_sets.iter().filter(|set| set.under == singleton);
    let members = sets.map(|set| Member {
        name: set.name.clone(),
        ty: TypeUse::collection(&*set.entity_type.name),
        navigation: true,
        nullable: false,
        precision: None,
        annotations: Vec::new(),
    });
    structured(Kind::Entity, short(&singleton_type(singleton)), members.collect())
}

/// A report function, once without and once with the last day of its window.
/// CSV is another representation of the rows that it declares.
fn overloads(function: &Function) -> Vec<Overload> {
    let root = singleton_type(function.under());
    let bound = (short(&root).to_owned(), TypeUse::single(&*root));
    let named = |name: &str, ty: &str| (name.to_owned(), TypeUse::single(ty));
    let period = function.takes_period().then(|| named(window::PERIOD, "Edm.String"));
    let last = function.takes_last_day().then(|| named(window::LAST_DAY, "Edm.Date"));
    let returns = TypeUse::collection(&*function.entity_set.entity_type.name);
    let base: Vec<_> = [bound].into_iter().chain(period).collect();
    let longer = last.map(|last| base.iter().cloned().chain([last]).collect());
    let all = [base].into_iter().chain(longer);
    let one = |parameters| Overload { parameters, returns: returns.clone(), composable: true };
    all.map(one).collect()
}

/// The function of change tracking, once for each type that has a set.
fn deltas(model: &Model) -> Option<(String, Vec<Overload>)> {
    let mut types: Vec<&str> = Vec::new();
    for set in &model.entity_sets {
        if !types.contains(&set.entity_type.name.as_str()) {
            types.push(&set.entity_type.name);
        }
    }
    let overload = |name: &&str| {
        let entities = TypeUse::collection(*name);
        let bound = ("bindingParameter".to_owned(), entities.clone());
        Overload { parameters: vec![bound], returns: entities, composable: false }
    };
    let all: Vec<Overload> = types.iter().map(overload).collect();
    (!all.is_empty()).then(|| (DELTA.to_owned(), all))
}

fn entity_set(model: &Model, set: &EntitySet) -> Set {
    let own = shared_identity(model, &set.entity_type).is_empty();
    let key = own.then(|| annotations::alternate_key(&set.entity_type, &set.identity));
    Set {
        name: set.name.clone(),
        entity_type: set.entity_type.name.clone(),
        annotations: key.into_iter().chain(annotations::entity_set(set)).collect(),
    }
}

fn singleton(model: &Model, name: &str) -> Singleton {
    let sets = model.entity_sets.iter().filter(|set| set.under == name);
    Singleton {
        name: name.to_owned(),
        entity_type: singleton_type(name),
        bindings: sets.map(|set| (set.name.clone(), set.name.clone())).collect(),
        annotations: annotations::singleton(),
    }
}

/// The identity of all sets of this type, where they agree: it is then
/// declared once, on the type, where clients look for it.
fn shared_identity<'a>(model: &'a Model, ty: &EntityType) -> &'a [usize] {
    let of_type = |set: &&Arc<EntitySet>| set.entity_type.name == ty.name;
    let mut sets = model.entity_sets.iter().filter(of_type);
    let Some(first) = sets.next() else { return &[] };
    if sets.all(|set| set.identity == first.identity) { &first.identity } else { &[] }
}

/// A type's name without the namespace.
fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use crate::catalog;

    #[test]
    fn the_embedded_catalogue_as_csdl() {
        let model = catalog::load(catalog::EMBEDDED).unwrap();
        insta::assert_snapshot!(super::xml(&model));
    }
}
