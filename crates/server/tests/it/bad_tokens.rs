//! Tokens that do not hold, of a configured issuer: each has its answer, none
//! makes for a fetch from anywhere else, and nothing of them is in the log.

use hmac::{Hmac, Mac};
use rsa::sha2::Sha256;
use serde_json::{Value, json};

use crate::client::ask;
use crate::fake::Fake;
use crate::issuers::{claims, settings};
use crate::sample::COLLECTION;
use crate::signers::{
    self, OTHER, RSA, SHORT, SMALL_EXPONENT, Signer, encoded, joined, p256, p256_der, p384,
};
use crate::world::{NOW, TENANT, World};

const SECOND: &str = "22222222-2222-2222-2222-222222222222";
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// The order of the curve P-256.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// Two issuers with keys of the same names, a place that is nobody's, and a
/// service that trusts the first two.
struct Stage {
    one: Fake,
    other: Fake,
    elsewhere: Fake,
    world: World,
    rsa: Signer,
    ec: Signer,
    big: Signer,
    of_other: Signer,
    /// Keys that the first issuer publishes, and that are not to be taken.
    unfit: Vec<(&'static str, Signer)>,
}

impl Stage {
    fn set() -> Self {
        let (one, other, elsewhere) = (Fake::start(), Fake::start(), Fake::start());
        let (rsa, ec, big) = (signers::rsa("rsa", RSA), p256("ec"), p384("big"));
        let unfit = vec![
            ("1024 bits", signers::rsa("short", SHORT)),
            ("an exponent of 3", signers::rsa("small", SMALL_EXPONENT)),
            ("a key to encrypt with", signers::rsa("enc", OTHER)),
            ("a key whose private half is published", p256("open")),
            ("a key for another algorithm", p256("alg")),
            ("a name that two keys have", p256("twice")),
        ];
        let mut keys: Vec<Value> = [&rsa, &ec, &big].map(Signer::jwk).to_vec();
        for (_, signer) in &unfit {
            let mut jwk = signer.jwk();
            match signer.kid {
                "enc" => jwk["use"] = "enc".into(),
                "open" => jwk["d"] = encoded([1; 32]).into(),
                "alg" => jwk["alg"] = "ES384".into(),
                "twice" => keys.push(p256("twice").jwk()),
                _ => {}
            }
            keys.push(jwk);
        }
        one.is("/one", &keys);
        let of_other = signers::rsa("rsa", OTHER);
        other.is("/other", &[of_other.jwk(), p256("theirs").jwk()]);
        let lines = [(&one, "/one"), (&other, "/other")];
        let lines = lines.map(|(fake, path)| settings(&format!("{}{path}", fake.base())));
        let world = World::trusting(&lines.each_ref().map(String::as_str));
        Self { one, other, elsewhere, world, rsa, ec, big, of_other, unfit }
    }

    fn issuer(&self) -> String {
        format!("{}/one", self.one.base())
    }

    fn claims(&self, changes: Value) -> Value {
        claims(&self.issuer(), changes)
    }

    /// A token whose header has these changes; null takes one away.
    fn headed(&self, signer: &Signer, changes: Value) -> String {
        let mut header = signer.header();
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                header.as_object_mut().unwrap().remove(name);
            } else {
                header[name] = value.clone();
            }
        }
        signer.with_header(&header, &self.claims(json!({})))
    }
}

type Named = Vec<(String, String)>;

fn named<T: Into<String>>(tokens: impl IntoIterator<Item = (T, String)>) -> Named {
    tokens.into_iter().map(|(name, token)| (name.into(), token)).collect()
}

