//! From CSDL XML to CSDL JSON by the rules of both specifications, element by
//! element, knowing nothing of the model.

use serde_json::{Map, Value, json};

use super::xml::Element;

/// The JSON document that says what this XML document says.
pub fn translated(edmx: &Element) -> Value {
    let schema = edmx.find("Schema");
    let namespace = schema.get("Namespace").unwrap();
    let container = schema.find("EntityContainer").get("Name").unwrap();
    let mut references = Map::new();
    for reference in edmx.all("edmx:Reference") {
        let include = reference.find("edmx:Include");
        let include = json!({
            "$Namespace": include.get("Namespace"), "$Alias": include.get("Alias"),
        });
        references.insert(published(reference), json!({ "$Include": [include] }));
    }
    let mut document = json!({
        "$Version": "4.01",
        "$EntityContainer": format!("{namespace}.{container}"),
        "$Reference": references,
    });
    document[namespace] = members(edmx, schema);
    document[namespace]["$Alias"] = schema.get("Alias").into();
    document
}

fn published(reference: &Element) -> String {
    reference.get("Uri").unwrap().replace(".xml", ".json")
}

/// What an element's children say, each under its name.
fn members(edmx: &Element, owner: &Element) -> Value {
    let mut object = json!({});
    for child in &owner.children {
        let name = child.get("Name").unwrap_or_default();
        match child.name.as_str() {
            "Annotation" => {
                object[format!("@{}", child.get("Term").unwrap())] = value(edmx, child);
            }
            "Key" => object["$Key"] = child.all("PropertyRef").map(|one| one.get("Name")).collect(),
            "NavigationPropertyBinding" => {
                let path = child.get("Path").unwrap();
                object["$NavigationPropertyBinding"][path] = child.get("Target").into();
            }
            "Function" => {
                if object[name].is_null() {
                    object[name] = json!([]);
                }
                object[name].as_array_mut().unwrap().push(function(child));
            }
            _ => object[name] = named(edmx, child),
        }
    }
    object
}

fn named(edmx: &Element, element: &Element) -> Value {
    let mut object = members(edmx, element);
    match element.name.as_str() {
        "Property" => {}
        "EntitySet" => {
            object["$Collection"] = true.into();
            object["$Type"] = element.get("EntityType").into();
            return object;
        }
        "Singleton" => {
            object["$Type"] = element.get("Type").into();
            return object;
        }
        kind => object["$Kind"] = kind.into(),
    }
    if let Some(base) = element.get("BaseType") {
        object["$BaseType"] = base.into();
    }
    if element.get("Abstract") == Some("true") {
        object["$Abstract"] = true.into();
    }
    typed(element, object)
}

/// The same with type, nullability and precision, where they are not what JSON assumes.
fn typed(element: &Element, mut object: Value) -> Value {
    let Some(ty) = element.get("Type") else { return object };
    let item = ty.strip_prefix("Collection(").and_then(|rest| rest.strip_suffix(')'));
    if item.is_some() {
        object["$Collection"] = true.into();
    }
    if item.unwrap_or(ty) != "Edm.String" {
        object["$Type"] = item.unwrap_or(ty).into();
    }
    if element.name != "NavigationProperty" && element.get("Nullable") != Some("false") {
        object["$Nullable"] = true.into();
    }
    if let Some(digits) = element.get("Precision") {
        object["$Precision"] = digits.parse::<u8>().unwrap().into();
    }
    object
}

fn function(element: &Element) -> Value {
    let parameters = element.all("Parameter");
    let parameters = parameters.map(|one| typed(one, json!({ "$Name": one.get("Name") })));
    let mut object = json!({
        "$Kind": "Function",
        "$IsBound": element.get("IsBound") == Some("true"),
        "$Parameter": parameters.collect::<Vec<Value>>(),
        "$ReturnType": typed(element.find("ReturnType"), json!({})),
    });
    if element.get("IsComposable") == Some("true") {
        object["$IsComposable"] = true.into();
    }
    object
}

/// The value of an annotation or of a record's property.
fn value(edmx: &Element, owner: &Element) -> Value {
    let constant =
        owner.attributes.iter().find(|(name, _)| !["Term", "Property"].contains(&name.as_str()));
    match constant {
        Some((kind, text)) if kind == "Bool" => (text == "true").into(),
        Some((kind, text)) if kind == "Int" => text.parse::<i64>().unwrap().into(),
        Some((_, text)) => text.as_str().into(),
        None => expression(edmx, &owner.children[0]),
    }
}

fn expression(edmx: &Element, element: &Element) -> Value {
    let children = || element.children.iter().map(|one| expression(edmx, one));
    match element.name.as_str() {
        "Collection" => children().collect(),
        "Record" => {
            let mut object = json!({});
            if let Some(ty) = element.get("Type") {
                object["@type"] = type_url(edmx, ty).into();
            }
            for one in element.all("PropertyValue") {
                object[one.get("Property").unwrap()] = value(edmx, one);
            }
            object
        }
        "Le" => json!({ "$Le": children().collect::<Vec<Value>>() }),
        "Path" => json!({ "$Path": element.text }),
        "EnumMember" => {
            let members = element.text.split(' ').map(|one| one.rsplit('/').next().unwrap());
            members.collect::<Vec<&str>>().join(",").into()
        }
        "String" | "PropertyPath" => element.text.as_str().into(),
        other => panic!("{other}"),
    }
}

/// A type of another document, by that document's address.
fn type_url(edmx: &Element, name: &str) -> String {
    let (alias, short) = name.split_once('.').unwrap();
    let reference = edmx
        .all("edmx:Reference")
        .find(|one| one.find("edmx:Include").get("Alias") == Some(alias))
        .unwrap();
    let namespace = reference.find("edmx:Include").get("Namespace").unwrap();
    format!("{}#{namespace}.{short}", published(reference))
}
