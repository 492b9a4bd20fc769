//! What happens on a connection of HTTP/2, as far as its time limits need to
//! know: sockets do not tell, as one that is read from may carry a request whose
//! answer nobody takes in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::app::Limits;

/// How many ticks the shorter of two limits has. What lasts for a tick more than
/// a limit is over it.
const TICKS: u32 = 4;

/// What a connection has done of late.
pub(super) struct Pulse {
    tick: Duration,
    /// How long nothing may go on, in ticks.
    idle: u32,
    /// How long an answer may wait for its client, in ticks.
    waiting: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The tick that it is.
    now: u32,
    /// The tick at which a request last began or ended.
    moved: u32,
    /// How many requests are under way.
    open: usize,
    /// Of the answers that wait for the client, since which tick.
    since: Vec<u32>,
}

/// How a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// It is used, or was a moment ago.
    Alive,
    /// It has not been used for longer than the limit.
    Idle,
    /// Its client has taken in nothing of an answer for longer than the limit.
    Stuck,
}

impl Pulse {
    pub fn new(limits: &Limits) -> Arc<Self> {
        let (idle, waiting) = (limits.head_time, limits.write_time);
        let tick = (idle.min(waiting) / TICKS).max(Duration::from_millis(1));
        let ticks = |limit: Duration| {
            u32::try_from(limit.as_millis() / tick.as_millis()).unwrap_or(u32::MAX)
        };
        let state = Mutex::default();
        Arc::new(Self { tick, idle: ticks(idle), waiting: ticks(waiting), state })
    }

    /// How often it is looked at.
    pub fn tick(&self) -> Duration {
        self.tick
    }

    /// One tick has passed.
    pub fn beat(&self) -> Beat {
        let mut state = self.state();
        state.now += 1;
        let now = state.now;
        if state.since.iter().any(|since| now - since > self.waiting) {
            return Beat::Stuck;
        }
        let is_idle = state.open == 0 && now - state.moved > self.idle;
        if is_idle { Beat::Idle } else { Beat::Alive }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request, from its head to the last of its answer that was handed over.
pub(super) struct Stream {
    pulse: Arc<Pulse>,
    /// If it is the client's turn, since which tick.
    since: Option<u32>,
}

impl Stream {
    /// A request begins.
    pub fn begin(pulse: &Arc<Pulse>) -> Self {
        let mut state = pulse.state();
        state.open += 1;
        state.moved = state.now;
        drop(state);
        Self { pulse: Arc::clone(pulse), since: None }
    }

    /// From now on the client has to take in what there is of the answer, or the
    /// service has to make more of it.
    pub fn turn(&mut self, to_client: bool) {
        let mut state = self.pulse.state();
        if let Some(since) = self.since.take()
            && let Some(at) = state.since.iter().position(|one| *one == since)
        {
            state.since.swap_remove(at);
        }
        if to_client {
            let now = state.now;
            state.since.push(now);
            self.since = Some(now);
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.turn(false);
        let mut state = self.pulse.state();
        state.open -= 1;
        state.moved = state.now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse(head: u64, write: u64) -> Arc<Pulse> {
        let (head_time, write_time) = (Duration::from_secs(head), Duration::from_secs(write));
        Pulse::new(&Limits { head_time, write_time, ..Limits::default() })
    }

    /// How many ticks it takes until this is so.
    fn until(pulse: &Pulse, beat: Beat) -> u32 {
        (1..100).find(|_| pulse.beat() == beat).unwrap()
    }

    #[test]
    fn a_connection_is_idle_once_nothing_has_begun_or_ended_for_the_limit() {
        let pulse = pulse(30, 60);
        assert_eq!(pulse.tick(), Duration::from_millis(7500));
        assert_eq!(until(&pulse, Beat::Idle), TICKS + 1);
        let stream = Stream::begin(&pulse);
        assert!((0..100).all(|_| pulse.beat() == Beat::Alive), "it is our turn");
        drop(stream);
        assert_eq!(until(&pulse, Beat::Idle), TICKS + 1);
    }

    #[test]
    fn an_answer_that_is_not_taken_in_is_stuck_whatever_else_goes_on() {
        let pulse = pulse(30, 60);
        let mut stuck = Stream::begin(&pulse);
        stuck.turn(true);
        for _ in 0..2 * TICKS {
            let mut other = Stream::begin(&pulse);
            other.turn(true);
            assert_eq!(pulse.beat(), Beat::Alive);
        }
        assert_eq!(pulse.beat(), Beat::Stuck);
        stuck.turn(false);
        assert_eq!(pulse.beat(), Beat::Alive);
        stuck.turn(true);
        assert_eq!(until(&pulse, Beat::Stuck), 2 * TICKS + 1);
        drop(stuck);
        assert_eq!(pulse.beat(), Beat::Alive);
    }
}
