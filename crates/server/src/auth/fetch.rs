//! A document from an issuer: one GET, a limit on size, no redirect, over TLS
//! to whom the machine trusts.

use std::path::Path;
use std::sync::Arc;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, CONTENT_ENCODING, HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::address::Address;

/// The largest document that is read, in bytes: ten times what issuers have.
const MAX_DOCUMENT: usize = 256 * 1024;

/// The largest head of an answer that is read, in bytes.
const MAX_HEAD: usize = 32 * 1024;

/// Whom a connection to an issuer is made to.
#[derive(Debug, Clone)]
pub struct Client(Arc<ClientConfig>);

impl Client {
    /// One that trusts whom the machine trusts, and the authorities in this PEM
    /// file. `secure` says whether anybody has to be trusted.
    ///
    /// # Errors
    /// If the file cannot be read, or nobody is trusted who has to be.
    pub fn new(ca_file: Option<&Path>, secure: bool) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        // What the machine trusts but TLS cannot read is nobody's fault here.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(file) = ca_file {
            add_file(&mut roots, file)?;
        }
        if secure && roots.is_empty() {
            return Err(
                "this machine has no list of authorities that it trusts. Expected one, as \
                        the package ca-certificates has it, or a file of them in ca-file"
                    .to_owned(),
            );
        }
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS cannot be had: {error}"))?;
        Ok(Self(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
    }

    /// The document at this address. It takes as long as the other end takes:
    /// who asks has a limit.
    ///
    /// # Errors
    /// If there is none. The words are ours, and hold nothing of what was answered.
    pub async fn get(&self, address: &Address) -> Result<Bytes, String> {
        let host = address.host.as_str();
        let stream = TcpStream::connect((host, address.port)).await;
        let stream = stream.map_err(|error| format!("no connection: {}", error.kind()))?;
        if !address.secure {
            return ask(stream, address).await;
        }
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|_| "no name that a certificate can have".to_owned())?;
        let stream = TlsConnector::from(Arc::clone(&self.0)).connect(name, stream).await;
        ask(stream.map_err(|error| format!("no TLS: {error}"))?, address).await
    }
}

fn add_file(roots: &mut RootCertStore, file: &Path) -> Result<(), String> {
    let wrong = |why: String| format!("the ca-file {} {why}", file.display());
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if certificates.is_empty() {
        return Err(wrong("has no certificate. Expected PEM".to_owned()));
    }
    for certificate in certificates {
        roots.add(certificate).map_err(|error| wrong(format!("is of no use: {error}")))?;
    }
    Ok(())
}

async fn ask<S>(stream: S, address: &Address) -> Result<Bytes, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut handshake = http1::Builder::new();
    let handshake = handshake.max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(|error| no_http(&error))?;
    let request = Request::get(&address.target)
        .header(HOST, &address.authority)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("rollcall/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new());
    let request = request.map_err(|error| error.to_string())?;
    // The connection is driven while the answer is waited for. It may end first:
    // what it has read by then is the answer, or an error says that there is none.
    let mut asking = std::pin::pin!(async {
        let answer = sender.send_request(request).await.map_err(|error| no_http(&error))?;
        read(answer).await
    });
    tokio::select! {
        read = &mut asking => read,
        _ended = connection => asking.await,
    }
}

async fn read(answer: Response<hyper::body::Incoming>) -> Result<Bytes, String> {
    let status = answer.status();
    if status.is_redirection() {
        return Err(format!("a redirect ({}), and none is followed", status.as_u16()));
    }
    if status != StatusCode::OK {
        return Err(format!("the status {}, expected 200", status.as_u16()));
    }
    if answer.headers().contains_key(CONTENT_ENCODING) {
        return Err("an encoding that was not asked for".to_owned());
    }
    let body = Limited::new(answer.into_body(), MAX_DOCUMENT).collect().await;
    body.map(http_body_util::Collected::to_bytes)
        .map_err(|_| format!("no document of at most {MAX_DOCUMENT} bytes"))
}

fn no_http(error: &hyper::Error) -> String {
    let what = if error.is_parse() { "what is no HTTP" } else { "a connection that broke" };
    what.to_owned()
}
