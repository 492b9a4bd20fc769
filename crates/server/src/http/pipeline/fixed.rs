//! Under `--cfg rollcall_bench` alone: a report's answer as fixed bytes. What
//! is left is what every request costs: its checks, its headers, its line in
//! the log.

use std::sync::LazyLock;

use hyper::body::Bytes;

/// Names the file whose bytes every report as JSON is answered with.
const VARIABLE: &str = "ROLLCALL_BENCH_BODY";

static BODY: LazyLock<Option<Bytes>> =
    LazyLock::new(|| Some(std::fs::read(std::env::var_os(VARIABLE)?).ok()?.into()));

/// The bytes, where there are any.
pub(super) fn body() -> Option<Bytes> {
    BODY.clone()
}
