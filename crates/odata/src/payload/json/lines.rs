//! Newline-delimited JSON in pieces of any size: each line an object, as for create.

use std::sync::Arc;

use super::read::{self, Body};
use crate::edm::EntitySet;
use crate::error::Error;
use crate::headers::Numbers;
use crate::payload::csv::Start;

/// The longest line, in bytes: two hundred times what an object needs.
pub const MAX_LINE: usize = 64 * 1024;

/// Reads one text of lines.
pub struct Reader {
    set: Arc<EntitySet>,
    numbers: Numbers,
    start: Start,
    /// What there is of a line whose end has not come.
    begun: Vec<u8>,
    /// Whether that line is over the limit, and what comes of it is thrown away.
    too_long: bool,
    line: u64,
}

impl Reader {
    /// A reader of rows of this set.
    pub fn new(set: Arc<EntitySet>, numbers: Numbers) -> Self {
        let (start, begun) = (Start::default(), Vec::new());
        Self { set, numbers, start, begun, too_long: false, line: 1 }
    }

    /// The set that the rows are for.
    pub fn set(&self) -> &Arc<EntitySet> {
        &self.set
    }

    /// Reads a piece and gives each line that ends in it with its number, or why it is none.
    pub fn feed(
        &mut self,
        piece: &[u8],
        row: &mut impl FnMut(u64, &Arc<EntitySet>, Result<Body, Error>),
    ) {
        let mut lines = self.start.skip(piece).split(|byte| *byte == b'\n');
        // What stands behind the last line end is not a line yet.
        let rest = lines.next_back().unwrap_or_default();
        for line in lines {
            if self.begun.is_empty() && !self.too_long {
                self.line(line, row);
            } else {
                self.take(line);
                self.end(row);
            }
            self.line += 1;
        }
        self.take(rest);
    }

    /// The end of the text: gives the last line if no line end follows it.
    pub fn finish(&mut self, row: &mut impl FnMut(u64, &Arc<EntitySet>, Result<Body, Error>)) {
        self.end(row);
    }

    fn take(&mut self, part: &[u8]) {
        if self.begun.len() + part.len() > MAX_LINE {
            self.too_long = true;
            self.begun.clear();
        }
        if !self.too_long {
            self.begun.extend_from_slice(part);
        }
    }

    fn end(&mut self, row: &mut impl FnMut(u64, &Arc<EntitySet>, Result<Body, Error>)) {
        if std::mem::take(&mut self.too_long) {
            return row(self.line, &self.set, Err(too_long()));
        }
        let begun = std::mem::take(&mut self.begun);
        self.line(&begun, row);
        self.begun = begun;
        self.begun.clear();
    }

    fn line(&self, line: &[u8], row: &mut impl FnMut(u64, &Arc<EntitySet>, Result<Body, Error>)) {
        if line.len() > MAX_LINE {
            row(self.line, &self.set, Err(too_long()));
        } else if !line.trim_ascii().is_empty() {
            row(self.line, &self.set, read::entity(line, &self.set, self.numbers));
        }
    }
}

fn too_long() -> Error {
    let message = format!("The line is too long. Expected an object of at most {MAX_LINE} bytes.");
    Error::bad_request(message)
}
