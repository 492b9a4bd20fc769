//! Reading: one object, all of them, page by page, and what is not there.

use std::collections::HashSet;

use crate::client::{Reply, ask};
use crate::sample::{COLLECTION, SAMPLE, fact};
use crate::world::World;

fn get(world: &World, target: &str) -> Reply {
    world.send(&ask("GET", target).bearer(&world.writer()))
}

fn fill(world: &World, count: usize) {
    for number in 0..count {
        let request = ask("POST", COLLECTION).bearer(&world.writer()).json(fact(number));
        assert_eq!(world.send(&request).status, 201);
    }
}

/// The numbers that `fact` put into the rows of one page.
fn numbers(reply: &Reply) -> Vec<u64> {
    let page = reply.json();
    let rows = page["value"].as_array().unwrap_or_else(|| panic!("{reply}"));
    rows.iter().map(|row| row["teams"].as_u64().unwrap()).collect()
}

fn next(reply: &Reply) -> Option<String> {
    let link = reply.json()["@odata.nextLink"].as_str()?.to_owned();
    Some(link.strip_prefix("http://rollcall.test").expect("an absolute link").to_owned())
}

/// All pages from this one on.
fn pages(world: &World, target: &str) -> Vec<Vec<u64>> {
    let mut pages = Vec::new();
    let mut target = Some(target.to_owned());
    while let Some(one) = target {
        let reply = get(world, &one);
        pages.push(numbers(&reply));
        target = next(&reply);
    }
    pages
}

pub fn empty(world: &World) {
    insta::assert_snapshot!("empty", get(world, COLLECTION));
    assert_eq!(get(world, &format!("{COLLECTION}?$count=true")).json()["@odata.count"], 0);
}

pub fn newest_day_first(world: &World) {
    fill(world, 6);
    insta::assert_snapshot!("collection", get(world, &format!("{COLLECTION}?$top=2&$count=true")));
    let order = pages(world, COLLECTION).concat();
    assert_eq!(order[..2], [4, 5], "the day that was created last is the newest");
    assert_eq!(order.iter().copied().collect::<HashSet<u64>>(), (0..6).collect());
}

pub fn pages_hold_every_row_once(world: &World) {
    fill(world, 23);
    let all: Vec<u64> = pages(world, COLLECTION).concat();
    assert_eq!(all.len(), 23);
    // The world's pages have at most five rows.
    for (query, sizes) in [
        ("", vec![5, 5, 5, 5, 3]),
        ("?$top=0", vec![0]),
        ("?$top=5", vec![5]),
        ("?$top=12&$count=true", vec![5, 5, 2]),
        ("?top=10", vec![5, 5]),
        ("?%24top=99&x=1", vec![5, 5, 5, 5, 3]),
    ] {
        let pages = pages(world, &format!("{COLLECTION}{query}"));
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{query}");
        let rows = pages.concat();
        assert_eq!(rows, all[..rows.len()], "{query}");
    }
}

pub fn pages_stay_whole_while_others_write(world: &World) {
    fill(world, 20);
    let first = get(world, COLLECTION);
    let mut seen = numbers(&first);
    // A newer day, an older day, and one row of the page before gone.
    for number in [40, 41] {
        let request = ask("POST", COLLECTION).bearer(&world.writer()).json(fact(number));
        assert_eq!(world.send(&request).status, 201);
    }
    let gone = first.json()["value"][0]["id"].as_str().unwrap().to_owned();
    let gone = ask("DELETE", &format!("{COLLECTION}/{gone}")).bearer(&world.writer());
    assert_eq!(world.send(&gone).status, 204);
    let mut target = next(&first);
    while let Some(one) = target {
        let reply = get(world, &one);
        seen.extend(numbers(&reply));
        target = next(&reply);
    }
    assert_eq!(seen.len(), 20);
    assert_eq!(seen.into_iter().collect::<HashSet<u64>>(), (0..20).collect());
}

