//! What can be wrong with a request: one code, its HTTP status, and words for people.

/// Why a request is refused. Clients rely on the code; the message is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What went wrong, as clients know it.
    pub code: Code,
    /// What was wrong and what was expected, in one or two sentences.
    pub message: String,
    /// The property, query option or segment it is about.
    pub target: Option<String>,
    /// The single faults, where there can be several.
    pub details: Vec<Detail>,
}

/// One fault among several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The kind of fault.
    pub code: Fault,
    /// What was wrong and what was expected.
    pub message: String,
    /// The property that is meant, where there is one.
    pub target: Option<String>,
}

impl Error {
    /// An error without target and details.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), target: None, details: Vec::new() }
    }

    /// A plain 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, message)
    }

    /// The same error about this property, query option or segment.
    #[must_use]
    pub fn about(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// One error for all faults of a body. One fault speaks for itself; of
    /// several the message gives the first and says how many there are.
    pub fn of_faults(faults: Vec<Detail>) -> Self {
        let mut error = Self::bad_request("");
        if let Some(first) = faults.first() {
            if faults.len() == 1 {
                error.message.clone_from(&first.message);
                error.target.clone_from(&first.target);
            } else {
                error.message =
                    format!("{} ({} more in details.)", first.message, faults.len() - 1);
            }
        }
        error.details = faults;
        error
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.text(), self.message)
    }
}

impl std::error::Error for Error {}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal $text:literal,)*) => {
        /// The codes of `error.code`, in Graph's words where Graph has one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, by status.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The HTTP status that goes with the code.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The code as clients read it.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// The request cannot be understood.
    BadRequest = 400 "BadRequest",
    /// A function's parameter is out of its range.
    InvalidArgument = 400 "InvalidArgument",
    /// The query is over one of the service's limits.
    TooComplex = 400 "queryTooComplex",
    /// Another request has been done under the id of this one.
    RequestIdReused = 400 "requestIdReused",
    /// The bearer token is missing or does not hold.
    InvalidAuthenticationToken = 401 "InvalidAuthenticationToken",
    /// The token holds and does not permit this.
    Forbidden = 403 "S2SUnauthorized",
    /// The download link is not ours, or not any more.
    LinkRefused = 403 "accessDenied",
    /// No such entity for this tenant.
    NotFound = 404 "Request_ResourceNotFound",
    /// The resource does not have this method.
    MethodNotAllowed = 405 "Request_BadRequest",
    /// None of the formats the client accepts can be had.
    NotAcceptable = 406 "notAcceptable",
    /// The request did not arrive in time.
    RequestTimeout = 408 "requestTimeout",
    /// The same fact or key is there already.
    Conflict = 409 "Request_MultipleObjectsWithSameKeyValue",
    /// A link of change tracking does not lead on from here.
    SyncStateNotFound = 410 "syncStateNotFound",
    /// An `If-Match` or `If-None-Match` does not hold.
    PreconditionFailed = 412 "resourceModified",
    /// Whether the request has been done before is not known any more.
    RequestTooOld = 412 "requestTooOld",
    /// The body is over a limit.
    PayloadTooLarge = 413 "requestEntityTooLarge",
    /// The URL is over a limit.
    UriTooLong = 414 "uriTooLong",
    /// The body's encoding is not one that is read.
    UnsupportedEncoding = 415 "unsupportedContentEncoding",
    /// Something that it depends on in the same batch failed.
    FailedDependency = 424 "failedDependency",
    /// The answer takes a newer version of HTTP.
    UpgradeRequired = 426 "upgradeRequired",
    /// The client has sent more requests than it may for now.
    TooManyRequests = 429 "TooManyRequests",
    /// The header section is over a limit.
    HeadersTooLarge = 431 "requestHeadersTooLarge",
    /// A fault of ours; the cause is in the log.
    Internal = 500 "generalException",
    /// Valid OData that is not served.
    NotImplemented = 501 "notSupported",
    /// Too busy, or the disk refuses writes for now.
    Unavailable = 503 "serviceNotAvailable",
    /// The disk is full.
    InsufficientStorage = 507 "quotaLimitReached",
}

/// The kinds of fault in a body, as `error.details[].code` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The body is not JSON, or not an object.
    Unreadable,
    /// A property that insert requires is not there.
    Missing,
    /// The type has no such property.
    Unknown,
    /// The property is there twice.
    Duplicate,
    /// The property's value is of another type or out of its range.
    InvalidValue,
    /// Null where null is no value.
    NullNotAllowed,
    /// The body says that it is of another type.
    IncompatibleType,
    /// Two properties contradict each other.
    Inconsistent,
    /// The same fact or key is there already; of many rows, one is.
    Conflicting,
}

impl Fault {
    /// The code as clients read it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Missing => "missingProperty",
            Self::Unknown => "unknownProperty",
            Self::Duplicate => "duplicateProperty",
            Self::InvalidValue => "invalidValue",
            Self::NullNotAllowed => "nullNotAllowed",
            Self::IncompatibleType => "incompatibleType",
            Self::Inconsistent => "inconsistent",
            Self::Conflicting => "conflicting",
        }
    }
}
