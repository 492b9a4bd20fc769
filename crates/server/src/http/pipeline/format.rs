//! In which form an answer is wanted, and in which a body comes.

use hyper::header::{ACCEPT, CONTENT_TYPE};
use rollcall_odata::Error;
use rollcall_odata::edm::EntitySet;
use rollcall_odata::headers::{self, Accept, Json, Kind, MediaType, Numbers, OF_DATA};
use rollcall_odata::payload::json::read::{self, Body};
use rollcall_odata::payload::json::write::Style;
use rollcall_odata::uri::options::Options;

use super::Call;
use crate::http::receive::Request;

impl Call<'_> {
    /// The media type of the answer from a resource that is offered in these kinds.
    pub(super) fn form(&self, offered: &[Kind], options: &Options) -> Result<MediaType, Error> {
        let accept = Accept::parse(self.request.lines(&ACCEPT));
        MediaType::negotiate(offered, options, &accept)
    }

    /// The form of the answer from a resource that is offered as JSON alone.
    pub(super) fn json(&self) -> Result<Json, Error> {
        self.json_under(&self.options)
    }

    /// The same under options that are not the request's own.
    pub(super) fn json_under(&self, options: &Options) -> Result<Json, Error> {
        match self.form(&OF_DATA, options)? {
            MediaType::Json(json) => Ok(json),
            _ => Ok(Json::default()),
        }
    }

    /// The entity of a body. For tests the placeholders of Graph's pages are read as values.
    pub(super) fn body(
        &self,
        bytes: &[u8],
        set: &EntitySet,
        numbers: Numbers,
    ) -> Result<Body, Error> {
        match &self.app.controls {
            None => read::entity(bytes, set, numbers),
            Some(controls) => read::sample(bytes, set, numbers, controls.placeholders()),
        }
    }

    /// How the answer is written that shows an entity, or several.
    pub(super) fn style(&self, json: Json) -> Style {
        Style { json, omits_nulls: self.preferences.omit_values.is_some() }
    }
}

/// The JSON body of a write, and how it writes numbers; with Graph's words
/// where it is none.
pub(super) fn json_body(request: &Request) -> Result<(&[u8], Numbers), Error> {
    let Some(content_type) = request.header(&CONTENT_TYPE) else {
        return Err(Error::bad_request(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and \
             payload is of valid JSON format.",
        ));
    };
    if !headers::is_json(content_type) {
        return Err(Error::bad_request(
            "Entity only allows writes with a JSON Content-Type header.",
        ));
    }
    headers::check_content_type(content_type)?;
    let body = request.body.as_deref().map_err(Clone::clone)?;
    Ok((body, Numbers::of(content_type)))
}
