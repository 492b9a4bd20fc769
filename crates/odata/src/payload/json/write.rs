//! Entities as OData JSON, straight into the bytes of the answer.

mod delta;

use std::sync::Arc;

use crate::edm::{ComplexType, EntitySet, Property, Type};
use crate::headers;
use crate::payload::{Part, primitive};
use crate::plan::expression::Ty;
use crate::plan::query::{Computed, Selection};
use crate::value::{Row, Value};
pub use delta::Onward;

/// One entity as an answer of its own: context, type and every property,
/// nulls included. `root` is the service root without a slash at its end.
pub fn entity(root: &str, set: &EntitySet, row: &Row) -> Vec<u8> {
    selected(root, set, row, &[], None)
}

/// As `entity`, with what is computed beside the properties, and of these only
/// what is selected; the context names it.
pub fn selected(
    root: &str,
    set: &EntitySet,
    row: &Row,
    calculated: &[Computed],
    selection: Option<&Selection>,
) -> Vec<u8> {
    let properties = &set.entity_type.properties;
    let shown = |at: &usize| selection.is_none_or(|one| one.properties.contains(at));
    let names = selection
        .map(|selection| format!("({})", names(set, calculated, selection)))
        .unwrap_or_default();
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(b"{\"@odata.context\":");
    string(&mut out, &format!("{root}/$metadata#{}{names}/$entity", set.name));
    out.extend_from_slice(b",\"@odata.type\":");
    string(&mut out, &format!("#{}", set.entity_type.name));
    for at in (0..properties.len()).filter(shown) {
        out.push(b',');
        member(&mut out, &properties[at], &row[at]);
    }
    for (one, value) in calculated.iter().zip(row.iter().skip(properties.len())) {
        out.push(b',');
        computed(&mut out, &one.name, one.ty, value);
    }
    out.push(b'}');
    out
}

/// What is selected, as a context names it.
fn names(set: &EntitySet, computed: &[Computed], selection: &Selection) -> String {
    let properties = &set.entity_type.properties;
    let declared = selection.properties.iter().map(|at| properties[*at].name.as_str());
    let mut shown = if selection.all { vec!["*"] } else { declared.collect() };
    shown.extend(computed.iter().map(|one| one.name.as_str()));
    shown.join(",")
}

/// One property as an answer of its own. `address` is that of its entity,
/// relative to the service root.
pub fn property(root: &str, address: &str, property: &Property, value: &Value) -> Vec<u8> {
    let mut out = b"{\"@odata.context\":".to_vec();
    string(&mut out, &format!("{root}/$metadata#{address}/{}", property.name));
    out.push(b',');
    if let (Value::Record(values), Type::Complex(complex)) = (value, &property.ty) {
        let mut members = Vec::new();
        record(&mut members, complex, values);
        // Its members stand beside the context, without a brace of their own.
        out.extend_from_slice(&members[1..]);
        return out;
    }
    out.extend_from_slice(b"\"value\":");
    write_value(&mut out, &property.ty, value);
    out.push(b'}');
    out
}

/// The address of one entity, absolute.
pub fn reference(root: &str, address: &str) -> Vec<u8> {
    let mut out = b"{\"@odata.context\":".to_vec();
    string(&mut out, &format!("{root}/$metadata#$ref"));
    out.extend_from_slice(b",\"@odata.id\":");
    string(&mut out, &format!("{root}/{address}"));
    out.push(b'}');
    out
}

/// One entity as a line of newline-delimited JSON: every property, nulls
/// included, of the key only one that is given.
pub fn line(out: &mut Vec<u8>, set: &EntitySet, row: &[Value]) {
    let keyed = row.first().is_some_and(|key| !key.is_null());
    object(out, set, row, keyed);
    out.push(b'\n');
}

/// As long as a month of a report is, in bytes.
const USUAL_SIZE: usize = 8 * 1024;

