//! An entity from a JSON body, every fault of the body found in one walk.

mod object;
mod placeholders;
mod walk;

use serde_json::value::RawValue;

use crate::edm::{EntitySet, Property, Type};
use crate::error::{Detail, Error, Fault};
use crate::headers::Numbers;
use crate::value::Value;
pub use placeholders::Placeholders;
use walk::{Kind, Walk, kind};
pub(crate) use walk::{cannot_convert, null_not_allowed, quote};

/// What a body says of each property, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct Body {
    /// One for each of the entity type's properties, the key first.
    pub slots: Vec<Slot>,
    /// The faults, in the order of the body.
    pub faults: Vec<Detail>,
    /// The entity tag that the body has, if it is text.
    pub tag: Option<String>,
}

/// What a body says of one property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// Nothing.
    Absent,
    /// Something that cannot be; a fault says why.
    Faulty,
    /// A value, null included.
    Given(Value),
}

impl Slot {
    /// The value, if there is a good one.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Faulty => None,
        }
    }

    /// The value, if there is a good one.
    pub fn into_value(self) -> Option<Value> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Faulty => None,
        }
    }
}

/// Graph's words for a body that is no JSON.
const UNREADABLE: &str = "Unable to read JSON request payload. Please ensure Content-Type header \
                          is set and payload is of valid JSON format.";

/// What a property is called in a body of its own.
const VALUE: &str = "value";

/// Reads a body for this set. An error is a body that cannot be walked at all;
/// everything else that is wrong is among the faults. A UTF-8 byte order mark is skipped.
pub fn entity(bytes: &[u8], set: &EntitySet, numbers: Numbers) -> Result<Body, Error> {
    walk(bytes, set, Walk { numbers, ..Walk::of(set) })
}

/// As `entity`, with the placeholders of Graph's generated pages read as values.
pub fn sample(
    bytes: &[u8],
    set: &EntitySet,
    numbers: Numbers,
    placeholders: Placeholders,
) -> Result<Body, Error> {
    let placeholders = Some(placeholders);
    walk(bytes, set, Walk { numbers, placeholders, ..Walk::of(set) })
}

fn walk(bytes: &[u8], set: &EntitySet, mut walk: Walk<'_>) -> Result<Body, Error> {
    let text = text_of(bytes)?;
    let members = match object::members(text) {
        Ok(members) => members,
        // What is wrong is told by a second look; a good body has one.
        Err(_) => object::members(document(text)?.get()).map_err(|error| no_json(&error))?,
    };
    let entity_type = &set.entity_type;
    let owner = object::Owner {
        type_name: &entity_type.name,
        properties: &entity_type.properties,
        nullable: &|at| set.nullable(at),
    };
    let slots = walk.object(members, &owner, "");
    Ok(Body { slots, faults: walk.faults, tag: walk.tag })
}

/// Reads the body of a write to the property at this position: `{"value": …}`,
/// or the object itself where it is of a complex type.
pub fn property(
    bytes: &[u8],
    set: &EntitySet,
    at: usize,
    numbers: Numbers,
) -> Result<Value, Error> {
    let raw = document(text_of(bytes)?)?;
    let mut walk = Walk { numbers, ..Walk::of(set) };
    let property = &set.entity_type.properties[at];
    let slot = if matches!(property.ty, Type::Complex(_)) {
        walk.property(raw, property, set.nullable(at), &property.name)
    } else {
        // One member beside annotations: the property under another name.
        let named = Property { name: VALUE.to_owned(), ..property.clone() };
        let owner = object::Owner {
            type_name: &property.ty.to_string(),
            properties: std::slice::from_ref(&named),
            nullable: &|_| set.nullable(at),
        };
        let members = object::members(raw.get()).map_err(|error| no_json(&error))?;
        let slots = walk.object(members, &owner, "");
        slots.into_iter().next().unwrap_or(Slot::Absent)
    };
    if slot == Slot::Absent {
        let message = format!("The property '{VALUE}' is required and missing.");
        walk.fault(Fault::Missing, message, VALUE);
    }
    match slot {
        Slot::Given(value) if walk.faults.is_empty() => Ok(value),
        _ => Err(Error::of_faults(walk.faults)),
    }
}

/// The text of a body.
fn text_of(bytes: &[u8]) -> Result<&str, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        unreadable(format!(
            "The body is not UTF-8: byte {} fits no character.",
            error.valid_up_to()
        ))
    })
}

/// The one object that a body is.
fn document(text: &str) -> Result<&RawValue, Error> {
    if text.trim_ascii().is_empty() {
        return Err(Error::bad_request("Empty Payload. JSON content expected."));
    }
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| no_json(&error))?;
    if kind(raw) != Kind::Object {
        let message = format!("The body is {}. Expected a JSON object.", kind(raw).text());
        return Err(unreadable(message));
    }
    Ok(raw)
}

fn no_json(error: &serde_json::Error) -> Error {
    unreadable(format!("The body is not JSON: {error}."))
}

fn unreadable(message: String) -> Error {
    let mut error = Error::bad_request(UNREADABLE);
    error.details.push(Detail { code: Fault::Unreadable, message, target: None });
    error
}

