//! The SQL texts that are of no table: where a transaction begins and ends, and what a
//! database as a whole is asked.

/// Begins to write.
pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";
/// Keeps what was written.
pub(crate) const COMMIT: &str = "COMMIT";
/// Undoes what was written.
pub(crate) const ROLLBACK: &str = "ROLLBACK";
/// Begins what may be undone within a transaction.
pub(crate) const SAVE: &str = "SAVEPOINT several";
/// Undoes what was written since, and may be again.
pub(crate) const GO_BACK: &str = "ROLLBACK TO several";
/// Ends what may be undone.
pub(crate) const RELEASE: &str = "RELEASE several";

/// Moves the log into the database and leaves it empty.
pub(crate) const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// The format of the database; 0 where nothing has been made.
pub(crate) const FORMAT: &str = "PRAGMA user_version";
/// What is wrong with the database: one row of `ok` if nothing is.
pub(crate) const INTEGRITY: &str = "PRAGMA integrity_check";
/// Copies the database to a new file of the name `?1`.
pub(crate) const COPY: &str = "VACUUM INTO ?1";

/// The format of the database from now on.
pub(crate) fn set_format(format: i64) -> String {
    format!("{FORMAT} = {format}")
}
