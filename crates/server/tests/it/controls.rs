//! Test controls: there only when asked for, and each does what it says.

use std::time::Duration;

use rollcall::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::client::{Ask, Reply, ask};
use crate::process::{Service, log_of, rollcall, run, token};
use crate::sample::{COLLECTION, SAMPLE, fact};
use crate::world::World;

const CONTROLS: &str = "/rollcall/test";
const CLOCK: &str = "/rollcall/test/clock";
const FAULTS: &str = "/rollcall/test/faults";
const TENANT: &str = "/rollcall/test/tenant";
const REPORT: &str = "/v1.0/reports/getOffice365ActiveUserCounts(period='D7')";

/// The page's sample, with its own placeholders.
const PAGE: &str = r##"{
  "@odata.type": "#microsoft.graph.office365ActiveUserCounts",
  "reportRefreshDate": "Date",
  "office365": 9,
  "exchange": 8,
  "oneDrive": 8,
  "sharePoint": 10,
  "skypeForBusiness": 0,
  "yammer": 6,
  "teams": 5,
  "reportDate": "Date",
  "reportPeriod": "Report Period value"
}"##;

fn create(world: &World, body: &str) -> Reply {
    world.send(&ask("POST", COLLECTION).bearer(&world.writer()).json(body))
}

/// A token that the issuer gives now, by the clock.
fn issued(world: &World) -> String {
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=x/.default",
        world.client_id(),
        world.client_secret()
    );
    let asked = ask("POST", "/common/oauth2/v2.0/token")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form);
    world.send(&asked).json()["access_token"].as_str().unwrap().to_owned()
}

fn count(world: &World) -> String {
    world.send(&ask("GET", &format!("{COLLECTION}/$count")).bearer(&world.writer())).text()
}

fn control(world: &World, method: &str, target: &str, body: &Value) -> Reply {
    let request = ask(method, target).bearer(&world.writer());
    let request = if body.is_null() { request } else { request.json(body.to_string()) };
    world.send(&request)
}

fn set(world: &World, now: &str, frozen: bool) {
    let reply = control(world, "PUT", CLOCK, &json!({"now": now, "frozen": frozen}));
    assert_eq!(reply.status, 200, "{reply}");
}

fn fault(world: &World, fault: &Value) {
    let reply = control(world, "POST", FAULTS, fault);
    assert_eq!(reply.status, 200, "{reply}");
}

#[test]
fn without_the_switch_there_is_nothing_of_them() {
    let world = World::plain();
    for target in [CONTROLS, CLOCK, FAULTS, TENANT] {
        for method in ["GET", "PUT", "POST", "DELETE"] {
            let known = ask(method, target).json("{}");
            let unknown = ask(method, "/rollcall/other").json("{}");
            let [known, unknown] = [known, unknown].map(|one| one.bearer(&world.writer()));
            let [known, unknown] = [known, unknown].map(|one| world.send(&one));
            assert_eq!((known.status, known.message()), (unknown.status, unknown.message()));
            assert_eq!((known.status, known.message().as_str()), (400, "Invalid version."));
        }
    }
    assert_eq!(create(&world, PAGE).status, 400);
    assert_eq!(world.send(&ask("GET", "/health/ready")).text(), "{\"status\":\"ready\"}");
}

