//! The catalogue: report types as data, read into a model.
//!
//! `catalog/README.md` describes the format. Every mistake is reported, with
//! its file, entry and field, so that one run shows all there is to mend.

mod entries;

use std::sync::Arc;

use crate::edm::{
    Column, ComplexType, Demo, EntitySet, EntityType, Function, Model, Property, Role, Type,
};
use entries::{
    ComplexTypeEntry, DemoEntry, EntitySetEntry, EntityTypeEntry, FileEntries, FunctionEntry,
    PropertyEntry,
};

/// The catalogue that is built in: file names and their texts.
pub const EMBEDDED: &[(&str, &str)] = &[
    ("entity.toml", include_str!("../../../catalog/entity.toml")),
    ("active-users.toml", include_str!("../../../catalog/active-users.toml")),
];

/// One mistake in a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file it is in.
    pub file: String,
    /// The entry: an entity type, entity set or function by name.
    pub entry: String,
    /// The field of the entry.
    pub field: String,
    /// What is wrong and what was expected.
    pub message: String,
}

/// All mistakes of a catalogue, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(pub Vec<Mistake>);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, Mistake { file, entry, field, message }) in self.0.iter().enumerate() {
            let line_break = if number == 0 { "" } else { "\n" };
            write!(f, "{line_break}{file}: {entry}: {field}: {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Reads a catalogue: `(file name, text)` pairs in any order, as long as what
/// an entry refers to stands before it or in another file.
pub fn load(files: &[(&str, &str)]) -> Result<Model, Error> {
    let mut reader = Reader::default();
    let parsed: Vec<(&str, FileEntries)> =
        files.iter().filter_map(|(file, text)| Some((*file, reader.parse(file, text)?))).collect();
    for (file, entries) in &parsed {
        entries.complex_types.iter().for_each(|entry| reader.complex_type(file, entry));
    }
    // A base stands in any file: roots first, then their heirs.
    for heirs in [false, true] {
        for (file, entries) in &parsed {
            let wanted = entries.entity_types.iter().filter(|entry| entry.base.is_some() == heirs);
            wanted.for_each(|entry| reader.entity_type(file, entry));
        }
    }
    for (file, entries) in &parsed {
        entries.entity_sets.iter().for_each(|entry| reader.entity_set(file, entry));
    }
    for (file, entries) in &parsed {
        entries.functions.iter().for_each(|entry| reader.function(file, entry));
    }
    if reader.mistakes.is_empty() { Ok(reader.model) } else { Err(Error(reader.mistakes)) }
}

#[derive(Default)]
struct Reader {
    model: Model,
    mistakes: Vec<Mistake>,
}

/// Where a mistake would be.
#[derive(Clone, Copy)]
struct Place<'a> {
    file: &'a str,
    entry: &'a str,
}

impl Reader {
    fn mistake(&mut self, place: Place<'_>, field: &str, message: impl Into<String>) {
        self.mistakes.push(Mistake {
            file: place.file.to_owned(),
            entry: place.entry.to_owned(),
            field: field.to_owned(),
            message: message.into(),
        });
    }

    fn parse(&mut self, file: &str, text: &str) -> Option<FileEntries> {
        match toml::from_str(text) {
            Ok(entries) => Some(entries),
            Err(error) => {
                let before = error.span().map_or("", |span| &text[..span.start]);
                let line = before.matches('\n').count() + 1;
                let place = Place { file, entry: &format!("line {line}") };
                self.mistake(place, "syntax", error.message());
                None
            }
        }
    }

    fn complex_type(&mut self, file: &str, entry: &ComplexTypeEntry) {
        let place = Place { file, entry: &entry.name };
        if self.type_name(place).is_none() {
            return;
        }
        for property in entry.properties.iter().filter(|property| property.demo.is_some()) {
            self.mistake(place, &property.name, "`demo` is for properties of entity types");
        }
        let properties = self.properties(place, &entry.properties, None);
        let complex = ComplexType { name: entry.name.clone(), properties };
        self.model.complex_types.push(Arc::new(complex));
    }

