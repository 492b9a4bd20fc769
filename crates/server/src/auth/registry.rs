//! Who has got access besides the first client: clients of the built-in issuer and
//! API keys, as the data folder keeps them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::proof::Proof;
use crate::clock::Random;
use crate::folder::{Error, Folder, Secret};

/// The file of clients and API keys.
pub const FILE: &str = "clients.json";

/// The most clients, and the most API keys: all are held in memory, and the file is
/// written whole with each change.
const MOST: usize = 1000;

/// What an API key begins with, so that those who look for secrets in public places know it.
const PREFIX: &str = "rck_";

/// The length of an API key's id, in hexadecimal digits.
const ID: usize = 16;

/// All of them, in the order in which they were added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Registry {
    /// Clients of the token endpoint.
    pub clients: Vec<Client>,
    /// Keys that are sent in place of a token.
    pub keys: Vec<ApiKey>,
}

/// A client of the built-in issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its name for machines.
    pub client_id: Uuid,
    /// Its name for people.
    pub name: String,
    /// The tenants for which it gets tokens.
    pub tenants: Vec<Uuid>,
    /// The permissions that they carry.
    pub roles: Vec<String>,
    /// When it was added.
    pub created: Timestamp,
    /// What its secret is known by.
    pub secret: Proof,
}

/// An API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Its name for machines, which it shows itself.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Whose data it opens.
    pub tenant: Uuid,
    /// What it permits.
    pub roles: Vec<String>,
    /// When it was added.
    pub created: Timestamp,
    /// What its secret is known by.
    pub secret: Proof,
}

/// What a new client or key is to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its name for people.
    pub name: String,
    /// The permissions.
    pub roles: Vec<String>,
    /// When it is added.
    pub created: Timestamp,
}

impl Registry {
    /// What the folder keeps; nothing where nothing was added yet.
    pub fn of(folder: &Folder) -> Result<Self, Error> {
        let Some(text) = folder.kept(FILE)? else { return Ok(Self::default()) };
        serde_json::from_str(&text).map_err(|error| {
            // The position alone, as of all files with secrets.
            let (line, column) = (error.line(), error.column());
            let shown = folder.path().join(FILE);
            Error::new(format!(
                "{} is not as `rollcall client` and `rollcall key` write it, at line {line} \
                 column {column}.",
                shown.display()
            ))
        })
    }

    /// Keeps this in the folder: whole, or what was there before stays.
    pub fn keep(&self, folder: &Folder) -> Result<(), Error> {
        let mut json = serde_json::to_vec_pretty(self).unwrap_or_default();
        json.push(b'\n');
        folder.keep(FILE, &json)
    }

    /// The client of this id.
    pub fn client(&self, id: Uuid) -> Option<&Client> {
        self.clients.iter().find(|one| one.client_id == id)
    }

    /// Adds a client; its id and its secret, which is told here and never again.
    pub fn add_client(
        &mut self,
        tenants: Vec<Uuid>,
        Wanted { name, roles, created }: Wanted,
        random: &dyn Random,
    ) -> Result<(Uuid, Secret), String> {
        room(self.clients.len(), "clients")?;
        let (client_id, secret) = (random.guid(), Secret::make(random));
        let proof = Proof::of(&secret, random);
        self.clients.push(Client { client_id, name, tenants, roles, created, secret: proof });
        Ok((client_id, secret))
    }

    /// Gives a client another secret; nothing where there is no such client.
    pub fn rotate_client(&mut self, id: Uuid, random: &dyn Random) -> Option<(&Client, Secret)> {
        let client = self.clients.iter_mut().find(|one| one.client_id == id)?;
        let secret = Secret::make(random);
        client.secret = Proof::of(&secret, random);
        Some((client, secret))
    }

    /// Takes a client away; whether there was one.
    pub fn remove_client(&mut self, id: Uuid) -> bool {
        let before = self.clients.len();
        self.clients.retain(|one| one.client_id != id);
        self.clients.len() < before
    }

    /// Adds an API key for a tenant; what is to be sent, told here and never again.
    pub fn add_key(
        &mut self,
        tenant: Uuid,
        Wanted { name, roles, created }: Wanted,
        random: &dyn Random,
    ) -> Result<Secret, String> {
        room(self.keys.len(), "API keys")?;
        let id = random.guid().simple().to_string()[..ID].to_owned();
        let secret = Secret::make(random);
        let proof = Proof::of(&secret, random);
        let shown = Secret::from(format!("{PREFIX}{id}_{}", secret.reveal()));
        self.keys.push(ApiKey { id, name, tenant, roles, created, secret: proof });
        Ok(shown)
    }

    /// Takes an API key away; whether there was one.
    pub fn remove_key(&mut self, id: &str) -> bool {
        let before = self.keys.len();
        self.keys.retain(|one| one.id != id);
        self.keys.len() < before
    }
}

/// The id and the secret of an API key as it is sent.
pub fn parts(key: &str) -> Option<(&str, &str)> {
    let (id, secret) = key.strip_prefix(PREFIX)?.split_once('_')?;
    (id.len() == ID).then_some((id, secret))
}

fn room(have: usize, what: &str) -> Result<(), String> {
    if have < MOST {
        return Ok(());
    }
    Err(format!("There are {have} {what}. Expected at most {MOST}: remove what nobody uses."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededRandom;

    fn wanted() -> Wanted {
        let (name, roles) = ("a".to_owned(), vec!["Reports.Read.All".to_owned()]);
        Wanted { name, roles, created: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn what_is_kept_comes_back_and_holds_no_secret() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open_or_create(parent.path()).unwrap();
        assert_eq!(Registry::of(&folder).unwrap(), Registry::default());
        let random = SeededRandom::new(1);
        let mut registry = Registry::default();
        let (id, secret) = registry.add_client(vec![Uuid::nil()], wanted(), &random).unwrap();
        let key = registry.add_key(Uuid::nil(), wanted(), &random).unwrap();
        registry.keep(&folder).unwrap();
        assert_eq!(Registry::of(&folder).unwrap(), registry);
        let text = folder.kept(FILE).unwrap().unwrap();
        let (key_id, key_secret) = parts(key.reveal()).unwrap();
        assert!(!text.contains(secret.reveal()) && !text.contains(key_secret), "{text}");
        assert!(text.contains(&id.to_string()) && text.contains(key_id));
    }

    #[test]
    fn a_file_that_is_broken_is_told_by_its_place_alone() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open_or_create(parent.path()).unwrap();
        folder.keep(FILE, b"{\"clients\":[\n{\"secret\":\"hidden\"}]}").unwrap();
        let error = Registry::of(&folder).unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("hidden"), "{error}");
    }

    #[test]
    fn there_is_a_bound() {
        let random = SeededRandom::new(1);
        let mut registry = Registry::default();
        for _ in 0..MOST {
            registry.add_key(Uuid::nil(), wanted(), &random).unwrap();
        }
        let error = registry.add_key(Uuid::nil(), wanted(), &random).unwrap_err();
        assert!(error.contains("1000"), "{error}");
        let id = registry.keys[3].id.clone();
        assert!(registry.remove_key(&id) && !registry.remove_key(&id));
        registry.add_key(Uuid::nil(), wanted(), &random).unwrap();
    }

    #[test]
    fn a_key_is_taken_apart() {
        for wrong in ["", "rck_", "rck_0123456789abcdef", "rck_0_x", "x_0123456789abcdef_y"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
        let (id, secret) = parts("rck_0123456789abcdef_a_b-c").unwrap();
        assert_eq!((id, secret), ("0123456789abcdef", "a_b-c"));
    }
}
