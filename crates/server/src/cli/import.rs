//! `rollcall import`: files of rows into the folder, or through the service that has it.

use std::io::{IsTerminal, Write};

use rollcall_odata::catalog;
use rollcall_odata::payload::csv::read::Known;
use rollcall_odata::plan::bulk::Policy;
use uuid::Uuid;

use super::arguments::{Data, tenant};
use crate::clock::SystemClock;
use crate::import::progress::Progress;
use crate::import::sink::{Sink, Terms};
use crate::import::{Import, Summary, source};
use crate::tally::MAX_DETAILS;

/// Who is said to have written the rows, where no token says it.
const AUTHOR: &str = "import";

/// The arguments of `rollcall import`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    /// The tenant whose data it is; the first client's without it
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    tenant: Option<Uuid>,
    /// Which report the files are of, a function's or a data set's name, where their headings
    /// fit several
    #[arg(long, value_name = "NAME")]
    report: Option<String>,
    /// Give facts that are there with other numbers those of the files; the former ones are kept
    #[arg(long)]
    replace: bool,
    /// Say what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Files, folders, patterns in quotes, or - for standard input: CSV or lines of JSON, as they
    /// are or in .gz or .zip
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
}

/// Imports all files; an error when a row was left out, or a file could not be read.
pub fn run(args: &Args) -> Result<(), String> {
    let model = catalog::load(catalog::EMBEDDED).map_err(|error| error.to_string())?;
    let known = match &args.report {
        None => Known::of_model(&model),
        Some(name) => Known::named(&model, name).map_err(|error| error.message)?,
    };
    let sources = source::find(&args.files)?;
    let policy = if args.replace { Policy::Replace } else { Policy::Keep };
    let terms = Terms { tenant: args.tenant, policy, dry: args.dry_run, author: AUTHOR };
    let sink = Sink::open(args.data.path(), &model, terms)?;
    let total = sources.iter().map(source::Source::size).sum();
    let progress = Progress::new(total, std::io::stderr().is_terminal());
    let import = Import { known, sink, progress, clock: Box::new(SystemClock::start()) };
    let summary = import.run(&sources, &mut |line| say(line))?;
    say(&summary.line(args.dry_run));
    faults(&summary)
}

/// Standard output may be closed.
fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// What was left out, as far as it is told.
fn faults(summary: &Summary) -> Result<(), String> {
    if summary.is_clean() {
        return Ok(());
    }
    let mut lines = vec!["Not everything was imported.".to_owned()];
    lines.extend(summary.reasons.iter().take(MAX_DETAILS).cloned());
    let more = summary.left_out().saturating_sub(lines.len() as u64 - 1);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Err(lines.join("\n"))
}
