//! Decimals as SQLite keeps them: bytes whose order is that of the numbers.

use rollcall_odata::Decimal;
use rusqlite::types::Value as Owned;

/// The number as it is bound.
pub(crate) fn owned(number: &Decimal) -> Owned {
    Owned::Blob(number.to_bytes().to_vec())
}

/// The number that these bytes are.
pub(crate) fn read(bytes: &[u8]) -> Option<Decimal> {
    Decimal::from_bytes(bytes)
}