    fn entity_type(&mut self, file: &str, entry: &EntityTypeEntry) {
        let place = Place { file, entry: &entry.name };
        if self.type_name(place).is_none() {
            return;
        }
        let base = match &entry.base {
            None => None,
            Some(name) => match self.find_type(name) {
                Some(base) => Some(base),
                None => return self.mistake(place, "base", format!("no entity type `{name}`")),
            },
        };
        let properties = self.properties(place, &entry.properties, base.as_deref());
        let keys = properties.iter().filter(|property| property.role == Role::Key).count();
        if keys != 1 || properties.first().is_none_or(|first| first.role != Role::Key) {
            let expected = "expected one property in role `key`, the first, usually inherited";
            return self.mistake(place, "property", expected);
        }
        self.single_roles(place, &properties);
        let (name, description) = (entry.name.clone(), entry.description.clone());
        let entity_type = EntityType { name, base, description, properties };
        self.model.entity_types.push(Arc::new(entity_type));
    }

    /// Refresh date, date and period each occur at most once: rules and the
    /// report function ask for "the" property in that role.
    fn single_roles(&mut self, place: Place<'_>, properties: &[Property]) {
        for role in [Role::Refreshed, Role::Date, Role::Period] {
            let mut found = properties.iter().filter(|property| property.role == role).skip(1);
            if let Some(second) = found.next() {
                let message = format!("`{}` is the second property in this role", second.name);
                self.mistake(place, "role", message);
            }
        }
    }

    /// The namespace is the same for all, and no name is given twice.
    fn type_name(&mut self, place: Place<'_>) -> Option<()> {
        let short = place.entry.strip_prefix("microsoft.graph.").unwrap_or_default();
        if !is_identifier(short) {
            self.mistake(place, "name", "expected `microsoft.graph.` and an identifier");
            return None;
        }
        let complex = self.model.complex_types.iter().any(|one| one.name == place.entry);
        if complex || self.find_type(place.entry).is_some() {
            self.mistake(place, "name", "this type is there already");
            return None;
        }
        Some(())
    }

    fn find_type(&self, name: &str) -> Option<Arc<EntityType>> {
        self.model.entity_types.iter().find(|one| one.name == name).cloned()
    }

    fn properties(
        &mut self,
        place: Place<'_>,
        entries: &[PropertyEntry],
        base: Option<&EntityType>,
    ) -> Vec<Property> {
        let inherited = base.map(|base| base.properties.iter()).into_iter().flatten();
        let mut properties: Vec<Property> = inherited.cloned().collect();
        for entry in entries {
            if !is_identifier(&entry.name) {
                self.mistake(place, &entry.name, "a property's name is an identifier");
            } else if properties.iter().any(|one| one.name.eq_ignore_ascii_case(&entry.name)) {
                self.mistake(place, &entry.name, "this property is there already");
            } else if let Some(ty) = self.property_type(place, entry) {
                properties.push(Property {
                    name: entry.name.clone(),
                    ty,
                    role: entry.role,
                    description: entry.description.clone(),
                    example: entry.example,
                    demo: entry.demo.as_ref().and_then(|demo| self.demo(place, entry, demo)),
                });
            }
        }
        properties
    }

    fn property_type(&mut self, place: Place<'_>, entry: &PropertyEntry) -> Option<Type> {
        let Some(ty) = self.named_type(&entry.ty) else {
            let message = format!("`{}` is no type of this catalogue", entry.ty);
            self.mistake(place, &entry.name, message);
            return None;
        };
        let fits = match entry.role {
            Role::Key | Role::Period => ty == Type::String,
            Role::Refreshed | Role::Date => ty == Type::Date,
            Role::Measure => matches!(ty, Type::Int64 | Type::Int32),
            Role::Dimension => true,
        };
        if !fits {
            let message = format!("type {ty} does not fit role {:?}", entry.role);
            self.mistake(place, &entry.name, message);
        }
        fits.then_some(ty)
    }

