//! All that a request needs, in one place.

use std::sync::Arc;
use std::time::Duration;

use rollcall_odata::edm::Model;
use rollcall_odata::uri::Limits as QueryLimits;
use rollcall_store::Store;

use crate::access::Access;
use crate::auth::Authenticator;
use crate::clock::{Clock, Random};
use crate::http::controls::Controls;
use crate::http::documents::Documents;
use crate::http::links::Links;
use crate::http::origin::Origin;
use crate::http::room::Room;
use crate::http::throttle::GraphLimits;
use crate::observe::Log;

/// The running service.
pub struct App {
    /// What is kept and served.
    pub model: Arc<Model>,
    /// Where it is kept.
    pub store: Store,
    /// What follows from the model alone.
    pub documents: Documents,
    /// Who may.
    pub authenticator: Authenticator,
    /// The links to its files.
    pub links: Links,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where new names come from.
    pub random: Arc<dyn Random>,
    /// What is too much.
    pub limits: Limits,
    /// Room for the answers to batches, until they are sent.
    pub batch_room: Room,
    /// Room for the rows of bodies that have many, until they are stored.
    pub bulk_room: Room,
    /// How often reports may be asked for, where Graph's limits are applied.
    pub graph_limits: Option<GraphLimits>,
    /// What testers may do, where they may.
    pub controls: Option<Controls>,
    /// Where request lines go.
    pub log: Log,
    /// What absolute URLs begin with.
    pub origin: Origin,
    /// How it is told that who has access has changed, if it has a folder.
    pub access: Option<Arc<Access>>,
}

/// The limits that hold the service together under load.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The most connections at once, and of those that are one of HTTP/2 the
    /// most requests at once, over all of them.
    pub connections: usize,
    /// The most requests at once on one connection of HTTP/2.
    pub streams: u32,
    /// How long a client may take to agree on TLS.
    pub handshake_time: Duration,
    /// The longest target of a request, in bytes.
    pub url_bytes: usize,
    /// The most rows of a page.
    pub page_size: usize,
    /// How many rows of an answer are read at once, at most, and after how many
    /// bytes of them no more is: what one client costs in memory.
    pub part_rows: usize,
    /// See `part_rows`.
    pub part_bytes: usize,
    /// How large the expressions of a query may be.
    pub query: QueryLimits,
    /// The largest query in a body, in bytes, gunzipped.
    pub query_bytes: u64,
    /// How long a query may take.
    pub query_time: Duration,
    /// How long a connection may take to send a request's head, idle time before it included.
    pub head_time: Duration,
    /// How long a body may take to arrive; one of many rows, how long it may pause.
    pub body_time: Duration,
    /// The largest body of many rows, in bytes, gunzipped.
    pub bulk_bytes: u64,
    /// The largest body of many rows that are stored all or not at all, in
    /// bytes, gunzipped: they are held in memory until the last has come.
    pub strict_bytes: u64,
    /// How much memory the rows of all bodies take until they are stored, in bytes.
    pub bulk_total_bytes: usize,
    /// The most rows that are stored all or not at all: while they are written
    /// nobody else writes.
    pub strict_rows: usize,
    /// How long requests under way get to end once the service is told to stop.
    pub grace: Duration,
    /// The most requests of a batch.
    pub batch_parts: usize,
    /// The largest batch, in bytes, gunzipped.
    pub batch_bytes: u64,
    /// How large the answers to a batch may grow before its reads are refused,
    /// in bytes: they are held in memory until the last is there.
    pub batch_answer_bytes: usize,
    /// How large the answers to all batches at once may grow, in bytes.
    pub batch_total_bytes: usize,
    /// How long a batch may take to begin with its parts.
    pub batch_time: Duration,
    /// How long an answer may wait for a client that does not read.
    pub write_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            streams: 32,
            handshake_time: Duration::from_secs(10),
            url_bytes: 8 * 1024,
            page_size: 200,
            part_rows: 4096,
            part_bytes: 512 * 1024,
            query: QueryLimits::default(),
            query_bytes: 256 * 1024,
            query_time: Duration::from_secs(10),
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            bulk_bytes: 1024 * 1024 * 1024,
            strict_bytes: 16 * 1024 * 1024,
            bulk_total_bytes: 256 * 1024 * 1024,
            strict_rows: 50_000,
            grace: Duration::from_secs(10),
            batch_parts: 20,
            batch_bytes: 1024 * 1024,
            batch_answer_bytes: 16 * 1024 * 1024,
            batch_total_bytes: 256 * 1024 * 1024,
            batch_time: Duration::from_mins(1),
            write_time: Duration::from_secs(30),
        }
    }
}
