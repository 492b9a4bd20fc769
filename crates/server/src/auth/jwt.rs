//! JSON Web Tokens, checked in full: form, algorithm, key, signature, and then
//! every claim that says whom, by whom, for whom and when.
//!
//! The time is handed in and no skew is forgiven: the issuer's clock is this
//! machine's own.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use rollcall_odata::Error;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::issuer::{self, Version};
use super::keys::Keys;
use super::permissions::{Permissions, Sources};
use super::{Principal, failure, refused};

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// The tenant of personal Microsoft accounts.
const PERSONAL: Uuid = Uuid::from_u128(0x9188_040d_6c67_4c5b_b112_36a3_04b6_6dad);

/// What `typ` may say.
const TYPES: [&str; 2] = ["JWT", "at+jwt"];

/// The claims of a token whose signature holds.
#[derive(Debug)]
pub struct Claims(Map<String, Value>);

/// A token that is none, in Graph's words.
pub fn malformed() -> Error {
    refused("CompactToken parsing failed with error code: 80049217")
}

/// Checks form, header and signature.
pub fn verify(token: &str, keys: &Keys) -> Result<Claims, Error> {
    if token.len() > MAX_TOKEN {
        return Err(failure(&format!("The token is longer than {MAX_TOKEN} bytes.")));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return Err(malformed()) };
    let (head, body) = (object(header)?, object(claims)?);
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
    let text = |name: &str| head.get(name).and_then(Value::as_str);
    if head.contains_key("crit") {
        return Err(failure("The header names a critical extension, and none is known."));
    }
    if head.contains_key("typ")
        && !text("typ").is_some_and(|typ| TYPES.iter().any(|one| typ.eq_ignore_ascii_case(one)))
    {
        return Err(failure("The token is of another type. Expected JWT."));
    }
    let key = text("kid").and_then(|kid| keys.get(kid));
    let key = key.ok_or_else(|| failure("The signing key is not one that is trusted."))?;
    if text("alg") != Some(key.algorithm()) {
        return Err(failure(&format!("Expected the algorithm {}.", key.algorithm())));
    }
    let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
    if !key.signed(signed.as_bytes(), &signature) {
        return Err(failure("Signature is invalid."));
    }
    Ok(Claims(body))
}

/// A part of a token: base64url of a JSON object in which no name is there twice.
fn object(part: &str) -> Result<Map<String, Value>, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed())?;
    let mut reader = serde_json::Deserializer::from_slice(&bytes);
    let object = Unique.deserialize(&mut reader).map_err(|_| malformed())?;
    reader.end().map_err(|_| malformed())?;
    Ok(object)
}

impl Claims {
    /// Whom the token is of, if everything that it claims holds at this time.
    pub fn principal(&self, now: Timestamp) -> Result<Principal, Error> {
        let tenant = self.tenant()?;
        self.issued_for(tenant)?;
        let expires = self.valid_at(now)?;
        self.work_account(tenant)?;
        let scopes = match self.0.get("scp") {
            None => None,
            Some(Value::String(scopes)) => Some(scopes.as_str()),
            Some(_) => return Err(failure("The claim scp is not text.")),
        };
        let sources = Sources { scopes, roles: self.list("roles")?, wids: self.list("wids")? };
        let subject = self.subject(scopes.is_some())?;
        Ok(Principal { tenant, subject, permissions: Permissions::of(&sources), expires })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    fn tenant(&self) -> Result<Uuid, Error> {
        let tenant = self.text("tid").filter(|tid| tid.len() == 36);
        let tenant = tenant.and_then(|tid| Uuid::try_parse(tid).ok());
        tenant.ok_or_else(|| failure("The claim tid is not a tenant's GUID."))
    }

    /// Issuer, version and audience: all of the built-in issuer, for this tenant.
    fn issued_for(&self, tenant: Uuid) -> Result<(), Error> {
        let version = self.text("ver").and_then(Version::named);
        let version = version.ok_or_else(|| failure("The claim ver is not 1.0 or 2.0."))?;
        if self.text("iss") != Some(issuer::name(version, &tenant.to_string()).as_str()) {
            return Err(failure("Invalid issuer."));
        }
        let audience = |one: &Value| one.as_str().is_some_and(issuer::is_audience);
        let held = match self.0.get("aud") {
            Some(Value::Array(all)) => all.iter().any(audience),
            Some(one) => audience(one),
            None => false,
        };
        if held { Ok(()) } else { Err(failure("Invalid audience.")) }
    }

    /// When the token ends, if it has begun and not ended. Seconds since 1970,
    /// whole ones: a fraction is no time.
    fn valid_at(&self, now: Timestamp) -> Result<Timestamp, Error> {
        let time = |name: &str| {
            let second = self.0.get(name).and_then(Value::as_i64);
            second.and_then(|second| Timestamp::from_second(second).ok())
        };
        let (Some(begins), Some(ends)) = (time("nbf"), time("exp")) else {
            return Err(failure("The claims nbf and exp are not both whole seconds since 1970."));
        };
        if begins <= now && now < ends {
            return Ok(ends);
        }
        Err(refused("Access token has expired or is not yet valid."))
    }

    /// Refuses personal Microsoft accounts: by their tenant, or as guests of
    /// another by the provider that they signed in with.
    fn work_account(&self, tenant: Uuid) -> Result<(), Error> {
        let provider = self.text("idp").unwrap_or_default();
        let personal = provider.eq_ignore_ascii_case("live.com")
            || provider.to_ascii_lowercase().contains(&PERSONAL.to_string());
        if tenant == PERSONAL || personal {
            let message = "Personal Microsoft accounts are not supported. Expected a work or \
                           school account, or an application.";
            return Err(failure(message));
        }
        Ok(())
    }

    /// The texts of a list, which may be absent.
    fn list(&self, name: &str) -> Result<Vec<&str>, Error> {
        match self.0.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items.iter().filter_map(Value::as_str).collect()),
            Some(_) => Err(failure(&format!("The claim {name} is not a list."))),
        }
    }

    /// The subject for log and audit. It must be a GUID: it is written where people read.
    fn subject(&self, delegated: bool) -> Result<String, Error> {
        let (kind, names): (&str, &[&str]) =
            if delegated { ("user", &["oid"]) } else { ("app", &["appid", "azp"]) };
        let id = names.iter().find_map(|name| self.text(name));
        let id = id.and_then(|id| Uuid::try_parse(id).ok());
        id.map(|id| format!("{kind}:{id}"))
            .ok_or_else(|| failure(&format!("The claim {} is not a GUID.", names.join(" or "))))
    }
}

/// Reads an object and refuses a name that is there twice: two readers of the
/// same token must not see different claims.
struct Unique;

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name is there twice"));
            }
        }
        Ok(object)
    }
}
