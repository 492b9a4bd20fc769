//! What is kept of a secret that somebody proves himself with: enough to know it
//! again, too little to be it.
//!
//! One hash is enough: these secrets are 256 random bits, which nobody guesses at
//! any speed. What hashes are slow for is what people think up.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::clock::Random;
use crate::folder::Secret;

/// A salted hash of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    salt: String,
    sha256: String,
}

impl Proof {
    /// What is kept of this secret.
    pub fn of(secret: &Secret, random: &dyn Random) -> Self {
        let mut salt = [0; 16];
        random.fill(&mut salt);
        let salt = URL_SAFE_NO_PAD.encode(salt);
        Self { sha256: hash(&salt, secret.reveal()), salt }
    }

    /// Whether this is the secret, told in constant time.
    pub fn holds(&self, secret: &str) -> bool {
        hash(&self.salt, secret).as_bytes().ct_eq(self.sha256.as_bytes()).into()
    }

    /// A name for this secret that tells nothing of it: of another one it is another.
    pub fn generation(&self) -> String {
        generation(&self.sha256)
    }
}

/// The same name of a secret that is kept as it is.
pub fn generation(secret: &str) -> String {
    let digest = Sha256::new().chain_update("rollcall generation 1").chain_update(secret);
    URL_SAFE_NO_PAD.encode(&digest.finalize()[..12])
}

fn hash(salt: &str, secret: &str) -> String {
    let digest = Sha256::new().chain_update(salt).chain_update(secret);
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededRandom;

    #[test]
    fn it_knows_its_secret_and_is_not_it() {
        let random = SeededRandom::new(1);
        let (one, other) = (Secret::make(&random), Secret::make(&random));
        let proof = Proof::of(&one, &random);
        assert!(proof.holds(one.reveal()) && !proof.holds(other.reveal()) && !proof.holds(""));
        let again = Proof::of(&one, &random);
        assert!(again.holds(one.reveal()) && again != proof, "no two hashes are the same");
        assert_ne!(again.generation(), proof.generation());
        assert!(!serde_json::to_string(&proof).unwrap().contains(one.reveal()));
    }
}
