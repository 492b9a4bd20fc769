//! The entity data model: what the catalogue says, resolved and checked.

use std::sync::Arc;

/// The namespace of every type and function of a catalogue, and the alias that Graph gives it.
pub const NAMESPACE: (&str, &str) = ("microsoft.graph", "graph");

/// A name without the namespace before it, or its alias, in any letter case;
/// `None` where it has neither.
pub fn unqualified(name: &str) -> Option<&str> {
    [NAMESPACE.0, NAMESPACE.1].into_iter().find_map(|space| {
        let (before, rest) = name.split_at_checked(space.len())?;
        rest.strip_prefix('.').filter(|_| before.eq_ignore_ascii_case(space))
    })
}

/// Whether a request means this full name: it may have the alias in it, and
/// letter case does not count.
pub fn names_type(given: &str, full: &str) -> bool {
    let short = unqualified(given).zip(unqualified(full));
    given.eq_ignore_ascii_case(full)
        || short.is_some_and(|(given, full)| given.eq_ignore_ascii_case(full))
}

/// The full name of a singleton's type: `reports` is of type `reportRoot`, as in Graph.
pub fn singleton_type(name: &str) -> String {
    format!("{}.{}Root", NAMESPACE.0, name.strip_suffix('s').unwrap_or(name))
}

/// The model: every type, entity set and function of one catalogue.
#[derive(Debug, Default)]
pub struct Model {
    /// Complex types in the order of the catalogue.
    pub complex_types: Vec<Arc<ComplexType>>,
    /// Entity types in the order of the catalogue, abstract ones first among their heirs.
    pub entity_types: Vec<Arc<EntityType>>,
    /// Entity sets in the order of the catalogue.
    pub entity_sets: Vec<Arc<EntitySet>>,
    /// Report functions in the order of the catalogue.
    pub functions: Vec<Arc<Function>>,
}

impl Model {
    /// The entity set of this name in any letter case, as Graph's paths allow.
    pub fn entity_set(&self, name: &str) -> Option<&Arc<EntitySet>> {
        self.entity_sets.iter().find(|set| set.name.eq_ignore_ascii_case(name))
    }

    /// The report function of this name below a singleton, in any letter case.
    pub fn function(&self, singleton: &str, name: &str) -> Option<&Arc<Function>> {
        self.functions
            .iter()
            .find(|one| one.under() == singleton && one.name.eq_ignore_ascii_case(name))
    }

    /// Whether a singleton of this name leads to entity sets, in any letter case.
    /// Returns the name as declared.
    pub fn singleton(&self, name: &str) -> Option<&str> {
        self.entity_sets
            .iter()
            .map(|set| set.under.as_str())
            .find(|one| one.eq_ignore_ascii_case(name))
    }

    /// The names of all singletons, each once, in the order of the catalogue.
    pub fn singletons(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for set in &self.entity_sets {
            if !names.contains(&set.under.as_str()) {
                names.push(&set.under);
            }
        }
        names
    }
}

/// A complex type: properties without a key.
#[derive(Debug, PartialEq, Eq)]
pub struct ComplexType {
    /// Full name, `microsoft.graph.userActivationCounts`.
    pub name: String,
    /// Its properties in documented order.
    pub properties: Vec<Property>,
}

/// An entity type.
#[derive(Debug, PartialEq, Eq)]
pub struct EntityType {
    /// Full name, `microsoft.graph.office365ActiveUserCounts`.
    pub name: String,
    /// The type it inherits its key from; `None` for that type itself, which is abstract.
    pub base: Option<Arc<EntityType>>,
    /// What one entity of this type is.
    pub description: String,
    /// The inherited key first, then its own properties in documented order.
    pub properties: Vec<Property>,
}

impl EntityType {
    /// The name without its namespace.
    pub fn short_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name)
    }

    /// The key property.
    pub fn key(&self) -> &Property {
        &self.properties[0]
    }

    /// The position of the property of this exact name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.properties.iter().position(|property| property.name == name)
    }

    /// The position of the property of this name in any letter case, as
    /// requests may name it; no two differ by case alone.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.properties.iter().position(|property| property.name.eq_ignore_ascii_case(name))
    }

    /// The position of the first property in this role.
    pub fn in_role(&self, role: Role) -> Option<usize> {
        self.properties.iter().position(|property| property.role == role)
    }
}

