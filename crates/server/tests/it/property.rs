//! Parts of an entity: properties, plain values, addresses.

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, SAMPLE, fact};
use crate::world::World;

const ID: &str = "da0e2eb0-2eb0-da0e-b02e-0edab02e0eda";

fn one() -> String {
    format!("{COLLECTION}/{ID}")
}

fn send(world: &World, request: Ask) -> Reply {
    world.send(&request.bearer(&world.writer()))
}

fn create(world: &World) {
    let body = SAMPLE
        .replacen('{', &format!("{{\"id\":\"{ID}\","), 1)
        .replace("\"yammer\":6", "\"yammer\":null");
    assert_eq!(send(world, ask("POST", COLLECTION).json(body)).status, 201);
}

/// Status and body of each of these addresses below the entity.
fn told(world: &World, rests: &[&str]) -> String {
    let line = |rest: &&str| {
        let reply = send(world, ask("GET", &format!("{}{rest}", one())));
        let kind = reply.header("content-type").unwrap_or("-").to_owned();
        let text = reply.text();
        let body = text.split(",\"innerError\"").next().unwrap();
        format!("{rest}: {} {kind} {body}", reply.status)
    };
    rests.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub fn properties_are_read(world: &World) {
    create(world);
    insta::assert_snapshot!("property", send(world, ask("GET", &format!("{}/teams", one()))));
    let rests = [
        "/id",
        "/reportDate",
        "/reportPeriod",
        "/yammer",
        "/microsoft.graph.office365ActiveUserCounts/teams",
        "/teams/$value",
        "/reportDate/$value",
        "/reportPeriod/$value",
        "/id/$value",
        "/yammer/$value",
        "/$value",
        "/nothing",
        "/teams/nothing",
    ];
    insta::assert_snapshot!("properties", told(world, &rests));
    if !world.is_renamed() {
        let [upper, lower] = ["/TEAMS", "/teams"].map(|rest| told(world, &[rest]));
        assert_eq!(upper.split_once(':').unwrap().1, lower.split_once(':').unwrap().1);
    }
    let fact = "(reportDate=2026-11-18,reportPeriod='7',reportRefreshDate=2026-11-20)";
    let read = send(world, ask("GET", &format!("{COLLECTION}{fact}/teams/$value")));
    assert_eq!(read.text(), "5");
    let missing = send(world, ask("GET", &format!("{COLLECTION}/{}/teams", ID.replace('d', "e"))));
    assert_eq!(missing.status, 404);
    let tag = read.header("etag").unwrap().to_owned();
    let known = ask("GET", &format!("{}/teams", one())).header("If-None-Match", &tag);
    assert_eq!(send(world, known).status, 304);
    let head = send(world, ask("HEAD", &format!("{}/teams", one())));
    assert_eq!((head.status, head.text().as_str()), (200, ""));
}

pub fn properties_are_written_one_by_one(world: &World) {
    create(world);
    let teams = format!("{}/teams", one());
    let put = send(world, ask("PUT", &teams).json(r#"{"value":9007199254740993}"#));
    assert_eq!((put.status, put.header("etag")), (204, Some("W/\"2\"")));
    assert_eq!(send(world, ask("GET", &format!("{teams}/$value"))).text(), "9007199254740993");
    let shown = ask("PUT", &teams).json(r#"{"@odata.context":"x","value":8}"#);
    let shown = send(world, shown.header("Prefer", "return=representation"));
    assert_eq!((shown.status, shown.json()["value"].as_u64()), (200, Some(8)));
    let plain = ask("PUT", &format!("{teams}/$value")).header("Content-Type", "text/plain; x=y");
    let shown = plain.clone().body("9").header("Prefer", "return=representation");
    let shown = send(world, shown);
    assert_eq!((shown.status, shown.text().as_str()), (200, "9"), "as it was written");
    assert_eq!(send(world, plain.body("7")).status, 204);
    assert_eq!(send(world, ask("DELETE", &teams)).status, 204);
    assert_eq!(send(world, ask("GET", &teams)).status, 204);
    let row = send(world, ask("GET", &one())).json();
    assert_eq!((&row["teams"], &row["exchange"]), (&serde_json::Value::Null, &8.into()));
    // Another change in between is noticed.
    let stale = ask("PUT", &teams).json(r#"{"value":1}"#).header("If-Match", "W/\"1\"");
    assert_eq!(send(world, stale).status, 412);
    // The period is written as it is on create, and a fact is not moved onto another.
    let period = format!("{}/reportPeriod", one());
    assert_eq!(send(world, ask("PUT", &period).json(r#"{"value":"d30"}"#)).status, 204);
    assert_eq!(send(world, ask("GET", &format!("{period}/$value"))).text(), "30");
    assert_eq!(send(world, ask("POST", COLLECTION).json(SAMPLE)).status, 201);
    assert_eq!(send(world, ask("PUT", &period).json(r#"{"value":"7"}"#)).status, 409);
}

pub fn what_a_property_cannot_be(world: &World) {
    create(world);
    let before = send(world, ask("GET", &one())).text();
    let put = |rest: &str, body: &str| ask("PUT", &format!("{}/{rest}", one())).json(body);
    let plain = |rest: &str, body: &str| {
        let request = ask("PUT", &format!("{}/{rest}/$value", one()));
        request.header("Content-Type", "text/plain").body(body)
    };
    let cases = [
        put("teams", ""),
        put("teams", "5"),
        put("teams", "{}"),
        put("teams", r#"{"value":"5"}"#),
        put("teams", r#"{"value":-1}"#),
        put("teams", r#"{"value":1,"value":1}"#),
        put("teams", r#"{"value":1,"other":1}"#),
        put("teams", r#"{"teams":1}"#),
        put("reportDate", r#"{"value":null}"#),
        put("reportDate", r#"{"value":"2026-11-21"}"#),
        put("reportDate", r#"{"value":"2026-02-30"}"#),
        put("id", r#"{"value":"00000000-0000-0000-0000-000000000000"}"#),
        ask("PUT", &format!("{}/teams", one())).body("{\"value\":5}"),
        ask("DELETE", &format!("{}/reportDate", one())),
        ask("DELETE", &format!("{}/id/$value", one())),
        plain("teams", "x"),
        plain("teams", "-1"),
        plain("teams", "5.0"),
        plain("reportDate", "2026-02-30"),
        ask("PUT", &format!("{}/teams/$value", one())).json("5"),
    ];
    let lines: Vec<String> = cases
        .into_iter()
        .map(|request| {
            let shown = String::from_utf8(request.bytes()).unwrap();
            let first = shown.lines().next().unwrap().replace(&one(), "ONE");
            let body = shown.split("\r\n\r\n").nth(1).unwrap().to_owned();
            let reply = send(world, request);
            assert_eq!(reply.status, 400, "{shown}\n{reply}");
            format!("{} {body} => {}", first.trim_end_matches(" HTTP/1.1"), reply.message())
        })
        .collect();
    if !world.is_renamed() {
        insta::assert_snapshot!("bad_properties", lines.join("\n"));
    }
    assert_eq!(send(world, ask("GET", &one())).text(), before, "a refusal has left a trace");
}

pub fn entities_have_addresses(world: &World) {
    create(world);
    insta::assert_snapshot!("reference", send(world, ask("GET", &format!("{}/$ref", one()))));
    for number in 0..6 {
        assert_eq!(send(world, ask("POST", COLLECTION).json(fact(number))).status, 201);
    }
    let mut target = format!("{COLLECTION}/$ref?$count=true");
    let mut found = Vec::new();
    loop {
        let page = send(world, ask("GET", &target)).json();
        assert_eq!(page["@odata.count"], 7);
        let rows = page["value"].as_array().unwrap();
        found.extend(rows.iter().map(|row| row["@odata.id"].as_str().unwrap().to_owned()));
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        target = next.replace("http://rollcall.test", "");
    }
    assert_eq!(found.len(), 7);
    for address in &found {
        let by_address = send(world, ask("GET", &address.replace("http://rollcall.test", "")));
        assert_eq!(by_address.status, 200, "{address}");
        for id in [address.as_str(), address.rsplit('/').next().unwrap()] {
            let by_id = send(world, ask("GET", &format!("/v1.0/$entity?$id={id}")));
            assert_eq!(by_id.text(), by_address.text(), "{id}");
        }
    }
    for query in ["", "?$id=", "?$id=office365ActiveUserCounts", "?$id=nothing", "?$id=$entity"] {
        assert_eq!(
            send(world, ask("GET", &format!("/v1.0/$entity{query}"))).status,
            400,
            "{query}"
        );
    }
    let other = format!("/v1.0/$entity?$id={}&$top=1", found[0]);
    assert_eq!(send(world, ask("GET", &other)).status, 400);
}
