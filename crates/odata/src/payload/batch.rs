//! Batches: many requests in one body, and their answers in one.
//!
//! There are two forms, JSON and multipart/mixed. Both are read into the same
//! parts before any of them is run: a batch that cannot be read whole does
//! nothing. What a part means is the affair of whoever runs it.

mod json;
mod multipart;
mod target;
mod write;

use std::ops::Range;

use crate::error::Error;
use crate::headers::media_type;
pub use target::{Target, reference, target};
pub use write::{Answer, Answers};

/// The longest id of a request or name of a group, in bytes: an answer repeats them.
pub(super) const MAX_ID: usize = 256;

/// How a batch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `application/json`, as Graph and OData 4.01 have it.
    Json,
    /// `multipart/mixed`, as OData has had it from the beginning.
    Multipart,
}

/// The requests of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// How it was written, and how it is answered.
    pub form: Form,
    /// The requests, in their order.
    pub parts: Vec<Part>,
    /// Which of them are done together, in the same order.
    pub units: Vec<Unit>,
}

/// One request of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is called: always in JSON, in multipart where it has a `Content-ID`.
    pub id: Option<String>,
    /// Whether a `Content-ID` stood among the request's own headers, where some
    /// clients of multipart put it and look for it.
    pub id_is_inner: bool,
    /// Its method, in upper case.
    pub method: String,
    /// Its address, as it was written.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body; empty where it has none.
    pub body: Vec<u8>,
    /// The positions of the parts that must have been done before.
    pub after: Vec<usize>,
}

impl Part {
    /// The value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        first_of(&self.headers, name)
    }
}

/// Parts that are done together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The name of the atomic group or change set; none for a part on its own.
    pub group: Option<String>,
    /// The positions of its parts.
    pub parts: Range<usize>,
}

impl Batch {
    /// Reads a batch with this `Content-Type`, of no more than so many parts.
    pub fn read(content_type: Option<&str>, body: &[u8], most: usize) -> Result<Self, Error> {
        let content_type = content_type.unwrap_or_default();
        match media_type(content_type).to_ascii_lowercase().as_str() {
            "application/json" => json::read(body, most),
            "multipart/mixed" => multipart::read(content_type, body, most),
            _ => Err(Error::bad_request(
                "The Content-Type is not one of a batch. Expected application/json, or \
                 multipart/mixed with a boundary.",
            )),
        }
    }
}

/// A batch has more parts than it may have.
fn too_many(most: usize) -> Error {
    let message = format!(
        "The batch has more than {most} requests: the limit batch-parts of the service. Expected \
         no more, or another batch for the rest."
    );
    Error::bad_request(message)
}

/// The value of the first header of this name.
fn first_of<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let named = headers.iter().find(|(one, _)| one.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.as_str())
}

/// Whether two ids or names of groups are the same: in any letter case.
pub fn is_same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Whether this can be an id or the name of a group.
fn is_name(name: &str) -> bool {
    (1..=MAX_ID).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// Whether this can be a method or the name of a header (RFC 9110, section 5.6.2).
fn is_token(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token)
}

/// Whether this can be the value of a header.
fn is_value(text: &str) -> bool {
    text.chars().all(|letter| letter == '\t' || !letter.is_control())
}
