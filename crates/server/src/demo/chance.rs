//! Chance that repeats itself: what is drawn depends on the seed and on what it is for.

use std::ops::RangeInclusive;

use jiff::civil::Date;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// The source of one organisation's chance.
#[derive(Clone)]
pub(super) struct Chance(Sha256);

impl Chance {
    /// The source of the organisation of this number among those of a seed.
    pub fn new(seed: u64, number: u32) -> Self {
        let source = Sha256::new().chain_update(seed.to_be_bytes());
        Self(source.chain_update(number.to_be_bytes()))
    }

    /// What is drawn for this purpose alone, so that no draw moves another.
    fn draw(&self, purpose: &str, about: &str) -> [u8; 32] {
        let source = self.0.clone().chain_update(purpose).chain_update([0]);
        source.chain_update(about).finalize().into()
    }

    /// A number in this range, each about as likely as the others.
    pub fn of_all(&self, purpose: &str, range: &RangeInclusive<i64>) -> i64 {
        within(&self.draw(purpose, ""), range)
    }

    /// As `of_all`, another one for each day.
    pub fn on(&self, purpose: &str, day: Date, range: &RangeInclusive<i64>) -> i64 {
        within(&self.draw(purpose, &day.to_string()), range)
    }

    /// A GUID of random bits (version 4).
    pub fn guid(&self, purpose: &str) -> Uuid {
        let drawn = self.draw(purpose, "");
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&drawn[..16]);
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A GUID that sorts by this time in milliseconds (version 7).
    pub fn key(&self, about: &str, millis: u64) -> Uuid {
        let drawn = self.draw("key", about);
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&drawn[..10]);
        Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

fn within(drawn: &[u8; 32], range: &RangeInclusive<i64>) -> i64 {
    // Six bytes leave no sign, and for small ranges no bias worth a word.
    let number = drawn[..6].iter().fold(0_i64, |number, byte| (number << 8) | i64::from(*byte));
    range.start() + number % (range.end() - range.start() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_repeat_themselves_and_reach_all_of_their_range() {
        let chance = Chance::new(1, 2);
        assert_eq!(chance.guid("x"), Chance::new(1, 2).guid("x"));
        assert_ne!(chance.guid("x"), chance.guid("y"));
        let day = |number: i16| jiff::civil::date(2000 + number, 1, 1);
        let mut drawn: Vec<i64> = (0..200).map(|one| chance.on("x", day(one), &(-1..=2))).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, [-1, 0, 1, 2]);
    }
}
