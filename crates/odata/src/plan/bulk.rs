//! Many rows at once: from pieces of a text to what the store is to do.

use std::sync::Arc;

use jiff::civil::Date;
use uuid::Uuid;

use super::write;
use crate::edm::EntitySet;
use crate::error::Error;
use crate::headers::Numbers;
use crate::payload::csv::read::{self as csv, Known};
use crate::payload::json::lines;
use crate::payload::json::read::{Body, Slot};
use crate::value::Value;

/// Rows of one set to create, each on its own.
#[derive(Debug, Clone)]
pub struct Bulk {
    /// Where to put them.
    pub set: Arc<EntitySet>,
    /// The rows.
    pub rows: Rows,
    /// The key of the first row that has none; those that follow count up from
    /// it, so its last bits must leave room for as many as there are rows.
    pub first_key: Uuid,
    /// What to do with a fact that is there with other numbers.
    pub policy: Policy,
    /// What becomes of it all.
    pub fate: Fate,
}

/// Rows of one width, one after the other. A key that is null was not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    width: usize,
    values: Vec<Value>,
    /// What the values have in memory besides their own bytes.
    besides: usize,
}

impl Rows {
    /// No rows, of this many values each.
    pub fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// One row.
    pub fn row(&self, number: usize) -> &[Value] {
        &self.values[number * self.width..(number + 1) * self.width]
    }

    /// One row, to complete it.
    pub fn row_mut(&mut self, number: usize) -> &mut [Value] {
        &mut self.values[number * self.width..(number + 1) * self.width]
    }

    /// One row more, which must be as wide as the others.
    pub fn push(&mut self, row: impl IntoIterator<Item = Value>) {
        let before = self.values.len();
        self.values.extend(row);
        let new = &self.values[before..];
        assert_eq!(new.len(), self.width, "a row of another width");
        self.besides += new.iter().map(Value::besides).sum::<usize>();
    }

    /// Puts others of the same width behind these.
    fn append(&mut self, mut more: Self) {
        if self.is_empty() {
            *self = more;
            return;
        }
        // No more than is needed, so that it is known before how much that is.
        self.values.reserve_exact(more.values.len());
        self.values.append(&mut more.values);
        self.besides += more.besides;
    }

    /// The bytes that they take in memory.
    pub fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<Value>() + self.besides
    }
}

/// What to do with a fact that is there with other numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Policy {
    /// It stays as it is, and the row is in conflict.
    #[default]
    Keep,
    /// It gets the row's numbers; the former ones are kept in its history.
    Replace,
}

/// What becomes of rows that could be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fate {
    /// They stay, whatever becomes of the others.
    #[default]
    Each,
    /// They stay if no row is in conflict.
    AllOrNone,
    /// None stays: it was to be known what would happen.
    None,
}

/// Why a row was not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub error: Error,
}

/// What has been taken in.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// The rows that keep the rules of an entity.
    pub rows: Rows,
    /// The line of each.
    pub lines: Vec<u64>,
    /// How many were rejected.
    pub rejected: u64,
    /// Why, of the first ones.
    pub reasons: Vec<Rejected>,
}

/// Takes in a text that comes in pieces, row by row. A missing count is null
/// here, "not reported": old files lack whole columns.
pub struct Intake {
    form: Form,
    newest_refresh: Date,
    most_reasons: usize,
    taken: Taken,
}

enum Form {
    Csv(Box<csv::Reader>),
    Lines(lines::Reader),
}

impl Intake {
    /// For CSV with one of these heading rows. Of no more than `most_reasons`
    /// rejected rows it is kept why.
    pub fn csv(known: Known, newest_refresh: Date, most_reasons: usize) -> Self {
        let form = Form::Csv(Box::new(csv::Reader::new(known)));
        Self { form, newest_refresh, most_reasons, taken: Taken::default() }
    }

    /// For newline-delimited JSON of this set.
    pub fn lines(
        set: Arc<EntitySet>,
        numbers: Numbers,
        newest_refresh: Date,
        most_reasons: usize,
    ) -> Self {
        let form = Form::Lines(lines::Reader::new(set, numbers));
        Self { form, newest_refresh, most_reasons, taken: Taken::default() }
    }

