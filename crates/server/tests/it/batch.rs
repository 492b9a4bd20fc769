//! Batches as JSON: in the shapes that Graph's SDKs send, and in OData's own.

use serde_json::{Value as Json, json};

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, SAMPLE, fact};
use crate::world::World;

const BATCH: &str = "/v1.0/$batch";

fn post(world: &World, body: &Json) -> Ask {
    ask("POST", BATCH).bearer(&world.writer()).json(ids(&body.to_string()))
}

/// The same batch for a catalogue under other names, in which the ids of its
/// requests keep theirs: an escape hides them from the translation.
fn ids(batch: &str) -> String {
    batch.replace("\"id\":", "\"\\u0069d\":")
}

/// The answers to these requests.
fn batch(world: &World, requests: &Json) -> Vec<Json> {
    let reply = world.send(&post(world, &json!({ "requests": requests })));
    assert_eq!(reply.status, 200, "{reply}");
    reply.json()["responses"].as_array().unwrap().clone()
}

fn statuses(responses: &[Json]) -> Vec<u64> {
    responses.iter().map(|one| one["status"].as_u64().unwrap()).collect()
}

fn count(world: &World) -> String {
    world.send(&ask("GET", &format!("{COLLECTION}/$count")).bearer(&world.writer())).text()
}

/// A create with this id, of a fact of its own.
fn create(id: &str, number: usize) -> Json {
    json!({
        "id": id,
        "method": "POST",
        "url": "/reports/office365ActiveUserCounts",
        "headers": { "Content-Type": "application/json" },
        "body": serde_json::from_str::<Json>(&fact(number)).unwrap(),
    })
}

fn with(mut request: Json, name: &str, value: impl Into<Json>) -> Json {
    request[name] = value.into();
    request
}

fn get(id: &str, url: &str) -> Json {
    json!({ "id": id, "method": "GET", "url": url })
}

pub fn each_request_has_its_answer(world: &World) {
    let sample: Json = serde_json::from_str(SAMPLE).unwrap();
    let report = "/reports/getOffice365ActiveUserCounts(period='D7')";
    let json_type = json!({ "Content-Type": "application/json" });
    let requests = json!([
        { "id": "1", "method": "POST", "url": "/reports/office365ActiveUserCounts", "body": sample, "headers": json_type },
        { "id": "2", "method": "PATCH", "url": "$1", "body": { "teams": 6 }, "headers": json_type, "dependsOn": ["1"] },
        { "id": "3", "method": "GET", "url": "$1?$select=teams", "dependsOn": ["2"] },
        { "id": "4", "method": "PUT", "url": "$1/teams/$value", "headers": { "Content-Type": "text/plain", "Prefer": "return=representation" }, "body": "Nw" },
        { "id": "5", "method": "GET", "url": "reports/office365ActiveUserCounts/$count" },
        { "id": "6", "method": "GET", "url": report },
        { "id": "7", "method": "GET", "url": format!("{report}?$format=application/json") },
        { "id": "8", "method": "GET", "url": "/reports/office365ActiveUserCounts/00000000-0000-0000-0000-000000000000" },
        { "id": "9", "method": "DELETE", "url": "$1", "dependsOn": ["8"] },
        { "id": "10", "method": "DELETE", "url": "$1", "headers": { "If-Match": "W/\"3\"" } },
    ]);
    let reply = world.send(&post(world, &json!({ "requests": requests })));
    insta::assert_snapshot!("batch", reply);
}

pub fn every_form_of_address(world: &World) {
    assert_eq!(statuses(&batch(world, &json!([create("1", 0)]))), [201]);
    let forms = [
        "/reports/office365ActiveUserCounts/$count",
        "reports/office365ActiveUserCounts/$count",
        "/v1.0/reports/office365ActiveUserCounts/$count",
        "beta/reports/office365ActiveUserCounts/$count",
        "/BETA/Reports/OFFICE365ActiveUserCounts/$count",
        "http://rollcall.test/v1.0/reports/office365ActiveUserCounts/$count",
        "https://ROLLCALL.test/beta/reports/office365ActiveUserCounts/$count?$filter=reportPeriod eq '7'",
        "office365ActiveUserCounts/$count?$filter=reportPeriod%20eq%20'7'#end",
    ];
    let requests: Vec<Json> =
        forms.iter().enumerate().map(|(at, url)| get(&at.to_string(), url)).collect();
    for answer in batch(world, &requests.into()) {
        // One, as base64url.
        assert_eq!((&answer["status"], &answer["body"]), (&json!(200), &json!("MQ")), "{answer}");
    }
    let elsewhere = [
        "https://graph.microsoft.com/v1.0/reports",
        "ftp://rollcall.test/v1.0/reports",
        "/nothing",
        "/download/x",
        "/health/live",
        "/v1.0/$batch",
        "$metadata/x",
        "$9",
    ];
    let requests: Vec<Json> =
        elsewhere.iter().enumerate().map(|(at, url)| get(&at.to_string(), url)).collect();
    let answers = batch(world, &requests.into());
    let told: Vec<String> = elsewhere
        .iter()
        .zip(&answers)
        .map(|(url, one)| format!("{url}: {} {}", one["status"], one["body"]["error"]["message"]))
        .collect();
    insta::assert_snapshot!("batch_elsewhere", told.join("\n"));
}

