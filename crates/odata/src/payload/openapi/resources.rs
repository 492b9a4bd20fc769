//! The addresses that follow from the model, below a version's root.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::parameters::{self, schema};
use super::{Address, Answer, Operation, rows, schemas};
use crate::edm::{EntitySet, Model, Property, Type};
use crate::error::Code;
use crate::uri::options::SystemOption;

/// The query options of a list.
pub(super) const LIST: &[SystemOption] = &[
    SystemOption::Apply,
    SystemOption::Filter,
    SystemOption::Search,
    SystemOption::OrderBy,
    SystemOption::Select,
    SystemOption::Compute,
    SystemOption::Expand,
    SystemOption::Top,
    SystemOption::Skip,
    SystemOption::Count,
];

/// The query options of one entity.
const ENTITY: &[SystemOption] =
    &[SystemOption::Select, SystemOption::Compute, SystemOption::Expand];

/// The query options of a write, which say what is answered.
const WRITTEN: &[SystemOption] = &[SystemOption::Select, SystemOption::Expand];

/// The query options of a number: the others of a list change nothing in it.
pub(super) const COUNT: &[SystemOption] =
    &[SystemOption::Apply, SystemOption::Filter, SystemOption::Search];

pub(super) const JSON: &str = "application/json";
const CSV: &str = "text/csv";
const LINES: &str = "application/x-ndjson";
const TEXT: &str = "text/plain";

/// Why any request may be refused that asks something of the data or the model.
pub(super) const ANY: &[Code] =
    &[Code::BadRequest, Code::UriTooLong, Code::HeadersTooLarge, Code::NotImplemented];

/// Why any request may be refused that reads what is kept.
pub(super) const KEPT: &[Code] = &[Code::Internal, Code::TooManyRequests, Code::Unavailable];

/// Why a request may be refused whose answer can have any length.
pub(super) const LONG: &[Code] = &[Code::UpgradeRequired];

/// Why a request may be refused that writes.
pub(super) const WRITE: &[Code] = &[Code::Conflict, Code::InsufficientStorage];

/// Why a request may be refused that has a body.
pub(super) const BODY: &[Code] =
    &[Code::RequestTimeout, Code::PayloadTooLarge, Code::UnsupportedEncoding];

/// The service document.
pub fn service() -> Vec<Address> {
    let answer = odata("What there is.", schemas::service());
    let get = Operation::new("GET", "service", "Entity sets and singletons");
    vec![address("", vec![negotiated(get).answering(200, answer).refusing(ANY)])]
}

/// `$metadata`.
pub fn metadata() -> Vec<Address> {
    let answer = Answer::new("The model.")
        .with(&["OData-Version", "ETag", "Vary", "Preference-Applied"])
        .body("application/xml", json!({}))
        .body(JSON, json!({ "type": "object" }));
    let get = Operation::new("GET", "metadata", "The model as CSDL, in XML or JSON")
        .taking([parameters::format(&["xml", "json", "application/xml", JSON])])
        .taking([parameters::if_none_match()])
        .answering(200, answer)
        .answering(304, unchanged())
        .refusing(ANY)
        .refusing(&[Code::NotAcceptable]);
    vec![address("/$metadata", vec![get])]
}

/// The singletons.
pub fn singletons(model: &Model) -> Vec<Address> {
    let one = |name: &str| {
        let answer = odata("It has no properties of its own.", schemas::context());
        let get = Operation::new("GET", name, "What leads to entity sets and functions");
        address(&format!("/{name}"), vec![negotiated(get).answering(200, answer).refusing(ANY)])
    };
    model.singletons().into_iter().map(one).collect()
}

/// The entity sets, each from the container and through its singleton.
pub fn collections(model: &Model) -> Vec<Address> {
    each_place(model, |set, place, id| {
        vec![address(place, vec![list(set, id), create(model, set, id)])]
    })
}

/// The numbers of entities.
pub fn counts(model: &Model) -> Vec<Address> {
    each_place(model, |set, place, id| {
        let get = Operation::new(
            "GET",
            format!("{id}.count"),
            "The number of objects that are asked for",
        );
        let get = get
            .taking(parameters::options(COUNT, set))
            .answering(200, count())
            .refusing(ANY)
            .refusing(KEPT);
        vec![address(&format!("{place}/$count"), vec![get])]
    })
}

/// Single entities, by key and by the fact that they state.
pub fn entities(model: &Model) -> Vec<Address> {
    each_place(model, |set, place, id| {
        let key = set.entity_type.key();
        let by_key = format!("{place}/{{{}}}", key.name);
        let parts: Vec<&Property> =
            set.identity.iter().map(|at| &set.entity_type.properties[*at]).collect();
        let names: Vec<String> = parts.iter().map(|one| named_literal(one)).collect();
        let by_fact = format!("{place}({})", names.join(","));
        vec![
            Address {
                parameters: vec![in_path(key)],
                ..address(&by_key, on_entity(set, id, false))
            },
            Address {
                parameters: parts.into_iter().map(in_path).collect(),
                ..address(&by_fact, on_entity(set, &format!("{id}.fact"), true))
            },
        ]
    })
}

