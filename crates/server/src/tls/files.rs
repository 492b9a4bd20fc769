//! A certificate and its key in two files, read again when they have changed.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::{Error, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, InconsistentKeys};

/// The two files, and what was found in them.
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    /// What is shown.
    shown: Content,
    /// What could not be used when it was last looked at, and whether that was said.
    broken: Option<(Content, bool)>,
}

/// Stands for what both files held, or for why that cannot be known.
type Content = [u8; 32];

/// What both files hold.
type Both = Result<(Vec<u8>, Vec<u8>), String>;

impl Files {
    /// Reads both for the first time.
    pub fn open(
        certificate: &Path,
        key: &Path,
        provider: &CryptoProvider,
    ) -> Result<(Self, CertifiedKey), String> {
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        let mut files = Self { certificate, key, shown: Content::default(), broken: None };
        let both = files.read();
        files.shown = content(&both);
        let first = files.pair(both, provider)?;
        Ok((files, first))
    }

    /// The certificate to show instead, or why the one that is shown stays; that
    /// is said once. While one file is new and the other is not yet, nothing
    /// is said: only what is broken twice is broken.
    pub fn next(&mut self, provider: &CryptoProvider) -> Option<Result<CertifiedKey, String>> {
        let both = self.read();
        let content = content(&both);
        if content == self.shown {
            self.broken = None;
            return None;
        }
        let seen = self.broken.filter(|(broken, _)| *broken == content);
        if seen.is_some_and(|(_, said)| said) {
            return None;
        }
        match self.pair(both, provider) {
            Ok(pair) => {
                (self.shown, self.broken) = (content, None);
                Some(Ok(pair))
            }
            Err(why) => {
                self.broken = Some((content, seen.is_some()));
                seen.map(|_| Err(why))
            }
        }
    }

    fn read(&self) -> Both {
        let read = |what: &str, path: &Path| {
            std::fs::read(path).map_err(|error| {
                format!("The {what} file {} cannot be read: {error}.", path.display())
            })
        };
        Ok((read("certificate", &self.certificate)?, read("key", &self.key)?))
    }

    fn pair(&self, both: Both, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
        let (certificate, key) = both?;
        let chain = chain(&self.certificate, &certificate)?;
        let key = private_key(&self.key, &key)?;
        let shown = self.key.display();
        let loaded = provider.key_provider.load_private_key(key).map_err(|_| {
            format!(
                "The key in {shown} cannot be used. Expected RSA of 2048 bits or more, ECDSA on \
                 P-256 or P-384, or Ed25519."
            )
        })?;
        let pair = CertifiedKey::new(chain, loaded);
        match pair.keys_match() {
            // A key that does not say what is public of it is taken at its word.
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(pair),
            Err(rustls::Error::InconsistentKeys(_)) => Err(format!(
                "The key in {shown} is not that of the first certificate in {}. Expected the \
                 service's own certificate first, then those of its issuers.",
                self.certificate.display()
            )),
            Err(error) => Err(format!(
                "The first certificate in {} cannot be read: {error}.",
                self.certificate.display()
            )),
        }
    }
}

fn content(both: &Both) -> Content {
    let digest = Sha256::new();
    let digest = match both {
        Ok((certificate, key)) => {
            digest.chain_update(Sha256::digest(certificate)).chain_update(Sha256::digest(key))
        }
        Err(error) => digest.chain_update(error),
    };
    digest.finalize().into()
}

fn chain(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let why = match found {
        Ok(chain) if !chain.is_empty() => return Ok(chain),
        Ok(_) => "has no certificate".to_owned(),
        Err(error) => format!("is not PEM: {error}"),
    };
    Err(format!(
        "The certificate file {} {why}. Expected PEM: the service's own certificate first, then \
         those of its issuers, each between -----BEGIN CERTIFICATE----- and its end.",
        path.display()
    ))
}

fn private_key(path: &Path, bytes: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    let why = match PrivateKeyDer::from_pem_slice(bytes) {
        Ok(key) => return Ok(key),
        Err(Error::NoItemsFound) if holds(bytes, b"ENCRYPTED PRIVATE KEY") => "is encrypted",
        Err(Error::NoItemsFound) => "has no private key",
        // What is wrong with it would be part of the key.
        Err(_) => "is not PEM",
    };
    Err(format!(
        "The key file {} {why}. Expected PEM: a private key that is not encrypted, between \
         -----BEGIN PRIVATE KEY----- (or EC, or RSA) and its end.",
        path.display()
    ))
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
