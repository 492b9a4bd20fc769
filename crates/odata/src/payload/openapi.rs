//! OpenAPI 3.1: every address with what it takes and what it answers.
//!
//! What belongs to OData follows from the model: [`resources`] has the
//! addresses, [`schemas`] the bodies. Whatever else a service has it describes
//! with the same types, and [`document`] puts all of it together.

pub mod parameters;
pub mod resources;
pub mod schemas;

use serde_json::{Map, Value as Json, json};

use crate::edm::Model;
use crate::error::Code;

/// What the document says of a service.
pub struct Service<'a> {
    /// Its model.
    pub model: &'a Model,
    /// The version of the software.
    pub version: &'a str,
    /// Where client credentials become tokens.
    pub token_url: &'a str,
    /// The scope that such a token is asked for, and what it is.
    pub scope: (&'a str, &'a str),
    /// Every address.
    pub addresses: Vec<Address>,
}

/// One path with its operations.
pub struct Address {
    /// The path with its parameters in braces.
    pub path: String,
    /// The parameters that all operations have.
    pub parameters: Vec<Json>,
    /// What can be done there.
    pub operations: Vec<Operation>,
}

/// One method of an address.
pub struct Operation {
    /// The method in upper case.
    pub method: &'static str,
    /// Its name, unique in the document.
    pub id: String,
    /// What it does, in a few words.
    pub summary: String,
    /// What else is to be known.
    pub description: String,
    /// Parameters besides those of the address.
    pub parameters: Vec<Json>,
    /// The body that it takes.
    pub body: Option<Json>,
    /// What it answers, by status.
    pub answers: Vec<(u16, Answer)>,
    /// Why it may refuse.
    pub refusals: Vec<Code>,
    /// Whether it answers without a token.
    pub open: bool,
}

impl Operation {
    /// An operation that answers nothing yet.
    pub fn new(method: &'static str, id: impl Into<String>, summary: &str) -> Self {
        Self {
            method,
            id: id.into(),
            summary: summary.to_owned(),
            description: String::new(),
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            refusals: Vec::new(),
            open: false,
        }
    }

    /// The same with more to be known.
    #[must_use]
    pub fn described(mut self, description: &str) -> Self {
        self.description = description.to_owned();
        self
    }

    /// The same with more parameters.
    #[must_use]
    pub fn taking(mut self, parameters: impl IntoIterator<Item = Json>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// The same with a body of this media type, or of those given before.
    #[must_use]
    pub fn reading(mut self, media_type: &str, schema: Json) -> Self {
        let body = self.body.get_or_insert_with(|| json!({ "required": true, "content": {} }));
        body["content"][media_type] = json!({ "schema": schema });
        self
    }

    /// The same with another answer.
    #[must_use]
    pub fn answering(mut self, status: u16, answer: Answer) -> Self {
        self.answers.push((status, answer));
        self
    }

    /// The same with more reasons to refuse.
    #[must_use]
    pub fn refusing(mut self, codes: &[Code]) -> Self {
        self.refusals.extend(codes);
        self
    }

    /// `HEAD` for this `GET`: the same without bodies.
    #[must_use]
    pub fn head(&self) -> Self {
        let answers = self.answers.iter().map(|(status, answer)| (*status, answer.bare()));
        Self {
            method: "HEAD",
            id: format!("{}.head", self.id),
            summary: format!("{}, without the body", self.summary),
            description: self.description.clone(),
            parameters: self.parameters.clone(),
            body: None,
            answers: answers.collect(),
            refusals: self.refusals.clone(),
            open: self.open,
        }
    }

    fn json(&self) -> Json {
        let mut operation = json!({
            "operationId": self.id,
            "summary": self.summary,
            "responses": self.responses(),
        });
        if !self.description.is_empty() {
            operation["description"] = self.description.as_str().into();
        }
        if !self.parameters.is_empty() {
            operation["parameters"] = self.parameters.as_slice().into();
        }
        if let Some(body) = &self.body {
            operation["requestBody"] = body.clone();
        }
        if self.open {
            operation["security"] = json!([]);
        }
        operation
    }

    /// Whether its answers have bodies.
    fn has_body(&self) -> bool {
        self.method != "HEAD"
    }

    /// The component that has the answer to this refusal.
    fn refusal_name(&self, code: Code) -> String {
        let kind = if self.has_body() { "Error" } else { "Bare" };
        format!("{kind}{}", code.status())
    }

    fn responses(&self) -> Map<String, Json> {
        let refusals = self.refusals.iter().map(|code| {
            (code.status().to_string(), reference("responses", &self.refusal_name(*code)))
        });
        let answers =
            self.answers.iter().map(|(status, answer)| (status.to_string(), answer.json()));
        refusals.chain(answers).collect()
    }
}

/// An answer: what it means, its headers, its body by media type.
#[derive(Clone)]
pub struct Answer {
    meaning: String,
    headers: Vec<&'static str>,
    content: Map<String, Json>,
    links: Map<String, Json>,
}

impl Answer {
    /// An answer without a body, with the headers of every answer.
    pub fn new(meaning: &str) -> Self {
        let headers = parameters::EVERY_ANSWER.to_vec();
        let (content, links) = (Map::new(), Map::new());
        Self { meaning: meaning.to_owned(), headers, content, links }
    }

