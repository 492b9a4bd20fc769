//! Reads, as they run on a connection.

use rollcall_odata::edm::EntitySet;
use rollcall_odata::plan::window::Window;
use rollcall_odata::plan::{List, Read, Selector};
use rollcall_odata::{Row, Value};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use uuid::Uuid;

use crate::column::day_number;
use crate::table::{Table, Tables, version};
use crate::{Entity, Error, Listed, RowSink, sql};

const NULL: ToSqlOutput<'static> = ToSqlOutput::Owned(rusqlite::types::Value::Null);

/// More days than there are from the first year to the last.
const ALL_DAYS: i64 = 10_000_000;

/// The number that stands for the tenant, if it ever wrote anything.
pub(super) fn tenant_number(
    connection: &Connection,
    tenant: Uuid,
) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(sql::TENANT_NUMBER)?;
    statement.query_row([tenant.as_bytes()], |row| row.get(0)).optional()
}

/// The entity that is selected among this tenant's.
pub(super) fn find(
    connection: &Connection,
    table: &Table,
    tenant: i64,
    selector: &Selector,
) -> Result<Option<Entity>, Error> {
    let (text, values) = match selector {
        Selector::Key(key) => {
            (&table.sql.by_key, vec![ToSqlOutput::from(key.as_bytes().as_slice())])
        }
        Selector::Fact(fact) => (&table.sql.by_fact, table.bind_fact(fact)?),
    };
    let mut statement = connection.prepare_cached(text).map_err(failed)?;
    let values = std::iter::once(ToSqlOutput::from(tenant)).chain(values);
    let mut rows = statement.query(params_from_iter(values)).map_err(failed)?;
    rows.next().map_err(failed)?.map(|row| table.entity(row)).transpose()
}

/// See `Store::read`.
pub(crate) fn read(
    connection: &Connection,
    tables: &Tables,
    tenant: Uuid,
    plan: &Read,
) -> Result<Option<Entity>, Error> {
    let table = tables.get(&plan.set)?;
    match tenant_number(connection, tenant).map_err(failed)? {
        Some(tenant) => find(connection, table, tenant, &plan.selector),
        None => Ok(None),
    }
}

/// See `Store::count`.
pub(crate) fn count(
    connection: &Connection,
    tables: &Tables,
    tenant: Uuid,
    set: &EntitySet,
) -> Result<u64, Error> {
    let table = tables.get(set)?;
    match tenant_number(connection, tenant).map_err(failed)? {
        Some(tenant) => count_rows(connection, table, tenant),
        None => Ok(0),
    }
}

fn count_rows(connection: &Connection, table: &Table, tenant: i64) -> Result<u64, Error> {
    let mut statement = connection.prepare_cached(&table.sql.count).map_err(failed)?;
    version(statement.query_row([tenant], |row| row.get(0)).map_err(failed)?)
}

/// See `Store::list`.
pub(crate) fn list(
    connection: &Connection,
    tables: &Tables,
    tenant: Uuid,
    plan: &List,
    sink: &mut impl RowSink,
) -> Result<Listed, Error> {
    let table = tables.get(&plan.set)?;
    let after = plan.after.as_ref().map(|after| table.bind_fact(after)).transpose()?;
    let Some(tenant) = tenant_number(connection, tenant).map_err(failed)? else {
        return Ok(Listed { count: plan.count.then_some(0), last: None });
    };
    // One snapshot for the count and all statements of the page.
    let snapshot = connection.unchecked_transaction().map_err(failed)?;
    let count = plan.count.then(|| count_rows(&snapshot, table, tenant)).transpose()?;
    let mut page = Page { table, left: plan.limit, row: Row::new(), more: false, sink };
    if plan.limit > 0 {
        match after {
            None => page.fill(&snapshot, &table.sql.first_rows, tenant, &[])?,
            Some(after) => {
                for (back, text) in table.sql.rows_after.iter().enumerate() {
                    page.fill(&snapshot, text, tenant, &after[..after.len() - back])?;
                }
            }
        }
    }
    let last: Option<Vec<Value>> = page.more.then(|| table.fact(&page.row));
    Ok(Listed { count, last })
}

/// See `Store::window`.
pub(crate) fn window(
    connection: &Connection,
    tables: &Tables,
    tenant: Uuid,
    plan: &Window,
    sink: &mut impl RowSink,
) -> Result<(), Error> {
    let table = tables.get(&plan.function.entity_set)?;
    let Some([own, shared]) = &table.sql.windows else { return Ok(()) };
    let Some(tenant) = tenant_number(connection, tenant).map_err(failed)? else { return Ok(()) };
    let text = if plan.shares_refresh_date() { shared } else { own };
    let bound = [
        ToSqlOutput::from(tenant),
        ToSqlOutput::from(table.number),
        plan.period.map_or(NULL, |period| ToSqlOutput::from(period.number())),
        ToSqlOutput::from(plan.days().unwrap_or(ALL_DAYS)),
        plan.last.map_or(NULL, |day| ToSqlOutput::from(day_number(day))),
    ];
    let mut statement = connection.prepare_cached(text).map_err(failed)?;
    let marks = statement.parameter_count();
    let mut rows = statement.query(params_from_iter(&bound[..marks])).map_err(failed)?;
    let mut row = Row::new();
    while let Some(stored) = rows.next().map_err(failed)? {
        let version = table.read_into(stored, &mut row)?;
        sink.row(version, &row);
    }
    Ok(())
}

/// A page that is being filled.
struct Page<'a, S> {
    table: &'a Table,
    left: usize,
    /// The last row that was given.
    row: Row,
    /// Whether a row follows that has no room.
    more: bool,
    sink: &'a mut S,
}

impl<S: RowSink> Page<'_, S> {
    /// Gives the rows of one statement to the sink, as long as there is room.
    fn fill(
        &mut self,
        connection: &Connection,
        text: &str,
        tenant: i64,
        after: &[ToSqlOutput<'_>],
    ) -> Result<(), Error> {
        if self.more {
            return Ok(());
        }
        // One row beyond the page tells whether there are more.
        let most = i64::try_from(self.left).unwrap_or(i64::MAX).saturating_add(1);
        let bound = [ToSqlOutput::from(tenant), ToSqlOutput::from(most)];
        let mut statement = connection.prepare_cached(text).map_err(failed)?;
        let values = params_from_iter(bound.iter().chain(after));
        let mut rows = statement.query(values).map_err(failed)?;
        while let Some(stored) = rows.next().map_err(failed)? {
            if self.left == 0 {
                self.more = true;
                break;
            }
            let version = self.table.read_into(stored, &mut self.row)?;
            self.sink.row(version, &self.row);
            self.left -= 1;
        }
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where map_err wants a function")]
fn failed(error: rusqlite::Error) -> Error {
    Error::of_read(&error)
}
