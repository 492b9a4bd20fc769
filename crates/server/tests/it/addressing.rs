//! Addresses of OData 4.01: expressions in the path, queries in a body, types
//! by the alias, and one name for each entity.

use rollcall::auth::issuer::{Grant, Holder, Version};

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, SAMPLE, fact};
use crate::world::{TENANT, World};

const REPORT: &str = "/v1.0/reports/getOffice365ActiveUserCounts(period='ALL')";

fn send(world: &World, request: Ask) -> Reply {
    world.send(&request.bearer(&world.writer()))
}

fn get(world: &World, target: &str) -> Reply {
    send(world, ask("GET", &target.replace(' ', "%20")))
}

/// Asks with a query in the body.
fn post(world: &World, target: &str, query: &str) -> Reply {
    let request = ask("POST", &format!("{target}/$query"));
    send(world, request.header("Content-Type", "text/plain").body(query))
}

/// Twelve rows, more than two pages: teams from 0 to 11.
fn fill(world: &World) {
    for number in 0..12 {
        assert_eq!(send(world, ask("POST", COLLECTION).json(fact(number))).status, 201);
    }
}

/// The teams of all pages, in the order of their numbers.
fn teams(world: &World, target: &str) -> Vec<u64> {
    let (mut all, mut next) = (Vec::new(), Some(target.to_owned()));
    while let Some(target) = next {
        let reply = get(world, &target);
        assert_eq!(reply.status, 200, "{target}\n{reply}");
        let page = reply.json();
        let rows = page["value"].as_array().unwrap();
        all.extend(rows.iter().map(|row| row["teams"].as_u64().unwrap()));
        let link = page["@odata.nextLink"].as_str();
        next = link.map(|link| link.replace("http://rollcall.test", ""));
    }
    all.sort_unstable();
    all
}

pub fn an_expression_in_the_path_leaves_a_part(world: &World) {
    fill(world);
    let above_four: Vec<u64> = (5..12).collect();
    for rest in [
        "$filter(teams gt 4)",
        "$FILTER(teams%20gt%204)",
        "$filter(@f)?@f=teams gt 4",
        "$filter(teams gt @n)?@n=4",
        "$filter(teams ge 0)/$filter(teams gt 4)",
        "$filter(microsoft.graph.office365ActiveUserCounts/teams gt 4)",
        "$filter(teams gt 4 and contains('a/b)','/'))",
        "microsoft.graph.office365ActiveUserCounts/$filter(teams gt 4)/graph.office365ActiveUserCounts",
        "$filter(teams gt 2)?$filter=teams gt 4",
        "$filter(teams gt 4 and now() gt 2000-01-01T00:00:00Z)?$orderby=teams desc",
    ] {
        assert_eq!(teams(world, &format!("{COLLECTION}/{rest}")), above_four, "{rest}");
    }
    // A report has one row of each day, here of every fourth.
    assert_eq!(teams(world, &format!("{REPORT}/$filter(teams gt 4)?$format=json")), [7, 11]);
    assert_eq!(get(world, &format!("{COLLECTION}/$filter(teams gt 4)/$count")).text(), "7");
    assert_eq!(get(world, &format!("{REPORT}/$filter(teams gt 4)/$count")).text(), "2");
    let under = format!("{COLLECTION}/$filter(teams gt 4)/$count?$filter=teams lt 7");
    assert_eq!(get(world, &under).text(), "2");
    let none = format!("{COLLECTION}/$filter(teams gt 4)/$filter(teams lt 4)");
    assert_eq!(get(world, &none).json()["value"], serde_json::json!([]));
    let addresses = get(world, &format!("{COLLECTION}/$filter(teams gt 8)/$ref")).json();
    assert_eq!(addresses["value"].as_array().unwrap().len(), 3);
}

