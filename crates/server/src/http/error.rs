//! The one file that turns errors into HTTP answers, in Graph's shape; `oauth` does so
//! for the built-in issuer, whose clients expect another.

pub mod oauth;

use hyper::StatusCode;
use hyper::header::{ALLOW, HeaderName, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use jiff::Timestamp;
use rollcall_odata::edm::EntitySet;
use rollcall_odata::headers::repeatability;
use rollcall_odata::{Code, Error, plan::delta, plan::resource};
use rollcall_store as store;
use serde::{Serialize, Serializer};

use super::answer::{Answer, REPEATABILITY_RESULT, allowed};

/// How many seconds a client is asked to wait when the service is too busy.
const BUSY_SECONDS: &str = "1";

/// How many seconds a client is asked to wait when the disk refuses writes.
const DISK_SECONDS: &str = "30";

/// What `Repeatability-Result` says of a request that its name does not fit.
const REJECTED: &str = "rejected";

/// Graph's words for who sends too many requests.
const THROTTLED: &str = "Please retry again later.";

/// The time in UTC to the second, without a zone, as Graph writes it.
const DATE: &str = "%Y-%m-%dT%H:%M:%S";

/// A refusal on its way out.
#[derive(Debug)]
pub struct Refusal {
    /// What the client is told.
    pub error: Error,
    /// Headers that go with it.
    pub headers: Vec<(HeaderName, String)>,
    /// What the log is told besides: the cause of a fault that is ours.
    pub cause: Option<String>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, headers: Vec::new(), cause: None }
    }
}

impl Refusal {
    /// The status of its answer.
    fn status(&self) -> StatusCode {
        let status = StatusCode::from_u16(self.error.code.status());
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The same with another header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A 401 with the challenges that tell a client what is taken and where it comes from.
    pub fn unauthenticated(error: Error, challenges: Vec<String>) -> Self {
        let with = |refusal: Self, challenge| refusal.with(WWW_AUTHENTICATE, challenge);
        challenges.into_iter().fold(Self::from(error), with)
    }

    /// The same with where to start again, if the client has to.
    #[must_use]
    pub fn leading_back(self, url: &str) -> Self {
        if self.error.code == Code::SyncStateNotFound { self.with(LOCATION, url) } else { self }
    }

    /// The refusal of a request because of the name under which it may be sent again.
    #[must_use]
    pub fn rejected(self) -> Self {
        self.with(REPEATABILITY_RESULT, REJECTED)
    }

    /// Whether it is one because of that name.
    pub fn is_rejected(&self) -> bool {
        let says = |(name, value): &(HeaderName, String)| {
            *name == REPEATABILITY_RESULT && value == REJECTED
        };
        self.headers.iter().any(says)
    }

    fn later(code: Code, message: &str, seconds: &str, cause: Option<String>) -> Self {
        let refusal = Self { cause, ..Self::from(Error::new(code, message)) };
        refusal.with(RETRY_AFTER, seconds)
    }
}

/// The method is none of those that the resource has.
pub fn not_allowed(methods: &[&str]) -> Refusal {
    let message = "Specified HTTP method is not allowed for the request target.";
    let refusal = Refusal::from(Error::new(Code::MethodNotAllowed, message));
    refusal.with(ALLOW, allowed(methods))
}

/// What the store's refusal means to the client.
///
/// `place` is the absolute address of the collection, `wanted` how the client
/// named the entity.
pub fn of_store(error: store::Error, set: &EntitySet, place: &str, wanted: &str) -> Refusal {
    match error {
        store::Error::Refused(error) => error.into(),
        store::Error::NotFound => resource::no_such(wanted).into(),
        store::Error::PreconditionFailed => {
            let message = "The entity was changed: its ETag is not the one that the request \
                           expects. Read it again before you write.";
            Error::new(Code::PreconditionFailed, message).into()
        }
        store::Error::FactExists { id } => fact_exists(set, place, &id.to_string()),
        store::Error::KeyExists => key_exists(set),
        other => of_any(other),
    }
}

/// The same of what has nothing to do with an entity.
pub fn of_any(error: store::Error) -> Refusal {
    match error {
        store::Error::OtherRequest => Refusal::from(repeatability::reused()).rejected(),
        store::Error::UnknownMoment => delta::out_of_sync().into(),
        store::Error::TooLarge => {
            let message = "The query is larger than can be run. Expected fewer operators, items in \
                           lists, or keys.";
            Error::new(Code::TooComplex, message).into()
        }
        store::Error::Busy => busy(),
        store::Error::OverShare => over_share(),
        store::Error::Full(cause) => {
            let message = "The disk is full: nothing can be written until there is room.";
            Refusal::later(Code::InsufficientStorage, message, DISK_SECONDS, Some(cause))
        }
        store::Error::Unwritable(cause) => {
            let message = "The disk refuses to be written for now.";
            Refusal::later(Code::Unavailable, message, DISK_SECONDS, Some(cause))
        }
        store::Error::Closed => not_now("The service is stopping."),
        other => internal(other.to_string()),
    }
}

/// There is no room for another request now.
pub fn busy() -> Refusal {
    not_now("Too many requests are waiting. Try again in a moment.")
}

/// There is no room for another request of this tenant now, as others wait as well.
fn over_share() -> Refusal {
    let message = "Too many requests of this tenant are waiting, and those of others as well. \
                   Try again in a moment.";
    Refusal::later(Code::TooManyRequests, message, BUSY_SECONDS, None)
}

/// A request that came in plain HTTP to where TLS is spoken.
pub fn not_secured() -> Refusal {
    let message = "The request came in plain HTTP. Expected HTTPS: this port speaks TLS alone.";
    Error::bad_request(message).into()
}

/// There is no room or no time for this now, and nothing of it was done.
pub fn not_now(message: &str) -> Refusal {
    Refusal::later(Code::Unavailable, message, BUSY_SECONDS, None)
}

/// The client has sent too many requests, and may send the next one after so many
/// seconds, if that is told. The log gets the cause.
pub fn throttled(seconds: Option<u64>, cause: String) -> Refusal {
    told_when(Error::new(Code::TooManyRequests, THROTTLED), seconds, cause)
}

/// The service does not answer, because a test asked for it.
pub fn unavailable(seconds: Option<u64>, cause: String) -> Refusal {
    let message = "The service is not available, because a test asked for it.";
    told_when(Error::new(Code::Unavailable, message), seconds, cause)
}

fn told_when(error: Error, seconds: Option<u64>, cause: String) -> Refusal {
    let refusal = Refusal { cause: Some(cause), ..error.into() };
    match seconds {
        None => refusal,
        Some(seconds) => refusal.with(RETRY_AFTER, seconds.to_string()),
    }
}

/// A fault of ours: the client gets no more than its request id, the log gets the cause.
pub fn internal(cause: String) -> Refusal {
    let message = "Something went wrong on our side; the log has the cause under this request-id.";
    Refusal { cause: Some(cause), ..Error::new(Code::Internal, message).into() }
}

/// What stands in the way of a row, in the words of a single create.
pub fn conflict(conflict: store::Conflict, set: &EntitySet, place: &str) -> Error {
    let refusal = match conflict {
        store::Conflict::Fact { id } => fact_exists(set, place, &id.to_string()),
        store::Conflict::Key => key_exists(set),
    };
    refusal.error
}

fn fact_exists(set: &EntitySet, place: &str, id: &str) -> Refusal {
    let names: Vec<&str> =
        set.identity.iter().map(|at| set.entity_type.properties[*at].name.as_str()).collect();
    let message = format!(
        "Another object with the same {} exists: {id}. To change it, send PATCH or PUT to \
         {place}/{id}.",
        names.join(", ")
    );
    Error::new(Code::Conflict, message).into()
}

fn key_exists(set: &EntitySet) -> Refusal {
    let key = &set.entity_type.key().name;
    let message = format!(
        "Another object with the same value for property {key} exists. Expected a value that is \
         not in use, or none: the service then assigns one."
    );
    Error::new(Code::Conflict, message).about(key.as_str()).into()
}

/// What every error answer says of its request.
#[derive(Debug, Clone, Serialize)]
pub struct Stamp {
    /// The time of the request.
    #[serde(rename = "date", serialize_with = "as_date")]
    pub at: Timestamp,
    /// The service's name for the request.
    #[serde(rename = "request-id")]
    pub request_id: String,
    /// The client's name for the request, or the service's where it has none.
    #[serde(rename = "client-request-id")]
    pub client_request_id: String,
}

impl Stamp {
    /// The time of the request, as Graph writes it.
    pub fn date(&self) -> String {
        self.at.strftime(DATE).to_string()
    }
}

fn as_date<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&at.strftime(DATE))
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Shown<'a>,
}

