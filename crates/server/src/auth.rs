//! Who may: from a bearer token to a principal and what it is permitted.

mod cache;
pub mod issuer;
mod jwt;
mod keys;
pub mod permissions;

use std::sync::Arc;

use jiff::Timestamp;
use rollcall_odata::{Code, Error};
use uuid::Uuid;

use cache::Cache;
use keys::Keys;
pub use permissions::Need;
use permissions::Permissions;

/// Who asks, as a token that holds says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The tenant whose data it is about.
    pub tenant: Uuid,
    /// `app:` and the application's id, or `user:` and the user's object id.
    pub subject: String,
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
    keys: Keys,
    cache: Cache,
}

impl Authenticator {
    /// One that takes the tokens of this issuer.
    pub fn new(issuer: &issuer::Issuer) -> Self {
        Self { keys: Keys::of(issuer), cache: Cache::default() }
    }

    /// Who sent this `Authorization` header, at this time; a 401 in Graph's words
    /// where that cannot be told.
    pub fn authenticate(
        &self,
        authorization: Option<&[u8]>,
        now: Timestamp,
    ) -> Result<Arc<Principal>, Error> {
        let token = bearer(authorization)?;
        if let Some(known) = self.cache.get(token, now) {
            return Ok(known);
        }
        let claims = jwt::verify(token, &self.keys)?;
        let principal = Arc::new(claims.principal(now)?);
        self.cache.put(token, &principal);
        Ok(principal)
    }
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
