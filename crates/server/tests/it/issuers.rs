//! Issuers that are configured: whose tokens hold, for whom, for how long, and
//! when their keys are fetched.

use std::time::Duration;

use rollcall::auth::remote::Pace;
use serde_json::{Value, json};

use crate::client::{Reply, ask};
use crate::fake::{Fake, Says};
use crate::process::{Service, rollcall};
use crate::sample::{COLLECTION, fact};
use crate::signers::{self, RSA, Signer, ed25519, p256, p384};
use crate::world::{NOW, TENANT, World};

pub const AUDIENCE: &str = "api://rollcall.example";
const SECOND: &str = "22222222-2222-2222-2222-222222222222";
const THIRD: &str = "33333333-3333-3333-3333-333333333333";
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const REPORTS_READER: &str = "4a5d8f65-41da-4de4-8968-e035b65339cf";
const TEMPLATE: &str = "/{tenantid}/v2.0";
const IN_A_USER: &str = "66666666-7777-8888-9999-000000000000";

/// The claims of an application's token of version 2.0, with these changed; null takes one away.
pub fn claims(issuer: &str, changes: Value) -> Value {
    let mut claims = json!({
        "aud": AUDIENCE, "iss": issuer, "iat": NOW, "nbf": NOW, "exp": NOW + 3600,
        "azp": "11111111-2222-3333-4444-555555555555", "azpacr": "1",
        "oid": IN_A_USER, "sub": IN_A_USER, "tid": TENANT, "ver": "2.0",
        "roles": ["Reports.ReadWrite.All"],
    });
    let all = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// The settings of an issuer of one tenant.
pub fn settings(url: &str) -> String {
    format!("url = \"{url}\", audience = \"{AUDIENCE}\", tenants = [\"{TENANT}\"]")
}

pub fn read(world: &World, token: &str) -> Reply {
    world.send(&ask("GET", COLLECTION).bearer(token))
}

/// An issuer of one tenant with these keys, and a world that trusts it.
pub fn trusted(signers: &[&Signer]) -> (Fake, World, String) {
    let fake = Fake::start();
    fake.is("/one", &[]);
    fake.publishes_keys_of(signers);
    let url = format!("{}/one", fake.base());
    let world = World::trusting(&[&settings(&url)]);
    (fake, world, url)
}

/// Waits for what other threads do.
fn until(what: impl Fn() -> bool) {
    while !what() {
        std::thread::yield_now();
    }
}

#[test]
fn every_algorithm_holds_and_keys_are_fetched_once() {
    let all = [signers::rsa("rsa", RSA), p256("p256"), p384("p384"), ed25519("ed")];
    let (fake, world, url) = trusted(&all.iter().collect::<Vec<_>>());
    assert_eq!(fake.requests(), 0, "nothing is fetched before a token asks for it");
    for signer in &all {
        let reply = read(&world, &signer.token(&claims(&url, json!({}))));
        assert_eq!(reply.status, 200, "{}: {reply}\n{}", signer.kid, world.log());
    }
    let mut header = all[0].header();
    header["alg"] = "PS256".into();
    header["typ"] = "at+jwt".into();
    let token = all[0].with_header(&header, &claims(&url, json!({})));
    assert_eq!(read(&world, &token).status, 200, "PS256");
    assert_eq!((fake.fetches(), fake.requests()), (1, 2), "discovery and keys");
    let tokens = [world.writer(), all[1].token(&claims(&url, json!({ "nbf": null, "iat": null })))];
    for token in tokens {
        assert_eq!(read(&world, &token).status, 200, "the built-in issuer's as well");
    }
}

#[test]
fn the_clock_of_another_machine_may_be_a_minute_ahead_and_an_end_is_an_end() {
    let signer = p256("k");
    let (_fake, world, url) = trusted(&[&signer]);
    for (changes, status) in [
        (json!({ "nbf": NOW + 60, "iat": NOW + 60 }), 200),
        (json!({ "nbf": NOW + 61 }), 401),
        (json!({ "iat": NOW + 61 }), 401),
        (json!({ "nbf": 0 }), 200),
        (json!({ "exp": NOW + 1 }), 200),
        (json!({ "exp": NOW }), 401),
        (json!({ "exp": NOW - 1 }), 401),
    ] {
        let reply = read(&world, &signer.token(&claims(&url, changes.clone())));
        assert_eq!(reply.status, status, "{changes}: {reply}");
    }
    let token = signer.token(&claims(&url, json!({ "exp": NOW + 2 })));
    world.advance(1);
    assert_eq!(read(&world, &token).status, 200);
    world.advance(1);
    assert_eq!(read(&world, &token).status, 401);
}

#[test]
fn a_template_has_its_tenant_in_the_issuer() {
    let fake = Fake::start();
    let signer = signers::rsa("k", RSA);
    let issuer = format!("{}{TEMPLATE}", fake.base());
    fake.discovers("/common/v2.0", &issuer, &format!("{}/keys", fake.base()));
    let mut of_all = signer.jwk();
    of_all["issuer"] = json!(issuer);
    fake.publishes(&[of_all]);
    let list = format!(
        "url = \"{issuer}\", audience = [\"x\", \"{AUDIENCE}\"], tenants = [\"{TENANT}\", \"{SECOND}\"]"
    );
    let all = format!("url = \"{issuer}\", audience = \"{AUDIENCE}\", tenants = \"all\"");
    let token = |tenant: &str, in_issuer: &str| {
        let issuer = issuer.replace("{tenantid}", in_issuer);
        signer.token(&claims(&issuer, json!({ "tid": tenant })))
    };
    for (line, third) in [(list, 401), (all, 200)] {
        let world = World::trusting(&[&line]);
        for (tenant, in_issuer, status) in [
            (TENANT, TENANT, 200),
            (SECOND, SECOND, 200),
            (THIRD, THIRD, third),
            (TENANT, SECOND, 401),
            (SECOND, TENANT, 401),
            (TENANT, "common", 401),
            (TENANT, "{tenantid}", 401),
            (PERSONAL, PERSONAL, 401),
        ] {
            let reply = read(&world, &token(tenant, in_issuer));
            assert_eq!(reply.status, status, "{tenant} {in_issuer}: {reply}");
        }
        let made = ask("POST", COLLECTION).bearer(&token(TENANT, TENANT)).json(fact(0));
        assert_eq!(world.send(&made).status, 201);
        let of = |tenant: &str| read(&world, &token(tenant, tenant)).json()["value"].clone();
        assert_eq!(of(TENANT).as_array().unwrap().len(), 1);
        assert_eq!(of(SECOND).as_array().unwrap().len(), 0, "a tenant of its own");
    }
}

#[test]
fn a_key_that_names_its_issuer_signs_for_no_other() {
    let fake = Fake::start();
    let (all, one) = (p256("all"), p256("one"));
    let issuer = format!("{}{TEMPLATE}", fake.base());
    fake.discovers("/common/v2.0", &issuer, &format!("{}/keys", fake.base()));
    let with = |signer: &Signer, issuer: &str| {
        let mut jwk = signer.jwk();
        jwk["issuer"] = json!(issuer);
        jwk
    };
    let of_second = issuer.replace("{tenantid}", SECOND);
    fake.publishes(&[with(&all, &issuer), with(&one, &of_second)]);
    let world = World::trusting(&[&format!(
        "url = \"{issuer}\", audience = \"{AUDIENCE}\", tenants = \"all\""
    )]);
    let status = |signer: &Signer, tenant: &str| {
        let issuer = issuer.replace("{tenantid}", tenant);
        read(&world, &signer.token(&claims(&issuer, json!({ "tid": tenant })))).status
    };
    assert_eq!((status(&all, TENANT), status(&all, SECOND)), (200, 200));
    assert_eq!((status(&one, TENANT), status(&one, SECOND)), (401, 200));
}

#[test]
fn who_may_what_is_where_the_settings_say() {
    let fake = Fake::start();
    let signer = p256("k");
    fake.is("/realm", &[signer.jwk()]);
    let url = format!("{}/realm", fake.base());
    let world = World::trusting(&[&format!(
        "url = \"{url}\", audience = \"{AUDIENCE}\", tenant = \"{TENANT}\", \
         roles-claim = \"resource_access.rollcall.roles\", scopes-claim = \"scope\", \
         admin-roles-claim = [\"https://x.example/roles\"], user-claim = \"sub\", \
         client-claim = \"azp\", application-claim = \"client_id\", \
         reader-roles = [\"Looks\"], administrator-roles = [\"Manages\"], name = \"realm\""
    )]);
    let none = json!({ "tid": null, "oid": null, "roles": null, "ver": null, "typ": "Bearer" });
    let with = |changes: Value| {
        let mut all = none.clone();
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        signer.token(&claims(&url, all))
    };
    let service = |id: &str, roles: &[&str]| {
        with(json!({ "client_id": id, "azp": "job", "scope": "profile email",
            "resource_access": { "rollcall": { "roles": roles }, "account": { "roles": ["x"] } } }))
    };
    let user = |scope: Value, roles: Value| {
        with(json!({ "scope": scope, "azp": "web", "https://x.example/roles": roles,
            "resource_access": { "rollcall": { "roles": ["Reports.ReadWrite.All"] } } }))
    };
    let kinds = [
        ("application that writes", service("job", &["Reports.ReadWrite.All"])),
        ("application that reads", service("job", &["Reports.Read.All", "other"])),
        ("application without a role", service("job", &[])),
        ("application without an id", service("", &["Reports.Read.All"])),
        ("user who manages", user(json!("openid Reports.ReadWrite.All"), json!(["Manages"]))),
        ("user who looks", user(json!("Reports.ReadWrite.All"), json!(["Looks"]))),
        ("user by Graph's role", user(json!("Reports.Read.All"), json!([REPORTS_READER]))),
        ("user, scopes in a list", user(json!(["Reports.Read.All"]), json!(["Looks"]))),
        ("user without an admin role", user(json!("Reports.ReadWrite.All"), json!(["manages"]))),
        ("user without scopes", user(json!("openid profile"), json!(["Manages"]))),
    ];
    let lines = kinds.iter().enumerate().map(|(number, (name, token))| {
        let told = |reply: Reply| match reply.status {
            status @ (200 | 201) => status.to_string(),
            status => format!("{status} {}", reply.message()),
        };
        let create = ask("POST", COLLECTION).bearer(token).json(fact(number));
        format!(
            "{name}\n  read {}\n  create {}",
            told(read(&world, token)),
            told(world.send(&create))
        )
    });
    insta::assert_snapshot!("who_may_what", lines.collect::<Vec<_>>().join("\n"));
    let log = world.log();
    assert!(log.contains(&format!("principal=app:realm/job@{TENANT} ")), "{log}");
    assert!(log.contains(&format!("principal=user:realm/{IN_A_USER}@{TENANT} ")), "{log}");
}

#[test]
fn an_id_token_is_no_access_token() {
    let signer = p256("k");
    let (_fake, world, url) = trusted(&[&signer]);
    for (name, changes, status) in [
        ("a user's app roles without a scope", json!({ "sub": "a-subject-of-its-own" }), 403),
        ("a user by its own word", json!({ "idtyp": "user" }), 403),
        ("an application by its own word", json!({ "idtyp": "app", "sub": "x" }), 200),
        ("Keycloak's ID token", json!({ "typ": "ID" }), 401),
        ("Keycloak's refresh token", json!({ "typ": "Refresh" }), 401),
        ("a hash of another token", json!({ "at_hash": "x" }), 401),
        ("a hash of a code", json!({ "c_hash": "x" }), 401),
    ] {
        let reply = read(&world, &signer.token(&claims(&url, changes)));
        assert_eq!(reply.status, status, "{name}: {reply}");
    }
}

#[test]
fn keys_come_over_tls_from_whom_the_settings_trust() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    let fake = Fake::over_tls(&authority);
    let signer = p256("k");
    fake.is("/one", &[signer.jwk()]);
    let url = format!("{}/one", fake.base());
    assert!(url.starts_with("https://"));
    let line = settings(&url);
    let trusting = World::trusting(&[&format!("{line}, ca-file = '{}'", authority.display())]);
    let token = signer.token(&claims(&url, json!({})));
    assert_eq!(read(&trusting, &token).status, 200);
    assert_eq!(fake.fetches(), 1);
    // Another authority, of the same name.
    let other = folder.path().join("other.pem");
    drop(Fake::over_tls(&other));
    let world = World::trusting(&[&format!("{line}, ca-file = '{}'", other.display())]);
    assert_eq!(read(&world, &token).status, 401);
    assert!(world.log().contains("no TLS: invalid peer certificate"), "{}", world.log());
    // The certificate is of localhost, and of no number.
    let number = line.replace("localhost", "127.0.0.1");
    let world = World::trusting(&[&format!("{number}, ca-file = '{}'", authority.display())]);
    let token = signer.token(&claims(&url.replace("localhost", "127.0.0.1"), json!({})));
    assert_eq!(read(&world, &token).status, 401);
    assert!(world.log().contains("no TLS: invalid peer certificate"), "{}", world.log());
    assert_eq!(fake.fetches(), 1);
}

