//! One walk over a body: values by their types, and every fault that is met.

use serde_json::value::RawValue;

use super::{Placeholders, Slot, object};
use crate::edm::{EntitySet, Property, Role, Type};
use crate::error::{Detail, Fault};
use crate::headers::Numbers;
use crate::payload::primitive;
use crate::value::Value;

/// The longest piece of a body that an answer repeats, in characters.
const MAX_QUOTE: usize = 64;

/// The most faults that one answer names; a body can be made to have thousands.
const MAX_FAULTS: usize = 100;

/// The kinds of JSON value, told by their first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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

    pub(super) fn text(self) -> &'static str {
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

pub(super) fn kind(raw: &RawValue) -> Kind {
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
pub(super) struct Walk<'a> {
    pub(super) faults: Vec<Detail>,
    pub(super) numbers: Numbers,
    /// What placeholders are read as, where they are.
    pub(super) placeholders: Option<Placeholders>,
    /// The types that there are.
    pub(super) type_names: &'a [String],
    /// The last entity tag that was met.
    pub(super) tag: Option<String>,
}

impl<'a> Walk<'a> {
    pub(super) fn of(set: &'a EntitySet) -> Self {
        let (faults, numbers) = (Vec::new(), Numbers::default());
        Self { faults, numbers, placeholders: None, type_names: &set.type_names, tag: None }
    }

    pub(super) fn fault(&mut self, code: Fault, message: String, target: &str) {
        let target = (!target.is_empty()).then(|| target.to_owned());
        self.push(Detail { code, message, target });
    }

    fn push(&mut self, fault: Detail) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        }
    }

    /// The value of one property, null where it may be.
    pub(super) fn property(
        &mut self,
        raw: &RawValue,
        property: &Property,
        nullable: bool,
        at: &str,
    ) -> Slot {
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
    pub(super) fn typed(&mut self, raw: &RawValue, ty: &Type, role: Role, at: &str) -> Slot {
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
pub(super) fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// A piece of a body, short enough to repeat.
pub(crate) fn quote(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTE) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
