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

/// What a byte of a pattern may take before its size is known, in bytes: a class
/// such as `\w` is read into all its ranges. It bounds the length of a text.
const OF_A_BYTE: usize = 256;

/// The longest pattern whatever the limit says, in bytes: some 32 MiB while it is read.
const LONGEST: usize = 8 * 1024;

/// What is read under any limit.
const SHORTEST: usize = 64;

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
        if is_too_long(text, COMPUTED) {
            return None;
        }
        let mut builder = RegexBuilder::new(text);
        builder.size_limit(COMPUTED).dfa_size_limit(COMPUTED).build().ok().map(Self)
    }

    /// Whether the pattern is found in a text.
    pub fn is_found_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

fn compiled(text: &str, most: usize) -> Result<Regex, regex::Error> {
    if is_too_long(text, most) {
        return Err(regex::Error::CompiledTooBig(most));
    }
    RegexBuilder::new(text).size_limit(most).build()
}

/// Whether a text is too long to be read under this limit on what is compiled.
fn is_too_long(text: &str, most: usize) -> bool {
    text.len() > LONGEST.min((most / OF_A_BYTE).max(SHORTEST))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_patterns_are_not_even_read() {
        let of = |length: usize| r"\w".repeat(length / 2);
        // Short enough to be read, and then too large.
        assert!(compiled(&of(1024), COMPUTED).is_err());
        assert!(is_too_long(&of(1026), COMPUTED) && !is_too_long(&of(1024), COMPUTED));
        assert!(Pattern::computed(&"a".repeat(1024)).is_some());
        assert!(Pattern::computed(&"a".repeat(1025)).is_none());
        assert!(Pattern::of(&"a".repeat(LONGEST)).is_some());
        assert!(Pattern::of(&"a".repeat(LONGEST + 1)).is_none());
        assert!(!is_too_long(&"a".repeat(SHORTEST), 1));
        assert!(is_too_long(&"a".repeat(SHORTEST + 1), 1));
    }
}
