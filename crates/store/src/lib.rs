//! Plans in, rows out: where Rollcall keeps what it was told.
//!
//! # What the store promises
//!
//! - **A write that was answered is on the disk.** It is done whole or not at
//!   all, with its entry in `change` and its effect on `refresh`.
//! - **Writes that are asked for together are done together**: all of them in
//!   one commit, or none, whatever becomes of others in the same commit.
//! - **Each tenant is alone.** Every statement bears the tenant. Two tenants
//!   may have the same keys and facts; neither can tell that the other is there.
//! - **A fact is kept once.** Of any number of simultaneous creates of one
//!   fact one is done, and the others are told the key of what is there.
//! - **An entity's version is the number of the change that made it.** Changes
//!   of one tenant are numbered 1, 2, 3 and so on in the order in which they
//!   took effect. No version is given twice, not even after a delete, unless all
//!   that the tenant had was taken away in between.
//! - **A list is one moment.** Its count and its rows are of the same
//!   snapshot, and pages neither repeat nor lose a row that stays in place,
//!   whatever is written between them. Who reads millions of rows reads them
//!   page by page: a reader is held for one page alone, and what is held in
//!   memory is what a page has.
//! - **No change is missed.** What follows a moment is every change since, in
//!   the order of their numbers: whoever reads on from where the last read
//!   ended has seen them all, whatever is written meanwhile.
//! - **A write that has a name is done once**, however often it is asked for,
//!   until its time is over: what became of it is kept with what it did. One
//!   that was refused has left no trace, and the next of its name is tried anew.
//!   Several writes of one request share its name: once one of them has been
//!   done, those of another request are refused under it.
//! - **Reads do not wait for writes**, nor writes for reads, and reads go on
//!   when the disk is full or cannot be written to. When it can be again,
//!   writes go on without more ado.
//! - **Nobody is worked for who has gone.** A read ends early, wherever it is,
//!   when nobody waits for it any more: a limit on its time is kept by no
//!   longer waiting.
//! - **Nobody waits forever.** Queues are bounded and a full one says so at
//!   once; who has been queued gets an answer, even if a thread panics.
//! - **No tenant waits for another's flood.** Those who wait have their turns one
//!   after the other; one alone may fill a queue, and gives way where others come.
//!   One tenant's reads never take the last reader.
//! - **Time is handed in**, with whoever writes.
//!
//! The database is one file that other SQL tools may read: each entity set has
//! a view of its name, with plain dates and GUIDs.

mod backup;
mod check;
mod column;
mod error;
mod export;
#[cfg(rollcall_bench)]
mod null;
mod order;
mod queue;
mod schema;
mod sql;
mod sqlite;
mod table;
mod told;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use rollcall_odata::edm::Model;
use rollcall_odata::plan::bulk::Bulk;
use rollcall_odata::plan::delta::{Changes, Moment, Reason};
use rollcall_odata::plan::window::Window;
use rollcall_odata::plan::{Count, List, Name, Read, Write};
use rollcall_odata::{Row, Value};
use rusqlite::Connection;
use tokio::sync::oneshot;
use uuid::Uuid;

pub use backup::backup;
pub use check::{Report, check};
pub use error::Error;
pub use export::{Extract, export, has_rows};
use queue::Queue;
use sqlite::{changes, once, query, reader, writer};
use table::Tables;
pub use told::{Author, Conflict, Entity, Failed, Outcome, Pending, Written};

/// What there is to say of a list besides its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// How many rows there are on all pages, if that was asked for.
    pub count: Option<u64>,
    /// Where the last row that was given stands, if more rows follow it: what
    /// `List::after` takes.
    pub last: Option<Vec<Value>>,
    /// Where more rows follow, the number of the tenant's last change in the
    /// moment of these: it names the moment.
    pub change: Option<u64>,
}

