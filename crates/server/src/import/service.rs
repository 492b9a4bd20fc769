//! Through a running service: bulk create, over one connection on this machine,
//! with a token that the folder's own key signs.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rollcall_odata::edm::EntitySet;
use rollcall_odata::payload::json::write;
use rollcall_odata::plan::bulk::Policy;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use super::sink::{Rows, Terms, issuer};
use crate::auth::issuer::{Grant, Holder, Issuer, LIFETIME, Version};
use crate::clock::{Clock, SystemClock};
use crate::folder::Folder;
use crate::tally::Tally;

/// How long a token is used before a new one is made.
const TOKEN_AGE: Duration = Duration::from_mins(30);

/// The permission that it takes to create and to replace.
const ROLE: &str = "Reports.ReadWrite.All";

/// A service that runs.
pub(super) struct Service {
    address: SocketAddr,
    issuer: Issuer,
    tenant: Uuid,
    terms: Terms,
    clock: SystemClock,
    token: Option<(String, Duration)>,
    runtime: Runtime,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Service {
    /// The service that has this folder.
    pub fn connect(folder: &Folder, terms: Terms) -> Result<Self, String> {
        let address = folder.announced().ok_or_else(|| {
            let shown = folder.path().display();
            format!(
                "Another process has the data folder {shown} and does not say where it listens. \
                 Expected a `rollcall serve` that has started, or nobody; try again in a moment."
            )
        })?;
        let (issuer, tenant) = issuer(folder, terms)?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("No connection can be made: {error}."))?;
        let clock = SystemClock::start();
        let (token, connection) = (None, None);
        Ok(Self { address, issuer, tenant, terms, clock, token, runtime, connection })
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
        let mut body = Vec::new();
        for number in 0..rows.rows.len() {
            write::line(&mut body, &rows.set, rows.rows.row(number));
        }
        let request = self.request(&rows.set, body.into())?;
        let address = self.address;
        let failed = |error: String| {
            format!("The service at {address} did not take the rows: {error}. Import them again.")
        };
        let connection = self.connection.take();
        let (status, answer, connection) =
            self.runtime.block_on(exchange(address, connection, request)).map_err(failed)?;
        self.connection = Some(connection);
        if status != StatusCode::OK {
            return Err(failed(format!("{status}, {}", message(&answer))));
        }
        let answered: Tally =
            serde_json::from_slice(&answer).map_err(|error| failed(error.to_string()))?;
        tally.merge(answered, &rows.lines);
        Ok(())
    }

    fn request(&mut self, set: &EntitySet, body: Bytes) -> Result<Request<Full<Bytes>>, String> {
        let token = self.token();
        let mut request = Request::post(format!("/v1.0/{}/{}", set.under, set.name))
            .header(HOST, self.address.to_string())
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
            holder: Holder::Application(vec![ROLE.to_owned()]),
            version: Version::One,
            seconds: LIFETIME,
        };
        let token = self.issuer.mint(&grant, self.clock.now());
        self.token = Some((token.clone(), now));
        token
    }
}

type Exchanged = (StatusCode, Bytes, SendRequest<Full<Bytes>>);

/// Sends a request, on the connection that there is if it still holds.
async fn exchange(
    address: SocketAddr,
    connection: Option<SendRequest<Full<Bytes>>>,
    request: Request<Full<Bytes>>,
) -> Result<Exchanged, String> {
    let mut connection = match ready(connection).await {
        Some(open) => open,
        None => connect(address).await?,
    };
    let answer = connection.send_request(request).await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(|error| error.to_string())?;
    Ok((status, body.to_bytes(), connection))
}

async fn ready(connection: Option<SendRequest<Full<Bytes>>>) -> Option<SendRequest<Full<Bytes>>> {
    let mut connection = connection?;
    connection.ready().await.ok().map(|()| connection)
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let (sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // It ends with the sender; what is wrong with it, the sender is told too.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// The words of an error answer.
fn message(answer: &[u8]) -> String {
    let json: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    json["error"]["message"].as_str().unwrap_or("without a word").to_owned()
}
