//! Download links: addresses that need no token, signed, for five minutes.

use std::sync::{PoisonError, RwLock};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use rollcall_odata::{Code, Error};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use crate::auth::issuer::Issuer;
use crate::auth::{Given, Principal};

/// How long a link holds, in seconds: Graph's hold "a few minutes".
const VALID: i64 = 300;

/// The form of a link's content; a link of another form is not ours.
const FORM: u8 = 2;

/// The length of a signature, in bytes.
const SIGNATURE: usize = 32;

/// What a link leads to, for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    form: u8,
    /// When it ends, in seconds since 1970.
    ends: i64,
    /// Whose data it gives.
    pub tenant: Uuid,
    /// By what he who asked for it has got access, where that can be taken back here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
    /// The encoded path of the call, after the version.
    pub path: String,
    /// The encoded query of the call.
    pub query: String,
}

/// Makes links and knows its own.
pub struct Links(RwLock<Hmac<Sha256>>);

impl Links {
    /// The links of an issuer: those that were made before a restart still hold.
    pub fn new(issuer: &Issuer) -> Self {
        Self(RwLock::new(keyed(issuer)))
    }

    /// Takes this issuer in place of the one before. Links that were made with
    /// another signing key hold no more.
    pub fn renew(&self, issuer: &Issuer) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keyed(issuer);
    }

    fn begun(&self) -> Hmac<Sha256> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The text of a link to this call of somebody.
    pub fn sign(&self, principal: &Principal, path: &str, query: &str, now: Timestamp) -> String {
        let ends = now.as_second() + VALID;
        let (path, query) = (path.to_owned(), query.to_owned());
        let (tenant, given) = (principal.tenant, principal.given.clone());
        let link = Link { form: FORM, ends, tenant, given, path, query };
        // Texts and numbers always have a JSON form.
        let content = serde_json::to_vec(&link).unwrap_or_default();
        let mut signed = self.begun().chain_update(&content).finalize().into_bytes().to_vec();
        signed.extend_from_slice(&content);
        URL_SAFE_NO_PAD.encode(signed)
    }

    /// What a link leads to, or a refusal where it was not made here or has ended.
    pub fn open(&self, text: &str, now: Timestamp) -> Result<Link, Error> {
        let link = self.verified(text).ok_or_else(|| {
            let message = "The download link is not one that this service has made.";
            Error::new(Code::LinkRefused, message)
        })?;
        if now.as_second() < link.ends {
            return Ok(link);
        }
        Err(expired())
    }

    fn verified(&self, text: &str) -> Option<Link> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (signature, content) = bytes.split_at_checked(SIGNATURE)?;
        self.begun().chain_update(content).verify_slice(signature).ok()?;
        serde_json::from_slice(content).ok().filter(|link: &Link| link.form == FORM)
    }
}

/// The refusal of a link whose holder has access no more.
pub fn taken_back() -> Error {
    let message = "The download link was given to a client or a key that was removed, or has got \
                   another secret since.";
    Error::new(Code::LinkRefused, message)
}

/// The refusal of a link that has ended.
pub fn expired() -> Error {
    let message = format!(
        "The download link has expired: it holds for {VALID} seconds. Call the report function \
         again for a new one."
    );
    Error::new(Code::LinkRefused, message)
}

fn keyed(issuer: &Issuer) -> Hmac<Sha256> {
    Hmac::new_from_slice(&issuer.link_key()).expect("a key of any length will do")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::permissions::{Permissions, READ_WRITE};
    use crate::clock::SeededRandom;
    use crate::folder::Secrets;

    fn issuer(seed: u64) -> Issuer {
        Issuer::new(&Secrets::make(&SeededRandom::new(seed), READ_WRITE))
    }

    fn links(seed: u64) -> Links {
        Links::new(&issuer(seed))
    }

    fn somebody() -> Principal {
        Principal {
            tenant: Uuid::from_u128(7),
            subject: "app:x".to_owned(),
            application: "x".to_owned(),
            given: Some(Given::Key("0123456789abcdef".to_owned(), "g".to_owned())),
            permissions: Permissions::default(),
            expires: Timestamp::MAX,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_link_holds_for_five_minutes() {
        let text = links(1).sign(&somebody(), "a(b='%27')", "x=1", at(1000));
        let link = links(1).open(&text, at(1299)).unwrap();
        assert_eq!((link.path.as_str(), link.query.as_str()), ("a(b='%27')", "x=1"));
        assert_eq!((link.tenant, link.given), (somebody().tenant, somebody().given));
        assert!(links(1).open(&text, at(1300)).unwrap_err().message.contains("expired"));
        assert!(links(2).open(&text, at(1000)).unwrap_err().message.contains("not one"));
        let renewed = links(1);
        renewed.renew(&issuer(2));
        assert!(renewed.open(&text, at(1000)).unwrap_err().message.contains("not one"));
    }

    #[test]
    fn no_altered_link_holds() {
        let text = links(1).sign(&somebody(), "a", "", at(1000));
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for position in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[position] ^= 1;
            assert!(links(1).open(&URL_SAFE_NO_PAD.encode(altered), at(1000)).is_err());
        }
        for text in ["", "x", &text[1..], &format!("{text}A"), &text[..42]] {
            assert!(links(1).open(text, at(1000)).is_err(), "{text}");
        }
    }
}
