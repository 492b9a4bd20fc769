//! Clients of the built-in issuer that are added, rotated and taken away while the
//! service runs, and its signing key.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use rollcall::folder::{Folder, Secret};

use crate::api_keys;
use crate::client::{Reply, ask};
use crate::fake::{Fake, Says};
use crate::process::{Fresh, ROLLCALL, has, log_of, token};
use crate::readme::fences;
use crate::sample::{COLLECTION, SAMPLE};
use crate::world::soon;

const OTHER: &str = "99999999-9999-4999-8999-999999999999";
const THIRD: &str = "88888888-8888-4888-8888-888888888888";

/// What `rollcall client` prints, by name.
fn printed(text: &str) -> HashMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
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
    let fresh = Fresh::start(&[]);
    let at = fresh.service.address;
    let add = format!("client add --tenant {OTHER} --tenant {THIRD} --role Reports.Create");
    let client = printed(&fresh.done(&add));
    assert_eq!(client["TENANTS"], format!("{THIRD},{OTHER}"));
    for tenant in [OTHER, THIRD] {
        let token = fetched(at, tenant, &client);
        let create = ask("POST", COLLECTION).bearer(&token).json(SAMPLE).send(at);
        assert_eq!(create.status, 201, "{create}");
        let refused = read(at, &token);
        assert_eq!(refused.status, 403, "{refused}");
    }
    let first = printed(&fresh.done("client"));
    let reply = fetch(at, &first["TENANT"], &client);
    assert_eq!((reply.status, &reply.json()["error"]), (400, &"invalid_request".into()));
    let reply = fetch(at, "common", &client);
    assert!(reply.status == 400 && reply.text().contains("several tenants"), "{reply}");
    // Each has rows of its own, and the first client's tenant none.
    let mine =
        ask("GET", &format!("{COLLECTION}/$count")).bearer(&token(&fresh.data, &[])).send(at);
    assert_eq!(mine.text(), "0");
}

#[test]
fn with_neither_it_reads_the_first_client_s_tenant() {
    let fresh = Fresh::start(&[]);
    let client = printed(&fresh.done("client add --name \"Power BI\""));
    let first = printed(&fresh.done("client"));
    assert_eq!(client["TENANT"], first["TENANT"]);
    let token = fetched(fresh.service.address, "common", &client);
    assert_eq!(read(fresh.service.address, &token).status, 200);
    let create = ask("POST", COLLECTION).bearer(&token).json(SAMPLE).send(fresh.service.address);
    assert_eq!(create.status, 403, "{create}");
    let list = fresh.done("client list");
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].starts_with(&first["CLIENT_ID"]) && lines[0].contains("first"), "{list}");
    assert!(lines[1].contains(&client["CLIENT_ID"]) && lines[1].ends_with("Power BI"), "{list}");
    assert!(!list.contains(&client["CLIENT_SECRET"]) && !list.contains(&first["CLIENT_SECRET"]));
}

#[test]
fn what_is_removed_or_rotated_ends_with_the_next_request() {
    let fresh = Fresh::start(&[]);
    let at = fresh.service.address;
    let client = printed(&fresh.done("client add"));
    let other = printed(&fresh.done("client add"));
    let (mine, others) = (fetched(at, "common", &client), fetched(at, "common", &other));
    let firsts = token(&fresh.data, &[]);
    for token in [&mine, &others, &firsts] {
        assert_eq!(read(at, token).status, 200);
    }
    let rotated = printed(&fresh.done(&format!("client rotate {}", client["CLIENT_ID"])));
    let refused = read(at, &mine);
    assert_eq!(refused.status, 401, "{refused}");
    assert_eq!(fetch(at, "common", &client).status, 401, "the former secret");
    let again = fetched(at, "common", &rotated);
    assert_eq!(read(at, &again).status, 200);
    fresh.done(&format!("client remove {}", client["CLIENT_ID"]));
    assert_eq!(read(at, &again).status, 401);
    assert_eq!(fetch(at, "common", &rotated).status, 401);
    for token in [&others, &firsts] {
        assert_eq!(read(at, token).status, 200, "the others notice nothing");
    }
    // The first one as well, whose secret stays readable.
    let first = printed(&fresh.done("client"));
    let renewed = printed(&fresh.done(&format!("client rotate {}", first["CLIENT_ID"])));
    assert_eq!(printed(&fresh.done("client")), renewed);
    assert_ne!(first["CLIENT_SECRET"], renewed["CLIENT_SECRET"]);
    assert_eq!(read(at, &firsts).status, 401);
    assert_eq!(read(at, &token(&fresh.data, &[])).status, 200);
    assert_eq!(read(at, &others).status, 200);
}

