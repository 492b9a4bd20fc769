//! The query options that say which rows and values a list has: `$filter`,
//! `$search`, `$compute`, `$orderby` and `$select`.

use crate::edm::{EntitySet, Type, names_type};
use crate::error::Error;
use crate::plan::apply::{self, Applied, Key};
use crate::plan::expression::{Binder, Expression, Kept, Setting, Ty, Typed};
use crate::plan::{expression, search};
use crate::uri::clauses::{self, Selected};
use crate::uri::options::SystemOption;
use crate::uri::{self, filter, search as words};

/// Which rows a list has, and in which order. As a default: all rows, in the
/// order of the identity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// What must be true of a row.
    pub filter: Option<Expression>,
    /// What the rows are ordered by, before their identity.
    pub order: Vec<OrderKey>,
    /// What each row has besides its properties.
    pub computed: Vec<Computed>,
    /// How many of the first rows are left out.
    pub skip: u64,
    /// What is made of the rows before all that. The order is then whole.
    pub apply: Option<Box<Applied>>,
}

/// One key of an order. Null is less than any value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// What to order by.
    pub expression: Expression,
    /// Its type.
    pub ty: Ty,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// A property that a request computes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// Its name.
    pub name: String,
    /// How its values are made.
    pub expression: Expression,
    /// Its type.
    pub ty: Ty,
    /// How large it is, for the limit on what refers to it.
    pub(crate) nodes: usize,
    /// How many items its lists have.
    pub(crate) items: usize,
}

impl Computed {
    /// A column that is there already, and was made of so much: SQLite may put
    /// that in its place, wherever the name stands.
    pub(crate) fn column(name: &str, ty: Ty, at: usize, (nodes, items): (usize, usize)) -> Self {
        Self { name: name.to_owned(), expression: Expression::Stored(at), ty, nodes, items }
    }
}

/// Which properties an answer shows, as positions in `EntityType::properties`
/// and in `Shape::computed`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The declared ones, in declared order; after `$apply` the columns of these numbers.
    pub properties: Vec<usize>,
    /// Whether `*` was among what was asked for.
    pub all: bool,
}

/// What the options ask of a list, and what `$select` leaves of it. `keyless`
/// rows are those of a report function.
pub(crate) fn shape(
    setting: Setting<'_>,
    keyless: bool,
) -> Result<(Shape, Option<Selection>), Error> {
    let options = setting.options;
    let narrowing = options.narrowing().iter();
    let narrowing: Vec<filter::Node> = narrowing
        .map(|text| filter::parse("$filter", text, setting.limits))
        .collect::<Result<_, _>>()?;
    let selected = options.get(SystemOption::Select);
    let selected = selected.map(|text| clauses::select(text, setting.limits)).transpose()?;
    let key = match &selected {
        _ if !keyless => Key::Shown,
        Some(selected) if names_key(setting.set, selected) => Key::Named,
        _ => Key::Hidden,
    };
    let applied = options.get(SystemOption::Apply);
    let applied = applied.map(|text| apply::plan(setting, text, &narrowing, key)).transpose()?;
    // Before $apply a part of the set is already all that there is.
    let mut conditions = Vec::new();
    for node in narrowing.iter().filter(|_| applied.is_none()) {
        conditions.push(Binder::new(setting, &[], "$filter").condition(node)?);
    }
    let setting = Setting { scope: applied.as_ref().map(|(_, scope)| scope), ..setting };
    let mut computed = compute(setting)?;
    let mut order = order(setting, &computed)?;
    let applied_order = applied.iter().flat_map(|(applied, _)| &applied.order);
    follow(&mut order, applied_order.cloned());
    conditions.extend(condition(setting, &computed)?);
    let filter = all(conditions);
    let selection = selected.map(|all| select(setting, all, &mut computed)).transpose()?;
    let skip = options.number(SystemOption::Skip)?.unwrap_or(0);
    let apply = applied.map(|(applied, _)| Box::new(applied));
    Ok((Shape { filter, order, computed, skip, apply }, selection))
}

/// Puts keys behind an order that has not been by the same yet.
pub(crate) fn follow(order: &mut Vec<OrderKey>, more: impl IntoIterator<Item = OrderKey>) {
    for key in more {
        if !order.iter().any(|other| other.expression == key.expression) {
            order.push(key);
        }
    }
}

/// `$filter` and `$search`: both must hold.
pub(crate) fn condition(
    setting: Setting<'_>,
    computed: &[Computed],
) -> Result<Option<Expression>, Error> {
    let mut conditions = Vec::new();
    if let Some(text) = setting.options.get(SystemOption::Filter) {
        let node = filter::parse("$filter", text, setting.limits)?;
        conditions.push(Binder::new(setting, computed, "$filter").condition(&node)?);
    }
    if let Some(text) = setting.options.get(SystemOption::Search) {
        let present = |at: usize| setting.scope.is_none_or(|scope| scope.present[at]);
        let search = words::parse(text, setting.limits)?;
        conditions.push(search::condition(setting.set, present, &search));
    }
    Ok(all(conditions))
}

/// What is true where all of these are.
fn all(mut conditions: Vec<Expression>) -> Option<Expression> {
    match conditions.len() {
        0 | 1 => conditions.pop(),
        _ => Some(Expression::And(conditions)),
    }
}