    /// The same with more headers.
    #[must_use]
    pub fn with(mut self, headers: &[&'static str]) -> Self {
        self.headers.extend(headers);
        self
    }

    /// The same with a body of this media type, and of those given before.
    #[must_use]
    pub fn body(mut self, media_type: &str, schema: Json) -> Self {
        self.content.insert(media_type.to_owned(), json!({ "schema": schema }));
        self
    }

    /// The same with operations that can follow, all with these parameters.
    #[must_use]
    pub fn leading_to(mut self, operations: &[String], parameters: &Json) -> Self {
        self.links.extend(
            operations
                .iter()
                .map(|id| (id.clone(), json!({ "operationId": id, "parameters": parameters }))),
        );
        self
    }

    /// The same for a request that wants no body.
    fn bare(&self) -> Self {
        Self { content: Map::new(), links: Map::new(), ..self.clone() }
    }

    fn json(&self) -> Json {
        let headers = self.headers.iter();
        let headers: Map<String, Json> =
            headers.map(|name| ((*name).to_owned(), reference("headers", name))).collect();
        let mut answer = json!({ "description": self.meaning, "headers": headers });
        if !self.content.is_empty() {
            answer["content"] = self.content.clone().into();
        }
        if !self.links.is_empty() {
            answer["links"] = self.links.clone().into();
        }
        answer
    }
}

/// A reference to a component.
pub fn reference(kind: &str, name: &str) -> Json {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// The document. The same service gives the same text.
pub fn document(service: &Service<'_>) -> String {
    let paths: Map<String, Json> =
        service.addresses.iter().map(|one| (one.path.clone(), path_item(one))).collect();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rollcall",
            "version": service.version,
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }, { "clientCredentials": [service.scope.0] }],
        "paths": paths,
        "components": {
            "schemas": schemas::all(service.model),
            "headers": parameters::headers(),
            "responses": refusals(&service.addresses),
            "securitySchemes": security(service),
        },
    });
    // A value without foreign types always has a JSON form.
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

/// What holds of every address.
const ABOUT: &str = "Accepts, keeps and serves Microsoft 365 usage reports over the API of \
    Microsoft Graph. Names in paths and of query options count in any letter case, and query \
    options also without their $. Besides the paths here OData's other spellings of the same \
    addresses are served, such as a key in parentheses. Every address answers OPTIONS with its \
    methods in Allow; a method that it lacks is 405. Bodies may be gzipped. No address takes a \
    URL over 8 KiB (414) or a head over the limit of its connection (431).";

fn path_item(address: &Address) -> Json {
    let operations = address.operations.iter();
    let mut item: Map<String, Json> =
        operations.map(|one| (one.method.to_ascii_lowercase(), one.json())).collect();
    if !address.parameters.is_empty() {
        item.insert("parameters".to_owned(), address.parameters.as_slice().into());
    }
    item.into()
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
    match code {
        // The connection itself refuses such a head, before anyone can say why.
        Code::HeadersTooLarge => Answer { headers: Vec::new(), ..answer }.json(),
        _ if body => answer.body("application/json", reference("schemas", "error")).json(),
        _ => answer.json(),
    }
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