/// A collection or complex value that stands as JSON in a text, with its
/// faults; nothing where the text is no JSON.
pub(crate) fn value(
    text: &str,
    set: &EntitySet,
    property: &Property,
    faults: &mut Vec<Detail>,
) -> Option<Slot> {
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    let faults_so_far = std::mem::take(faults);
    let mut walk = Walk { faults: faults_so_far, ..Walk::of(set) };
    let slot = walk.typed(raw, &property.ty, property.role, &property.name);
    *faults = walk.faults;
    Some(slot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;
    use crate::headers::{Json, Metadata};
    use crate::payload::json::write;

    fn walked(text: &str) -> String {
        let model = catalog::load(catalog::EMBEDDED).unwrap();
        let lines = |faults: &[Detail]| -> String {
            let line = |one: &Detail| {
                let target = one.target.as_deref().unwrap_or("-");
                format!("\n    {} {target}: {}", one.code.text(), one.message)
            };
            faults.iter().map(line).collect()
        };
        match entity(text.as_bytes(), &model.entity_sets[0], Numbers::default()) {
            Err(error) => format!("{}{}", error.message, lines(&error.details)),
            Ok(body) => {
                let given = body.slots.iter().filter_map(Slot::value);
                format!("{:?}{}", given.collect::<Vec<_>>(), lines(&body.faults))
            }
        }
    }

    #[test]
    fn bodies() {
        let lines: Vec<String> = [
            "{}",
            "\u{feff} {\"teams\": 5}",
            "",
            " \n",
            "[1]",
            "\"x\"",
            "{",
            "{\"teams\":5}}",
            "{\"teams\":5,}",
            "{\"teams\":05}",
            "{\"\\ud800\":5}",
            "{\"reportPeriod\":\"\\ud800\"}",
            "{\"teams\":9.0,\"yammer\":1e2,\"office365\":\"9\",\"exchange\":-1,\"oneDrive\":9223372036854775808}",
            "{\"teams\":9223372036854775807,\"yammer\":null,\"TEAMs\":1}",
            "{\"teem\":1,\"OFFICE365\":3,\"Unlike\":{\"a\":[1]}}",
            "{\"@odata.type\":\"#MICROSOFT.graph.office365activeusercounts\",\"@odata.etag\":\"x\",\"teams@odata.type\":1,\"@x.y\":{}}",
            "{\"@TYPE\":\"https://x/$metadata#microsoft.graph.office365ActiveUserCounts\"}",
            "{\"@odata.type\":\"microsoft.graph.user\",\"@odata.type\":5}",
            "{\"id\":null,\"reportDate\":null}",
            "{\"id\":\"abc\",\"reportDate\":\"2026-02-30\",\"reportRefreshDate\":20261120,\"reportPeriod\":7}",
            "{\"id\":\"DA0E2EB0-2eb0-da0e-b02e-0edab02e0eda\",\"reportPeriod\":\"d7\"}",
            "{\"teams\":true,\"yammer\":[],\"exchange\":{}}",
        ]
        .iter()
        .map(|text| format!("{text}\n    => {}", walked(text)))
        .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{{\"teams\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(walked(&deep).contains("Property teams in payload"), "{}", walked(&deep));
        assert!(walked(&"{\"a\":".repeat(10_000)).starts_with(UNREADABLE));
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_it_panic(text in "[\\[\\]{}\",:a-c0-9.\\\\u-]{0,40}") {
            drop(walked(&text));
        }

        #[test]
        fn what_is_written_reads_back(
            counts in proptest::collection::vec(proptest::option::of(0..=i64::MAX), 7),
            metadata in proptest::sample::select(
                [Metadata::None, Metadata::Minimal, Metadata::Full].as_slice()
            ),
            ieee754 in proptest::bool::ANY,
        ) {
            let model = catalog::load(catalog::EMBEDDED).unwrap();
            let set = &model.entity_sets[0];
            let sample = "{\"id\":\"da0e2eb0-2eb0-da0e-b02e-0edab02e0eda\",\
                \"reportRefreshDate\":\"2026-11-20\",\"reportDate\":\"2026-11-18\",\
                \"reportPeriod\":\"7\"}";
            let body = entity(sample.as_bytes(), set, Numbers::default()).unwrap();
            let mut counts = counts.into_iter().map(|one| one.map_or(Value::Null, Value::Int));
            let row: Vec<Value> = body
                .slots
                .into_iter()
                .map(|slot| slot.into_value().unwrap_or_else(|| counts.next().unwrap()))
                .collect();
            let mut shown = write::Shown::whole("http://h/v1.0", set);
            shown.style.json = Json { metadata, ieee754 };
            let again = entity(&shown.entity(1, &row), set, Numbers { ieee754 }).unwrap();
            proptest::prop_assert!(again.faults.is_empty(), "{:?}", again.faults);
            let slots: Vec<Value> = again.slots.into_iter().filter_map(Slot::into_value).collect();
            proptest::prop_assert_eq!(slots, row);
        }
    }
}
