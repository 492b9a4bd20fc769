//! The claims of a token whose signature holds: whom, by whom, for whom, when,
//! and what is permitted. The time is handed in.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use rollcall_odata::Error;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::issuer::{GENERATION, Version};
use super::permissions::{Permissions, Sources};
use super::trust::{Application, Path, TENANT_ID, Tenants, Trust, guid};
use super::{Given, Principal, failure, refused};

/// The tenant of personal Microsoft accounts.
pub const PERSONAL: Uuid = Uuid::from_u128(0x9188_040d_6c67_4c5b_b112_36a3_04b6_6dad);

/// The longest id of a subject, in bytes.
const MAX_SUBJECT: usize = 128;

/// Claims that ID tokens have and access tokens do not.
const OF_ID_TOKENS: [&str; 2] = ["at_hash", "c_hash"];

/// What Keycloak's access tokens are as `typ`; its others are `ID`, `Refresh` and more.
const BEARER: &str = "Bearer";

/// The claims of a token whose signature holds.
#[derive(Debug)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// These claims.
    pub fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Whom the token is of, if everything that it claims holds of this issuer at
    /// this time. `key_issuer` is whose tokens the key signs, where it says so.
    pub fn principal(
        &self,
        trust: &Trust,
        key_issuer: Option<&str>,
        now: Timestamp,
    ) -> Result<Principal, Error> {
        let tenant = self.tenant(&trust.tenants)?;
        self.issued_for(trust, tenant, key_issuer)?;
        let expires = self.valid_at(trust, now)?;
        self.work_account(tenant)?;
        self.access_token()?;
        let sources = self.sources(trust)?;
        let subject = self.subject(trust, sources.scopes.is_some())?;
        let permissions = Permissions::of(&sources, &trust.admins, Arc::clone(&trust.names));
        let client = trust.client.iter().find_map(|path| self.text_at(path));
        let given = trust.is_built_in().then(|| self.given(client)).transpose()?;
        let application = self.id_at(trust, &trust.client).unwrap_or_else(|| subject.clone());
        Ok(Principal { tenant, subject, application, given, permissions, expires })
    }

    /// The client that a token of the built-in issuer was given to, and for which of
    /// its secrets.
    fn given(&self, client: Option<&str>) -> Result<Given, Error> {
        let given = client.and_then(guid).zip(self.text(GENERATION));
        let (client, generation) = given.ok_or_else(|| {
            failure(&format!("The token does not name its client, or has no {GENERATION}."))
        })?;
        Ok(Given::Client(client, generation.to_owned()))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    fn text_at(&self, path: &Path) -> Option<&str> {
        path.of(&self.0).and_then(Value::as_str)
    }

    fn tenant(&self, tenants: &Tenants) -> Result<Uuid, Error> {
        let named = |path: &Path| {
            let tenant = self.text_at(path).and_then(guid);
            tenant.ok_or_else(|| failure(&format!("The claim {path} is not a tenant's GUID.")))
        };
        match tenants {
            Tenants::Fixed(tenant) => Ok(*tenant),
            Tenants::All(path) => named(path),
            Tenants::Named(path, known) => known_tenant(named(path)?, known),
        }
    }

    /// Issuer, version and audience: all of this issuer, for this tenant.
    fn issued_for(
        &self,
        trust: &Trust,
        tenant: Uuid,
        key_issuer: Option<&str>,
    ) -> Result<(), Error> {
        let version = self.text("ver").and_then(Version::named);
        if trust.is_built_in() && version.is_none() {
            return Err(failure("The claim ver is not 1.0 or 2.0."));
        }
        let iss = self.text("iss").unwrap_or_default();
        if !trust.url.is(iss, tenant, version) {
            return Err(failure("Invalid issuer."));
        }
        let of_key = key_issuer.map(|issuer| issuer.replace(TENANT_ID, &tenant.to_string()));
        if of_key.is_some_and(|issuer| issuer != iss) {
            return Err(failure("The signing key is another issuer's."));
        }
        let ours = |one: &Value| {
            one.as_str().is_some_and(|one| trust.audiences.iter().any(|ours| ours == one))
        };
        let held = match self.0.get("aud") {
            Some(Value::Array(all)) => all.iter().any(ours),
            Some(one) => ours(one),
            None => false,
        };
        if held { Ok(()) } else { Err(failure("Invalid audience.")) }
    }

    /// When the token ends, if it has begun and not ended. Seconds since 1970,
    /// whole ones: a fraction is no time.
    fn valid_at(&self, trust: &Trust, now: Timestamp) -> Result<Timestamp, Error> {
        let ends = self.second("exp")?.ok_or_else(|| no_time("exp"))?;
        let begins = (self.second("nbf")?, self.second("iat")?);
        if trust.is_built_in() && begins.0.is_none() {
            return Err(no_time("nbf"));
        }
        let latest = now.as_second().saturating_add(trust.ahead());
        let begun = |second: Option<Timestamp>| second.is_none_or(|at| at.as_second() <= latest);
        if begun(begins.0) && begun(begins.1) && now < ends {
            return Ok(ends);
        }
        Err(refused("Access token has expired or is not yet valid."))
    }

    fn second(&self, name: &str) -> Result<Option<Timestamp>, Error> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let second = value.as_i64().and_then(|second| Timestamp::from_second(second).ok());
        second.map(Some).ok_or_else(|| no_time(name))
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

    /// Refuses tokens that are made for something else than access.
    fn access_token(&self) -> Result<(), Error> {
        let other = match self.0.get("typ") {
            None => false,
            Some(Value::String(typ)) => !typ.eq_ignore_ascii_case(BEARER),
            Some(_) => true,
        };
        if other || OF_ID_TOKENS.iter().any(|name| self.0.contains_key(*name)) {
            return Err(failure("The token is of another kind. Expected an access token."));
        }
        Ok(())
    }

    /// What the token says of permissions; scopes are there if it is a user's.
    fn sources(&self, trust: &Trust) -> Result<Sources<'_>, Error> {
        let names = &trust.names;
        let scopes = self.scopes(trust)?;
        let application = match &trust.application {
            Application::WithoutScopes => scopes.is_none(),
            Application::AsEntra => scopes.is_none() && self.says_application(),
            Application::With(path) => path.of(&self.0).is_some_and(|it| !it.is_null() && it != ""),
        };
        Ok(Sources {
            scopes: (!application).then(|| scopes.unwrap_or_default()),
            roles: self.list(&names.roles)?,
            admin_roles: self.list(&names.admin_roles)?,
        })
    }

    /// Whether an application has got it for itself, in Entra's ways to say so.
    fn says_application(&self) -> bool {
        match self.0.get("idtyp") {
            Some(kind) => kind == "app",
            None => self.text("oid").is_some() && self.text("oid") == self.text("sub"),
        }
    }

    /// A user's scopes: a text with blanks between them, or of other issuers than
    /// Entra's kind a list.
    fn scopes(&self, trust: &Trust) -> Result<Option<Vec<&str>>, Error> {
        let path = &trust.names.scopes;
        match path.of(&self.0) {
            None => Ok(None),
            Some(Value::String(scopes)) => Ok(Some(scopes.split(' ').collect())),
            Some(Value::Array(_)) if !trust.is_built_in() => self.list(path).map(Some),
            Some(_) => Err(failure(&format!("The claim {path} is not text."))),
        }
    }

    /// The texts of a list, which may be absent.
    fn list(&self, path: &Path) -> Result<Vec<&str>, Error> {
        let texts = match path.of(&self.0) {
            None => Some(Vec::new()),
            Some(Value::Array(items)) => items.iter().map(Value::as_str).collect(),
            Some(_) => None,
        };
        texts.ok_or_else(|| failure(&format!("The claim {path} is not a list of texts.")))
    }

    /// The subject for log and audit. It is written where people read, so it is a
    /// GUID, or of another issuer a short word; that issuer's name stands before it.
    fn subject(&self, trust: &Trust, user: bool) -> Result<String, Error> {
        let (kind, paths) = if user {
            ("user", std::slice::from_ref(&trust.user))
        } else {
            ("app", &*trust.client)
        };
        let known = self.id_at(trust, paths);
        known.map(|id| format!("{kind}:{id}")).ok_or_else(|| {
            let names: Vec<String> = paths.iter().map(ToString::to_string).collect();
            let expected = if trust.is_built_in() { "a GUID" } else { "an id" };
            failure(&format!("The claim {} is not {expected}.", names.join(" or ")))
        })
    }

    /// The first of these that is there, as an id that no two have: a GUID of the
    /// built-in issuer's, or the issuer's name and a short word.
    fn id_at(&self, trust: &Trust, paths: &[Path]) -> Option<String> {
        let id = paths.iter().find_map(|path| self.text_at(path))?;
        match &trust.name {
            None => Uuid::try_parse(id).ok().map(|id| id.to_string()),
            Some(issuer) => word(id).map(|id| format!("{issuer}/{id}")),
        }
    }
}

fn known_tenant(tenant: Uuid, known: &HashSet<Uuid>) -> Result<Uuid, Error> {
    if known.contains(&tenant) {
        return Ok(tenant);
    }
    Err(failure("The tenant is not one that is served."))
}

fn no_time(name: &str) -> Error {
    failure(&format!("The claim {name} is not a whole number of seconds since 1970."))
}

/// A short word without blanks, as ids of subjects are; GUIDs in their one form.
fn word(id: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@:|+".contains(&byte);
    if let Some(id) = guid(id) {
        return Some(id.to_string());
    }
    let short = (1..=MAX_SUBJECT).contains(&id.len()) && id.bytes().all(plain);
    short.then(|| id.to_owned())
}
