//! What Power Query asks, in Power BI and in Excel: its requests as they were
//! recorded (see docs/power-bi.md), for each text of M in that document.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::client::{Ask, Reply, ask};
use crate::process::{Fresh, token};
use crate::readme::fences;
use crate::sample::{COLLECTION, fact};
use crate::secure::Secure;

const HOW_TO: &str = include_str!("../../../../docs/power-bi.md");

/// Rows, and the most of them on a page, so that there are several pages.
const ROWS: usize = 450;

/// A service under TLS with these rows, and a key that it knows.
struct Stage {
    fresh: Fresh,
    client: Secure,
    key: String,
}

impl Stage {
    fn start() -> Self {
        let fresh = Fresh::start(&["--tls-local"]);
        // What it is written for knows no other protocol.
        let client = Secure::trusting(&fresh.data.join("local-authority.pem"));
        let client = client.offering(&["http/1.1"]);
        let lines: Vec<String> = (0..ROWS).map(fact).collect();
        let rows = ask("POST", COLLECTION).header("Content-Type", "application/x-ndjson");
        let rows = rows.body(lines.join("\n")).bearer(&token(&fresh.data, &[]));
        let (_, reply) = client.send(&rows, fresh.service.address).unwrap();
        assert_eq!((reply.status, &reply.json()["created"]), (200, &ROWS.into()), "{reply}");
        let add = fences(HOW_TO, "sh")[0].strip_prefix("rollcall ").unwrap();
        let key = fresh.done(add).trim_end().to_owned();
        Self { fresh, client, key }
    }

    /// A request with the headers that Power Query has on all of them.
    fn get(&self, target: &str, signed_in: bool) -> Reply {
        let accept = "application/json;odata.metadata=minimal;q=1.0,application/json;\
                      odata=minimalmetadata;q=0.9,application/atomsvc+xml;q=0.8,\
                      application/atom+xml;q=0.8,application/xml;q=0.7,text/plain;q=0.7";
        let asked = ask("GET", target)
            .header("Accept", accept)
            .header("Accept-Encoding", "gzip, deflate")
            .header("MaxDataServiceVersion", "3.0")
            .header("OData-MaxVersion", "4.0");
        self.send(asked, signed_in)
    }

    fn send(&self, asked: Ask, signed_in: bool) -> Reply {
        let name = "Microsoft.Data.Mashup (https://go.microsoft.com/fwlink/?LinkID=304225)";
        let asked = asked.header("User-Agent", name);
        let basic = format!("Basic {}", STANDARD.encode(format!("anyone:{}", self.key)));
        let asked = if signed_in { asked.header("Authorization", &basic) } else { asked };
        self.client.send(&asked, self.fresh.service.address).unwrap().1
    }

    /// All rows, over all pages.
    fn all(&self, target: &str) -> Vec<Value> {
        let (mut rows, mut next) = (Vec::new(), Some(target.to_owned()));
        while let Some(target) = next {
            let reply = self.get(&target, true);
            assert_eq!(reply.status, 200, "{reply}");
            of_data(&reply);
            let page = reply.json();
            rows.extend(page["value"].as_array().unwrap().iter().cloned());
            next = page["@odata.nextLink"].as_str().map(|link| after_host(link).to_owned());
        }
        rows
    }
}

fn after_host(url: &str) -> &str {
    url.strip_prefix("https://rollcall.test").unwrap()
}

/// It takes a header that is there twice for one with a comma, and ends.
fn of_data(reply: &Reply) {
    let versions: Vec<&str> = reply
        .headers
        .iter()
        .filter(|(name, _)| name == "odata-version")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(versions, ["4.0"]);
    assert!(
        reply
            .header("content-type")
            .unwrap()
            .starts_with("application/json;odata.metadata=minimal")
    );
}

#[test]
fn a_feed_is_found_and_read_to_its_end() {
    let stage = Stage::start();
    let text = fences(HOW_TO, "powerquery")[0];
    let root = text.split("https://rollcall.example").nth(1).unwrap().split('"').next().unwrap();
    let name = text.split("Name = \"").nth(1).unwrap().split('"').next().unwrap();
    let service = stage.get(root, false);
    assert_eq!(service.status, 200, "{service}");
    of_data(&service);
    let metadata = stage.get(&format!("{root}$metadata"), false);
    assert_eq!((metadata.status, metadata.header("content-type")), (200, Some("application/xml")));
    assert!(metadata.text().contains(&format!("<EntitySet Name=\"{name}\"")), "{metadata}");
    let sets = service.json();
    let set = sets["value"].as_array().unwrap().iter().find(|set| set["name"] == name).unwrap();
    assert_eq!(set["kind"], "EntitySet");
    let feed = format!("{root}{}", set["url"].as_str().unwrap());
    let refused = stage.get(&feed, false);
    let asks = refused.headers.iter().any(|(_, value)| value.starts_with("Basic realm="));
    assert!(refused.status == 401 && asks, "{refused}");
    assert_eq!(stage.all(&feed).len(), ROWS);
    assert_eq!(stage.all(&format!("{feed}?$top=1000")).len(), ROWS, "as its preview");
    // Steps that it hands on.
    let folded = format!(
        "{feed}?$filter=reportDate+ge+2000-02-01+and+teams+gt+1&$orderby=reportDate+desc,reportPeriod\
         &$select=reportDate%2Cteams&$top=4"
    );
    let rows = stage.all(&folded);
    assert_eq!(rows.len(), 4, "{rows:?}");
    let days: Vec<&str> = rows.iter().map(|row| row["reportDate"].as_str().unwrap()).collect();
    assert!(days.is_sorted_by(|one, next| one >= next) && days[0] > "2000-04-01", "{days:?}");
    let count = stage.get(&format!("{feed}/$count"), true);
    assert_eq!((count.status, count.text().trim_start_matches('\u{feff}')), (200, "450"));
}

#[test]
fn a_report_is_read_as_a_file_and_as_records() {
    let stage = Stage::start();
    let texts = fences(HOW_TO, "powerquery");
    let path = |text: &str| {
        let path = text.split("RelativePath = \"").nth(1).unwrap().split('"').next().unwrap();
        format!("/v1.0/{path}")
    };
    let refused = stage.send(ask("GET", &path(texts[1])), false);
    assert_eq!(refused.status, 401, "{refused}");
    let link = stage.send(ask("GET", &path(texts[1])), true);
    assert_eq!(link.status, 302, "{link}");
    let file = after_host(link.header("location").unwrap());
    for signed_in in [true, false] {
        let csv = stage.send(ask("GET", file), signed_in);
        assert_eq!(csv.status, 200, "{csv}");
        assert!(csv.text().starts_with("\u{feff}Report Refresh Date,Office 365,"), "{csv}");
    }
    assert!(texts[2].contains("#\"$format\" = \"application/json\""));
    let records = format!("{}?%24format=application%2Fjson", path(texts[2]));
    let json = stage.send(ask("GET", &records), true);
    assert_eq!(json.status, 200, "{json}");
    assert!(json.json()["value"][0]["teams"].is_number(), "{json}");
}
