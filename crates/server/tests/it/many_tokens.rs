//! More tokens than can be remembered, most of them bad.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::net::TcpStream;

use rollcall::auth::issuer::Issuer;
use rollcall::folder::Folder;
use serde_json::{Value, json};

use crate::client::ask;
use crate::process::{Service, rollcall};
use crate::signers::encoded;
use crate::world::TENANT;

/// What a process holds in memory, in KiB.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Sends these tokens on one connection, some at a time, and counts the answers of a status.
fn count(service: &Service, status: u16, tokens: impl Iterator<Item = String>) -> usize {
    let mut stream = TcpStream::connect(service.address).unwrap();
    let sought = format!("HTTP/1.1 {status} ");
    let (mut found, mut tokens) = (0, tokens.peekable());
    while tokens.peek().is_some() {
        let (mut all, mut sent) = (Vec::new(), 0);
        for token in tokens.by_ref().take(100) {
            sent += 1;
            let request = ask("HEAD", "/v1.0/reports/office365ActiveUserCounts/$count");
            all.extend(request.bearer(&token).header("Connection", "keep-alive").bytes());
        }
        stream.write_all(&all).unwrap();
        let (mut read, mut buffer) = (String::new(), vec![0; 64 * 1024]);
        while read.matches("\r\n\r\n").count() < sent {
            let length = stream.read(&mut buffer).unwrap();
            assert!(length > 0, "{read}");
            read += std::str::from_utf8(&buffer[..length]).unwrap();
        }
        found += read.matches(&sought).count();
    }
    found
}

/// Nearly all of them do not hold: their key is not there, or their signature is
/// another's. What the others may take is the bound of what is remembered.
#[test]
fn a_hundred_thousand_tokens_take_no_more_memory_than_a_few_thousand() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = rollcall(&data, "serve");
    let nowhere = std::path::Path::new("/dev/null");
    let service = Service::start_with(command.args(["--listen", "127.0.0.1:0"]), nowhere);
    let issuer = Issuer::new(&Folder::open(&data).unwrap().secrets().unwrap());
    let client = issuer.client().client_id;
    let generation = issuer.generation(client).unwrap();
    let claims = |number: usize| {
        json!({
            "aud": "https://graph.microsoft.com", "ver": "1.0", "tid": TENANT, "nbf": 0,
            "iss": format!("https://rollcall.localhost/{TENANT}/"), "exp": 100_000_000_000_i64,
            "appid": client, "rollcall_gen": generation, "roles": ["Reports.Read.All"], "uti": number, "x": "x".repeat(200),
        })
    };
    let good = |number| issuer.sign(&issuer.header(), &claims(number));
    let signature = good(0).rsplit('.').next().unwrap().to_owned();
    let bad = |number: usize| {
        let mut header = issuer.header();
        if number.is_multiple_of(2) {
            header["kid"] = format!("made-up-{number}").into();
        }
        let part = |value: &Value| encoded(value.to_string());
        format!("{}.{}.{signature}", part(&header), part(&claims(number)))
    };
    assert_eq!(count(&service, 200, (0..2_000).map(good)), 2_000);
    assert_eq!(count(&service, 401, (2_000..4_000).map(bad)), 2_000);
    let before = memory(service.id());
    assert_eq!(count(&service, 401, (4_000..102_000).map(bad)), 98_000);
    assert_eq!(count(&service, 200, (102_000..104_000).map(good)), 2_000);
    let grown = memory(service.id()).saturating_sub(before);
    assert!(grown < 8 * 1024, "{grown} KiB more than {before} KiB");
}
