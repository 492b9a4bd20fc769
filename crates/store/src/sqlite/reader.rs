//! The threads that read: each has a connection of its own, all share one queue.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::Receiver;
use rusqlite::Connection;

/// What the readers are asked.
pub(crate) enum Message {
    /// Do this on a connection, and answer.
    Read(Box<dyn FnOnce(&Connection) + Send>),
    /// One of the readers is to stop; what was sent before has been answered by then.
    Stop,
}

/// Reads until it is told to stop, or nobody is left who could ask.
#[expect(clippy::needless_pass_by_value, reason = "it is the thread's own from here on")]
pub(crate) fn run(connection: Connection, messages: Receiver<Message>) {
    while let Ok(Message::Read(read)) = messages.recv() {
        // A panic drops whoever waits, which tells them; the reader goes on,
        // and its snapshot was closed on the way out.
        let _ = catch_unwind(AssertUnwindSafe(|| read(&connection)));
    }
}