#[test]
fn a_key_that_is_taken_back_holds_no_longer_and_a_new_one_holds() {
    let (first, second) = (p256("first"), p256("second"));
    let (fake, world, url) = trusted(&[&first]);
    let (old, new) =
        (first.token(&claims(&url, json!({}))), second.token(&claims(&url, json!({}))));
    assert_eq!((read(&world, &old).status, read(&world, &old).status), (200, 200));
    fake.publishes_keys_of(&[&second]);
    assert_eq!(read(&world, &new).status, 401, "keys were fetched a moment ago");
    assert_eq!(read(&world, &old).status, 200, "nobody knows yet");
    world.advance(10);
    assert_eq!(read(&world, &new).status, 200);
    assert_eq!(read(&world, &old).status, 401, "from the next request on, cache or not");
    assert_eq!(read(&world, &new).status, 200);
    // The same name with another key.
    let other = p256("second");
    fake.publishes_keys_of(&[&other, &first]);
    world.advance(10);
    assert_eq!(read(&world, &old).status, 200, "fetched for its sake");
    assert_eq!(read(&world, &new).status, 401);
    assert_eq!(read(&world, &other.token(&claims(&url, json!({})))).status, 200);
    assert_eq!(fake.fetches(), 3);
}

#[test]
fn names_of_keys_that_are_made_up_cost_one_fetch_in_a_while() {
    let signer = p256("k");
    let (fake, world, url) = trusted(&[&signer]);
    let made_up = |number: usize| {
        let mut header = signer.header();
        header["kid"] = json!(format!("made-up-{number}"));
        signer.with_header(&header, &claims(&url, json!({})))
    };
    for round in 1..=3 {
        for number in 0..50 {
            assert_eq!(read(&world, &made_up(number)).status, 401);
        }
        assert_eq!(fake.fetches(), round);
        assert_eq!(read(&world, &signer.token(&claims(&url, json!({})))).status, 200);
        world.advance(10);
    }
    let mut none = signer.header();
    none["alg"] = "none".into();
    none["kid"] = "made-up".into();
    assert_eq!(read(&world, &signer.with_header(&none, &claims(&url, json!({})))).status, 401);
    assert_eq!(fake.fetches(), 3, "what nobody believes is no reason to fetch");
}

