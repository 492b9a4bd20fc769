//! The collection as CSV and as lines of JSON: all rows at once.

use rollcall_odata::catalog;

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, fact};
use crate::world::World;

fn get(world: &World, options: &str) -> Reply {
    let target = format!("{COLLECTION}?{}", options.replace(' ', "+").replace('"', "%22"));
    world.send(&ask("GET", &target).bearer(&world.writer()))
}

/// Twelve rows, more than two pages, one with a count that was not reported.
fn fill(world: &World) {
    for number in 0..12 {
        let body = fact(number).replace("\"yammer\":6", "\"yammer\":null");
        let body = if number == 5 { body } else { fact(number) };
        let request = ask("POST", COLLECTION).bearer(&world.writer()).json(body);
        assert_eq!(world.send(&request).status, 201);
    }
}

/// The same with ids that are short and alike.
fn without_ids(reply: &Reply) -> String {
    let text = reply.to_string();
    let is_id = |part: &&str| part.len() == 36 && part.matches('-').count() == 4;
    let ids: Vec<&str> =
        text.split([',', '"', '\n']).filter(is_id).filter(|one| one.contains("-7")).collect();
    ids.iter().fold(text.clone(), |text, id| text.replace(*id, "ID"))
}

pub fn csv_is_for_spreadsheets_and_for_import(world: &World) {
    fill(world);
    let asked = ask("GET", COLLECTION).bearer(&world.writer()).header("Accept", "text/csv");
    let reply = world.send(&asked);
    if !world.is_renamed() {
        insta::assert_snapshot!("csv", without_ids(&reply));
    }
    assert_eq!(reply.text().lines().count(), 13, "all pages at once");
    for format in ["csv", "CSV", "text/csv", "text/csv;charset=utf-8"] {
        assert_eq!(get(world, &format!("$format={format}")).body, reply.body, "{format}");
    }
    let empty = world.fresh();
    assert_eq!(get(&empty, "$format=csv").text().lines().count(), 1);
}

pub fn lines_are_objects(world: &World) {
    fill(world);
    let asked = ask("GET", COLLECTION).bearer(&world.writer());
    let reply = world.send(&asked.header("Accept", "application/x-ndjson, */*;q=0.1"));
    insta::assert_snapshot!("lines", without_ids(&reply));
    for format in ["ndjson", "application/x-ndjson"] {
        assert_eq!(get(world, &format!("$format={format}")).body, reply.body, "{format}");
    }
    let text = reply.text();
    assert!(text.ends_with("}\n"));
    let page = get(world, "$top=1").json();
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    for (name, value) in first.as_object().unwrap() {
        assert_eq!(page["value"][0][name], *value, "{name}");
    }
    assert_eq!(get(&world.fresh(), "$format=ndjson").text(), "");
}

