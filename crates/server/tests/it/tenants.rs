//! Nothing of one tenant shows to another: not by id, count, error, 409 or version.
//!
//! The routes come from the route table; one without a case here fails.

use rollcall::http::routes::{Endpoint, ROUTES};

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, SAMPLE, fact};
use crate::world::World;

const ID: &str = "da0e2eb0-2eb0-da0e-b02e-0edab02e0eda";

const REPORT: &str = "/v1.0/reports/getOffice365ActiveUserCounts(period='ALL')";

/// For each route what a tenant without data asks about another's data.
fn requests(route: &str) -> Vec<Ask> {
    let body = |number| fact(number).replacen('{', &format!("{{\"id\":\"{ID}\","), 1);
    let one = format!("{COLLECTION}/{ID}");
    let many = |prefer: &str| {
        let request = ask("POST", COLLECTION).header("Content-Type", "application/x-ndjson");
        request.header("Prefer", prefer)
    };
    let alternate = format!(
        "{COLLECTION}(reportDate=2000-01-01,reportPeriod='7',reportRefreshDate=2000-01-01)"
    );
    match route {
        "home" => vec![ask("GET", "/")],
        "live" => vec![ask("GET", "/health/live")],
        "ready" => vec![ask("GET", "/health/ready")],
        "openapi" => vec![ask("GET", "/openapi.json")],
        "discovery" => vec![ask("GET", "/common/v2.0/.well-known/openid-configuration")],
        "keys" => vec![ask("GET", "/common/discovery/v2.0/keys")],
        "token" => vec![ask("POST", "/common/oauth2/v2.0/token")],
        "service" => vec![ask("GET", "/v1.0")],
        "metadata" => vec![ask("GET", "/v1.0/$metadata")],
        "singleton" => vec![ask("GET", "/v1.0/reports")],
        // A link is a credential of its own, for one tenant: see `report`.
        "download" => vec![ask("GET", "/download/x")],
        "function" => vec![
            ask("GET", &format!("{REPORT}?$format=json")),
            ask("GET", &format!("{REPORT}?$format=json&to=2000-01-01")),
            ask("HEAD", REPORT).header("Accept", "application/json"),
        ],
        "report count" => vec![ask("GET", &format!("{REPORT}/$count"))],
        "count" => vec![ask("GET", &format!("{COLLECTION}/$count"))],
        "collection" => vec![
            ask("GET", &format!("{COLLECTION}?$count=true")),
            ask("POST", COLLECTION).json(SAMPLE.replace("\"teams\":5", "\"teams\":\"5\"")),
            ask("POST", COLLECTION).json(body(0)),
            ask("POST", COLLECTION).json(fact(1)),
            many("").body(format!("{}\n{}\n{{}}\n", body(0), fact(1))),
            many("handling=strict").body(format!("{}\n{}\n{{}}\n", body(0), fact(1))),
            many("resolution=replace").body(fact(1).replace("\"teams\":1", "\"teams\":9")),
            many("dry-run").body(format!("{}\n{}", body(0), body(1))),
            ask("GET", &format!("{COLLECTION}?$count=true")),
        ],
        "filtered" => vec![
            ask("GET", &format!("{COLLECTION}/$filter(teams%20ge%200)?$count=true")),
            ask("GET", &format!("{COLLECTION}/$filter(teams%20ge%200)/$count")),
            ask("HEAD", &format!("{COLLECTION}/$filter(id%20eq%20'{ID}')")),
        ],
        "query" => [COLLECTION, &format!("{COLLECTION}/$count"), &one, REPORT]
            .map(|target| {
                let request = ask("POST", &format!("{target}/$query"));
                request.header("Content-Type", "text/plain").body("$schemaversion=*")
            })
            .to_vec(),
        "delta" => vec![
            ask("GET", &format!("{COLLECTION}/delta")),
            ask("GET", &format!("{COLLECTION}/delta?$deltatoken=latest")),
            ask("GET", COLLECTION).header("Prefer", "track-changes"),
        ],
        "batch" => batches(&body(0)),
        "by id" => vec![ask("GET", &format!("/v1.0/$entity?$id=office365ActiveUserCounts/{ID}"))],
        "references" => vec![ask("GET", &format!("{COLLECTION}/$ref"))],
        "reference" => vec![ask("GET", &format!("{one}/$ref"))],
        "property" => vec![
            ask("GET", &format!("{one}/teams")),
            ask("PUT", &format!("{one}/teams")).json(r#"{"value":1}"#),
            ask("DELETE", &format!("{alternate}/teams")),
        ],
        "value" => vec![
            ask("GET", &format!("{alternate}/teams/$value")),
            ask("PUT", &format!("{one}/teams/$value"))
                .header("Content-Type", "text/plain")
                .body("1"),
        ],
        "entity" => {
            let methods = ["GET", "HEAD", "PATCH", "PUT", "DELETE"];
            let plain = [&one, &alternate].into_iter().flat_map(|target| {
                methods.map(|method| match method {
                    "PATCH" | "PUT" => ask(method, target).json(fact(0)),
                    _ => ask(method, target),
                })
            });
            let tagged = [("GET", "If-None-Match"), ("DELETE", "If-Match")]
                .map(|(method, name)| ask(method, &one).header(name, "W/\"1\""));
            let upsert =
                ask("PATCH", &alternate).json(body(0)).header("Prefer", "create-if-missing");
            plain.chain(tagged).chain([upsert]).collect()
        }
        other => panic!("the route {other} has no case"),
    }
}

/// Batches that read and write, with this body of a create.
fn batches(body: &str) -> Vec<Ask> {
    let batch = |text: String| ask("POST", "/v1.0/$batch").json(text);
    let list = "reports/office365ActiveUserCounts";
    let create = format!(
        "\"method\":\"POST\",\"url\":\"{list}\",\"headers\":{{\"Content-Type\":\
         \"application/json\"}},\"body\":{body}"
    );
    let group = "\"atomicityGroup\":\"g\"";
    vec![
        batch(format!(
            "{{\"requests\":[{{\"\\u0069d\":\"1\",\"method\":\"GET\",\"url\":\"{list}?$count=true\"}},\
             {{\"\\u0069d\":\"2\",{create}}},{{\"\\u0069d\":\"3\",\"method\":\"DELETE\",\"url\":\"{list}/{ID}\"}}]}}"
        )),
        batch(format!(
            "{{\"requests\":[{{\"\\u0069d\":\"1\",{group},{create}}},{{\"\\u0069d\":\"2\",{group},{create}}}]}}"
        )),
    ]
}

/// What an answer tells, with the names made equal that every answer has of its
/// own: they come from one source of randomness, which the other tenant has used as well.
fn told(reply: &Reply) -> String {
    let mut told = reply.to_string();
    let words: Vec<String> = told.split(['"', '/', ' ', '\n']).map(str::to_owned).collect();
    for word in words {
        let assigned = uuid::Uuid::parse_str(&word).map_or(0, |id| id.get_version_num());
        if assigned == 4 || assigned == 7 {
            told = told.replace(&word, "GUID");
        }
    }
    told
}

pub fn another_tenant_s_data_changes_no_answer(world: &World) {
    for route in ROUTES {
        for (number, request) in requests(route.name).into_iter().enumerate() {
            // A world where another tenant has the same id and facts, and one where nobody has.
            let crowded = world.fresh();
            for number in 0..3 {
                let mut body = fact(number);
                if number == 0 {
                    body = body.replacen('{', &format!("{{\"id\":\"{ID}\","), 1);
                }
                let request = ask("POST", COLLECTION).bearer(&crowded.writer_of(2)).json(body);
                assert_eq!(crowded.send(&request).status, 201);
            }
            let lonely = world.fresh();
            let [crowded, lonely] = [&crowded, &lonely]
                .map(|world| told(&world.send(&request.clone().bearer(&world.writer()))));
            assert_eq!(crowded, lonely, "{} {number}", route.name);
        }
    }
}

pub fn a_write_reaches_no_other_tenant(world: &World) {
    let body = SAMPLE.replacen('{', &format!("{{\"id\":\"{ID}\","), 1);
    let one = format!("{COLLECTION}/{ID}");
    for token in [world.writer(), world.writer_of(2)] {
        assert_eq!(
            world.send(&ask("POST", COLLECTION).bearer(&token).json(body.clone())).status,
            201
        );
    }
    let theirs = world.send(&ask("GET", &one).bearer(&world.writer_of(2)));
    let changed = world.send(&ask("PATCH", &one).bearer(&world.writer()).json(r#"{"teams":77}"#));
    assert_eq!(changed.status, 200);
    assert_eq!(world.send(&ask("DELETE", &one).bearer(&world.writer())).status, 204);
    let after = world.send(&ask("GET", &one).bearer(&world.writer_of(2)));
    assert_eq!((after.text(), after.header("etag")), (theirs.text(), theirs.header("etag")));
}

pub fn a_skip_token_leads_to_no_other_tenant(world: &World) {
    for number in 0..7 {
        let request = ask("POST", COLLECTION).bearer(&world.writer_of(2)).json(fact(number));
        assert_eq!(world.send(&request).status, 201);
    }
    let page = world.send(&ask("GET", COLLECTION).bearer(&world.writer_of(2)));
    let link = page.json()["@odata.nextLink"].as_str().unwrap().replace("http://rollcall.test", "");
    let reply = world.send(&ask("GET", &link).bearer(&world.writer()));
    assert_eq!(reply.json()["value"].as_array().map(Vec::len), Some(0), "{reply}");
}

pub fn every_route_says_whether_it_answers_without_a_token(world: &World) {
    for route in ROUTES {
        for request in requests(route.name) {
            let reply = world.send(&request);
            let open = reply.status != 401 || route.name == "token";
            assert_eq!(open, route.open, "{} {reply}", route.name);
            if !open {
                let challenge = reply.header("www-authenticate").unwrap();
                assert!(
                    challenge.starts_with(
                        "Bearer realm=\"\", authorization_uri=\"http://rollcall.test/"
                    ),
                    "{challenge}"
                );
            }
        }
    }
    assert_eq!(Endpoint::Entity.route().name, ROUTES.last().unwrap().name);
}
