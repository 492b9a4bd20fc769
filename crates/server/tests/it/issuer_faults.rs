//! Issuers that lie, hang, are gone, are too large or point elsewhere: nothing
//! of theirs is believed, nobody else is asked, and the service goes on.

use std::time::Duration;

use rollcall::auth::remote::Pace;
use serde_json::{Value, json};

use crate::fake::{Fake, Says};
use crate::issuers::{claims, read, settings};
use crate::signers::{Signer, p256};
use crate::world::World;

/// What an issuer does, and what the log says of it.
type Fault = (&'static str, Box<dyn Fn(&Stage)>, &'static str);

struct Stage {
    fake: Fake,
    elsewhere: Fake,
    signer: Signer,
}

const DISCOVERY: &str = "/one/.well-known/openid-configuration";

impl Stage {
    /// An issuer that is as it should be.
    fn set() -> Self {
        let signer = p256("k");
        let (fake, elsewhere) = (Fake::start(), Fake::start());
        fake.is("/one", &[signer.jwk()]);
        // What could be had there would do.
        elsewhere.is("/one", &[signer.jwk()]);
        Self { fake, elsewhere, signer }
    }

    fn url(&self) -> String {
        format!("{}/one", self.fake.base())
    }

    /// The key with these changes.
    fn jwk(&self, changes: Value) -> Value {
        let mut jwk = self.signer.jwk();
        for (name, value) in changes.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        jwk
    }
}

