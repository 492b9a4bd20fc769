//! Rows on their way to the writer: put in the table's own order by whoever
//! sends them, so that the writer goes through the table once.

use rollcall_odata::Value;
use rollcall_odata::plan::bulk::Bulk;
use uuid::Uuid;

use crate::Error;
use crate::table::Table;

/// The rows' order, those of one fact in the order in which they came. Rows
/// without a key get theirs in it: keys that rise with the table's order make
/// the index of keys grow at its end.
pub(crate) fn prepare(table: &Table, plan: &mut Bulk) -> Result<Vec<u32>, Error> {
    let length = u32::try_from(plan.rows.len())
        .map_err(|_| Error::Failed("more rows at once than can be numbered".to_owned()))?;
    if length > 0 && plan.rows.row(0).len() != table.width() {
        return Err(Error::Failed("rows of another width".to_owned()));
    }
    let mut order: Vec<u32> = (0..length).collect();
    let row = |number: &u32| plan.rows.row(*number as usize);
    order.sort_by(|one, other| table.order(row(one), row(other)));
    let mut key = plan.first_key.as_u128();
    for number in &order {
        let slot = &mut plan.rows.row_mut(*number as usize)[0];
        if slot.is_null() {
            *slot = Value::Guid(Uuid::from_u128(key));
            key = key.wrapping_add(1);
        }
    }
    Ok(order)
}