#[test]
fn a_signing_key_is_rotated_while_the_service_runs() {
    let mut fresh = Fresh::start(&[]);
    let at = fresh.service.address;
    let keys = || ask("GET", "/common/discovery/v2.0/keys").send(at).json()["keys"].clone();
    let before = token(&fresh.data, &[]);
    let report = "/v1.0/reports/getOffice365ActiveUserCounts(period='D7')";
    let link = ask("GET", report).bearer(&before).send(at);
    let location = link.header("location").unwrap().to_owned();
    let link = location.split("rollcall.test").nth(1).unwrap();
    assert_eq!(ask("GET", link).send(at).status, 200);
    let kid = keys()[0]["kid"].as_str().unwrap().to_owned();
    let named = fresh.done("signing-key rotate");
    assert_eq!(keys().as_array().unwrap().len(), 1);
    assert_eq!(keys()[0]["kid"].as_str().unwrap(), named.trim());
    assert_ne!(kid, named.trim());
    assert_eq!(read(at, &before).status, 401);
    assert_eq!(
        ask("GET", link).send(at).status,
        403,
        "the link is signed with what follows from it"
    );
    assert_eq!(read(at, &token(&fresh.data, &[])).status, 200);
    fresh.end();
    fresh.start_again();
    assert_eq!(read(fresh.service.address, &before).status, 401);
    assert_eq!(read(fresh.service.address, &token(&fresh.data, &[])).status, 200);
}

#[test]
fn what_is_changed_without_a_service_counts_from_its_start_on() {
    let mut fresh = Fresh::start(&[]);
    let kept = printed(&fresh.done("client add"));
    let gone = printed(&fresh.done("client add"));
    let token = fetched(fresh.service.address, "common", &gone);
    crate::process::signal(fresh.service.id(), "KILL");
    let added = printed(&fresh.done("client add"));
    fresh.done(&format!("client remove {}", gone["CLIENT_ID"]));
    fresh.start_again();
    for client in [&kept, &added] {
        fetched(fresh.service.address, "common", client);
    }
    assert_eq!(fetch(fresh.service.address, "common", &gone).status, 401);
    assert_eq!(read(fresh.service.address, &token).status, 401);
}

#[test]
fn many_commands_at_once_lose_nothing() {
    let fresh = Fresh::start(&[]);
    let clients: Vec<_> = std::thread::scope(|scope| {
        let add = || printed(&fresh.done("client add"));
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(add)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for client in &clients {
        fetched(fresh.service.address, "common", client);
    }
    assert_eq!(fresh.done("client list").lines().count(), 9);
}

/// Runs a command that is killed when it begins this call of the system for the first
/// time.
fn killed_at(fresh: &Fresh, call: &str, line: &str) {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={call}:signal=KILL")]);
    strace.arg(ROLLCALL).args(line.split(' ')).arg("--data").arg(&fresh.data);
    let killed = strace.output().unwrap();
    // It ends as what it traces did.
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&killed.status),
        Some(9),
        "{killed:?}"
    );
}

/// Waits until a token is refused that the service was not told to refuse.
fn refused_soon(fresh: &Fresh, token: &str) {
    soon(|| read(fresh.service.address, token).status == 401);
}

#[test]
fn a_command_that_is_killed_leaves_one_state_or_the_other() {
    if !has("strace", "a_command_that_is_killed_leaves_one_state_or_the_other") {
        return;
    }
    let fresh = Fresh::start(&[]);
    let count = || fresh.done("client list").lines().count();
    let file = || std::fs::read_to_string(fresh.data.join("clients.json")).unwrap();
    fresh.done("client add");
    let before = file();
    // Before the new file is under its name.
    killed_at(&fresh, "rename", "client add");
    assert_eq!((count(), file()), (2, before));
    fresh.done("client add");
    assert_eq!(count(), 3);
    // When it is, and the service does not know.
    killed_at(&fresh, "connect", "client add");
    assert_eq!(count(), 4);
    fresh.done("client add");
    assert_eq!(count(), 5);
}

