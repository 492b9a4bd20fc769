//! The route table as OpenAPI: what each route answers, and who may ask.

use rollcall_odata::Code;
use rollcall_odata::edm::Model;
use rollcall_odata::payload::openapi::{
    Address, Answer, Operation, Service, batches, delta, document as write, functions, parameters,
    parts, resources,
};
use serde_json::{Value as Json, json};

use super::issuer::ANY_TENANT;
use super::receive::MAX_BODY;
use super::routes::{ENDPOINTS, Endpoint, VERSIONS};
use crate::app::Limits;
use crate::auth::issuer::GRAPH_URL;

const JSON: &str = "application/json";

/// Why any request may be refused, whatever it is for.
const ANY: &[Code] = &[Code::UriTooLong, Code::HeadersTooLarge];

/// What holds of every address.
const ABOUT: &str = "Accepts, keeps and serves Microsoft 365 usage reports over the API of \
    Microsoft Graph. Names in paths and of query options count in any letter case, and query \
    options also without their $. Besides the paths here OData's other spellings of the same \
    addresses are served, such as a key in parentheses, and the properties that cannot be null. \
    Every address answers OPTIONS with its methods in Allow; a method that it lacks is 405.";

fn limits() -> String {
    let url_bytes = Limits::default().url_bytes;
    format!(
        "A URL has at most {url_bytes} bytes (414) unless the service is set up otherwise, a body \
         {MAX_BODY} (413), that of a batch and of many rows more; it may be gzipped. The head of a \
         request is limited by its connection (431)."
    )
}

/// The document. The same model gives the same text.
pub fn document(model: &Model) -> String {
    let scope = format!("{GRAPH_URL}/.default");
    write(&Service {
        model,
        version: env!("CARGO_PKG_VERSION"),
        about: &format!("{ABOUT} {}", limits()),
        token_url: "/common/oauth2/v2.0/token",
        scope: (&scope, "All that the client is permitted."),
        addresses: ENDPOINTS.iter().flat_map(|one| addresses(model, *one)).collect(),
    })
}

/// The addresses of a route, with the methods that the table gives it.
pub fn addresses(model: &Model, endpoint: Endpoint) -> Vec<Address> {
    let own: Vec<Address> = match endpoint {
        Endpoint::Home => vec![home()],
        Endpoint::Live => vec![live()],
        Endpoint::Ready => vec![ready()],
        Endpoint::OpenApi => vec![openapi()],
        Endpoint::Discovery => vec![issuer(endpoint, "The issuer's OpenID configuration")],
        Endpoint::Keys => vec![issuer(endpoint, "The issuer's keys")],
        Endpoint::Token => vec![token()],
        Endpoint::Download => vec![download()],
        Endpoint::Service => versioned(resources::service()),
        Endpoint::Metadata => versioned(resources::metadata()),
        Endpoint::Batch => versioned(batches::batch()),
        Endpoint::Query => versioned(
            resources::queries(model).into_iter().chain(functions::queries(model)).collect(),
        ),
        Endpoint::Singleton => versioned(resources::singletons(model)),
        Endpoint::Collection => versioned(resources::collections(model)),
        Endpoint::Filtered => versioned(resources::filtered(model)),
        Endpoint::Delta => versioned(delta::deltas(model)),
        Endpoint::Count => versioned(resources::counts(model)),
        Endpoint::ById => versioned(parts::by_id(model)),
        Endpoint::References => versioned(parts::references(model)),
        Endpoint::Reference => versioned(parts::reference(model)),
        Endpoint::Property => versioned(parts::properties(model)),
        Endpoint::Value => versioned(parts::values(model)),
        Endpoint::ReportCount => versioned(functions::counts(model)),
        Endpoint::Function => versioned(functions::functions(model)),
        Endpoint::Entity => versioned(resources::entities(model)),
    };
    own.into_iter().map(|address| finished(address, endpoint)).collect()
}

