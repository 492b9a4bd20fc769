//! Many rows inside one transaction: what single creates would do, with what
//! can be shared done once.

use rollcall_odata::Value;
use rollcall_odata::plan::Selector;
use rollcall_odata::plan::bulk::{Bulk, Policy};
use rusqlite::{CachedStatement, ErrorCode};

use super::apply::{Stop, Work};
use super::memory::{Tenant, Tenants};
use super::query;
use super::statements::Statements;
use crate::sql::CHUNK;
use crate::table::Tables;
use crate::{Author, Conflict, Error, Outcome};

/// Writes the rows in this order; gives what became of each, in theirs.
pub(super) fn write(
    connection: &Statements<'_>,
    tables: &Tables,
    tenants: &mut Tenants,
    author: &Author,
    plan: &Bulk,
    order: &[u32],
) -> Result<Vec<Outcome>, Stop> {
    let table = tables.get(&plan.set)?;
    let mut work = Work { connection, table, tenants, author };
    let tenant = work.tenant()?;
    let load = Load {
        rows: connection.prepare_cached(&table.sql.insert_chunk)?,
        changes: connection.prepare_cached(&table.sql.new_changes)?,
        outcomes: vec![Outcome::Created; order.len()],
        singly: 0,
        plan,
        tenant,
        work,
    };
    load.write(order)
}

/// Rows on their way into the table.
struct Load<'a, 'c> {
    work: Work<'a, 'c>,
    plan: &'a Bulk,
    tenant: Tenant,
    rows: CachedStatement<'a>,
    changes: CachedStatement<'a>,
    outcomes: Vec<Outcome>,
    /// How many rows are to be written one by one before the next chunk.
    singly: usize,
}

impl Load<'_, '_> {
    fn write(mut self, order: &[u32]) -> Result<Vec<Outcome>, Stop> {
        let author = self.work.author;
        let at = author.at.as_millisecond();
        self.rows.raw_bind_parameter(1, self.tenant.number)?;
        self.changes.raw_bind_parameter(1, self.tenant.number)?;
        self.changes.raw_bind_parameter(3, self.work.table.number)?;
        self.changes.raw_bind_parameter(4, &author.principal)?;
        self.changes.raw_bind_parameter(5, at)?;
        let mut rest = order;
        while !rest.is_empty() {
            let done = if rest.len() < CHUNK || self.singly > 0 { 0 } else { self.chunk(rest)? };
            if done < CHUNK {
                self.one(rest[done] as usize)?;
            }
            rest = &rest[CHUNK.min(done + 1)..];
        }
        Ok(self.outcomes)
    }

    /// Writes a chunk up to the first row that is not new; gives how many rows that is.
    fn chunk(&mut self, rest: &[u32]) -> Result<usize, Stop> {
        let chunk = &rest[..CHUNK];
        let first = self.tenant.last_change + 1;
        self.bind(chunk, first)?;
        let done = match self.rows.raw_execute() {
            Ok(_) => CHUNK,
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                // Where one row is there others are, most likely.
                self.singly = CHUNK;
                usize::try_from(self.work.connection.changes()).unwrap_or(0)
            }
            Err(error) => return Err(error.into()),
        };
        self.log(&chunk[..done], first)?;
        Ok(done)
    }

    fn bind(&mut self, chunk: &[u32], first: i64) -> Result<(), Stop> {
        let (table, width) = (self.work.table, self.work.table.width());
        self.rows.raw_bind_parameter(2, first)?;
        for (row, number) in chunk.iter().enumerate() {
            for (at, value) in self.plan.rows.row(*number as usize).iter().enumerate() {
                let bound = table.bind_one(at, value)?;
                self.rows.raw_bind_parameter(3 + row * width + at, bound)?;
            }
        }
        Ok(())
    }

    /// Appends rows that have come to `change`.
    fn log(&mut self, rows: &[u32], first: i64) -> Result<(), Stop> {
        let table = self.work.table;
        let mut last = self.tenant.last_change;
        for (row, number) in rows.iter().enumerate() {
            let values = self.plan.rows.row(*number as usize);
            let key = table.bind_one(0, &values[0])?;
            last += 1;
            if rows.len() == CHUNK {
                self.changes.raw_bind_parameter(6 + row, key)?;
            } else {
                self.work.log(self.tenant, last, "created", &key, None)?;
            }
            self.work.enter(self.tenant.number, table.days(values));
        }
        if rows.len() == CHUNK {
            self.changes.raw_bind_parameter(2, first)?;
            self.changes.raw_execute()?;
        }
        self.numbered(last);
        Ok(())
    }

    /// Writes one row, or finds out what is in its way.
    fn one(&mut self, number: usize) -> Result<(), Stop> {
        self.singly = self.singly.saturating_sub(1);
        let (table, values) = (self.work.table, self.plan.rows.row(number));
        let bound = table.bind(values)?;
        let change = self.tenant.last_change + 1;
        if self.work.put(&table.sql.insert, self.tenant.number, change, &bound)? {
            self.work.log(self.tenant, change, "created", &bound[0], None)?;
            self.work.enter(self.tenant.number, table.days(values));
            self.numbered(change);
            return Ok(());
        }
        self.outcomes[number] = self.meet(number)?;
        Ok(())
    }

    /// What is to be said of a row that the table did not take.
    fn meet(&mut self, number: usize) -> Result<Outcome, Stop> {
        let values = self.plan.rows.row(number);
        let fact = Selector::Fact(self.work.table.fact(values));
        let found = query::find(self.work.connection, self.work.table, self.tenant.number, &fact)?;
        let Some(current) = found else { return Ok(Outcome::Conflicting(Conflict::Key)) };
        let Value::Guid(id) = current.row[0] else {
            return Err(Stop::Broken(Error::Failed("a key that is no GUID".to_owned())));
        };
        if self.is_given(&values[0]) && values[0] != current.row[0] {
            return Ok(Outcome::Conflicting(Conflict::Fact { id }));
        }
        if values[1..] == current.row[1..] {
            return Ok(Outcome::Unchanged);
        }
        if self.plan.policy == Policy::Keep {
            return Ok(Outcome::Conflicting(Conflict::Fact { id }));
        }
        let mut row = values.to_vec();
        row[0] = Value::Guid(id);
        let change = self.work.change(self.tenant, &current, &row)?;
        self.numbered(change);
        Ok(Outcome::Replaced)
    }

    /// Whether a key came with the row: those that were assigned count up from the first.
    fn is_given(&self, key: &Value) -> bool {
        let first = self.plan.first_key.as_u128();
        let assigned = |key: u128| key.wrapping_sub(first) < self.plan.rows.len() as u128;
        !matches!(key, Value::Guid(key) if assigned(key.as_u128()))
    }

    /// The tenant's last change has this number.
    fn numbered(&mut self, number: i64) {
        self.tenant.last_change = number;
        self.work.tenants.insert(self.work.author.tenant, self.tenant);
    }
}