/// A batch as the SDK for JavaScript writes one, byte for byte, and as the one
/// for Python does, which calls `dependsOn` by another name and encodes bodies
/// that are no objects.
pub fn as_sdks_write_it(world: &World) {
    let body = r#"{"requests":[{"id":"1","url":"/reports/office365ActiveUserCounts","method":"POST","headers":{"content-type":"application/json"},"body":BODY},{"id":"2","url":"/reports/office365ActiveUserCounts?$top=1&$select=teams","method":"GET","headers":{},"dependsOn":["1"]}]}"#;
    let body = body.replace("BODY", SAMPLE);
    let request = ask("POST", BATCH)
        .bearer(&world.writer())
        .header("Accept", "application/json")
        .header("SdkVersion", "graph-js/3.0.7 (featureUsage=6)")
        .json(if world.is_renamed() { ids(&body) } else { body });
    insta::assert_snapshot!("batch_javascript", world.send(&request));
    let body = r#"{"requests": [{"id": "5c5ba3f5-2d33-4ec0-8e3c-1f6b06ed4f6f", "method": "GET", "url": "http://rollcall.test/v1.0/reports/office365ActiveUserCounts/$count", "depends_on": [], "headers": {}}]}"#;
    let body = if world.is_renamed() { ids(body) } else { body.to_owned() };
    let request = ask("POST", BATCH).bearer(&world.writer()).json(body);
    insta::assert_snapshot!("batch_python", world.send(&request));
}

pub fn a_batch_that_cannot_be_read_does_nothing(world: &World) {
    let one = create("1", 0).to_string();
    let wrong = [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        format!("{{\"requests\":[{one},{}]}}", create("1", 1)),
        format!("{{\"requests\":[{one},{{\"id\":\"2\"}}]}}"),
        format!("{{\"requests\":[{one},{}]}}", with(get("2", "x"), "dependsOn", vec!["3"])),
        format!("{{\"requests\":[{one},{}]}}", with(get("2", "x"), "if", "x")),
        format!("{{\"requests\":[{one},{}]}}", with(create("2", 1), "headers", json!({}))),
        json!({ "requests": vec![get("1", "x"); 21] }).to_string(),
    ];
    let mut told = Vec::new();
    for body in wrong {
        let reply = world.send(&ask("POST", BATCH).bearer(&world.writer()).json(ids(&body)));
        told.push(format!("{} {} {}", reply.status, reply.code(), reply.message()));
    }
    for content_type in ["", "text/plain", "text/csv", "multipart/mixed", "multipart/form-data"] {
        let request = ask("POST", BATCH).bearer(&world.writer());
        let reply = world.send(&request.header("Content-Type", content_type).body("{}"));
        told.push(format!("{content_type}: {} {}", reply.status, reply.message()));
    }
    let query = ask("POST", &format!("{BATCH}?$top=1")).bearer(&world.writer()).json("{}");
    told.push(world.send(&query).message());
    insta::assert_snapshot!("bad_batches", told.join("\n"));
    assert_eq!(count(world), "0");
}

