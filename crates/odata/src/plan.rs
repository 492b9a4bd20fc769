//! Plans: requests with every name resolved and every literal typed.
//!
//! Plan is the only place where a name becomes a property and a literal gets a
//! type. A plan holds all that the store needs and nothing of HTTP.

pub mod apply;
pub mod bulk;
pub mod delta;
pub mod expression;
pub mod page;
pub mod query;
pub mod resource;
mod search;
mod token;
pub mod window;
pub mod write;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use crate::edm::EntitySet;
use crate::error::Error;
use crate::value::{Row, Value};
use expression::Expression;

/// Which entity of a set is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The one with this key.
    Key(Uuid),
    /// The one that states this fact: the values of the set's identity, in its order.
    Fact(Vec<Value>),
}

/// Read one entity.
#[derive(Debug, Clone)]
pub struct Read {
    /// Where to look.
    pub set: Arc<EntitySet>,
    /// Which one.
    pub selector: Selector,
}

impl Read {
    /// The same as a list of that entity alone, with what is computed besides.
    pub fn computing(self, computed: Vec<query::Computed>) -> List {
        let is = |at: usize, value: Value| {
            Expression::equal(Expression::Stored(at), Expression::Value(value))
        };
        let filter = match self.selector {
            Selector::Key(key) => is(0, Value::Guid(key)),
            Selector::Fact(fact) => {
                let parts = self.set.identity.iter().zip(fact);
                Expression::And(parts.map(|(at, value)| is(*at, value)).collect())
            }
        };
        let shape = query::Shape { filter: Some(filter), computed, ..query::Shape::default() };
        List { set: self.set, limit: 1, after: None, count: false, shape }
    }
}

/// Read one page of a set, in the order that is asked for and then that of its
/// identity, dates newest first.
#[derive(Debug, Clone)]
pub struct List {
    /// Where to look.
    pub set: Arc<EntitySet>,
    /// The most rows that the page may have; may be 0.
    pub limit: usize,
    /// Where the page before ended: of its last row the values of the order's
    /// keys, then its identity in the set's order.
    pub after: Option<Vec<Value>>,
    /// Whether to count all rows that there are, on this page or not.
    pub count: bool,
    /// Which rows there are, in which order, and what they have besides.
    pub shape: query::Shape,
}

impl List {
    /// All rows, on one page.
    pub fn whole(set: Arc<EntitySet>) -> Self {
        let shape = query::Shape::default();
        Self { set, limit: usize::MAX, after: None, count: false, shape }
    }

    /// Whether it is the first page of all rows, in the order of the identity.
    pub fn is_plain_beginning(&self) -> bool {
        self.shape == query::Shape::default() && self.after.is_none() && !self.count
    }
}

/// Count the rows of a set.
#[derive(Debug, Clone)]
pub struct Count {
    /// Where to look.
    pub set: Arc<EntitySet>,
    /// What must be true of a row that counts.
    pub filter: Option<Expression>,
    /// What is made of the rows before that.
    pub apply: Option<Box<apply::Applied>>,
}

impl From<Arc<EntitySet>> for Count {
    fn from(set: Arc<EntitySet>) -> Self {
        Self { set, filter: None, apply: None }
    }
}

/// One write. A write is done whole or leaves no trace.
#[derive(Debug, Clone)]
pub enum Write {
    /// A new entity.
    Create(Create),
    /// Other values for an entity that is there.
    Update(Update),
    /// Take an entity away.
    Delete(Delete),
    /// One of these, which is done once, however often it is asked for.
    Once(Box<Once>),
}

impl Write {
    /// Where to write.
    pub fn set(&self) -> &Arc<EntitySet> {
        match self {
            Self::Create(Create { set, .. })
            | Self::Update(Update { set, .. })
            | Self::Delete(Delete { set, .. }) => set,
            Self::Once(once) => once.write.set(),
        }
    }
}

/// A write under a name, which holds for its author alone.
#[derive(Debug, Clone)]
pub struct Once {
    /// Its name.
    pub name: Name,
    /// What tells it from others; one of another digest under this name is refused.
    pub digest: [u8; 32],
    /// Until when it is remembered.
    pub until: Timestamp,
    /// The write itself.
    pub write: Write,
}

/// The name of a write that is done once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The client's name for itself; empty where it has none.
    pub client: String,
    /// The client's name for the request.
    pub request: Uuid,
    /// Which of the request's writes, where it has several.
    pub part: u32,
}

/// Create an entity.
#[derive(Debug, Clone)]
pub struct Create {
    /// Where to put it.
    pub set: Arc<EntitySet>,
    /// The whole entity, key first.
    pub row: Row,
}

/// Change an entity, or create it where it is missing.
#[derive(Debug, Clone)]
pub struct Update {
    /// Where to look.
    pub set: Arc<EntitySet>,
    /// Which one.
    pub selector: Selector,
    /// What must hold of the version that is there.
    pub precondition: Precondition,
    /// The new values, by position; all others stay. A key among them must be
    /// the one that is there: keys never change.
    pub values: Vec<(usize, Value)>,
    /// The newest refresh date that is believed.
    pub newest_refresh: Date,
    /// What to create where there is no such entity, or why the body is not
    /// enough for that; `None` where nothing may be created.
    pub or_create: Option<Result<Row, Error>>,
}

impl Update {
    /// The entity as it is after the change, or why it may not be so.
    pub fn apply(&self, current: &Row) -> Result<Row, Error> {
        let mut row = current.clone();
        for (position, value) in &self.values {
            if *position == 0 && *value != row[0] {
                return Err(write::key_differs(&self.set));
            }
            row[*position].clone_from(value);
        }
        write::check(&self.set, &row, self.newest_refresh)?;
        Ok(row)
    }
}

/// Delete an entity.
#[derive(Debug, Clone)]
pub struct Delete {
    /// Where to look.
    pub set: Arc<EntitySet>,
    /// Which one.
    pub selector: Selector,
    /// What must hold of the version that is there.
    pub precondition: Precondition,
}

/// What must hold of an entity's version before it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    /// `If-Match`: the version is one of these.
    pub matches: Option<Versions>,
    /// `If-None-Match`: the version is none of these.
    pub matches_none: Option<Versions>,
}

impl Precondition {
    /// Whether it holds of this version; `None` is an entity that is not there.
    pub fn holds(&self, current: Option<u64>) -> bool {
        self.matches.as_ref().is_none_or(|versions| versions.contain(current))
            && !self.matches_none.as_ref().is_some_and(|versions| versions.contain(current))
    }
}

/// The versions that a precondition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    /// `*`: whichever there is.
    Any,
    /// These; an entity tag that is none of ours names no version.
    Of(Vec<u64>),
}

impl Versions {
    /// The versions that are among these and those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any, both) | (both, Self::Any) => both,
            (Self::Of(mut versions), Self::Of(others)) => {
                versions.retain(|version| others.contains(version));
                Self::Of(versions)
            }
        }
    }

    /// Whether this version is among them; one that is not there never is.
    pub fn contain(&self, current: Option<u64>) -> bool {
        current.is_some_and(|version| match self {
            Self::Any => true,
            Self::Of(versions) => versions.contains(&version),
        })
    }
}
