//! A request's way through all stages: parse, authenticate, plan, run, render.
//!
//! The one file that knows them all. What a path means is worked out before
//! the token is looked at, but nothing of it is told to who may not ask.

mod asked;
mod bulk;
mod delta;
#[cfg(rollcall_bench)]
mod fixed;
mod format;
mod identify;
mod parts;
mod property;
mod query;
pub mod repeat;
pub mod report;
mod rows;
mod writing;

use std::sync::Arc;

use hyper::header::{ACCEPT, HeaderName, IF_MATCH, IF_NONE_MATCH};
use hyper::{Method, StatusCode};
use rollcall_odata::edm::EntitySet;
use rollcall_odata::headers::{self, Accept, Answer as Wish, Json, Preferences, Protocol, Scope};
use rollcall_odata::payload::csdl;
use rollcall_odata::payload::json::write::{Shown, Style};
use rollcall_odata::plan::query::Computed;
use rollcall_odata::plan::resource::{self, Place, Resource};
use rollcall_odata::plan::{self, Precondition, Read, Selector, page};
use rollcall_odata::uri::options::{Options, SystemOption};
use rollcall_odata::uri::path;
use rollcall_odata::{Code, Error, Row};
use rollcall_store::{Author, Entity};

use super::answer::{Answer, ODATA_ENTITY_ID};
use super::batch::{self, Slot};
use super::documents;
use super::error::{self, Refusal, Stamp};
use super::receive::{Request, Stream};
use super::routes::Endpoint;
use crate::app::App;
use crate::auth::{Need, Principal};
use crate::observe::Observation;
use format::json_body;
pub(super) use identify::X_API_KEY;
pub use identify::{authenticate, authenticate_at};
use property::{Form, Part};
use repeat::Named;
use writing::AfterWrite;

pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");
const ISOLATION: HeaderName = HeaderName::from_static("isolation");
const ODATA_ISOLATION: HeaderName = HeaderName::from_static("odata-isolation");
const MAX_VERSION: HeaderName = HeaderName::from_static("odata-maxversion");
const VERSION: HeaderName = HeaderName::from_static("odata-version");

/// What an answer depends on that no tenant's data is in.
const OF_A_DOCUMENT: &str = "Accept, Prefer";

/// The same of one with a tenant's data. Any of them may say which preferences
/// were honoured.
const OF_A_TENANT: &str = "Accept, Authorization, Prefer";

/// How a request came.
pub enum Way<'a> {
    /// On a connection, with its body if that comes piece by piece, and with
    /// what its errors repeat.
    Alone(Option<&'a mut Stream>, &'a Stamp),
    /// In a batch: with its place in an atomic group if it is in one, and with
    /// its name if the batch may be sent again.
    Part(Option<Slot>, Option<Named>),
}

/// One OData request on its way.
struct Call<'a> {
    app: &'a App,
    request: &'a Request,
    /// The body, if it has many rows.
    stream: Option<&'a mut Stream>,
    /// Where to write, if it is done together with others.
    slot: Option<Slot>,
    /// Scheme, host and port as the client knows them.
    base: &'a str,
    /// The service root, absolute, without a slash at its end.
    root: String,
    /// The encoded path after the root.
    path: &'a str,
    options: Options,
    protocol: Protocol,
    preferences: Preferences,
    /// Its name, if it may be sent again.
    named: Option<Named>,
    principal: Option<Arc<Principal>>,
    seen: &'a mut Observation,
}

