//! The folder's secrets: the built-in issuer's key and its first client, made
//! on first start and readable by the owner alone.

use std::fs;
use std::path::Path;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::SecretKey;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Error, Folder, write_whole};
use crate::clock::Random;

/// The file of the key that signs the built-in issuer's tokens.
pub const SIGNING_KEY: &str = "signing-key.pem";
/// The file of the first client.
pub const FIRST_CLIENT: &str = "client.json";

/// Stands for all that several files hold.
pub type Content = [u8; 32];

/// Text that is shown to nobody by accident: `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A new one of 256 random bits that nobody knows.
    pub fn make(random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The text, for who has a reason.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// The client that is there from the first start on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstClient {
    /// Its tenant, the only one for which it gets tokens.
    pub tenant: Uuid,
    /// Its name.
    pub client_id: Uuid,
    /// What it proves itself with.
    pub client_secret: Secret,
    /// The application permissions that its tokens carry.
    pub roles: Vec<String>,
}

/// What the built-in issuer needs to be one.
#[derive(Clone)]
pub struct Secrets {
    /// The key that signs its tokens.
    pub signing_key: SecretKey,
    /// Its first client.
    pub client: FirstClient,
}

impl Secrets {
    /// New ones that nobody knows; the first client has this permission.
    pub fn make(random: &dyn Random, permission: &str) -> Self {
        let client_secret = Secret::make(random);
        let client = FirstClient {
            tenant: random.guid(),
            client_id: random.guid(),
            client_secret,
            roles: vec![permission.to_owned()],
        };
        Self { signing_key: new_key(random), client }
    }
}

/// A key of the curve P-256. Almost any 32 bytes are one.
pub fn new_key(random: &dyn Random) -> SecretKey {
    loop {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        if let Ok(key) = SecretKey::from_slice(&bytes) {
            return key;
        }
    }
}

impl Folder {
    /// The folder's secrets; what is missing is made, a first client with this
    /// permission. For who holds the lock.
    pub fn make_secrets(&self, random: &dyn Random, permission: &str) -> Result<Secrets, Error> {
        let made = Secrets::make(random, permission);
        if !self.has(SIGNING_KEY)? {
            self.keep_key(SIGNING_KEY, &made.signing_key)?;
        }
        if !self.has(FIRST_CLIENT)? {
            self.keep_first(&made.client)?;
        }
        self.secrets()
    }

    /// The private key that it keeps in the file of this name, if there is one.
    pub fn kept_key(&self, name: &str) -> Result<Option<SecretKey>, Error> {
        self.has(name)?.then(|| read_key(&self.path.join(name))).transpose()
    }

    /// Keeps this private key in the file of this name, in place of one that is there.
    pub fn keep_key(&self, name: &str, key: &SecretKey) -> Result<(), Error> {
        let pem = key.to_pkcs8_pem(LineEnding::LF);
        let pem = pem.map_err(|_| Error::new("A key cannot be written as PEM."))?;
        self.keep(name, pem.as_bytes())
    }

    /// Keeps this first client in place of the one that is there.
    pub fn keep_first(&self, client: &FirstClient) -> Result<(), Error> {
        let mut json = serde_json::to_vec_pretty(client).unwrap_or_default();
        json.push(b'\n');
        self.keep(FIRST_CLIENT, &json)
    }

    /// What it keeps in the file of this name, a secret; nothing where there is none.
    pub fn kept(&self, name: &str) -> Result<Option<String>, Error> {
        self.has(name)?.then(|| read(&self.path.join(name))).transpose()
    }

    /// What stands for all that the files of these names hold, as long as they are secrets
    /// still.
    pub fn content(&self, names: &[&str]) -> Result<Content, Error> {
        let mut digest = Sha256::new();
        for name in names {
            // The length keeps one file's end apart from the next one's beginning.
            match self.kept(name)? {
                None => digest.update([0]),
                Some(text) => {
                    digest.update([1]);
                    digest.update(text.len().to_be_bytes());
                    digest.update(text);
                }
            }
        }
        Ok(digest.finalize().into())
    }

