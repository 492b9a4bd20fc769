//! Bodies as JSON Schema: entities as they are sent and as they are answered,
//! lists, errors.

mod values;

use serde_json::{Map, Value as Json, json};

use crate::edm::{ComplexType, EntitySet, EntityType, Model, Role};
use crate::error::Code;
use values::{Way, property};
pub(super) use values::{literal, value_of as value};

/// The name of the schema of a set's body for this method.
pub fn body_of(set: &EntitySet, method: &str) -> String {
    let form = match method {
        "POST" => "create",
        "PUT" => "replace",
        _ => "change",
    };
    format!("{}.{form}", set.name)
}

/// Every schema, by name.
pub(super) fn all(model: &Model) -> Map<String, Json> {
    let mut all = Map::new();
    for complex in &model.complex_types {
        all.insert(complex.name.clone(), complex_type(complex));
    }
    for set in &model.entity_sets {
        all.insert(format!("{}.read", set.name), read(set));
        all.insert(format!("{}.item", set.name), item(set));
        all.insert(format!("{}.row", set.name), row(set));
        for method in ["POST", "PUT", "PATCH"] {
            all.insert(body_of(set, method), written(set, method));
        }
    }
    all.insert("error".to_owned(), error());
    all
}

/// The schema of a set's entity as it is read.
pub(super) fn entity_of(set: &EntitySet) -> Json {
    super::reference("schemas", &format!("{}.read", set.name))
}

/// The address of an entity.
pub(super) fn reference() -> Json {
    json!({ "type": "object", "required": ["@odata.id"], "properties": { "@odata.id": url() } })
}

/// A list of entities, rows or addresses: `counted` where it may have a count and further pages.
pub(super) fn collection(item: &Json, counted: bool) -> Json {
    let mut schema = json!({
        "type": "object",
        "required": ["@odata.context", "value"],
        "properties": {
            "@odata.context": url(),
            "value": { "type": "array", "items": item },
        },
    });
    if counted {
        schema["properties"]["@odata.count"] = json!({
            "type": "integer", "minimum": 0,
            "description": "The number of all objects, over all pages.",
        });
        schema["properties"]["@odata.nextLink"] = json!({
            "type": "string", "format": "uri",
            "description": "The next page, where there is one. Follow it unchanged: its \
                            $skiptoken holds for the same request alone.",
        });
    }
    schema
}

/// A list whose client tracks changes.
pub(super) fn tracked(mut collection: Json) -> Json {
    collection["properties"]["@odata.deltaLink"] = json!({
        "type": "string", "format": "uri",
        "description": "What has changed since, after the last page. Follow it unchanged.",
    });
    collection
}

/// The service document.
pub(super) fn service() -> Json {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "required": ["@odata.context", "value"],
        "properties": {
            "@odata.context": url(),
            "value": { "type": "array", "items": {
                "type": "object",
                "required": ["name", "kind", "url"],
                "properties": { "name": text, "kind": text, "url": text },
            } },
        },
    })
}

/// An object with nothing but its context.
pub(super) fn context() -> Json {
    json!({
        "type": "object",
        "required": ["@odata.context"],
        "properties": { "@odata.context": url() },
    })
}

fn url() -> Json {
    json!({ "type": "string", "format": "uri" })
}

/// One entity, as an answer of its own.
fn entity(set: &EntitySet) -> Json {
    let annotations = [("@odata.context", url()), ("@odata.type", type_name(&set.entity_type))];
    shown(set, &annotations, true)
}

/// One entity as it is read: $select may leave any property out.
fn read(set: &EntitySet) -> Json {
    let mut read = entity(set);
    read["required"] = json!(["@odata.context"]);
    read
}

/// One entity of a list.
fn item(set: &EntitySet) -> Json {
    let mut item = shown(set, &[("@odata.etag", json!({ "type": "string" }))], true);
    // $select and $apply may leave any of them out, $compute and $apply add others.
    item["required"] = json!([]);
    item
}

/// One row of a report function, which has no key.
fn row(set: &EntitySet) -> Json {
    shown(set, &[], false)
}

/// What an answer shows of an entity: every property, nulls included.
fn shown(set: &EntitySet, annotations: &[(&str, Json)], keyed: bool) -> Json {
    let own = set.entity_type.properties.iter().enumerate().skip(usize::from(!keyed));
    let own = own.map(|(at, one)| (one.name.clone(), property(one, set.nullable(at), Way::Out)));
    let annotations = annotations.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone()));
    let properties: Map<String, Json> = annotations.chain(own).collect();
    json!({
        "type": "object",
        "description": set.entity_type.description,
        "required": properties.keys().collect::<Vec<_>>(),
        "properties": properties,
    })
}

/// What a body may say of an entity.
fn written(set: &EntitySet, method: &str) -> Json {
    let all = &set.entity_type.properties;
    let mut properties: Map<String, Json> = all
        .iter()
        .enumerate()
        .map(|(at, one)| (one.name.clone(), property(one, set.nullable(at), Way::In)))
        .collect();
    if method != "POST" {
        properties[&all[0].name]["readOnly"] = true.into();
    }
    properties.insert("@odata.type".to_owned(), type_name(&set.entity_type));
    // Other annotations are taken and not looked at; these are what an answer has.
    for name in ["@odata.context", "@odata.etag"] {
        properties.insert(name.to_owned(), json!({}));
    }
    let positions = all.iter().enumerate().skip(1);
    let required = positions.filter(|(at, _)| match method {
        "POST" => true,
        "PUT" => !set.nullable(*at),
        _ => false,
    });
    json!({
        "type": "object",
        "description": rules(&set.entity_type),
        "required": required.map(|(_, one)| one.name.as_str()).collect::<Vec<_>>(),
        "properties": properties,
        "additionalProperties": false,
    })
}

/// What an entity is, with the rules between its values, which JSON Schema
/// has no words for.
fn rules(ty: &EntityType) -> String {
    let name = |role| ty.in_role(role).map(|at| ty.properties[at].name.as_str());
    let (date, refreshed) = (name(Role::Date), name(Role::Refreshed));
    let future =
        refreshed.map(|refreshed| format!("{refreshed} is no later than tomorrow in UTC."));
    let order = date.zip(refreshed).map(|(date, last)| format!("{date} is not after {last}."));
    let rules = [Some(ty.description.clone()), future, order];
    rules.into_iter().flatten().collect::<Vec<String>>().join(" ")
}

fn type_name(ty: &EntityType) -> Json {
    json!({ "const": format!("#{}", ty.name) })
}

fn complex_type(complex: &ComplexType) -> Json {
    let properties = complex.properties.iter();
    let properties: Map<String, Json> =
        properties.map(|one| (one.name.clone(), property(one, true, Way::Out))).collect();
    json!({ "type": "object", "properties": properties })
}

/// The body of a refusal, in Graph's shape.
fn error() -> Json {
    let text = json!({ "type": "string" });
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.text()).collect();
    let detail = json!({
        "type": "object",
        "required": ["code", "message"],
        "properties": { "code": text, "message": text, "target": text },
    });
    let stamp = ["date", "request-id", "client-request-id"];
    json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message", "innerError"],
            "properties": {
                "code": { "type": "string", "enum": codes },
                "message": text,
                "target": text,
                "details": { "type": "array", "items": detail },
                "innerError": {
                    "type": "object",
                    "required": stamp,
                    "properties": stamp.map(|name| (name.to_owned(), text.clone()))
                        .into_iter().collect::<Map<String, Json>>(),
                },
            },
        } },
    })
}
