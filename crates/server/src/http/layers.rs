//! What surrounds the pipeline: names for the request, the headers that every
//! answer has, the error's shape, one line in the log.

use std::pin::pin;

use hyper::body::Incoming;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    CACHE_CONTROL, DATE, HeaderName, HeaderValue, VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request as Head, Response};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use rollcall_odata::Error;

use super::answer::Answer;
use super::body::{Body, Outgoing};
use super::controls;
use super::documents;
use super::error::{self, Refusal, Stamp, oauth};
use super::fault;
use super::issuer;
use super::line::{End, Line};
use super::pipeline::{self, Way, X_API_KEY, report};
use super::receive::{Arrival, Request, Stream};
use super::reload;
use super::routes::{self, Endpoint, Place};
use crate::app::App;
use crate::observe::Observation;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// Writes the `Date` header.
const HTTP_DATE: DateTimePrinter = DateTimePrinter::new();

/// The longest client-request-id that is echoed, in bytes.
const MAX_CLIENT_ID: usize = 128;

/// What scripts of other origins may read, as Graph says it, and what they need besides.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, Location, Preference-Applied, Content-Range, request-id, client-request-id, \
     OData-EntityId, OData-Version, Repeatability-Result, Retry-After, WWW-Authenticate",
);

/// What scripts of other origins may send.
const ACCEPTED: &str = "Authorization, Content-Type, Content-Encoding, Accept, Prefer, If-Match, \
                        If-None-Match, OData-Version, OData-MaxVersion, client-request-id, \
                        SdkVersion, ConsistencyLevel, Repeatability-Request-ID, \
                        Repeatability-First-Sent, Repeatability-Client-ID, X-Api-Key";

/// Answers one request, whatever it is.
///
/// An error is a connection that is cut before anything is answered.
pub async fn answer(
    app: &App,
    head: Head<Incoming>,
    arrival: Arrival,
) -> Result<Response<Outgoing>, Cut> {
    let mut line = begin(app, &head);
    let (request, mut stream) = Request::receive(head, arrival, app.limits.body_time).await;
    line.seen.lap("receive");
    line.at = app.clock.now();
    let stamp = stamp(app, &request, line.at);
    line.seen.name(&stamp.request_id);
    let answered = {
        let routed = pin!(route(app, &request, stream.as_mut(), &stamp, &mut line.seen));
        fault::told(routed).await
    };
    let answer = told(answered, &stamp, &mut line.seen);
    if let Some(stream) = &mut stream {
        stream.discard().await;
    }
    let cut = line.seen.cut;
    let response = finished(answer, &request, &stamp, line);
    if cut { Err(Cut) } else { Ok(response) }
}

/// A connection is cut, because a test asked for it.
#[derive(Debug)]
pub struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is cut, because a test asked for it")
    }
}

impl std::error::Error for Cut {}

/// Answers one request that is refused before anything of it is looked at.
pub fn refuse(
    app: &App,
    head: Head<Incoming>,
    arrival: Arrival,
    refusal: Refusal,
) -> Response<Outgoing> {
    let mut line = begin(app, &head);
    let request = Request::without_body(head.into_parts().0, arrival);
    let stamp = stamp(app, &request, line.at);
    line.seen.name(&stamp.request_id);
    let answer = told(Err(refusal), &stamp, &mut line.seen);
    finished(answer, &request, &stamp, line)
}

/// The line that a request will have in the log, though the client may leave at any time.
fn begin(app: &App, head: &Head<Incoming>) -> Line {
    let seen = Observation::begin(&app.clock, head.method().as_str());
    Line::begin(seen, &app.log, app.clock.now())
}

/// What is answered, which the line in the log knows even if nobody waits for it.
fn told(answered: Result<Answer, Refusal>, stamp: &Stamp, seen: &mut Observation) -> Answer {
    let answer = answered.unwrap_or_else(|refusal| {
        seen.cause.clone_from(&refusal.cause);
        error::answer(&refusal, stamp)
    });
    seen.end(answer.status.as_u16(), answer.body.made());
    answer
}

fn finished(answer: Answer, request: &Request, stamp: &Stamp, line: Line) -> Response<Outgoing> {
    let answer = finish(answer, request, stamp, line.at);
    let (head, body) = answer.into_parts();
    Response::from_parts(head, outgoing(request, body, line))
}

/// The body as it is sent. What it was is logged once that is known.
fn outgoing(request: &Request, body: Body, line: Line) -> Outgoing {
    match body {
        Body::Parts(first, rest) if request.method != Method::HEAD => {
            Outgoing::parts(first, rest, Some(line))
        }
        body => {
            line.end(End::Complete);
            match body {
                Body::Whole(bytes) => Outgoing::whole(bytes),
                Body::Parts(first, rest) => Outgoing::parts(first, rest, None),
            }
        }
    }
}

