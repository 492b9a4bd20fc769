//! Decimals as SQLite keeps them: 16 bytes whose order is that of the numbers.

use rusqlite::types::Value as Owned;

/// Turns the order of signed numbers into that of their bytes.
const SIGN: u128 = 1 << 127;

/// The number as it is bound.
pub(crate) fn owned(number: i128) -> Owned {
    Owned::Blob((number.cast_unsigned() ^ SIGN).to_be_bytes().to_vec())
}

/// The number that these bytes are.
pub(crate) fn read(bytes: &[u8]) -> Option<i128> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    Some((u128::from_be_bytes(bytes) ^ SIGN).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_order_of_the_numbers() {
        let numbers = [i128::MIN, i128::from(i64::MIN) - 1, -1, 0, 1, 1 << 64, i128::MAX];
        let kept: Vec<Vec<u8>> = numbers
            .iter()
            .map(|number| match owned(*number) {
                Owned::Blob(bytes) => bytes,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(kept.is_sorted());
        let read: Vec<i128> = kept.iter().map(|bytes| read(bytes).unwrap()).collect();
        assert_eq!(read, numbers);
    }
}
