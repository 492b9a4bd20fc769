//! Repeatable requests: one that is sent again is answered as the first was,
//! without being done again.

use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH};
use jiff::Timestamp;
use rollcall_odata::headers::repeatability::{self, Given, Repeatable};
use rollcall_odata::payload::batch::Part;
use rollcall_odata::plan::{Name, Once, Write};
use rollcall_store::{Author, Store};
use sha2::{Digest, Sha256};

use super::{Call, MAX_VERSION, PREFER, VERSION};
use crate::http::answer::{Answer, REPEATABILITY_RESULT};
use crate::http::error::{self, Refusal};
use crate::http::receive::Request;

const REQUEST_ID: HeaderName = HeaderName::from_static("repeatability-request-id");
const FIRST_SENT: HeaderName = HeaderName::from_static("repeatability-first-sent");
const CLIENT_ID: HeaderName = HeaderName::from_static("repeatability-client-id");

/// The headers that give a request a name.
const NAMING: [HeaderName; 2] = [REQUEST_ID, FIRST_SENT];

/// The headers besides the body that make it another request.
const TELLING: [HeaderName; 6] =
    [CONTENT_TYPE, PREFER, IF_MATCH, IF_NONE_MATCH, VERSION, MAX_VERSION];

/// The name of a request that may be sent again, and what tells it from others.
#[derive(Debug, Clone)]
pub struct Named {
    repeatable: Repeatable,
    digest: [u8; 32],
    /// Which of the request's writes.
    part: u32,
}

impl Named {
    /// The name that a request with this body has, if it has one. One that only
    /// reads needs none.
    pub fn of(request: &Request, body: &[u8], now: Timestamp) -> Result<Option<Self>, Refusal> {
        let given = Given {
            request: request.header(&REQUEST_ID),
            first_sent: request.header(&FIRST_SENT),
            client: request.header(&CLIENT_ID),
        };
        let named = NAMING.iter().any(|one| request.headers.contains_key(one));
        if !named || [Method::GET, Method::HEAD].contains(&request.method) {
            return Ok(None);
        }
        if request.rows_in().is_some() {
            return Err(Refusal::from(repeatability::not_here()).rejected());
        }
        let repeatable =
            Repeatable::parse(given, now).map_err(|error| Refusal::from(error).rejected())?;
        Ok(Some(Self { repeatable, digest: digest(request, body), part: 0 }))
    }

    /// The name of one of several writes that the request asks for, from 0.
    #[must_use]
    pub fn part(&self, part: u32) -> Self {
        Self { part, ..self.clone() }
    }

    /// Refuses the request if another one has been done under its name.
    pub async fn fits(&self, store: &Store, author: Author) -> Result<(), Refusal> {
        store.fits(author, self.name(), self.digest).await.map_err(error::of_any)
    }

    fn once(&self, write: Write) -> Write {
        let (name, digest, until) = (self.name(), self.digest, self.repeatable.until);
        Write::Once(Box::new(Once { name, digest, until, write }))
    }

    fn name(&self) -> Name {
        let Repeatable { request, client, .. } = self.repeatable.clone();
        Name { client, request, part: self.part }
    }
}

impl Call<'_> {
    /// The write, done once if the request has a name.
    pub(super) fn once(&self, write: Write) -> Write {
        match &self.named {
            Some(named) => named.once(write),
            None => write,
        }
    }
}

/// A number for all that makes it this request and no other.
fn digest(request: &Request, body: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut add = |bytes: &[u8]| {
        digest.update(bytes.len().to_be_bytes());
        digest.update(bytes);
    };
    add(request.method.as_str().as_bytes());
    add(request.path.as_bytes());
    add(request.query.as_bytes());
    for name in TELLING {
        add(&request.headers.get_all(&name).iter().count().to_be_bytes());
        request.headers.get_all(&name).iter().for_each(|line| add(line.as_bytes()));
    }
    add(body);
    digest.finalize().into()
}

/// The answer to a request that has a name: done under it now or before, or
/// refused for another reason than its name.
pub fn accepted(outcome: Result<Answer, Refusal>) -> Result<Answer, Refusal> {
    const ACCEPTED: &str = "accepted";
    match outcome {
        Ok(answer) => Ok(answer.stating(REPEATABILITY_RESULT, ACCEPTED)),
        Err(refusal) if refusal.is_rejected() => Err(refusal),
        Err(refusal) => Err(refusal.with(REPEATABILITY_RESULT, ACCEPTED)),
    }
}

/// Whether a part of a batch has a name of its own.
pub fn has_name(part: &Part) -> bool {
    NAMING.iter().any(|one| part.header(one.as_str()).is_some())
}
