//! Connections of HTTP/2: many requests at once, so that what one connection of
//! HTTP/1.1 can cost has to be counted for each of them and for all.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::server::TlsStream;

use super::pulse::{Beat, Pulse, Stream};
use super::{MAX_HEAD, Secured, Timed};
use crate::app::App;
use crate::http::body::{CutOff, Outgoing};
use crate::http::error;
use crate::http::layers::{self, Cut};
use crate::http::receive::Arrival;

/// How much of a body a client may send before it is taken in, in bytes: for one
/// request, and for all of a connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 512 * 1024;

/// How much of an answer is handed over at once, in bytes: what a client that
/// does not read leaves in memory for each of its requests. A frame has as much.
const PIECE: usize = 16 * 1024;

/// How many requests a client may take back before anyone has looked at them,
/// and how many mistakes it may make, until the connection is cut off: rapid
/// resets (CVE-2023-44487) cost no more than that.
const MAX_TAKEN_BACK: usize = 20;
const MAX_MISTAKES: usize = 256;

/// Serves one connection.
pub(super) async fn serve(secured: Secured, stream: Box<TlsStream<Timed>>) {
    let Secured { app, peer, streams, stopping } = secured;
    let arrival = Arrival { peer, secure: true };
    let pulse = Pulse::new(&app.limits);
    let (answering, beating) = (Arc::clone(&app), Arc::clone(&pulse));
    let service = service_fn(move |head: Request<Incoming>| {
        let (app, stream) = (Arc::clone(&answering), Stream::begin(&beating));
        let place = Arc::clone(&streams).try_acquire_owned().ok();
        async move { answer(&app, head, arrival, stream, place).await }
    });
    let connection = builder(&app).serve_connection(TokioIo::new(stream), service);
    drive(connection, &pulse, stopping).await;
}

fn builder(app: &App) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(app.limits.streams)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(PIECE)
        .max_pending_accept_reset_streams(MAX_TAKEN_BACK)
        .max_local_error_reset_streams(MAX_MISTAKES)
        .auto_date_header(false);
    builder
}

/// Lets a connection go on until it ends or the service stops. It is told to
/// end where it is idle, and cut off where it does not then, or where the client
/// takes in nothing of an answer.
async fn drive<C: GracefulConnection>(connection: C, pulse: &Pulse, mut stopping: super::Stopping) {
    let mut connection = pin!(connection);
    let mut stopped = pin!(stopping.changed());
    let mut ticks = tokio::time::interval(pulse.tick());
    let mut ending = false;
    loop {
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            _ = &mut stopped, if !ending => {}
            _ = ticks.tick() => match pulse.beat() {
                Beat::Alive => continue,
                Beat::Idle if !ending => {}
                Beat::Idle | Beat::Stuck => return,
            }
        }
        ending = true;
        connection.as_mut().graceful_shutdown();
    }
}

/// Answers one request; one for which there is no place is told so.
async fn answer(
    app: &App,
    head: Request<Incoming>,
    arrival: Arrival,
    mut stream: Stream,
    place: Option<OwnedSemaphorePermit>,
) -> Result<Response<Counted>, Cut> {
    let is_head = head.method() == Method::HEAD;
    let answered = match place {
        Some(_) => layers::answer(app, head, arrival).await?,
        None => layers::refuse(app, head, arrival, error::busy()),
    };
    let (mut head, body) = answered.into_parts();
    if is_head && let Some(length) = body.size_hint().exact().filter(|length| *length > 0) {
        // Of HTTP/1.1 hyper says it, and leaves the body out.
        head.headers.entry(CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
    stream.turn(true);
    let body = (!is_head).then_some(body);
    Ok(Response::from_parts(head, Counted { body, ready: Bytes::new(), stream, _place: place }))
}

/// The body of an answer: handed over in pieces, and counted while it is under way.
struct Counted {
    /// Nothing of an answer to `HEAD`.
    body: Option<Outgoing>,
    /// What is left of a part.
    ready: Bytes,
    stream: Stream,
    _place: Option<OwnedSemaphorePermit>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let this = &mut *self;
        // Who asks has handed on what there was: it is not the client that we wait for.
        this.stream.turn(false);
        if this.ready.is_empty() {
            let Some(body) = &mut this.body else { return Poll::Ready(None) };
            match std::task::ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(part) => this.ready = part,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                end => return Poll::Ready(end),
            }
        }
        let mut length = PIECE.min(this.ready.len());
        let is_last =
            length == this.ready.len() && this.body.as_ref().is_none_or(Body::is_end_stream);
        if is_last && length > 1 {
            // The last byte is handed on when the client has taken in the others, and
            // only then is the answer done with: without it nobody would know of an
            // answer that waits, as hyper hands on a last piece however little room there is.
            length -= 1;
        }
        let piece = this.ready.split_to(length);
        this.stream.turn(true);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.ready.len() as u64;
        let body = self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint);
        body.exact().map_or_else(SizeHint::new, |more| SizeHint::with_exact(left + more))
    }
}
