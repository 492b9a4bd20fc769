//! What waits for the threads: bounded, each tenant with its share, and empty
//! once the threads have ended.
//!
//! Every tenant that waits has its turn after every other one's, so nobody waits
//! for more than one request of each of them and its own. Whoever is alone may
//! fill the queue. When it is full, who has less waiting than another comes in all
//! the same, and the newest request of who has most waiting is refused in its place.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use crate::Error;

/// What can wait.
pub(crate) trait Waits {
    /// Whose it is; nobody's are one tenant's together.
    fn tenant(&self) -> Uuid;

    /// Tells whoever waits for it that it is not done, and why.
    fn refuse(self, error: Error);
}

/// Where messages are put. Once it is dropped or closed, the threads do what
/// waits and end.
pub(crate) struct Queue<T>(Arc<Shared<T>>);

/// Where one thread takes messages from.
pub(crate) struct Taker<T> {
    shared: Arc<Shared<T>>,
    /// Whose message it took last: it works on that until it takes another.
    working_for: Option<Uuid>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    came: Condvar,
    /// How many messages may wait.
    room: usize,
    /// The most threads that work for one tenant at once.
    most: usize,
}

struct State<T> {
    lanes: HashMap<Uuid, Lane<T>>,
    /// Who has something waiting, the next first.
    turns: VecDeque<Uuid>,
    /// How many messages wait.
    waiting: usize,
    /// How many threads there are, and how many of them sleep.
    takers: usize,
    asleep: usize,
    closed: bool,
}

/// What there is of one tenant.
struct Lane<T> {
    waiting: VecDeque<T>,
    /// How many threads work for it.
    working: usize,
}

impl<T: Waits> Queue<T> {
    /// A queue with room for so many messages, and where so many threads take
    /// them from, of which at most so many work for one tenant.
    pub fn new(room: usize, takers: usize, most: usize) -> (Self, Vec<Taker<T>>) {
        let state = State {
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            waiting: 0,
            takers,
            asleep: 0,
            closed: false,
        };
        let (state, came) = (Mutex::new(state), Condvar::new());
        let shared = Arc::new(Shared { state, came, room, most });
        let taker = |_| Taker { shared: Arc::clone(&shared), working_for: None };
        let takers = (0..takers).map(taker).collect();
        (Self(shared), takers)
    }

    /// Queues a message, or says at once that there is no room for it.
    pub fn put(&self, message: T) -> Result<(), Error> {
        let mut state = self.0.state();
        if state.closed || state.takers == 0 {
            return Err(Error::Closed);
        }
        let tenant = message.tenant();
        let displaced =
            if state.waiting < self.0.room { None } else { Some(state.displace(tenant)?) };
        let lane = state.lanes.entry(tenant).or_insert_with(Lane::new);
        let was_empty = lane.waiting.is_empty();
        lane.waiting.push_back(message);
        let can_be_taken = lane.working < self.0.most;
        if was_empty {
            state.turns.push_back(tenant);
        }
        state.waiting += 1;
        let wakes = state.asleep > 0 && can_be_taken;
        drop(state);
        if wakes {
            self.0.came.notify_one();
        }
        if let Some(displaced) = displaced {
            displaced.refuse(Error::OverShare);
        }
        Ok(())
    }

    /// Takes nothing more in. What waits is still done.
    pub fn close(&self) {
        self.0.state().closed = true;
        self.0.came.notify_all();
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.came.notify_all();
    }
}

impl<T> Taker<T> {
    /// The next message, as soon as there is one; none where the queue is closed
    /// and nothing waits any more.
    pub fn take(&mut self) -> Option<T> {
        self.take_until(None)
    }

    /// The next message, if one waits.
    pub fn try_take(&mut self) -> Option<T> {
        let before = self.working_for.take();
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        self.next(&mut state, before)
    }

