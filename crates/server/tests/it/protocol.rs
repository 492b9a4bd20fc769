//! Rows of the checklist in `docs/odata.md` that belong to no single feature.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, SAMPLE, fact};
use crate::world::World;

const ID: &str = "da0e2eb0-2eb0-da0e-b02e-0edab02e0eda";

fn send(world: &World, request: Ask) -> Reply {
    world.send(&request.bearer(&world.writer()))
}

fn get(world: &World, target: &str) -> Reply {
    send(world, ask("GET", &target.replace(' ', "+")))
}

fn create(world: &World, body: &str) {
    assert_eq!(send(world, ask("POST", COLLECTION).json(body)).status, 201);
}

/// Four rows: teams 0 to 3, yammer null in the first two.
fn fill(world: &World) {
    for number in 0..4 {
        let yammer = if number < 2 { "null".to_owned() } else { number.to_string() };
        let yammer = format!("\"yammer\":{yammer}");
        create(world, &fact(number).replace("\"yammer\":6", &yammer));
    }
}

/// The teams of a list.
fn teams(world: &World, options: &str) -> Vec<u64> {
    let reply = get(world, &format!("{COLLECTION}?{options}"));
    assert_eq!(reply.status, 200, "{options}\n{reply}");
    let page = reply.json();
    let rows = page["value"].as_array().unwrap();
    rows.iter().map(|row| row["teams"].as_u64().unwrap()).collect()
}

pub fn what_the_service_document_names_answers(world: &World) {
    for version in ["v1.0", "beta"] {
        let document = get(world, &format!("/{version}")).json();
        for one in document["value"].as_array().unwrap() {
            let url = format!("/{version}/{}", one["url"].as_str().unwrap());
            assert_eq!(get(world, &url).status, 200, "{url}");
        }
    }
}

pub fn names_come_as_metadata_declares_them(world: &World) {
    fill(world);
    let metadata = get(world, "/v1.0/$metadata?$format=json").json();
    let namespace = &metadata["microsoft.graph"];
    let declared = |ty: &str| -> BTreeSet<String> {
        let members = namespace[ty].as_object().unwrap().keys();
        members.filter(|name| !name.starts_with(['$', '@'])).cloned().collect()
    };
    let all: BTreeSet<String> = &declared("entity") | &declared("office365ActiveUserCounts");
    let page = get(world, &COLLECTION.to_uppercase().replace("/V1.0", "/v1.0")).json();
    let row = page["value"][0].as_object().unwrap();
    let names = row.keys().filter(|name| !name.contains('@')).cloned();
    assert_eq!(names.collect::<BTreeSet<_>>(), all);
}

pub fn every_answer_says_its_version(world: &World) {
    create(world, SAMPLE);
    let other = format!("{COLLECTION}/{ID}");
    let requests = [
        ask("GET", COLLECTION),
        ask("GET", &format!("{COLLECTION}/$count")),
        ask("GET", "/v1.0/$metadata"),
        ask("GET", "/v1.0/nothing"),
        ask("GET", &other),
        ask("DELETE", &other),
        ask("PUT", COLLECTION),
        ask("POST", COLLECTION).json("{"),
        ask("POST", COLLECTION).json(SAMPLE),
        ask("POST", COLLECTION).json(fact(2)),
        ask("POST", COLLECTION).json(fact(1)).header("Prefer", "return=minimal"),
        ask("GET", COLLECTION).header("OData-MaxVersion", "3.0"),
        ask("GET", &format!("{COLLECTION}?$apply=x")),
    ];
    let mut seen = BTreeSet::new();
    for request in requests {
        let reply = send(world, request);
        assert_eq!(reply.header("odata-version"), Some("4.0"), "{reply}");
        seen.insert(reply.status);
        if reply.status >= 400 {
            let error = &reply.json()["error"];
            let is_text = |name: &str| error[name].as_str().is_some_and(|text| !text.is_empty());
            assert!(is_text("code") && is_text("message"), "{reply}");
        }
    }
    for status in [200, 201, 204, 400, 404, 405, 409] {
        assert!(seen.contains(&status), "{status} of {seen:?}");
    }
    let stranger = world.send(&ask("GET", COLLECTION));
    assert_eq!((stranger.status, stranger.header("odata-version")), (401, Some("4.0")));
}

