//! The documents: every command and every exchange in them is run.

use std::path::Path;
use std::process::Command;

use crate::client::{Ask, Reply, ask};
use crate::process::{ROLLCALL, Service, has, run};
use crate::tls::Files;
use crate::world::World;

const README: &str = include_str!("../../../../README.md");
const TLS: &str = include_str!("../../../../docs/tls.md");
const TESTING: &str = include_str!("../../../../docs/testing.md");
const IMPORT: &str = include_str!("../../../../docs/import.md");

/// The fenced blocks of a document in this language.
pub fn fences<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("```{language}\n");
    document.split(&start).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

/// A command of the README with the binary that is tested in cargo's place,
/// and the service that the test has started.
fn here(command: &str, address: &str) -> String {
    command
        .replace("cargo run -q --release --", &format!("'{ROLLCALL}'"))
        .replace("cargo run --release --", &format!("'{ROLLCALL}'"))
        .replace("127.0.0.1:8365", address)
}

#[test]
fn every_command_of_the_readme_works() {
    if !has("curl", "every_command_of_the_readme_works") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let commands = fences(README, "sh");
    assert_eq!(commands.len(), 6, "a command without a test");
    assert_eq!(commands[0], "cargo run --release -- serve");
    assert_eq!(commands[5], "cargo test --workspace", "which this is a part of");
    let mut serve = Command::new("sh");
    let line = format!("exec {} --listen 127.0.0.1:0", here(commands[0], ""));
    serve.args(["-c", &line]).current_dir(folder.path());
    let service = Service::start_with(&mut serve, &folder.path().join("log"));
    let shell = |command: &str| {
        let command = here(command, &service.address.to_string());
        let (status, out, err) =
            run(Command::new("sh").args(["-c", &command]).current_dir(folder.path()));
        assert_eq!(status, 0, "{command}\n{err}");
        out
    };
    let created = shell(commands[1]).replace("\r\n", "\n");
    let shown = fences(README, "http");
    assert_eq!(shown.len(), 1);
    // The free port of the test has a digit more than the documented one, perhaps.
    let (there, documented) = (service.address.to_string(), "127.0.0.1:8365");
    let length = 370 + there.len() - documented.len();
    let created = created.replace(&there, documented);
    let created = created.replace(&format!("content-length: {length}\n"), "content-length: 370\n");
    assert_eq!(masked(shown[0]), masked(&created));
    let all = shell(commands[2]);
    assert!(
        all.contains("\"@odata.etag\":\"W/\\\"1\\\"\"") && all.contains("\"teams\":5"),
        "{all}"
    );
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples"),
        &folder.path().join("examples"),
    );
    assert!(shell(commands[3]).contains(" 0 conflicting, 0 rejected."));
    assert!(shell(commands[3]).trim_end().ends_with("Nothing has changed."));
    let file = shell(commands[4]);
    let shown = fences(README, "csv");
    assert_eq!(file.trim_start_matches('\u{feff}').replace("\r\n", "\n").trim_end(), shown[0]);
    assert!(file.ends_with("\r\n"), "{file}");
    // The same as JSON, on both versions.
    let [v1, beta] = ["v1.0", "beta"].map(|version| {
        let call =
            commands[4].replace("v1.0", version).replace("')", "')?\\$format=application/json");
        let body: serde_json::Value = serde_json::from_str(&shell(&call)).unwrap();
        body["value"].clone()
    });
    assert_eq!(v1, beta);
    assert_eq!(v1.as_array().map(Vec::len), Some(shown[0].lines().count() - 1));
}

#[test]
fn every_command_of_the_page_on_import_says_what_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::create_dir(folder.path().join("examples")).unwrap();
    for entry in std::fs::read_dir(root.join("examples")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join("examples").join(entry.file_name()))
            .unwrap();
    }
    let (commands, shown) = (fences(IMPORT, "sh"), fences(IMPORT, "text"));
    assert_eq!((commands.len(), shown.len()), (3, 3), "each command with what it says");
    for (command, shown) in commands.into_iter().zip(shown) {
        let mut shell = Command::new("sh");
        let line = command.replace("rollcall import", &format!("'{ROLLCALL}' import"));
        let (status, out, err) = run(shell.args(["-c", &line]).current_dir(folder.path()));
        assert_eq!((status, err.as_str()), (0, ""), "{command}");
        assert_eq!(out.trim_end(), shown, "{command}");
    }
}

