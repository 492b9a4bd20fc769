//! Where a part of a batch leads, in every form of address that clients send.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::error::Error;

/// What cannot stand in an address: SDKs write blanks and quotes as they are.
const UNSAFE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// An address below the service, encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The version as it was declared, if the address names one.
    pub version: Option<&'static str>,
    /// What stands after the version, without a slash at its beginning.
    pub path: String,
    /// The query without its `?`.
    pub query: String,
}

/// Reads an address: absolute, or beginning with a version, or relative to the
/// version's root, with or without a slash. `hosts` are what an absolute
/// address may name: another one's requests are not ours to answer.
pub fn target(url: &str, hosts: &[&str], versions: &[&'static str]) -> Result<Target, Error> {
    let url = url.split('#').next().unwrap_or_default().trim();
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let path = local(path, hosts)?.trim_start_matches('/');
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let version = versions.iter().find(|version| first.eq_ignore_ascii_case(version)).copied();
    let path = if version.is_some() { rest } else { path };
    let encoded = |text: &str| utf8_percent_encode(text, UNSAFE).to_string();
    Ok(Target { version, path: encoded(path), query: encoded(query) })
}

/// The path of an address that is ours.
fn local<'a>(path: &'a str, hosts: &[&str]) -> Result<&'a str, Error> {
    let Some((scheme, rest)) = path.split_once("://") else { return Ok(path) };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_web = ["http", "https"].iter().any(|one| scheme.eq_ignore_ascii_case(one));
    if is_web && hosts.iter().any(|one| host.eq_ignore_ascii_case(one)) {
        return Ok(path);
    }
    let message = "The address leads to another service. Expected one of this service, absolute \
                   or relative to its root.";
    Err(Error::bad_request(message))
}

/// Where an address begins with a reference to another part, `$` and its id:
/// what is found under that id, and what follows it.
pub fn reference<T>(url: &str, find: impl Fn(&str) -> Option<T>) -> Option<(T, &str)> {
    let rest = url.strip_prefix('/').unwrap_or(url).strip_prefix('$')?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (id, rest) = rest.split_at(end);
    find(id).map(|found| (found, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> String {
        match target(url, &["rollcall.test", "host:8365"], &["v1.0", "beta"]) {
            Ok(Target { version, path, query }) => format!("{version:?} {path} ? {query}"),
            Err(error) => error.message,
        }
    }

    #[test]
    fn every_form_of_address() {
        let lines: Vec<String> = [
            "reports/x?$top=1",
            "/reports/x?$top=1",
            "/v1.0/reports/x",
            "v1.0/reports/x",
            "/BETA/reports/x",
            "http://rollcall.test/v1.0/x('a b')?$filter=a eq 'b'",
            "HTTPS://HOST:8365/beta/x#fragment",
            "https://host:8365",
            "https://host:8365?x",
            "https://elsewhere.example/v1.0/x",
            "ftp://host:8365/v1.0/x",
            "//host/x",
            "/",
            "",
            "x?next=http://y",
            "é?ü=%C3%BC",
        ]
        .iter()
        .map(|url| format!("{url} => {}", read(url)))
        .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn references() {
        let read = |url| reference(url, |id| ["1", "a.b"].into_iter().find(|one| *one == id));
        assert_eq!(read("$1"), Some(("1", "")));
        assert_eq!(read("/$1/x?y"), Some(("1", "/x?y")));
        assert_eq!(read("$a.b?x"), Some(("a.b", "?x")));
        assert_eq!(read("$2"), None);
        assert_eq!(read("$metadata"), None);
        assert_eq!(read("1"), None);
    }

    proptest::proptest! {
        #[test]
        fn what_it_gives_can_stand_in_an_address(url in ".{0,40}") {
            if let Ok(Target { path, query, .. }) = target(&url, &["host"], &["v1.0"]) {
                let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
                assert!(plain(&path) && plain(&query), "{path} {query}");
            }
        }
    }
}