/// Tokens that are wrong in their form.
fn forms(stage: &Stage) -> Named {
    let ec = &stage.ec;
    let good = ec.token(&stage.claims(json!({})));
    let [header, body, signature] =
        <[&str; 3]>::try_from(good.split('.').collect::<Vec<_>>()).unwrap();
    let (head, all) = (ec.header().to_string(), stage.claims(json!({})).to_string());
    let text = |head: &str, claims: &str| joined(head, claims, |message| ec.sign("ES256", message));
    let signed = |message: String| {
        let signature = encoded(ec.sign("ES256", message.as_bytes()));
        format!("{message}.{signature}")
    };
    // As long as bits are left over in the last letter.
    let spaced = (0..3).map(|blanks| format!("{head}{}", " ".repeat(blanks)));
    let spaced = spaced.map(encoded).find(|head| head.len() % 4 == 2).unwrap();
    let (most, last) = spaced.split_at(spaced.len() - 1);
    let next = char::from(last.as_bytes()[0] + 1);
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    let with = |more: &str| format!("{}{more}}}", &all[..all.len() - 1]);
    let second = encoded(ec.sign("ES256", b"something else"));
    named([
        ("dots alone", "..".to_owned()),
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{body}")),
        ("two signatures", format!("{good}.{second}")),
        ("five parts, as if encrypted", format!("{header}.{signature}.{body}.{signature}.AAAA")),
        (
            "JSON serialisation, flattened",
            json!({ "protected": header, "payload": body, "signature": signature }).to_string(),
        ),
        (
            "JSON serialisation with two signatures",
            json!({ "payload": body, "signatures": [
                { "protected": header, "signature": signature },
                { "protected": header, "signature": second } ] })
            .to_string(),
        ),
        ("no signature", format!("{header}.{body}.")),
        ("no claims", format!("{header}..{signature}")),
        ("no header", format!(".{body}.{signature}")),
        ("truncated", good[..good.len() - 1].to_owned()),
        ("half of it", good[..good.len() / 2].to_owned()),
        ("padding", signed(format!("{header}=.{body}"))),
        (
            "the other alphabet",
            signed(format!("{header}.{}", encoded([0xfb; 3]).replace('-', "+"))),
        ),
        ("bits that are left over", signed(format!("{most}{next}.{body}"))),
        ("a blank inside", good.replacen('.', " .", 1)),
        ("a tab inside", good.replacen('.', ".\t", 1)),
        ("a header that is no JSON", text("{", &all)),
        ("a header that is null", text("null", &all)),
        ("a header that is a list", text("[]", &all)),
        ("an empty header", text("{}", &all)),
        ("a header and something behind it", text(&format!("{head}{{}}"), &all)),
        ("a name twice in the header", text(&format!("{{\"alg\":\"none\",{}", &head[1..]), &all)),
        ("claims that are no JSON", text(&head, "Reports.ReadWrite.All")),
        ("claims that are a list", text(&head, "[]")),
        ("claims that are a text", text(&head, "\"x\"")),
        ("claims behind a byte order mark", text(&head, &format!("\u{feff}{all}"))),
        ("a claim twice", text(&head, &with(",\"aud\":\"x\""))),
        ("a claim twice, escaped", text(&head, &with(",\"\\u0061ud\":\"x\""))),
        ("a name twice inside a claim", text(&head, &with(",\"x\":[{\"a\":1,\"a\":2}]"))),
        ("claims nested a thousand deep", text(&head, &with(&format!(",\"x\":{deep}")))),
        ("a header nested a thousand deep", text(&format!("{{\"x\":{deep}}}"), &all)),
        ("claims that are not UTF-8", {
            let body = encoded(
                all.replacen("api", "\u{0}pi", 1)
                    .into_bytes()
                    .iter()
                    .map(|byte| if *byte == 0 { 0xff } else { *byte })
                    .collect::<Vec<u8>>(),
            );
            signed(format!("{header}.{body}"))
        }),
        ("a number without an end", text(&head, &with(&format!(",\"x\":{}", "9".repeat(400))))),
        ("a number beyond all numbers", text(&head, &with(",\"x\":1e999"))),
        ("17 KiB", ec.token(&stage.claims(json!({ "x": "x".repeat(13_000) })))),
    ])
}

