//! Scheme, host and port: what every absolute URL in an answer begins with. The
//! one file that decides it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::header::HeaderName;
use rollcall_odata::Error;

use super::receive::{Request, is_host};

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// What absolute URLs begin with.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Scheme, host and port as clients know them, without a slash at the end,
    /// where it is not what their requests say.
    pub public_url: Option<String>,
    /// Whose word counts for what the client's own request was.
    pub proxies: Vec<Network>,
}

impl Origin {
    /// What every absolute URL in the answer to this request begins with,
    /// without a slash at the end.
    ///
    /// `Forwarded` (RFC 7239) does not count, and no port of its own: a proxy
    /// that sets one kind of header hands on what clients wrote into the other.
    pub fn of(&self, request: &Request) -> Result<String, Error> {
        if let Some(url) = &self.public_url {
            return Ok(url.clone());
        }
        let (mut scheme, mut host) = (None, None);
        if self.trusts(request.arrival.peer) {
            scheme = forwarded(request, &FORWARDED_PROTO, "http or https", is_scheme)?;
            host = forwarded(request, &FORWARDED_HOST, "a host with or without a port", is_host)?;
        }
        let secure =
            scheme.map_or(request.arrival.secure, |scheme| scheme.eq_ignore_ascii_case("https"));
        let scheme = if secure { "https" } else { "http" };
        let host = host.or_else(|| request.host()).ok_or_else(|| {
            Error::bad_request(
                "The Host header is missing or is not a host with or without a port.",
            )
        })?;
        Ok([scheme, "://", host].concat())
    }

    fn trusts(&self, peer: IpAddr) -> bool {
        // Nearly nobody has a proxy, and of who has none no address is looked at.
        !self.proxies.is_empty() && self.proxies.iter().any(|one| one.contains(peer))
    }
}

fn is_scheme(text: &str) -> bool {
    text.eq_ignore_ascii_case("http") || text.eq_ignore_ascii_case("https")
}

/// The one value of a header that a proxy has set, if it has.
fn forwarded<'a>(
    request: &'a Request,
    name: &HeaderName,
    expected: &str,
    is_good: fn(&str) -> bool,
) -> Result<Option<&'a str>, Error> {
    if !request.headers.contains_key(name) {
        return Ok(None);
    }
    let value = request.header(name).map(str::trim).filter(|value| is_good(value));
    value.map(Some).ok_or_else(|| {
        Error::bad_request(format!(
            "The header {name} is wrong. Expected {expected}, once: the proxy in front of the \
             service sets it in place of what clients send."
        ))
    })
}

/// Addresses that have a number of leading bits in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Whether an address is of this network.
    pub fn contains(self, address: IpAddr) -> bool {
        let ((own, width), (other, other_width)) = (number(self.address), number(address));
        let differing = (own ^ other).checked_shr(width - self.bits).unwrap_or(0);
        width == other_width && differing == 0
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "'{text}' is no address and no network. Expected such as 10.0.0.7, 10.0.0.0/8 or \
                 fd00::/8"
            )
        };
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(one, two)| (one, Some(two)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = number(address).1;
        let bits = bits.map_or(Ok(width), |bits| bits.parse().map_err(|_| wrong()))?;
        let network = Self { address, bits };
        // Bits that are set and do not count were meant to count.
        let counts = number(address).0.trailing_zeros() >= width.saturating_sub(bits);
        if bits <= width && counts { Ok(network) } else { Err(wrong()) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// An address as a number, and how many bits it has. One of IPv4 that comes over
/// a socket of IPv6 is one of IPv4.
fn number(address: IpAddr) -> (u128, u32) {
    match address.to_canonical() {
        IpAddr::V4(address) => (address.to_bits().into(), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn networks_contain_their_addresses() {
        for (of, address, contains) in [
            ("10.0.0.7", "10.0.0.7", true),
            ("10.0.0.7", "10.0.0.6", false),
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("10.0.0.0/8", "a00::", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "fd00::1", true),
            ("::/0", "10.0.0.1", false),
            ("fd00::/8", "fdff::1", true),
            ("fd00::/8", "fe00::1", false),
        ] {
            assert_eq!(network(of).contains(address.parse().unwrap()), contains, "{of} {address}");
        }
    }

    #[test]
    fn what_is_no_network() {
        for text in ["", "x", "10.0.0.0/33", "10.0.0.1/8", "::1/64", "10.0.0.0/", "::/129", "1.2.3"]
        {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        assert_eq!(network("10.0.0.7").to_string(), "10.0.0.7/32");
    }
}