pub fn what_is_unknown_does_no_harm(world: &World) {
    create(world, SAMPLE);
    let plain = get(world, COLLECTION).json();
    for request in [
        ask("GET", &format!("{COLLECTION}?foo=1&x.y=2")),
        ask("GET", COLLECTION).header("Prefer", "nonsense=1, x; y=z"),
        ask("GET", COLLECTION).header("Prefer", "respond-async, wait=5"),
        ask("GET", COLLECTION).header("X-Nonsense", "1").header("OData-Nonsense", "1"),
        ask("GET", &format!("{COLLECTION}?$schemaversion=*")),
        ask("GET", &format!("{COLLECTION}?schemaVersion=%2A")),
    ] {
        let reply = send(world, request);
        assert_eq!((reply.status, reply.json()), (200, plain.clone()), "{reply}");
        assert_eq!(reply.header("preference-applied"), None, "{reply}");
    }
    let created = ask("POST", COLLECTION).json(fact(3)).header("Prefer", "respond-async");
    assert_eq!(send(world, created).status, 201, "and not 202");
    for option in ["$foo=1", "$schemaversion=1", "$schemaversion="] {
        assert_eq!(get(world, &format!("{COLLECTION}?{option}")).status, 400, "{option}");
    }
    assert_eq!(get(world, "/v1.0/$metadata?$schemaversion=*").status, 200);
    assert_eq!(get(world, "/v1.0/$metadata?$schemaversion=old").status, 400);
}

pub fn every_property_can_be_compared(world: &World) {
    create(world, SAMPLE);
    let row = get(world, COLLECTION).json()["value"][0].clone();
    for (name, value) in row.as_object().unwrap().iter().filter(|(name, _)| !name.contains('@')) {
        let literal = match value {
            Value::String(text) if name.ends_with("Date") => text.clone(),
            Value::String(text) => format!("'{text}'"),
            other => other.to_string(),
        };
        for (options, found) in [
            (format!("$filter={name} eq {literal}"), true),
            (format!("$filter={name} ne {literal}"), false),
            (format!("$filter={literal} eq {name}"), true),
            (format!("$filter={name} eq null"), false),
            (format!("$filter={name} ne null"), true),
            (format!("$filter={name} eq @p&@p={literal}"), true),
            (format!("$filter={name} eq @p"), false),
            (format!("$filter={name} in ({literal})"), true),
            (format!("$filter={name} in ()"), false),
            (format!("$filter=$it/{name} ge {literal} and {name} le {literal}"), true),
            (format!("$filter=microsoft.graph.office365ActiveUserCounts/{name} ne null"), true),
        ] {
            assert_eq!(teams(world, &options) == [5], found, "{options}");
        }
        if name.ends_with("Date") {
            assert_eq!(teams(world, &format!("$filter={name} eq '{literal}'")), [5], "cast");
        }
    }
}

pub fn null_is_less_than_any_value_and_compares_with_none(world: &World) {
    fill(world);
    for (options, expected) in [
        ("$orderby=yammer,teams", vec![0, 1, 2, 3]),
        ("$orderby=yammer desc,teams", vec![3, 2, 0, 1]),
        ("$filter=yammer eq null&$orderby=teams", vec![0, 1]),
        ("$filter=yammer ne null&$orderby=teams", vec![2, 3]),
        ("$filter=yammer ne 2&$orderby=teams", vec![0, 1, 3]),
        ("$filter=yammer gt null or yammer lt 3&$orderby=teams", vec![2]),
        ("$filter=not (yammer ge 3)&$orderby=teams", vec![0, 1, 2]),
        ("$filter=null eq null&$orderby=teams", vec![0, 1, 2, 3]),
        ("$filter=null gt null", vec![]),
        ("$filter=-(teams) add 2 mul 3 eq 5", vec![1]),
        ("$filter=teams eq 0 or teams eq 1 and yammer eq 7", vec![0]),
    ] {
        assert_eq!(teams(world, options), expected, "{options}");
    }
}

