//! Create: what is accepted, what is answered, what conflicts.

use std::io::Write;

use crate::client::{Ask, ask};
use crate::sample::{COLLECTION, SAMPLE, fact};
use crate::world::World;

fn post(world: &World, body: impl Into<Vec<u8>>) -> Ask {
    ask("POST", COLLECTION).bearer(&world.writer()).json(body)
}

pub fn the_page_s_numbers_are_created_and_read_back_equal(world: &World) {
    let created = world.send(&post(world, SAMPLE));
    insta::assert_snapshot!("created", created);
    let location = created.header("location").unwrap().replace("http://rollcall.test", "");
    let read = world.send(&ask("GET", &location).bearer(&world.writer()));
    assert_eq!((read.status, read.text()), (200, created.text()));
    assert_eq!(read.header("etag"), created.header("etag"));
}

pub fn location_keeps_the_path_that_was_used(world: &World) {
    let paths = [
        ("/v1.0/reports/office365ActiveUserCounts", "/v1.0/reports/office365ActiveUserCounts/"),
        ("/beta/reports/office365ActiveUserCounts/", "/beta/reports/office365ActiveUserCounts/"),
        ("/v1.0/office365ActiveUserCounts", "/v1.0/office365ActiveUserCounts/"),
        ("/BETA/REPORTS/OFFICE365ACTIVEUSERCOUNTS", "/beta/reports/office365ActiveUserCounts/"),
    ];
    for (number, (path, start)) in paths.into_iter().enumerate() {
        let reply = world.send(&ask("POST", path).bearer(&world.writer()).json(fact(number)));
        assert_eq!(reply.status, 201, "{reply}");
        let location = reply.header("location").unwrap();
        assert!(location.starts_with(&format!("http://rollcall.test{start}")), "{location}");
        let context = reply.json()["@odata.context"].as_str().unwrap().to_owned();
        let root = format!("http://rollcall.test{}", &start[..5]);
        assert_eq!(context, format!("{root}/$metadata#office365ActiveUserCounts/$entity"));
    }
}

pub fn preferences_decide_what_comes_back(world: &World) {
    let prefer =
        |number: usize, line: &str| world.send(&post(world, fact(number)).header("Prefer", line));
    insta::assert_snapshot!("created_minimal", prefer(0, "return=minimal"));
    let reply = prefer(1, "return=representation");
    assert_eq!(reply.status, 201);
    assert_eq!(reply.header("preference-applied"), Some("return=representation"));
    let reply = prefer(2, "respond-async, return=minimal; x=y, odata.include-annotations=\"*\"");
    assert_eq!((reply.status, reply.header("preference-applied")), (204, Some("return=minimal")));
}

pub fn lenient_takes_a_missing_count_as_null(world: &World) {
    let body = r#"{"reportRefreshDate":"2026-11-20","office365":0,"reportDate":"2026-11-18","reportPeriod":"7"}"#;
    let reply = world.send(&post(world, body));
    assert_eq!(
        (reply.status, reply.json()["error"]["details"].as_array().unwrap().len()),
        (400, 6)
    );
    let reply = world.send(&post(world, body).header("Prefer", "handling=lenient"));
    insta::assert_snapshot!("created_lenient", reply);
    let facts = r#"{"office365":1}"#;
    let reply = world.send(&post(world, facts).header("Prefer", "handling=lenient"));
    assert_eq!(
        (reply.status, reply.json()["error"]["details"].as_array().unwrap().len()),
        (400, 3)
    );
}

pub fn null_is_a_count_that_was_not_reported(world: &World) {
    let body = SAMPLE.replace("\"teams\":5", "\"teams\":null");
    let reply = world.send(&post(world, body));
    assert_eq!(reply.status, 201, "{reply}");
    assert!(reply.text().contains("\"skypeForBusiness\":0,\"yammer\":6,\"teams\":null"), "{reply}");
}

