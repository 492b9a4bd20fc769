//! What became of many rows: how many of each kind, and why some were left out.

use rollcall_odata::plan::bulk::Rejected;
use rollcall_odata::{Code, Detail, Error, Fault};
use rollcall_store::{Conflict, Outcome};
use serde::{Deserialize, Serialize};

/// The most rows that were left out of which it is said why.
pub const MAX_DETAILS: usize = 100;

/// What became of many rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Facts that are new.
    pub created: u64,
    /// Facts that were there with the same numbers.
    pub unchanged: u64,
    /// Facts that have other numbers now, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<u64>,
    /// Facts that are there with other numbers, and keys of other facts.
    pub conflicting: u64,
    /// Rows that are none.
    pub rejected: u64,
    /// Why, of the first rows that were left out.
    pub details: Vec<LeftOut>,
    /// How many more were left out.
    #[serde(default, rename = "detailsLeftOut", skip_serializing_if = "is_zero")]
    pub more: u64,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Whether it is in conflict or is none.
    pub outcome: Kind,
    /// What was wrong and what was expected.
    pub message: String,
    /// The property that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// Why a row was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The fact or key is there already.
    Conflicting,
    /// The row is none.
    Rejected,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Tally {
    /// Nothing yet; whether facts may be replaced decides if they are counted.
    pub fn new(replaces: bool) -> Self {
        Self { replaced: replaces.then_some(0), ..Self::default() }
    }

    /// Adds what became of rows on these lines; `conflict` says what is in the way of one.
    pub fn add(
        &mut self,
        outcomes: &[Outcome],
        lines: &[u64],
        conflict: impl Fn(Conflict) -> Error,
    ) {
        for (outcome, line) in outcomes.iter().zip(lines) {
            match outcome {
                Outcome::Created => self.created += 1,
                Outcome::Unchanged => self.unchanged += 1,
                Outcome::Replaced => *self.replaced.get_or_insert(0) += 1,
                Outcome::Conflicting(what) => {
                    self.conflicting += 1;
                    if self.details.len() < 2 * MAX_DETAILS {
                        self.left_out(*line, Kind::Conflicting, conflict(*what));
                    }
                }
            }
        }
        self.first_ones();
    }

    /// Adds rows that are none, and why the first of them.
    pub fn reject(&mut self, count: u64, reasons: Vec<Rejected>) {
        self.rejected += count;
        for Rejected { line, error } in reasons {
            self.left_out(line, Kind::Rejected, error);
        }
        self.first_ones();
    }

    /// Adds what was answered of rows that were sent as lines 1, 2, 3 and so
    /// on, and stand on these lines.
    pub fn merge(&mut self, other: Self, lines: &[u64]) {
        self.count(&other);
        let place = |line: u64| {
            let number = usize::try_from(line).ok()?.checked_sub(1)?;
            lines.get(number).copied()
        };
        let details = other.details.into_iter();
        self.details
            .extend(details.map(|one| LeftOut { line: place(one.line).unwrap_or(0), ..one }));
        self.first_ones();
    }

    /// Adds the counts of another, without its details.
    pub fn count(&mut self, other: &Self) {
        self.created += other.created;
        self.unchanged += other.unchanged;
        if let Some(replaced) = other.replaced {
            *self.replaced.get_or_insert(0) += replaced;
        }
        self.conflicting += other.conflicting;
        self.rejected += other.rejected;
    }

    /// Whether every row has found its place.
    pub fn is_clean(&self) -> bool {
        self.conflicting == 0 && self.rejected == 0
    }

    /// How many rows have found their place.
    pub fn placed(&self) -> u64 {
        self.created + self.unchanged + self.replaced.unwrap_or(0)
    }

    /// The counts in words.
    pub fn words(&self) -> String {
        let replaced = self.replaced.map(|count| format!("{count} replaced, "));
        format!(
            "{} created, {} unchanged, {}{} conflicting, {} rejected",
            self.created,
            self.unchanged,
            replaced.unwrap_or_default(),
            self.conflicting,
            self.rejected
        )
    }

    /// The refusal of rows that were to be stored all or not at all.
    pub fn refusal(self) -> Error {
        let code = if self.rejected > 0 { Code::BadRequest } else { Code::Conflict };
        let message = format!("Nothing was stored. It would have been: {}.", self.words());
        let mut error = Error::new(code, message);
        error.details = self.details.into_iter().map(LeftOut::detail).collect();
        error
    }

    fn left_out(&mut self, line: u64, outcome: Kind, error: Error) {
        let Error { message, target, .. } = error;
        self.details.push(LeftOut { line, outcome, message, target });
    }

    fn first_ones(&mut self) {
        self.details.sort_by_key(|one| one.line);
        self.details.truncate(MAX_DETAILS);
        self.more = self.conflicting + self.rejected - self.details.len() as u64;
    }
}

impl LeftOut {
    fn detail(self) -> Detail {
        let code = match self.outcome {
            Kind::Conflicting => Fault::Conflicting,
            Kind::Rejected => Fault::InvalidValue,
        };
        let message = format!("Line {}: {}", self.line, self.message);
        Detail { code, message, target: self.target }
    }
}
