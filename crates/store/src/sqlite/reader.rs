//! The threads that read: each has a connection of its own, all share one queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use uuid::Uuid;

use crate::Error;
use crate::queue::{Taker, Waits};

/// After how many steps of SQLite's machine a reader looks whether anyone still
/// waits: some tenths of a millisecond.
const STEPS: i32 = 10_000;

/// What is done on a connection, and answered; or answered, where there is none for it.
type Read = dyn FnOnce(Result<&Connection, Error>) + Send;

/// What the readers are asked.
pub(crate) struct Message {
    /// Who asks.
    pub tenant: Uuid,
    /// What for.
    pub read: Box<Read>,
    /// Whether nobody waits any more: it stops then.
    pub gone: Arc<AtomicBool>,
}

impl Waits for Message {
    fn tenant(&self) -> Uuid {
        self.tenant
    }

    fn refuse(self, error: Error) {
        (self.read)(Err(error));
    }
}

/// Reads until nobody is left who could ask.
pub(crate) fn run(mut connection: Connection, mut messages: Taker<Message>) {
    while let Some(Message { read, gone, .. }) = messages.take() {
        let nobody_waits = move || gone.load(Ordering::Relaxed);
        // It fails on a connection that is closed, and so does the read.
        let _ = connection.progress_handler(STEPS, Some(nobody_waits));
        // A panic drops whoever waits, which tells them; the reader goes on,
        // and its snapshot was closed on the way out.
        let _ = catch_unwind(AssertUnwindSafe(|| read(Ok(&connection))));
    }
}
