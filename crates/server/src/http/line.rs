//! The line that a request will have in the log, written when it has ended, however
//! it has.

use jiff::Timestamp;

use super::error::Refusal;
use crate::observe::{Log, Observation};

/// The line of one request. Dropped, it is written.
pub struct Line {
    /// What was seen of the request so far.
    pub seen: Observation,
    /// The time of the request.
    pub at: Timestamp,
    /// How much has been handed out of a body that is sent in parts.
    handed: Option<usize>,
    log: Log,
    end: End,
}

/// How a request has ended.
pub enum End {
    /// Nobody waited for the rest.
    Left,
    /// All of it was answered.
    Complete,
    /// The rest of its answer could not be made.
    Failed(Refusal),
}

impl Line {
    /// The line of a request that begins now.
    pub fn begin(seen: Observation, log: &Log, at: Timestamp) -> Self {
        Self { seen, at, handed: None, log: log.clone(), end: End::Left }
    }

    /// So many bytes have been handed out of a body that is sent in parts.
    pub fn hand_out(&mut self, bytes: usize) {
        *self.handed.get_or_insert(0) += bytes;
    }

    /// The request has ended so.
    pub fn end(mut self, end: End) {
        self.end = end;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(bytes) = self.handed {
            self.seen.lap("send");
            self.seen.bytes = bytes;
        }
        match &self.end {
            End::Complete => {}
            End::Left => {
                let left = "the client left before the end, or the service stopped";
                let cause = self.seen.cause.take();
                let cause = cause.map_or(left.to_owned(), |cause| format!("{cause}; {left}"));
                self.seen.cause = Some(cause);
            }
            End::Failed(refusal) => {
                let cause = refusal.cause.as_ref().unwrap_or(&refusal.error.message);
                self.seen.cause = Some(format!("cut off: {cause}"));
            }
        }
        self.log.write(&self.seen.line(self.at));
    }
}