#[test]
fn one_request_fetches_and_the_others_wait_but_not_all() {
    let signer = p256("k");
    let (fake, world, url) = trusted(&[]);
    let keys = json!({ "keys": [signer.jwk()] }).to_string();
    fake.says("/keys", Says::Held(keys));
    let token = signer.token(&claims(&url, json!({})));
    let request = ask("GET", COLLECTION).bearer(&token);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let (world, request) = (&world, &request);
        for _ in 0..80 {
            let tell = tell.clone();
            scope.spawn(move || tell.send(world.send(request).status).unwrap());
        }
        let refused: Vec<u16> = told.iter().take(80 - 64).collect();
        assert_eq!(refused, [401; 80 - 64], "who finds all places taken is refused at once");
        until(|| fake.fetches() == 1);
        fake.let_go();
        assert_eq!(told.iter().take(64).collect::<Vec<_>>(), [200; 64]);
    });
    assert_eq!(fake.fetches(), 1);
}

#[test]
fn who_goes_away_keeps_nobody_from_having_keys() {
    let signer = p256("k");
    let (fake, world, url) = trusted(&[]);
    fake.says("/keys", Says::Held(json!({ "keys": [signer.jwk()] }).to_string()));
    let token = signer.token(&claims(&url, json!({})));
    let request = ask("GET", COLLECTION).bearer(&token).bytes();
    let mut gone = std::net::TcpStream::connect(world.address()).unwrap();
    std::io::Write::write_all(&mut gone, &request).unwrap();
    until(|| fake.fetches() == 1);
    drop(gone);
    fake.let_go();
    until(|| world.log().contains("keys=1"));
    assert_eq!((read(&world, &token).status, fake.fetches()), (200, 1));
}

