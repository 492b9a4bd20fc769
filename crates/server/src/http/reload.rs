//! How the command line tells a running service that who has access has changed:
//! an address that knows nobody but who can read the folder, since what it asks for
//! is written there when the service starts.

use std::path::PathBuf;

use hyper::StatusCode;
use hyper::header::HeaderName;
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::app::App;
use crate::auth::issuer::Issuer;
use crate::clock::Random;
use crate::folder::{Error, Folder, Secret};
use crate::http::answer::Answer;
use crate::http::error::{Refusal, internal};

/// Where it is told.
pub const PATH: &str = "/rollcall/reload";

/// The header with what the folder says.
pub const SECRET: HeaderName = HeaderName::from_static("x-rollcall-reload");

/// What a service knows of its folder, and the folder of it.
#[derive(Debug)]
pub struct Reload {
    folder: PathBuf,
    /// What only the folder and the service know.
    pub secret: Secret,
    /// What was read last is what counts: nobody reads while another has read and
    /// not replaced yet.
    reading: Mutex<()>,
}

impl Reload {
    /// Of this folder, with a new secret.
    pub fn of(folder: &Folder, random: &dyn Random) -> Self {
        let secret = Secret::make(random);
        Self { folder: folder.path().to_owned(), secret, reading: Mutex::default() }
    }

    /// Whether this is the secret, told in constant time.
    pub fn is_shown(&self, secret: Option<&str>) -> bool {
        let shown = secret.unwrap_or_default().as_bytes();
        shown.ct_eq(self.secret.reveal().as_bytes()).into()
    }

    /// Reads anew who has access. What it cannot read leaves everything as it was.
    pub async fn read(&self, app: &App) -> Result<Answer, Refusal> {
        let _one_at_a_time = self.reading.lock().await;
        let folder = self.folder.clone();
        // Its disk may answer late.
        let read = spawn_blocking(move || -> Result<_, Error> {
            let folder = Folder::open(&folder)?;
            Ok((Issuer::of(&folder)?, folder.secrets()?))
        });
        let read = read.await.map_err(|error| internal(error.to_string()))?;
        let (issuer, secrets) = read.map_err(|error| internal(error.to_string()))?;
        app.authenticator.replace(issuer);
        app.links.renew(&secrets);
        Ok(Answer::empty(StatusCode::NO_CONTENT))
    }
}
