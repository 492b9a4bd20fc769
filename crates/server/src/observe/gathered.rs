//! Lines on their way out, many to a write: one write for each request costs
//! as much as reading what the request says.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Log;

/// How long lines are gathered before they are written. A process that is
/// killed loses the lines of this time, and nothing else.
const GATHER: Duration = Duration::from_millis(10);

/// How many bytes of lines wait at most. Who has one more waits as well.
const MOST_WAITING: usize = 256 * 1024;

/// Writes lines in a thread of its own.
pub struct Gathered {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// There are lines, or no more will come.
    news: Condvar,
    /// There is room for lines.
    room: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    ended: bool,
}

impl Gathered {
    /// Begins to write to `out`. A line that cannot be written is lost: nobody
    /// is left to tell.
    ///
    /// # Errors
    /// If no thread can be had.
    pub fn start(out: impl Write + Send + 'static) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("log".to_owned());
        let thread = thread.spawn(move || of_thread.write_all(out))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// A log whose lines come here.
    pub fn log(&self) -> Log {
        let shared = Arc::clone(&self.shared);
        Log::new(move |line| shared.add(line))
    }
}

impl Drop for Gathered {
    /// Returns when all lines are written. Later ones are not.
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.news.notify_all();
        self.shared.room.notify_all();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &str) {
        let full = |waiting: &mut Waiting| waiting.lines.len() >= MOST_WAITING && !waiting.ended;
        let room = self.room.wait_while(self.lock(), full);
        let mut waiting = room.unwrap_or_else(PoisonError::into_inner);
        if waiting.ended {
            return;
        }
        let first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line.as_bytes());
        waiting.lines.push(b'\n');
        drop(waiting);
        if first {
            self.news.notify_one();
        }
    }

    fn write_all(&self, mut out: impl Write) {
        loop {
            let (lines, ended) = self.take();
            drop(out.write_all(&lines).and_then(|()| out.flush()));
            if ended {
                return;
            }
        }
    }

    /// The lines that wait, some time after the first of them came; and whether
    /// they are the last.
    fn take(&self) -> (Vec<u8>, bool) {
        let none = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.ended;
        let some = self.news.wait_while(self.lock(), none);
        let some = some.unwrap_or_else(PoisonError::into_inner);
        let few = |waiting: &mut Waiting| waiting.lines.len() < MOST_WAITING && !waiting.ended;
        let many = self.news.wait_timeout_while(some, GATHER, few);
        let (mut waiting, _) = many.unwrap_or_else(PoisonError::into_inner);
        let taken = (std::mem::take(&mut waiting.lines), waiting.ended);
        drop(waiting);
        self.room.notify_all();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was written, after each write.
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<u8>>>);

    impl Write for Seen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_whole_and_in_the_order_of_its_thread() {
        let seen = Seen::default();
        let gathered = Gathered::start(seen.clone()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let log = gathered.log();
                scope.spawn(move || {
                    for line in 0..10_000 {
                        log.write(&format!("{thread} {line} and a text that fills the line"));
                    }
                });
            }
        });
        let late = gathered.log();
        drop(gathered);
        late.write("nobody reads this");
        let text = String::from_utf8(seen.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 40_000);
        for thread in 0..4 {
            let of_thread = text.lines().filter(|line| line.starts_with(&format!("{thread} ")));
            for (number, line) in of_thread.enumerate() {
                assert_eq!(line, format!("{thread} {number} and a text that fills the line"));
            }
        }
    }

    #[test]
    fn a_line_does_not_wait_for_another() {
        let seen = Seen::default();
        let gathered = Gathered::start(seen.clone()).unwrap();
        gathered.log().write("alone");
        while seen.0.lock().unwrap().is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(*seen.0.lock().unwrap(), b"alone\n");
    }

    /// Takes nothing until it is allowed to.
    struct Stuck(std::sync::mpsc::Receiver<()>, Seen);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.recv();
            self.1.write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_waits_for_a_slow_reader_is_bounded() {
        let (allow, allowed) = std::sync::mpsc::channel();
        let seen = Seen::default();
        let gathered = Gathered::start(Stuck(allowed, seen.clone())).unwrap();
        let (line, count) = ("x".repeat(1023), 1024);
        let log = gathered.log();
        let writer = std::thread::spawn(move || (0..count).for_each(|_| log.write(&line)));
        while gathered.shared.lock().lines.len() < MOST_WAITING {
            std::thread::yield_now();
        }
        assert!(!writer.is_finished(), "a mebibyte waits, of which a quarter may");
        drop(allow);
        writer.join().unwrap();
        assert!(gathered.shared.lock().lines.len() <= MOST_WAITING);
        drop(gathered);
        assert_eq!(seen.0.lock().unwrap().len(), 1024 * count);
    }
}