/// Takes the rows of a list one by one, on the thread that reads them.
pub trait RowSink: Send + 'static {
    /// The next row and its entity's version. What is computed follows the
    /// properties. Of what `$apply` has made a row has the columns of
    /// `Applied::columns`, and in place of a version the number of its form.
    fn row(&mut self, version: u64, row: &Row);

    /// Whether it has room for more. Where it has none, the page ends as if
    /// its limit were reached.
    fn has_room(&self) -> bool {
        true
    }
}

/// Takes what has changed one by one, on the thread that reads it: as rows the
/// entities that are asked for.
pub trait ChangeSink: RowSink {
    /// An entity that is not among them, and may have been before.
    fn removed(&mut self, key: Uuid, reason: Reason);
}

/// How far a read of changes has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Followed {
    /// Up to which change: where the next read goes on.
    pub until: Moment,
    /// Whether there are more changes already.
    pub more: bool,
}

/// How the store works; the default suits a service on one machine.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many threads read for one tenant; at least 1. By default 4. There is
    /// one more, for whoever is not read for yet.
    pub readers: usize,
    /// How many writes may wait, and how many reads; at least 1. By default 1024.
    /// Where several tenants wait, each has its share.
    pub queue: usize,
    /// The most writes in one commit; at least 1. By default 256.
    pub batch: usize,
    /// How many prepared statements each connection keeps. By default 256.
    pub statement_cache: usize,
    /// Whether the writer is suited to loading many rows while nobody reads:
    /// reads and writes then wait for each other. By default not.
    pub load: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4, queue: 1024, batch: 256, statement_cache: 256, load: false }
    }
}

/// A database that is open. Clones share it.
///
/// Without `close` it ends when the last clone is dropped: what is queued is
/// still done, in the background.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    tables: Arc<Tables>,
    to_writer: Queue<writer::Message>,
    to_readers: Queue<reader::Message>,
    health: Arc<writer::Health>,
    writer: Mutex<Option<JoinHandle<()>>>,
    readers: Mutex<Vec<JoinHandle<()>>>,
}

impl Store {
    /// Opens the database in `file`, makes it where it is missing, and brings
    /// it to the model by adding tables and columns. What was made by a newer
    /// program is refused with `Newer`, and what cannot be brought to the
    /// model by adding with `Mismatch`; both leave it as it is.
    ///
    /// Waits for the disk: not for a thread that serves others.
    pub fn open(file: &Path, model: &Model, options: &Options) -> Result<Self, Error> {
        let is_new = !file.exists();
        if is_new {
            backup::create(file)?;
        } else {
            schema::refuse_newer_file(file)?;
        }
        let mut connection = sqlite::open_to_write(file)?;
        schema::refuse_newer(&connection)?;
        let tables = Arc::new(schema::prepare(&mut connection, model)?);
        if options.load {
            sqlite::suit_to_load(&connection)?;
        } else {
            sqlite::write_ahead(&connection)?;
        }
        if is_new {
            backup::sync(backup::folder(file))?;
        }
        Self::start(file, connection, tables, options)
    }

    fn start(
        file: &Path,
        connection: Connection,
        tables: Arc<Tables>,
        options: &Options,
    ) -> Result<Self, Error> {
        let (room, most) = (options.queue.max(1), options.readers.max(1));
        let (to_readers, for_readers) = Queue::new(room, most + 1, most);
        let mut readers = Vec::new();
        for (number, queue) in for_readers.into_iter().enumerate() {
            let connection = sqlite::open_to_read(file)?;
            connection.set_prepared_statement_cache_capacity(options.statement_cache);
            readers.push(spawn(format!("reader {number}"), || reader::run(connection, queue))?);
        }
        let (to_writer, mut for_writer) = Queue::new(room, 1, usize::MAX);
        let for_writer = for_writer.pop().ok_or(Error::Closed)?;
        connection.set_prepared_statement_cache_capacity(options.statement_cache);
        let health = Arc::new(writer::Health::good());
        let (own, seen, batch) = (Arc::clone(&tables), Arc::clone(&health), options.batch.max(1));
        let work = move || writer::Writer::new(&connection, own, for_writer, batch, seen).run();
        let writer = Mutex::new(Some(spawn("writer".to_owned(), work)?));
        let readers = Mutex::new(readers);
        Ok(Self(Arc::new(Shared { tables, to_writer, to_readers, health, writer, readers })))
    }

