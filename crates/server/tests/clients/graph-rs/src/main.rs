//! graph-rs-sdk against a running service over TLS: `ROOT`, with a token of another
//! client's, `TOKEN`, or, where there is none, with one that it fetches. `ROWS` rows with
//! 1, 2, 3 … people in Teams are there already.

use graph_rs_sdk::error::ErrorMessage;
use graph_rs_sdk::header::{CONTENT_TYPE, HeaderValue};
use graph_rs_sdk::http::{BodyRead, Method, Url};
use graph_rs_sdk::identity::ConfidentialClientApplication;
use graph_rs_sdk::{GraphClient, GraphClientConfiguration};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

/// Lines of docs/clients.md.
fn handed(root: &Url, token: &str) -> GraphClient {
    let mut client = GraphClient::from(GraphClientConfiguration::new().access_token(token));
    client.use_test_endpoint(root);
    client
}

/// Lines of docs/clients.md.
fn signed_in(root: &Url, [tenant, client_id, client_secret]: &[String; 3]) -> GraphClient {
    let mut app = ConfidentialClientApplication::builder(client_id.as_str());
    let app = app.with_client_secret(client_secret).with_tenant(tenant).build();
    let mut client = GraphClient::from(&app);
    client.use_test_endpoint(root);
    client
}

struct Service {
    root: Url,
    token: Option<String>,
    known: [String; 3],
}

impl Service {
    /// A client of what has methods.
    fn client(&self) -> GraphClient {
        self.of(&self.root)
    }

    /// A client of the collection, or of what is below it: the SDK has no method for it.
    fn at(&self, path: &str) -> GraphClient {
        let url = format!("{}/reports/office365ActiveUserCounts{path}", self.root);
        self.of(&Url::parse(&url).unwrap())
    }

    fn of(&self, root: &Url) -> GraphClient {
        match &self.token {
            Some(token) => handed(root, token),
            None => signed_in(root, &self.known),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let read = |name| std::env::var(name).unwrap();
    let (root, token) = (Url::parse(&read("ROOT"))?, std::env::var("TOKEN").ok());
    let known = ["TENANT", "CLIENT_ID", "CLIENT_SECRET"].map(read);
    let service = Service { root, token, known };
    pages(&service, read("ROWS").parse()?).await?;
    let made = creates_and_reads(&service).await?;
    report(&service).await?;
    errors(&service).await?;
    batch(&service, &made).await?;
    println!("served graph-rs-sdk");
    Ok(())
}

fn row(teams: u64, day: &str) -> Value {
    json!({
        "reportRefreshDate": "2025-11-20", "office365": 9, "exchange": 8, "oneDrive": 8,
        "sharePoint": 10, "skypeForBusiness": 0, "yammer": 6, "teams": teams, "reportDate": day,
        "reportPeriod": "7",
    })
}

async fn creates_and_reads(service: &Service) -> Result<String, Failure> {
    let body = BodyRead::from_serialize(&row(50, "2025-11-18"))?;
    let create = service.at("").custom(Method::POST, Some(body));
    let answer =
        create.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).send().await?;
    assert_eq!(answer.status(), 201);
    let made: Value = answer.json().await?;
    let id = made["id"].as_str().unwrap().to_owned();
    let read = service.at(&format!("/{id}")).custom(Method::GET, None).send().await?;
    let read: Value = read.json().await?;
    assert_eq!((&read["id"], &read["teams"]), (&made["id"], &json!(50)));
    Ok(id)
}

async fn pages(service: &Service, rows: u64) -> Result<(), Failure> {
    let all = service.at("").custom(Method::GET, None).append_query_pair("$orderby", "teams");
    let pages = all.paging().json::<Value>().await?;
    assert!(pages.len() > 1);
    let mut seen = Vec::new();
    for page in &pages {
        let body = page.body().as_ref().map_err(ToString::to_string)?;
        let rows = body["value"].as_array().unwrap();
        seen.extend(rows.iter().map(|row| row["teams"].as_u64().unwrap()));
    }
    assert!(seen.into_iter().eq(1..=rows));
    Ok(())
}

/// The typed method of the report function, which follows to the file.
async fn report(service: &Service) -> Result<(), Failure> {
    let client = service.client();
    let answer =
        client.reports().get_office_365_active_user_counts_by_period("D180").send().await?;
    assert_eq!(answer.status(), 200);
    let file = answer.text().await?;
    assert!(file.trim_start_matches('\u{feff}').starts_with("Report Refresh Date,"), "{file}");
    assert!(file.lines().nth(1).unwrap().ends_with(",2025-11-18,180"), "{file}");
    Ok(())
}

async fn errors(service: &Service) -> Result<(), Failure> {
    let client = service.client();
    let answer = client.reports().get_office_365_active_user_counts_by_period("D0").send().await?;
    assert_eq!(answer.status(), 400);
    let error: ErrorMessage = answer.json().await?;
    assert_eq!(error.code_property().as_deref(), Some("InvalidArgument"));
    Ok(())
}

async fn batch(service: &Service, made: &str) -> Result<(), Failure> {
    let at = "/reports/office365ActiveUserCounts";
    let requests = json!({ "requests": [
        { "id": "1", "method": "POST", "url": at, "headers": { "Content-Type": "application/json" },
          "body": row(51, "2025-11-17") },
        { "id": "2", "method": "GET", "url": format!("{at}/{made}"), "dependsOn": ["1"] },
        { "id": "3", "method": "DELETE", "url": format!("{at}/{made}"), "dependsOn": ["2"] },
    ] });
    let answer = service.client().batch(&requests).send().await?;
    let answer: Value = answer.json().await?;
    let statuses: Vec<&Value> =
        answer["responses"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [201, 200, 204]);
    Ok(())
}
