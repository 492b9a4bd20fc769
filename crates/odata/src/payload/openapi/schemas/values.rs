//! Properties and their values.

use serde_json::{Value as Json, json};

use crate::edm::{Property, Role, Type};
use crate::payload::openapi::reference;
use crate::payload::primitive;

/// Whether a value is answered, in its kept form, or sent, in any that is understood.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

pub(super) fn property(property: &Property, nullable: bool, way: Way) -> Json {
    let mut schema = value(property, way);
    if nullable {
        schema = or_null(schema);
    }
    if !property.description.is_empty() {
        schema["description"] = property.description.as_str().into();
    }
    if let Some(example) = property.example {
        schema["examples"] = json!([example]);
    }
    schema
}

/// A value of a property, as it stands in a body.
fn value(property: &Property, way: Way) -> Json {
    match property.role {
        Role::Key if way == Way::Out => {
            json!({ "type": "string", "format": "uuid", "pattern": primitive::GUID })
        }
        Role::Key => typed(&Type::Guid, Role::Key),
        Role::Period if way == Way::Out => {
            json!({ "type": "string", "pattern": primitive::PERIOD })
        }
        Role::Period => json!({ "type": "string", "pattern": primitive::PERIOD_IN }),
        role => typed(&property.ty, role),
    }
}

/// A value of a property that is sent on its own, null or not.
pub(in crate::payload::openapi) fn value_of(property: &Property, nullable: bool) -> Json {
    let value = value(property, Way::In);
    if nullable { or_null(value) } else { value }
}

/// A value of a property as it stands in a path.
pub(in crate::payload::openapi) fn literal(property: &Property) -> Json {
    value(property, Way::In)
}

fn typed(ty: &Type, role: Role) -> Json {
    match ty {
        Type::Int64 | Type::Int32 => json!({
            "type": "integer",
            "format": if *ty == Type::Int32 { "int32" } else { "int64" },
            "minimum": primitive::least(role, ty),
            "maximum": primitive::greatest(ty),
        }),
        Type::Boolean => json!({ "type": "boolean" }),
        Type::String => json!({ "type": "string" }),
        Type::Date => json!({ "type": "string", "format": "date" }),
        Type::Guid => {
            json!({ "type": "string", "format": "uuid", "pattern": primitive::GUID_IN })
        }
        Type::Duration => json!({ "type": "string", "pattern": primitive::DURATION }),
        Type::Complex(complex) => reference("schemas", &complex.name),
        Type::Collection(item) => {
            json!({ "type": "array", "items": typed(item, Role::Dimension) })
        }
    }
}

fn or_null(mut schema: Json) -> Json {
    match schema.get("type").cloned() {
        Some(ty) => {
            schema["type"] = json!([ty, "null"]);
            schema
        }
        None => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}
