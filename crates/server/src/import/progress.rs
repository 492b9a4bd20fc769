//! How far an import is: a bar on a terminal, nothing elsewhere.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::rc::Rc;
use std::time::Duration;

use crate::clock::Clock;

/// How long a bar stands before it is drawn anew.
const PAUSE: Duration = Duration::from_millis(100);

/// How many characters the bar is long.
const WIDTH: u64 = 30;

/// How many bytes have been read, shared by whoever reads.
pub type Counter = Rc<Cell<u64>>;

/// How far an import is.
pub struct Progress {
    total: u64,
    read: Counter,
    shown: bool,
    drawn: Duration,
}

impl Progress {
    /// Nothing of so many bytes; 0 where that is not known.
    pub fn new(total: u64, shown: bool) -> Self {
        Self { total, read: Counter::default(), shown, drawn: Duration::ZERO }
    }

    /// What counts the bytes.
    pub fn counter(&self) -> Counter {
        Rc::clone(&self.read)
    }

    /// Whether there is a terminal.
    pub fn is_shown(&self) -> bool {
        self.shown
    }

    /// Draws the bar, unless it was drawn just now.
    pub fn show(&mut self, clock: &dyn Clock, rows: u64) {
        let now = clock.elapsed();
        if self.shown && now.saturating_sub(self.drawn) >= PAUSE {
            self.drawn = now;
            // Standard error may be closed, here and below.
            drop(write!(io::stderr(), "\r{}", bar(self.read.get(), self.total, rows)));
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if self.shown {
            drop(write!(io::stderr(), "\r\x1b[K"));
        }
    }
}

fn bar(read: u64, total: u64, rows: u64) -> String {
    let part = read.saturating_mul(WIDTH).checked_div(total).unwrap_or(0).min(WIDTH);
    let percent = read.saturating_mul(100).checked_div(total).unwrap_or(0).min(100);
    let filled: String = (0..WIDTH).map(|at| if at < part { '#' } else { '.' }).collect();
    format!("[{filled}] {percent:3} %  {rows} rows of this file\x1b[K")
}

/// Counts what is read through it.
pub struct Counted<R> {
    inner: R,
    counter: Counter,
}

impl<R> Counted<R> {
    /// Counts what is read from `inner`.
    pub fn new(inner: R, counter: Counter) -> Self {
        Self { inner, counter }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.counter.set(self.counter.get() + read as u64);
        Ok(read)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        assert_eq!(
            bar(50, 100, 7),
            "[###############...............]  50 %  7 rows of this file\u{1b}[K"
        );
        assert!(bar(5, 0, 7).starts_with("[....."), "of standard input the size is not known");
        assert!(bar(u64::MAX, 1, 7).contains("100 %"));
    }
}
