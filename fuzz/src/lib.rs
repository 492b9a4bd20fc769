//! What each fuzz target does with its bytes. The same functions run over the
//! corpus in `cargo test`, without a fuzzer.
//!
//! That nothing panics is the least of it: what is read must be read again from
//! what is printed, trees stay within their limits, errors point into the text,
//! and what the service hands out it takes back.

mod address;
mod batch;
mod language;
mod request;

pub use address::{path, query, skip_token};
pub use batch::batch;
pub use language::{clauses, filter, search, transformations};
pub use request::{body, headers, rows};

use std::sync::{Arc, LazyLock};

use rollcall_odata::catalog;
use rollcall_odata::edm::{EntitySet, Model};

/// One target: what it does with its bytes.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const ALL: [(&str, Target); 11] = [
    ("path", path),
    ("query", query),
    ("filter", filter),
    ("clauses", clauses),
    ("search", search),
    ("apply", transformations),
    ("skip_token", skip_token),
    ("body", body),
    ("rows", rows),
    ("headers", headers),
    ("batch", batch),
];

static MODEL: LazyLock<Model> =
    LazyLock::new(|| catalog::load(catalog::EMBEDDED).expect("the embedded catalogue holds"));

fn set() -> &'static Arc<EntitySet> {
    &MODEL.entity_sets[0]
}