    /// How demo data makes up a measure: a total of the others, or a share of the people.
    fn demo(&mut self, place: Place<'_>, entry: &PropertyEntry, demo: &DemoEntry) -> Option<Demo> {
        let found = match *demo {
            _ if entry.role != Role::Measure => Err("`demo` is for measures"),
            DemoEntry { total: true, share: None, weekend: None, yearly: 0 } => Ok(Demo::Total),
            DemoEntry { total: true, .. } => Err("`demo` has `total = true` alone, or none of it"),
            DemoEntry {
                share: Some(share @ 0..=100), weekend: Some(weekend @ 0..=100), ..
            } => match demo.yearly {
                yearly @ -90..=100 => Ok(Demo::Part { share, weekend, yearly }),
                _ => Err("expected `yearly` in `demo` from -90 to 100"),
            },
            _ => Err("expected `share` and `weekend` in `demo`, each from 0 to 100"),
        };
        found.map_err(|message| self.mistake(place, &entry.name, message)).ok()
    }

    fn named_type(&self, name: &str) -> Option<Type> {
        if let Some(item) = name.strip_prefix("Collection(").and_then(|rest| rest.strip_suffix(')'))
        {
            let item = self.named_type(item)?;
            let nested = matches!(item, Type::Collection(_));
            return (!nested).then(|| Type::Collection(Box::new(item)));
        }
        let complex = || self.model.complex_types.iter().find(|one| one.name == name);
        Some(match name {
            "Edm.Int64" => Type::Int64,
            "Edm.Int32" => Type::Int32,
            "Edm.Boolean" => Type::Boolean,
            "Edm.String" => Type::String,
            "Edm.Date" => Type::Date,
            "Edm.Guid" => Type::Guid,
            "Edm.Duration" => Type::Duration,
            _ => Type::Complex(complex()?.clone()),
        })
    }

    fn entity_set(&mut self, file: &str, entry: &EntitySetEntry) {
        let place = Place { file, entry: &entry.name };
        for (field, name) in
            [("name", &entry.name), ("under", &entry.under), ("table", &entry.table)]
        {
            if !is_identifier(name) {
                self.mistake(place, field, "expected an identifier");
            }
        }
        if self.model.entity_set(&entry.name).is_some() {
            return self.mistake(place, "name", "this entity set is there already");
        }
        if self.model.entity_sets.iter().any(|set| set.table.eq_ignore_ascii_case(&entry.table)) {
            return self.mistake(place, "table", "another entity set has this table");
        }
        let Some(entity_type) = self.find_type(&entry.entity_type) else {
            let message = format!("no entity type `{}`", entry.entity_type);
            return self.mistake(place, "entity_type", message);
        };
        let Some(identity) = self.identity(place, &entity_type, &entry.identity) else { return };
        self.model.entity_sets.push(Arc::new(EntitySet {
            name: entry.name.clone(),
            under: entry.under.clone(),
            table: entry.table.clone(),
            entity_type,
            identity,
            type_names: self.type_names(),
        }));
    }

    /// All types that have been read by now: entity sets come after them.
    fn type_names(&self) -> Vec<String> {
        let complex = self.model.complex_types.iter().map(|one| &one.name);
        let entity = self.model.entity_types.iter().map(|one| &one.name);
        complex.chain(entity).cloned().collect()
    }

    /// The positions of the identity's properties. Each is of a type that can be a key.
    fn identity(
        &mut self,
        place: Place<'_>,
        ty: &EntityType,
        names: &[String],
    ) -> Option<Vec<usize>> {
        let mut identity = Vec::new();
        for name in names {
            match ty.position(name) {
                None | Some(0) => {
                    self.mistake(place, "identity", format!("no own property `{name}`"));
                }
                Some(at) if identity.contains(&at) => {
                    self.mistake(place, "identity", format!("`{name}` is there twice"));
                }
                Some(at)
                    if matches!(ty.properties[at].ty, Type::Collection(_) | Type::Complex(_)) =>
                {
                    self.mistake(place, "identity", format!("`{name}` is no primitive property"));
                }
                Some(at) => identity.push(at),
            }
        }
        if names.is_empty() {
            self.mistake(place, "identity", "expected the properties that say which fact a row is");
        }
        (!names.is_empty() && identity.len() == names.len()).then_some(identity)
    }

