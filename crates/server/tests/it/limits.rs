//! Slow clients and the log: what holds the service together, and what it must not tell.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::client::{Reply, ask};
use crate::sample::{COLLECTION, SAMPLE, fact};
use crate::world::World;

fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    // A reset ends the answer like a close.
    drop(stream.read_to_end(&mut bytes));
    bytes
}

/// However the threads run: who has one request waiting is never refused while
/// another tenant has more.
#[test]
fn a_tenant_that_floods_is_told_so_and_others_are_served() {
    let world = World::with_queue(3);
    let (flooding, served) = (AtomicBool::new(true), AtomicUsize::new(0));
    let create = |tenant: u8, number: usize| {
        world.send(&ask("POST", COLLECTION).bearer(&world.writer_of(tenant)).json(fact(number)))
    };
    std::thread::scope(|scope| {
        for thread in 0..12 {
            let (create, flooding, served) = (&create, &flooding, &served);
            scope.spawn(move || {
                for number in (thread..).step_by(12) {
                    let reply = create(1, number);
                    match reply.status {
                        201 => drop(served.fetch_add(1, Ordering::SeqCst)),
                        429 => assert_eq!(reply.code(), "TooManyRequests"),
                        _ => assert_eq!(
                            (reply.status, reply.code().as_str()),
                            (503, "serviceNotAvailable")
                        ),
                    }
                    assert_eq!(reply.header("retry-after").is_some(), reply.status != 201);
                    if !flooding.load(Ordering::SeqCst) {
                        break;
                    }
                }
            });
        }
        for number in 0..60 {
            let reply = create(2, number);
            assert_eq!(reply.status, 201, "{reply}");
        }
        flooding.store(false, Ordering::SeqCst);
    });
    let count = ask("GET", &format!("{COLLECTION}/$count")).bearer(&world.writer());
    let served = served.load(Ordering::SeqCst);
    assert_eq!(world.send(&count).text(), served.to_string(), "what was refused is not there");
}

#[test]
fn slow_clients_are_cut_off_and_others_are_served() {
    let world = World::with_limits(|limits| {
        limits.connections = 3;
        limits.head_time = Duration::from_millis(300);
        limits.body_time = Duration::from_millis(300);
    });
    let mut slow: Vec<TcpStream> =
        (0..3).map(|_| TcpStream::connect(world.address()).unwrap()).collect();
    slow[0].write_all(b"GET /v1.0 HTTP/1.1\r\nHost: ").unwrap();
    let head = format!(
        "POST {COLLECTION} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 400\r\n\r\n{{",
        world.writer()
    );
    slow[1].write_all(head.as_bytes()).unwrap();
    // All places are taken; the fourth waits until a slow one is cut off.
    let reply = world.send(&ask("POST", COLLECTION).bearer(&world.writer()).json(SAMPLE));
    assert_eq!(reply.status, 201);
    let late = Reply::parse(&read_all(&mut slow[1])).unwrap();
    assert_eq!((late.status, late.code().as_str()), (408, "requestTimeout"), "{late}");
    for stream in [0, 2] {
        let bytes = read_all(&mut slow[stream]);
        assert!(bytes.is_empty() || bytes.starts_with(b"HTTP/1.1 408"), "{bytes:?}");
    }
}

#[test]
fn a_body_that_nobody_wants_holds_no_place() {
    let world = World::with_limits(|limits| {
        limits.connections = 1;
        limits.body_time = Duration::from_millis(300);
    });
    let mut drip = TcpStream::connect(world.address()).unwrap();
    let head = format!(
        "POST {COLLECTION} HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    drip.write_all(head.as_bytes()).unwrap();
    // A byte comes before each pause has gone on for too long.
    let dripping = std::thread::spawn(move || {
        while drip.write_all(b"1\r\nx\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    assert_eq!(world.send(&ask("GET", "/health/live")).status, 200);
    dripping.join().unwrap();
}

#[test]
fn who_does_not_read_is_cut_off() {
    let world = World::with_limits(|limits| {
        limits.connections = 1;
        limits.write_time = Duration::from_millis(300);
    });
    let mut deaf = TcpStream::connect(world.address()).unwrap();
    let one = ask("GET", "/v1.0/$metadata").header("Connection", "keep-alive").bytes();
    // More than the buffers of both ends hold: some 20 MB of answers.
    let asked = std::thread::spawn(move || {
        drop(deaf.write_all(&one.repeat(2000)));
        deaf
    });
    // The one place is taken until the service gives up on who does not read.
    assert_eq!(world.send(&ask("GET", "/health/live")).status, 200);
    let answered = read_all(&mut asked.join().unwrap());
    let count = String::from_utf8_lossy(&answered).matches("HTTP/1.1 200 OK").count();
    assert!(count < 2000, "{count}");
}

#[test]
fn an_address_may_be_as_long_as_the_service_is_told() {
    let world = World::with_limits(|limits| limits.url_bytes = 600);
    let of_length = |length: usize| {
        let target = format!("{COLLECTION}?x=");
        let target = format!("{target}{}", "y".repeat(length + 1 - target.len()));
        world.send(&ask("GET", &target).bearer(&world.writer()))
    };
    assert_eq!(of_length(600).status, 200);
    let reply = of_length(601);
    assert_eq!((reply.status, reply.code().as_str()), (414, "uriTooLong"), "{reply}");
    let told = "The URL has 601 bytes. Expected at most 600: the limit url-bytes of the service.";
    assert_eq!(reply.message(), told);
}

#[test]
fn a_connection_serves_many_requests() {
    let world = World::plain();
    let mut stream = TcpStream::connect(world.address()).unwrap();
    let one = ask("GET", "/v1.0").header("Connection", "keep-alive").bytes();
    let last = ask("GET", "/v1.0").bytes();
    stream.write_all(&[one.clone(), one, last].concat()).unwrap();
    let text = String::from_utf8(read_all(&mut stream)).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3, "{text}");
}

#[test]
fn the_log_has_a_line_for_each_request_and_no_secret_in_it() {
    let world = World::plain();
    let token = world.writer();
    let secret = world.client_secret();
    let form = format!("client_id=x&client_secret={secret}&grant_type=client_credentials");
    world.send(&ask("POST", COLLECTION).bearer(&token).json(SAMPLE));
    world.send(
        &ask("POST", COLLECTION)
            .bearer(&token)
            .json(SAMPLE.replace("\"teams\":5", "\"teams\":\"my body\"")),
    );
    world.send(&ask("GET", &format!("{COLLECTION}?secret-query=my-query")).bearer(&token));
    world.send(&ask("GET", &format!("{COLLECTION}?access_token={token}")).bearer("bad\ttoken"));
    world.send(
        &ask("POST", "/common/oauth2/v2.0/token")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form),
    );
    world.send(&ask("GET", "/nothing/at/my-path"));
    let log = world.log();
    let parts: Vec<&str> = token.split('.').collect();
    for hidden in
        [parts[1], parts[2], &secret, "my body", "my-query", "my-path", "bad\ttoken", "sharePoint"]
    {
        assert!(!log.contains(hidden), "{hidden}\n{log}");
    }
    insta::assert_snapshot!("log", log);
}
