//! `$metadata`: the model as CSDL XML, with every rule that goes beyond a type.
//!
//! The document says `Version="4.0"` so that clients of either version of the
//! protocol read it, and uses nothing that 4.0 lacks.

mod annotations;
mod xml;

use std::sync::Arc;

use crate::edm::{ComplexType, EntitySet, EntityType, Function, Model, Property, Type};
use crate::plan::window;
use xml::Xml;

/// The namespace of every type of a catalogue, and the alias that Graph gives it.
const NAMESPACE: (&str, &str) = ("microsoft.graph", "graph");

/// The vocabularies whose terms are used: namespace and alias.
const VOCABULARIES: &[(&str, &str)] = &[
    ("Org.OData.Capabilities.V1", "Capabilities"),
    ("Org.OData.Core.V1", "Core"),
    ("Org.OData.Validation.V1", "Validation"),
];

/// Where OASIS publishes its vocabularies.
const PUBLISHED: &str = "https://oasis-tcs.github.io/odata-vocabularies/vocabularies";

/// The whole `$metadata` document. The same model gives the same text.
pub fn xml(model: &Model) -> String {
    let mut xml = Xml::new();
    let edmx = "http://docs.oasis-open.org/odata/ns/edmx";
    xml.element("edmx:Edmx", &[("Version", "4.0"), ("xmlns:edmx", edmx)], |xml| {
        for (namespace, alias) in VOCABULARIES {
            reference(xml, namespace, alias);
        }
        xml.element("edmx:DataServices", &[], |xml| schema(xml, model));
    });
    xml.finish()
}

fn reference(xml: &mut Xml, namespace: &str, alias: &str) {
    let uri = format!("{PUBLISHED}/{namespace}.xml");
    xml.element("edmx:Reference", &[("Uri", &uri)], |xml| {
        xml.empty("edmx:Include", &[("Namespace", namespace), ("Alias", alias)]);
    });
}

fn schema(xml: &mut Xml, model: &Model) {
    let edm = "http://docs.oasis-open.org/odata/ns/edm";
    let (namespace, alias) = NAMESPACE;
    let attributes = [("Namespace", namespace), ("Alias", alias), ("xmlns", edm)];
    xml.element("Schema", &attributes, |xml| {
        model.complex_types.iter().for_each(|complex| complex_type(xml, complex));
        model.entity_types.iter().for_each(|ty| entity_type(xml, model, ty));
        model.singletons().iter().for_each(|singleton| root_type(xml, model, singleton));
        model.functions.iter().for_each(|function| overloads(xml, function));
        container(xml, model);
    });
}

fn complex_type(xml: &mut Xml, complex: &ComplexType) {
    xml.element("ComplexType", &[("Name", short(&complex.name))], |xml| {
        complex.properties.iter().for_each(|one| property(xml, one, true));
    });
}

fn entity_type(xml: &mut Xml, model: &Model, ty: &EntityType) {
    let mut attributes = vec![("Name", short(&ty.name))];
    match &ty.base {
        Some(base) => attributes.push(("BaseType", &base.name)),
        None => attributes.push(("Abstract", "true")),
    }
    let identity = shared_identity(model, ty);
    xml.element("EntityType", &attributes, |xml| {
        if ty.base.is_none() {
            let key = ty.key().name.as_str();
            xml.element("Key", &[], |xml| xml.empty("PropertyRef", &[("Name", key)]));
        }
        let inherited = ty.base.as_ref().map_or(0, |base| base.properties.len());
        for (at, one) in ty.properties.iter().enumerate().skip(inherited) {
            property(xml, one, at != 0 && !identity.contains(&at));
        }
        annotations::entity_type(xml, ty, identity);
    });
}

fn property(xml: &mut Xml, property: &Property, nullable: bool) {
    let ty = property.ty.to_string();
    let mut attributes = vec![("Name", property.name.as_str()), ("Type", ty.as_str())];
    // Of a collection it says whether items may be null, and they may not.
    if !nullable || matches!(property.ty, Type::Collection(_)) {
        attributes.push(("Nullable", "false"));
    }
    // Durations are kept to the nanosecond; without a precision whole seconds would be meant.
    if item(&property.ty) == &Type::Duration {
        attributes.push(("Precision", "9"));
    }
    xml.element("Property", &attributes, |xml| annotations::property(xml, property));
}

