//! Bodies and headers.

use rollcall_odata::headers::{self, Accept, Numbers, Preferences, Protocol, Scope};
use rollcall_odata::payload::csv::read::Known;
use rollcall_odata::payload::json::{read, write as json};
use rollcall_odata::plan::Versions;
use rollcall_odata::plan::bulk::{Intake, Taken};
use rollcall_odata::plan::write::{self, Terms};
use rollcall_odata::{Error, Row};

use super::{MODEL, set};

fn terms() -> Terms {
    let newest_refresh = "2026-11-25".parse().expect("a day");
    Terms { new_key: uuid::Uuid::from_u128(7), newest_refresh, lenient: true }
}

/// A JSON body: of an entity, and of each property.
pub fn body(data: &[u8]) {
    for at in 0..set().entity_type.properties.len() {
        if let Err(error) = read::property(data, set(), at, Numbers::default()) {
            assert_eq!(error.code.status(), 400, "{error:?}");
        }
    }
    match created(data) {
        Err(error) => assert_eq!(error.code.status(), 400, "{error:?}"),
        Ok(row) => {
            assert!(serde_json::from_slice::<serde_json::Value>(without_mark(data)).is_ok());
            let written = json::Shown::whole("http://rollcall.localhost/v1.0", set());
            let written = written.entity(1, &row);
            assert_eq!(created(&written), Ok(row), "{}", String::from_utf8_lossy(&written));
        }
    }
}

fn without_mark(data: &[u8]) -> &[u8] {
    data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data)
}

fn created(data: &[u8]) -> Result<Row, Error> {
    let body = read::entity(data, set(), Numbers::default())?;
    Ok(write::create(set(), body, &terms())?.row)
}

/// Many rows, as CSV and as lines of JSON, whole and in two pieces. The first
/// byte says where the text is cut.
pub fn rows(data: &[u8]) {
    let Some((cut, text)) = data.split_first() else { return };
    let (first, second) = text.split_at(usize::from(*cut).min(text.len()));
    let newest = terms().newest_refresh;
    let csv = || Intake::csv(Known::of_model(&MODEL), newest, 5);
    let lines = || Intake::lines(std::sync::Arc::clone(set()), Numbers::default(), newest, 5);
    same(taken(csv(), &[text]), taken(csv(), &[first, second]));
    same(taken(lines(), &[text]), taken(lines(), &[first, second]));
}

fn taken(mut intake: Intake, pieces: &[&[u8]]) -> Result<Taken, Error> {
    pieces.iter().try_for_each(|piece| intake.feed(piece))?;
    intake.finish()?;
    Ok(intake.take())
}

fn same(whole: Result<Taken, Error>, pieces: Result<Taken, Error>) {
    match (whole, pieces) {
        (Err(whole), Err(pieces)) => assert_eq!(whole, pieces),
        (Ok(whole), Ok(pieces)) => {
            assert_eq!((&whole.rows, &whole.lines), (&pieces.rows, &pieces.lines));
            assert_eq!((whole.rejected, whole.reasons), (pieces.rejected, pieces.reasons));
            assert_eq!(whole.rows.len(), whole.lines.len());
        }
        (whole, pieces) => panic!("whole {whole:?}, in pieces {pieces:?}"),
    }
}

/// Lines of headers, `Name: value`; each is read as every header that there is.
pub fn headers(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lines = || text.lines().map(|line| line.split_once(": ").map_or(line, |(_, value)| value));
    accept(lines());
    if let Some(Versions::Of(versions)) = headers::versions(lines()) {
        tags(&versions);
    }
    let preferences = Preferences::parse(lines());
    for scope in [Scope::One, Scope::List, Scope::Rows, Scope::Plain] {
        let refused = preferences.check(scope).is_err();
        assert!(!refused || preferences.applied(scope).contains(&"handling=strict".into()));
    }
    assert!(preferences.max_page_size.is_none_or(|(size, name)| size > 0 && !name.is_empty()));
    for line in lines() {
        assert!(!headers::is_json(line) || headers::rows_in(line).is_none());
        if let Err(error) = headers::check_content_type(line) {
            assert_eq!(error.code.status(), 400, "{error:?}");
        }
        for header in 0..3 {
            let one = |at: usize| (at == header).then_some(line);
            if let Err(error) = Protocol::of(one(0), one(1), one(2)) {
                assert!([400, 412].contains(&error.code.status()), "{error:?}");
            }
        }
    }
}

const OFFERED: [&str; 4] =
    ["application/json", "text/csv", "application/x-ndjson", "application/xml"];

/// What is liked best is offered, and what is named and not refused is taken.
fn accept<'a>(lines: impl Iterator<Item = &'a str>) {
    let accept = Accept::parse(lines);
    let best = accept.best(&OFFERED);
    assert!(best.is_none_or(|at| at < OFFERED.len()));
    for one in OFFERED {
        assert!(!accept.names(&[one]) || best.is_some(), "{accept:?}");
        assert_eq!(accept.best(&[one, one]).is_some(), accept.best(&[one]).is_some());
    }
}

/// The tags of versions name these versions.
fn tags(versions: &[u64]) {
    let tags: Vec<String> = versions.iter().map(|one| headers::entity_tag(*one)).collect();
    let line = tags.join(", ");
    if !tags.is_empty() {
        assert_eq!(
            headers::versions([line.as_str()].into_iter()),
            Some(Versions::Of(versions.to_vec()))
        );
    }
    assert!(tags.iter().all(|tag| headers::names_tag([line.as_str()].into_iter(), tag)));
}
