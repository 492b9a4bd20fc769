//! Batches that may be sent again: the whole of one has a name, whatever is in it.

use std::time::Duration;

use rollcall::clock::{Clock, SystemClock};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::client::{Ask, Reply, ask};
use crate::process::{Service, log_of, rollcall, run, signal, token};
use crate::sample::{COLLECTION, fact};
use crate::world::World;

const BATCH: &str = "/v1.0/$batch";
const NOW: &str = "Tue, 24 Nov 2026 12:00:00 GMT";

fn named(request: Ask, number: u128, first_sent: &str) -> Ask {
    request
        .header("Repeatability-Request-ID", &Uuid::from_u128(number).to_string())
        .header("Repeatability-First-Sent", first_sent)
}

/// A batch of JSON whose ids keep their name under any catalogue.
fn body(requests: &[Json]) -> String {
    json!({ "requests": requests }).to_string().replace("\"id\":", "\"\\u0069d\":")
}

fn batch(world: &World, requests: &[Json], number: u128) -> Ask {
    named(ask("POST", BATCH).bearer(&world.writer()).json(body(requests)), number, NOW)
}

/// The same as a batch of another form: each request on its own.
fn multipart(world: &World, numbers: &[usize], number: u128) -> Ask {
    let parts: Vec<String> = numbers
        .iter()
        .map(|one| {
            let fact = fact(*one);
            format!(
                "--b\r\nContent-Type: application/http\r\n\r\nPOST office365ActiveUserCounts \
                 HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{fact}\r\n"
            )
        })
        .collect();
    let request = ask("POST", BATCH).bearer(&world.writer());
    let request = request.header("Content-Type", "multipart/mixed; boundary=b");
    named(request.body(format!("{}--b--\r\n", parts.concat())), number, NOW)
}

fn create(number: usize) -> Json {
    json!({
        "id": number.to_string(),
        "method": "POST",
        "url": "office365ActiveUserCounts",
        "headers": { "Content-Type": "application/json" },
        "body": serde_json::from_str::<Json>(&fact(number)).unwrap(),
    })
}

fn read(id: &str) -> Json {
    json!({ "id": id, "method": "GET", "url": "office365ActiveUserCounts/$count" })
}

fn count(world: &World) -> String {
    world.send(&ask("GET", &format!("{COLLECTION}/$count")).bearer(&world.writer())).text()
}

fn told(reply: &Reply) -> Vec<Json> {
    assert_eq!(reply.status, 200, "{reply}");
    reply.json()["responses"].as_array().unwrap().clone()
}

fn statuses(reply: &Reply) -> Vec<u64> {
    told(reply).iter().map(|one| one["status"].as_u64().unwrap()).collect()
}

fn is_refused(reply: &Reply) -> bool {
    (reply.status, reply.code().as_str(), reply.header("repeatability-result"))
        == (400, "requestIdReused", Some("rejected"))
}

pub fn a_batch_s_id_stands_for_that_batch_alone(world: &World) {
    // A batch that writes nothing leaves its id free.
    assert_eq!(statuses(&world.send(&batch(world, &[read("r")], 1))), [200]);
    let first = batch(world, &[read("r"), create(0), read("s"), create(1)], 1);
    let reply = world.send(&first);
    assert_eq!(statuses(&reply), [200, 201, 200, 201]);
    assert_eq!(reply.header("repeatability-result"), Some("accepted"));
    // Its writes stand elsewhere, or it has none, or it has more: none of it is done.
    for other in [
        vec![create(2)],
        vec![create(2), read("r"), create(3)],
        vec![read("r")],
        vec![read("r"), create(0), read("s"), create(1), create(4)],
    ] {
        let reply = world.send(&batch(world, &other, 1));
        assert!(is_refused(&reply), "{reply}");
    }
    assert!(is_refused(&world.send(&multipart(world, &[0, 1], 1))));
    let single = ask("POST", COLLECTION).bearer(&world.writer()).json(fact(5));
    assert!(
        is_refused(&world.send(&named(single, 1, NOW))),
        "a request alone has no id of a batch"
    );
    assert_eq!(count(world), "2");
    // What it wrote is told as it was; what it reads is what is there now.
    let again = told(&world.send(&first));
    let before = told(&reply);
    assert_eq!((&again[1], &again[3]), (&before[1], &before[3]));
    assert_eq!((&before[0]["body"], &again[0]["body"]), (&json!("MA"), &json!("Mg")));
    // The same in the other form.
    let [first, again] = [(), ()].map(|()| world.send(&multipart(world, &[6, 7], 2)).text());
    let without_name =
        |text: &str| text.split("\r\n").filter(|line| !line.starts_with("--")).collect::<String>();
    assert!(first.contains("201 Created") && !first.contains("409"), "{first}");
    assert_eq!(without_name(&first), without_name(&again));
    for other in [multipart(world, &[8, 7], 2), multipart(world, &[6, 7, 8], 2)] {
        assert!(is_refused(&world.send(&other)));
    }
    assert!(is_refused(&world.send(&batch(world, &[read("r")], 2))));
    assert_eq!(count(world), "4");
}