#[test]
fn the_binary_has_them_on_loopback_alone_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for (arguments, named) in [
        (&["--listen", "0.0.0.0:0", "--allow-remote"][..], "--listen is 0.0.0.0:0"),
        (&["--listen", "[::]:0", "--tls-local"], "--listen is [::]:0"),
        (&["--listen", "127.0.0.1:0", "--trusted-proxies", "10.0.0.1"], "--trusted-proxies"),
    ] {
        let mut serve = rollcall(&data, "serve");
        let (status, out, err) = run(serve.arg("--test-controls").args(arguments));
        assert_eq!((status, out.as_str()), (1, ""), "{err}");
        assert!(err.contains("--test-controls") && err.contains(named), "{err}");
        assert!(err.contains("Expected"), "{err}");
    }
    let mut serve = rollcall(&data, "serve");
    serve.args(["--listen", "127.0.0.1:0", "--test-controls"]);
    let service = Service::start_with(&mut serve, &log_of(&data));
    assert!(service.greeting.contains("Test controls are on"), "{}", service.greeting);
    let ready = ask("GET", "/health/ready").send(service.address).json();
    assert!(ready["warning"].as_str().unwrap().contains("Test controls are on"), "{ready}");
    // Each of them, of the binary.
    let token = token(&data, &[]);
    let send = |request: Ask| request.bearer(&token).try_send(service.address);
    let control = |method: &str, target: &str, body: Value| {
        let reply = send(ask(method, target).json(body.to_string())).unwrap();
        assert!((200..=204).contains(&reply.status), "{reply}");
    };
    let create = || send(ask("POST", COLLECTION).json(PAGE));
    control("PUT", CLOCK, json!({"now": "2031-05-06T07:08:09Z", "frozen": true}));
    let home = ask("GET", "/").send(service.address);
    assert_eq!(home.header("date"), Some("Tue, 06 May 2031 07:08:09 GMT"));
    assert_eq!(create().unwrap().status, 401, "by that time the token has ended");
    control("DELETE", CLOCK, Value::Null);
    assert_eq!(create().unwrap().status, 201);
    control("DELETE", TENANT, Value::Null);
    control("POST", FAULTS, json!({"route": "collection", "times": 1, "status": 503}));
    control("POST", FAULTS, json!({"route": "collection", "times": 1, "cut": "before"}));
    assert_eq!(create().unwrap().status, 503);
    assert!(create().is_err());
    assert_eq!(create().unwrap().header("etag"), Some("W/\"1\""));
    // The log is whole once the service has ended.
    assert_eq!(service.stop(), Some(0));
    let log = std::fs::read_to_string(log_of(&data)).unwrap();
    assert!(log.starts_with("Test controls are on"), "{log}");
}

#[test]
fn who_may_not_write_may_not_control() {
    let world = World::controlled(false);
    let anonymous = world.send(&ask("DELETE", TENANT));
    assert_eq!((anonymous.status, anonymous.code().as_str()), (401, "InvalidAuthenticationToken"));
    let client = uuid::Uuid::nil();
    for permission in ["Reports.Read.All", "Reports.Create"] {
        let token = world.token_of(&rollcall::auth::issuer::Grant {
            tenant: uuid::Uuid::from_u128(1),
            client,
            holder: rollcall::auth::issuer::Holder::Application(vec![permission.to_owned()]),
            version: rollcall::auth::issuer::Version::One,
            seconds: 3600,
        });
        for (method, target) in [("GET", CONTROLS), ("DELETE", TENANT), ("GET", "/rollcall/test/x")]
        {
            let reply = world.send(&ask(method, target).bearer(&token));
            assert_eq!((reply.status, reply.code().as_str()), (403, "S2SUnauthorized"), "{reply}");
        }
    }
    let reply = control(&world, "GET", "/rollcall/test/x", &Value::Null);
    assert_eq!(reply.status, 404, "{reply}");
    let reply = control(&world, "POST", CLOCK, &json!({}));
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, PUT, DELETE, OPTIONS")));
}