/// The same with what the route table knows: `HEAD` where there is one, and
/// whether a token is needed.
fn finished(mut address: Address, endpoint: Endpoint) -> Address {
    let route = endpoint.route();
    if !route.open {
        let all = std::mem::take(&mut address.operations).into_iter();
        let reads = |one: &Operation| one.method == "GET" || endpoint == Endpoint::Query;
        address.operations =
            all.map(|one| if reads(&one) { one } else { one.repeatable() }).collect();
    }
    for operation in &mut address.operations {
        operation.open = route.open;
        operation.refusals.extend(ANY);
        operation.parameters.push(parameters::client_request_id());
        if !route.open {
            operation.refusals.extend([Code::InvalidAuthenticationToken, Code::Forbidden]);
        }
    }
    let gets = address.operations.iter().filter(|one| one.method == "GET");
    let heads = gets.filter(|_| route.methods.contains(&"HEAD")).map(Operation::head);
    let heads: Vec<Operation> = heads.collect();
    address.operations.extend(heads);
    address
}

fn versioned(addresses: Vec<Address>) -> Vec<Address> {
    let version = parameters::path(
        "version",
        "The version of the API; both serve the same.",
        json!({ "enum": VERSIONS }),
    );
    let below = |mut address: Address| {
        address.path.insert_str(0, "/{version}");
        address.parameters.insert(0, version.clone());
        address
    };
    addresses.into_iter().map(below).collect()
}

fn address(endpoint: Endpoint, operation: Operation) -> Address {
    let path = endpoint.route().pattern.to_owned();
    Address { path, parameters: Vec::new(), operations: vec![operation] }
}

fn get(endpoint: Endpoint, summary: &str, answer: Answer) -> Operation {
    Operation::new("GET", endpoint.route().name, summary).answering(200, answer)
}

fn home() -> Address {
    let page = Answer::new("The page.").body("text/html", json!({}));
    address(Endpoint::Home, get(Endpoint::Home, "The page for people", page))
}

fn live() -> Address {
    let answer = Answer::new("It runs.").body(JSON, status("live"));
    address(Endpoint::Live, get(Endpoint::Live, "Whether the process runs", answer))
}

fn ready() -> Address {
    let answer = Answer::new("It takes writes.").body(JSON, status("ready"));
    let not_ready = Answer::new("Writes are refused for now.").body(JSON, status("not ready"));
    let ready = get(Endpoint::Ready, "Whether it takes writes", answer);
    address(Endpoint::Ready, ready.answering(503, not_ready))
}

fn status(text: &str) -> Json {
    object(&["status"], &json!({ "status": { "const": text }, "message": { "type": "string" } }))
}

fn openapi() -> Address {
    let answer = Answer::new("This document.").with(&["ETag"]);
    let answer = answer.body(JSON, json!({ "type": "object" }));
    let known = Answer::new("It still has the tag that is known.").with(&["ETag"]);
    let get = get(Endpoint::OpenApi, "This document", answer);
    let get = get.taking([parameters::if_none_match()]).answering(304, known);
    address(Endpoint::OpenApi, get)
}

fn issuer(endpoint: Endpoint, summary: &str) -> Address {
    let answer = Answer::new("As OpenID Connect has it.").body(JSON, json!({ "type": "object" }));
    let operation = get(endpoint, summary, answer).answering(400, refused());
    Address { parameters: vec![tenant()], ..address(endpoint, operation) }
}

fn token() -> Address {
    let token = Answer::new("A token.").body(JSON, granted());
    let operation = Operation::new("POST", "token", "A token for client credentials")
        .described(
            "The client's id and secret stand in the form, or in Basic authorization. The tenant \
             is the client's own, or a word for any.",
        )
        .reading("application/x-www-form-urlencoded", form())
        .answering(200, token)
        .answering(400, refused())
        .answering(401, refused().with(&["WWW-Authenticate"]));
    Address { parameters: vec![tenant()], ..address(Endpoint::Token, operation) }
}

fn tenant() -> Json {
    let guid = json!({ "type": "string", "format": "uuid" });
    let schema = json!({ "anyOf": [guid, { "enum": ANY_TENANT }] });
    parameters::path("tenant", "A tenant's GUID, or a word for any.", schema)
}

fn form() -> Json {
    let text = json!({ "type": "string" });
    let scope = json!({
        "type": "string", "pattern": "/\\.default$",
        "description": "A resource, with /.default after it.",
    });
    object(
        &["grant_type", "scope"],
        &json!({
            "grant_type": { "const": "client_credentials" },
            "scope": scope,
            "client_id": text,
            "client_secret": text,
        }),
    )
}

