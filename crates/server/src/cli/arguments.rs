//! What several commands share: where the data is, whose it is, and where what they
//! give is shown.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::auth::PERSONAL;
use crate::auth::trust::guid;
use crate::config::DEFAULT_DATA;
use crate::folder::Folder;

/// Where the data is, before the name of a command's part or after it.
#[derive(clap::Args)]
pub struct Data {
    /// The folder that keeps everything; serve, import and demo make it
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", default_value = DEFAULT_DATA, global = true)]
    data: PathBuf,
}

impl Data {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.data
    }

    /// The folder, which `rollcall serve` has made.
    pub fn folder(&self) -> Result<Folder, String> {
        Folder::open(&self.data).map_err(|error| error.to_string())
    }
}

const NO_GUID: &str = "expected a GUID such as 00000000-0000-0000-0000-000000000000";

/// A tenant of work or school accounts.
pub fn tenant(text: &str) -> Result<Uuid, String> {
    match guid(text) {
        Some(PERSONAL) => {
            Err("that is the tenant of personal accounts, which are refused".to_owned())
        }
        Some(tenant) => Ok(tenant),
        None => Err(NO_GUID.to_owned()),
    }
}

/// The id of a client.
pub fn client(text: &str) -> Result<Uuid, String> {
    guid(text).ok_or_else(|| NO_GUID.to_owned())
}

/// The first client's tenant, for who names none.
pub fn first_tenant(folder: &Folder) -> Result<Uuid, String> {
    Ok(folder.secrets().map_err(|error| error.to_string())?.client.tenant)
}

/// Standard output, which is what these commands are for.
pub fn print(text: &str) -> Result<(), String> {
    let written = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
    written.map_err(|error| format!("Standard output cannot be written: {error}."))
}
