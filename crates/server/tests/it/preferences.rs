//! `Prefer`: what is honoured, and what an answer says of it.

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, fact};
use crate::world::World;

const REPORT: &str = "/v1.0/reports/getOffice365ActiveUserCounts(period='D7')?$format=json";

fn send(world: &World, request: Ask, prefer: &str) -> Reply {
    world.send(&request.bearer(&world.writer()).header("Prefer", prefer))
}

/// The address of an object without a count of yammer.
fn made(world: &World) -> String {
    let body = fact(0).replace("\"yammer\":6", "\"yammer\":null");
    let made = world.send(&ask("POST", COLLECTION).bearer(&world.writer()).json(body));
    made.header("location").unwrap().strip_prefix("http://rollcall.test").unwrap().to_owned()
}

pub fn nulls_are_left_out_for_who_prefers_that(world: &World) {
    let one = made(world);
    let computed = "$compute=yammer+add+1+as+more";
    for target in [
        one.clone(),
        COLLECTION.to_owned(),
        REPORT.to_owned(),
        format!("{COLLECTION}?{computed}"),
        format!("{COLLECTION}?$format=ndjson"),
    ] {
        let whole = send(world, ask("GET", &target), "nonsense");
        assert!(whole.text().contains("\"yammer\":null"), "{target}\n{whole}");
        assert_eq!(whole.header("preference-applied"), None);
        for (prefer, applied) in [
            ("omit-values=nulls", "omit-values=nulls"),
            ("odata.omit-values=\"Nulls\", x", "omit-values=nulls"),
            ("omit-values=defaults", "omit-values=defaults"),
        ] {
            let reply = send(world, ask("GET", &target), prefer);
            assert_eq!(reply.header("preference-applied"), Some(applied), "{target}\n{reply}");
            assert_eq!(reply.header("vary"), Some("Accept, Authorization, Prefer"), "{reply}");
            assert!(!reply.text().contains("null"), "{target}\n{reply}");
            assert!(reply.text().contains("\"teams\":0"), "zero is a value\n{reply}");
        }
        let other = send(world, ask("GET", &target), "omit-values=some");
        assert_eq!(other.header("preference-applied"), None);
        assert_eq!(other.body, whole.body);
    }
    insta::assert_snapshot!("omitted", send(world, ask("GET", &one), "omit-values=nulls"));
    let changed = send(world, ask("PATCH", &one).json("{\"teams\":null}"), "omit-values=nulls");
    assert_eq!(changed.header("preference-applied"), Some("omit-values=nulls"));
    assert_eq!((changed.status, changed.json().get("teams")), (200, None), "{changed}");
    let delta = send(world, ask("GET", &format!("{COLLECTION}/delta")), "omit-values=nulls");
    assert!(delta.text().contains("\"teams\":null"), "a null may be what has changed\n{delta}");
    assert_eq!(delta.header("preference-applied"), None);
}

/// What each request says of everything that can be preferred.
pub fn only_what_was_honoured_is_said_to_be(world: &World) {
    let one = made(world);
    let every = "return=representation, handling=lenient, resolution=replace, \
                 create-if-missing, odata.track-changes, odata.maxpagesize=7, omit-values=nulls, \
                 respond-async, wait=5, nonsense";
    let by_fact = |day: &str| {
        format!("{COLLECTION}(reportDate={day},reportPeriod='7',reportRefreshDate={day})")
    };
    let id = one.rsplit('/').next().unwrap();
    let lines: Vec<String> = [
        ask("GET", COLLECTION),
        ask("GET", &format!("{COLLECTION}?$skip=0")),
        ask("GET", &format!("{COLLECTION}/$ref?$skip=0")),
        ask("GET", &format!("{COLLECTION}/delta")),
        ask("GET", &format!("{COLLECTION}/$count")),
        ask("GET", REPORT),
        ask("GET", &one),
        ask("GET", &format!("{one}/teams")),
        ask("GET", "/v1.0"),
        ask("POST", COLLECTION).json(fact(1)),
        ask("PATCH", &one).json("{\"teams\":1}"),
        ask("PATCH", &by_fact("2001-01-01")).json("{\"teams\":1}"),
        ask("PUT", &format!("{one}/teams")).json("{\"value\":5}"),
        ask("POST", COLLECTION).header("Content-Type", "application/x-ndjson").body(fact(2)),
        ask("DELETE", &one),
    ]
    .into_iter()
    .map(|request| {
        let what = String::from_utf8(request.bytes()).unwrap();
        let what = what.lines().next().unwrap().replace(" HTTP/1.1", "").replace(id, "ID");
        let reply = send(world, request, every);
        assert!(reply.status < 300, "{what}\n{reply}");
        let (applied, vary) = (reply.header("preference-applied"), reply.header("vary"));
        format!("{what}\n    {}\n    Vary: {}", applied.unwrap_or("-"), vary.unwrap_or("-"))
    })
    .collect();
    insta::assert_snapshot!("applied", lines.join("\n"));
}

