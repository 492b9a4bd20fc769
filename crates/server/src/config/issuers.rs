//! Issuers as the settings name them, and each checked.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use uuid::Uuid;

use crate::auth::PERSONAL;
use crate::auth::address::Address;
use crate::auth::fetch::Client;
use crate::auth::issuer::{HOST, is_graphs};
use crate::auth::permissions::is_graphs_administrator;
use crate::auth::remote::{Source, Trusted};
use crate::auth::trust::{Admins, Application, Names, Path, TENANT_ID, Tenants, Trust, Url, guid};

/// The longest name of an issuer, in letters.
const MAX_NAME: usize = 64;

/// What stands for the tenant where Entra is asked for keys: an address of all tenants.
const ANY_TENANT: &str = "common";

/// Entra's host in tokens of version 1.0, which has no documents of its own, and the one that has them.
const VERSION_ONE: (&str, &str) =
    ("https://sts.windows.net/", "https://login.microsoftonline.com/");

/// Where a discovery document stands below its issuer's name.
const DISCOVERY: &str = ".well-known/openid-configuration";

/// An issuer as it is given.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Given {
    /// Its name as tokens have it in `iss`, `{tenantid}` where each has its tenant.
    url: String,
    /// What its tokens for this service have in `aud`: one, or several.
    audience: OneOrMore,
    /// A short name for log and audit; the URL's host without it.
    name: Option<String>,
    /// The tenants that are served, or `"all"`.
    tenants: Option<OneOrMore>,
    /// The one tenant that all its tokens are about.
    tenant: Option<String>,
    tenant_claim: Option<Claim>,
    roles_claim: Option<Claim>,
    scopes_claim: Option<Claim>,
    admin_roles_claim: Option<Claim>,
    user_claim: Option<Claim>,
    client_claim: Option<Claim>,
    /// The claim that an application's own tokens have and a user's have not.
    application_claim: Option<Claim>,
    /// Names of admin roles that only read.
    #[serde(default)]
    reader_roles: Vec<String>,
    /// Names of admin roles that do what the scope permits.
    #[serde(default)]
    administrator_roles: Vec<String>,
    /// Where the discovery document is, if not below the URL.
    discovery_url: Option<String>,
    /// Where the keys are, if no discovery document says so.
    jwks_url: Option<String>,
    /// Authorities to trust in besides the machine's.
    ca_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// A claim: names with dots between them, or a list of names that have dots.
type Claim = OneOrMore;

impl OneOrMore {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(all) => all,
        }
    }
}

/// An issuer from one line, as a table of the settings file within its braces.
pub fn parse(line: &str) -> Result<Given, String> {
    #[derive(Deserialize)]
    struct Line {
        issuer: Given,
    }
    let line: Result<Line, _> = toml::from_str(&format!("issuer = {{ {line} }}"));
    line.map(|line| line.issuer).map_err(|error| error.message().to_owned())
}

/// These issuers, each checked, and no two that could be taken for one another.
pub fn settle(given: Vec<Given>) -> Result<Vec<Trusted>, String> {
    let mut settled: Vec<Trusted> = Vec::new();
    for one in given {
        let url = one.url.clone();
        let next = one.settle().map_err(|why| format!("The issuer '{url}' is wrong: {why}."))?;
        for other in &settled {
            apart(&next.trust, &other.trust)
                .map_err(|why| format!("The issuer '{url}' is wrong: {why}."))?;
        }
        settled.push(next);
    }
    Ok(settled)
}

fn apart(one: &Trust, other: &Trust) -> Result<(), String> {
    let covers = |one: &Trust, other: &Trust| match &other.url {
        Url::One(url) => one.url.covers(url),
        url => *url == one.url,
    };
    if covers(one, other) || covers(other, one) {
        return Err("a token could be another issuer's as well".to_owned());
    }
    if one.name == other.name {
        let name = one.name.as_deref().unwrap_or_default();
        return Err(format!("another has the name '{name}', too. Expected a name of its own"));
    }
    Ok(())
}

