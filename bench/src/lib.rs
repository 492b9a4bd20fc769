//! What the baselines share: the entity, read and written by serde's derived code.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The body of a create. Dates and the period stay text: a baseline checks less
/// than the product, never more.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are Graph's")]
pub struct Counts {
    pub report_refresh_date: String,
    pub office365: Option<i64>,
    pub exchange: Option<i64>,
    pub one_drive: Option<i64>,
    pub share_point: Option<i64>,
    pub skype_for_business: Option<i64>,
    pub yammer: Option<i64>,
    pub teams: Option<i64>,
    pub report_date: String,
    pub report_period: String,
}

/// The answer to a create.
#[derive(Debug, Serialize)]
pub struct Created {
    #[serde(rename = "@odata.context")]
    context: &'static str,
    /// The key, a UUIDv7.
    pub id: Uuid,
    /// What the body said.
    #[serde(flatten)]
    pub counts: Counts,
}

impl Created {
    /// These counts under a new key.
    #[must_use]
    pub fn new(counts: Counts) -> Self {
        Self { context: "$metadata#office365ActiveUserCounts/$entity", id: Uuid::now_v7(), counts }
    }
}

/// The address to listen on: the first argument.
#[must_use]
pub fn address() -> String {
    std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8366".to_owned())
}
