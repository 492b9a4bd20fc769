//! `$apply`: transformations of a set, one after another.
//!
//! ```text
//! apply      = transform *( "/" transform )
//! transform  = "aggregate" "(" value *( "," value ) ")"
//!            / "compute" "(" expression "as" name *( "," ... ) ")"
//!            / "concat" "(" apply 1*( "," apply ) ")"
//!            / "filter" "(" expression ")"
//!            / "groupby" "(" "(" group *( "," group ) ")" [ "," apply ] ")"
//!            / "identity"
//!            / "orderby" "(" expression [ "asc" / "desc" ] *( "," ... ) ")"
//!            / "search" "(" search ")"
//!            / ( "skip" / "top" ) "(" digits ")"
//! value      = "$count" "as" name / expression "with" method "as" name
//! group      = path / "rollup" "(" ( path / "$all" ) 1*( "," path ) ")"
//! method     = "sum" / "min" / "max" / "average" / "countdistinct"
//! ```

mod parse;
mod print;
#[cfg(test)]
mod tests;

pub use print::sequence;

use super::clauses::{Computed, OrderKey};
use super::filter::Node;
use super::search::Search;
use super::{Limits, Syntax};

/// One transformation.
#[derive(Debug, Clone)]
pub struct Transformation {
    /// Where it stands.
    pub at: usize,
    /// What it does.
    pub kind: Kind,
}

/// What a transformation does.
#[derive(Debug, Clone)]
pub enum Kind {
    /// One row of values over all rows.
    Aggregate(Vec<Aggregate>),
    /// Properties besides those that there are.
    Compute(Vec<Computed>),
    /// The rows of several sequences, one after another.
    Concat(Vec<Vec<Transformation>>),
    /// The rows for which this is true.
    Filter(Node),
    /// What a sequence makes of each group; without one, the groups.
    GroupBy(Vec<Group>, Option<Vec<Transformation>>),
    /// The same rows.
    Identity,
    /// The same rows in this order.
    OrderBy(Vec<OrderKey>),
    /// The rows in which this is found.
    Search(Search),
    /// The rows without so many of the first.
    Skip(u64),
    /// So many of the first rows.
    Top(u64),
}

/// One value of `aggregate`.
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// What is aggregated, and how; `None` is the number of rows.
    pub value: Option<(Node, Method)>,
    /// The name of the value.
    pub name: String,
    /// Where the name stands.
    pub at: usize,
}

/// What rows are grouped by.
#[derive(Debug, Clone)]
pub enum Group {
    /// A property.
    By(Property),
    /// Properties from the coarsest to the finest, of which the last is left
    /// out time and again; `total` leaves out the first as well in the end.
    Rollup {
        /// Whether there is a group of all rows.
        total: bool,
        /// The properties.
        levels: Vec<Property>,
    },
}

/// A property path and where it stands.
#[derive(Debug, Clone)]
pub struct Property {
    /// The position of its first byte.
    pub at: usize,
    /// Its names.
    pub path: Vec<String>,
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// How values become one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Method { $($(#[$doc])* $name,)* }

        impl Method {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name in the language.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

methods! {
    /// The sum.
    Sum "sum",
    /// The least.
    Min "min",
    /// The greatest.
    Max "max",
    /// The sum by the number of values.
    Average "average",
    /// How many different values there are.
    CountDistinct "countdistinct",
}

/// The transformations that are served, by name.
pub const SERVED: &[&str] = &[
    "aggregate",
    "compute",
    "concat",
    "filter",
    "groupby",
    "identity",
    "orderby",
    "search",
    "skip",
    "top",
];

/// Those that the standard has besides.
const NOT_SERVED: &[&str] = &[
    "addnested",
    "ancestors",
    "bottomcount",
    "bottompercent",
    "bottomsum",
    "descendants",
    "join",
    "nest",
    "outerjoin",
    "topcount",
    "toppercent",
    "topsum",
    "traverse",
];

/// Reads the value of `$apply`.
pub fn parse(text: &str, limits: Limits) -> Result<Vec<Transformation>, Syntax> {
    parse::whole(text, limits)
}
