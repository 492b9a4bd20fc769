//! Who may: from a bearer token or an API key to a principal and what it is permitted.

pub mod address;
mod cache;
mod claims;
pub mod fetch;
pub mod issuer;
mod json;
mod jwks;
mod jwt;
mod keys;
mod own;
pub mod permissions;
mod proof;
pub mod registry;
pub mod remote;
mod shown;
pub mod trust;

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rollcall_odata::{Code, Error};
use uuid::Uuid;

use cache::Cache;
pub use claims::PERSONAL;
use issuer::Issuer;
use jwt::Token;
use keys::Key;
pub use own::Given;
use own::Own;
pub use permissions::Need;
use permissions::Permissions;
use remote::{Pace, Remote, Shared, Trusted};
use shown::Credential;
pub use shown::{Shown, user_and_password};
use trust::Trust;

use crate::clock::Clock;
use crate::observe::Log;

/// Who asks, as a token that holds says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The tenant whose data it is about.
    pub tenant: Uuid,
    /// `app:` and the application's id, `user:` and the user's object id, or `key:`
    /// and the id of an API key.
    pub subject: String,
    /// The application that asks, for itself or for a user: its id, or the
    /// subject where the token does not name it.
    pub application: String,
    /// By what it has got access, where that can be taken back here.
    pub given: Option<Given>,
    /// What it may do.
    pub permissions: Permissions,
    /// When its token ends; a key has no end.
    pub expires: Timestamp,
}

impl Principal {
    /// Refuses with 403 what this principal may not do.
    pub fn require(&self, need: Need) -> Result<(), Error> {
        self.permissions.require(need)
    }
}

/// Checks bearer tokens and API keys.
pub struct Authenticator {
    trust: Trust,
    own: RwLock<Arc<Own>>,
    others: Vec<Arc<Remote>>,
    cache: Arc<Cache>,
}

impl Authenticator {
    /// One that takes the tokens of this issuer.
    pub fn new(issuer: Issuer) -> Self {
        let own = RwLock::new(Arc::new(Own::new(issuer)));
        Self { trust: Trust::built_in(), own, others: Vec::new(), cache: Arc::default() }
    }

    /// The built-in issuer as it is now.
    pub fn issuer(&self) -> Arc<Issuer> {
        Arc::clone(&self.own().issuer)
    }

    /// Takes this one in place of the built-in issuer that there was. What that one
    /// gave and this one would not give is refused from here on.
    pub fn replace(&self, issuer: Issuer) {
        *self.own.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Own::new(issuer));
        self.cache.forget();
    }

    /// Refuses what was given to who has it no more.
    pub fn still_given(&self, given: Option<&Given>) -> Result<(), Error> {
        self.own().still_given(given)
    }

    fn own(&self) -> Arc<Own> {
        Arc::clone(&self.own.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same that takes the tokens of these issuers as well.
    #[must_use]
    pub fn trusting(
        mut self,
        issuers: Vec<Trusted>,
        pace: Pace,
        clock: Arc<dyn Clock>,
        log: Log,
    ) -> Self {
        let shared = Shared { cache: Arc::clone(&self.cache), clock, log, pace };
        let remote = |trusted| Arc::new(Remote::new(trusted, shared.clone()));
        self.others.extend(issuers.into_iter().map(remote));
        self
    }

    /// Keeps the keys of all issuers fresh for as long as the runtime lasts.
    pub fn keep_fresh(&self) {
        for issuer in &self.others {
            tokio::spawn(Arc::clone(issuer).keep_fresh());
        }
    }

    /// Who shows this, at this time; a 401 in Graph's words where that cannot be
    /// told. It waits for nothing, but for the keys of a configured issuer whose
    /// token names one that is not here.
    pub async fn authenticate(
        &self,
        shown: Shown<'_>,
        now: Timestamp,
    ) -> Result<Arc<Principal>, Error> {
        let token = match shown.credential()? {
            Credential::Token(token) => token,
            Credential::Key(key) => return self.own().holder(&key),
        };
        if let Some(known) = self.cache.get(token, now) {
            return Ok(known);
        }
        Box::pin(self.check(token, now)).await
    }

    /// The `WWW-Authenticate` headers of a 401: Graph's, and once there are API keys
    /// one that asks for them. `base` is scheme, host and port; a token that was sent
    /// and did not hold is said to be invalid.
    pub fn challenges(&self, base: &str, sent: bool) -> Vec<String> {
        let error = if sent { ", error=\"invalid_token\"" } else { "" };
        let graph = issuer::GRAPH;
        let mut challenges = vec![format!(
            "Bearer realm=\"\", authorization_uri=\"{base}/common/oauth2/authorize\", \
             client_id=\"{graph}\"{error}"
        )];
        if self.own().has_keys() {
            challenges.push("Basic realm=\"Rollcall\", charset=\"UTF-8\"".to_owned());
        }
        challenges
    }

    /// Checks a token in full. Its issuer is found by what it says, and its key
    /// among that issuer's alone.
    async fn check(&self, token: &str, now: Timestamp) -> Result<Arc<Principal>, Error> {
        let era = self.cache.era();
        let read = Token::read(token)?;
        let iss = read.issuer().unwrap_or_default();
        let principal = if self.trust.url.covers(iss) {
            let own = self.own();
            let key = read.kid().and_then(|kid| own.keys.get(kid));
            let principal = read.signed_by(key)?.principal(&self.trust, None, now)?;
            own.still_given(principal.given.as_ref())?;
            principal
        } else {
            let mut others = self.others.iter();
            let issuer = others.find(|one| one.trust().url.covers(iss));
            let issuer = issuer.ok_or_else(|| failure("Invalid issuer."))?;
            let key = named_key(issuer, &read).await;
            let of_key = key.as_ref().and_then(|key| key.issuer.as_deref());
            let claims = read.signed_by(key.as_ref())?;
            claims.principal(issuer.trust(), of_key, now)?
        };
        let principal = Arc::new(principal);
        self.cache.put(token, &principal, (now, era));
        Ok(principal)
    }
}

/// The key that a token names. A token of an algorithm that nobody believes is
/// no reason to fetch any.
async fn named_key(issuer: &Arc<Remote>, token: &Token<'_>) -> Option<Key> {
    let kid = token.kid()?;
    if token.algorithm().is_none() { issuer.known(kid) } else { issuer.key(kid).await }
}

/// A 401 in these words.
fn refused(message: &str) -> Error {
    Error::new(Code::InvalidAuthenticationToken, message)
}

/// A 401 that says which check failed.
pub fn failure(reason: &str) -> Error {
    refused(&format!("Access token validation failure. {reason}"))
}
