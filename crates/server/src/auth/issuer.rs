//! The built-in issuer: tokens for one machine, in the shapes of Entra's.
//!
//! Its names do not depend on where the service listens, so that a token made
//! on the command line holds at any port.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::keys::Algorithm;
use super::proof;
use super::registry::Registry;
use super::trust::guid;
use crate::folder::{Error, FirstClient, Folder, Secrets};

/// Graph's application id, and its audience in tokens of version 2.0.
pub const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// Graph's audience in tokens of version 1.0.
pub const GRAPH_URL: &str = "https://graph.microsoft.com";

/// How long a token of the token endpoint holds, in seconds.
pub const LIFETIME: i64 = 3600;

/// The audiences that are Graph's, here and in the national clouds. They count
/// for the built-in issuer only, the first three: nobody but Graph can check the
/// tokens that Entra makes for Graph.
const AUDIENCES: [&str; 6] = [
    GRAPH,
    GRAPH_URL,
    "https://graph.microsoft.com/",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
];

/// The audiences of the built-in issuer's tokens.
pub fn audiences() -> Vec<String> {
    AUDIENCES[..3].iter().map(|&one| one.to_owned()).collect()
}

/// Whether this audience is Graph's in any cloud, however it is spelled.
pub fn is_graphs(audience: &str) -> bool {
    let bare = audience.trim_end_matches('/');
    AUDIENCES.iter().any(|one| bare.eq_ignore_ascii_case(one.trim_end_matches('/')))
}

/// The two shapes of Entra's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Version 1.0, which Graph's own tokens have.
    One,
    /// Version 2.0.
    Two,
}

impl Version {
    /// The version of this name, as the claim `ver` has it.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "1.0" => Some(Self::One),
            "2.0" => Some(Self::Two),
            _ => None,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::One => "1.0",
            Self::Two => "2.0",
        }
    }
}

/// How the issuer's names begin. The host is a name that never leaves a machine (RFC 6761).
pub const HOST: &str = "https://rollcall.localhost/";

/// The issuer's name for a tenant, as the claim `iss` has it.
pub fn name(version: Version, tenant: &str) -> String {
    match version {
        Version::One => format!("{HOST}{tenant}/"),
        Version::Two => format!("{HOST}{tenant}/v2.0"),
    }
}

/// What a token is to say.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Whose data it is about.
    pub tenant: Uuid,
    /// The application that gets it.
    pub client: Uuid,
    /// What it may.
    pub holder: Holder,
    /// In which shape it says so.
    pub version: Version,
    /// For how many seconds it holds.
    pub seconds: i64,
}

/// Who holds a token.
#[derive(Debug, Clone)]
pub enum Holder {
    /// An application with these permissions.
    Application(Vec<String>),
    /// A user with these scopes and admin roles.
    User {
        /// The scopes that were consented to.
        scopes: Vec<String>,
        /// The template ids of the user's admin roles.
        wids: Vec<Uuid>,
    },
}

/// The claim that says which secret of its client a token was given for.
pub const GENERATION: &str = "rollcall_gen";

/// The issuer.
#[derive(Clone)]
pub struct Issuer {
    key: SigningKey,
    kid: String,
    client: FirstClient,
    registry: Registry,
}

/// A client that has proven itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proven<'a> {
    /// Its id.
    pub client: Uuid,
    /// The tenants for which it gets tokens.
    pub tenants: &'a [Uuid],
    /// The permissions that they carry.
    pub roles: &'a [String],
}

impl Issuer {
    /// The issuer with these secrets and no client but the first.
    pub fn new(secrets: &Secrets) -> Self {
        let key = SigningKey::from(&secrets.signing_key);
        let kid = thumbprint(&coordinates(key.verifying_key()));
        Self { key, kid, client: secrets.client.clone(), registry: Registry::default() }
    }

    /// The same with these clients and keys as well.
    #[must_use]
    pub fn knowing(self, registry: Registry) -> Self {
        Self { registry, ..self }
    }

    /// The issuer of a folder, with all its clients.
    pub fn of(folder: &Folder) -> Result<Self, Error> {
        Ok(Self::new(&folder.secrets()?).knowing(Registry::of(folder)?))
    }

