//! Formats: which one an answer has, and what is refused.

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, fact};
use crate::world::World;

const REPORT: &str = "/v1.0/reports/getOffice365ActiveUserCounts(period='D7')";

fn send(world: &World, request: Ask, accept: &str) -> Reply {
    world.send(&request.bearer(&world.writer()).header("Accept", accept))
}

/// The address of an entity that is made for the purpose.
fn made(world: &World, number: usize) -> String {
    let made = world.send(&ask("POST", COLLECTION).bearer(&world.writer()).json(fact(number)));
    made.header("location").unwrap().strip_prefix("http://rollcall.test").unwrap().to_owned()
}

/// Every resource that is answered in JSON.
fn resources(world: &World) -> Vec<String> {
    let one = made(world, 0);
    let id = one.rsplit('/').next().unwrap();
    vec![
        "/v1.0".to_owned(),
        "/v1.0/reports".to_owned(),
        COLLECTION.to_owned(),
        format!("{COLLECTION}/$ref"),
        format!("/beta/$entity?$id=office365ActiveUserCounts/{id}"),
        format!("{one}/$ref"),
        format!("{one}/teams"),
        REPORT.to_owned(),
        one,
    ]
}

pub fn a_format_that_is_accepted_or_406(world: &World) {
    for target in resources(world) {
        for accept in [
            "application/json",
            "application/json;q=0.1, application/xml",
            "text/html, application/json;odata.metadata=minimal;charset=utf-8",
        ] {
            let reply = send(world, ask("GET", &target), accept);
            assert_eq!(reply.status, 200, "{target} {accept}\n{reply}");
            assert!(reply.header("vary").unwrap().starts_with("Accept"), "{reply}");
        }
        for accept in
            ["application/xml", "application/json;odata.metadata=bogus", "text/html;q=0.5"]
        {
            let reply = send(world, ask("GET", &target), accept);
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (406, "notAcceptable"),
                "{target} {accept}\n{reply}"
            );
        }
        let join = if target.contains('?') { '&' } else { '?' };
        for (format, status) in [
            ("json", 200),
            ("JSON", 200),
            ("application/json;odata.metadata=minimal;IEEE754Compatible=false", 200),
            ("xml", 406),
            ("json;odata.metadata=minimal", 406),
            ("application/json;odata.metadata=bogus", 406),
            ("application/json;unknown=1", 406),
        ] {
            let target = format!("{target}{join}$format={format}");
            let reply = send(world, ask("GET", &target), "application/xml");
            assert_eq!(reply.status, status, "{target}\n{reply}");
        }
    }
    insta::assert_snapshot!(
        "not_acceptable",
        send(world, ask("GET", COLLECTION), "application/xml")
    );
}

pub fn anything_is_what_graph_answers(world: &World) {
    for target in resources(world).into_iter().filter(|target| target != REPORT) {
        let plain = world.send(&ask("GET", &target).bearer(&world.writer()));
        for accept in ["*/*", "application/*", "text/html, */*;q=0.1", ""] {
            let reply = send(world, ask("GET", &target), accept);
            assert_eq!(reply.header("content-type"), plain.header("content-type"), "{accept}");
            assert_eq!(reply.body, plain.body, "{target} {accept}");
        }
    }
}

pub fn what_cannot_be_answered_is_not_written(world: &World) {
    let one = made(world, 0);
    let before = send(world, ask("GET", &one), "*/*");
    for request in [
        ask("POST", COLLECTION).json(fact(1)),
        ask("PATCH", &one).json("{\"teams\":77}"),
        ask("PUT", &one).json(fact(0).replace("\"teams\":0", "\"teams\":77")),
        ask("PUT", &format!("{one}/teams"))
            .json("{\"value\":77}")
            .header("Prefer", "return=representation"),
    ] {
        let reply = send(world, request, "application/xml");
        assert_eq!((reply.status, reply.code().as_str()), (406, "notAcceptable"), "{reply}");
    }
    assert_eq!(send(world, ask("GET", &one), "*/*").body, before.body);
    let number = send(world, ask("GET", &format!("{COLLECTION}/$count")), "application/xml");
    assert_eq!((number.status, number.text().as_str()), (200, "1"), "a number has one format");
    assert_eq!(send(world, ask("DELETE", &one), "application/xml").status, 204);
}

