//! The patterns of `matchesPattern`.
//!
//! The standard asks for ECMAScript's expressions. What these have beyond
//! regular languages, looking around and referring back, is refused: without
//! it every text is matched in a time that grows with its length alone.

use regex::{Regex, RegexBuilder};

use crate::error::Error;
use crate::uri::{self, Limits};

/// The most memory that a compiled pattern may take, in bytes, whatever the
/// limit says: what a plan has let through is compiled again under this.
pub const LARGEST: usize = 16 * 1024 * 1024;

/// The most memory that a pattern may take which is computed, in bytes: it may
/// have to be compiled for each row. A larger one is no pattern.
pub const COMPUTED: usize = 256 * 1024;

/// As many nodes a pattern counts: each takes its own memory, and time before
/// the query begins.
pub(super) const NODES: usize = 24;

/// A pattern that is ready to be matched.
#[derive(Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// The pattern in this text, `None` where it is none or too large.
    pub fn of(text: &str) -> Option<Self> {
        compiled(text, LARGEST).ok().map(Self)
    }

    /// A pattern that was computed, `None` where it is none or too large.
    pub fn computed(text: &str) -> Option<Self> {
        let mut builder = RegexBuilder::new(text);
        builder.size_limit(COMPUTED).dfa_size_limit(COMPUTED).build().ok().map(Self)
    }

    /// Whether the pattern is found in a text.
    pub fn is_found_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

fn compiled(text: &str, most: usize) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(most).build()
}

/// Refuses what is no pattern, or one that is too large.
pub(super) fn check(text: &str, option: &str, limits: Limits) -> Result<(), Error> {
    match compiled(text, limits.pattern.min(LARGEST)) {
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(most)) => {
            let what = format!("a pattern that takes more than {most} bytes");
            Err(uri::too_complex(option, &what, "query-pattern"))
        }
        Err(error) => {
            // The library shows the pattern on lines of its own, its reason last.
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            let message = format!(
                "The pattern '{text}' of 'matchesPattern' cannot be read: {reason}. Expected a \
                 regular expression as in ECMAScript, without lookaround and backreferences."
            );
            Err(Error::bad_request(message).about(option))
        }
    }
}
