//! PATCH, PUT and DELETE: by key and by alternate key, under preconditions.

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, SAMPLE};
use crate::world::World;

const FACT: &str = "/v1.0/reports/office365ActiveUserCounts(reportDate=2026-11-18,reportPeriod='7',reportRefreshDate=2026-11-20)";

/// Creates the sample and returns its address.
fn created(world: &World, body: &str) -> String {
    let reply = world.send(&ask("POST", COLLECTION).bearer(&world.writer()).json(body));
    assert_eq!(reply.status, 201, "{reply}");
    reply.header("location").unwrap().replace("http://rollcall.test", "")
}

fn by(world: &World, method: &str, target: &str) -> Ask {
    ask(method, target).bearer(&world.writer())
}

fn send(world: &World, method: &str, target: &str, body: &str) -> Reply {
    world.send(&by(world, method, target).json(body))
}

pub fn patch_merges(world: &World) {
    let one = created(world, SAMPLE);
    insta::assert_snapshot!("patched", send(world, "PATCH", &one, r#"{"teams":50,"yammer":null}"#));
    let same = send(world, "PATCH", &one, r#"{"teams":50}"#);
    assert_eq!((same.status, same.header("etag")), (200, Some("W/\"2\"")), "nothing changed");
    assert_eq!(send(world, "PATCH", &one, "{}").status, 200);
    let minimal = world
        .send(&by(world, "PATCH", &one).json(r#"{"teams":51}"#).header("Prefer", "return=minimal"));
    insta::assert_snapshot!("patched_minimal", minimal);
    let read = world.send(&by(world, "GET", &one));
    assert_eq!(read.json()["teams"], 51);
}

pub fn put_replaces(world: &World) {
    let one = created(world, SAMPLE);
    let body = r#"{"reportRefreshDate":"2026-11-20","office365":1,"reportDate":"2026-11-18","reportPeriod":"7"}"#;
    insta::assert_snapshot!("put", send(world, "PUT", &one, body));
    insta::assert_snapshot!("put_without_facts", send(world, "PUT", &one, r#"{"office365":1}"#));
}

pub fn a_body_cannot_change_the_key(world: &World) {
    let one = created(world, SAMPLE);
    let id = one.rsplit('/').next().unwrap().to_owned();
    assert_eq!(
        send(world, "PATCH", &one, &format!(r#"{{"id":"{}","teams":1}}"#, id.to_uppercase()))
            .status,
        200
    );
    let other = r#"{"id":"da0e2eb0-2eb0-da0e-b02e-0edab02e0eda"}"#;
    insta::assert_snapshot!("other_key", send(world, "PATCH", &one, other));
    assert_eq!(send(world, "PATCH", FACT, other).status, 400, "by the alternate key as well");
}

pub fn a_change_keeps_the_rules(world: &World) {
    let one = created(world, SAMPLE);
    let bodies = [
        r#"{"reportDate":"2026-11-21"}"#,
        r#"{"reportRefreshDate":"2026-11-17"}"#,
        r#"{"reportRefreshDate":"2026-11-26"}"#,
        r#"{"reportPeriod":null}"#,
        r#"{"teams":-1,"yammer":"x"}"#,
        r#"{"unheard":1}"#,
        "",
        "[]",
    ];
    let lines: Vec<String> = bodies
        .iter()
        .map(|body| {
            let reply = send(world, "PATCH", &one, body);
            format!("{body} => {} {}", reply.status, reply.message())
        })
        .collect();
    insta::assert_snapshot!("bad_changes", lines.join("\n"));
    assert_eq!(world.send(&by(world, "GET", &one)).header("etag"), Some("W/\"1\""));
}

pub fn a_fact_cannot_be_moved_onto_another(world: &World) {
    let one = created(world, SAMPLE);
    created(world, &SAMPLE.replace("\"7\"", "\"30\""));
    insta::assert_snapshot!(
        "moved_onto_another",
        send(world, "PATCH", &one, r#"{"reportPeriod":"D30"}"#)
    );
    let moved = send(world, "PATCH", &one, r#"{"reportPeriod":"90"}"#);
    assert_eq!((moved.status, moved.json()["reportPeriod"].as_str()), (200, Some("90")));
    assert_eq!(world.send(&by(world, "GET", FACT)).status, 404, "the old place is empty");
    created(world, SAMPLE);
}

pub fn deleted_is_gone(world: &World) {
    let one = created(world, SAMPLE);
    insta::assert_snapshot!("deleted", world.send(&by(world, "DELETE", &one)));
    insta::assert_snapshot!("gone", world.send(&by(world, "GET", &one)));
    for method in ["DELETE", "PATCH"] {
        assert_eq!(send(world, method, &one, "{}").status, 404);
    }
    let again = created(world, SAMPLE);
    assert_eq!(world.send(&by(world, "GET", &again)).header("etag"), Some("W/\"3\""));
}

pub fn preconditions(world: &World) {
    let one = created(world, SAMPLE);
    let cases: [(&str, &str, &str); 16] = [
        ("GET", "If-None-Match", "W/\"1\""),
        ("GET", "If-None-Match", "\"1\""),
        ("GET", "If-None-Match", "*"),
        ("GET", "If-None-Match", "W/\"2\", W/\"1\""),
        ("GET", "If-None-Match", "W/\"2\""),
        ("GET", "If-Match", "W/\"1\""),
        ("GET", "If-Match", "W/\"9\""),
        ("HEAD", "If-None-Match", "W/\"1\""),
        ("PATCH", "If-Match", "W/\"9\""),
        ("PATCH", "If-Match", "nonsense"),
        ("PATCH", "If-None-Match", "*"),
        ("PUT", "If-Match", "W/\"9\""),
        ("DELETE", "If-Match", "W/\"9\""),
        ("DELETE", "If-None-Match", "W/\"1\""),
        ("PATCH", "If-Match", "W/\"7\", W/\"1\""),
        ("PATCH", "If-Match", "*"),
    ];
    let lines: Vec<String> = cases
        .iter()
        .map(|(method, name, value)| {
            let request = by(world, method, &one).header(name, value);
            let reply = world.send(&if ["GET", "HEAD"].contains(method) {
                request
            } else {
                request.json(SAMPLE)
            });
            format!("{method} {name}: {value} => {} {:?}", reply.status, reply.header("etag"))
        })
        .collect();
    insta::assert_snapshot!("preconditions", lines.join("\n"));
    let stale = by(world, "DELETE", &one).header("If-Match", "W/\"9\"");
    insta::assert_snapshot!("stale", world.send(&stale));
    assert_eq!(world.send(&by(world, "DELETE", &one).header("If-Match", "W/\"1\"")).status, 204);
}

pub fn by_the_alternate_key(world: &World) {
    let one = created(world, SAMPLE);
    let read = world.send(&by(world, "GET", FACT));
    assert_eq!(read.text(), world.send(&by(world, "GET", &one)).text());
    let mut spelled = FACT.replace("'7'", "%27D7%27").replace("=2026-11-20", "=@r");
    spelled += "?@r=2026-11-20";
    if !world.is_renamed() {
        spelled = spelled.replace("reportDate", "REPORTDATE");
    }
    assert_eq!(world.send(&by(world, "GET", &spelled)).text(), read.text());
    assert_eq!(send(world, "PATCH", FACT, r#"{"teams":7}"#).json()["teams"], 7);
    assert_eq!(send(world, "PUT", FACT, SAMPLE).json()["teams"], 5);
    assert_eq!(world.send(&by(world, "DELETE", FACT)).status, 204);
    insta::assert_snapshot!("no_such_fact", world.send(&by(world, "GET", FACT)));
}

pub fn upsert_only_when_it_is_asked_for(world: &World) {
    let upsert = |method: &str, body: &str| {
        world.send(&by(world, method, FACT).json(body).header("Prefer", "create-if-missing"))
    };
    for method in ["PATCH", "PUT"] {
        assert_eq!(
            send(world, method, FACT, SAMPLE).status,
            404,
            "{method} without the preference"
        );
    }
    insta::assert_snapshot!("upsert_incomplete", upsert("PATCH", r#"{"teams":5}"#));
    insta::assert_snapshot!(
        "upsert_contradicts",
        upsert("PATCH", &SAMPLE.replace("\"7\"", "\"30\""))
    );
    let counts = r#"{"office365":9,"exchange":8,"oneDrive":8,"sharePoint":10,"skypeForBusiness":0,"yammer":6,"teams":5}"#;
    insta::assert_snapshot!("upserted", upsert("PATCH", counts));
    let again = upsert("PATCH", r#"{"teams":6}"#);
    assert_eq!((again.status, again.header("location")), (200, None), "{again}");
    assert_eq!(world.send(&by(world, "DELETE", FACT)).status, 204);
    let put = upsert(
        "PUT",
        r#"{"reportRefreshDate":"2026-11-20","teams":1,"reportDate":"2026-11-18","reportPeriod":"7"}"#,
    );
    assert_eq!((put.status, put.json()["yammer"].is_null()), (201, true), "{put}");
    let only_new = by(world, "PUT", FACT)
        .json(SAMPLE)
        .header("Prefer", "create-if-missing")
        .header("If-None-Match", "*");
    assert_eq!(world.send(&only_new).status, 412);
    let nowhere = format!("{COLLECTION}/da0e2eb0-2eb0-da0e-b02e-0edab02e0eda");
    let by_key = by(world, "PATCH", &nowhere).json(SAMPLE).header("Prefer", "create-if-missing");
    assert_eq!(world.send(&by_key).status, 404, "the key alone does not say which fact it is");
}

pub fn a_tag_in_a_body_must_hold_in_4_01_alone(world: &World) {
    let made = world.send(&ask("POST", COLLECTION).bearer(&world.writer()).json(SAMPLE));
    let one = made.header("location").unwrap().replace("http://rollcall.test", "");
    let patch = |version: &str, tag: &str| {
        let body = format!("{{\"@odata.etag\":{tag},\"teams\":6}}");
        let request = ask("PATCH", &one).bearer(&world.writer()).json(body);
        world.send(&request.header("OData-Version", version)).status
    };
    assert_eq!(patch("4.01", r#""W/\"7\"""#), 412);
    assert_eq!(patch("4.01", r#""x""#), 412);
    assert_eq!(patch("4.0", r#""W/\"7\"""#), 200);
    assert_eq!(patch("4.01", r#""W/\"2\"""#), 200);
    assert_eq!(patch("3.0", r#""W/\"2\"""#), 400);
    let both = ask("PATCH", &one).bearer(&world.writer()).header("If-Match", "W/\"1\"");
    let both = both.header("OData-Version", "4.01").json(r#"{"@etag":"W/\"2\"","teams":7}"#);
    assert_eq!(world.send(&both).status, 412);
}
