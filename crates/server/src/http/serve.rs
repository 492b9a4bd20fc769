//! Connections: accepted up to a cap, held to time limits, ended gracefully.

mod h2;
mod pulse;

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use super::error;
use super::layers;
use super::receive::Arrival;
use crate::app::App;
use crate::tls;

/// How much of a head is read, in bytes: twice what is allowed, so that who
/// sends somewhat too much hears why. Above it, above 100 lines of HTTP/1.1, and
/// to what is no HTTP at all, hyper answers by itself, with a status alone.
const MAX_HEAD: usize = 64 * 1024;

/// How long accepting rests after it failed: the usual cause, no more file
/// descriptors, does not pass at once.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// What a client begins TLS with: a record of the handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// A connection that times out when the other end takes in nothing.
type Timed = std::pin::Pin<Box<TimeoutStream<TcpStream>>>;

/// Tells the connections that the service stops, and knows when the last has ended.
type Stopping = watch::Receiver<()>;

/// Serves until `shutdown` resolves, then lets what is under way end. With `tls`
/// nothing else is spoken.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let (stop, stopping) = watch::channel(());
    let room = Arc::new(Semaphore::new(app.limits.connections));
    let streams = Arc::new(Semaphore::new(app.limits.connections));
    let mut shutdown = pin!(shutdown);
    loop {
        // No more connections are accepted than are allowed; others wait in the backlog.
        let permit = tokio::select! {
            permit = Arc::clone(&room).acquire_owned() => permit,
            () = &mut shutdown => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_REST).await;
            continue;
        };
        let (app, peer, stopping) = (Arc::clone(&app), peer.ip(), stopping.clone());
        if let Some(tls) = &tls {
            let secured = Secured { app, peer, streams: Arc::clone(&streams), stopping };
            begin(secured.serve(TlsAcceptor::from(Arc::clone(tls)), stream), permit);
        } else {
            begin(plain(app, stream, peer, stopping), permit);
        }
    }
    drop((listener, stopping));
    stop.send_replace(());
    drop(tokio::time::timeout(app.limits.grace, stop.closed()).await);
}

/// A connection goes on by itself, and has its place until it ends.
fn begin(connection: impl Future<Output = ()> + Send + 'static, place: impl Send + 'static) {
    tokio::spawn(async move {
        connection.await;
        drop(place);
    });
}

/// A connection with the time limit that holds off clients who do not read.
fn timed(app: &App, stream: TcpStream) -> Timed {
    // An answer is one write; waiting to fill a packet would only delay it.
    drop(stream.set_nodelay(true));
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(app.limits.write_time));
    Box::pin(stream)
}

async fn plain(app: Arc<App>, stream: TcpStream, peer: IpAddr, stopping: Stopping) {
    let stream = timed(&app, stream);
    let arrival = Arrival { peer, secure: false };
    drive(http1(&app, stream, arrival), stopping).await;
}

/// A connection of HTTP/1.1, whose requests are answered.
fn http1<S>(app: &Arc<App>, stream: S, arrival: Arrival) -> impl GracefulConnection + use<S>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let answering = Arc::clone(app);
    let service = service_fn(move |head| {
        let app = Arc::clone(&answering);
        async move { layers::answer(&app, head, arrival).await }
    });
    builder(app).serve_connection(TokioIo::new(stream), service)
}

fn builder(app: &App) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(app.limits.head_time)
        .max_buf_size(MAX_HEAD)
        .auto_date_header(false);
    builder
}

/// Lets a connection go on until it ends, or the service stops and what is under
/// way has ended. One that breaks is the client's affair.
async fn drive<C: GracefulConnection>(connection: C, mut stopping: Stopping) {
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        _ = stopping.changed() => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}

/// A connection under TLS.
struct Secured {
    app: Arc<App>,
    peer: IpAddr,
    /// A place for each request of HTTP/2, over all connections.
    streams: Arc<Semaphore>,
    stopping: Stopping,
}

impl Secured {
    async fn serve(mut self, acceptor: TlsAcceptor, stream: TcpStream) {
        let time = self.app.limits.handshake_time;
        let agreed = tokio::select! {
            agreed = tokio::time::timeout(time, agree(&self.app, acceptor, stream)) => agreed,
            _ = self.stopping.changed() => return,
        };
        match agreed {
            Ok(Some(Agreed::Tls(stream))) => {
                // Each kind of connection is large, and one of them is needed.
                if stream.get_ref().1.alpn_protocol() == Some(tls::H2) {
                    Box::pin(h2::serve(self, stream)).await;
                } else {
                    let arrival = Arrival { peer: self.peer, secure: true };
                    let connection = http1(&self.app, stream, arrival);
                    Box::pin(drive(connection, self.stopping)).await;
                }
            }
            Ok(Some(Agreed::Nothing(stream))) => Box::pin(self.refuse(stream)).await,
            Ok(None) | Err(_) => {}
        }
    }

    /// Says to who speaks plain HTTP what is spoken here, and ends.
    async fn refuse(self, stream: Timed) {
        let arrival = Arrival { peer: self.peer, secure: false };
        let app = Arc::clone(&self.app);
        let service = service_fn(move |head| {
            let answer = layers::refuse(&app, head, arrival, error::not_secured());
            async move { Ok::<_, Infallible>(answer) }
        });
        let mut builder = builder(&self.app);
        let connection = builder.keep_alive(false).serve_connection(TokioIo::new(stream), service);
        drive(connection, self.stopping).await;
    }
}

/// What a client has agreed to speak.
enum Agreed {
    Tls(Box<TlsStream<Timed>>),
    /// It did not begin with TLS.
    Nothing(Timed),
}

/// Agrees on TLS with a client; nothing where that cannot be.
async fn agree(app: &App, acceptor: TlsAcceptor, stream: TcpStream) -> Option<Agreed> {
    let mut first = [0];
    if stream.peek(&mut first).await.ok()? == 0 {
        return None;
    }
    let stream = timed(app, stream);
    if first[0] != HANDSHAKE {
        return Some(Agreed::Nothing(stream));
    }
    acceptor.accept(stream).await.ok().map(Box::new).map(Agreed::Tls)
}
