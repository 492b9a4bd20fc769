//! The service that runs on a folder, as the command line reaches it: one
//! connection on this machine, under TLS if the service speaks it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::folder::{Announced, Folder};
use crate::http::reload;
use crate::tls::fingerprint::Fingerprint;

/// A service that runs.
pub struct Running {
    folder: PathBuf,
    at: Announced,
    runtime: Runtime,
    connection: Option<Connection>,
    /// How long an answer may take.
    time: Duration,
}

/// How long an answer may take that nobody is in a hurry for: many rows at once may
/// wait for a disk, and longer than this for nothing.
const ANSWER_TIME: Duration = Duration::from_mins(10);

type Connection = SendRequest<Full<Bytes>>;

impl Running {
    /// The service that has this folder; an error where it does not say where it
    /// listens. No connection is made yet.
    pub fn of(folder: &Folder) -> Result<Self, String> {
        let at = folder.announced().ok_or_else(|| {
            let shown = folder.path().display();
            format!(
                "Another process has the data folder {shown} and does not say where it listens. \
                 Expected a `rollcall serve` that has started, or nobody; try again in a moment."
            )
        })?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("No connection can be made: {error}."))?;
        let folder = folder.path().to_owned();
        Ok(Self { folder, at, runtime, connection: None, time: ANSWER_TIME })
    }

    /// The same, whose answers may take this long.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.at.address
    }

    /// Sends a request, on the connection that there is if it still holds, and
    /// waits for status and body of the answer. The target is a path; the host is added.
    pub fn send(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), String> {
        let host = HeaderValue::from_str(&self.at.address.to_string());
        request.headers_mut().insert(HOST, host.map_err(|error| error.to_string())?);
        let connection = self.connection.take();
        let exchanged = exchange(&self.folder, self.at.clone(), connection, request);
        let exchanged = async { tokio::time::timeout(self.time, exchanged).await };
        let answered = self.runtime.block_on(exchanged);
        let silent = || format!("there was no answer within {} seconds", self.time.as_secs());
        let (at, status, body, connection) = answered.map_err(|_| silent())??;
        (self.at, self.connection) = (at, Some(connection));
        Ok((status, body))
    }
}

/// How often it is looked where a service that is starting listens, and how long is
/// waited in between.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// How long a service may take to answer that it knows.
const TELL_TIME: Duration = Duration::from_secs(5);

/// Tells the service that runs on this folder, if one does, that who has access has
/// changed. Once it has answered, its next request is judged by what the folder says.
pub fn reload(folder: &Folder) -> Result<(), String> {
    let is_free = || folder.is_free().map_err(|error| error.to_string());
    for _ in 0..TRIES {
        if folder.announced().is_some() || is_free()? {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    match tell(folder) {
        // One that was killed has left behind where it listened.
        Err(error) if !is_free()? => Err(format!(
            "What was changed is kept in the folder, but the process that has it could not be \
             told: {error} Restart it if it is a service."
        )),
        _ => Ok(()),
    }
}

fn tell(folder: &Folder) -> Result<(), String> {
    let mut running = Running::of(folder)?.within(TELL_TIME);
    let secret = running.at.reload.reveal().to_owned();
    let request = Request::post(reload::PATH).header(reload::SECRET, secret);
    let request = request.body(Full::default()).map_err(|error| error.to_string())?;
    match running.send(request).map_err(|error| format!("{error}."))? {
        (StatusCode::NO_CONTENT, _) => Ok(()),
        (status, answer) => Err(format!("It answered {status}: {}", message(&answer))),
    }
}

/// The words of an error answer.
pub fn message(answer: &[u8]) -> String {
    let json: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    json["error"]["message"].as_str().unwrap_or("without a word").to_owned()
}

type Exchanged = (Announced, StatusCode, Bytes, Connection);

async fn exchange(
    folder: &std::path::Path,
    at: Announced,
    connection: Option<Connection>,
    request: Request<Full<Bytes>>,
) -> Result<Exchanged, String> {
    let (at, mut connection) = match ready(connection).await {
        Some(open) => (at, open),
        None => connect(folder, at).await?,
    };
    let answer = connection.send_request(request).await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let body = answer.into_body().collect().await.map_err(|error| error.to_string())?;
    Ok((at, status, body.to_bytes(), connection))
}

async fn ready(connection: Option<Connection>) -> Option<Connection> {
    let mut connection = connection?;
    connection.ready().await.ok().map(|()| connection)
}

/// Connects to a service. One that shows another certificate meanwhile has said
/// so before.
async fn connect(
    folder: &std::path::Path,
    at: Announced,
) -> Result<(Announced, Connection), String> {
    let first = open(&at).await;
    let now = Folder::open(folder).ok().and_then(|folder| folder.announced());
    match (first, now) {
        (Ok(connection), _) => Ok((at, connection)),
        (Err(_), Some(now)) if now != at => {
            let connection = open(&now).await?;
            Ok((now, connection))
        }
        (Err(error), _) => Err(error),
    }
}

async fn open(at: &Announced) -> Result<Connection, String> {
    let stream = TcpStream::connect(at.address).await.map_err(|error| error.to_string())?;
    match at.certificate {
        None => speak(stream).await,
        Some(certificate) => speak(secured(stream, at.address, certificate).await?).await,
    }
}

async fn secured(
    stream: TcpStream,
    address: SocketAddr,
    certificate: Fingerprint,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, String> {
    let connector = TlsConnector::from(Arc::new(certificate.client()?));
    let name = ServerName::IpAddress(address.ip().into());
    connector.connect(name, stream).await.map_err(|error| error.to_string())
}

async fn speak<S>(stream: S) -> Result<Connection, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // It ends with the sender; what is wrong with it, the sender is told too.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}
