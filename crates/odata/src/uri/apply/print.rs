//! Transformations as text again.

use std::fmt::{Display, Formatter, Result};

use super::{Aggregate, Group, Kind, Property, Transformation};
use crate::uri::clauses::{Computed, OrderKey};

impl Display for Transformation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.kind {
            Kind::Aggregate(all) => write!(f, "aggregate({})", joined(all, ",")),
            Kind::Compute(all) => write!(f, "compute({})", joined(all, ",")),
            Kind::Concat(all) => {
                let all: Vec<String> = all.iter().map(|one| sequence(one)).collect();
                write!(f, "concat({})", all.join(","))
            }
            Kind::Filter(condition) => write!(f, "filter({condition})"),
            Kind::GroupBy(groups, None) => write!(f, "groupby(({}))", joined(groups, ",")),
            Kind::GroupBy(groups, Some(inside)) => {
                write!(f, "groupby(({}),{})", joined(groups, ","), sequence(inside))
            }
            Kind::Identity => f.write_str("identity"),
            Kind::OrderBy(keys) => write!(f, "orderby({})", joined(keys, ",")),
            Kind::Search(search) => write!(f, "search({search})"),
            Kind::Skip(number) => write!(f, "skip({number})"),
            Kind::Top(number) => write!(f, "top({number})"),
        }
    }
}

/// Transformations one after another.
pub fn sequence(all: &[Transformation]) -> String {
    joined(all, "/")
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.value {
            None => write!(f, "$count as {}", self.name),
            Some((value, method)) => write!(f, "{value} with {} as {}", method.text(), self.name),
        }
    }
}

impl Display for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::By(property) => property.fmt(f),
            Self::Rollup { total, levels } => {
                let total = if *total { "$all," } else { "" };
                write!(f, "rollup({total}{})", joined(levels, ","))
            }
        }
    }
}

impl Display for Property {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&self.path.join("/"))
    }
}

impl Display for Computed {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} as {}", self.expression, self.name)
    }
}

impl Display for OrderKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}{}", self.expression, if self.descending { " desc" } else { "" })
    }
}

fn joined(all: &[impl Display], between: &str) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}
