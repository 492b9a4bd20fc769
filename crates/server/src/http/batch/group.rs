//! Atomic groups: the plans of all parts, one transaction, then the answers.
//!
//! Each part goes through the pipeline until it would write. There it hands its
//! plan over and waits; once all have, the store does all of them or none, and
//! each goes on with its own outcome.

use std::ops::Range;

use rollcall_odata::payload::batch::Form;
use rollcall_odata::plan::Write;
use rollcall_odata::{Code, Error};
use rollcall_store::{Author, Error as StoreError, Failed, Written};
use tokio::sync::oneshot::{Receiver, Sender, channel};

use super::super::answer::Answer;
use super::super::error::{Refusal, internal};
use super::super::pipeline::repeat::Named;
use super::{Outer, Run, part};

/// What a part is about to write.
pub struct Planned {
    /// Who writes.
    pub author: Author,
    /// What.
    pub plan: Write,
    /// Where the entity will be, if it is new.
    pub made: Option<String>,
}

/// A part's place in its group.
pub struct Slot {
    planned: Sender<Planned>,
    outcome: Receiver<Result<Written, StoreError>>,
}

impl Slot {
    /// Hands a write over and waits until the group has been done.
    pub async fn write(self, planned: Planned) -> Result<Written, StoreError> {
        // Where nobody waits any more the group has been given up.
        drop(self.planned.send(planned));
        self.outcome.await.unwrap_or(Err(StoreError::Closed))
    }
}

/// A part that has handed over what it writes.
struct Waiting<W> {
    work: W,
    planned: Planned,
    tell: Sender<Result<Written, StoreError>>,
    url: String,
}

/// What becomes of a group.
enum Outcome {
    /// The answer to each part, and where what it is about is to be found.
    Done(Vec<(Answer, String)>),
    /// The answer to the part that is to blame.
    Failed(usize, Answer),
}

impl Run<'_> {
    /// Does a group and writes its answers.
    pub(super) async fn group(&mut self, name: &str, parts: Range<usize>) {
        match self.outcome(parts.clone()).await {
            Outcome::Done(answers) => {
                self.answers.begin_set();
                for (at, (answer, url)) in parts.zip(answers) {
                    self.add(at, Some(name), &answer, url);
                }
                self.answers.end_set();
            }
            Outcome::Failed(at, answer) if self.batch.form == Form::Multipart => {
                self.write(at, None, &answer);
                parts.for_each(|at| self.finished(at, &answer, String::new()));
            }
            Outcome::Failed(blamed, answer) => {
                for at in parts {
                    if at == blamed {
                        self.write(at, Some(name), &answer);
                    } else {
                        let other = self
                            .told(at, Err(undone(blamed, self.batch.parts[blamed].id.as_deref())));
                        self.write(at, Some(name), &other);
                    }
                    self.finished(at, &answer, String::new());
                }
            }
        }
    }

    async fn outcome(&mut self, parts: Range<usize>) -> Outcome {
        let outer = *self.outer;
        let (mut waiting, mut urls) = (Vec::new(), Vec::new());
        for at in parts.clone() {
            let begun = match self.in_group(at, &urls) {
                Ok(prepared) => begin(outer, prepared, self.name(at)).await,
                Err(refusal) => Err(refusal),
            };
            match begun {
                Ok(one) => {
                    urls.push(one.url.clone());
                    waiting.push(one);
                }
                Err(refusal) => return Outcome::Failed(at, self.told(at, Err(refusal))),
            }
        }
        match finish(outer, waiting).await {
            Ok(outcomes) => {
                let outcomes = outcomes.into_iter().zip(parts);
                let answers = outcomes.map(|(outcome, at)| self.told(at, outcome));
                Outcome::Done(answers.zip(urls).collect())
            }
            Err((at, refusal)) => {
                Outcome::Failed(parts.start + at, self.told(parts.start + at, Err(refusal)))
            }
        }
    }

    /// The request that a part of a group is: one that writes.
    fn in_group(&self, at: usize, urls: &[String]) -> Result<part::Prepared, Refusal> {
        if part::writes(&self.batch.parts[at]) {
            self.prepare(at, urls)
        } else {
            Err(no_write().into())
        }
    }
}

