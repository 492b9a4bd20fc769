//! Addresses: paths, query strings, skip tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rollcall_odata::plan::page::{self, Page, Terms};
use rollcall_odata::plan::resource::{self, Resource};
use rollcall_odata::uri::Limits;
use rollcall_odata::uri::options::{Options, SystemOption};
use rollcall_odata::uri::path::{self, Arguments, Literal, Segment};
use rollcall_odata::{Error, Value};
use serde_json::Value as Json;

use super::{MODEL, set};

const ROOT: &str = "http://rollcall.localhost/v1.0";

fn terms() -> Terms<'static> {
    let now = "2026-11-24T12:00:00Z".parse().expect("a time");
    Terms { model: &MODEL, page_size: 3, limits: Limits::default(), now }
}

/// A path, without the service root.
pub fn path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(segments) = path::parse(text) else { return };
    let printed: String = segments.iter().map(|one| written(one) + "/").collect();
    assert_eq!(path::parse(&printed), Ok(segments.clone()), "{printed}");
    let options = Options::parse("@k='6a1f2c9e-3b67-4d0a-9a55-0c2f6f0e2c91'").expect("an alias");
    match resource::resolve(&MODEL, ROOT, &segments, &options) {
        Ok(Resource::Entity(place, _) | Resource::Set(place)) => {
            assert!(!place.path.starts_with('/') && !place.path.ends_with('/'));
        }
        Ok(_) => {}
        Err(error) => refused(&error),
    }
}

/// A segment in the one way that leaves no doubt.
fn written(segment: &Segment) -> String {
    let literal = |literal: &Literal| match literal {
        Literal::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Literal::Alias(name) => format!("@{name}"),
        Literal::Bare(text) => text.clone(),
    };
    let arguments = match &segment.arguments {
        None => String::new(),
        Some(Arguments::Expression(text)) => format!("({text})"),
        Some(Arguments::Empty) => "()".to_owned(),
        Some(Arguments::Single(one)) => format!("({})", literal(one)),
        Some(Arguments::Named(all)) => {
            let all: Vec<String> =
                all.iter().map(|(name, one)| format!("{name}={}", literal(one))).collect();
            format!("({})", all.join(","))
        }
    };
    utf8_percent_encode(&format!("{}{arguments}", segment.name), NON_ALPHANUMERIC).to_string()
}

/// No address is a fault of ours.
fn refused(error: &Error) {
    let status = error.code.status();
    assert!((400..500).contains(&status) || status == 501, "{error:?}");
    assert!(!error.message.is_empty());
}

/// A query string, planned for the set, for its count and for its file.
pub fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let options = match Options::parse(text) {
        Ok(options) => options,
        Err(error) => return refused(&error),
    };
    if let Err(error) = page::count(set(), &options, &terms()) {
        refused(&error);
    }
    match page::page(set(), &options, &terms()) {
        Err(error) => refused(&error),
        Ok(page) if options.get(SystemOption::SkipToken).is_none() => taken_back(text, &page),
        Ok(_) => {}
    }
}

/// The identity of a row: a day, its refresh date, its period.
fn identity() -> Vec<Value> {
    let texts = ["2026-11-18", "2026-11-20", "ALL"];
    let properties = set().identity.iter().map(|at| &set().entity_type.properties[*at]);
    let value = rollcall_odata::payload::primitive::from_text;
    properties.zip(texts).map(|(one, text)| value(one, text).expect(text)).collect()
}

/// The link that a page gives leads to the page after it.
fn taken_back(query: &str, page: &Page) {
    let keys = page.list.shape.order.iter().map(|_| Value::Null);
    let last: Vec<Value> = keys.chain(identity()).collect();
    let Some(token) = page.next(&last) else { return };
    let options = Options::parse(&format!("{query}&$skiptoken={token}"));
    // One option more may be one too many.
    let Ok(options) = options else { return };
    let next = page::page(set(), &options, &terms()).expect("a page's own token is taken");
    assert_eq!(next.list.after, Some(last));
    assert_eq!(next.list.shape.filter, page.list.shape.filter);
}

/// What a skip token is bound to here: a query with keys of several types.
const BOUND: &str = "$orderby=teams divby 3 desc,reportDate,id,contains(reportPeriod,'7')&$top=9";

/// A skip token: as it is, as what is encoded in it, and as what follows the
/// two numbers that bind it to its query: `9,["0.5",null,"…",…]`.
pub fn skip_token(data: &[u8]) {
    let first = page::page(set(), &Options::parse(BOUND).expect(BOUND), &terms()).expect(BOUND);
    let keys = first.list.shape.order.iter().map(|_| Value::Null);
    let own = first.next(&keys.chain(identity()).collect::<Vec<_>>()).expect("a token");
    let own = URL_SAFE_NO_PAD.decode(own).expect("base64url");
    let own: Json = serde_json::from_slice(&own).expect("JSON");
    let bound = [format!("[{},{},", own[0], own[1]).as_bytes(), data, b"]"].concat();
    for token in [
        utf8_percent_encode(&String::from_utf8_lossy(data), NON_ALPHANUMERIC).to_string(),
        URL_SAFE_NO_PAD.encode(data),
        URL_SAFE_NO_PAD.encode(&bound),
    ] {
        match asked(&token) {
            Err(error) => assert_eq!(error.target.as_deref(), Some("$skiptoken"), "{error:?}"),
            Ok(page) => goes_on(&page),
        }
    }
}

fn asked(token: &str) -> Result<Page, Error> {
    let options = Options::parse(&format!("{BOUND}&$skiptoken={token}")).expect("options");
    page::page(set(), &options, &terms())
}

/// A page that follows a row has a successor that follows that row as well.
fn goes_on(page: &Page) {
    let after = page.list.after.clone().expect("where the page before ended");
    assert_eq!(after.len(), page.list.shape.order.len() + set().identity.len());
    let Some(token) = page.next(&after) else { return };
    assert_eq!(asked(&token).expect("its own token").list.after, Some(after));
}