/// What is applied, computed or written to a file begins with what the path leaves.
pub fn what_follows_sees_that_part_alone(world: &World) {
    fill(world);
    let applied = "$apply=aggregate($count as n,teams with sum as s)";
    let part = format!("{COLLECTION}/$filter(teams gt 9)");
    let sums = get(world, &format!("{part}?{applied}")).json();
    let sums = (&sums["value"][0]["n"], &sums["value"][0]["s"]);
    assert_eq!(sums, (&2.into(), &21.into()));
    let sum = get(world, &format!("{REPORT}/$filter(teams gt 9)?$format=json&{applied}")).json();
    assert_eq!(sum["value"][0]["s"], 11);
    let csv = get(world, &format!("{part}?$format=csv&$select=teams&$orderby=teams")).text();
    assert_eq!(csv, "\u{feff}Teams\r\n10\r\n11\r\n");
    let csv = csv.replace("10\r\n", "");
    let link = get(world, &format!("{REPORT}/$filter(teams gt 9)?$select=teams&$orderby=teams"));
    let link = link.header("location").unwrap().replace("http://rollcall.test", "");
    assert_eq!(world.send(&ask("GET", &link)).text(), csv);
    let unseen = get(world, &format!("{COLLECTION}/$filter(t gt 1)?$compute=teams add 1 as t"));
    assert_eq!(unseen.status, 400, "{unseen}");
    let written = send(world, ask("POST", &part.replace(' ', "%20")).json(SAMPLE));
    assert_eq!(
        (written.status, written.header("allow")),
        (405, Some("GET, HEAD, OPTIONS")),
        "{written}"
    );
    // A skip token holds for the same part.
    let page = get(world, &format!("{COLLECTION}/$filter(teams ge 0)")).json();
    let link = page["@odata.nextLink"].as_str().unwrap().replace("http://rollcall.test", "");
    assert_eq!(get(world, &link.replace("20ge%200", "20ge%201")).status, 400, "{link}");
    let tracked = ask("GET", &format!("{COLLECTION}/$filter(teams%20gt%209)"));
    let tracked = send(world, tracked.header("Prefer", "track-changes"));
    assert_eq!(tracked.header("preference-applied"), None, "{tracked}");
}

pub fn a_query_may_come_in_a_body(world: &World) {
    fill(world);
    let first = get(world, COLLECTION).json()["value"][0].clone();
    let one = format!("{COLLECTION}/{}", first["id"].as_str().unwrap());
    for (target, query) in [
        (COLLECTION, "$filter=teams%20gt%204&$orderby=teams"),
        (COLLECTION, "$filter=teams gt 4&$top=2\r\n"),
        (COLLECTION, "?$filter=teams+gt+@n&@n=4&$count=true"),
        (COLLECTION, ""),
        (COLLECTION, "$format=csv&$select=teams"),
        (one.as_str(), "$select=teams"),
        (&format!("{one}/teams"), ""),
        (&format!("{COLLECTION}/$count"), "$filter=teams gt 4"),
        (&format!("{COLLECTION}/$filter(teams%20gt%204)"), "$top=1"),
        (REPORT, "$format=json&$filter=teams gt 4"),
        ("/v1.0", ""),
        ("/v1.0/$metadata", "$format=json"),
        ("/v1.0/office365ActiveUserCounts(@k)", &format!("@k='{}'", &one[one.len() - 36..])),
    ] {
        let asked = query.trim().trim_start_matches('?');
        let (plain, posted) =
            (get(world, &format!("{target}?{asked}")), post(world, target, query));
        assert_eq!((posted.status, posted.text()), (200, plain.text()), "{target} {query}");
        for name in ["content-type", "etag", "vary", "odata-version"] {
            assert_eq!(posted.header(name), plain.header(name), "{target} {query}");
        }
    }
    let both = ask("POST", &format!("{COLLECTION}/%24Query?$top=1&$select=teams"));
    let form = "application/x-www-form-urlencoded; charset=UTF-8";
    let both = both.header("Content-Type", form).body("$filter=teams+eq+7");
    assert!(send(world, both).text().contains("[{\"@odata.id\""), "options of both count");
    let link = post(world, REPORT, "$select=teams");
    assert_eq!((link.status, link.header("location").is_some()), (302, true), "{link}");
}

