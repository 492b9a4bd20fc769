//! Repeatable requests, as OASIS has them: which request it is that may be sent again.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, fmt::strtime};
use uuid::Uuid;

use crate::error::{Code, Error};

/// How long a request may be sent again after it was sent first.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// How far the clock of a client may be ahead.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// The longest name that a client may have for itself, in bytes.
const LONGEST_CLIENT: usize = 256;

/// The headers, as texts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'a> {
    /// `Repeatability-Request-ID`.
    pub request: Option<&'a str>,
    /// `Repeatability-First-Sent`.
    pub first_sent: Option<&'a str>,
    /// `Repeatability-Client-ID`.
    pub client: Option<&'a str>,
}

/// A request that may be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeatable {
    /// The client's name for the request.
    pub request: Uuid,
    /// The client's name for itself; empty where it gives none.
    pub client: String,
    /// Until when it may be sent again.
    pub until: Timestamp,
}

impl Repeatable {
    /// Which request these headers name.
    pub fn parse(given: Given<'_>, now: Timestamp) -> Result<Self, Error> {
        let request = given.request.and_then(|text| Uuid::try_parse(text.trim()).ok());
        let request = request.ok_or_else(|| wrong("Repeatability-Request-ID", "a GUID"))?;
        let first_sent = given.first_sent.and_then(http_date).ok_or_else(|| {
            wrong("Repeatability-First-Sent", "a date such as Tue, 24 Nov 2026 12:00:00 GMT")
        })?;
        let client = given.client.unwrap_or_default().trim();
        if client.len() > LONGEST_CLIENT {
            let expected = format!("at most {LONGEST_CLIENT} bytes");
            return Err(wrong("Repeatability-Client-ID", &expected));
        }
        let until = first_sent.checked_add(REMEMBERED).unwrap_or(Timestamp::MAX);
        let latest = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
        if until <= now || first_sent > latest {
            return Err(out_of_time(first_sent));
        }
        Ok(Self { request, client: client.to_owned(), until })
    }
}

/// A date of HTTP in the one form that is written today (RFC 9110, 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    let parsed = strtime::parse("%a, %d %b %Y %H:%M:%S GMT", text.trim()).ok()?;
    TimeZone::UTC.to_timestamp(parsed.to_datetime().ok()?).ok()
}

fn wrong(header: &str, expected: &str) -> Error {
    let message = format!(
        "The header {header} is missing or cannot be read. Expected {expected}: a request that may \
         be repeated has Repeatability-Request-ID and Repeatability-First-Sent."
    );
    Error::bad_request(message).about(header)
}

fn out_of_time(first_sent: Timestamp) -> Error {
    let message = format!(
        "The request was first sent at {first_sent}, by its Repeatability-First-Sent. Expected no \
         more than {} hours ago and no more than {} minutes ahead: whether it has been done is not \
         known, so look before you send it anew.",
        REMEMBERED.as_hours(),
        AHEAD.as_mins()
    );
    Error::new(Code::RequestTooOld, message).about("Repeatability-First-Sent")
}

/// Another request has been done under this name.
pub fn reused() -> Error {
    let message = "Another request has been done under this Repeatability-Request-ID. Expected the \
                   same method, address, headers and body, or an id that is new.";
    Error::new(Code::RequestIdReused, message).about("Repeatability-Request-ID")
}

/// The request cannot be repeated.
pub fn not_here() -> Error {
    let message = "Many rows in one body are not done once under a Repeatability-Request-ID. \
                   Expected no such header: rows that are there already are unchanged when they \
                   are sent again.";
    Error::new(Code::NotImplemented, message).about("Repeatability-Request-ID")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "DA0E2EB0-2eb0-da0e-b02e-0edab02e0eda";

    fn read(request: &str, first_sent: &str, client: &str) -> String {
        let given =
            Given { request: Some(request), first_sent: Some(first_sent), client: Some(client) };
        match Repeatable::parse(given, "2026-11-24T12:00:00Z".parse().unwrap()) {
            Ok(Repeatable { request, client, until }) => format!("{request} '{client}' {until}"),
            Err(error) => {
                let target = error.target.as_deref().unwrap_or_default();
                format!("{} {error} {target}", error.code.status())
            }
        }
    }

    #[test]
    fn what_names_a_request_and_what_does_not() {
        let lines = [
            (ID, "Tue, 24 Nov 2026 11:00:00 GMT", ""),
            (ID, "Tue, 24 Nov 2026 12:05:00 GMT", "a client"),
            (ID, "Mon, 23 Nov 2026 12:00:01 GMT", ""),
            (ID, "Mon, 23 Nov 2026 12:00:00 GMT", ""),
            (ID, "Tue, 24 Nov 2026 12:05:01 GMT", ""),
            (ID, "Sat, 01 Jan 0000 00:00:00 GMT", ""),
            (ID, "Fri, 31 Dec 9999 23:59:59 GMT", ""),
            ("x", "Tue, 24 Nov 2026 11:00:00 GMT", ""),
            ("", "Tue, 24 Nov 2026 11:00:00 GMT", ""),
            (ID, "Wed, 24 Nov 2026 11:00:00 GMT", ""),
            (ID, "Tue, 24 Nov 2026 11:00:00 CET", ""),
            (ID, "2026-11-24T11:00:00Z", ""),
            (ID, "", ""),
            (ID, "Tue, 24 Nov 2026 11:00:00 GMT", &"x".repeat(257)),
        ]
        .map(|(request, first_sent, client)| {
            format!("{first_sent}\n    {}", read(request, first_sent, client))
        });
        insta::assert_snapshot!(lines.join("\n"));
        let nothing = Repeatable::parse(Given::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(nothing.unwrap_err().code, Code::BadRequest);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(request in "\\PC{0,40}", first_sent in "\\PC{0,40}") {
            read(&request, &first_sent, &request);
        }
    }
}
