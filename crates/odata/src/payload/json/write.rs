//! Entities as OData JSON, straight into the bytes of the answer.

mod applied;
mod delta;
mod members;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::edm::{EntitySet, Model, Property, Type, singleton_type};
use crate::headers;
use crate::payload::Part;
use crate::plan::expression::Ty;
use crate::plan::query::{Computed, Selection};
use crate::plan::resource::entity_id;
use crate::value::{Row, Value};
pub use delta::Onward;
pub use members::Style;
use members::{braced, computed, member, text, write_value};

/// What an answer shows of an entity, and how.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The service root without a slash at its end.
    pub root: &'a str,
    /// Where the entity is.
    pub set: &'a EntitySet,
    /// What it has besides its properties.
    pub computed: &'a [Computed],
    /// What is shown of all that, where it is not everything.
    pub selection: Option<&'a Selection>,
    /// How it is written.
    pub style: Style,
}

impl<'a> Shown<'a> {
    /// Everything, as most clients want it.
    pub fn whole(root: &'a str, set: &'a EntitySet) -> Self {
        Self { root, set, computed: &[], selection: None, style: Style::default() }
    }

    /// The entity as an answer of its own: context, type, and what is shown of
    /// it. The context names what is selected.
    pub fn entity(&self, version: u64, row: &Row) -> Vec<u8> {
        let Self { root, set, style, .. } = *self;
        let properties = &set.entity_type.properties;
        let shown = |at: &usize| self.selection.is_none_or(|one| one.properties.contains(at));
        let mut out = Vec::with_capacity(512);
        braced(&mut out, |out| {
            if style.tells() {
                let names = self.selection.map(|one| names(set, self.computed, one));
                let names = names.map(|names| format!("({names})")).unwrap_or_default();
                let context = [root, "/$metadata#", &set.name, &names, "/$entity"].concat();
                text(out, "@odata.context", &context);
            }
            let about = About { root, set, version, key: &row[0] };
            about.write(out, style, Place { alone: true, keyed: shown(&0) });
            for at in (0..properties.len()).filter(shown) {
                member(out, &properties[at], &row[at], style);
            }
            for (one, value) in self.computed.iter().zip(row.iter().skip(properties.len())) {
                computed(out, &one.name, one.ty, value, style);
            }
        });
        out
    }
}

/// What an entity's object says of it besides its properties.
struct About<'a> {
    root: &'a str,
    set: &'a EntitySet,
    version: u64,
    key: &'a Value,
}

/// Where the object of an entity stands.
#[derive(Clone, Copy)]
struct Place {
    /// Whether it is the whole answer, whose headers have its version.
    alone: bool,
    /// Whether the key is among its properties.
    keyed: bool,
}

impl About<'_> {
    /// In the order that readers of streams rely on. Who is not told
    /// everything works out the address from the key, if there is one.
    fn write(&self, out: &mut Vec<u8>, style: Style, Place { alone, keyed }: Place) {
        let all = style.tells_all();
        if all || (alone && style.tells()) {
            text(out, "@odata.type", &format!("#{}", self.set.entity_type.name));
        }
        if all || (!keyed && style.tells()) {
            text(out, "@odata.id", &self.address());
        }
        if all || (!alone && style.tells()) {
            text(out, "@odata.etag", &headers::entity_tag(self.version));
        }
        if all {
            text(out, "@odata.editLink", &self.address());
        }
    }

    fn address(&self) -> String {
        format!("{}/{}", self.root, entity_id(self.set, self.key))
    }
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
pub fn property(
    root: &str,
    address: &str,
    property: &Property,
    value: &Value,
    style: Style,
) -> Vec<u8> {
    let mut out = Vec::new();
    braced(&mut out, |out| {
        if style.tells() {
            text(out, "@odata.context", &format!("{root}/$metadata#{address}/{}", property.name));
        }
        if let (Value::Record(values), Type::Complex(complex)) = (value, &property.ty) {
            return members::members_of(out, complex, values, style);
        }
        if style.tells_all() {
            members::annotated(out, "", &property.ty);
        }
        out.extend_from_slice(b",\"value\":");
        write_value(out, &property.ty, value, style);
    });
    out
}

/// The address of one entity, absolute.
pub fn reference(root: &str, address: &str, style: Style) -> Vec<u8> {
    let mut out = Vec::new();
    braced(&mut out, |out| {
        if style.tells() {
            text(out, "@odata.context", &format!("{root}/$metadata#$ref"));
        }
        text(out, "@odata.id", &format!("{root}/{address}"));
    });
    out
}

/// A singleton. It has no properties of its own, and leads to entity sets: who
/// is told everything is told where they are.
pub fn singleton(model: &Model, root: &str, name: &str, style: Style) -> Vec<u8> {
    let mut out = Vec::new();
    braced(&mut out, |out| {
        if style.tells() {
            text(out, "@odata.context", &format!("{root}/$metadata#{name}"));
        }
        if !style.tells_all() {
            return;
        }
        let address = format!("{root}/{name}");
        text(out, "@odata.type", &format!("#{}", singleton_type(name)));
        text(out, "@odata.id", &address);
        for set in model.entity_sets.iter().filter(|set| set.under == name) {
            let (name, to) = (&set.name, format!("{address}/{}", set.name));
            text(out, &format!("{name}@odata.associationLink"), &format!("{to}/$ref"));
            text(out, &format!("{name}@odata.navigationLink"), &to);
        }
    });
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
    /// How many bytes the part before had: the next is likely to have as many.
    usual: usize,
    style: Style,
    context: String,
    /// How much of the context is the service root.
    root: usize,
    set: Arc<EntitySet>,
    empty: bool,
    /// The positions of the properties that are shown.
    shown: Vec<usize>,
    /// What is computed, which stands in a row after the properties.
    computed: Vec<(String, Ty)>,
    /// The columns of rows that `$apply` has made.
    applied: Option<applied::Columns>,
}