/// Answers a request to the OData service. `base` is scheme, host and port,
/// `path` what stands after the version.
pub async fn odata(
    app: &App,
    request: &Request,
    way: Way<'_>,
    base: &str,
    version: &str,
    path: &str,
    seen: &mut Observation,
) -> Result<Answer, Refusal> {
    let root = [base, "/", version].concat();
    let parsed = Options::parse(&request.query)
        .and_then(|options| Ok((parse(app, &root, &options, path)?, options)));
    let endpoint = parsed.as_ref().ok().map(|(resource, _)| endpoint(resource));
    seen.route = endpoint.map_or("unknown", |endpoint| endpoint.route().name);
    seen.lap("parse");
    if request.method == Method::OPTIONS {
        return Ok(documents::options(endpoint.map(|one| one.route().methods)));
    }
    let open = endpoint.is_some_and(|endpoint| endpoint.route().open);
    let principal = if open { None } else { Some(authenticate(app, request, base, seen).await?) };
    let (resource, options) = parsed?;
    documents::allow(endpoint.map(Endpoint::route), &request.method)?;
    if let Some(controls) = &app.controls {
        controls.meet(&request.method, matches!(way, Way::Part(..)), seen).await?;
    }
    if matches!(resource, Resource::Query) {
        let (asked, way) = asked(app, request, principal.as_deref(), way).await?;
        let path = asked::before_last(path);
        return Box::pin(odata(app, &asked, way, base, version, path, seen)).await;
    }
    let options = options.narrowed(resource.filters());
    let protocol = protocol(request)?;
    let preferences = Preferences::parse(request.lines(&PREFER));
    if matches!(resource, Resource::Batch) {
        // What its parts need each of them says for itself.
        options.only(&[])?;
        let author = author(app, principal.as_deref());
        let outer = batch::Outer { app, request, base, version, author: &author };
        return Box::pin(batch::answer(&outer, way, preferences, seen)).await;
    }
    if let Some(principal) = &principal {
        principal.require(need(&request.method))?;
    }
    let own = Named::of(request, request.body.as_deref().unwrap_or_default(), app.clock.now())?;
    let has_name = own.is_some();
    let (stream, slot, of_batch) = match way {
        Way::Alone(stream, _) => (stream, None, None),
        Way::Part(slot, named) => (None, slot, named),
    };
    let call = Call {
        app,
        request,
        stream,
        slot,
        base,
        root,
        path,
        options,
        protocol,
        preferences,
        named: own.or(of_batch),
        principal,
        seen,
    };
    let answered = call.answer(resource).await;
    if has_name { repeat::accepted(answered) } else { answered }
}

/// The request that one with its query in the body stands for, which is read on the same way.
async fn asked<'a>(
    app: &App,
    request: &Request,
    principal: Option<&Principal>,
    way: Way<'a>,
) -> Result<(Request, Way<'a>), Refusal> {
    if let Some(principal) = principal {
        principal.require(Need::Read)?;
    }
    Ok(match way {
        Way::Alone(Some(stream), stamp) => {
            (asked::asked(app, request, Some(stream)).await?, Way::Alone(None, stamp))
        }
        way => (asked::asked(app, request, None).await?, way),
    })
}

fn parse(app: &App, root: &str, options: &Options, path: &str) -> Result<Resource, Error> {
    let segments = path::parse(path)?;
    resource::resolve(&app.model, root, &segments, options)
}

fn protocol(request: &Request) -> Result<Protocol, Error> {
    let isolation = request.header(&ISOLATION).or_else(|| request.header(&ODATA_ISOLATION));
    Protocol::of(request.header(&MAX_VERSION), request.header(&VERSION), isolation)
}

/// The tenant of whoever asks: nobody's where no token is needed.
fn tenant(principal: Option<&Principal>) -> uuid::Uuid {
    principal.map_or(uuid::Uuid::nil(), |principal| principal.tenant)
}

fn author(app: &App, principal: Option<&Principal>) -> Author {
    let subject = principal.map(|principal| principal.subject.clone());
    Author {
        tenant: tenant(principal),
        principal: subject.unwrap_or_default(),
        at: app.clock.now(),
    }
}

fn endpoint(resource: &Resource) -> Endpoint {
    match resource {
        Resource::Service => Endpoint::Service,
        Resource::Metadata => Endpoint::Metadata,
        Resource::Batch => Endpoint::Batch,
        Resource::Query => Endpoint::Query,
        Resource::Singleton(_) => Endpoint::Singleton,
        Resource::Set(place) if !place.filters.is_empty() => Endpoint::Filtered,
        Resource::Set(_) => Endpoint::Collection,
        Resource::Delta(_) => Endpoint::Delta,
        Resource::Count(_) => Endpoint::Count,
        Resource::Entity(..) => Endpoint::Entity,
        Resource::ById(..) => Endpoint::ById,
        Resource::Reference(..) => Endpoint::Reference,
        Resource::References(_) => Endpoint::References,
        Resource::Property(..) => Endpoint::Property,
        Resource::Value(..) => Endpoint::Value,
        Resource::Function(..) => Endpoint::Function,
        Resource::ReportCount(..) => Endpoint::ReportCount,
    }
}

fn need(method: &Method) -> Need {
    match *method {
        Method::GET | Method::HEAD => Need::Read,
        Method::POST => Need::Create,
        _ => Need::Write,
    }
}

