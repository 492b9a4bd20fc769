//! `rollcall check`: whether the data is whole.

use std::io::Write;

use rollcall_odata::catalog;

use super::arguments::Data;

/// The arguments of `rollcall check`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
}

/// Checks the database and the rules between its tables; an error when one is broken.
pub fn run(args: &Args) -> Result<(), String> {
    let folder = args.data.folder()?;
    let model = catalog::load(catalog::EMBEDDED).map_err(|error| error.to_string())?;
    let report = rollcall_store::check(&folder.database(), &model);
    let report = report.map_err(|error| error.to_string())?;
    let mut out = std::io::stdout().lock();
    for line in &report.lines {
        drop(writeln!(out, "{line}"));
    }
    if report.problems.is_empty() {
        return Ok(());
    }
    Err(format!("The data is not whole:\n{}", report.problems.join("\n")))
}
