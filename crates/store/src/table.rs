//! A data set as the store knows it: its number, its columns and its SQL texts.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rollcall_odata::edm::{EntitySet, Model, Property, Role};
use rollcall_odata::{Row, Value};
use rusqlite::types::ToSqlOutput;
use uuid::Uuid;

use crate::column::{Kind, day_number, json};
use crate::sql::{Sql, descends};
use crate::{Entity, Error};

/// All data sets of a model, and the tenants that were met.
#[derive(Debug)]
pub(crate) struct Tables {
    /// By the name of their table.
    sets: HashMap<String, Table>,
    /// Numbers as readers found them: a number is given once and stays.
    tenants: RwLock<HashMap<Uuid, i64>>,
}

impl Tables {
    /// The tables of this model; `number` gives what a table's name is kept as.
    pub fn of(model: &Model, number: impl Fn(&str) -> Option<i64>) -> Option<Self> {
        let table = |set: &Arc<EntitySet>| {
            Some((set.table.clone(), Table::of(Arc::clone(set), number(&set.table)?)))
        };
        let sets = model.entity_sets.iter().map(table).collect::<Option<_>>()?;
        Some(Self { sets, tenants: RwLock::default() })
    }

    /// The number that stands for a tenant, if a reader found it before.
    pub fn tenant(&self, guid: Uuid) -> Option<i64> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&guid).copied()
    }

    /// A reader has found a tenant's number, so it was committed.
    pub fn met(&self, guid: Uuid, number: i64) {
        self.tenants.write().unwrap_or_else(PoisonError::into_inner).insert(guid, number);
    }

    /// Every table.
    pub fn all(&self) -> impl Iterator<Item = &Table> {
        self.sets.values()
    }

    /// The table of this set; a set of another model has none.
    pub fn get(&self, set: &EntitySet) -> Result<&Table, Error> {
        let unknown = || Error::Failed(format!("the store was not opened with \"{}\"", set.name));
        self.sets.get(&set.table).ok_or_else(unknown)
    }
}

/// One data set.
#[derive(Debug)]
pub(crate) struct Table {
    /// What stands for the data set in `change` and `refresh`.
    pub number: i64,
    pub sql: Sql,
    set: Arc<EntitySet>,
    kinds: Vec<Kind>,
    /// Where refresh date, period and date are.
    roles: [Option<usize>; 3],
}

impl Table {
    fn of(set: Arc<EntitySet>, number: i64) -> Self {
        let kinds = set.entity_type.properties.iter().map(Kind::of).collect();
        let roles = [Role::Refreshed, Role::Period, Role::Date];
        let roles = roles.map(|role| set.entity_type.in_role(role));
        Self { number, sql: Sql::of(&set), kinds, roles, set }
    }

    /// The data set itself.
    pub fn set(&self) -> &EntitySet {
        &self.set
    }

