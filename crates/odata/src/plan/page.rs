//! Server-driven paging: which rows a page has and how the next one is asked for.
//!
//! A skip token says where the page before ended: it holds that row's place in
//! the order and its identity and not a number of rows, so that pages neither
//! repeat nor lose a row while others are written. It is bound to the request
//! that it came from.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::expression::{Setting, literal_of};
use super::query::{self, Computed, Selection, Shape};
use super::window::Window;
use super::{Count, List, token};
use crate::edm::{EntitySet, Model};
use crate::error::Error;
use crate::payload::primitive;
use crate::uri::options::{Options, SystemOption};
use crate::uri::{Limits, clauses};
use crate::value::Value;

/// The version of the skip token's form.
const FORM: u64 = 2;

/// The options that say which rows there are and in which order: a skip token
/// holds for the same values of these, and a count has these and no others.
const BINDING: [SystemOption; 7] = [
    SystemOption::Apply,
    SystemOption::Compute,
    SystemOption::Filter,
    SystemOption::OrderBy,
    SystemOption::Search,
    SystemOption::Skip,
    SystemOption::Top,
];

/// What a query is planned under.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// What else there is, which expressions may look at.
    pub model: &'a Model,
    /// The most rows of a page.
    pub page_size: usize,
    /// How large expressions may be.
    pub limits: Limits,
    /// What time it is.
    pub now: Timestamp,
}

/// One page and what its successor needs to know.
#[derive(Debug, Clone)]
pub struct Page {
    /// The rows of this page.
    pub list: List,
    /// What is shown of them, where it is not everything.
    pub selection: Option<Selection>,
    /// `$top` as it was given: the most rows over all pages.
    top: Option<u64>,
    /// How many rows this page and those before may have given at its end.
    given: u64,
    /// What the skip token is bound to.
    bound_to: u64,
    /// The instant that `now()` is on every page, where it is asked for.
    now: Option<Timestamp>,
}

/// The options of a list.
const SERVED: [SystemOption; 12] = [
    SystemOption::Apply,
    SystemOption::Compute,
    SystemOption::Count,
    SystemOption::Expand,
    SystemOption::Filter,
    SystemOption::Format,
    SystemOption::OrderBy,
    SystemOption::Search,
    SystemOption::Select,
    SystemOption::Skip,
    SystemOption::SkipToken,
    SystemOption::Top,
];

/// What one entity is asked for.
#[derive(Debug, Clone)]
pub struct One {
    /// What it has besides its properties.
    pub computed: Vec<Computed>,
    /// What is shown of it, where it is not everything.
    pub selection: Option<Selection>,
    /// Whether all that is shown is the same for as long as the entity is.
    pub lasting: bool,
}

/// What the options ask of one entity. `own` is the option that its address has.
pub fn entity(
    set: &Arc<EntitySet>,
    options: &Options,
    own: Option<SystemOption>,
    terms: &Terms<'_>,
) -> Result<One, Error> {
    const SERVED: [SystemOption; 4] =
        [SystemOption::Compute, SystemOption::Expand, SystemOption::Format, SystemOption::Select];
    let served: Vec<SystemOption> = SERVED.into_iter().chain(own).collect();
    options.only(&served)?;
    let Page { list, selection, .. } = planned(set, &set.name, options, terms)?;
    let lasting = !may_have(options, "now") && !may_have(options, "$root");
    Ok(One { computed: list.shape.computed, selection, lasting })
}

/// What is shown of an entity after a write, where it is not everything.
pub fn written(
    set: &Arc<EntitySet>,
    options: &Options,
    terms: &Terms<'_>,
) -> Result<Option<Selection>, Error> {
    options.only(&[SystemOption::Expand, SystemOption::Format, SystemOption::Select])?;
    if [SystemOption::Expand, SystemOption::Select].iter().all(|one| options.get(*one).is_none()) {
        return Ok(None);
    }
    Ok(planned(set, &set.name, options, terms)?.selection)
}

/// The page of a set that these options ask for.
pub fn page(set: &Arc<EntitySet>, options: &Options, terms: &Terms<'_>) -> Result<Page, Error> {
    options.only(&SERVED)?;
    planned(set, &set.name, options, terms)
}

