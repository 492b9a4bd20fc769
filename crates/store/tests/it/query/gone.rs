//! Who has gone is worked for no longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use rollcall_odata::plan::query::Shape;
use rollcall_odata::plan::{Count, List};
use rollcall_odata::{Row, Value};
use rollcall_store::RowSink;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Samples;
use crate::support::{ONE, author, create};

/// Far more rows than a reader steps over before it looks whether anyone waits.
const ROWS: i64 = 4_000;

/// Counts rows; at the first it says so and waits.
struct Slow {
    seen: Arc<AtomicUsize>,
    begun: Sender<()>,
    go_on: Receiver<()>,
}

impl RowSink for Slow {
    fn row(&mut self, _version: u64, _row: &Row) {
        if self.seen.fetch_add(1, Ordering::SeqCst) == 0 {
            self.begun.send(()).unwrap();
            self.go_on.recv().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_ends_when_nobody_waits_for_it() {
    let samples = Samples::new(&[]).await;
    let mut writes = JoinSet::new();
    for number in 0..ROWS {
        let mut row = vec![Value::Null; 16];
        row[0] = Value::Guid(Uuid::from_u128(u128::try_from(number).unwrap()));
        row[1] = Value::Int(number);
        let (store, plan) = (samples.store.clone(), create(&samples.set, &row));
        writes.spawn(async move { store.write(author(ONE), plan).await.map(drop) });
        if writes.len() == 1_000 {
            while let Some(written) = writes.join_next().await {
                written.unwrap().unwrap();
            }
        }
    }
    while let Some(written) = writes.join_next().await {
        written.unwrap().unwrap();
    }
    let (begun, at_begun) = channel();
    let (to_go_on, go_on) = channel();
    let seen = Arc::new(AtomicUsize::new(0));
    let sink = Slow { seen: Arc::clone(&seen), begun, go_on };
    let shape = Shape::default();
    let set = Arc::clone(&samples.set);
    let list = List { set, limit: usize::MAX, after: None, count: false, shape };
    let store = samples.store.clone();
    let asking = tokio::spawn(async move { drop(store.list(ONE, list, sink).await) });
    at_begun.recv().unwrap();
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    to_go_on.send(()).unwrap();
    // There is one reader: it has an ear for this once it has done with that.
    let all = samples.store.count(ONE, Count::from(Arc::clone(&samples.set))).await;
    assert_eq!(all, Ok(u64::try_from(ROWS).unwrap()));
    let seen = i64::try_from(seen.load(Ordering::SeqCst)).unwrap();
    assert!(seen < ROWS, "all {seen} rows were read");
}
