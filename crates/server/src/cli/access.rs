//! What `rollcall client`, `rollcall key` and `rollcall signing-key` share: changing
//! who has access, and telling the service that runs.

use uuid::Uuid;

use crate::auth::PERSONAL;
use crate::auth::permissions;
use crate::auth::registry::{Registry, Wanted};
use crate::auth::trust::guid;
use crate::clock::{Clock, SystemClock, SystemRandom};
use crate::folder::Folder;
use crate::running;

/// What a new client or key is to be, as it is asked for.
#[derive(clap::Args)]
pub struct Asked {
    /// A name for people
    #[arg(long, default_value = "", value_parser = name)]
    name: String,
    /// A permission, several times for several
    #[arg(long = "role", value_name = "NAME", default_value = "Reports.Read.All", value_parser = role)]
    roles: Vec<String>,
}

impl Asked {
    /// The same for these tenants.
    pub fn of(&self, tenants: Vec<Uuid>) -> Wanted {
        Wanted { name: self.name.clone(), tenants, roles: self.roles.clone() }
    }
}

/// Changes who has access, and tells the service that runs on the folder, if one does.
/// Of two commands at once each sees what the other has done.
pub fn change<T>(
    folder: &Folder,
    change: impl FnOnce(&mut Registry) -> Result<T, String>,
) -> Result<T, String> {
    let lock = folder.edit().map_err(|error| error.to_string())?;
    let mut registry = Registry::of(folder).map_err(|error| error.to_string())?;
    let before = registry.clone();
    let done = change(&mut registry);
    if done.is_ok() && registry != before {
        registry.keep(folder).map_err(|error| error.to_string())?;
    }
    drop(lock);
    // Also after a refusal: a command that was killed may have kept what it did not tell.
    running::reload(folder)?;
    done
}

/// What is new: the time, and where names and secrets come from.
pub fn new() -> (jiff::Timestamp, SystemRandom) {
    (SystemClock::start().now(), SystemRandom)
}

/// The tenants that are meant: these, or the first client's.
pub fn tenants(folder: &Folder, given: &[Uuid]) -> Result<Vec<Uuid>, String> {
    if given.is_empty() {
        let secrets = folder.secrets().map_err(|error| error.to_string())?;
        return Ok(vec![secrets.client.tenant]);
    }
    let mut tenants = given.to_vec();
    tenants.sort_unstable();
    tenants.dedup();
    Ok(tenants)
}

/// Standard output, which is what these commands are for.
pub fn print(text: &str) -> Result<(), String> {
    let written = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
    written.map_err(|error| format!("Standard output cannot be written: {error}."))
}

/// A name is shown in lists, one a line.
fn name(text: &str) -> Result<String, String> {
    if text.len() <= 64 && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err("expected at most 64 bytes without control characters".to_owned())
}

/// A tenant of work or school accounts.
pub fn tenant(text: &str) -> Result<Uuid, String> {
    match guid(text) {
        Some(PERSONAL) => {
            Err("that is the tenant of personal accounts, which are refused".to_owned())
        }
        Some(tenant) => Ok(tenant),
        None => Err("expected a GUID such as 00000000-0000-0000-0000-000000000000".to_owned()),
    }
}

fn role(text: &str) -> Result<String, String> {
    let known: Vec<&str> = permissions::names().collect();
    if known.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("expected one of {}", known.join(", ")))
}
