//! `rollcall demo`: organisations that are made up, for who wants to look around.

use std::io::Write;
use std::sync::Arc;

use jiff::{ToSpan, tz::TimeZone};
use rollcall_odata::catalog;
use rollcall_odata::edm::{EntitySet, Model};
use rollcall_odata::plan::bulk::{self, Policy};
use uuid::Uuid;

use super::arguments::Data;
use crate::clock::{Clock, SystemClock};
use crate::demo::{self, Organisation, Span};
use crate::import::sink::{Rows, Sink, Terms};
use crate::tally::Tally;

/// The most organisations of one command.
const MAX_TENANTS: i64 = 1000;

/// The most days: ten years.
const MAX_DAYS: i64 = 3650;

/// Who is said to have written the rows, where no token says it.
const AUTHOR: &str = "demo";

/// The arguments of `rollcall demo`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    /// How many organisations; the first is the first client's tenant
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=MAX_TENANTS))]
    tenants: u32,
    /// How many days each, up to the day before yesterday
    #[arg(long, value_name = "COUNT", default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=MAX_DAYS))]
    days: u16,
    /// The same number makes the same organisations
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// Fills tenants that have no rows, in the folder or through the service that
/// has it, and says a line of each. One that has rows is left as it is, and
/// makes the command fail once the others are done.
pub fn run(args: &Args) -> Result<(), String> {
    let model = catalog::load(catalog::EMBEDDED).map_err(|error| error.to_string())?;
    let terms = Terms { tenant: None, policy: Policy::Keep, dry: false, author: AUTHOR };
    let mut sink = Sink::open(args.data.path(), &model, terms)?;
    let database = args.data.folder()?.database();
    let today = TimeZone::UTC.to_datetime(SystemClock::start().now()).date();
    let last = today.checked_sub(demo::USUAL_DELAY.days()).unwrap_or(today);
    let span = Span { last, days: args.days };
    let mut refused: Vec<String> = Vec::new();
    for number in 0..args.tenants {
        let organisation = Organisation::new(args.seed, number);
        if number > 0 {
            sink.turn_to(organisation.tenant(), &mut Tally::default())?;
        }
        let tenant = sink.tenant();
        let has_rows = rollcall_store::has_rows(&database, &model, tenant);
        if has_rows.map_err(|error| error.to_string())? {
            refused.push(tenant.to_string());
            continue;
        }
        let rows = fill(&mut sink, &model, &organisation, span)
            .map_err(|error| format!("Tenant {tenant} was not filled: {error}"))?;
        say(tenant, &organisation, span, rows);
    }
    sink.close()?;
    if refused.is_empty() {
        return Ok(());
    }
    Err(format!("These tenants have rows, and were left as they are: {}.", refused.join(", ")))
}

/// One line for people. Standard output may be closed.
fn say(tenant: Uuid, organisation: &Organisation, span: Span, rows: u64) {
    let (people, first, last) = (organisation.people(), span.first(), span.last);
    let rows = if rows == 1 { "1 row" } else { &format!("{rows} rows") };
    let line = format!("{tenant}: {people} people, {first} to {last}, {rows}");
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Fills a tenant, and says with how many rows.
fn fill(
    sink: &mut Sink,
    model: &Model,
    organisation: &Organisation,
    span: Span,
) -> Result<u64, String> {
    let mut tally = Tally::default();
    for set in model.entity_sets.iter().filter(|set| demo::can_be_made_up(set)) {
        sink.send(made_up(set, organisation, span), &mut tally)?;
    }
    sink.settle(&mut tally)?;
    if tally.is_clean() {
        return Ok(tally.created);
    }
    Err(format!("somebody else has written to it meanwhile: {}.", tally.words()))
}

/// All rows of a set; ten years of them are some thousands.
fn made_up(set: &Arc<EntitySet>, organisation: &Organisation, span: Span) -> Rows {
    let mut rows = bulk::Rows::new(set.entity_type.properties.len());
    for row in demo::rows(organisation, set, span) {
        rows.push(row);
    }
    let lines = (1..).take(rows.len()).collect();
    Rows { set: Arc::clone(set), rows, lines }
}
