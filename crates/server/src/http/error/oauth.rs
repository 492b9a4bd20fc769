//! Refusals of the token endpoint and its documents, as OAuth writes them (RFC 6749,
//! section 5.2), with Entra's additions.

use hyper::StatusCode;
use hyper::header::WWW_AUTHENTICATE;
use serde_json::json;

use super::Stamp;
use crate::http::answer::Answer;

/// A refusal on its way out.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    error: &'static str,
    description: String,
}

/// Something is wrong with the request.
pub fn invalid(description: impl Into<String>) -> Refused {
    let (status, error) = (StatusCode::BAD_REQUEST, "invalid_request");
    Refused { status, error, description: description.into() }
}

/// The client has not proved itself.
pub fn unproven(description: impl Into<String>) -> Refused {
    let (status, error) = (StatusCode::UNAUTHORIZED, "invalid_client");
    Refused { status, error, description: description.into() }
}

impl Refused {
    /// The same under another of OAuth's codes.
    #[must_use]
    pub fn called(self, error: &'static str) -> Self {
        Self { error, ..self }
    }

    /// The answer.
    pub fn answer(&self, stamp: &Stamp) -> Answer {
        let body = json!({
            "error": self.error,
            "error_description": self.description,
            "timestamp": stamp.date(),
            "trace_id": stamp.request_id,
            "correlation_id": stamp.client_request_id,
        });
        let answer = Answer::json(self.status, body.to_string());
        if self.status == StatusCode::UNAUTHORIZED {
            return answer.with(WWW_AUTHENTICATE, "Basic realm=\"\"");
        }
        answer
    }
}
