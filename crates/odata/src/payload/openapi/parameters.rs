//! Parameters and headers that several operations share.

use serde_json::{Map, Value as Json, json};

use super::reference;
use crate::edm::EntitySet;
use crate::error::Code;
use crate::uri::Limits;
use crate::uri::apply::SERVED;
use crate::uri::options::{CURRENT, SystemOption};

/// The headers of every answer.
pub(super) const EVERY_ANSWER: &[&str] = &["request-id", "client-request-id"];

/// A parameter of a path, which is always there.
pub fn path(name: &str, description: &str, schema: Json) -> Json {
    let mut parameter = parameter("path", name, description, schema);
    parameter["required"] = true.into();
    parameter
}

/// A query option.
pub fn query(name: &str, description: &str, schema: Json) -> Json {
    parameter("query", name, description, schema)
}

fn header(name: &str, description: &str) -> Json {
    parameter("header", name, description, json!({ "type": "string" }))
}

fn parameter(place: &str, name: &str, description: &str, schema: Json) -> Json {
    let mut parameter = json!({ "in": place, "name": name, "description": description });
    parameter["schema"] = schema;
    parameter
}

/// These query options of a set, and the one that counts everywhere.
pub(super) fn options(which: &[SystemOption], set: &EntitySet) -> Vec<Json> {
    let all = which.iter().chain(&[SystemOption::SchemaVersion]);
    all.map(|one| option(*one, set)).collect()
}

/// A query option of a set. `$format` differs between resources, and skip
/// tokens come with links alone.
fn option(option: SystemOption, set: &EntitySet) -> Json {
    let name = format!("${}", option.text());
    match option {
        SystemOption::Top => {
            let range = json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX });
            query(&name, "The most objects over all pages.", range)
        }
        SystemOption::Skip => {
            let range = json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX });
            query(&name, "How many objects are left out before them.", range)
        }
        SystemOption::Select => list(&name, "The properties that are shown.", &names(set, &["*"])),
        SystemOption::OrderBy => {
            let words = "What to order by; expressions will do, too. Null comes first.";
            let keys = names(set, &[]);
            let descending: Vec<String> = keys.iter().map(|key| format!("{key} desc")).collect();
            let mut parameter = list(&name, words, &[keys, descending].concat());
            // As many as are taken where the service is not set up otherwise.
            parameter["schema"]["maxItems"] = Limits::default().keys.into();
            parameter
        }
        SystemOption::Expand => query(&name, "Nothing can be expanded.", json!({ "enum": ["*"] })),
        SystemOption::SchemaVersion => {
            query(&name, "The model has the current version alone.", json!({ "enum": [CURRENT] }))
        }
        SystemOption::Count => {
            let flag = json!({ "type": "boolean" });
            query(&name, "Whether to count all objects.", flag)
        }
        SystemOption::Apply => {
            let words = format!(
                "Transformations with slashes between them: {}. The rows are then no objects, and \
                 have what the last of them gives.",
                SERVED.join(", ")
            );
            query(&name, &words, json!({ "type": "string" }))
        }
        _ => query(&name, "In the language of OData 4.01.", json!({ "type": "string" })),
    }
}

/// A query option that is a list with commas.
fn list(name: &str, description: &str, items: &[String]) -> Json {
    let schema = json!({ "type": "array", "minItems": 1, "items": { "enum": items } });
    let mut parameter = query(name, description, schema);
    parameter["style"] = "form".into();
    parameter["explode"] = false.into();
    parameter
}

/// The names of a set's properties, and of what else counts as one.
fn names(set: &EntitySet, more: &[&str]) -> Vec<String> {
    let own = set.entity_type.properties.iter().map(|one| one.name.as_str());
    own.chain(more.iter().copied()).map(str::to_owned).collect()
}

/// How large the client would like the pages of a list.
pub(super) fn page_size() -> Json {
    header("Prefer", "maxpagesize=50 makes pages smaller than the service's own.")
}

/// The same, of a list that shows objects or rows.
pub(super) fn of_a_list() -> Json {
    let mut parameter = page_size();
    let words = parameter["description"].as_str().unwrap_or_default();
    parameter["description"] = format!("{words} {OMIT}").into();
    parameter
}

const OMIT: &str = "omit-values=nulls leaves out what is null.";

/// Which properties of an object the client would like.
pub(super) fn omit_values() -> Json {
    header("Prefer", OMIT)
}

/// The same for a list that can be tracked.
pub(super) fn tracking() -> Json {
    let mut parameter = of_a_list();
    let words = parameter["description"].as_str().unwrap_or_default();
    let words = format!("{words} track-changes leads from the last page to what changes later.");
    parameter["description"] = words.into();
    parameter
}