pub fn counts(world: &World) {
    fill(world, 7);
    insta::assert_snapshot!("count", get(world, &format!("{COLLECTION}/$count")));
    let last = get(world, &format!("{COLLECTION}?$count=true&$top=1"));
    assert_eq!((last.json()["@odata.count"].as_u64(), next(&last)), (Some(7), None));
}

pub fn what_a_page_cannot_be_asked_for(world: &World) {
    fill(world, 7);
    let token = next(&get(world, &format!("{COLLECTION}?$top=6"))).unwrap();
    let token = token.split("skiptoken=").nth(1).unwrap().to_owned();
    let queries = [
        "$top=-1".to_owned(),
        "$top=x".to_owned(),
        "$top=".to_owned(),
        "$top=1&$top=2".to_owned(),
        "$top=1&top=1".to_owned(),
        "$count=yes".to_owned(),
        "$skiptoken=abc".to_owned(),
        format!("$skiptoken={token}"),
        format!("$top=7&$skiptoken={token}"),
        "$nonsense=1".to_owned(),
        "$top=%FF".to_owned(),
        "$top=99999999999999999999999".to_owned(),
    ];
    let mut lines = Vec::new();
    for query in queries {
        let reply = get(world, &format!("{COLLECTION}?{query}"));
        assert_eq!(reply.status, 400, "{query}\n{reply}");
        lines.push(format!("{} => {}", query.replace(&token, "TOKEN"), reply.message()));
    }
    insta::assert_snapshot!("bad_queries", lines.join("\n"));
}

pub fn what_is_not_served_is_501_and_never_ignored(world: &World) {
    fill(world, 1);
    let options = [
        "APPLY=topcount(1,teams)",
        "$filter=teams has Some.Flag'x'",
        "$filter=geo.distance(teams,teams) lt 1",
        "$orderby=cast(teams,Edm.GeographyPoint)",
    ];
    let mut targets: Vec<String> =
        options.iter().map(|one| format!("{COLLECTION}?{}", one.replace(' ', "%20"))).collect();
    targets.push(format!("{COLLECTION}/$each"));
    targets.extend(["$all", "$crossjoin(x)"].map(|name| format!("/v1.0/{name}")));
    let lines: Vec<String> = targets
        .iter()
        .map(|target| {
            let reply = get(world, target);
            assert_eq!(reply.status, 501, "{target}\n{reply}");
            format!("{target} => {}", reply.message())
        })
        .collect();
    insta::assert_snapshot!("not_served", lines.join("\n"));
}

pub fn what_means_nothing_is_400_and_never_ignored(world: &World) {
    fill(world, 1);
    let first = get(world, COLLECTION).json()["value"][0]["id"].as_str().unwrap().to_owned();
    let one = format!("{COLLECTION}/{first}");
    let report = "/v1.0/reports/getOffice365ActiveUserCounts(period='D7')";
    let targets = [
        (COLLECTION, &["?$deltatoken=x", "?%24index=1"][..]),
        (&one, &["?$filter=true", "?$orderby=id", "?skiptoken=x", "/teams?$top=1"]),
        (&one, &["/teams/$count", "/$ref?$select=x", "/$filter(true)"]),
        (COLLECTION, &["/$count?$select=teams", "/$count?$skiptoken=x", "/$count?$format=json"]),
        (report, &["?$count=true", "?$skiptoken=x", "/$count?$select=teams"]),
        ("/v1.0", &["?$top=1", "/$metadata?$top=1", "/reports?$filter=true"]),
    ];
    let targets = targets.iter().flat_map(|(place, all)| all.iter().map(move |one| (place, one)));
    let lines: Vec<String> = targets
        .map(|(place, rest)| {
            let reply = get(world, &format!("{place}{rest}"));
            assert_eq!(reply.status, 400, "{rest}\n{reply}");
            format!("{}{rest} => {}", place.replace(&one, "ONE"), reply.message())
        })
        .collect();
    insta::assert_snapshot!("means_nothing", lines.join("\n"));
    let custom = get(world, &format!("{COLLECTION}?custom=1&x-y=z"));
    assert_eq!(custom.status, 200, "custom options are the client's own affair");
}

