//! `rollcall client`: who fetches tokens from the token endpoint.

use std::fmt::Write;

use clap::Subcommand;
use uuid::Uuid;

use super::access::{Asked, change};
use super::arguments::{self, Data, print};
use crate::auth::registry::Registry;
use crate::clock::SystemRandom;
use crate::folder::{FirstClient, Folder, Secret};

/// The arguments of `rollcall client`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Add a client and print its id and secret, which nobody can print again
    Add {
        /// A tenant for which it gets tokens, several times for several; the first client's without it
        #[arg(long = "tenant", value_name = "GUID", value_parser = arguments::tenant)]
        tenants: Vec<Uuid>,
        #[command(flatten)]
        asked: Asked,
    },
    /// List all clients, without their secrets
    List,
    /// Give a client another secret; the one that it had, and its tokens, hold no more
    Rotate {
        /// The client's id
        #[arg(value_parser = arguments::client)]
        client: Uuid,
    },
    /// Take a client away; its tokens hold no more
    Remove {
        /// The client's id
        #[arg(value_parser = arguments::client)]
        client: Uuid,
    },
}

/// Without a command, prints the first client's tenant, id and secret, one a line, as
/// a shell reads variables.
pub fn run(args: &Args) -> Result<(), String> {
    let folder = args.data.folder()?;
    match &args.command {
        None => print(&shown(&first(&folder)?)),
        Some(Command::Add { tenants, asked }) => add(&folder, tenants, asked),
        Some(Command::List) => list(&folder),
        Some(Command::Rotate { client }) => rotate(&folder, *client),
        Some(Command::Remove { client }) => remove(&folder, *client),
    }
}

fn first(folder: &Folder) -> Result<FirstClient, String> {
    Ok(folder.secrets().map_err(|error| error.to_string())?.client)
}

fn shown(client: &FirstClient) -> String {
    lines(&[client.tenant], client.client_id, &client.client_secret)
}

fn lines(tenants: &[Uuid], client: Uuid, secret: &Secret) -> String {
    let tenants: Vec<String> = tenants.iter().map(Uuid::to_string).collect();
    let name = if tenants.len() == 1 { "TENANT" } else { "TENANTS" };
    format!("{name}={}\nCLIENT_ID={client}\nCLIENT_SECRET={}\n", tenants.join(","), secret.reveal())
}

fn add(folder: &Folder, given: &[Uuid], asked: &Asked) -> Result<(), String> {
    let mut tenants = given.to_vec();
    if tenants.is_empty() {
        tenants.push(arguments::first_tenant(folder)?);
    }
    tenants.sort_unstable();
    tenants.dedup();
    change(folder, |it| {
        let (client, secret) = it.add_client(tenants.clone(), asked.wanted(), &SystemRandom)?;
        Ok(lines(&tenants, client, &secret))
    })
}

fn list(folder: &Folder) -> Result<(), String> {
    let registry = Registry::of(folder).map_err(|error| error.to_string())?;
    let first = first(folder)?;
    let mut text =
        format!("{}  first  {}  {}\n", first.client_id, first.roles.join(","), first.tenant);
    for client in &registry.clients {
        let tenants: Vec<String> = client.tenants.iter().map(Uuid::to_string).collect();
        let (roles, tenants) = (client.roles.join(","), tenants.join(","));
        // Writing text into memory cannot fail.
        let _ = writeln!(
            text,
            "{}  {:.0}  {roles}  {tenants}  {}",
            client.client_id, client.created, client.name
        );
    }
    print(&text)
}

fn rotate(folder: &Folder, id: Uuid) -> Result<(), String> {
    change(folder, |it| {
        let first = first(folder)?;
        if id == first.client_id {
            let client = FirstClient { client_secret: Secret::make(&SystemRandom), ..first };
            folder.keep_first(&client).map_err(|error| error.to_string())?;
            return Ok(shown(&client));
        }
        let rotated = it.rotate_client(id, &SystemRandom);
        let (client, secret) = rotated.ok_or_else(|| unknown(id))?;
        Ok(lines(&client.tenants, id, &secret))
    })
}

fn remove(folder: &Folder, id: Uuid) -> Result<(), String> {
    if id == first(folder)?.client_id {
        return Err("The first client stays: `rollcall token` and `rollcall import` speak in its \
                    name. `rollcall client rotate` gives it another secret."
            .to_owned());
    }
    change(folder, |it| if it.remove_client(id) { Ok(String::new()) } else { Err(unknown(id)) })
}

fn unknown(id: Uuid) -> String {
    format!("There is no client {id}. `rollcall client list` prints the ids of all.")
}
