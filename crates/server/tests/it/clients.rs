//! Generic clients of OData, libraries that know nothing of Rollcall, against
//! the running binary. What they do is in `tests/clients`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::client::ask;
use crate::process::{Service, run, skipped, token};

/// Rows for the clients to find.
const ROWS: usize = 12;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Rows of one month, the same number of people in Teams as the day's.
fn rows() -> String {
    let mut csv = "Report Refresh Date,Office 365,Exchange,OneDrive,SharePoint,Skype For Business,\
                   Yammer,Teams,Report Date,Report Period\n"
        .to_owned();
    for day in 1..=ROWS {
        writeln!(csv, "2025-11-20,100,8,8,10,,6,{day},2025-10-{day:02},7").unwrap();
    }
    csv
}

/// Lets a client loose on a service that has these rows.
fn let_loose(client: &mut Command) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let token = token(&data, &[]);
    let rows =
        ask("POST", crate::sample::COLLECTION).header("Content-Type", "text/csv").body(rows());
    let reply = rows.bearer(&token).send(service.address);
    assert_eq!((reply.status, &reply.json()["created"]), (200, &ROWS.into()), "{reply}");
    let root = format!("http://{}/v1.0/", service.address);
    let (status, out, err) = run(client.arg(root).arg(token).env("ROWS", ROWS.to_string()));
    assert!(status == 0 && out.contains("served "), "{out}{err}");
}

#[test]
fn a_generic_client_in_python_is_served() {
    let python = folder().join(".venv/bin/python");
    if !python.exists() {
        return skipped("a_generic_client_in_python_is_served", "python-odata is not installed");
    }
    let_loose(Command::new(python).arg(folder().join("client.py")));
}

#[test]
fn graph_s_own_sdk_is_served() {
    if !folder().join("node_modules/@microsoft").exists() {
        let missing = "@microsoft/microsoft-graph-client is not installed";
        return skipped("graph_s_own_sdk_is_served", missing);
    }
    let_loose(Command::new("node").arg(folder().join("graph.cjs")));
}

#[test]
fn a_generic_client_in_javascript_is_served() {
    if !folder().join("node_modules").exists() {
        return skipped(
            "a_generic_client_in_javascript_is_served",
            "@odata/client is not installed",
        );
    }
    let_loose(Command::new("node").arg(folder().join("client.cjs")));
}
