//! Who may: from a bearer token to a principal and what it is permitted.

pub mod address;
mod cache;
mod claims;
pub mod fetch;
pub mod issuer;
mod json;
mod jwks;
mod jwt;
mod keys;
pub mod permissions;
pub mod remote;
pub mod trust;

use std::sync::Arc;

use jiff::Timestamp;
use rollcall_odata::{Code, Error};
use uuid::Uuid;

use cache::Cache;
pub use claims::PERSONAL;
use jwt::Token;
use keys::{Key, Keys};
pub use permissions::Need;
use permissions::Permissions;
use remote::{Pace, Remote, Shared, Trusted};
use trust::Trust;

use crate::clock::Clock;
use crate::observe::Log;

/// Who asks, as a token that holds says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The tenant whose data it is about.
    pub tenant: Uuid,
    /// `app:` and the application's id, or `user:` and the user's object id.
    pub subject: String,
    /// The application that asks, for itself or for a user: its id, or the
    /// subject where the token does not name it.
    pub application: String,
    /// What it may do.
    pub permissions: Permissions,
    /// When its token ends.
    pub expires: Timestamp,
}

impl Principal {
    /// Refuses with 403 what this principal may not do.
    pub fn require(&self, need: Need) -> Result<(), Error> {
        self.permissions.require(need)
    }
}

/// Checks bearer tokens.
pub struct Authenticator {
    own: Trust,
    own_keys: Keys,
    others: Vec<Arc<Remote>>,
    cache: Arc<Cache>,
}

impl Authenticator {
    /// One that takes the tokens of this issuer.
    pub fn new(issuer: &issuer::Issuer) -> Self {
        let (own, own_keys) = (Trust::built_in(), Keys::of(issuer));
        Self { own, own_keys, others: Vec::new(), cache: Arc::default() }
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

    /// Who sent this `Authorization` header, at this time; a 401 in Graph's words
    /// where that cannot be told. It waits for nothing, but for the keys of a
    /// configured issuer whose token names one that is not here.
    pub async fn authenticate(
        &self,
        authorization: Option<&[u8]>,
        now: Timestamp,
    ) -> Result<Arc<Principal>, Error> {
        let token = bearer(authorization)?;
        if let Some(known) = self.cache.get(token, now) {
            return Ok(known);
        }
        Box::pin(self.check(token, now)).await
    }

    /// Checks a token in full. Its issuer is found by what it says, and its key
    /// among that issuer's alone.
    async fn check(&self, token: &str, now: Timestamp) -> Result<Arc<Principal>, Error> {
        let era = self.cache.era();
        let read = Token::read(token)?;
        let iss = read.issuer().unwrap_or_default();
        let principal = if self.own.url.covers(iss) {
            let key = read.kid().and_then(|kid| self.own_keys.get(kid));
            read.signed_by(key)?.principal(&self.own, None, now)?
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
        self.cache.put(token, &principal, era);
        Ok(principal)
    }
}

/// The key that a token names. A token of an algorithm that nobody believes is
/// no reason to fetch any.
async fn named_key(issuer: &Arc<Remote>, token: &Token<'_>) -> Option<Key> {
    let kid = token.kid()?;
    if token.algorithm().is_none() { issuer.known(kid) } else { issuer.key(kid).await }
}

/// The token of an `Authorization` header.
fn bearer(authorization: Option<&[u8]>) -> Result<&str, Error> {
    let text = authorization.map(std::str::from_utf8).transpose();
    let text = text.map_err(|_| jwt::malformed())?.unwrap_or_default().trim();
    if text.is_empty() {
        return Err(refused("Access token is empty."));
    }
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(failure("Expected `Authorization: Bearer {token}`."));
    }
    match token.trim() {
        "" => Err(refused("Access token is empty.")),
        token => Ok(token),
    }
}

/// The `WWW-Authenticate` header of a 401, in Graph's form. `base` is scheme,
/// host and port; a token that was sent and did not hold is said to be invalid.
pub fn challenge(base: &str, sent: bool) -> String {
    let error = if sent { ", error=\"invalid_token\"" } else { "" };
    let graph = issuer::GRAPH;
    format!(
        "Bearer realm=\"\", authorization_uri=\"{base}/common/oauth2/authorize\", \
         client_id=\"{graph}\"{error}"
    )
}

/// A 401 in these words.
fn refused(message: &str) -> Error {
    Error::new(Code::InvalidAuthenticationToken, message)
}

/// A 401 that says which check failed.
fn failure(reason: &str) -> Error {
    refused(&format!("Access token validation failure. {reason}"))
}
