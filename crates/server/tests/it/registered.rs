//! Clients of the built-in issuer that are added, rotated and taken away while the
//! service runs, and its signing key.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use crate::client::{Reply, ask};
use crate::power_query::words;
use crate::process::{Service, rollcall, run, token};
use crate::readme::fences;
use crate::sample::{COLLECTION, SAMPLE};

const OTHER: &str = "99999999-9999-4999-8999-999999999999";
const THIRD: &str = "88888888-8888-4888-8888-888888888888";

/// What `rollcall client` prints, by name.
fn printed(text: &str) -> HashMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn command(data: &Path, arguments: &[&str]) -> (i32, String, String) {
    let (first, rest) = arguments.split_first().unwrap();
    run(rollcall(data, first).args(rest))
}

fn done(data: &Path, arguments: &[&str]) -> String {
    let (status, out, err) = command(data, arguments);
    assert_eq!((status, err.as_str()), (0, ""), "{arguments:?}");
    out
}

fn fetch(at: SocketAddr, tenant: &str, client: &HashMap<String, String>) -> Reply {
    let (id, secret) = (&client["CLIENT_ID"], &client["CLIENT_SECRET"]);
    let form = format!(
        "client_id={id}&client_secret={secret}&grant_type=client_credentials\
         &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
    );
    let form_type = "application/x-www-form-urlencoded";
    let asked = ask("POST", &format!("/{tenant}/oauth2/v2.0/token"));
    asked.header("Content-Type", form_type).body(form).send(at)
}

fn fetched(at: SocketAddr, tenant: &str, client: &HashMap<String, String>) -> String {
    let reply = fetch(at, tenant, client);
    assert_eq!(reply.status, 200, "{reply}");
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

fn read(at: SocketAddr, token: &str) -> Reply {
    ask("GET", COLLECTION).bearer(token).send(at)
}

#[test]
fn a_client_has_its_tenants_and_permissions_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let at = service.address;
    let added = ["client", "add", "--tenant", OTHER, "--tenant", THIRD, "--role", "Reports.Create"];
    let client = printed(&done(&data, &added));
    assert_eq!(client["TENANTS"], format!("{THIRD},{OTHER}"));
    for tenant in [OTHER, THIRD] {
        let token = fetched(at, tenant, &client);
        let create = ask("POST", COLLECTION).bearer(&token).json(SAMPLE).send(at);
        assert_eq!(create.status, 201, "{create}");
        let refused = read(at, &token);
        assert_eq!(refused.status, 403, "{refused}");
    }
    let first = printed(&done(&data, &["client"]));
    let reply = fetch(at, &first["TENANT"], &client);
    assert_eq!((reply.status, &reply.json()["error"]), (400, &"invalid_request".into()));
    let reply = fetch(at, "common", &client);
    assert!(reply.status == 400 && reply.text().contains("several tenants"), "{reply}");
    // Each has rows of its own, and the first client's tenant none.
    let mine = ask("GET", &format!("{COLLECTION}/$count")).bearer(&token(&data, &[])).send(at);
    assert_eq!(mine.text(), "0");
}

#[test]
fn with_neither_it_reads_the_first_client_s_tenant() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let client = printed(&done(&data, &["client", "add", "--name", "Power BI"]));
    let first = printed(&done(&data, &["client"]));
    assert_eq!(client["TENANT"], first["TENANT"]);
    let token = fetched(service.address, "common", &client);
    assert_eq!(read(service.address, &token).status, 200);
    let create = ask("POST", COLLECTION).bearer(&token).json(SAMPLE).send(service.address);
    assert_eq!(create.status, 403, "{create}");
    let list = done(&data, &["client", "list"]);
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].starts_with(&first["CLIENT_ID"]) && lines[0].contains("first"), "{list}");
    assert!(lines[1].contains(&client["CLIENT_ID"]) && lines[1].ends_with("Power BI"), "{list}");
    assert!(!list.contains(&client["CLIENT_SECRET"]) && !list.contains(&first["CLIENT_SECRET"]));
}

