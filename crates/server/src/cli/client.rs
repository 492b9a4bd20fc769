//! `rollcall client`: the first client, for who fetches tokens from the token endpoint.

use std::io::Write;
use std::path::PathBuf;

use crate::config::DEFAULT_DATA;
use crate::folder::Folder;

/// The arguments of `rollcall client`.
#[derive(clap::Args)]
pub struct Args {
    /// The folder that keeps everything
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", default_value = DEFAULT_DATA)]
    data: PathBuf,
}

/// Prints the client's tenant, id and secret, one a line, as a shell reads variables.
pub fn run(args: &Args) -> Result<(), String> {
    let folder = Folder::open(&args.data).map_err(|error| error.to_string())?;
    let client = folder.secrets().map_err(|error| error.to_string())?.client;
    let lines = format!(
        "TENANT={}\nCLIENT_ID={}\nCLIENT_SECRET={}\n",
        client.tenant,
        client.client_id,
        client.client_secret.reveal()
    );
    let written = std::io::stdout().write_all(lines.as_bytes());
    written.map_err(|error| format!("Standard output cannot be written: {error}."))
}