    /// A row as it is bound: every value in the order of the properties.
    /// Whatever the columns would not take is refused here, before any statement runs.
    pub fn bind<'r>(&self, row: &'r [Value]) -> Result<Vec<ToSqlOutput<'r>>, Error> {
        if row.len() != self.kinds.len() {
            let (found, expected) = (row.len(), self.kinds.len());
            return Err(Error::Failed(format!("a row of {found} values instead of {expected}")));
        }
        row.iter().enumerate().map(|(at, value)| self.bind_one(at, value)).collect()
    }

    /// The values of an identity as they are bound.
    pub fn bind_fact<'v>(&self, fact: &'v [Value]) -> Result<Vec<ToSqlOutput<'v>>, Error> {
        if fact.len() != self.set.identity.len() {
            return Err(Error::Failed("an identity of another length".to_owned()));
        }
        self.set.identity.iter().zip(fact).map(|(at, value)| self.bind_one(*at, value)).collect()
    }

    /// One value as it is bound.
    pub fn bind_one<'v>(&self, at: usize, value: &'v Value) -> Result<ToSqlOutput<'v>, Error> {
        let allowed = !value.is_null() || self.set.nullable(at);
        self.kinds[at].encode(value).filter(|_| allowed).ok_or_else(|| {
            let name = &self.set.entity_type.properties[at].name;
            Error::Failed(format!("\"{name}\" cannot be kept as {}", self.kinds[at].name()))
        })
    }

    /// How many values a row has.
    pub fn width(&self) -> usize {
        self.kinds.len()
    }

    /// The order in which rows of one tenant stand in the table.
    pub fn order(&self, one: &[Value], other: &[Value]) -> Ordering {
        let compare = |at: &usize| {
            let order = compare(&one[*at], &other[*at]);
            if descends(&self.set, *at) { order.reverse() } else { order }
        };
        self.set.identity.iter().map(compare).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// The identity of a row.
    pub fn fact(&self, row: &[Value]) -> Vec<Value> {
        self.set.identity.iter().map(|at| row[*at].clone()).collect()
    }

    /// What `refresh` wants to know of a row: refresh date, period and date.
    pub fn days(&self, row: &[Value]) -> [Option<i64>; 3] {
        self.roles.map(|at| match &row[at?] {
            Value::Date(date) => Some(day_number(*date)),
            Value::Period(period) => Some(period.number()),
            _ => None,
        })
    }

    /// Version and row from the columns of a statement.
    pub fn entity(&self, stored: &rusqlite::Row<'_>) -> Result<Entity, Error> {
        let mut row = Row::with_capacity(self.kinds.len());
        Ok(Entity { version: self.read_into(stored, &mut row)?, row })
    }

    /// As `entity`, into a row that is used again.
    pub fn read_into(&self, stored: &rusqlite::Row<'_>, row: &mut Row) -> Result<u64, Error> {
        let failed = |error: rusqlite::Error| Error::of_read(&error);
        row.clear();
        for (at, kind) in self.kinds.iter().enumerate() {
            let value = kind.decode(stored.get_ref(at + 1).map_err(failed)?);
            row.push(value.ok_or_else(|| self.unreadable(at))?);
        }
        version(stored.get(0).map_err(failed)?)
    }

    /// The value of one property, in this column of a statement.
    pub fn read_one(
        &self,
        at: usize,
        stored: &rusqlite::Row<'_>,
        column: usize,
    ) -> Result<Value, Error> {
        let given = stored.get_ref(column).map_err(|error| Error::of_read(&error))?;
        self.kinds[at].decode(given).ok_or_else(|| self.unreadable(at))
    }

    fn unreadable(&self, at: usize) -> Error {
        let name = &self.set.entity_type.properties[at].name;
        Error::Failed(format!(
            "table \"{}\", column \"{name}\" holds what is no {}",
            self.set.table,
            self.kinds[at].name()
        ))
    }

    /// A row as a JSON object, for the former values of a change.
    pub fn to_json(&self, row: &[Value]) -> Result<String, Error> {
        let names = self.set.entity_type.properties.iter().map(|one| one.name.as_str());
        let mut text = String::new();
        json::object(&mut text, names.zip(&self.kinds).zip(row))
            .ok_or_else(|| Error::Failed("a row that cannot be told in JSON".to_owned()))?;
        Ok(text)
    }

    /// A row from what `to_json` gives. What its type has since is null in it.
    pub fn of_json(&self, text: &str) -> Option<Row> {
        let object: serde_json::Value = serde_json::from_str(text).ok()?;
        let properties = self.set.entity_type.properties.iter().zip(&self.kinds);
        let value = |(property, kind): (&Property, &Kind)| {
            object.get(&property.name).map_or(Some(Value::Null), |json| json::read(kind, json))
        };
        properties.map(value).collect()
    }
}

/// The order of two values of an identity, as their columns have it.
fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (Value::Date(one), Value::Date(other)) => one.cmp(other),
        (Value::Period(one), Value::Period(other)) => one.cmp(other),
        (Value::Guid(one), Value::Guid(other)) => one.cmp(other),
        (Value::Duration(one), Value::Duration(other)) => one.cmp(other),
        // Nothing else is part of an identity; in no order at all is right too.
        _ => Ordering::Equal,
    }
}

/// A version from its column.
pub(crate) fn version(stored: i64) -> Result<u64, Error> {
    u64::try_from(stored).map_err(|_| Error::Failed(format!("{stored} is no version")))
}
