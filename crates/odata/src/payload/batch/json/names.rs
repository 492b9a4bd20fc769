//! What the requests and groups of a batch are called, whatever the letter case.

use std::collections::BTreeMap;

/// The names of a batch as far as it is read. A request may be called as a group is.
#[derive(Default)]
pub(super) struct Names {
    /// The positions of the requests, by their ids in lower case.
    ids: BTreeMap<String, usize>,
    /// The positions of the units, by the names of their groups in lower case.
    groups: BTreeMap<String, usize>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// The request at this position.
    Part(usize),
    /// The group that is the unit at this position.
    Unit(usize),
}

impl Names {
    /// Names the request at this position; false where another has the id.
    pub fn add(&mut self, id: &str, at: usize) -> bool {
        self.ids.insert(id.to_lowercase(), at).is_none()
    }

    /// The unit that is the group of this name: this one, where there was none.
    pub fn group(&mut self, name: &str, unit: usize) -> usize {
        *self.groups.entry(name.to_lowercase()).or_insert(unit)
    }

    /// What is called so; an id comes before a group.
    pub fn find(&self, name: &str) -> Option<Named> {
        let name = name.to_lowercase();
        let part = self.ids.get(&name).map(|at| Named::Part(*at));
        part.or_else(|| self.groups.get(&name).map(|unit| Named::Unit(*unit)))
    }
}
