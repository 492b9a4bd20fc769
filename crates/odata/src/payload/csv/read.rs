//! Rows from CSV that comes in pieces of any size.
//!
//! The heading row decides what each column is. Every row gets the same rules
//! and the same words as a single create; what is wrong with one row leaves the
//! others alone.

mod headings;

use std::sync::Arc;

use csv_core::ReadRecordResult;
use jiff::civil::Date;

use super::Start;
use crate::edm::{EntitySet, Property, Role, Type};
use crate::error::{Detail, Error, Fault};
use crate::payload::json::read::{self as json, Body, Slot};
use crate::payload::primitive;
use crate::value::Value;
pub use headings::Known;
use headings::{Column, Headings};

/// The longest row, in bytes. What is longer is most likely a quotation mark
/// that is never closed.
pub const MAX_ROW: usize = 64 * 1024;

/// Reads one file of CSV.
pub struct Reader {
    known: Known,
    start: Start,
    core: csv_core::Reader,
    /// The cells of the row so far, one after the other, and where each ends.
    cells: Vec<u8>,
    ends: Vec<usize>,
    filled: (usize, usize),
    /// The line that is being read, from 1, and that on which the row began.
    line: u64,
    began: Option<u64>,
    /// The refresh date that stands above the heading row.
    refreshed: Option<Date>,
    headings: Option<Headings>,
    /// The text and value that each column had last: dates and periods repeat.
    last: Vec<(String, Value)>,
    body: Body,
}

impl Reader {
    /// A reader of a file with one of these heading rows.
    pub fn new(known: Known) -> Self {
        Self {
            known,
            start: Start::default(),
            core: csv_core::Reader::new(),
            cells: vec![0; 1024],
            ends: vec![0; 32],
            filled: (0, 0),
            line: 1,
            began: None,
            refreshed: None,
            headings: None,
            last: Vec::new(),
            body: Body { slots: Vec::new(), faults: Vec::new(), tag: None },
        }
    }

    /// The set that the rows are for, once the heading row has been read.
    pub fn set(&self) -> Option<&Arc<EntitySet>> {
        self.headings.as_ref().map(|headings| &headings.set)
    }

    /// Reads a piece and gives each row that ends in it, with the line on which
    /// it begins. An error is one of the whole file.
    pub fn feed(
        &mut self,
        piece: &[u8],
        row: &mut impl FnMut(u64, &Arc<EntitySet>, &mut Body),
    ) -> Result<(), Error> {
        let mut rest = self.start.skip(piece);
        while !rest.is_empty() {
            rest = self.read(rest, row)?;
        }
        Ok(())
    }

    /// The end of the file: gives the last row if no line end follows it.
    pub fn finish(
        &mut self,
        row: &mut impl FnMut(u64, &Arc<EntitySet>, &mut Body),
    ) -> Result<(), Error> {
        while self.began.is_some() {
            self.read(&[], row)?;
        }
        if self.headings.is_some() {
            return Ok(());
        }
        let message = "There is no heading row: the CSV is empty. Expected one line of headings.";
        Err(Error::bad_request(message))
    }

