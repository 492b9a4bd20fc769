//! Annotations: what holds beyond types, and what is served of the protocol.

use super::tree::{Annotation, Expression};
use crate::edm::{EntitySet, EntityType, Property, Role};
use crate::headers::{Json, MediaType, Metadata};
use crate::payload::primitive;
use crate::uri::apply::SERVED;

/// What holds of an entity type whose sets agree on this identity.
pub(super) fn entity_type(ty: &EntityType, identity: &[usize]) -> Vec<Annotation> {
    let mut all = described(&ty.description);
    if identity.is_empty() {
        return all;
    }
    all.push(alternate_key(ty, identity));
    let both = [Role::Date, Role::Refreshed].map(|role| ty.in_role(role));
    if let [Some(date), Some(refreshed)] = both
        && identity.contains(&date)
        && identity.contains(&refreshed)
    {
        all.push(not_after(&ty.properties[date], &ty.properties[refreshed]));
    }
    all
}

/// The properties that say which fact an entity is.
pub(super) fn alternate_key(ty: &EntityType, identity: &[usize]) -> Annotation {
    let part = |at: &usize| {
        let name = &ty.properties[*at].name;
        let values = vec![
            ("Name", Expression::Property(name.clone())),
            ("Alias", Expression::Text(name.clone())),
        ];
        Expression::Record(Some("Core.PropertyRef"), values)
    };
    let parts = Expression::List(identity.iter().map(part).collect());
    let key = Expression::Record(Some("Core.AlternateKey"), vec![("Key", parts)]);
    annotation("Core.AlternateKeys", Expression::List(vec![key]))
}

/// A day is not counted after the data set was refreshed.
fn not_after(date: &Property, refreshed: &Property) -> Annotation {
    let message = format!("{} is not after {}.", date.name, refreshed.name);
    let both = [date, refreshed].map(|one| Expression::Path(one.name.clone()));
    let values = vec![
        ("FailureMessage", Expression::Text(message)),
        ("Condition", Expression::NotGreater(Box::new(both))),
    ];
    record("Validation.Constraint", values)
}

/// What holds of a property beyond its type.
pub(super) fn property(property: &Property) -> Vec<Annotation> {
    let mut all = described(&property.description);
    let pattern = |pattern: &str| annotation("Validation.Pattern", text(pattern));
    match property.role {
        Role::Key => {
            all.push(tag("Core.ComputedDefaultValue", true));
            all.push(pattern(primitive::GUID));
        }
        Role::Period => all.push(pattern(primitive::PERIOD)),
        Role::Measure => all.push(annotation("Validation.Minimum", Expression::Number(0))),
        Role::Refreshed | Role::Date | Role::Dimension => {}
    }
    all
}

/// What the whole service does and does not do.
pub(super) fn container() -> Vec<Annotation> {
    vec![
        annotation("Core.ODataVersions", text("4.0")),
        tag("Capabilities.KeyAsSegmentSupported", true),
        tag("Repeatability.Supported", true),
        tag("Capabilities.BatchSupported", true),
        batch(),
        tag("Capabilities.AsynchronousRequestsSupported", false),
        tag("Capabilities.CrossJoinSupported", false),
        annotation("Capabilities.AcceptableEncodings", Expression::List(vec![text("gzip")])),
        annotation("Capabilities.SupportedFormats", Expression::List(formats())),
    ]
}

/// The forms of JSON, in which everything can be had but plain values, and
/// those that have all rows of a set.
fn formats() -> Vec<Expression> {
    let levels = [Metadata::Minimal, Metadata::Full, Metadata::None];
    let both = |metadata| [false, true].map(|ieee754| Json { metadata, ieee754 });
    let forms = levels.into_iter().flat_map(both);
    let rows = [false, true].map(|ieee754| MediaType::Lines { ieee754 });
    let all = forms.map(MediaType::Json).chain([MediaType::Csv]).chain(rows);
    all.map(|one| text(one.content_type())).collect()
}

