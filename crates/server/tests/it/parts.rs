//! Answers that are longer than a part: read on while they are sent, to clients
//! of any speed, and cut off where they cannot be ended.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rollcall::app::Limits;

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, fact};
use crate::world::World;

const REPORT: &str = "/v1.0/reports/getOffice365ActiveUserCounts(period='ALL')";

/// Parts of three rows.
fn short_parts(limits: &mut Limits) {
    limits.part_rows = 3;
}

fn get(world: &World, target: &str) -> Reply {
    world.send(&ask("GET", &target.replace(' ', "+")).bearer(&world.writer()))
}

fn post(world: &World, rows: impl Iterator<Item = usize>) {
    let body: String = rows.map(|number| fact(number) + "\n").collect();
    let request = ask("POST", COLLECTION).bearer(&world.writer());
    let request = request.header("Content-Type", "application/x-ndjson").body(body);
    assert_eq!(world.send(&request).status, 200);
}

fn file(world: &World, call: &str) -> String {
    let reply = get(world, call);
    let location = reply.header("location").unwrap_or_else(|| panic!("{reply}"));
    location.strip_prefix("http://rollcall.test").unwrap().to_owned()
}

/// Rows without what another service gives other values: ids and tags.
fn alike(text: &str) -> String {
    let short = |part: &str| {
        let guid = part.len() == 36 && part.matches('-').count() == 4;
        if guid { "ID".to_owned() } else { part.to_owned() }
    };
    text.split('"').map(short).collect::<Vec<_>>().join("\"")
}

#[test]
fn parts_are_together_what_would_be_one() {
    let (short, long) = (World::with_limits(short_parts), World::with_limits(|_| {}));
    for world in [&short, &long] {
        post(world, 0..20);
    }
    for target in [
        format!("{COLLECTION}?$format=csv&$select=teams,reportDate"),
        format!("{COLLECTION}?$format=csv&$select=teams&$orderby=reportPeriod desc,teams"),
        format!("{COLLECTION}?$format=ndjson&$filter=teams gt 3&$skip=2&$top=11"),
        format!("{COLLECTION}?$format=ndjson&$top=3"),
        format!("{COLLECTION}?$format=ndjson&$orderby=t desc&$compute=teams mod 4 as t"),
        format!("{REPORT}?$format=json"),
        format!("{REPORT}?$format=json&$count=true&$orderby=teams desc&$compute=teams add 1 as t"),
    ] {
        let (parts, one) = (get(&short, &target), get(&long, &target));
        assert_eq!((parts.status, one.status), (200, 200), "{target}\n{parts}\n{one}");
        assert_eq!(alike(&parts.text()), alike(&one.text()), "{target}");
        assert!(one.header("content-length").is_some(), "{target}");
        let in_parts = !target.ends_with("$top=3");
        assert_eq!(parts.header("transfer-encoding").is_some(), in_parts, "{target}");
        assert_eq!(parts.header("content-length").is_some(), !in_parts, "{target}");
    }
}

/// A page may have more rows than a part.
#[test]
fn pages_of_several_parts_lead_to_the_next() {
    let (short, long) = (World::with_limits(short_parts), World::with_limits(|_| {}));
    for target in [COLLECTION.to_owned(), format!("{REPORT}?$format=json")] {
        let pages = |world: &World| {
            post(world, 0..20);
            let (mut pages, mut next) = (Vec::new(), Some(target.clone()));
            while let Some(target) = next {
                let asked = ask("GET", &target).bearer(&world.writer());
                let reply = world.send(&asked.header("Prefer", "maxpagesize=4")).json();
                let link = reply["@odata.nextLink"].as_str();
                next = link.map(|link| link.replace("http://rollcall.test", ""));
                let rows = reply["value"].as_array().unwrap().iter();
                pages.push(rows.map(|row| row["teams"].as_u64().unwrap()).collect::<Vec<_>>());
            }
            pages
        };
        let pages_of_four = pages(&long);
        assert!(pages_of_four.len() > 1, "{pages_of_four:?}");
        assert_eq!(pages(&short), pages_of_four);
    }
}

#[test]
fn a_file_in_parts_has_a_tag_of_its_moment() {
    let world = World::with_limits(short_parts);
    post(&world, 0..40);
    let call = REPORT.to_owned();
    let whole = World::with_limits(|_| {});
    post(&whole, 0..40);
    let expected = get(&whole, &file(&whole, &call));
    let address = file(&world, &call);
    let given = get(&world, &address);
    assert_eq!((given.status, given.text()), (200, expected.text()));
    let tag = given.header("etag").unwrap();
    assert!(tag.starts_with("W/\"") && !expected.header("etag").unwrap().starts_with("W/"));
    let known = |tag: &str| world.send(&ask("GET", &address).header("If-None-Match", tag));
    let unchanged = known(tag);
    assert_eq!((unchanged.status, unchanged.header("etag")), (304, Some(tag)));
    let other = get(&world, &file(&world, &format!("{call}?$filter=teams gt 1")));
    assert_ne!(other.header("etag"), Some(tag));
    post(&world, 40..41);
    let changed = known(tag);
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), Some(tag));
}