pub fn each_form_of_search(world: &World) {
    fill(world);
    // Periods are 7, 30, 90 and 180; the search finds texts, dates and numbers.
    for (search, expected) in [
        ("180", vec![3]),
        ("30 OR 90", vec![1, 2]),
        ("NOT 7", vec![1, 2, 3]),
        ("%22180%22 AND 3", vec![3]),
        ("(30 OR 90) NOT 90", vec![1]),
        ("180 7", vec![]),
        ("2000-01-01&$filter=teams gt 1", vec![2, 3]),
        ("30 OR 90&$filter=teams eq 2", vec![2]),
    ] {
        let options = format!("$orderby=teams&$search={search}");
        assert_eq!(teams(world, &options), expected, "{search}");
    }
    for search in ["AND", "(7", "%22open", "7 OR", ""] {
        let reply = get(world, &format!("{COLLECTION}?$search={search}"));
        assert_eq!(reply.status, 400, "{search}\n{reply}");
    }
}

pub fn a_key_is_decoded_once_and_after_the_path_is_split(world: &World) {
    let told = |reply: &Reply| reply.message().split('\'').nth(1).unwrap_or_default().to_owned();
    for (encoded, key) in [
        ("a%2Fb", "a/b"),
        ("%25", "%"),
        ("%2525", "%25"),
        ("a%23b", "a#b"),
        ("a+b", "a+b"),
        ("a%2Bb", "a+b"),
        ("a%20b", "a b"),
        ("%C3%A9", "\u{e9}"),
    ] {
        for target in [format!("{COLLECTION}('{encoded}')"), format!("{COLLECTION}/{encoded}")] {
            let reply = get(world, &target);
            assert_eq!((reply.status, told(&reply).as_str()), (404, key), "{target}\n{reply}");
        }
    }
    let quoted = get(world, &format!("{COLLECTION}('a''b')"));
    assert!(quoted.status == 404 && quoted.message().contains("'a'b'"), "{quoted}");
}

pub fn a_format_that_is_none_is_refused_where_nothing_is_answered(world: &World) {
    create(world, SAMPLE);
    let id = get(world, COLLECTION).json()["value"][0]["id"].as_str().unwrap().to_owned();
    let before = get(world, &format!("{COLLECTION}/{id}")).text();
    for (method, rest) in [("PUT", "teams"), ("DELETE", "teams"), ("DELETE", "teams/$value")] {
        let target = format!("{COLLECTION}/{id}/{rest}?$format=nonsense");
        let reply = send(world, ask(method, &target).json(r#"{"value":77}"#));
        assert_eq!(reply.status, 406, "{method} {rest}\n{reply}");
    }
    assert_eq!(get(world, &format!("{COLLECTION}/{id}")).text(), before);
    let served = format!("{COLLECTION}/{id}/teams?$format=json");
    assert_eq!(send(world, ask("PUT", &served).json(r#"{"value":77}"#)).status, 204);
}

pub fn sets_are_not_written_at_once(world: &World) {
    create(world, SAMPLE);
    let before = get(world, COLLECTION).text();
    let delta = r##"{"@context":"#$delta","value":[{"id":"x"}]}"##;
    for (request, status) in [
        (ask("PATCH", COLLECTION).json(delta), 405),
        (ask("PUT", COLLECTION).json("{}"), 405),
        (ask("DELETE", COLLECTION), 405),
        (ask("PATCH", &format!("{COLLECTION}/$each")).json("{}"), 501),
        (ask("DELETE", &format!("{COLLECTION}/$each")), 501),
    ] {
        let reply = send(world, request);
        assert_eq!(reply.status, status, "{reply}");
        assert!(status != 405 || reply.header("allow").is_some(), "{reply}");
    }
    assert_eq!(get(world, COLLECTION).text(), before, "a refusal has left a trace");
}
