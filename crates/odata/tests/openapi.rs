//! OpenAPI from catalogues with collections, complex values and functions
//! without a period.

#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test itself does")]

use rollcall_odata::catalog;
use rollcall_odata::payload::openapi::{Service, document, functions, parts, resources};
use serde_json::Value;

fn written() -> Value {
    let email = ("email.toml", include_str!("data/email-activity.toml"));
    let activations = ("activations.toml", include_str!("data/activations.toml"));
    let files: Vec<(&str, &str)> =
        catalog::EMBEDDED.iter().copied().chain([email, activations]).collect();
    let model = catalog::load(&files).unwrap();
    let addresses = [
        resources::service(),
        resources::metadata(),
        resources::singletons(&model),
        resources::collections(&model),
        resources::counts(&model),
        resources::entities(&model),
        functions::functions(&model),
        functions::counts(&model),
        parts::by_id(&model),
        parts::references(&model),
        parts::reference(&model),
        parts::properties(&model),
        parts::values(&model),
    ];
    let text = document(&Service {
        model: &model,
        version: "0",
        about: "",
        token_url: "/token",
        scope: ("scope", ""),
        addresses: addresses.into_iter().flatten().collect(),
    });
    serde_json::from_str(&text).unwrap()
}

#[test]
fn paths_follow_from_the_catalogue() {
    let document = written();
    let lines: Vec<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, item)| {
            let names = item.as_object().unwrap().keys().map(String::as_str);
            let methods: Vec<&str> = names.filter(|name| *name != "parameters").collect();
            format!("{path}: {}", methods.join(" "))
        })
        .collect();
    insta::assert_snapshot!("paths", lines.join("\n"));
}

#[test]
fn schemas_follow_from_the_catalogue() {
    let schemas = &written()["components"]["schemas"];
    insta::assert_snapshot!("schemas", serde_json::to_string_pretty(schemas).unwrap());
}

#[test]
fn every_reference_leads_somewhere() {
    fn visit(value: &Value, document: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| visit(item, document)),
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
                }
                members.values().for_each(|member| visit(member, document));
            }
            _ => {}
        }
    }
    let document = written();
    visit(&document, &document);
}
