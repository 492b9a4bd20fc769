//! Parts of an entity: properties, their plain values, its address.

use serde_json::{Value as Json, json};

use super::resources::{
    ANY, BODY, JSON, KEPT, LONG, WRITE, address, each_place, in_path, list_options, negotiated,
    odata, unchanged,
};
use super::{Address, Answer, Operation, parameters, schemas};
use crate::edm::{EntitySet, Model, Property, Type};
use crate::error::Code;
use crate::payload::primitive;

const TEXT: &str = "text/plain";

/// One entity by its address.
pub fn by_id(model: &Model) -> Vec<Address> {
    let sets: Vec<String> =
        model.entity_sets.iter().map(|set| format!("({}/)?{}", set.under, set.name)).collect();
    let key = primitive::GUID_IN.trim_start_matches('^').trim_end_matches('$');
    let pattern = format!("^({})(/{key}|\\('{key}'\\))$", sets.join("|"));
    let words = "The object's address from the service root on; an absolute one will do, too.";
    let mut id = parameters::query("$id", words, json!({ "type": "string", "pattern": pattern }));
    id["required"] = true.into();
    let entities = model.entity_sets.iter().map(|set| schemas::entity_of(set));
    let entity = json!({ "anyOf": entities.collect::<Vec<Json>>() });
    let get = negotiated(Operation::new("GET", "entity", "An object by its address"))
        .taking([parameters::omit_values()])
        .taking([id])
        .answering(200, odata("The object.", entity).with(&["ETag"]));
    vec![address("/$entity", vec![read(get)])]
}

/// The addresses of entities.
pub fn references(model: &Model) -> Vec<Address> {
    each_place(model, |set, place, id| {
        let page = schemas::collection(&schemas::reference(), true);
        let answer = odata("A page of addresses.", page);
        let options = list_options(set).into_iter().filter(|one| {
            // What an object shows and leads to says nothing of its address, and
            // what is made of objects has none.
            !["$apply", "$expand", "$select"].iter().any(|name| one["name"] == *name)
        });
        let get = Operation::new("GET", format!("{id}.references"), "The objects' addresses");
        let get = negotiated(get).taking(options).answering(200, answer);
        let get = get.refusing(ANY).refusing(KEPT).refusing(LONG);
        vec![address(&format!("{place}/$ref"), vec![get])]
    })
}

/// The address of an entity.
pub fn reference(model: &Model) -> Vec<Address> {
    each_place(model, |set, place, id| {
        let mut schema = schemas::reference();
        schema["properties"]["@odata.context"] = json!({ "type": "string", "format": "uri" });
        let get = Operation::new("GET", format!("{id}.reference"), "An object's address");
        let get = negotiated(get).answering(200, odata("The address.", schema).with(&["ETag"]));
        vec![of_entity(set, place, "/$ref", vec![read(get)])]
    })
}

/// The properties that can be written on their own: those that may be null.
pub fn properties(model: &Model) -> Vec<Address> {
    let single = |property: &Property| !matches!(property.ty, Type::Complex(_));
    each_property(model, single, |set, place, id, property| {
        let get = negotiated(Operation::new("GET", format!("{id}.read"), "A property"))
            .answering(200, alone(property))
            .answering(204, null());
        let mut sent = object(schemas::value(property, true));
        sent["additionalProperties"] = false.into();
        let put = Operation::new("PUT", format!("{id}.set"), "Set a property");
        let put = negotiated(put).reading(JSON, sent);
        let operations = vec![read(get), write(put, property), clear(id)];
        of_entity(set, place, &format!("/{}", property.name), operations)
    })
}

/// Their plain values.
pub fn values(model: &Model) -> Vec<Address> {
    let plain =
        |property: &Property| !matches!(property.ty, Type::Collection(_) | Type::Complex(_));
    each_property(model, plain, |set, place, id, property| {
        let id = format!("{id}.value");
        let headers = &["OData-Version", "ETag", "Vary", "Preference-Applied"];
        let text = json!({ "type": "string" });
        let text = Answer::new("The value.").with(headers).body(TEXT, text);
        let get = Operation::new("GET", format!("{id}.read"), "A property's plain value")
            .refusing(&[Code::NotAcceptable])
            .answering(200, text)
            .answering(204, null());
        let put = Operation::new("PUT", format!("{id}.set"), "Set a property to a plain value")
            .refusing(&[Code::NotAcceptable])
            .reading(TEXT, schemas::value(property, false));
        let operations = vec![read(get), write(put, property), clear(&id)];
        of_entity(set, place, &format!("/{}/$value", property.name), operations)
    })
}

/// A property that is not null, as an answer of its own.
fn alone(property: &Property) -> Answer {
    let mut shown = object(schemas::value(property, false));
    shown["properties"]["@odata.context"] = json!({ "type": "string", "format": "uri" });
    odata("The property.", shown).with(&["ETag"])
}

/// An object with this value and no other.
fn object(value: Json) -> Json {
    let mut object = json!({ "type": "object", "required": ["value"], "properties": {} });
    object["properties"]["value"] = value;
    object
}

fn null() -> Answer {
    let headers = &["OData-Version", "ETag", "Vary", "Preference-Applied"];
    Answer::new("It is null.").with(headers)
}

/// What all reads of one entity and of its parts have.
fn read(operation: Operation) -> Operation {
    operation
        .taking([parameters::if_none_match()])
        .answering(304, unchanged())
        .refusing(ANY)
        .refusing(KEPT)
        .refusing(&[Code::NotFound, Code::PreconditionFailed])
}

fn write(operation: Operation, property: &Property) -> Operation {
    let done = Answer::new("Done.").with(&["OData-Version", "ETag", "Vary", "Preference-Applied"]);
    operation
        .taking([parameters::prefer(false, false), parameters::if_match()])
        .answering(200, alone(property))
        .answering(204, done)
        .refusing(ANY)
        .refusing(KEPT)
        .refusing(WRITE)
        .refusing(BODY)
        .refusing(&[Code::NotFound, Code::PreconditionFailed])
}

fn clear(id: &str) -> Operation {
    Operation::new("DELETE", format!("{id}.clear"), "Set a property to null")
        .taking([parameters::if_match()])
        .answering(204, null())
        .refusing(ANY)
        .refusing(KEPT)
        .refusing(WRITE)
        .refusing(&[Code::NotFound, Code::PreconditionFailed])
}

/// An address below that of an entity.
fn of_entity(set: &EntitySet, place: &str, rest: &str, operations: Vec<Operation>) -> Address {
    let key = set.entity_type.key();
    let path = format!("{place}/{{{}}}{rest}", key.name);
    Address { parameters: vec![in_path(key)], ..address(&path, operations) }
}

/// The same for each property that may be null, through the singletons alone:
/// two ways to each would make a long document longer.
fn each_property(
    model: &Model,
    which: impl Fn(&Property) -> bool,
    one: impl Fn(&EntitySet, &str, &str, &Property) -> Address,
) -> Vec<Address> {
    let mut all = Vec::new();
    for set in &model.entity_sets {
        let place = format!("/{}/{}", set.under, set.name);
        let properties = set.entity_type.properties.iter().enumerate();
        for (_, property) in properties.filter(|(at, one)| set.nullable(*at) && which(one)) {
            let id = format!("{}.{}.{}", set.under, set.name, property.name);
            all.push(one(set, &place, &id, property));
        }
    }
    all
}
