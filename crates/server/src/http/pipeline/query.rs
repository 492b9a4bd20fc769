//! Lists and counts under the query options.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use rollcall_odata::headers::{Json, MediaType, OF_A_SET, Scope};
use rollcall_odata::payload::Part;
use rollcall_odata::payload::json::write;
use rollcall_odata::plan::resource::Place;
use rollcall_odata::plan::{List, page};
use rollcall_odata::uri::options::{Options, SystemOption};
use rollcall_odata::{Code, Error, Row};
use rollcall_store::{Entity, RowSink};

use super::parts::{Form, Reading};
use super::{Call, OF_A_TENANT};
use crate::app::App;
use crate::http::answer::Answer;
use crate::http::error::{self, Refusal};

impl Call<'_> {
    /// The entities of a set: as JSON page by page, else all at once.
    pub(super) async fn list(&mut self, place: Place) -> Result<Answer, Refusal> {
        let json = match self.form(&OF_A_SET, &self.options)? {
            MediaType::Json(json) => json,
            form => return self.rows_of(place, form).await,
        };
        if let Some(round) = self.tracked(&place, json) {
            return self.round(&place, &round).await;
        }
        let rows = write::Collection::of_set(&self.root, Arc::clone(&place.set));
        let page = self.plan(&place)?;
        let rows = rows.styled(self.style(json));
        let rendered = rendered(rows, &page, write::Collection::item);
        let scope = if self.has_pages() { Scope::List } else { Scope::One };
        self.page(place, "", page, (json, scope), rendered).await
    }

    /// One page. `rest` is what follows the set in the path.
    pub(super) async fn page(
        &mut self,
        place: Place,
        rest: &str,
        page: page::Page,
        of: (Json, Scope),
        rendered: impl Form,
    ) -> Result<Answer, Refusal> {
        self.preferences.check(of.1)?;
        let path = place.address() + rest;
        let reading = Reading::new(self.app, self.tenant(), None, page, self.way(&path));
        self.paged(reading, of, rendered).await
    }

    /// The rows of a page, with the way to the next one; the preferences have been checked.
    pub(super) async fn paged(
        &mut self,
        reading: Reading,
        (json, scope): (Json, Scope),
        form: impl Form,
    ) -> Result<Answer, Refusal> {
        self.seen.lap("plan");
        let begun = Box::pin(reading.begin(form, self.request)).await?;
        self.seen.lap("run");
        let answer = Answer::odata(StatusCode::OK, json, begun.body).uncached();
        let answer = answer.varying(OF_A_TENANT);
        Ok(answer.applying(&self.preferences.applied(scope)))
    }

    /// The page that the options ask for, no larger than the client prefers.
    pub(super) fn plan(&self, place: &Place) -> Result<page::Page, Error> {
        let mut terms = self.page_terms();
        if !self.has_pages() {
            terms.page_size = usize::MAX;
        }
        page::page(&place.set, &self.options, &terms)
    }

    /// Whether a next page could be addressed: not where the query came in a
    /// body, for which no URL has room. All rows are answered then.
    pub(super) fn has_pages(&self) -> bool {
        self.request.path.len() + self.request.query.len() <= self.app.limits.url_bytes
    }

    /// What a page is planned under, which the client may prefer to be smaller.
    pub(super) fn page_terms(&self) -> page::Terms<'_> {
        let preferred =
            self.preferences.max_page_size.as_ref().map_or(usize::MAX, |(size, _)| *size);
        let mut terms = query_terms(self.app);
        terms.page_size = terms.page_size.min(preferred);
        terms
    }

    /// The one entity of a list, if it is there, with what is computed.
    pub(super) async fn read_computing(&self, plan: List) -> Result<Option<Entity>, Refusal> {
        let listed = self.app.store.list(self.tenant(), plan, First(None));
        let listed = in_time(self.app.limits.query_time, listed).await?;
        let (_, First(found)) = listed.map_err(error::of_any)?;
        Ok(found)
    }

    /// How many entities there are of those that are asked for.
    pub(super) async fn count(&mut self, place: Place) -> Result<Answer, Refusal> {
        let plan = page::count(&place.set, &self.options, &query_terms(self.app))?;
        self.preferences.check(Scope::Plain)?;
        self.seen.lap("plan");
        let counted = self.app.store.count(self.tenant(), plan);
        let counted = in_time(self.app.limits.query_time, counted).await?;
        let count = counted.map_err(|error| self.refusal(error, &place, ""))?;
        self.seen.lap("run");
        Ok(self.counted(count))
    }

    /// A number alone. It has one format, whatever the client accepts.
    pub(super) fn counted(&self, count: u64) -> Answer {
        let answer = Answer::body(StatusCode::OK, "text/plain", count.to_string());
        let answer = answer.applying(&self.preferences.applied(Scope::Plain));
        answer.versioned().uncached().varying("Authorization, Prefer")
    }

    /// The way to the pages after this one; `path` is its own.
    pub(super) fn way(&self, path: &str) -> Onward {
        Onward {
            base: self.base.len(),
            address: format!("{}/{path}", self.root),
            query: self.request.query.clone(),
            url_bytes: self.app.limits.url_bytes,
        }
    }
}

