//! Addresses that issuers are asked at: https, or http on this machine alone.

use std::net::IpAddr;

use hyper::Uri;

/// Where a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Whether it takes TLS.
    pub secure: bool,
    /// A name, or a number without brackets.
    pub host: String,
    /// The port, that of the scheme where none was given.
    pub port: u16,
    /// What the `Host` header says.
    pub authority: String,
    /// Path and query.
    pub target: String,
}

impl Address {
    /// The address that this text is; an error says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "'{text}' is not an address to ask an issuer at. Expected https:// and a host, or \
                 http:// where the host is this machine: localhost, 127.0.0.1 or [::1]."
            )
        };
        let uri: Uri = text.parse().map_err(|_| expected())?;
        let (Some(scheme), Some(authority), Some(host)) =
            (uri.scheme_str(), uri.authority(), uri.host())
        else {
            return Err(expected());
        };
        let secure = scheme == "https";
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let plain = scheme == "http" && is_this_machine(&host);
        // What stands behind the host is a port: no name before an '@', no number that is none.
        let port = match uri.authority().and_then(|all| all.as_str().strip_prefix(uri.host()?)) {
            Some("") => Some(if secure { 443 } else { 80 }),
            Some(port) => port.strip_prefix(':').and_then(|port| port.parse().ok()),
            None => None,
        };
        let port = port.filter(|port| *port != 0).ok_or_else(expected)?;
        if host.is_empty() || !(secure || plain) {
            return Err(expected());
        }
        let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        Ok(Self { secure, host, port, authority: authority.as_str().to_owned(), target })
    }

    /// Whether scheme, host and port are the same.
    pub fn same_place(&self, other: &Self) -> bool {
        (self.secure, &self.host, self.port) == (other.secure, &other.host, other.port)
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_this_machine_alone() {
        for good in [
            "https://login.example",
            "https://login.example:8443/a/b?c=d",
            "http://localhost:8080/realms/x",
            "http://127.0.0.1",
            "http://[::1]:1/",
        ] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://login.example",
            "http://localhost.example",
            "http://127.0.0.1.example",
            "http://10.0.0.1",
            "ftp://login.example",
            "https://u:p@login.example",
            "https://",
            "https:///x",
            "https://login.example:0",
            "https://login.example:65536",
            "login.example",
            "/x",
            "",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn places_are_scheme_host_and_port() {
        let same = |one: &str, other: &str| {
            Address::parse(one).unwrap().same_place(&Address::parse(other).unwrap())
        };
        assert!(same("https://a.example/x", "https://A.example:443/y?z"));
        assert!(!same("https://a.example", "https://a.example:444"));
        assert!(!same("https://a.example", "https://b.a.example"));
        assert!(!same("https://localhost:1", "http://localhost:1"));
    }
}