/// All rows of a set that these options ask for, for a form that has rows and
/// nothing besides.
pub fn unpaged(set: &Arc<EntitySet>, options: &Options, terms: &Terms<'_>) -> Result<Page, Error> {
    whole(set, &set.name, options, terms)
}

/// All rows of a place that has a name of its own.
fn whole(
    set: &Arc<EntitySet>,
    place: &str,
    options: &Options,
    terms: &Terms<'_>,
) -> Result<Page, Error> {
    let is_of_rows = |one: &SystemOption| *one != SystemOption::SkipToken;
    let served: Vec<_> = SERVED.into_iter().filter(is_of_rows).collect();
    options.only(&served)?;
    if options.flag(SystemOption::Count)? {
        let message = "Rows without anything besides have no place for their number. Expected \
                       /$count in the path, or $format=json.";
        return Err(Error::bad_request(message).about("$count"));
    }
    planned(set, place, options, &Terms { page_size: usize::MAX, ..*terms })
}

/// The page of a report function that these options ask for: they see its
/// rows as they are labelled.
pub fn report(window: &Window, options: &Options, terms: &Terms<'_>) -> Result<Page, Error> {
    options.only(&SERVED)?;
    planned(&window.function.entity_set, &call(window), options, terms)
}

/// The rows of a report function for a file.
pub fn file(window: &Window, options: &Options, terms: &Terms<'_>) -> Result<Page, Error> {
    whole(&window.function.entity_set, &call(window), options, terms)
}

fn call(window: &Window) -> String {
    format!("{} {}", window.function.name, window.label())
}

/// A page of rows from a place that has a name of its own.
fn planned(
    set: &Arc<EntitySet>,
    place: &str,
    options: &Options,
    terms: &Terms<'_>,
) -> Result<Page, Error> {
    expand(set, options)?;
    let token = options.get(SystemOption::SkipToken);
    let token = token.map(|token| Token::read(token).ok_or_else(bad_token)).transpose()?;
    let now = token.as_ref().and_then(|token| token.now);
    let terms = &Terms { now: now.unwrap_or(terms.now), ..*terms };
    // A report function has a name of its own, and rows without a key.
    let keyless = place != set.name;
    let (mut shape, selection) = query::shape(setting(set, options, terms), keyless)?;
    let top = options.number(SystemOption::Top)?;
    let count = options.flag(SystemOption::Count)?;
    let bound_to = binding(place, options);
    let (mut given, mut after) = (0, None);
    if let Some(token) = token {
        given = token.given;
        after = Some(token.place(set, &shape, bound_to).ok_or_else(bad_token)?);
        shape.skip = 0;
    }
    let left = top.map_or(u64::MAX, |top| top.saturating_sub(given));
    let limit = usize::try_from(left).unwrap_or(usize::MAX).min(terms.page_size);
    let given = given.saturating_add(limit as u64);
    let list = List { set: Arc::clone(set), limit, after, count, shape };
    // Its pages are then of one instant.
    let now = may_have(options, "now").then_some(terms.now);
    Ok(Page { list, selection, top, given, bound_to, now })
}

/// Whether a word, in lower case, may stand in a query; in a string it does so as well.
fn may_have(options: &Options, word: &str) -> bool {
    let texts = BINDING.iter().filter_map(|one| options.get(*one));
    let mut texts = texts.chain(options.narrowing().iter().map(String::as_str));
    let is_there = |text: &str| text.to_ascii_lowercase().contains(word);
    texts.any(is_there) || options.aliases().any(|(_, text)| is_there(text))
}

/// What of a set is to be counted: paging and order do not matter to it.
pub fn count(set: &Arc<EntitySet>, options: &Options, terms: &Terms<'_>) -> Result<Count, Error> {
    options.only(&BINDING)?;
    let page = planned(set, &set.name, options, terms)?;
    let Shape { filter, apply, .. } = page.list.shape;
    Ok(Count { set: page.list.set, filter, apply })
}

/// What of a report function is to be counted: a list without rows.
pub fn report_count(window: &Window, options: &Options, terms: &Terms<'_>) -> Result<List, Error> {
    options.only(&BINDING)?;
    let set = &window.function.entity_set;
    let Shape { filter, apply, .. } = planned(set, &call(window), options, terms)?.list.shape;
    let shape = Shape { filter, apply, ..Shape::default() };
    Ok(List { set: Arc::clone(set), limit: 0, after: None, count: true, shape })
}

