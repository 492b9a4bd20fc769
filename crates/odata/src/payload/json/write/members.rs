//! The members of objects, and their values.

use std::io::Write as _;

use crate::edm::{ComplexType, Property, Type};
use crate::headers::{Json, Metadata};
use crate::payload::primitive;
use crate::plan::expression::Ty;
use crate::value::{Decimal, Value};

/// How an answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// The form of JSON.
    pub json: Json,
    /// `omit-values`: properties that are null are left out. No property has
    /// another default.
    pub omits_nulls: bool,
}

impl Style {
    /// Whether it says anything besides the data.
    pub(super) fn tells(self) -> bool {
        self.json.metadata != Metadata::None
    }

    /// Whether it says what a client could work out.
    pub(super) fn tells_all(self) -> bool {
        self.json.metadata == Metadata::Full
    }
}

/// Writes an object. Its members each begin with a comma; that of the first
/// gives its place to the brace.
pub(super) fn braced(out: &mut Vec<u8>, members: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    members(out);
    match out.get_mut(start) {
        Some(first) => *first = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

/// A member that is a string.
pub(super) fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b',');
    string(out, name);
    out.push(b':');
    string(out, value);
}

/// A property, with its type where everything is told and JSON does not tell it.
pub(super) fn member(out: &mut Vec<u8>, property: &Property, value: &Value, style: Style) {
    if value.is_null() && style.omits_nulls {
        return;
    }
    if style.tells_all() && !value.is_null() {
        annotated(out, &property.name, &property.ty);
    }
    out.push(b',');
    string(out, &property.name);
    out.push(b':');
    write_value(out, &property.ty, value, style);
}

/// The type of the member of this name that follows, or of the object where
/// that is what has a value; JSON tells strings and Booleans by itself, and
/// objects tell their own.
pub(super) fn annotated(out: &mut Vec<u8>, name: &str, ty: &Type) {
    let shown = match ty {
        Type::String | Type::Boolean | Type::Complex(_) => return,
        Type::Collection(item) => format!("#Collection({})", short(item)),
        ty => format!("#{}", short(ty)),
    };
    text(out, &format!("{name}@odata.type"), &shown);
}

/// The name of a type, of one of the protocol's own without its namespace.
fn short(ty: &Type) -> String {
    let name = ty.to_string();
    name.strip_prefix("Edm.").map_or(name.clone(), str::to_owned)
}

/// A computed property. No type declares it, so that its own is told where
/// JSON does not tell it.
pub(super) fn computed(out: &mut Vec<u8>, name: &str, ty: Ty, value: &Value, style: Style) {
    if value.is_null() && style.omits_nulls {
        return;
    }
    // What is no finite number is a string, as of any type.
    let told = match value {
        Value::Double(number) => number.0.is_finite(),
        _ => matches!(ty, Ty::Boolean | Ty::String),
    };
    if !value.is_null() && !told && style.tells() {
        text(out, &format!("{name}@odata.type"), &ty.name().replacen("Edm.", "#", 1));
    }
    out.push(b',');
    string(out, name);
    out.push(b':');
    let shape = if ty == Ty::Int { Type::Int64 } else { Type::String };
    write_value(out, &shape, value, style);
}

/// A whole number of 64 bits or more, which a double has no room for.
pub(super) fn long(out: &mut Vec<u8>, number: impl itoa::Integer, style: Style) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number).as_bytes();
    if style.json.ieee754 {
        out.push(b'"');
        out.extend_from_slice(digits);
        out.push(b'"');
    } else {
        out.extend_from_slice(digits);
    }
}

/// A decimal has as many digits as it takes, with a point or without.
fn decimal(out: &mut Vec<u8>, number: &Decimal, style: Style) {
    let quote = if style.json.ieee754 { "\"" } else { "" };
    // Writing into memory cannot fail.
    drop(write!(out, "{quote}{number}{quote}"));
}

pub(super) fn write_value(out: &mut Vec<u8>, ty: &Type, value: &Value, style: Style) {
    match (value, ty) {
        (Value::Null, _) => out.extend_from_slice(b"null"),
        (Value::Bool(value), _) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        (Value::Int(value), Type::Int64) => long(out, *value, style),
        (Value::Int(value), _) => long(out, *value, Style::default()),
        (Value::Decimal(value), _) => decimal(out, value, style),
        (Value::Text(text), _) => string(out, text),
        (Value::Double(number), _) if number.0.is_finite() => {
            // Writing a number into memory cannot fail.
            drop(serde_json::to_writer(out, &number.0));
        }
        (Value::List(items), Type::Collection(item)) => list(out, item, items, style),
        (Value::Record(values), Type::Complex(complex)) => record(out, complex, values, style),
        // Dates, periods, GUIDs and durations are strings without anything to escape.
        (value, _) => {
            out.push(b'"');
            primitive::write_text(out, value);
            out.push(b'"');
        }
    }
}

fn list(out: &mut Vec<u8>, item: &Type, items: &[Value], style: Style) {
    out.push(b'[');
    for (number, value) in items.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write_value(out, item, value, style);
    }
    out.push(b']');
}

fn record(out: &mut Vec<u8>, complex: &ComplexType, values: &[Value], style: Style) {
    braced(out, |out| members_of(out, complex, values, style));
}

/// The members of a complex value.
pub(super) fn members_of(out: &mut Vec<u8>, complex: &ComplexType, values: &[Value], style: Style) {
    if style.tells_all() {
        text(out, "@odata.type", &format!("#{}", complex.name));
    }
    for (property, value) in complex.properties.iter().zip(values) {
        member(out, property, value, style);
    }
}

pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    // To the end in any case: many bytes are looked at together then.
    if text.bytes().fold(true, |all, byte| all & plain(byte)) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing text into memory cannot fail.
        drop(serde_json::to_writer(out, text));
    }
}
