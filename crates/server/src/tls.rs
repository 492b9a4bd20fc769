//! TLS: which certificate the service shows, and when it shows another.

mod files;
pub mod fingerprint;
mod local;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::clock::{Clock, Random};
use crate::folder::{Announcement, Folder};
use crate::observe::Log;
use files::Files;
use fingerprint::Fingerprint;
use local::Local;

/// The protocols that a client may choose among, the better one first.
pub const H2: &[u8] = b"h2";
/// See [`H2`].
pub const HTTP_1: &[u8] = b"http/1.1";

/// How often it is looked whether there is another certificate to show.
const LOOK: Duration = Duration::from_secs(1);

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// From two files in PEM.
    Files {
        /// The certificate, and those of its issuers after it.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// From an authority of the data folder's own.
    Local {
        /// The host of the URL that clients know, if it was told.
        host: Option<String>,
    },
}

/// What proves to clients that it is this service.
pub struct Tls {
    config: Arc<ServerConfig>,
    shown: Arc<Shown>,
    origin: Origin,
}

/// The certificate that is shown at present, with its key.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

impl Shown {
    fn get(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, next: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }
}

/// Where the next certificate comes from.
enum Origin {
    Files(Files),
    Local(Box<Local>),
}

impl Tls {
    /// Gets the first certificate; `listen` is where the service listens.
    pub fn start(
        source: &Source,
        folder: &Folder,
        listen: SocketAddr,
        clock: &dyn Clock,
        random: &Arc<dyn Random>,
    ) -> Result<Self, String> {
        let provider = Arc::new(ring::default_provider());
        let (origin, first) = match source {
            Source::Files { certificate, key } => {
                let (files, first) = Files::open(certificate, key, &provider)?;
                (Origin::Files(files), first)
            }
            Source::Local { host } => {
                let names = local::names(listen.ip(), host.as_deref());
                let (local, first) =
                    Local::open(folder, names, clock.now(), Arc::clone(random), &provider)?;
                (Origin::Local(Box::new(local)), first)
            }
        };
        let shown = Arc::new(Shown(RwLock::new(Arc::new(first))));
        let config = server(provider, Arc::<Shown>::clone(&shown))?;
        Ok(Self { config: Arc::new(config), shown, origin })
    }

    /// What connections are accepted with.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The fingerprint of the certificate that is shown.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.shown.get())
    }

    /// The authority's certificate, where it is the folder's own.
    pub fn authority(&self) -> Option<&std::path::Path> {
        match &self.origin {
            Origin::Files(_) => None,
            Origin::Local(local) => Some(local.authority()),
        }
    }

    /// Shows another certificate whenever there is one, and says so in the log
    /// and to the commands on this machine. It never ends.
    pub async fn keep(self, announcement: &Announcement, clock: &dyn Clock, log: &Log) {
        let Self { shown, mut origin, config } = self;
        let provider = Arc::clone(config.crypto_provider());
        loop {
            tokio::time::sleep(LOOK).await;
            let now = clock.now();
            let used = Arc::clone(&provider);
            // Files may be on a disk that answers late.
            let looked = tokio::task::spawn_blocking(move || {
                let next = match &mut origin {
                    Origin::Files(files) => files.next(&used),
                    Origin::Local(local) => local.next(now, &used),
                };
                (origin, next)
            });
            let Ok((same, next)) = looked.await else {
                log.write(&format!("{now:.3} certificate kept cause=\"no other is looked for\""));
                return std::future::pending().await;
            };
            origin = same;
            let said = match next {
                None => continue,
                Some(Ok(next)) => show(&shown, next, announcement),
                Some(Err(why)) => format!("kept cause={why:?}"),
            };
            log.write(&format!("{now:.3} certificate {said}"));
        }
    }
}

/// Shows a certificate from now on. Who connects from this machine is told first.
fn show(shown: &Shown, next: CertifiedKey, announcement: &Announcement) -> String {
    let fingerprint = fingerprint(&next);
    let told = announcement.certificate(fingerprint);
    shown.set(next);
    match told {
        Ok(()) => format!("replaced {fingerprint}"),
        Err(error) => format!("replaced {fingerprint} cause={:?}", error.to_string()),
    }
}

fn fingerprint(key: &CertifiedKey) -> Fingerprint {
    Fingerprint::of(key.cert.first().map_or(&[], |certificate| certificate.as_ref()))
}

fn server(provider: Arc<CryptoProvider>, shown: Arc<Shown>) -> Result<ServerConfig, String> {
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| format!("TLS cannot be had: {error}."))?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(shown);
    config.alpn_protocols = [H2, HTTP_1].map(<[u8]>::to_vec).to_vec();
    Ok(config)
}
