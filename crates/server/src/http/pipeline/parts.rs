//! Rows on their way into an answer, part by part: what fits into one part is
//! the whole answer, and what does not is read on while it is sent.
//!
//! Each part is a page of the store: it begins where the one before ended, so
//! that no row is repeated or lost that stays in its place while others write.
//! Between two parts there is no reader, no statement and no snapshot.

use std::io;
use std::time::Duration;

use hyper::header::UPGRADE;
use rollcall_odata::payload::Part;
use rollcall_odata::plan::window::Window;
use rollcall_odata::plan::{List, page};
use rollcall_odata::{Code, Error, Row};
use rollcall_store::{self as store, Listed, RowSink, Store};
use uuid::Uuid;

use super::query::{Onward, in_time};
use crate::app::{App, Limits};
use crate::http::body::{Body, Making, Rest, Source};
use crate::http::error::{self, Refusal};
use crate::http::receive::Request;

/// How long a part waits before it asks again where too many reads are waiting:
/// an answer that has begun is not given up for that.
const BUSY_REST: Duration = Duration::from_millis(50);

/// How rows are written.
pub(super) trait Form: Sized + Send + 'static {
    /// Adds a row.
    fn row(&mut self, version: u64, row: &Row);

    /// About how many bytes the rows have so far.
    fn written(&self) -> usize;

    /// The rows so far, as this part of the whole.
    fn part(&mut self, part: &Part<'_>) -> io::Result<Vec<u8>>;

    /// The same without rows, after the first part.
    fn fresh(&self) -> Self;
}

/// What one part may take.
struct PartLimits {
    part_rows: usize,
    part_bytes: usize,
    query_time: Duration,
}

/// Rows that are read for an answer.
pub(super) struct Reading {
    store: Store,
    limits: PartLimits,
    tenant: Uuid,
    window: Option<Window>,
    /// The page, with what of its rows is still to be read.
    page: page::Page,
    way: Onward,
    begun: bool,
}

/// An answer whose first part has been read.
pub(super) struct Begun {
    /// All of it, or its parts.
    pub body: Body,
    /// The number of the tenant's last change then, where more parts follow.
    pub change: Option<u64>,
}

/// A part that has been read.
struct Read<F> {
    bytes: Vec<u8>,
    form: F,
    change: Option<u64>,
    is_last: bool,
}

impl Reading {
    /// The rows of a set, or those of a report function. `way` leads to the next page.
    pub fn new(
        app: &App,
        tenant: Uuid,
        window: Option<Window>,
        page: page::Page,
        way: Onward,
    ) -> Self {
        let Limits { part_rows, part_bytes, query_time, .. } = app.limits;
        let limits = PartLimits { part_rows, part_bytes, query_time };
        let store = app.store.clone();
        Self { store, limits, tenant, window, page, way, begun: false }
    }

    /// Reads the first part.
    pub async fn begin(mut self, form: impl Form, request: &Request) -> Result<Begun, Refusal> {
        let Read { bytes, form, change, is_last } = self.part(form).await?;
        if is_last {
            return Ok(Begun { body: Body::Whole(bytes.into()), change });
        }
        if !request.knows_ends {
            return Err(needs_ends());
        }
        let rest = Rest::of(Others { reading: self, form });
        Ok(Begun { body: Body::Parts(bytes.into(), rest), change })
    }

    /// Reads the next part. The limit on a query's time holds for each.
    async fn part<F: Form>(&mut self, form: F) -> Result<Read<F>, Refusal> {
        let limit = self.page.list.limit.min(self.limits.part_rows);
        let list = List { limit, ..self.page.list.clone() };
        let read = in_time(self.limits.query_time, self.read(list, form)).await?;
        let (listed, Sink { mut form, rows, .. }) = read.map_err(error::of_any)?;
        let rest = &mut self.page.list;
        rest.limit -= rows;
        let is_last = listed.last.is_none() || rest.limit == 0;
        let next = listed.last.as_deref().filter(|_| is_last);
        let token = next.and_then(|last| self.page.next(last));
        let next_link = token.map(|token| self.way.next(&token)).transpose()?;
        let part = Part {
            is_first: !self.begun,
            is_last,
            count: listed.count,
            next_link: next_link.as_deref(),
        };
        let bytes = form.part(&part).map_err(|error| error::internal(error.to_string()))?;
        let rest = &mut self.page.list;
        (rest.after, rest.shape.skip, rest.count) = (listed.last, 0, false);
        self.begun = true;
        Ok(Read { bytes, form, change: listed.change, is_last })
    }

    async fn read<F: Form>(&self, list: List, form: F) -> Result<(Listed, Sink<F>), store::Error> {
        if !self.begun {
            return self.ask(list, form).await;
        }
        loop {
            match self.ask(list.clone(), form.fresh()).await {
                Err(store::Error::Busy | store::Error::OverShare) => {
                    tokio::time::sleep(BUSY_REST).await;
                }
                read => return read,
            }
        }
    }

    async fn ask<F: Form>(&self, list: List, form: F) -> Result<(Listed, Sink<F>), store::Error> {
        let sink = Sink { form, rows: 0, most: self.limits.part_bytes };
        match &self.window {
            None => self.store.list(self.tenant, list, sink).await,
            Some(window) => self.store.report(self.tenant, (window.clone(), list), sink).await,
        }
    }
}

/// The parts after the first.
struct Others<F> {
    reading: Reading,
    form: F,
}

impl<F: Form> Source for Others<F> {
    fn next(self: Box<Self>) -> Making {
        Box::pin(async move {
            let Self { mut reading, form } = *self;
            let Read { bytes, form, is_last, .. } = reading.part(form).await?;
            let rest = (!is_last).then(|| Rest::of(Self { reading, form }));
            Ok((bytes.into(), rest))
        })
    }
}

/// Takes the rows of one part.
struct Sink<F> {
    form: F,
    rows: usize,
    /// After how many bytes it is full.
    most: usize,
}

impl<F: Form> RowSink for Sink<F> {
    fn row(&mut self, version: u64, row: &Row) {
        self.form.row(version, row);
        self.rows += 1;
    }

    fn has_room(&self) -> bool {
        self.form.written() < self.most
    }
}

/// A client of HTTP/1.0 could not tell an answer of unknown length from one
/// that is cut off.
fn needs_ends() -> Refusal {
    let message = "The answer is too long for HTTP/1.0, in which its end cannot be told from a \
                   fault. Expected HTTP/1.1, or a query for fewer rows.";
    Refusal::from(Error::new(Code::UpgradeRequired, message)).with(UPGRADE, "HTTP/1.1")
}
