//! What is asked of the writer in a transaction that others share: one write,
//! or several that are done together, and who waits for the outcome.

use rollcall_odata::plan::Write;
use tokio::sync::oneshot::Sender;

use crate::{Error, Failed, Written};

/// One write, or several of which all are done or none.
pub(crate) enum Task {
    One(Box<Write>, Sender<Result<Written, Error>>),
    Group(Vec<Write>, Sender<Result<Vec<Written>, Failed>>),
}

impl Task {
    /// Who waits, to be told that the transaction did not begin.
    pub(super) fn broken(self, error: &Error) -> Waiting {
        match self {
            Self::One(_, answer) => Waiting::One(answer, Err(error.clone())),
            Self::Group(_, answer) => Waiting::Group(answer, Err(Failed::together(error.clone()))),
        }
    }
}

/// A task of the open transaction, done or refused.
pub(super) enum Waiting {
    One(Sender<Result<Written, Error>>, Result<Written, Error>),
    Group(Sender<Result<Vec<Written>, Failed>>, Result<Vec<Written>, Failed>),
}

impl Waiting {
    pub(super) fn has_written(&self) -> bool {
        let written = match self {
            Self::One(_, outcome) => outcome.as_ref().map_or(&[][..], std::slice::from_ref),
            Self::Group(_, outcome) => outcome.as_deref().unwrap_or_default(),
        };
        written.iter().any(|one| !matches!(one, Written::Unchanged(_)))
    }

    /// Tells the outcome. Whoever asked may be gone.
    pub(super) fn answer(self) {
        match self {
            Self::One(answer, outcome) => drop(answer.send(outcome)),
            Self::Group(answer, outcome) => drop(answer.send(outcome)),
        }
    }

    /// Tells that nothing of the transaction was kept.
    pub(super) fn refuse(self, error: &Error) {
        match self {
            Self::One(answer, _) => drop(answer.send(Err(error.clone()))),
            Self::Group(answer, _) => {
                drop(answer.send(Err(Failed::together(error.clone()))));
            }
        }
    }
}
