//! An entity from a JSON body, every fault of the body found in one walk.

mod object;
mod placeholders;

use serde_json::value::RawValue;

use crate::edm::{EntitySet, Property, Role, Type};
use crate::error::{Detail, Error, Fault};
use crate::headers::Numbers;
use crate::payload::primitive;
use crate::value::Value;
pub use placeholders::Placeholders;

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

/// The most faults that one answer names; a body can be made to have thousands.
const MAX_FAULTS: usize = 100;

/// The longest piece of a body that an answer repeats, in characters.
const MAX_QUOTE: usize = 64;

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

/// The kinds of JSON value, told by their first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    fn is_structure(self) -> bool {
        matches!(self, Self::Array | Self::Object)
    }

    fn text(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a Boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

fn kind(raw: &RawValue) -> Kind {
    match raw.get().as_bytes().first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't' | b'f') => Kind::Boolean,
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    }
}

/// One walk over a body: its faults so far.
struct Walk<'a> {
    faults: Vec<Detail>,
    numbers: Numbers,
    /// What placeholders are read as, where they are.
    placeholders: Option<Placeholders>,
    /// The types that there are.
    type_names: &'a [String],
    /// The last entity tag that was met.
    tag: Option<String>,
}

impl<'a> Walk<'a> {
    fn of(set: &'a EntitySet) -> Self {
        let (faults, numbers) = (Vec::new(), Numbers::default());
        Self { faults, numbers, placeholders: None, type_names: &set.type_names, tag: None }
    }

    fn fault(&mut self, code: Fault, message: String, target: &str) {
        let target = (!target.is_empty()).then(|| target.to_owned());
        self.push(Detail { code, message, target });
    }

    fn push(&mut self, fault: Detail) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        }
    }

    /// The value of one property, null where it may be.
    fn property(&mut self, raw: &RawValue, property: &Property, nullable: bool, at: &str) -> Slot {
        if kind(raw) == Kind::Null {
            if nullable {
                return Slot::Given(Value::Null);
            }
            self.push(null_not_allowed(property, at));
            return Slot::Faulty;
        }
        if let Some(placeholders) = self.placeholders
            && let Some(value) = string(raw).and_then(|text| placeholders.value(property, &text))
        {
            return Slot::Given(value);
        }
        if !matches!(property.role, Role::Key | Role::Period) {
            return self.typed(raw, &property.ty, property.role, at);
        }
        let value = string(raw).and_then(|text| primitive::from_text(property, &text));
        self.or_fault(value, raw, &property.ty, || primitive::expected(property), at)
    }

    /// A value of a type; its items and members with it.
    fn typed(&mut self, raw: &RawValue, ty: &Type, role: Role, at: &str) -> Slot {
        let value = match (ty, kind(raw)) {
            (Type::Int64 | Type::Int32, Kind::Number) => {
                primitive::integer(role, ty, raw.get()).map(Value::Int)
            }
            (Type::Int64, Kind::String) if self.numbers.ieee754 => {
                string(raw).and_then(|text| primitive::integer(role, ty, &text)).map(Value::Int)
            }
            (Type::Boolean, Kind::Boolean) => Some(Value::Bool(raw.get() == "true")),
            (Type::Collection(item), Kind::Array) => return self.items(raw, item, at),
            (Type::Complex(complex), Kind::Object) => {
                let owner = object::Owner {
                    type_name: &complex.name,
                    properties: &complex.properties,
                    nullable: &|_| true,
                };
                return self.record(raw, &owner, at);
            }
            (_, Kind::String) => string(raw).and_then(|text| primitive::text_of_type(ty, &text)),
            _ => None,
        };
        let expected = || match role {
            Role::Measure => format!("a whole number from 0 to {}", primitive::greatest(ty)),
            _ => primitive::expected_of_type(ty),
        };
        self.or_fault(value, raw, ty, expected, at)
    }

    /// The items of a collection; null is none of them.
    fn items(&mut self, raw: &RawValue, item: &Type, at: &str) -> Slot {
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
            return self.or_fault(None, raw, item, || primitive::expected_of_type(item), at);
        };
        let slots: Vec<Slot> = items
            .into_iter()
            .enumerate()
            .map(|(number, raw)| self.typed(raw, item, Role::Dimension, &format!("{at}/{number}")))
            .collect();
        // One bad item spoils the collection, but only after all were looked at.
        let values: Option<Vec<Value>> = slots.into_iter().map(Slot::into_value).collect();
        values.map_or(Slot::Faulty, |values| Slot::Given(Value::List(values)))
    }

    /// A complex value: what is left out is null.
    fn record(&mut self, raw: &RawValue, owner: &object::Owner<'_>, at: &str) -> Slot {
        let Ok(members) = object::members(raw.get()) else { return Slot::Faulty };
        let slots = self.object(members, owner, at);
        if slots.contains(&Slot::Faulty) {
            return Slot::Faulty;
        }
        let values = slots.into_iter().map(|slot| slot.into_value().unwrap_or(Value::Null));
        Slot::Given(Value::Record(values.collect()))
    }

    fn or_fault(
        &mut self,
        value: Option<Value>,
        raw: &RawValue,
        ty: &Type,
        expected: impl FnOnce() -> String,
        at: &str,
    ) -> Slot {
        if let Some(value) = value {
            return Slot::Given(value);
        }
        let text = string(raw);
        let literal = text.as_deref().unwrap_or(raw.get());
        let (found, expected) = (kind(raw), expected());
        if found.is_structure() == is_structure(ty) {
            self.push(cannot_convert(literal, ty, at, found.text(), &expected));
        } else {
            let found = found.text();
            let message = format!(
                "Property {at} in payload has a value that does not match schema. It is {found}; \
                 expected {expected}."
            );
            self.fault(Fault::InvalidValue, message, at);
        }
        Slot::Faulty
    }
}

/// Whether values of this type are arrays or objects.
fn is_structure(ty: &Type) -> bool {
    matches!(ty, Type::Collection(_) | Type::Complex(_))
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

/// The fault of a null where null is no value.
pub(crate) fn null_not_allowed(property: &Property, at: &str) -> Detail {
    let (name, ty) = (&property.name, &property.ty);
    let message = format!(
        "A null value was found for the property named '{name}', which has the expected type \
         '{ty}[Nullable=False]'. The expected type '{ty}[Nullable=False]' does not allow null \
         values. Expected {}.",
        primitive::expected(property)
    );
    Detail { code: Fault::NullNotAllowed, message, target: Some(at.to_owned()) }
}

/// The fault of a value that is none of its property; `kind` says what it is instead.
pub(crate) fn cannot_convert(
    literal: &str,
    ty: &Type,
    at: &str,
    kind: &str,
    expected: &str,
) -> Detail {
    let literal = quote(literal);
    let message = format!(
        "Cannot convert the literal '{literal}' to the expected type '{ty}'. The property '{at}' \
         is {kind}; expected {expected}."
    );
    Detail { code: Fault::InvalidValue, message, target: Some(at.to_owned()) }
}

/// The text of a JSON string, unless it is none or names no characters.
fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// A piece of a body, short enough to repeat.
pub(crate) fn quote(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTE) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
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