    fn function(&mut self, file: &str, entry: &FunctionEntry) {
        let place = Place { file, entry: &entry.name };
        if !is_identifier(&entry.name) {
            return self.mistake(place, "name", "expected an identifier");
        }
        if self.model.functions.iter().any(|one| one.name.eq_ignore_ascii_case(&entry.name)) {
            return self.mistake(place, "name", "this function is there already");
        }
        let Some(set) = self.model.entity_set(&entry.entity_set).cloned() else {
            let message = format!("no entity set `{}`", entry.entity_set);
            return self.mistake(place, "entity_set", message);
        };
        let refreshed = set.entity_type.in_role(Role::Refreshed);
        if refreshed.is_none_or(|at| !set.identity.contains(&at)) {
            let message = format!("the identity of `{}` has no refresh date", set.name);
            self.mistake(place, "entity_set", message);
        }
        let mut columns: Vec<Column> = Vec::new();
        for column in &entry.columns {
            let heading = column.heading.clone();
            if columns.iter().any(|one| one.heading.eq_ignore_ascii_case(&heading)) {
                self.mistake(place, "columns", format!("`{heading}` is there twice"));
            } else if let Some((property, member)) = column_path(&set.entity_type, &column.property)
            {
                columns.push(Column { heading, property, member });
            } else {
                self.mistake(place, "columns", format!("no property `{}`", column.property));
            }
        }
        let mut listed = columns.iter().filter(|one| one.member.is_some()).map(|one| one.property);
        if listed.next().is_some_and(|first| listed.any(|other| other != first)) {
            let message = "only one collection can give a line for each of its items";
            self.mistake(place, "columns", message);
        }
        let function = Function { name: entry.name.clone(), entity_set: set, columns };
        self.model.functions.push(Arc::new(function));
    }
}

/// The property that a column shows: by its name, or as `collection/member`
/// where each item of a collection of a complex type gets a line of its own.
fn column_path(ty: &EntityType, path: &str) -> Option<(usize, Option<usize>)> {
    let Some((name, member)) = path.split_once('/') else {
        return Some((ty.position(path)?, None));
    };
    let at = ty.position(name)?;
    let Type::Collection(item) = &ty.properties[at].ty else { return None };
    let Type::Complex(complex) = &**item else { return None };
    let member = complex.properties.iter().position(|one| one.name == member)?;
    Some((at, Some(member)))
}

/// An OData simple identifier in ASCII: a letter or underscore, then letters,
/// digits and underscores, at most 128 in all. It needs no quoting anywhere.
fn is_identifier(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_catalogue_holds_the_documented_type() {
        let model = load(EMBEDDED).unwrap();
        let set = &model.entity_sets[0];
        let listed: Vec<String> =
            set.entity_type.properties.iter().map(|p| format!("{} {}", p.name, p.ty)).collect();
        insta::assert_snapshot!(listed.join("\n"));
        let headings: Vec<&str> =
            model.functions[0].columns.iter().map(|column| column.heading.as_str()).collect();
        insta::assert_snapshot!(headings.join(","), @"Report Refresh Date,Office 365,Exchange,OneDrive,SharePoint,Skype For Business,Yammer,Teams,Report Date,Report Period");
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let broken = r#"
            [[entity_type]]
            name = "microsoft.graph.thing"
            base = "microsoft.graph.nothing"

            [[entity_type]]
            name = "microsoft.graph.base"
            [[entity_type.property]]
            name = "id"
            type = "Edm.Int64"
            role = "key"

            [[entity_type]]
            name = "other.thing"

            [[entity_set]]
            name = "no blanks"
            under = "reports"
            entity_type = "microsoft.graph.nothing"
            table = "t"
            identity = ["x"]

            [[function]]
            name = "getThing"
            entity_set = "things"
            columns = []
        "#;
        let error = load(&[("broken.toml", broken), ("worse.toml", "[[entity_set]]\nnmae = 1")]);
        insta::assert_snapshot!(error.unwrap_err());
    }
}
