//! Clients under TLS: what they trust and what they offer to speak is theirs to say.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rollcall::tls::fingerprint::Fingerprint;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::client::{Ask, PATIENCE, Reply};

/// A client that trusts some authorities, and no others.
#[derive(Clone)]
pub struct Secure {
    config: Arc<ClientConfig>,
    name: &'static str,
}

impl Secure {
    /// One that trusts who is in this file, speaks both protocols, and expects
    /// a certificate for 127.0.0.1.
    pub fn trusting(authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        for one in CertificateDer::pem_file_iter(authority).unwrap() {
            roots.add(one.unwrap()).unwrap();
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(builder.with_root_certificates(roots).with_no_client_auth());
        Self { config, name: "127.0.0.1" }.offering(&["h2", "http/1.1"])
    }

    /// The same with other protocols to choose among.
    pub fn offering(mut self, protocols: &[&str]) -> Self {
        let protocols = protocols.iter().map(|one| one.as_bytes().to_vec());
        Arc::make_mut(&mut self.config).alpn_protocols = protocols.collect();
        self
    }

    /// The same that expects a certificate for another name.
    pub fn calling(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub async fn connect(&self, address: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from(self.name).unwrap();
        TlsConnector::from(Arc::clone(&self.config)).connect(name, stream).await
    }

    /// A connection of HTTP/2, and the task that ends with it.
    pub async fn http2(&self, address: SocketAddr) -> (Http2, JoinHandle<hyper::Result<()>>) {
        self.http2_with(address, |_| ()).await
    }

    /// The same with other settings.
    pub async fn http2_with(
        &self,
        address: SocketAddr,
        change: impl FnOnce(&mut http2::Builder<TokioExecutor>),
    ) -> (Http2, JoinHandle<hyper::Result<()>>) {
        let stream = self.connect(address).await.unwrap();
        let mut builder = http2::Builder::new(TokioExecutor::new());
        change(&mut builder);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
        (sender, tokio::spawn(connection))
    }

    /// Sends a request over the protocol that is chosen: its name, and the answer.
    pub fn send(&self, request: &Ask, address: SocketAddr) -> io::Result<(String, Reply)> {
        runtime().block_on(async {
            let stream = self.connect(address).await?;
            let chosen = stream.get_ref().1.alpn_protocol().unwrap_or_default();
            let chosen = String::from_utf8(chosen.to_vec()).unwrap();
            let io = TokioIo::new(stream);
            let answered = async {
                if chosen == "h2" {
                    let built = http2::handshake(TokioExecutor::new(), io).await;
                    let (mut sender, connection) = built.unwrap();
                    tokio::spawn(connection);
                    whole(sender.send_request(request.request()).await).await
                } else {
                    let (mut sender, connection) = http1::handshake(io).await.unwrap();
                    tokio::spawn(connection);
                    let mut asked = request.request();
                    let host = asked.uri().authority().unwrap().to_string();
                    asked.headers_mut().insert("host", host.parse().unwrap());
                    *asked.uri_mut() =
                        asked.uri().path_and_query().unwrap().as_str().parse().unwrap();
                    whole(sender.send_request(asked).await).await
                }
            };
            let reply = tokio::time::timeout(PATIENCE, answered).await.expect("an answer");
            Ok((chosen, reply.map_err(io::Error::other)?))
        })
    }

    /// The first certificate of this PEM.
    pub fn first_of(pem: &str) -> Vec<u8> {
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
    }

    /// The certificate that is shown; nothing where none is trusted.
    pub fn shown(&self, address: SocketAddr) -> io::Result<Fingerprint> {
        runtime().block_on(async {
            let stream = self.connect(address).await?;
            Ok(Fingerprint::of(&stream.get_ref().1.peer_certificates().unwrap()[0]))
        })
    }
}

pub type Http2 = http2::SendRequest<Full<Bytes>>;

/// An answer as other clients have it.
pub async fn whole(
    answer: hyper::Result<hyper::Response<hyper::body::Incoming>>,
) -> hyper::Result<Reply> {
    let (head, body) = answer?.into_parts();
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap().to_owned())
    };
    let headers = head.headers.iter().map(header).collect();
    let body = body.collect().await?.to_bytes().to_vec();
    Ok(Reply { status: head.status.as_u16(), headers, body })
}

pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