/// Tokens that are signed by something that their header says.
fn headers(stage: &Stage) -> Named {
    let (rsa, ec) = (&stage.rsa, &stage.ec);
    let unsigned = |alg: &str| {
        let head = json!({ "alg": alg, "kid": "ec", "typ": "JWT" }).to_string();
        joined(&head, &stage.claims(json!({})).to_string(), |_| Vec::new())
    };
    let mut all = named(
        ["none", "None", "NONE", "nOnE", ""]
            .map(|alg| (format!("algorithm '{alg}' without a signature"), unsigned(alg))),
    );
    let secret = |name: &str, secret: &[u8]| {
        let head = json!({ "alg": "HS256", "kid": "rsa", "typ": "JWT" }).to_string();
        let token = joined(&head, &stage.claims(json!({})).to_string(), |message| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        });
        (format!("HS256 with {name} for a secret"), token)
    };
    let jwk = rsa.jwk();
    all.extend([
        secret("the public key's JWK", jwk.to_string().as_bytes()),
        secret("the modulus", jwk["n"].as_str().unwrap().as_bytes()),
        secret("nothing", b""),
        secret("the JWKS", json!({ "keys": [jwk] }).to_string().as_bytes()),
    ]);
    let own = p256("ec");
    let keys = format!("{}/keys", stage.elsewhere.base());
    let changed = [
        ("algorithm none and a signature", ec, json!({ "alg": "none" })),
        ("no algorithm", ec, json!({ "alg": null })),
        ("an algorithm that is a number", ec, json!({ "alg": 256 })),
        ("an algorithm that is a list", ec, json!({ "alg": ["ES256"] })),
        ("an algorithm in small letters", ec, json!({ "alg": "es256" })),
        ("an algorithm with a blank", ec, json!({ "alg": "ES256 " })),
        ("RS256 for a key of a curve", ec, json!({ "alg": "RS256" })),
        ("ES256 for an RSA key", rsa, json!({ "alg": "ES256" })),
        ("ES384 for P-256", ec, json!({ "alg": "ES384" })),
        ("ES256 for P-384", &stage.big, json!({ "alg": "ES256" })),
        ("ES256K", ec, json!({ "alg": "ES256K" })),
        ("EdDSA for P-256", ec, json!({ "alg": "EdDSA" })),
        ("RS512", rsa, json!({ "alg": "RS512" })),
        ("RS1", rsa, json!({ "alg": "RS1" })),
        ("no key's name", ec, json!({ "kid": null })),
        ("a key's name that is a number", ec, json!({ "kid": 1 })),
        ("a key's name that is empty", ec, json!({ "kid": "" })),
        ("a key's name in capitals", ec, json!({ "kid": "EC" })),
        ("a key's name that is a path", ec, json!({ "kid": "../../dev/null" })),
        ("a key's name that is an address", ec, json!({ "kid": keys.clone() })),
        ("another key of the issuer", ec, json!({ "kid": "big" })),
        ("a key of the other issuer", ec, json!({ "kid": "theirs" })),
        ("the built-in issuer's key", ec, json!({ "kid": stage.world.header()["kid"] })),
        ("another type", ec, json!({ "typ": "dpop+jwt" })),
        ("a type that is a number", ec, json!({ "typ": 1 })),
        ("a critical extension", ec, json!({ "crit": ["b64"], "b64": true })),
        ("no critical extension", ec, json!({ "crit": [] })),
        ("a key of its own", &own, json!({ "jwk": own.jwk() })),
        ("a key of its own under a new name", &own, json!({ "jwk": own.jwk(), "kid": "own" })),
        ("a place for keys", &own, json!({ "jku": keys.clone(), "kid": "own" })),
        ("a place for certificates", &own, json!({ "x5u": keys.clone(), "kid": "own" })),
        ("a certificate of its own", &own, json!({ "x5c": ["MIIB"], "kid": "own" })),
    ];
    all.extend(
        changed.map(|(name, signer, changes)| (name.to_owned(), stage.headed(signer, changes))),
    );
    all
}

