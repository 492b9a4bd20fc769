//! Bulk create: many rows in one body, as CSV and as lines of JSON.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rollcall::auth::issuer::{Grant, Holder, Version};
use rusqlite::TransactionBehavior;

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, SAMPLE, fact};
use crate::world::{World, soon};

const HEAD: &str = "Report Refresh Date,Office 365,Exchange,OneDrive,SharePoint,\
                    Skype For Business,Yammer,Teams,Report Date,Report Period";

/// CSV whose rows have these numbers of Teams, each of a day of its own.
fn csv(teams: &[i64]) -> String {
    let row = |(number, teams): (usize, &i64)| {
        format!("\n2026-11-20,9,8,8,10,0,6,{teams},2026-11-{:02},7", number + 1)
    };
    let rows: String = teams.iter().enumerate().map(row).collect();
    format!("{HEAD}{rows}\n")
}

fn post(world: &World, body: impl Into<Vec<u8>>) -> Ask {
    post_of(&world.writer(), body)
}

fn post_of(writer: &str, body: impl Into<Vec<u8>>) -> Ask {
    let request = ask("POST", COLLECTION).bearer(writer);
    request.header("Content-Type", "text/csv; charset=utf-8").body(body)
}

fn lines(world: &World, body: impl Into<Vec<u8>>) -> Ask {
    let request = ask("POST", COLLECTION).bearer(&world.writer());
    request.header("Content-Type", "application/x-ndjson").body(body)
}

/// Created, unchanged, conflicting, rejected.
fn counts(reply: &Reply) -> [u64; 4] {
    assert_eq!(reply.status, 200, "{reply}");
    let json = reply.json();
    ["created", "unchanged", "conflicting", "rejected"].map(|name| json[name].as_u64().unwrap())
}

