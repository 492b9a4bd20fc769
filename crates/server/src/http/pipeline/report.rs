//! Report functions: rows as JSON, or a link and the CSV behind it.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::StatusCode;
use hyper::header::{ACCEPT, CONTENT_DISPOSITION, IF_NONE_MATCH};
use rollcall_odata::headers::{self, Accept, Json, MediaType, Scope};
use rollcall_odata::payload::csv::write::Sheet;
use rollcall_odata::payload::json::write::Collection;
use rollcall_odata::plan::resource::Resource;
use rollcall_odata::plan::window::{self, Window};
use rollcall_odata::plan::{List, page};
use rollcall_odata::uri::options::Options;
use rollcall_odata::{Code, Error, Row};
use rollcall_store::{Listed, RowSink};
use sha2::{Digest, Sha256};
use uuid::Uuid;

#[cfg(rollcall_bench)]
use super::OF_A_TENANT_AS_PREFERRED;
use super::parts::{Begun, Reading};
use super::query::{Way, counted_answer, in_time, query_terms, rendered};
use super::rows::Csv;
use super::{Call, OF_A_TENANT, parse};
use crate::app::App;
use crate::http::answer::Answer;
use crate::http::body::Body;
use crate::http::error::{self, Refusal};
use crate::http::receive::Request;
use crate::observe::Observation;

impl Call<'_> {
    /// The answer of a report function in the format that is asked for.
    pub(super) async fn report(&mut self, window: Window) -> Result<Answer, Refusal> {
        let accept = Accept::parse(self.request.lines(&ACCEPT));
        let form = window::format(&self.options, &accept)?;
        if let MediaType::Json(json) = form {
            return self.rows(window, json).await;
        }
        // What is wrong with the call is told here and not at the link.
        page::file(&window, &self.options, &query_terms(self.app))?;
        self.seen.lap("plan");
        Ok(self.redirect()?.varying(OF_A_TENANT))
    }

    /// All rows, unless the client prefers pages.
    async fn rows(&mut self, window: Window, form: Json) -> Result<Answer, Refusal> {
        let preferred = self.preferences.max_page_size.as_ref();
        let mut terms = query_terms(self.app);
        terms.page_size = preferred.map_or(usize::MAX, |(size, _)| *size);
        let page = page::report(&window, &self.options, &terms)?;
        let set = Arc::clone(&window.function.entity_set);
        let rows = Collection::of_function(&self.root, set).styled(self.style(form));
        let rendered = rendered(rows, &page, |rows, _, row| rows.keyless(row));
        #[cfg(rollcall_bench)]
        if let Some(body) = super::fixed::body() {
            let answer = Answer::odata(StatusCode::OK, form, body).uncached();
            return Ok(answer.varying(OF_A_TENANT_AS_PREFERRED));
        }
        let way = self.way(self.path);
        let reading = Reading::new(self.app, self.tenant(), Some(window), page, way);
        self.paged(reading, (form, Scope::List), rendered).await
    }

    /// How many rows there are of those that are asked for.
    pub(super) async fn report_count(&mut self, window: Window) -> Result<Answer, Refusal> {
        let plan = page::report_count(&window, &self.options, &query_terms(self.app))?;
        self.seen.lap("plan");
        let (listed, _) = run(self.app, self.tenant(), (window, plan), Nothing).await?;
        self.seen.lap("run");
        Ok(counted_answer(listed.count.unwrap_or_default()))
    }

    /// The way to the CSV: a link that is a credential of its own for a while.
    fn redirect(&mut self) -> Result<Answer, Refusal> {
        let now = self.app.clock.now();
        let link = self.app.links.sign(self.tenant(), self.path, &self.request.query, now);
        let location = format!("{}/download/{link}", self.base);
        if location.len() - self.base.len() > self.app.limits.url_bytes {
            let message = "The download link would be over the limit url-bytes of the service. \
                           Expected a shorter query, or $format=application/json.";
            return Err(Error::new(Code::UriTooLong, message).into());
        }
        let answer = Answer::body(StatusCode::FOUND, "text/plain", "");
        Ok(answer.located(&location))
    }
}

/// The file that a link leads to. The link alone says whose data it is: a
/// token that comes along is not looked at.
pub async fn download(
    app: &App,
    request: &Request,
    link: &str,
    seen: &mut Observation,
) -> Result<Answer, Refusal> {
    let link = app.links.open(link, app.clock.now())?;
    seen.principal = Some(format!("link@{}", link.tenant));
    seen.lap("authenticate");
    let options = Options::parse(&link.query)?;
    let Resource::Function(window) = parse(app, "", &options, &link.path)? else {
        return Err(error::internal("a link to something else than a report".to_owned()));
    };
    let page = page::file(&window, &options, &query_terms(app))?;
    let name = format!("{}-{}.csv", window.function.subject(), window.label());
    seen.lap("plan");
    let (label, limit, shape) = (window.label(), page.list.limit, page.list.shape.clone());
    let form = Csv(Sheet::of_function(&window.function, Vec::new()));
    let reading = Reading::new(app, link.tenant, Some(window), page, Way::default());
    let begun = Box::pin(reading.begin(form, request)).await?;
    seen.lap("run");
    let tag = tag(&begun, || format!("{label} {limit} {shape:?}"));
    let known = headers::names_tag(request.lines(&IF_NONE_MATCH), &tag);
    seen.lap("render");
    let answer = if known {
        Answer::empty(StatusCode::NOT_MODIFIED)
    } else {
        Answer::of(StatusCode::OK, "application/octet-stream", begun.body)
            .with(CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""))
    };
    Ok(answer.tagged(&tag).private())
}

/// The tag of a file: of what is in it, where that is known before it is sent.
/// Else it is a weak one, of the question and of the tenant's last change when
/// it was asked: parts that follow may be of a later moment, which has another tag.
fn tag(begun: &Begun, question: impl FnOnce() -> String) -> String {
    let short = |hash: Sha256| URL_SAFE_NO_PAD.encode(&hash.finalize()[..16]);
    match &begun.body {
        Body::Whole(bytes) => format!("\"{}\"", short(Sha256::new().chain_update(bytes))),
        Body::Parts(..) => {
            let change = begun.change.unwrap_or_default().to_be_bytes();
            let hash = Sha256::new().chain_update(change).chain_update(question());
            format!("W/\"{}\"", short(hash))
        }
    }
}

async fn run<S: RowSink>(
    app: &App,
    tenant: Uuid,
    plan: (Window, List),
    sink: S,
) -> Result<(Listed, S), Refusal> {
    let set = Arc::clone(&plan.1.set);
    let done = in_time(app.limits.query_time, app.store.report(tenant, plan, sink)).await?;
    done.map_err(|error| error::of_store(error, &set, "", ""))
}

/// No rows at all.
struct Nothing;

impl RowSink for Nothing {
    fn row(&mut self, _version: u64, _row: &Row) {}
}
