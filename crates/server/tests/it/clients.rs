//! Clients that people have, from their packages, against the running binary under
//! TLS: Graph's SDKs, what fetches their tokens, and generic clients of OData. What
//! they do is in `tests/clients`; what points them here, in docs/clients.md.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::ToSpan;
use jiff::civil::date;

use crate::client::ask;
use crate::process::{Fresh, has, run, skipped, token};
use crate::readme::fences;
use crate::sample::COLLECTION;
use crate::secure::Secure;
use crate::tunnel;

const DOCUMENT: &str = include_str!("../../../../docs/clients.md");

/// Rows for the clients to page through.
const ROWS: usize = 1000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// What the document has under this heading.
fn section(heading: &str) -> &'static str {
    let section = DOCUMENT.split(&format!("\n## {heading}\n")).nth(1).expect(heading);
    section.split("\n## ").next().unwrap()
}

/// The lines of the document under this heading.
fn documented(heading: &str) -> &'static str {
    let fence = section(heading).split("\n```").nth(1).unwrap();
    fence.split_once('\n').unwrap().1
}

/// A row for each of so many days from 2023-02-21 on, with 1, 2, 3 … people in Teams.
fn rows() -> String {
    let mut csv = "Report Refresh Date,Office 365,Exchange,OneDrive,SharePoint,Skype For Business,\
                   Yammer,Teams,Report Date,Report Period\n"
        .to_owned();
    for teams in 1..=ROWS {
        let day = date(2023, 2, 20) + i64::try_from(teams).unwrap().days();
        writeln!(csv, "2025-11-20,100,8,8,10,,6,{teams},{day},7").unwrap();
    }
    csv
}

/// A service under TLS with rows, and what a client must know of it.
struct Stage(Fresh);

impl Stage {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(arguments: &[&str]) -> Self {
        let fresh = Fresh::start(&[&["--tls-local"], arguments].concat());
        let create = ask("POST", COLLECTION).header("Content-Type", "text/csv").body(rows());
        let create = create.bearer(&token(&fresh.data, &[]));
        let client = Secure::trusting(&fresh.data.join("local-authority.pem"));
        let (_, reply) = client.send(&create, fresh.service.address).unwrap();
        assert_eq!((reply.status, &reply.json()["created"]), (200, &ROWS.into()), "{reply}");
        Self(fresh)
    }

    /// The document's lines, for the address that there is.
    fn lines(&self, headings: &[&str]) -> String {
        let lines: Vec<&str> = headings.iter().map(|heading| documented(heading)).collect();
        lines.join("\n").replace("127.0.0.1:8365", &self.0.service.address.to_string())
    }

    /// Lets a client loose, after the document's first lines for the folder that there
    /// is, and with what else it must know in its environment.
    fn run(&self, client: &Command) -> String {
        let trusting = fences(DOCUMENT, "sh")[0];
        assert!(trusting.contains("$PWD/rollcall-data/"), "{trusting}");
        let trusting = trusting.replace("$PWD/rollcall-data", self.0.data.to_str().unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-ec", &format!("{trusting}\nexec \"$@\""), "sh"]);
        shell.arg(client.get_program()).args(client.get_args());
        shell.envs(client.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let known = self.0.done("client");
        shell.envs(known.lines().filter_map(|line| line.split_once('=')));
        let (status, out, err) = run(shell.env("ROWS", ROWS.to_string()));
        assert_eq!(status, 0, "{out}{err}");
        out.trim_end().to_owned()
    }

    /// A token that MSAL fetches.
    fn token(&self, mut msal: Command, heading: &str, names: &str) -> String {
        let token = self.run(msal.env("LINES", format!("{names}\n{}", self.lines(&[heading]))));
        assert_eq!(token.split('.').count(), 3, "{token}");
        token
    }
}

