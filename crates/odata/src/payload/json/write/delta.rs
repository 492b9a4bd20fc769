//! What has changed in a set, as a collection.

use uuid::Uuid;

use super::Collection;
use super::members::{string, text};
use crate::plan::delta::Reason;

/// Where a client reads on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Onward {
    /// The next page of the round.
    Next(String),
    /// The round that comes after this one.
    Delta(String),
}

impl Collection {
    /// Says that it tells what has changed, and not what there is.
    #[must_use]
    pub fn of_changes(mut self) -> Self {
        self.context.push_str("/$delta");
        self
    }

    /// Adds that an entity is no more among those that are asked for: by its
    /// key and with the reason, as Graph writes it under any version of the
    /// protocol. The form of OData 4.0 names an address, which no client of
    /// Graph reads.
    pub fn removed(&mut self, key: Uuid, reason: Reason) {
        self.object(|rows, out| {
            out.extend_from_slice(b",\"@removed\":{\"reason\":");
            string(out, reason.text());
            out.push(b'}');
            text(out, &rows.set.entity_type.key().name, &key.to_string());
        });
    }

    /// The whole answer for a client that tracks changes: it always reads on.
    pub fn finish_tracked(self, count: Option<u64>, onward: &Onward) -> Vec<u8> {
        match onward {
            Onward::Next(link) => self.end(count, "@odata.nextLink", Some(link)),
            Onward::Delta(link) => self.end(count, "@odata.deltaLink", Some(link)),
        }
    }
}