pub fn what_a_query_in_a_body_cannot_be(world: &World) {
    fill(world);
    let target = format!("{COLLECTION}/$query");
    let plain = |body: &str| ask("POST", &target).header("Content-Type", "text/plain").body(body);
    let lines: Vec<String> = [
        ("another type", ask("POST", &target).json("$top=1"), 400),
        ("no type", ask("POST", &target).body("$top=1"), 400),
        ("charset", ask("POST", &target).header("Content-Type", "text/plain;charset=latin1"), 400),
        ("no UTF-8", plain("").body(vec![0xff]), 400),
        ("no option", plain("$nonsense=1"), 400),
        ("an option twice", ask("POST", &format!("{target}?top=1")), 400),
        ("an expression", plain("$filter=teams gt"), 400),
        ("GET", ask("GET", &target), 405),
        ("PATCH", ask("PATCH", &target).json("{}"), 405),
        ("a batch", ask("POST", "/v1.0/$batch/$query").header("Content-Type", "text/plain"), 405),
        ("nothing", ask("POST", "/v1.0/nothing/$query").header("Content-Type", "text/plain"), 400),
        (
            "twice",
            ask("POST", &format!("{target}/$query")).header("Content-Type", "text/plain"),
            405,
        ),
    ]
    .into_iter()
    .map(|(what, request, status)| {
        let request = if what == "an option twice" {
            request.header("Content-Type", "text/plain").body("$top=2")
        } else {
            request
        };
        let reply = send(world, request);
        assert_eq!(reply.status, status, "{what}\n{reply}");
        format!("{what} => {status} {}", reply.message())
    })
    .collect();
    insta::assert_snapshot!("bad_queries_in_bodies", lines.join("\n"));
    let stranger = world.send(&ask("POST", &target).body("$nonsense"));
    assert_eq!(stranger.status, 401, "{stranger}");
    let grant = Grant {
        tenant: TENANT.parse().unwrap(),
        client: TENANT.parse().unwrap(),
        holder: Holder::Application(vec!["Reports.Create".to_owned()]),
        version: Version::One,
        seconds: 3600,
    };
    let writer = world.token_of(&grant);
    let unread = world.send(&ask("POST", &target).bearer(&writer).body("$nonsense"));
    assert_eq!(unread.status, 403, "to ask takes the permission to read\n{unread}");
    let options = send(world, ask("OPTIONS", &target));
    assert_eq!(options.header("allow"), Some("POST, OPTIONS"), "{options}");
}

/// A query for which no URL has room, up to a limit of its own.
#[test]
fn a_query_in_a_body_may_be_long() {
    let world = World::with_limits(|limits| {
        limits.url_bytes = 600;
        limits.query_bytes = 3000;
    });
    fill(&world);
    let many: Vec<String> = (0..400).map(|number| number.to_string()).collect();
    let query = format!("$orderby=teams&$filter=teams in ({})", many.join(","));
    assert_eq!(get(&world, &format!("{COLLECTION}?{query}")).status, 414);
    let reply = post(&world, COLLECTION, &query);
    assert_eq!(reply.status, 200, "{reply}");
    let body = reply.json();
    // Five are a page, and no address has room for the next.
    assert_eq!(body["value"].as_array().unwrap().len(), 12);
    assert_eq!(body.get("@odata.nextLink"), None);
    let wishes = ask("POST", &format!("{COLLECTION}/$query")).header("Content-Type", "text/plain");
    let wishes = wishes.header("Prefer", "maxpagesize=2, track-changes").body(query.clone());
    assert_eq!(send(&world, wishes).header("preference-applied"), None);
    let short = post(&world, COLLECTION, "$filter=teams ge 0").json();
    let link = short["@odata.nextLink"].as_str().unwrap().replace("http://rollcall.test", "");
    assert_eq!(get(&world, &link).status, 200, "{link}");
    let addresses = post(&world, &format!("{COLLECTION}/$ref"), &query).json();
    assert_eq!(addresses["value"].as_array().unwrap().len(), 12);
    let over = post(&world, COLLECTION, &format!("{query}&x={}", "x".repeat(3000)));
    assert_eq!((over.status, over.code().as_str()), (413, "requestEntityTooLarge"), "{over}");
    assert!(over.message().contains("query-bytes"), "{over}");
}

pub fn a_query_in_a_batch_reads(world: &World) {
    fill(world);
    let part = |id: &str, more: &str| {
        // `$filter=teams gt 9`, as JSON has what is none.
        format!(
            "{{\"\\u0069d\":\"{id}\",{more}\"method\":\"POST\",\"url\":\"reports/office365ActiveUserCounts\
             /$count/$query\",\"headers\":{{\"Content-Type\":\"text/plain\"}},\"body\":\
             \"JHRvcD0x\"}}"
        )
    };
    let batch = |parts: String| {
        let body = format!("{{\"requests\":[{parts}]}}");
        send(world, ask("POST", "/v1.0/$batch").json(body)).json()["responses"].clone()
    };
    let alone = batch(part("1", ""));
    assert_eq!((&alone[0]["status"], &alone[0]["body"]), (&200.into(), &"MTI".into()), "{alone}");
    let grouped = batch(part("1", "\"atomicityGroup\":\"g\","));
    assert_eq!(grouped[0]["status"], 400, "{grouped}");
}