    /// The entity that is meant, if this tenant has it.
    pub async fn read(&self, tenant: Uuid, plan: Read) -> Result<Option<Entity>, Error> {
        self.ask(tenant, move |connection, tables| query::read(connection, tables, tenant, &plan))
            .await
    }

    /// One page of a set: its rows go to the sink, which comes back in the end.
    pub async fn list<S: RowSink>(
        &self,
        tenant: Uuid,
        plan: List,
        mut sink: S,
    ) -> Result<(Listed, S), Error> {
        let list = move |connection: &Connection, tables: &Tables| {
            let listed = query::list(connection, tables, tenant, &plan, &mut sink)?;
            Ok((listed, sink))
        };
        self.ask(tenant, list).await
    }

    /// One page of the rows of a report function, labelled as the call asks:
    /// they go to the sink, which comes back in the end.
    pub async fn report<S: RowSink>(
        &self,
        tenant: Uuid,
        (rows, plan): (Window, List),
        mut sink: S,
    ) -> Result<(Listed, S), Error> {
        let read = move |connection: &Connection, tables: &Tables| {
            let listed = query::report(connection, tables, tenant, (&rows, &plan), &mut sink)?;
            Ok((listed, sink))
        };
        self.ask(tenant, read).await
    }

    /// The moment of this tenant's last change that is on the disk.
    pub async fn moment(&self, tenant: Uuid) -> Result<Moment, Error> {
        self.ask(tenant, move |connection, tables| changes::moment(connection, tables, tenant))
            .await
    }

    /// One page of what has changed since a moment: each entity as it is now,
    /// at the place of its last change. It may tell of none though there are
    /// more. A moment that is none of this tenant's history is `UnknownMoment`.
    pub async fn changes<S: ChangeSink>(
        &self,
        tenant: Uuid,
        plan: Changes,
        mut sink: S,
    ) -> Result<(Followed, S), Error> {
        let read = move |connection: &Connection, tables: &Tables| {
            let followed = changes::changes(connection, tables, tenant, &plan, &mut sink)?;
            Ok((followed, sink))
        };
        self.ask(tenant, read).await
    }

    /// How many of the entities that are asked for this tenant has.
    pub async fn count(&self, tenant: Uuid, plan: impl Into<Count>) -> Result<u64, Error> {
        let plan = plan.into();
        self.ask(tenant, move |connection, tables| query::count(connection, tables, tenant, &plan))
            .await
    }

    /// Does a write and waits until it is on the disk. It is done even if
    /// whoever waits for it goes away.
    pub async fn write(&self, author: Author, plan: Write) -> Result<Written, Error> {
        #[cfg(rollcall_bench)]
        if let Write::Create(plan) = plan {
            return Ok(null::create(plan));
        }
        let (answer, outcome) = oneshot::channel();
        let task = writer::Task::One(Box::new(plan), answer);
        let request = writer::Request { author, task };
        self.0.to_writer.put(writer::Message::Write(Box::new(request)))?;
        outcome.await.unwrap_or(Err(Error::Closed))
    }

    /// Does all of these writes, in their order, each as if those before it had
    /// been committed; or none, if one of them is refused. As with `write`, it
    /// is done even if whoever waits goes away.
    pub async fn write_all(
        &self,
        author: Author,
        plans: Vec<Write>,
    ) -> Result<Vec<Written>, Failed> {
        let (answer, outcome) = oneshot::channel();
        let request = writer::Request { author, task: writer::Task::Group(plans, answer) };
        let sent = self.0.to_writer.put(writer::Message::Write(Box::new(request)));
        sent.map_err(Failed::together)?;
        outcome.await.unwrap_or(Err(Failed::together(Error::Closed)))
    }

