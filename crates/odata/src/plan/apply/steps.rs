//! One transformation after another.

use super::groups::Partition;
use super::{Aggregate, Applied, Column, Grouping, Limit, Relation, Scope};
use crate::edm::Type;
use crate::error::Error;
use crate::plan::expression::{Binder, Expression, Setting, Ty};
use crate::plan::query::{self, Computed, OrderKey};
use crate::plan::{expression, search};
use crate::uri;
use crate::uri::apply::{self, Kind, Method, Transformation};
use crate::uri::clauses;
use crate::uri::filter::Node;

/// What errors call the option.
pub(super) const APPLY: &str = "$apply";

/// Rows between two transformations.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub relation: Relation,
    /// All columns, hidden ones included.
    pub columns: Vec<usize>,
    /// What rows of each form have that can be seen.
    pub forms: Vec<Form>,
    /// The column of the form's number, where there are several.
    pub form: Option<usize>,
    /// The order, as far as it was asked for.
    pub order: Vec<OrderKey>,
    /// Columns that tell any two rows apart.
    pub key: Vec<usize>,
    /// Whether each group that is being transformed has a row for sure.
    pub complete: bool,
    /// How many relations it is made of.
    pub size: usize,
}

/// What rows of one form have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub columns: Vec<usize>,
    /// The form of the group that such a row is in.
    pub group: usize,
    /// Whether they are rows of a report function still: their key can be
    /// named, and is shown to who asks for it.
    pub keyless: bool,
}

/// A column that was added.
struct Added {
    name: String,
    ty: Ty,
    /// How many nodes and items of lists its values are made of.
    made_of: (usize, usize),
}

/// Makes relations of transformations.
pub(super) struct Planner<'a> {
    pub setting: Setting<'a>,
    /// What was added, hidden columns without a name.
    added: Vec<Added>,
    /// How much has been bound by all expressions.
    spent: (usize, usize),
    /// What the groups that are being transformed have in common.
    pub held: Vec<usize>,
}

impl<'a> Planner<'a> {
    pub fn new(setting: Setting<'a>) -> Self {
        Self { setting, added: Vec::new(), spent: (0, 0), held: Vec::new() }
    }

    fn width(&self) -> usize {
        self.setting.set.entity_type.properties.len()
    }

    /// The rows of the set; `keyless` ones are those of a report function.
    pub fn source(&self, keyless: bool) -> Table {
        let columns: Vec<usize> = (0..self.width()).collect();
        Table {
            relation: Relation::Source,
            columns: columns.clone(),
            forms: vec![Form { columns, group: 0, keyless }],
            form: None,
            order: Vec::new(),
            key: self.setting.set.identity.clone(),
            complete: true,
            size: 1,
        }
    }

    /// The rows for which this is true.
    pub fn narrowed(&mut self, table: Table, condition: &Node) -> Result<Table, Error> {
        let condition = self.bind(&table, |binder| binder.condition(condition))?;
        Ok(filtered(table, condition))
    }

    pub fn sequence(
        &mut self,
        mut table: Table,
        sequence: &[Transformation],
        within: Option<&Partition>,
    ) -> Result<Table, Error> {
        let most = self.setting.limits.transformations;
        for one in sequence {
            table = self.transformation(table, one, within)?;
            if table.size > most {
                return Err(self.too_many());
            }
        }
        Ok(table)
    }

    pub fn too_many(&self) -> Error {
        let what = format!(
            "more than {} transformations, those before concat and rollup counted for each part",
            self.setting.limits.transformations
        );
        uri::too_complex(APPLY, &what, "query-transformations")
    }

