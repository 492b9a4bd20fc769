//! Tokens that held, so that a signature is checked once and not per request.
//!
//! Only successes are kept, under the whole token; expiry is checked at each
//! use. The bound limits memory: 1,024 tokens of at most 16 KiB.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use lru::LruCache;

use super::Principal;

/// The most tokens that are remembered.
const SIZE: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// Verified tokens by last use.
pub struct Cache(Mutex<LruCache<String, Arc<Principal>>>);

impl Default for Cache {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(SIZE)))
    }
}

impl Cache {
    /// Whom this token was found to be of, if it still holds.
    pub fn get(&self, token: &str, now: Timestamp) -> Option<Arc<Principal>> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let principal = cache.get(token)?;
        if now < principal.expires {
            return Some(Arc::clone(principal));
        }
        cache.pop(token);
        None
    }

    /// Remembers whom a token was found to be of.
    pub fn put(&self, token: &str, principal: &Arc<Principal>) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.put(token.to_owned(), Arc::clone(principal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::permissions::Permissions;

    fn principal(expires: i64) -> Arc<Principal> {
        Arc::new(Principal {
            tenant: uuid::Uuid::nil(),
            subject: "app:x".to_owned(),
            permissions: Permissions::default(),
            expires: Timestamp::from_second(expires).unwrap(),
        })
    }

    #[test]
    fn a_token_is_forgotten_when_it_expires() {
        let cache = Cache::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        cache.put("a", &principal(10));
        assert!(cache.get("a", at(9)).is_some());
        assert!(cache.get("a", at(10)).is_none());
        assert!(cache.get("a", at(9)).is_none());
        assert!(cache.get("b", at(9)).is_none());
    }

    #[test]
    fn it_has_a_bound() {
        let cache = Cache::default();
        for number in 0..2 * SIZE.get() {
            cache.put(&number.to_string(), &principal(10));
        }
        assert_eq!(cache.0.lock().unwrap().len(), SIZE.get());
        assert!(cache.get("0", Timestamp::UNIX_EPOCH).is_none(), "the oldest went first");
    }
}
