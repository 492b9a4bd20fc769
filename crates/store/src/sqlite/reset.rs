//! Taking away all that a tenant has.

use rusqlite::Connection;
use uuid::Uuid;

use super::query;
use crate::Error;
use crate::sql;
use crate::table::Tables;

/// Takes away the tenant's rows, changes, and what is known of them, in the open
/// transaction. Its number stays, as readers remember it.
pub(super) fn tenant(connection: &Connection, tables: &Tables, guid: Uuid) -> Result<(), Error> {
    let work = || -> rusqlite::Result<()> {
        let Some(number) = query::tenant_number(connection, guid)? else { return Ok(()) };
        let of_tables = tables.all().map(|table| table.sql.delete_all.as_str());
        for text in of_tables.chain(sql::FORGET_TENANT) {
            connection.prepare_cached(text)?.execute([number])?;
        }
        Ok(())
    };
    work().map_err(|error| Error::of_write(&error))
}