/// How the next page of a request is addressed.
#[derive(Default)]
pub(super) struct Onward {
    /// How long scheme, host and port are, which are no part of a target.
    base: usize,
    /// The absolute address, without a query.
    address: String,
    /// The encoded query.
    query: String,
    /// How long a target may be.
    url_bytes: usize,
}

impl Onward {
    /// The same request, from where this page ended. One that would not be taken
    /// is not given.
    pub fn next(&self, token: &str) -> Result<String, Error> {
        let kept = self
            .query
            .split('&')
            .filter(|part| !part.is_empty() && !Options::is_given(part, SystemOption::SkipToken));
        let mut query: Vec<&str> = kept.collect();
        let token = format!("$skiptoken={token}");
        query.push(&token);
        self.short_enough(format!("{}?{}", self.address, query.join("&")))
    }

    /// The link, if it would be taken.
    pub fn short_enough(&self, link: String) -> Result<String, Error> {
        if link.len() - self.base <= self.url_bytes {
            return Ok(link);
        }
        let message = "The URL of the next page would be over the limit url-bytes of the service. \
                       Expected a shorter query, or fewer and shorter keys of $orderby.";
        Err(Error::new(Code::UriTooLong, message))
    }
}

/// What queries are planned under.
pub(super) fn query_terms(app: &App) -> page::Terms<'_> {
    page::Terms {
        model: &app.model,
        page_size: app.limits.page_size,
        limits: app.limits.query,
        now: app.clock.now(),
    }
}

/// What a query gives, unless it takes too long: nobody waits for it then, so
/// that the store gives it up.
pub(super) async fn in_time<T>(
    limit: Duration,
    query: impl Future<Output = T>,
) -> Result<T, Error> {
    tokio::time::timeout(limit, query).await.map_err(|_| {
        let message = format!(
            "The query took longer than {} ms: the limit query-time of the service. Expected a \
             query for fewer rows, or with less to compute for each.",
            limit.as_millis()
        );
        Error::new(Code::TooComplex, message)
    })
}

/// The first row of a list.
struct First(Option<Entity>);

impl RowSink for First {
    fn row(&mut self, version: u64, row: &Row) {
        self.0.get_or_insert_with(|| Entity { version, row: row.clone() });
    }
}

/// How a row is added; of what `$apply` has made with the number of its form.
type Render = fn(&mut write::Collection, u64, &Row);

/// The rows of a page, which are added so where `$apply` has not made them.
pub(super) fn rendered(
    rows: write::Collection,
    page: &page::Page,
    render: Render,
) -> Rendered<Render> {
    let made = page.list.shape.apply.is_some();
    let render = if made { write::Collection::made } else { render };
    Rendered { rows: selected(rows, page), render }
}

/// Rows with what a page shows of them.
pub(super) fn selected(rows: write::Collection, page: &page::Page) -> write::Collection {
    let (computed, selection) = (&page.list.shape.computed, page.selection.as_ref());
    match &page.list.shape.apply {
        Some(applied) => rows.applying(applied, computed, selection),
        None => rows.selecting(computed, selection),
    }
}

/// Rows as JSON, each rendered as the store steps over it.
pub(super) struct Rendered<R> {
    pub rows: write::Collection,
    pub render: R,
}

impl<R: Fn(&mut write::Collection, u64, &Row) + Clone + Send + 'static> Form for Rendered<R> {
    fn row(&mut self, version: u64, row: &Row) {
        (self.render)(&mut self.rows, version, row);
    }

    fn written(&self) -> usize {
        self.rows.written()
    }

    fn part(&mut self, part: &Part<'_>) -> io::Result<Vec<u8>> {
        Ok(self.rows.part(part))
    }

    fn fresh(&self) -> Self {
        Self { rows: self.rows.fresh(), render: self.render.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_query_that_takes_too_long_is_refused_and_says_so() {
        let refused = in_time(Duration::from_millis(1), std::future::pending::<()>()).await;
        let error = refused.unwrap_err();
        assert_eq!((error.code, error.code.status()), (Code::TooComplex, 400));
        insta::assert_snapshot!(error.message);
        assert_eq!(in_time(Duration::from_mins(1), async { 7 }).await, Ok(7));
    }
}
