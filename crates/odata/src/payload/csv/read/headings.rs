//! What a heading row says: which report it is of, and which property each column is.

use std::sync::Arc;

use jiff::civil::Date;

use super::Record;
use crate::edm::{EntitySet, Function, Model, Role};
use crate::error::Error;
use crate::payload::json::read::quote;
use crate::payload::primitive;

/// What older files head their refresh date with; some put the date itself behind it.
const DATA_AS_OF: &str = "Data as of";

/// The reports that a file may be of.
#[derive(Debug, Clone)]
pub struct Known(Vec<Candidate>);

#[derive(Debug, Clone)]
struct Candidate {
    set: Arc<EntitySet>,
    function: Option<Arc<Function>>,
}

/// A heading row that was recognised.
#[derive(Debug)]
pub(super) struct Headings {
    pub set: Arc<EntitySet>,
    pub columns: Vec<Column>,
    /// The refresh date that a heading has, or a line above them.
    pub refreshed: Option<Date>,
    /// The property that is the refresh date.
    pub refreshed_at: Option<usize>,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// Nothing: the heading is empty.
    Nothing,
    /// Values of the property at this position.
    Of(usize),
    /// The heading has the refresh date, which is the property at this position.
    Dated(usize),
}

impl Known {
    /// Every report of the catalogue.
    pub fn of_model(model: &Model) -> Self {
        let sets = model.entity_sets.iter().flat_map(|set| Self::of_set(model, set).0);
        Self(sets.collect())
    }

    /// The reports of one data set.
    pub fn of_set(model: &Model, set: &Arc<EntitySet>) -> Self {
        let of_set = |one: &&Arc<Function>| one.entity_set.name == set.name;
        let functions = model.functions.iter().filter(of_set);
        let candidate =
            |function| Candidate { set: Arc::clone(set), function: Some(Arc::clone(function)) };
        let mut candidates: Vec<Candidate> = functions.map(candidate).collect();
        if candidates.is_empty() {
            candidates.push(Candidate { set: Arc::clone(set), function: None });
        }
        Self(candidates)
    }

    /// The report of this name, in any letter case: a function's or a data set's.
    pub fn named(model: &Model, name: &str) -> Result<Self, Error> {
        let mut all = Self::of_model(model);
        let is = |one: &Candidate| {
            one.name().eq_ignore_ascii_case(name) || one.set.name.eq_ignore_ascii_case(name)
        };
        let known = all.names();
        all.0.retain(is);
        if all.0.is_empty() {
            let message = format!("There is no report '{}'. Expected {known}.", quote(name));
            return Err(Error::bad_request(message));
        }
        Ok(all)
    }

    /// The one data set of these reports, if they have one alone.
    pub fn only_set(&self) -> Result<&Arc<EntitySet>, Error> {
        match self.0.split_first() {
            Some((first, rest)) if rest.iter().all(|one| one.set.name == first.set.name) => {
                Ok(&first.set)
            }
            _ => Err(self.ambiguous("These rows have no heading row")),
        }
    }

    /// What this heading row means.
    pub(super) fn recognise(
        &self,
        record: &Record<'_>,
        above: Option<Date>,
    ) -> Result<Headings, Error> {
        let cells = cells(record)?;
        let mut found: Vec<(&Candidate, Headings)> = Vec::new();
        let mut nearest: Option<(usize, Error)> = None;
        for candidate in &self.0 {
            match candidate.read(&cells, above)? {
                Ok(headings) => {
                    let same = |(_, other): &(&Candidate, Headings)| {
                        other.set.name == headings.set.name && other.columns == headings.columns
                    };
                    if !found.iter().any(same) {
                        found.push((candidate, headings));
                    }
                }
                Err((wrong, error)) if nearest.as_ref().is_none_or(|(least, _)| wrong < *least) => {
                    nearest = Some((wrong, error));
                }
                Err(_) => {}
            }
        }
        match (found.len(), nearest) {
            (1, _) => Ok(found.swap_remove(0).1),
            (0, Some((_, error))) => Err(error),
            _ => {
                let names = found.iter().map(|(one, _)| (*one).clone()).collect();
                Err(Self(names).ambiguous("Several reports have this heading row"))
            }
        }
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(Candidate::name).collect();
        names.join(" or ")
    }

    fn ambiguous(&self, why: &str) -> Error {
        let names = self.names();
        Error::bad_request(format!("{why}. Say which report it is with --report: {names}."))
    }
}

impl Candidate {
    fn name(&self) -> &str {
        self.function.as_ref().map_or(&self.set.name, |function| &function.name)
    }

    /// The headings under this report, or how many are wrong and why.
    fn read(
        &self,
        cells: &[&str],
        above: Option<Date>,
    ) -> Result<Result<Headings, (usize, Error)>, Error> {
        let refreshed_at = self.set.entity_type.in_role(Role::Refreshed);
        let (mut columns, mut unknown, mut refreshed) = (Vec::new(), Vec::new(), above);
        for cell in cells {
            match (data_as_of(cell), refreshed_at) {
                _ if cell.is_empty() => columns.push(Column::Nothing),
                (Some(""), Some(at)) => columns.push(Column::Of(at)),
                (Some(day), Some(at)) => {
                    refreshed = Some(day_of(day)?);
                    columns.push(Column::Dated(at));
                }
                _ => match self.property(cell) {
                    Some(at) => columns.push(Column::Of(at)),
                    None => unknown.push(*cell),
                },
            }
        }
        let missing = self.missing(&columns, refreshed.is_some());
        let twice = twice(&columns);
        if unknown.is_empty() && missing.is_empty() && twice.is_none() {
            let set = Arc::clone(&self.set);
            return Ok(Ok(Headings { set, columns, refreshed, refreshed_at }));
        }
        let wrong = unknown.len() + missing.len() + usize::from(twice.is_some());
        Ok(Err((wrong, self.error(&unknown, &missing, twice))))
    }

