//! The one thread that writes.
//!
//! It waits for a write, takes along what else is queued by then, does it all
//! in one transaction and commits once; only then does it answer. So an
//! answered write is on the disk, and many writers share the cost of a commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rollcall_odata::plan::Write;
use rollcall_odata::plan::bulk::{Bulk, Fate};
use rusqlite::Connection;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::apply::{Stop, apply};
use super::bulk;
pub(crate) use super::group::Task;
use super::group::Waiting;
use super::memory::{Before, Tenants};
use super::reset;
use super::statements::Statements;
use crate::queue::{Taker, Waits};
use crate::sql::{self, whole};
use crate::table::Tables;
use crate::{Author, Error, Failed, Outcome, Written};

/// How much a probe writes: enough that it fails on a disk that has only crumbs left.
const PROBE_BYTES: usize = 64 * 1024;

/// How long the next of several writers is waited for: less than a disk takes to sync.
const GATHER: Duration = Duration::from_micros(100);

/// What the writer is asked.
pub(crate) enum Message {
    /// Do this write.
    Write(Box<Request>),
    /// Do these writes, in a transaction of their own.
    Bulk(Box<BulkRequest>),
    /// Try whether the disk can be written to.
    Probe(oneshot::Sender<Result<(), Error>>),
    /// Take away all that a tenant has.
    Reset(Uuid, oneshot::Sender<Result<(), Error>>),
    /// Let a test have the connection.
    #[cfg(test)]
    Run(Box<dyn FnOnce(&Connection) + Send>),
}

impl Waits for Message {
    fn tenant(&self) -> Uuid {
        match self {
            Self::Write(request) => request.author.tenant,
            Self::Bulk(request) => request.author.tenant,
            Self::Reset(tenant, _) => *tenant,
            Self::Probe(_) => Uuid::nil(),
            #[cfg(test)]
            Self::Run(_) => Uuid::nil(),
        }
    }

    fn refuse(self, error: Error) {
        // Whoever asked may be gone.
        match self {
            Self::Write(request) => request.task.broken(&error).answer(),
            Self::Bulk(request) => {
                let BulkRequest { rows, held, answer, .. } = *request;
                drop((rows, held));
                drop(answer.send(Err(error)));
            }
            Self::Reset(_, answer) | Self::Probe(answer) => drop(answer.send(Err(error))),
            #[cfg(test)]
            Self::Run(_) => {}
        }
    }
}

/// A write, or several that are done together, and who waits for it.
pub(crate) struct Request {
    pub author: Author,
    pub task: Task,
}

/// Many rows, in the order in which they are to be written, and who waits for them.
pub(crate) struct BulkRequest {
    pub author: Author,
    pub rows: (Bulk, Vec<u32>),
    /// What is dropped with the rows.
    pub held: Box<dyn Send>,
    pub answer: oneshot::Sender<Result<Vec<Outcome>, Error>>,
}

/// Whether the last thing that the writer tried on the disk was done.
#[derive(Debug)]
pub(crate) struct Health(AtomicBool);

impl Health {
    /// Of a writer that has tried nothing yet.
    pub fn good() -> Self {
        Self(AtomicBool::new(true))
    }

    pub fn is_good(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, good: bool) {
        self.0.store(good, Ordering::Release);
    }
}

/// The writer and all that is its own.
pub(crate) struct Writer<'c> {
    connection: Statements<'c>,
    tables: Arc<Tables>,
    messages: Taker<Message>,
    health: Arc<Health>,
    batch: usize,
    /// How many writes the last transaction had.
    last_batch: usize,
    tenants: Tenants,
}

impl<'c> Writer<'c> {
    /// A writer whose health others see; `batch` is the most writes in one transaction.
    pub fn new(
        connection: &'c Connection,
        tables: Arc<Tables>,
        messages: Taker<Message>,
        batch: usize,
        health: Arc<Health>,
    ) -> Self {
        let (connection, tenants) = (Statements::of(connection), Tenants::default());
        Self { connection, tables, messages, health, batch, last_batch: 0, tenants }
    }

    /// Works until nobody is left who could ask.
    pub fn run(mut self) {
        while let Some(message) = self.messages.take() {
            self.serve(message);
        }
        self.health.set(false);
        // What stays in the log, or a journal in place of it, is of no matter
        // to whoever opens the database next.
        drop(super::write_ahead(&self.connection));
        let _ = self.connection.query_row(whole::CHECKPOINT, [], |_| Ok(()));
    }

