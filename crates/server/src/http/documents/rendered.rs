//! Documents that follow from the model alone: rendered when they are first
//! asked for, and then kept with their tags.

use std::sync::OnceLock;

use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::IF_NONE_MATCH;
use rollcall_odata::edm::Model;
use rollcall_odata::headers::names_tag;
use rollcall_odata::payload::csdl;

use crate::http::answer::{Answer, tag_of};
use crate::http::openapi;
use crate::http::receive::Request;

/// The documents, as far as anyone has asked for them.
#[derive(Debug, Default)]
pub struct Documents {
    xml: OnceLock<Document>,
    json: OnceLock<Document>,
    openapi: OnceLock<Document>,
}

#[derive(Debug)]
struct Document {
    text: Bytes,
    tag: String,
}

impl Documents {
    /// `$metadata` in this format.
    pub(super) fn metadata(&self, model: &Model, format: csdl::Format, to: &Request) -> Answer {
        let slot = match format {
            csdl::Format::Xml => &self.xml,
            csdl::Format::Json => &self.json,
        };
        let document = slot.get_or_init(|| Document::of(csdl::document(model, format)));
        document.answer(format.media_type(), to)
    }

    /// `/openapi.json`.
    pub(super) fn openapi(&self, model: &Model, to: &Request) -> Answer {
        let document = self.openapi.get_or_init(|| Document::of(openapi::document(model)));
        document.answer("application/json", to)
    }
}

impl Document {
    fn of(text: String) -> Self {
        let tag = tag_of(text.as_bytes());
        Self { text: text.into(), tag }
    }

    /// The document, unless the client says that it knows it.
    fn answer(&self, media_type: &'static str, to: &Request) -> Answer {
        let answer = if names_tag(to.lines(&IF_NONE_MATCH), &self.tag) {
            Answer::empty(StatusCode::NOT_MODIFIED)
        } else {
            Answer::body(StatusCode::OK, media_type, self.text.clone())
        };
        answer.tagged(&self.tag).uncached()
    }
}
