//! How the command line tells a running service that who has access has changed:
//! an address that knows nobody but who can read the folder, since what it asks for
//! is written there when the service starts.

use hyper::header::HeaderName;
use hyper::{Method, StatusCode};

use super::answer::Answer;
use super::error::{Refusal, internal};
use super::receive::Request;
use crate::access::Access;
use crate::app::App;

/// Where it is told.
pub const PATH: &str = "/rollcall/reload";

/// The header with what the folder says.
pub const SECRET: HeaderName = HeaderName::from_static("x-rollcall-reload");

/// What is told, if the request is from who may say so. To everybody else the address
/// is one of those that are not there.
pub fn told<'a>(app: &'a App, request: &Request) -> Option<&'a Access> {
    if request.path != PATH || request.method != Method::POST {
        return None;
    }
    app.access.as_deref().filter(|access| access.is_shown(request.header(&SECRET)))
}

/// Reads anew who has access. What it cannot read leaves everything as it was.
pub async fn answer(app: &App, access: &Access) -> Result<Answer, Refusal> {
    access.renew(app, false).await.map_err(internal)?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}
