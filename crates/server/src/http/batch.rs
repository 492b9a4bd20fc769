//! Batches: many requests in one. Each goes the way of a request of its own.
//!
//! What is decided here: the order in which the parts are done and answered is
//! that of the batch; what is written waits for the disk once where it can; a
//! group is one transaction; a batch is in no batch.

mod group;
mod order;
mod part;
mod told;

use std::time::Duration;

use hyper::header::CONTENT_TYPE;
use rollcall_odata::headers::{Preferences, Scope, repeatability};
use rollcall_odata::payload::batch::{Answers, Batch, Form, Unit};
use rollcall_odata::{Code, Error};
use rollcall_store::Author;

use super::answer::Answer;
use super::error::{self, Refusal, Stamp};
use super::pipeline::Way;
use super::pipeline::repeat::{self, Named};
use super::receive::Request;
use super::room::Held;
use crate::app::App;
use crate::observe::Observation;
pub use group::{Planned, Slot};

/// The request that brings a batch.
#[derive(Clone, Copy)]
pub struct Outer<'a> {
    /// The service.
    pub app: &'a App,
    /// The request itself.
    pub request: &'a Request,
    /// Scheme, host and port as the client knows them.
    pub base: &'a str,
    /// The version whose root the addresses of parts are relative to.
    pub version: &'a str,
    /// Who asks.
    pub author: &'a Author,
}

/// Does a batch and answers all of it. A batch that cannot be read does nothing.
pub async fn answer(
    outer: &Outer<'_>,
    way: Way<'_>,
    preferences: Preferences,
    seen: &mut Observation,
) -> Result<Answer, Refusal> {
    let Way::Alone(stream, stamp) = way else {
        return Err(nested().into());
    };
    preferences.check(Scope::Batch)?;
    let limit = (outer.app.limits.batch_bytes, "batch-bytes");
    let body = outer.request.whole(stream, limit).await?;
    let content_type = outer.request.header(&CONTENT_TYPE);
    let batch = Batch::read(content_type, &body, outer.app.limits.batch_parts)?;
    let named = Named::of(outer.request, &body, outer.app.clock.now())?;
    if let Some(named) = &named {
        named.fits(&outer.app.store, outer.author.clone()).await?;
    }
    seen.lap("plan");
    let on = preferences.continue_on_error.as_ref();
    let mut run = Run {
        outer,
        stamp,
        named,
        rejected: false,
        batch: &batch,
        goes_on: on.map_or(batch.form == Form::Json, |(goes_on, _)| *goes_on),
        done: Vec::with_capacity(batch.parts.len()),
        answers: Answers::new(batch.form, stamp.request_id.as_str()),
        held: outer.app.batch_room.place(outer.author.tenant),
        until: outer.app.clock.elapsed().saturating_add(outer.app.limits.batch_time),
        causes: Vec::new(),
    };
    run.all().await;
    seen.lap("run");
    let failed = run.done.iter().filter(|done| done.failed).count();
    seen.parts = Some((batch.parts.len(), failed));
    seen.cause = (!run.causes.is_empty()).then(|| run.causes.join("; "));
    if run.rejected {
        // Another batch of this name was faster, and nothing of this one was done.
        return Err(Refusal::from(repeatability::reused()).rejected());
    }
    let has_name = run.named.is_some();
    let answered = Ok(run.finish().applying(&preferences.applied(Scope::Batch)));
    if has_name { repeat::accepted(answered) } else { answered }
}

/// A batch is in a batch.
pub fn nested() -> Error {
    Error::bad_request("A batch is no part of another one. Expected its requests in this one.")
}

/// A part has many rows in its body, which come in no pieces there.
pub fn no_rows() -> Error {
    let message = "Many rows in one body are no part of a batch. Expected them in a request of \
                   their own, or JSON of one object.";
    Error::bad_request(message)
}

/// A part would begin, or go on to be read, after the batch's time.
fn too_late(limit: Duration) -> Refusal {
    error::not_now(&format!(
        "The batch has taken {} ms: the limit batch-time of the service. This request was not \
         done. Send it again.",
        limit.as_millis()
    ))
}