    fn transformation(
        &mut self,
        table: Table,
        one: &Transformation,
        within: Option<&Partition>,
    ) -> Result<Table, Error> {
        match &one.kind {
            Kind::Identity => Ok(table),
            Kind::Filter(condition) => self.narrowed(table, condition),
            Kind::Search(found) => {
                let scope = self.scope(&table);
                let present = |at: usize| scope.present[at];
                let condition = search::condition(self.setting.set, present, found);
                Ok(filtered(table, condition))
            }
            Kind::Compute(all) => self.compute(table, all),
            Kind::Aggregate(all) => self.aggregate(table, all, within),
            Kind::GroupBy(groups, inside) => {
                self.group_by(&table, groups, inside.as_deref(), within)
            }
            Kind::OrderBy(keys) => self.order_by(table, keys),
            Kind::Top(top) => Ok(self.limited(table, 0, Some(*top), within)),
            Kind::Skip(skip) => Ok(self.limited(table, *skip, None, within)),
            Kind::Concat(all) => {
                let parts = all.iter().map(|one| self.sequence(table.clone(), one, within));
                let parts = parts.collect::<Result<Vec<Table>, Error>>()?;
                self.concat(parts)
            }
        }
    }

    /// Binds an expression over the columns of a table.
    fn bind<T>(
        &mut self,
        table: &Table,
        bind: impl FnOnce(&mut Binder<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let scope = self.scope(table);
        let setting = Setting { scope: Some(&scope), ..self.setting };
        let mut binder = Binder::after(setting, &[], APPLY, self.spent);
        let bound = bind(&mut binder);
        self.spent = binder.bound();
        bound
    }

    /// What names mean here.
    pub fn scope(&self, table: &Table) -> Scope {
        // A column of the group is there in rows that lack it, so that a name can
        // mean it only where no row lacks it.
        let seen = |at: usize| {
            let mut forms = table.forms.iter().map(|form| form.columns.contains(&at));
            if self.held.contains(&at) { forms.all(|has| has) } else { forms.any(|has| has) }
        };
        let added = self.added.iter().zip(self.width()..).filter(|(_, at)| seen(*at));
        let added = added.map(|(one, at)| Computed::column(&one.name, one.ty, at, one.made_of));
        Scope { present: (0..self.width()).map(seen).collect(), added: added.collect() }
    }

    /// A column that nobody sees.
    pub fn hidden(&mut self) -> usize {
        self.added.push(Added { name: String::new(), ty: Ty::Int, made_of: (1, 0) });
        self.width() + self.added.len() - 1
    }

    /// A column of this name. In another part of a `concat` the same name is the
    /// same column.
    fn named(
        &mut self,
        table: &Table,
        (name, at): (&str, usize),
        ty: Ty,
        made_of: (usize, usize),
    ) -> Result<usize, Error> {
        let scope = self.scope(table);
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        let declared = self.setting.set.entity_type.find(name).is_some();
        let held = |at: &usize| self.added.get(at.checked_sub(self.width())?);
        let taken = declared
            || scope.added.iter().any(|one| same(&one.name))
            || self.held.iter().filter_map(held).any(|one| same(&one.name));
        if taken || !query::is_identifier(name) {
            return Err(query::name_taken(name, at, APPLY));
        }
        let known = self.added.iter().position(|one| same(&one.name) && one.ty == ty);
        let place = known.unwrap_or(self.added.len());
        match self.added.get_mut(place) {
            Some(one) => {
                let (nodes, items) = one.made_of;
                one.made_of = (nodes.max(made_of.0), items.max(made_of.1));
            }
            None => self.added.push(Added { name: name.to_owned(), ty, made_of }),
        }
        Ok(self.width() + place)
    }

    fn compute(&mut self, mut table: Table, all: &[clauses::Computed]) -> Result<Table, Error> {
        self.few(all.len())?;
        for clauses::Computed { expression, name, at } in all {
            let before = self.spent;
            let bound = self.bind(&table, |binder| binder.bind(expression))?;
            let made_of = (self.spent.0 - before.0, self.spent.1 - before.1);
            let ty = bound.ty.unwrap_or(Ty::String);
            let column = self.named(&table, (name, *at), ty, made_of)?;
            let computed = vec![(column, bound.expression)];
            table.relation = Relation::Compute(Box::new(table.relation), computed);
            table.columns.push(column);
            table.forms.iter_mut().for_each(|form| form.columns.push(column));
            table.size += 1;
        }
        Ok(table)
    }

    /// As many keys as there may be.
    pub fn few(&self, keys: usize) -> Result<(), Error> {
        let most = self.setting.limits.keys;
        if keys <= most {
            return Ok(());
        }
        let what = format!("more than {most} properties in one transformation");
        Err(uri::too_complex(APPLY, &what, "query-keys"))
    }

    fn aggregate(
        &mut self,
        table: Table,
        all: &[apply::Aggregate],
        within: Option<&Partition>,
    ) -> Result<Table, Error> {
        self.few(all.len())?;
        // Within a group its own columns stay; no value may bear a name of theirs.
        let mut groups = Partition::table(within, &table);
        let mut values = Vec::with_capacity(all.len());
        for apply::Aggregate { value, name, at } in all {
            let (aggregate, ty) = match value {
                None => (Aggregate::Count, Ty::Decimal),
                Some((node, method)) => self.value(&table, node, *method)?,
            };
            let seen =
                Table { forms: [&table.forms[..], &groups.forms].concat(), ..groups.clone() };
            // What is made of many rows is made before it is used.
            let column = self.named(&seen, (name, *at), ty, (1, 0))?;
            values.push((column, aggregate));
            groups.columns.push(column);
            groups.forms.iter_mut().for_each(|form| form.columns.push(column));
        }
        Ok(grouped(table, groups, values, within))
    }

    /// What is aggregated, and the type that comes of it.
    fn value(
        &mut self,
        table: &Table,
        node: &Node,
        method: Method,
    ) -> Result<(Aggregate, Ty), Error> {
        let bound = self.bind(table, |binder| binder.bind(node))?;
        let of = bound.ty.unwrap_or(Ty::Int);
        let ty = match (method, of) {
            (Method::CountDistinct, _)
            | (Method::Sum, Ty::Int | Ty::Decimal)
            | (Method::Average, Ty::Decimal) => Ty::Decimal,
            (Method::Sum | Method::Average, Ty::Int | Ty::Double) => Ty::Double,
            (Method::Min | Method::Max, of) => of,
            (method, of) => {
                let message = format!(
                    "'{node} with {}' at position {} of $apply is of type {}: expected a number.",
                    method.text(),
                    node.at,
                    of.name()
                );
                return Err(Error::bad_request(message).about(APPLY));
            }
        };
        Ok((Aggregate::Of(method, bound.expression, of), ty))
    }

    fn order_by(&mut self, mut table: Table, keys: &[clauses::OrderKey]) -> Result<Table, Error> {
        let mut order = Vec::with_capacity(keys.len());
        for key in keys {
            let bound = self.bind(&table, |binder| binder.bind(&key.expression))?;
            order.push(query::key_of(bound, key.descending));
        }
        table.order.retain(|old| !order.iter().any(|key| key.expression == old.expression));
        order.append(&mut table.order);
        self.few(order.len())?;
        table.order = order;
        Ok(table)
    }

    /// The order of a table, whole.
    pub fn whole_order(&self, table: &Table) -> Vec<OrderKey> {
        let key = table.form.iter().chain(&table.key);
        let mut order = table.order.clone();
        query::follow(&mut order, key.map(|at| self.key_of(*at)));
        order
    }

    /// A column as a key of the order; days come newest first, as in the set.
    pub fn key_of(&self, at: usize) -> OrderKey {
        let expression = Expression::Stored(at);
        if let Some(property) = self.setting.set.entity_type.properties.get(at) {
            let ty = expression::stored_type(property).unwrap_or(Ty::String);
            return OrderKey { expression, ty, descending: property.ty == Type::Date };
        }
        let ty = self.added[at - self.width()].ty;
        OrderKey { expression, ty, descending: false }
    }

    fn limited(
        &mut self,
        table: Table,
        skip: u64,
        top: Option<u64>,
        within: Option<&Partition>,
    ) -> Table {
        let order = self.whole_order(&table);
        let limit = Limit {
            input: table.relation,
            columns: table.columns.clone(),
            within: within.map(|one| one.by.clone()).unwrap_or_default(),
            order,
            skip,
            top,
        };
        let complete = table.complete && skip == 0 && top != Some(0);
        let relation = Relation::Limit(Box::new(limit));
        Table { relation, complete, size: table.size + 1, ..table }
    }

    /// What is answered of a table. `keyed` is whether rows of a report function
    /// have their key as well.
    pub fn finish(self, mut table: Table, keyed: bool) -> Result<(Applied, Scope), Error> {
        let scope = self.scope(&table);
        for form in table.forms.iter_mut().filter(|form| form.keyless && !keyed) {
            form.columns.retain(|at| *at > 0);
        }
        let order = self.whole_order(&table);
        if order.len() > 2 * self.setting.limits.keys {
            let what = "an order of too many keys, those of groups included";
            return Err(uri::too_complex(APPLY, what, "query-keys"));
        }
        let seen: Vec<usize> = {
            let mut all: Vec<usize> =
                table.forms.iter().flat_map(|form| form.columns.iter().copied()).collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        let place = |at: &usize| seen.iter().position(|other| other == at);
        let forms = table.forms.iter().map(|form| {
            let mut places: Vec<usize> = form.columns.iter().filter_map(place).collect();
            places.sort_unstable();
            places.dedup();
            places
        });
        let forms = forms.collect();
        let columns = seen.iter().map(|at| self.column(*at)).collect();
        Ok((Applied { relation: table.relation, columns, forms, form: table.form, order }, scope))
    }

    fn column(&self, at: usize) -> Column {
        if let Some(property) = self.setting.set.entity_type.properties.get(at) {
            return Column { at, name: property.name.clone(), ty: None };
        }
        let Added { name, ty, .. } = &self.added[at - self.width()];
        Column { at, name: name.clone(), ty: Some(*ty) }
    }

    /// The column of a property to group by.
    pub fn grouping(&self, table: &Table, property: &apply::Property) -> Result<usize, Error> {
        let scope = self.scope(table);
        let set = self.setting.set;
        let name = query::own_name(set, &property.path);
        let added = scope.added.iter().find(|one| one.name.eq_ignore_ascii_case(&name));
        if let Some(Expression::Stored(at)) = added.map(|one| &one.expression) {
            return Ok(*at);
        }
        let at = set.entity_type.find(&name).filter(|at| scope.present[*at]);
        let Some(at) = at else { return Err(expression::no_property(set, &name).about(APPLY)) };
        if expression::stored_type(&set.entity_type.properties[at]).is_none() {
            let message = format!(
                "Groups by '{name}', at position {} of $apply: expected a property of a primitive \
                 type.",
                property.at
            );
            return Err(Error::bad_request(message).about(APPLY));
        }
        Ok(at)
    }
}

/// The rows for which a condition holds.
fn filtered(mut table: Table, condition: Expression) -> Table {
    table.relation = Relation::Filter(Box::new(table.relation), condition);
    table.complete = false;
    table.size += 1;
    table
}

/// One row for each group.
pub(super) fn grouped(
    table: Table,
    groups: Table,
    values: Vec<(usize, Aggregate)>,
    within: Option<&Partition>,
) -> Table {
    let every = within.filter(|_| !table.complete).map(|one| one.start.clone());
    let size = table.size + 1 + every.as_ref().map_or(0, |_| within.map_or(0, |one| one.size));
    let grouping = Grouping {
        input: table.relation,
        columns: table.columns,
        by: within.map(|one| one.by.clone()).unwrap_or_default(),
        values,
        every,
        always: within.is_none(),
    };
    Table { relation: Relation::Group(Box::new(grouping)), size, ..groups }
}

/// Adds what is not there yet.
pub(super) fn extend(all: &mut Vec<usize>, more: &[usize]) {
    for one in more {
        if !all.contains(one) {
            all.push(*one);
        }
    }
}

/// Constants as an expression for each form of a table.
pub(super) fn by_form(form: usize, numbers: &[usize]) -> Expression {
    let number = |number: usize| {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        Expression::Value(crate::Value::Int(number))
    };
    let is = |at: usize| Expression::equal(Expression::Stored(form), number(at));
    let branches = numbers.iter().enumerate().map(|(at, group)| (is(at), number(*group)));
    Expression::Case(branches.collect())
}
