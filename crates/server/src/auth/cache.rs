//! Tokens that held, so that a signature is checked once and not per request.
//!
//! Only successes are kept, under the whole token; expiry is checked at each
//! use, and so is whether keys were taken back since. A clock that was set back is
//! told by a time before that of the check, when the token may not have begun. The
//! bound limits memory: 1,024 tokens of at most 16 KiB.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use lru::LruCache;

use super::Principal;

/// The most tokens that are remembered.
const SIZE: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// Verified tokens by last use.
pub struct Cache {
    tokens: Mutex<LruCache<String, Held>>,
    era: AtomicU64,
}

/// The time between two moments at which keys were taken back. What was found
/// out in one does not hold in the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Era(u64);

struct Held {
    principal: Arc<Principal>,
    era: Era,
    /// When it was found out.
    since: Timestamp,
}

impl Default for Cache {
    fn default() -> Self {
        Self { tokens: Mutex::new(LruCache::new(SIZE)), era: AtomicU64::new(0) }
    }
}

impl Cache {
    /// The present era, to be asked for before keys are looked at.
    pub fn era(&self) -> Era {
        Era(self.era.load(Ordering::Acquire))
    }

    /// Begins another era: every token is checked again. For who has taken keys
    /// back, after that.
    pub fn forget(&self) {
        self.era.fetch_add(1, Ordering::AcqRel);
    }

    /// Whom this token was found to be of, if it still holds.
    pub fn get(&self, token: &str, now: Timestamp) -> Option<Arc<Principal>> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let held = tokens.get(token)?;
        if (held.since..held.principal.expires).contains(&now) && held.era == self.era() {
            return Some(Arc::clone(&held.principal));
        }
        tokens.pop(token);
        None
    }

    /// Remembers whom a token was found to be of at this time, in this era.
    pub fn put(&self, token: &str, principal: &Arc<Principal>, (since, era): (Timestamp, Era)) {
        let held = Held { principal: Arc::clone(principal), era, since };
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.put(token.to_owned(), held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::permissions::Permissions;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn principal(expires: i64) -> Arc<Principal> {
        Arc::new(Principal {
            tenant: uuid::Uuid::nil(),
            subject: "app:x".to_owned(),
            application: "x".to_owned(),
            given: None,
            permissions: Permissions::default(),
            expires: at(expires),
        })
    }

    #[test]
    fn a_token_is_forgotten_when_it_expires() {
        let cache = Cache::default();
        cache.put("a", &principal(10), (at(5), cache.era()));
        assert!(cache.get("a", at(5)).is_some());
        assert!(cache.get("a", at(9)).is_some());
        assert!(cache.get("a", at(10)).is_none());
        assert!(cache.get("a", at(9)).is_none());
        assert!(cache.get("b", at(9)).is_none());
    }

    #[test]
    fn what_was_found_out_later_says_nothing_of_before() {
        let cache = Cache::default();
        cache.put("a", &principal(10), (at(5), cache.era()));
        assert!(cache.get("a", at(4)).is_none());
    }

    #[test]
    fn what_was_found_out_before_keys_were_taken_back_is_forgotten() {
        let cache = Cache::default();
        let before = cache.era();
        cache.put("a", &principal(10), (Timestamp::UNIX_EPOCH, before));
        cache.forget();
        assert!(cache.get("a", Timestamp::UNIX_EPOCH).is_none());
        // As by who had looked at the keys before they were taken back.
        cache.put("a", &principal(10), (Timestamp::UNIX_EPOCH, before));
        assert!(cache.get("a", Timestamp::UNIX_EPOCH).is_none());
        cache.put("a", &principal(10), (Timestamp::UNIX_EPOCH, cache.era()));
        assert!(cache.get("a", Timestamp::UNIX_EPOCH).is_some());
    }

    #[test]
    fn it_has_a_bound() {
        let cache = Cache::default();
        for number in 0..2 * SIZE.get() {
            let now = (Timestamp::UNIX_EPOCH, cache.era());
            cache.put(&number.to_string(), &principal(10), now);
        }
        assert_eq!(cache.tokens.lock().unwrap().len(), SIZE.get());
        assert!(cache.get("0", Timestamp::UNIX_EPOCH).is_none(), "the oldest went first");
    }
}