/// What is known of a part that has been done.
struct Done {
    failed: bool,
    /// The address of what it made, or else its own.
    url: String,
}

/// A batch on its way.
struct Run<'a> {
    outer: &'a Outer<'a>,
    stamp: &'a Stamp,
    /// Its name, if it may be sent again.
    named: Option<Named>,
    /// Whether this is the name of another batch, as its first write found out.
    rejected: bool,
    batch: &'a Batch,
    /// Whether it goes on after an error.
    goes_on: bool,
    /// The parts that have been done: the first so many.
    done: Vec<Done>,
    answers: Answers,
    /// The room that the answers take.
    held: Held,
    /// Until when parts begin, by the clock's `elapsed`.
    until: Duration,
    /// The causes of faults that are ours.
    causes: Vec<String>,
}

impl Run<'_> {
    /// Does one unit after the other.
    async fn all(&mut self) {
        let mut units = self.batch.units.as_slice();
        while let Some(first) = units.first() {
            let failed = self.done.iter().any(|done| done.failed);
            if self.rejected {
                return;
            }
            if failed && !self.goes_on {
                return self.leave_out(units);
            }
            let many = if first.group.is_some() { 1 } else { self.together(units) };
            let (now, rest) = units.split_at(many);
            match &first.group {
                Some(name) => self.group(name, first.parts.clone()).await,
                None => self.singles(now).await,
            }
            units = rest;
        }
    }

    /// What is not done any more after an error: in JSON every part has an
    /// answer, in multipart the answers end with the error.
    fn leave_out(&mut self, units: &[Unit]) {
        if self.batch.form == Form::Multipart {
            return;
        }
        let message = "A request before this one failed, and the batch does not go on after an \
                       error.";
        for unit in units {
            for at in unit.parts.clone() {
                let refusal = Error::new(Code::FailedDependency, message).into();
                let answer = self.told(at, Err(refusal));
                self.add(at, unit.group.as_deref(), &answer, String::new());
            }
        }
    }

    /// How many of these units are done at once: writes that do not need each other.
    fn together(&self, units: &[Unit]) -> usize {
        if !self.goes_on || self.named.is_some() {
            return 1;
        }
        let begin = self.done.len();
        let is_write = |unit: &&Unit| {
            // A group may have no parts.
            if unit.group.is_some() {
                return false;
            }
            let part = &self.batch.parts[unit.parts.start];
            let needs = |other: &usize| *other >= begin;
            part::writes(part)
                && !part.after.iter().any(needs)
                && self.reference(unit.parts.start).is_none_or(|(other, _)| other < begin)
        };
        units.iter().take_while(is_write).count().max(1)
    }

    /// Does parts that stand on their own. They reach the store in their order.
    async fn singles(&mut self, units: &[Unit]) {
        let mut work = Vec::with_capacity(units.len());
        let mut urls = Vec::with_capacity(units.len());
        for unit in units {
            let prepared = self.prepare(unit.parts.start, &[]);
            urls.push(prepared.as_ref().map_or_else(|_| String::new(), part::Prepared::url));
            let is_write = part::writes(&self.batch.parts[unit.parts.start]);
            let one = self.outer.perform(prepared, None, self.name(unit.parts.start));
            work.push(self.in_time(is_write, one));
        }
        let outcomes = order::in_order(work).await;
        for ((unit, outcome), url) in units.iter().zip(outcomes).zip(urls) {
            self.single(unit.parts.start, outcome, url).await;
        }
    }

    /// How much time is left to begin with parts.
    fn left(&self) -> Duration {
        self.until.saturating_sub(self.outer.app.clock.elapsed())
    }

    /// What this gives within the time that is left. A write that has begun is
    /// waited for: it is done, and told.
    fn in_time<T>(
        &self,
        is_write: bool,
        work: impl Future<Output = Result<T, Refusal>>,
    ) -> impl Future<Output = Result<T, Refusal>> {
        let (left, limit) = (self.left(), self.outer.app.limits.batch_time);
        async move {
            if is_write {
                return work.await;
            }
            tokio::time::timeout(left, work).await.unwrap_or_else(|_| Err(too_late(limit)))
        }
    }
}
