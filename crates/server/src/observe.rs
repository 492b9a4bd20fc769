//! One line in the log for each request: what it was, how it ended, where its
//! time went. Never a token, a secret, a query or a body.

mod gathered;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;
pub use gathered::Gathered;

/// Where request lines go.
#[derive(Clone)]
pub struct Log(Arc<dyn Fn(&str) + Send + Sync>);

impl Log {
    /// A log that hands each line, without its line end, to this function.
    pub fn new(write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    /// Writes one line.
    pub fn write(&self, line: &str) {
        (self.0)(line);
    }
}

/// As long as a line usually is, in bytes, and as many stages as it usually has.
const USUAL_LINE: usize = 384;
const USUAL_STAGES: usize = 8;

/// What is seen of one request.
pub struct Observation {
    clock: Arc<dyn Clock>,
    begun: Duration,
    lapped: Duration,
    method: String,
    stages: Vec<(&'static str, Duration)>,
    status: u16,
    request_id: String,
    /// How many bytes of body it was answered with.
    pub bytes: usize,
    /// The name of its route.
    pub route: &'static str,
    /// Who asked, once that is known: subject and tenant.
    pub principal: Option<String>,
    /// The cause of a fault that the client is not told.
    pub cause: Option<String>,
    /// Whether its connection is cut, because a test asked for it.
    pub cut: bool,
    /// How many requests a batch has, and how many of them failed.
    pub parts: Option<(usize, usize)>,
}

impl Observation {
    /// Begins to watch a request of this method.
    pub fn begin(clock: &Arc<dyn Clock>, method: &str) -> Self {
        let now = clock.elapsed();
        Self {
            clock: Arc::clone(clock),
            begun: now,
            lapped: now,
            method: method.to_owned(),
            stages: Vec::with_capacity(USUAL_STAGES),
            status: 0,
            request_id: String::new(),
            bytes: 0,
            route: "unknown",
            principal: None,
            cause: None,
            cut: false,
            parts: None,
        }
    }

    /// The stage of this name ends here.
    pub fn lap(&mut self, stage: &'static str) {
        let now = self.clock.elapsed();
        self.stages.push((stage, now.saturating_sub(self.lapped)));
        self.lapped = now;
    }

    /// The request has this name in its answer, too.
    pub fn name(&mut self, request_id: &str) {
        request_id.clone_into(&mut self.request_id);
    }

    /// The request is answered with this status and so many bytes of body.
    pub fn end(&mut self, status: u16, bytes: usize) {
        self.status = status;
        self.bytes = bytes;
    }

    /// The line for the log: `time method route status bytes`, then what else
    /// there is as `name=value`, durations in microseconds.
    pub fn line(&self, now: Timestamp) -> String {
        let total = self.clock.elapsed().saturating_sub(self.begun);
        let mut line = String::with_capacity(USUAL_LINE);
        // Writing text into memory cannot fail, here and below.
        let _ = write!(line, "{now:.3} {} {} ", self.method, self.route);
        // One that nobody waited for has no answer.
        let _ = match self.status {
            0 => write!(line, "-"),
            status => write!(line, "{status}"),
        };
        let _ = write!(line, " {} total={}us", self.bytes, micros(total));
        for (stage, time) in &self.stages {
            for text in [" ", stage, "="] {
                line.push_str(text);
            }
            let _ = write!(line, "{}us", micros(*time));
        }
        if let Some((parts, failed)) = self.parts {
            let _ = write!(line, " parts={parts} failed={failed}");
        }
        let principal = self.principal.as_deref().unwrap_or("-");
        let request_id = Some(self.request_id.as_str()).filter(|id| !id.is_empty()).unwrap_or("-");
        let _ = write!(line, " principal={principal} request-id={request_id}");
        if let Some(cause) = &self.cause {
            let _ = write!(line, " cause={cause:?}");
        }
        line
    }
}

/// Microseconds, in the type that is written fastest.
fn micros(time: Duration) -> u64 {
    time.as_secs() * 1_000_000 + u64::from(time.subsec_micros())
}