    /// Serves a message and what it takes along.
    fn serve(&mut self, message: Message) {
        let mut next = Some(message);
        while let Some(message) = next.take() {
            match message {
                Message::Write(first) => next = self.write(first),
                Message::Bulk(request) => self.bulk(*request),
                Message::Probe(answer) => {
                    let outcome = self.probe();
                    // Whoever asked may be gone, here and below.
                    let _ = answer.send(outcome);
                }
                Message::Reset(tenant, answer) => {
                    let outcome = self.reset(tenant);
                    let _ = answer.send(outcome);
                }
                #[cfg(test)]
                Message::Run(test) => test(&self.connection),
            }
        }
    }

    /// Writes a batch and answers. Gives back a message that is no write and
    /// was met on the way.
    fn write(&mut self, first: Box<Request>) -> Option<Message> {
        let (mut waiting, mut met) = (Vec::new(), None);
        let before = self.connection.total_changes();
        let work = || self.transaction(first, &mut waiting, &mut met);
        // A panic drops the waiters, which tells them; the writer goes on.
        let outcome = catch_unwind(AssertUnwindSafe(work));
        match outcome {
            Ok(Ok(())) => {
                self.last_batch = waiting.len();
                // A commit of nothing tells nothing of the disk.
                let changes = self.connection.total_changes() - before;
                if changes > 0 && waiting.iter().any(Waiting::has_written) {
                    self.health.set(true);
                }
                for one in waiting {
                    one.answer();
                }
            }
            Ok(Err(error)) => {
                self.give_up();
                self.health.set(error == Error::Busy && self.health.is_good());
                // Even a refusal may have been for the sake of a neighbour that is undone now.
                for one in waiting {
                    one.refuse(&error);
                }
            }
            Err(_panic) => self.give_up(),
        }
        met
    }

    /// Writes many rows and answers.
    fn bulk(&mut self, request: BulkRequest) {
        let BulkRequest { author, rows: (plan, order), held, answer } = request;
        let work = || self.bulk_transaction(&author, &plan, &order);
        // As for single writes: a panic drops the waiter.
        let Ok(outcome) = catch_unwind(AssertUnwindSafe(work)) else { return self.give_up() };
        match &outcome {
            Ok(outcomes) => {
                let written = |one: &Outcome| matches!(one, Outcome::Created | Outcome::Replaced);
                if plan.fate == Fate::Each && outcomes.iter().any(written) {
                    self.health.set(true);
                }
            }
            Err(error) => {
                self.give_up();
                self.health.set(*error == Error::Busy && self.health.is_good());
            }
        }
        drop((plan, order));
        drop(held);
        let _ = answer.send(outcome);
    }

    /// Takes away all that a tenant has, in a transaction of its own.
    fn reset(&mut self, tenant: Uuid) -> Result<(), Error> {
        let work = || -> Result<(), Error> {
            self.execute(whole::BEGIN)?;
            reset::tenant(&self.connection, &self.tables, tenant)?;
            self.execute(whole::COMMIT)
        };
        let outcome = work();
        // What is remembered of the tenant is not so any more, done or not.
        self.give_up();
        outcome
    }

    fn bulk_transaction(
        &mut self,
        author: &Author,
        plan: &Bulk,
        order: &[u32],
    ) -> Result<Vec<Outcome>, Error> {
        self.execute(whole::BEGIN)?;
        let written =
            bulk::write(&self.connection, &self.tables, &mut self.tenants, author, plan, order);
        let outcomes = match written {
            Ok(outcomes) => outcomes,
            Err(Stop::Refused(error) | Stop::Broken(error)) => return Err(error),
        };
        let in_conflict = |one: &Outcome| matches!(one, Outcome::Conflicting(_));
        let stays = match plan.fate {
            Fate::Each => true,
            Fate::AllOrNone => !outcomes.iter().any(in_conflict),
            Fate::None => false,
        };
        if stays {
            self.commit()?;
        } else {
            self.give_up();
        }
        Ok(outcomes)
    }

    fn transaction(
        &mut self,
        first: Box<Request>,
        waiting: &mut Vec<Waiting>,
        met: &mut Option<Message>,
    ) -> Result<(), Error> {
        let begun = self.execute(whole::BEGIN);
        let mut next = first;
        loop {
            let Request { author, task } = *next;
            let done = match &begun {
                Ok(()) => self.perform(&author, task),
                Err(error) => Err((task.broken(error), error.clone())),
            };
            match done {
                Ok(done) => waiting.push(done),
                Err((one, error)) => {
                    waiting.push(one);
                    return Err(error);
                }
            }
            if waiting.len() >= self.batch {
                break;
            }
            match self.next(waiting.len()) {
                Some(Message::Write(request)) => next = request,
                Some(other) => {
                    *met = Some(other);
                    break;
                }
                None => break,
            }
        }
        self.commit()
    }

