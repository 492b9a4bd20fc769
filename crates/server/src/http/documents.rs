//! Answers that no tenant's data is in: documents, health, methods, the page for people.

mod rendered;

use hyper::header::CONTENT_SECURITY_POLICY;
use hyper::{Method, StatusCode};
use rollcall_odata::headers::Json;
use rollcall_odata::payload::json::write::{self, Style};
use rollcall_odata::payload::{csdl, service as service_document};
use serde_json::json;

use super::answer::Answer;
use super::controls::WARNING;
use super::error::{self, Refusal};
use super::receive::Request;
use super::routes::Route;
use crate::app::App;
pub use rendered::Documents;

/// The page for people.
const HOME: &str = include_str!("home.html");

/// `/`: what this is, for a person who came with a browser.
pub fn home() -> Answer {
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    let answer = Answer::body(StatusCode::OK, "text/html; charset=utf-8", HOME);
    answer.with(CONTENT_SECURITY_POLICY, policy)
}

/// `/health/live`: the process runs.
pub fn live() -> Answer {
    Answer::json(StatusCode::OK, json!({ "status": "live" }).to_string()).uncached()
}

/// `/health/ready`: writes can be taken; 503 while the disk refuses them.
/// What is wrong with the disk is for the log, not for everyone.
pub async fn ready(app: &App) -> (Answer, Option<String>) {
    match app.store.ready().await {
        Ok(()) => {
            let mut body = json!({ "status": "ready" });
            if app.controls.is_some() {
                body["warning"] = WARNING.into();
            }
            (Answer::json(StatusCode::OK, body.to_string()).uncached(), None)
        }
        Err(error) => {
            let message = "Writes are refused for now. Reads go on.";
            let body = json!({ "status": "not ready", "message": message }).to_string();
            let answer = Answer::json(StatusCode::SERVICE_UNAVAILABLE, body).uncached();
            (answer, Some(error.to_string()))
        }
    }
}

/// `/openapi.json`: every address.
pub fn openapi(app: &App, request: &Request) -> Answer {
    app.documents.openapi(&app.model, request)
}

/// The service document.
pub fn service(app: &App, root: &str, json: Json) -> Answer {
    let body = service_document::document(&app.model, root, json.metadata);
    Answer::odata(StatusCode::OK, json, body)
}

/// `$metadata`, in the format that is asked for.
pub fn metadata(app: &App, format: csdl::Format, request: &Request) -> Answer {
    app.documents.metadata(&app.model, format, request).versioned()
}

/// A singleton: it has no properties of its own.
pub fn singleton(app: &App, root: &str, name: &str, json: Json) -> Answer {
    let style = Style { json, ..Style::default() };
    let body = write::singleton(&app.model, root, name, style);
    Answer::odata(StatusCode::OK, json, body)
}

/// `OPTIONS`: the methods of an address, of one that nobody knows the common ones.
pub fn options(methods: Option<&[&str]>) -> Answer {
    Answer::empty(StatusCode::NO_CONTENT).allowing(methods.unwrap_or(&["GET", "HEAD"]))
}

/// Refuses a method that the route does not have.
pub fn allow(route: Option<&Route>, method: &Method) -> Result<(), Refusal> {
    let Some(route) = route.filter(|route| !route.methods.contains(&method.as_str())) else {
        return Ok(());
    };
    Err(error::not_allowed(route.methods))
}