/// Tokens whose signature is another's, or none.
fn signatures(stage: &Stage) -> Named {
    let (rsa, ec) = (&stage.rsa, &stage.ec);
    let all = stage.claims(json!({}));
    let with = |signer: &Signer, sign: &dyn Fn(&[u8]) -> Vec<u8>| {
        joined(&signer.header().to_string(), &all.to_string(), sign)
    };
    let good = |message: &[u8]| ec.sign("ES256", message);
    let halves = |first: [u8; 32], second: [u8; 32]| [first, second].concat();
    let one = {
        let mut one = [0; 32];
        one[31] = 1;
        one
    };
    let flipped = |message: &[u8], at: usize| {
        let mut signature = good(message);
        signature[at] ^= 1;
        signature
    };
    let theirs = claims(&format!("{}/other", stage.other.base()), json!({}));
    let built_in = json!({ "iss": format!("https://rollcall.localhost/{TENANT}/"), "ver": "1.0",
        "aud": "https://graph.microsoft.com" });
    let mut tokens = named([
        ("a signature of zeros", with(ec, &|_| halves([0; 32], [0; 32]))),
        ("r is zero", with(ec, &|message| [&[0; 32], &good(message)[32..]].concat())),
        ("s is zero", with(ec, &|message| [&good(message)[..32], &[0; 32]].concat())),
        ("r and s are one", with(ec, &|_| halves(one, one))),
        ("r is the order", with(ec, &|message| [&ORDER, &good(message)[32..]].concat())),
        ("s is the order", with(ec, &|message| [&good(message)[..32], &ORDER].concat())),
        ("r and s are the most that there is", with(ec, &|_| vec![0xff; 64])),
        (
            "r and s have changed places",
            with(ec, &|message| {
                let signature = good(message);
                [&signature[32..], &signature[..32]].concat()
            }),
        ),
        ("a signature as DER", with(ec, &|message| p256_der(ec, message))),
        ("a signature and a byte", with(ec, &|message| [&good(message)[..], &[0]].concat())),
        ("a signature without its last byte", with(ec, &|message| good(message)[..63].to_vec())),
        ("the first bit is another", with(ec, &|message| flipped(message, 0))),
        ("the last bit is another", with(ec, &|message| flipped(message, 63))),
        ("the signature of something else", with(ec, &|_| good(b"something else"))),
        ("an RSA signature of zeros", with(rsa, &|_| vec![0; 256])),
        ("an RSA signature of one", with(rsa, &|_| [&[0; 255][..], &[1]].concat())),
        ("an RSA signature beyond the modulus", with(rsa, &|_| vec![0xff; 256])),
        (
            "an RSA signature without a byte",
            with(rsa, &|message| rsa.sign("RS256", message)[1..].to_vec()),
        ),
        ("PS256 under RS256", with(rsa, &|message| rsa.sign("PS256", message))),
        ("RS256 under PS256", {
            let head = json!({ "alg": "PS256", "kid": "rsa" }).to_string();
            joined(&head, &all.to_string(), |message| rsa.sign("RS256", message))
        }),
        ("the other issuer's key of the same name", stage.of_other.token(&all)),
        ("the other issuer's name and this one's key", rsa.token(&theirs)),
        ("the built-in issuer's key", stage.world.sign(&stage.world.header(), &all)),
        ("the built-in issuer's name", ec.token(&stage.claims(built_in.clone()))),
        ("the built-in issuer's name and its key's", {
            ec.with_header(&stage.world.header(), &stage.claims(built_in))
        }),
    ]);
    tokens.extend(named(stage.unfit.iter().map(|(name, key)| (*name, key.token(&all)))));
    tokens
}

/// Claims that do not hold, and those that permit too little.
fn of_claims(stage: &Stage) -> Named {
    let issuer = stage.issuer();
    let elsewhere = format!("{}/one", stage.elsewhere.base());
    let user = |changes: Value| {
        let mut all = json!({ "scp": "Reports.ReadWrite.All", "wids": [ADMINISTRATOR] });
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        all
    };
    let changes = [
        ("no issuer", json!({ "iss": null })),
        ("an issuer that is a number", json!({ "iss": 1 })),
        ("an issuer that is a list", json!({ "iss": [issuer.clone()] })),
        ("an issuer that nobody has configured", json!({ "iss": elsewhere })),
        ("an issuer with a slash more", json!({ "iss": format!("{issuer}/") })),
        ("an issuer in capitals", json!({ "iss": issuer.to_uppercase() })),
        ("an issuer with a user", json!({ "iss": issuer.replace("//", "//x@") })),
        ("no audience", json!({ "aud": null })),
        ("Graph's audience", json!({ "aud": "https://graph.microsoft.com" })),
        ("Graph's id", json!({ "aud": "00000003-0000-0000-c000-000000000000" })),
        ("an audience in another case", json!({ "aud": "API://rollcall.example" })),
        ("an audience that is longer", json!({ "aud": "api://rollcall.example/x" })),
        ("an audience that is a number", json!({ "aud": 1 })),
        ("an audience that is an object", json!({ "aud": { "x": "api://rollcall.example" } })),
        ("no audience in the list", json!({ "aud": [] })),
        ("audiences of others", json!({ "aud": ["x", 1, ["api://rollcall.example"]] })),
        ("no expiry", json!({ "exp": null })),
        ("expired by a second", json!({ "exp": NOW - 1 })),
        ("expired now", json!({ "exp": NOW })),
        ("an expiry that is text", json!({ "exp": (NOW + 3600).to_string() })),
        ("an expiry that is a fraction", json!({ "exp": 1e15 + 0.5 })),
        ("an expiry that is true", json!({ "exp": true })),
        ("an expiry after all time", json!({ "exp": i64::MAX })),
        ("an expiry that is more than a number holds", json!({ "exp": u64::MAX })),
        ("a negative expiry", json!({ "exp": -1 })),
        ("a start in an hour", json!({ "nbf": NOW + 3600 })),
        ("a start that is text", json!({ "nbf": "0" })),
        ("issued in an hour", json!({ "iat": NOW + 3600 })),
        ("issued at a text", json!({ "iat": "now" })),
        ("no tenant", json!({ "tid": null })),
        ("a tenant that is not served", json!({ "tid": SECOND })),
        ("a tenant that is no GUID", json!({ "tid": "contoso.example" })),
        ("a tenant without dashes", json!({ "tid": TENANT.replace('-', "") })),
        ("a tenant that is a list", json!({ "tid": [TENANT] })),
        ("the tenant of personal accounts", json!({ "tid": PERSONAL })),
        ("a guest with a personal account", json!({ "idp": "live.com" })),
        ("no client", json!({ "azp": null })),
        ("a client that is a number", json!({ "azp": 1 })),
        ("a client with blanks", json!({ "azp": "a client" })),
        ("a client that would end a line", json!({ "azp": "a\nb" })),
        ("a client of 129 letters", json!({ "azp": "x".repeat(129) })),
        ("no user", user(json!({ "oid": Value::Null }))),
        ("a user that is a list", user(json!({ "oid": ["x"] }))),
        ("scopes that are a number", user(json!({ "scp": 1 }))),
        ("scopes that are numbers", user(json!({ "scp": [1] }))),
        ("roles that are text", json!({ "roles": "Reports.ReadWrite.All" })),
        ("roles that are an object", json!({ "roles": { "Reports.ReadWrite.All": true } })),
        ("roles with a number among them", json!({ "roles": ["Reports.ReadWrite.All", 1] })),
        ("admin roles that are text", user(json!({ "wids": ADMINISTRATOR }))),
        ("no roles", json!({ "roles": null })),
        ("roles in small letters", json!({ "roles": ["reports.readwrite.all"] })),
        ("roles with a blank", json!({ "roles": [" Reports.ReadWrite.All"] })),
        ("a user without an admin role", user(json!({ "wids": [] }))),
        ("a user without a scope that counts", user(json!({ "scp": "openid" }))),
        ("a user's roles without a scope", json!({ "sub": "another" })),
    ];
    let signed = |changes: Value| {
        let mut all = stage.claims(json!({}));
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                all.as_object_mut().unwrap().remove(name);
            } else {
                all[name] = value.clone();
            }
        }
        stage.ec.token(&all)
    };
    named(changes.map(|(name, changes)| (name, signed(changes))))
}

