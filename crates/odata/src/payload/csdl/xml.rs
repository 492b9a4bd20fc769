//! CSDL as XML.
//!
//! The document says `Version="4.0"` so that clients of either version of the
//! protocol read it, and uses nothing that 4.0 lacks.

mod text;

use super::tree::{
    Annotation, Container, Expression, Member, Overload, Schema, Set, Singleton, Structured,
};
use super::{VOCABULARIES, Vocabulary};
use crate::edm::NAMESPACE;
use text::Xml;

const EDMX: &str = "http://docs.oasis-open.org/odata/ns/edmx";

const EDM: &str = "http://docs.oasis-open.org/odata/ns/edm";

/// The whole document.
pub(super) fn document(tree: &Schema) -> String {
    let mut xml = Xml::new();
    xml.element("edmx:Edmx", &[("Version", "4.0"), ("xmlns:edmx", EDMX)], |xml| {
        for vocabulary in VOCABULARIES {
            reference(xml, vocabulary);
        }
        xml.element("edmx:DataServices", &[], |xml| schema(xml, tree));
    });
    xml.finish()
}

fn reference(xml: &mut Xml, vocabulary: &Vocabulary) {
    let Vocabulary { namespace, alias } = vocabulary;
    xml.element("edmx:Reference", &[("Uri", &vocabulary.published("xml"))], |xml| {
        xml.empty("edmx:Include", &[("Namespace", namespace), ("Alias", alias)]);
    });
}

fn schema(xml: &mut Xml, tree: &Schema) {
    let (namespace, alias) = NAMESPACE;
    let attributes = [("Namespace", namespace), ("Alias", alias), ("xmlns", EDM)];
    xml.element("Schema", &attributes, |xml| {
        tree.types.iter().for_each(|ty| structured(xml, ty));
        for (name, overloads) in &tree.functions {
            for one in overloads {
                overload(xml, name, one);
            }
        }
        container(xml, &tree.container);
    });
}

fn structured(xml: &mut Xml, ty: &Structured) {
    let mut attributes = vec![("Name", ty.name.as_str())];
    if let Some(base) = &ty.base {
        attributes.push(("BaseType", base));
    }
    if ty.is_abstract {
        attributes.push(("Abstract", "true"));
    }
    xml.element(ty.kind.text(), &attributes, |xml| {
        if let Some(key) = &ty.key {
            xml.element("Key", &[], |xml| xml.empty("PropertyRef", &[("Name", key)]));
        }
        ty.members.iter().for_each(|one| member(xml, one));
        annotations(xml, &ty.annotations);
    });
}

fn member(xml: &mut Xml, member: &Member) {
    let ty = member.ty.to_string();
    let precision = member.precision.map(|digits| digits.to_string());
    let mut attributes = vec![("Name", member.name.as_str()), ("Type", ty.as_str())];
    // Collections of entities have no nulls, and must not say so.
    if !member.nullable && !member.navigation {
        attributes.push(("Nullable", "false"));
    }
    if let Some(precision) = &precision {
        attributes.push(("Precision", precision));
    }
    let name = if member.navigation { "NavigationProperty" } else { "Property" };
    xml.element(name, &attributes, |xml| annotations(xml, &member.annotations));
}

fn overload(xml: &mut Xml, name: &str, overload: &Overload) {
    let composable = overload.composable.then_some(("IsComposable", "true"));
    let attributes: Vec<_> =
        [("Name", name), ("IsBound", "true")].into_iter().chain(composable).collect();
    xml.element("Function", &attributes, |xml| {
        for (name, ty) in &overload.parameters {
            let ty = ty.to_string();
            xml.empty("Parameter", &[("Name", name), ("Type", &ty), ("Nullable", "false")]);
        }
        let returns = overload.returns.to_string();
        xml.empty("ReturnType", &[("Type", &returns), ("Nullable", "false")]);
    });
}

fn container(xml: &mut Xml, container: &Container) {
    xml.element("EntityContainer", &[("Name", container.name)], |xml| {
        annotations(xml, &container.annotations);
        container.sets.iter().for_each(|set| entity_set(xml, set));
        container.singletons.iter().for_each(|one| singleton(xml, one));
    });
}

fn entity_set(xml: &mut Xml, set: &Set) {
    let attributes = [("Name", set.name.as_str()), ("EntityType", &set.entity_type)];
    xml.element("EntitySet", &attributes, |xml| annotations(xml, &set.annotations));
}

fn singleton(xml: &mut Xml, singleton: &Singleton) {
    let attributes = [("Name", singleton.name.as_str()), ("Type", &singleton.entity_type)];
    xml.element("Singleton", &attributes, |xml| {
        for (path, target) in &singleton.bindings {
            xml.empty("NavigationPropertyBinding", &[("Path", path), ("Target", target)]);
        }
        annotations(xml, &singleton.annotations);
    });
}

fn annotations(xml: &mut Xml, annotations: &[Annotation]) {
    for one in annotations {
        valued(xml, "Annotation", ("Term", one.term), &one.value);
    }
}

/// An element that has a value: as an attribute where it is constant, else below it.
fn valued(xml: &mut Xml, name: &str, named: (&str, &str), value: &Expression) {
    match constant(value) {
        Some((kind, text)) => xml.empty(name, &[named, (kind, &text)]),
        None => xml.element(name, &[named], |xml| expression(xml, value)),
    }
}

/// What may be written as an attribute: its name and text.
fn constant(value: &Expression) -> Option<(&'static str, String)> {
    match value {
        Expression::Text(text) => Some(("String", text.clone())),
        Expression::Flag(flag) => Some(("Bool", flag.to_string())),
        Expression::Number(number) => Some(("Int", number.to_string())),
        Expression::Property(name) => Some(("PropertyPath", name.clone())),
        _ => None,
    }
}

fn expression(xml: &mut Xml, value: &Expression) {
    match value {
        Expression::List(items) => xml.element("Collection", &[], |xml| {
            for item in items {
                expression(xml, item);
            }
        }),
        Expression::Record(ty, values) => {
            let attributes: Vec<(&str, &str)> = ty.iter().map(|ty| ("Type", *ty)).collect();
            xml.element("Record", &attributes, |xml| {
                for (name, value) in values {
                    valued(xml, "PropertyValue", ("Property", name), value);
                }
            });
        }
        Expression::NotGreater(both) => xml.element("Le", &[], |xml| {
            both.iter().for_each(|one| expression(xml, one));
        }),
        Expression::Path(path) => xml.text("Path", path),
        Expression::Members(of, names) => {
            let names: Vec<String> = names.iter().map(|name| format!("{of}/{name}")).collect();
            xml.text("EnumMember", &names.join(" "));
        }
        other => {
            if let Some((kind, text)) = constant(other) {
                xml.text(kind, &text);
            }
        }
    }
}