    /// Reads up to the end of a row, or of what there is; gives what is left.
    fn read<'b>(
        &mut self,
        bytes: &'b [u8],
        row: &mut impl FnMut(u64, &Arc<EntitySet>, &mut Body),
    ) -> Result<&'b [u8], Error> {
        let bytes = self.begin(bytes);
        if self.began.is_none() {
            return Ok(bytes);
        }
        let (cells, ends) = self.filled;
        let (result, used, wrote, ended) =
            self.core.read_record(bytes, &mut self.cells[cells..], &mut self.ends[ends..]);
        self.filled = (cells + wrote, ends + ended);
        self.line += line_ends(&bytes[..used]);
        match result {
            ReadRecordResult::OutputFull => {
                let bytes = self.longer(self.cells.len())?;
                self.cells.resize(bytes, 0);
            }
            ReadRecordResult::OutputEndsFull => {
                // Empty cells are no bytes, and take memory all the same.
                let cells = self.longer(self.ends.len())?;
                self.ends.resize(cells, 0);
            }
            ReadRecordResult::Record => self.row(row)?,
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::End => self.began = None,
        }
        Ok(&bytes[used..])
    }

    /// Skips line ends before a row and notes where it begins.
    fn begin<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        if self.began.is_some() {
            return bytes;
        }
        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.line += line_ends(&bytes[..blank]);
        if blank < bytes.len() {
            self.began = Some(self.line);
        }
        &bytes[blank..]
    }

    /// The next length of a buffer that a row has filled, up to the longest row.
    fn longer(&self, length: usize) -> Result<usize, Error> {
        if length * 2 <= MAX_ROW {
            return Ok(length * 2);
        }
        let line = self.began.unwrap_or(self.line);
        Err(Error::bad_request(format!(
            "The row that begins on line {line} is longer than {MAX_ROW} bytes. Expected a shorter \
             one; perhaps a quotation mark is not closed."
        )))
    }

    /// The row is whole: headings first, then what they are of.
    fn row(&mut self, give: &mut impl FnMut(u64, &Arc<EntitySet>, &mut Body)) -> Result<(), Error> {
        let line = self.began.take().unwrap_or(self.line);
        let (cells, ends) = std::mem::take(&mut self.filled);
        let record = Record { cells: &self.cells[..cells], ends: &self.ends[..ends] };
        let Some(headings) = &self.headings else {
            return match headings::above(&record)? {
                Some(date) if self.refreshed.is_none() => {
                    self.refreshed = Some(date);
                    Ok(())
                }
                _ => self.begin_rows(cells, ends),
            };
        };
        fill(&mut self.body, &mut self.last, headings, &record);
        give(line, &headings.set, &mut self.body);
        Ok(())
    }

    fn begin_rows(&mut self, cells: usize, ends: usize) -> Result<(), Error> {
        let record = Record { cells: &self.cells[..cells], ends: &self.ends[..ends] };
        let headings = self.known.recognise(&record, self.refreshed)?;
        self.last = vec![(String::new(), Value::Null); headings.columns.len()];
        self.headings = Some(headings);
        Ok(())
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

/// One row as it was cut.
struct Record<'r> {
    cells: &'r [u8],
    ends: &'r [usize],
}

impl<'r> Record<'r> {
    fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a cell, blanks around it aside; nothing where it is not UTF-8.
    fn cell(&self, number: usize) -> Option<&'r str> {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        let bytes = &self.cells[start..self.ends[number]];
        std::str::from_utf8(bytes).ok().map(str::trim_ascii)
    }
}

/// What a row says of each property.
fn fill(body: &mut Body, last: &mut [(String, Value)], headings: &Headings, record: &Record<'_>) {
    let properties = &headings.set.entity_type.properties;
    body.faults.clear();
    body.slots.clear();
    body.slots.resize(properties.len(), Slot::Absent);
    if record.len() != headings.columns.len() {
        let (found, expected) = (record.len(), headings.columns.len());
        let cells = if found == 1 { "1 cell" } else { &format!("{found} cells") };
        let message = format!("The row has {cells}. Expected {expected}, one for each heading.");
        body.faults.push(Detail { code: Fault::Unreadable, message, target: None });
        body.slots.fill(Slot::Faulty);
        return;
    }
    for (number, column) in headings.columns.iter().enumerate() {
        let mut cell = Cell { headings, faults: &mut body.faults, text: record.cell(number) };
        match column {
            Column::Nothing => cell.nothing(),
            Column::Dated(at) => body.slots[*at] = cell.dated(&properties[*at]),
            Column::Of(at) => body.slots[*at] = cell.value(*at, &mut last[number]),
        }
    }
    if let (Some(date), Some(at)) = (headings.refreshed, headings.refreshed_at)
        && body.slots[at] == Slot::Absent
    {
        body.slots[at] = Slot::Given(Value::Date(date));
    }
}