    /// The next message, if one comes in this time.
    pub fn take_within(&mut self, time: Duration) -> Option<T> {
        self.take_until(Some(time))
    }

    fn take_until(&mut self, time: Option<Duration>) -> Option<T> {
        let shared = Arc::clone(&self.shared);
        let mut before = self.working_for.take();
        let mut slept = false;
        let mut state = shared.state();
        loop {
            if let Some(message) = self.next(&mut state, before.take()) {
                return Some(message);
            }
            if state.closed && state.waiting == 0 {
                // Those that slept as they could not begin what waited.
                shared.came.notify_all();
                return None;
            }
            if slept {
                return None;
            }
            state.asleep += 1;
            state = match time {
                None => shared.came.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(time) => {
                    slept = true;
                    let woken = shared.came.wait_timeout(state, time);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            state.asleep -= 1;
        }
    }

    /// Ends the work for whom it was done before, and begins that of whose turn it is.
    fn next(&mut self, state: &mut State<T>, before: Option<Uuid>) -> Option<T> {
        let most = self.shared.most;
        let freed = before.is_some_and(|tenant| state.end(tenant, most));
        let (tenant, message) = state.begin(most)?;
        self.working_for = Some(tenant);
        // Another thread may have what this one has left over.
        if freed && before != Some(tenant) && state.asleep > 0 {
            self.shared.came.notify_one();
        }
        Some(message)
    }
}

impl<T> Drop for Taker<T> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if let Some(tenant) = self.working_for.take()
            && state.end(tenant, self.shared.most)
        {
            self.shared.came.notify_one();
        }
        state.takers -= 1;
        if state.takers == 0 {
            // Nobody will come: whoever waits is told by what is dropped here.
            let lanes = std::mem::take(&mut state.lanes);
            (state.waiting, state.closed) = (0, true);
            state.turns.clear();
            drop(state);
            drop(lanes);
        }
    }
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Lane<T> {
    fn new() -> Self {
        Self { waiting: VecDeque::new(), working: 0 }
    }
}

impl<T> State<T> {
    /// Makes room for one more of this tenant: the newest of who has most waiting
    /// gives way, if that is more than this one would have then.
    fn displace(&mut self, tenant: Uuid) -> Result<T, Error> {
        let own = self.lanes.get(&tenant).map_or(0, |lane| lane.waiting.len());
        let longest = self.lanes.values_mut().max_by_key(|lane| lane.waiting.len());
        let displaced = longest.filter(|lane| lane.waiting.len() > own + 1);
        if let Some(message) = displaced.and_then(|lane| lane.waiting.pop_back()) {
            self.waiting -= 1;
            return Ok(message);
        }
        Err(if own > 0 && self.turns.len() > 1 { Error::OverShare } else { Error::Busy })
    }

    /// The message of whose turn it is, of those for whom not so many threads work yet.
    fn begin(&mut self, most: usize) -> Option<(Uuid, T)> {
        let free = |tenant: &Uuid| self.lanes.get(tenant).is_some_and(|lane| lane.working < most);
        let at = self.turns.iter().position(free)?;
        let tenant = self.turns.remove(at)?;
        let lane = self.lanes.get_mut(&tenant)?;
        let message = lane.waiting.pop_front()?;
        lane.working += 1;
        if !lane.waiting.is_empty() {
            self.turns.push_back(tenant);
        }
        self.waiting -= 1;
        Some((tenant, message))
    }

    /// A thread works no longer for this tenant. Whether more of it waits that no
    /// other thread could begin.
    fn end(&mut self, tenant: Uuid, most: usize) -> bool {
        let Some(lane) = self.lanes.get_mut(&tenant) else { return false };
        let was_at_most = lane.working == most;
        lane.working -= 1;
        let is_waiting = !lane.waiting.is_empty();
        if !is_waiting && lane.working == 0 {
            self.lanes.remove(&tenant);
        }
        was_at_most && is_waiting
    }
}