#[test]
fn what_is_not_understood_changes_nothing() {
    let world = World::controlled(false);
    for (method, target, body, expected) in [
        ("PUT", CLOCK, json!({"nwo": "x"}), "unknown field `nwo`, expected `now` or `frozen`"),
        ("PUT", CLOCK, json!({"now": "tomorrow"}), "The now is 'tomorrow'. Expected a time"),
        ("PUT", CLOCK, json!({"now": "9999-01-01T00:00:01Z"}), "Expected a time"),
        ("PUT", CLOCK, json!({"now": "1969-12-31T23:59:59Z"}), "Expected a time"),
        ("POST", FAULTS, json!({"route": "collection", "time": 1}), "unknown field `time`"),
        ("POST", FAULTS, json!({"route": "collection"}), "missing field `times`"),
        ("POST", FAULTS, json!({"route": "lists", "times": 1, "status": 429}), "'lists'"),
        ("POST", FAULTS, json!({"route": "count", "times": 1, "cut": "now"}), "unknown variant"),
    ] {
        let reply = control(&world, method, target, &body);
        assert_eq!((reply.status, reply.code().as_str()), (400, "BadRequest"), "{reply}");
        assert!(reply.message().contains(expected), "{reply}");
    }
    let text = ask("PUT", CLOCK).bearer(&world.writer()).body("{}");
    assert!(world.send(&text).message().contains("Expected the Content-Type application/json"));
    let state = control(&world, "GET", CONTROLS, &Value::Null).json();
    let clock = json!({"now": "2026-11-24T12:00:00Z", "set": false, "frozen": false});
    assert_eq!(state, json!({"clock": clock, "faults": []}));
}

#[test]
fn the_clock_decides_every_time() {
    let world = World::controlled(false);
    set(&world, "2026-11-24T12:30:00Z", false);
    world.advance(30);
    let home = world.send(&ask("GET", "/"));
    assert_eq!(home.header("date"), Some("Tue, 24 Nov 2026 12:30:30 GMT"), "it goes on");
    set(&world, "2026-11-24T12:40:00Z", true);
    world.advance(30);
    let home = world.send(&ask("GET", "/"));
    assert_eq!(home.header("date"), Some("Tue, 24 Nov 2026 12:40:00 GMT"), "it stands still");
    // Ids and the newest date that is believed.
    let tomorrow = SAMPLE.replace("2026-11-20", "2026-12-02");
    assert_eq!(create(&world, &tomorrow).status, 400);
    set(&world, "2026-12-01T00:00:00Z", true);
    let refused = create(&world, &tomorrow);
    assert_eq!(refused.status, 401, "the token has ended by then: {refused}");
    // A token of that time comes from the issuer, and holds for the controls as well.
    let issued = issued(&world);
    let created = world.send(&ask("POST", COLLECTION).bearer(&issued).json(tomorrow));
    assert_eq!(created.status, 201, "{created}");
    // A download link ends by that clock.
    let linked = world.send(&ask("GET", REPORT).bearer(&issued));
    let link = linked.header("location").unwrap().split_once("rollcall.test").unwrap().1.to_owned();
    let download = || world.send(&ask("GET", &link)).status;
    assert_eq!(download(), 200);
    set(&world, "2026-12-01T00:04:59Z", true);
    assert_eq!(download(), 200);
    set(&world, "2026-12-01T00:05:00Z", true);
    assert_eq!(download(), 403);
    // What has held before holds no more where the clock is before its begin.
    set(&world, "2026-11-30T00:00:00Z", true);
    let before = world.send(&ask("GET", COLLECTION).bearer(&issued));
    assert_eq!(before.status, 401, "{before}");
    // Back to the time beneath.
    assert_eq!(control(&world, "DELETE", CLOCK, &Value::Null).status, 200);
    let home = world.send(&ask("GET", "/"));
    assert_eq!(home.header("date"), Some("Tue, 24 Nov 2026 12:01:00 GMT"));
    let frozen = control(&world, "PUT", CLOCK, &json!({"frozen": true})).json();
    assert_eq!(frozen, json!({"now": "2026-11-24T12:01:00Z", "set": true, "frozen": true}));
}