pub fn an_entity_has_one_name(world: &World) {
    let minimal = ask("POST", COLLECTION).json(SAMPLE).header("Prefer", "return=minimal");
    let made = send(world, minimal);
    let name = made.header("odata-entityid").unwrap().to_owned();
    let location = made.header("location").unwrap().replace("http://rollcall.test", "");
    let full = get(world, &format!("{location}?$format=application/json;odata.metadata=full"));
    assert_eq!(full.json()["@odata.id"], name.as_str());
    let reference = get(world, &format!("{location}/$ref")).json();
    assert_eq!(reference["@odata.id"], name.as_str());
    let changed = ask("PATCH", &location).json("{}").header("Prefer", "return=minimal");
    assert_eq!(send(world, changed).header("odata-entityid"), Some(name.as_str()));
    let path = name.replace("http://rollcall.test", "");
    let whole = get(world, &path);
    let relative = path.replace("/v1.0/", "");
    for id in [name.as_str(), &path, &path.to_uppercase().replace("/V1.0", "/v1.0"), &relative] {
        for cast in
            ["", "/graph.office365ActiveUserCounts", "/microsoft.graph.office365ActiveUserCounts"]
        {
            let reply = get(world, &format!("/v1.0/$entity{cast}?$id={id}"));
            assert_eq!((reply.status, reply.text()), (200, whole.text()), "{cast} {id}\n{reply}");
        }
    }
    for wrong in
        [format!("/v1.0/$entity?$id=/beta{}", &path[5..]), "/v1.0/$entity/x?$id=x".to_owned()]
    {
        assert_eq!(get(world, &wrong).status, 400, "{wrong}");
    }
    let unchanged = ask("GET", &path).header("If-None-Match", "W/\"1\", W/\"2\"");
    let unchanged = send(world, unchanged);
    assert_eq!((unchanged.status, unchanged.header("odata-version")), (304, Some("4.0")));
}

pub fn types_may_be_named_by_the_alias(world: &World) {
    assert_eq!(send(world, ask("POST", COLLECTION).json(SAMPLE)).status, 201);
    let name = "office365ActiveUserCounts";
    let row = get(world, COLLECTION).json();
    for target in [
        format!("{COLLECTION}/graph.{name}"),
        format!("{COLLECTION}/GRAPH.{name}"),
        format!("/v1.0/{name}/microsoft.graph.{name}"),
    ] {
        assert_eq!(get(world, &target).json(), row, "{target}");
    }
    let selected = get(world, &format!("{COLLECTION}?$select=graph.{name}/teams")).json();
    assert_eq!(selected["value"][0]["teams"], 5);
    assert_eq!(get(world, &format!("{COLLECTION}/graph.nothing")).status, 404);
}

/// Strings are compared as they are: addresses read a key as a GUID, expressions as text.
pub fn an_id_in_an_expression_is_text(world: &World) {
    let id = "da0e2eb0-2eb0-da0e-b02e-0edab02e0eda";
    let body = SAMPLE.replacen('{', &format!("{{\"id\":\"{id}\","), 1);
    assert_eq!(send(world, ask("POST", COLLECTION).json(body)).status, 201);
    let found = |filter: &str| get(world, &format!("{COLLECTION}/$count?$filter={filter}")).text();
    let upper = id.to_uppercase();
    assert_eq!(found(&format!("id eq '{id}'")), "1");
    assert_eq!(found(&format!("id eq '{upper}'")), "0");
    assert_eq!(found(&format!("id ne '{upper}'")), "1");
    assert_eq!(found(&format!("id in ('{upper}','{id}')")), "1");
    assert_eq!(found(&format!("id eq tolower('{upper}')")), "1");
    assert_eq!(get(world, &format!("{COLLECTION}('{upper}')")).status, 200);
}
