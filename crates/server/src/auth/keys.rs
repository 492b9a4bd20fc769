//! The keys that tokens may be signed with, by their `kid`, and what each is good for.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

use super::issuer::Issuer;

/// The algorithms that are believed. A key belongs to one kind of them, and a
/// token that names another is refused before its signature is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with PKCS #1 v1.5 and SHA-256.
    Rs256,
    /// RSA with PSS and SHA-256.
    Ps256,
    /// ECDSA on the curve P-256.
    Es256,
    /// ECDSA on the curve P-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    const ALL: [Self; 5] = [Self::Rs256, Self::Ps256, Self::Es256, Self::Es384, Self::EdDsa];

    /// The algorithm of this name, if it is believed. Letter case counts.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Its name in tokens and keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// The keys of one issuer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name among the issuer's.
    pub kid: String,
    /// What it is good for.
    pub algorithms: Vec<Algorithm>,
    /// The key itself.
    pub material: Material,
    /// The issuer whose tokens alone it signs, where the key says so: a place
    /// that has keys for many tenants has some for one of them only.
    pub issuer: Option<String>,
}

/// What a signature is checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// The modulus and the exponent of an RSA key, without zeros in front.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
    /// A point of the curve that the algorithm is for.
    Point(Vec<u8>),
}

impl Keys {
    /// These keys, each under a name of its own.
    pub fn new(keys: Vec<Key>) -> Self {
        Self(keys)
    }

    /// The key of the built-in issuer.
    pub fn of(issuer: &Issuer) -> Self {
        let point = issuer.verifying_key().to_encoded_point(false).as_bytes().to_vec();
        Self(vec![Key {
            kid: issuer.kid().to_owned(),
            algorithms: vec![Algorithm::Es256],
            material: Material::Point(point),
            issuer: None,
        }])
    }

    /// The key of this name.
    pub fn get(&self, kid: &str) -> Option<&Key> {
        self.0.iter().find(|key| key.kid == kid)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether one of `former` is not here any more, or is another key now.
    pub fn lack_one_of(&self, former: &Self) -> bool {
        former.0.iter().any(|key| !self.0.contains(key))
    }
}

impl Key {
    /// Whether this is the key's signature of the message under an algorithm
    /// that it is good for.
    pub fn signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.algorithms.contains(&algorithm) {
            return false;
        }
        let of_point = |how: &'static dyn VerificationAlgorithm, point: &[u8]| {
            UnparsedPublicKey::new(how, point).verify(message, signature).is_ok()
        };
        match (algorithm, &self.material) {
            (Algorithm::Es256, Material::Point(point)) => of_point(&ECDSA_P256_SHA256_FIXED, point),
            (Algorithm::Es384, Material::Point(point)) => of_point(&ECDSA_P384_SHA384_FIXED, point),
            (Algorithm::EdDsa, Material::Point(point)) => of_point(&ED25519, point),
            (Algorithm::Rs256, Material::Rsa { n, e }) => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            (Algorithm::Ps256, Material::Rsa { n, e }) => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PSS_2048_8192_SHA256, message, signature)
                .is_ok(),
            _ => false,
        }
    }

    /// The names of the algorithms that it is good for, for people.
    pub fn expected(&self) -> String {
        let names: Vec<&str> = self.algorithms.iter().map(|one| one.name()).collect();
        names.join(" or ")
    }
}