impl Given {
    fn settle(self) -> Result<Trusted, String> {
        let place = checked_url(&self.url)?;
        let name = self.name.clone().unwrap_or(place.authority);
        if !is_name(&name) {
            return Err(format!(
                "name is '{name}'. Expected letters, digits and '.:-_[]', at most {MAX_NAME}"
            ));
        }
        let tenants = self.tenants()?;
        let source = self.source()?;
        let client = Client::new(self.ca_file.as_deref(), source.is_secure())?;
        let (client_claims, user, application) = (
            claims("client-claim", self.client_claim.as_ref(), &["appid", "azp"])?,
            claim("user-claim", self.user_claim.as_ref(), "oid")?,
            match &self.application_claim {
                None => Application::AsEntra,
                Some(given) => Application::With(path("application-claim", given)?),
            },
        );
        let names = Names {
            roles: claim("roles-claim", self.roles_claim.as_ref(), "roles")?,
            scopes: claim("scopes-claim", self.scopes_claim.as_ref(), "scp")?,
            admin_roles: claim("admin-roles-claim", self.admin_roles_claim.as_ref(), "wids")?,
        };
        let trust = Trust {
            name: Some(name),
            url: Url::of(&self.url),
            audiences: audiences(self.audience)?,
            tenants,
            names: Arc::new(names),
            admins: admins(self.reader_roles, self.administrator_roles)?,
            user,
            client: client_claims,
            application,
        };
        Ok(Trusted { trust, source, client })
    }

    fn tenants(&self) -> Result<Tenants, String> {
        let named = claim("tenant-claim", self.tenant_claim.as_ref(), "tid")?;
        match (&self.tenant, self.tenants.clone().map(OneOrMore::all)) {
            (Some(_), _) if self.tenant_claim.is_some() || self.url.contains(TENANT_ID) => {
                Err("tenant is given, and tokens are to name theirs. Expected tenants".to_owned())
            }
            (Some(tenant), None) => Ok(Tenants::Fixed(organisation("tenant", tenant)?)),
            (None, Some(all)) if all == ["all"] => Ok(Tenants::All(named)),
            (None, Some(some)) if !some.is_empty() => {
                let some = some.iter().map(|one| organisation("tenants", one));
                Ok(Tenants::Named(named, some.collect::<Result<HashSet<_>, _>>()?))
            }
            _ => Err("whose data is it? Expected either tenants, a list of GUIDs or \"all\", or \
                      tenant, the GUID that all tokens are about"
                .to_owned()),
        }
    }

    /// Where the keys are: beside the issuer, unless another place is named.
    fn source(&self) -> Result<Source, String> {
        let place = |setting: &str, url: &str| {
            Address::parse(url).map_err(|why| format!("{setting}: {}", why.trim_end_matches('.')))
        };
        match (&self.discovery_url, &self.jwks_url) {
            (Some(_), Some(_)) => Err("discovery-url and jwks-url are both given. Expected one, \
                                       as keys come from one place"
                .to_owned()),
            (None, Some(url)) => Ok(Source::Jwks(place("jwks-url", url)?)),
            (Some(url), None) => {
                Ok(Source::Discovery(place("discovery-url", url)?, self.url.clone()))
            }
            (None, None) => {
                let url = self.url.replacen(VERSION_ONE.0, VERSION_ONE.1, 1);
                let url = url.replace(TENANT_ID, ANY_TENANT);
                let url = format!("{}/{DISCOVERY}", url.trim_end_matches('/'));
                Ok(Source::Discovery(place("url", &url)?, self.url.clone()))
            }
        }
    }
}

fn checked_url(url: &str) -> Result<Address, String> {
    if url.starts_with(HOST) {
        return Err("this is the built-in issuer's name".to_owned());
    }
    if url.matches(TENANT_ID).count() > 1 || url.replace(TENANT_ID, "").contains(['{', '}']) {
        return Err(format!("expected {TENANT_ID} once, or not at all, and no other braces"));
    }
    if url.contains(TENANT_ID) && !url.split('/').skip(3).any(|segment| segment == TENANT_ID) {
        return Err(format!("expected {TENANT_ID} to be a whole segment of the path"));
    }
    if url.contains(['?', '#']) {
        return Err("expected neither a query nor a fragment".to_owned());
    }
    Address::parse(&url.replace(TENANT_ID, ANY_TENANT))
        .map_err(|why| why.trim_end_matches('.').to_owned())
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:-_[]".contains(&byte);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain)
}

