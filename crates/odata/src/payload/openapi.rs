//! OpenAPI 3.1: every address with what it takes and what it answers.
//!
//! What belongs to OData follows from the model: [`resources`] has the
//! addresses, [`schemas`] the bodies. Whatever else a service has it describes
//! with the same types, and [`document`] puts all of it together.

pub mod batches;
pub mod delta;
pub mod functions;
mod operation;
pub mod parameters;
pub mod parts;
pub mod resources;
mod rows;
pub mod schemas;

pub use operation::{Address, Answer, Operation};

use serde_json::{Map, Value as Json, json};

use crate::edm::Model;
use crate::error::Code;

/// What the document says of a service.
pub struct Service<'a> {
    /// Its model.
    pub model: &'a Model,
    /// The version of the software.
    pub version: &'a str,
    /// What holds of every address.
    pub about: &'a str,
    /// Where client credentials become tokens.
    pub token_url: &'a str,
    /// The scope that such a token is asked for, and what it is.
    pub scope: (&'a str, &'a str),
    /// Every address.
    pub addresses: Vec<Address>,
}

/// A reference to a component.
pub fn reference(kind: &str, name: &str) -> Json {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// The document. The same service gives the same text.
pub fn document(service: &Service<'_>) -> String {
    let paths: Map<String, Json> =
        service.addresses.iter().map(|one| (one.path.clone(), one.json())).collect();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rollcall",
            "version": service.version,
            "description": service.about,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [
            { "bearer": [] },
            { "clientCredentials": [service.scope.0] },
            { "basic": [] },
            { "apiKey": [] },
        ],
        "paths": paths,
        "components": {
            "schemas": schemas::all(service.model),
            "headers": parameters::headers(),
            "responses": refusals(&service.addresses),
            "securitySchemes": security(service),
        },
    });
    document.to_string()
}

/// An answer for each status that an operation is refused with.
fn refusals(addresses: &[Address]) -> Map<String, Json> {
    let operations = addresses.iter().flat_map(|address| &address.operations);
    let pairs = operations.flat_map(|one| one.refusals.iter().map(move |code| (one, *code)));
    pairs.map(|(one, code)| (one.refusal_name(code), refusal(code, one.has_body()))).collect()
}

/// The answer with the status of this code.
fn refusal(code: Code, body: bool) -> Json {
    let codes = Code::ALL.iter().filter(|one| one.status() == code.status());
    let codes: Vec<&str> = codes.map(|one| one.text()).collect();
    let meaning = format!("Refused: {}.", codes.join(" or "));
    let answer = Answer::new(&meaning).with(parameters::of_refusal(code));
    // A head that is larger still is refused by the connection, which names no request.
    let answer = if code == Code::HeadersTooLarge { answer.headless() } else { answer };
    if body {
        return answer.body("application/json", reference("schemas", "error")).json();
    }
    answer.json()
}

fn security(service: &Service<'_>) -> Json {
    let (scope, meaning) = service.scope;
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token of a known issuer. `rollcall token` prints one.",
        },
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "An API key as the password, whoever the user is. `rollcall key add` \
                            prints one.",
        },
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Api-Key",
            "description": "An API key.",
        },
        "clientCredentials": {
            "type": "oauth2",
            "description": "The built-in issuer. `rollcall client` prints the credentials.",
            "flows": { "clientCredentials": {
                "tokenUrl": service.token_url,
                "scopes": { scope: meaning },
            } },
        },
    })
}
