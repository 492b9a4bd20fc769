//! Where rows go: into the folder of a service that is stopped, or through the
//! one that runs. Whoever has rows to store need not know which.

use std::path::Path;
use std::sync::Arc;

use rollcall_odata::edm::{EntitySet, Model};
use rollcall_odata::plan::bulk::{self, Bulk, Fate, Policy};
use rollcall_store::{Author, Options, Pending, Store};
use uuid::Uuid;

use super::service::Service;
use crate::auth::issuer::Issuer;
use crate::auth::permissions::READ_WRITE;
use crate::clock::{Clock, Random, SystemClock, SystemRandom};
use crate::folder::{Folder, Lock};
use crate::http::error::conflict;
use crate::tally::Tally;

/// How many rows go into a stopped service's folder at once: nobody else waits.
const FOLDER_BATCH: usize = 100_000;

/// How many rows go through a running service at once.
const SERVICE_BATCH: usize = 10_000;

/// Rows and the lines on which they stand.
pub struct Rows {
    /// The set that they are for.
    pub set: Arc<EntitySet>,
    /// The rows; one without a key has a null in its place.
    pub rows: bulk::Rows,
    /// The line of each.
    pub lines: Vec<u64>,
}

/// How rows are to be stored.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Whose they are; the first client's without it.
    pub tenant: Option<Uuid>,
    /// What to do with facts that are there with other numbers.
    pub policy: Policy,
    /// Whether it is only to be known what would happen. Rows are looked at
    /// batch by batch then, and one that comes again in a later batch is told
    /// to be new again.
    pub dry: bool,
    /// Who writes, as the changes show it, where no token says so.
    pub author: &'static str,
}

/// Where rows go.
pub struct Sink {
    terms: Terms,
    to: To,
}

enum To {
    Folder(Box<Loader>),
    Service(Box<Service>),
}

impl Sink {
    /// The folder at this path, or the service that has it. Where there is none
    /// it is made, unless it is only to be known what would happen.
    pub fn open(data: &Path, model: &Model, terms: Terms) -> Result<Self, String> {
        let folder = if terms.dry { Folder::open(data) } else { Folder::open_or_create(data) };
        let folder = folder.map_err(|error| error.to_string())?;
        let locked = folder.try_lock().map_err(|error| error.to_string())?;
        let to = match locked {
            Some(lock) => To::Folder(Box::new(Loader::open(&folder, lock, model, terms)?)),
            None => To::Service(Box::new(Service::connect(&folder, terms)?)),
        };
        Ok(Self { terms, to })
    }

    /// How many rows are best sent at once.
    pub fn batch(&self) -> usize {
        match &self.to {
            To::Folder(_) => FOLDER_BATCH,
            To::Service(_) => SERVICE_BATCH,
        }
    }

    /// Whether facts that are there get other numbers.
    pub fn replaces(&self) -> bool {
        self.terms.policy == Policy::Replace
    }

    /// The tenant whose rows they are.
    pub fn tenant(&self) -> Uuid {
        match &self.to {
            To::Folder(loader) => loader.author.tenant,
            To::Service(service) => service.tenant(),
        }
    }

    /// From now on rows are another tenant's. What was sent before is settled.
    pub fn turn_to(&mut self, tenant: Uuid, tally: &mut Tally) -> Result<(), String> {
        self.settle(tally)?;
        match &mut self.to {
            To::Folder(loader) => loader.author.tenant = tenant,
            To::Service(service) => service.turn_to(tenant),
        }
        Ok(())
    }

    /// Stores rows. What becomes of them is added to a tally no later than by
    /// the next `settle`; an error is one of the place, and what it had taken
    /// before it keeps.
    pub fn send(&mut self, rows: Rows, tally: &mut Tally) -> Result<(), String> {
        if rows.rows.is_empty() {
            return Ok(());
        }
        match &mut self.to {
            To::Folder(loader) => loader.send(rows, tally),
            To::Service(service) => service.send(&rows, tally),
        }
    }

    /// Waits for what was sent.
    pub fn settle(&mut self, tally: &mut Tally) -> Result<(), String> {
        match &mut self.to {
            To::Folder(loader) => loader.settle(tally),
            To::Service(_) => Ok(()),
        }
    }

    /// The end: the folder is free again.
    pub fn close(self) -> Result<(), String> {
        match self.to {
            To::Folder(loader) => loader.close(),
            To::Service(_) => Ok(()),
        }
    }
}

/// Writes into a folder that nobody else has. While the store writes a batch
/// the next one is read.
struct Loader {
    store: Store,
    author: Author,
    terms: Terms,
    clock: SystemClock,
    writing: Option<(Pending, Arc<EntitySet>, Vec<u64>)>,
    _lock: Lock,
}

impl Loader {
    fn open(folder: &Folder, lock: Lock, model: &Model, terms: Terms) -> Result<Self, String> {
        let secrets =
            folder.make_secrets(&SystemRandom, READ_WRITE).map_err(|error| error.to_string())?;
        let options = Options { load: true, readers: 1, ..Options::default() };
        let store = Store::open(&folder.database(), model, &options);
        let clock = SystemClock::start();
        let author = Author {
            tenant: terms.tenant.unwrap_or(secrets.client.tenant),
            principal: terms.author.to_owned(),
            at: clock.now(),
        };
        let store = store.map_err(|error| error.to_string())?;
        Ok(Self { store, author, terms, clock, writing: None, _lock: lock })
    }

    fn send(&mut self, rows: Rows, tally: &mut Tally) -> Result<(), String> {
        let Rows { set, rows, lines } = rows;
        self.author.at = self.clock.now();
        let plan = Bulk {
            set: Arc::clone(&set),
            rows,
            first_key: SystemRandom.first_guid(self.author.at),
            policy: self.terms.policy,
            fate: if self.terms.dry { Fate::None } else { Fate::Each },
        };
        // Queued before the one under way is waited for: the writer never rests.
        let pending = self.store.bulk(self.author.clone(), plan, ());
        self.settle(tally)?;
        self.writing = Some((pending.map_err(|error| error.to_string())?, set, lines));
        Ok(())
    }

    fn settle(&mut self, tally: &mut Tally) -> Result<(), String> {
        let Some((pending, set, lines)) = self.writing.take() else { return Ok(()) };
        let outcomes = pending.wait().map_err(|error| error.to_string())?;
        let collection = format!("/v1.0/{}/{}", set.under, set.name);
        tally.add(&outcomes, &lines, |what| conflict(what, &set, &collection));
        Ok(())
    }

    fn close(mut self) -> Result<(), String> {
        self.settle(&mut Tally::default())?;
        self.store.close();
        Ok(())
    }
}

/// The issuer of a folder, and the tenant that is meant.
pub(super) fn issuer(folder: &Folder, terms: Terms) -> Result<(Issuer, Uuid), String> {
    let secrets = folder.secrets().map_err(|error| error.to_string())?;
    let tenant = terms.tenant.unwrap_or(secrets.client.tenant);
    Ok((Issuer::new(&secrets), tenant))
}