/// What users are by their roles: one that reads and one that does more are never the same.
fn admins(readers: Vec<String>, administrators: Vec<String>) -> Result<Admins, String> {
    if let Some(role) = readers.iter().find(|role| administrators.contains(role)) {
        return Err(format!(
            "the role '{role}' is among reader-roles and administrator-roles. Expected it in one \
             of them"
        ));
    }
    match readers.iter().find(|role| is_graphs_administrator(role)) {
        None => Ok(Admins { readers, administrators }),
        Some(role) => Err(format!(
            "the role '{role}' among reader-roles is one of Graph's that may do more than read. \
             Expected a role of your own"
        )),
    }
}

fn audiences(given: OneOrMore) -> Result<Vec<String>, String> {
    let all = given.all();
    if all.is_empty() || all.iter().any(String::is_empty) {
        return Err("expected an audience that is not empty".to_owned());
    }
    match all.iter().find(|one| is_graphs(one)) {
        Some(graphs) => Err(format!(
            "the audience '{graphs}' is Graph's, and nobody but Graph can check such tokens. \
             Expected one of your own, see docs/entra.md"
        )),
        None => Ok(all),
    }
}

fn organisation(setting: &str, text: &str) -> Result<Uuid, String> {
    match guid(text) {
        Some(PERSONAL) => {
            Err(format!("{setting} has the tenant of personal accounts, which are not served"))
        }
        Some(tenant) => Ok(tenant),
        None => Err(format!("{setting} has '{text}'. Expected a GUID")),
    }
}

fn claim(setting: &str, given: Option<&Claim>, default: &str) -> Result<Path, String> {
    given.map_or_else(|| Ok(Path::plain(default)), |given| path(setting, given))
}

fn claims(setting: &str, given: Option<&Claim>, defaults: &[&str]) -> Result<Vec<Path>, String> {
    match given {
        None => Ok(defaults.iter().map(|name| Path::plain(name)).collect()),
        Some(given) => Ok(vec![path(setting, given)?]),
    }
}

