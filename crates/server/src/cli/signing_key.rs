//! `rollcall signing-key`: the key that signs the built-in issuer's tokens.

use std::path::PathBuf;

use clap::Subcommand;

use super::access::{change, print};
use crate::auth::issuer::Issuer;
use crate::clock::SystemRandom;
use crate::config::DEFAULT_DATA;
use crate::folder::{Folder, new_key};

/// The arguments of `rollcall signing-key`.
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
    /// Make a new key; tokens and download links of the one before hold no more
    Rotate,
}

/// Makes a new key and prints its name, the `kid` of its tokens.
pub fn run(args: &Args) -> Result<(), String> {
    let Command::Rotate = args.command;
    let folder = Folder::open(&args.data).map_err(|error| error.to_string())?;
    // It must be a folder that has one already.
    folder.secrets().map_err(|error| error.to_string())?;
    let key = new_key(&SystemRandom);
    change(&folder, |_| folder.keep_key(&key).map_err(|error| error.to_string()))?;
    let issuer = Issuer::of(&folder).map_err(|error| error.to_string())?;
    print(&format!("{}\n", issuer.kid()))
}
