//! Report functions: rows as JSON, or a link and the CSV behind it.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{ACCEPT, CONTENT_DISPOSITION, IF_NONE_MATCH};
use rollcall_odata::headers::{self, Accept, Json, MediaType, Scope};
use rollcall_odata::payload::csv::write::{Asked, Sheet};
use rollcall_odata::payload::json::write::Collection;
use rollcall_odata::plan::page;
use rollcall_odata::plan::resource::Resource;
use rollcall_odata::plan::window::{self, Window};
use rollcall_odata::uri::options::Options;
use rollcall_odata::{Code, Error, Row};
use rollcall_store::RowSink;
use sha2::{Digest, Sha256};

use super::parts::{Begun, Reading};
use super::query::{Onward, in_time, query_terms, rendered};
use super::rows::Csv;
use super::{Call, OF_A_TENANT, parse};
use crate::app::App;
use crate::http::answer::{Answer, short, tag_of};
use crate::http::body::Body;
use crate::http::controls::Controls;
use crate::http::error::{self, Refusal};
use crate::http::links;
use crate::http::receive::Request;
use crate::http::throttle::{Asked as Asking, Form};
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
        self.preferences.check(Scope::Plain)?;
        self.seen.lap("plan");
        let answer = self.redirect()?.varying(OF_A_TENANT);
        self.count_for_graph(&window, Form::Csv)?;
        Ok(answer.applying(&self.preferences.applied(Scope::Plain)))
    }

    /// Counts this call, where Graph's limits are applied: one that nothing is wrong with,
    /// whatever becomes of it once the rows are read.
    fn count_for_graph(&self, window: &Window, form: Form) -> Result<(), Refusal> {
        let (Some(limits), Some(principal)) = (&self.app.graph_limits, &self.principal) else {
            return Ok(());
        };
        let (tenant, application) = (principal.tenant, principal.application.as_str());
        let asking = Asking { tenant, application, report: &window.function.name, form };
        let counted = limits.count(&asking, self.app.clock.now());
        counted.map_err(|over| error::throttled(Some(over.seconds), over.limit))
    }

    /// All rows, unless the client prefers pages.
    async fn rows(&mut self, window: Window, form: Json) -> Result<Answer, Refusal> {
        let preferred = self.preferences.max_page_size.as_ref().filter(|_| self.has_pages());
        let mut terms = query_terms(self.app);
        terms.page_size = preferred.map_or(usize::MAX, |(size, _)| *size);
        let page = page::report(&window, &self.options, &terms)?;
        let set = Arc::clone(&window.function.entity_set);
        let rows = Collection::of_function(&self.root, set).styled(self.style(form));
        let rendered = rendered(rows, &page, |rows, _, row| rows.keyless(row));
        #[cfg(rollcall_bench)]
        if let Some(body) = super::fixed::body() {
            let answer = Answer::odata(StatusCode::OK, form, body).uncached();
            return Ok(answer.varying(OF_A_TENANT));
        }
        let scope = if self.has_pages() { Scope::List } else { Scope::One };
        self.preferences.check(scope)?;
        self.count_for_graph(&window, Form::Json)?;
        let way = self.way(self.path);
        let reading = Reading::new(self.app, self.tenant(), Some(window), page, way);
        self.paged(reading, (form, scope), rendered).await
    }

    /// How many rows there are of those that are asked for.
    pub(super) async fn report_count(&mut self, window: Window) -> Result<Answer, Refusal> {
        let plan = page::report_count(&window, &self.options, &query_terms(self.app))?;
        self.preferences.check(Scope::Plain)?;
        self.count_for_graph(&window, Form::Json)?;
        self.seen.lap("plan");
        let read = self.app.store.report(self.tenant(), (window, plan), Nothing);
        let read = in_time(self.app.limits.query_time, read).await?;
        let (listed, Nothing) = read.map_err(error::of_any)?;
        self.seen.lap("run");
        Ok(self.counted(listed.count.unwrap_or_default()))
    }

    /// The way to the CSV: a link that is a credential of its own for a while.
    fn redirect(&mut self) -> Result<Answer, Refusal> {
        let principal = self
            .principal
            .as_ref()
            .ok_or_else(|| error::internal("a report for nobody".to_owned()))?;
        let now = self.app.clock.now();
        let link = self.app.links.sign(principal, self.path, &self.request.query, now);
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
    let expires = |controls: &Controls| controls.expires(seen.route, &request.method);
    if app.controls.as_ref().is_some_and(expires) {
        return Err(links::expired().into());
    }
    let link = app.links.open(link, app.clock.now())?;
    let given = app.authenticator.still_given(link.given.as_ref());
    given.map_err(|_| links::taken_back())?;
    seen.principal = Some(format!("link@{}", link.tenant));
    seen.lap("authenticate");
    let options = Options::parse(&link.query)?;
    let resource = parse(app, "", &options, &link.path)?;
    let options = options.narrowed(resource.filters());
    let Resource::Function(window, _) = resource else {
        return Err(error::internal("a link to something else than a report".to_owned()));
    };
    let page = page::file(&window, &options, &query_terms(app))?;
    let name = format!("{}-{}.csv", window.function.subject(), window.label());
    seen.lap("plan");
    let (label, limit, shape) = (window.label(), page.list.limit, page.list.shape.clone());
    let selection = page.selection.clone();
    let asked = Asked { shape: &shape, selection: selection.as_ref() };
    let form = Csv(Sheet::of_function(&window.function, asked, Vec::new()));
    let reading = Reading::new(app, link.tenant, Some(window), page, Onward::default());
    let begun = Box::pin(reading.begin(form, request)).await?;
    seen.lap("run");
    let tag = tag(&begun, || format!("{label} {limit} {shape:?} {selection:?}"));
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
    match &begun.body {
        Body::Whole(bytes) => tag_of(bytes),
        Body::Parts(..) => {
            let change = begun.change.unwrap_or_default().to_be_bytes();
            let hash = Sha256::new().chain_update(change).chain_update(question());
            format!("W/\"{}\"", short(hash))
        }
    }
}

/// No rows at all.
struct Nothing;

impl RowSink for Nothing {
    fn row(&mut self, _version: u64, _row: &Row) {}
}
