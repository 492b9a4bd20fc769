//! HTTP/2: the same answers, and limits for what many requests on one connection cost.

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::{BodyExt, Channel, channel};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::JoinHandle;

use crate::client::{PATIENCE, ask};
use crate::process::{Service, log_of, rollcall, signal, token};
use crate::sample::{COLLECTION, SAMPLE, fact};
use crate::secure::{Secure, runtime, whole};
use crate::world::World;

type Open = http2::SendRequest<Channel<Bytes, Infallible>>;
type Body = channel::Sender<Bytes, Infallible>;
type Answer = JoinHandle<hyper::Result<hyper::Response<Incoming>>>;

/// A connection whose requests have bodies that come when they come.
async fn open(client: &Secure, address: std::net::SocketAddr) -> Open {
    let stream = client.connect(address).await.unwrap();
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// A create whose body is still to come, and where it goes.
fn begun(token: &str) -> (hyper::Request<Channel<Bytes, Infallible>>, Body) {
    let (sender, body) = Channel::new(2);
    let (head, _) = ask("POST", COLLECTION).bearer(token).json("").request().into_parts();
    (hyper::Request::from_parts(head, body), sender)
}

/// A create under way whose body has begun and not ended.
async fn half_sent(sender: &mut Open, token: &str) -> (Answer, Body) {
    let (request, mut body) = begun(token);
    body.send_data("{".into()).await.unwrap();
    (tokio::spawn(sender.send_request(request)), body)
}

async fn patiently<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("in time")
}

#[test]
fn a_connection_has_so_many_requests_at_once() {
    let world = World::secured_with_limits(|limits| limits.streams = 2);
    let bearer = world.writer();
    runtime().block_on(async {
        let mut sender = open(world.secure(), world.address()).await;
        // With the first answer the limit has come.
        let (known, end) = begun("x");
        drop(end);
        assert_eq!(patiently(sender.send_request(known)).await.unwrap().status(), 401);
        let (first, mut body) = begun(&bearer);
        let (second, _kept) = begun(&bearer);
        let (third, mut last) = begun(&bearer);
        last.send_data(fact(1).into()).await.unwrap();
        drop(last);
        let first = tokio::spawn(sender.send_request(first));
        let second = tokio::spawn(sender.send_request(second));
        let third = tokio::spawn(sender.send_request(third));
        body.send_data(fact(0).into()).await.unwrap();
        assert!(!third.is_finished() && !second.is_finished());
        drop(body);
        assert_eq!(whole(patiently(first).await.unwrap()).await.unwrap().status, 201);
        assert_eq!(whole(patiently(third).await.unwrap()).await.unwrap().status, 201);
        assert!(!second.is_finished());
    });
}

#[test]
fn all_connections_together_have_no_more_requests_than_there_may_be_connections() {
    let world = World::secured_with_limits(|limits| limits.connections = 2);
    let bearer = world.writer();
    runtime().block_on(async {
        let mut senders = [
            open(world.secure(), world.address()).await,
            open(world.secure(), world.address()).await,
        ];
        let mut waiting =
            [half_sent(&mut senders[0], &bearer).await, half_sent(&mut senders[1], &bearer).await];
        // The two are under way once a third is refused. Until then a third may
        // have a place and one of the two be refused, which is sent again.
        let refused = patiently(async {
            loop {
                let (request, body) = begun("x");
                drop(body);
                let reply = whole(senders[0].send_request(request).await).await.unwrap();
                if reply.status != 401 {
                    break reply;
                }
                for (sender, one) in senders.iter_mut().zip(&mut waiting) {
                    if one.0.is_finished() {
                        *one = half_sent(sender, &bearer).await;
                    }
                }
            }
        })
        .await;
        assert_eq!((refused.status, refused.code().as_str()), (503, "serviceNotAvailable"));
        assert_eq!(refused.header("retry-after"), Some("1"));
        let mut created = 0;
        for (at, (answer, mut body)) in waiting.into_iter().enumerate() {
            // One that was refused with the third takes no more.
            drop(body.send_data(fact(at)[1..].to_owned().into()).await);
            drop(body);
            match whole(patiently(answer).await.unwrap()).await.unwrap().status {
                201 => created += 1,
                other => assert_eq!(other, 503),
            }
        }
        assert!(created > 0);
        let (request, body) = begun("x");
        drop(body);
        let reply = whole(patiently(senders[0].send_request(request)).await).await.unwrap();
        assert_eq!(reply.status, 401, "there is room again");
    });
    assert!(world.log().contains(" POST unknown 503 "), "{}", world.log());
}

#[test]
fn an_idle_connection_is_ended() {
    let world = World::secured_with_limits(|limits| {
        limits.connections = 1;
        limits.head_time = Duration::from_millis(300);
    });
    runtime().block_on(async {
        let (mut sender, ended) = world.secure().http2(world.address()).await;
        let reply = whole(sender.send_request(ask("GET", "/").request()).await).await.unwrap();
        assert_eq!(reply.status, 200);
        // Without an error: it was told.
        patiently(ended).await.unwrap().unwrap();
    });
    assert_eq!(world.send(&ask("GET", "/health/live")).status, 200);
}

#[test]
fn who_takes_in_nothing_of_an_answer_is_cut_off() {
    // More than is handed over at once, and less.
    for path in ["/openapi.json", "/v1.0/$metadata"] {
        cut_off(path);
    }
}

