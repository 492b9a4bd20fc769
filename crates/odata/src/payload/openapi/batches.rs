//! Batches: many requests in one, and their answers.

use serde_json::{Value as Json, json};

use super::resources::{ANY, BODY, JSON, KEPT, address};
use super::{Address, Answer, Operation, parameters};
use crate::payload::batch::MAX_ID;

/// `$batch`.
pub fn batch() -> Vec<Address> {
    let answer = Answer::new("An answer for each request, in their order.")
        .with(&["OData-Version", "Preference-Applied"])
        .body(JSON, list("responses", &response()))
        .body("multipart/mixed", json!({}));
    let post = Operation::new("POST", "batch", "Many requests in one")
        .described(
            "The requests are done in their order. In JSON all of them are, unless the client \
             prefers continue-on-error=false; in multipart/mixed those up to the first error, \
             unless it prefers continue-on-error. An atomicityGroup or a change set is done as a \
             whole or not at all. The token of the batch counts for each of its requests.",
        )
        .taking([parameters::continuing()])
        .reading(JSON, list("requests", &request()))
        .reading("multipart/mixed", json!({ "type": "string" }))
        .answering(200, answer)
        .refusing(ANY)
        .refusing(KEPT)
        .refusing(BODY);
    vec![address("/$batch", vec![post])]
}

fn list(name: &str, item: &Json) -> Json {
    json!({
        "type": "object",
        "required": [name],
        "properties": { name: { "type": "array", "items": item } },
    })
}

fn request() -> Json {
    let id = json!({ "type": "string", "minLength": 1, "maxLength": MAX_ID });
    json!({
        "type": "object",
        "required": ["id", "method", "url"],
        "properties": {
            "id": id,
            "method": { "enum": ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"] },
            "url": {
                "type": "string",
                "description": "Absolute, or relative to the version's root; `$` and the id of a \
                                request before it stand for what that one made.",
            },
            "headers": { "type": "object", "additionalProperties": { "type": "string" } },
            "body": {
                "description": "JSON, or base64url in a string, as Content-Type among the headers \
                                says.",
            },
            "dependsOn": { "type": "array", "items": id },
            "atomicityGroup": id,
        },
    })
}

fn response() -> Json {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "required": ["id", "status", "headers"],
        "properties": {
            "id": text,
            "atomicityGroup": text,
            "status": { "type": "integer", "minimum": 200, "maximum": 599 },
            "headers": { "type": "object", "additionalProperties": text },
            "body": { "description": "JSON, or base64url in a string." },
        },
    })
}
