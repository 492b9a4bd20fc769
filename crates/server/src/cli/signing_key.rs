//! `rollcall signing-key`: the key that signs the built-in issuer's tokens.

use clap::Subcommand;

use super::access::change;
use super::arguments::Data;
use crate::auth::issuer::Issuer;
use crate::clock::SystemRandom;
use crate::folder::{SIGNING_KEY, Secrets, new_key};

/// The arguments of `rollcall signing-key`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a new key; tokens and download links of the one before hold no more
    Rotate,
}

/// Makes a new key and prints its name, the `kid` of its tokens.
pub fn run(args: &Args) -> Result<(), String> {
    let Command::Rotate = args.command;
    let folder = args.data.folder()?;
    change(&folder, |_| {
        let secrets = folder.secrets().map_err(|error| error.to_string())?;
        let secrets = Secrets { signing_key: new_key(&SystemRandom), ..secrets };
        folder.keep_key(SIGNING_KEY, &secrets.signing_key).map_err(|error| error.to_string())?;
        Ok(format!("{}\n", Issuer::new(&secrets).kid()))
    })
}