#[test]
fn what_a_killed_command_did_not_tell_the_service_finds() {
    if !has("strace", "what_a_killed_command_did_not_tell_the_service_finds") {
        return;
    }
    let fresh = Fresh::start(&[]);
    let address = fresh.service.address;
    let [removed, rotated, stays] = [(); 3].map(|()| printed(&fresh.done("client add")));
    let token = |client| fetched(address, "common", client);
    let tokens = [&removed, &rotated, &stays].map(token);
    let command = format!("client remove {}", removed["CLIENT_ID"]);
    killed_at(&fresh, "connect", &command);
    refused_soon(&fresh, &tokens[0]);
    killed_at(&fresh, "connect", &format!("client rotate {}", rotated["CLIENT_ID"]));
    refused_soon(&fresh, &tokens[1]);
    assert_eq!(read(address, &tokens[2]).status, 200);
    killed_at(&fresh, "connect", "signing-key rotate");
    refused_soon(&fresh, &tokens[2]);
    let after = token(&stays);
    assert_eq!(read(address, &after).status, 200);
    // Who runs it again learns that it was done.
    let (status, _, err) = fresh.run(&command);
    assert!(status == 1 && err.contains("There is no client"), "{err}");
}

#[test]
fn a_service_that_hung_while_it_was_told_finds_it_when_it_goes_on() {
    let fresh = Fresh::start(&[]);
    let client = printed(&fresh.done("client add"));
    let token = fetched(fresh.service.address, "common", &client);
    crate::process::signal(fresh.service.id(), "STOP");
    let (status, out, err) = fresh.run(&format!("client rotate {}", client["CLIENT_ID"]));
    crate::process::signal(fresh.service.id(), "CONT");
    assert!(status == 1 && err.contains("could not be told"), "{err}");
    refused_soon(&fresh, &token);
    fetched(fresh.service.address, "common", &printed(&out));
}

#[test]
fn what_a_file_says_counts_whatever_its_time_and_length() {
    let fresh = Fresh::start(&[]);
    let client = printed(&fresh.done("client add"));
    let token = fetched(fresh.service.address, "common", &client);
    let file = fresh.data.join("clients.json");
    let before = std::fs::read(&file).unwrap();
    fresh.done(&format!("client rotate {}", client["CLIENT_ID"]));
    assert_eq!(read(fresh.service.address, &token).status, 401);
    let data = std::fs::metadata(&file).unwrap();
    assert_eq!(data.len(), before.len() as u64);
    let beside = fresh.data.join("beside");
    std::fs::write(&beside, &before).unwrap();
    std::fs::set_permissions(&beside, data.permissions()).unwrap();
    let opened = std::fs::File::options().write(true).open(&beside).unwrap();
    opened.set_modified(data.modified().unwrap()).unwrap();
    std::fs::rename(&beside, &file).unwrap();
    soon(|| read(fresh.service.address, &token).status == 200);
}

#[test]
fn what_cannot_be_read_changes_nothing() {
    let fresh = Fresh::start(&[]);
    let client = printed(&fresh.done("client add"));
    let token = fetched(fresh.service.address, "common", &client);
    let (file, log) = (fresh.data.join("clients.json"), log_of(&fresh.data));
    let before = std::fs::read(&file).unwrap();
    let folder = Folder::open(&fresh.data).unwrap();
    folder.keep("clients.json", b"[").unwrap();
    let told = || std::fs::read_to_string(&log).unwrap().matches(" access kept cause=").count();
    while told() == 0 {
        std::thread::sleep(Duration::from_millis(50));
    }
    let (status, out, err) = fresh.run("client add");
    assert!(status == 1 && out.is_empty() && err.contains("clients.json is not as"), "{err}");
    assert_eq!(read(fresh.service.address, &token).status, 200);
    assert_eq!(std::fs::read(&file).unwrap(), b"[");
    folder.keep("clients.json", &before).unwrap();
    fresh.done(&format!("client remove {}", client["CLIENT_ID"]));
    assert_eq!(read(fresh.service.address, &token).status, 401);
    assert_eq!(told(), 1);
}