pub fn a_plain_value_is_plain_text(world: &World) {
    let value = format!("{}/teams/$value", made(world, 5));
    for accept in ["*/*", "text/plain", "text/*;q=0.1", "text/plain;charset=utf-8"] {
        let reply = send(world, ask("GET", &value), accept);
        assert_eq!((reply.status, reply.text().as_str()), (200, "5"), "{accept}");
    }
    for accept in ["application/json", "text/html", "text/plain;x=1"] {
        assert_eq!(send(world, ask("GET", &value), accept).status, 406, "{accept}");
    }
    let reply = send(world, ask("GET", &format!("{value}?$format=text/plain")), "text/html");
    assert_eq!(reply.status, 200, "{reply}");
}

fn full(world: &World, target: &str) -> Reply {
    send(world, ask("GET", target), "application/json;odata.metadata=full")
}

/// Every resource in one form, one whole answer after the other.
fn in_form(world: &World, form: &str) -> String {
    let mut targets = resources(world);
    made(world, 1);
    targets.extend([
        format!("{COLLECTION}?$count=true&$select=teams&$orderby=teams"),
        format!(
            "{COLLECTION}?$compute=teams+add+1+as+t,reportDate+as+day,teams+divby+2+as+half,\
             teams+gt+0+as+some&$select=t,day,half,some,id&$top=1"
        ),
        format!("{REPORT}?$format=application/json;{form}&$count=true&$compute=teams+add+1+as+t"),
    ]);
    let accept = format!("application/json;{form}");
    let shown = targets.iter().map(|target| {
        let request = ask("GET", target).header("Prefer", "maxpagesize=1");
        let reply = send(world, request, &accept);
        assert_eq!(reply.status, 200, "{target}\n{reply}");
        format!("{target}\n{}\n{}\n", reply.header("content-type").unwrap(), reply.text())
    });
    let shown = shown.collect::<String>().replace("http://rollcall.test", "");
    // A token is of its request, whose names are not the same in every catalogue.
    let mut parts = shown.split("$skiptoken=");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, rest| text + "$skiptoken=…" + &rest[rest.find('"').unwrap()..])
}

pub fn without_metadata_are_count_and_next_link_alone(world: &World) {
    insta::assert_snapshot!("none", in_form(world, "odata.metadata=none"));
}

pub fn full_metadata_is_everything(world: &World) {
    insta::assert_snapshot!("full", in_form(world, "metadata=full"));
}

pub fn numbers_of_64_bits_are_strings_for_who_asks(world: &World) {
    insta::assert_snapshot!("ieee754", in_form(world, "IEEE754Compatible=true"));
}

pub fn links_lead_where_they_say(world: &World) {
    made(world, 3);
    let listed = full(world, COLLECTION).json()["value"][0].clone();
    let path = |url: &serde_json::Value| {
        url.as_str().unwrap().strip_prefix("http://rollcall.test").unwrap().to_owned()
    };
    let (id, edit) = (path(&listed["@odata.id"]), path(&listed["@odata.editLink"]));
    assert_eq!(full(world, &id).json()["@odata.id"], listed["@odata.id"]);
    let tag = listed["@odata.etag"].as_str().unwrap();
    let change = ask("PATCH", &edit).json("{\"teams\":77}").header("If-Match", tag);
    let changed = send(world, change, "application/json;odata.metadata=full");
    let body = changed.json();
    assert_eq!((changed.status, &body["teams"]), (200, &77.into()), "{changed}");
    assert_eq!(body["@odata.etag"], *changed.header("etag").unwrap());
    assert_eq!(path(&body["@odata.editLink"]), edit);
    // A client that sends back what it was given, annotations and all.
    let same = ask("PUT", &edit).json(changed.body.clone());
    assert_eq!(send(world, same, "*/*").status, 200);
    let singleton = full(world, "/v1.0/reports").json();
    let to = path(&singleton["office365ActiveUserCounts@odata.navigationLink"]);
    assert_eq!(send(world, ask("GET", &to), "*/*").status, 200);
}