#[test]
fn each_bad_token_gets_its_answer() {
    let stage = Stage::set();
    let good = [&stage.rsa, &stage.ec, &stage.big].map(|one| one.token(&stage.claims(json!({}))));
    let get = |token: &str| stage.world.send(&ask("GET", COLLECTION).bearer(token));
    let tokens = [forms(&stage), headers(&stage), signatures(&stage), of_claims(&stage)].concat();
    assert!(tokens.len() >= 60, "{}", tokens.len());
    let mut lines = Vec::new();
    for (name, token) in &tokens {
        let reply = get(token);
        let code = match reply.status {
            401 => "InvalidAuthenticationToken",
            403 => "S2SUnauthorized",
            _ => panic!("{name}: {reply}"),
        };
        assert_eq!(reply.code(), code, "{name}: {reply}");
        assert_eq!(reply.header("www-authenticate").is_some(), reply.status == 401, "{name}");
        assert_eq!(get(token).message(), reply.message(), "{name}, when it is sent again");
        lines.push(format!("{name} => {} {}", reply.status, reply.message()));
    }
    for good in &good {
        assert_eq!(get(good).status, 200, "what holds holds after all that");
    }
    insta::assert_snapshot!(lines.join("\n"));
    assert_eq!(stage.elsewhere.requests(), 0);
    assert_eq!((stage.one.fetches(), stage.other.fetches()), (1, 1));
    let log = stage.world.log();
    for (_, token) in &tokens {
        let longest = token.split(['.', '"']).max_by_key(|part| part.len()).unwrap();
        assert!(longest.len() < 20 || !log.contains(longest), "{longest}\n{log}");
    }
}

#[test]
fn every_letter_of_a_token_counts() {
    let stage = Stage::set();
    let good = stage.ec.token(&stage.claims(json!({})));
    let get = |token: &str| stage.world.send(&ask("GET", COLLECTION).bearer(token)).status;
    assert_eq!(get(&good), 200);
    for at in 0..good.len() {
        let other = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
        let bad = format!("{}{other}{}", &good[..at], &good[at + 1..]);
        assert_eq!(get(&bad), 401, "letter {at} of {good}");
    }
    assert_eq!(stage.elsewhere.requests(), 0);
}
