//! Request headers of the protocol, from their text to typed values.

mod accept;
mod media;
mod negotiation;
mod protocol;
pub mod repeatability;

pub use accept::Accept;
pub use media::{Json, Kind, MediaType, Metadata, is_ieee754};
pub use negotiation::{OF_A_SET, OF_A_VALUE, OF_DATA};
pub use protocol::Protocol;

use crate::plan::Versions;

/// The media type of a `Content-Type`, without its parameters.
pub fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
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
    Lines,
}

/// In which form a body of this `Content-Type` has many rows, if it has.
pub fn rows_in(content_type: &str) -> Option<RowsIn> {
    match media_type(content_type).to_ascii_lowercase().as_str() {
        "text/csv" => Some(RowsIn::Csv),
        "application/x-ndjson" => Some(RowsIn::Lines),
        _ => None,
    }
}

/// What the client would like, from `Prefer`. Unknown preferences do no harm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences {
    /// `return=minimal` or `return=representation`.
    pub answer: Option<Answer>,
    /// `handling=lenient` or `handling=strict`.
    pub handling: Option<Handling>,
    /// `resolution=replace`: of many rows one with other numbers takes the place of what is there.
    pub replace: bool,
    /// `dry-run`: of many rows it is said what would become of them.
    pub dry_run: bool,
    /// `create-if-missing`: PATCH and PUT by the alternate key create.
    pub create_if_missing: bool,
    /// `track-changes` or `odata.track-changes`, as it was written.
    pub track_changes: Option<String>,
    /// `maxpagesize` or `odata.maxpagesize`: the most rows of a page, and the
    /// name as it was written.
    pub max_page_size: Option<(usize, String)>,
}

/// How much a write puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// A missing count is null.
    Lenient,
    /// Of many rows all are stored or none.
    Strict,
}

/// What a write answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Headers alone.
    Minimal,
    /// The whole entity.
    Representation,
}

impl Preferences {
    /// Reads the lines of `Prefer`. Of a preference given twice the first
    /// counts (RFC 7240, section 2).
    pub fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut preferences = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for one in lines.flat_map(|line| line.split(',')) {
            let one = one.split(';').next().unwrap_or_default();
            let (name, value) = one.split_once('=').unwrap_or((one, ""));
            let written = name.trim().to_ascii_lowercase();
            let name = written.strip_prefix("odata.").unwrap_or(&written).to_owned();
            if !seen.contains(&name) {
                preferences.set(&name, &written, value.trim().trim_matches('"'));
                seen.push(name);
            }
        }
        preferences
    }

    fn set(&mut self, name: &str, written: &str, value: &str) {
        let is = |text: &str| value.eq_ignore_ascii_case(text);
        match name {
            "return" if is("minimal") => self.answer = Some(Answer::Minimal),
            "return" if is("representation") => self.answer = Some(Answer::Representation),
            "handling" if is("lenient") => self.handling = Some(Handling::Lenient),
            "handling" if is("strict") => self.handling = Some(Handling::Strict),
            "resolution" => self.replace = is("replace"),
            "dry-run" => self.dry_run = value.is_empty() || is("true"),
            "maxpagesize" => {
                let size = value.parse().ok().filter(|size| *size > 0);
                self.max_page_size = size.map(|size| (size, written.to_owned()));
            }
            "track-changes" => self.track_changes = Some(written.to_owned()),
            "create-if-missing" => self.create_if_missing = value.is_empty() || is("true"),
            _ => {}
        }
    }
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
    }

    #[test]
    fn preferences_in_every_spelling() {
        let read = |line: &str| Preferences::parse([line].into_iter());
        assert_eq!(read("return=minimal").answer, Some(Answer::Minimal));
        assert_eq!(read("Return = \"minimal\" ; x=1, foo").answer, Some(Answer::Minimal));
        let first = read("return=representation, return=minimal").answer;
        assert_eq!(first, Some(Answer::Representation));
        assert_eq!(read("a, handling=lenient").handling, Some(Handling::Lenient));
        let first = read("handling=strict, handling=lenient").handling;
        assert_eq!(first, Some(Handling::Strict));
        let many = read("resolution=replace, dry-run");
        assert!(many.replace && many.dry_run && !read("resolution=merge").replace);
        assert!(read("create-if-missing").create_if_missing);
        for (line, size) in [
            ("maxpagesize=5", Some((5, "maxpagesize"))),
            ("OData.MaxPageSize=\"7\", maxpagesize=1", Some((7, "odata.maxpagesize"))),
            ("maxpagesize=0", None),
            ("maxpagesize=x", None),
        ] {
            let size = size.map(|(size, name)| (size, name.to_owned()));
            assert_eq!(read(line).max_page_size, size, "{line}");
        }
        let tracking = read("OData.Track-Changes").track_changes;
        assert_eq!(tracking.as_deref(), Some("odata.track-changes"));
        assert_eq!(read("nonsense=1,,;=,"), Preferences::default());
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
