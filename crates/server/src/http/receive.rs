//! Requests: head and body with their limits. A body is received whole before
//! anything is parsed; one of many rows is handed on as it comes.

mod stream;

use std::io::Read;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request as Head, Version};
use percent_encoding::percent_decode_str;
use rollcall_odata::headers::{RowsIn, rows_in};
use rollcall_odata::{Code, Error};
pub use stream::Stream;

/// The longest header section that is read, in bytes: names, values, and four
/// for what stands around each pair.
const MAX_HEADERS: usize = 32 * 1024;

/// The largest body that is read, in bytes, gunzipped.
pub const MAX_BODY: usize = 64 * 1024;

/// How much of a body that is too large is taken in and thrown away, in bytes,
/// so that the client hears why instead of losing the connection.
const MAX_DISCARD: usize = 4 * 1024 * 1024;

/// How a request came to the service.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The address at the other end of its connection.
    pub peer: IpAddr,
    /// Whether it came under TLS.
    pub secure: bool,
}

/// A request that has arrived.
#[derive(Debug)]
pub struct Request {
    /// How it came.
    pub arrival: Arrival,
    /// Its method.
    pub method: Method,
    /// Its path, encoded, as it was sent.
    pub path: String,
    /// Its query, encoded, without the `?`.
    pub query: String,
    /// Whether the client knows the end of an answer whose length is not told:
    /// one of HTTP/1.0 takes it for whole wherever it is cut off.
    pub knows_ends: bool,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, gunzipped, or why it cannot be had. Looked at only by who wants a body.
    pub body: Result<Bytes, Error>,
}

impl Request {
    /// Takes in a request. Whatever is wrong with the body is kept for later:
    /// who may not write learns nothing of it. A body of many rows, of a batch or of
    /// a query comes apart from it, not looked at yet.
    pub async fn receive(
        head: Head<Incoming>,
        arrival: Arrival,
        body_time: Duration,
    ) -> (Self, Option<Stream>) {
        let (parts, incoming) = head.into_parts();
        let mut request = Self::without_body(parts, arrival);
        let apart = || {
            request.rows_in().is_some()
                || ["$batch", "$query"].iter().any(|name| leads_to(&request.path, name))
        };
        if request.method == Method::POST && apart() {
            let stream = Stream::new(incoming, &request.headers, body_time);
            return (request, Some(stream));
        }
        request.body = body(incoming, &request.headers, body_time).await;
        (request, None)
    }

    /// A request whose body nobody looks at.
    pub fn without_body(parts: Parts, arrival: Arrival) -> Self {
        let mut headers = parts.headers;
        if let Some(host) = parts.uri.authority()
            && let Ok(host) = HeaderValue::from_str(host.as_str())
            && headers.get(HOST) != Some(&host)
        {
            if parts.version == Version::HTTP_2 {
                // It has the host beside the headers. With another one among
                // them there are two, and so none that counts.
                headers.append(HOST, host);
            } else if headers.get_all(HOST).iter().nth(1).is_none() {
                // That of the target counts (RFC 9112, section 3.2.2). Of two lines none
                // does, whatever the target is (section 3.2).
                headers.insert(HOST, host);
            }
        }
        Self {
            arrival,
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            knows_ends: parts.version >= Version::HTTP_11,
            headers,
            body: Ok(Bytes::new()),
        }
    }

    /// In which form the body has many rows, if its media type says that it has.
    pub fn rows_in(&self) -> Option<RowsIn> {
        self.header(&CONTENT_TYPE).and_then(rows_in)
    }

    /// Refuses a head over a limit; its target has no more than so many bytes.
    pub fn check_head(&self, url_bytes: usize) -> Result<(), Error> {
        let lines = self.headers.iter();
        let length: usize = lines.map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if length > MAX_HEADERS {
            let message =
                format!("The headers have {length} bytes. Expected at most {MAX_HEADERS}.");
            return Err(Error::new(Code::HeadersTooLarge, message));
        }
        let length = self.path.len() + self.query.len();
        if length <= url_bytes {
            return Ok(());
        }
        let message = format!(
            "The URL has {length} bytes. Expected at most {url_bytes}: the limit url-bytes of the \
             service."
        );
        Err(Error::new(Code::UriTooLong, message))
    }

