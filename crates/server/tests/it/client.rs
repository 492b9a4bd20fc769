//! A plain HTTP/1.1 client that hides nothing: what it sends and gets is text.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;

/// How long a test waits for an answer before it fails; never part of a result.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A request in the making.
#[derive(Debug, Clone)]
pub struct Ask {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub fn ask(method: &str, target: &str) -> Ask {
    let (method, target) = (method.to_owned(), target.to_owned());
    Ask { method, target, headers: Vec::new(), body: Vec::new() }
}

impl Ask {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// A body without a word about its type.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("Content-Type", "application/json").body(body)
    }

    /// The same with placeholders filled, in target, headers and body.
    pub fn filled(self, values: &[(&str, &str)]) -> Self {
        let fill = |text: &str| {
            values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
        };
        let mut filled = self.translated(fill);
        for (_, value) in &mut filled.headers {
            *value = fill(value);
        }
        // A document shows bodies indented, and their length as it would be.
        filled.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
        filled
    }

    /// The same with target and body put through a translation.
    pub fn translated(mut self, translate: impl Fn(&str) -> String) -> Self {
        self.target = translate(&self.target);
        if let Ok(text) = std::str::from_utf8(&self.body) {
            self.body = translate(text).into_bytes();
        }
        self
    }

    pub fn target(&self) -> &str {
        &self.target
    }

    /// Sends it on a connection of its own and waits for the whole answer.
    pub fn send(&self, address: SocketAddr) -> Reply {
        self.try_send(address).unwrap()
    }

    /// As `send`, for a service that may be killed meanwhile.
    pub fn try_send(&self, address: SocketAddr) -> io::Result<Reply> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&self.bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        Reply::parse(&bytes).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// The same as a client of HTTP/2 writes it: the host is beside the headers.
    pub fn request(&self) -> Request<Full<Bytes>> {
        let is_host = |name: &str| name.eq_ignore_ascii_case("host");
        let host = self.headers.iter().find(|(name, _)| is_host(name));
        let host = host.map_or("rollcall.test", |(_, host)| host);
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(format!("https://{host}{}", self.target));
        for (name, value) in self.headers.iter().filter(|(name, _)| !is_host(name)) {
            request = request.header(name, value);
        }
        request.body(Full::new(self.body.clone().into())).unwrap()
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let given = |name: &str| self.headers.iter().any(|(one, _)| one.eq_ignore_ascii_case(name));
        if !given("host") {
            text += "Host: rollcall.test\r\n";
        }
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        let writes = ["POST", "PATCH", "PUT"].contains(&self.method.as_str());
        if (writes || !self.body.is_empty())
            && !given("content-length")
            && !given("transfer-encoding")
        {
            text += &format!("Content-Length: {}\r\n", self.body.len());
        }
        if !given("connection") {
            text += "Connection: close\r\n";
        }
        text += "\r\n";
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

impl Reply {
    /// An answer from its bytes; `None` if they end before it does.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap_or((line.trim_end_matches(':'), "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut reply = Self { status, headers, body: bytes[end + 4..].to_vec() };
        if reply.header("transfer-encoding").is_some() && !reply.body.is_empty() {
            reply.body = joined(&reply.body)?;
            return Some(reply);
        }
        let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
        (reply.body.len() == length || reply.body.is_empty()).then_some(reply)
    }

    /// The same with what HTTP/1.1 says of the connection and of a body's length,
    /// and HTTP/2 need not.
    pub fn worded_as_http1(mut self) -> Self {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let length = self.headers.iter().position(|(name, _)| name == "content-length");
        let end = length.unwrap_or(self.headers.len());
        self.headers.insert(end, pair("connection", "close"));
        if length.is_none() && self.status != 204 && self.status != 304 {
            self.headers.push(match self.body.len() {
                0 => pair("content-length", "0"),
                _ => pair("transfer-encoding", "chunked"),
            });
        }
        self
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(one, _)| one.eq_ignore_ascii_case(name));
        all.next().map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// `error.code` of an error answer.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// `error.message` of an error answer.
    pub fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    }

    pub fn translated(mut self, translate: impl Fn(&str) -> String) -> Self {
        for (_, value) in &mut self.headers {
            *value = translate(value);
        }
        if let Ok(text) = std::str::from_utf8(&self.body) {
            self.body = translate(text).into_bytes();
        }
        self
    }
}

/// A body that comes in chunks, put together; `None` if the last does not end it.
fn joined(mut chunks: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = chunks.windows(2).position(|two| two == b"\r\n")?;
        let length = std::str::from_utf8(&chunks[..line]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        let (chunk, rest) = chunks[line + 2..].split_at_checked(length)?;
        body.extend_from_slice(chunk);
        chunks = rest.strip_prefix(b"\r\n")?;
        if length == 0 {
            return Some(body);
        }
    }
}

/// The whole answer, as snapshots keep it.
impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        write!(f, "\n{}", String::from_utf8_lossy(&self.body))
    }
}