#[test]
fn what_is_removed_or_rotated_ends_with_the_next_request() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let at = service.address;
    let client = printed(&done(&data, &["client", "add"]));
    let other = printed(&done(&data, &["client", "add"]));
    let (mine, others) = (fetched(at, "common", &client), fetched(at, "common", &other));
    let firsts = token(&data, &[]);
    for token in [&mine, &others, &firsts] {
        assert_eq!(read(at, token).status, 200);
    }
    let rotated = printed(&done(&data, &["client", "rotate", &client["CLIENT_ID"]]));
    let refused = read(at, &mine);
    assert_eq!(refused.status, 401, "{refused}");
    assert_eq!(fetch(at, "common", &client).status, 401, "the former secret");
    let again = fetched(at, "common", &rotated);
    assert_eq!(read(at, &again).status, 200);
    done(&data, &["client", "remove", &client["CLIENT_ID"]]);
    assert_eq!(read(at, &again).status, 401);
    assert_eq!(fetch(at, "common", &rotated).status, 401);
    for token in [&others, &firsts] {
        assert_eq!(read(at, token).status, 200, "the others notice nothing");
    }
    // The first one as well, whose secret stays readable.
    let first = printed(&done(&data, &["client"]));
    let renewed = printed(&done(&data, &["client", "rotate", &first["CLIENT_ID"]]));
    assert_eq!(printed(&done(&data, &["client"])), renewed);
    assert_ne!(first["CLIENT_SECRET"], renewed["CLIENT_SECRET"]);
    assert_eq!(read(at, &firsts).status, 401);
    assert_eq!(read(at, &token(&data, &[])).status, 200);
    assert_eq!(read(at, &others).status, 200);
}

#[test]
fn a_signing_key_is_rotated_while_the_service_runs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let at = service.address;
    let keys = || ask("GET", "/common/discovery/v2.0/keys").send(at).json()["keys"].clone();
    let before = token(&data, &[]);
    let report = "/v1.0/reports/getOffice365ActiveUserCounts(period='D7')";
    let link = ask("GET", report).bearer(&before).send(at);
    let location = link.header("location").unwrap().to_owned();
    let link = location.split("rollcall.test").nth(1).unwrap();
    assert_eq!(ask("GET", link).send(at).status, 200);
    let kid = keys()[0]["kid"].as_str().unwrap().to_owned();
    let named = done(&data, &["signing-key", "rotate"]);
    assert_eq!(keys().as_array().unwrap().len(), 1);
    assert_eq!(keys()[0]["kid"].as_str().unwrap(), named.trim());
    assert_ne!(kid, named.trim());
    assert_eq!(read(at, &before).status, 401);
    assert_eq!(
        ask("GET", link).send(at).status,
        403,
        "the link is signed with what follows from it"
    );
    assert_eq!(read(at, &token(&data, &[])).status, 200);
    assert_eq!(service.stop(), Some(0));
    let service = Service::start(&data);
    assert_eq!(read(service.address, &before).status, 401);
    assert_eq!(read(service.address, &token(&data, &[])).status, 200);
}

#[test]
fn what_is_changed_without_a_service_counts_from_its_start_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let kept = printed(&done(&data, &["client", "add"]));
    let gone = printed(&done(&data, &["client", "add"]));
    let token = fetched(service.address, "common", &gone);
    service.kill();
    let added = printed(&done(&data, &["client", "add"]));
    done(&data, &["client", "remove", &gone["CLIENT_ID"]]);
    let service = Service::start(&data);
    for client in [&kept, &added] {
        fetched(service.address, "common", client);
    }
    assert_eq!(fetch(service.address, "common", &gone).status, 401);
    assert_eq!(read(service.address, &token).status, 401);
}