pub fn counts_reach_to_the_end_of_int64(world: &World) {
    for (number, count) in ["9223372036854775807", "0", "9007199254740993"].iter().enumerate() {
        let body =
            fact(number).replace(&format!("\"teams\":{number}"), &format!("\"teams\":{count}"));
        let reply = world.send(&post(world, body));
        assert!(reply.text().contains(&format!("\"teams\":{count},")), "{reply}");
    }
}

pub fn ids_are_given_or_assigned(world: &World) {
    let given = |number: usize, id: &str| {
        let body = fact(number).replacen('{', &format!("{{\"id\":\"{id}\","), 1);
        world.send(&post(world, body))
    };
    let reply = given(0, "DA0E2EB0-2eb0-DA0E-b02e-0EDAB02E0EDA");
    assert_eq!(reply.json()["id"], "da0e2eb0-2eb0-da0e-b02e-0edab02e0eda");
    insta::assert_snapshot!("id_in_use", given(1, "da0e2eb0-2eb0-da0e-b02e-0edab02e0eda"));
    assert_eq!(given(2, "00000000-0000-0000-0000-000000000000").status, 201);
    let reply = world.send(&post(world, fact(3)));
    let assigned = reply.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(uuid::Uuid::parse_str(&assigned).unwrap().get_version_num(), 7);
}

pub fn another_tenant_may_hold_the_same_id_and_fact(world: &World) {
    let body = SAMPLE.replacen('{', "{\"id\":\"da0e2eb0-2eb0-da0e-b02e-0edab02e0eda\",", 1);
    for token in [world.writer(), world.writer_of(2)] {
        let reply = world.send(&ask("POST", COLLECTION).bearer(&token).json(body.clone()));
        assert_eq!(reply.status, 201, "{reply}");
        assert_eq!(reply.header("etag"), Some("W/\"1\""), "versions are a tenant's own");
    }
}

pub fn the_same_fact_again_is_409(world: &World) {
    assert_eq!(world.send(&post(world, SAMPLE)).status, 201);
    insta::assert_snapshot!("same_fact", world.send(&post(world, SAMPLE)));
    let again = SAMPLE.replace("\"7\"", "\"D7\"").replace("\"teams\":5", "\"teams\":6");
    assert_eq!(world.send(&post(world, again)).status, 409);
    let both = SAMPLE.replace("\"7\"", "\"30\"");
    assert_eq!(world.send(&post(world, both)).status, 201);
}

pub fn of_100_simultaneous_creates_of_one_fact_one_wins(world: &World) {
    let request = post(world, SAMPLE);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..100).map(|_| scope.spawn(|| world.send(&request).status)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let count = |status| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((count(201), count(409)), (1, 99), "{statuses:?}");
}

pub fn periods_are_kept_as_graph_writes_them(world: &World) {
    let cases =
        [("7", "7"), ("D30", "30"), ("d90", "90"), ("ALL", "ALL"), ("9999", "9999"), ("1", "1")];
    for (sent, kept) in cases {
        let reply = world.send(&post(world, SAMPLE.replace("\"7\"", &format!("\"{sent}\""))));
        assert_eq!(reply.json()["reportPeriod"], kept, "{reply}");
    }
    let reply = world.send(&post(world, SAMPLE.replace("\"7\"", "\"all\"")));
    assert_eq!(reply.status, 409);
}

pub fn dates_reach_from_the_first_year_to_tomorrow(world: &World) {
    let cases = [("0001-01-01", "0001-01-01", 201), ("2026-11-25", "2026-11-25", 201)];
    for (refreshed, day, status) in cases {
        let body = SAMPLE.replace("2026-11-20", refreshed).replace("2026-11-18", day);
        assert_eq!(world.send(&post(world, body)).status, status, "{refreshed} {day}");
    }
}

