//! Functions over many rows: sums that are exact, whatever their size, and averages.

use rollcall_odata::Decimal;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::Value as Owned;
use rusqlite::{Connection, Result};

use super::{Arguments, real};
use crate::column::decimal;

/// The sum of whole numbers, as a decimal.
pub(crate) const SUM: &str = "odata_sum";
/// The sum of numbers, as a double.
pub(crate) const SUM_OF_DOUBLES: &str = "odata_sum_of_doubles";
/// The average of whole numbers, as a double.
pub(crate) const AVERAGE: &str = "odata_average";
/// The sum of decimals.
pub(crate) const SUM_OF_DECIMALS: &str = "odata_sum_of_decimals";
/// The average of decimals.
pub(crate) const AVERAGE_OF_DECIMALS: &str = "odata_average_of_decimals";
/// The average of numbers, as a double.
pub(crate) const AVERAGE_OF_DOUBLES: &str = "odata_average_of_doubles";

/// Lets statements of this connection call them.
pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_aggregate_function(SUM, 1, flags, Whole(Give::Sum))?;
    connection.create_aggregate_function(AVERAGE, 1, flags, Whole(Give::Average))?;
    connection.create_aggregate_function(SUM_OF_DECIMALS, 1, flags, Decimals(Give::Sum))?;
    connection.create_aggregate_function(AVERAGE_OF_DECIMALS, 1, flags, Decimals(Give::Average))?;
    connection.create_aggregate_function(SUM_OF_DOUBLES, 1, flags, Doubles(Give::Sum))?;
    connection.create_aggregate_function(AVERAGE_OF_DOUBLES, 1, flags, Doubles(Give::Average))
}

/// What a function gives in the end.
enum Give {
    Sum,
    Average,
}

/// Of whole numbers. Their sum is null where no decimal holds it, for which it
/// takes more rows than there can be.
struct Whole(Give);

impl Aggregate<(Option<i128>, u64), Owned> for Whole {
    fn init(&self, _: &mut Context<'_>) -> Result<(Option<i128>, u64)> {
        Ok((Some(0), 0))
    }

    fn step(
        &self,
        context: &mut Context<'_>,
        (sum, count): &mut (Option<i128>, u64),
    ) -> Result<()> {
        if let Some(number) = Arguments(context).int(0) {
            *sum = sum.and_then(|sum| sum.checked_add(i128::from(number)));
            *count += 1;
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an average is a double")]
    fn finalize(&self, _: &mut Context<'_>, all: Option<(Option<i128>, u64)>) -> Result<Owned> {
        let Some((Some(sum), count @ 1..)) = all else { return Ok(Owned::Null) };
        Ok(match self.0 {
            Give::Sum => or_null(Decimal::whole(sum)),
            Give::Average => real(sum as f64 / count as f64),
        })
    }
}

/// Of decimals. Their sum is null where none holds it.
struct Decimals(Give);

impl Aggregate<(Option<Decimal>, i64), Owned> for Decimals {
    fn init(&self, _: &mut Context<'_>) -> Result<(Option<Decimal>, i64)> {
        Ok((Some(Decimal::from(0)), 0))
    }

    fn step(&self, context: &mut Context<'_>, all: &mut (Option<Decimal>, i64)) -> Result<()> {
        let (sum, count) = all;
        if let Some(number) = Arguments(context).decimal(0) {
            *sum = sum.take().and_then(|sum| sum.add(&number));
            *count += 1;
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, all: Option<(Option<Decimal>, i64)>) -> Result<Owned> {
        let Some((Some(sum), count @ 1..)) = all else { return Ok(Owned::Null) };
        Ok(match self.0 {
            Give::Sum => decimal::owned(&sum),
            Give::Average => or_null(sum.div(&Decimal::from(count))),
        })
    }
}

fn or_null(number: Option<Decimal>) -> Owned {
    number.map_or(Owned::Null, |number| decimal::owned(&number))
}

/// Of numbers of which some may have a fraction.
struct Doubles(Give);

impl Aggregate<(f64, u64), Owned> for Doubles {
    fn init(&self, _: &mut Context<'_>) -> Result<(f64, u64)> {
        Ok((0.0, 0))
    }

    fn step(&self, context: &mut Context<'_>, (sum, count): &mut (f64, u64)) -> Result<()> {
        if let Some(number) = Arguments(context).double(0) {
            *sum += number;
            *count += 1;
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "an average is a double")]
    fn finalize(&self, _: &mut Context<'_>, all: Option<(f64, u64)>) -> Result<Owned> {
        let Some((sum, count @ 1..)) = all else { return Ok(Owned::Null) };
        Ok(match self.0 {
            Give::Sum => real(sum),
            Give::Average => real(sum / count as f64),
        })
    }
}
