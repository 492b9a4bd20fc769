//! Repeatable requests: sent again they are answered as before, and done once.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use rollcall::auth::issuer::{Grant, Holder, Version};
use rollcall::clock::{Clock, SystemClock};
use uuid::Uuid;

use crate::client::{Ask, Reply, ask};
use crate::process::{Service, rollcall, run, signal, token};
use crate::sample::{COLLECTION, fact};
use crate::world::{NOW, TENANT, World};

const DAY: i64 = 24 * 3600;

/// A date as HTTP writes it.
fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// This second of the world, from its begin.
fn at(second: i64) -> String {
    http_date(Timestamp::from_second(NOW).unwrap() + SignedDuration::from_secs(second))
}

fn id(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

fn named(request: Ask, number: u128, second: i64) -> Ask {
    request
        .header("Repeatability-Request-ID", &id(number))
        .header("Repeatability-First-Sent", &at(second))
}

fn create(world: &World, number: usize) -> Ask {
    ask("POST", COLLECTION).bearer(&world.writer()).json(fact(number))
}

fn result(reply: &Reply) -> Option<&str> {
    reply.header("repeatability-result")
}

fn count(world: &World) -> String {
    world.send(&ask("GET", &format!("{COLLECTION}/$count")).bearer(&world.writer())).text()
}

/// An answer without what every answer has of its own.
fn told(reply: &Reply) -> String {
    let mut reply = reply.clone();
    reply.headers.retain(|(name, _)| !name.ends_with("request-id") && name != "date");
    reply.to_string()
}

pub fn a_create_that_is_sent_again_makes_no_second_row(world: &World) {
    let request = named(create(world, 1), 1, 0);
    let first = world.send(&request);
    insta::assert_snapshot!("accepted", first);
    world.advance(60);
    // What it was then, though it has been changed since.
    let one = first.header("location").unwrap().replace("http://rollcall.test", "");
    let change = ask("PATCH", &one).bearer(&world.writer()).json(r#"{"teams":77}"#);
    assert_eq!(world.send(&change).status, 200);
    assert_eq!(told(&world.send(&request)), told(&first));
    assert_eq!(count(world), "1");
    let minimal = named(create(world, 2).header("Prefer", "return=minimal"), 2, 0);
    let first = world.send(&minimal);
    assert_eq!((first.status, result(&first)), (204, Some("accepted")));
    assert_eq!(told(&world.send(&minimal)), told(&first));
    assert_eq!(result(&world.send(&create(world, 3))), None, "only who asks is told");
    assert_eq!(count(world), "3");
}

pub fn a_change_and_a_delete_are_answered_again(world: &World) {
    let created = world.send(&create(world, 1));
    let one = created.header("location").unwrap().replace("http://rollcall.test", "");
    let write = |method: &str, target: &str| ask(method, target).bearer(&world.writer());
    let patch = write("PATCH", &one).header("If-Match", "W/\"1\"").json(r#"{"teams":8}"#);
    let put = write("PUT", &format!("{one}/yammer")).json(r#"{"value":4}"#);
    let clear = write("DELETE", &format!("{one}/exchange"));
    let unchanged = write("PATCH", &one).json(r#"{"teams":8}"#);
    let delete = write("DELETE", &one);
    for (number, (request, status)) in
        [(patch, 200), (put, 204), (clear, 204), (unchanged, 200), (delete, 204)]
            .into_iter()
            .enumerate()
    {
        let request = named(request, number as u128, 0);
        let first = world.send(&request);
        assert_eq!((first.status, result(&first)), (status, Some("accepted")), "{first}");
        for _ in 0..2 {
            assert_eq!(told(&world.send(&request)), told(&first));
        }
    }
    assert_eq!(count(world), "0");
}

pub fn an_id_stands_for_one_request(world: &World) {
    let first = world.send(&named(create(world, 1), 1, 0));
    assert_eq!(first.status, 201);
    let other = world.send(&named(create(world, 2), 1, 0));
    insta::assert_snapshot!("reused", other);
    let one = first.header("location").unwrap().replace("http://rollcall.test", "");
    for request in [
        create(world, 1).header("Prefer", "return=minimal"),
        ask("POST", &format!("{COLLECTION}?x=1")).bearer(&world.writer()).json(fact(1)),
        ask("POST", "/v1.0/office365ActiveUserCounts").bearer(&world.writer()).json(fact(1)),
        ask("PATCH", &one).bearer(&world.writer()).json(fact(1)),
        ask("DELETE", &one).bearer(&world.writer()),
    ] {
        let reply = world.send(&named(request, 1, 0));
        assert_eq!(
            (reply.status, reply.code().as_str(), result(&reply)),
            (400, "requestIdReused", Some("rejected")),
            "{reply}"
        );
    }
    assert_eq!(count(world), "1");
    // Another name, and one of a refused request, which is tried anew.
    let taken = named(create(world, 1), 2, 0);
    let reply = world.send(&taken);
    assert_eq!((reply.status, result(&reply)), (409, Some("accepted")));
    let delete = ask("DELETE", &one).bearer(&world.writer());
    assert_eq!(world.send(&delete).status, 204);
    assert_eq!(world.send(&taken).status, 201);
}

pub fn an_id_is_its_client_s_own(world: &World) {
    let client = |digit: u8, roles: &str| {
        world.token_of(&Grant {
            tenant: Uuid::try_parse(TENANT).unwrap(),
            client: Uuid::from_u128(digit.into()),
            holder: Holder::Application(vec![roles.to_owned()]),
            version: Version::One,
            seconds: 3600,
        })
    };
    let send = |token: &str, number: usize, name: &str| {
        let request = ask("POST", COLLECTION).bearer(token).json(fact(number));
        world.send(&named(request, 1, 0).header("Repeatability-Client-ID", name))
    };
    let tokens = [world.writer(), world.writer_of(2), client(7, "Reports.Create")];
    for (number, token) in tokens.iter().enumerate() {
        let reply = send(token, number, "");
        assert_eq!(reply.status, 201, "{reply}");
        assert_eq!(told(&send(token, number, "")), told(&reply));
    }
    let second = send(&tokens[0], 9, "second");
    assert_eq!(second.status, 201, "{second}");
    assert_eq!(count(world), "3");
    let theirs = ask("GET", &format!("{COLLECTION}/$count")).bearer(&world.writer_of(2));
    assert_eq!(world.send(&theirs).text(), "1");
}

pub fn what_cannot_be_repeated(world: &World) {
    let with = |request: Ask, request_id: &str, first_sent: &str| {
        let request = request.header("Repeatability-Request-ID", request_id);
        let request = request.header("Repeatability-First-Sent", first_sent);
        world.send(&request)
    };
    let rows = || {
        let request = ask("POST", COLLECTION).bearer(&world.writer());
        request.header("Content-Type", "application/x-ndjson").body(fact(1))
    };
    let one = &id(1);
    let mut lines = Vec::new();
    for (what, reply) in [
        ("no id", world.send(&create(world, 1).header("Repeatability-First-Sent", &at(0)))),
        ("no date", world.send(&create(world, 1).header("Repeatability-Request-ID", one))),
        ("no GUID", with(create(world, 1), "x", &at(0))),
        ("no date", with(create(world, 1), one, "2026-11-24T12:00:00Z")),
        ("a day ago", with(create(world, 1), one, &at(-DAY))),
        ("to come", with(create(world, 1), one, &at(301))),
        ("many rows", with(rows(), one, &at(0))),
    ] {
        assert_eq!(result(&reply), Some("rejected"), "{what}\n{reply}");
        lines.push(format!("{what}: {} {} {}", reply.status, reply.code(), reply.message()));
    }
    insta::assert_snapshot!("rejected", lines.join("\n"));
    assert_eq!(count(world), "0");
    let read = with(ask("GET", COLLECTION).bearer(&world.writer()), "x", "y");
    assert_eq!((read.status, result(&read)), (200, None), "a read may be sent as often as wanted");
    let stranger = with(ask("POST", COLLECTION).json(fact(1)), "x", "y");
    assert_eq!((stranger.status, result(&stranger)), (401, None));
}

pub fn an_answer_is_remembered_for_a_day(world: &World) {
    let mint = |seconds| {
        world.token_of(&Grant {
            tenant: Uuid::try_parse(TENANT).unwrap(),
            client: Uuid::from_u128(7),
            holder: Holder::Application(vec!["Reports.ReadWrite.All".to_owned()]),
            version: Version::One,
            seconds,
        })
    };
    let token = mint(2 * DAY);
    let request = named(ask("POST", COLLECTION).bearer(&token).json(fact(1)), 1, 0);
    let first = world.send(&request);
    assert_eq!(first.status, 201);
    world.advance(DAY - 1);
    assert_eq!(told(&world.send(&request)), told(&first));
    world.advance(1);
    let late = world.send(&request);
    assert_eq!((late.status, late.code().as_str()), (412, "requestTooOld"), "{late}");
    assert_eq!(result(&late), Some("rejected"));
    // The id is free again.
    let anew = named(ask("POST", COLLECTION).bearer(&token).json(fact(2)), 1, DAY);
    assert_eq!(world.send(&anew).status, 201);
}

pub fn at_the_same_time_all_get_one_answer(world: &World) {
    let request = named(create(world, 1), 1, 0);
    let replies: Vec<String> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..20).map(|_| scope.spawn(|| told(&world.send(&request)))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(replies[0].starts_with("201"), "{}", replies[0]);
    assert_eq!(replies.iter().collect::<HashSet<_>>().len(), 1);
    assert_eq!(count(world), "1");
}

#[test]
fn killed_between_write_and_retry_it_answers_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let now = http_date(SystemClock::start().now());
    let request = |token: &str, number: usize| {
        ask("POST", COLLECTION)
            .bearer(token)
            .header("Repeatability-Request-ID", &id(number as u128))
            .header("Repeatability-First-Sent", &now)
            .json(fact(number))
    };
    let mut answers = Vec::new();
    for round in 0..10 {
        let service = Service::start(&data);
        let token = token(&data, &[]);
        for (number, answer) in answers.iter().enumerate() {
            let again = told(&request(&token, number).send(service.address));
            assert_eq!(&again, answer, "{number} in round {round}");
        }
        answers.push(told(&request(&token, round).send(service.address)));
        assert!(answers[round].starts_with("201"), "{}", answers[round]);
        // Killed at some moment of the next one: done or not, answered or not.
        let address = service.address;
        let next = request(&token, round + 1);
        let (killed, process) = (std::thread::spawn(move || next.try_send(address)), service.id());
        for _ in 0..round {
            assert_eq!(ask("GET", "/health/live").send(address).status, 200);
        }
        signal(process, "KILL");
        drop(killed.join().unwrap());
        service.kill();
    }
    let service = Service::start(&data);
    let token = token(&data, &[]);
    let count = ask("GET", &format!("{COLLECTION}/$count")).bearer(&token).send(service.address);
    let rows: usize = count.text().parse().unwrap();
    assert!([10, 11].contains(&rows), "each once, and the last perhaps: {rows}");
    service.kill();
    let (status, _, err) = run(&mut rollcall(&data, "check"));
    assert_eq!(status, 0, "{err}");
}