fn granted() -> Json {
    let seconds = json!({ "type": "integer", "minimum": 0 });
    object(
        &["token_type", "expires_in", "access_token"],
        &json!({
            "token_type": { "const": "Bearer" },
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": { "type": "string" },
        }),
    )
}

/// A refusal in OAuth's shape.
fn refused() -> Answer {
    let text = json!({ "type": "string" });
    let oauth = object(
        &["error", "error_description"],
        &json!({ "error": text, "error_description": text }),
    );
    Answer::new("Refused, as OAuth words it.").body(JSON, oauth)
}

fn object(required: &[&str], properties: &Json) -> Json {
    json!({ "type": "object", "required": required, "properties": properties })
}

fn download() -> Address {
    let file = Answer::new("The file.")
        .with(&["Content-Disposition", "ETag"])
        .body("application/octet-stream", json!({}));
    let known = Answer::new("It still has the tag that is known.").with(&["ETag"]);
    let operation = get(Endpoint::Download, "The CSV that a report's link leads to", file)
        .taking([parameters::if_none_match()])
        .answering(304, known)
        .refusing(&[Code::BadRequest, Code::LinkRefused, Code::Internal, Code::Unavailable])
        .refusing(&[Code::UpgradeRequired]);
    let link = json!({ "type": "string" });
    let link = parameters::path("link", "From the Location of a report function.", link);
    Address { parameters: vec![link], ..address(Endpoint::Download, operation) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rollcall_odata::catalog;

    use super::*;

    fn parsed() -> Json {
        serde_json::from_str(&document(&catalog::load(catalog::EMBEDDED).unwrap())).unwrap()
    }

    #[test]
    fn every_route_is_described_with_its_methods() {
        let model = catalog::load(catalog::EMBEDDED).unwrap();
        for endpoint in ENDPOINTS {
            let addresses = addresses(&model, *endpoint);
            assert!(!addresses.is_empty(), "{endpoint:?}");
            for address in addresses {
                let methods = address.operations.iter().map(|one| one.method);
                let route: HashSet<&str> = endpoint.route().methods.iter().copied().collect();
                assert_eq!(methods.collect::<HashSet<&str>>(), route, "{}", address.path);
            }
        }
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let document = parsed();
        let items = document["paths"].as_object().unwrap().values();
        let names: Vec<&str> = items
            .flat_map(|item| item.as_object().unwrap().values())
            .filter_map(|operation| operation.get("operationId")?.as_str())
            .collect();
        let different: HashSet<&&str> = names.iter().collect();
        assert_eq!(different.len(), names.len());
    }

    /// Calls `see` with the text under this name, wherever it stands.
    fn visit<'a>(value: &'a Json, name: &str, see: &mut dyn FnMut(&'a str)) {
        match value {
            Json::Array(items) => items.iter().for_each(|item| visit(item, name, see)),
            Json::Object(members) => {
                members.get(name).and_then(Json::as_str).into_iter().for_each(&mut *see);
                members.values().for_each(|member| visit(member, name, see));
            }
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_component_is_used() {
        let document = parsed();
        let mut used = HashSet::new();
        visit(&document, "$ref", &mut |reference| {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
            used.insert(reference.to_owned());
        });
        for kind in ["schemas", "headers", "responses"] {
            for name in document["components"][kind].as_object().unwrap().keys() {
                let reference = format!("#/components/{kind}/{name}");
                assert!(used.contains(&reference), "{reference}");
            }
        }
    }

    #[test]
    fn paths_name_their_parameters() {
        for (path, item) in parsed()["paths"].as_object().unwrap() {
            let parameters = item.get("parameters").and_then(Json::as_array);
            let named = parameters.into_iter().flatten().filter_map(|one| one["name"].as_str());
            let named: HashSet<String> = named.map(|name| format!("{{{name}}}")).collect();
            let written = path.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
            let written: HashSet<String> = written.map(|(name, _)| format!("{{{name}}}")).collect();
            assert_eq!(named, written, "{path}");
        }
    }
}
