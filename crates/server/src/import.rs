//! Import: files of rows, from wherever they are to where they are kept.

pub mod progress;
mod service;
pub mod sink;
pub mod source;

use std::io::Read;
use std::sync::Arc;

use jiff::civil::Date;
use rollcall_odata::headers::Numbers;
use rollcall_odata::payload::csv::read::Known;
use rollcall_odata::plan::bulk::Intake;
use rollcall_odata::plan::write;

use crate::clock::Clock;
use crate::tally::{LeftOut, MAX_DETAILS, Tally};
use progress::Progress;
use sink::{Rows, Sink};
use source::{Failure, Form, Source};

/// How much of a file is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// How much of a file is read before its form is told, in bytes.
const START: usize = 64;

/// An import.
pub struct Import {
    /// The reports that the files may be of.
    pub known: Known,
    /// Where the rows go.
    pub sink: Sink,
    /// How far it is.
    pub progress: Progress,
    /// What time it is.
    pub clock: Box<dyn Clock>,
}

/// What became of an import.
#[derive(Debug, Default)]
pub struct Summary {
    /// The rows.
    pub tally: Tally,
    /// How many files were read to their end.
    pub files: u64,
    /// How many could not be read, wholly or from some place on.
    pub unread: u64,
    /// Why rows were left out and files were not read: `file:line: why`, the first ones.
    pub reasons: Vec<String>,
}

impl Summary {
    /// Whether everything has found its place.
    pub fn is_clean(&self) -> bool {
        self.tally.is_clean() && self.unread == 0
    }

    /// How many rows and files there would be a reason for.
    pub fn left_out(&self) -> u64 {
        self.tally.conflicting + self.tally.rejected + self.unread
    }

    /// The whole import in one line.
    pub fn line(&self, dry: bool) -> String {
        let files = if self.files == 1 { "1 file" } else { &format!("{} files", self.files) };
        let unread = match self.unread {
            0 => String::new(),
            unread => format!(" {unread} could not be read."),
        };
        let Tally { created, replaced, .. } = self.tally;
        let same = self.is_clean() && created + replaced.unwrap_or(0) == 0;
        let same = if same { " Nothing has changed." } else { "" };
        let start = if dry { "Nothing was written. It would have been, from " } else { "" };
        format!("{start}{files}: {}.{unread}{same}", self.tally.words())
    }

    /// One file more. Only so many reasons are kept.
    fn add(&mut self, name: &str, tally: &Tally, failure: Option<&str>) {
        self.tally.count(tally);
        let place = |one: &LeftOut| format!("{name}:{}: {}", one.line, one.message);
        let reasons = tally.details.iter().map(place);
        let failure = failure.map(|why| format!("{name}: {why}"));
        let room = MAX_DETAILS.saturating_sub(self.reasons.len());
        self.reasons.extend(reasons.chain(failure).take(room));
    }
}

impl Import {
    /// Imports these, in their order; `say` gets a line for each file. A file
    /// that cannot be read does not keep the others out; an error is one of
    /// the place where the rows go.
    pub fn run(mut self, sources: &[Source], say: &mut dyn FnMut(&str)) -> Result<Summary, String> {
        let mut summary = Summary::default();
        if self.sink.replaces() {
            summary.tally.replaced = Some(0);
        }
        let newest = write::newest_refresh(self.clock.now());
        for source in sources {
            let counter = self.progress.counter();
            let opened = source.each(&counter, &mut |name, bytes| {
                self.file(name, bytes, newest, &mut summary, say)
            });
            match opened {
                Ok(()) => {}
                Err(Failure::Sink(error)) => return Err(error),
                Err(Failure::Source(error)) => {
                    summary.unread += 1;
                    summary.add(&source.name(), &Tally::default(), Some(&error));
                }
            }
        }
        self.progress.end();
        self.sink.close()?;
        Ok(summary)
    }

    fn file(
        &mut self,
        name: &str,
        bytes: &mut dyn Read,
        newest: Date,
        summary: &mut Summary,
        say: &mut dyn FnMut(&str),
    ) -> Result<(), Failure> {
        let mut tally = Tally::new(self.sink.replaces());
        let read = self.rows(bytes, newest, &mut tally);
        // What is on its way counts, even if the rest cannot be read.
        self.sink.settle(&mut tally).map_err(Failure::Sink)?;
        match read {
            Ok(()) => summary.files += 1,
            Err(Failure::Source(error)) => {
                summary.unread += 1;
                summary.add(name, &tally, Some(&error));
                return Ok(());
            }
            Err(failure) => return Err(failure),
        }
        if !self.progress.is_shown() {
            say(&format!("{name}: {}", tally.words()));
        }
        summary.add(name, &tally, None);
        Ok(())
    }

    fn rows(
        &mut self,
        bytes: &mut dyn Read,
        newest: Date,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        let mut piece = vec![0; PIECE];
        let mut filled = 0;
        // The first read of a file may give no more than its first bytes.
        while filled < START {
            match read_some(bytes, &mut piece[filled..])? {
                0 => break,
                more => filled += more,
            }
        }
        let mut intake = self.intake(&piece[..filled], newest)?;
        while filled > 0 {
            intake.feed(&piece[..filled]).map_err(|error| Failure::Source(error.message))?;
            if intake.len() >= self.sink.batch() {
                self.send(&mut intake, tally)?;
            }
            self.progress.show(&*self.clock, tally.placed());
            filled = read_some(bytes, &mut piece)?;
        }
        let ended = intake.finish().map_err(|error| Failure::Source(error.message));
        self.send(&mut intake, tally)?;
        ended
    }

    fn intake(&self, start: &[u8], newest: Date) -> Result<Intake, Failure> {
        match Form::of(start) {
            Form::Csv => Ok(Intake::csv(self.known.clone(), newest, MAX_DETAILS)),
            Form::Lines => {
                let set = self.known.only_set().map_err(|error| Failure::Source(error.message))?;
                Ok(Intake::lines(Arc::clone(set), Numbers::default(), newest, MAX_DETAILS))
            }
        }
    }

    fn send(&mut self, intake: &mut Intake, tally: &mut Tally) -> Result<(), Failure> {
        let Some(set) = intake.set().cloned() else { return Ok(()) };
        let taken = intake.take();
        tally.reject(taken.rejected, taken.reasons);
        let rows = Rows { set, rows: taken.rows, lines: taken.lines };
        self.sink.send(rows, tally).map_err(Failure::Sink)
    }
}

fn read_some(bytes: &mut dyn Read, piece: &mut [u8]) -> Result<usize, Failure> {
    loop {
        match bytes.read(piece) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            read => return read.map_err(|error| Failure::Source(format!("{error}."))),
        }
    }
}