    /// Takes away all that this tenant has, in one commit: its entities, its
    /// changes, and what was done under names. Its next change is number 1 again,
    /// so versions that were given before may be given anew. For tests.
    pub async fn reset(&self, tenant: Uuid) -> Result<(), Error> {
        let (answer, outcome) = oneshot::channel();
        self.0.to_writer.put(writer::Message::Reset(tenant, answer))?;
        outcome.await.unwrap_or(Err(Error::Closed))
    }

    /// Whether nothing but this request, or nothing yet, has been done under its
    /// name; else it is `OtherRequest`. For whoever has several writes under one
    /// name and would find out at the first of them.
    pub async fn fits(&self, author: Author, name: Name, digest: [u8; 32]) -> Result<(), Error> {
        let tenant = author.tenant;
        self.ask(tenant, move |connection, _| once::fits(connection, &author, &name, &digest)).await
    }

    /// Queues rows that are written in one transaction, and says so at once.
    ///
    /// Of rows with the same fact the first counts, and the others meet it as
    /// one that is there. While the rows are written nobody else writes, so
    /// whoever has many sends them in batches: between two of them others have
    /// their turn. Rows of another width than the set's are refused.
    ///
    /// As with `write`, they are written even if whoever waits goes away. What is
    /// `held` for them is dropped with the rows, before the answer.
    pub fn bulk(
        &self,
        author: Author,
        mut plan: Bulk,
        held: impl Send + 'static,
    ) -> Result<Pending, Error> {
        let order = order::prepare(self.0.tables.get(&plan.set)?, &mut plan)?;
        let (answer, outcome) = oneshot::channel();
        let (rows, held) = ((plan, order), Box::new(held));
        let request = writer::BulkRequest { author, rows, held, answer };
        self.0.to_writer.put(writer::Message::Bulk(Box::new(request)))?;
        Ok(Pending(outcome))
    }

    /// Whether writes are possible. While they are, this answers at once and
    /// does not touch the disk; after a failed one it tries a real write, so
    /// that it turns good again as soon as the disk does.
    pub async fn ready(&self) -> Result<(), Error> {
        if self.0.health.is_good() {
            return Ok(());
        }
        let (answer, outcome) = oneshot::channel();
        self.0.to_writer.put(writer::Message::Probe(answer))?;
        outcome.await.unwrap_or(Err(Error::Closed))
    }

    /// Stops all threads once everything that was queued has been answered,
    /// and leaves one file without a log. What comes later gets `Closed`, from
    /// every clone. Waits: not for a thread that serves others.
    pub fn close(self) {
        let mut readers = self.0.readers.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.to_readers.close();
        // The writer is the last to leave, and then the log is no more.
        readers.drain(..).for_each(|thread| drop(thread.join()));
        let mut writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.to_writer.close();
        if let Some(thread) = writer.take() {
            drop(thread.join());
        }
    }

    /// Has a reader do this and waits for what it gives.
    async fn ask<T: Send + 'static>(
        &self,
        tenant: Uuid,
        read: impl FnOnce(&Connection, &Tables) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, outcome) = oneshot::channel();
        let waiting = Waiting::default();
        let tables = Arc::clone(&self.0.tables);
        let read = move |connection: Result<&Connection, Error>| {
            // Nobody waits any more, and a read does nothing else.
            if !answer.is_closed() {
                let _ = answer.send(connection.and_then(|connection| read(connection, &tables)));
            }
        };
        let gone = Arc::clone(&waiting.0);
        self.0.to_readers.put(reader::Message { tenant, read: Box::new(read), gone })?;
        outcome.await.unwrap_or(Err(Error::Closed))
    }
}

/// Somebody who waits for a read. Once this is dropped nobody does, and the
/// read ends early, wherever it is.
#[derive(Default)]
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    let thread = Builder::new().name(name).spawn(work);
    thread.map_err(|error| Error::Failed(format!("no thread: {error}")))
}
