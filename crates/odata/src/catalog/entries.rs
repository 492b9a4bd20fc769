//! The entries of a catalogue file as they are written.

use serde::Deserialize;

use crate::edm::Role;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEntries {
    #[serde(default, rename = "complex_type")]
    pub complex_types: Vec<ComplexTypeEntry>,
    #[serde(default, rename = "entity_type")]
    pub entity_types: Vec<EntityTypeEntry>,
    #[serde(default, rename = "entity_set")]
    pub entity_sets: Vec<EntitySetEntry>,
    #[serde(default, rename = "function")]
    pub functions: Vec<FunctionEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ComplexTypeEntry {
    pub name: String,
    #[serde(default, rename = "property")]
    pub properties: Vec<PropertyEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntityTypeEntry {
    pub name: String,
    #[serde(default)]
    pub base: Option<String>,
    #[serde(default)]
    pub description: String,
    #[serde(default, rename = "property")]
    pub properties: Vec<PropertyEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PropertyEntry {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    #[serde(default = "dimension")]
    pub role: Role,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub example: Option<i64>,
    #[serde(default)]
    pub demo: Option<DemoEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DemoEntry {
    #[serde(default)]
    pub total: bool,
    #[serde(default)]
    pub share: Option<u8>,
    #[serde(default)]
    pub weekend: Option<u8>,
    #[serde(default)]
    pub yearly: i8,
}

fn dimension() -> Role {
    Role::Dimension
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntitySetEntry {
    pub name: String,
    pub under: String,
    pub entity_type: String,
    pub table: String,
    pub identity: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FunctionEntry {
    pub name: String,
    pub entity_set: String,
    #[serde(default)]
    pub columns: Vec<ColumnEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnEntry {
    pub heading: String,
    pub property: String,
}