/// What a batch may be.
fn batch() -> Annotation {
    let formats = ["application/json", "multipart/mixed"].map(text).into();
    let flags = [
        ("Supported", true),
        ("ContinueOnErrorSupported", true),
        ("ReferencesInRequestBodiesSupported", false),
        ("ReferencesAcrossChangeSetsSupported", true),
        ("EtagReferencesSupported", false),
        ("RequestDependencyConditionsSupported", false),
    ];
    let flags = flags.map(|(name, value)| (name, Expression::Flag(value)));
    let formats = ("SupportedFormats", Expression::List(formats));
    record("Capabilities.BatchSupport", flags.into_iter().chain([formats]).collect())
}

/// What can be done with an entity set, and what not.
pub(super) fn entity_set(set: &EntitySet) -> Vec<Annotation> {
    let properties = &set.entity_type.properties;
    vec![
        tag("Capabilities.IndexableByKey", true),
        apply(),
        tag("Capabilities.ComputeSupported", true),
        tag("Capabilities.TopSupported", true),
        tag("Capabilities.SkipSupported", true),
        switch("Capabilities.ChangeTracking", "Supported", true),
        switch("Capabilities.CountRestrictions", "Countable", true),
        switch("Capabilities.FilterRestrictions", "Filterable", true),
        switch("Capabilities.SortRestrictions", "Sortable", true),
        switch("Capabilities.SearchRestrictions", "Searchable", true),
        switch("Capabilities.SelectSupport", "Supported", true),
        switch("Capabilities.ExpandRestrictions", "Expandable", false),
        insert(&properties[1..]),
        update(&properties[..1]),
        switch("Capabilities.DeleteRestrictions", "Deletable", true),
    ]
}

/// The transformations of `$apply`; groups roll up as often as is asked for.
fn apply() -> Annotation {
    let names = SERVED.iter().map(|name| text(name));
    record(
        "Aggregation.ApplySupported",
        vec![("Transformations", Expression::List(names.collect()))],
    )
}

fn insert(required: &[Property]) -> Annotation {
    let values =
        vec![("Insertable", Expression::Flag(true)), ("RequiredProperties", paths(required))];
    record("Capabilities.InsertRestrictions", values)
}

fn update(fixed: &[Property]) -> Annotation {
    let methods = Expression::Members("Capabilities.HttpMethod", &["PATCH", "PUT"]);
    let values = vec![
        ("Updatable", Expression::Flag(true)),
        ("UpdateMethod", methods),
        ("NonUpdatableProperties", paths(fixed)),
    ];
    record("Capabilities.UpdateRestrictions", values)
}

/// What can be done with a singleton: it leads to its entity sets.
pub(super) fn singleton() -> Vec<Annotation> {
    vec![
        switch("Capabilities.SelectSupport", "Supported", false),
        switch("Capabilities.ExpandRestrictions", "Expandable", false),
        switch("Capabilities.UpdateRestrictions", "Updatable", false),
    ]
}

fn annotation(term: &'static str, value: Expression) -> Annotation {
    Annotation { term, value }
}

fn described(description: &str) -> Vec<Annotation> {
    let given = (!description.is_empty()).then(|| text(description));
    given.into_iter().map(|text| annotation("Core.Description", text)).collect()
}

fn tag(term: &'static str, value: bool) -> Annotation {
    annotation(term, Expression::Flag(value))
}

/// A term whose value is a record.
fn record(term: &'static str, values: Vec<(&'static str, Expression)>) -> Annotation {
    annotation(term, Expression::Record(None, values))
}

/// A term whose record has one Boolean.
fn switch(term: &'static str, property: &'static str, value: bool) -> Annotation {
    record(term, vec![(property, Expression::Flag(value))])
}

fn paths(named: &[Property]) -> Expression {
    Expression::List(named.iter().map(|one| Expression::Property(one.name.clone())).collect())
}

fn text(text: &str) -> Expression {
    Expression::Text(text.to_owned())
}
