//! An issuer of a test's own on this machine, over http or TLS: it says what it
//! is told to say, true or not, and counts who asks.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::signers::Signer;

/// What an address answers.
#[derive(Clone)]
pub enum Says {
    /// A status and a body.
    Text(u16, String),
    /// Bytes as they are, head and all.
    Raw(Vec<u8>),
    /// Nothing, until the other end goes.
    Nothing,
    /// The body, once the test lets it go.
    Held(String),
}

/// The issuer; it ends with the test.
pub struct Fake {
    address: SocketAddr,
    scheme: &'static str,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    says: Mutex<HashMap<String, Says>>,
    asked: Mutex<Vec<String>>,
    free: Mutex<bool>,
    freed: Condvar,
    tls: Option<Arc<ServerConfig>>,
    ended: AtomicBool,
}

impl Fake {
    pub fn start() -> Self {
        Self::serve("http", State::default())
    }

    /// One over TLS. Who trusts in the authority in this file takes its certificate.
    pub fn over_tls(authority: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(authority, issuer.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = names.signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            );
        let tls = Some(Arc::new(config.unwrap()));
        Self::serve("https", State { tls, ..State::default() })
    }

    fn serve(scheme: &'static str, state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::new(state));
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                if state.ended.load(Ordering::SeqCst) {
                    return;
                }
                std::thread::spawn(move || state.answer(stream));
            }
        });
        Self { address, scheme, state, thread: Some(thread) }
    }

    /// Scheme, host and port.
    pub fn base(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.address.port())
    }

    /// From now on this address says that.
    pub fn says(&self, path: &str, what: Says) {
        self.state.says.lock().unwrap().insert(path.to_owned(), what);
    }

    /// From now on it is an issuer of this name below its base, with these keys.
    pub fn is(&self, path: &str, keys: &[Value]) {
        let issuer = format!("{}{path}", self.base());
        self.discovers(path, &issuer, &format!("{}/keys", self.base()));
        self.publishes(keys);
    }

    /// A discovery document below this path.
    pub fn discovers(&self, path: &str, issuer: &str, keys: &str) {
        let document = json!({ "issuer": issuer, "jwks_uri": keys, "other": [1] });
        let path = format!("{}/.well-known/openid-configuration", path.trim_end_matches('/'));
        self.says(&path, Says::Text(200, document.to_string()));
    }

    /// From now on these are its keys.
    pub fn publishes(&self, keys: &[Value]) {
        self.says("/keys", Says::Text(200, json!({ "keys": keys }).to_string()));
    }

    /// As `publishes`, of whole signers.
    pub fn publishes_keys_of(&self, signers: &[&Signer]) {
        let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
        self.publishes(&keys);
    }

    /// How often its keys were asked for.
    pub fn fetches(&self) -> usize {
        self.state.asked.lock().unwrap().iter().filter(|path| *path == "/keys").count()
    }

    /// How often anything was.
    pub fn requests(&self) -> usize {
        self.state.asked.lock().unwrap().len()
    }

    /// Lets go what it holds.
    pub fn let_go(&self) {
        *self.state.free.lock().unwrap() = true;
        self.state.freed.notify_all();
    }
}

impl State {
    fn answer(&self, stream: TcpStream) {
        match &self.tls {
            None => self.talk(stream),
            Some(config) => {
                let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                self.talk(StreamOwned::new(connection, stream));
            }
        }
    }

    /// One request and its answer. A connection that breaks is the other end's affair.
    fn talk(&self, mut stream: impl Read + Write) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let says = self.says.lock().unwrap().get(&path).cloned();
        self.asked.lock().unwrap().push(path);
        let answer = match says.unwrap_or(Says::Text(404, String::new())) {
            Says::Raw(bytes) => bytes,
            Says::Text(status, body) => text(status, &body),
            Says::Held(body) => {
                let free = self.free.lock().unwrap();
                drop(self.freed.wait_while(free, |free| !*free).unwrap());
                text(200, &body)
            }
            Says::Nothing => {
                while stream.read(&mut byte).is_ok_and(|count| count > 0) {}
                return;
            }
        };
        drop(stream.write_all(&answer).and_then(|()| stream.flush()));
    }
}

fn text(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.let_go();
        // The thread waits for connections; this is the last.
        self.state.ended.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        drop(self.thread.take().map(JoinHandle::join));
    }
}