pub fn requests_depend_on_others(world: &World) {
    let fails = "/reports/office365ActiveUserCounts?$filter=nonsense";
    let answers = batch(
        world,
        &json!([
            create("a", 0),
            get("b", fails),
            with(create("c", 1), "dependsOn", vec!["B"]),
            with(create("d", 2), "dependsOn", vec!["c"]),
            with(create("e", 3), "dependsOn", vec!["a"]),
            get("f", "$b/teams"),
        ]),
    );
    assert_eq!(statuses(&answers), [201, 400, 424, 424, 201, 424]);
    assert_eq!(answers[2]["body"]["error"]["code"], "failedDependency");
    assert_eq!(count(world), "2");
    // A reference is an id, in any letter case.
    let requests = json!([create("\u{c4}", 4), get("h", "$\u{e4}/teams")]);
    assert_eq!(statuses(&batch(world, &requests)), [201, 200]);
}

pub fn a_batch_goes_on_unless_it_is_told_not_to(world: &World) {
    let requests = json!({ "requests": [create("1", 0), create("2", 0), create("3", 1), get("4", "reports")] });
    let with = |prefer: &str| world.send(&post(world, &requests).header("Prefer", prefer));
    let told = |reply: &Reply| statuses(reply.json()["responses"].as_array().unwrap());
    let stopped = with("odata.continue-on-error=false");
    assert_eq!(told(&stopped), [201, 409, 424, 424]);
    assert_eq!(stopped.header("preference-applied"), Some("odata.continue-on-error=false"));
    assert_eq!(count(world), "1");
    let went_on = with("continue-on-error");
    assert_eq!(told(&went_on), [409, 409, 201, 200]);
    assert_eq!(went_on.header("preference-applied"), Some("continue-on-error"));
}

pub fn a_group_is_done_as_a_whole_or_not_at_all(world: &World) {
    let grouped = |request: Json| with(request, "atomicityGroup", "g");
    let patch = |id: &str, teams: usize| {
        json!({ "id": id, "method": "PATCH", "url": "$a", "body": { "teams": teams },
                "headers": { "Content-Type": "application/json" } })
    };
    // What is created is changed in the same group, and read after it.
    let good = json!({ "requests": [
        grouped(create("a", 0)), grouped(patch("b", 77)), grouped(create("c", 1)),
        with(get("d", "$a/teams"), "dependsOn", vec!["g"]),
    ]});
    insta::assert_snapshot!("batch_group", world.send(&post(world, &good)));
    assert_eq!(count(world), "2");
    // The last of a group is in conflict: nothing of the group, all of its neighbours.
    let bad = json!({ "requests": [
        create("1", 2), grouped(create("a", 3)), grouped(create("b", 0)), create("2", 4),
        with(create("3", 5), "dependsOn", vec!["G"]),
    ]});
    insta::assert_snapshot!("batch_group_failed", world.send(&post(world, &bad)));
    assert_eq!(count(world), "4");
    // So is one that the store never sees, or that does not write.
    for odd in [
        get("b", "reports"),
        json!({ "id": "b", "method": "OPTIONS", "url": "reports" }),
        json!({ "id": "b", "method": "POST", "url": "/reports/office365ActiveUserCounts" }),
        json!({ "id": "b", "method": "DELETE", "url": "/reports" }),
        json!({ "id": "b", "method": "DELETE", "url": "$z" }),
        json!({ "id": "b", "method": "POST", "url": "$batch" }),
    ] {
        let answers = batch(world, &json!([grouped(create("a", 6)), grouped(odd.clone())]));
        assert_eq!(answers[0]["status"], 424, "{odd} {answers:?}");
        assert!((400..500).contains(&answers[1]["status"].as_u64().unwrap()), "{answers:?}");
    }
    assert_eq!(count(world), "4");
}

