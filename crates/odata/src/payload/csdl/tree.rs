//! CSDL before it is written down: what XML and JSON both say.

use std::fmt;

/// A schema with what its types, functions and container hold.
pub(super) struct Schema {
    pub types: Vec<Structured>,
    /// The overloads of each function, by its name.
    pub functions: Vec<(String, Vec<Overload>)>,
    pub container: Container,
}

/// An entity type or complex type.
pub(super) struct Structured {
    pub kind: Kind,
    pub name: String,
    pub base: Option<String>,
    pub is_abstract: bool,
    /// The name of the key property, where the type declares one.
    pub key: Option<String>,
    pub members: Vec<Member>,
    pub annotations: Vec<Annotation>,
}

/// Which kind of structured type.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Complex,
    Entity,
}

impl Kind {
    /// Its name in both formats.
    pub fn text(self) -> &'static str {
        match self {
            Self::Complex => "ComplexType",
            Self::Entity => "EntityType",
        }
    }
}

/// A property or navigation property.
pub(super) struct Member {
    pub name: String,
    pub ty: TypeUse,
    pub navigation: bool,
    /// Whether null is a value; of a collection, whether items may be null.
    pub nullable: bool,
    pub precision: Option<u8>,
    pub annotations: Vec<Annotation>,
}

/// A type as it is used: itself, or a collection of it.
#[derive(Clone)]
pub(super) struct TypeUse {
    /// Its qualified name.
    pub name: String,
    pub collection: bool,
}

impl TypeUse {
    pub fn single(name: impl Into<String>) -> Self {
        Self { name: name.into(), collection: false }
    }

    pub fn collection(name: impl Into<String>) -> Self {
        Self { name: name.into(), collection: true }
    }
}

impl fmt::Display for TypeUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.collection {
            return write!(f, "Collection({})", self.name);
        }
        f.write_str(&self.name)
    }
}

/// One way of calling a function, bound to its first parameter. Nothing in it is null.
pub(super) struct Overload {
    pub parameters: Vec<(String, TypeUse)>,
    pub returns: TypeUse,
    /// Whether its result can be asked on.
    pub composable: bool,
}

/// The entity container.
pub(super) struct Container {
    pub name: &'static str,
    pub sets: Vec<Set>,
    pub singletons: Vec<Singleton>,
    pub annotations: Vec<Annotation>,
}

/// An entity set.
pub(super) struct Set {
    pub name: String,
    pub entity_type: String,
    pub annotations: Vec<Annotation>,
}

/// A singleton with the paths that lead to entity sets, and which.
pub(super) struct Singleton {
    pub name: String,
    pub entity_type: String,
    pub bindings: Vec<(String, String)>,
    pub annotations: Vec<Annotation>,
}

/// A term, by vocabulary's alias and name, and its value.
pub(super) struct Annotation {
    pub term: &'static str,
    pub value: Expression,
}

/// The value of a term, or a part of it.
pub(super) enum Expression {
    Text(String),
    Flag(bool),
    Number(i64),
    /// A property that is meant, not its value.
    Property(String),
    /// The value of a property.
    Path(String),
    /// Members of an enumeration: its qualified name, theirs.
    Members(&'static str, &'static [&'static str]),
    List(Vec<Expression>),
    /// A record with its type, where the term does not say it.
    Record(Option<&'static str>, Vec<(&'static str, Expression)>),
    /// The first is not greater than the second.
    NotGreater(Box<[Expression; 2]>),
}
