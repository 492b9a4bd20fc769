//! Batches as multipart/mixed, byte for byte as clients write them, and their
//! answers as clients of little patience read them.

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, fact};
use crate::world::World;

const BATCH: &str = "/v1.0/$batch";
const HTTP: &str = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n";

fn post(world: &World, boundary: &str, body: &str) -> Ask {
    ask("POST", BATCH)
        .bearer(&world.writer())
        .header("Content-Type", &format!("multipart/mixed;boundary={boundary}"))
        .header("Accept", "multipart/mixed")
        .body(body)
}

fn count(world: &World) -> String {
    world.send(&ask("GET", &format!("{COLLECTION}/$count")).bearer(&world.writer())).text()
}

/// A text of lines with the line ends that a client sends.
fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// A change set and a read as the client of .NET writes them: absolute
/// addresses, a reference to what the same change set creates, no lengths.
pub fn as_the_client_of_net_writes_it(world: &World) {
    let boundary = "batch_36522ad7-fc75-4b56-8c71-56071383e77b";
    let body = crlf(&format!(
        "--{boundary}
Content-Type: multipart/mixed; boundary=changeset_77162fcd-b8da-41ac-a9f8-9357efbbd621

--changeset_77162fcd-b8da-41ac-a9f8-9357efbbd621
Content-Type: application/http
Content-Transfer-Encoding: binary
Content-ID: 1

POST http://rollcall.test/v1.0/office365ActiveUserCounts HTTP/1.1
OData-Version: 4.0
OData-MaxVersion: 4.0
Content-Type: application/json;odata.metadata=minimal
Accept: application/json;odata.metadata=minimal
Accept-Charset: UTF-8
User-Agent: Microsoft.OData.Client/7.21.3

{}
--changeset_77162fcd-b8da-41ac-a9f8-9357efbbd621
Content-Type: application/http
Content-Transfer-Encoding: binary
Content-ID: 2

PATCH $1 HTTP/1.1
OData-Version: 4.0
OData-MaxVersion: 4.0
Prefer: return=minimal
Content-Type: application/json;odata.metadata=minimal
Accept: application/json;odata.metadata=minimal

{{\"teams\":42}}
--changeset_77162fcd-b8da-41ac-a9f8-9357efbbd621--
--{boundary}
Content-Type: application/http
Content-Transfer-Encoding: binary

GET http://rollcall.test/v1.0/office365ActiveUserCounts?$select=teams HTTP/1.1
OData-Version: 4.0
OData-MaxVersion: 4.0
Accept: application/json;odata.metadata=minimal
Accept-Charset: UTF-8

--{boundary}--
",
        fact(0)
    ));
    let reply = world.send(&post(world, boundary, &body));
    insta::assert_snapshot!("multipart_net", shown(&reply));
    assert_eq!(parts(&reply), ["[1: 201, 2: 204]", "200"]);
}

/// As Olingo's client for Java writes it: absolute addresses, an empty line too
/// many behind a read, reads around the change set.
pub fn as_olingo_writes_it(world: &World) {
    let boundary = "batch_8d2d5b1e-1c51-4a0a-a3d1-3b7c0a3f3b5e";
    let get = "GET http://rollcall.test/v1.0/reports/office365ActiveUserCounts/$count HTTP/1.1
Accept: text/plain
OData-MaxVersion: 4.0

";
    let body = crlf(&format!(
        "--{boundary}
Content-Type: application/http
Content-Transfer-Encoding: binary

{get}

--{boundary}
Content-Type: multipart/mixed;boundary=changeset_1d0b9ff0-6a0c-4c1b-8c55-27e7a9d0c5b7

--changeset_1d0b9ff0-6a0c-4c1b-8c55-27e7a9d0c5b7
Content-Type: application/http
Content-Transfer-Encoding: binary
Content-ID: 1

POST http://rollcall.test/v1.0/reports/office365ActiveUserCounts HTTP/1.1
Accept: application/json;odata.metadata=minimal
Content-Type: application/json;odata.metadata=minimal
OData-MaxVersion: 4.0
OData-Version: 4.0
Prefer: return=representation

{}

--changeset_1d0b9ff0-6a0c-4c1b-8c55-27e7a9d0c5b7--

--{boundary}
Content-Type: application/http
Content-Transfer-Encoding: binary

{get}

--{boundary}--
",
        fact(0)
    ));
    let reply = world.send(&post(world, boundary, &body));
    insta::assert_snapshot!("multipart_olingo", shown(&reply));
    assert_eq!(parts(&reply), ["200", "[1: 201]", "200"]);
}

/// As UI5 writes it: no blanks behind colons, ids with a point, relative
/// addresses, a mask in place of a token, two change sets.
pub fn as_ui5_writes_it(world: &World) {
    let boundary = "batch_id-1712919117215-53";
    let set = |name: usize, number: usize| {
        format!(
            "--{boundary}
Content-Type: multipart/mixed;boundary=changeset_id-1712919117215-{name}

--changeset_id-1712919117215-{name}
Content-Type:application/http
Content-Transfer-Encoding:binary
Content-ID:0.{name}

POST office365ActiveUserCounts HTTP/1.1
Accept:application/json;odata.metadata=minimal
Accept-Language:de-DE
Authorization:Bearer mask
Content-Type:application/json;charset=UTF-8

{}
--changeset_id-1712919117215-{name}--
",
            fact(number)
        )
    };
    let body = crlf(&format!("{}{}--{boundary}--\n", set(1, 0), set(2, 1)));
    let reply = world.send(&post(world, boundary, &body));
    assert_eq!(parts(&reply), ["[0.1: 201]", "[0.2: 201]"], "{reply}");
    // The second as datajs does: the id among the request's own headers, a
    // length in characters, boundaries with parentheses.
    let boundary = "batch(1-2)";
    let json = fact(2).replacen('{', "{\"x@y.z\":\"ä\",", 1);
    let body = crlf(&format!(
        "\n--{boundary}
Content-Type: multipart/mixed; boundary=changeset(3)

--changeset(3)
Content-Type: application/http
Content-Transfer-Encoding: binary

POST office365ActiveUserCounts HTTP/1.1
Content-Type: application/json
Content-ID: id-17
DataServiceVersion: 2.0
Content-Length: {}

{json}
--changeset(3)--

--{boundary}--
",
        json.chars().count()
    ));
    let reply = world.send(&post(world, boundary, &body));
    insta::assert_snapshot!("multipart_datajs", shown(&reply));
    assert_eq!(parts(&reply), ["[id-17: 201]"]);
}

fn create(number: usize, id: &str) -> String {
    let id = if id.is_empty() { String::new() } else { format!("Content-ID: {id}\r\n") };
    let json = fact(number);
    format!(
        "{HTTP}{id}\r\nPOST office365ActiveUserCounts HTTP/1.1\r\nContent-Type: application/json\r\n\
         \r\n{json}\r\n"
    )
}

fn request(line: &str) -> String {
    format!("{HTTP}\r\n{line} HTTP/1.1\r\n\r\n")
}

/// These parts in a batch, or in a change set of this name.
fn mixed(name: &str, parts: &[String]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| format!("--{name}\r\n{part}\r\n")).collect();
    format!("{}--{name}--\r\n", parts.concat())
}

fn set(parts: &[String]) -> String {
    format!("Content-Type: multipart/mixed; boundary=c\r\n\r\n{}", mixed("c", parts))
}

pub fn a_change_set_that_fails_has_one_answer(world: &World) {
    let bad = set(&[create(0, "1"), create(1, "2"), create(0, "3")]);
    let parts_of = [create(2, ""), bad, create(3, "4")];
    let body = mixed("b", &parts_of);
    let stopped = world.send(&post(world, "b", &body));
    insta::assert_snapshot!("multipart_failed", shown(&stopped));
    assert_eq!((parts(&stopped), count(world)), (vec!["201".into(), "3: 409".into()], "1".into()));
    let went_on = world.send(&post(world, "b", &body).header("Prefer", "odata.continue-on-error"));
    assert_eq!(parts(&went_on), ["409", "3: 409", "4: 201"], "{went_on}");
    assert_eq!(count(world), "2");
    // What was created is referred to after its change set; a read is in none.
    let again =
        mixed("b", &[set(&[create(5, "x"), create(6, "y")]), request("GET $y/teams/$value")]);
    let reply = world.send(&post(world, "b", &again));
    assert_eq!(parts(&reply), ["[x: 201, y: 201]", "200"]);
    assert!(reply.text().contains("\r\n\r\n6\r\n--"), "{reply}");
    let reading = mixed("b", &[set(&[create(7, "x"), request("GET $x")])]);
    let reply = world.send(&post(world, "b", &reading));
    assert_eq!((parts(&reply), count(world)), (vec!["400".into()], "4".into()), "{reply}");
    let nothing = world.send(&post(world, "b", &mixed("b", &[set(&[])])));
    assert_eq!(parts(&nothing), ["[]"]);
    let last = mixed("b", &[create(8, ""), request("GET $metadata"), create(9, ""), set(&[])]);
    let reply = world.send(&post(world, "b", &last));
    assert_eq!((parts(&reply).len(), count(world)), (4, "6".into()), "{reply}");
}

pub fn a_multipart_batch_that_cannot_be_read_does_nothing(world: &World) {
    let good = mixed("b", &[create(0, ""), set(&[create(1, "1"), create(2, "2")])]);
    let end = good.len();
    // However it breaks off before its end, nothing of it is done.
    for cut in (0..end - 4).step_by(37).chain([end - 5]) {
        let reply = world.send(&post(world, "b", &good[..cut]));
        assert_eq!(reply.status, 400, "{cut}\n{reply}");
    }
    for (from, to) in [
        ("application/http", "text/plain"),
        ("binary", "base64"),
        ("POST office", "POST@ office"),
        ("HTTP/1.1\r\n", "\r\n"),
        ("boundary=c", "boundary="),
        ("--c--", "--c"),
        ("Content-ID: 2", "Content-ID: 1"),
        ("Content-ID: 2", "Content ID: 2"),
    ] {
        let reply = world.send(&post(world, "b", &good.replace(from, to)));
        assert!([400, 415].contains(&reply.status), "{from}\n{reply}");
    }
    let many: Vec<String> = (0..21).map(|number| create(number, "")).collect();
    let reply = world.send(&post(world, "b", &mixed("b", &many)));
    assert!(reply.status == 400 && reply.message().contains("batch-parts"), "{reply}");
    assert_eq!(count(world), "0");
    let plain = world.send(&post(world, "b", &good.replace("\r\n", "\n")));
    assert_eq!(parts(&plain), ["201", "[1: 201, 2: 201]"]);
}

/// The whole answer with its carriage returns in sight.
fn shown(reply: &Reply) -> String {
    reply.to_string().replace('\r', "<CR>")
}

/// The statuses of an answer's parts, read as strictly as MIME and HTTP are
/// written: change sets in brackets, ids before.
fn parts(reply: &Reply) -> Vec<String> {
    assert_eq!((reply.status, reply.header("odata-version")), (200, Some("4.0")), "{reply}");
    let content_type = reply.header("content-type").unwrap();
    parts_of(&reply.text(), content_type.strip_prefix("multipart/mixed; boundary=").unwrap())
}

fn parts_of(text: &str, boundary: &str) -> Vec<String> {
    let text = text.strip_suffix(&format!("--{boundary}--\r\n")).expect("an end");
    let line = format!("--{boundary}\r\n");
    let mut parts = text.split(&line);
    assert_eq!(parts.next(), Some(""));
    parts.map(|part| part_of(part.strip_suffix("\r\n").unwrap_or(part))).collect()
}

fn part_of(part: &str) -> String {
    let (head, body) = part.split_once("\r\n\r\n").unwrap();
    if let Some(inner) = head.strip_prefix("Content-Type: multipart/mixed; boundary=") {
        return format!("[{}]", parts_of(&format!("{body}\r\n"), inner).join(", "));
    }
    let rest = head
        .strip_prefix("Content-Type: application/http\r\nContent-Transfer-Encoding: binary")
        .unwrap();
    let id = rest.strip_prefix("\r\nContent-ID: ");
    let (http, content) = body.split_once("\r\n\r\n").expect("an empty line");
    let mut lines = http.split("\r\n");
    let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap()[..3].to_owned();
    let headers: Vec<(&str, &str)> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    let header = |name: &str| headers.iter().find(|(one, _)| *one == name).map(|(_, value)| *value);
    assert_eq!(header("OData-Version"), Some("4.0"), "{part}");
    let length = header("Content-Length").map_or(0, |length| length.parse().unwrap());
    assert_eq!(content.len(), length, "{part}");
    id.map_or(status.clone(), |id| format!("{id}: {status}"))
}