#[test]
fn every_command_of_the_page_on_tls_does_what_it_says() {
    if !has("curl", "every_command_of_the_page_on_tls_does_what_it_says") {
        return;
    }
    let files = Files::new();
    let here =
        |command: &str| command.replacen("rollcall serve", &format!("'{ROLLCALL}' serve"), 1);
    let mut shown = fences(TLS, "text").into_iter();
    let mut service: Option<Service> = None;
    for command in fences(TLS, "sh") {
        if command.starts_with("rollcall serve") {
            // The folder has one service.
            drop(service.take());
            let mut serve = Command::new("sh");
            let line = format!("exec {} --listen 127.0.0.1:0", here(command));
            serve.args(["-c", &line]).current_dir(files.folder());
            service = Some(Service::start_with(&mut serve, &files.folder().join("log")));
            continue;
        }
        let port = service.as_ref().unwrap().address.port().to_string();
        let line = command.replace("curl ", "curl -sS ").replace("8365", &port);
        let (status, out, err) =
            run(Command::new("sh").args(["-c", &line]).current_dir(files.folder()));
        assert_eq!((status, err.as_str()), (0, ""), "{command}");
        let shown = shown.next().unwrap();
        assert!(out.contains(shown), "{command}\n{out}\n{shown}");
    }
    assert!(shown.next().is_none(), "what nothing says");
}

/// Copies the files of a folder.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// An answer with what differs from run to run made equal: GUIDs and the date.
fn masked(answer: &str) -> String {
    let guid = |word: &str| uuid::Uuid::try_parse(word).is_ok() && word.len() == 36;
    let mut masked = String::new();
    for line in answer.trim_end().lines() {
        if line.starts_with("date: ") {
            masked += "date: now\n";
            continue;
        }
        let words =
            line.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
        for word in words {
            let bare = word.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
            masked += &if guid(bare) { word.replace(bare, "GUID") } else { word.to_owned() };
        }
        masked.push('\n');
    }
    masked
}

/// The exchanges of a document: each request with the answer that follows it.
fn exchanges(document: &str) -> Vec<(Ask, String)> {
    let blocks = fences(document, "http");
    let (mut found, mut rest) = (Vec::new(), blocks.as_slice());
    while let [request, answer, more @ ..] = rest {
        assert!(
            answer.starts_with("HTTP/1.1 "),
            "an exchange is a request and its answer: {request}"
        );
        found.push((request_of(request), (*answer).to_owned()));
        rest = more;
    }
    assert!(rest.is_empty(), "a request without an answer: {rest:?}");
    found
}

fn request_of(block: &str) -> Ask {
    let (head, body) = block.split_once("\n\n").unwrap_or((block, ""));
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let request = ask(first.next().unwrap(), first.next().unwrap()).body(body);
    lines
        .filter_map(|line| line.split_once(": "))
        .fold(request, |request, (name, value)| request.header(name, value))
}

/// What a document shows of an answer must be in it: each header, and the whole body.
fn holds(shown: &str, reply: &Reply) {
    let (head, body) = shown.split_once("\n\n").unwrap_or((shown, ""));
    let mut lines = head.lines();
    let status = lines.next().unwrap();
    assert!(status.starts_with(&format!("HTTP/1.1 {}", reply.status)), "{shown}\n---\n{reply}");
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let was = reply.header(name).unwrap_or_else(|| panic!("no {name}\n{reply}"));
        assert_eq!(masked(value), masked(was), "{name} in\n{shown}");
    }
    match serde_json::from_str::<serde_json::Value>(body) {
        Err(_) => {
            let text = reply.text().replace("\r\n", "\n");
            assert_eq!(masked(body.trim()), masked(text.trim_start_matches('\u{feff}').trim()));
        }
        Ok(shown) => assert_eq!(
            masked(&stamped(shown)),
            masked(&stamped(reply.json())),
            "{body}\n---\n{reply}"
        ),
    }
}

/// A JSON body on one line, its time made equal.
fn stamped(mut body: serde_json::Value) -> String {
    if let Some(date) = body.pointer_mut("/error/innerError/date") {
        *date = "now".into();
    }
    serde_json::to_string_pretty(&body).unwrap()
}

#[test]
fn every_exchange_of_the_documents_is_true() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api");
    let mut count = 0;
    let texts = std::fs::read_dir(folder).unwrap();
    let texts = texts.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let plain = texts.chain([IMPORT.to_owned()]).map(|text| (text, World::plain()));
    let controlled = std::iter::once_with(|| (TESTING.to_owned(), World::controlled(false)));
    for (text, world) in plain.chain(controlled) {
        let (mut last, mut delta) = (String::new(), String::new());
        for (request, shown) in exchanges(&text) {
            let token = world.writer();
            // A document's {id} is the object that it last created, its {link} and
            // {delta} the last link of that kind.
            let values =
                [("{token}", &token), ("{id}", &last), ("{link}", &last), ("{delta}", &delta)];
            let request = request.filled(&values.map(|(name, value)| (name, value.as_str())));
            let reply = world.send(&request);
            if let Some(location) = reply.header("location") {
                location.rsplit('/').next().unwrap().clone_into(&mut last);
            }
            if let Some((_, token)) = reply.text().split_once("$deltatoken=") {
                token.split('"').next().unwrap().clone_into(&mut delta);
            }
            holds(&shown.replace("{link}", &last).replace("{delta}", &delta), &reply);
            count += 1;
        }
    }
    assert!(count >= 5, "{count}");
}
