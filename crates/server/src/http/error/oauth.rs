//! Refusals of the token endpoint and its documents, as OAuth writes them (RFC 6749,
//! section 5.2), with Entra's additions.

use hyper::StatusCode;
use hyper::header::{HeaderName, WWW_AUTHENTICATE};
use serde_json::json;

use super::{Refusal, Stamp};
use crate::http::answer::Answer;

/// A refusal on its way out.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    error: &'static str,
    description: String,
    headers: Vec<(HeaderName, String)>,
}

/// Something is wrong with the request.
pub fn invalid(description: impl Into<String>) -> Refused {
    let (status, error) = (StatusCode::BAD_REQUEST, "invalid_request");
    Refused { status, error, description: description.into(), headers: Vec::new() }
}

/// The client has not proved itself.
pub fn unproven(description: impl Into<String>) -> Refused {
    let (status, error) = (StatusCode::UNAUTHORIZED, "invalid_client");
    let headers = vec![(WWW_AUTHENTICATE, "Basic realm=\"\"".to_owned())];
    Refused { status, error, description: description.into(), headers }
}

/// What is refused before it is about tokens, as Entra's endpoint says it.
pub fn of(refusal: Refusal) -> Refused {
    let status = refusal.status();
    let error = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            "temporarily_unavailable"
        }
        status if status.is_client_error() => "invalid_request",
        _ => "server_error",
    };
    Refused { status, error, description: refusal.error.message, headers: refusal.headers }
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
        let headers = self.headers.iter();
        headers.fold(answer, |answer, (name, value)| answer.with(name.clone(), value))
    }
}