fn redirect(status: u16, to: &str) -> Says {
    Says::Raw(
        format!("HTTP/1.1 {status} X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes(),
    )
}

/// What one place, with these words before what the log says of it, can answer.
fn answers(path: &'static str) -> Vec<Fault> {
    let says = |what: Says| -> Box<dyn Fn(&Stage)> {
        Box::new(move |stage| stage.fake.says(path, what.clone()))
    };
    let raw = |text: &str| Says::Raw(text.as_bytes().to_vec());
    let huge = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(300 * 1024));
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{{\"x\":\"{}", "x".repeat(5 * 1024 * 1024));
    vec![
        ("is not there", says(Says::Text(404, String::new())), "the status 404"),
        ("fails", says(Says::Text(500, "{}".to_owned())), "the status 500"),
        ("has no content", says(Says::Text(204, String::new())), "the status 204"),
        (
            "leads elsewhere",
            Box::new(move |stage| {
                stage.fake.says(path, redirect(302, &format!("{}{path}", stage.elsewhere.base())));
            }),
            "a redirect (302), and none is followed",
        ),
        (
            "leads to another place of its own",
            Box::new(move |stage| {
                stage.fake.says(path, redirect(307, &format!("{}/x", stage.fake.base())));
            }),
            "a redirect (307)",
        ),
        ("says nothing", says(Says::Nothing), "no answer in time"),
        ("ends at once", says(raw("")), "a connection that broke"),
        ("is no HTTP", says(raw("SSH-2.0-x\r\n\r\n")), "what is no HTTP"),
        (
            "has a head without an end",
            says(raw(&format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(64 * 1024)))),
            "what is no HTTP",
        ),
        (
            "ends before its end",
            says(raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")),
            "no document of at most",
        ),
        ("is huge", says(Says::Text(200, huge)), "no document of at most 262144 bytes"),
        ("has no end in sight", says(raw(&endless)), "no document of at most 262144 bytes"),
        (
            "is packed",
            says(raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}")),
            "an encoding that was not asked for",
        ),
        ("is a page", says(Says::Text(200, "<html>".to_owned())), "no JSON object"),
        ("is a list", says(Says::Text(200, "[]".to_owned())), "no JSON object"),
        ("is nested deeply", says(Says::Text(200, "[".repeat(100_000))), "no JSON object"),
        ("is empty", says(Says::Text(200, String::new())), "no JSON object"),
    ]
}

/// Lies of discovery documents.
fn lies_of_discovery() -> Vec<Fault> {
    let document =
        |issuer: fn(&Stage) -> Value, keys: fn(&Stage) -> Value| -> Box<dyn Fn(&Stage)> {
            Box::new(move |stage| {
                let document = json!({ "issuer": issuer(stage), "jwks_uri": keys(stage) });
                stage.fake.says(DISCOVERY, Says::Text(200, document.to_string()));
            })
        };
    let own: fn(&Stage) -> Value = |stage| json!(stage.url());
    let keys: fn(&Stage) -> Value = |stage| json!(format!("{}/keys", stage.fake.base()));
    let another = "the document is of another issuer";
    let cannot = "no jwks_uri that can be asked";
    vec![
        (
            "is another's",
            document(|stage| json!(format!("{}/one", stage.elsewhere.base())), keys),
            another,
        ),
        ("has a slash more", document(|stage| json!(format!("{}/", stage.url())), keys), another),
        ("is nobody's", document(|_| Value::Null, keys), another),
        ("is a template", document(|_| json!("{tenantid}"), keys), another),
        (
            "has keys elsewhere",
            document(own, |stage| json!(format!("{}/keys", stage.elsewhere.base()))),
            "on another host",
        ),
        ("has keys on no host", document(own, |_| json!("/keys")), cannot),
        ("has keys in a file", document(own, |_| json!("file:///etc/passwd")), cannot),
        ("has keys in the clear", document(own, |_| json!("http://169.254.169.254/keys")), cannot),
        ("has no keys", document(own, |_| Value::Null), cannot),
        (
            "has keys twice",
            Box::new(|stage| {
                let keys = format!("{}/keys", stage.fake.base());
                let text = format!(
                    "{{\"issuer\":\"{}\",\"jwks_uri\":\"{keys}\",\"jwks_uri\":\"{keys}\"}}",
                    stage.url()
                );
                stage.fake.says(DISCOVERY, Says::Text(200, text));
            }),
            "a name twice",
        ),
    ]
}

/// Lies of documents of keys.
fn lies_of_keys() -> Vec<Fault> {
    let keys = |keys: fn(&Stage) -> Vec<Value>| -> Box<dyn Fn(&Stage)> {
        Box::new(move |stage| stage.fake.publishes(&keys(stage)))
    };
    let document = |text: &'static str| -> Box<dyn Fn(&Stage)> {
        Box::new(move |stage| stage.fake.says("/keys", Says::Text(200, text.to_owned())))
    };
    vec![
        ("have no list", document("{}"), "it has no list of keys"),
        ("are an object", document(r#"{"keys":{}}"#), "it has no list of keys"),
        ("are there twice", document(r#"{"keys":[],"keys":[]}"#), "a name twice"),
        ("are too many", keys(|stage| vec![stage.jwk(json!({})); 101]), "it has 101 keys"),
        ("are of another kind", keys(|stage| vec![stage.jwk(json!({ "kty": "RSA" }))]), "keys=0"),
        (
            "are secrets",
            keys(|_| vec![json!({ "kty": "oct", "kid": "k", "k": "AAAA", "alg": "HS256" })]),
            "keys=0",
        ),
        ("have one name", keys(|stage| vec![stage.jwk(json!({})), p256("k").jwk()]), "keys=0"),
        ("have no name", keys(|stage| vec![stage.jwk(json!({ "kid": null }))]), "keys=0"),
        (
            "are on no curve",
            keys(|stage| vec![stage.jwk(json!({ "y": "A".repeat(43) }))]),
            "keys=1",
        ),
        (
            "are on another curve",
            keys(|stage| vec![stage.jwk(json!({ "crv": "P-384" }))]),
            "keys=0",
        ),
        ("are for encryption", keys(|stage| vec![stage.jwk(json!({ "use": "enc" }))]), "keys=0"),
        (
            "are for another issuer",
            keys(|stage| vec![stage.jwk(json!({ "issuer": "https://x.example" }))]),
            "keys=1",
        ),
        ("are others", keys(|_| vec![p256("k").jwk()]), "keys=1"),
    ]
}

#[test]
fn nothing_of_an_issuer_with_a_fault_is_believed() {
    let faults = [
        ("discovery", answers(DISCOVERY)),
        ("discovery", lies_of_discovery()),
        ("keys", answers("/keys")),
        ("keys", lies_of_keys()),
    ];
    for (place, faults) in faults {
        for (name, make, told) in faults {
            let stage = Stage::set();
            make(&stage);
            let pace = Pace { time: Duration::from_millis(500), ..Pace::default() };
            let world = World::trusting_at(&[&settings(&stage.url())], pace, false);
            let token = stage.signer.token(&claims(&stage.url(), json!({})));
            let reply = read(&world, &token);
            assert_eq!(reply.status, 401, "{place} {name}: {reply}");
            assert_eq!(reply.code(), "InvalidAuthenticationToken", "{place} {name}");
            assert!(reply.header("www-authenticate").is_some(), "{place} {name}");
            let log = world.log();
            assert!(log.contains(told), "{place} {name}: {log}");
            assert_eq!(stage.elsewhere.requests(), 0, "{place} {name}");
            assert!(stage.fake.requests() <= 2, "{place} {name}");
            assert_eq!(read(&world, &world.writer()).status, 200, "{place} {name}");
            // A fault that has passed leaves nothing behind.
            stage.fake.is("/one", &[stage.signer.jwk()]);
            world.advance(10);
            let again = stage.signer.token(&claims(&stage.url(), json!({ "uti": "again" })));
            let known = log.contains("keys=1");
            assert_eq!(
                read(&world, &again).status,
                if known { 401 } else { 200 },
                "{place} {name}"
            );
        }
    }
}

#[test]
fn an_issuer_that_is_gone_is_told_from_one_that_is_not() {
    let signer = p256("k");
    let gone = Fake::start();
    let url = format!("{}/one", gone.base());
    drop(gone);
    let world = World::trusting(&[&settings(&url)]);
    assert_eq!(read(&world, &signer.token(&claims(&url, json!({})))).status, 401);
    let log = world.log();
    assert!(
        log.contains("keys cannot be fetched: discovery: no connection: connection refused"),
        "{log}"
    );
}