/// What a request of a group meets may be of the group itself, and is not there
/// any more when it is told.
pub fn a_failed_group_is_told_what_is_true_after_it(world: &World) {
    let grouped = |request: Json| with(request, "atomicityGroup", "g");
    let there = batch(world, &json!([create("1", 0), create("2", 1)]));
    let key = there[0]["body"]["id"].as_str().unwrap();
    let on = |id: &str, method: &str, body: Json, condition: &str| {
        let headers = json!({ "Content-Type": "application/json", "If-Match": condition });
        let url = format!("/reports/office365ActiveUserCounts/{key}");
        json!({ "id": id, "method": method, "url": url, "headers": headers, "body": body })
    };
    let day = json!({ "reportDate": "1999-12-31" });
    let moved = with(create("b", 0), "body", {
        let mut body: Json = serde_json::from_str(&fact(0)).unwrap();
        body["reportDate"] = day["reportDate"].clone();
        body
    });
    let keyed = |id: &str, number: usize| {
        let mut request = create(id, number);
        request["body"][world.there("id")] = json!("00000000-0000-0000-0000-00000000000a");
        request
    };
    let groups = [
        ("both create one fact", [create("a", 5), create("b", 5)]),
        ("both create one key", [keyed("a", 5), keyed("b", 6)]),
        ("one is moved to where the other is created", [on("a", "PATCH", day, "*"), moved]),
        (
            "one deletes what the other changes",
            [
                with(on("a", "DELETE", Json::Null, "*"), "body", Json::Null),
                on("b", "PATCH", json!({ "teams": 1 }), "*"),
            ],
        ),
        (
            "one changes what the other does not expect changed",
            [
                on("a", "PATCH", json!({ "teams": 70 }), "W/\"1\""),
                on("b", "PATCH", json!({ "teams": 71 }), "W/\"1\""),
            ],
        ),
        (
            "what is in the way stays there",
            [on("a", "PATCH", json!({ "teams": 70 }), "*"), create("b", 0)],
        ),
    ];
    let mut told = Vec::new();
    for (what, [one, other]) in groups {
        let answers = batch(world, &json!([grouped(one), grouped(other)]));
        let (status, message) = (&answers[1]["status"], &answers[1]["body"]["error"]["message"]);
        assert_eq!(
            (&answers[0]["status"], count(world).as_str()),
            (&json!(424), "2"),
            "{answers:?}"
        );
        told.push(format!("{what}: {status} {}", message.as_str().unwrap().replace(key, "{key}")));
    }
    insta::assert_snapshot!("batch_group_discord", told.join("\n"));
}

pub fn a_batch_that_is_sent_again_makes_no_second_row(world: &World) {
    let named = |requests: &Json, number: u128| {
        post(world, &json!({ "requests": requests }))
            .header("Repeatability-Request-ID", &uuid::Uuid::from_u128(number).to_string())
            .header("Repeatability-First-Sent", "Tue, 24 Nov 2026 12:00:00 GMT")
    };
    let change = json!({ "id": "c", "method": "PATCH", "url": "$b", "body": { "teams": 77 },
                         "headers": { "Content-Type": "application/json" }, "atomicityGroup": "g" });
    let requests = json!([
        create("a", 0),
        with(create("b", 1), "atomicityGroup", "g"),
        change,
        get("d", "$c/teams"),
        create("e", 0),
    ]);
    let [first, again] = [(), ()].map(|()| world.send(&named(&requests, 1)));
    let told = |reply: &Reply| reply.json()["responses"].as_array().unwrap().clone();
    assert_eq!(statuses(&told(&first)), [201, 201, 200, 200, 409]);
    assert_eq!(first.header("repeatability-result"), Some("accepted"));
    assert_eq!(told(&first)[..4], told(&again)[..4]);
    assert_eq!((statuses(&told(&again))[4], count(world)), (409, "2".to_owned()));
    // A request in a batch may have a name of its own.
    let own = json!({ "Content-Type": "application/json",
                      "Repeatability-Request-ID": uuid::Uuid::from_u128(2).to_string(),
                      "Repeatability-First-Sent": "Tue, 24 Nov 2026 12:00:00 GMT" });
    let requests = json!([with(create("a", 5), "headers", own)]);
    let [first, again] = [(), ()].map(|()| batch(world, &requests));
    assert_eq!((&first, statuses(&first)), (&again, vec![201]));
    // What becomes of that request says nothing of the batch's name.
    let own = json!({ "Content-Type": "application/json",
                      "Repeatability-Request-ID": uuid::Uuid::from_u128(4).to_string(),
                      "Repeatability-First-Sent": "Tue, 24 Nov 2026 12:00:00 GMT" });
    let requests = json!([with(create("a", 0), "headers", own), create("b", 6)]);
    let reply = world.send(&named(&requests, 3));
    assert_eq!(statuses(&told(&reply)), [409, 201], "{reply}");
    assert_eq!(reply.header("repeatability-result"), Some("accepted"));
}