#[test]
fn many_commands_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let clients: Vec<_> = std::thread::scope(|scope| {
        let add = || printed(&done(&data, &["client", "add"]));
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(add)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for client in &clients {
        fetched(service.address, "common", client);
    }
    assert_eq!(done(&data, &["client", "list"]).lines().count(), 9);
}

#[test]
fn a_command_that_is_killed_leaves_one_state_or_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(Service::start(&data));
    let mut whole = 0;
    for pause in 0..20 {
        let mut child = rollcall(&data, "client");
        let mut child = child.arg("add").stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_micros(pause * 400));
        child.kill().unwrap();
        child.wait().unwrap();
        let count = done(&data, &["client", "list"]).lines().count();
        assert!(count == whole + 1 || count == whole + 2, "{count}");
        whole = count - 1;
    }
}

#[test]
fn secrets_are_kept_as_hashes_and_written_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let client = printed(&done(&data, &["client", "add"]));
    let key = done(&data, &["key", "add"]).trim().to_owned();
    let token = fetched(service.address, "common", &client);
    let wrong = ask("GET", COLLECTION).header("X-Api-Key", &format!("{key}x"));
    assert_eq!(wrong.send(service.address).status, 401);
    assert_eq!(ask("GET", COLLECTION).header("X-Api-Key", &key).send(service.address).status, 200);
    let control = std::fs::read_to_string(data.join("LISTEN")).unwrap();
    let control = control.lines().nth(1).unwrap().to_owned();
    assert_eq!(service.stop(), Some(0));
    let mut files: Vec<_> =
        std::fs::read_dir(&data).unwrap().map(|it| it.unwrap().path()).collect();
    files.push(crate::process::log_of(&data));
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let secret = key.rsplit('_').next().unwrap();
        for hidden in [&client["CLIENT_SECRET"], secret, &control, &token] {
            let found = bytes.windows(hidden.len()).any(|part| part == hidden.as_bytes());
            assert!(!found, "{}", file.display());
        }
    }
}

#[test]
fn nobody_else_can_have_the_service_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let all = token(&data, &[]);
    for control in ["", "x"] {
        let asked = ask("POST", "/rollcall/reload").header("X-Rollcall-Reload", control);
        assert_eq!(asked.clone().send(service.address).status, 401);
        let known = asked.bearer(&all).send(service.address);
        assert_eq!(
            (known.status, known.code().as_str()),
            (400, "BadRequest"),
            "as any other address"
        );
    }
}

#[test]
fn every_command_of_the_document_works() {
    const DOCUMENT: &str = include_str!("../../../../docs/access.md");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let _service = Service::start(&data);
    let (mut client, mut key, mut ran) = (String::new(), String::new(), 0);
    for line in fences(DOCUMENT, "sh").iter().flat_map(|block| block.lines()) {
        let line = line.strip_prefix("rollcall ").unwrap();
        let line = line.replace("20fd2f71-3c41-4615-a230-69bb0a1abe69", &client);
        let line = line.replace("4f1d2c3b5a697887", &key);
        let arguments = words(&line);
        let out = done(&data, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        if line.starts_with("client add") {
            client.clone_from(&printed(&out)["CLIENT_ID"]);
        } else if line.starts_with("key add") {
            key = out["rck_".len()..][..16].to_owned();
        }
        ran += 1;
    }
    assert_eq!(ran, 8, "a command without a test");
}

#[test]
fn bad_arguments_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(Service::start(&data));
    let first = printed(&done(&data, &["client"]));
    let cases: [(&[&str], &str); 7] = [
        (&["client", "add", "--tenant", "x"], "expected a GUID"),
        (&["client", "add", "--tenant", "9188040d-6c67-4c5b-b112-36a304b66dad"], "personal"),
        (&["client", "add", "--role", "Reports.Write"], "expected one of Reports.Read.All"),
        (&["client", "add", "--name", "a\nb"], "control characters"),
        (&["client", "remove", OTHER], "There is no client"),
        (&["client", "remove", &first["CLIENT_ID"]], "The first client stays"),
        (&["client", "rotate", OTHER], "There is no client"),
    ];
    for (arguments, told) in cases {
        let (status, out, err) = command(&data, arguments);
        assert!(status != 0 && out.is_empty() && err.contains(told), "{arguments:?}: {err}");
    }
    let (status, _, err) = command(&data, &["key", "remove", "x"]);
    assert!(status == 1 && err.contains("There is no key x"), "{err}");
}