/// The type of a singleton. It has no key, as nothing has properties there,
/// and leads to its entity sets without containing them.
fn root_type(xml: &mut Xml, model: &Model, singleton: &str) {
    xml.element("EntityType", &[("Name", &root_name(singleton))], |xml| {
        for set in model.entity_sets.iter().filter(|set| set.under == singleton) {
            let ty = format!("Collection({})", set.entity_type.name);
            xml.empty("NavigationProperty", &[("Name", &set.name), ("Type", &ty)]);
        }
    });
}

/// A report function, once without and once with the last day of its window.
/// CSV is another representation of the rows that it declares.
fn overloads(xml: &mut Xml, function: &Function) {
    let root = root_name(function.under());
    let bound = (root.as_str(), format!("{}.{root}", NAMESPACE.0));
    let period = function.takes_period().then(|| (window::PERIOD, "Edm.String".to_owned()));
    let mut parameters: Vec<(&str, String)> = [bound].into_iter().chain(period).collect();
    overload(xml, function, &parameters);
    if function.takes_last_day() {
        parameters.push((window::LAST_DAY, "Edm.Date".to_owned()));
        overload(xml, function, &parameters);
    }
}

fn overload(xml: &mut Xml, function: &Function, parameters: &[(&str, String)]) {
    let attributes = [("Name", function.name.as_str()), ("IsBound", "true")];
    xml.element("Function", &attributes, |xml| {
        for (name, ty) in parameters {
            xml.empty("Parameter", &[("Name", name), ("Type", ty), ("Nullable", "false")]);
        }
        let rows = format!("Collection({})", function.entity_set.entity_type.name);
        xml.empty("ReturnType", &[("Type", &rows), ("Nullable", "false")]);
    });
}

fn container(xml: &mut Xml, model: &Model) {
    xml.element("EntityContainer", &[("Name", "GraphService")], |xml| {
        annotations::container(xml);
        model.entity_sets.iter().for_each(|set| entity_set(xml, model, set));
        model.singletons().iter().for_each(|name| singleton(xml, model, name));
    });
}

fn entity_set(xml: &mut Xml, model: &Model, set: &EntitySet) {
    let attributes = [("Name", set.name.as_str()), ("EntityType", &set.entity_type.name)];
    xml.element("EntitySet", &attributes, |xml| {
        if shared_identity(model, &set.entity_type).is_empty() {
            annotations::alternate_key(xml, &set.entity_type, &set.identity);
        }
        annotations::entity_set(xml, set);
    });
}

fn singleton(xml: &mut Xml, model: &Model, name: &str) {
    let ty = format!("{}.{}", NAMESPACE.0, root_name(name));
    xml.element("Singleton", &[("Name", name), ("Type", &ty)], |xml| {
        for set in model.entity_sets.iter().filter(|set| set.under == name) {
            let binding = [("Path", set.name.as_str()), ("Target", &set.name)];
            xml.empty("NavigationPropertyBinding", &binding);
        }
        annotations::singleton(xml);
    });
}

/// The identity of all sets of this type, where they agree: it is then
/// declared once, on the type, where clients look for it.
fn shared_identity<'a>(model: &'a Model, ty: &EntityType) -> &'a [usize] {
    let of_type = |set: &&Arc<EntitySet>| set.entity_type.name == ty.name;
    let mut sets = model.entity_sets.iter().filter(of_type);
    let Some(first) = sets.next() else { return &[] };
    if sets.all(|set| set.identity == first.identity) { &first.identity } else { &[] }
}

/// `reports` is of type `reportRoot`, as in Graph.
fn root_name(singleton: &str) -> String {
    format!("{}Root", singleton.strip_suffix('s').unwrap_or(singleton))
}

/// A type's name without the namespace.
fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The type of a collection's items, or the type itself.
fn item(ty: &Type) -> &Type {
    match ty {
        Type::Collection(item) => item,
        single => single,
    }
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
