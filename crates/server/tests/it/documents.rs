//! What answers without a tenant's data: documents, health, methods, CORS.

use crate::client::{Ask, ask};
use crate::sample::{COLLECTION, SAMPLE};
use crate::world::World;

pub fn the_service_document_names_sets_and_singletons(world: &World) {
    insta::assert_snapshot!("service_document", world.send(&ask("GET", "/v1.0")));
    let beta = world.send(&ask("GET", "/beta/"));
    assert!(beta.text().contains("http://rollcall.test/beta/$metadata"), "{beta}");
}

pub fn metadata_is_the_model(world: &World) {
    let mut reply = world.send(&ask("GET", "/v1.0/$metadata"));
    // Under other names it is another text.
    reply.headers.retain(|(name, _)| name != "etag");
    insta::assert_snapshot!("metadata", reply);
}

pub fn metadata_comes_in_two_formats(world: &World) {
    let asked = |query: &str, accept: &str| {
        let target = format!("/beta/$metadata{query}");
        let [reply, head] = ["GET", "HEAD"]
            .map(|method| world.send(&ask(method, &target).header("Accept", accept)));
        assert_eq!((head.status, head.body.len()), (reply.status, 0));
        assert_eq!(head.header("content-type"), reply.header("content-type"));
        reply
    };
    let json = asked("?$format=json", "application/xml");
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(json.header("vary"), Some("Accept, Prefer"));
    assert_eq!(json.json()["$EntityContainer"], "microsoft.graph.GraphService");
    for (query, accept) in [
        ("?$format=application/json", "*/*"),
        ("", "application/json"),
        ("", "application/xml;q=0.1, application/json;q=0.2"),
    ] {
        assert_eq!(asked(query, accept).text(), json.text(), "{query} {accept}");
    }
    for (query, accept) in
        [("", "*/*"), ("?$format=xml", "application/json"), ("", "text/html, */*;q=0.1")]
    {
        assert_eq!(asked(query, accept).header("content-type"), Some("application/xml"));
    }
    for (query, accept) in [("?$format=csv", "*/*"), ("", "text/html"), ("", "application/xml;q=0")]
    {
        let reply = asked(query, accept);
        assert_eq!((reply.status, reply.code().as_str()), (406, "notAcceptable"), "{reply}");
    }
}

pub fn documents_have_tags(world: &World) {
    for (target, accept) in [
        ("/v1.0/$metadata", "*/*"),
        ("/v1.0/$metadata", "application/json"),
        ("/openapi.json", "*/*"),
    ] {
        let of = |tag: &str| {
            world.send(&ask("GET", target).header("Accept", accept).header("If-None-Match", tag))
        };
        let whole = of("\"another\"");
        let tag = whole.header("etag").unwrap();
        assert!(whole.status == 200 && !whole.body.is_empty() && tag.starts_with('"'), "{whole}");
        let known = of(&format!("\"x\", W/{tag}"));
        assert_eq!((known.status, known.body.len()), (304, 0), "{known}");
        for name in ["etag", "vary", "odata-version", "cache-control"] {
            assert_eq!(known.header(name), whole.header(name), "{name} of {target}");
        }
    }
    let [xml, json] = ["xml", "json"]
        .map(|format| world.send(&ask("GET", &format!("/v1.0/$metadata?$format={format}"))));
    assert_ne!(xml.header("etag"), json.header("etag"));
}

pub fn every_address_is_described(world: &World) {
    let [get, head] = ["GET", "HEAD"].map(|method| world.send(&ask(method, "/openapi.json")));
    assert_eq!((get.status, get.header("content-type")), (200, Some("application/json")));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    let document = get.json();
    assert_eq!(document["openapi"], "3.1.0");
    // What is created in the documentation's words is what the document takes.
    let schema = &document["components"]["schemas"]["office365ActiveUserCounts.create"];
    let sample: serde_json::Value = serde_json::from_str(SAMPLE).unwrap();
    for name in sample.as_object().unwrap().keys() {
        assert!(schema["properties"].get(name).is_some(), "{name}");
    }
    let required = schema["required"].as_array().unwrap();
    assert!(required.iter().all(|name| sample.get(name.as_str().unwrap()).is_some()));
    assert_eq!(required.len(), sample.as_object().unwrap().len() - 1, "all but the type");
}

/// Every query option but the one that comes with links alone.
const OPTIONS: [&str; 16] = [
    "apply",
    "compute",
    "count",
    "deltatoken",
    "expand",
    "filter",
    "format",
    "id",
    "index",
    "levels",
    "orderby",
    "schemaversion",
    "search",
    "select",
    "skip",
    "top",
];

/// Whether a query option of the collection is served, whatever its value.
fn serves(world: &World, option: &str) -> bool {
    serves_at(world, COLLECTION, option)
}

fn serves_at(world: &World, place: &str, option: &str) -> bool {
    let target = format!("{place}?${option}=x");
    let reply = world.send(&ask("GET", &target).bearer(&world.writer()));
    reply.status < 400 || !reply.message().contains("does not apply to this resource")
}