pub fn a_batch_holds_no_batch_and_no_file(world: &World) {
    let nested = json!({ "id": "1", "method": "POST", "url": "/$batch",
                         "headers": { "Content-Type": "application/json" }, "body": { "requests": [] } });
    let rows = json!({ "id": "2", "method": "POST", "url": "/reports/office365ActiveUserCounts",
                       "headers": { "Content-Type": "text/csv" }, "body": "YQ" });
    let packed = json!({ "id": "3", "method": "POST", "url": "/reports/office365ActiveUserCounts",
                         "headers": { "Content-Type": "application/json", "Content-Encoding": "gzip" }, "body": {} });
    let long =
        json!({ "id": "4", "method": "GET", "url": format!("/reports?x={}", "y".repeat(9000)) });
    let large = with(create("5", 0), "body", json!({ "x": "y".repeat(70_000) }));
    let answers = batch(world, &json!([nested, rows, packed, long, large]));
    let told: Vec<String> = answers
        .iter()
        .map(|one| format!("{} {}", one["status"], one["body"]["error"]["message"]))
        .collect();
    insta::assert_snapshot!("batch_refused_parts", told.join("\n"));
}

pub fn the_token_of_the_batch_counts_for_all_of_it(world: &World) {
    let other = world.writer_of(2);
    let smuggled = json!({ "Content-Type": "application/json", "authorization": format!("Bearer {other}"), "Host": "rollcall.test" });
    let answers = batch(world, &json!([with(create("1", 0), "headers", smuggled)]));
    assert_eq!(statuses(&answers), [201]);
    let theirs = ask("GET", &format!("{COLLECTION}/$count")).bearer(&other);
    assert_eq!((world.send(&theirs).text(), count(world)), ("0".to_owned(), "1".to_owned()));
    let reader = crate::access::signed(world, json!({ "roles": ["Reports.Read.All"] }));
    let body = json!({ "requests": [get("1", "/reports/office365ActiveUserCounts/$count"), create("2", 1)] });
    let reply = world.send(&ask("POST", BATCH).bearer(&reader).json(ids(&body.to_string())));
    assert_eq!(statuses(reply.json()["responses"].as_array().unwrap()), [200, 403], "{reply}");
    let nobody = world.send(&ask("POST", BATCH).json(ids(&body.to_string())));
    assert_eq!(nobody.status, 401);
}

#[test]
fn a_batch_has_limits() {
    let world = World::with_limits(|limits| {
        limits.batch_parts = 3;
        limits.batch_bytes = 4000;
        limits.batch_answer_bytes = 700;
    });
    let many = json!({ "requests": vec![get("1", "x"); 4] });
    let reply = world.send(&post(&world, &many));
    assert!(reply.status == 400 && reply.message().contains("batch-parts"), "{reply}");
    let long = json!({ "requests": [], "x": "y".repeat(4000) });
    let reply = world.send(&post(&world, &long));
    assert_eq!((reply.status, reply.code().as_str()), (413, "requestEntityTooLarge"), "{reply}");
    // Reads are refused once the answers have grown too large, writes never.
    let list = "/reports/office365ActiveUserCounts";
    assert_eq!(
        statuses(&batch(&world, &json!([create("1", 0), create("2", 1), create("3", 2)]))),
        [201; 3]
    );
    let answers = batch(
        &world,
        &json!([get("1", list), get("2", &format!("{list}/$count")), create("3", 3)]),
    );
    assert_eq!(statuses(&answers), [400, 200, 201], "{answers:?}");
    assert_eq!(answers[0]["body"]["error"]["code"], "queryTooComplex");
    let answers = batch(&world, &json!([create("1", 4), create("2", 5), get("3", list)]));
    assert_eq!(statuses(&answers), [201, 201, 400], "{answers:?}");
}

#[test]
fn an_answer_in_parts_is_whole_in_a_batch() {
    let world = World::with_limits(|limits| limits.part_rows = 2);
    let creates: Vec<Json> = (0..7).map(|number| create(&number.to_string(), number)).collect();
    assert_eq!(statuses(&batch(&world, &creates.into())), [201; 7]);
    let report = "/reports/getOffice365ActiveUserCounts(period='ALL')?$format=application/json";
    let alone = world.send(&ask("GET", &format!("/v1.0{report}")).bearer(&world.writer()));
    let answers = batch(&world, &json!([get("1", report)]));
    assert_eq!(answers[0]["body"], alone.json());
    let head = json!([{ "id": "1", "method": "HEAD", "url": report }]);
    assert_eq!(batch(&world, &head)[0].get("body"), None);
}

#[test]
fn the_log_has_one_line_for_a_batch() {
    let world = World::plain();
    batch(&world, &json!([create("1", 0), create("2", 0), get("3", "reports")]));
    let log = world.log();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains(" POST batch 200 ") && log.contains(" parts=3 failed=1 "), "{log}");
}