const PYTHON_NAMES: &str = "import os
from msal import ConfidentialClientApplication
TENANT, CLIENT_ID, CLIENT_SECRET = (os.environ[name] for name in ['TENANT', 'CLIENT_ID', 'CLIENT_SECRET'])";

const NODE_NAMES: &str = "const { ConfidentialClientApplication } = require('@azure/msal-node');
const { TENANT, CLIENT_ID, CLIENT_SECRET, TOKEN } = process.env;";

/// Python with these packages; nothing where one is missing, which is said.
fn python(test: &str, packages: &str, script: &str) -> Option<Command> {
    let python = folder().join(".venv/bin/python");
    let imported = Command::new(&python).args(["-c", &format!("import {packages}")]).output();
    if !imported.is_ok_and(|imported| imported.status.success()) {
        skipped(test, &format!("of {packages} for Python one is not installed"));
        return None;
    }
    let mut command = Command::new(python);
    command.arg(folder().join(script));
    Some(command)
}

/// The same of Node.js.
fn node(test: &str, packages: &[&str], script: &str) -> Option<Command> {
    let missing = packages.iter().find(|one| !folder().join("node_modules").join(one).exists());
    if let Some(missing) = missing {
        skipped(test, &format!("{missing} is not installed"));
        return None;
    }
    has("node", test).then(|| {
        let mut command = Command::new("node");
        command.arg(folder().join(script));
        command
    })
}

#[test]
fn curl_is_served() {
    if !has("curl", "curl_is_served") {
        return;
    }
    let stage = Stage::start();
    let mut shell = Command::new("sh");
    let file = stage.run(shell.args(["-ec", &stage.lines(&["curl"])]));
    assert!(file.starts_with("\u{feff}Report Refresh Date,Office 365,"), "{file}");
    assert!(file.lines().nth(1).unwrap().contains(",2025-11-16,180"), "{file}");
}

/// Graph's SDK for Python of a version: what its lines are, and what they name.
fn graph_for_python(test: &str, package: &str, headings: &[&str]) {
    let packages = format!("azure.identity, {package}, deprecated");
    let Some(mut client) = python(test, &packages, "graph.py") else { return };
    let stage = Stage::start();
    let names =
        PYTHON_NAMES.replace("msal import Confidential", "azure.identity import Confidential");
    let names = names.replace("ConfidentialClientApplication", "ClientSecretCredential");
    let lines =
        format!("{names}\nfrom {package} import GraphServiceClient\n{}", stage.lines(headings));
    let out = stage.run(client.env("LINES", lines).env("PACKAGE", package));
    assert_eq!(out, format!("served {package}"));
}

#[test]
fn graph_s_sdk_for_python_is_served() {
    let heading = "msgraph-sdk for Python, v1.0";
    graph_for_python("graph_s_sdk_for_python_is_served", "msgraph", &[heading]);
}

#[test]
fn graph_s_beta_sdk_for_python_is_served() {
    let headings = ["msgraph-sdk for Python, v1.0", "msgraph-beta-sdk for Python"];
    graph_for_python("graph_s_beta_sdk_for_python_is_served", "msgraph_beta", &headings);
}

#[test]
fn graph_s_sdk_for_javascript_is_served() {
    let packages = ["@microsoft/microsoft-graph-client", "@azure/identity"];
    let test = "graph_s_sdk_for_javascript_is_served";
    let Some(mut client) = node(test, &packages, "graph.cjs") else { return };
    let stage = Stage::start();
    let names = "const { ClientSecretCredential } = require('@azure/identity');
const { Client } = require('@microsoft/microsoft-graph-client');
const { TokenCredentialAuthenticationProvider } = require('@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials');
const { TENANT, CLIENT_ID, CLIENT_SECRET } = process.env;";
    let lines = stage.lines(&["Microsoft Graph client for JavaScript"]);
    let out = stage.run(client.env("LINES", format!("{names}\n{lines}")));
    assert_eq!(out, "served @microsoft/microsoft-graph-client");
}

