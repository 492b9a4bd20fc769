//! Who asks, from what a request shows of it.

use std::sync::Arc;

use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use jiff::Timestamp;
use rollcall_odata::Error;

use crate::app::App;
use crate::auth::{Principal, Shown, failure};
use crate::http::error::Refusal;
use crate::http::receive::Request;
use crate::observe::Observation;

/// Where an API key is sent, if not as a password.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Who asks. The answer to a bad token says nothing of what was asked for.
/// `base` is scheme, host and port.
pub async fn authenticate(
    app: &App,
    request: &Request,
    base: &str,
    seen: &mut Observation,
) -> Result<Arc<Principal>, Refusal> {
    authenticate_at(app, request, base, app.clock.now(), seen).await
}

/// The same at a time of its own.
pub async fn authenticate_at(
    app: &App,
    request: &Request,
    base: &str,
    now: Timestamp,
    seen: &mut Observation,
) -> Result<Arc<Principal>, Refusal> {
    let shown = [AUTHORIZATION, X_API_KEY].map(|name| once(request, &name));
    let sent = shown.iter().any(|one| !matches!(one, Ok(None)));
    let checked = match shown {
        [Ok(authorization), Ok(api_key)] => {
            let shown = Shown { authorization, api_key };
            app.authenticator.authenticate(shown, now).await
        }
        [Err(error), _] | [_, Err(error)] => Err(error),
    };
    let principal = checked.map_err(|error| {
        Refusal::unauthenticated(error, app.authenticator.challenges(base, sent))
    })?;
    seen.principal = Some(format!("{}@{}", principal.subject, principal.tenant));
    seen.lap("authenticate");
    Ok(principal)
}

/// The value of a header that is there once, or not at all.
fn once<'a>(request: &'a Request, name: &HeaderName) -> Result<Option<&'a [u8]>, Error> {
    let mut lines = request.headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let line = lines.next();
    if lines.next().is_none() {
        return Ok(line);
    }
    let name = if *name == AUTHORIZATION { "Authorization" } else { "X-Api-Key" };
    Err(failure(&format!("The {name} header is there twice.")))
}