/// Brings a part to where it would write.
async fn begin(
    outer: Outer<'_>,
    prepared: part::Prepared,
    named: Option<Named>,
) -> Result<Waiting<impl Future<Output = Result<Answer, Refusal>> + use<'_>>, Refusal> {
    let own = prepared.url();
    let (plan, mut planned) = channel();
    let (tell, outcome) = channel();
    let slot = Slot { planned: plan, outcome };
    let mut work = Box::pin(outer.perform(Ok(prepared), Some(slot), named));
    let planned = tokio::select! {
        biased;
        answer = &mut work => return Err(answer.err().unwrap_or_else(|| no_write().into())),
        planned = &mut planned => planned,
    };
    let Ok(planned) = planned else {
        // It writes nothing, and says so now.
        return Err(work.await.err().unwrap_or_else(|| no_write().into()));
    };
    let url = planned.made.clone().unwrap_or(own);
    Ok(Waiting { work, planned, tell, url })
}

/// Has the store do what all of these write, and gives the outcome of each; or
/// which of them is to blame that nothing was done.
async fn finish<W: Future<Output = Result<Answer, Refusal>>>(
    outer: Outer<'_>,
    waiting: Vec<Waiting<W>>,
) -> Result<Vec<Result<Answer, Refusal>>, (usize, Refusal)> {
    let Some(first) = waiting.first() else { return Ok(Vec::new()) };
    let author = first.planned.author.clone();
    let (mut works, mut plans) = (Vec::new(), Vec::new());
    for Waiting { work, planned, tell, .. } in waiting {
        plans.push(planned.plan);
        works.push((work, tell));
    }
    match outer.app.store.write_all(author, plans).await {
        Ok(written) => {
            let mut outcomes = Vec::with_capacity(works.len());
            for ((work, tell), written) in works.into_iter().zip(written) {
                drop(tell.send(Ok(written)));
                outcomes.push(work.await);
            }
            Ok(outcomes)
        }
        Err(Failed { at, error, alone }) => {
            let cause = error.to_string();
            let refusal = match works.into_iter().nth(at) {
                Some((work, tell)) => {
                    drop(tell.send(Err(error)));
                    work.await.err()
                }
                None => None,
            };
            let refusal = refusal.unwrap_or_else(|| internal(cause));
            Err((at, if alone { refusal } else { discord(refusal) }))
        }
    }
}

fn no_write() -> Error {
    let message = "An atomic group or change set has a request in it that writes nothing. Expected \
                   POST, PATCH, PUT or DELETE of an object.";
    Error::bad_request(message)
}

/// A part does not go with those before it: what it met there is not there any
/// more, and is not named.
fn discord(refusal: Refusal) -> Refusal {
    let what = match refusal.error.code {
        Code::Conflict => "makes the object that is in the way of this one",
        Code::NotFound => "deletes the object",
        Code::PreconditionFailed => "changes the object, which has another ETag then",
        // The rules of an object name its values alone.
        _ => return refusal,
    };
    let message = format!(
        "A request before this one in the same atomic group {what}. Expected requests that go \
         together: nothing of the group was done."
    );
    let target = refusal.error.target.clone();
    Refusal { error: Error { target, ..Error::new(refusal.error.code, message) }, ..refusal }
}

/// The answer to the neighbours of the part that is to blame.
fn undone(at: usize, id: Option<&str>) -> Refusal {
    let id = id.map_or_else(|| at.to_string(), str::to_owned);
    let message =
        format!("The request '{id}' of the same atomic group failed: nothing of it was done.");
    Error::new(Code::FailedDependency, message).into()
}