/// What one entity can be asked for.
pub(super) fn entity_options(set: &EntitySet) -> Vec<Json> {
    parameters::options(ENTITY, set)
}

/// What can be asked for of an entity after a write.
fn written_options(set: &EntitySet) -> Vec<Json> {
    parameters::options(WRITTEN, set)
}

/// What a list can be asked for.
pub(super) fn list_options(set: &EntitySet) -> Vec<Json> {
    let mut options = parameters::options(LIST, set);
    options.push(parameters::page_size());
    options
}

fn list(set: &EntitySet, id: &str) -> Operation {
    let get = Operation::new("GET", format!("{id}.list"), "The objects that are asked for");
    listed(set, get.taking(parameters::options(LIST, set)).taking([parameters::tracking()]))
}

/// The entities of which an expression in the path is true.
pub fn filtered(model: &Model) -> Vec<Address> {
    each_place(model, |set, place, id| {
        let words = "An expression of OData 4.01, as in $filter. More such segments may follow it, \
                     $count and $ref.";
        let expression = parameters::path("expression", words, json!({ "type": "string" }));
        let get =
            Operation::new("GET", format!("{id}.filtered"), "The objects of which it is true")
                .taking(parameters::options(LIST, set))
                .taking([parameters::of_a_list()]);
        let parameters = vec![expression];
        let path = format!("{place}/$filter({{expression}})");
        vec![Address { parameters, ..address(&path, vec![listed(set, get)]) }]
    })
}

/// Lists whose query comes in a body.
pub fn queries(model: &Model) -> Vec<Address> {
    each_place(model, |set, place, id| {
        let post = asking(&format!("{id}.query"), "The objects that the body asks for");
        let post = listed(set, post.taking([parameters::of_a_list()]));
        vec![address(&format!("{place}/$query"), vec![post])]
    })
}

/// A `POST` that stands for the `GET` of the address before it.
pub(super) fn asking(id: &str, summary: &str) -> Operation {
    let query = json!({ "type": "string", "examples": ["$top=5&$skip=5"] });
    Operation::new("POST", id, summary)
        .described(
            "The body has the query options as a URL has them after the ?, those of the URL count \
             as well. Every address that GET reads takes this.",
        )
        .reading(TEXT, query.clone())
        .reading("application/x-www-form-urlencoded", query)
        .refusing(BODY)
}

/// What an operation answers that lists entities.
fn listed(set: &EntitySet, operation: Operation) -> Operation {
    let page = schemas::collection(&schema(&format!("{}.item", set.name)), true);
    let page = schemas::tracked(page);
    let words = "A page, newest day first unless $orderby says otherwise; as CSV or as lines of \
                 JSON all objects.";
    let answer = odata(words, page)
        .body(CSV, rows::sheet())
        .body(LINES, rows::lines())
        .with(&["Content-Disposition"]);
    operation
        .taking([parameters::format(&["json", "csv", "ndjson", JSON, CSV, LINES])])
        .answering(200, answer)
        .refusing(ANY)
        .refusing(KEPT)
        .refusing(LONG)
        .refusing(&[Code::NotAcceptable])
}

fn create(model: &Model, set: &EntitySet, id: &str) -> Operation {
    let key = &set.entity_type.key().name;
    let next = ["read", "change", "replace", "delete"].map(|verb| format!("{id}.{verb}"));
    let keys = json!({
        "version": "$request.path.version",
        key: format!("$response.body#/{key}"),
    });
    let created = created(set).leading_to(&next, &keys);
    let rows = Answer::new("What became of each of many rows.");
    let rows = rows.with(&["OData-Version", "Vary", "Preference-Applied"]);
    let rows = rows.body(JSON, rows::tally());
    negotiated(Operation::new("POST", format!("{id}.create"), "Create an object, or many"))
        .taking([parameters::prefer_rows()])
        .taking(written_options(set))
        .reading(JSON, schema(&schemas::body_of(set, "POST")))
        .reading(CSV, rows::csv(model, set))
        .reading(LINES, rows::lines())
        .answering(200, rows)
        .answering(201, created)
        .answering(204, minimal().with(&["Location"]))
        .refusing(ANY)
        .refusing(KEPT)
        .refusing(WRITE)
        .refusing(BODY)
}

fn on_entity(set: &EntitySet, id: &str, upsert: bool) -> Vec<Operation> {
    vec![
        read(set, id),
        change(set, id, "PATCH", "Change an object; what the body leaves out stays", upsert),
        change(
            set,
            id,
            "PUT",
            "Replace an object; a count that the body leaves out is null",
            upsert,
        ),
        delete(id),
    ]
}