    /// The name of its key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key that signs download links: it follows from the key that signs tokens, and
    /// tells nothing of it.
    pub fn link_key(&self) -> [u8; 32] {
        let digest = Sha256::new().chain_update(b"rollcall download links 1");
        digest.chain_update(self.key.to_bytes()).finalize().into()
    }

    /// The key that checks its signatures.
    pub fn verifying_key(&self) -> VerifyingKey {
        *self.key.verifying_key()
    }

    /// Its first client.
    pub fn client(&self) -> &FirstClient {
        &self.client
    }

    /// Who else has access.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The client of this id and secret; the secret is told in constant time.
    pub fn proven(&self, id: &str, secret: &str) -> Option<Proven<'_>> {
        let id = guid(id)?;
        let first = &self.client;
        if id == first.client_id {
            let expected = first.client_secret.reveal().as_bytes();
            let same = bool::from(secret.as_bytes().ct_eq(expected));
            let tenants = std::slice::from_ref(&first.tenant);
            return same.then_some(Proven { client: id, tenants, roles: &first.roles });
        }
        let client = self.registry.client(id)?;
        let (tenants, roles) = (&*client.tenants, &*client.roles);
        client.secret.holds(secret).then_some(Proven { client: id, tenants, roles })
    }

    /// Which secret of this client tokens are given for now.
    pub fn generation(&self, client: Uuid) -> Option<String> {
        if client == self.client.client_id {
            return Some(proof::generation(self.client.client_secret.reveal()));
        }
        self.registry.client(client).map(|client| client.secret.generation())
    }

    /// A token that says this from now on.
    pub fn mint(&self, grant: &Grant, now: Timestamp) -> String {
        let second = now.as_second();
        let mut claims = json!({
            "aud": match grant.version { Version::One => GRAPH_URL, Version::Two => GRAPH },
            "iss": name(grant.version, &grant.tenant.to_string()),
            "iat": second,
            "nbf": second,
            "exp": second + grant.seconds,
            "oid": grant.client,
            "sub": grant.client,
            "tid": grant.tenant,
            "ver": grant.version.text(),
        });
        let (client, strength) = match grant.version {
            Version::One => ("appid", "appidacr"),
            Version::Two => ("azp", "azpacr"),
        };
        claims[client] = json!(grant.client);
        if let Some(generation) = self.generation(grant.client) {
            claims[GENERATION] = json!(generation);
        }
        claims[strength] = json!("1");
        match &grant.holder {
            Holder::Application(roles) => claims["roles"] = json!(roles),
            Holder::User { scopes, wids } => {
                claims["scp"] = json!(scopes.join(" "));
                claims["wids"] = json!(wids);
            }
        }
        self.sign(&self.header(), &claims)
    }

    /// The header of its tokens.
    pub fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": Algorithm::Es256.name(), "kid": self.kid })
    }

    /// A token of any header and claims, signed by this issuer's key: also how
    /// tests come by tokens that are wrong in all but their signature.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature: Signature = self.key.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// Its keys as a JWKS document.
    pub fn jwks(&self) -> Value {
        let (x, y) = coordinates(self.key.verifying_key());
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": Algorithm::Es256.name(), "kid": self.kid,
        }] })
    }

    /// Its OpenID configuration for a tenant. `base` is scheme, host and port. MSAL
    /// takes no configuration whose issuer is of another origin than the authority; what
    /// access tokens have as `iss` stands where AD FS says it.
    pub fn configuration(&self, base: &str, tenant: &str) -> Value {
        let shown = if guid(tenant).is_some() { tenant } else { "{tenantid}" };
        json!({
            "issuer": format!("{base}/{shown}/v2.0"),
            "access_token_issuer": name(Version::Two, shown),
            "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
            "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": ["none"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": [Algorithm::Es256.name()],
        })
    }
}

/// The two coordinates of a public key in base64url.
fn coordinates(key: &VerifyingKey) -> (String, String) {
    let point = key.to_encoded_point(false);
    let text = |part: Option<&p256::FieldBytes>| {
        part.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).unwrap_or_default()
    };
    (text(point.x()), text(point.y()))
}

/// A key's name: the digest of its required members in order (RFC 7638).
fn thumbprint((x, y): &(String, String)) -> String {
    let members = format!("{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"{x}\",\"y\":\"{y}\"}}");
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}
