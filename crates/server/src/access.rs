//! Who has access, as the data folder says it: read anew when a command says that it
//! has changed, and whenever its files are others though nobody says so.

use std::path::{Path, PathBuf};
use std::time::Duration;

use subtle::ConstantTimeEq;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::app::App;
use crate::auth::issuer::Issuer;
use crate::auth::registry;
use crate::clock::Random;
use crate::folder::{Content, Error, FIRST_CLIENT, Folder, SIGNING_KEY, Secret};

/// How long is waited until the folder is looked at again: for what a command has kept
/// that was killed before it could tell, or that told a service which hung.
const LOOK: Duration = Duration::from_secs(1);

/// The files that say who has access.
const FILES: [&str; 3] = [SIGNING_KEY, FIRST_CLIENT, registry::FILE];

/// What a service knows of its folder.
#[derive(Debug)]
pub struct Access {
    folder: PathBuf,
    /// What only the folder and the service know.
    pub secret: Secret,
    /// What was read last, if it could be. What was read last is what counts: nobody
    /// reads while another has read and not replaced yet.
    read: Mutex<Option<Content>>,
}

impl Access {
    /// Of this folder, with a new secret.
    pub fn of(folder: &Folder, random: &dyn Random) -> Self {
        let secret = Secret::make(random);
        Self { folder: folder.path().to_owned(), secret, read: Mutex::default() }
    }

    /// Whether this is the secret, told in constant time.
    pub fn is_shown(&self, secret: Option<&str>) -> bool {
        let shown = secret.unwrap_or_default().as_bytes();
        shown.ct_eq(self.secret.reveal().as_bytes()).into()
    }

    /// Reads it anew whenever the files are others. What cannot be read is in the log
    /// once. It never ends.
    pub async fn keep(&self, app: &App) {
        let mut told = None;
        loop {
            tokio::time::sleep(LOOK).await;
            let failed = self.renew(app, true).await.err();
            if let Some(cause) = failed.as_ref().filter(|_| failed != told) {
                app.log.write(&format!("{:.3} access kept cause={cause:?}", app.clock.now()));
            }
            told = failed;
        }
    }

    /// Reads it anew, `changed_alone` only where the files do not say what was read
    /// last. What cannot be read leaves everything as it was.
    pub async fn renew(&self, app: &App, changed_alone: bool) -> Result<(), String> {
        let mut read = self.read.lock().await;
        let (folder, before) = (self.folder.clone(), read.filter(|_| changed_alone));
        // Its disk may answer late.
        let looked = spawn_blocking(move || look(&folder, before)).await;
        let looked = looked.map_err(|error| error.to_string());
        let looked = looked.and_then(|looked| looked.map_err(|error| error.to_string()));
        match looked {
            Ok(None) => {}
            Ok(Some((content, issuer))) => {
                app.links.renew(&issuer);
                app.authenticator.replace(issuer);
                *read = Some(content);
            }
            Err(cause) => {
                *read = None;
                return Err(cause);
            }
        }
        Ok(())
    }
}

/// Who has access by the files of a folder, unless they still say this.
fn look(folder: &Path, before: Option<Content>) -> Result<Option<(Content, Issuer)>, Error> {
    let folder = Folder::open(folder)?;
    // Looked at before it is read: what is written meanwhile is read once more.
    let content = folder.content(&FILES)?;
    if before == Some(content) {
        return Ok(None);
    }
    Ok(Some((content, Issuer::of(&folder)?)))
}