pub fn what_is_declared_is_served(world: &World) {
    let document = world.send(&ask("GET", "/openapi.json")).json();
    let paths = &document["paths"];
    let list = &paths["/{version}/reports/office365ActiveUserCounts"]["get"];
    let parameters = list["parameters"].as_array().unwrap();
    for option in OPTIONS {
        let described = parameters.iter().any(|one| one["name"] == format!("${option}"));
        assert_eq!(described, serves(world, option), "${option}");
        let delta = &paths["/{version}/reports/office365ActiveUserCounts/delta"]["get"];
        let described = delta["parameters"].as_array().unwrap();
        let described = described.iter().any(|one| one["name"] == format!("${option}"));
        let served = serves_at(world, &format!("{COLLECTION}/delta"), option);
        assert_eq!(described, served, "${option} of /delta");
    }
    let path = "/{version}/reports/getOffice365ActiveUserCounts(period='{period}')";
    let report = path.replace("{version}", "v1.0").replace("{period}", "D7");
    let parameters = paths[path]["get"]["parameters"].as_array().unwrap();
    for option in OPTIONS {
        let described = parameters.iter().any(|one| one["name"] == format!("${option}"));
        assert_eq!(described, serves_at(world, &report, option), "${option} of a report");
    }
    let metadata = world.send(&ask("GET", "/v1.0/$metadata?$format=json")).json();
    let batch = &metadata["microsoft.graph"]["GraphService"]["@Capabilities.BatchSupport"];
    for format in ["application/json", "multipart/mixed"] {
        let declared =
            batch["SupportedFormats"].as_array().unwrap().iter().any(|one| one == format);
        let described = paths["/{version}/$batch"]["post"]["requestBody"]["content"].get(format);
        let (body, boundary) = match format {
            "application/json" => ("{\"requests\":[]}", ""),
            _ => ("--b--", ";boundary=b"),
        };
        let request = ask("POST", "/v1.0/$batch").bearer(&world.writer()).body(body);
        let reply = world.send(&request.header("Content-Type", &format!("{format}{boundary}")));
        assert!(declared && described.is_some() && reply.status == 200, "{format} {reply}");
    }
    let set = &metadata["microsoft.graph"]["GraphService"]["office365ActiveUserCounts"];
    for (term, property, option) in [
        // Its links lead to a function of its own.
        ("ChangeTracking", "/Supported", "delta"),
        ("TopSupported", "", "top"),
        ("SkipSupported", "", "skip"),
        ("CountRestrictions", "/Countable", "count"),
        ("FilterRestrictions", "/Filterable", "filter"),
        ("SortRestrictions", "/Sortable", "orderby"),
        ("SearchRestrictions", "/Searchable", "search"),
        ("SelectSupport", "/Supported", "select"),
        ("ComputeSupported", "", "compute"),
    ] {
        let declared = set.pointer(&format!("/@Capabilities.{term}{property}")).unwrap();
        let served = match option {
            "delta" => serves_at(world, &format!("{COLLECTION}/delta"), "deltatoken"),
            option => serves(world, option),
        };
        assert_eq!(*declared, served, "{term}");
    }
    let declared = &metadata["microsoft.graph"]["GraphService"]["@Repeatability.Supported"];
    let create = ask("POST", COLLECTION).bearer(&world.writer()).json(SAMPLE);
    let create = create.header("Repeatability-Request-ID", "1d0e2eb0-2eb0-4a0e-b02e-0edab02e0eda");
    let create = create.header("Repeatability-First-Sent", "Tue, 24 Nov 2026 12:00:00 GMT");
    let served = world.send(&create).header("repeatability-result") == Some("accepted");
    assert_eq!(*declared, served);
}

pub fn the_singleton_leads_to_the_set(world: &World) {
    insta::assert_snapshot!(
        "singleton",
        world.send(&ask("GET", "/v1.0/reports").bearer(&world.writer()))
    );
}

pub fn health(world: &World) {
    insta::assert_snapshot!("live", world.send(&ask("GET", "/health/live")));
    insta::assert_snapshot!("ready", world.send(&ask("GET", "/health/ready")));
}

pub fn a_page_for_people(world: &World) {
    let reply = world.send(&ask("GET", "/"));
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    assert!(reply.text().contains("<h1>Rollcall</h1>"));
}