pub fn types_and_annotations_in_every_spelling(world: &World) {
    let types = [
        "\"#microsoft.graph.office365ActiveUserCounts\"",
        "\"microsoft.graph.office365ActiveUserCounts\"",
        "\"#graph.office365ActiveUserCounts\"",
        "\"#Microsoft.Graph.Office365activeusercounts\"",
        "\"https://graph.microsoft.com/beta/$metadata#microsoft.graph.office365ActiveUserCounts\"",
        "\"http://x/$metadata#MICROSOFT.GRAPH.OFFICE365ACTIVEUSERCOUNTS\"",
    ];
    let annotations = [
        "\"@odata.context\":\"x\"",
        "\"@odata.etag\":5",
        "\"teams@odata.type\":\"#Int64\"",
        "\"TEAMS@type\":\"Edm.Int64\",\"reportDate@odata.type\":\"https://x/y#date\"",
        "\"unheard@odata.type\":\"#Int32\"",
        "\"@odata.id\":null",
        "\"@com.example.note\":{\"a\":[{}]}",
        "\"unheard@odata.bind\":[]",
        "\"@type\":\"microsoft.graph.office365ActiveUserCounts\"",
    ];
    let bare = |number: usize| {
        fact(number).replace("\"@odata.type\":\"#microsoft.graph.office365ActiveUserCounts\",", "")
    };
    let mut bodies = vec![bare(0)];
    for (number, one) in types.iter().enumerate() {
        bodies.push(bare(bodies.len()).replacen('{', &format!("{{\"@ODATA.type\":{one},"), 1));
        assert_eq!(bodies.len(), number + 2);
    }
    for one in annotations {
        bodies.push(bare(bodies.len()).replacen('{', &format!("{{{one},"), 1));
    }
    bodies.push(format!("\u{feff}{}", bare(bodies.len())));
    bodies.push(format!(" \r\n{}\t\n", bare(bodies.len())));
    for body in bodies {
        let reply = world.send(&post(world, body.clone()));
        assert_eq!(reply.status, 201, "{body}\n{reply}");
    }
}

/// The type of a property that a body names must be its own, as that of the object.
pub fn a_property_of_another_type_is_refused(world: &World) {
    let lines: Vec<String> = [
        "\"teams@odata.type\":\"#Int32\"",
        "\"teams@odata.type\":\"#Int64\",\"teams@type\":\"#Int64\"",
        "\"reportDate@odata.type\":\"String\"",
        "\"reportPeriod@type\":\"Collection(String)\"",
        "\"id@odata.type\":null",
    ]
    .iter()
    .map(|one| {
        let body = fact(1).replacen('{', &format!("{{{one},"), 1);
        let reply = world.send(&post(world, body));
        assert_eq!(reply.status, 400, "{one}\n{reply}");
        let detail = &reply.json()["error"]["details"][0];
        format!("{one}\n    {} {}", detail["code"], detail["message"])
    })
    .collect();
    insta::assert_snapshot!("other_types", lines.join("\n"));
    let made = world.send(&post(world, fact(1)));
    let one = made.header("location").unwrap().replace("http://rollcall.test", "");
    let full = format!("{one}/teams?$format=application/json;odata.metadata=full");
    let shown = world.send(&ask("GET", &full).bearer(&world.writer())).text();
    for (body, status) in [
        (shown.as_str(), 204),
        ("{\"@odata.type\":\"#String\",\"value\":1}", 400),
        ("{\"value@odata.type\":\"#Int64\",\"value\":1}", 204),
        ("{\"value@odata.type\":\"#Date\",\"value\":1}", 400),
    ] {
        let put = ask("PUT", &format!("{one}/teams")).bearer(&world.writer()).json(body);
        assert_eq!(world.send(&put).status, status, "{body}");
    }
}

