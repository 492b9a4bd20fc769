//! What one would write first: axum, a pool of ten SQLite connections, one
//! INSERT per request. It checks no token, has one tenant and keeps no history.
//!
//! `pool ADDRESS FILE` opens them as rusqlite does, with a rollback journal;
//! `pool ADDRESS FILE wal` in write-ahead mode. Both are `synchronous=FULL`.

use std::error::Error;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use r2d2::{ManageConnection, Pool};
use rollcall_bench::{Counts, Created, address};
use rusqlite::Connection;
use tokio::net::TcpListener;

/// How long a connection waits for the others' write lock. Generous: a 500 here
/// would spoil the comparison.
const LOCK_WAIT: Duration = Duration::from_secs(60);

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS counts (
        id TEXT PRIMARY KEY,
        reportRefreshDate TEXT NOT NULL,
        office365 INTEGER, exchange INTEGER, oneDrive INTEGER, sharePoint INTEGER,
        skypeForBusiness INTEGER, yammer INTEGER, teams INTEGER,
        reportDate TEXT NOT NULL,
        reportPeriod TEXT NOT NULL,
        UNIQUE (reportDate, reportRefreshDate, reportPeriod)
    )";

const INSERT: &str = "INSERT INTO counts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

/// Opens the connections of the pool: a file, and its journal's mode.
struct File(String, &'static str);

impl ManageConnection for File {
    type Connection = Connection;
    type Error = rusqlite::Error;

    fn connect(&self) -> Result<Connection, rusqlite::Error> {
        let connection = Connection::open(&self.0)?;
        connection.busy_timeout(LOCK_WAIT)?;
        let text = format!("PRAGMA journal_mode = {}; PRAGMA synchronous = FULL;", self.1);
        connection.execute_batch(&text)?;
        Ok(connection)
    }

    fn is_valid(&self, _: &mut Connection) -> Result<(), rusqlite::Error> {
        Ok(())
    }

    fn has_broken(&self, _: &mut Connection) -> bool {
        false
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(2).ok_or("expected an address and a database file")?;
    let ahead = std::env::args().nth(3).is_some_and(|mode| mode == "wal");
    let pool = Pool::builder()
        .max_size(10)
        .test_on_check_out(false)
        .connection_timeout(LOCK_WAIT)
        .build(File(file, if ahead { "WAL" } else { "DELETE" }))?;
    pool.get()?.execute_batch(TABLE)?;
    let app = Router::new()
        .route("/v1.0/reports/office365ActiveUserCounts", post(create))
        .route("/count", get(count))
        .with_state(pool);
    Ok(axum::serve(TcpListener::bind(address()).await?, app).await?)
}

async fn create(
    State(pool): State<Pool<File>>,
    Json(counts): Json<Counts>,
) -> Result<(StatusCode, Json<Created>), (StatusCode, String)> {
    let created = Created::new(counts);
    let stored = tokio::task::spawn_blocking(move || store(&pool, created)).await;
    let created = stored.map_err(|error| failed(&error))?.map_err(|error| failed(&*error))?;
    Ok((StatusCode::CREATED, Json(created)))
}

fn store(pool: &Pool<File>, created: Created) -> Result<Created, Box<dyn Error + Send + Sync>> {
    let connection = pool.get()?;
    let it = &created.counts;
    connection.prepare_cached(INSERT)?.execute((
        created.id.to_string(),
        &it.report_refresh_date,
        it.office365,
        it.exchange,
        it.one_drive,
        it.share_point,
        it.skype_for_business,
        it.yammer,
        it.teams,
        &it.report_date,
        &it.report_period,
    ))?;
    Ok(created)
}

async fn count(State(pool): State<Pool<File>>) -> Result<String, (StatusCode, String)> {
    let connection = pool.get().map_err(|error| failed(&error))?;
    let rows = connection.query_row("SELECT count(*) FROM counts", [], |row| row.get::<_, i64>(0));
    rows.map(|rows| rows.to_string()).map_err(|error| failed(&error))
}

fn failed(error: &(impl std::fmt::Display + ?Sized)) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}