/// `$compute`. A property may refer to those before it, and none may be called
/// as a declared one.
pub(crate) fn compute(setting: Setting<'_>) -> Result<Vec<Computed>, Error> {
    let Some(text) = setting.options.get(SystemOption::Compute) else { return Ok(Vec::new()) };
    let mut computed: Vec<Computed> = Vec::new();
    let clauses = clauses::compute(text, setting.limits)?;
    let most = setting.limits.keys;
    if clauses.len() > most {
        let what = format!("more than {most} properties");
        return Err(uri::too_complex("$compute", &what, "query-keys"));
    }
    let mut spent = (0, 0);
    for clauses::Computed { expression, name, at } in clauses {
        let mut binder = Binder::after(setting, &computed, "$compute", spent);
        let same = |other: &str| other.eq_ignore_ascii_case(&name);
        let taken = setting.set.entity_type.find(&name).is_some() || setting.added(&name).is_some();
        if taken || computed.iter().any(|one| same(&one.name)) || !is_identifier(&name) {
            return Err(name_taken(&name, at, "$compute"));
        }
        let bound = binder.bind(&expression)?;
        let before = std::mem::replace(&mut spent, binder.bound());
        let (nodes, items) = (spent.0 - before.0, spent.1 - before.1);
        let ty = bound.ty.unwrap_or(Ty::String);
        computed.push(Computed { name, expression: bound.expression, ty, nodes, items });
    }
    Ok(computed)
}

/// A name that nothing new can have.
pub(crate) fn name_taken(name: &str, at: usize, option: &str) -> Error {
    let message = format!(
        "The name '{name}' at position {at} of {option} cannot be given: expected letters, digits \
         and underscores, and no name that is in use."
    );
    Error::bad_request(message).about(option)
}

/// Whether a name is one that something new can have.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

fn order(setting: Setting<'_>, computed: &[Computed]) -> Result<Vec<OrderKey>, Error> {
    let Some(text) = setting.options.get(SystemOption::OrderBy) else { return Ok(Vec::new()) };
    let keys = clauses::order(text, setting.limits)?;
    let mut binder = Binder::new(setting, computed, "$orderby");
    let key = |key: &clauses::OrderKey| Ok(key_of(binder.bind(&key.expression)?, key.descending));
    keys.iter().map(key).collect()
}

/// An expression as a key of an order.
pub(crate) fn key_of(bound: Typed, descending: bool) -> OrderKey {
    // GUIDs have the same order as their texts, and an index.
    let (expression, ty) = match bound.expression {
        Expression::Shown(at, Kept::Guid) => (Expression::Stored(at), Ty::Guid),
        expression => (expression, bound.ty.unwrap_or(Ty::String)),
    };
    OrderKey { expression, ty, descending }
}

/// Whether `$select` names the key itself.
fn names_key(set: &EntitySet, selected: &[Selected]) -> bool {
    let key = &set.entity_type.key().name;
    selected.iter().any(|one| match one {
        Selected::Path(path) => own_name(set, path).eq_ignore_ascii_case(key),
        Selected::All | Selected::Nested(_) => false,
    })
}

/// `$select`: of what is computed only that stays which it names.
fn select(
    setting: Setting<'_>,
    selected: Vec<Selected>,
    computed: &mut Vec<Computed>,
) -> Result<Selection, Error> {
    let set = setting.set;
    let mut selection = Selection::default();
    let mut named = vec![false; computed.len()];
    for item in selected {
        match item {
            Selected::All => selection.all = true,
            Selected::Nested(path) => return Err(nested(set, &path)),
            Selected::Path(path) => {
                let name = own_name(set, &path);
                let is = |one: &Computed| one.name.eq_ignore_ascii_case(&name);
                let there = setting.find(&name).or_else(|| setting.column(&name));
                match (there, computed.iter().position(is)) {
                    (Some(at), _) => selection.properties.push(at),
                    (None, Some(at)) => named[at] = true,
                    (None, None) => {
                        return Err(expression::no_property(set, &name).about("$select"));
                    }
                }
            }
        }
    }
    if selection.all {
        selection.properties = (0..set.entity_type.properties.len()).collect();
        let added = setting.scope.iter().flat_map(|scope| &scope.added);
        selection.properties.extend(added.filter_map(|one| setting.column(&one.name)));
    } else {
        let mut named = named.into_iter();
        computed.retain(|_| named.next().unwrap_or(false));
    }
    selection.properties.sort_unstable();
    selection.properties.dedup();
    Ok(selection)
}

/// Options in parentheses are for what has properties or items of its own.
fn nested(set: &EntitySet, path: &[String]) -> Error {
    let name = own_name(set, path);
    let Some(at) = set.entity_type.find(&name) else {
        return expression::no_property(set, &name).about("$select");
    };
    let property = &set.entity_type.properties[at];
    if matches!(property.ty, Type::Complex(_) | Type::Collection(_)) {
        let message =
            format!("The property '{name}' is selected whole, without options: expected it alone.");
        return Error::bad_request(message).about("$select");
    }
    let message = format!(
        "The property '{}' is of type {}, for which $select has no options: expected '{}' alone.",
        property.name, property.ty, property.name
    );
    Error::bad_request(message).about("$select")
}

/// The name of a property, without the name of its own type before it.
pub(crate) fn own_name(set: &EntitySet, path: &[String]) -> String {
    match path {
        [ty, rest @ ..] if names_type(ty, &set.entity_type.name) && !rest.is_empty() => {
            rest.join("/")
        }
        path => path.join("/"),
    }
}