#[test]
fn a_secret_is_shown_though_the_service_cannot_be_told() {
    let mut fresh = Fresh::start(&[]);
    fresh.end();
    let folder = Folder::open(&fresh.data).unwrap();
    let lock = folder.lock().unwrap();
    let fake = Fake::start();
    let port = fake.base().rsplit(':').next().unwrap().parse().unwrap();
    let secret = Secret::from("x".to_owned());
    let announcement = folder.announce(([127, 0, 0, 1], port).into(), &secret, None).unwrap();
    let cases = [
        (Says::Text(500, r#"{"error":{"message":"Not now."}}"#.to_owned()), "500"),
        (Says::Nothing, "there was no answer within 5 seconds"),
    ];
    let mut clients = Vec::new();
    for (says, why) in cases {
        fake.says("/rollcall/reload", says);
        let (status, out, err) = fresh.run("client add");
        assert!(status == 1 && err.contains("could not be told") && err.contains(why), "{err}");
        clients.push(printed(&out));
    }
    // They are kept, as it says.
    drop((announcement, lock));
    fresh.start_again();
    for client in &clients {
        fetched(fresh.service.address, "common", client);
    }
}

#[test]
fn links_end_with_who_has_asked_for_them() {
    let fresh = Fresh::start(&[]);
    let at = fresh.service.address;
    let link = |asked: crate::client::Ask| {
        let reply = asked.send(at);
        let location = reply.header("location").unwrap();
        ask("GET", location.strip_prefix("http://rollcall.test").unwrap())
    };
    let report = || ask("GET", "/v1.0/reports/getOffice365ActiveUserCounts(period='D7')");
    let client = printed(&fresh.done("client add"));
    let key = fresh.done("key add").trim().to_owned();
    let links = [
        link(report().bearer(&fetched(at, "common", &client))),
        link(report().header("X-Api-Key", &key)),
        link(report().bearer(&token(&fresh.data, &[]))),
    ];
    let statuses = || links.each_ref().map(|link| link.send(at).status);
    assert_eq!(statuses(), [200, 200, 200]);
    fresh.done(&format!("client rotate {}", client["CLIENT_ID"]));
    assert_eq!(statuses(), [403, 200, 200]);
    fresh.done(&format!("key remove {}", &key["rck_".len()..][..16]));
    assert_eq!(statuses(), [403, 403, 200]);
    let refused = links[1].send(at);
    assert!(refused.text().contains("was given to"), "{refused}");
}

#[test]
fn secrets_are_kept_as_hashes_and_written_nowhere() {
    let mut fresh = Fresh::start(&[]);
    let client = printed(&fresh.done("client add"));
    let key = fresh.done("key add").trim().to_owned();
    let token = fetched(fresh.service.address, "common", &client);
    let wrong = ask("GET", COLLECTION).header("X-Api-Key", &format!("{key}x"));
    assert_eq!(wrong.send(fresh.service.address).status, 401);
    assert_eq!(
        ask("GET", COLLECTION).header("X-Api-Key", &key).send(fresh.service.address).status,
        200
    );
    let control = std::fs::read_to_string(fresh.data.join("LISTEN")).unwrap();
    let control = control.lines().nth(1).unwrap().to_owned();
    fresh.end();
    let mut files: Vec<_> =
        std::fs::read_dir(&fresh.data).unwrap().map(|it| it.unwrap().path()).collect();
    files.push(log_of(&fresh.data));
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        for hidden in [&client["CLIENT_SECRET"], api_keys::secret(&key), &control, &token] {
            let found = bytes.windows(hidden.len()).any(|part| part == hidden.as_bytes());
            assert!(!found, "{}", file.display());
        }
    }
}

#[test]
fn nobody_else_can_have_the_service_read_anew() {
    let fresh = Fresh::start(&[]);
    let all = token(&fresh.data, &[]);
    for control in ["", "x"] {
        let asked = ask("POST", "/rollcall/reload").header("X-Rollcall-Reload", control);
        assert_eq!(asked.clone().send(fresh.service.address).status, 401);
        let known = asked.bearer(&all).send(fresh.service.address);
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
    let fresh = Fresh::start(&[]);
    let (mut client, mut key, mut ran) = (String::new(), String::new(), 0);
    for line in fences(DOCUMENT, "sh").iter().flat_map(|block| block.lines()) {
        let line = line.strip_prefix("rollcall ").unwrap();
        let line = line.replace("20fd2f71-3c41-4615-a230-69bb0a1abe69", &client);
        let line = line.replace("4f1d2c3b5a697887", &key);
        let out = fresh.done(&line);
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
    let mut fresh = Fresh::start(&[]);
    fresh.end();
    let first = printed(&fresh.done("client"));
    let add = |arguments: &str| format!("client add {arguments}");
    let cases = [
        (add("--tenant x"), "expected a GUID"),
        (add("--tenant 9188040d-6c67-4c5b-b112-36a304b66dad"), "personal"),
        (add("--role Reports.Write"), "expected one of Reports.Read.All"),
        (add("--name \"a\nb\""), "control characters"),
        ("client remove nope".to_owned(), "expected a GUID"),
        ("client rotate 1".to_owned(), "expected a GUID"),
        (format!("client remove {OTHER}"), "There is no client"),
        (format!("client remove {}", first["CLIENT_ID"]), "The first client stays"),
        (format!("client rotate {OTHER}"), "There is no client"),
        ("key remove x".to_owned(), "There is no key x"),
    ];
    for (line, told) in cases {
        let (status, out, err) = fresh.run(&line);
        assert!(status != 0 && out.is_empty() && err.contains(told), "{line}: {err}");
    }
}