    /// Whether there is a file of this name. A link to one that cannot be reached now
    /// is one as well: nothing new must take its place.
    fn has(&self, name: &str) -> Result<bool, Error> {
        let path = self.path.join(name);
        match fs::symlink_metadata(&path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::of_file(&path, &error)),
        }
    }

    /// Keeps this in the file of this name, for the owner alone.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        write_whole(&self.path.join(name), bytes)
    }

    /// The folder's secrets, which its first `rollcall serve` has made.
    pub fn secrets(&self) -> Result<Secrets, Error> {
        let signing_key = read_key(&self.path.join(SIGNING_KEY))?;
        let client = self.path.join(FIRST_CLIENT);
        let parsed = serde_json::from_str(&read(&client)?).map_err(|error| {
            // The position alone: the text around it may be the secret.
            let (line, column) = (error.line(), error.column());
            let shown = client.display();
            Error::new(format!("{shown} is not a client's JSON, at line {line} column {column}."))
        })?;
        Ok(Secrets { signing_key, client: parsed })
    }
}

/// Reads a private key, which is one of the curve P-256.
fn read_key(path: &Path) -> Result<SecretKey, Error> {
    SecretKey::from_pkcs8_pem(&read(path)?)
        .map_err(|_| Error::new(format!("{} is not a P-256 key in PKCS#8 PEM.", path.display())))
}

/// Reads a secret file, unless others could read it too.
fn read(path: &Path) -> Result<String, Error> {
    owned(path)?;
    fs::read_to_string(path).map_err(|error| Error::of_file(path, &error))
}

#[cfg(unix)]
fn owned(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let data = fs::metadata(path).map_err(|error| Error::of_file(path, &error))?;
    let others = data.permissions().mode() & 0o077;
    if others == 0 {
        return Ok(());
    }
    let shown = path.display();
    Err(Error::new(format!(
        "{shown} is a secret that others than its owner may use. Make it yours with \
         `chmod 600 {shown}`."
    )))
}

#[cfg(not(unix))]
fn owned(_: &Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededRandom;

    #[test]
    fn secrets_are_made_once() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open_or_create(parent.path()).unwrap();
        assert!(folder.secrets().is_err());
        let first = folder.make_secrets(&SeededRandom::new(1), "all").unwrap();
        let second = folder.make_secrets(&SeededRandom::new(2), "all").unwrap();
        assert_eq!(first.signing_key, second.signing_key);
        assert_eq!(first.client.client_secret, second.client.client_secret);
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_reached_is_not_made_anew() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open_or_create(parent.path()).unwrap();
        let nowhere = parent.path().join("unmounted/client.json");
        std::os::unix::fs::symlink(&nowhere, parent.path().join(FIRST_CLIENT)).unwrap();
        assert!(folder.kept(FIRST_CLIENT).is_err());
        let made = folder.make_secrets(&SeededRandom::new(1), "all").map(drop);
        assert!(made.unwrap_err().to_string().contains(FIRST_CLIENT));
        assert!(parent.path().join(FIRST_CLIENT).is_symlink());
    }

    #[test]
    fn no_error_and_no_debug_text_shows_a_secret() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open_or_create(parent.path()).unwrap();
        let secrets = folder.make_secrets(&SeededRandom::new(1), "all").unwrap();
        let secret = secrets.client.client_secret.reveal().to_owned();
        assert!(!format!("{:?}", secrets.client).contains(&secret));
        write_whole(&parent.path().join(FIRST_CLIENT), secret.as_bytes()).unwrap();
        let error = folder.secrets().map(|_| ()).unwrap_err().to_string();
        assert!(!error.contains(&secret), "{error}");
    }

    #[test]
    fn what_files_hold_is_told_apart() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open_or_create(parent.path()).unwrap();
        let mut seen = Vec::new();
        for (one, other) in [("", ""), ("a", ""), ("", "a"), ("ab", "c"), ("a", "bc")] {
            folder.keep("one", one.as_bytes()).unwrap();
            folder.keep("other", other.as_bytes()).unwrap();
            let content = folder.content(&["one", "other"]).unwrap();
            assert_eq!(content, folder.content(&["one", "other"]).unwrap());
            assert!(!seen.contains(&content), "{one:?} {other:?}");
            seen.push(content);
        }
        fs::remove_file(parent.path().join("one")).unwrap();
        assert!(!seen.contains(&folder.content(&["one", "other"]).unwrap()));
    }
}
