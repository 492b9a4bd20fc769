//! Bulk create: rows that are stored as their text comes in.

use std::mem::take;
use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use rollcall_odata::edm::EntitySet;
use rollcall_odata::headers::{Handling, Preferences, RowsIn, Scope, check_content_type};
use rollcall_odata::payload::csv::read::Known;
use rollcall_odata::plan::bulk::{Bulk, Fate, Intake, Policy, Taken};
use rollcall_odata::plan::resource::Place;
use rollcall_odata::plan::write;
use rollcall_odata::{Code, Error};
use rollcall_store::{Author, Pending};

use super::{Call, OF_A_TENANT};
use crate::app::App;
use crate::auth::Need;
use crate::http::answer::Answer;
use crate::http::error::{self, Refusal};
use crate::http::receive::Stream;
use crate::http::room::{Full, Held};
use crate::tally::{MAX_DETAILS, Tally};

/// How many rows are stored at once, where there is room to gather so many. While
/// they are written nobody else writes: some ten milliseconds.
const BATCH: usize = 4096;

/// How much text is read at once, in bytes: the rows of it have no room of their own
/// until they are read. The shortest take some 16 times as much.
const SLICE: usize = 16 * 1024;

impl Call<'_> {
    /// Many rows. Who replaces what is there needs more than to create.
    pub(super) async fn create_many(
        &mut self,
        place: Place,
        stream: &mut Stream,
        form: RowsIn,
        preferences: &Preferences,
    ) -> Result<Answer, Refusal> {
        if let Some(principal) = self.principal.as_ref().filter(|_| preferences.replace) {
            principal.require(Need::Write)?;
        }
        check_content_type(self.request.header(&CONTENT_TYPE).unwrap_or_default())?;
        let job = Job {
            app: self.app,
            author: self.author(),
            collection: format!("{}/{}", self.root, place.path),
            set: place.set,
            form,
            policy: if preferences.replace { Policy::Replace } else { Policy::Keep },
            strict: preferences.handling == Some(Handling::Strict),
            dry: preferences.dry_run,
        };
        let tally = job.run(stream).await?;
        self.seen.lap("run");
        let body = serde_json::to_vec(&tally).unwrap_or_default();
        let answer = Answer::json(StatusCode::OK, body).versioned().uncached();
        let answer = answer.varying(OF_A_TENANT);
        Ok(answer.applying(&preferences.applied(Scope::Rows)))
    }
}

/// Rows to store.
struct Job<'a> {
    /// The service.
    app: &'a App,
    /// Who stores them.
    author: Author,
    /// The absolute address of the collection.
    collection: String,
    /// Where to put them.
    set: Arc<EntitySet>,
    /// In which form they come.
    form: RowsIn,
    /// What to do with a fact that is there with other numbers.
    policy: Policy,
    /// Whether all are stored or none.
    strict: bool,
    /// Whether it is only to be said what would become of them.
    dry: bool,
}

/// Rows, and the room that they take.
struct Batch {
    taken: Taken,
    held: Held,
}

impl Batch {
    /// What there is, and an empty one for what comes next.
    fn take(&mut self) -> Self {
        Self { taken: take(&mut self.taken), held: self.held.take() }
    }
}

/// A batch that the store is writing, and the lines of its rows.
struct Writing {
    pending: Pending,
    lines: Vec<u64>,
}

