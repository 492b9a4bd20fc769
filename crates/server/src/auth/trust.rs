//! Whose tokens are believed, of what they are believed, and where they say it.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::issuer;

/// What stands in an issuer's URL where its tokens have their tenant, as Entra
/// documents it.
pub const TENANT_ID: &str = "{tenantid}";

/// How many seconds another machine's clock may be ahead of this one when it
/// says that a token begins. Nothing is forgiven at its end: a token that has
/// expired is refused from that second on.
const AHEAD: i64 = 60;

/// An issuer that is trusted.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The name under which its subjects are known and the log speaks of it;
    /// the built-in issuer has none.
    pub name: Option<String>,
    /// What its tokens have as `iss`.
    pub url: Url,
    /// What they have as `aud`, one of them.
    pub audiences: Vec<String>,
    /// Whose data they are about.
    pub tenants: Tenants,
    /// The claims that say what is permitted.
    pub names: Arc<Names>,
    /// What its admin roles are called, besides Graph's template ids.
    pub admins: Admins,
    /// The claim with a user's id.
    pub user: Path,
    /// The claims that can have an application's id; the first that is there counts.
    pub client: Vec<Path>,
    /// Which tokens are an application's own.
    pub application: Application,
}

/// The issuer's name, as tokens have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Url {
    /// The built-in issuer's, which differs by tenant and version.
    BuiltIn,
    /// One for all tokens.
    One(String),
    /// One for each tenant: what stands before and behind it.
    PerTenant(String, String),
}

/// Whose data an issuer's tokens are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenants {
    /// This tenant's, whatever they say.
    Fixed(Uuid),
    /// The tenant's that the claim names, if it is one of these.
    Named(Path, HashSet<Uuid>),
    /// The tenant's that the claim names, whichever it is.
    All(Path),
}

/// Which tokens are an application's own, and not a user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Application {
    /// Those without scopes.
    WithoutScopes,
    /// Those without scopes that say so, or whose subject is their object, as in
    /// Entra: an ID token has no scopes either, but a subject of its own.
    AsEntra,
    /// Those with this claim.
    With(Path),
}

/// The claims that say what is permitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// An application's permissions.
    pub roles: Path,
    /// A user's permissions.
    pub scopes: Path,
    /// A user's admin roles.
    pub admin_roles: Path,
}

/// Admin roles by names of the issuer's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admins {
    /// Those that only read.
    pub readers: Vec<String>,
    /// Those that do what the scope permits.
    pub administrators: Vec<String>,
}

/// Where a claim stands: its name, and those of the objects that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Default for Names {
    fn default() -> Self {
        let [roles, scopes, admin_roles] = ["roles", "scp", "wids"].map(Path::plain);
        Self { roles, scopes, admin_roles }
    }
}

impl Path {
    /// A claim that stands in no object.
    pub fn plain(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// A claim in objects, each name exact; `None` if there is no name, or an empty one.
    pub fn nested(names: Vec<String>) -> Option<Self> {
        (!names.is_empty() && names.iter().all(|name| !name.is_empty())).then_some(Self(names))
    }

    /// What stands there.
    pub fn of<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, name| value.get(name))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl Url {
    /// The name that this text stands for.
    pub fn of(text: &str) -> Self {
        match text.split_once(TENANT_ID) {
            None => Self::One(text.to_owned()),
            Some((before, behind)) => Self::PerTenant(before.to_owned(), behind.to_owned()),
        }
    }

    /// Whether a token with this `iss` is one of the issuer's, or says so.
    pub fn covers(&self, iss: &str) -> bool {
        match self {
            Self::BuiltIn => iss.starts_with(issuer::HOST),
            Self::One(url) => url == iss,
            Self::PerTenant(before, behind) => {
                let tenant = iss.strip_prefix(before.as_str());
                let tenant = tenant.and_then(|rest| rest.strip_suffix(behind.as_str()));
                tenant.is_some_and(|tenant| guid(tenant).is_some())
            }
        }
    }

    /// Whether this is the issuer's name in a token of this tenant and version.
    pub fn is(&self, iss: &str, tenant: Uuid, version: Option<issuer::Version>) -> bool {
        match self {
            Self::BuiltIn => {
                version.is_some_and(|version| issuer::name(version, &tenant.to_string()) == iss)
            }
            Self::One(url) => url == iss,
            Self::PerTenant(before, behind) => format!("{before}{tenant}{behind}") == iss,
        }
    }
}

impl Trust {
    /// The trust in the built-in issuer, for which alone Graph's audiences count.
    pub fn built_in() -> Self {
        Self {
            name: None,
            url: Url::BuiltIn,
            audiences: issuer::audiences(),
            tenants: Tenants::All(Path::plain("tid")),
            names: Arc::default(),
            admins: Admins::default(),
            user: Path::plain("oid"),
            client: ["appid", "azp"].map(Path::plain).to_vec(),
            application: Application::WithoutScopes,
        }
    }

    /// Whether this is the built-in issuer: its tokens have all that it writes,
    /// and its clock is this machine's.
    pub fn is_built_in(&self) -> bool {
        self.url == Url::BuiltIn
    }

    /// How many seconds a token may begin later than now.
    pub fn ahead(&self) -> i64 {
        if self.is_built_in() { 0 } else { AHEAD }
    }
}

/// A GUID in the one form with four dashes.
pub fn guid(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_found_where_they_stand() {
        let claims = json!({ "a": { "b.c": { "d": 1 } }, "a.b": 2 });
        let claims = claims.as_object().unwrap();
        let path = |names: &[&str]| Path::nested(names.iter().map(ToString::to_string).collect());
        let of = |names: &[&str]| path(names).unwrap().of(claims).cloned();
        assert_eq!(of(&["a", "b.c", "d"]), Some(json!(1)));
        assert_eq!(of(&["a.b"]), Some(json!(2)));
        assert_eq!(of(&["a", "b"]), None);
        assert_eq!(of(&["a.b", "c"]), None);
        assert_eq!((path(&[]), path(&["a", ""])), (None, None));
    }

    #[test]
    fn a_template_covers_guids_alone() {
        let url = Url::of("https://login.example/{tenantid}/v2.0");
        let tenant = "11111111-1111-1111-1111-111111111111";
        assert!(url.covers(&format!("https://login.example/{tenant}/v2.0")));
        for other in ["common", "", "{tenantid}", "11111111111111111111111111111111"] {
            assert!(!url.covers(&format!("https://login.example/{other}/v2.0")), "{other}");
        }
        assert!(!url.covers(&format!("https://login.example/{tenant}/v2.0/")));
        assert!(!url.covers(&format!("https://evil.example/{tenant}/v2.0")));
    }
}
