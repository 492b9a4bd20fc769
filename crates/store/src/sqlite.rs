//! The engine: SQLite in write-ahead mode, with one thread that writes and a few that read.

mod applied;
mod apply;
mod bulk;
pub(crate) mod changes;
pub(crate) mod functions;
pub(crate) mod group;
mod memory;
pub(crate) mod once;
pub(crate) mod query;
pub(crate) mod reader;
mod reset;
mod statements;
#[cfg(test)]
mod tests;
pub(crate) mod writer;

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::vtab::series;
use rusqlite::{Connection, OpenFlags};

use crate::Error;
use crate::sql::define;

/// How long to wait for another process that holds the write lock, such as a
/// person with an SQL shell.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// The most pages that one connection keeps, in KiB. SQLite's own 2 MiB are soon
/// too few for reports of many tenants, and a page that is read anew costs as
/// much as many that are found. A sort takes as much again before it goes to a file.
const CACHE_KIB: i64 = 12 * 1024;

/// A connection that may write, to a database that is made where it is missing.
pub(crate) fn open_to_write(file: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = open(file, flags).map_err(|error| Error::of_write(&error))?;
    // FULL: a commit returns when it is on the disk. On Apple's systems that
    // takes a flag of its own. The limit, in bytes, is for a log that has grown
    // beside a long backup.
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; \
             PRAGMA journal_size_limit = 67108864;",
        )
        .map_err(|error| Error::of_write(&error))?;
    Ok(connection)
}

/// How much memory a connection that loads may use for pages, in KiB: what a
/// batch touches is then written once.
const LOAD_CACHE: i64 = 256 * 1024;

/// Suits a connection to writing much at once while nobody else does. In place
/// of a log, through which every page would go twice, a journal keeps what
/// pages held before: new ones need none. What a commit promises stays the
/// same, as the journal is cut to nothing and synced (not so if it were deleted).
/// While another process has the database open, the log stays.
pub(crate) fn suit_to_load(connection: &Connection) -> Result<(), Error> {
    let switched = connection
        .execute_batch(&format!("PRAGMA cache_size = -{LOAD_CACHE}"))
        .and_then(|()| connection.query_row("PRAGMA journal_mode = TRUNCATE", [], |_| Ok(())));
    match switched.map_err(|error| Error::of_write(&error)) {
        Err(Error::Busy) => write_ahead(connection),
        switched => switched,
    }
}

/// Takes back what a load had begun when it was killed. A connection that only
/// reads may not.
fn recover(file: &Path) -> Result<(), Error> {
    if !has_beside(file, "-journal") {
        return Ok(());
    }
    let recovered = open(file, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .and_then(|connection| connection.query_row(define::OBJECTS, [], |_| Ok(())));
    recovered.map_err(|error| Error::of_read(&error))
}

/// A connection that cannot write, to a database that is there.
pub(crate) fn open_to_read(file: &Path) -> Result<Connection, Error> {
    recover(file)?;
    let opened = open(file, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let ready = opened.and_then(|connection| {
        functions::register(&connection)?;
        series::load_module(&connection)?;
        Ok(connection)
    });
    ready.map_err(|error| Error::of_read(&error))
}

/// Whether a file of this ending stands beside the database, with something in it.
pub(crate) fn has_beside(file: &Path, ending: &str) -> bool {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    std::fs::metadata(name).is_ok_and(|beside| beside.len() > 0)
}

/// Puts the database in write-ahead mode, where readers and the writer do not wait for each other.
pub(crate) fn write_ahead(connection: &Connection) -> Result<(), Error> {
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(|error| Error::of_write(&error))?;
    if mode == "wal" {
        return Ok(());
    }
    let cause = "its file system has no shared memory, which the write-ahead log needs";
    Err(Error::Failed(format!("{cause} (journal mode {mode})")))
}

fn open(file: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    // Each connection stays with one thread, so SQLite need not lock it.
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(LOCK_WAIT)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    // A plan follows from the text alone. Otherwise SQLite plans some texts
    // anew whenever another value is bound, which takes longer than running them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}
