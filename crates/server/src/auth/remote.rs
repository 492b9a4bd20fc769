//! The keys of a configured issuer: fetched from where its discovery document
//! says, kept while that cannot be had, and fetched anew in the background and
//! when a token names a key that is not among them.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};

use super::address::Address;
use super::cache::Cache;
use super::fetch::Client;
use super::keys::{Key, Keys};
use super::trust::Trust;
use super::{json, jwks};
use crate::clock::Clock;
use crate::observe::Log;

/// How many requests wait at once for the keys of one issuer; one more is
/// refused, so that tokens of keys that are not there cannot take every connection.
const WAITING: usize = 64;

/// Where an issuer's keys are.
#[derive(Debug, Clone)]
pub enum Source {
    /// The discovery document, and what it must have as `issuer`.
    Discovery(Address, String),
    /// The document of keys itself.
    Jwks(Address),
}

impl Source {
    /// Whether it is asked over TLS.
    pub fn is_secure(&self) -> bool {
        match self {
            Self::Discovery(place, _) | Self::Jwks(place) => place.secure,
        }
    }
}

/// A configured issuer.
#[derive(Debug, Clone)]
pub struct Trusted {
    /// What is believed.
    pub trust: Trust,
    /// Where its keys are.
    pub source: Source,
    /// How they are asked for.
    pub client: Client,
}

/// When keys are fetched, and how long that may take.
#[derive(Debug, Clone)]
pub struct Pace {
    /// How old keys get before they are fetched in the background.
    pub age: Duration,
    /// How long the background waits after it failed.
    pub again: Duration,
    /// How long after an attempt no token makes for another.
    pub rest: Duration,
    /// How long both documents may take together.
    pub time: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            age: Duration::from_hours(1),
            again: Duration::from_mins(1),
            rest: Duration::from_secs(10),
            time: Duration::from_secs(5),
        }
    }
}

/// What all issuers share.
#[derive(Clone)]
pub struct Shared {
    /// Told when keys were taken back.
    pub cache: Arc<Cache>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Told what became of an attempt.
    pub log: Log,
    /// When to fetch.
    pub pace: Pace,
}

/// A configured issuer with its keys.
pub struct Remote {
    trusted: Trusted,
    keys: RwLock<Arc<Keys>>,
    /// When the last attempt ended; held by the one that is under way.
    attempt: Arc<Mutex<Option<Duration>>>,
    waiting: Semaphore,
    shared: Shared,
}

impl Remote {
    /// The issuer, without keys so far.
    pub fn new(trusted: Trusted, shared: Shared) -> Self {
        Self {
            trusted,
            keys: RwLock::default(),
            attempt: Arc::default(),
            waiting: Semaphore::new(WAITING),
            shared,
        }
    }

    /// What is believed of it.
    pub fn trust(&self) -> &Trust {
        &self.trusted.trust
    }

    /// Its key of this name, if it is among those that are here.
    pub fn known(&self, kid: &str) -> Option<Key> {
        self.keys().get(kid).cloned()
    }

    /// Its key of this name, which may have to be fetched: at most once in a
    /// while, and by one request, for which the others wait.
    pub async fn key(self: &Arc<Self>, kid: &str) -> Option<Key> {
        if let Some(key) = self.known(kid) {
            return Some(key);
        }
        let _place = self.waiting.try_acquire().ok()?;
        let attempt = Arc::clone(&self.attempt).lock_owned().await;
        if let Some(key) = self.known(kid) {
            return Some(key);
        }
        let now = self.shared.clock.elapsed();
        if attempt.is_some_and(|last| now.saturating_sub(last) < self.shared.pace.rest) {
            return None;
        }
        self.refresh(attempt).await;
        self.known(kid)
    }

    /// Fetches the keys now and whenever they are old, without an end.
    pub async fn keep_fresh(self: Arc<Self>) {
        loop {
            let attempt = Arc::clone(&self.attempt).lock_owned().await;
            let done = self.refresh(attempt).await;
            let Pace { age, again, .. } = self.shared.pace;
            tokio::time::sleep(if done { age } else { again }).await;
        }
    }

    /// Fetches the keys. It ends even if nobody waits for it any longer: who
    /// asks and goes away must not keep others from having keys.
    async fn refresh(self: &Arc<Self>, mut attempt: OwnedMutexGuard<Option<Duration>>) -> bool {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let fetched = tokio::time::timeout(this.shared.pace.time, this.fetch()).await;
            let done = this.take(fetched.unwrap_or_else(|_| Err("no answer in time".to_owned())));
            *attempt = Some(this.shared.clock.elapsed());
            done
        });
        task.await.unwrap_or(false)
    }

    async fn fetch(&self) -> Result<Keys, String> {
        let Trusted { source, client, .. } = &self.trusted;
        let found;
        let place = match source {
            Source::Jwks(place) => place,
            Source::Discovery(place, issuer) => {
                let document = client.get(place).await;
                let document = document.map_err(|why| format!("discovery: {why}"))?;
                found = discovered(&document, place, issuer)?;
                &found
            }
        };
        let document = client.get(place).await.map_err(|why| format!("keys: {why}"))?;
        jwks::read(&document).map_err(|why| format!("keys: {why}"))
    }

    /// Puts fetched keys in place. After a failure those that were there stay.
    fn take(&self, fetched: Result<Keys, String>) -> bool {
        let keys = match fetched {
            Ok(keys) => Arc::new(keys),
            Err(why) => {
                self.tell(&format!("keys cannot be fetched: {why}"));
                return false;
            }
        };
        let count = keys.len();
        let mut held = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let former = std::mem::replace(&mut *held, Arc::clone(&keys));
        drop(held);
        if keys.lack_one_of(&former) {
            self.shared.cache.forget();
        }
        // As a failure each time it is found.
        if keys != former || count == 0 {
            self.tell(&format!("keys={count}"));
        }
        true
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn tell(&self, what: &str) {
        let name = self.trust().name.as_deref().unwrap_or_default();
        let now = self.shared.clock.now();
        self.shared.log.write(&format!("{now:.3} issuer {name} {what}"));
    }
}

/// Where a discovery document has the keys. It must be the issuer's own, and
/// lead to no other place than its own.
fn discovered(document: &[u8], place: &Address, issuer: &str) -> Result<Address, String> {
    let document = json::object(document).ok_or("discovery: no JSON object, or a name twice")?;
    let text = |name: &str| document.get(name).and_then(serde_json::Value::as_str);
    if text("issuer") != Some(issuer) {
        return Err("discovery: the document is of another issuer".to_owned());
    }
    let keys = text("jwks_uri").and_then(|keys| Address::parse(keys).ok());
    let keys = keys.ok_or("discovery: no jwks_uri that can be asked")?;
    if !keys.same_place(place) {
        return Err("discovery: the jwks_uri is on another host; jwks-url permits one".to_owned());
    }
    Ok(keys)
}
