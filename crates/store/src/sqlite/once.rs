//! Writes that are done once, however often they are asked for: what became of
//! one is remembered in the transaction that did it.

use jiff::Timestamp;
use rollcall_odata::plan::{Name, Once};
use rusqlite::{Connection, OptionalExtension, params};

use super::apply::{Stop, apply};
use super::memory::Tenants;
use super::query;
use super::statements::Statements;
use crate::sql::once as sql;
use crate::table::{Table, Tables, version};
use crate::{Author, Entity, Error, Written};

/// Does a write, or says what became of it before. What is refused leaves no
/// trace and is not remembered: it is tried anew.
pub(super) fn apply_once(
    connection: &Statements<'_>,
    tables: &Tables,
    tenants: &mut Tenants,
    author: &Author,
    once: Once,
) -> Result<Written, Stop> {
    let Once { name, digest, until, write } = once;
    let table = tables.get(write.set())?;
    let memory = Memory { connection, table, author, name, digest, until };
    if let Some(written) = memory.recall()? {
        return Ok(written);
    }
    // None of the writes of another request: whoever wrote first has the name.
    if !is_free(connection, author, &memory.name, &memory.digest)? {
        return Err(Error::OtherRequest.into());
    }
    let written = apply(connection, tables, tenants, author, write)?;
    memory.keep(&written)?;
    Ok(written)
}

/// Refuses a request that has the name of another one, of which something has
/// been done already.
pub(crate) fn fits(
    connection: &Connection,
    author: &Author,
    name: &Name,
    digest: &[u8; 32],
) -> Result<(), Error> {
    let free = is_free(connection, author, name, digest);
    let free = free.map_err(|error| Error::of_read(&error))?;
    if free { Ok(()) } else { Err(Error::OtherRequest) }
}

/// Whether nothing of another digest has been done under this name.
fn is_free(
    connection: &Connection,
    author: &Author,
    name: &Name,
    digest: &[u8; 32],
) -> rusqlite::Result<bool> {
    let Some(tenant) = query::tenant_number(connection, author.tenant)? else { return Ok(true) };
    let (request, now) = (name.request.as_bytes(), author.at.as_millisecond());
    let mut statement = connection.prepare_cached(sql::KNOWN)?;
    let key = params![tenant, author.principal, name.client, request, now];
    let known: Option<Vec<u8>> = statement.query_row(key, |row| row.get(0)).optional()?;
    Ok(known.is_none_or(|known| known == digest))
}

/// What is remembered of one request.
struct Memory<'a> {
    connection: &'a Connection,
    table: &'a Table,
    author: &'a Author,
    name: Name,
    digest: [u8; 32],
    until: Timestamp,
}

/// A row of `repeated`: digest, kind, version and entity.
type Kept = (Vec<u8>, String, Option<i64>, Option<String>);

impl Memory<'_> {
    fn recall(&self) -> Result<Option<Written>, Stop> {
        let Some(tenant) = query::tenant_number(self.connection, self.author.tenant)? else {
            return Ok(None);
        };
        let Name { client, request, part } = &self.name;
        let key = params![
            tenant,
            self.author.principal,
            client,
            request.as_bytes(),
            part,
            self.author.at.as_millisecond()
        ];
        let mut statement = self.connection.prepare_cached(sql::RECALL)?;
        let kept: Option<Kept> = statement
            .query_row(key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        match kept {
            Some(kept) if kept.0 == self.digest => Ok(Some(self.written(kept)?)),
            Some(_) => Err(Error::OtherRequest.into()),
            None => Ok(None),
        }
    }

    fn written(&self, (_, kind, number, entity): Kept) -> Result<Written, Error> {
        let unreadable =
            || Error::Failed("what is remembered of a request is no entity".to_owned());
        let entity = || {
            let row = entity.as_deref().and_then(|text| self.table.of_json(text));
            let row = row.ok_or_else(unreadable)?;
            Ok::<_, Error>(Entity { version: version(number.ok_or_else(unreadable)?)?, row })
        };
        Ok(match kind.as_str() {
            "created" => Written::Created(entity()?),
            "changed" => Written::Changed(entity()?),
            "unchanged" => Written::Unchanged(entity()?),
            _ => Written::Deleted,
        })
    }

    fn keep(&self, written: &Written) -> Result<(), Stop> {
        let (kind, entity) = match written {
            Written::Created(entity) => ("created", Some(entity)),
            Written::Changed(entity) => ("changed", Some(entity)),
            Written::Unchanged(entity) => ("unchanged", Some(entity)),
            Written::Deleted => ("deleted", None),
        };
        // Who has written is known, and so there is a number.
        let tenant = query::tenant_number(self.connection, self.author.tenant)?;
        let row = entity.map(|entity| self.table.to_json(&entity.row)).transpose();
        // The write has been done: it cannot be refused any more.
        let row = row.map_err(Stop::Broken)?;
        let number = entity.map(|entity| i64::try_from(entity.version).unwrap_or(i64::MAX));
        let Name { client, request, part } = &self.name;
        let mut statement = self.connection.prepare_cached(sql::KEEP)?;
        statement.execute(params![
            tenant,
            self.author.principal,
            client,
            request.as_bytes(),
            part,
            self.digest,
            self.until.as_millisecond(),
            kind,
            number,
            row
        ])?;
        let mut statement = self.connection.prepare_cached(sql::FORGET)?;
        statement.execute(params![tenant, self.author.at.as_millisecond()])?;
        Ok(())
    }
}