pub fn strict_handling_refuses_what_cannot_be_honoured(world: &World) {
    let one = made(world);
    for target in [COLLECTION, one.as_str(), REPORT] {
        let fine = send(world, ask("GET", target), "handling=strict");
        assert_eq!(fine.status, 200, "{target}");
        assert_eq!(fine.header("preference-applied"), Some("handling=strict"), "{fine}");
        for prefer in ["handling=strict, nonsense=1", "odata.maxpagesize=x, handling=strict"] {
            let reply = send(world, ask("GET", target), prefer);
            assert_eq!((reply.status, reply.code().as_str()), (400, "BadRequest"), "{reply}");
        }
        for prefer in ["respond-async, nonsense=1", "handling=lenient, nonsense", "wait=1, ,;"] {
            assert_eq!(send(world, ask("GET", target), prefer).status, 200, "{prefer}");
        }
    }
    strictly(world, &one);
    let refused = send(world, ask("DELETE", &one), "handling=strict, respond-async");
    insta::assert_snapshot!("strict", refused);
    assert_eq!(send(world, ask("GET", &one), "handling=strict").status, 200, "nothing was done");
}

/// What means nothing to the very request is refused, and of a write nothing is done.
fn strictly(world: &World, one: &str) {
    let every = [
        "return=representation",
        "return=minimal",
        "resolution=replace",
        "dry-run",
        "create-if-missing",
        "track-changes",
        "odata.maxpagesize=7",
        "omit-values=nulls",
        "continue-on-error",
    ];
    let lines: Vec<String> = [
        ask("GET", COLLECTION),
        ask("GET", &format!("{COLLECTION}?$skip=0")),
        ask("GET", &format!("{COLLECTION}?$format=csv")),
        ask("GET", &format!("{COLLECTION}?$format=ndjson")),
        ask("GET", &format!("{COLLECTION}/$filter(true)")),
        ask("GET", &format!("{COLLECTION}/$ref?$skip=0")),
        ask("GET", &format!("{COLLECTION}/delta")),
        ask("GET", &format!("{COLLECTION}/$count")),
        ask("GET", REPORT),
        ask("GET", &REPORT.replace("json", "csv")),
        ask("GET", &REPORT.replace("?$format=json", "/$count")),
        ask("GET", one),
        ask("GET", &format!("{one}/$ref")),
        ask("GET", &format!("{one}/teams")),
        ask("GET", &format!("{one}/teams/$value")),
        ask("GET", "/v1.0"),
        ask("GET", "/v1.0/$metadata"),
        ask("PATCH", one).json("{\"teams\":0}"),
        ask("PATCH", &format!("{one}?$select=teams")).json("{\"teams\":0}"),
        ask("PUT", &format!("{one}/teams")).json("{\"value\":0}"),
        ask("POST", COLLECTION).header("Content-Type", "application/x-ndjson").body(""),
        ask("POST", "/v1.0/$batch").json("{\"requests\":[]}"),
    ]
    .into_iter()
    .map(|request| {
        let what = String::from_utf8(request.bytes()).unwrap();
        let what = what.lines().next().unwrap().replace(" HTTP/1.1", "").replace(one, "ONE");
        let fine = every.into_iter().filter(|prefer| {
            let reply = send(world, request.clone(), &format!("{prefer}, handling=strict"));
            let applied = reply.header("preference-applied").unwrap_or_default().to_owned();
            assert_eq!(reply.status < 400, applied.contains(prefer), "{what} {prefer}\n{reply}");
            assert!(reply.status < 400 || reply.message().contains(prefer), "{reply}");
            applied.contains("handling=strict")
        });
        format!("{what}\n    {}", fine.collect::<Vec<_>>().join(", "))
    })
    .collect();
    insta::assert_snapshot!("strictly", lines.join("\n"));
    for request in [
        ask("POST", COLLECTION).json(fact(7)),
        ask("PATCH", one).json("{\"teams\":77}"),
        ask("DELETE", one),
    ] {
        let reply = send(world, request, "handling=strict, maxpagesize=5");
        assert_eq!(reply.status, 400, "{reply}");
    }
    let rows = send(world, ask("GET", COLLECTION), "").json();
    assert_eq!(
        (&rows["value"][0]["teams"], rows["value"].as_array().unwrap().len()),
        (&0.into(), 1)
    );
}
