//! The command line: each command's output, errors, and what it leaves behind.

use std::path::Path;
use std::process::Command;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::client::ask;
use crate::process::{ROLLCALL, Service, rollcall, run, token};
use crate::sample::{COLLECTION, SAMPLE, fact};

fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    (folder, data)
}

fn count(service: &Service, token: &str) -> String {
    let reply = ask("GET", &format!("{COLLECTION}/$count")).bearer(token).send(service.address);
    assert_eq!(reply.status, 200, "{reply}");
    reply.text()
}

#[test]
fn serve_prints_a_line_that_creates() {
    if !crate::process::has("curl", "serve_prints_a_line_that_creates") {
        return;
    }
    let (_folder, data) = folder();
    let service = Service::start(&data);
    let line = service.greeting.lines().find(|line| line.starts_with("curl")).unwrap();
    for number in ["\"office365\":9,", "\"sharePoint\":10,", "\"teams\":5,"] {
        assert!(line.contains(number), "{line}");
    }
    let (status, out, err) = run(Command::new("sh").args(["-c", line]));
    assert_eq!(status, 0, "{err}");
    assert!(out.starts_with("HTTP/1.1 201 Created\r\n"), "{out}");
    let location = out.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().trim();
    let target = location.split(&service.address.to_string()).nth(1).unwrap();
    let read = ask("GET", target).header("Host", &service.address.to_string());
    let read = read.bearer(&token(&data, &[])).send(service.address);
    assert_eq!(read.text(), out.split("\r\n\r\n").nth(1).unwrap());
}

#[test]
fn a_folder_has_one_service() {
    let (_folder, data) = folder();
    let service = Service::start(&data);
    let (status, out, err) = run(rollcall(&data, "serve").args(["--listen", "127.0.0.1:0"]));
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.starts_with("rollcall: ") && err.contains(data.to_str().unwrap()), "{err}");
    assert_eq!(service.stop(), Some(0));
    Service::start(&data);
}