fn cut_off(path: &str) {
    let world = World::secured_with_limits(|limits| {
        limits.connections = 1;
        limits.write_time = Duration::from_millis(300);
    });
    runtime().block_on(async {
        let small = |builder: &mut http2::Builder<TokioExecutor>| {
            builder.initial_stream_window_size(1000);
        };
        let (mut sender, ended) = world.secure().http2_with(world.address(), small).await;
        let asked = ask("GET", path).request();
        let answer = patiently(sender.send_request(asked)).await.unwrap();
        assert_eq!(answer.status(), 200);
        // The connection itself is well, and used.
        let busy = tokio::spawn(async move {
            while sender.send_request(ask("GET", "/health/live").request()).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        patiently(busy).await.unwrap();
        drop(patiently(ended).await);
        assert!(answer.into_body().collect().await.is_err(), "cut off, and not as if it had ended");
    });
    assert_eq!(world.send(&ask("GET", "/health/live")).status, 200);
}

#[test]
fn what_is_under_way_ends_before_the_service_does() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = rollcall(&data, "serve");
    let command = command.args(["--listen", "127.0.0.1:0", "--tls-local"]);
    let service = Service::start_with(command, &log_of(&data));
    let client = Secure::trusting(&data.join("local-authority.pem"));
    let bearer = token(&data, &[]);
    runtime().block_on(async {
        let mut sender = open(&client, service.address).await;
        // Idle ones end at once.
        let (mut other, ended) = client.http2(service.address).await;
        let reply = whole(other.send_request(ask("GET", "/").request()).await).await.unwrap();
        assert_eq!(reply.status, 200);
        let (request, mut body) = begun(&bearer);
        body.send_data(SAMPLE[..1].to_owned().into()).await.unwrap();
        let answer = tokio::spawn(sender.send_request(request));
        // It is there once one that came after it is answered.
        let (after, end) = begun("x");
        drop(end);
        let reply = whole(patiently(sender.send_request(after)).await).await.unwrap();
        assert_eq!(reply.status, 401);
        signal(service.id(), "TERM");
        patiently(ended).await.unwrap().unwrap();
        body.send_data(SAMPLE[1..].to_owned().into()).await.unwrap();
        drop(body);
        let reply = whole(patiently(answer).await.unwrap()).await.unwrap();
        assert_eq!(reply.status, 201, "{reply}");
    });
    assert_eq!(service.wait(), Some(0));
}

#[test]
fn hosts_and_heads() {
    let world = World::secured();
    let bearer = world.writer();
    let get = || ask("GET", COLLECTION).bearer(&bearer);
    let reply = world.send(&get().header("Host", "a.example:8443"));
    let context = reply.json()["@odata.context"].as_str().unwrap().to_owned();
    assert!(context.starts_with("https://a.example:8443/v1.0/"), "{context}");
    // The same host twice is one; two are none.
    let with_host = |host: &'static str| {
        runtime().block_on(async {
            let (mut sender, _) = world.secure().http2(world.address()).await;
            let mut request = get().header("Host", "a.example").request();
            request.headers_mut().insert("host", host.parse().unwrap());
            whole(sender.send_request(request).await).await.unwrap()
        })
    };
    assert_eq!(with_host("a.example").status, 200);
    assert_eq!(with_host("b.example").status, 400);
    // Of an answer to HEAD the length is told, and nothing else.
    let (get, head) = (ask("GET", "/v1.0/$metadata"), ask("HEAD", "/v1.0/$metadata"));
    let (get, head) = (world.send(&get), world.send(&head));
    assert_eq!(head.status, 200);
    assert!(head.body.is_empty() && !get.body.is_empty());
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert_eq!(head.header("content-length").unwrap(), get.body.len().to_string());
    let long = ask("GET", "/v1.0").header("x-long", &"x".repeat(40 * 1024));
    assert_eq!(world.send(&long).status, 431);
    let longer = ask("GET", "/v1.0").header("x-long", &"x".repeat(80 * 1024));
    assert_eq!(world.send(&longer).status, 431, "hyper's own");
}

#[test]
fn bodies_that_nobody_wants_get_their_answer() {
    let world = World::secured();
    let bearer = world.writer();
    let post = |token: &str, body: usize| {
        world.send(&ask("POST", COLLECTION).bearer(token).json("x".repeat(body)))
    };
    assert_eq!(post("bad", 1024 * 1024).status, 401);
    assert_eq!(post(&bearer, 1024 * 1024).status, 413);
    let rows = ask("POST", COLLECTION).header("Content-Type", "text/csv");
    let reply = world.send(&rows.body("x".repeat(3 * 1024 * 1024)));
    assert_eq!(reply.status, 401, "{reply}");
    // A body that does not end is given up as over HTTP/1.1.
    let world = World::secured_with_limits(|limits| limits.body_time = Duration::from_millis(300));
    let bearer = world.writer();
    let reply = runtime().block_on(async {
        let mut sender = open(world.secure(), world.address()).await;
        let (request, _body) = begun(&bearer);
        whole(patiently(sender.send_request(request)).await).await.unwrap()
    });
    assert_eq!((reply.status, reply.code().as_str()), (408, "requestTimeout"), "{reply}");
}

#[test]
fn long_answers_come_whole() {
    let world = World::secured();
    let bearer = world.writer();
    let rows: String = (0..5000).map(|number| fact(number) + "\n").collect();
    let rows = ask("POST", COLLECTION)
        .bearer(&bearer)
        .header("Content-Type", "application/x-ndjson")
        .body(rows);
    assert_eq!(world.send(&rows).json()["created"], 5000);
    let reply = world.send(&ask("GET", COLLECTION).bearer(&bearer).header("Accept", "text/csv"));
    assert_eq!((reply.status, reply.text().lines().count()), (200, 5001));
    assert_eq!(reply.header("transfer-encoding"), None);
}
