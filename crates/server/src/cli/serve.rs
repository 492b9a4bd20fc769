//! `rollcall serve`: the service, from its folder to its last answer.

use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollcall_odata::catalog;
use rollcall_odata::edm::Model;
use rollcall_store::Store;
use tokio::net::TcpListener;

use crate::app::App;
use crate::auth::Authenticator;
use crate::auth::issuer::Issuer;
use crate::clock::{Clock, SystemClock, SystemRandom};
use crate::config::{Config, Given};
use crate::folder::Folder;
use crate::http::documents::Documents;
use crate::http::links::Links;
use crate::http::serve::serve;
use crate::observe::{Gathered, Log};
use crate::sample;

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
    let clock = SystemClock::start();
    let secrets = folder.make_secrets(&SystemRandom).map_err(|error| error.to_string())?;
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
    let _announcement = folder.announce(address).map_err(|error| error.to_string())?;
    let issuer = Issuer::new(&secrets);
    let app = App {
        model: Arc::new(model),
        store: store.clone(),
        documents: Documents::default(),
        authenticator: Authenticator::new(&issuer),
        links: Links::new(&secrets),
        issuer,
        clock: Arc::new(clock),
        random: Arc::new(SystemRandom),
        limits: config.limits.clone(),
        log,
        public_url: config.public_url.clone(),
    };
    greet(&app.model, &*app.clock, address, &config.data);
    serve(Arc::new(app), listener, stop).await;
    store.close();
    Ok(())
}

/// Says where the service listens, and a line to paste. Standard output may be closed.
fn greet(model: &Model, clock: &dyn Clock, address: SocketAddr, data: &Path) {
    let shown = data.display();
    let mut lines =
        format!("Rollcall listens on http://{address} and keeps its data in {shown}.\n");
    if let Some(set) = model.entity_sets.first() {
        let body = sample::body(set, clock.now());
        lines += "This creates a first object:\n\n";
        lines += &paste(&format!("http://{address}/v1.0/{}/{}", set.under, set.name), data, &body);
        lines += "\n\n";
    }
    let mut out = std::io::stdout().lock();
    drop(out.write_all(lines.as_bytes()).and_then(|()| out.flush()));
}

/// A command that creates this object at this address.
fn paste(url: &str, data: &Path, body: &str) -> String {
    let command = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("rollcall"));
    let token = format!("{} token --data {}", quoted(&command), quoted(data));
    format!(
        "curl -i {url} -H \"Authorization: Bearer $({token})\" \
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
