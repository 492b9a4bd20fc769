//! `rollcall export`: the rows of a folder, beside a service that runs.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::client::ask;
use crate::process::{ROLLCALL, Service, rollcall, run, token};
use crate::sample::{COLLECTION, SAMPLE};

fn export(data: &Path, arguments: &[&str]) -> String {
    let (status, out, err) = run(rollcall(data, "export").args(arguments));
    assert_eq!(status, 0, "{err}");
    out
}

/// A service with two days, one of them restated.
fn filled(data: &Path) -> Service {
    let service = Service::start(data);
    let token = token(data, &[]);
    let id = |digit: &str| format!("da0e2eb0-2eb0-da0e-b02e-0edab02e0ed{digit}");
    for (digit, day, refreshed, teams) in [
        ("1", "2026-11-18", "2026-11-20", "5"),
        ("2", "2026-11-17", "2026-11-19", "null"),
        ("3", "2026-11-17", "2026-11-20", "7"),
    ] {
        let body = SAMPLE
            .replacen('{', &format!("{{\"id\":\"{}\",", id(digit)), 1)
            .replace("2026-11-20", refreshed)
            .replace("2026-11-18", day)
            .replace("\"teams\":5", &format!("\"teams\":{teams}"));
        let made = ask("POST", COLLECTION).bearer(&token).json(body).send(service.address);
        assert_eq!(made.status, 201, "{made}");
    }
    service
}

#[test]
fn rows_in_each_form_while_the_service_runs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = filled(&data);
    let forms = [
        &["--period", "D7"] as &[&str],
        &["--format", "jsonl"],
        &["--period", "d9", "--to", "2026-11-17", "--format", "jsonl"],
        &["--all"],
        &["--all", "--format", "jsonl", "--report", "OFFICE365activeUserCounts"],
        &["--tenant", "11111111-1111-1111-1111-111111111111"],
    ];
    let shown: Vec<String> = forms
        .iter()
        .map(|form| format!("export {}\n{}", form.join(" "), export(&data, form)))
        .collect();
    insta::assert_snapshot!("forms", shown.join("\n"));
    assert_eq!(service.stop(), Some(0));
    assert_eq!(export(&data, &["--all"]), shown[3].split_once('\n').unwrap().1);
}

#[test]
fn what_cannot_be_exported() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Service::start(&data).stop();
    for (arguments, told) in [
        (&["--period", "7"] as &[&str], "expected D1 to D9999, or ALL"),
        (&["--period", "D0"], "expected D1 to D9999, or ALL"),
        (&["--to", "2026-02-30"], "expected a real day"),
        (&["--all", "--period", "D7"], "cannot be used with"),
        (&["--report", "getNothing"], "expected one of getOffice365ActiveUserCounts"),
        (&["--format", "xlsx"], "[possible values: csv, jsonl]"),
        (&["--tenant", "me"], "invalid value 'me'"),
    ] {
        let (status, out, err) = run(rollcall(&data, "export").args(arguments));
        assert!(status > 0 && out.is_empty() && err.contains(told), "{arguments:?}\n{err}");
    }
    let nowhere = folder.path().join("nowhere");
    let (status, _, err) = run(&mut rollcall(&nowhere, "export"));
    assert!(status == 1 && err.contains("rollcall serve"), "{err}");
    assert!(!nowhere.exists());
}

#[test]
fn a_reader_that_goes_away_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = filled(&data);
    let closed = format!("'{ROLLCALL}' export --data '{}' >&-", data.display());
    let output = Command::new("sh").args(["-c", &closed]).stdout(Stdio::null()).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!told.contains("panicked"), "{told}");
    assert_eq!(service.stop(), Some(0));
}