/// One cell on its way to a value.
struct Cell<'a> {
    headings: &'a Headings,
    faults: &'a mut Vec<Detail>,
    text: Option<&'a str>,
}

impl Cell<'_> {
    /// A cell without a heading must be empty.
    fn nothing(&mut self) {
        if self.text != Some("") {
            let shown = json::quote(self.text.unwrap_or_default());
            let message = format!("The cell '{shown}' has no heading. Expected an empty one.");
            self.faults.push(Detail { code: Fault::Unknown, message, target: None });
        }
    }

    /// A cell under a heading that has the refresh date in it: the heading
    /// counts, and another date contradicts it.
    fn dated(&mut self, property: &Property) -> Slot {
        let date = self.headings.refreshed.map(Value::Date);
        let given = self.text.and_then(primitive::date).map(Value::Date);
        if given.is_some() && given != date {
            let shown = self.text.unwrap_or_default();
            let message = format!(
                "The property '{}' is {shown}, and its heading says another day. Expected the \
                 same day, or an empty cell.",
                property.name
            );
            let target = Some(property.name.clone());
            self.faults.push(Detail { code: Fault::Inconsistent, message, target });
            return Slot::Faulty;
        }
        date.map_or(Slot::Absent, Slot::Given)
    }

    /// The value of a property. An empty cell is null, which is "not reported".
    fn value(&mut self, at: usize, last: &mut (String, Value)) -> Slot {
        let property = &self.headings.set.entity_type.properties[at];
        let Some(text) = self.text else {
            return self.fault(property, "?", "not UTF-8");
        };
        if text.is_empty() {
            return self.empty(at, property);
        }
        let repeats = matches!(property.role, Role::Refreshed | Role::Date | Role::Period);
        if repeats && last.0 == text {
            return Slot::Given(last.1.clone());
        }
        let Some(value) = value_of(property, text) else {
            return self.structured(property, text);
        };
        if repeats {
            text.clone_into(&mut last.0);
            last.1.clone_from(&value);
        }
        Slot::Given(value)
    }

    fn empty(&mut self, at: usize, property: &Property) -> Slot {
        let filled = self.headings.refreshed_at == Some(at) && self.headings.refreshed.is_some();
        if at == 0 || filled {
            return Slot::Absent;
        }
        if self.headings.set.nullable(at) {
            return Slot::Given(Value::Null);
        }
        self.faults.push(json::null_not_allowed(property, &property.name));
        Slot::Faulty
    }

    /// A collection or complex value is JSON in its cell; a collection of
    /// strings may also be joined by `+`, as Graph does.
    fn structured(&mut self, property: &Property, text: &str) -> Slot {
        match &property.ty {
            Type::Collection(item) if **item == Type::String && !text.starts_with('[') => {
                let items = text.split('+').map(|one| Value::Text(one.to_owned()));
                Slot::Given(Value::List(items.collect()))
            }
            Type::Collection(_) | Type::Complex(_) => {
                json::value(text, &self.headings.set, property, self.faults)
                    .unwrap_or_else(|| self.fault(property, text, "a string"))
            }
            _ => self.fault(property, text, "a string"),
        }
    }

    fn fault(&mut self, property: &Property, text: &str, kind: &str) -> Slot {
        let expected = primitive::expected(property);
        let (name, ty) = (&property.name, &property.ty);
        self.faults.push(json::cannot_convert(text, ty, name, kind, &expected));
        Slot::Faulty
    }
}

/// A primitive value from a cell. Booleans count in any letter case.
fn value_of(property: &Property, text: &str) -> Option<Value> {
    match (property.role, &property.ty) {
        (Role::Key | Role::Period, _) => primitive::from_text(property, text),
        (role, ty @ (Type::Int64 | Type::Int32)) => {
            primitive::integer(role, ty, text).map(Value::Int)
        }
        (_, Type::Boolean) if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        (_, Type::Boolean) if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        (_, ty) => primitive::text_of_type(ty, text),
    }
}
