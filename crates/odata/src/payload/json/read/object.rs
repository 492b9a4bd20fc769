//! The members of one JSON object: properties by name, annotations aside.

use std::borrow::Cow;
use std::fmt::Write;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Slot;
use super::walk::{Kind, Walk, kind, quote, string};
use crate::edm::{Property, names_type, unqualified};
use crate::error::Fault;

/// Whose properties an object's members are.
pub(super) struct Owner<'a> {
    /// The full name of its type.
    pub type_name: &'a str,
    /// The properties of that type.
    pub properties: &'a [Property],
    /// Whether null is a value of the property at a position.
    pub nullable: &'a dyn Fn(usize) -> bool,
}

impl Walk<'_> {
    /// One slot for each property of the owner.
    pub(super) fn object(
        &mut self,
        members: Vec<(Name<'_>, &RawValue)>,
        owner: &Owner<'_>,
        at: &str,
    ) -> Vec<Slot> {
        let mut slots = vec![Slot::Absent; owner.properties.len()];
        let mut typed = Vec::new();
        for (Name(name), raw) in members {
            if let Some(of) = typed_by(&name, owner.properties) {
                self.type_annotation(raw, &of.type_name(owner), &name, typed.contains(&of));
                typed.push(of);
            } else if is_tag(&name) {
                self.tag = string(raw);
            } else if !name.contains('@') {
                self.member(&name, raw, owner, at, &mut slots);
            }
        }
        slots
    }

    fn member(
        &mut self,
        name: &str,
        raw: &RawValue,
        owner: &Owner<'_>,
        at: &str,
        slots: &mut [Slot],
    ) {
        let named = |property: &Property| property.name.eq_ignore_ascii_case(name);
        let Some(position) = owner.properties.iter().position(named) else {
            return self.unknown(name, owner, at);
        };
        let property = &owner.properties[position];
        let at = join(at, &property.name);
        if slots[position] != Slot::Absent {
            slots[position] = Slot::Faulty;
            return self.twice(&property.name, &at);
        }
        slots[position] = self.property(raw, property, (owner.nullable)(position), &at);
    }

    fn twice(&mut self, name: &str, at: &str) {
        let message = format!(
            "Multiple properties with the name '{name}' were detected in a resource or a complex \
             value. In OData, duplicate property names are not allowed."
        );
        self.fault(Fault::Duplicate, message, at);
    }

    fn unknown(&mut self, name: &str, owner: &Owner<'_>, at: &str) {
        let shown = quote(name);
        let mut message = format!(
            "The property '{shown}' does not exist on type '{}'. Make sure to only use property \
             names that are defined by the type or mark the type as open type.",
            owner.type_name
        );
        if let Some(near) = nearest(name, owner.properties) {
            // Writing text into memory cannot fail.
            let _ = write!(message, " Did you mean '{near}'?");
        }
        self.fault(Fault::Unknown, message, &join(at, &shown));
    }

    /// `@odata.type`, of the object or of a property before it: with or without
    /// `#` or a metadata URL before the type's name, in any letter case.
    fn type_annotation(&mut self, raw: &RawValue, type_name: &str, name: &str, again: bool) {
        if again {
            return self.twice(name, name);
        }
        let given = (kind(raw) == Kind::String).then(|| string(raw)).flatten();
        let bare = given.as_deref().map(|given| given.rsplit('#').next().unwrap_or_default());
        if bare.is_some_and(|bare| is_same_type(bare, type_name)) {
            return;
        }
        let shown = quote(given.as_deref().unwrap_or(raw.get()));
        // What a property is, the protocol itself knows.
        let is_type = |bare: &str| {
            unqualified(type_name).is_none()
                || self.type_names.iter().any(|one| names_type(bare, one))
        };
        let message = match bare {
            Some(bare) if !is_type(bare) => format!(
                "A type named '{shown}' could not be resolved by the model. When a model is \
                 available, each type name must resolve to a valid type. Expected '{type_name}'."
            ),
            _ => format!(
                "A value was encountered that has a type name that is incompatible with the \
                 metadata. The value specified its type as '{shown}', but the type specified in \
                 the metadata is '{type_name}'."
            ),
        };
        self.fault(Fault::IncompatibleType, message, name);
    }
}

/// What an annotation tells the type of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typed<'a> {
    /// The object.
    Object,
    /// One of its properties.
    Member(&'a Property),
}

impl Typed<'_> {
    /// The name of the type that it has.
    fn type_name<'a>(self, owner: &Owner<'a>) -> Cow<'a, str> {
        match self {
            Self::Object => Cow::Borrowed(owner.type_name),
            Self::Member(property) => Cow::Owned(property.ty.to_string()),
        }
    }
}

/// What a member of this name tells the type of. What is no property has none
/// that it could contradict.
fn typed_by<'a>(name: &str, properties: &'a [Property]) -> Option<Typed<'a>> {
    let (of, term) = name.split_once('@')?;
    if !["odata.type", "type"].iter().any(|one| term.eq_ignore_ascii_case(one)) {
        return None;
    }
    if of.is_empty() {
        return Some(Typed::Object);
    }
    let mut all = properties.iter();
    all.find(|one| one.name.eq_ignore_ascii_case(of)).map(Typed::Member)
}

/// Whether a text names this type: the protocol's own do without their namespace.
fn is_same_type(given: &str, type_name: &str) -> bool {
    let item = |name: &str| -> Option<String> {
        let (before, rest) = name.split_at_checked("Collection(".len())?;
        let item = rest.strip_suffix(')')?;
        before.eq_ignore_ascii_case("Collection(").then(|| item.to_owned())
    };
    match (item(given), item(type_name)) {
        (Some(given), Some(type_name)) => is_same_type(&given, &type_name),
        (None, None) => {
            let own = type_name.strip_prefix("Edm.");
            names_type(given, type_name) || own.is_some_and(|own| own.eq_ignore_ascii_case(given))
        }
        _ => false,
    }
}

fn is_tag(name: &str) -> bool {
    ["@odata.etag", "@etag"].iter().any(|one| name.eq_ignore_ascii_case(one))
}

fn join<'a>(at: &str, name: &'a str) -> Cow<'a, str> {
    if at.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(format!("{at}/{name}")) }
}

/// The property that someone who typed this name most likely meant.
fn nearest<'a>(name: &str, properties: &'a [Property]) -> Option<&'a str> {
    /// More edits than this and it is another word.
    const NEAR: usize = 2;
    if name.len() > 64 {
        return None;
    }
    let near = |property: &'a Property| (edits(name, &property.name), property.name.as_str());
    let (distance, nearest) = properties.iter().map(near).min()?;
    (distance <= NEAR && distance < nearest.len()).then_some(nearest)
}

/// How many characters to insert, remove or replace, letter case aside.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (number, letter) in from.to_lowercase().chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], number + 1);
        for (at, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

/// The members of the one object that a text is, in order, duplicates included, values
/// unread. An error is a text that is none, or a member name that is no text.
pub(super) fn members(text: &str) -> Result<Vec<(Name<'_>, &RawValue)>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let members = Members.deserialize(&mut json)?;
    json.end()?;
    Ok(members)
}

/// The name of a member.
#[derive(serde::Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// As many members as most objects have, so that their list need not grow.
const USUAL_MEMBERS: usize = 16;

struct Members;

impl<'de> DeserializeSeed<'de> for Members {
    type Value = Vec<(Name<'de>, &'de RawValue)>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Name<'de>, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(USUAL_MEMBERS);
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}
