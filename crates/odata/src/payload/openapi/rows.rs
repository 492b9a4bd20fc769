//! Many rows in one body, and what becomes of them.

use serde_json::{Map, Value as Json, json};

use crate::edm::{EntitySet, Function, Model};

/// A file with the heading row of the set's first report. Some of its columns,
/// in another order and under other names, will do, too.
pub(super) fn csv(model: &Model, set: &EntitySet) -> Json {
    const CELL: &str = "([^\",\\r\\n]*|\"([^\"]|\"\")*\")";
    let pattern =
        format!("^{}(\\r?\\n{CELL}(,{CELL})*)*$", escaped(&headings(model, set).join(",")));
    json!({
        "type": "string", "pattern": pattern,
        "description": "A heading row, and a row for each object. Columns may be left out, stand \
                        in another order, or be named as the properties are.",
    })
}

/// The headings of the set's first report, or the names of its properties.
fn headings<'a>(model: &'a Model, set: &'a EntitySet) -> Vec<&'a str> {
    let of_set = |function: &&std::sync::Arc<Function>| function.entity_set.name == set.name;
    match model.functions.iter().find(of_set) {
        Some(function) => function.columns.iter().map(|one| one.heading.as_str()).collect(),
        None => set.entity_type.properties[1..].iter().map(|one| one.name.as_str()).collect(),
    }
}

/// A text as a pattern that means it and nothing else.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_punctuation() && letter != ',' {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

/// A file whose heading row follows from what is selected.
pub(super) fn sheet() -> Json {
    json!({ "type": "string", "description": "A heading row, and a row for each object." })
}

/// Lines of JSON: one that is no object is a row that is rejected.
pub(super) fn lines() -> Json {
    json!({ "type": "string", "description": "A JSON object on each line, as for one object." })
}

/// What became of the rows.
pub(super) fn tally() -> Json {
    let number = json!({ "type": "integer", "minimum": 0 });
    let text = json!({ "type": "string" });
    let detail = json!({
        "type": "object",
        "required": ["line", "outcome", "message"],
        "properties": {
            "line": { "type": "integer", "minimum": 1 },
            "outcome": { "enum": ["conflicting", "rejected"] },
            "message": text,
            "target": text,
        },
    });
    let counts = ["created", "unchanged", "replaced", "conflicting", "rejected", "detailsLeftOut"];
    let mut properties: Map<String, Json> =
        counts.iter().map(|name| ((*name).to_owned(), number.clone())).collect();
    properties.insert("details".to_owned(), json!({ "type": "array", "items": detail }));
    json!({
        "type": "object",
        "required": ["created", "unchanged", "conflicting", "rejected", "details"],
        "properties": properties,
    })
}