#[test]
fn a_request_is_refused_so_often_before_anything_is_done() {
    let world = World::controlled(false);
    fault(
        &world,
        &json!({"route": "collection", "method": "POST", "times": 2, "status": 429, "retryAfter": 7}),
    );
    fault(&world, &json!({"route": "collection", "times": 1, "status": 503}));
    let waiting = control(&world, "GET", FAULTS, &Value::Null).json();
    assert_eq!(waiting["faults"][0]["times"], 2);
    for _ in 0..2 {
        let refused = create(&world, SAMPLE);
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("7")), "{refused}");
        assert_eq!(refused.code(), "TooManyRequests");
        assert_eq!(refused.json()["error"]["innerError"]["code"], "429");
    }
    let refused = create(&world, SAMPLE);
    assert_eq!((refused.status, refused.header("retry-after")), (503, None), "{refused}");
    assert_eq!(count(&world), "0");
    assert_eq!(create(&world, SAMPLE).status, 201);
    // Another route, a part of a batch, and what needs no token.
    fault(&world, &json!({"route": "count", "times": 1, "status": 503, "retryAfter": 0}));
    let part = |id: &str| json!({"id": id, "method": "GET", "url": format!("{}/$count", &COLLECTION[5..])});
    let body = json!({"requests": [part("1"), part("2")]}).to_string();
    let batch = world.send(&ask("POST", "/v1.0/$batch").bearer(&world.writer()).json(body)).json();
    let statuses: Vec<_> =
        batch["responses"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, [json!(503), json!(200)]);
    // What is asked in a body meets both routes' faults.
    for route in ["query", "collection"] {
        fault(&world, &json!({"route": route, "times": 1, "status": 503}));
    }
    let query = ask("POST", &format!("{COLLECTION}/$query"))
        .bearer(&world.writer())
        .header("Content-Type", "text/plain")
        .body("$top=1");
    let statuses = [(); 3].map(|()| world.send(&query).status);
    assert_eq!(statuses, [503, 503, 200]);
    fault(&world, &json!({"route": "keys", "times": 1, "status": 503}));
    let keys = || world.send(&ask("GET", "/common/discovery/v2.0/keys")).status;
    assert_eq!((keys(), keys()), (503, 200));
    fault(&world, &json!({"route": "token", "times": 1, "status": 429, "retryAfter": 3}));
    let refused = world.send(&ask("POST", "/common/oauth2/v2.0/token"));
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("3")), "{refused}");
    let error = refused.json();
    assert_eq!(error["error"], "temporarily_unavailable", "as OAuth has it: {refused}");
    assert!(error["error_description"].is_string() && error["trace_id"].is_string(), "{refused}");
    // Taken back.
    fault(&world, &json!({"route": "home", "times": 5, "status": 503}));
    control(&world, "DELETE", FAULTS, &Value::Null);
    assert_eq!(world.send(&ask("GET", "/")).status, 200);
}

#[test]
fn a_request_waits_as_long_as_it_is_told_to() {
    let world = World::controlled(false);
    fault(&world, &json!({"route": "collection", "times": 1, "delayMilliseconds": 50}));
    let clock = SystemClock::start();
    assert_eq!(create(&world, SAMPLE).status, 201);
    assert!(clock.elapsed() >= Duration::from_millis(50));
}

#[test]
fn a_connection_is_cut_before_or_after_the_work() {
    for secured in [false, true] {
        let world = World::controlled(secured);
        let request = ask("POST", COLLECTION).bearer(&world.writer()).json(SAMPLE);
        let sent = || {
            if secured {
                world.secure().send(&request, world.address()).is_ok()
            } else {
                request.try_send(world.address()).is_ok()
            }
        };
        fault(
            &world,
            &json!({"route": "collection", "method": "POST", "times": 1, "cut": "before"}),
        );
        assert!(!sent(), "{secured}");
        assert_eq!(count(&world), "0");
        fault(
            &world,
            &json!({"route": "collection", "method": "POST", "times": 1, "cut": "after"}),
        );
        assert!(!sent(), "{secured}");
        assert_eq!(count(&world), "1");
        assert_eq!(create(&world, SAMPLE).status, 409);
    }
}

