//! What `rollcall client`, `rollcall key` and `rollcall signing-key` share: changing
//! who has access, and telling the service that runs.

use super::arguments::print;
use crate::auth::permissions;
use crate::auth::registry::{Registry, Wanted};
use crate::clock::{Clock, SystemClock};
use crate::folder::Folder;
use crate::running;

/// What a new client or key is to be, as it is asked for.
#[derive(clap::Args)]
pub struct Asked {
    /// A name for people
    #[arg(long, default_value = "", value_parser = name)]
    name: String,
    /// A permission, several times for several
    #[arg(long = "role", value_name = "NAME", default_value = permissions::READ, value_parser = role)]
    roles: Vec<String>,
}

impl Asked {
    /// The same from now on.
    pub fn wanted(&self) -> Wanted {
        let (name, roles) = (self.name.clone(), self.roles.clone());
        Wanted { name, roles, created: SystemClock::start().now() }
    }
}

/// Changes who has access, shows what the change gives, and tells the service that
/// runs on the folder, if one does. Of two commands at once each sees what the other
/// has done.
pub fn change(
    folder: &Folder,
    change: impl FnOnce(&mut Registry) -> Result<String, String>,
) -> Result<(), String> {
    // A secret is shown once it is kept, whatever becomes of telling: nobody can show it again.
    let shown = kept(folder, change).and_then(|text| print(&text));
    // Also after a refusal: a command that was killed may have kept what it did not tell.
    let told = running::reload(folder);
    shown.and(told)
}

fn kept(
    folder: &Folder,
    change: impl FnOnce(&mut Registry) -> Result<String, String>,
) -> Result<String, String> {
    let _lock = folder.edit().map_err(|error| error.to_string())?;
    let mut registry = Registry::of(folder).map_err(|error| error.to_string())?;
    let before = registry.clone();
    let text = change(&mut registry)?;
    if registry != before {
        registry.keep(folder).map_err(|error| error.to_string())?;
    }
    Ok(text)
}

/// A name is shown in lists, one a line.
fn name(text: &str) -> Result<String, String> {
    if text.len() <= 64 && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err("expected at most 64 bytes without control characters".to_owned())
}

fn role(text: &str) -> Result<String, String> {
    let known: Vec<&str> = permissions::names().collect();
    if known.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("expected one of {}", known.join(", ")))
}
