//! Documents of keys (RFC 7517), as issuers publish them.
//!
//! A key that cannot be used is left out, and the others count; a document that
//! is none, or too large, counts for nothing.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::json;
use super::keys::{Algorithm, Key, Keys, Material};

/// The most keys that a document may have; issuers have a handful.
const MAX_KEYS: usize = 100;

/// The longest name of a key, in bytes.
const MAX_KID: usize = 256;

/// The shortest RSA modulus, in bits (NIST SP 800-131A), and the longest, which
/// bounds what a signature costs.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The smallest RSA exponent: what every issuer uses. Smaller ones make faults
/// in padding count.
const RSA_EXPONENT: u64 = 65_537;

/// The keys of a document with which tokens can be checked.
pub fn read(bytes: &[u8]) -> Result<Keys, String> {
    let document = json::object(bytes).ok_or("it is no JSON object, or has a name twice")?;
    let Some(Value::Array(entries)) = document.get("keys") else {
        return Err("it has no list of keys".to_owned());
    };
    if entries.len() > MAX_KEYS {
        return Err(format!("it has {} keys, expected at most {MAX_KEYS}", entries.len()));
    }
    let keys: Vec<Key> = entries.iter().filter_map(Value::as_object).filter_map(key).collect();
    let named = |kid: &str| keys.iter().filter(|key| key.kid == kid).count();
    // Which of two keys of one name a token means is nobody's guess.
    Ok(Keys::new(keys.iter().filter(|key| named(&key.kid) == 1).cloned().collect()))
}

/// A key for signatures that is public, named, and strong enough.
fn key(entry: &Map<String, Value>) -> Option<Key> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let stated = |name: &str| entry.contains_key(name);
    let for_signatures = !stated("use") || text("use") == Some("sig");
    let verifies = match entry.get("key_ops") {
        None => true,
        Some(operations) => operations.as_array()?.iter().any(|one| one == "verify"),
    };
    // Who publishes the private half has a key that anyone may sign with.
    if !for_signatures || !verifies || stated("d") {
        return None;
    }
    let kid = text("kid").filter(|kid| (1..=MAX_KID).contains(&kid.len()))?;
    let (mut algorithms, material) = material(entry)?;
    if stated("alg") {
        let only = Algorithm::named(text("alg")?)?;
        algorithms.retain(|one| *one == only);
    }
    let issuer = match entry.get("issuer") {
        None => None,
        Some(issuer) => Some(issuer.as_str()?.to_owned()),
    };
    (!algorithms.is_empty()).then(|| Key { kid: kid.to_owned(), algorithms, material, issuer })
}

fn material(entry: &Map<String, Value>) -> Option<(Vec<Algorithm>, Material)> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let point = |length: usize| {
        let parts = (bytes("x")?, bytes("y")?);
        (parts.0.len() == length && parts.1.len() == length)
            .then(|| Material::Point([&[4][..], &parts.0, &parts.1].concat()))
    };
    match (text("kty")?, text("crv")) {
        ("RSA", _) => {
            let (n, e) = (bytes("n")?, bytes("e")?);
            Some((vec![Algorithm::Rs256, Algorithm::Ps256], rsa(&n, &e)?))
        }
        ("EC", Some("P-256")) => Some((vec![Algorithm::Es256], point(32)?)),
        ("EC", Some("P-384")) => Some((vec![Algorithm::Es384], point(48)?)),
        ("OKP", Some("Ed25519")) => {
            let point = bytes("x").filter(|point| point.len() == 32)?;
            Some((vec![Algorithm::EdDsa], Material::Point(point)))
        }
        _ => None,
    }
}

