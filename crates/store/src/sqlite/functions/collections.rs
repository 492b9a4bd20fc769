//! Functions of collections, which are JSON as in their columns.

use rollcall_odata::plan::expression::Function;
use rollcall_odata::plan::expression::collection::{has_subsequence, has_subset};
use rusqlite::types::Value as Owned;
use serde_json::Value as Json;

use super::{Arguments, boolean};

/// `None` where there is no value to give, or it is not a function of this file.
pub(super) fn evaluate(function: Function, a: &Arguments<'_, '_>) -> Option<Owned> {
    let has = match function {
        Function::HasSubset => has_subset::<Json>,
        Function::HasSubsequence => has_subsequence::<Json>,
        _ => return None,
    };
    Some(boolean(has(&items(a, 0)?, &items(a, 1)?)))
}

fn items(a: &Arguments<'_, '_>, at: usize) -> Option<Vec<Json>> {
    serde_json::from_str(a.text(at)?).ok()
}
