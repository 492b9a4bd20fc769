//! One write inside the transaction that is open: row, `change` and `refresh` together.

use rollcall_odata::plan::{Delete, Selector, Update, Write};
use rollcall_odata::{Error as Refusal, Row, Value};
use rusqlite::types::ToSqlOutput;
use rusqlite::{ErrorCode, OptionalExtension, params_from_iter};
use uuid::Uuid;

use super::memory::{Tenant, Tenants};
use super::once::apply_once;
use super::query;
use super::statements::Statements;
use crate::table::{Table, Tables};
use crate::{Author, Entity, Error, Written, sql};

/// Why a write was not done.
pub(super) enum Stop {
    /// It is not to be done, and has left no trace. Its neighbours go on.
    Refused(Error),
    /// The transaction cannot go on.
    Broken(Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(Error::of_write(&error))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// Does one write.
pub(super) fn apply(
    connection: &Statements<'_>,
    tables: &Tables,
    tenants: &mut Tenants,
    author: &Author,
    plan: Write,
) -> Result<Written, Stop> {
    let table = tables.get(plan.set())?;
    let mut work = Work { connection, table, tenants, author };
    match plan {
        Write::Create(create) => work.create(create.row),
        Write::Update(update) => work.update(&update),
        Write::Delete(delete) => work.delete(&delete),
        Write::Once(once) => apply_once(connection, tables, work.tenants, author, *once),
    }
}

/// What a write works with.
pub(super) struct Work<'a, 'c> {
    pub connection: &'a Statements<'c>,
    pub table: &'a Table,
    pub tenants: &'a mut Tenants,
    pub author: &'a Author,
}

impl Work<'_, '_> {
    /// The row itself is written first: it alone can meet a conflict, and then nothing is there yet.
    fn create(&mut self, row: Row) -> Result<Written, Stop> {
        let table = self.table;
        let bound = table.bind(&row)?;
        let tenant = self.tenant()?;
        let number = tenant.last_change + 1;
        if !self.put(&table.sql.insert, tenant.number, number, &bound)? {
            return Err(self.conflict(tenant.number, &row)?.into());
        }
        self.log(tenant, number, "created", &bound[0], None)?;
        self.enter(tenant.number, table.days(&row));
        drop(bound);
        entity(number, row).map(Written::Created)
    }

    fn update(&mut self, plan: &Update) -> Result<Written, Stop> {
        let Some((tenant, current)) = self.find(&plan.selector)? else {
            return self.create_instead(plan);
        };
        if !plan.precondition.holds(Some(current.version)) {
            return Err(Error::PreconditionFailed.into());
        }
        let row = plan.apply(&current.row).map_err(Error::Refused)?;
        if row == current.row {
            return Ok(Written::Unchanged(current));
        }
        self.change(tenant, &current, &row)
            .and_then(|number| entity(number, row))
            .map(Written::Changed)
    }

    /// Gives an entity these values; gives the number of the change.
    pub(super) fn change(
        &mut self,
        tenant: Tenant,
        current: &Entity,
        row: &[Value],
    ) -> Result<i64, Stop> {
        let table = self.table;
        let bound = table.bind(row)?;
        let former = table.to_json(&current.row)?;
        let number = tenant.last_change + 1;
        if !self.put(&table.sql.update, tenant.number, number, &bound)? {
            return Err(self.conflict(tenant.number, row)?.into());
        }
        self.log(tenant, number, "changed", &bound[0], Some(&former))?;
        let (before, after) = (table.days(&current.row), table.days(row));
        if before != after {
            self.leave(tenant.number, before)?;
            self.enter(tenant.number, after);
        }
        Ok(number)
    }

    fn create_instead(&mut self, plan: &Update) -> Result<Written, Stop> {
        match &plan.or_create {
            None => Err(Error::NotFound.into()),
            Some(_) if !plan.precondition.holds(None) => Err(Error::PreconditionFailed.into()),
            Some(Ok(row)) => self.create(row.clone()),
            Some(Err(refusal)) => Err(Error::Refused(Refusal::clone(refusal)).into()),
        }
    }

    fn delete(&mut self, plan: &Delete) -> Result<Written, Stop> {
        let table = self.table;
        let Some((tenant, current)) = self.find(&plan.selector)? else {
            return Err(Error::NotFound.into());
        };
        if !plan.precondition.holds(Some(current.version)) {
            return Err(Error::PreconditionFailed.into());
        }
        let key = table.bind_one(0, &current.row[0])?;
        let former = table.to_json(&current.row)?;
        self.connection.run(&table.sql.delete, (tenant.number, &key))?;
        self.log(tenant, tenant.last_change + 1, "deleted", &key, Some(&former))?;
        self.leave(tenant.number, table.days(&current.row))?;
        Ok(Written::Deleted)
    }

    fn find(&mut self, selector: &Selector) -> Result<Option<(Tenant, Entity)>, Stop> {
        let Some(tenant) = self.known_tenant()? else { return Ok(None) };
        let found = query::find(self.connection, self.table, tenant.number, selector)?;
        Ok(found.map(|entity| (tenant, entity)))
    }

    /// Puts a row in place; false where the same fact or key is there already.
    pub(super) fn put(
        &self,
        text: &str,
        tenant: i64,
        number: i64,
        row: &[ToSqlOutput<'_>],
    ) -> Result<bool, Stop> {
        let head = [ToSqlOutput::from(tenant), ToSqlOutput::from(number)];
        match self.connection.run(text, params_from_iter(head.iter().chain(row))) {
            Ok(_) => Ok(true),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What stands in the way of this row: the same fact, or else the same key.
    fn conflict(&self, tenant: i64, row: &[Value]) -> Result<Error, Stop> {
        let fact = self.table.fact(row);
        let values = std::iter::once(ToSqlOutput::from(tenant)).chain(self.table.bind_fact(&fact)?);
        let mut statement = self.connection.prepare_cached(&self.table.sql.key_of_fact)?;
        let key = statement.query_row(params_from_iter(values), |row| row.get(0)).optional()?;
        Ok(key.map_or(Error::KeyExists, |key| Error::FactExists { id: Uuid::from_bytes(key) }))
    }

    /// The author's tenant, which need not have written anything before.
    pub(super) fn tenant(&mut self) -> Result<Tenant, Stop> {
        match self.known_tenant()? {
            Some(tenant) => Ok(tenant),
            None => self.new_tenant(),
        }
    }

    fn known_tenant(&mut self) -> Result<Option<Tenant>, Stop> {
        let guid = self.author.tenant;
        if let Some(tenant) = self.tenants.get(&guid) {
            return Ok(Some(*tenant));
        }
        let Some(number) = query::tenant_number(self.connection, guid)? else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(sql::LAST_CHANGE)?;
        let last_change = statement.query_row([number], |row| row.get(0))?;
        let tenant = Tenant { number, last_change };
        self.tenants.insert(guid, tenant);
        Ok(Some(tenant))
    }

    fn new_tenant(&mut self) -> Result<Tenant, Stop> {
        let mut statement = self.connection.prepare_cached(sql::NEW_TENANT)?;
        let number = statement.query_row([self.author.tenant.as_bytes()], |row| row.get(0))?;
        Ok(Tenant { number, last_change: 0 })
    }

    /// Appends to `change`.
    pub(super) fn log(
        &mut self,
        tenant: Tenant,
        number: i64,
        kind: &str,
        key: &ToSqlOutput<'_>,
        former: Option<&str>,
    ) -> Result<(), Stop> {
        let author = self.author;
        let (set, at) = (self.table.number, author.at.as_millisecond());
        let values = (tenant.number, number, set, key, kind, &author.principal, at, former);
        self.connection.run(sql::NEW_CHANGE, values)?;
        self.tenants.insert(author.tenant, Tenant { last_change: number, ..tenant });
        Ok(())
    }

    /// `refresh` will learn of a row that has come.
    pub(super) fn enter(&mut self, tenant: i64, days: [Option<i64>; 3]) {
        self.tenants.news(tenant, self.table.number).row(days);
    }

    /// `refresh` learns of a row that has gone. Only if nothing else says what
    /// that row said is it made anew from the rows.
    fn leave(&mut self, tenant: i64, days: [Option<i64>; 3]) -> Result<(), Stop> {
        self.tenants.tell(self.connection)?;
        let (table, set) = (self.table, self.table.number);
        let mut statement = self.connection.prepare_cached(&table.sql.refresh_stale)?;
        let [refreshed, period, date] = days;
        let stale: Option<Option<bool>> = statement
            .query_row((tenant, set, refreshed, period, date), |row| row.get(0))
            .optional()?;
        if stale.flatten() != Some(false) {
            self.connection.run(sql::REFRESH_FORGET, (tenant, set))?;
            self.connection.run(&table.sql.refresh_renew, (tenant, set))?;
        }
        Ok(())
    }
}

fn entity(number: i64, row: Row) -> Result<Entity, Stop> {
    Ok(Entity { version: crate::table::version(number)?, row })
}