pub fn what_is_not_there(world: &World) {
    let targets = [
        "/v1.0/nothing",
        "/v1.0/reports/nothing",
        "/v1.0/office365ActiveUserCounts/x/y/z",
        "/v1.0/reports/",
        "/v1.0//reports",
        "/v1.0/reports/office365ActiveUserCounts/not-a-guid",
        "/v1.0/reports/office365ActiveUserCounts('not-a-guid')",
        "/v1.0/reports/office365ActiveUserCounts/da0e2eb0-2eb0-da0e-b02e-0edab02e0eda",
        "/v1.0/reports/office365ActiveUserCounts('da0e2eb0-2eb0-da0e-b02e-0edab02e0eda')/nothing",
        "/v1.0/reports/office365ActiveUserCounts(reportDate=2026-11-18)",
        "/v1.0/reports/office365ActiveUserCounts()",
        "/v1.0/reports/office365ActiveUserCounts(",
        "/v1.0/%FF",
        "/v2.0/reports",
        "/nothing",
        "/v1.0x/reports",
        "/graph/v1.0/reports",
    ];
    let lines: Vec<String> = targets
        .iter()
        .map(|target| {
            let reply = get(world, target);
            let told = if reply.status == 200 {
                String::new()
            } else {
                format!("{} {}", reply.code(), reply.message())
            };
            format!("{target} => {} {told}", reply.status)
        })
        .collect();
    insta::assert_snapshot!("not_there", lines.join("\n"));
    insta::assert_snapshot!("unknown_segment", get(world, "/v1.0/nothing"));
    insta::assert_snapshot!("unknown_version", get(world, "/v3.0/reports"));
}

pub fn head_is_get_without_a_body(world: &World) {
    let created = world.send(&ask("POST", COLLECTION).bearer(&world.writer()).json(SAMPLE));
    let one = created.header("location").unwrap().replace("http://rollcall.test", "");
    for target in
        [one.as_str(), COLLECTION, "/v1.0", "/v1.0/$metadata", "/v1.0/reports", "/", "/health/live"]
    {
        let (get, head) =
            (get(world, target), world.send(&ask("HEAD", target).bearer(&world.writer())));
        assert_eq!((head.status, head.body.len()), (200, 0), "{target}");
        let kept = |reply: &Reply| {
            let own = |name: &str| !name.to_ascii_lowercase().ends_with("request-id");
            reply.headers.iter().filter(|(name, _)| own(name)).cloned().collect::<Vec<_>>()
        };
        assert_eq!(kept(&head), kept(&get), "{target}");
    }
    let nowhere = ask("HEAD", &format!("{COLLECTION}/not-a-guid")).bearer(&world.writer());
    assert_eq!(world.send(&nowhere).status, 404);
}

pub fn keys_in_every_spelling(world: &World) {
    let created = world.send(&ask("POST", COLLECTION).bearer(&world.writer()).json(SAMPLE));
    let id = created.json()["id"].as_str().unwrap().to_owned();
    let upper = id.to_uppercase();
    for target in [
        format!("{COLLECTION}/{id}"),
        format!("{COLLECTION}/{upper}/"),
        format!("{COLLECTION}('{id}')"),
        format!("{COLLECTION}(%27{upper}%27)"),
        format!("{COLLECTION}%28'{id}'%29"),
        format!("{COLLECTION}(id='{id}')"),
        format!("{COLLECTION}(@k)?@k='{id}'"),
        format!("/beta/office365ActiveUserCounts('{id}')"),
    ] {
        let reply = get(world, &target);
        assert_eq!(
            (reply.status, reply.json()["id"].as_str()),
            (200, Some(id.as_str())),
            "{target}"
        );
    }
}
