//! Absolute URLs: what they begin with, and who decides it.

use rollcall::http::origin::Origin;

use crate::client::{Ask, Reply, ask};
use crate::sample::{COLLECTION, SAMPLE, fact};
use crate::world::World;

fn behind(proxies: &[&str]) -> World {
    let proxies = proxies.iter().map(|one| one.parse().unwrap()).collect();
    World::with_origin(Origin { public_url: None, proxies })
}

/// An answer of each kind that has absolute URLs in it.
fn answers(world: &World, headers: &[(&str, &str)]) -> Vec<Reply> {
    let send = |request: Ask| {
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        world.send(&request)
    };
    let bearer = world.writer();
    let function = "/v1.0/reports/getOffice365ActiveUserCounts(period='D7')";
    let part = r#"{"id":"1","method":"POST","url":"/reports/office365ActiveUserCounts",
        "headers":{"content-type":"application/json","x-forwarded-host":"of-a-part.example"},"body":"#;
    let batch = format!("{{\"requests\":[{part}{}}}]}}", fact(9));
    for number in 0..8 {
        world.send(&ask("POST", COLLECTION).bearer(&bearer).json(fact(100 + number)));
    }
    let full = "application/json;odata.metadata=full";
    vec![
        send(ask("POST", COLLECTION).bearer(&bearer).json(SAMPLE)),
        send(ask("GET", COLLECTION).bearer(&bearer)),
        send(ask("GET", COLLECTION).bearer(&bearer).header("Accept", full)),
        send(ask("GET", &format!("{COLLECTION}/delta")).bearer(&bearer)),
        send(ask("GET", "/v1.0")),
        send(ask("GET", function).bearer(&bearer)),
        send(ask("GET", "/common/v2.0/.well-known/openid-configuration")),
        send(ask("GET", COLLECTION)),
        send(ask("POST", "/v1.0/$batch").bearer(&bearer).json(batch)),
    ]
}

/// What the absolute URLs of an answer begin with; those of issuers and of the
/// standards are names and lead nowhere.
fn bases(reply: &Reply) -> Vec<String> {
    let text = reply.to_string();
    let mut bases: Vec<String> = text
        .match_indices("://")
        .map(|(at, _)| {
            let scheme = text[..at].rsplit(|one: char| !one.is_ascii_alphabetic()).next().unwrap();
            let rest = &text[at + 3..];
            let end = rest.find(['/', '"', ' ', '\\', '\r', '\n']).unwrap_or(rest.len());
            format!("{scheme}://{}", &rest[..end])
        })
        .filter(|base| !base.contains("rollcall.localhost"))
        .collect();
    bases.dedup();
    bases
}

fn all_begin_with(base: &str, answers: &[Reply]) {
    for answer in answers {
        assert_eq!(bases(answer), [base], "{answer}");
    }
}

const FORWARDED: [(&str, &str); 2] =
    [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "reports.example:8443")];

#[test]
fn a_request_says_where_it_went() {
    let world = World::plain();
    all_begin_with("http://rollcall.test", &answers(&world, &[]));
    all_begin_with("http://rollcall.test", &answers(&World::plain(), &FORWARDED));
}

#[test]
fn a_target_that_says_where_it_went_counts_before_the_host() {
    let discovery = "http://of-the-target.example/common/v2.0/.well-known/openid-configuration";
    let world = World::plain();
    all_begin_with("http://of-the-target.example", &[world.send(&ask("GET", discovery))]);
    let hosts = ["of-the-target.example", "other.example"];
    for [one, other] in [hosts, [hosts[1], hosts[0]]] {
        let twice = ask("GET", discovery).header("Host", one).header("Host", other);
        assert_eq!(world.send(&twice).status, 400, "{one} and {other}");
    }
}

#[test]
fn under_tls_all_is_https() {
    all_begin_with("https://rollcall.test", &answers(&World::secured(), &[]));
}

#[test]
fn a_proxy_that_is_trusted_says_where_it_went() {
    let forwarded = "https://reports.example:8443";
    for proxies in [&["127.0.0.1"][..], &["10.0.0.0/8", "127.0.0.0/8"]] {
        all_begin_with(forwarded, &answers(&behind(proxies), &FORWARDED));
    }
    all_begin_with("https://rollcall.test", &answers(&behind(&["127.0.0.1"]), &FORWARDED[..1]));
    all_begin_with(
        "http://reports.example:8443",
        &answers(&behind(&["::/0", "0.0.0.0/0"]), &FORWARDED[1..]),
    );
    all_begin_with("http://rollcall.test", &answers(&behind(&["127.0.0.1"]), &[]));
    all_begin_with("http://rollcall.test", &answers(&behind(&["127.0.0.2", "::/0"]), &FORWARDED));
    for host in ["[2001:db8::1]", "[::1]:65535", "10.0.0.1:80", "a_b.example"] {
        let only = [("X-Forwarded-Host", host)];
        all_begin_with(&format!("http://{host}"), &answers(&behind(&["127.0.0.1"]), &only));
    }
    // Headers that many proxies hand on as clients wrote them.
    let handed = [("Forwarded", "host=evil.example;proto=https"), ("X-Forwarded-Port", "1")];
    all_begin_with("http://rollcall.test", &answers(&behind(&["127.0.0.1"]), &handed));
}

#[test]
fn what_was_told_counts_before_all_else() {
    let public_url = Some("https://public.example".to_owned());
    let proxies = vec!["127.0.0.1".parse().unwrap()];
    let world = World::with_origin(Origin { public_url, proxies });
    all_begin_with("https://public.example", &answers(&world, &FORWARDED));
}

#[test]
fn a_proxy_that_says_nonsense_is_told() {
    let world = behind(&["127.0.0.1"]);
    let bearer = world.writer();
    let get = || ask("GET", COLLECTION).bearer(&bearer);
    for (name, value) in [
        ("X-Forwarded-Proto", "ftp"),
        ("X-Forwarded-Proto", ""),
        ("X-Forwarded-Proto", "https, http"),
        ("X-Forwarded-Host", "a.example, b.example"),
        ("X-Forwarded-Host", "a.example/path"),
        ("X-Forwarded-Host", "user@a.example"),
        ("X-Forwarded-Host", "a.example\" onload=\""),
        ("X-Forwarded-Host", "a\u{e9}.example"),
        ("X-Forwarded-Host", ""),
        ("X-Forwarded-Host", "[::1"),
        ("X-Forwarded-Host", "::1"),
        ("X-Forwarded-Host", "[a.example]"),
        ("X-Forwarded-Host", "[::1]443"),
        ("X-Forwarded-Host", "a.example:"),
        ("X-Forwarded-Host", "a.example:+80"),
        ("X-Forwarded-Host", "a.example:65536"),
        ("X-Forwarded-Host", "a.example:80:80"),
    ] {
        let reply = world.send(&get().header(name, value));
        assert_eq!((reply.status, reply.code().as_str()), (400, "BadRequest"), "{value}\n{reply}");
        let told = format!("The header {} is wrong. Expected ", name.to_ascii_lowercase());
        assert!(reply.message().starts_with(&told), "{reply}");
    }
    let twice =
        get().header("X-Forwarded-Host", "a.example").header("X-Forwarded-Host", "b.example");
    assert_eq!(world.send(&twice).status, 400);
    // Who asks without a token hears of nothing else, and health is no matter of addresses.
    let wrong = |target: &str| ask("GET", target).header("X-Forwarded-Proto", "ftp");
    assert_eq!(world.send(&wrong("/health/live")).status, 200);
}