    /// The value of a header, if it is there once and is text.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        let mut lines = self.headers.get_all(name).iter();
        let first = lines.next()?;
        // Which of two lines counts is nobody's guess.
        if lines.next().is_some() { None } else { first.to_str().ok() }
    }

    /// All lines of a header that are text.
    pub fn lines(&self, name: &HeaderName) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// The host and port that the client speaks to, where it says so plausibly.
    pub fn host(&self) -> Option<&str> {
        self.header(&HOST).filter(|host| is_host(host))
    }

    /// The body as a whole, within a limit of the service of this name: from the stream
    /// where it has not been taken in yet.
    pub async fn whole(
        &self,
        stream: Option<&mut Stream>,
        (most, limit): (u64, &'static str),
    ) -> Result<Bytes, Error> {
        if let Some(stream) = stream {
            stream.limit(most, limit)?;
            return stream.whole().await.map(Bytes::from);
        }
        let body = self.body.clone()?;
        if body.len() as u64 <= most { Ok(body) } else { Err(over(most, limit)) }
    }
}

/// Whether this may be a host, with or without a port: a name, an IPv4 address, or an
/// IPv6 address in brackets.
pub fn is_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (is_host, port) = if let Some((address, port)) = bracketed {
        (address.parse::<Ipv6Addr>().is_ok(), port)
    } else {
        let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
        (!name.is_empty() && name.bytes().all(plain), port)
    };
    let is_port = |digits: &str| {
        digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
    };
    is_host && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// Whether a path ends with this segment. What is sent there may be larger than
/// other bodies, or is no write.
pub fn leads_to(path: &str, name: &str) -> bool {
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    last.eq_ignore_ascii_case(name)
        || last.contains('%')
            && percent_decode_str(last).decode_utf8_lossy().eq_ignore_ascii_case(name)
}

async fn body(incoming: Incoming, headers: &HeaderMap, time: Duration) -> Result<Bytes, Error> {
    if incoming.is_end_stream() {
        return Ok(Bytes::new());
    }
    let bytes =
        tokio::time::timeout(time, collect(incoming)).await.map_err(|_| too_slow(time))??;
    if is_gzip(headers)? { gunzip(&bytes) } else { Ok(bytes) }
}

/// Whether a body with these headers is gzipped; an encoding that is not read is an error.
fn is_gzip(headers: &HeaderMap) -> Result<bool, Error> {
    gzipped(headers.get_all(CONTENT_ENCODING).iter().map(HeaderValue::as_bytes))
}

/// The same of the values of `Content-Encoding` alone.
pub fn gzipped<'a>(mut encodings: impl Iterator<Item = &'a [u8]>) -> Result<bool, Error> {
    let encoding = encodings.next().map(<[u8]>::to_ascii_lowercase);
    match encoding.as_deref() {
        None => Ok(false),
        Some(b"identity") if encodings.next().is_none() => Ok(false),
        Some(b"gzip" | b"x-gzip") if encodings.next().is_none() => Ok(true),
        Some(_) => Err(Error::new(
            Code::UnsupportedEncoding,
            "The Content-Encoding is not one that is read. Expected gzip, or none.",
        )),
    }
}

fn broken_off() -> Error {
    Error::bad_request("The body broke off.")
}

fn not_gzip() -> Error {
    Error::bad_request("The body is not gzip, as its Content-Encoding says.")
}

async fn collect(mut incoming: Incoming) -> Result<Bytes, Error> {
    let mut bytes = Vec::new();
    let mut received = 0;
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_| broken_off())?;
        let Ok(data) = frame.into_data() else { continue };
        received += data.len();
        if received > MAX_DISCARD {
            break;
        }
        if received <= MAX_BODY {
            bytes.extend_from_slice(&data);
        }
    }
    if received > MAX_BODY { Err(too_large()) } else { Ok(bytes.into()) }
}

fn gunzip(bytes: &[u8]) -> Result<Bytes, Error> {
    let mut plain = Vec::new();
    let mut reader = MultiGzDecoder::new(bytes).take(MAX_BODY as u64 + 1);
    let read = reader.read_to_end(&mut plain);
    if plain.len() > MAX_BODY {
        return Err(too_large());
    }
    read.map_err(|_| not_gzip())?;
    Ok(plain.into())
}

/// The body as a whole did not arrive in this time.
fn too_slow(time: Duration) -> Error {
    let message = format!("The body did not arrive within {} seconds.", time.as_secs());
    Error::new(Code::RequestTimeout, message)
}

/// The body is larger than a request may have one.
pub fn too_large() -> Error {
    larger_than(MAX_BODY as u64, "")
}

/// The body is larger than a limit of the service of this name.
fn over(most: u64, limit: &str) -> Error {
    larger_than(most, &format!(": the limit {limit} of the service"))
}

fn larger_than(most: u64, why: &str) -> Error {
    let message = format!("The body is too large. Expected at most {most} bytes, gunzipped{why}.");
    Error::new(Code::PayloadTooLarge, message)
}