impl Call<'_> {
    /// A create is answered in place; the others, which wait for more and hold more,
    /// where a create need make no room for them.
    async fn answer(mut self, resource: Resource) -> Result<Answer, Refusal> {
        match resource {
            Resource::Set(place) if self.request.method == Method::POST => self.create(place).await,
            other => Box::pin(self.others(other)).await,
        }
    }

    async fn others(mut self, resource: Resource) -> Result<Answer, Refusal> {
        match (resource, &self.request.method) {
            (Resource::Set(place), _) => self.list(place).await,
            (Resource::Entity(place, selector), &Method::DELETE) => {
                self.delete(place, selector).await
            }
            (Resource::Entity(place, selector), &Method::GET | &Method::HEAD) => {
                self.read(place, selector, None).await
            }
            (Resource::Entity(place, selector), _) => self.change(place, selector).await,
            (Resource::Delta(place), _) => self.delta(place).await,
            (Resource::Count(place), _) => self.count(place).await,
            (Resource::ById(place, selector), _) => {
                self.read(place, selector, Some(SystemOption::Id)).await
            }
            (Resource::Reference(place, selector), _) => self.reference(place, selector).await,
            (Resource::References(place), _) => self.references(place).await,
            (Resource::Property(place, selector, at), method) => {
                self.property(Part { place, at, form: Form::Json }, selector, method).await
            }
            (Resource::Value(place, selector, at), method) => {
                self.property(Part { place, at, form: Form::Plain }, selector, method).await
            }
            (Resource::Function(window, _), _) => self.report(window).await,
            (Resource::ReportCount(window, _), _) => self.report_count(window).await,
            // Have been answered before there was a call.
            (Resource::Batch | Resource::Query, _) => Err(batch::nested().into()),
            (Resource::Service, _) => self.document(documents::service),
            (Resource::Metadata, _) => self.metadata(),
            (Resource::Singleton(name), _) => {
                self.document(|app, root, json| documents::singleton(app, root, &name, json))
            }
        }
    }

    fn document(&self, render: impl FnOnce(&App, &str, Json) -> Answer) -> Result<Answer, Refusal> {
        self.options.only(&[SystemOption::Format])?;
        self.preferences.check(Scope::Plain)?;
        let answer = render(self.app, &self.root, self.json()?);
        Ok(answer.varying(OF_A_DOCUMENT).applying(&self.preferences.applied(Scope::Plain)))
    }

    fn metadata(&self) -> Result<Answer, Refusal> {
        self.options.only(&[SystemOption::Format])?;
        self.preferences.check(Scope::Plain)?;
        let accept = Accept::parse(self.request.lines(&ACCEPT));
        let format = csdl::Format::of(&self.options, &accept)?;
        let answer = documents::metadata(self.app, format, self.request);
        Ok(answer.varying(OF_A_DOCUMENT).applying(&self.preferences.applied(Scope::Plain)))
    }

    /// One entity; `own` is the option that its address has.
    async fn read(
        &mut self,
        place: Place,
        selector: Selector,
        own: Option<SystemOption>,
    ) -> Result<Answer, Refusal> {
        let terms = query::query_terms(self.app);
        let page::One { computed, selection, lasting } =
            page::entity(&place.set, &self.options, own, &terms)?;
        self.preferences.check(Scope::One)?;
        let json = self.json()?;
        let style = self.style(json);
        let set = Arc::clone(&place.set);
        let besides = (computed.clone(), lasting);
        let answer = self.found(place, selector, besides, |call, entity| {
            let (root, selection) = (&call.root, selection.as_ref());
            let shown = Shown { root, set: &set, computed: &computed, selection, style };
            Answer::odata(StatusCode::OK, json, shown.entity(entity.version, &entity.row))
        });
        Ok(answer.await?.applying(&self.preferences.applied(Scope::One)))
    }

    /// What is to be said of an entity, unless its version says that the client
    /// knows it, or that it is another than the client means. What is computed and
    /// does not last for as long as the version nobody knows.
    async fn found(
        &mut self,
        place: Place,
        selector: Selector,
        (computed, lasting): (Vec<Computed>, bool),
        render: impl FnOnce(&Self, &Entity) -> Answer,
    ) -> Result<Answer, Refusal> {
        let wanted = wanted(&place.set, &selector);
        let plan = Read { set: Arc::clone(&place.set), selector };
        self.seen.lap("plan");
        let found = if computed.is_empty() {
            let found = self.app.store.read(self.tenant(), plan).await;
            found.map_err(|error| self.refusal(error, &place, &wanted))?
        } else {
            self.read_computing(plan.computing(computed)).await?
        };
        let entity = found.ok_or_else(|| Refusal::from(resource::no_such(&wanted)))?;
        self.seen.lap("run");
        let Precondition { matches, matches_none } = self.precondition();
        if matches.is_some_and(|versions| !versions.contain(Some(entity.version))) {
            let failed = rollcall_store::Error::PreconditionFailed;
            return Err(self.refusal(failed, &place, &wanted));
        }
        let known =
            lasting && matches_none.is_some_and(|versions| versions.contain(Some(entity.version)));
        let answer =
            if known { Answer::empty(StatusCode::NOT_MODIFIED) } else { render(self, &entity) };
        self.seen.lap("render");
        let answer = answer.tagged(&headers::entity_tag(entity.version)).versioned();
        Ok(answer.uncached().varying(OF_A_TENANT))
    }

    async fn create(&mut self, place: Place) -> Result<Answer, Refusal> {
        let json = self.json()?;
        let preferences = self.preferences.clone();
        if let (Some(stream), Some(form)) = (self.stream.take(), self.request.rows_in()) {
            self.options.only(&[SystemOption::Format])?;
            preferences.check(Scope::Rows)?;
            return Box::pin(self.create_many(place, stream, form, &preferences)).await;
        }
        if self.request.rows_in().is_some() {
            return Err(batch::no_rows().into());
        }
        let wish = self.wish(&place, preferences, Scope::Create, json)?;
        let (bytes, numbers) = json_body(self.request)?;
        let body = self.body(bytes, &place.set, numbers)?;
        let plan = plan::write::create(&place.set, body, &self.terms(&wish.preferences))?;
        self.write(place, plan::Write::Create(plan), &wish, String::new()).await
    }

    async fn change(&mut self, place: Place, selector: Selector) -> Result<Answer, Refusal> {
        let json = self.json()?;
        let scope = Scope::Change { by_fact: matches!(selector, Selector::Fact(_)) };
        let wish = self.wish(&place, self.preferences.clone(), scope, json)?;
        let (bytes, numbers) = json_body(self.request)?;
        let body = self.body(bytes, &place.set, numbers)?;
        let wanted = wanted(&place.set, &selector);
        let build = match self.request.method {
            Method::PUT => plan::write::replace,
            _ => plan::write::merge,
        };
        let terms = self.terms(&wish.preferences);
        let condition = self.precondition_in(body.tag.as_deref());
        let create = wish.preferences.create_if_missing;
        let plan = build(&place.set, selector, body, &terms, condition, create)?;
        self.write(place, plan::Write::Update(plan), &wish, wanted).await
    }

    /// The entity after a write, or where it is for who wants no body.
    fn written(
        &self,
        status: StatusCode,
        place: &Place,
        entity: &Entity,
        AfterWrite { preferences, scope, json, selection }: &AfterWrite,
    ) -> Answer {
        let url = self.url(place, &entity.row);
        let answer = if preferences.answer == Some(Wish::Minimal) {
            let id = format!("{}/{}", self.root, resource::entity_id(&place.set, &entity.row[0]));
            Answer::empty(StatusCode::NO_CONTENT).with(ODATA_ENTITY_ID, &id)
        } else {
            let style = Style { json: *json, omits_nulls: preferences.omit_values.is_some() };
            let (root, selection) = (&self.root, selection.as_ref());
            let shown = Shown { root, set: &place.set, computed: &[], selection, style };
            Answer::odata(status, *json, shown.entity(entity.version, &entity.row))
        };
        let answer = answer.tagged(&headers::entity_tag(entity.version));
        let answer = if status == StatusCode::CREATED { answer.located(&url) } else { answer };
        answer.varying(OF_A_TENANT).applying(&preferences.applied(*scope))
    }

    /// The address of an entity, by the path that was used, as Graph's `Location` has it.
    fn url(&self, place: &Place, row: &Row) -> String {
        [&self.root, "/", &place.path, "/", &key_of(row)].concat()
    }

    fn tenant(&self) -> uuid::Uuid {
        tenant(self.principal.as_deref())
    }

    fn author(&self) -> Author {
        author(self.app, self.principal.as_deref())
    }

    fn precondition(&self) -> Precondition {
        Precondition {
            matches: headers::versions(self.request.lines(&IF_MATCH)),
            matches_none: headers::versions(self.request.lines(&IF_NONE_MATCH)),
        }
    }

    fn refusal(&self, error: rollcall_store::Error, place: &Place, wanted: &str) -> Refusal {
        let collection = format!("{}/{}", self.root, place.path);
        error::of_store(error, &place.set, &collection, wanted)
    }
}

/// How the client named an entity, for the answer that there is none.
fn wanted(set: &EntitySet, selector: &Selector) -> String {
    match selector {
        Selector::Key(key) => key.to_string(),
        Selector::Fact(values) => {
            let name = |at: &usize| set.entity_type.properties[*at].name.as_str();
            let parts = set.identity.iter().map(name).zip(values);
            let text = rollcall_odata::payload::primitive::text_of;
            let parts: Vec<String> =
                parts.map(|(name, value)| format!("{name}={}", text(value))).collect();
            parts.join(",")
        }
    }
}

fn key_of(row: &Row) -> String {
    rollcall_odata::payload::primitive::text_of(&row[0])
}

/// Nothing but these versions is served.
pub fn invalid_version() -> Error {
    Error::new(Code::BadRequest, "Invalid version.")
}
