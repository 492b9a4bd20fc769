//! CSDL as JSON, version 4.01: the same as the XML says, member for member.

use serde_json::{Map, Value as Json, json};

use super::VOCABULARIES;
use super::tree::{
    Annotation, Container, Expression, Member, Overload, Schema, Singleton, Structured, TypeUse,
};
use crate::edm::NAMESPACE;

type Object = Map<String, Json>;

/// The whole document.
pub(super) fn document(tree: &Schema) -> String {
    let references: Object = VOCABULARIES
        .iter()
        .map(|vocabulary| {
            let include =
                json!([{ "$Namespace": vocabulary.namespace, "$Alias": vocabulary.alias }]);
            (vocabulary.published("json"), json!({ "$Include": include }))
        })
        .collect();
    let document = json!({
        "$Version": "4.01",
        "$EntityContainer": format!("{}.{}", NAMESPACE.0, tree.container.name),
        "$Reference": references,
        NAMESPACE.0: schema(tree),
    });
    // A value without foreign types always has a JSON form.
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

fn schema(tree: &Schema) -> Object {
    let types = tree.types.iter().map(|ty| (ty.name.clone(), structured(ty).into()));
    let functions = tree
        .functions
        .iter()
        .map(|(name, overloads)| (name.clone(), overloads.iter().map(overload).collect()));
    let container = (tree.container.name.to_owned(), container(&tree.container).into());
    let alias = ("$Alias".to_owned(), NAMESPACE.1.into());
    [alias, container].into_iter().chain(types).chain(functions).collect()
}

fn structured(ty: &Structured) -> Object {
    let mut object = annotated(&ty.annotations);
    object.insert("$Kind".to_owned(), ty.kind.text().into());
    if let Some(base) = &ty.base {
        object.insert("$BaseType".to_owned(), base.as_str().into());
    }
    if ty.is_abstract {
        object.insert("$Abstract".to_owned(), true.into());
    }
    if let Some(key) = &ty.key {
        object.insert("$Key".to_owned(), json!([key]));
    }
    object.extend(ty.members.iter().map(|one| (one.name.clone(), member(one).into())));
    object
}

fn member(member: &Member) -> Object {
    let mut object = annotated(&member.annotations);
    if member.navigation {
        object.insert("$Kind".to_owned(), "NavigationProperty".into());
    }
    object.extend(typed(&member.ty));
    if member.nullable {
        object.insert("$Nullable".to_owned(), true.into());
    }
    if let Some(precision) = member.precision {
        object.insert("$Precision".to_owned(), precision.into());
    }
    object
}

/// A type as it is used; strings are meant where none is named.
fn typed(ty: &TypeUse) -> Object {
    let mut object = Object::new();
    if ty.collection {
        object.insert("$Collection".to_owned(), true.into());
    }
    if ty.name != "Edm.String" {
        object.insert("$Type".to_owned(), ty.name.as_str().into());
    }
    object
}

fn overload(overload: &Overload) -> Json {
    let parameters = overload.parameters.iter().map(|(name, ty)| {
        let mut object = typed(ty);
        object.insert("$Name".to_owned(), name.as_str().into());
        Json::from(object)
    });
    let mut function = json!({
        "$Kind": "Function",
        "$IsBound": true,
        "$Parameter": parameters.collect::<Vec<Json>>(),
        "$ReturnType": typed(&overload.returns),
    });
    if overload.composable {
        function["$IsComposable"] = true.into();
    }
    function
}

fn container(container: &Container) -> Object {
    let mut object = annotated(&container.annotations);
    object.insert("$Kind".to_owned(), "EntityContainer".into());
    for set in &container.sets {
        let mut members = annotated(&set.annotations);
        members.extend(typed(&TypeUse::collection(&*set.entity_type)));
        object.insert(set.name.clone(), members.into());
    }
    object.extend(container.singletons.iter().map(|one| (one.name.clone(), singleton(one).into())));
    object
}

fn singleton(singleton: &Singleton) -> Object {
    let mut object = annotated(&singleton.annotations);
    object.extend(typed(&TypeUse::single(&*singleton.entity_type)));
    let bindings = singleton.bindings.iter();
    let bindings: Object =
        bindings.map(|(path, target)| (path.clone(), target.as_str().into())).collect();
    object.insert("$NavigationPropertyBinding".to_owned(), bindings.into());
    object
}

fn annotated(annotations: &[Annotation]) -> Object {
    annotations.iter().map(|one| (format!("@{}", one.term), expression(&one.value))).collect()
}

fn expression(value: &Expression) -> Json {
    match value {
        Expression::Text(text) | Expression::Property(text) => text.as_str().into(),
        Expression::Flag(flag) => (*flag).into(),
        Expression::Number(number) => (*number).into(),
        Expression::Path(path) => json!({ "$Path": path }),
        Expression::Members(_, names) => names.join(",").into(),
        Expression::List(items) => items.iter().map(expression).collect(),
        Expression::Record(ty, values) => {
            let ty = ty.map(|ty| ("@type".to_owned(), type_url(ty).into()));
            let values = values.iter().map(|(name, value)| ((*name).to_owned(), expression(value)));
            Json::from(ty.into_iter().chain(values).collect::<Object>())
        }
        Expression::NotGreater(both) => json!({ "$Le": both.each_ref().map(expression) }),
    }
}

/// A type of a vocabulary, by the address that it is published at.
fn type_url(name: &str) -> String {
    let (alias, short) = name.split_once('.').unwrap_or_default();
    let vocabulary = VOCABULARIES.iter().find(|one| one.alias == alias);
    vocabulary.map_or_else(
        || format!("#{name}"),
        |one| format!("{}#{}.{short}", one.published("json"), one.namespace),
    )
}
