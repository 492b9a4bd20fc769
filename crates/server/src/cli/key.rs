//! `rollcall key`: API keys, for tools that cannot fetch tokens.

use std::fmt::Write;

use clap::Subcommand;
use uuid::Uuid;

use super::access::{Asked, change};
use super::arguments::{self, Data, print};
use crate::auth::registry::Registry;
use crate::clock::SystemRandom;
use crate::folder::Folder;

/// The arguments of `rollcall key`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add a key for a tenant's data and print it, which nobody can do again
    Add {
        /// The tenant whose data it opens; the first client's without it
        #[arg(long, value_name = "GUID", value_parser = arguments::tenant)]
        tenant: Option<Uuid>,
        #[command(flatten)]
        asked: Asked,
    },
    /// List all keys by what they begin with
    List,
    /// Take a key away
    Remove {
        /// The key's id, as the list shows it
        id: String,
    },
}

/// Changes or lists API keys.
pub fn run(args: &Args) -> Result<(), String> {
    let folder = args.data.folder()?;
    match &args.command {
        Command::Add { tenant, asked } => add(&folder, *tenant, asked),
        Command::List => list(&folder),
        Command::Remove { id } => change(&folder, |it| {
            let unknown =
                || format!("There is no key {id}. `rollcall key list` prints the ids of all.");
            if it.remove_key(id) { Ok(String::new()) } else { Err(unknown()) }
        }),
    }
}

fn add(folder: &Folder, tenant: Option<Uuid>, asked: &Asked) -> Result<(), String> {
    let tenant = tenant.map_or_else(|| arguments::first_tenant(folder), Ok)?;
    change(folder, |it| {
        let key = it.add_key(tenant, asked.wanted(), &SystemRandom)?;
        Ok(format!("{}\n", key.reveal()))
    })
}

fn list(folder: &Folder) -> Result<(), String> {
    let registry = Registry::of(folder).map_err(|error| error.to_string())?;
    let mut text = String::new();
    for key in &registry.keys {
        let roles = key.roles.join(",");
        // Writing text into memory cannot fail.
        let _ =
            writeln!(text, "{}  {:.0}  {roles}  {}  {}", key.id, key.created, key.tenant, key.name);
    }
    print(&text)
}
