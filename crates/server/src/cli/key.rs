//! `rollcall key`: API keys, for tools that cannot fetch tokens.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Subcommand;
use uuid::Uuid;

use super::access::{self, Asked, change, new, print};
use crate::auth::registry::Registry;
use crate::config::DEFAULT_DATA;
use crate::folder::Folder;

/// The arguments of `rollcall key`.
#[derive(clap::Args)]
pub struct Args {
    /// The folder that keeps everything
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", default_value = DEFAULT_DATA, global = true)]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add a key for a tenant's data and print it, which nobody can do again
    Add {
        /// The tenant whose data it opens; the first client's without it
        #[arg(long, value_name = "GUID", value_parser = access::tenant)]
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
    let folder = Folder::open(&args.data).map_err(|error| error.to_string())?;
    match &args.command {
        Command::Add { tenant, asked } => add(&folder, tenant.as_slice(), asked),
        Command::List => list(&folder),
        Command::Remove { id } => change(&folder, |it| {
            let unknown =
                || format!("There is no key {id}. `rollcall key list` prints the ids of all.");
            if it.remove_key(id) { Ok(()) } else { Err(unknown()) }
        }),
    }
}

fn add(folder: &Folder, tenant: &[Uuid], asked: &Asked) -> Result<(), String> {
    let wanted = asked.of(access::tenants(folder, tenant)?);
    let (now, random) = new();
    let key = change(folder, |it| it.add_key(wanted, now, &random))?;
    print(&format!("{}\n", key.reveal()))
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