fn count(world: &World) -> String {
    world.send(&ask("GET", &format!("{COLLECTION}/$count")).bearer(&world.writer())).text()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

pub fn each_row_has_its_outcome(world: &World) {
    assert_eq!(counts(&world.send(&post(world, csv(&[5, 5, 5])))), [3, 0, 0, 0]);
    let mixed = csv(&[5, 6, 5, 5]) + "2026-11-20,9,8,8,10,0,6,-1,2026-11-21,7\n2026-11-20\n";
    insta::assert_snapshot!("bulk_mixed", world.send(&post(world, mixed)));
    assert_eq!(count(world), "4");
}

pub fn what_came_in_bulk_is_what_single_creates_make(world: &World) {
    let other = world.fresh();
    world.send(&post(world, csv(&[5, 6])));
    for (day, teams) in [("2026-11-01", 5), ("2026-11-02", 6)] {
        let body =
            SAMPLE.replace("2026-11-18", day).replace("\"teams\":5", &format!("\"teams\":{teams}"));
        let request = ask("POST", COLLECTION).bearer(&other.writer()).json(body);
        assert_eq!(other.send(&request).status, 201);
    }
    let list = |world: &World| {
        let reply = world.send(&ask("GET", COLLECTION).bearer(&world.writer()));
        let rows = reply.json()["value"].as_array().unwrap().clone();
        rows.into_iter()
            .map(|mut row| {
                row["id"] = "GUID".into();
                // Rows of one body are numbered in the order of the table.
                row["@odata.etag"] = "TAG".into();
                row
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(list(world), list(&other));
}

pub fn lines_of_json(world: &World) {
    let body = format!("{}\n\n{}\r\n{{\"teams\":1}}\nnonsense\n{}", fact(0), fact(1), fact(0));
    insta::assert_snapshot!("bulk_lines", world.send(&lines(world, body)));
    // A missing count is null, as it is in a file without its column.
    let short =
        r#"{"reportRefreshDate":"2026-11-20","reportDate":"2026-11-18","reportPeriod":"7"}"#;
    assert_eq!(counts(&world.send(&lines(world, short))), [1, 0, 0, 0]);
    let huge = format!("{{\"teams\":\"{}\"}}\n{}\n", "x".repeat(70_000), fact(2));
    let reply = world.send(&lines(world, huge));
    assert_eq!(counts(&reply), [1, 0, 0, 1]);
    assert!(reply.text().contains("\"line\":1,") && reply.text().contains("too long"), "{reply}");
}

pub fn a_key_that_is_given_counts(world: &World) {
    let id = "da0e2eb0-2eb0-da0e-b02e-0edab02e0eda";
    let with = |id: &str, number| fact(number).replacen('{', &format!("{{\"id\":\"{id}\","), 1);
    let send = |body: String| counts(&world.send(&lines(world, body)));
    assert_eq!(send(with(id, 0)), [1, 0, 0, 0]);
    assert_eq!(send(with(id, 0)), [0, 1, 0, 0]);
    assert_eq!(send(fact(0)), [0, 1, 0, 0]);
    assert_eq!(send(with(id, 1)), [0, 0, 1, 0], "of another fact");
    let other = "da0e2eb0-2eb0-da0e-b02e-0edab02e0edb";
    assert_eq!(send(with(other, 0)), [0, 0, 1, 0], "another for this fact");
}

pub fn strict_stores_all_or_nothing(world: &World) {
    let strict = |body: String| world.send(&post(world, body).header("Prefer", "handling=strict"));
    let reply = strict(csv(&[5, 5]));
    assert_eq!(counts(&reply), [2, 0, 0, 0]);
    assert_eq!(reply.header("preference-applied"), Some("handling=strict"));
    insta::assert_snapshot!("bulk_strict_conflict", strict(csv(&[5, 6, 7])));
    insta::assert_snapshot!("bulk_strict_rejected", strict(csv(&[5, 6, 7, -1])));
    assert_eq!(count(world), "2");
    assert_eq!(counts(&strict(csv(&[5, 5, 7]))), [1, 2, 0, 0]);
}

pub fn replacing_takes_the_permission_to_change(world: &World) {
    world.send(&post(world, csv(&[5, 5])));
    let replace = post(world, csv(&[5, 6, 7])).header("Prefer", "resolution=replace");
    let reply = world.send(&replace);
    assert_eq!((counts(&reply), reply.json()["replaced"].as_u64()), ([1, 1, 0, 0], Some(1)));
    assert_eq!(reply.header("preference-applied"), Some("resolution=replace"));
    let creator = world.token_of(&Grant {
        tenant: uuid::Uuid::try_parse(crate::world::TENANT).unwrap(),
        client: uuid::Uuid::nil(),
        holder: Holder::Application(vec!["Reports.Create".to_owned()]),
        version: Version::One,
        seconds: 60,
    });
    let with = |request: Ask| {
        let request = request.bearer(&creator).header("Content-Type", "text/csv");
        world.send(&request.body(csv(&[8])))
    };
    let reply = with(ask("POST", COLLECTION).header("Prefer", "resolution=replace"));
    assert_eq!(reply.status, 403, "{reply}");
    assert_eq!(counts(&with(ask("POST", COLLECTION))), [0, 0, 1, 0]);
}

pub fn a_dry_run_changes_nothing(world: &World) {
    world.send(&post(world, csv(&[5])));
    let dry = |body: String| world.send(&post(world, body).header("Prefer", "dry-run"));
    assert_eq!(counts(&dry(csv(&[6, 7, -1]))), [1, 0, 1, 1]);
    assert_eq!(count(world), "1");
}

pub fn gzip_is_read_as_it_comes(world: &World) {
    let send = |body: Vec<u8>| world.send(&post(world, body).header("Content-Encoding", "gzip"));
    let many: Vec<i64> = vec![1; 20];
    let packed = gzip(&csv(&many));
    assert_eq!(counts(&send(packed.clone())), [20, 0, 0, 0]);
    let two = [gzip(&csv(&many[..10])), gzip("2026-11-20,9,8,8,10,0,6,1,2026-11-19,7\n")].concat();
    assert_eq!(counts(&send(two)), [0, 11, 0, 0], "two members are one text");
    for bad in [packed[..packed.len() - 9].to_vec(), b"no gzip".to_vec()] {
        let reply = send(bad);
        assert_eq!(reply.status, 400, "{reply}");
        assert!(reply.message().starts_with("The body is not gzip"), "{reply}");
    }
    let reply = world.send(&post(world, csv(&[1])).header("Content-Encoding", "br"));
    assert_eq!(reply.status, 415);
}

pub fn a_body_without_rows_says_why(world: &World) {
    let told = |body: &str| {
        let reply = world.send(&post(world, body));
        assert_eq!((reply.status, reply.code().as_str()), (400, "BadRequest"), "{reply}");
        reply.message()
    };
    assert!(told("").contains("no heading row"));
    assert!(told("a,b\n1,2\n").contains("has 'a', 'b', which nobody knows"));
    assert!(told("Report Date\n").contains("lacks 'Report Refresh Date', 'Report Period'"));
    assert_eq!(counts(&world.send(&post(world, HEAD))), [0; 4]);
    assert_eq!(counts(&world.send(&lines(world, ""))), [0; 4]);
    assert_eq!(count(world), "0");
}

pub fn who_may_not_create_is_told_nothing_else(world: &World) {
    let request = ask("POST", COLLECTION).header("Content-Type", "text/csv").body("a,b\n");
    assert_eq!(world.send(&request).status, 401);
    let request = ask("POST", "/v1.0/reports").bearer(&world.writer());
    assert_eq!(world.send(&request.header("Content-Type", "text/csv").body(HEAD)).status, 405);
}

/// A body in pieces, each sent when the service has taken the one before.
fn chunked(stream: &mut TcpStream, world: &World, pieces: impl Iterator<Item = String>) {
    begin(stream, world, "return=representation");
    more(stream, pieces);
}

fn begin(stream: &mut TcpStream, world: &World, preference: &str) {
    let head = format!(
        "POST {COLLECTION} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: \
         text/csv\r\nConnection: close\r\nPrefer: {preference}\r\nTransfer-Encoding: \
         chunked\r\n\r\n",
        world.writer()
    );
    stream.write_all(head.as_bytes()).unwrap();
}

fn more(stream: &mut TcpStream, pieces: impl Iterator<Item = String>) {
    for piece in pieces {
        stream.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).unwrap();
    }
}

fn answer(stream: &mut TcpStream) -> Reply {
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    Reply::parse(&bytes).unwrap()
}

#[test]
fn more_rows_than_a_batch_and_more_reasons_than_are_told() {
    let world = World::plain();
    let mut stream = TcpStream::connect(world.address()).unwrap();
    let row = |n: u32| {
        let teams = if n.is_multiple_of(50) { -1 } else { i64::from(n) };
        format!("2026-11-20,9,8,8,10,0,6,{teams},2026-11-18,{}\n", n % 9000 + 1)
    };
    let pieces = std::iter::once(format!("{HEAD}\n")).chain((1..=12_000).map(row));
    chunked(&mut stream, &world, pieces.chain([String::new()]));
    let reply = answer(&mut stream);
    assert_eq!(counts(&reply), [8820, 0, 2940, 240], "{reply}");
    let json = reply.json();
    assert_eq!(json["details"].as_array().unwrap().len(), 100);
    assert_eq!(json["detailsLeftOut"], 2940 + 240 - 100);
    assert_eq!(
        (&json["details"][0]["line"], &json["details"][99]["line"]),
        (&51.into(), &5001.into())
    );
}

#[test]
fn limits_are_named_and_what_came_before_is_told() {
    let world = World::with_limits(|limits| {
        limits.bulk_bytes = 400_000;
        limits.strict_bytes = 2000;
        limits.strict_rows = 10;
    });
    let strict = |body: String| world.send(&post(&world, body).header("Prefer", "handling=strict"));
    assert_eq!(counts(&strict(csv(&[5]))), [1, 0, 0, 0]);
    let reply = strict(csv(&[5; 20]).replace("2026-11-", "2025-11-"));
    assert_eq!((reply.status, reply.code().as_str()), (413, "requestEntityTooLarge"), "{reply}");
    assert!(reply.message().contains("at most 10, as"), "{reply}");
    let dry = post(&world, csv(&[5; 11])).header("Prefer", "dry-run");
    assert_eq!(world.send(&dry).status, 413);
    assert_eq!(count(&world), "1");
    let reply = strict(csv(&[5; 50]).replace("2026-11-", "2025-11-"));
    assert_eq!((reply.status, reply.code().as_str()), (413, "requestEntityTooLarge"), "{reply}");
    assert!(reply.message().contains("at most 2000 bytes"), "{reply}");
    let mut stream = TcpStream::connect(world.address()).unwrap();
    let row = |n: u32| format!("2026-11-20,9,8,8,10,0,6,5,2026-11-18,{n}\n");
    let pieces = std::iter::once(format!("{HEAD}\n")).chain((1..=9999).map(row));
    chunked(&mut stream, &world, pieces.chain([String::new()]));
    let reply = answer(&mut stream);
    assert_eq!(reply.status, 413, "{reply}");
    let told = "at most 400000 bytes, gunzipped: the limit bulk-bytes of the service. Of the rows";
    assert!(reply.message().contains(told), "{reply}");
}

#[test]
fn all_that_is_held_at_once_has_so_much_room() {
    // Of which a tenant has 18,000 bytes.
    let world = World::with_limits(|limits| limits.bulk_total_bytes = 24_000);
    let body = csv(&[5; 20]);
    let mut first = TcpStream::connect(world.address()).unwrap();
    begin(&mut first, &world, "handling=strict");
    let (held, rest) = body.split_at(body.len() - 10);
    more(&mut first, std::iter::once(held.to_owned()));
    // What has been sent is held as soon as it has been read: some 11,000 bytes.
    soon(|| world.bulk_room.left() < 13_000);
    let dry = post(&world, body.clone()).header("Prefer", "dry-run");
    let refused = world.send(&dry);
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{refused}");
    assert!(refused.message().contains("the limit bulk-total-bytes, 24000 bytes"), "{refused}");
    // There is room for another tenant, and for few rows that are stored one by one.
    let other = post_of(&world.writer_of(2), csv(&[5; 5]));
    assert_eq!(world.send(&other.header("Prefer", "handling=strict")).status, 200);
    assert_eq!(counts(&world.send(&post(&world, csv(&[5; 5])))), [5, 0, 0, 0]);
    more(&mut first, [rest.to_owned(), String::new()].into_iter());
    assert_eq!(counts(&answer(&mut first)), [15, 5, 0, 0]);
    assert_eq!(counts(&world.send(&dry)), [0, 20, 0, 0]);
    assert_eq!(world.bulk_room.left(), 24_000);
    // What would never find room is told otherwise.
    let row = |period: usize| format!("2026-11-20,9,8,8,10,0,6,5,2026-11-18,{period}\n");
    let large = format!("{HEAD}\n{}", (1..=50).map(row).collect::<String>());
    let refused = world.send(&post(&world, large).header("Prefer", "handling=strict"));
    assert_eq!((refused.status, refused.code().as_str()), (413, "requestEntityTooLarge"));
    let part = "more memory than 18000 bytes, as much of 24000 as one tenant may: the limit \
                bulk-total-bytes";
    assert!(refused.message().contains(part), "{refused}");
}

/// Whoever sends rows and leaves has them stored, and they take their room until they are.
#[test]
fn what_nobody_waits_for_takes_its_room_until_it_is_stored() {
    let world = World::plain();
    let all = world.bulk_room.left();
    for (preference, day) in [("handling=strict", 10), ("return=representation", 11)] {
        let mut sql = world.sql();
        let lock = sql.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        let mut stream = TcpStream::connect(world.address()).unwrap();
        begin(&mut stream, &world, preference);
        let rows = csv(&[5; 20]).replace("2026-11-20,9", &format!("2026-11-{},9", day + 10));
        // In one piece: once its rows are held, its end has come as well.
        let body = format!("{:x}\r\n{rows}\r\n0\r\n\r\n", rows.len());
        stream.write_all(body.as_bytes()).unwrap();
        soon(|| world.bulk_room.left() < all);
        drop(stream);
        soon(|| world.log().matches("the client left before the end").count() == day - 9);
        let held = all - world.bulk_room.left();
        assert!(held > 10_000, "{held} bytes are held for {preference}");
        drop(lock);
        soon(|| world.bulk_room.left() == all);
        assert_eq!(count(&world), ((day - 9) * 20).to_string());
    }
    let line = world.log().lines().find(|line| line.contains("left")).unwrap().to_owned();
    assert!(line.contains(" POST collection - 0 ") && line.contains("principal=app:"), "{line}");
}

/// No row waits to be stored without room, not even where its client has left.
#[test]
fn rows_without_room_wait_with_their_client() {
    let world = World::with_limits(|limits| {
        limits.bulk_total_bytes = 24_000;
        limits.body_time = Duration::from_millis(500);
    });
    let rows = |month: &str| {
        csv(&[5; 20]).replace("2026-11-", month).replace("2026-10-20,9", "2026-11-20,9")
    };
    let sent = |rows: String| {
        let mut stream = TcpStream::connect(world.address()).unwrap();
        begin(&mut stream, &world, "return=representation");
        let body = format!("{:x}\r\n{rows}\r\n0\r\n\r\n", rows.len());
        stream.write_all(body.as_bytes()).unwrap();
        stream
    };
    let mut sql = world.sql();
    let lock = sql.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    let first = sent(rows("2026-11-"));
    soon(|| world.bulk_room.left() < 13_000);
    drop(first);
    soon(|| world.log().matches("the client left before the end").count() == 1);
    // What the second has sent finds no room, and is not stored once it has left.
    drop(sent(rows("2026-10-")));
    soon(|| world.log().matches("the client left before the end").count() == 2);
    let refused = world.send(&post(&world, rows("2026-10-")));
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{refused}");
    assert!(refused.message().contains("the limit bulk-total-bytes, 24000 bytes"), "{refused}");
    drop(lock);
    soon(|| world.bulk_room.left() == 24_000);
    assert_eq!(count(&world), "20");
    assert_eq!(counts(&world.send(&post(&world, rows("2026-10-")))), [20, 0, 0, 0]);
}

/// Bodies that all have some of the room, and none of them enough, do not wait for each other.
#[test]
fn who_waits_for_room_holds_none() {
    let world = World::with_limits(|limits| limits.bulk_total_bytes = 24_000);
    let mut bodies = ["2026-10-", "2026-09-", "2026-08-"].map(|month| {
        let rows = csv(&[5; 20]).replace("2026-11-", month);
        let half = rows.match_indices('\n').nth(10).unwrap().0 + 1;
        let mut stream = TcpStream::connect(world.address()).unwrap();
        begin(&mut stream, &world, "return=representation");
        more(&mut stream, std::iter::once(rows[..half].to_owned()));
        (stream, rows[half..].to_owned())
    });
    soon(|| world.bulk_room.left() < 7000);
    for (stream, rest) in &mut bodies {
        more(stream, [rest.clone(), String::new()].into_iter());
    }
    for (stream, _) in &mut bodies {
        assert_eq!(counts(&answer(stream)), [20, 0, 0, 0]);
    }
    assert_eq!(count(&world), "60");
}

#[test]
fn a_body_may_take_long_but_not_pause() {
    let world = World::with_limits(|limits| limits.body_time = Duration::from_millis(400));
    let mut stream = TcpStream::connect(world.address()).unwrap();
    let slow = csv(&[1, 2, 3]);
    let lines = slow.split_inclusive('\n').map(|line| {
        std::thread::sleep(Duration::from_millis(150));
        line.to_owned()
    });
    chunked(&mut stream, &world, lines.chain([String::new()]));
    assert_eq!(counts(&answer(&mut stream)), [3, 0, 0, 0]);
    let mut stream = TcpStream::connect(world.address()).unwrap();
    chunked(&mut stream, &world, csv(&[1]).split_inclusive('\n').map(str::to_owned));
    let reply = answer(&mut stream);
    assert_eq!((reply.status, reply.code().as_str()), (408, "requestTimeout"), "{reply}");
}
