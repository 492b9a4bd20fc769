//! What a request shows of who sends it: a bearer token, or an API key in one of
//! two places.

use base64::{Engine, engine::general_purpose::STANDARD};
use rollcall_odata::Error;

use super::{failure, jwt, refused};

/// The values of the headers `Authorization` and `X-Api-Key`.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// A bearer token, or an API key as the password of `Basic`.
    pub authorization: Option<&'a [u8]>,
    /// An API key.
    pub api_key: Option<&'a [u8]>,
}

/// What somebody shows himself with.
pub enum Credential<'a> {
    /// A bearer token.
    Token(&'a str),
    /// An API key.
    Key(String),
}

impl<'a> Shown<'a> {
    /// The one thing that is shown.
    pub fn credential(self) -> Result<Credential<'a>, Error> {
        let Some(key) = self.api_key else { return of_authorization(self.authorization) };
        if self.authorization.is_some() {
            return Err(failure("Expected the header Authorization or X-Api-Key, not both."));
        }
        Ok(Credential::Key(String::from_utf8_lossy(key).into_owned()))
    }
}

fn of_authorization(authorization: Option<&[u8]>) -> Result<Credential<'_>, Error> {
    let text = authorization.map(std::str::from_utf8).transpose();
    let text = text.map_err(|_| jwt::malformed())?.unwrap_or_default().trim();
    if text.is_empty() {
        return Err(refused("Access token is empty."));
    }
    let (scheme, value) = text.split_once(' ').unwrap_or((text, ""));
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("basic") {
        let shown = user_and_password(value).map(|(_, key)| Credential::Key(key));
        return shown.ok_or_else(|| {
            failure("Expected `Authorization: Basic` with an API key as the password.")
        });
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(failure("Expected `Authorization: Bearer {token}`."));
    }
    if value.is_empty() {
        return Err(refused("Access token is empty."));
    }
    Ok(Credential::Token(value))
}

/// What `Basic` has behind its name (RFC 7617).
pub fn user_and_password(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}