fn path(setting: &str, given: &Claim) -> Result<Path, String> {
    let names = match given {
        OneOrMore::One(text) => text.split('.').map(str::to_owned).collect(),
        OneOrMore::More(names) => names.clone(),
    };
    Path::nested(names).ok_or_else(|| {
        format!("{setting} is no claim. Expected its name, with dots where it is nested")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "11111111-1111-1111-1111-111111111111";

    fn one(line: &str) -> Result<Trusted, String> {
        settle(vec![parse(line)?]).map(|mut all| all.remove(0))
    }

    fn discovery(line: &str) -> String {
        match one(&format!("{line}, audience = \"a\", tenants = \"all\"")).unwrap().source {
            Source::Discovery(place, issuer) => {
                assert!(line.contains(&issuer));
                format!("{}{}", place.authority, place.target)
            }
            Source::Jwks(_) => String::new(),
        }
    }

    #[test]
    fn documents_are_where_entra_and_others_have_them() {
        for (url, place) in [
            (
                "https://login.microsoftonline.com/{tenantid}/v2.0",
                "login.microsoftonline.com/common/v2.0",
            ),
            ("https://sts.windows.net/{tenantid}/", "login.microsoftonline.com/common"),
            (
                "https://login.microsoftonline.us/{tenantid}/v2.0",
                "login.microsoftonline.us/common/v2.0",
            ),
            (
                "https://login.partner.microsoftonline.cn/{tenantid}/v2.0",
                "login.partner.microsoftonline.cn/common/v2.0",
            ),
            ("https://keycloak.example/realms/a", "keycloak.example/realms/a"),
            ("http://localhost:8080/realms/a", "localhost:8080/realms/a"),
        ] {
            let expected = format!("{place}/.well-known/openid-configuration");
            assert_eq!(discovery(&format!("url = \"{url}\"")), expected);
        }
        let of_us = "url = \"https://sts.windows.net/{tenantid}/\", discovery-url = \
                     \"https://login.microsoftonline.us/common/.well-known/openid-configuration\"";
        assert!(discovery(of_us).starts_with("login.microsoftonline.us/common/"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let base = |more: &str| format!("url = \"https://a.example\", {more}");
        let rest = format!("audience = \"api://x\", tenant = \"{TENANT}\"");
        assert!(one(&base(&rest)).is_ok());
        for (line, why) in [
            (rest.clone(), "missing field `url`"),
            (base("tenants = \"all\""), "missing field `audience`"),
            (base(&format!("{rest}, color = 1")), "unknown field `color`"),
            (base("audience = 3, tenants = \"all\""), "expected a text or a list of texts"),
            (base("audience = [], tenants = \"all\""), "audience"),
            (base("audience = \"\", tenants = \"all\""), "audience"),
            (base("audience = \"https://graph.microsoft.com\", tenants = \"all\""), "Graph's"),
            (
                base("audience = [\"a\", \"https://GRAPH.microsoft.us/\"], tenants = \"all\""),
                "Graph's",
            ),
            (
                base("audience = \"00000003-0000-0000-c000-000000000000\", tenants = \"all\""),
                "Graph's",
            ),
            (base("audience = \"a\""), "Expected either tenants"),
            (base("audience = \"a\", tenants = []"), "Expected either tenants"),
            (base("audience = \"a\", tenants = \"contoso\""), "Expected a GUID"),
            (base("audience = \"a\", tenant = \"all\""), "Expected a GUID"),
            (base(&format!("{rest}, tenants = \"all\"")), "Expected either tenants"),
            (base(&format!("{rest}, tenant-claim = \"x\"")), "Expected tenants"),
            (base(&format!("audience = \"a\", tenant = \"{PERSONAL}\"")), "personal accounts"),
            (base(&format!("audience = \"a\", tenants = [\"{PERSONAL}\"]")), "personal accounts"),
            (base(&format!("{rest}, roles-claim = \"a..b\"")), "roles-claim is no claim"),
            (base(&format!("{rest}, scopes-claim = []")), "scopes-claim is no claim"),
            (base(&format!("{rest}, name = \"a b\"")), "name is 'a b'"),
            (
                base(&format!("{rest}, reader-roles = [\"R\"], administrator-roles = [\"R\"]")),
                "the role 'R' is among reader-roles and administrator-roles",
            ),
            (
                base(&format!("{rest}, reader-roles = [\"29232CDF-9323-42fd-ade2-1d097af3e4de\"]")),
                "may do more than read",
            ),
            (base(&format!("{rest}, jwks-url = \"http://b.example\"")), "jwks-url: "),
            (base(&format!("{rest}, discovery-url = \"x\"")), "discovery-url: "),
            (
                base(&format!("{rest}, discovery-url = \"https://x\", jwks-url = \"https://y\"")),
                "both given",
            ),
            (base(&format!("{rest}, ca-file = \"/nowhere\"")), "/nowhere cannot be read"),
        ] {
            let refused = one(&line).unwrap_err();
            assert!(refused.contains(why), "{line}: {refused}");
        }
        for (url, why) in [
            ("http://a.example", "http:// where the host is this machine"),
            ("a.example", "Expected https://"),
            ("https://a.example/?x=y", "neither a query"),
            ("https://a.example/#x", "neither a query"),
            ("https://a.example/{tenant}", "no other braces"),
            ("https://a.example/{tenantid}/{tenantid}", "once"),
            ("https://{tenantid}.a.example/", "whole segment"),
            ("https://a.example/x{tenantid}", "whole segment"),
            ("https://rollcall.localhost/x/", "built-in"),
        ] {
            let line = format!("url = \"{url}\", audience = \"a\", tenants = \"all\"");
            let refused = one(&line).unwrap_err();
            assert!(refused.contains(why) && refused.contains(url), "{refused}");
        }
    }

    #[test]
    fn no_two_issuers_can_be_taken_for_one_another() {
        let both = |one: &str, other: &str| {
            let line = |url: &str| {
                parse(&format!("url = \"{url}\", audience = \"a\", tenants = \"all\"")).unwrap()
            };
            settle(vec![line(one), line(other)]).map(|all| all.len())
        };
        assert_eq!(both("https://a.example", "https://b.example"), Ok(2));
        let template = "https://a.example/{tenantid}/v2.0";
        let within = format!("https://a.example/{TENANT}/v2.0");
        for (one, other) in [(template, &*within), (&*within, template), (template, template)] {
            assert!(both(one, other).unwrap_err().contains("another issuer's as well"));
        }
        let realms = both("https://a.example/realms/x", "https://a.example/realms/y").unwrap_err();
        assert!(realms.contains("Expected a name of its own"), "{realms}");
    }
}
