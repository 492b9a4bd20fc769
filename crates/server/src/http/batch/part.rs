//! One part of a batch: from what was written to a request, and its way through
//! the pipeline.

use std::pin::pin;

use hyper::Method;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, HOST, HeaderMap, HeaderName,
    HeaderValue, LOCATION, TRANSFER_ENCODING,
};
use rollcall_odata::payload::batch::{Part, is_same_name, reference, target};
use rollcall_odata::{Code, Error};

use super::super::answer::{Answer, ODATA_ENTITY_ID};
use super::super::error::Refusal;
use super::super::fault;
use super::super::pipeline::repeat::Named;
use super::super::pipeline::{self, Way, X_API_KEY};
use super::super::receive::{MAX_BODY, Request, gzipped, leads_to, too_large};
use super::super::routes::VERSIONS;
use super::{Done, Outer, Run, Slot, too_late};
use crate::observe::Observation;

/// What a part says of who asks, or of a connection that it has not: the outer
/// request's counts.
const OUTER: [HeaderName; 7] = [
    AUTHORIZATION,
    X_API_KEY,
    HOST,
    CONNECTION,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    CONTENT_ENCODING,
];

/// Whether a part changes something: one that sends a query reads.
pub(super) fn writes(part: &Part) -> bool {
    let path = part.url.split(['?', '#']).next().unwrap_or_default();
    ["POST", "PATCH", "PUT", "DELETE"].contains(&part.method.as_str()) && !leads_to(path, "$query")
}

/// Where what a part has made is to be found.
pub(super) fn location(answer: &Answer) -> Option<&str> {
    let named = answer.headers.get(LOCATION).filter(|_| answer.status.is_success());
    named.or_else(|| answer.headers.get(ODATA_ENTITY_ID))?.to_str().ok()
}

/// A part that can be done.
pub(super) struct Prepared {
    request: Request,
    version: &'static str,
    base: String,
}

impl Prepared {
    /// Its address, absolute and without its query.
    pub(super) fn url(&self) -> String {
        format!("{}/{}/{}", self.base, self.version, self.request.path)
    }
}

impl Run<'_> {
    /// The part that this one's address begins with, and what follows it there.
    pub(super) fn reference(&self, at: usize) -> Option<(usize, &str)> {
        let (part, before) = (&self.batch.parts[at], &self.batch.parts[..at]);
        let find = |id: &str| {
            // Of several of one name the last counts.
            before.iter().rposition(|one| one.id.as_ref().is_some_and(|is| is_same_name(is, id)))
        };
        reference(&part.url, find)
    }

    /// The request that a part is. `urls` are the addresses of the parts before
    /// it in its group, which have not been done yet.
    pub(super) fn prepare(&self, at: usize, urls: &[String]) -> Result<Prepared, Refusal> {
        let part = &self.batch.parts[at];
        let failed = |other: &usize| self.done.get(*other).is_some_and(|done| done.failed);
        if part.after.iter().any(failed) {
            return Err(depends("A request that this one depends on failed.").into());
        }
        if self.left().is_zero() {
            return Err(too_late(self.outer.app.limits.batch_time));
        }
        if !writes(part) {
            self.fits()?;
        }
        let url = match self.reference(at) {
            None => part.url.clone(),
            Some((other, _)) if failed(&other) => {
                return Err(depends("The request that the address refers to failed.").into());
            }
            Some((other, rest)) => format!("{}{rest}", self.address_of(other, urls)),
        };
        Ok(self.outer.prepare(part, &url)?)
    }

    /// The name of a part's write, if the batch has one: no other part has it.
    pub(super) fn name(&self, at: usize) -> Option<Named> {
        let part = u32::try_from(at).ok();
        self.named.as_ref().zip(part).map(|(named, part)| named.part(part))
    }

    fn address_of<'a>(&'a self, other: usize, urls: &'a [String]) -> &'a str {
        let group = || urls.get(other - self.done.len()).map_or("", String::as_str);
        self.done.get(other).map_or_else(group, |Done { url, .. }| url.as_str())
    }
}

impl Outer<'_> {
    fn prepare(&self, part: &Part, url: &str) -> Result<Prepared, Error> {
        let base = self.base.split_once("://").map_or(self.base, |(_, host)| host);
        let hosts: Vec<&str> = std::iter::once(base).chain(self.request.host()).collect();
        let target = target(url, &hosts, &VERSIONS)?;
        if part.header("host").is_some_and(|host| !hosts.contains(&host)) {
            let message = "The Host is another service. Expected this one, or none.";
            return Err(Error::bad_request(message));
        }
        let own = VERSIONS.iter().find(|one| **one == self.version).copied();
        let version = target.version.or(own).unwrap_or(VERSIONS[0]);
        let headers = self.headers(part)?;
        let method = Method::from_bytes(part.method.as_bytes())
            .map_err(|_| Error::bad_request("The method is none."))?;
        let body = if part.body.len() > MAX_BODY {
            Err(too_large())
        } else {
            packed(part).map(|()| part.body.clone().into())
        };
        let request = Request {
            arrival: self.request.arrival,
            method,
            path: target.path,
            query: target.query,
            // The whole answer is at hand before any of it is sent.
            knows_ends: true,
            headers,
            body,
        };
        request.check_head(self.app.limits.url_bytes)?;
        Ok(Prepared { request, version, base: self.base.to_owned() })
    }

    fn headers(&self, part: &Part) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in &part.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_bytes(value.as_bytes());
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(Error::bad_request("A header of the request cannot be sent."));
            };
            if !OUTER.contains(&name) {
                headers.append(name, value);
            }
        }
        for name in [AUTHORIZATION, X_API_KEY, HOST] {
            for value in self.request.headers.get_all(&name) {
                headers.append(&name, value.clone());
            }
        }
        Ok(headers)
    }

    /// Does a part, in a group if it has a place there.
    pub(super) async fn perform(
        self,
        prepared: Result<Prepared, Refusal>,
        slot: Option<Slot>,
        named: Option<Named>,
    ) -> Result<Answer, Refusal> {
        let Prepared { request, version, base } = prepared?;
        let mut seen = Observation::begin(&self.app.clock, request.method.as_str());
        let (path, way) = (request.path.as_str(), Way::Part(slot, named));
        let work = pipeline::odata(self.app, &request, way, &base, version, path, &mut seen);
        fault::told(pin!(work)).await
    }
}

/// Refuses a body that is packed: a batch is packed as a whole.
fn packed(part: &Part) -> Result<(), Error> {
    if gzipped(part.header("content-encoding").into_iter().map(str::as_bytes))? {
        let message = "The body of a part is gzipped. Expected the batch gzipped as a whole.";
        return Err(Error::new(Code::UnsupportedEncoding, message));
    }
    Ok(())
}

fn depends(message: &str) -> Error {
    Error::new(Code::FailedDependency, message)
}