    /// The columns that are a whole property. Where one object has a line for
    /// each of its parts, a line is no row.
    fn columns(&self) -> impl Iterator<Item = &crate::edm::Column> {
        let columns = self.function.iter().flat_map(|function| &function.columns);
        columns.filter(|one| one.member.is_none())
    }

    /// The property of a heading: the function's, or the property's own name.
    fn property(&self, heading: &str) -> Option<usize> {
        let mut columns =
            self.columns().filter(|one| one.heading.trim().eq_ignore_ascii_case(heading));
        let named = || {
            let mut properties = self.set.entity_type.properties.iter();
            properties.position(|one| one.name.eq_ignore_ascii_case(heading))
        };
        columns.next().map(|column| column.property).or_else(named)
    }

    /// What says which fact a row is and has no column.
    fn missing(&self, columns: &[Column], refreshed: bool) -> Vec<String> {
        let has = |at: usize| {
            let is = |one: &Column| matches!(one, Column::Of(of) | Column::Dated(of) if *of == at);
            columns.iter().any(is)
                || refreshed && self.set.entity_type.in_role(Role::Refreshed) == Some(at)
        };
        let missing = self.set.identity.iter().filter(|at| !has(**at));
        missing.map(|at| self.heading(*at)).collect()
    }

    fn heading(&self, at: usize) -> String {
        let heading = self.columns().find(|one| one.property == at).map(|one| &one.heading);
        heading.unwrap_or(&self.set.entity_type.properties[at].name).clone()
    }

    fn error(&self, unknown: &[&str], missing: &[String], twice: Option<usize>) -> Error {
        let mut wrong = Vec::new();
        if !unknown.is_empty() {
            let shown: Vec<String> =
                unknown.iter().map(|one| format!("'{}'", quote(one))).collect();
            wrong.push(format!("has {}, which nobody knows", shown.join(", ")));
        }
        if !missing.is_empty() {
            wrong.push(format!("lacks '{}'", missing.join("', '")));
        }
        if let Some(at) = twice {
            wrong.push(format!("has '{}' twice", self.heading(at)));
        }
        let (wrong, name) = (wrong.join(" and "), self.name());
        let known = self.known();
        Error::bad_request(format!(
            "The heading row {wrong}. Expected the headings of {name}, in any order: {known}."
        ))
    }

    /// Every heading that is known, with the property's own name where that differs.
    fn known(&self) -> String {
        let properties = self.set.entity_type.properties.iter().enumerate();
        let named = properties.map(|(at, property)| {
            let heading = self.heading(at);
            if heading.eq_ignore_ascii_case(&property.name) {
                format!("'{heading}'")
            } else {
                format!("'{heading}' or '{}'", property.name)
            }
        });
        named.collect::<Vec<_>>().join(", ")
    }
}

/// A property that two columns are of.
fn twice(columns: &[Column]) -> Option<usize> {
    let of = |column: &Column| match column {
        Column::Nothing => None,
        Column::Of(at) | Column::Dated(at) => Some(*at),
    };
    let repeated = |(number, column): (usize, &Column)| {
        of(column).filter(|at| columns[..number].iter().any(|other| of(other) == Some(*at)))
    };
    columns.iter().enumerate().find_map(repeated)
}

/// The refresh date in a line of its own above the headings, such as
/// `Data as of 2017-09-01`, in one cell or two.
pub(super) fn above(record: &Record<'_>) -> Result<Option<Date>, Error> {
    let cells = cells(record)?;
    let mut said = cells.into_iter().filter(|cell| !cell.is_empty());
    let (first, second, more) = (said.next(), said.next(), said.next());
    match (first.and_then(data_as_of), second) {
        (Some(day), None) if !day.is_empty() => day_of(day).map(Some),
        (Some(""), Some(day)) if more.is_none() && primitive::date(day).is_some() => {
            Ok(primitive::date(day))
        }
        _ => Ok(None),
    }
}

/// What stands behind `Data as of`, if the cell begins with that.
fn data_as_of(cell: &str) -> Option<&str> {
    let (start, rest) = cell.split_at_checked(DATA_AS_OF.len())?;
    let apart = rest.is_empty() || rest.starts_with([' ', ':']);
    (start.eq_ignore_ascii_case(DATA_AS_OF) && apart).then(|| rest.trim_matches([' ', ':']))
}

/// A date in a heading. Days and months in other orders are not guessed at.
fn day_of(text: &str) -> Result<Date, Error> {
    primitive::date(text).ok_or_else(|| {
        Error::bad_request(format!(
            "The heading '{DATA_AS_OF} {}' has no date that can be told. Expected a real day as \
             YYYY-MM-DD.",
            quote(text)
        ))
    })
}

fn cells<'r>(record: &Record<'r>) -> Result<Vec<&'r str>, Error> {
    let cells: Option<Vec<&str>> = (0..record.len()).map(|number| record.cell(number)).collect();
    cells.ok_or_else(|| Error::bad_request("The heading row is not UTF-8. Expected UTF-8."))
}
