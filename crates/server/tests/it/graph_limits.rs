//! Graph's limits on demand: what is counted, for whom, and how a refusal looks.

use rollcall::auth::issuer::{Grant, Holder, Version};
use serde_json::json;
use uuid::Uuid;

use crate::client::{Ask, Reply, ask};
use crate::process::{Fresh, token};
use crate::sample::{COLLECTION, SAMPLE};
use crate::world::World;

const REPORT: &str = "/v1.0/reports/getOffice365ActiveUserCounts(period='D7')";
const CLOCK: &str = "/rollcall/test/clock";

fn csv(token: &str) -> Ask {
    ask("GET", REPORT).bearer(token)
}

fn json_rows(token: &str) -> Ask {
    ask("GET", &format!("{REPORT}?$format=application/json")).bearer(token)
}

/// How many of so many requests are not refused for their number; each of these has
/// this status.
fn answered(world: &World, request: &Ask, of: usize, status: u16) -> usize {
    let replies = (0..of).map(|_| world.send(request)).filter(|reply| reply.status != 429);
    replies.inspect(|reply| assert_eq!(reply.status, status, "{reply}")).count()
}

/// As `answered`, with links.
fn admitted(world: &World, request: &Ask, of: usize) -> usize {
    answered(world, request, of, 302)
}

fn token_of(world: &World, tenant: u128, client: u128, user: bool) -> String {
    let permissions = vec!["Reports.Read.All".to_owned()];
    let holder = if user {
        let wids = vec![Uuid::try_parse("4a5d8f65-41da-4de4-8968-e035b65339cf").unwrap()];
        Holder::User { scopes: permissions, wids }
    } else {
        Holder::Application(permissions)
    };
    let (tenant, client) = (Uuid::from_u128(tenant), Uuid::from_u128(client));
    world.token_of(&Grant { tenant, client, holder, version: Version::One, seconds: 3600 })
}

#[test]
fn csv_is_limited_for_an_application_and_for_a_tenant() {
    let world = World::limited_as_graph();
    let [a, b, c, elsewhere] = [(1, 1), (1, 2), (1, 3), (2, 1)]
        .map(|(tenant, client)| csv(&token_of(&world, tenant, client, false)));
    assert_eq!(admitted(&world, &a, 20), 14);
    assert_eq!(admitted(&world, &b, 20), 14);
    assert_eq!(admitted(&world, &c, 20), 12, "40 in all");
    assert_eq!(admitted(&world, &elsewhere, 20), 14);
    // A user's request is his application's.
    assert_eq!(admitted(&world, &csv(&token_of(&world, 3, 1, false)), 10), 10);
    assert_eq!(admitted(&world, &csv(&token_of(&world, 3, 1, true)), 10), 4);
}

#[test]
fn a_refusal_is_graph_s_and_says_when_to_come_back() {
    let world = World::limited_as_graph();
    let request = csv(&world.writer());
    assert_eq!(admitted(&world, &request, 14), 14);
    world.advance(30);
    let refused = world.send(&request);
    insta::assert_snapshot!("graph_limits_refused", refused);
    assert!(world.log().contains("cause=\"graph-limits: 14 requests of an application"));
    world.advance(569);
    let refused = world.send(&request);
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")), "{refused}");
    world.advance(1);
    assert_eq!(admitted(&world, &request, 20), 14, "those that were refused do not count");
}

#[test]
fn json_is_limited_for_an_application_alone() {
    let world = World::limited_as_graph();
    let [a, b] = [1, 2].map(|client| json_rows(&token_of(&world, 1, client, false)));
    assert_eq!(answered(&world, &a, 103, 200), 100);
    assert_eq!(answered(&world, &b, 103, 200), 100);
    let count = ask("GET", &format!("{REPORT}/$count")).bearer(&token_of(&world, 1, 1, false));
    assert_eq!(world.send(&count).status, 429, "the number of rows is asked of the report as well");
    assert_eq!(admitted(&world, &csv(&token_of(&world, 1, 1, false)), 14), 14);
}