fn read(set: &EntitySet, id: &str) -> Operation {
    negotiated(Operation::new("GET", format!("{id}.read"), "Read an object"))
        .taking([parameters::omit_values()])
        .taking([parameters::if_none_match()])
        .taking(entity_options(set))
        .answering(200, odata("The object.", schemas::entity_of(set)).with(&["ETag"]))
        .answering(304, unchanged())
        .refusing(ANY)
        .refusing(KEPT)
        .refusing(&[Code::NotFound, Code::PreconditionFailed])
}

fn change(
    set: &EntitySet,
    id: &str,
    method: &'static str,
    summary: &str,
    upsert: bool,
) -> Operation {
    let verb = if method == "PUT" { "replace" } else { "change" };
    let body = schema(&schemas::body_of(set, method));
    let changed = entity(set, "The object as it is now.").with(&["ETag"]);
    let operation = negotiated(Operation::new(method, format!("{id}.{verb}"), summary))
        .taking([parameters::prefer(upsert, upsert), parameters::if_match()])
        .taking(written_options(set))
        .reading(JSON, body)
        .answering(200, changed)
        .answering(204, minimal());
    let operation = if upsert {
        operation.taking([parameters::if_none_match()]).answering(201, created(set))
    } else {
        operation
    };
    operation
        .refusing(ANY)
        .refusing(KEPT)
        .refusing(WRITE)
        .refusing(BODY)
        .refusing(&[Code::NotFound, Code::PreconditionFailed])
}

fn delete(id: &str) -> Operation {
    let deleted = Answer::new("Deleted.");
    let deleted = deleted.with(&["OData-Version", "Vary", "Preference-Applied"]);
    Operation::new("DELETE", format!("{id}.delete"), "Delete an object")
        .taking([parameters::if_match()])
        .answering(204, deleted)
        .refusing(ANY)
        .refusing(KEPT)
        .refusing(&[Code::NotFound, Code::PreconditionFailed, Code::InsufficientStorage])
}

/// The same for each entity set and each way to it: its path, and the begin of the names of
/// what can be done there.
pub(super) fn each_place(
    model: &Model,
    addresses: impl Fn(&EntitySet, &str, &str) -> Vec<Address>,
) -> Vec<Address> {
    let both = |set: &Arc<EntitySet>| {
        let (name, under) = (set.name.clone(), format!("{}/{}", set.under, set.name));
        [name, under].map(|place| (Arc::clone(set), place))
    };
    let places = model.entity_sets.iter().flat_map(both);
    places
        .flat_map(|(set, place)| addresses(&set, &format!("/{place}"), &place.replace('/', ".")))
        .collect()
}

pub(super) fn address(path: &str, operations: Vec<Operation>) -> Address {
    Address { path: path.to_owned(), parameters: Vec::new(), operations }
}

pub(super) fn in_path(property: &Property) -> Json {
    parameters::path(&property.name, &property.description, schemas::literal(property))
}

/// A part of a key with its name, as it is written in parentheses.
fn named_literal(property: &Property) -> String {
    let name = &property.name;
    match property.ty {
        Type::String => format!("{name}='{{{name}}}'"),
        _ => format!("{name}={{{name}}}"),
    }
}

/// The same operation, whose answer is in a format that the client accepts.
pub(super) fn negotiated(operation: Operation) -> Operation {
    operation.taking([parameters::json_format(&["json", JSON])]).refusing(&[Code::NotAcceptable])
}

/// An answer in OData's JSON.
pub(super) fn odata(meaning: &str, body: Json) -> Answer {
    Answer::new(meaning).with(&["OData-Version", "Vary", "Preference-Applied"]).body(JSON, body)
}

/// The answer that an entity is as the client knows it.
pub(super) fn unchanged() -> Answer {
    Answer::new("It still has the tag that is known.").with(&[
        "OData-Version",
        "ETag",
        "Vary",
        "Preference-Applied",
    ])
}

/// An answer with one entity.
fn entity(set: &EntitySet, meaning: &str) -> Answer {
    odata(meaning, schemas::entity_of(set))
}

/// The answer to a create.
fn created(set: &EntitySet) -> Answer {
    entity(set, "Created.").with(&["ETag", "Location"])
}

/// The answer to a write that wants no body.
fn minimal() -> Answer {
    let headers = &["OData-Version", "OData-EntityId", "ETag", "Vary", "Preference-Applied"];
    Answer::new("Done, as return=minimal asks.").with(headers)
}

/// The answer to how many there are.
pub(super) fn count() -> Answer {
    let number = json!({ "type": "string", "pattern": "^[0-9]+$" });
    let headers = &["OData-Version", "Vary", "Preference-Applied"];
    Answer::new("The number.").with(headers).body(TEXT, number)
}
