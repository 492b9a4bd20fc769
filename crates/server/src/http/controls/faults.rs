//! Faults that a test asks for: what the next requests of a route meet.

use std::time::Duration;

use hyper::Method;
use rollcall_odata::{Code, Error};
use serde::{Deserialize, Serialize};

use crate::http::routes::ROUTES;

/// The most faults that wait at once.
pub const MAX_FAULTS: usize = 100;

/// The most requests that one of them meets.
const MAX_TIMES: u32 = 10_000;

/// The longest delay, in milliseconds.
const MAX_DELAY: u64 = 60_000;

/// The longest `Retry-After`, in seconds: a day.
const MAX_RETRY_AFTER: u64 = 86_400;

/// Routes that links lead to which end.
const OF_LINKS: [&str; 2] = ["download", "delta"];

/// What the next requests of a route meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The route, as the log calls it.
    route: String,
    /// The method; any where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// How many requests are still to meet it.
    times: u32,
    /// 429 or 503: the request is refused so.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// After how many seconds the client is told to come back; it is not told
    /// where this is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    /// How many milliseconds the request waits, once its token, address and method are
    /// known to be right, and before anything is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_milliseconds: Option<u64>,
    /// Where the connection is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<Cut>,
    /// Whether the link is taken for one that has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    expire_link: bool,
}

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cut {
    /// Nothing of the request is done.
    Before,
    /// The request is done, and the client does not hear of it.
    After,
}

/// What one request meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Met {
    /// How long it waits.
    pub delay: Duration,
    /// What becomes of it then.
    pub effect: Option<Effect>,
}

/// What becomes of a request that meets a fault, unless it only waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// 429, and when to come back.
    Throttled(Option<u64>),
    /// 503, and when to come back.
    Unavailable(Option<u64>),
    /// Its connection is cut.
    Cut(Cut),
}

/// The faults that wait, in the order in which they were asked for.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// One more, unless it cannot be or there are too many.
    pub fn add(&mut self, fault: Fault) -> Result<(), Error> {
        fault.check()?;
        if self.0.len() >= MAX_FAULTS {
            let message = format!(
                "{MAX_FAULTS} faults wait already. Expected some to be met first, or DELETE."
            );
            return Err(Error::bad_request(message));
        }
        self.0.push(fault);
        Ok(())
    }

    /// All that wait.
    pub fn waiting(&self) -> &[Fault] {
        &self.0
    }

    /// None any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What a request of this route and method meets: the first that waits for it.
    /// A part of a batch has no connection that could be cut.
    pub fn meet(&mut self, route: &str, method: &Method, is_part: bool) -> Option<Met> {
        self.take(route, method, |fault| !(fault.expire_link || is_part && fault.cut.is_some()))
            .map(|fault| fault.met())
    }

    /// Whether a link of this route is to have ended.
    pub fn expires(&mut self, route: &str, method: &Method) -> bool {
        self.take(route, method, |fault| fault.expire_link).is_some()
    }

    fn take(
        &mut self,
        route: &str,
        method: &Method,
        fits: impl Fn(&Fault) -> bool,
    ) -> Option<Fault> {
        let of_method =
            |fault: &Fault| fault.method.as_ref().is_none_or(|one| method == one.as_str());
        let found = |fault: &Fault| fault.route == route && of_method(fault) && fits(fault);
        let at = self.0.iter().position(found)?;
        let fault = &mut self.0[at];
        fault.times -= 1;
        let met = fault.clone();
        if fault.times == 0 {
            self.0.remove(at);
        }
        Some(met)
    }
}

impl Fault {
    fn met(&self) -> Met {
        let effect = match (self.status, self.cut) {
            (Some(429), _) => Some(Effect::Throttled(self.retry_after)),
            (Some(_), _) => Some(Effect::Unavailable(self.retry_after)),
            (None, cut) => cut.map(Effect::Cut),
        };
        Met { delay: Duration::from_millis(self.delay_milliseconds.unwrap_or(0)), effect }
    }

