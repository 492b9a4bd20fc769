//! Through a running service: bulk create, over one connection on this machine,
//! with a token that the folder's own key signs.

use std::ops::Range;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Request, StatusCode};
use rollcall_odata::edm::EntitySet;
use rollcall_odata::payload::json::write;
use rollcall_odata::plan::bulk::Policy;
use uuid::Uuid;

use super::sink::{Rows, Terms, issuer};
use crate::auth::issuer::{Grant, Holder, Issuer, LIFETIME, Version};
use crate::auth::permissions::READ_WRITE;
use crate::clock::{Clock, SystemClock};
use crate::folder::Folder;
use crate::running::{Running, message};
use crate::tally::Tally;

/// How long a token is used before a new one is made.
const TOKEN_AGE: Duration = Duration::from_mins(30);

/// A service that runs.
pub(super) struct Service {
    running: Running,
    issuer: Issuer,
    tenant: Uuid,
    terms: Terms,
    clock: SystemClock,
    token: Option<(String, Duration)>,
}

impl Service {
    /// The service that has this folder.
    pub fn connect(folder: &Folder, terms: Terms) -> Result<Self, String> {
        let running = Running::of(folder)?;
        let (issuer, tenant) = issuer(folder, terms)?;
        let clock = SystemClock::start();
        Ok(Self { running, issuer, tenant, terms, clock, token: None })
    }

    /// The tenant whose rows they are.
    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    /// From now on rows are another tenant's: its token is another.
    pub fn turn_to(&mut self, tenant: Uuid) {
        self.tenant = tenant;
        self.token = None;
    }

    /// Sends rows and waits for what became of them.
    pub fn send(&mut self, rows: &Rows, tally: &mut Tally) -> Result<(), String> {
        self.send_some(rows, 0..rows.rows.len(), tally)
    }

    /// Sends the rows of these numbers. What is only looked at is all held there at
    /// once; where it is more than the service takes, each half is sent for itself.
    fn send_some(
        &mut self,
        rows: &Rows,
        some: Range<usize>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let mut body = Vec::new();
        for number in some.clone() {
            write::line(&mut body, &rows.set, rows.rows.row(number));
        }
        let request = self.request(&rows.set, body.into())?;
        let address = self.running.address();
        let failed = |error: String| {
            format!("The service at {address} did not take the rows: {error}. Import them again.")
        };
        let (status, answer) = self.running.send(request).map_err(failed)?;
        if self.terms.dry && status == StatusCode::PAYLOAD_TOO_LARGE && some.len() > 1 {
            let half = some.start + some.len() / 2;
            self.send_some(rows, some.start..half, tally)?;
            return self.send_some(rows, half..some.end, tally);
        }
        if status != StatusCode::OK {
            return Err(failed(format!("{status}, {}", message(&answer))));
        }
        let answered: Tally =
            serde_json::from_slice(&answer).map_err(|error| failed(error.to_string()))?;
        tally.merge(answered, &rows.lines[some]);
        Ok(())
    }

    fn request(&mut self, set: &EntitySet, body: Bytes) -> Result<Request<Full<Bytes>>, String> {
        let token = self.token();
        let mut request = Request::post(format!("/v1.0/{}/{}", set.under, set.name))
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(CONTENT_TYPE, "application/x-ndjson");
        if self.terms.policy == Policy::Replace {
            request = request.header("prefer", "resolution=replace");
        }
        if self.terms.dry {
            request = request.header("prefer", "dry-run");
        }
        request.body(Full::new(body)).map_err(|error| error.to_string())
    }

    fn token(&mut self) -> String {
        let now = self.clock.elapsed();
        if let Some((token, made)) = &self.token
            && now.saturating_sub(*made) < TOKEN_AGE
        {
            return token.clone();
        }
        let grant = Grant {
            tenant: self.tenant,
            client: self.issuer.client().client_id,
            holder: Holder::Application(vec![READ_WRITE.to_owned()]),
            version: Version::One,
            seconds: LIFETIME,
        };
        let token = self.issuer.mint(&grant, self.clock.now());
        self.token = Some((token.clone(), now));
        token
    }
}