fn setting<'a>(set: &'a EntitySet, options: &'a Options, terms: &Terms<'a>) -> Setting<'a> {
    let Terms { model, limits, now, .. } = *terms;
    Setting { model, set, options, limits, now, scope: None }
}

/// There is nothing to expand: `*` and nothing expand nothing.
fn expand(set: &EntitySet, options: &Options) -> Result<(), Error> {
    let asked = options.get(SystemOption::Expand).unwrap_or_default().trim();
    if asked.is_empty() || clauses::is_everything(asked)? {
        return Ok(());
    }
    let name = asked.split([',', '(', '/']).next().unwrap_or(asked).trim();
    let error = super::expression::no_property(set, name);
    Err(if set.entity_type.find(name).is_some() {
        let message = format!(
            "Property '{name}' on type '{}' is not a navigation property or complex property. Only \
             navigation properties can be expanded.",
            set.entity_type.name
        );
        Error::bad_request(message).about("$expand")
    } else {
        error.about("$expand")
    })
}

impl Page {
    /// The skip token of the page that follows this row, which is the last of
    /// this page; `None` where `$top` is reached. Of the row it takes what
    /// `List::after` takes.
    pub fn next(&self, last: &[Value]) -> Option<String> {
        let given = self.given;
        if self.top.is_some_and(|top| given >= top) {
            return None;
        }
        let text = |value: &Value| (!value.is_null()).then(|| primitive::text_of(value));
        let texts: Vec<Option<String>> = last.iter().map(text).collect();
        let token = match self.now {
            None => json!([FORM, self.bound_to, given, texts]),
            Some(now) => json!([FORM, self.bound_to, given, texts, now.to_string()]),
        };
        Some(token::write(&token))
    }
}

/// A skip token, before it is known whether it is one of this request.
struct Token {
    bound_to: u64,
    given: u64,
    /// The values of the last row, as text.
    texts: Vec<Json>,
    now: Option<Timestamp>,
}

impl Token {
    fn read(token: &str) -> Option<Self> {
        let parts = token::read(token)?;
        let (parts, now) = parts.split_at_checked(4)?;
        let [form, bound_to, given, Json::Array(texts)] = parts else { return None };
        let now = match now {
            [] => None,
            [now] => Some(now.as_str()?.parse().ok()?),
            _ => return None,
        };
        let (bound_to, given) = (bound_to.as_u64()?, given.as_u64()?);
        (*form == json!(FORM)).then(|| Self { bound_to, given, texts: texts.clone(), now })
    }

    /// The values of the last row: of its place in the order, and of its identity.
    fn place(&self, set: &EntitySet, shape: &Shape, bound_to: u64) -> Option<Vec<Value>> {
        // What $apply makes has an order that is whole.
        let identity = if shape.apply.is_some() { &[][..] } else { &set.identity };
        let expected = shape.order.len() + identity.len();
        if self.bound_to != bound_to || self.texts.len() != expected {
            return None;
        }
        let (keys, fact) = self.texts.split_at(shape.order.len());
        let keys = shape.order.iter().zip(keys).map(|(key, text)| match text {
            Json::Null => Some(Value::Null),
            text => literal_of(key.ty, text.as_str()?),
        });
        let properties = identity.iter().map(|at: &usize| &set.entity_type.properties[*at]);
        let fact = properties
            .zip(fact)
            .map(|(property, text)| primitive::from_literal_or_text(property, text.as_str()?));
        keys.chain(fact).collect()
    }
}

/// A number for the place and all that says which rows there are and in which
/// order: FNV-1a, which stays the same from one version and machine to another.
pub(super) fn binding(place: &str, options: &Options) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |text: &str| {
        // No text has the byte that ends it.
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    add(place);
    for option in BINDING {
        if let Some(value) = options.get(option) {
            add(option.text());
            add(value);
        }
    }
    for filter in options.narrowing() {
        add("$filter()");
        add(filter);
    }
    for (name, value) in options.aliases() {
        add(name);
        add(value);
    }
    hash
}

