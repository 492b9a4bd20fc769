//! Annotations: what holds beyond types, and what is served of the protocol.

use super::xml::Xml;
use crate::edm::{EntitySet, EntityType, Property, Role};

/// The form in which keys are kept; on input either letter case will do.
const GUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// The form in which periods are kept; on input a leading D will do.
const PERIOD: &str = "^([1-9][0-9]{0,3}|ALL)$";

/// What holds of an entity type whose sets agree on this identity.
pub(super) fn entity_type(xml: &mut Xml, ty: &EntityType, identity: &[usize]) {
    described(xml, &ty.description);
    if identity.is_empty() {
        return;
    }
    alternate_key(xml, ty, identity);
    let both = [Role::Date, Role::Refreshed].map(|role| ty.in_role(role));
    if let [Some(date), Some(refreshed)] = both
        && identity.contains(&date)
        && identity.contains(&refreshed)
    {
        not_after(xml, &ty.properties[date], &ty.properties[refreshed]);
    }
}

/// The properties that say which fact an entity is.
pub(super) fn alternate_key(xml: &mut Xml, ty: &EntityType, identity: &[usize]) {
    let record = |xml: &mut Xml, name: &str| {
        xml.element("Record", &[("Type", "Core.PropertyRef")], |xml| {
            xml.empty("PropertyValue", &[("Property", "Name"), ("PropertyPath", name)]);
            xml.empty("PropertyValue", &[("Property", "Alias"), ("String", name)]);
        });
    };
    let names = identity.iter().map(|at| ty.properties[*at].name.as_str());
    let key = |xml: &mut Xml| {
        xml.element("PropertyValue", &[("Property", "Key")], |xml| {
            xml.element("Collection", &[], |xml| names.for_each(|name| record(xml, name)));
        });
    };
    xml.element("Annotation", &[("Term", "Core.AlternateKeys")], |xml| {
        xml.element("Collection", &[], |xml| {
            xml.element("Record", &[("Type", "Core.AlternateKey")], key);
        });
    });
}

/// A day is not counted after the data set was refreshed.
fn not_after(xml: &mut Xml, date: &Property, refreshed: &Property) {
    let message = format!("{} is not after {}.", date.name, refreshed.name);
    let condition = |xml: &mut Xml| {
        xml.element("Le", &[], |xml| {
            xml.text("Path", &date.name);
            xml.text("Path", &refreshed.name);
        });
    };
    record(xml, "Validation.Constraint", |xml| {
        xml.empty("PropertyValue", &[("Property", "FailureMessage"), ("String", &message)]);
        xml.element("PropertyValue", &[("Property", "Condition")], condition);
    });
}

/// What holds of a property beyond its type.
pub(super) fn property(xml: &mut Xml, property: &Property) {
    described(xml, &property.description);
    match property.role {
        Role::Key => {
            tag(xml, "Core.ComputedDefaultValue", true);
            xml.empty("Annotation", &[("Term", "Validation.Pattern"), ("String", GUID)]);
        }
        Role::Period => {
            xml.empty("Annotation", &[("Term", "Validation.Pattern"), ("String", PERIOD)]);
        }
        Role::Measure => xml.empty("Annotation", &[("Term", "Validation.Minimum"), ("Int", "0")]),
        Role::Refreshed | Role::Date | Role::Dimension => {}
    }
}

/// What the whole service does and does not do.
pub(super) fn container(xml: &mut Xml) {
    xml.empty("Annotation", &[("Term", "Core.ODataVersions"), ("String", "4.0")]);
    tag(xml, "Capabilities.KeyAsSegmentSupported", true);
    tag(xml, "Capabilities.BatchSupported", false);
    tag(xml, "Capabilities.AsynchronousRequestsSupported", false);
    tag(xml, "Capabilities.CrossJoinSupported", false);
    xml.element("Annotation", &[("Term", "Capabilities.AcceptableEncodings")], |xml| {
        xml.element("Collection", &[], |xml| xml.text("String", "gzip"));
    });
}

/// What can be done with an entity set, and what not yet.
pub(super) fn entity_set(xml: &mut Xml, set: &EntitySet) {
    tag(xml, "Capabilities.IndexableByKey", true);
    tag(xml, "Capabilities.TopSupported", true);
    tag(xml, "Capabilities.SkipSupported", false);
    switch(xml, "Capabilities.CountRestrictions", "Countable", true);
    switch(xml, "Capabilities.FilterRestrictions", "Filterable", false);
    switch(xml, "Capabilities.SortRestrictions", "Sortable", false);
    switch(xml, "Capabilities.SearchRestrictions", "Searchable", false);
    switch(xml, "Capabilities.SelectSupport", "Supported", false);
    switch(xml, "Capabilities.ExpandRestrictions", "Expandable", false);
    let properties = &set.entity_type.properties;
    record(xml, "Capabilities.InsertRestrictions", |xml| {
        flag(xml, "Insertable", true);
        paths(xml, "RequiredProperties", &properties[1..]);
    });
    record(xml, "Capabilities.UpdateRestrictions", |xml| {
        flag(xml, "Updatable", true);
        xml.element("PropertyValue", &[("Property", "UpdateMethod")], |xml| {
            xml.text("EnumMember", "Capabilities.HttpMethod/PATCH Capabilities.HttpMethod/PUT");
        });
        paths(xml, "NonUpdatableProperties", &properties[..1]);
    });
    switch(xml, "Capabilities.DeleteRestrictions", "Deletable", true);
}

/// What can be done with a singleton: it leads to its entity sets.
pub(super) fn singleton(xml: &mut Xml) {
    switch(xml, "Capabilities.SelectSupport", "Supported", false);
    switch(xml, "Capabilities.ExpandRestrictions", "Expandable", false);
    switch(xml, "Capabilities.UpdateRestrictions", "Updatable", false);
}

fn described(xml: &mut Xml, description: &str) {
    if !description.is_empty() {
        xml.empty("Annotation", &[("Term", "Core.Description"), ("String", description)]);
    }
}

fn tag(xml: &mut Xml, term: &str, value: bool) {
    xml.empty("Annotation", &[("Term", term), ("Bool", text(value))]);
}

/// A term whose value is a record.
fn record(xml: &mut Xml, term: &str, values: impl FnOnce(&mut Xml)) {
    xml.element("Annotation", &[("Term", term)], |xml| xml.element("Record", &[], values));
}

/// A term whose record has one Boolean.
fn switch(xml: &mut Xml, term: &str, property: &str, value: bool) {
    record(xml, term, |xml| flag(xml, property, value));
}

fn flag(xml: &mut Xml, property: &str, value: bool) {
    xml.empty("PropertyValue", &[("Property", property), ("Bool", text(value))]);
}

fn paths(xml: &mut Xml, property: &str, named: &[Property]) {
    xml.element("PropertyValue", &[("Property", property)], |xml| {
        xml.element("Collection", &[], |xml| {
            for one in named {
                xml.text("PropertyPath", &one.name);
            }
        });
    });
}

fn text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