#[test]
fn signals_stop_it_gracefully() {
    for name in ["TERM", "INT"] {
        let (_folder, data) = folder();
        let service = Service::start(&data);
        let body = ask("POST", COLLECTION).bearer(&token(&data, &[])).json(SAMPLE);
        assert_eq!(body.send(service.address).status, 201);
        crate::process::signal(service.id(), name);
        assert_eq!(service.wait(), Some(0), "{name}");
        let left: Vec<String> =
            names(&data).into_iter().filter(|one| one.contains("-wal")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn secrets_are_the_owners_and_no_two_folders_share_them() {
    use std::os::unix::fs::PermissionsExt;
    let (_one, data) = folder();
    let (_two, other) = folder();
    // A folder that others may look into.
    std::fs::create_dir(&other).unwrap();
    std::fs::set_permissions(&other, PermissionsExt::from_mode(0o755)).unwrap();
    let services = [Service::start(&data), Service::start(&other)];
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for name in ["rollcall.db", "rollcall.db-wal", "rollcall.db-shm"] {
        assert_eq!(mode(&other.join(name)), 0o600, "{name}");
    }
    drop(services);
    assert_eq!(mode(&data), 0o700);
    let secret = ["signing-key.pem", "client.json"];
    for name in secret {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
        let read = |folder: &Path| std::fs::read(folder.join(name)).unwrap();
        assert_ne!(read(&data), read(&other), "{name}");
    }
    std::fs::set_permissions(data.join(secret[0]), PermissionsExt::from_mode(0o644)).unwrap();
    let (status, _, err) = run(&mut rollcall(&data, "token"));
    assert!(status == 1 && err.contains("600"), "{err}");
}

#[test]
fn a_newer_folder_is_refused_untouched() {
    let (_folder, data) = folder();
    drop(Service::start(&data));
    std::fs::write(data.join("FORMAT"), "2\n").unwrap();
    let before: Vec<_> = names(&data)
        .into_iter()
        .map(|name| (std::fs::read(data.join(&name)).unwrap(), name))
        .collect();
    for command in ["serve", "token", "client", "check"] {
        let (status, out, err) = run(&mut rollcall(&data, command));
        assert_eq!((status, out.as_str()), (1, ""), "{command}");
        assert!(err.contains("newer"), "{err}");
    }
    for (content, name) in before {
        assert_eq!(std::fs::read(data.join(&name)).unwrap(), content, "{name}");
    }
}

#[test]
fn without_a_folder_commands_say_what_makes_one() {
    let (_folder, data) = folder();
    for command in ["token", "client", "check"] {
        let (status, out, err) = run(&mut rollcall(&data, command));
        assert_eq!((status, out.as_str()), (1, ""), "{command}");
        assert!(err.contains("rollcall serve"), "{err}");
        assert!(!data.exists(), "{command} made the folder");
    }
}

#[test]
fn the_client_fetches_a_token_that_holds() {
    let (_folder, data) = folder();
    let service = Service::start(&data);
    let (status, out, err) = run(&mut rollcall(&data, "client"));
    assert_eq!(status, 0, "{err}");
    let value = |name: &str| out.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let (tenant, id, secret) = (value("TENANT="), value("CLIENT_ID="), value("CLIENT_SECRET="));
    assert_eq!(out.lines().count(), 3);
    let form = format!(
        "client_id={id}&client_secret={secret}&grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&unheard=1"
    );
    let ask_token = |form: &str| {
        ask("POST", &format!("/{tenant}/oauth2/v2.0/token"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form)
            .send(service.address)
    };
    let reply = ask_token(&form);
    assert_eq!(reply.status, 200, "{reply}");
    assert_eq!(reply.json()["token_type"], "Bearer");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let by_header = |id: &str, form: &str| {
        let basic = STANDARD.encode(format!("{id}:{secret}"));
        ask("POST", &format!("/{tenant}/oauth2/v2.0/token"))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Authorization", &format!("Basic {basic}"))
            .body(form)
            .send(service.address)
    };
    assert_eq!(by_header(id, &form).status, 200, "the same in both");
    let empty = form.replace(id, "").replace(secret, "");
    assert_eq!(by_header(id, &empty).status, 200, "without a value it is not there");
    for other in [form.replace(id, tenant), form.replace(secret, "wrong")] {
        let refused = by_header(id, &other);
        assert_eq!((refused.status, &refused.json()["error"]), (400, &"invalid_request".into()));
    }
    let bearer = reply.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(count(&service, &bearer), "0");
    let refused = ask_token(&form.replace(secret, "wrong"));
    assert_eq!((refused.status, refused.json()["error"].as_str()), (401, Some("invalid_client")));
}

#[test]
fn tokens_are_what_their_arguments_say() {
    let (_folder, data) = folder();
    let service = Service::start(&data);
    let status = |token: &str, method: &str, number: usize| {
        let request = ask(method, COLLECTION).bearer(token);
        let request = if method == "POST" { request.json(fact(number)) } else { request };
        request.send(service.address).status
    };
    let write = token(&data, &[]);
    assert_eq!((status(&write, "GET", 0), status(&write, "POST", 0)), (200, 201));
    let read = token(&data, &["--role", "Reports.Read.All", "--valid", "15m"]);
    assert_eq!((status(&read, "GET", 1), status(&read, "POST", 1)), (200, 403));
    let admin = "62e90394-69f5-4237-9190-012177145e10";
    let user = token(&data, &["--scope", "Reports.ReadWrite.All", "--wids", admin]);
    assert_eq!((status(&user, "GET", 2), status(&user, "POST", 2)), (200, 201));
    let tenant = "22222222-2222-2222-2222-222222222222";
    let other = token(&data, &["--tenant", tenant]);
    assert_eq!(count(&service, &other), "0");
    for bad in
        [["--valid", "0s"], ["--valid", "soon"], ["--valid", "366d"], ["--tenant", "contoso"]]
    {
        let (status, out, err) = run(rollcall(&data, "token").args(bad));
        assert!(status != 0 && out.is_empty() && !err.is_empty(), "{bad:?} {out}");
    }
}

#[test]
fn a_backup_is_consistent_and_can_be_served() {
    let (folder, data) = folder();
    let service = Service::start(&data);
    let original = token(&data, &[]);
    for number in 0..10 {
        let reply =
            ask("POST", COLLECTION).bearer(&original).json(fact(number)).send(service.address);
        assert_eq!(reply.status, 201);
    }
    let file = folder.path().join("copy.db");
    let back_up = || run(rollcall(&data, "backup").arg(&file));
    assert_eq!(back_up(), (0, String::new(), String::new()));
    let (status, _, err) = back_up();
    assert!(status == 1 && err.contains("copy.db"), "an existing file is kept: {err}");
    let restored = folder.path().join("restored");
    std::fs::create_dir(&restored).unwrap();
    std::fs::copy(&file, restored.join("rollcall.db")).unwrap();
    let other = Service::start(&restored);
    let tenant = tenant_of(&data);
    let elsewhere = token(&restored, &["--tenant", &tenant]);
    let read = |service: &Service, token: &str| {
        ask("GET", COLLECTION).bearer(token).send(service.address).text()
    };
    assert_eq!(read(&service, &original), read(&other, &elsewhere));
    let (status, out, err) = run(&mut rollcall(&restored, "check"));
    assert!(status == 0 && !out.is_empty(), "{err}");
}

fn tenant_of(data: &Path) -> String {
    let (_, out, _) = run(&mut rollcall(data, "client"));
    out.lines().find_map(|line| line.strip_prefix("TENANT=")).unwrap().to_owned()
}

#[test]
fn check_finds_what_is_broken() {
    let (_folder, data) = folder();
    let service = Service::start(&data);
    let reply =
        ask("POST", COLLECTION).bearer(&token(&data, &[])).json(SAMPLE).send(service.address);
    assert_eq!(reply.status, 201);
    assert_eq!(service.stop(), Some(0));
    let file = data.join("rollcall.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0xa5);
    std::fs::write(&file, bytes).unwrap();
    let (status, _, err) = run(&mut rollcall(&data, "check"));
    assert!(status == 1 && !err.is_empty(), "{err}");
}

#[test]
fn settings_come_from_flags_then_environment_then_file() {
    let (folder, data) = folder();
    let file = folder.path().join("rollcall.toml");
    std::fs::write(
        &file,
        "listen = \"127.0.0.1:0\"\npage-size = 1\npublic-url = \"https://file.example\"\n",
    )
    .unwrap();
    let mut command = rollcall(&data, "serve");
    command
        .arg("--config")
        .arg(&file)
        .env("ROLLCALL_PUBLIC_URL", "https://environment.example")
        .env("ROLLCALL_PAGE_SIZE", "3");
    let service =
        Service::start_with(command.args(["--page-size", "2"]), &folder.path().join("log"));
    let bearer = token(&data, &[]);
    for number in 0..4 {
        ask("POST", COLLECTION).bearer(&bearer).json(fact(number)).send(service.address);
    }
    let page = ask("GET", COLLECTION).bearer(&bearer).send(service.address).json();
    assert_eq!(page["value"].as_array().unwrap().len(), 2);
    assert!(
        page["@odata.nextLink"].as_str().unwrap().starts_with("https://environment.example/v1.0/")
    );
}

#[test]
fn what_serve_refuses() {
    let (folder, data) = folder();
    let file = folder.path().join("rollcall.toml");
    std::fs::write(&file, "lisen = \"127.0.0.1:0\"\n").unwrap();
    let file = file.to_str().unwrap();
    let issuers = folder.path().join("issuers.toml");
    std::fs::write(&issuers, "[[issuer]]\nurl = \"https://a.example\"\naudience = \"a\"\n")
        .unwrap();
    let issuers = issuers.to_str().unwrap();
    let graphs = "url = \"https://a.example\", tenants = \"all\", audience = \"https://graph.microsoft.com\"";
    for (arguments, told) in [
        (vec!["--listen", "0.0.0.0:0"], "--allow-remote"),
        (vec!["--listen", "localhost"], "Expected an IP address and a port"),
        (vec!["--page-size", "0"], "Expected 1 to 10000"),
        (vec!["--public-url", "rollcall.example"], "Expected http:// or https://"),
        (vec!["--public-url", "https://rollcall.example/x"], "and no path"),
        (vec!["--config", file], "unknown field `lisen`"),
        (vec!["--config", "/nowhere"], "cannot be read"),
        (vec!["--config", issuers], "The issuer 'https://a.example' is wrong: whose data is it?"),
        (vec!["--issuer", graphs], "the audience 'https://graph.microsoft.com' is Graph's"),
    ] {
        let (status, out, err) = run(rollcall(&data, "serve").args(&arguments));
        assert_eq!((status, out.as_str()), (1, ""), "{arguments:?}");
        assert!(err.starts_with("rollcall: ") && err.contains(told), "{err}");
    }
    assert!(!data.exists(), "nothing was made for a service that did not start");
}

#[test]
fn help_and_version() {
    let (status, out, _) = run(Command::new(ROLLCALL).arg("--version"));
    assert_eq!((status, out), (0, format!("rollcall {}\n", env!("CARGO_PKG_VERSION"))));
    for command in ["serve", "token", "client", "export", "demo", "backup", "check"] {
        let (status, out, _) = run(Command::new(ROLLCALL).args([command, "--help"]));
        assert!(status == 0 && out.contains("--data <DIR>"), "{out}");
    }
    for command in ["token", "export", "import x", "key add"] {
        let mut personal = Command::new(ROLLCALL);
        personal.args(command.split(' '));
        personal.args(["--tenant", "9188040d-6c67-4c5b-b112-36a304b66dad"]);
        let (status, _, err) = run(&mut personal);
        assert!(status == 2 && err.contains("personal accounts"), "{command}: {err}");
    }
    let (status, _, err) = run(Command::new(ROLLCALL).arg("nonsense"));
    assert!(status == 2 && err.contains("nonsense"), "{err}");
}
