//! The built-in issuer as it is now: its key, its clients, and the API keys beside
//! them. It is replaced as a whole when one of them changes.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use rollcall_odata::Error;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::issuer::Issuer;
use super::keys::Keys;
use super::permissions::Permissions;
use super::proof::Proof;
use super::registry::{self, ApiKey};
use super::{Principal, failure};

/// By what somebody has got access: which secret of a client, or of an API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Given {
    /// A client's id, and which secret of it.
    Client(Uuid, String),
    /// A key's id, and which secret of it.
    Key(String, String),
}

/// All that the built-in issuer gives access by.
pub struct Own {
    /// The issuer itself.
    pub issuer: Arc<Issuer>,
    /// What its signatures are checked with.
    pub keys: Keys,
    api_keys: HashMap<String, (Proof, Arc<Principal>)>,
}

impl Own {
    /// The same of this issuer.
    pub fn new(issuer: Issuer) -> Self {
        let holder = |key: &ApiKey| (key.id.clone(), (key.secret.clone(), Arc::new(of_key(key))));
        let api_keys = issuer.registry().keys.iter().map(holder).collect();
        Self { keys: Keys::of(&issuer), issuer: Arc::new(issuer), api_keys }
    }

    /// Whether there is any API key.
    pub fn has_keys(&self) -> bool {
        !self.api_keys.is_empty()
    }

    /// Who sends this API key.
    pub fn holder(&self, key: &str) -> Result<Arc<Principal>, Error> {
        let known = registry::parts(key).and_then(|(id, secret)| {
            let (proof, principal) = self.api_keys.get(id)?;
            proof.holds(secret).then(|| Arc::clone(principal))
        });
        known.ok_or_else(|| failure("The API key is not one that is known."))
    }

    /// Refuses what was given to who is not there any more, or has another secret.
    pub fn still_given(&self, given: Option<&Given>) -> Result<(), Error> {
        let holds = match given {
            None => true,
            Some(Given::Client(client, then)) => {
                self.issuer.generation(*client).as_ref() == Some(then)
            }
            Some(Given::Key(id, _)) => {
                self.api_keys.get(id).is_some_and(|(_, now)| now.given.as_ref() == given)
            }
        };
        if holds {
            return Ok(());
        }
        Err(failure("Whoever it was given to was removed, or has got another secret since."))
    }
}

/// Who holds this key: an application with these permissions, for as long as the key is there.
fn of_key(key: &ApiKey) -> Principal {
    let roles: Vec<&str> = key.roles.iter().map(String::as_str).collect();
    Principal {
        tenant: key.tenant,
        subject: format!("key:{}", key.id),
        application: format!("key:{}", key.id),
        given: Some(Given::Key(key.id.clone(), key.secret.generation())),
        permissions: Permissions::of_key(&roles),
        expires: Timestamp::MAX,
    }
}