pub fn methods(world: &World) {
    let token = world.writer();
    let targets = [
        "/",
        "/health/live",
        "/health/ready",
        "/openapi.json",
        "/v1.0",
        "/v1.0/$metadata",
        "/v1.0/reports",
        COLLECTION,
        "/v1.0/office365ActiveUserCounts/$count",
        "/v1.0/office365ActiveUserCounts/da0e2eb0-2eb0-da0e-b02e-0edab02e0eda",
        "/common/discovery/v2.0/keys",
        "/common/v2.0/.well-known/openid-configuration",
        "/common/oauth2/v2.0/token",
        "/v1.0/nothing",
        "/nothing",
    ];
    let mut lines = Vec::new();
    for target in targets {
        let options = world.send(&ask("OPTIONS", target));
        assert_eq!((options.status, options.body.len()), (204, 0), "{options}");
        let allow = options.header("allow").unwrap().to_owned();
        for method in ["GET", "POST", "PATCH", "PUT", "DELETE", "TRACE", "BREW"] {
            if allow.split(", ").any(|one| one == method) || target.ends_with("nothing") {
                continue;
            }
            let reply = world.send(&ask(method, target).bearer(&token));
            assert_eq!(
                (reply.status, reply.header("allow")),
                (405, Some(allow.as_str())),
                "{method} {target}\n{reply}"
            );
            let of_oauth = reply.json()["error"] == "invalid_request";
            assert_eq!(of_oauth, target.starts_with("/common/"), "{method} {target}\n{reply}");
        }
        lines.push(format!("{target} => {allow}"));
    }
    insta::assert_snapshot!("methods", lines.join("\n"));
    insta::assert_snapshot!("not_allowed", world.send(&ask("DELETE", COLLECTION).bearer(&token)));
}

pub fn scripts_of_other_origins_may_ask(world: &World) {
    let preflight = ask("OPTIONS", COLLECTION)
        .header("Origin", "https://app.example")
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization, content-type");
    insta::assert_snapshot!("preflight", world.send(&preflight));
    for request in [ask("GET", COLLECTION), ask("GET", COLLECTION).bearer(&world.writer())] {
        let reply = world.send(&request.header("Origin", "https://app.example"));
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    }
}

pub fn an_address_can_be_too_long(world: &World) {
    let long = format!("{COLLECTION}?x={}", "y".repeat(8 * 1024));
    let reply = world.send(&ask("GET", &long).bearer(&world.writer()));
    assert_eq!((reply.status, reply.code().as_str()), (414, "uriTooLong"));
    if world.is_over_http2() {
        return; // Of what is far too large the connection ends.
    }
    let huge =
        ask("GET", COLLECTION).bearer(&world.writer()).header("X-Huge", &"y".repeat(200_000));
    assert_eq!(world.send(&huge).status, 431);
}

pub fn a_head_can_be_too_long(world: &World) {
    let with = |length: usize| {
        let header = "y".repeat(length);
        world.send(&ask("GET", COLLECTION).bearer(&world.writer()).header("X-Long", &header))
    };
    let reply = with(33 * 1024);
    assert_eq!((reply.status, reply.code().as_str()), (431, "requestHeadersTooLarge"), "{reply}");
    assert_eq!(with(30 * 1024).status, 200);
}

pub fn a_header_given_twice_is_none(world: &World) {
    let twice = |request: Ask, name: &str, values: [&str; 2]| {
        world.send(&request.bearer(&world.writer()).header(name, values[0]).header(name, values[1]))
    };
    if !world.is_over_http2() {
        // There the host is no header, and `http2::hosts_and_heads` has two of them.
        let hosts = twice(ask("GET", COLLECTION), "Host", ["one.example", "two.example"]);
        assert_eq!(hosts.status, 400, "{hosts}");
    }
    let post = || ask("POST", COLLECTION).body(SAMPLE);
    let types = twice(post(), "Content-Type", ["application/json", "text/plain"]);
    assert_eq!(types.status, 400, "{types}");
    let gzip = post().header("Content-Type", "application/json");
    let encodings = twice(gzip, "Content-Encoding", ["identity", "gzip"]);
    assert_eq!(encodings.status, 415, "{encodings}");
    let names = twice(ask("GET", COLLECTION), "client-request-id", ["one", "two"]);
    assert_eq!(names.header("client-request-id"), names.header("request-id"));
}

pub fn hosts_that_are_none_are_refused(world: &World) {
    if world.is_over_http2() {
        return; // A client cannot even write such a request.
    }
    let token = world.writer();
    let with = |host: &str| world.send(&ask("GET", COLLECTION).bearer(&token).header("Host", host));
    for host in ["a\"b", "a b", "<x>", "a/b", ""] {
        assert_eq!(with(host).status, 400, "{host}");
    }
    let reply = with("rollcall.example:8443");
    assert!(reply.text().contains("http://rollcall.example:8443/v1.0/$metadata#"), "{reply}");
}

pub fn versions_of_the_protocol(world: &World) {
    let with = |name: &str, value: &str| {
        let request = ask("GET", "/v1.0/office365ActiveUserCounts").bearer(&world.writer());
        world.send(&request.header(name, value))
    };
    for most in ["4.0", "4.01", "4.02", "5.0"] {
        let reply = with("OData-MaxVersion", most);
        assert_eq!((reply.status, reply.header("odata-version")), (200, Some("4.0")), "{most}");
    }
    for (name, value, status) in [
        ("OData-MaxVersion", "3.0", 400),
        ("OData-MaxVersion", "new", 400),
        ("OData-Version", "3.0", 400),
        ("Isolation", "snapshot", 412),
        ("OData-Isolation", "Snapshot", 412),
        ("Isolation", "other", 200),
    ] {
        assert_eq!(with(name, value).status, status, "{name}: {value}");
    }
    let metadata = ask("GET", "/v1.0/$metadata").header("OData-MaxVersion", "2.0");
    assert_eq!(world.send(&metadata).status, 400);
}