/// Which of them was first the writer decides: the other is refused as a whole.
pub fn another_batch_at_the_same_time_does_nothing(world: &World) {
    for round in 0..10 {
        let numbers = [round * 4, round * 4 + 1, round * 4 + 2, round * 4 + 3];
        let [one, other] = [
            vec![read("r"), create(numbers[0]), create(numbers[1])],
            vec![create(numbers[2]), read("r"), create(numbers[3])],
        ]
        .map(|requests| batch(world, &requests, round as u128));
        let [one, other] = std::thread::scope(|scope| {
            [one, other]
                .map(|request| scope.spawn(move || world.send(&request)))
                .map(|thread| thread.join().unwrap())
        });
        assert_eq!([is_refused(&one), is_refused(&other)].iter().filter(|is| **is).count(), 1);
        assert_eq!(count(world), ((round + 1) * 2).to_string(), "{one}\n{other}");
    }
}

#[test]
fn killed_in_the_middle_of_a_batch_it_does_the_rest_when_it_is_sent_again() {
    const PARTS: usize = 600;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let start = || {
        let mut command = rollcall(&data, "serve");
        command.args(["--listen", "127.0.0.1:0", "--batch-parts", "1000"]);
        Service::start_with(&mut command, &log_of(&data))
    };
    let now = SystemClock::start().now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    // A group in the middle is there as a whole, or not at all.
    let grouped = |number| (PARTS / 3..PARTS * 2 / 3).contains(&number);
    let requests: Vec<Json> = (0..PARTS)
        .map(|number| {
            let mut request = create(number);
            if grouped(number) {
                request["atomicityGroup"] = json!("g");
            }
            request
        })
        .collect();
    let send = |token: &str| named(ask("POST", BATCH).bearer(token).json(body(&requests)), 1, &now);
    let rows = |service: &Service, token: &str| {
        let count = ask("GET", &format!("{COLLECTION}/$count")).bearer(token);
        count.send(service.address).text().parse::<usize>().unwrap()
    };
    let mut seen = 0;
    for least in [1, PARTS / 6, PARTS / 3, PARTS / 3 + 1, PARTS * 5 / 6] {
        let service = start();
        let token = token(&data, &[]);
        assert!(rows(&service, &token) >= seen);
        let (address, request) = (service.address, send(&token));
        let killed = std::thread::spawn(move || request.try_send(address));
        while rows(&service, &token) < least {
            std::thread::sleep(Duration::from_millis(1));
        }
        signal(service.id(), "KILL");
        drop(killed.join().unwrap());
        service.kill();
        let service = start();
        seen = rows(&service, &token);
        assert!(seen >= least && (seen <= PARTS / 3 || seen >= PARTS * 2 / 3), "{seen}");
        service.kill();
    }
    let service = start();
    let token = token(&data, &[]);
    let [first, again] = [(), ()].map(|()| send(&token).send(service.address));
    assert!(statuses(&first).iter().all(|status| *status == 201), "{first}");
    assert_eq!((told(&first), rows(&service, &token)), (told(&again), PARTS));
    service.kill();
    let (status, _, err) = run(&mut rollcall(&data, "check"));
    assert_eq!(status, 0, "{err}");
}
