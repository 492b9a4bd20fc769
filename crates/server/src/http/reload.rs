//! How the command line tells a running service that who has access has changed:
//! an address that knows nobody but who can read the folder, since what it asks for
//! is written there when the service starts. Who is not told looks for himself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::HeaderName;
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::app::App;
use crate::auth::issuer::Issuer;
use crate::auth::registry;
use crate::clock::Random;
use crate::folder::{Error, FIRST_CLIENT, Folder, Mark, SIGNING_KEY, Secret, Secrets};
use crate::http::answer::Answer;
use crate::http::error::{Refusal, internal};

/// Where it is told.
pub const PATH: &str = "/rollcall/reload";

/// The header with what the folder says.
pub const SECRET: HeaderName = HeaderName::from_static("x-rollcall-reload");

/// How long is waited until the folder is looked at again: for what a command has kept
/// that was killed before it could tell, or that told a service which hung.
const LOOK: Duration = Duration::from_secs(1);

/// The files that say who has access.
const FILES: [&str; 3] = [SIGNING_KEY, FIRST_CLIENT, registry::FILE];

/// What a service knows of its folder, and the folder of it.
#[derive(Debug)]
pub struct Reload {
    folder: PathBuf,
    /// What only the folder and the service know.
    pub secret: Secret,
    /// The files that were read last, if they could be. What was read last is what
    /// counts: nobody reads while another has read and not replaced yet.
    read: Mutex<Option<[Mark; 3]>>,
}

impl Reload {
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

    /// Reads anew who has access. What it cannot read leaves everything as it was.
    pub async fn read(&self, app: &App) -> Result<Answer, Refusal> {
        self.renew(app, false).await.map_err(internal)?;
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }

    /// Reads it anew whenever the files are others, though nobody says so. What cannot
    /// be read is in the log once. It never ends.
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

    /// Reads it, `changed_alone` only where the files are not those that were read last.
    async fn renew(&self, app: &App, changed_alone: bool) -> Result<(), String> {
        let mut read = self.read.lock().await;
        let (folder, before) = (self.folder.clone(), read.filter(|_| changed_alone));
        // Its disk may answer late.
        let looked = spawn_blocking(move || look(&folder, before)).await;
        let looked = looked.map_err(|error| error.to_string());
        let looked = looked.and_then(|looked| looked.map_err(|error| error.to_string()));
        match looked {
            Ok(None) => {}
            Ok(Some((marks, issuer, secrets))) => {
                app.authenticator.replace(issuer);
                app.links.renew(&secrets);
                *read = Some(marks);
            }
            Err(cause) => {
                *read = None;
                return Err(cause);
            }
        }
        Ok(())
    }
}

type Found = ([Mark; 3], Issuer, Secrets);

/// Who has access by the files of a folder, unless they are still these.
fn look(folder: &Path, before: Option<[Mark; 3]>) -> Result<Option<Found>, Error> {
    let folder = Folder::open(folder)?;
    let [key, first, registered] = FILES.map(|name| folder.mark(name));
    // Looked at before they are read: what is written meanwhile is read once more.
    let marks = [key?, first?, registered?];
    if before == Some(marks) {
        return Ok(None);
    }
    Ok(Some((marks, Issuer::of(&folder)?, folder.secrets()?)))
}