const FORMAT: &str = "The format, before what Accept says.";

/// The same for answers in OData's JSON.
pub(super) fn json_format(values: &[&str]) -> Json {
    let words = "application/json takes odata.metadata=none, minimal or full, and \
                 IEEE754Compatible=true, here and in Accept: answers then have fewer or more \
                 annotations than is described here, and whole numbers of 64 bits as strings.";
    query("$format", &format!("{FORMAT} {words}"), json!({ "enum": values }))
}

/// `$format` with the values that a resource knows.
pub(super) fn format(values: &[&str]) -> Json {
    query("$format", FORMAT, json!({ "enum": values }))
}

/// The client's name for its request.
pub fn client_request_id() -> Json {
    header("client-request-id", "The client's name for the request, repeated in the answer.")
}

/// What a client would like of a write.
pub(super) fn prefer(create: bool, upsert: bool) -> Json {
    let mut words =
        "return=minimal answers without a body, return=representation with one.".to_owned();
    if create {
        words += " handling=lenient takes a missing count as null.";
    }
    if upsert {
        words += " create-if-missing creates what is not there.";
    }
    header("Prefer", &words)
}

/// Whether a batch goes on after an error.
pub(super) fn continuing() -> Json {
    header("Prefer", "continue-on-error goes on after an error, continue-on-error=false does not.")
}

/// What a client would like of a create.
pub(super) fn prefer_rows() -> Json {
    let mut parameter = prefer(true, false);
    let words = parameter["description"].as_str().unwrap_or_default();
    let words = format!(
        "{words} Of many rows, handling=strict stores all or none, resolution=replace takes other \
         numbers for facts that are there, and dry-run stores nothing."
    );
    parameter["description"] = words.into();
    parameter
}

/// A request that may be sent again: its id, when it was sent first, and who sends it.
pub(super) fn repeatability() -> [Json; 3] {
    let guid = json!({ "type": "string", "format": "uuid" });
    let words = "The request is done once, and answered the same when it is sent again, within 24 \
                 hours. It needs Repeatability-First-Sent, too.";
    [
        parameter("header", "Repeatability-Request-ID", words, guid),
        header("Repeatability-First-Sent", "When it was sent first, as a date of HTTP."),
        header("Repeatability-Client-ID", "The client's name for itself, where it has several."),
    ]
}

/// The request must fail unless the entity still has this tag.
pub(super) fn if_match() -> Json {
    header("If-Match", "The ETag that the object must still have, or *; else 412.")
}

/// The request must fail, or a read answer 304, where the entity has this tag.
pub fn if_none_match() -> Json {
    header("If-None-Match", "The ETag that the object must not have, or *.")
}

/// The headers that a refusal has besides those of every answer.
pub(super) fn of_refusal(code: Code) -> &'static [&'static str] {
    match code {
        // The codes of one status share an answer, and the header is only there perhaps.
        code if [400, 412].contains(&code.status()) => &["Repeatability-Result"],
        Code::SyncStateNotFound => &["Location"],
        Code::InvalidAuthenticationToken => &["WWW-Authenticate"],
        Code::UpgradeRequired => &["Upgrade"],
        Code::TooManyRequests | Code::Unavailable | Code::InsufficientStorage => &["Retry-After"],
        _ => &[],
    }
}

/// Every header of answers, by name.
pub(super) fn headers() -> Map<String, Json> {
    const HEADERS: &[(&str, bool, &str)] = &[
        ("request-id", true, "The service's name for the request."),
        ("client-request-id", true, "The client's name for the request, or else the service's."),
        ("OData-Version", true, "The version of the protocol."),
        ("ETag", true, "The version of what is answered."),
        ("Location", true, "Where it is."),
        ("Vary", true, "The request headers that the answer depends on."),
        ("Content-Disposition", false, "The name of the file."),
        ("Upgrade", true, "The version of HTTP that it takes."),
        ("WWW-Authenticate", true, "Where tokens come from."),
        ("Retry-After", true, "How many seconds to wait before the next try."),
        ("OData-EntityId", true, "The address of the object whose body is left out."),
        ("Repeatability-Result", false, "Whether the request is one that may be sent again."),
        ("Preference-Applied", false, "The preferences that were honoured."),
    ];
    let header = |(name, required, description): &(&str, bool, &str)| {
        let schema = json!({ "type": "string" });
        let header = json!({ "required": required, "description": description, "schema": schema });
        ((*name).to_owned(), header)
    };
    HEADERS.iter().map(header).collect()
}

/// A reference to the schema of this name.
pub(super) fn schema(name: &str) -> Json {
    reference("schemas", name)
}
