//! Test controls: a clock that can be set, faults on demand, a tenant's data taken
//! away. There are none unless the service was told so at its start, and then it
//! listens on this machine alone.

mod faults;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::header::CONTENT_TYPE;
use hyper::{Method, StatusCode};
use jiff::{Timestamp, tz::TimeZone};
use rollcall_odata::payload::json::read::Placeholders;
use rollcall_odata::{Code, Error, headers};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::error::{self, Refusal};
use super::pipeline;
use super::receive::Request;
use crate::app::App;
use crate::auth::Need;
use crate::clock::{Clock, ControlledClock, EARLIEST, LATEST};
use crate::observe::Observation;
pub use faults::Cut;
use faults::{Effect, Fault, Faults, Met};

/// What the addresses begin with.
const ROOT: &str = "/rollcall/test";

/// What the log calls them.
const ROUTE: &str = "test control";

/// What the service says of them, wherever it says so.
pub const WARNING: &str = "Test controls are on: whoever may write can set the clock, break \
                           requests and take away a tenant's data. Not for data that matters.";

/// The controls of a service that has them.
pub struct Controls {
    clock: Arc<ControlledClock>,
    faults: Mutex<Faults>,
}

/// What the clock is to show.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    /// The time; the present one where it is not said.
    now: Option<String>,
    /// Whether it stands still there.
    #[serde(default)]
    frozen: bool,
}

/// An address of the controls.
#[derive(Clone, Copy)]
enum Control {
    State,
    Clock,
    Faults,
    Tenant,
}

impl Control {
    fn methods(self) -> &'static [&'static str] {
        match self {
            Self::State => &["GET"],
            Self::Clock => &["GET", "PUT", "DELETE"],
            Self::Faults => &["GET", "POST", "DELETE"],
            Self::Tenant => &["DELETE"],
        }
    }
}

/// The methods of the control at this path, if one is there.
pub fn methods(path: &str) -> Option<&'static [&'static str]> {
    own(path).then(|| control(path).ok().map(Control::methods)).flatten()
}

/// Whether this path is one of the controls'.
pub fn own(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Controls {
    /// Controls of this clock.
    pub fn new(clock: Arc<ControlledClock>) -> Self {
        Self { clock, faults: Mutex::default() }
    }

    /// What the placeholders of Graph's pages are read as now.
    pub fn placeholders(&self) -> Placeholders {
        Placeholders { date: TimeZone::UTC.to_datetime(self.clock.now()).date() }
    }

    /// Lets a request meet the fault that waits for its route, if one does.
    pub async fn meet(
        &self,
        method: &Method,
        is_part: bool,
        seen: &mut Observation,
    ) -> Result<(), Refusal> {
        let met = self.faults().meet(seen.route, method, is_part);
        let Some(Met { delay, effect }) = met else { return Ok(()) };
        tokio::time::sleep(delay).await;
        match effect {
            None => Ok(()),
            Some(Effect::Throttled(seconds)) => Err(error::throttled(seconds, asked_for())),
            Some(Effect::Unavailable(seconds)) => Err(error::unavailable(seconds, asked_for())),
            Some(Effect::Cut(cut)) => {
                seen.cut = true;
                match cut {
                    Cut::Before => Err(error::unavailable(None, asked_for())),
                    Cut::After => Ok(()),
                }
            }
        }
    }

    /// Whether a link of this route is to be taken for one that has ended.
    pub fn expires(&self, route: &str, method: &Method) -> bool {
        self.faults().expires(route, method)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown_clock(&self) -> Value {
        let (set, frozen) = self.clock.is_set();
        json!({ "now": self.clock.now().to_string(), "set": set, "frozen": frozen })
    }

    fn shown_faults(&self) -> Value {
        json!(self.faults().waiting())
    }

    fn set_clock(&self, request: &Request) -> Result<(), Error> {
        let Setting { now, frozen } = body(request)?;
        let now = now.map_or_else(|| Ok(self.clock.now()), |text| time(&text))?;
        self.clock.set(now, frozen);
        Ok(())
    }
}

fn time(text: &str) -> Result<Timestamp, Error> {
    let time = text.parse().ok();
    let within = |time: &Timestamp| (EARLIEST..=LATEST).contains(&time.as_second());
    time.filter(within).ok_or_else(|| {
        let message = format!(
            "The now is '{text}'. Expected a time with its zone, 1970-01-01T00:00:00Z to \
             9999-01-01T00:00:00Z."
        );
        Error::bad_request(message)
    })
}

fn asked_for() -> String {
    "a test asked for it".to_owned()
}

/// Answers a request to the controls: of who may write, by the clock's time or by
/// the machine's, as a token may have ended by either.
pub async fn answer(
    app: &App,
    controls: &Controls,
    request: &Request,
    base: &str,
    seen: &mut Observation,
) -> Result<Answer, Refusal> {
    seen.route = ROUTE;
    let by_clock = pipeline::authenticate_at(app, request, base, app.clock.now(), seen).await;
    let principal = match by_clock {
        Ok(principal) => principal,
        Err(refusal) => {
            let now = controls.clock.beneath().now();
            let by_machine = pipeline::authenticate_at(app, request, base, now, seen).await;
            by_machine.map_err(|_| refusal)?
        }
    };
    principal.require(Need::Write)?;
    let control = control(&request.path)?;
    if !control.methods().contains(&request.method.as_str()) {
        return Err(error::not_allowed(control.methods()));
    }
    match (control, &request.method) {
        (Control::Clock, &Method::PUT) => controls.set_clock(request)?,
        (Control::Clock, &Method::DELETE) => controls.clock.release(),
        (Control::Faults, &Method::POST) => {
            let fault: Fault = body(request)?;
            controls.faults().add(fault)?;
        }
        (Control::Faults, &Method::DELETE) => controls.faults().clear(),
        (Control::Tenant, _) => {
            app.store.reset(principal.tenant).await.map_err(error::of_any)?;
            return Ok(Answer::empty(StatusCode::NO_CONTENT));
        }
        _ => {}
    }
    let shown = match control {
        Control::Clock => controls.shown_clock(),
        Control::Faults => json!({ "faults": controls.shown_faults() }),
        _ => json!({ "clock": controls.shown_clock(), "faults": controls.shown_faults() }),
    };
    Ok(Answer::json(StatusCode::OK, shown.to_string()).uncached())
}

fn control(path: &str) -> Result<Control, Error> {
    match path.strip_prefix(ROOT).unwrap_or_default().trim_end_matches('/') {
        "" => Ok(Control::State),
        "/clock" => Ok(Control::Clock),
        "/faults" => Ok(Control::Faults),
        "/tenant" => Ok(Control::Tenant),
        other => {
            let message = format!(
                "There is no test control at '{other}'. Expected /clock, /faults or /tenant after \
                 {ROOT}."
            );
            Err(Error::new(Code::NotFound, message))
        }
    }
}

/// The body of a control, with nothing in it that is not known.
fn body<T: for<'a> Deserialize<'a>>(request: &Request) -> Result<T, Error> {
    if !request.header(&CONTENT_TYPE).is_some_and(headers::is_json) {
        return Err(Error::bad_request("Expected the Content-Type application/json."));
    }
    let bytes = request.body.as_ref().map_err(Clone::clone)?;
    serde_json::from_slice(bytes)
        .map_err(|error| Error::bad_request(format!("The body is not what is expected: {error}.")))
}
