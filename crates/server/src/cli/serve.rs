//! `rollcall serve`: the service, from its folder to its last answer.

use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollcall_odata::catalog;
use rollcall_store::Store;
use tokio::net::TcpListener;

use crate::access::Access;
use crate::app::App;
use crate::auth::Authenticator;
use crate::auth::issuer::Issuer;
use crate::auth::permissions::READ_WRITE;
use crate::auth::remote::Pace;
use crate::clock::{Clock, ControlledClock, Random, SystemClock, SystemRandom};
use crate::config::{Config, Given};
use crate::folder::{Folder, reachable};
use crate::http::controls::{Controls, WARNING};
use crate::http::documents::Documents;
use crate::http::links::Links;
use crate::http::room::Room;
use crate::http::serve::serve;
use crate::http::throttle::GraphLimits;
use crate::observe::{Gathered, Log};
use crate::sample;
use crate::tls::Tls;

/// The arguments of `rollcall serve`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    given: Given,
    /// A TOML file with the same settings; flags and the environment count before it
    #[arg(long, env = "ROLLCALL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Serves until SIGTERM or Ctrl-C.
pub fn run(args: Args) -> Result<(), String> {
    let file = args.config.as_deref().map(Given::from_file).transpose()?;
    let config = args.given.or(file.unwrap_or_default()).settle()?;
    // It outlives the runtime: answers that are cut off at the end have lines as well.
    let lines = Gathered::start(std::io::stderr())
        .map_err(|error| format!("The log cannot be written: {error}."))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("The service cannot start: {error}."))?;
    runtime.block_on(start(&config, lines.log()))
}

async fn start(config: &Config, log: Log) -> Result<(), String> {
    let folder = Folder::open_or_create(&config.data).map_err(|error| error.to_string())?;
    let _lock = folder.lock().map_err(|error| error.to_string())?;
    let machine: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let (clock, controls) = clock(config, &machine);
    if controls.is_some() {
        log.write(WARNING);
    }
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    folder.make_secrets(&SystemRandom, READ_WRITE).map_err(|error| error.to_string())?;
    let model = catalog::load(catalog::EMBEDDED).map_err(|error| error.to_string())?;
    let options = rollcall_store::Options::default();
    let store = Store::open(&folder.database(), &model, &options);
    let store = store.map_err(|error| error.to_string())?;
    // Signals are caught before anyone is told that the service is there.
    let stop = stop()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("{} cannot be listened on: {error}.", config.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let tls = config.tls.as_ref();
    let tls =
        tls.map(|source| Tls::start(source, &folder, address, &*machine, &random)).transpose()?;
    let access = Arc::new(Access::of(&folder, &SystemRandom));
    let shown = tls.as_ref().map(Tls::fingerprint);
    let announcement = folder.announce(address, &access.secret, shown);
    let announcement = announcement.map_err(|error| error.to_string())?;
    // After it has been announced: who changes it later tells.
    let (authenticator, links) = holders(config, &folder, &clock, &log)?;
    let app = App {
        model: Arc::new(model),
        store: store.clone(),
        documents: Documents::default(),
        authenticator,
        links,
        clock: Arc::clone(&clock),
        random,
        batch_room: Room::new(config.limits.batch_total_bytes, "batch-total-bytes"),
        bulk_room: Room::new(config.limits.bulk_total_bytes, "bulk-total-bytes"),
        limits: config.limits.clone(),
        graph_limits: config.graph_limits.then(GraphLimits::default),
        controls,
        log: log.clone(),
        origin: config.origin.clone(),
        access: Some(Arc::clone(&access)),
    };
    greet(&app, address, &config.data, tls.as_ref());
    let app = Arc::new(app);
    let served = serve(Arc::clone(&app), listener, tls.as_ref().map(Tls::config), stop);
    let access = access.keep(&app);
    let certificate = async {
        match tls {
            Some(tls) => tls.keep(&announcement, &*machine, &log).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = served => {}
        () = access => {}
        () = certificate => {}
    }
    store.close();
    Ok(())
}

/// Who has access, as the folder and the settings say now.
fn holders(
    config: &Config,
    folder: &Folder,
    clock: &Arc<dyn Clock>,
    log: &Log,
) -> Result<(Authenticator, Links), String> {
    let issuer = Issuer::of(folder).map_err(|error| error.to_string())?;
    let links = Links::new(&issuer);
    let (issuers, clock) = (config.issuers.clone(), Arc::clone(clock));
    let authenticator =
        Authenticator::new(issuer).trusting(issuers, Pace::default(), clock, log.clone());
    authenticator.keep_fresh();
    Ok((authenticator, links))
}

/// The clock of requests: the machine's, unless there are controls that set it.
fn clock(config: &Config, machine: &Arc<dyn Clock>) -> (Arc<dyn Clock>, Option<Controls>) {
    if !config.test_controls {
        return (Arc::clone(machine), None);
    }
    let clock = Arc::new(ControlledClock::over(Arc::clone(machine)));
    (Arc::<ControlledClock>::clone(&clock), Some(Controls::new(clock)))
}

/// Says where the service listens, how it is trusted, and a line to paste. Standard
/// output may be closed.
fn greet(app: &App, address: SocketAddr, data: &Path, tls: Option<&Tls>) {
    let shown = data.display();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let authority = tls.and_then(Tls::authority);
    let mut lines =
        format!("Rollcall listens on {scheme}://{address} and keeps its data in {shown}.\n");
    lines += &authority.map(trust).unwrap_or_default();
    if app.controls.is_some() {
        lines += WARNING;
        lines += "\n\n";
    }
    if let Some(set) = app.model.entity_sets.first() {
        let body = sample::body(set, app.clock.now());
        let url = format!("{scheme}://{}/v1.0/{}/{}", reachable(address), set.under, set.name);
        lines += "This creates a first object:\n\n";
        lines += &paste(&url, data, &body, authority);
        lines += "\n\n";
    }
    let mut out = std::io::stdout().lock();
    drop(out.write_all(lines.as_bytes()).and_then(|()| out.flush()));
}

/// How clients of several kinds come to trust a local authority.
fn trust(authority: &Path) -> String {
    let file = quoted(authority);
    let export = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]
        .map(|name| format!("export {name}={file}"));
    format!(
        "Its certificate is signed by the folder's own authority. Clients trust it when they are \
         told:\n\n{}\n\n",
        export.join("\n")
    )
}

/// A command that creates this object at this address.
fn paste(url: &str, data: &Path, body: &str, authority: Option<&Path>) -> String {
    let command = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("rollcall"));
    let token = format!("{} token --data {}", quoted(&command), quoted(data));
    let trusting = authority.map(|file| format!("--cacert {} ", quoted(file))).unwrap_or_default();
    format!(
        "curl -i {trusting}{url} -H \"Authorization: Bearer $({token})\" \
         -H 'Content-Type: application/json' -d '{body}'"
    )
}

/// A path as one word of a shell's command line.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

#[cfg(unix)]
fn stop() -> Result<impl Future<Output = ()> + Send, String> {
    use tokio::signal::unix::{SignalKind, signal};
    let caught = |kind| signal(kind).map_err(|error| format!("Signals cannot be caught: {error}."));
    let (mut terminate, mut interrupt) =
        (caught(SignalKind::terminate())?, caught(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop() -> Result<impl Future<Output = ()> + Send, String> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
