//! Patterns that may differ from row to row. Those that were used last are kept
//! compiled, as few rows have one of their own as a rule.

use std::cell::RefCell;
use std::collections::VecDeque;

use rollcall_odata::plan::expression::Function;
use rollcall_odata::plan::expression::pattern::Pattern;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value as Owned;
use rusqlite::{Connection, Result};

use super::{Arguments, boolean, name};

/// How many patterns a connection keeps, each of at most `pattern::COMPUTED`
/// bytes and as many for its search.
const KEPT: usize = 8;

/// Lets statements of this connection call the function.
pub(super) fn register(connection: &Connection, flags: FunctionFlags) -> Result<()> {
    let recent = RefCell::new(Recent::default());
    let name = name(Function::MatchesItsPattern);
    connection.create_scalar_function(name.as_str(), 2, flags, move |context| {
        let a = Arguments(context);
        let (Some(text), Some(pattern)) = (a.text(0), a.text(1)) else { return Ok(Owned::Null) };
        let found = recent.borrow_mut().is_found_in(pattern, text);
        Ok(found.map_or(Owned::Null, boolean))
    })
}

/// The patterns that were used last, the last in front; `None` stands for a
/// text that is no pattern.
#[derive(Default)]
struct Recent(VecDeque<(String, Option<Pattern>)>);

impl Recent {
    /// Whether the pattern is found in a text; `None` where it is none.
    fn is_found_in(&mut self, pattern: &str, text: &str) -> Option<bool> {
        let known = self.0.iter().position(|(known, _)| known == pattern);
        let used = known.and_then(|at| self.0.remove(at));
        let used = used.unwrap_or_else(|| (pattern.to_owned(), Pattern::computed(pattern)));
        self.0.truncate(KEPT - 1);
        self.0.push_front(used);
        self.0.front()?.1.as_ref().map(|pattern| pattern.is_found_in(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_is_kept() {
        let mut recent = Recent::default();
        assert_eq!(recent.is_found_in("^a", "ab"), Some(true));
        assert_eq!(recent.is_found_in("(", "("), None);
        assert_eq!(recent.is_found_in(r"\w{10000}", "a"), None, "too large");
        for number in 0..20 {
            assert_eq!(recent.is_found_in(&format!("{number}$"), "7"), Some(number == 7));
            assert_eq!(recent.is_found_in("^a", "ba"), Some(false));
        }
        assert_eq!(recent.0.len(), KEPT);
        assert_eq!(recent.0[0].0, "^a");
        assert_eq!(recent.0[1].0, "19$");
    }
}
