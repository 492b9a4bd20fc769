//! Where the service listens, what its addresses begin with, and whether it speaks TLS.

use std::net::SocketAddr;

use super::{DEFAULT_LISTEN, Given};
use crate::http::origin::{Network, Origin};
use crate::http::receive::is_host;
use crate::tls::Source;

impl Given {
    pub(super) fn listen(&self, secured: bool) -> Result<SocketAddr, String> {
        let listen = self.listen.as_deref().unwrap_or(DEFAULT_LISTEN);
        let listen: SocketAddr = listen.parse().map_err(|_| {
            format!("--listen is '{listen}'. Expected an IP address and a port: {DEFAULT_LISTEN}.")
        })?;
        if listen.ip().is_loopback() || secured || self.allow_remote.unwrap_or(false) {
            return Ok(listen);
        }
        Err(format!(
            "--listen is {listen}, which other machines reach, and without TLS tokens and the \
             built-in issuer's secrets would cross the network unencrypted. Expected a loopback \
             address such as {DEFAULT_LISTEN}, or TLS (--tls-cert and --tls-key, or --tls-local), \
             or --allow-remote as well."
        ))
    }

    /// Whether there are test controls, which nobody is to reach from elsewhere.
    pub(super) fn test_controls(&self, listen: SocketAddr) -> Result<bool, String> {
        if !self.test_controls.unwrap_or(false) {
            return Ok(false);
        }
        if !listen.ip().is_loopback() {
            return Err(format!(
                "--test-controls lets callers break the service, and --listen is {listen}, which \
                 other machines reach. Expected a loopback address such as {DEFAULT_LISTEN}."
            ));
        }
        if self.trusted_proxies.as_ref().is_some_and(|proxies| !proxies.is_empty()) {
            return Err("--test-controls lets callers break the service, and --trusted-proxies \
                        brings callers of other machines. Expected one of them."
                .to_owned());
        }
        Ok(true)
    }

    pub(super) fn origin(&self) -> Result<Origin, String> {
        let public_url = self.public_url.as_deref().map(public_url).transpose()?;
        let proxies = self.trusted_proxies.iter().flatten().map(|one| one.trim().parse());
        let proxies: Result<Vec<Network>, String> = proxies.collect();
        let proxies = proxies.map_err(|error| format!("--trusted-proxies: {error}."))?;
        Ok(Origin { public_url, proxies })
    }

    pub(super) fn tls(&self, public_url: Option<&str>) -> Result<Option<Source>, String> {
        let local = self.tls_local.unwrap_or(false);
        match (&self.tls_cert, &self.tls_key) {
            (None, None) if local => {
                Ok(Some(Source::Local { host: public_url.map(host).map(str::to_owned) }))
            }
            (None, None) => Ok(None),
            (Some(_), Some(_)) if local => Err("--tls-local makes a certificate, and --tls-cert \
                                                names another. Expected one of them."
                .to_owned()),
            (Some(certificate), Some(key)) => {
                Ok(Some(Source::Files { certificate: certificate.clone(), key: key.clone() }))
            }
            (Some(_), None) => {
                Err("--tls-cert is given without --tls-key. Expected both.".to_owned())
            }
            (None, Some(_)) => {
                Err("--tls-key is given without --tls-cert. Expected both.".to_owned())
            }
        }
    }
}

fn public_url(url: &str) -> Result<String, String> {
    let base = url.trim_end_matches('/');
    let host = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
    if host.is_some_and(is_host) {
        return Ok(base.to_owned());
    }
    Err(format!(
        "--public-url is '{url}'. Expected http:// or https://, a host, a port if any, and no path."
    ))
}

/// The host of a URL that is one, without its port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.split_once(']') {
        Some((address, _)) => address.trim_start_matches('['),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn given(listen: &str) -> Given {
        Given { listen: Some(listen.to_owned()), ..Given::default() }
    }

    #[test]
    fn other_machines_only_when_told_so() {
        assert!(given("0.0.0.0:8365").settle().unwrap_err().contains("--allow-remote"));
        let told = Given { allow_remote: Some(true), ..given("0.0.0.0:8365") };
        assert_eq!(told.settle().unwrap().listen.port(), 8365);
        assert!(given("[::1]:0").settle().is_ok());
        assert!(given("localhost").settle().unwrap_err().contains("'localhost'"));
    }

    #[test]
    fn tls_comes_from_one_place() {
        let (cert, key) = (Some(PathBuf::from("c")), Some(PathBuf::from("k")));
        let tls = |tls_cert: &Option<PathBuf>, tls_key: &Option<PathBuf>, local| {
            let (tls_cert, tls_key) = (tls_cert.clone(), tls_key.clone());
            Given { tls_cert, tls_key, tls_local: Some(local), ..given("0.0.0.0:1") }.settle()
        };
        let files = Source::Files { certificate: "c".into(), key: "k".into() };
        assert_eq!(tls(&cert, &key, false).unwrap().tls, Some(files));
        assert_eq!(tls(&None, &None, true).unwrap().tls, Some(Source::Local { host: None }));
        for (cert, key, local) in [(&cert, &None, false), (&None, &key, true), (&cert, &key, true)]
        {
            assert!(tls(cert, key, local).unwrap_err().contains("Expected"), "{cert:?} {key:?}");
        }
        assert!(tls(&None, &None, false).unwrap_err().contains("--allow-remote"));
    }

    #[test]
    fn hosts_of_urls() {
        for (url, expected) in [
            ("https://rollcall.example", "rollcall.example"),
            ("https://rollcall.example:8443", "rollcall.example"),
            ("https://[fd00::1]:8443", "fd00::1"),
            ("http://10.0.0.7/x:1", "10.0.0.7"),
        ] {
            assert_eq!(host(url), expected);
        }
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let proxies = |text: &str| {
            let proxies = text.split(',').map(str::to_owned).collect();
            Given { trusted_proxies: Some(proxies), ..Given::default() }.settle()
        };
        assert_eq!(proxies("10.0.0.7, fd00::/8").unwrap().origin.proxies.len(), 2);
        assert!(proxies("10.0.0.7,nginx").unwrap_err().starts_with("--trusted-proxies: 'nginx'"));
    }

    #[test]
    fn public_urls() {
        let settled = |url: &str| public_url(url);
        assert_eq!(settled("https://rollcall.example/").unwrap(), "https://rollcall.example");
        for bad in ["rollcall.example", "ftp://x", "https://", "https://a b", "https://u@x"] {
            assert!(settled(bad).is_err(), "{bad}");
        }
    }
}
