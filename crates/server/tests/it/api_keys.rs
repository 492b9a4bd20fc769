//! API keys: one tenant's data, as the password of `Basic` or in a header.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::client::{Ask, ask};
use crate::process::{Service, rollcall, run, token};
use crate::sample::{COLLECTION, SAMPLE, fact};

const OTHER: &str = "99999999-9999-4999-8999-999999999999";

fn key(data: &Path, arguments: &[&str]) -> String {
    let (status, out, err) = run(rollcall(data, "key").arg("add").args(arguments));
    assert_eq!((status, err.as_str()), (0, ""));
    out.trim_end().to_owned()
}

fn basic(asked: Ask, user: &str, key: &str) -> Ask {
    asked.header("Authorization", &format!("Basic {}", STANDARD.encode(format!("{user}:{key}"))))
}

#[test]
fn a_key_reads_its_tenant_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let at = service.address;
    let writer = token(&data, &[]);
    assert_eq!(ask("POST", COLLECTION).bearer(&writer).json(SAMPLE).send(at).status, 201);
    let (mine, others) = (key(&data, &[]), key(&data, &["--tenant", OTHER]));
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
        assert_eq!(create.status, 403, "{create}");
    }
    // Its log is whole once it has ended.
    assert_eq!(service.stop(), Some(0));
    let log = std::fs::read_to_string(crate::process::log_of(&data)).unwrap();
    let id = &mine["rck_".len()..][..16];
    assert!(log.contains(&format!("principal=key:{id}@")), "{log}");
}

#[test]
fn a_key_writes_where_it_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let key = key(&data, &["--role", "Reports.ReadWrite.All", "--name", "collector"]);
    let create = ask("POST", COLLECTION).header("X-Api-Key", &key).json(SAMPLE);
    assert_eq!(create.send(service.address).status, 201);
    // In a batch the key of the whole counts, and none of a part.
    let part = |headers: &str| {
        format!(
            "{{\"requests\":[{{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/reports/\
             office365ActiveUserCounts/$count\",\"headers\":{{{headers}}}}}]}}"
        )
    };
    let asked = |body: String| ask("POST", "/v1.0/$batch").json(body);
    let whole = asked(part("\"X-Api-Key\":\"x\"")).header("X-Api-Key", &key);
    let reply = whole.send(service.address);
    assert_eq!((reply.status, &reply.json()["responses"][0]["status"]), (200, &200.into()));
    let within = asked(part(&format!("\"X-Api-Key\":\"{key}\""))).send(service.address);
    assert_eq!(within.status, 401, "{within}");
    let (_, list, _) = run(rollcall(&data, "key").arg("list"));
    assert!(list.contains("Reports.ReadWrite.All") && list.ends_with("collector\n"), "{list}");
    assert!(!list.contains(key.rsplit('_').next().unwrap()), "{list}");
}

#[test]
fn a_key_that_is_removed_ends_with_the_next_request() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let read = |key: &str| ask("GET", COLLECTION).header("X-Api-Key", key).send(service.address);
    let (one, other) = (key(&data, &[]), key(&data, &[]));
    assert_eq!((read(&one).status, read(&other).status), (200, 200));
    let id = &one["rck_".len()..][..16];
    let (status, _, err) = run(rollcall(&data, "key").args(["remove", id]));
    assert_eq!(status, 0, "{err}");
    let refused = read(&one);
    assert_eq!((refused.status, refused.code().as_str()), (401, "InvalidAuthenticationToken"));
    assert_eq!(read(&other).status, 200);
}

#[test]
fn basic_is_asked_for_once_there_are_keys() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let challenges = |asked: Ask| {
        let reply = asked.send(service.address);
        assert_eq!(reply.status, 401, "{reply}");
        let all = reply.headers.iter().filter(|(name, _)| name == "www-authenticate");
        all.map(|(_, value)| value.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(challenges(ask("GET", COLLECTION)), ["Bearer"]);
    let key = key(&data, &[]);
    assert_eq!(challenges(ask("GET", COLLECTION)), ["Bearer", "Basic"]);
    let (id, secret) = key.rsplit_once('_').unwrap();
    let wrong = [
        basic(ask("GET", COLLECTION), "u", &format!("{id}_{}", "x".repeat(secret.len()))),
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
