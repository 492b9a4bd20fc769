//! Collections that are too long to be written at once.

/// Which part of a whole some rows are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part<'a> {
    /// Whether nothing stands before it.
    pub is_first: bool,
    /// Whether nothing follows it.
    pub is_last: bool,
    /// Of the first part: how many rows there are, where it was asked for.
    pub count: Option<u64>,
    /// Of the last part: where the rows after the whole are.
    pub next_link: Option<&'a str>,
}
