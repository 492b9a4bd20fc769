//! Keys of issuers that are none: each signs as its kind does, and shows its
//! public half as JWKS documents have it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING,
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PSS_SHA256,
    RsaKeyPair,
};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer as _};
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

/// RSA keys of 2048 bits, made for these tests.
pub const RSA: &str = include_str!("keys/rsa.pem");
pub const OTHER: &str = include_str!("keys/other.pem");
/// One of 1024 bits, and one whose exponent is 3.
pub const SHORT: &str = include_str!("keys/short.pem");
pub const SMALL_EXPONENT: &str = include_str!("keys/small-exponent.pem");

/// A key with a name.
pub struct Signer {
    pub kid: &'static str,
    key: Key,
}

enum Key {
    Rsa(Box<RsaPrivateKey>),
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Ed25519KeyPair),
}

pub fn rsa(kid: &'static str, pem: &str) -> Signer {
    Signer { kid, key: Key::Rsa(Box::new(RsaPrivateKey::from_pkcs8_pem(pem).unwrap())) }
}

pub fn p256(kid: &'static str) -> Signer {
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    Signer { kid, key: Key::P256(made.unwrap().as_ref().to_vec()) }
}

pub fn p384(kid: &'static str) -> Signer {
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &SystemRandom::new());
    Signer { kid, key: Key::P384(made.unwrap().as_ref().to_vec()) }
}

pub fn ed25519(kid: &'static str) -> Signer {
    Signer { kid, key: Key::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()) }
}

pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of these parts, each a JSON text.
pub fn joined(header: &str, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let signature = encoded(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// Two numbers of a signature as DER writes them.
pub fn p256_der(signer: &Signer, message: &[u8]) -> Vec<u8> {
    let Key::P256(document) = &signer.key else { panic!("no P-256 key") };
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document, &random);
    pair.unwrap().sign(&random, message).unwrap().as_ref().to_vec()
}

impl Signer {
    /// What tokens say of their key and how they are signed.
    pub fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": self.algorithm(), "kid": self.kid })
    }

    pub fn algorithm(&self) -> &'static str {
        match self.key {
            Key::Rsa(_) => "RS256",
            Key::P256(_) => "ES256",
            Key::P384(_) => "ES384",
            Key::Ed25519(_) => "EdDSA",
        }
    }

    /// A token that claims this.
    pub fn token(&self, claims: &Value) -> String {
        self.with_header(&self.header(), claims)
    }

    /// The same under another header; PS256 is what changes the signature.
    pub fn with_header(&self, header: &Value, claims: &Value) -> String {
        let algorithm = header["alg"].as_str().unwrap_or_default();
        joined(&header.to_string(), &claims.to_string(), |message| self.sign(algorithm, message))
    }

    pub fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let of_curve = |how, document: &[u8]| {
            let pair = EcdsaKeyPair::from_pkcs8(how, document, &random).unwrap();
            pair.sign(&random, message).unwrap().as_ref().to_vec()
        };
        match &self.key {
            Key::Rsa(key) if algorithm == "PS256" => {
                let pair = RsaKeyPair::from_pkcs8(key.to_pkcs8_der().unwrap().as_bytes()).unwrap();
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            // With short keys, and those of small exponents, ring does not sign.
            Key::Rsa(key) => {
                let key = rsa::pkcs1v15::SigningKey::<Sha256>::new((**key).clone());
                key.sign(message).to_vec()
            }
            Key::P256(document) => of_curve(&ECDSA_P256_SHA256_FIXED_SIGNING, document),
            Key::P384(document) => of_curve(&ECDSA_P384_SHA384_FIXED_SIGNING, document),
            Key::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The public half, as a JWKS has it.
    pub fn jwk(&self) -> Value {
        let curve = |how, curve: &str, document: &[u8]| {
            let pair = EcdsaKeyPair::from_pkcs8(how, document, &SystemRandom::new()).unwrap();
            let (x, y) =
                pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
            json!({ "kty": "EC", "crv": curve, "x": encoded(x), "y": encoded(y) })
        };
        let mut jwk = match &self.key {
            Key::Rsa(key) => json!({ "kty": "RSA",
                "n": encoded(key.n().to_bytes_be()), "e": encoded(key.e().to_bytes_be()) }),
            Key::P256(document) => curve(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256", document),
            Key::P384(document) => curve(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384", document),
            Key::Ed25519(pair) => json!({ "kty": "OKP", "crv": "Ed25519",
                "x": encoded(pair.public_key().as_ref()) }),
        };
        jwk["kid"] = self.kid.into();
        jwk["use"] = "sig".into();
        jwk
    }
}
