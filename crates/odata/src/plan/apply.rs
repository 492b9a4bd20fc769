//! `$apply` with every name resolved: a tree of relations, from the rows of a
//! set to the rows that are answered.
//!
//! A column is a number. Those of the set's properties are their positions;
//! what transformations add follows, so that an expression means the same
//! column wherever it stands. After `concat` and `rollup` not every row has
//! every column: a row's form says which it has, and a hidden column holds the
//! number of its form.

mod concat;
mod groups;
mod steps;

use super::expression::{Expression, Setting, Ty};
use super::query::{Computed, OrderKey};
use crate::edm::EntitySet;
use crate::error::Error;
use crate::uri::apply::{self, Method};
use crate::uri::filter::Node;

/// What `$apply` makes of the rows of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// How the rows are made.
    pub relation: Relation,
    /// The columns that some of them have: properties, then what was added.
    pub columns: Vec<Column>,
    /// Which of these a row of each form has, as places in `columns`.
    pub forms: Vec<Vec<usize>>,
    /// The column that holds the number of a row's form, where there are several.
    pub form: Option<usize>,
    /// The order that they have, whole: no two rows are the same in it.
    pub(crate) order: Vec<OrderKey>,
}

/// One column of what `$apply` makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its number.
    pub at: usize,
    /// Its name.
    pub name: String,
    /// Its type; `None` of a property, which says it itself.
    pub ty: Option<Ty>,
}

/// Rows, and how they are made of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// The rows of the set.
    Source,
    /// Those for which this is true.
    Filter(Box<Relation>, Expression),
    /// All, with these columns besides.
    Compute(Box<Relation>, Vec<(usize, Expression)>),
    /// One row for each group.
    Group(Box<Grouping>),
    /// Some of the first, of all or of each group.
    Limit(Box<Limit>),
    /// Those of several, with these columns, null where one has it not.
    Union(Vec<Part>, Vec<usize>),
}

/// How rows are grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// The rows.
    pub input: Relation,
    /// Their columns.
    pub columns: Vec<usize>,
    /// What rows of one group have in common.
    pub by: Vec<usize>,
    /// What each group has besides.
    pub values: Vec<(usize, Aggregate)>,
    /// Rows of which every group is there, though it may have no row in the input.
    pub every: Option<Relation>,
    /// Whether there is a row even of no rows at all, where nothing is grouped by.
    pub always: bool,
}

/// One value over many rows; nulls do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aggregate {
    /// How many rows.
    Count,
    /// The values of an expression of this type become one.
    Of(Method, Expression, Ty),
}

/// So many rows in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The rows.
    pub input: Relation,
    /// Their columns.
    pub columns: Vec<usize>,
    /// What rows of one group have in common; it is so many of each group.
    pub within: Vec<usize>,
    /// Their order, whole.
    pub order: Vec<OrderKey>,
    /// How many of the first are left out.
    pub skip: u64,
    /// How many are there after them at most.
    pub top: Option<u64>,
}

/// One of several relations that follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The rows.
    pub relation: Relation,
    /// Their columns.
    pub columns: Vec<usize>,
    /// The column of the form's number, and what is added to the old number.
    pub form: (usize, usize),
    /// The old column of the form's number, where there is one.
    pub old_form: Option<usize>,
    /// The column of the part's number.
    pub number: usize,
    /// The column of the row's place within the part.
    pub place: usize,
    /// The order that the place follows; without one all places are 0.
    pub order: Vec<OrderKey>,
}

/// What names mean after `$apply`.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// Whether each property of the set is still there.
    pub present: Vec<bool>,
    /// What was added.
    pub added: Vec<Computed>,
}

/// Whether rows show their key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// As those of a set.
    Shown,
    /// As those of a report function, which show it to who names it in `$select`.
    Named,
    /// As those of a report function, where nobody does.
    Hidden,
}

/// Plans the value of `$apply`, over what is left of the rows where these
/// conditions hold.
pub(crate) fn plan(
    setting: Setting<'_>,
    text: &str,
    narrowing: &[Node],
    key: Key,
) -> Result<(Applied, Scope), Error> {
    let sequence = apply::parse(text, setting.limits)?;
    let mut planner = steps::Planner::new(setting);
    let mut table = planner.source(key != Key::Shown);
    for condition in narrowing {
        table = planner.narrowed(table, condition)?;
    }
    let table = planner.sequence(table, &sequence, None)?;
    planner.finish(table, key == Key::Named)
}

/// How the columns of a select list are told: those that every row has. `None`
/// where all rows have all properties and nothing else.
pub fn common(set: &EntitySet, applied: &Applied) -> Option<Vec<usize>> {
    let everywhere = |place: &usize| applied.forms.iter().all(|form| form.contains(place));
    let common: Vec<usize> = (0..applied.columns.len()).filter(everywhere).collect();
    let whole = applied.columns.len() >= set.entity_type.properties.len() - 1
        && applied.columns.iter().all(|one| one.ty.is_none());
    (!whole || common.len() < applied.columns.len()).then_some(common)
}