/// A collection, row by row.
#[derive(Clone)]
pub struct Collection {
    out: Vec<u8>,
    context: String,
    set: Arc<EntitySet>,
    empty: bool,
    /// The positions of the properties that are shown.
    shown: Vec<usize>,
    /// What is computed, which stands in a row after the properties.
    computed: Vec<(String, Ty)>,
}

impl Collection {
    /// The entities of a set. `root` is the service root without a slash at its end.
    pub fn of_set(root: &str, set: Arc<EntitySet>) -> Self {
        Self::new(format!("{root}/$metadata#{}", set.name), set)
    }

    /// The addresses of entities of a set.
    pub fn of_references(root: &str, set: Arc<EntitySet>) -> Self {
        Self::new(format!("{root}/$metadata#Collection($ref)"), set)
    }

    /// The rows of a report function over this set, in Graph's words.
    pub fn of_function(root: &str, set: Arc<EntitySet>) -> Self {
        let context = format!("{root}/$metadata#Collection({})", set.entity_type.name);
        let mut rows = Self::new(context, set);
        // They have no key, unless it is selected by its name.
        rows.shown.retain(|at| *at != 0);
        rows
    }

    fn new(context: String, set: Arc<EntitySet>) -> Self {
        let shown = (0..set.entity_type.properties.len()).collect();
        let out = Vec::with_capacity(USUAL_SIZE);
        Self { out, context, set, empty: true, shown, computed: Vec::new() }
    }

    /// With what is computed beside the properties, and of these only what is
    /// selected. The context then names what is shown.
    #[must_use]
    pub fn selecting(mut self, computed: &[Computed], selection: Option<&Selection>) -> Self {
        self.computed = computed.iter().map(|one| (one.name.clone(), one.ty)).collect();
        if let Some(selection) = selection {
            self.context = format!("{}({})", self.context, names(&self.set, computed, selection));
            if !selection.all {
                self.shown.clone_from(&selection.properties);
            }
        }
        self
    }

    /// Adds an entity; its version is its `@odata.etag`.
    pub fn item(&mut self, version: u64, row: &Row) {
        self.next();
        self.out.extend_from_slice(b"{\"@odata.etag\":");
        string(&mut self.out, &headers::entity_tag(version));
        self.members(row);
        self.out.push(b'}');
    }

    /// What is shown of a row, each member with a comma before it.
    fn members(&mut self, row: &Row) {
        let properties = &self.set.entity_type.properties;
        for at in &self.shown {
            self.out.push(b',');
            member(&mut self.out, &properties[*at], &row[*at]);
        }
        for ((name, ty), value) in self.computed.iter().zip(&row[properties.len()..]) {
            self.out.push(b',');
            computed(&mut self.out, name, *ty, value);
        }
    }

    /// Adds the absolute address of an entity.
    pub fn reference(&mut self, address: &str) {
        self.next();
        self.out.extend_from_slice(b"{\"@odata.id\":");
        string(&mut self.out, address);
        self.out.push(b'}');
    }

    /// Adds a row of a report function.
    pub fn keyless(&mut self, row: &Row) {
        self.next();
        let start = self.out.len();
        self.members(row);
        // The comma before the first member gives its place to the brace.
        match self.out.get_mut(start) {
            Some(first) => *first = b'{',
            None => self.out.push(b'{'),
        }
        self.out.push(b'}');
    }

    /// Adds a row as a line of its own, for parts that are nothing but lines.
    pub fn line(&mut self, row: &Row) {
        self.empty = true;
        self.keyless(row);
        self.out.push(b'\n');
    }

    /// The lines since the last part.
    pub fn lines(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    fn next(&mut self) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
    }

    /// How many bytes the entities have that are in no part yet.
    pub fn written(&self) -> usize {
        self.out.len()
    }

    /// The entities since the last part, as the next: before the first stands
    /// the count of all where it was asked for, and after the last where the
    /// next ones are.
    pub fn part(&mut self, part: &Part<'_>) -> Vec<u8> {
        self.written_as(part, "@odata.nextLink")
    }