/// A property of an entity type or complex type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its name, in Graph's letter case.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// What it is for.
    pub role: Role,
    /// One sentence for people.
    pub description: String,
    /// A number to show in examples, where one was chosen.
    pub example: Option<i64>,
    /// How demo data makes the count up; without it the count is not reported there.
    pub demo: Option<Demo>,
}

/// How demo data makes up a count of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demo {
    /// The people who are in at least one of the other counts.
    Total,
    /// People of their own.
    Part {
        /// How many of 100 people of the organisation, on a working day of its last year.
        share: u8,
        /// How many of 100 of these on a day that is none.
        weekend: u8,
        /// By how many in 100 the share grows in a year; negative where it fades.
        yearly: i8,
    },
}

/// The types that usage reports are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// `Edm.Int64`.
    Int64,
    /// `Edm.Int32`.
    Int32,
    /// `Edm.Boolean`.
    Boolean,
    /// `Edm.String`.
    String,
    /// `Edm.Date`.
    Date,
    /// `Edm.Guid`.
    Guid,
    /// `Edm.Duration`.
    Duration,
    /// A complex type.
    Complex(Arc<ComplexType>),
    /// A collection of one of the others.
    Collection(Box<Type>),
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Int64 => "Edm.Int64",
            Self::Int32 => "Edm.Int32",
            Self::Boolean => "Edm.Boolean",
            Self::String => "Edm.String",
            Self::Date => "Edm.Date",
            Self::Guid => "Edm.Guid",
            Self::Duration => "Edm.Duration",
            Self::Complex(complex) => &complex.name,
            Self::Collection(item) => return write!(f, "Collection({item})"),
        })
    }
}

/// What a property is for; the rules that go beyond its type follow from this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The entity's key: a GUID, kept in lower case.
    Key,
    /// The refresh date: the newest day that was known when the row was reported.
    Refreshed,
    /// The day that the row counts; never after the refresh date.
    Date,
    /// The number of days the report covered.
    Period,
    /// A count: never negative.
    Measure,
    /// Anything else that describes the row.
    Dimension,
}

/// One data set: an entity set of the container and the table behind it.
#[derive(Debug, PartialEq, Eq)]
pub struct EntitySet {
    /// Its name in the container and below its singleton.
    pub name: String,
    /// The singleton that leads to it by a navigation property of the same name.
    pub under: String,
    /// The table that keeps it: letters, digits and underscores.
    pub table: String,
    /// The type of its entities.
    pub entity_type: Arc<EntityType>,
    /// Which properties say which fact a row is, as positions in
    /// `EntityType::properties`, in the order of the table's key: the alternate key.
    pub identity: Vec<usize>,
    /// The full names of all types of the catalogue: those that a body may name
    /// and be told apart from what is no type at all.
    pub type_names: Vec<String>,
}

impl EntitySet {
    /// Whether null is a value of the property at this position: of the key
    /// and of what says which fact a row is, it is not.
    pub fn nullable(&self, position: usize) -> bool {
        position != 0 && !self.identity.contains(&position)
    }
}

/// A report function, bound to a singleton's type.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name, `getOffice365ActiveUserCounts`.
    pub name: String,
    /// The data set that it reads.
    pub entity_set: Arc<EntitySet>,
    /// Its CSV columns in documented order.
    pub columns: Vec<Column>,
}

impl Function {
    /// The singleton whose type it is bound to.
    pub fn under(&self) -> &str {
        &self.entity_set.under
    }

    /// Whether it takes a period: its rows have one.
    pub fn takes_period(&self) -> bool {
        self.entity_set.entity_type.in_role(Role::Period).is_some()
    }

    /// Whether it takes the day that its window ends on: its rows count days.
    pub fn takes_last_day(&self) -> bool {
        self.entity_set.entity_type.in_role(Role::Date).is_some()
    }

    /// What it is about: its name without the verb, `Office365ActiveUserCounts`.
    pub fn subject(&self) -> &str {
        self.name.strip_prefix("get").filter(|rest| !rest.is_empty()).unwrap_or(&self.name)
    }
}

/// One CSV column of a report function.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// The heading, exactly as Graph writes it.
    pub heading: String,
    /// The position of its property in `EntityType::properties`.
    pub property: usize,
    /// Where the property is a collection of a complex type and each item gets
    /// a line of its own: the position of the item's property.
    pub member: Option<usize>,
}
