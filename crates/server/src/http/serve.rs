//! Connections: accepted up to a cap, held to time limits, ended gracefully.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

use super::layers;
use crate::app::App;

/// How much of a head hyper reads, in bytes: twice what is allowed, so that who
/// sends somewhat too much hears why. Above it, above 100 lines, and to what is
/// no HTTP at all, hyper answers by itself, with a status alone.
const MAX_HEAD: usize = 64 * 1024;

/// How long accepting rests after it failed: the usual cause, no more file
/// descriptors, does not pass at once.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Serves until `shutdown` resolves, then lets what is under way end.
pub async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(app.limits.connections));
    let mut shutdown = std::pin::pin!(shutdown);
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
        match accepted {
            Ok((stream, _)) => {
                let connection = graceful.watch(connection(&app, stream));
                tokio::spawn(async move {
                    // A connection that breaks is the client's affair.
                    drop(connection.await);
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_REST).await,
        }
    }
    drop(listener);
    drop(tokio::time::timeout(app.limits.grace, graceful.shutdown()).await);
}

/// A connection with the time limits that hold off slow clients.
fn connection(app: &Arc<App>, stream: TcpStream) -> impl GracefulConnection + use<> {
    // An answer is one write; waiting to fill a packet would only delay it.
    drop(stream.set_nodelay(true));
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(app.limits.write_time));
    let app = Arc::clone(app);
    let head_time = app.limits.head_time;
    let service = service_fn(move |head| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(layers::answer(&app, head).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_time)
        .max_buf_size(MAX_HEAD)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
}
