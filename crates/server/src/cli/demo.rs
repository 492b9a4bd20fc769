//! `rollcall demo`: organisations that are made up, for who wants to look around.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{ToSpan, tz::TimeZone};
use rollcall_odata::edm::{EntitySet, Model};
use rollcall_odata::plan::{self, Create};
use rollcall_odata::{Row, catalog};
use rollcall_store::{Author, Error, Options, Store, Written};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::clock::{Clock, SystemClock, SystemRandom};
use crate::config::DEFAULT_DATA;
use crate::demo::{self, Organisation, Span};
use crate::folder::Folder;

/// The most organisations of one command.
const MAX_TENANTS: i64 = 1000;

/// The most days: ten years.
const MAX_DAYS: i64 = 3650;

/// How many writes are under way at once: what the writer takes into one commit.
const AT_ONCE: usize = 256;

/// Who is said to have written the rows.
const PRINCIPAL: &str = "rollcall demo";

/// The arguments of `rollcall demo`.
#[derive(clap::Args)]
pub struct Args {
    /// The folder that keeps everything; made where there is none
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR", default_value = DEFAULT_DATA)]
    data: PathBuf,
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

/// Fills tenants that have no rows, and says a line of each. One that has rows
/// is left as it is, and makes the command fail once the others are done.
pub fn run(args: &Args) -> Result<(), String> {
    let folder = Folder::open_or_create(&args.data).map_err(|error| error.to_string())?;
    let _lock = folder.lock().map_err(|error| error.to_string())?;
    let secrets = folder.make_secrets(&SystemRandom).map_err(|error| error.to_string())?;
    let model = catalog::load(catalog::EMBEDDED).map_err(|error| error.to_string())?;
    let store = Store::open(&folder.database(), &model, &Options::default());
    let store = store.map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| format!("The command cannot start: {error}."))?;
    let first = secrets.client.tenant;
    let done = runtime.block_on(all(&Fill { store: &store, model: &model }, args, first));
    store.close();
    done
}

async fn all(fill: &Fill<'_>, args: &Args, first: Uuid) -> Result<(), String> {
    let clock = SystemClock::start();
    let today = TimeZone::UTC.to_datetime(clock.now()).date();
    let last = today.checked_sub(demo::USUAL_DELAY.days()).unwrap_or(today);
    let span = Span { last, days: args.days };
    let mut refused: Vec<String> = Vec::new();
    for number in 0..args.tenants {
        let organisation = Organisation::new(args.seed, number);
        let tenant = if number == 0 { first } else { organisation.tenant() };
        let author = Author { tenant, principal: PRINCIPAL.to_owned(), at: clock.now() };
        let rows = fill.tenant(&author, &organisation, span).await;
        match rows.map_err(|error| format!("Tenant {tenant} was not filled: {error}."))? {
            None => refused.push(tenant.to_string()),
            Some(rows) => say(tenant, &organisation, span, rows),
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    Err(format!("These tenants have rows, and were left as they are: {}.", refused.join(", ")))
}

/// One line for people. Standard output may be closed.
fn say(tenant: Uuid, organisation: &Organisation, span: Span, rows: usize) {
    let (people, first, last) = (organisation.people(), span.first(), span.last);
    let line = format!("{tenant}: {people} people, {first} to {last}, {rows} rows");
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// Where rows go.
struct Fill<'a> {
    store: &'a Store,
    model: &'a Model,
}

impl Fill<'_> {
    /// Fills a tenant; gives the number of rows, or nothing where it had some before.
    async fn tenant(
        &self,
        author: &Author,
        organisation: &Organisation,
        span: Span,
    ) -> Result<Option<usize>, Error> {
        for set in &self.model.entity_sets {
            if self.store.count(author.tenant, Arc::clone(set)).await? > 0 {
                return Ok(None);
            }
        }
        let mut written = 0;
        for set in self.model.entity_sets.iter().filter(|set| demo::can_be_made_up(set)) {
            let rows: Vec<Row> = demo::rows(organisation, set, span).collect();
            written += rows.len();
            self.rows(author, set, rows).await?;
        }
        Ok(Some(written))
    }

    async fn rows(
        &self,
        author: &Author,
        set: &Arc<EntitySet>,
        rows: Vec<Row>,
    ) -> Result<(), Error> {
        let mut under_way: JoinSet<Result<Written, Error>> = JoinSet::new();
        for row in rows {
            if under_way.len() >= AT_ONCE {
                finished(under_way.join_next().await)?;
            }
            let (store, author) = (self.store.clone(), author.clone());
            let create = plan::Write::Create(Create { set: Arc::clone(set), row });
            under_way.spawn(async move { store.write(author, create).await });
        }
        while let Some(one) = under_way.join_next().await {
            finished(Some(one))?;
        }
        Ok(())
    }
}

type Joined = Result<Result<Written, Error>, tokio::task::JoinError>;

fn finished(one: Option<Joined>) -> Result<(), Error> {
    match one {
        None => Ok(()),
        Some(Ok(written)) => written.map(drop),
        Some(Err(_)) => Err(Error::Closed),
    }
}
