//! What the documents say of issuers: settings are read, tokens checked, and
//! every setting is in the table.

use rollcall::config::{Given, issuers};
use serde_json::{Value, json};

use crate::client::ask;
use crate::fake::Fake;
use crate::readme::fences;
use crate::sample::{COLLECTION, fact};
use crate::signers::p256;
use crate::world::{NOW, World};

const ISSUERS: &str = include_str!("../../../../docs/issuers.md");
const ENTRA: &str = include_str!("../../../../docs/entra.md");

/// What a token of these claims may: read and create.
fn may(world: &World, token: &str, number: usize) -> (u16, u16) {
    let read = world.send(&ask("GET", COLLECTION).bearer(token));
    let create = world.send(&ask("POST", COLLECTION).bearer(token).json(fact(number)));
    (read.status, create.status)
}

/// The claims of a document, at this issuer and this time.
fn at(block: &str, host: &str, fake: &Fake) -> Value {
    let mut claims: Value = serde_json::from_str(&block.replace(host, &fake.base())).unwrap();
    claims["exp"] = json!(NOW + 3600);
    for name in ["iat", "nbf"] {
        if claims.get(name).is_some() {
            claims[name] = json!(NOW);
        }
    }
    claims
}

/// A table of the settings file as the flag takes it.
fn line(block: &str, host: &str, fake: &Fake) -> String {
    let lines: Vec<&str> = block.lines().skip_while(|line| *line != "[[issuer]]").skip(1).collect();
    lines.join(", ").replace(host, &fake.base())
}

#[test]
fn every_settings_file_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rollcall.toml");
    let blocks = [fences(ISSUERS, "toml"), fences(ENTRA, "toml")].concat();
    assert_eq!(blocks.len(), 5);
    for block in blocks {
        std::fs::write(&file, block).unwrap();
        let config = Given::from_file(&file).unwrap().settle().unwrap();
        assert_eq!(config.issuers.len(), 1, "{block}");
    }
    let command = fences(ISSUERS, "sh")[0];
    let line = command.split('\'').nth(1).unwrap();
    assert_eq!(issuers::settle(vec![issuers::parse(line).unwrap()]).unwrap().len(), 1);
    for cloud in ENTRA.lines().filter_map(|line| line.split("| `https://login").nth(1)) {
        let url = format!("https://login{}", cloud.split('`').next().unwrap());
        let line = format!("url = \"{url}\", audience = \"a\", tenants = \"all\"");
        assert!(issuers::settle(vec![issuers::parse(&line).unwrap()]).is_ok(), "{url}");
    }
}

#[test]
fn every_setting_is_in_the_table() {
    let told = issuers::parse("nothing = 1").unwrap_err();
    let settings: Vec<&str> = told.split('`').skip(3).step_by(2).collect();
    assert!(settings.len() >= 15, "{told}");
    for setting in settings {
        assert!(ISSUERS.contains(&format!("\n| `{setting}` |")), "{setting}");
    }
}

#[test]
fn keycloaks_tokens_hold_under_their_settings() {
    let (fake, signer) = (Fake::start(), p256("k"));
    fake.is("/realms/contoso", &[signer.jwk()]);
    let host = "https://keycloak.example.com";
    let world = World::trusting(&[&line(fences(ISSUERS, "toml")[1], host, &fake)]);
    let tokens = fences(ISSUERS, "json");
    assert_eq!(tokens.len(), 2);
    let tokens = tokens.iter().map(|block| signer.token(&at(block, host, &fake)));
    let may: Vec<_> = tokens.enumerate().map(|(at, token)| may(&world, &token, at)).collect();
    assert_eq!(may, [(403, 201), (200, 403)], "{}", world.log());
}

#[test]
fn entras_tokens_hold_under_their_settings() {
    let (fake, signer) = (Fake::start(), p256("k"));
    let host = "https://login.microsoftonline.com";
    let name = format!("{}/{{tenantid}}/v2.0", fake.base());
    fake.discovers("/common/v2.0", &name, &format!("{}/keys", fake.base()));
    let mut jwk = signer.jwk();
    jwk["issuer"] = json!(name);
    fake.publishes(&[jwk]);
    let [registration, application, person] = <[&str; 3]>::try_from(fences(ENTRA, "json")).unwrap();
    let world = World::trusting(&[&line(fences(ENTRA, "toml")[0], host, &fake)]);
    let token = |claims: &Value| signer.token(claims);
    let [application, mut person] = [application, person].map(|block| at(block, host, &fake));
    assert_eq!(may(&world, &token(&application), 0), (403, 201), "{}", world.log());
    assert_eq!(may(&world, &token(&person), 1), (200, 403), "{}", world.log());
    // App roles in place of directory roles.
    let world = World::trusting(&[&line(fences(ENTRA, "toml")[1], host, &fake)]);
    person["wids"] = json!([]);
    assert_eq!(may(&world, &token(&person), 2), (403, 403));
    person["roles"] = json!(["Reports.Reader"]);
    person["uti"] = json!("another");
    assert_eq!(may(&world, &token(&person), 3), (200, 403));
    let registration: Value = serde_json::from_str(registration).unwrap();
    for list in [&registration["appRoles"], &registration["api"]["oauth2PermissionScopes"]] {
        let names: Vec<&str> =
            list.as_array().unwrap().iter().map(|one| one["value"].as_str().unwrap()).collect();
        assert_eq!(names, ["Reports.Read.All", "Reports.Create", "Reports.ReadWrite.All"]);
    }
}
