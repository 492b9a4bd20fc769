//! What the parts of a batch are answered: written as it comes into the one text
//! that is sent, within the limits on it.

use std::pin::pin;

use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;
use rollcall_odata::payload::batch;
use rollcall_odata::{Code, Error};

use super::super::answer::Answer;
use super::super::body::Body;
use super::super::error::{self, Refusal};
use super::super::fault;
use super::super::pipeline::repeat;
use super::super::room::Full;
use super::{Done, Run, part};

impl Run<'_> {
    /// Writes what became of a part that stands on its own.
    pub(super) async fn single(
        &mut self,
        at: usize,
        outcome: Result<Answer, Refusal>,
        own: String,
    ) {
        let told = match outcome {
            Ok(answer) => self.pieced(at, answer).await,
            Err(refusal) => Err(refusal),
        };
        match told {
            Ok(answer) => self.finished(at, &answer, own),
            Err(refusal) => {
                let answer = self.told(at, Err(refusal));
                self.add(at, None, &answer, own);
            }
        }
    }

    /// Writes an answer as its body comes, and gives its head. Of one that does
    /// not come to its end nothing stays.
    async fn pieced(&mut self, at: usize, answer: Answer) -> Result<Answer, Refusal> {
        let Answer { status, headers, body } = answer.versioned();
        let head = Answer { headers, ..Answer::empty(status) };
        self.open(at, None, &head);
        let written = fault::told(pin!(self.body(at, body))).await;
        if written.is_ok() {
            self.answers.end();
        } else {
            self.answers.undo();
            self.refit();
        }
        written.map(|()| head)
    }

    async fn body(&mut self, at: usize, body: Body) -> Result<(), Refusal> {
        let part = &self.batch.parts[at];
        if part.method == "HEAD" {
            return Ok(());
        }
        let is_write = part::writes(part);
        let (first, mut rest) = body.split();
        self.piece(is_write, &first)?;
        drop(first);
        while let Some(more) = rest {
            let (piece, next) = self.in_time(is_write, more.next()).await?;
            self.piece(is_write, &piece)?;
            rest = next;
        }
        Ok(())
    }

    /// One piece of a body. What has been written is told in any case, and is
    /// never large.
    fn piece(&mut self, is_write: bool, bytes: &[u8]) -> Result<(), Refusal> {
        self.answers.body(bytes);
        let room = self.held.hold(self.answers.len());
        if is_write {
            return Ok(());
        }
        self.fits()?;
        room.map_err(|full| self.no_room(full))
    }

    /// Holds what the answers have now, unless there is no room for more.
    fn refit(&mut self) {
        let _ = self.held.hold(self.answers.len());
    }

    /// Whether the answers are within the limit on one batch.
    pub(super) fn fits(&self) -> Result<(), Error> {
        let most = self.outer.app.limits.batch_answer_bytes;
        if self.answers.len() <= most {
            return Ok(());
        }
        Err(too_many(&format!("{most} bytes: the limit batch-answer-bytes")))
    }

    fn no_room(&self, full: Full) -> Refusal {
        let limit = self.outer.app.batch_room.limit(full);
        match full {
            Full::Now => error::not_now(&format!(
                "The answers to batches that the service holds until they are sent leave no room \
                 for this one: {limit}. Try again later."
            )),
            Full::Ever => too_many(&limit).into(),
        }
    }

    /// The answer to a part, errors in their shape.
    pub(super) fn told(&mut self, at: usize, outcome: Result<Answer, Refusal>) -> Answer {
        let answer = outcome.unwrap_or_else(|refusal| {
            self.causes.extend(refusal.cause.clone());
            // A part may have a name of its own, which says nothing of the batch's.
            let of_batch = self.named.is_some() && !repeat::has_name(&self.batch.parts[at]);
            self.rejected |= of_batch && refusal.is_rejected();
            error::answer(&refusal, self.stamp)
        });
        answer.versioned()
    }

    /// Writes the answer to a part, the first that is not done yet.
    pub(super) fn add(&mut self, at: usize, group: Option<&str>, answer: &Answer, own: String) {
        self.write(at, group, answer);
        self.finished(at, answer, own);
    }

    /// A part has been done with this answer.
    pub(super) fn finished(&mut self, at: usize, answer: &Answer, own: String) {
        // What is referred to may have come out elsewhere than was planned, if
        // the batch had been done before.
        let referred = self.reference(at).map(|(other, rest)| {
            let rest = rest.split(['?', '#']).next().unwrap_or_default();
            format!("{}{rest}", self.done[other].url)
        });
        let url = part::location(answer).map(str::to_owned);
        let url = url.or(referred).unwrap_or(own);
        let failed = answer.status.is_client_error() || answer.status.is_server_error();
        self.done.push(Done { failed, url });
    }

    /// Writes an answer that is at hand.
    pub(super) fn write(&mut self, at: usize, group: Option<&str>, answer: &Answer) {
        self.open(at, group, answer);
        self.answers.body(answer.body.first());
        self.answers.end();
        // Without room it is told as well: it is short.
        self.refit();
    }

    /// Begins an answer with its head.
    fn open(&mut self, at: usize, group: Option<&str>, answer: &Answer) {
        let part = &self.batch.parts[at];
        let headers: Vec<(&str, &str)> = answer
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        let reason = answer.status.canonical_reason().unwrap_or_default();
        let status = answer.status.as_u16();
        self.answers.begin(part, group, &batch::Answer { status, reason, headers: &headers });
    }

    /// All answers, as one.
    pub(super) fn finish(self) -> Answer {
        let media_type = self.answers.media_type();
        let body = self.held.with(self.answers.finish()).into();
        let answer = Answer { body, ..Answer::empty(StatusCode::OK) };
        answer.with(CONTENT_TYPE, &media_type).versioned().uncached()
    }
}

/// The answers would be more than this limit has them.
fn too_many(limit: &str) -> Error {
    let message = format!(
        "The answers to the batch would have more than {limit} of the service. Expected fewer \
         rows, or another batch for this request."
    );
    Error::new(Code::TooComplex, message)
}