pub fn every_option_narrows_them(world: &World) {
    fill(world);
    let csv = |options: &str| {
        let reply = get(world, &format!("{options}&$format=csv"));
        assert_eq!(reply.status, 200, "{reply}");
        let text = reply.text();
        text.trim_start_matches('\u{feff}').lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let expected = ["Teams", "11", "10", "9"];
    assert_eq!(csv("$select=teams&$filter=teams gt 8&$orderby=teams desc"), expected);
    assert_eq!(csv("$select=teams&$skip=1&$top=2&$orderby=teams"), ["Teams", "1", "2"]);
    assert_eq!(csv("$select=teams&$search=2000-01-02&$top=1&$orderby=teams"), ["Teams", "4"]);
    assert_eq!(
        csv("$select=reportPeriod,yammer,teams&$filter=yammer eq null"),
        ["Yammer,Teams,Report Period", ",5,30"]
    );
    let computed = "$compute=teams divby 2 as half,concat('a \",',reportPeriod) as text";
    assert_eq!(
        csv(&format!("{computed}&$select=teams,half,text&$filter=teams eq 5")),
        ["Teams,half,text", "5,2.5,\"a \"\",30\""]
    );
    assert_eq!(csv("$top=0&$select=id").len(), 1);
    let all = csv(&format!("{computed}&$filter=teams eq 5"));
    assert!(all[0].ends_with(",Report Period,half,text"), "{all:?}");
    let lines = |options: &str| get(world, &format!("{options}&$format=ndjson")).text();
    assert_eq!(
        lines("$select=teams,half&$compute=teams divby 2 as half&$filter=teams in (3,5)"),
        "{\"teams\":5,\"half\":2.5}\n{\"teams\":3,\"half\":1.5}\n"
    );
    // A line is the data alone, though JSON would tell the type of what is computed.
    assert_eq!(
        lines("$select=more&$compute=teams add 1 as more,date(now()) as day&$filter=teams eq 5"),
        "{\"more\":6}\n"
    );
}

pub fn what_rows_cannot_be_asked_for(world: &World) {
    fill(world);
    for (options, status) in [
        ("$count=true", 400),
        ("$skiptoken=x", 400),
        ("$filter=nothing eq 5", 400),
        ("$select=nothing", 400),
        ("$top=x", 400),
        ("$count=false&$expand=*", 200),
    ] {
        for format in ["csv", "ndjson"] {
            let reply = get(world, &format!("{options}&$format={format}"));
            assert_eq!(reply.status, status, "{options}\n{reply}");
        }
    }
    // Who prefers small pages has the rows all the same, and is not told that it was honoured.
    let asked = ask("GET", &format!("{COLLECTION}?$format=csv")).bearer(&world.writer());
    let reply = world.send(&asked.header("Prefer", "maxpagesize=2"));
    assert_eq!((reply.text().lines().count(), reply.header("preference-applied")), (13, None));
}

fn import(world: &World, set: &str, content_type: &str, body: Vec<u8>) -> Reply {
    let target = format!("/v1.0/reports/{set}");
    let request = ask("POST", &target).bearer(&world.writer());
    world.send(&request.header("Content-Type", content_type).body(body))
}

/// What was given is stored elsewhere, and is then given by that as well.
fn round_trip(world: &World, set: &str, rows: usize) {
    for (format, content_type) in [("csv", "text/csv"), ("ndjson", "application/x-ndjson")] {
        let rows_of = |world: &World| {
            let target = format!("/v1.0/reports/{set}?$format={format}");
            let reply = world.send(&ask("GET", &target).bearer(&world.writer()));
            assert_eq!(reply.status, 200, "{reply}");
            reply.body
        };
        let given = rows_of(world);
        let other = world.fresh();
        let taken = import(&other, set, content_type, given.clone());
        assert_eq!(taken.json()["created"], rows, "{format} {taken}");
        assert_eq!(rows_of(&other), given, "{format}");
        let again = import(world, set, content_type, given);
        assert_eq!(again.json()["unchanged"], rows, "{format} {again}");
    }
}

pub fn import_takes_back_what_was_given(world: &World) {
    fill(world);
    round_trip(world, "office365ActiveUserCounts", 12);
}

pub fn head_is_the_same_without_rows(world: &World) {
    fill(world);
    let target = format!("{COLLECTION}?$format=csv");
    let of = |method: &str| world.send(&ask(method, &target).bearer(&world.writer()));
    let (get, head) = (of("GET"), of("HEAD"));
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["content-length", "content-type", "vary", "content-disposition"] {
        assert!(head.header(name).is_some() && head.header(name) == get.header(name), "{name}");
    }
}

pub fn another_tenant_has_its_own(world: &World) {
    fill(world);
    for (format, lines) in [("csv", 1), ("ndjson", 0)] {
        let target = format!("{COLLECTION}?$format={format}");
        let asked = |request: Ask| world.send(&request).text().lines().count();
        assert_eq!(asked(ask("GET", &target).bearer(&world.writer_of(2))), lines);
        assert_eq!(world.send(&ask("GET", &target)).status, 401);
    }
}

const EMAIL: (&str, &str) =
    ("email-activity.toml", include_str!("../../../odata/tests/data/email-activity.toml"));
const ACTIVATIONS: (&str, &str) =
    ("activations.toml", include_str!("../../../odata/tests/data/activations.toml"));

#[test]
fn collections_and_complex_values_come_back_as_they_were() {
    let files = catalog::EMBEDDED.iter().copied().chain([EMAIL, ACTIVATIONS]);
    let world = World::with_catalogue(&files.collect::<Vec<_>>());
    let mail = r#"{"reportRefreshDate":"2026-11-20","userPrincipalName":"o'neil,/ü@contoso.example","displayName":"O\"Neil, \\ \u00fc","isDeleted":false,"deletedDate":null,"lastActivityDate":"2026-11-19","sendCount":9007199254740993,"receiveCount":0,"readCount":null,"assignedProducts":["a+b",""],"reportPeriod":"D30"}"#;
    let ada = r#"{"reportRefreshDate":"2026-11-20","userPrincipalName":"ada","displayName":null,"userActivationCounts":[{"productType":"A, \"B\"","lastActivatedDate":"2026-01-31","windows":3,"mac":0},{}]}"#;
    let bob = r#"{"reportRefreshDate":"2026-11-20","userPrincipalName":"bob","displayName":"Bob","userActivationCounts":[]}"#;
    for (set, bodies) in [
        ("emailActivityUserDetail", vec![mail]),
        ("office365ActivationsUserDetail", vec![ada, bob]),
    ] {
        for body in &bodies {
            let taken = import(&world, set, "application/x-ndjson", body.as_bytes().to_vec());
            assert_eq!(taken.json()["created"], 1, "{taken}");
        }
        round_trip(&world, set, bodies.len());
    }
}