/// An RSA key that is long enough. Zeros in front, which some issuers write, do not count.
fn rsa(n: &[u8], e: &[u8]) -> Option<Material> {
    let bare =
        |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().skip_while(|byte| *byte == 0).collect() };
    let (n, e) = (bare(n), bare(e));
    let bits = n.len() * 8 - usize::try_from(n.first()?.leading_zeros()).ok()?;
    let padded: [u8; 8] = {
        let mut padded = [0; 8];
        padded.get_mut(8_usize.checked_sub(e.len())?..)?.copy_from_slice(&e);
        padded
    };
    let strong = RSA_BITS.contains(&bits) && u64::from_be_bytes(padded) >= RSA_EXPONENT;
    strong.then_some(Material::Rsa { n, e })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn count(keys: &Value) -> usize {
        read(json!({ "keys": keys }).to_string().as_bytes()).unwrap().len()
    }

    fn with(changes: &Value) -> Value {
        let mut key = json!({ "kty": "EC", "crv": "P-256", "x": "A".repeat(43),
            "y": "A".repeat(43), "kid": "k" });
        for (name, value) in changes.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    }

    #[test]
    fn keys_that_cannot_be_used_are_left_out() {
        assert_eq!(count(&json!([with(&json!({ "use": "sig", "alg": "ES256" }))])), 1);
        for changes in [
            json!({ "use": "enc" }),
            json!({ "use": 1 }),
            json!({ "key_ops": ["encrypt"] }),
            json!({ "key_ops": "verify" }),
            json!({ "kid": "" }),
            json!({ "kid": 7 }),
            json!({ "alg": "RS256" }),
            json!({ "alg": "HS256" }),
            json!({ "alg": null }),
            json!({ "crv": "P-384" }),
            json!({ "crv": "secp256k1" }),
            json!({ "kty": "oct", "k": "AAAA" }),
            json!({ "kty": "RSA" }),
            json!({ "x": "A".repeat(44) }),
            json!({ "x": format!("{}=", "A".repeat(43)) }),
            json!({ "d": "A".repeat(43) }),
            json!({ "issuer": 1 }),
        ] {
            assert_eq!(count(&json!([with(&changes), with(&json!({ "kid": "other" }))])), 1);
        }
        assert_eq!(count(&json!([null, 1, "x", [], {}])), 0);
    }

    #[test]
    fn a_name_that_two_keys_have_is_nobody_s() {
        let other = with(&json!({ "x": "B".repeat(42) + "A" }));
        assert_eq!(count(&json!([with(&json!({})), other])), 0);
        assert_eq!(count(&json!([with(&json!({})), with(&json!({ "use": "enc" }))])), 1);
    }

    #[test]
    fn rsa_keys_are_long_and_their_exponent_is_not_small() {
        let key = |bytes: usize, first: u8, e: &str| {
            let n = [&[first][..], &vec![0xff; bytes - 1]].concat();
            json!([{ "kty": "RSA", "kid": "k", "n": URL_SAFE_NO_PAD.encode(n), "e": e }])
        };
        assert_eq!(count(&key(256, 0x80, "AQAB")), 1);
        assert_eq!(count(&key(257, 0, "AAEAAQ")), 1, "zeros in front");
        assert_eq!(count(&key(256, 0x7f, "AQAB")), 0, "2047 bits");
        assert_eq!(count(&key(1025, 0xff, "AQAB")), 0, "8200 bits");
        for e in ["Aw", "EQ", "AQ", "", "_____________w"] {
            assert_eq!(count(&key(256, 0x80, e)), 0, "{e}");
        }
    }

    #[test]
    fn a_document_that_is_none_says_why() {
        let many = json!({ "keys": vec![json!({}); MAX_KEYS + 1] }).to_string();
        for (text, why) in [
            ("<html>", "no JSON object"),
            ("[]", "no JSON object"),
            (r#"{"keys":[],"keys":[]}"#, "twice"),
            (r#"{"keys":[{"kid":"a","kid":"b"}]}"#, "twice"),
            ("{}", "no list of keys"),
            (r#"{"keys":{}}"#, "no list of keys"),
            (&many, "at most 100"),
        ] {
            assert!(read(text.as_bytes()).unwrap_err().contains(why), "{text}");
        }
    }
}
