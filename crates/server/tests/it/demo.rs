//! `rollcall demo`: what it fills, what it leaves alone, and that a seed repeats itself.

use std::path::Path;

use crate::client::ask;
use crate::process::{Service, rollcall, run, token};
use crate::sample::{COLLECTION, SAMPLE};

fn demo(data: &Path, arguments: &[&str]) -> (i32, String, String) {
    run(rollcall(data, "demo").args(arguments))
}

/// The tenants of the lines that the command prints.
fn tenants(out: &str) -> Vec<String> {
    out.lines().map(|line| line.split(':').next().unwrap().to_owned()).collect()
}

/// Every row of a tenant, ids included.
fn rows(data: &Path, tenant: &str) -> String {
    let mut export = rollcall(data, "export");
    let (status, out, err) = run(export.args(["--all", "--format", "jsonl", "--tenant", tenant]));
    assert_eq!(status, 0, "{err}");
    out
}

#[test]
fn a_new_folder_is_filled_and_reports_have_every_day() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (status, out, err) = demo(&data, &["--days", "40"]);
    assert_eq!((status, err.as_str(), out.lines().count()), (0, "", 1));
    let service = Service::start(&data);
    let first = token(&data, &[]);
    let report =
        "/beta/reports/getOffice365ActiveUserCounts(period='D30')?$format=application/json";
    let reply = ask("GET", report).bearer(&first).send(service.address);
    assert_eq!(reply.status, 200, "{reply}");
    // The window ends at the refresh date, two days after the last day that is known.
    assert_eq!(reply.json()["value"].as_array().map(Vec::len), Some(28), "{reply}");
    let count = format!("{COLLECTION}/$count");
    let reply = ask("GET", &count).bearer(&first).send(service.address);
    assert!(out.contains(&format!(", {} rows\n", reply.text())), "{out}{reply}");
    assert_eq!(service.stop(), Some(0));
    let (status, _, err) = run(&mut rollcall(&data, "check"));
    assert_eq!(status, 0, "{err}");
}

#[test]
fn a_tenant_that_has_rows_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let mine = token(&data, &[]);
    let reply = ask("POST", COLLECTION).bearer(&mine).json(SAMPLE).send(service.address);
    assert_eq!(reply.status, 201);
    assert_eq!(service.stop(), Some(0));
    let (status, out, err) = demo(&data, &["--days", "5", "--tenants", "3"]);
    let filled = tenants(&out);
    assert_eq!((status, filled.len()), (1, 2), "{out}{err}");
    let (_, client, _) = run(&mut rollcall(&data, "client"));
    let first = client.lines().find_map(|line| line.strip_prefix("TENANT=")).unwrap();
    assert!(err.contains(first) && filled.iter().all(|other| !err.contains(other)), "{err}");
    assert_eq!(rows(&data, first).lines().count(), 1);
    let before: Vec<String> = filled.iter().map(|tenant| rows(&data, tenant)).collect();
    let (status, out, err) = demo(&data, &["--days", "9", "--tenants", "3"]);
    assert_eq!((status, out.as_str()), (1, ""), "{err}");
    let after: Vec<String> = filled.iter().map(|tenant| rows(&data, tenant)).collect();
    assert_eq!(before, after);
}

#[test]
fn a_service_that_runs_is_filled_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let (status, out, err) = demo(&data, &["--days", "20", "--tenants", "2"]);
    assert_eq!((status, err.as_str(), out.lines().count()), (0, "", 2));
    for (tenant, line) in tenants(&out).iter().zip(out.lines()) {
        let count = ask("GET", &format!("{COLLECTION}/$count"))
            .bearer(&token(&data, &["--tenant", tenant]))
            .send(service.address);
        assert!(line.ends_with(&format!(", {} rows", count.text())), "{line} {count}");
    }
    let before: Vec<String> = tenants(&out).iter().map(|one| rows(&data, one)).collect();
    let (status, again, err) = demo(&data, &["--days", "30", "--tenants", "2"]);
    assert_eq!((status, again.as_str()), (1, ""), "{err}");
    let after: Vec<String> = tenants(&out).iter().map(|one| rows(&data, one)).collect();
    assert_eq!(before, after);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn a_seed_repeats_itself_in_another_folder() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str, seed: &str| {
        let data = folder.path().join(name);
        let (status, out, err) = demo(&data, &["--days", "30", "--tenants", "2", "--seed", seed]);
        assert_eq!(status, 0, "{err}");
        let second = tenants(&out)[1].clone();
        let rows = rows(&data, &second);
        (out.lines().nth(1).unwrap().to_owned(), rows)
    };
    let mut one = made("one", "7");
    let other = made("other", "7");
    if one.0 != other.0 {
        // Midnight lay between the two: not between these.
        one = made("another", "7");
    }
    assert!(one.1.lines().count() >= 30);
    assert_eq!(one, other);
    assert_ne!(one.1, made("different", "8").1);
}

#[test]
fn limits_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for (flag, value, limit) in [
        ("--days", "0", "1..=3650"),
        ("--days", "3651", "1..=3650"),
        ("--tenants", "0", "1..=1000"),
        ("--tenants", "1001", "1..=1000"),
        ("--seed", "1.5", "invalid digit"),
        ("--days", "many", "invalid digit"),
    ] {
        let (status, out, err) = demo(&data, &[flag, value]);
        assert_eq!((status, out.as_str()), (2, ""), "{flag} {value}");
        assert!(err.contains(limit), "{err}");
    }
    assert!(!data.exists());
}
