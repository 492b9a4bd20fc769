//! Queries: SQL against an evaluator that is written from the standard and
//! shares nothing with it, and each operator and function against known rows.

mod apply;
mod evaluate;
mod generate;
mod gone;
mod known;
mod random;
mod show;

use std::sync::Arc;

use rollcall_odata::edm::{EntitySet, Model};
use rollcall_odata::plan::page::{Terms, count, page};
use rollcall_odata::uri::Limits;
use rollcall_odata::uri::options::Options;
use rollcall_odata::{Row, Value};
use rollcall_store::Store;
use tempfile::TempDir;

use crate::support::{ONE, Rows, author, create, model_with};

/// A set with every type twice where two can be compared, all but the identity nullable.
const SET: &str = r#"
    [[entity_type]]
    name = "microsoft.graph.sample"
    base = "microsoft.graph.entity"
    property = [
        { name = "seq", type = "Edm.Int64" },
        { name = "flag", type = "Edm.Boolean" },
        { name = "number", type = "Edm.Int64" },
        { name = "other", type = "Edm.Int64" },
        { name = "small", type = "Edm.Int32" },
        { name = "text", type = "Edm.String" },
        { name = "word", type = "Edm.String" },
        { name = "day", type = "Edm.Date" },
        { name = "later", type = "Edm.Date" },
        { name = "guid", type = "Edm.Guid" },
        { name = "length", type = "Edm.Duration" },
        { name = "pause", type = "Edm.Duration" },
        { name = "span", type = "Edm.String", role = "period" },
        { name = "names", type = "Collection(Edm.String)" },
        { name = "counts", type = "Collection(Edm.Int64)" },
    ]

    [[entity_set]]
    name = "samples"
    under = "reports"
    entity_type = "microsoft.graph.sample"
    table = "sample"
    identity = ["seq"]
"#;

/// What time it is.
const NOW: &str = "2026-11-24T12:34:56.789Z";

/// A store with rows of this set.
struct Samples {
    store: Store,
    model: Model,
    set: Arc<EntitySet>,
    _folder: TempDir,
}

/// What a query gave: the rows of each page, and the count if it was asked for.
struct Answer {
    pages: Vec<Vec<Row>>,
    count: Option<u64>,
}

impl Samples {
    async fn new(rows: &[Row]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = model_with(SET);
        let options = rollcall_store::Options { readers: 1, ..Default::default() };
        let store = Store::open(&folder.path().join("db"), &model, &options).unwrap();
        let set = Arc::clone(model.entity_set("samples").unwrap());
        for row in rows {
            store.write(author(ONE), create(&set, row)).await.unwrap();
        }
        Self { store, model, set, _folder: folder }
    }

    /// All pages of a query, which is encoded here.
    async fn ask(&self, query: &[(&str, String)], page_size: usize) -> Result<Answer, String> {
        let mut answer = Answer { pages: Vec::new(), count: None };
        let mut token: Option<String> = None;
        loop {
            let options = options(query, token.as_deref())?;
            let page =
                page(&self.set, &options, &self.terms(page_size)).map_err(|e| e.to_string())?;
            let sink = Rows(Vec::new());
            let listed = self.store.list(ONE, page.list.clone(), sink).await;
            let (listed, Rows(rows)) = listed.map_err(|error| error.to_string())?;
            answer.count = listed.count;
            answer.pages.push(rows.into_iter().map(|(_, row)| row).collect());
            token = listed.last.as_ref().and_then(|last| page.next(last));
            if token.is_none() {
                return Ok(answer);
            }
        }
    }

    async fn count(&self, query: &[(&str, String)]) -> Result<u64, String> {
        let options = options(query, None)?;
        let plan = count(&self.set, &options, &self.terms(1)).map_err(|error| error.to_string())?;
        self.store.count(ONE, plan).await.map_err(|error| error.to_string())
    }

    fn terms(&self, page_size: usize) -> Terms<'_> {
        let now = NOW.parse().unwrap();
        Terms { model: &self.model, page_size, limits: Limits::default(), now }
    }
}

fn options(query: &[(&str, String)], token: Option<&str>) -> Result<Options, String> {
    let mut parts: Vec<String> =
        query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    parts.extend(token.map(|token| format!("$skiptoken={token}")));
    Options::parse(&parts.join("&")).map_err(|error| error.to_string())
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02X}"))
}

/// Which rows these are, by their identity.
fn numbers(rows: &[Row]) -> Vec<i64> {
    let number = |row: &Row| match row[1] {
        Value::Int(number) => number,
        _ => panic!(),
    };
    rows.iter().map(number).collect()
}
