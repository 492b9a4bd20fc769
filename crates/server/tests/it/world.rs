//! A service of a test's own: real sockets and a real store, but a clock that
//! stands still and names that repeat themselves.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use rollcall::app::{App, Limits};
use rollcall::auth::Authenticator;
use rollcall::auth::issuer::{Grant, Holder, Issuer, Version};
use rollcall::auth::permissions::READ_WRITE;
use rollcall::auth::remote::Pace;
use rollcall::clock::{
    Clock, ControlledClock, FixedClock, Random, SeededRandom, SystemClock, SystemRandom,
};
use rollcall::config::issuers;
use rollcall::folder::{Folder, Secrets};
use rollcall::http::controls::Controls;
use rollcall::http::documents::Documents;
use rollcall::http::links::Links;
use rollcall::http::origin::Origin;
use rollcall::http::room::Room;
use rollcall::http::serve::serve;
use rollcall::http::throttle::GraphLimits;
use rollcall::observe::Log;
use rollcall::tls::{Source, Tls};
use rollcall_odata::catalog;
use rollcall_store::{Options, Store};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::client::{Ask, Reply};
use crate::names::Names;
use crate::secure::Secure;

/// The time at which each world stands when it begins: 2026-11-24T12:00:00Z.
pub const NOW: i64 = 1_795_521_600;

/// The tenant of `World::writer`.
pub const TENANT: &str = "11111111-1111-1111-1111-111111111111";

const CLIENT: &str = "11111111-2222-3333-4444-555555555555";

/// What makes one kind of world differ from another.
#[derive(Clone, Default)]
struct Kind {
    catalogue: Vec<(String, String)>,
    names: Option<Names>,
    limits: Limits,
    origin: Origin,
    /// Whether it speaks TLS, and is asked over HTTP/2.
    secured: bool,
    /// Whether its answers are told in the words of HTTP/1.1.
    as_http1: bool,
    /// Other issuers that are trusted, as `--issuer` takes them.
    issuers: Vec<String>,
    pace: Pace,
    /// Whether their keys are fetched before a token needs them.
    ahead: bool,
    /// How far the clock's `elapsed` goes on each time that it is asked.
    tick: Duration,
    switches: Switches,
    /// How many writes may wait, and how many reads, where it is not as many as usual.
    queue: Option<usize>,
}

/// The name of a world's database.
const DATABASE: &str = "test.db";

/// What is off unless a test wants it.
#[derive(Clone, Copy, Default)]
struct Switches {
    /// Whether Graph's limits are applied.
    graph_limits: bool,
    /// Whether there are test controls.
    controlled: bool,
}

/// A service that ends with the test.
pub struct World {
    kind: Kind,
    address: SocketAddr,
    clock: Arc<FixedClock>,
    secrets: Secrets,
    issuer: Issuer,
    /// Room for the rows of bodies that have many.
    pub bulk_room: Room,
    /// Room for the answers to batches.
    pub batch_room: Room,
    log: Arc<Mutex<String>>,
    secure: Option<Secure>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    folder: TempDir,
}