pub fn the_key_that_is_not_selected_is_told_by_the_address(world: &World) {
    made(world, 3);
    let listed = send(world, ask("GET", &format!("{COLLECTION}?$select=teams")), "*/*").json();
    let id = listed["value"][0]["@odata.id"].as_str().unwrap().to_owned();
    let one = id.strip_prefix("http://rollcall.test").unwrap();
    let read = send(world, ask("GET", &format!("{one}?$select=teams")), "*/*").json();
    assert_eq!((read["@odata.id"].as_str(), &read["teams"]), (Some(id.as_str()), &3.into()));
    let keyed = send(world, ask("GET", &format!("{one}?$select=teams,id")), "*/*").json();
    assert_eq!(keyed.get("@odata.id"), None);
    let none = "application/json;odata.metadata=none";
    let bare = send(world, ask("GET", &format!("{COLLECTION}?$select=teams")), none).json();
    assert_eq!(bare, serde_json::json!({ "value": [{ "teams": 3 }] }));
}

/// 2^53 + 1: no double is this number.
const LONG: &str = "9007199254740993";

const COMPATIBLE: &str = "application/json;IEEE754Compatible=true";

pub fn long_numbers_are_exact_both_ways(world: &World) {
    let text = fact(0).replace("\"teams\":0", &format!("\"teams\":\"{LONG}\""));
    let plain = ask("POST", COLLECTION).json(text.clone());
    let refused = send(world, plain, "*/*");
    assert_eq!(refused.status, 400, "{refused}");
    assert!(refused.message().contains("Edm.Int64"), "{refused}");
    let sent = ask("POST", COLLECTION).header("Content-Type", COMPATIBLE).body(text);
    let made = send(world, sent, "*/*");
    assert_eq!(made.status, 201, "{made}");
    assert!(made.text().contains(&format!("\"teams\":{LONG},")), "{made}");
    let one = made.header("location").unwrap().strip_prefix("http://rollcall.test").unwrap();
    let read = send(world, ask("GET", one), COMPATIBLE);
    assert!(read.header("content-type").unwrap().contains("IEEE754Compatible=true"), "{read}");
    assert!(read.text().contains(&format!("\"teams\":\"{LONG}\"")), "{read}");
    assert!(read.text().contains("\"reportPeriod\":\"7\""), "a string is one as ever: {read}");
    let listed = send(world, ask("GET", &format!("{COLLECTION}?$count=true")), COMPATIBLE).json();
    assert_eq!(
        (&listed["@odata.count"], &listed["value"][0]["teams"]),
        (&"1".into(), &LONG.into())
    );

    let property = format!("{one}/yammer");
    let put = |content_type: &str, body: &str| {
        let request = ask("PUT", &property).header("Content-Type", content_type).body(body);
        send(world, request, "*/*").status
    };
    let value = format!("{{\"value\":\"{LONG}\"}}");
    assert_eq!(put("application/json", &value), 400);
    assert_eq!(put("application/json;IEEE754Compatible=false", &value), 400);
    assert_eq!(put(COMPATIBLE, &value), 204);
    assert_eq!(put(COMPATIBLE, "{\"value\":\"1.5\"}"), 400);
    assert_eq!(put(COMPATIBLE, "{\"value\":\"-1\"}"), 400);
    assert_eq!(put(COMPATIBLE, "{\"value\":\"9223372036854775808\"}"), 400);
    let read = send(world, ask("GET", &property), COMPATIBLE);
    assert_eq!(read.json()["value"], LONG);
    assert!(send(world, ask("GET", &property), "*/*").text().ends_with(&format!(":{LONG}}}")));
    assert_eq!(put(COMPATIBLE, &format!("{{\"value\":{LONG}}}")), 204, "a number is still one");
    let patch = ask("PATCH", one).header("Content-Type", COMPATIBLE).body("{\"teams\":\"5\"}");
    assert_eq!(send(world, patch, "*/*").json()["teams"], 5);
}

