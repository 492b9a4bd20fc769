//! JSON Web Tokens: their form, their header, their signature. What they claim
//! is [`super::claims`]'s affair.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rollcall_odata::Error;
use serde_json::{Map, Value};

use super::claims::Claims;
use super::keys::{Algorithm, Key};
use super::{failure, json, refused};

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// What `typ` may say.
const TYPES: [&str; 2] = ["JWT", "at+jwt"];

/// A token that is none, in Graph's words.
pub fn malformed() -> Error {
    refused("CompactToken parsing failed with error code: 80049217")
}

/// A token that can be read; nothing of it is believed yet.
pub struct Token<'a> {
    head: Map<String, Value>,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Reads a token: its form, and what its header may say. Keys and places of
    /// keys that a header names are not looked at.
    pub fn read(token: &'a str) -> Result<Self, Error> {
        if token.len() > MAX_TOKEN {
            return Err(failure(&format!("The token is longer than {MAX_TOKEN} bytes.")));
        }
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else { return Err(malformed()) };
        let (head, claims) = (object(header)?, object(claims)?);
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
        let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
        let read = Self { head, claims, signed, signature };
        read.check_header()?;
        Ok(read)
    }

    fn check_header(&self) -> Result<(), Error> {
        if self.head.contains_key("crit") {
            return Err(failure("The header names a critical extension, and none is known."));
        }
        if self.head.contains_key("typ")
            && !self
                .header("typ")
                .is_some_and(|typ| TYPES.iter().any(|one| typ.eq_ignore_ascii_case(one)))
        {
            return Err(failure("The token is of another type. Expected JWT."));
        }
        Ok(())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.get(name).and_then(Value::as_str)
    }

    /// Who has made it, as it says.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// The key that it is signed with, as it says.
    pub fn kid(&self) -> Option<&str> {
        self.header("kid")
    }

    /// The algorithm that it is signed with, as it says, if that is one that is believed.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.header("alg").and_then(Algorithm::named)
    }

    /// What it claims, if this key has signed it.
    pub fn signed_by(self, key: Option<&Key>) -> Result<Claims, Error> {
        let key = key.ok_or_else(|| failure("The signing key is not one that is trusted."))?;
        let algorithm = self.algorithm().filter(|one| key.algorithms.contains(one));
        let algorithm = algorithm
            .ok_or_else(|| failure(&format!("Expected the algorithm {}.", key.expected())))?;
        if !key.signed(algorithm, self.signed.as_bytes(), &self.signature) {
            return Err(failure("Signature is invalid."));
        }
        Ok(Claims::new(self.claims))
    }
}

/// A part of a token: base64url of a JSON object.
fn object(part: &str) -> Result<Map<String, Value>, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed())?;
    json::object(&bytes).ok_or_else(malformed)
}