fn owned<T: Into<String>>(
    files: impl IntoIterator<Item = (&'static str, T)>,
) -> Vec<(String, String)> {
    files.into_iter().map(|(file, text)| (file.to_owned(), text.into())).collect()
}

impl World {
    /// The catalogue that is built in.
    pub fn plain() -> Self {
        Self::with_catalogue(catalog::EMBEDDED)
    }

    /// The same under other property names. What it is sent and what it answers
    /// is translated, so that tests speak of the documented names.
    pub fn renamed() -> Self {
        let names = Names::others();
        let catalogue = owned(names.catalogue());
        Self::start(Kind { catalogue, names: Some(names), ..Kind::plain() })
    }

    pub fn with_catalogue(files: &[(&'static str, &'static str)]) -> Self {
        Self::start(Kind { catalogue: owned(files.iter().copied()), ..Kind::plain() })
    }

    pub fn with_limits(change: impl FnOnce(&mut Limits)) -> Self {
        let mut kind = Kind::plain();
        change(&mut kind.limits);
        Self::start(kind)
    }

    /// One behind these proxies, or with this public URL.
    pub fn with_origin(origin: Origin) -> Self {
        Self::start(Kind { origin, ..Kind::plain() })
    }

    /// The plain one over HTTP/2, with the same addresses in its answers and in
    /// the words of HTTP/1.1 where these say how long a body is.
    pub fn over_http2() -> Self {
        let origin =
            Origin { public_url: Some("http://rollcall.test".to_owned()), proxies: vec![] };
        Self::start(Kind { origin, secured: true, as_http1: true, ..Kind::plain() })
    }

    /// The plain one under TLS, asked over HTTP/2.
    pub fn secured() -> Self {
        Self::secured_with_limits(|_| ())
    }

    pub fn secured_with_limits(change: impl FnOnce(&mut Limits)) -> Self {
        let mut kind = Kind { secured: true, ..Kind::plain() };
        change(&mut kind.limits);
        Self::start(kind)
    }

    /// One that takes these issuers' tokens as well, each as `--issuer` takes it.
    pub fn trusting(issuers: &[&str]) -> Self {
        Self::trusting_at(issuers, Pace::default(), false)
    }

    /// The same at another pace; `ahead` fetches keys before a token needs them.
    pub fn trusting_at(issuers: &[&str], pace: Pace, ahead: bool) -> Self {
        let issuers = issuers.iter().map(|&one| one.to_owned()).collect();
        Self::start(Kind { issuers, pace, ahead, ..Kind::plain() })
    }

    /// One in which time goes on by this much each time that somebody looks.
    pub fn ticking(tick: Duration, change: impl FnOnce(&mut Limits)) -> Self {
        let mut kind = Kind { tick, ..Kind::plain() };
        change(&mut kind.limits);
        Self::start(kind)
    }

    /// One with test controls, over TLS and HTTP/2 if `secured`.
    pub fn controlled(secured: bool) -> Self {
        let switches = Switches { controlled: true, ..Switches::default() };
        Self::start(Kind { secured, switches, ..Kind::plain() })
    }

    /// The same with Graph's limits.
    pub fn limited_as_graph() -> Self {
        let switches = Switches { controlled: true, graph_limits: true };
        Self::start(Kind { switches, ..Kind::plain() })
    }

    /// One in which so few writes may wait.
    pub fn with_queue(queue: usize) -> Self {
        Self::start(Kind { queue: Some(queue), ..Kind::plain() })
    }

    /// Another of the same kind, empty; tokens of this one hold there.
    pub fn fresh(&self) -> Self {
        Self::start(self.kind.clone())
    }

    fn start(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<(&str, &str)> =
            kind.catalogue.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
        let model = catalog::load(&files).unwrap();
        let defaults = Options::default();
        let queue = kind.queue.unwrap_or(defaults.queue);
        let options = Options { readers: 2, queue, ..defaults };
        let store = Store::open(&folder.path().join(DATABASE), &model, &options).unwrap();
        let secrets = Secrets::make(&SeededRandom::new(1), READ_WRITE);
        let issuer = issuer(&secrets);
        let clock = Arc::new(FixedClock::ticking(NOW, kind.tick));
        let log = Arc::new(Mutex::new(String::new()));
        let lines = Arc::clone(&log);
        let log_lines = Log::new(move |line| writeln!(lines.lock().unwrap(), "{line}").unwrap());
        let trusted = kind.issuers.iter().map(|line| issuers::parse(line).unwrap()).collect();
        let authenticator = Authenticator::new(issuer.clone()).trusting(
            issuers::settle(trusted).unwrap(),
            kind.pace.clone(),
            Arc::<FixedClock>::clone(&clock),
            log_lines.clone(),
        );
        let machine: Arc<dyn Clock> = Arc::<FixedClock>::clone(&clock);
        let controlled =
            kind.switches.controlled.then(|| Arc::new(ControlledClock::over(Arc::clone(&machine))));
        let app = App {
            model: Arc::new(model),
            store: store.clone(),
            documents: Documents::default(),
            authenticator,
            links: Links::new(&issuer),
            clock: controlled.clone().map_or(machine, |clock| clock as Arc<dyn Clock>),
            random: Arc::new(SeededRandom::new(2)),
            batch_room: Room::new(kind.limits.batch_total_bytes, "batch-total-bytes"),
            bulk_room: Room::new(kind.limits.bulk_total_bytes, "bulk-total-bytes"),
            limits: kind.limits.clone(),
            graph_limits: kind.switches.graph_limits.then(GraphLimits::default),
            controls: controlled.map(Controls::new),
            log: log_lines,
            origin: kind.origin.clone(),
            access: None,
        };
        let (bulk_room, batch_room) = (app.bulk_room.clone(), app.batch_room.clone());
        let tls = kind.secured.then(|| tls(folder.path()));
        let secure = tls.as_ref().map(|tls| Secure::trusting(tls.authority().unwrap()));
        let (stop, stopped) = oneshot::channel();
        let (address, thread) = run(app, store, tls, stopped, kind.ahead);
        let (stop, thread) = (Some(stop), Some(thread));
        Self {
            kind,
            address,
            clock,
            secrets,
            issuer,
            bulk_room,
            batch_room,
            log,
            secure,
            stop,
            thread,
            folder,
        }
    }

    /// Sends a request and waits for the answer, both translated where names differ.
    pub fn send(&self, request: &Ask) -> Reply {
        match &self.kind.names {
            None => match &self.secure {
                None => request.send(self.address),
                Some(secure) => {
                    let reply = secure.send(request, self.address).unwrap().1;
                    if self.kind.as_http1 { reply.worded_as_http1() } else { reply }
                }
            },
            Some(names) => {
                let request = request.clone().translated(|text| names.there(text));
                request.send(self.address).translated(|text| names.back(text))
            }
        }
    }

    /// A text under the names that this world's catalogue has.
    pub fn there(&self, text: &str) -> String {
        self.kind.names.as_ref().map_or_else(|| text.to_owned(), |names| names.there(text))
    }

    /// Whether it is asked over HTTP/2, which cannot say all that HTTP/1.1 can.
    pub fn is_over_http2(&self) -> bool {
        self.secure.is_some()
    }

    /// Whether the names are others than the documented ones.
    pub fn is_renamed(&self) -> bool {
        self.kind.names.is_some()
    }

    /// A token that may all, for the first tenant.
    pub fn writer(&self) -> String {
        self.writer_of(1)
    }

    /// A token that may all, for the tenant whose GUID is this digit over and over.
    pub fn writer_of(&self, digit: u8) -> String {
        let tenant = TENANT.replace('1', &digit.to_string());
        let grant = Grant {
            tenant: Uuid::try_parse(&tenant).unwrap(),
            client: Uuid::try_parse(CLIENT).unwrap(),
            holder: Holder::Application(vec!["Reports.ReadWrite.All".to_owned()]),
            version: Version::One,
            seconds: 3600,
        };
        self.issuer.mint(&grant, Timestamp::from_second(NOW).unwrap())
    }

    /// A token that says this from the beginning on.
    pub fn token_of(&self, grant: &Grant) -> String {
        self.issuer.mint(grant, Timestamp::from_second(NOW).unwrap())
    }

    /// The header of this issuer's tokens.
    pub fn header(&self) -> Value {
        self.issuer.header()
    }

    /// A token of any header and claims, signed with this issuer's key.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.issuer.sign(header, claims)
    }

    /// The client that trusts this world, if it speaks TLS.
    pub fn secure(&self) -> &Secure {
        self.secure.as_ref().unwrap()
    }

    pub fn client_id(&self) -> Uuid {
        self.secrets.client.client_id
    }

    pub fn client_secret(&self) -> String {
        self.secrets.client.client_secret.reveal().to_owned()
    }

    /// Lets so many seconds pass.
    pub fn advance(&self, seconds: i64) {
        self.clock.advance(seconds);
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its database, as another program sees it.
    pub fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join(DATABASE)).unwrap()
    }

    /// What the service has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

