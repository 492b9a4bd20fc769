//! Who may: the kinds of token, and tokens that do not hold.

use serde_json::{Value, json};

use crate::client::{Ask, ask};
use crate::sample::{COLLECTION, fact};
use crate::world::{NOW, TENANT, World, generation, stranger};

const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const REPORTS_READER: &str = "4a5d8f65-41da-4de4-8968-e035b65339cf";
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Claims that hold, with these changed; null takes one away.
fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "aud": "https://graph.microsoft.com",
        "iss": format!("https://rollcall.localhost/{TENANT}/"),
        "iat": NOW, "nbf": NOW, "exp": NOW + 3600,
        "appid": "11111111-2222-3333-4444-555555555555", "appidacr": "1",
        "oid": "66666666-7777-8888-9999-000000000000", "sub": "66666666-7777-8888-9999-000000000000",
        "tid": TENANT, "ver": "1.0", "roles": ["Reports.ReadWrite.All"],
        "rollcall_gen": generation(),
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

pub fn signed(world: &World, changes: Value) -> String {
    world.sign(&world.header(), &claims(changes))
}

/// What the four kinds of request answer: read, create, change, delete.
fn may(world: &World, token: &str, number: usize) -> String {
    let made = world.send(&ask("POST", COLLECTION).bearer(&world.writer()).json(fact(2 * number)));
    let one = made.header("location").unwrap().replace("http://rollcall.test", "");
    let requests: [(&str, Ask); 4] = [
        ("read", ask("GET", &one)),
        ("create", ask("POST", COLLECTION).json(fact(2 * number + 1))),
        ("change", ask("PATCH", &one).json(r#"{"teams":1}"#)),
        ("delete", ask("DELETE", &one)),
    ];
    let lines = requests.map(|(name, request)| {
        let reply = world.send(&request.bearer(token));
        let told = if reply.status < 400 {
            String::new()
        } else {
            format!(" {} {}", reply.code(), reply.message())
        };
        format!("  {name} {}{told}", reply.status)
    });
    lines.join("\n")
}

pub fn the_kinds_of_token(world: &World) {
    let user = |scopes: &str, wids: Value| json!({ "scp": scopes, "wids": wids, "roles": ["Reports.ReadWrite.All"] });
    let kinds = [
        ("application, write", json!({ "roles": ["Reports.ReadWrite.All"] })),
        ("application, create", json!({ "roles": ["Reports.Create"] })),
        ("application, read", json!({ "roles": ["Reports.Read.All"] })),
        ("application, none", json!({ "roles": null })),
        (
            "application, other",
            json!({ "roles": ["User.Read.All"], "wids": [GLOBAL_ADMINISTRATOR] }),
        ),
        (
            "delegated, scope and role",
            user("Reports.ReadWrite.All openid", json!([GLOBAL_ADMINISTRATOR])),
        ),
        (
            "delegated, without role",
            user("Reports.ReadWrite.All", json!(["b79fbf4d-3ef9-4689-8143-76b194e85509"])),
        ),
        ("delegated, no wids", user("Reports.ReadWrite.All", Value::Null)),
        ("delegated, without scope", user("openid profile", json!([GLOBAL_ADMINISTRATOR]))),
        ("delegated, reader role writing", user("Reports.ReadWrite.All", json!([REPORTS_READER]))),
        (
            "delegated, reader and writer role",
            user("Reports.ReadWrite.All", json!([REPORTS_READER, GLOBAL_ADMINISTRATOR])),
        ),
        ("delegated, create scope", user("Reports.Create", json!([GLOBAL_ADMINISTRATOR]))),
        ("delegated, read scope", user("Reports.Read.All", json!([REPORTS_READER]))),
        (
            "personal tenant",
            json!({ "tid": PERSONAL, "iss": format!("https://rollcall.localhost/{PERSONAL}/") }),
        ),
        ("personal guest", json!({ "idp": "live.com" })),
        (
            "version 2.0",
            json!({
                "ver": "2.0", "iss": format!("https://rollcall.localhost/{TENANT}/v2.0"), "appid": null, "appidacr": null,
                "azp": "11111111-2222-3333-4444-555555555555", "azpacr": "1", "aud": "00000003-0000-0000-c000-000000000000",
            }),
        ),
    ];
    let lines: Vec<String> = kinds
        .into_iter()
        .enumerate()
        .map(|(number, (name, changes))| {
            format!("{name}\n{}", may(world, &signed(world, changes), number))
        })
        .collect();
    insta::assert_snapshot!("kinds_of_token", lines.join("\n"));
    let reader = signed(world, json!({ "roles": ["Reports.Read.All"] }));
    insta::assert_snapshot!(
        "forbidden",
        world.send(&ask("POST", COLLECTION).bearer(&reader).json(fact(0)))
    );
}

/// Claims that do not hold, by name.
fn bad_claims() -> Vec<(&'static str, Value)> {
    vec![
        ("no audience", json!({ "aud": null })),
        ("another audience", json!({ "aud": "https://graph.windows.net" })),
        ("an audience in another case", json!({ "aud": "https://GRAPH.microsoft.com" })),
        ("an audience with a path", json!({ "aud": "https://graph.microsoft.com/v1.0" })),
        ("a number for an audience", json!({ "aud": 3 })),
        ("no audience in the list", json!({ "aud": [] })),
        ("no issuer", json!({ "iss": null })),
        ("Entra's issuer", json!({ "iss": format!("https://sts.windows.net/{TENANT}/") })),
        (
            "an issuer without its slash",
            json!({ "iss": format!("https://rollcall.localhost/{TENANT}") }),
        ),
        (
            "another tenant's issuer",
            json!({ "iss": "https://rollcall.localhost/22222222-2222-2222-2222-222222222222/" }),
        ),
        (
            "a version 2.0 issuer in 1.0",
            json!({ "iss": format!("https://rollcall.localhost/{TENANT}/v2.0") }),
        ),
        ("no tenant", json!({ "tid": null })),
        ("another tenant", json!({ "tid": "22222222-2222-2222-2222-222222222222" })),
        (
            "a tenant that is no GUID",
            json!({ "tid": "contoso", "iss": "https://rollcall.localhost/contoso/" }),
        ),
        ("a tenant that is a number", json!({ "tid": 5 })),
        ("no version", json!({ "ver": null })),
        ("version 3.0", json!({ "ver": "3.0" })),
        ("no expiry", json!({ "exp": null })),
        ("expired", json!({ "nbf": NOW - 7200, "exp": NOW - 3600 })),
        ("an expiry that is text", json!({ "exp": "tomorrow" })),
        ("an expiry that is a fraction", json!({ "exp": 1e300 })),
        ("a negative expiry", json!({ "exp": -1 })),
        ("not yet valid", json!({ "nbf": NOW + 3600 })),
        ("no start", json!({ "nbf": null })),
        ("a start that is text", json!({ "nbf": "0" })),
        ("issued in the future", json!({ "iat": NOW + 1 })),
        ("roles that are text", json!({ "roles": "Reports.ReadWrite.All" })),
        ("scopes in a list", json!({ "scp": ["Reports.ReadWrite.All"] })),
    ]
}

/// Tokens that are wrong in their form, header or signature.
fn bad_forms(world: &World) -> Vec<(&'static str, String)> {
    let good = signed(world, json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let header = |changes: Value| {
        let mut header = world.header();
        for (name, value) in changes.as_object().unwrap() {
            header[name] = value.clone();
        }
        world.sign(&header, &claims(json!({})))
    };
    let other = stranger();
    vec![
        ("nothing", String::new()),
        ("a word", "token".to_owned()),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("four parts", format!("{good}.x")),
        ("five parts, as if encrypted", format!("{good}.x.y")),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("half a signature", good[..good.len() - 43].to_owned()),
        ("a signature of zeros", format!("{}.{}.{}", parts[0], parts[1], "A".repeat(86))),
        ("padding", format!("{good}==")),
        ("blanks inside", good.replacen('.', ". ", 1)),
        ("standard base64", good.replacen('.', "+/.", 1)),
        ("a header that is no JSON", format!("e30x.{}.{}", parts[1], parts[2])),
        ("an empty header", format!("e30.{}.{}", parts[1], parts[2])),
        ("claims of another token", {
            let more = signed(world, json!({ "tid": "22222222-2222-2222-2222-222222222222" }));
            format!("{}.{}.{}", parts[0], more.split('.').nth(1).unwrap(), parts[2])
        }),
        ("claims that are a list", world.sign(&world.header(), &json!([]))),
        ("algorithm none", header(json!({ "alg": "none" }))),
        ("algorithm NONE", header(json!({ "alg": "NONE" }))),
        ("algorithm HS256", header(json!({ "alg": "HS256" }))),
        ("algorithm RS256 for a key of another kind", header(json!({ "alg": "RS256" }))),
        ("algorithm ES384", header(json!({ "alg": "ES384" }))),
        ("an algorithm that is a number", header(json!({ "alg": 256 }))),
        ("an unknown key", header(json!({ "kid": "other" }))),
        ("a key that is a path", header(json!({ "kid": "../../signing-key.pem" }))),
        ("a key that is a number", header(json!({ "kid": 1 }))),
        ("a critical extension", header(json!({ "crit": ["exp"] }))),
        ("another type", header(json!({ "typ": "secevent+jwt" }))),
        ("a key of its own", {
            let mut own = other.header();
            own["kid"] = world.header()["kid"].clone();
            own["jwk"] = json!({ "kty": "EC", "crv": "P-256" });
            other.sign(&own, &claims(json!({})))
        }),
        ("another service's key", other.sign(&other.header(), &claims(json!({})))),
        ("17 KiB", format!("{}.{}.{}", parts[0], "A".repeat(17 * 1024), parts[2])),
    ]
}

pub fn bad_tokens_get_their_answer(world: &World) {
    let mut tokens = bad_forms(world);
    tokens.extend(bad_claims().into_iter().map(|(name, changes)| (name, signed(world, changes))));
    assert!(tokens.len() >= 40, "{}", tokens.len());
    let mut lines = Vec::new();
    for (name, token) in &tokens {
        // Twice: a refusal is never kept as something that holds.
        for _ in 0..2 {
            let reply = world.send(&ask("GET", COLLECTION).bearer(token));
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (401, "InvalidAuthenticationToken"),
                "{name}\n{reply}"
            );
            assert!(reply.header("www-authenticate").is_some(), "{name}");
            if lines.len() < tokens.len() {
                lines.push(format!("{name} => {}", reply.message()));
            }
        }
        lines.dedup();
    }
    insta::assert_snapshot!("bad_tokens", lines.join("\n"));
    insta::assert_snapshot!("bad_token", world.send(&ask("GET", COLLECTION).bearer("token")));
}

pub fn headers_that_hold_no_token(world: &World) {
    let good = world.writer();
    let lines: Vec<String> = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(good.clone()),
        Some(format!("Basic {good}")),
        Some(format!("Bearer {good} {good}")),
        Some(format!("Bearer {good},{good}")),
    ]
    .iter()
    .map(|value| {
        let request = ask("GET", COLLECTION);
        let reply = world.send(&match value {
            None => request,
            Some(value) => request.header("Authorization", value),
        });
        assert_eq!(reply.status, 401, "{value:?}\n{reply}");
        let shown = value.as_deref().unwrap_or("(none)").replace(&good, "TOKEN");
        format!("{shown} => {}", reply.message())
    })
    .collect();
    insta::assert_snapshot!("no_token_headers", lines.join("\n"));
    insta::assert_snapshot!("no_token", world.send(&ask("GET", COLLECTION)));
    for scheme in ["bearer", "BEARER"] {
        let request = ask("GET", COLLECTION).header("Authorization", &format!("{scheme} {good}"));
        assert_eq!(world.send(&request).status, 200, "schemes have no letter case");
    }
    let twice = ask("GET", COLLECTION).bearer(&good).bearer(&good);
    assert_eq!(world.send(&twice).status, 401, "which of two headers counts is nobody's guess");
}

pub fn unauthenticated_comes_before_everything_else(world: &World) {
    let targets = [
        ("GET", "/v1.0/nothing"),
        ("GET", "/v1.0/%FF"),
        ("DELETE", COLLECTION),
        ("GET", "/v3.0"),
        ("POST", COLLECTION),
        ("GET", "/v1.0/reports/office365ActiveUserCounts/not-a-guid"),
        ("GET", "/v1.0/reports/office365ActiveUserCounts?$top=x"),
        ("BREW", "/v1.0/reports"),
    ];
    for (method, target) in targets {
        assert_eq!(world.send(&ask(method, target)).status, 401, "{method} {target}");
    }
}

pub fn a_token_ends_when_it_expires(world: &World) {
    let token = signed(world, json!({}));
    let request = ask("GET", COLLECTION).bearer(&token);
    assert_eq!(world.send(&request).status, 200);
    world.advance(3599);
    assert_eq!(world.send(&request).status, 200, "from the cache");
    world.advance(1);
    let reply = world.send(&request);
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (401, "InvalidAuthenticationToken"),
        "{reply}"
    );
}

pub fn audiences_of_graph(world: &World) {
    for audience in [
        json!("https://graph.microsoft.com"),
        json!("https://graph.microsoft.com/"),
        json!("00000003-0000-0000-c000-000000000000"),
        json!(["x", "https://graph.microsoft.com"]),
    ] {
        let token = signed(world, json!({ "aud": audience }));
        assert_eq!(world.send(&ask("GET", COLLECTION).bearer(&token)).status, 200, "{audience}");
    }
}
