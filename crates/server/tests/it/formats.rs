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