    fn end(mut self, count: Option<u64>, name: &str, link: Option<&str>) -> Vec<u8> {
        let whole = Part { is_first: true, is_last: true, count, next_link: link };
        self.written_as(&whole, name)
    }

    /// The link of a part has this name.
    fn written_as(&mut self, part: &Part<'_>, name: &str) -> Vec<u8> {
        let rows = std::mem::take(&mut self.out);
        let mut out = Vec::with_capacity(rows.len() + 512);
        if part.is_first {
            self.begin(&mut out, part.count);
        }
        out.extend_from_slice(&rows);
        if part.is_last {
            out.push(b']');
            if let Some(link) = part.next_link {
                out.push(b',');
                string(&mut out, name);
                out.push(b':');
                string(&mut out, link);
            }
            out.push(b'}');
        }
        out
    }

    fn begin(&self, out: &mut Vec<u8>, count: Option<u64>) {
        out.extend_from_slice(b"{\"@odata.context\":");
        string(out, &self.context);
        if let Some(count) = count {
            out.extend_from_slice(b",\"@odata.count\":");
            out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
        }
        out.extend_from_slice(b",\"value\":[");
    }
}

/// A row as an object on its own, with its key or without, and nothing else.
pub fn object(out: &mut Vec<u8>, set: &EntitySet, row: &[Value], keyed: bool) {
    let all = set.entity_type.properties.iter().zip(row).skip(usize::from(!keyed));
    for (number, (property, value)) in all.enumerate() {
        out.push(if number == 0 { b'{' } else { b',' });
        member(out, property, value);
    }
    out.push(b'}');
}

fn member(out: &mut Vec<u8>, property: &Property, value: &Value) {
    string(out, &property.name);
    out.push(b':');
    write_value(out, &property.ty, value);
}

/// A computed property. No type declares it, so that its own is told where
/// JSON does not tell it.
fn computed(out: &mut Vec<u8>, name: &str, ty: Ty, value: &Value) {
    if !value.is_null() && !matches!(ty, Ty::Boolean | Ty::Double | Ty::String) {
        string(out, &format!("{name}@odata.type"));
        out.push(b':');
        string(out, &ty.name().replacen("Edm.", "#", 1));
        out.push(b',');
    }
    string(out, name);
    out.push(b':');
    write_value(out, &Type::String, value);
}

/// A value as JSON of its own.
pub(crate) fn text_of(ty: &Type, value: &Value) -> String {
    let mut out = Vec::new();
    write_value(&mut out, ty, value);
    String::from_utf8(out).unwrap_or_default()
}

fn write_value(out: &mut Vec<u8>, ty: &Type, value: &Value) {
    match (value, ty) {
        (Value::Null, _) => out.extend_from_slice(b"null"),
        (Value::Bool(value), _) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        (Value::Int(value), _) => {
            out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes());
        }
        (Value::Text(text), _) => string(out, text),
        (Value::Double(number), _) if number.0.is_finite() => {
            // Writing a number into memory cannot fail.
            drop(serde_json::to_writer(out, &number.0));
        }
        (Value::List(items), Type::Collection(item)) => list(out, item, items),
        (Value::Record(values), Type::Complex(complex)) => record(out, complex, values),
        // Dates, periods, GUIDs and durations are strings without anything to escape.
        (value, _) => {
            out.push(b'"');
            primitive::write_text(out, value);
            out.push(b'"');
        }
    }
}

fn list(out: &mut Vec<u8>, item: &Type, items: &[Value]) {
    out.push(b'[');
    for (number, value) in items.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write_value(out, item, value);
    }
    out.push(b']');
}

fn record(out: &mut Vec<u8>, complex: &ComplexType, values: &[Value]) {
    out.push(b'{');
    for (number, (property, value)) in complex.properties.iter().zip(values).enumerate() {
        if number > 0 {
            out.push(b',');
        }
        member(out, property, value);
    }
    out.push(b'}');
}

fn string(out: &mut Vec<u8>, text: &str) {
    let plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing text into memory cannot fail.
        drop(serde_json::to_writer(out, text));
    }
}