#[test]
fn keys_are_kept_while_there_are_no_others() {
    let (signer, late) = (p256("k"), p256("late"));
    let (fake, world, url) = trusted(&[&signer]);
    let token = |subject: &str| signer.token(&claims(&url, json!({ "uti": subject })));
    assert_eq!(read(&world, &token("first")).status, 200);
    for fault in [Says::Text(500, "{}".to_owned()), Says::Text(200, "<html>".to_owned())] {
        fake.says("/keys", fault);
        world.advance(10);
        assert_eq!(read(&world, &late.token(&claims(&url, json!({})))).status, 401);
        assert_eq!(read(&world, &token(&fake.fetches().to_string())).status, 200);
    }
    assert_eq!(fake.fetches(), 3);
    fake.publishes_keys_of(&[&late]);
    world.advance(10);
    assert_eq!(read(&world, &late.token(&claims(&url, json!({})))).status, 200);
    assert_eq!(read(&world, &token("first")).status, 401);
    let log = world.log();
    assert!(log.contains("keys cannot be fetched: keys: the status 500, expected 200"), "{log}");
}

#[test]
fn old_keys_are_fetched_anew_in_the_background() {
    let fake = Fake::start();
    let (first, second) = (p256("first"), p256("second"));
    fake.is("/one", &[first.jwk()]);
    let url = format!("{}/one", fake.base());
    let pace = Pace {
        age: Duration::from_millis(20),
        again: Duration::from_millis(20),
        ..Pace::default()
    };
    let world = World::trusting_at(&[&settings(&url)], pace, true);
    until(|| fake.fetches() > 1);
    let old = first.token(&claims(&url, json!({})));
    assert_eq!(read(&world, &old).status, 200);
    fake.says("/keys", Says::Text(503, String::new()));
    until(|| world.log().contains("the status 503"));
    assert_eq!(read(&world, &old).status, 200);
    fake.publishes_keys_of(&[&second]);
    // The last fetch that could have had the former answer, and one after it.
    let since = fake.fetches();
    until(|| fake.fetches() > since + 1);
    assert_eq!(read(&world, &old).status, 401, "no token has named another key");
    assert_eq!(read(&world, &second.token(&claims(&url, json!({})))).status, 200);
}