fn bad_token() -> Error {
    let message = "The $skiptoken is not one that this request was given. Expected the \
                   @odata.nextLink of the page before, unchanged.";
    Error::bad_request(message).about("$skiptoken")
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;
    use crate::catalog;

    fn set() -> Arc<EntitySet> {
        Arc::clone(&catalog::load(catalog::EMBEDDED).unwrap().entity_sets[0])
    }

    fn asked(query: &str) -> Result<Page, Error> {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let model = &Model::default();
        let terms = Terms { model, page_size: 3, limits: Limits::default(), now };
        page(&set(), &Options::parse(query).unwrap(), &terms)
    }

    fn last() -> Vec<Value> {
        let set = set();
        let texts = ["2026-11-18", "2026-11-20", "ALL"];
        let properties = set.identity.iter().map(|at| &set.entity_type.properties[*at]);
        properties.zip(texts).map(|(one, text)| primitive::from_text(one, text).unwrap()).collect()
    }

    #[test]
    fn a_token_says_where_the_page_before_ended() {
        let first = asked("$count=true").unwrap();
        assert_eq!((first.list.limit, first.list.after.clone(), first.list.count), (3, None, true));
        let token = first.next(&last()).unwrap();
        let second = asked(&format!("$count=true&$skiptoken={token}")).unwrap();
        assert_eq!(second.list.after, Some(last()));
    }

    #[test]
    fn a_token_holds_the_keys_of_the_order() {
        let query = "$orderby=teams desc,id,exchange divby 3&$skip=2";
        let first = asked(query).unwrap();
        assert_eq!(first.list.shape.skip, 2);
        let keys = [
            Value::Null,
            Value::Guid(uuid::Uuid::from_u128(7)),
            Value::Decimal(crate::Decimal::parse("0.3333333333333333333333333333").unwrap()),
        ];
        let last = [keys.as_slice(), &last()].concat();
        let token = first.next(&last).unwrap();
        let second = asked(&format!("{query}&$skiptoken={token}")).unwrap();
        assert_eq!((second.list.after, second.list.shape.skip), (Some(last), 0));
    }

    #[test]
    fn top_limits_the_total_over_all_pages() {
        assert_eq!(asked("$top=0").unwrap().list.limit, 0);
        assert_eq!(asked("$top=3").unwrap().next(&last()), None);
        let first = asked("$top=5").unwrap();
        let token = first.next(&last()).unwrap();
        let second = asked(&format!("$top=5&$skiptoken={token}")).unwrap();
        assert_eq!((second.list.limit, second.next(&last())), (2, None));
    }

    #[test]
    fn a_token_that_was_never_given_overflows_nothing() {
        let token = asked("").unwrap().next(&last()).unwrap();
        let mut parts: Json =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).unwrap()).unwrap();
        parts[2] = json!(u64::MAX);
        let token = URL_SAFE_NO_PAD.encode(parts.to_string());
        let page = asked(&format!("$skiptoken={token}")).unwrap();
        assert!(page.next(&last()).is_some());
    }

    #[test]
    fn a_token_of_another_request_is_refused() {
        let token = asked("$top=5").unwrap().next(&last()).unwrap();
        let altered = format!("{}A", &token[..token.len() - 1]);
        let other_form = URL_SAFE_NO_PAD.encode("[1,\"office365ActiveUserCounts\",5,3,[]]");
        for query in [
            format!("$skiptoken={token}"),
            format!("$top=6&$skiptoken={token}"),
            format!("$top=5&$filter=teams gt 1&$skiptoken={token}"),
            format!("$top=5&$orderby=teams&$skiptoken={token}"),
            format!("$top=5&@p=1&$skiptoken={token}"),
            format!("$top=5&$skiptoken={altered}"),
            format!("$top=5&$skiptoken={other_form}"),
            "$skiptoken=".to_owned(),
            "$skiptoken=%00".to_owned(),
        ] {
            let error = asked(&query).unwrap_err();
            assert_eq!(error.target.as_deref(), Some("$skiptoken"), "{query}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_token_makes_it_panic(text in "\\PC{0,40}") {
            let bound_to = binding(&set().name, &Options::default());
            let json = URL_SAFE_NO_PAD.encode(format!("[{FORM},{bound_to},0,{text}]"));
            drop(asked(&format!("$skiptoken={json}")));
        }
    }
}
