//! Rows that `$apply` has made: without a key's address and a version, each
//! with what rows of its form have.

use super::{Collection, computed, member};
use crate::edm::EntitySet;
use crate::plan::apply::{self, Column};
use crate::plan::query::{Computed, Selection};
use crate::value::Row;

/// What tells, in place of names, that rows have nothing in common.
const ANY_STRUCTURE: &str = "@Core.AnyStructure";

/// The columns of the rows.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    all: Vec<Column>,
    /// What is shown of a row of each form, as places in `all`.
    forms: Vec<Vec<usize>>,
}

impl Collection {
    /// The rows that `$apply` makes of those that the collection would have,
    /// with what is computed besides, and of all that only what is selected.
    #[must_use]
    pub fn applying(
        mut self,
        applied: &apply::Applied,
        computed: &[Computed],
        selection: Option<&Selection>,
    ) -> Self {
        let all = applied.columns.clone();
        let selected =
            |place: &usize| selection.is_none_or(|one| one.properties.contains(&all[*place].at));
        let shown = |form: &Vec<usize>| form.iter().copied().filter(selected).collect();
        let forms = applied.forms.iter().map(shown).collect();
        if let Some(names) = names(&self.set, applied, selected, computed, selection) {
            self.context = format!("{}({names})", self.context);
        }
        self.computed = computed.iter().map(|one| (one.name.clone(), one.ty)).collect();
        self.applied = Some(Columns { all, forms });
        self
    }

    /// Adds such a row; `form` is the number of its form. It has no address.
    pub fn made(&mut self, form: u64, row: &Row) {
        self.without_address(|rows, out| rows.made_members(out, form, row));
    }

    fn made_members(&self, out: &mut Vec<u8>, form: u64, row: &Row) {
        let Some(Columns { all, forms }) = &self.applied else { return };
        let properties = &self.set.entity_type.properties;
        let form = usize::try_from(form).ok().and_then(|form| forms.get(form));
        for place in form.into_iter().flatten() {
            let (column, value) = (&all[*place], &row[*place]);
            match column.ty {
                None => member(out, &properties[column.at], value, self.style),
                Some(ty) => computed(out, &column.name, ty, value, self.style),
            }
        }
        for ((name, ty), value) in self.computed.iter().zip(row.iter().skip(all.len())) {
            computed(out, name, *ty, value, self.style);
        }
    }
}

/// What all rows have, as a context names it; `None` where that is what the
/// rows of the set have.
fn names(
    set: &EntitySet,
    applied: &apply::Applied,
    selected: impl Fn(&usize) -> bool,
    computed: &[Computed],
    selection: Option<&Selection>,
) -> Option<String> {
    let common = match (apply::common(set, applied), selection) {
        (None, None) if computed.is_empty() => return None,
        (None, _) => (0..applied.columns.len()).collect(),
        (Some(common), _) => common,
    };
    let names = common.iter().filter(|place| selected(place));
    let names = names.map(|place| applied.columns[*place].name.as_str());
    let all: Vec<&str> = names.chain(computed.iter().map(|one| one.name.as_str())).collect();
    Some(if all.is_empty() { ANY_STRUCTURE.to_owned() } else { all.join(",") })
}
