//! Writes: who writes, and what he is told of what became of it.

use rollcall_odata::Row;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::Error;

/// Who writes, and when.
#[derive(Debug, Clone)]
pub struct Author {
    /// The tenant whose entities are written.
    pub tenant: Uuid,
    /// Who it is, as the audit is to show it.
    pub principal: String,
    /// When the request came; kept to the millisecond.
    pub at: jiff::Timestamp,
}

/// An entity that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// The number of the change that made it what it is, from 1.
    pub version: u64,
    /// Its values, in the order of its type's properties.
    pub row: Row,
}

/// What a write has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// The entity is new.
    Created(Entity),
    /// The entity has other values than before.
    Changed(Entity),
    /// The entity had these values already: it keeps its version, and there is no change.
    Unchanged(Entity),
    /// The entity is no more.
    Deleted,
}

/// Why several writes were not done together. Nothing of them is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The position of the write that is to blame; the first where none is.
    pub at: usize,
    /// What is wrong with it.
    pub error: Error,
    /// Whether the same is wrong with it alone. If not, it does not go with
    /// those before it, and what it met is not there any more.
    pub alone: bool,
}

impl Failed {
    /// All of them failed together, and none is to blame.
    pub(crate) fn together(error: Error) -> Self {
        Self { at: 0, error, alone: true }
    }
}

/// What became of one row of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The entity is new.
    Created,
    /// The fact was there with these numbers already.
    Unchanged,
    /// The fact was there with other numbers, and has these now.
    Replaced,
    /// The row was left out.
    Conflicting(Conflict),
}

/// What stands in the way of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// The fact is there with other numbers, or under another key than the row gives.
    Fact {
        /// The key of the entity that is there.
        id: Uuid,
    },
    /// The key is that of another fact.
    Key,
}

/// Rows that have been queued.
#[derive(Debug)]
pub struct Pending(pub(crate) oneshot::Receiver<Result<Vec<Outcome>, Error>>);

impl Pending {
    /// Waits until they are on the disk: what became of each.
    pub async fn outcomes(self) -> Result<Vec<Outcome>, Error> {
        self.0.await.unwrap_or(Err(Error::Closed))
    }

    /// As `outcomes`, on a thread that serves nobody else.
    pub fn wait(self) -> Result<Vec<Outcome>, Error> {
        self.0.blocking_recv().unwrap_or(Err(Error::Closed))
    }
}