async fn route(
    app: &App,
    request: &Request,
    stream: Option<&mut Stream>,
    stamp: &Stamp,
    seen: &mut Observation,
) -> Result<Answer, Refusal> {
    request.check_head(app.limits.url_bytes)?;
    if let Some(access) = reload::told(app, request) {
        seen.route = "reload";
        return reload::answer(app, access).await;
    }
    let base = app.origin.of(request);
    match routes::place(&request.path) {
        Place::Fixed(endpoint) => fixed(app, request, endpoint, seen).await,
        Place::Issuer(endpoint, tenant) => {
            seen.route = endpoint.route().name;
            if request.method == Method::OPTIONS {
                return Ok(documents::options(Some(endpoint.route().methods)));
            }
            let answered = of_issuer(app, request, (endpoint, &tenant), base, stamp, seen).await;
            Ok(answered.unwrap_or_else(|mut refusal| {
                seen.cause = refusal.cause.take();
                oauth::of(refusal).answer(stamp)
            }))
        }
        Place::Download(link) => {
            seen.route = Endpoint::Download.route().name;
            if request.method == Method::OPTIONS {
                return Ok(documents::options(Some(Endpoint::Download.route().methods)));
            }
            documents::allow(Some(Endpoint::Download.route()), &request.method)?;
            met(app, request, seen).await?;
            report::download(app, request, &link, seen).await
        }
        Place::Service(version, path) => {
            let base = base?;
            let way = Way::Alone(stream, stamp);
            pipeline::odata(app, request, way, &base, version, &path, seen).await
        }
        Place::Unknown if request.method == Method::OPTIONS => {
            let control = app.controls.as_ref().and_then(|_| controls::methods(&request.path));
            Ok(documents::options(control))
        }
        Place::Unknown => {
            if let Some(controls) = app.controls.as_ref().filter(|_| controls::own(&request.path)) {
                let base = base.unwrap_or_default();
                return controls::answer(app, controls, request, &base, seen).await;
            }
            pipeline::authenticate(app, request, &base.unwrap_or_default(), seen).await?;
            Err(pipeline::invalid_version().into())
        }
    }
}

/// What the built-in issuer answers at one of its addresses, for the tenant there.
async fn of_issuer(
    app: &App,
    request: &Request,
    (endpoint, tenant): (Endpoint, &str),
    base: Result<String, Error>,
    stamp: &Stamp,
    seen: &mut Observation,
) -> Result<Answer, Refusal> {
    documents::allow(Some(endpoint.route()), &request.method)?;
    met(app, request, seen).await?;
    Ok(issuer::answer(app, request, endpoint, tenant, &base?, stamp))
}

/// Lets a request that is no part of a batch meet what a test asked for.
async fn met(app: &App, request: &Request, seen: &mut Observation) -> Result<(), Refusal> {
    match &app.controls {
        None => Ok(()),
        Some(controls) => controls.meet(&request.method, false, seen).await,
    }
}

async fn fixed(
    app: &App,
    request: &Request,
    endpoint: Endpoint,
    seen: &mut Observation,
) -> Result<Answer, Refusal> {
    seen.route = endpoint.route().name;
    if request.method == Method::OPTIONS {
        return Ok(documents::options(Some(endpoint.route().methods)));
    }
    documents::allow(Some(endpoint.route()), &request.method)?;
    met(app, request, seen).await?;
    Ok(match endpoint {
        Endpoint::Live => documents::live(),
        Endpoint::OpenApi => documents::openapi(app, request),
        Endpoint::Ready => {
            let (answer, cause) = documents::ready(app).await;
            seen.cause = cause;
            answer
        }
        _ => documents::home(),
    })
}

/// The names and the time that an error answer repeats.
fn stamp(app: &App, request: &Request, now: Timestamp) -> Stamp {
    let request_id = app.random.guid().to_string();
    let plain = |id: &&str| {
        (1..=MAX_CLIENT_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let given = request.header(&CLIENT_REQUEST_ID).filter(plain);
    Stamp { at: now, client_request_id: given.unwrap_or(&request_id).to_owned(), request_id }
}

/// Adds what every answer has.
fn finish(answer: Answer, request: &Request, stamp: &Stamp, now: Timestamp) -> Response<Body> {
    // Years that the format has no room for leave the header out.
    let answer = match HTTP_DATE.timestamp_to_rfc9110_string(&now) {
        Ok(date) => answer.with(DATE, &date),
        Err(_) => answer,
    };
    let answer = answer
        .with(REQUEST_ID, &stamp.request_id)
        .with(CLIENT_REQUEST_ID, &stamp.client_request_id)
        .stating(ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .having(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED)
        .stating(X_CONTENT_TYPE_OPTIONS, "nosniff");
    let preflight = request.method == Method::OPTIONS
        && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut answer = if preflight { preflighted(answer) } else { answer };
    if request.headers.contains_key(X_API_KEY) {
        answer.headers.append(VARY, HeaderValue::from_static("X-Api-Key"));
    }
    let private = HeaderValue::from_static("no-store");
    if !answer.status.is_success() && answer.status.as_u16() != 304 {
        answer.headers.entry(CACHE_CONTROL).or_insert(private);
    }
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

/// What a browser asks before it lets a script of another origin send a request.
fn preflighted(answer: Answer) -> Answer {
    answer
        .stating(ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS")
        .stating(ACCESS_CONTROL_ALLOW_HEADERS, ACCEPTED)
        .stating(ACCESS_CONTROL_MAX_AGE, "3600")
}