#[test]
fn another_place_for_the_documents_is_one_that_is_named() {
    let fake = Fake::start();
    let signer = p256("k");
    fake.publishes_keys_of(&[&signer]);
    let keys = format!("{}/keys", fake.base());
    let elsewhere = format!("{}/elsewhere", fake.base());
    let url = "https://nobody.asks.example/realm";
    fake.says(
        "/elsewhere",
        Says::Text(200, json!({ "issuer": url, "jwks_uri": keys }).to_string()),
    );
    let token = signer.token(&claims(url, json!({})));
    for more in [format!("jwks-url = \"{keys}\""), format!("discovery-url = \"{elsewhere}\"")] {
        let world = World::trusting(&[&format!("{}, {more}", settings(url))]);
        assert_eq!(read(&world, &token).status, 200, "{more}");
    }
    assert_eq!((fake.fetches(), fake.requests()), (2, 3));
}

#[test]
fn the_program_takes_issuers_and_has_their_keys_before_a_token_comes() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (Fake::start(), Fake::start());
    let signer = p256("k");
    let lines = [(&one, "/one"), (&other, "/other")].map(|(fake, path)| {
        fake.is(path, &[signer.jwk()]);
        settings(&format!("{}{path}", fake.base()))
    });
    let mut command = rollcall(&folder.path().join("data"), "serve");
    command.args(["--listen", "127.0.0.1:0"]).env("ROLLCALL_ISSUER", lines.join("\n"));
    let service = Service::start_with(&mut command, &folder.path().join("log"));
    until(|| one.fetches() + other.fetches() == 2);
    for (fake, path, status) in [(&one, "/one", 200), (&other, "/other", 200), (&one, "/x", 401)] {
        let url = format!("{}{path}", fake.base());
        let all = claims(&url, json!({ "nbf": 0, "iat": 0, "exp": 100_000_000_000_i64 }));
        let reply = ask("GET", COLLECTION).bearer(&signer.token(&all)).send(service.address);
        assert_eq!(reply.status, status, "{url}: {reply}");
    }
    assert_eq!((one.fetches(), other.fetches()), (1, 1));
}
