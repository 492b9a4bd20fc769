//! Why the store did not do what it was asked: in words for people, without HTTP.

use rusqlite::ErrorCode;
use uuid::Uuid;

/// Why the store did not do what it was asked. Nothing of a refused write is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The entity would break a rule after the change.
    Refused(rollcall_odata::Error),
    /// This tenant has no such entity.
    NotFound,
    /// The entity's version is not one that the precondition allows.
    PreconditionFailed,
    /// Another entity of this tenant states the same fact.
    FactExists {
        /// The key of the entity that is there.
        id: Uuid,
    },
    /// Another entity of this tenant has this key.
    KeyExists,
    /// Another request has been done under the name of this one.
    OtherRequest,
    /// The moment is not one of this tenant's history.
    UnknownMoment,
    /// The query is larger than SQLite takes. The limits on queries keep most
    /// of them from getting here.
    TooLarge,
    /// The queue is full, or another process holds the write lock. Worth trying again.
    Busy,
    /// The queue is full, others wait in it as well, and this tenant has its
    /// share of it. Worth trying again.
    OverShare,
    /// The disk is full. Nothing was written; reads go on.
    Full(String),
    /// The disk cannot be written to. Nothing was written; reads go on.
    Unwritable(String),
    /// A newer Rollcall wrote this database. It was left as it is.
    Newer {
        /// The format of the database.
        found: i64,
        /// The newest format that this program knows.
        known: i64,
    },
    /// The database holds something that the catalogue cannot be reconciled
    /// with by adding to it. It was left as it is.
    Mismatch(String),
    /// The store was closed, or gave up on this request.
    Closed,
    /// Anything else: a fault of ours, or a damaged database.
    Failed(String),
}

/// What SQLite says of a statement that is too large: there is no code for it.
const TOO_LARGE: [&str; 3] =
    ["too many SQL variables", "Expression tree is too large", "parser stack overflow"];

impl Error {
    /// From a failed read.
    pub(crate) fn of_read(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy) => Self::Busy,
            _ if TOO_LARGE.iter().any(|part| error.to_string().contains(part)) => Self::TooLarge,
            _ => Self::Failed(error.to_string()),
        }
    }

    /// From a failed write: what is the disk's fault is told from what is ours.
    pub(crate) fn of_write(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(error.to_string()),
            Some(
                ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied,
            ) => Self::Unwritable(error.to_string()),
            _ => Self::of_read(error),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(error) => write!(f, "the change is refused: {}", error.message),
            Self::NotFound => f.write_str("there is no such entity"),
            Self::PreconditionFailed => f.write_str("the entity has another version"),
            Self::FactExists { id } => write!(f, "entity {id} states the same fact"),
            Self::KeyExists => f.write_str("the key is in use"),
            Self::OtherRequest => f.write_str("another request had this name"),
            Self::UnknownMoment => f.write_str("no change is known under that number"),
            Self::TooLarge => f.write_str("the query is larger than SQLite takes"),
            Self::OverShare => f.write_str("too much of this tenant is waiting; try again later"),
            Self::Busy => f.write_str("too much is waiting; try again later"),
            Self::Full(cause) => write!(f, "the disk is full: {cause}"),
            Self::Unwritable(cause) => write!(f, "the disk cannot be written to: {cause}"),
            Self::Newer { found, known } => write!(
                f,
                "the database has format {found}, and this program knows formats up to {known}: \
                 a newer version wrote it"
            ),
            Self::Mismatch(what) => write!(f, "the database does not fit the catalogue: {what}"),
            Self::Closed => f.write_str("the store is closed"),
            Self::Failed(cause) => write!(f, "the store failed: {cause}"),
        }
    }
}

impl std::error::Error for Error {}

/// A read has failed.
#[expect(clippy::needless_pass_by_value, reason = "it stands where map_err wants a function")]
pub(crate) fn failed(error: rusqlite::Error) -> Error {
    Error::of_read(&error)
}