#[derive(Serialize)]
struct Shown<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<ShownDetail<'a>>,
    #[serde(rename = "innerError")]
    inner: Inner<'a>,
}

/// What Graph says besides of its limits, as texts.
#[derive(Serialize)]
struct Inner<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    #[serde(flatten)]
    stamp: &'a Stamp,
}

#[derive(Serialize)]
struct ShownDetail<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
}

/// The answer that tells a client why it is refused.
pub fn answer(refusal: &Refusal, stamp: &Stamp) -> Answer {
    let error = &refusal.error;
    let details = error.details.iter().map(|detail| ShownDetail {
        code: detail.code.text(),
        message: &detail.message,
        target: detail.target.as_deref(),
    });
    let number = (error.code == Code::TooManyRequests).then_some("429");
    let shown = Shown {
        code: error.code.text(),
        message: &error.message,
        target: error.target.as_deref(),
        details: details.collect(),
        inner: Inner { code: number, status: number, stamp },
    };
    // Strings and lists always have a JSON form.
    let body = serde_json::to_vec(&Envelope { error: shown }).unwrap_or_default();
    let answer = Answer::json(refusal.status(), body).versioned();
    let headers = refusal.headers.iter();
    headers.fold(answer, |answer, (name, value)| match *name {
        // Each names another way.
        WWW_AUTHENTICATE => answer.adding(WWW_AUTHENTICATE, value),
        ref name => answer.with(name.clone(), value),
    })
}

#[cfg(test)]
mod tests {
    use rollcall_odata::catalog;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_the_store_refuses_is_told_with_when_to_come_back() {
        let model = catalog::load(catalog::EMBEDDED).unwrap();
        let cause = || "the cause".to_owned();
        let errors = [
            store::Error::NotFound,
            store::Error::PreconditionFailed,
            store::Error::FactExists { id: Uuid::from_u128(7) },
            store::Error::KeyExists,
            store::Error::OtherRequest,
            store::Error::UnknownMoment,
            store::Error::TooLarge,
            store::Error::Busy,
            store::Error::OverShare,
            store::Error::Full(cause()),
            store::Error::Unwritable(cause()),
            store::Error::Closed,
            store::Error::Failed(cause()),
            store::Error::Mismatch(cause()),
        ];
        let lines = errors.map(|error| {
            let refusal = of_store(error, &model.entity_sets[0], "http://h/v1.0/x", "x");
            let Refusal { error, headers, cause } = refusal;
            format!("{} {error}\n    {headers:?} {cause:?}", error.code.status())
        });
        insta::assert_snapshot!(lines.join("\n"));
    }
}