/// Waits until this holds, for ten seconds at most.
pub fn soon(holds: impl Fn() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it does not come to hold");
}

/// An issuer with these secrets, and the clients that the tests' tokens are given to:
/// their own, the one that is called as their tenant, and the first numbers.
fn issuer(secrets: &Secrets) -> Issuer {
    let numbers = (0..32).map(|number| Uuid::from_u128(number).to_string());
    let ids = [CLIENT, TENANT].map(str::to_owned).into_iter().chain(numbers);
    let client = |id: String| {
        json!({
            "client_id": id, "name": "", "tenants": [], "roles": [],
            "created": "2026-11-24T12:00:00Z", "secret": { "salt": "", "sha256": "nobody's" },
        })
    };
    let registry = json!({ "clients": ids.map(client).collect::<Vec<_>>() });
    Issuer::new(secrets).knowing(serde_json::from_value(registry).unwrap())
}

/// Which secret of their client the tests' tokens are given for.
pub fn generation() -> String {
    let issuer = issuer(&Secrets::make(&SeededRandom::new(1), READ_WRITE));
    issuer.generation(Uuid::try_parse(CLIENT).unwrap()).unwrap()
}

/// Another service's issuer, which this one does not know.
pub fn stranger() -> Issuer {
    issuer(&Secrets::make(&SeededRandom::new(3), READ_WRITE))
}

impl Kind {
    /// The catalogue that is built in, and small pages, so that few rows fill several.
    fn plain() -> Self {
        Self {
            catalogue: owned(catalog::EMBEDDED.iter().copied()),
            limits: Limits { page_size: 5, ..Limits::default() },
            ..Self::default()
        }
    }
}

/// A local authority of the world's own. Its clients look at the machine's clock.
fn tls(folder: &Path) -> Tls {
    let folder = Folder::open_or_create(&folder.join("data")).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let source = Source::Local { host: None };
    Tls::start(&source, &folder, listen, &SystemClock::start(), &random).unwrap()
}

/// Serves on a thread of its own until it is told to stop, then closes the store.
fn run(
    app: App,
    store: Store,
    tls: Option<Tls>,
    stopped: oneshot::Receiver<()>,
    ahead: bool,
) -> (SocketAddr, JoinHandle<()>) {
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            if ahead {
                app.authenticator.keep_fresh();
            }
            let tls = tls.as_ref().map(Tls::config);
            serve(Arc::new(app), listener, tls, async { drop(stopped.await) }).await;
        });
        store.close();
    });
    (told.recv().unwrap(), thread)
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}
