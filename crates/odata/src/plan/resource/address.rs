//! How resources are addressed: by the path that was used, or by the one name
//! that an entity has.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::edm::EntitySet;
use crate::payload::primitive;
use crate::value::Value;

/// An entity set and the way that led to it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The set.
    pub set: Arc<EntitySet>,
    /// The path that was used, in declared letter case and without slashes at
    /// its ends: through the singleton or straight from the container.
    pub path: String,
    /// What stands in the segments `$filter(…)` after it.
    pub filters: Vec<String>,
}

impl Place {
    pub(super) fn new(set: &Arc<EntitySet>, path: String) -> Self {
        Self { set: Arc::clone(set), path, filters: Vec::new() }
    }

    /// The path with the segments after it, encoded.
    pub fn address(&self) -> String {
        let mut address = self.path.clone();
        for filter in &self.filters {
            let filter = utf8_percent_encode(filter, IN_A_SEGMENT);
            address.extend(["/$filter(", &filter.to_string(), ")"]);
        }
        address
    }
}

/// What is encoded in a segment: all but what RFC 3986 allows there.
const IN_A_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b',')
    .remove(b':')
    .remove(b'@');

/// The name of the entity with this key, relative to the service root: what
/// `@odata.id`, `@odata.editLink` and `OData-EntityId` say after it.
pub fn entity_id(set: &EntitySet, key: &Value) -> String {
    format!("{}('{}')", set.name, primitive::text_of(key))
}

/// What stands after the service root in an address with scheme and host, or
/// in one that begins with the root's path.
pub(super) fn below<'a>(root: &str, address: &'a str) -> Option<&'a str> {
    let host = root.split_once("://").map_or(root, |(_, host)| host);
    let path = host.find('/').map_or("", |at| &host[at..]);
    [root, path].into_iter().find_map(|root| {
        let (before, rest) = address.split_at_checked(root.len())?;
        rest.strip_prefix('/').filter(|_| before.eq_ignore_ascii_case(root))
    })
}
