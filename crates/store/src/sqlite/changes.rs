//! Change tracking: moments in a tenant's history, and what has changed since.

use rollcall_odata::Row;
use rollcall_odata::plan::delta::{Changes, Moment, Reason};
use rollcall_odata::plan::query::Shape;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use uuid::Uuid;

use super::query::{Prepared, met_before};
use crate::column::computed;
use crate::error::failed;
use crate::sql::changes::{self, Range};
use crate::sql::{self, select};
use crate::table::{Table, Tables, version};
use crate::{ChangeSink, Error, Followed};

/// The most changes that a page looks at: most of them may be of other sets,
/// or followed by others of the same entity.
const LOOKED_AT: i64 = 20_000;

/// See `Store::moment`.
pub(crate) fn moment(
    connection: &Connection,
    tables: &Tables,
    tenant: Uuid,
) -> Result<Moment, Error> {
    let Some(tenant) = met_before(connection, tables, tenant)? else {
        return Ok(Moment::default());
    };
    let snapshot = connection.unchecked_transaction().map_err(failed)?;
    let last = last_number(&snapshot, tenant)?;
    at(&snapshot, tenant, last)
}

/// The number of the tenant's last change, as it is kept.
pub(super) fn last_number(connection: &Connection, tenant: i64) -> Result<i64, Error> {
    let mut statement = connection.prepare_cached(sql::LAST_CHANGE).map_err(failed)?;
    statement.query_row([tenant], |row| row.get(0)).map_err(failed)
}

/// The moment of the change of this number; with no change in it if there is none.
fn at(connection: &Connection, tenant: i64, number: i64) -> Result<Moment, Error> {
    let mut statement = connection.prepare_cached(changes::ONE).map_err(failed)?;
    let found = statement.query_row([tenant, number], |row| Ok((row.get(0)?, row.get(1)?)));
    let found: Option<([u8; 16], i64)> = found.optional().map_err(failed)?;
    let change = found.map(|(entity, at)| (Uuid::from_bytes(entity), at));
    Ok(Moment { number: version(number)?, change })
}

/// See `Store::changes`.
pub(crate) fn changes(
    connection: &Connection,
    tables: &Tables,
    tenant: Uuid,
    plan: &Changes,
    sink: &mut impl ChangeSink,
) -> Result<Followed, Error> {
    let table = tables.get(&plan.set)?;
    let since = i64::try_from(plan.since.number).map_err(|_| Error::UnknownMoment)?;
    let Some(tenant) = met_before(connection, tables, tenant)? else {
        let nothing = Followed { until: Moment::default(), more: false };
        return if plan.since == Moment::default() {
            Ok(nothing)
        } else {
            Err(Error::UnknownMoment)
        };
    };
    let snapshot = connection.unchecked_transaction().map_err(failed)?;
    let last = last_number(&snapshot, tenant)?;
    if since > last || at(&snapshot, tenant, since)? != plan.since {
        return Err(Error::UnknownMoment);
    }
    let to = since.saturating_add(LOOKED_AT).min(last);
    let limit = i64::try_from(plan.limit).unwrap_or(i64::MAX).saturating_add(1);
    let range = Range { tenant, data_set: table.number, after: since, to, limit };
    let page = Page { table, shape: &plan.shape, sink, left: plan.limit, last: since };
    let until = page.fill(&snapshot, &range)?.unwrap_or(to);
    Ok(Followed { until: at(&snapshot, tenant, until)?, more: until < last })
}

/// A page that is being filled.
struct Page<'a, S> {
    table: &'a Table,
    shape: &'a Shape,
    sink: &'a mut S,
    left: usize,
    /// The number of the last change that was told.
    last: i64,
}

impl<S: ChangeSink> Page<'_, S> {
    /// Tells what there is to tell, as long as there is room; gives the last
    /// change that was told, if another has no room.
    fn fill(mut self, connection: &Connection, range: &Range) -> Result<Option<i64>, Error> {
        let statement = changes::told(self.table.set(), self.shape, range);
        let mut prepared = Prepared::of(connection, &statement.text)?;
        let mut rows =
            prepared.statement().query(params_from_iter(statement.values)).map_err(failed)?;
        let mut row = Row::new();
        while let Some(stored) = rows.next().map_err(failed)? {
            if self.left == 0 {
                return Ok(Some(self.last));
            }
            self.tell(stored, &mut row)?;
            self.left -= 1;
        }
        Ok(None)
    }

    fn tell(&mut self, stored: &rusqlite::Row<'_>, row: &mut Row) -> Result<(), Error> {
        let end = self.table.width() + 1 + self.shape.computed.len();
        self.last = stored.get(end).map_err(failed)?;
        let reason = match stored.get(end + 2).map_err(failed)? {
            changes::SHOWN => return self.show(stored, row),
            changes::GONE => Reason::Deleted,
            _ => Reason::Changed,
        };
        let entity = stored.get(end + 1).map_err(failed)?;
        self.sink.removed(Uuid::from_bytes(entity), reason);
        Ok(())
    }

    fn show(&mut self, stored: &rusqlite::Row<'_>, row: &mut Row) -> Result<(), Error> {
        let version = self.table.read_into(stored, row)?;
        for (number, ty) in select::extra(self.shape).into_iter().enumerate() {
            let given = stored.get_ref(self.table.width() + 1 + number).map_err(failed)?;
            row.push(computed::decode(ty, given).ok_or_else(|| no_value(ty.name()))?);
        }
        self.sink.row(version, row);
        Ok(())
    }
}

fn no_value(ty: &str) -> Error {
    Error::Failed(format!("an expression gave no {ty}"))
}