#[test]
fn parts_of_a_batch_are_counted_one_by_one() {
    let world = World::limited_as_graph();
    let part = |id: usize| json!({"id": id.to_string(), "method": "GET", "url": &REPORT[5..]});
    let parts: Vec<_> = (0..16).map(part).collect();
    let body = json!({ "requests": parts }).to_string();
    let reply = world.send(&ask("POST", "/v1.0/$batch").bearer(&world.writer()).json(body));
    assert_eq!(reply.status, 200, "{reply}");
    let answers = reply.json()["responses"].as_array().unwrap().clone();
    let refused: Vec<_> = answers.iter().filter(|one| one["status"] == 429).collect();
    assert_eq!((answers.len(), refused.len()), (16, 2));
    assert_eq!(refused[0]["headers"]["Retry-After"], "600");
    assert_eq!(refused[0]["body"]["error"]["code"], "TooManyRequests");
}

#[test]
fn nothing_else_is_limited() {
    let world = World::limited_as_graph();
    let token = world.writer();
    // What is not understood is not counted, nor are downloads and lists.
    for options in ["$format=xml", "$filter=nothing+eq+5", "$count=x", "$format=csv&$top=-1"] {
        let wrong = ask("GET", &format!("{REPORT}?{options}")).bearer(&token);
        let status = if options == "$format=xml" { 406 } else { 400 };
        assert_eq!(answered(&world, &wrong, 20, status), 20, "{options}");
    }
    for target in [format!("{REPORT}?$format=json&$top=x"), format!("{REPORT}/$count?$filter=5")] {
        let wrong = ask("GET", &target).bearer(&token);
        assert_eq!(answered(&world, &wrong, 110, 400), 110, "{target}");
    }
    let strict = json_rows(&token).header("Prefer", "handling=strict,return=minimal");
    assert_eq!(answered(&world, &strict, 110, 400), 110);
    assert_eq!(answered(&world, &json_rows(&token), 110, 200), 100);
    assert_eq!(answered(&world, &ask("GET", COLLECTION).bearer(&token), 110, 200), 110);
    let link = world.send(&csv(&token)).header("location").unwrap().to_owned();
    let link = link.split_once("rollcall.test").unwrap().1;
    assert_eq!(answered(&world, &ask("GET", link), 50, 200), 50);
    assert_eq!(admitted(&world, &csv(&token), 20), 13);
    let plain = World::plain();
    assert_eq!(admitted(&plain, &csv(&plain.writer()), 50), 50, "without the switch");
}

#[test]
fn the_binary_has_them_when_it_is_told() {
    let fresh = Fresh::start(&["--graph-limits", "--test-controls"]);
    let (service, data) = (&fresh.service, &fresh.data);
    let token = token(data, &[]);
    let set = |body: &str| {
        let reply = ask("PUT", CLOCK).bearer(&token).json(body).send(service.address);
        assert_eq!(reply.status, 200, "{reply}");
    };
    let now = ask("GET", CLOCK).bearer(&token).send(service.address).json();
    set(&json!({"now": now["now"], "frozen": true}).to_string());
    let created = ask("POST", COLLECTION).bearer(&token).json(SAMPLE).send(service.address);
    assert_eq!(created.status, 201, "{created}");
    let replies: Vec<Reply> = (0..15).map(|_| csv(&token).send(service.address)).collect();
    assert!(replies[..14].iter().all(|reply| reply.status == 302));
    assert_eq!((replies[14].status, replies[14].header("retry-after")), (429, Some("600")));
    let later: jiff::Timestamp = now["now"].as_str().unwrap().parse().unwrap();
    let later = later + jiff::SignedDuration::from_mins(10);
    set(&json!({"now": later.to_string(), "frozen": true}).to_string());
    assert_eq!(csv(&token).send(service.address).status, 302);
}