    /// The set that the rows are for; of CSV once its heading row has come.
    pub fn set(&self) -> Option<&Arc<EntitySet>> {
        match &self.form {
            Form::Csv(reader) => reader.set(),
            Form::Lines(reader) => Some(reader.set()),
        }
    }

    /// The next piece. An error is one of the whole text.
    pub fn feed(&mut self, piece: &[u8]) -> Result<(), Error> {
        let (taken, newest, most) = (&mut self.taken, self.newest_refresh, self.most_reasons);
        match &mut self.form {
            Form::Csv(reader) => reader.feed(piece, &mut |line, set, body| {
                taken.body(line, set, body, newest, most);
            }),
            Form::Lines(reader) => {
                reader.feed(piece, &mut |line, set, body| {
                    taken.line(line, set, body, newest, most);
                });
                Ok(())
            }
        }
    }

    /// The end of the text.
    pub fn finish(&mut self) -> Result<(), Error> {
        let (taken, newest, most) = (&mut self.taken, self.newest_refresh, self.most_reasons);
        match &mut self.form {
            Form::Csv(reader) => reader.finish(&mut |line, set, body| {
                taken.body(line, set, body, newest, most);
            }),
            Form::Lines(reader) => {
                reader.finish(&mut |line, set, body| taken.line(line, set, body, newest, most));
                Ok(())
            }
        }
    }

    /// How many rows there are to take.
    pub fn len(&self) -> usize {
        self.taken.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.taken.lines.is_empty()
    }

    /// The bytes that what there is to take takes in memory.
    pub fn bytes(&self) -> usize {
        self.taken.bytes()
    }

    /// What has been taken in since this was last asked.
    pub fn take(&mut self) -> Taken {
        std::mem::take(&mut self.taken)
    }
}

impl Taken {
    /// The bytes that the rows take in memory.
    pub fn bytes(&self) -> usize {
        self.rows.bytes() + self.lines.capacity() * size_of::<u64>()
    }

    /// Puts what was taken in after this behind it: both together take no more bytes
    /// than each for itself.
    pub fn append(&mut self, more: Self) {
        self.rows.append(more.rows);
        self.lines.reserve_exact(more.lines.len());
        self.lines.extend(more.lines);
        self.rejected += more.rejected;
        self.reasons.extend(more.reasons);
    }

    fn line(
        &mut self,
        line: u64,
        set: &EntitySet,
        body: Result<Body, Error>,
        newest: Date,
        most: usize,
    ) {
        match body {
            Ok(mut body) => self.body(line, set, &mut body, newest, most),
            Err(error) => self.reject(line, error, most),
        }
    }

    /// Takes the values out of a body that inserts a row.
    fn body(&mut self, line: u64, set: &EntitySet, body: &mut Body, newest: Date, most: usize) {
        if let Err(error) = write::complete(set, body, true, newest) {
            return self.reject(line, error, most);
        }
        if self.lines.is_empty() {
            self.rows = Rows::new(set.entity_type.properties.len());
        }
        let slots = body.slots.iter_mut().map(|slot| std::mem::replace(slot, Slot::Absent));
        self.rows.push(slots.map(|slot| slot.into_value().unwrap_or(Value::Null)));
        self.lines.push(line);
    }

    fn reject(&mut self, line: u64, error: Error, most: usize) {
        self.rejected += 1;
        if self.reasons.len() < most {
            self.reasons.push(Rejected { line, error: told(error) });
        }
    }
}

/// The most faults of one row that are told.
const MAX_FAULTS: usize = 5;

/// A row's faults stand in its message: those of all rows together are the details.
fn told(mut error: Error) -> Error {
    let faults: Vec<&str> =
        error.details.iter().map(|one| one.message.as_str()).take(MAX_FAULTS).collect();
    let (said, more) = (faults.join(" "), error.details.len() - faults.len());
    match (faults.len(), more) {
        (0, _) => {}
        (_, 0) => error.message = said,
        _ => error.message = format!("{said} And {more} more."),
    }
    error
}