    /// Ends the transaction, once `refresh` knows of all that it did.
    fn commit(&mut self) -> Result<(), Error> {
        self.tenants.tell(&self.connection).map_err(|error| Error::of_write(&error))?;
        self.execute(whole::COMMIT)
    }

    /// What is queued; after so many writes of this transaction.
    ///
    /// Those who were answered last most likely write again at once. While fewer
    /// than half of them have, the next one is waited for, for a moment: a commit
    /// costs as much as many writes. Who writes alone never waits.
    fn next(&mut self, written: usize) -> Option<Message> {
        match self.messages.try_take() {
            None if written * 2 < self.last_batch => self.messages.take_within(GATHER),
            next => next,
        }
    }

    /// Does a write, or all of a group. An error besides whoever waits is one
    /// that the transaction cannot go on after.
    fn perform(&mut self, author: &Author, task: Task) -> Result<Waiting, (Waiting, Error)> {
        match task {
            Task::One(plan, answer) => match self.apply(author, *plan) {
                Ok(written) => Ok(Waiting::One(answer, Ok(written))),
                Err(Stop::Refused(error)) => Ok(Waiting::One(answer, Err(error))),
                Err(Stop::Broken(error)) => Err((Waiting::One(answer, Err(error.clone())), error)),
            },
            Task::Group(plans, answer) => match self.group(author, &plans) {
                Ok(written) => Ok(Waiting::Group(answer, written)),
                Err(error) => {
                    Err((Waiting::Group(answer, Err(Failed::together(error.clone()))), error))
                }
            },
        }
    }

    /// Does all of these or none: what was done is undone up to the savepoint,
    /// and the neighbours in the transaction notice nothing.
    fn group(
        &mut self,
        author: &Author,
        plans: &[Write],
    ) -> Result<Result<Vec<Written>, Failed>, Error> {
        self.execute(whole::SAVE)?;
        let before = self.tenants.before(author.tenant);
        let mut written = Vec::with_capacity(plans.len());
        for (at, plan) in plans.iter().enumerate() {
            match self.apply(author, plan.clone()) {
                Ok(one) => written.push(one),
                Err(Stop::Broken(error)) => return Err(error),
                Err(Stop::Refused(error)) => {
                    self.go_back(before)?;
                    let alone = at == 0 || self.is_refused(author, plan.clone(), &error)?;
                    self.execute(whole::RELEASE)?;
                    return Ok(Err(Failed { at, error, alone }));
                }
            }
        }
        self.execute(whole::RELEASE)?;
        Ok(Ok(written))
    }

    /// Whether this write is refused so, in the open savepoint and without what
    /// was undone there. Nothing of it stays.
    fn is_refused(&mut self, author: &Author, plan: Write, error: &Error) -> Result<bool, Error> {
        let before = self.tenants.before(author.tenant);
        let outcome = self.apply(author, plan);
        self.go_back(before)?;
        match outcome {
            Err(Stop::Broken(error)) => Err(error),
            Err(Stop::Refused(other)) => Ok(other == *error),
            Ok(_) => Ok(false),
        }
    }

    /// Undoes what was done since the savepoint, which stays open.
    fn go_back(&mut self, before: Before) -> Result<(), Error> {
        self.execute(whole::GO_BACK)?;
        self.tenants.go_back(before);
        Ok(())
    }

    fn apply(&mut self, author: &Author, plan: Write) -> Result<Written, Stop> {
        let outcome = apply(&self.connection, &self.tables, &mut self.tenants, author, plan);
        match outcome {
            // SQLite ends a transaction of its own accord on some faults of the disk.
            Err(Stop::Refused(error)) if self.connection.is_autocommit() => {
                Err(Stop::Broken(error))
            }
            outcome => outcome,
        }
    }

    /// Leaves the transaction, if it is still open, and forgets what it did.
    fn give_up(&mut self) {
        self.tenants.clear();
        if !self.connection.is_autocommit() {
            // If this fails as well, the next BEGIN fails and says so.
            let _ = self.execute(whole::ROLLBACK);
        }
    }

    /// Writes something that is on the disk for a moment.
    fn probe(&mut self) -> Result<(), Error> {
        let write = |connection: &Connection| {
            let blob = vec![0_u8; PROBE_BYTES];
            connection.execute(sql::PROBE, [blob])?;
            connection.execute(sql::PROBE_END, []).map(drop)
        };
        let outcome = write(&self.connection).map_err(|error| Error::of_write(&error));
        self.health.set(outcome.is_ok());
        outcome
    }

    fn execute(&self, sql: &str) -> Result<(), Error> {
        self.connection.run(sql, []).map(drop).map_err(|error| Error::of_write(&error))
    }
}
