//! Pages of what `$apply` makes of rows.

use rollcall_odata::plan::List;
use rollcall_odata::plan::apply::Applied;
use rollcall_odata::plan::expression::Ty;
use rollcall_odata::{Row, Value};
use rusqlite::{Connection, params_from_iter};

use super::query::{Prepared, count_rows, last_change, value};
use crate::column::computed;
use crate::error::failed;
use crate::sql::select::{self, Source};
use crate::table::{Table, version};
use crate::{Error, Listed, RowSink};

/// One snapshot for the count and the page. The version that a row is given
/// with is the number of its form.
pub(super) fn page(
    connection: &Connection,
    (table, tenant): (&Table, i64),
    source: &Source<'_>,
    (plan, applied): (&List, &Applied),
    sink: &mut impl RowSink,
) -> Result<Listed, Error> {
    let shape = &plan.shape;
    let snapshot = connection.unchecked_transaction().map_err(failed)?;
    let counting = || source.count_applied(applied, shape.filter.as_ref());
    let count = plan.count.then(|| count_rows(&snapshot, counting())).transpose()?;
    if plan.limit == 0 {
        return Ok(Listed { count, last: None, change: None });
    }
    let after: Option<Vec<_>> =
        plan.after.as_ref().map(|after| after.iter().map(computed::encode).collect());
    let mut statement = source.rows_applied(applied, shape, after.as_deref());
    let most = i64::try_from(plan.limit).unwrap_or(i64::MAX).saturating_add(1);
    if let Some(limit) = statement.limit {
        statement.values[limit] = most.into();
    }
    let mut prepared = Prepared::of(&snapshot, &statement.text)?;
    let prepared = prepared.statement();
    statement.values.truncate(prepared.parameter_count());
    let mut rows = prepared.query(params_from_iter(statement.values)).map_err(failed)?;
    let reader = Reader { table, applied, extra: select::extra(shape) };
    let (mut left, mut row, mut keys) = (plan.limit, Row::new(), Vec::new());
    while let Some(stored) = rows.next().map_err(failed)? {
        if left == 0 {
            let change = Some(last_change(&snapshot, tenant)?);
            return Ok(Listed { count, last: Some(keys), change });
        }
        let form = reader.read(stored, shape.computed.len(), &mut row, &mut keys)?;
        sink.row(form, &row);
        left = if sink.has_room() { left - 1 } else { 0 };
    }
    Ok(Listed { count, last: None, change: None })
}

struct Reader<'a> {
    table: &'a Table,
    applied: &'a Applied,
    /// The types of what follows the columns.
    extra: Vec<Ty>,
}

impl Reader<'_> {
    /// The number of the row's form; its values, and its place in the order.
    fn read(
        &self,
        stored: &rusqlite::Row<'_>,
        computed: usize,
        row: &mut Row,
        keys: &mut Vec<Value>,
    ) -> Result<u64, Error> {
        row.clear();
        keys.clear();
        for (number, column) in self.applied.columns.iter().enumerate() {
            row.push(match column.ty {
                None => self.table.read_one(column.at, stored, number + 1)?,
                Some(ty) => value(ty, stored, number + 1)?,
            });
        }
        let first = self.applied.columns.len() + 1;
        for (number, ty) in self.extra.iter().enumerate() {
            let place = if number < computed { &mut *row } else { &mut *keys };
            place.push(value(*ty, stored, first + number)?);
        }
        version(stored.get(0).map_err(failed)?)
    }
}
