//! The threads that read: each has a connection of its own, all share one queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Receiver;
use rusqlite::Connection;

/// After how many steps of SQLite's machine a reader looks whether anyone still
/// waits: some tenths of a millisecond.
const STEPS: i32 = 10_000;

/// What the readers are asked.
pub(crate) enum Message {
    /// Do this on a connection, and answer; stop when nobody waits any more.
    Read(Box<dyn FnOnce(&Connection) + Send>, Arc<AtomicBool>),
    /// One of the readers is to stop; what was sent before has been answered by then.
    Stop,
}

/// Reads until it is told to stop, or nobody is left who could ask.
#[expect(clippy::needless_pass_by_value, reason = "it is the thread's own from here on")]
pub(crate) fn run(mut connection: Connection, messages: Receiver<Message>) {
    while let Ok(Message::Read(read, gone)) = messages.recv() {
        let nobody_waits = move || gone.load(Ordering::Relaxed);
        // It fails on a connection that is closed, and so does the read.
        let _ = connection.progress_handler(STEPS, Some(nobody_waits));
        // A panic drops whoever waits, which tells them; the reader goes on,
        // and its snapshot was closed on the way out.
        let _ = catch_unwind(AssertUnwindSafe(|| read(&connection)));
    }
}