#[test]
fn head_is_the_same_without_rows() {
    let world = World::with_limits(short_parts);
    post(&world, 0..10);
    let target = format!("{COLLECTION}?$format=csv");
    let of = |method: &str| world.send(&ask(method, &target).bearer(&world.writer()));
    let (get, head) = (of("GET"), of("HEAD"));
    assert_eq!((head.status, head.body.len()), (200, 0));
    // How a body would be sent may be left out where there is none.
    let kept = |reply: &Reply| {
        let own = |name: &str| !name.ends_with("request-id") && name != "transfer-encoding";
        reply.headers.iter().filter(|(name, _)| own(name)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(kept(&head), kept(&get));
    let lines = world.log();
    let of = |method: &str| lines.lines().find(|line| line.contains(method)).unwrap().to_owned();
    assert!(of(" GET ").contains(&format!(" 200 {} total=", get.body.len())), "{lines}");
    assert!(!of(" HEAD ").contains("cause="), "{lines}");
}

/// In HTTP/1.0 an answer of unknown length ends with its connection, however it ends.
#[test]
fn http_1_0_has_whole_answers_alone() {
    let world = World::with_limits(short_parts);
    post(&world, 0..10);
    let of = |options: &str| {
        let asked = ask("GET", &format!("{COLLECTION}?{options}")).bearer(&world.writer()).bytes();
        let asked = String::from_utf8(asked).unwrap().replacen("HTTP/1.1", "HTTP/1.0", 1);
        let mut stream = TcpStream::connect(world.address()).unwrap();
        stream.write_all(asked.as_bytes()).unwrap();
        Reply::parse(&read_all(&mut stream)).unwrap()
    };
    let whole = of("$format=csv&$top=3");
    assert_eq!((whole.status, whole.text().lines().count()), (200, 4));
    insta::assert_snapshot!("http_1_0", of("$format=csv"));
}

/// Rows so long that their answer does not fit into what sockets hold.
fn long_rows(world: &World) -> Ask {
    let text = "x".repeat(2000);
    let computed: Vec<String> = (0..16).map(|n| format!("concat(@a,@a) as c{n}")).collect();
    let options = format!("$format=ndjson&$compute={}&@a='{text}'", computed.join(","));
    let options = options.replace(' ', "+");
    ask("GET", &format!("{COLLECTION}?{options}")).bearer(&world.writer())
}

/// How many rows make such an answer.
const MANY: usize = 400;

/// Asks, and reads no more than the first bytes.
fn slowly(world: &World, request: &Ask) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(world.address()).unwrap();
    stream.write_all(&request.bytes()).unwrap();
    let mut first = vec![0; 100];
    stream.read_exact(&mut first).unwrap();
    assert!(first.starts_with(b"HTTP/1.1 200 OK"));
    (stream, first)
}

fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    // A reset ends the answer like a close.
    drop(stream.read_to_end(&mut bytes));
    bytes
}

fn teams(reply: &Reply) -> Vec<usize> {
    let row = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        usize::try_from(row["teams"].as_u64().unwrap()).unwrap()
    };
    reply.text().lines().map(row).collect()
}

/// There are two readers here, and more clients than these that do not read.
#[test]
fn slow_clients_hold_no_reader_and_rows_that_stay_come_once() {
    let world = World::with_limits(|_| {});
    post(&world, (0..MANY).filter(|number| number % 3 != 0));
    let request = long_rows(&world);
    let slow: Vec<_> = (0..5).map(|_| slowly(&world, &request)).collect();
    // Others are answered, and write: in the gaps, and rows that are gone again.
    post(&world, (0..MANY).filter(|number| number % 3 == 0));
    let gaps = format!("{COLLECTION}?$filter=teams mod 3 eq 0&$format=ndjson&$select=id,teams");
    for row in get(&world, &gaps).text().lines().step_by(5) {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let one = format!("{COLLECTION}/{}", row["id"].as_str().unwrap());
        assert_eq!(world.send(&ask("DELETE", &one).bearer(&world.writer())).status, 204);
    }
    for (mut stream, mut bytes) in slow {
        bytes.extend(read_all(&mut stream));
        let mut seen = teams(&Reply::parse(&bytes).expect("a whole answer"));
        assert!(seen.is_sorted_by(|one, other| one / 4 >= other / 4));
        seen.retain(|number| number % 3 != 0);
        seen.sort_unstable();
        let expected: Vec<usize> = (0..MANY).filter(|number| number % 3 != 0).collect();
        assert_eq!(seen, expected);
    }
}

#[test]
fn for_a_client_that_has_gone_nothing_is_read_any_more() {
    let world = World::with_limits(|_| {});
    post(&world, 0..MANY);
    drop(slowly(&world, &long_rows(&world)));
    let line = loop {
        let log = world.log();
        if let Some(line) = log.lines().find(|line| line.contains("GET collection")) {
            break line.to_owned();
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(
        line.contains("cause=\"the client left before the end, or the service stopped\""),
        "{line}"
    );
    let sent: usize = line.split(' ').nth(4).unwrap().parse().unwrap();
    let whole = get(&world, long_rows(&world).target()).body.len();
    assert!(sent < whole, "{sent} of {whole}");
}

/// What cannot be read on does not end as if it were all.
#[test]
fn an_end_of_the_service_cuts_an_answer_off() {
    let world = World::with_limits(|limits| limits.grace = Duration::from_millis(200));
    post(&world, 0..MANY);
    let request = long_rows(&world);
    let whole = world.send(&request).body.len();
    let (mut stream, mut bytes) = slowly(&world, &request);
    drop(world);
    bytes.extend(read_all(&mut stream));
    assert!(bytes.len() < whole);
    assert_eq!(Reply::parse(&bytes), None, "no last chunk");
}