impl Collection {
    /// The entities of a set. `root` is the service root without a slash at its end.
    pub fn of_set(root: &str, set: Arc<EntitySet>) -> Self {
        let context = format!("{root}/$metadata#{}", set.name);
        Self::new(root, context, set)
    }

    /// The addresses of entities of a set.
    pub fn of_references(root: &str, set: Arc<EntitySet>) -> Self {
        let context = format!("{root}/$metadata#Collection($ref)");
        Self::new(root, context, set)
    }

    /// The rows of a report function over this set, in Graph's words.
    pub fn of_function(root: &str, set: Arc<EntitySet>) -> Self {
        let context = format!("{root}/$metadata#Collection({})", set.entity_type.name);
        let mut rows = Self::new(root, context, set);
        // They have no key, unless it is selected by its name.
        rows.shown.retain(|at| *at != 0);
        rows
    }

    fn new(root: &str, context: String, set: Arc<EntitySet>) -> Self {
        let shown = (0..set.entity_type.properties.len()).collect();
        let (usual, style, root) = (USUAL_SIZE, Style::default(), root.len());
        let (out, computed, applied) = (Vec::with_capacity(usual), Vec::new(), None);
        Self { out, usual, style, context, root, set, empty: true, shown, computed, applied }
    }

    /// The same between two parts, with room for the next: somewhat more than
    /// the one before took, lest the last row makes it grow.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self { out: Vec::with_capacity(self.usual + self.usual / 8), ..self.clone() }
    }

    /// The same, written in this style.
    #[must_use]
    pub fn styled(self, style: Style) -> Self {
        Self { style, ..self }
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
        self.object(|rows, out| {
            let root = &rows.context[..rows.root];
            let about = About { root, set: &rows.set, version, key: &row[0] };
            let keyed = rows.shown.contains(&0);
            about.write(out, rows.style, Place { alone: false, keyed });
            rows.members(out, row);
        });
    }

    /// Adds the absolute address of an entity.
    pub fn reference(&mut self, address: &str) {
        self.object(|_, out| text(out, "@odata.id", address));
    }

    /// Adds a row of a report function. It has no address.
    pub fn keyless(&mut self, row: &Row) {
        self.without_address(|rows, out| rows.members(out, row));
    }

    /// Adds an object that has no address, and says so where everything is told.
    fn without_address(&mut self, members: impl FnOnce(&Self, &mut Vec<u8>)) {
        self.object(|rows, out| {
            if rows.style.tells_all() {
                text(out, "@odata.type", &format!("#{}", rows.set.entity_type.name));
                out.extend_from_slice(b",\"@odata.id\":null");
            }
            members(rows, out);
        });
    }

    fn object(&mut self, members: impl FnOnce(&Self, &mut Vec<u8>)) {
        self.next();
        let mut out = std::mem::take(&mut self.out);
        braced(&mut out, |out| members(self, out));
        self.out = out;
    }

    /// What is shown of a row.
    fn members(&self, out: &mut Vec<u8>, row: &Row) {
        let properties = &self.set.entity_type.properties;
        for at in &self.shown {
            member(out, &properties[*at], &row[*at], self.style);
        }
        for ((name, ty), value) in self.computed.iter().zip(&row[properties.len()..]) {
            computed(out, name, *ty, value, self.style);
        }
    }

    /// Adds a row as a line of its own, for parts that are nothing but lines;
    /// `form` is the number of its form where `$apply` has made it.
    pub fn line(&mut self, form: u64, row: &Row) {
        self.empty = true;
        match self.applied {
            Some(_) => self.made(form, row),
            None => self.keyless(row),
        }
        self.out.push(b'\n');
    }

    /// The lines since the last part.
    pub fn lines(&mut self) -> Vec<u8> {
        self.usual = self.out.len();
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
        let rows = self.lines();
        let mut out = if part.is_first { self.begun(part.count, &rows) } else { rows };
        if part.is_last {
            out.push(b']');
            if let Some(link) = part.next_link {
                text(&mut out, name, link);
            }
            out.push(b'}');
        }
        out
    }

    /// The begin of the answer, up to the end of these rows.
    fn begun(&self, count: Option<u64>, rows: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(rows.len() + 512);
        if self.style.tells() {
            text(&mut out, "@odata.context", &self.context);
        }
        if let Some(count) = count {
            out.extend_from_slice(b",\"@odata.count\":");
            members::long(&mut out, count, self.style);
        }
        out.extend_from_slice(b",\"value\":[");
        out[0] = b'{';
        out.extend_from_slice(rows);
        out
    }
}

/// A row as an object on its own, with its key or without, and nothing else.
pub fn object(out: &mut Vec<u8>, set: &EntitySet, row: &[Value], keyed: bool) {
    let all = set.entity_type.properties.iter().zip(row).skip(usize::from(!keyed));
    braced(out, |out| {
        all.for_each(|(property, value)| member(out, property, value, Style::default()));
    });
}

/// A value as JSON of its own.
pub(crate) fn text_of(ty: &Type, value: &Value) -> String {
    let mut out = Vec::new();
    write_value(&mut out, ty, value, Style::default());
    String::from_utf8(out).unwrap_or_default()
}
