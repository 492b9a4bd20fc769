//! `rollcall backup`: a consistent copy of the data, made while the service runs.

use std::path::PathBuf;

use super::arguments::Data;

/// The arguments of `rollcall backup`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    /// The file to write; it must not be there yet. To restore it, name it rollcall.db in an
    /// empty folder and serve that
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Copies every row and every change; secrets are not among them.
pub fn run(args: &Args) -> Result<(), String> {
    let folder = args.data.folder()?;
    rollcall_store::backup(&folder.database(), &args.file).map_err(|error| error.to_string())
}