pub fn content_types(world: &World) {
    let send = |number: usize, content_type: Option<&str>| {
        let request = ask("POST", COLLECTION).bearer(&world.writer()).body(fact(number));
        let reply = world.send(&match content_type {
            Some(content_type) => request.header("Content-Type", content_type),
            None => request,
        });
        let message = if reply.status == 201 { String::new() } else { reply.message() };
        format!("{} => {} {message}", content_type.unwrap_or("(none)"), reply.status)
    };
    let types = [
        None,
        Some(""),
        Some("application/json"),
        Some("application/json; charset=utf-8"),
        Some("APPLICATION/JSON;odata.metadata=minimal;IEEE754Compatible=false"),
        Some("application/json; charset=iso-8859-1"),
        Some("application/json;type=entry;x=\"a;b\""),
        Some("application/json;IEEE754Compatible=true;IEEE754Compatible=false"),
        Some("application/json;odata.metadata=some"),
        Some("application/x-ndjson;charset=utf-16"),
        Some("text/csv;charset=latin1"),
        Some("text/json"),
        Some("text/plain"),
        Some("application/xml"),
        Some("application/jsonp"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("*/*"),
    ];
    let lines: Vec<String> =
        types.into_iter().enumerate().map(|(number, one)| send(number, one)).collect();
    insta::assert_snapshot!("content_types", lines.join("\n"));
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub fn gzipped_bodies_are_read(world: &World) {
    let body = gzip(world.there(SAMPLE).as_bytes());
    let reply = world.send(&post(world, body.clone()).header("Content-Encoding", "gzip"));
    assert_eq!(reply.status, 201, "{reply}");
    let refused = [
        ("gzip", SAMPLE.as_bytes().to_vec()),
        ("gzip", body[..body.len() / 2].to_vec()),
        ("gzip", gzip(&vec![b' '; 64 * 1024 + 1])),
        ("gzip", gzip(&vec![b' '; 50_000_000])),
        ("br", body.clone()),
        ("gzip, gzip", body.clone()),
        ("deflate", body),
    ];
    let lines: Vec<String> = refused
        .into_iter()
        .map(|(encoding, body)| {
            let reply = world.send(&post(world, body).header("Content-Encoding", encoding));
            format!("{encoding} => {} {} {}", reply.status, reply.code(), reply.message())
        })
        .collect();
    insta::assert_snapshot!("encodings", lines.join("\n"));
}

pub fn bodies_have_a_limit(world: &World) {
    let padded = |length: usize| {
        let mut body = world.there(SAMPLE).into_bytes();
        body.resize(length, b' ');
        body
    };
    assert_eq!(world.send(&post(world, padded(64 * 1024 + 1))).status, 413);
    insta::assert_snapshot!("too_large", world.send(&post(world, padded(3_000_000))));
    assert_eq!(world.send(&post(world, padded(64 * 1024))).status, 201);
}

pub fn chunked_bodies_are_read(world: &World) {
    if world.is_over_http2() {
        return; // There are no chunks.
    }
    let body = world.there(SAMPLE);
    let (first, second) = body.split_at(100);
    let chunked = format!(
        "{:x}\r\n{first}\r\n{:x};note=x\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    let reply = world.send(&post(world, chunked).header("Transfer-Encoding", "chunked"));
    assert_eq!(reply.status, 201, "{reply}");
}

pub fn requests_keep_their_clients_name(world: &World) {
    let send = |id: &str| {
        world.send(&ask("GET", COLLECTION).bearer(&world.writer()).header("client-request-id", id))
    };
    let named = send("my-name-1");
    assert_eq!(named.header("client-request-id"), Some("my-name-1"));
    assert_ne!(named.header("request-id"), Some("my-name-1"));
    for unfit in ["", "two words", &"x".repeat(129)] {
        let reply = send(unfit);
        assert_eq!(reply.header("client-request-id"), reply.header("request-id"), "{unfit}");
    }
    let refused = world.send(&ask("GET", COLLECTION).header("client-request-id", "my-name-2"));
    assert_eq!(refused.json()["error"]["innerError"]["client-request-id"], "my-name-2");
}