/// What is computed of the longest numbers there are, and what it is by hand.
const COMPUTED: &[(&str, &str)] = &[
    ("teams mul 1.0", LONG),
    ("teams divby 2", "4503599627370496.5"),
    ("teams divby 3", "3002399751580331"),
    ("cast(teams,Edm.Decimal)", LONG),
    ("-(teams add 0.1)", "-9007199254740993.1"),
    ("(teams mul 1.0) mod 2", "1"),
    ("teams mul 9007199254740993.0", "81129638414606699710187514626049"),
    ("1 divby 3", "0.3333333333333333333333333333"),
    ("round(teams divby 2)", "4503599627370497"),
];

/// On the set, on the function's rows, and as a group's value.
pub fn decimals_are_exact(world: &World) {
    let long = fact(0).replace("\"teams\":0", &format!("\"teams\":{LONG}"));
    assert_eq!(send(world, ask("POST", COLLECTION).json(long), "*/*").status, 201);
    let function = "/beta/reports/getOffice365ActiveUserCounts(period='D7')";
    for (expression, expected) in COMPUTED {
        let options = format!("$compute={expression} as c&$select=c&$filter=c eq {expected}");
        let grouped = format!("$apply=aggregate({expression} with max as c)");
        let summed = format!("$apply=compute({expression} as d)/aggregate(d with sum as c)");
        let mean = format!("$apply=aggregate({expression} with average as c)");
        for (place, options) in
            [(COLLECTION, &options), (function, &options), (COLLECTION, &grouped)]
                .into_iter()
                .chain([(function, &grouped), (COLLECTION, &summed), (COLLECTION, &mean)])
        {
            let target = format!("{place}?{}", options.replace(' ', "+"));
            let told = |parameters: &str| {
                let accept = format!("application/json;{parameters}");
                let reply = send(world, ask("GET", &target), &accept);
                assert_eq!(reply.status, 200, "{target}\n{reply}");
                reply.text()
            };
            let number = told("odata.metadata=full");
            let typed = format!("\"c@odata.type\":\"#Decimal\",\"c\":{expected}}}");
            assert!(number.contains(&typed), "{target}\n{number}");
            assert!(told("odata.metadata=minimal").contains(&typed), "no type declares it");
            let text = told("IEEE754Compatible=true");
            assert!(text.contains(&format!("\"c\":\"{expected}\"}}")), "{target}\n{text}");
        }
    }
    let doubles = "$compute=teams mul 1e0 as c,INF as i,-INF as m,NaN as n,binary'_-8=' as b\
                   &$select=c,i,m,n,b"
        .replace(' ', "+");
    let doubles = send(world, ask("GET", &format!("{COLLECTION}?{doubles}")), "*/*").json();
    let row = &doubles["value"][0];
    assert_eq!(row["c"].as_f64(), Some(9_007_199_254_740_992.0), "{row}");
    for (name, value, ty) in [
        ("i", "INF", "#Double"),
        ("m", "-INF", "#Double"),
        ("n", "NaN", "#Double"),
        ("b", "_-8", "#Binary"),
    ] {
        assert_eq!((&row[name], &row[format!("{name}@odata.type")]), (&value.into(), &ty.into()));
    }
}

