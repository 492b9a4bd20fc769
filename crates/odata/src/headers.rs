//! Request headers of the protocol, from their text to typed values.

mod accept;
mod media;
mod negotiation;
mod preferences;
mod protocol;
pub mod repeatability;
pub(crate) mod written;

pub use accept::Accept;
pub use media::{Json, Kind, MediaType, Metadata, Numbers};
pub use negotiation::{OF_A_SET, OF_A_VALUE, OF_DATA};
pub use preferences::{Answer, Handling, Preferences, Scope};
pub use protocol::Protocol;

use crate::error::Error;
use crate::plan::Versions;
use written::Written;

/// The media type of a `Content-Type`, without its parameters.
pub fn media_type(content_type: &str) -> &str {
    Written::of(content_type).name()
}

/// Refuses a `Content-Type` that says what cannot be: another charset than
/// UTF-8, or a parameter of OData without such a value or with two. Parameters
/// that nobody knows mean nothing, as to RFC 9110.
pub fn check_content_type(content_type: &str) -> Result<(), Error> {
    // Most have none of these.
    if !content_type.contains(';') {
        return Ok(());
    }
    let written = Written::of(content_type);
    let charset = written.parameter("charset");
    if charset.is_some_and(|one| !one.eq_ignore_ascii_case("utf-8")) {
        let message = "A body is read as UTF-8. Expected charset=utf-8 in Content-Type, or none.";
        return Err(Error::bad_request(message).about("Content-Type"));
    }
    if !media::Parameters::read(written.parameters()).is_wrong() {
        return Ok(());
    }
    let message = "The Content-Type contradicts itself, or has a parameter without such a value. \
                   Expected odata.metadata=none, minimal or full, and IEEE754Compatible, \
                   odata.streaming and ExponentialDecimals as true or false, each with one value.";
    Err(Error::bad_request(message).about("Content-Type"))
}

/// Whether a `Content-Type` says JSON; its parameters do not matter.
pub fn is_json(content_type: &str) -> bool {
    media_type(content_type).eq_ignore_ascii_case("application/json")
}

/// The forms of a body with many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsIn {
    /// `text/csv`.
    Csv,
    /// `application/x-ndjson`: a JSON object on each line.
    Lines(Numbers),
}

/// In which form a body of this `Content-Type` has many rows, if it has.
pub fn rows_in(content_type: &str) -> Option<RowsIn> {
    let name = media_type(content_type);
    let is = |one: &str| name.eq_ignore_ascii_case(one);
    if is("text/csv") {
        return Some(RowsIn::Csv);
    }
    is("application/x-ndjson").then(|| RowsIn::Lines(Numbers::of(content_type)))
}

/// The versions that `If-Match` or `If-None-Match` names; `None` where the
/// header is absent. A tag that is none of ours names no version.
pub fn versions<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Versions> {
    let mut found: Option<Vec<u64>> = None;
    for tag in lines.flat_map(|line| line.split(',')).map(str::trim) {
        if tag == "*" {
            return Some(Versions::Any);
        }
        found.get_or_insert_default().extend(version(tag));
    }
    found.map(Versions::Of)
}

/// The version in an entity tag of ours, `W/"17"`; compared weakly, so that
/// a client or proxy may have taken off the `W/`.
fn version(tag: &str) -> Option<u64> {
    let opaque = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
    let canonical = !opaque.starts_with('0') && opaque.bytes().all(|byte| byte.is_ascii_digit());
    opaque.parse().ok().filter(|_| canonical)
}

/// Whether `If-None-Match` names this tag, compared weakly, or any.
pub fn names_tag<'a>(lines: impl Iterator<Item = &'a str>, tag: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    let mut given = lines.flat_map(|line| line.split(',')).map(str::trim);
    given.any(|one| one == "*" || opaque(one) == opaque(tag))
}

/// The entity tag of a version: weak, as one version has several representations.
pub fn entity_tag(version: u64) -> String {
    format!("W/\"{version}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types() {
        for json in ["application/json", "Application/JSON ; charset=utf-8", "application/json;x"] {
            assert!(is_json(json), "{json}");
        }
        for other in ["", "text/json", "application/jsonp", "application/json-patch+json", "json"] {
            assert!(!is_json(other), "{other}");
        }
        for fine in [
            "",
            "application/json;x=y;type=entry",
            "application/json;odata.metadata=full;charset=\"UTF-8\";IEEE754Compatible=true",
            "application/json;IEEE754Compatible=true;ieee754compatible=TRUE",
            "text/csv;header=present",
        ] {
            assert!(check_content_type(fine).is_ok(), "{fine}");
        }
        for wrong in [
            "application/json;IEEE754Compatible=true;IEEE754Compatible=false",
            "application/json;IEEE754Compatible=maybe",
            "application/json;odata.metadata=some",
            "application/json;odata.metadata=full;metadata=none",
            "application/json;odata.streaming",
            "text/csv;charset=utf-16",
            "text/csv;charset=utf-8;charset=latin1",
        ] {
            assert!(check_content_type(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn entity_tags() {
        let read = |line: &str| versions([line].into_iter());
        assert_eq!(versions(std::iter::empty()), None);
        assert_eq!(read("*"), Some(Versions::Any));
        assert_eq!(read("W/\"17\", \"18\""), Some(Versions::Of(vec![17, 18])));
        for foreign in ["\"abc\"", "17", "W/17", "\"017\"", "\"+1\"", "\"\"", ""] {
            assert_eq!(read(foreign), Some(Versions::Of(vec![])), "{foreign}");
        }
        assert_eq!(read(&entity_tag(u64::MAX)), Some(Versions::Of(vec![u64::MAX])));
        let names = |line: &str| names_tag([line].into_iter(), "\"a\"");
        assert!(names("*") && names("\"b\", W/\"a\"") && !names("\"b\"") && !names("a"));
    }
}
