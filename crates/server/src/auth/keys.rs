//! The keys that tokens may be signed with, by their `kid`.

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};

use super::issuer::Issuer;

/// The algorithms that are believed. A key belongs to one of them, and a token
/// that names another is refused before its signature is looked at.
pub const ES256: &str = "ES256";

/// The keys of the issuers that are trusted.
pub struct Keys(Vec<Key>);

/// One key.
pub struct Key {
    kid: String,
    algorithm: &'static str,
    verifying: VerifyingKey,
}

impl Keys {
    /// The key of the built-in issuer.
    pub fn of(issuer: &Issuer) -> Self {
        let (kid, verifying) = (issuer.kid().to_owned(), issuer.verifying_key());
        Self(vec![Key { kid, algorithm: ES256, verifying }])
    }

    /// The key of this name.
    pub fn get(&self, kid: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.kid == kid)
    }
}

impl Key {
    /// The algorithm that this key is for.
    pub fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    /// Whether this is the key's signature of the message: 64 bytes, r and s.
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.verifying.verify(message, &signature).is_ok())
    }
}