    fn check(&self) -> Result<(), Error> {
        let Some(route) = ROUTES.iter().find(|route| route.name == self.route) else {
            let names: Vec<&str> = ROUTES.iter().map(|route| route.name).collect();
            return Err(wrong("route", &self.route, &format!("one of {}", names.join(", "))));
        };
        if let Some(method) = self.method.as_deref().filter(|one| !route.methods.contains(one)) {
            return Err(wrong("method", method, &format!("one of {}", route.methods.join(", "))));
        }
        within("times", Some(u64::from(self.times)), 1, u64::from(MAX_TIMES))?;
        within("retryAfter", self.retry_after, 0, MAX_RETRY_AFTER)?;
        within("delayMilliseconds", self.delay_milliseconds, 0, MAX_DELAY)?;
        if let Some(status) = self.status.filter(|status| ![429, 503].contains(status)) {
            return Err(wrong("status", &status.to_string(), "429 or 503"));
        }
        if self.retry_after.is_some() && self.status.is_none() {
            return Err(Error::bad_request("The retryAfter goes with a status. Expected one."));
        }
        if self.expire_link && !OF_LINKS.contains(&route.name) {
            let message = "The expireLink is for links. Expected the route download or delta.";
            return Err(Error::bad_request(message));
        }
        if self.expire_link && self.delay_milliseconds.is_some() {
            let message = "The expireLink has no delay. Expected a fault of its own for that.";
            return Err(Error::bad_request(message));
        }
        let effects = [self.status.is_some(), self.cut.is_some(), self.expire_link]
            .iter()
            .filter(|is| **is)
            .count();
        match effects {
            0 if self.delay_milliseconds.is_none() => Err(Error::bad_request(
                "The fault does nothing. Expected status, delayMilliseconds, cut or expireLink.",
            )),
            0 | 1 => Ok(()),
            _ => {
                Err(Error::bad_request("Expected one of status, cut and expireLink, not several."))
            }
        }
    }
}

fn wrong(name: &str, given: &str, expected: &str) -> Error {
    Error::new(Code::BadRequest, format!("The {name} is '{given}'. Expected {expected}."))
}

fn within(name: &str, given: Option<u64>, least: u64, most: u64) -> Result<(), Error> {
    match given.filter(|number| !(least..=most).contains(number)) {
        None => Ok(()),
        Some(number) => Err(wrong(name, &number.to_string(), &format!("{least} to {most}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_first_that_fits_is_met_so_often() {
        let mut faults = Faults::default();
        for text in [
            r#"{"route":"collection","method":"POST","times":2,"status":503,"retryAfter":3}"#,
            r#"{"route":"collection","times":1,"delayMilliseconds":5,"cut":"after"}"#,
            r#"{"route":"download","times":1,"expireLink":true}"#,
        ] {
            faults.add(fault(text)).unwrap();
        }
        let mut met = |method, is_part| faults.meet("collection", method, is_part);
        let refused = Met { delay: Duration::ZERO, effect: Some(Effect::Unavailable(Some(3))) };
        assert_eq!(met(&Method::POST, true), Some(refused));
        assert_eq!(met(&Method::GET, true), None);
        let cut = Met { delay: Duration::from_millis(5), effect: Some(Effect::Cut(Cut::After)) };
        assert_eq!(met(&Method::GET, false), Some(cut));
        assert_eq!(met(&Method::POST, false), Some(refused));
        assert_eq!(met(&Method::POST, false), None);
        assert_eq!(faults.meet("download", &Method::GET, false), None);
        assert!(faults.expires("download", &Method::GET));
        assert!(!faults.expires("download", &Method::GET));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (text, expected) in [
            (r#"{"route":"x","times":1,"status":503}"#, "The route is 'x'. Expected one of home, "),
            (
                r#"{"route":"count","method":"POST","times":1,"status":503}"#,
                "Expected one of GET, HEAD.",
            ),
            (
                r#"{"route":"count","times":0,"status":503}"#,
                "The times is '0'. Expected 1 to 10000.",
            ),
            (
                r#"{"route":"count","times":1,"status":500}"#,
                "The status is '500'. Expected 429 or 503.",
            ),
            (
                r#"{"route":"count","times":1,"status":503,"retryAfter":86401}"#,
                "Expected 0 to 86400.",
            ),
            (r#"{"route":"count","times":1,"delayMilliseconds":60001}"#, "Expected 0 to 60000."),
            (r#"{"route":"count","times":1,"cut":"after","retryAfter":1}"#, "goes with a status"),
            (r#"{"route":"count","times":1,"expireLink":true}"#, "download or delta"),
            (r#"{"route":"delta","times":1,"expireLink":true,"delayMilliseconds":1}"#, "no delay"),
            (r#"{"route":"count","times":1}"#, "does nothing"),
            (r#"{"route":"count","times":1,"cut":"after","status":503}"#, "not several"),
        ] {
            let error = Faults::default().add(fault(text)).unwrap_err();
            assert!(error.message.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn so_many_wait_at_most() {
        let mut faults = Faults::default();
        let one = fault(r#"{"route":"count","times":1,"status":429}"#);
        for _ in 0..MAX_FAULTS {
            faults.add(one.clone()).unwrap();
        }
        assert!(faults.add(one).unwrap_err().message.contains("100 faults wait already"));
        faults.clear();
        assert!(faults.waiting().is_empty());
    }
}
