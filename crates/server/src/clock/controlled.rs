//! A clock that testers set and stop, over one that goes on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Clock;

/// The earliest and the latest time that the clock can be set to, in seconds
/// since 1970: its begin, and the year 9999's, so that nothing that is counted
/// from it leaves the years that dates have.
pub const EARLIEST: i64 = 0;
/// See `EARLIEST`.
pub const LATEST: i64 = 253_370_764_800;

/// A clock that shows the time of another one until it is set.
pub struct ControlledClock {
    beneath: Arc<dyn Clock>,
    set: Mutex<Option<Set>>,
}

/// What the clock was set to.
#[derive(Debug, Clone, Copy)]
struct Set {
    to: Timestamp,
    /// When it was, by the `elapsed` beneath; nothing where it stands still.
    at: Option<Duration>,
}

impl ControlledClock {
    /// A clock that has not been set.
    pub fn over(beneath: Arc<dyn Clock>) -> Self {
        Self { beneath, set: Mutex::new(None) }
    }

    /// Sets it; it stands still there, or goes on from there.
    pub fn set(&self, to: Timestamp, frozen: bool) {
        let at = (!frozen).then(|| self.beneath.elapsed());
        *self.state() = Some(Set { to, at });
    }

    /// Shows the time beneath again.
    pub fn release(&self) {
        *self.state() = None;
    }

    /// The clock beneath.
    pub fn beneath(&self) -> &dyn Clock {
        &*self.beneath
    }

    /// Whether it was set, and whether it stands still.
    pub fn is_set(&self) -> (bool, bool) {
        let set = *self.state();
        (set.is_some(), set.is_some_and(|set| set.at.is_none()))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Option<Set>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ControlledClock {
    fn now(&self) -> Timestamp {
        let set = *self.state();
        let Some(Set { to, at }) = set else { return self.beneath.now() };
        let Some(at) = at else { return to };
        let passed = self.beneath.elapsed().saturating_sub(at);
        let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
        to.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// Goes on as beneath: what takes time takes it whatever the time of day is.
    fn elapsed(&self) -> Duration {
        self.beneath.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::super::FixedClock;
    use super::*;

    #[test]
    fn it_shows_what_it_was_set_to() {
        let beneath = Arc::new(FixedClock::at(1000));
        let clock = ControlledClock::over(Arc::<FixedClock>::clone(&beneath));
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!((clock.now(), clock.is_set()), (at(1000), (false, false)));
        clock.set(at(5), true);
        beneath.advance(7);
        assert_eq!((clock.now(), clock.is_set()), (at(5), (true, true)));
        clock.set(at(LATEST), false);
        beneath.advance(7);
        assert_eq!((clock.now(), clock.is_set()), (at(LATEST + 7), (true, false)));
        clock.release();
        assert_eq!(clock.now(), at(1014));
        assert_eq!(clock.elapsed(), Duration::from_secs(14));
    }

    #[test]
    fn the_limits_are_the_begins_of_years() {
        assert_eq!(Timestamp::from_second(EARLIEST).unwrap().to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_second(LATEST).unwrap().to_string(), "9999-01-01T00:00:00Z");
    }
}