/// Keys of an order that no double tells apart, one row to a page.
pub fn decimals_order_pages(world: &World) {
    for number in 0..5_u64 {
        let teams = 9_007_199_254_740_990 + number;
        let teams = format!("\"teams\":{teams}");
        let long =
            fact(usize::try_from(number).unwrap()).replace(&format!("\"teams\":{number}"), &teams);
        assert_eq!(send(world, ask("POST", COLLECTION).json(long), "*/*").status, 201);
    }
    for (order, expected) in [
        ("teams mul 1.5 desc", [4, 3, 2, 1, 0]),
        ("teams divby -7", [4, 3, 2, 1, 0]),
        ("teams add 0.25", [0, 1, 2, 3, 4]),
    ] {
        let mut target = format!("{COLLECTION}?$select=teams&$orderby={}", order.replace(' ', "+"));
        let mut given = Vec::new();
        loop {
            let get = ask("GET", &target).header("Prefer", "maxpagesize=1");
            let page = send(world, get, "*/*").json();
            given.push(page["value"][0]["teams"].as_u64().unwrap() - 9_007_199_254_740_990);
            match page["@odata.nextLink"].as_str() {
                Some(link) => {
                    link.strip_prefix("http://rollcall.test").unwrap().clone_into(&mut target);
                }
                None => break,
            }
        }
        assert_eq!(given, expected, "{order}");
    }
}

pub fn long_numbers_in_lines(world: &World) {
    let line = fact(0).replace("\"teams\":0", &format!("\"teams\":\"{LONG}\""));
    let sent = |content_type: &str| {
        let post = ask("POST", COLLECTION).header("Content-Type", content_type);
        send(world, post.body(line.clone()), "*/*").json()
    };
    assert_eq!(sent("application/x-ndjson")["rejected"], 1);
    let lines = "application/x-ndjson;IEEE754Compatible=true";
    assert_eq!(sent(lines)["created"], 1);
    let strings = send(world, ask("GET", COLLECTION), lines);
    assert_eq!(strings.header("content-type"), Some(lines));
    assert!(strings.text().contains(&format!("\"teams\":\"{LONG}\"")), "{strings}");
    let numbers = send(world, ask("GET", COLLECTION), "application/x-ndjson");
    assert!(numbers.text().contains(&format!("\"teams\":{LONG},")), "{numbers}");
}

pub fn what_a_write_answers_is_in_the_form_that_is_accepted(world: &World) {
    let none = "application/json;odata.metadata=none";
    let made = send(world, ask("POST", COLLECTION).json(fact(2)), none);
    assert_eq!((made.status, made.json()["teams"].as_u64()), (201, Some(2)), "{made}");
    assert!(!made.text().contains('@'), "{made}");
    assert!(made.header("content-type").unwrap().contains("odata.metadata=none"));
    let one = made.header("location").unwrap().strip_prefix("http://rollcall.test").unwrap();
    let target = format!("{one}?$format=application/json;odata.metadata=full");
    let changed = send(world, ask("PATCH", &target).json("{\"teams\":3}"), none);
    assert_eq!(changed.json()["teams@odata.type"], "#Int64", "{changed}");
}

pub fn what_has_changed_needs_metadata(world: &World) {
    made(world, 0);
    let delta = format!("{COLLECTION}/delta");
    let none = send(world, ask("GET", &delta), "application/json;odata.metadata=none");
    assert_eq!((none.status, none.code().as_str()), (406, "notAcceptable"), "{none}");
    let asked = format!("{delta}?$format=application/json;metadata=full;IEEE754Compatible=true");
    let first = send(world, ask("GET", &asked), "*/*");
    assert_eq!(first.json()["value"][0]["teams"], "0", "{first}");
    made(world, 1);
    let link = first.json()["@odata.deltaLink"].as_str().unwrap().to_owned();
    let link = link.strip_prefix("http://rollcall.test").unwrap();
    let next = send(world, ask("GET", link), "*/*");
    assert_eq!(next.json()["value"][0]["teams"], "1", "links keep the format\n{next}");
    assert_eq!(next.header("content-type"), first.header("content-type"));
    let list = ask("GET", COLLECTION).header("Prefer", "track-changes");
    let list = send(world, list, "application/json;odata.metadata=none");
    assert_eq!((list.status, list.header("preference-applied")), (200, None), "{list}");
}