#[test]
fn links_end_when_they_are_told_to() {
    let world = World::controlled(false);
    assert_eq!(create(&world, SAMPLE).status, 201);
    let linked = world.send(&ask("GET", REPORT).bearer(&world.writer()));
    let link = linked.header("location").unwrap().split_once("rollcall.test").unwrap().1.to_owned();
    fault(&world, &json!({"route": "download", "times": 1, "expireLink": true}));
    let expired = world.send(&ask("GET", &link));
    assert_eq!((expired.status, expired.code().as_str()), (403, "accessDenied"), "{expired}");
    assert!(expired.message().contains("has expired"), "{expired}");
    assert_eq!(world.send(&ask("GET", &link)).status, 200);
    // Of change tracking: only what leads on is a link.
    fault(&world, &json!({"route": "delta", "times": 1, "expireLink": true}));
    let first = format!("{COLLECTION}/delta");
    let read = |target: &str| world.send(&ask("GET", target).bearer(&world.writer()));
    let round = read(&first).json();
    let link = round["@odata.deltaLink"].as_str().unwrap();
    let link = link.split_once("rollcall.test").unwrap().1;
    let gone = read(link);
    assert_eq!((gone.status, gone.code().as_str()), (410, "syncStateNotFound"), "{gone}");
    assert!(gone.header("location").unwrap().contains("/delta"), "{gone}");
    assert_eq!(read(link).status, 200);
}

#[test]
fn a_tenant_begins_anew() {
    let world = World::controlled(false);
    for number in 0..7 {
        assert_eq!(create(&world, &fact(number)).status, 201);
    }
    let other = ask("POST", COLLECTION).bearer(&world.writer_of(2)).json(SAMPLE);
    assert_eq!(world.send(&other).status, 201);
    let read = |target: &str| world.send(&ask("GET", target).bearer(&world.writer()));
    let first = format!("{COLLECTION}/delta?$deltatoken=latest");
    let link = read(&first).json()["@odata.deltaLink"].as_str().unwrap().to_owned();
    let link = link.split_once("rollcall.test").unwrap().1;
    let named = ask("POST", COLLECTION)
        .bearer(&world.writer())
        .header("Repeatability-Request-ID", "4c3a7d0e-1f7b-4d4e-8a55-0b7f6f0e2c91")
        .header("Repeatability-First-Sent", "Tue, 24 Nov 2026 12:00:00 GMT")
        .json(SAMPLE);
    assert_eq!(world.send(&named).header("etag"), Some("W/\"8\""));
    assert_eq!(control(&world, "DELETE", TENANT, &Value::Null).status, 204);
    assert_eq!(count(&world), "0");
    let report = read(&format!("{REPORT}?$format=application/json")).json();
    assert_eq!(report["value"], json!([]));
    assert_eq!(read(link).status, 410);
    assert_eq!(world.send(&named).header("etag"), Some("W/\"1\""), "it is done anew");
    let theirs = ask("GET", &format!("{COLLECTION}/$count")).bearer(&world.writer_of(2));
    assert_eq!(world.send(&theirs).text(), "1", "of others nothing is taken");
}

#[test]
fn samples_of_graph_s_pages_are_replayed_as_they_are() {
    let world = World::controlled(false);
    set(&world, "2026-11-20T23:59:59Z", true);
    let token = issued(&world);
    let create = |body: &str| world.send(&ask("POST", COLLECTION).bearer(&token).json(body));
    let created = create(PAGE);
    assert_eq!(created.status, 201, "{created}");
    let object = created.json();
    for name in ["reportRefreshDate", "reportDate"] {
        assert_eq!(object[name], "2026-11-20");
    }
    assert_eq!((&object["reportPeriod"], &object["sharePoint"]), (&json!("7"), &json!(10)));
    let target = format!("{COLLECTION}/{}", object["id"].as_str().unwrap());
    let change = ask("PATCH", &target).bearer(&token);
    let changed = world.send(&change.json(r#"{"reportDate": "Date", "teams": 6}"#));
    assert_eq!((changed.status, &changed.json()["reportDate"]), (200, &json!("2026-11-20")));
    // Only these texts, and only where a date or a period belongs.
    for (from, to) in [
        ("\"Date\"", "\"date\""),
        ("\"Report Period value\"", "\"Date\""),
        ("9,", "\"Date\","),
        ("\"Date\"", "\"Report Period value\""),
    ] {
        let refused = create(&PAGE.replacen(from, to, 1));
        assert_eq!((refused.status, refused.code().as_str()), (400, "BadRequest"), "{refused}");
    }
}
