//! Time and randomness, the only file that asks the machine for them.
//!
//! Everything else is handed a `Clock` and a `Random`, so that tests decide
//! what time it is and which names are new.

mod controlled;

use std::cell::RefCell;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use controlled::{ControlledClock, EARLIEST, LATEST};

/// What time it is.
pub trait Clock: Send + Sync {
    /// The time of day, which may jump.
    fn now(&self) -> Timestamp;

    /// The time since some moment, which never runs backwards.
    fn elapsed(&self) -> Duration;
}

/// Where new names and secrets come from.
pub trait Random: Send + Sync {
    /// Fills these bytes, unpredictable for anyone else.
    fn fill(&self, bytes: &mut [u8]);

    /// A new GUID of random bits (version 4).
    fn guid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A new GUID that sorts by this time (version 7), to the millisecond.
    fn time_ordered_guid(&self, at: Timestamp) -> Uuid {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }

    /// As `time_ordered_guid`, the first of many that count up from it: more
    /// than anyone needs until the bits that must stay are reached.
    fn first_guid(&self, at: Timestamp) -> Uuid {
        Uuid::from_u128(self.time_ordered_guid(at).as_u128() & !(1 << 61))
    }
}

/// The machine's clock.
pub struct SystemClock(Instant);

impl SystemClock {
    /// A clock whose `elapsed` begins now.
    #[expect(clippy::disallowed_methods, reason = "this is where the machine is asked")]
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the machine is asked")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The operating system's randomness.
pub struct SystemRandom;

/// How many bytes a thread asks the system for at once: names for some 20 requests.
const DRAWN_AHEAD: usize = 512;

/// The most bytes that come from what was drawn ahead: a GUID, never a secret.
const NAME: usize = 16;

thread_local! {
    /// Random bytes and how many of them were given away; those are zero.
    static AHEAD: RefCell<([u8; DRAWN_AHEAD], usize)> =
        const { RefCell::new(([0; DRAWN_AHEAD], DRAWN_AHEAD)) };
}

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > NAME {
            return ask_system(bytes);
        }
        AHEAD.with_borrow_mut(|(ahead, given)| {
            if *given + bytes.len() > DRAWN_AHEAD {
                ask_system(ahead);
                *given = 0;
            }
            let next = &mut ahead[*given..*given + bytes.len()];
            bytes.copy_from_slice(next);
            next.fill(0);
            *given += bytes.len();
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where the machine is asked")]
fn ask_system(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("without randomness nothing that must be secret can be made");
}

/// A clock for tests: it stands still until it is told to go on.
pub struct FixedClock {
    began: i64,
    second: AtomicI64,
    /// How far `elapsed` goes on besides, each time that it is asked, in microseconds.
    tick: u64,
    ticked: AtomicU64,
}

impl FixedClock {
    /// A clock that stands at this many seconds since 1970.
    pub fn at(second: i64) -> Self {
        Self::ticking(second, Duration::ZERO)
    }

    /// A clock whose `elapsed` goes on by this much each time that it is asked.
    pub fn ticking(second: i64, tick: Duration) -> Self {
        let tick = u64::try_from(tick.as_micros()).unwrap_or(u64::MAX);
        Self { began: second, second: AtomicI64::new(second), tick, ticked: AtomicU64::new(0) }
    }

    /// Lets so many seconds pass.
    pub fn advance(&self, seconds: i64) {
        self.second.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.second.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }

    fn elapsed(&self) -> Duration {
        let passed = self.second.load(Ordering::SeqCst).saturating_sub(self.began);
        Duration::from_secs(u64::try_from(passed).unwrap_or(0))
            + Duration::from_micros(self.ticked.fetch_add(self.tick, Ordering::SeqCst))
    }
}

/// Randomness for tests: the same seed gives the same bytes in the same order.
pub struct SeededRandom {
    seed: u64,
    drawn: AtomicU64,
    /// Draws do not interleave: one call's bytes are of one piece.
    drawing: Mutex<()>,
}

impl SeededRandom {
    /// The bytes of this seed, from the first on.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0), drawing: Mutex::new(()) }
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let _one_at_a_time = self.drawing.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(32) {
            let draw = self.drawn.fetch_add(1, Ordering::SeqCst);
            let digest = Sha256::new().chain_update(self.seed.to_be_bytes());
            let digest = digest.chain_update(draw.to_be_bytes()).finalize();
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_have_their_version_and_order() {
        let random = SeededRandom::new(1);
        assert_eq!(random.guid().get_version_num(), 4);
        let at = |second| random.time_ordered_guid(Timestamp::from_second(second).unwrap());
        let (first, second) = (at(1_700_000_000), at(1_700_000_001));
        assert_eq!((first.get_version_num(), second.get_version_num()), (7, 7));
        assert!(first < second);
    }

    #[test]
    fn what_was_drawn_ahead_is_given_once() {
        let draw = || (0..=3 * DRAWN_AHEAD / NAME).map(|_| SystemRandom.guid());
        let here: Vec<Uuid> = draw().collect();
        let there: Vec<Uuid> = std::thread::spawn(move || draw().collect()).join().unwrap();
        let all: std::collections::HashSet<Uuid> = here.iter().chain(&there).copied().collect();
        assert_eq!(all.len(), here.len() + there.len());
    }

    #[test]
    fn a_seed_repeats_itself_and_the_machine_does_not() {
        assert_eq!(SeededRandom::new(7).guid(), SeededRandom::new(7).guid());
        assert_ne!(SeededRandom::new(7).guid(), SeededRandom::new(8).guid());
        assert_ne!(SystemRandom.guid(), SystemRandom.guid());
    }
}