impl Job<'_> {
    /// Stores the rows of this body. While a batch is written the next is read;
    /// no more than these two are in memory, unless all must be held.
    async fn run(&self, stream: &mut Stream) -> Result<Tally, Refusal> {
        let mut tally = Tally::new(self.policy == Policy::Replace);
        let outcome = if self.strict || self.dry {
            self.at_once(stream, &mut tally).await
        } else {
            self.in_batches(stream, &mut tally).await
        };
        match outcome {
            Ok(()) if self.strict && !tally.is_clean() => Err(tally.refusal().into()),
            Ok(()) => Ok(tally),
            Err(refusal) => Err(told(refusal, &tally)),
        }
    }

    async fn in_batches(&self, stream: &mut Stream, tally: &mut Tally) -> Result<(), Refusal> {
        stream.limit(self.app.limits.bulk_bytes, "bulk-bytes")?;
        let mut batch = Batch { taken: Taken::default(), held: self.place() };
        let mut writing = None;
        let read = self.read(stream, &mut batch, tally, &mut writing).await;
        // What was queued is stored, and counted, even if the rest cannot be read.
        self.written(writing.take(), tally).await?;
        read?;
        let last = self.write(batch, tally, Fate::Each).await?;
        self.written(last, tally).await
    }

    async fn read(
        &self,
        stream: &mut Stream,
        batch: &mut Batch,
        tally: &mut Tally,
        writing: &mut Option<Writing>,
    ) -> Result<(), Refusal> {
        let mut intake = self.intake();
        while let Some(piece) = stream.next().await? {
            for text in piece.chunks(SLICE) {
                intake.feed(text)?;
                self.add(intake.take(), batch, tally, writing).await?;
            }
        }
        intake.finish()?;
        self.add(intake.take(), batch, tally, writing).await
    }

    /// Adds rows to a batch. Where it is full, or has no room for them, it is queued as it
    /// is; they wait for room as long as their body may pause, and nothing is held
    /// meanwhile, so that no two bodies wait for each other.
    async fn add(
        &self,
        mut rows: Taken,
        batch: &mut Batch,
        tally: &mut Tally,
        writing: &mut Option<Writing>,
    ) -> Result<(), Refusal> {
        tally.reject(take(&mut rows.rejected), take(&mut rows.reasons));
        let is_full = batch.taken.lines.len() >= BATCH;
        if is_full || batch.held.hold(batch.taken.bytes() + rows.bytes()).is_err() {
            self.written(writing.take(), tally).await?;
            *writing = self.write(batch.take(), tally, Fate::Each).await?;
            let room = batch.held.hold_within(rows.bytes(), self.app.limits.body_time).await;
            room.map_err(|full| self.no_room(full))?;
        }
        batch.taken.append(rows);
        Ok(())
    }

    /// Everything in one transaction; with rows that are none, only to see the rest.
    async fn at_once(&self, stream: &mut Stream, tally: &mut Tally) -> Result<(), Refusal> {
        stream.limit(self.app.limits.strict_bytes, "strict-bytes")?;
        let (mut intake, mut held) = (self.intake(), self.place());
        while let Some(piece) = stream.next().await? {
            for text in piece.chunks(SLICE) {
                intake.feed(text)?;
                self.fits(&intake, &mut held)?;
            }
        }
        intake.finish()?;
        self.fits(&intake, &mut held)?;
        let taken = intake.take();
        let stays = !self.dry && taken.rejected == 0;
        let fate = if stays { Fate::AllOrNone } else { Fate::None };
        let writing = self.write(Batch { taken, held }, tally, fate).await?;
        self.written(writing, tally).await
    }

    /// A place for rows until they are stored.
    fn place(&self) -> Held {
        self.app.bulk_room.place(self.author.tenant)
    }

    /// Refuses rows of one transaction that would keep others from writing for too
    /// long, or for which there is no room.
    fn fits(&self, intake: &Intake, held: &mut Held) -> Result<(), Refusal> {
        let most = self.app.limits.strict_rows;
        if intake.len() <= most {
            return held.hold(intake.bytes()).map_err(|full| self.no_room(full));
        }
        let message = format!(
            "The body has too many rows for one transaction. Expected at most {most}, as \
             handling=strict and dry-run have them: the limit strict-rows of the service."
        );
        Err(Error::new(Code::PayloadTooLarge, message).into())
    }

    fn no_room(&self, full: Full) -> Refusal {
        let limit = self.app.bulk_room.limit(full);
        match full {
            Full::Now => error::not_now(&format!(
                "The rows that the service holds until they are stored leave no room for those of \
                 this body: {limit} of memory. Try again later, or with fewer rows."
            )),
            Full::Ever => {
                let message = format!(
                    "The rows of the body would take more memory than {limit} of the service. \
                     Expected fewer: they are held until they are stored, with handling=strict \
                     and dry-run all of them."
                );
                Error::new(Code::PayloadTooLarge, message).into()
            }
        }
    }

    fn intake(&self) -> Intake {
        let newest = write::newest_refresh(self.author.at);
        match self.form {
            RowsIn::Csv => {
                let known = Known::of_set(&self.app.model, &self.set);
                Intake::csv(known, newest, MAX_DETAILS)
            }
            RowsIn::Lines(numbers) => {
                Intake::lines(Arc::clone(&self.set), numbers, newest, MAX_DETAILS)
            }
        }
    }

    /// Queues rows to be stored; what is held for them is held until they are, even if
    /// whoever sent them goes away.
    async fn write(
        &self,
        Batch { taken, held }: Batch,
        tally: &mut Tally,
        fate: Fate,
    ) -> Result<Option<Writing>, Refusal> {
        tally.reject(taken.rejected, taken.reasons);
        if taken.rows.is_empty() {
            return Ok(None);
        }
        let plan = Bulk {
            set: Arc::clone(&self.set),
            rows: taken.rows,
            first_key: self.app.random.first_guid(self.author.at),
            policy: self.policy,
            fate,
        };
        let (store, author, many) = (self.app.store.clone(), self.author.clone(), plan.rows.len());
        let queue = move || store.bulk(author, plan, held);
        // They are sorted first, and others wait for this thread meanwhile.
        let pending = if many > BATCH {
            let queued = tokio::task::spawn_blocking(queue).await;
            queued.map_err(|error| error::internal(error.to_string()))?
        } else {
            queue()
        };
        let pending = pending.map_err(|error| self.refusal(error))?;
        Ok(Some(Writing { pending, lines: taken.lines }))
    }

    async fn written(&self, writing: Option<Writing>, tally: &mut Tally) -> Result<(), Refusal> {
        let Some(Writing { pending, lines }) = writing else { return Ok(()) };
        let outcomes = pending.outcomes().await.map_err(|error| self.refusal(error))?;
        tally.add(&outcomes, &lines, |conflict| {
            error::conflict(conflict, &self.set, &self.collection)
        });
        Ok(())
    }

    fn refusal(&self, error: rollcall_store::Error) -> Refusal {
        error::of_store(error, &self.set, &self.collection, "")
    }
}

/// A refusal that also says what had been stored before it. To send the same
/// again does no harm: what is there is unchanged.
fn told(mut refusal: Refusal, tally: &Tally) -> Refusal {
    if tally.placed() > 0 {
        let (message, words) = (&refusal.error.message, tally.words());
        refusal.error.message = format!("{message} Of the rows before it: {words}.");
    }
    refusal
}
