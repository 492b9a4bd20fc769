//! API keys: one tenant's data, as the password of `Basic` or in a header.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::client::{Ask, ask};
use crate::process::{Fresh, log_of, token};
use crate::sample::{COLLECTION, SAMPLE, fact};

const OTHER: &str = "99999999-9999-4999-8999-999999999999";

fn key(fresh: &Fresh, arguments: &str) -> String {
    fresh.done(&format!("key add {arguments}")).trim_end().to_owned()
}

/// The id of a key, which it shows itself.
fn id(key: &str) -> &str {
    &key["rck_".len()..][..16]
}

/// What is secret of it: any characters of base64url.
pub fn secret(key: &str) -> &str {
    &key["rck_".len()..][17..]
}

fn basic(asked: Ask, user: &str, key: &str) -> Ask {
    asked.header("Authorization", &format!("Basic {}", STANDARD.encode(format!("{user}:{key}"))))
}

#[test]
fn a_key_reads_its_tenant_and_nothing_else() {
    let mut fresh = Fresh::start(&[]);
    let at = fresh.service.address;
    let writer = token(&fresh.data, &[]);
    assert_eq!(ask("POST", COLLECTION).bearer(&writer).json(SAMPLE).send(at).status, 201);
    let (mine, others) = (key(&fresh, ""), key(&fresh, &format!("--tenant {OTHER}")));
    assert!(mine.starts_with("rck_") && mine != others);
    let count = |asked: Ask| {
        let reply = asked.send(at);
        assert_eq!(reply.status, 200, "{reply}");
        reply.text()
    };
    let counted = || ask("GET", &format!("{COLLECTION}/$count"));
    for (key, rows) in [(&mine, "1"), (&others, "0")] {
        assert_eq!(count(counted().header("X-Api-Key", key)), rows);
        for user in ["", "anyone", "a@b.example"] {
            assert_eq!(count(basic(counted(), user, key)), rows);
        }
        let create = ask("POST", COLLECTION).header("X-Api-Key", key).json(fact(1)).send(at);
        let told = "Invalid permission. Expected an API key with Reports.Create or \
                    Reports.ReadWrite.All.";
        assert_eq!((create.status, create.message().as_str()), (403, told));
    }
    // Its log is whole once it has ended.
    fresh.end();
    let log = std::fs::read_to_string(log_of(&fresh.data)).unwrap();
    assert!(log.contains(&format!("principal=key:{}@", id(&mine))), "{log}");
}

#[test]
fn a_key_writes_where_it_was_said() {
    let fresh = Fresh::start(&[]);
    let key = key(&fresh, "--role Reports.ReadWrite.All --name collector");
    let create = ask("POST", COLLECTION).header("X-Api-Key", &key).json(SAMPLE);
    assert_eq!(create.send(fresh.service.address).status, 201);
    // In a batch the key of the whole counts, and none of a part.
    let part = |headers: &str| {
        format!(
            "{{\"requests\":[{{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/reports/\
             office365ActiveUserCounts/$count\",\"headers\":{{{headers}}}}}]}}"
        )
    };
    let asked = |body: String| ask("POST", "/v1.0/$batch").json(body);
    let whole = asked(part("\"X-Api-Key\":\"x\"")).header("X-Api-Key", &key);
    let reply = whole.send(fresh.service.address);
    assert_eq!((reply.status, &reply.json()["responses"][0]["status"]), (200, &200.into()));
    let within = asked(part(&format!("\"X-Api-Key\":\"{key}\""))).send(fresh.service.address);
    assert_eq!(within.status, 401, "{within}");
    let list = fresh.done("key list");
    assert!(list.contains("Reports.ReadWrite.All") && list.ends_with("collector\n"), "{list}");
    assert!(!list.contains(secret(&key)), "{list}");
}

#[test]
fn a_key_that_is_removed_ends_with_the_next_request() {
    let fresh = Fresh::start(&[]);
    let read =
        |key: &str| ask("GET", COLLECTION).header("X-Api-Key", key).send(fresh.service.address);
    let (one, other) = (key(&fresh, ""), key(&fresh, ""));
    assert_eq!((read(&one).status, read(&other).status), (200, 200));
    fresh.done(&format!("key remove {}", id(&one)));
    let refused = read(&one);
    assert_eq!((refused.status, refused.code().as_str()), (401, "InvalidAuthenticationToken"));
    assert_eq!(read(&other).status, 200);
}

#[test]
fn basic_is_asked_for_once_there_are_keys() {
    let fresh = Fresh::start(&[]);
    let challenges = |asked: Ask| {
        let reply = asked.send(fresh.service.address);
        assert_eq!(reply.status, 401, "{reply}");
        let all = reply.headers.iter().filter(|(name, _)| name == "www-authenticate");
        all.map(|(_, value)| value.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(challenges(ask("GET", COLLECTION)), ["Bearer"]);
    let key = key(&fresh, "");
    assert_eq!(challenges(ask("GET", COLLECTION)), ["Bearer", "Basic"]);
    let secret = secret(&key);
    let other = format!("rck_{}_{}", id(&key), "x".repeat(secret.len()));
    let wrong = [
        basic(ask("GET", COLLECTION), "u", &other),
        basic(ask("GET", COLLECTION), &key, ""),
        basic(ask("GET", COLLECTION), "u", secret),
        ask("GET", COLLECTION).header("Authorization", &format!("Basic {key}")),
        ask("GET", COLLECTION).header("Authorization", "Basic"),
        ask("GET", COLLECTION).bearer(&key),
        ask("GET", COLLECTION).header("X-Api-Key", ""),
        ask("GET", COLLECTION).header("X-Api-Key", &key).header("X-Api-Key", &key),
        basic(ask("GET", COLLECTION), "u", &key).header("X-Api-Key", &key),
        ask("GET", &format!("{COLLECTION}?api-key={key}")),
    ];
    for asked in wrong {
        assert_eq!(challenges(asked.clone()), ["Bearer", "Basic"], "{asked:?}");
    }
}