/// The program that uses Graph's client in Rust; nothing where it is not built, which is said.
fn in_rust(test: &str) -> Option<Command> {
    let program = folder().join("graph-rs/target/debug/graph-rs-client");
    if !program.exists() {
        skipped(test, "graph-rs-sdk is not built");
        return None;
    }
    let source = std::fs::read_to_string(folder().join("graph-rs/src/main.rs")).unwrap();
    let lines = fences(section("graph-rs-sdk for Rust"), "rust");
    assert!(lines.len() == 2 && lines.iter().all(|lines| source.contains(lines)), "{lines:?}");
    Some(Command::new(program))
}

#[test]
fn graph_s_client_in_rust_is_served() {
    let test = "graph_s_client_in_rust_is_served";
    let Some(mut client) = in_rust(test) else { return };
    let Some(msal) = python(test, "msal", "msal_token.py") else { return };
    let stage = Stage::start();
    let token = stage.token(msal, "MSAL for Python", PYTHON_NAMES);
    client.env("ROOT", format!("https://{}/v1.0", stage.0.service.address)).env("TOKEN", token);
    assert_eq!(stage.run(&client), "served graph-rs-sdk");
}

/// The host where Graph's client in Rust fetches its tokens.
const SIGN_IN: &str = "https://login.microsoftonline.com";

#[test]
fn graph_s_client_in_rust_fetches_its_token() {
    let Some(mut client) = in_rust("graph_s_client_in_rust_fetches_its_token") else { return };
    let arguments = format!("--tls-local --public-url {SIGN_IN}");
    assert!(section("graph-rs-sdk for Rust").contains(&arguments));
    let stage = Stage::start_with(&["--public-url", SIGN_IN]);
    let proxy = tunnel::start(stage.0.service.address);
    client.env("ROOT", format!("{SIGN_IN}/v1.0")).env("HTTPS_PROXY", format!("http://{proxy}"));
    assert_eq!(stage.run(&client), "served graph-rs-sdk");
}

#[test]
fn a_generic_client_in_python_is_served() {
    let test = "a_generic_client_in_python_is_served";
    let Some(mut client) = python(test, "odata, requests", "client.py") else { return };
    let Some(msal) = python(test, "msal", "msal_token.py") else { return };
    let stage = Stage::start();
    let token = stage.token(msal, "MSAL for Python", PYTHON_NAMES);
    let names = "import os, requests\nfrom odata import ODataService\nTOKEN = os.environ['TOKEN']";
    let lines = format!("{names}\n{}", stage.lines(&["python-odata"]));
    let out = stage.run(client.env("LINES", lines).env("TOKEN", token));
    assert_eq!(out.lines().last(), Some("served python-odata"));
}

/// A generic client in JavaScript.
fn in_javascript(test: &str, package: &str, script: &str, names: &str, heading: &str) {
    let Some(mut client) = node(test, &[package], script) else { return };
    let Some(msal) = node(test, &["@azure/msal-node"], "msal_token.cjs") else { return };
    let stage = Stage::start();
    let token = stage.token(msal, "MSAL for Node.js", NODE_NAMES);
    let lines = format!("{names}\nconst {{ TOKEN }} = process.env;\n{}", stage.lines(&[heading]));
    let out = stage.run(client.env("LINES", lines).env("TOKEN", token));
    assert_eq!(out, format!("served {heading}"));
}

#[test]
fn a_generic_client_in_javascript_is_served() {
    let test = "a_generic_client_in_javascript_is_served";
    let names = "const { OData } = require('@odata/client');";
    in_javascript(test, "@odata/client", "client.cjs", names, "@odata/client");
}

#[test]
fn another_generic_client_in_javascript_is_served() {
    let test = "another_generic_client_in_javascript_is_served";
    in_javascript(test, "odata", "ojs.cjs", "const { o } = require('odata');", "o.js");
}
