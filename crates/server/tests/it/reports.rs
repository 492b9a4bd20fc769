//! Other reports from catalogue entries alone: collections of strings and of
//! complex values are created, stored and served without a line of code.

use crate::client::{Reply, ask};
use crate::world::World;

const EMAIL: (&str, &str) =
    ("email-activity.toml", include_str!("../../../odata/tests/data/email-activity.toml"));
const ACTIVATIONS: (&str, &str) =
    ("activations.toml", include_str!("../../../odata/tests/data/activations.toml"));

const MAIL: &str = r#"{"reportRefreshDate":"2026-11-20","userPrincipalName":"o'neil/ü@contoso.example","displayName":"O\"Neil \\ \u00fc","isDeleted":false,"deletedDate":null,"lastActivityDate":"2026-11-19","sendCount":9007199254740993,"receiveCount":0,"readCount":null,"assignedProducts":["MICROSOFT 365 E3",""],"reportPeriod":"D30"}"#;

const ACTIVATED: &str = r#"{"reportRefreshDate":"2026-11-20","userPrincipalName":"ada@contoso.example","displayName":null,"userActivationCounts":[{"productType":"MICROSOFT 365 APPS","lastActivatedDate":"2026-01-31","windows":3,"mac":0},{}]}"#;

fn world() -> World {
    let files = rollcall_odata::catalog::EMBEDDED.iter().copied().chain([EMAIL, ACTIVATIONS]);
    World::with_catalogue(&files.collect::<Vec<_>>())
}

fn post(world: &World, set: &str, body: &str) -> Reply {
    let request = ask("POST", &format!("/v1.0/reports/{set}")).bearer(&world.writer()).json(body);
    world.send(&request)
}

/// Created, read back by key and in the collection, the same each time.
fn created(world: &World, set: &str, body: &str) -> Reply {
    let made = post(world, set, body);
    assert_eq!(made.status, 201, "{made}");
    let location = made.header("location").unwrap().replace("http://rollcall.test", "");
    let read = world.send(&ask("GET", &location).bearer(&world.writer()));
    assert_eq!(read.text(), made.text());
    let all = world.send(&ask("GET", &format!("/v1.0/{set}")).bearer(&world.writer())).json();
    let (one, listed) = (made.json(), &all["value"][0]);
    for (name, value) in one.as_object().unwrap().iter().filter(|(name, _)| !name.starts_with('@'))
    {
        assert_eq!(&listed[name], value, "{name}");
    }
    assert_eq!(post(world, set, body).status, 409);
    made
}

#[test]
fn a_collection_of_strings() {
    let world = world();
    insta::assert_snapshot!("email", created(&world, "emailActivityUserDetail", MAIL));
    let fact = "/v1.0/emailActivityUserDetail(reportRefreshDate=2026-11-20,userPrincipalName='O''Neil',reportPeriod='30')";
    let fact = fact.replace("O''Neil", "o''neil%2F%C3%BC@contoso.example");
    let read = world.send(&ask("GET", &fact).bearer(&world.writer()));
    assert_eq!(read.status, 200, "{read}");
    let changed = ask("PATCH", &fact)
        .bearer(&world.writer())
        .json(r#"{"assignedProducts":[],"isDeleted":true}"#);
    assert_eq!(world.send(&changed).json()["assignedProducts"], serde_json::json!([]));
}

#[test]
fn a_collection_of_complex_values() {
    let world = world();
    insta::assert_snapshot!(
        "activations",
        created(&world, "office365ActivationsUserDetail", ACTIVATED)
    );
}

#[test]
fn with_full_metadata_collections_and_complex_values_tell_their_types() {
    let world = world();
    let shown: Vec<String> = [
        ("emailActivityUserDetail", MAIL, "assignedProducts"),
        ("office365ActivationsUserDetail", ACTIVATED, "userActivationCounts"),
    ]
    .into_iter()
    .flat_map(|(set, body, property)| {
        let made = post(&world, set, body);
        let one = made.header("location").unwrap().replace("http://rollcall.test", "");
        [one.clone(), format!("{one}/{property}")].map(|target| {
            let accept = "application/json;odata.metadata=full;IEEE754Compatible=true";
            let asked = ask("GET", &target).bearer(&world.writer()).header("Accept", accept);
            world.send(&asked).text()
        })
    })
    .collect();
    insta::assert_snapshot!("full", shown.join("\n"));
}

#[test]
fn faults_name_the_item_and_its_member() {
    let world = world();
    let bodies = [
        ("emailActivityUserDetail", MAIL.replace("[\"MICROSOFT 365 E3\",\"\"]", "[\"a\",5,null]")),
        ("emailActivityUserDetail", MAIL.replace("[\"MICROSOFT 365 E3\",\"\"]", "\"a\"")),
        ("emailActivityUserDetail", MAIL.replace("\"isDeleted\":false", "\"isDeleted\":\"false\"")),
        (
            "office365ActivationsUserDetail",
            ACTIVATED.replace("\"windows\":3", "\"windows\":-3,\"linux\":1"),
        ),
        ("office365ActivationsUserDetail", ACTIVATED.replace("\"mac\":0", "\"mac\":0,\"MAC\":1")),
        ("office365ActivationsUserDetail", ACTIVATED.replace("{}", "[]")),
        ("office365ActivationsUserDetail", ACTIVATED.replace("\"ada@contoso.example\"", "null")),
    ];
    let lines: Vec<String> = bodies
        .iter()
        .map(|(set, body)| {
            let reply = post(&world, set, body);
            assert_eq!(reply.status, 400, "{reply}");
            serde_json::to_string_pretty(&reply.json()["error"]["details"]).unwrap()
        })
        .collect();
    insta::assert_snapshot!("item_faults", lines.join("\n"));
}

#[test]
fn metadata_and_service_document_name_them() {
    let world = world();
    let service = world.send(&ask("GET", "/v1.0")).text();
    let metadata = world.send(&ask("GET", "/v1.0/$metadata")).text();
    for text in ["emailActivityUserDetail", "office365ActivationsUserDetail"] {
        assert!(service.contains(text) && metadata.contains(text), "{text}");
    }
    assert!(metadata.contains("Collection(microsoft.graph.userActivationCounts)"), "{metadata}");
}
