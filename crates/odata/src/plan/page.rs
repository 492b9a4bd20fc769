//! Server-driven paging: which rows a page has and how the next one is asked for.
//!
//! A skip token says where the page before ended: it holds that row's identity
//! and not a number of rows, so that pages neither repeat nor lose a row while
//! others are written. It is bound to the request that it came from.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};

use super::List;
use crate::edm::EntitySet;
use crate::error::Error;
use crate::payload::primitive;
use crate::uri::options::{Options, SystemOption};
use crate::value::Value;

/// The version of the skip token's form.
const FORM: u64 = 1;

/// One page and what its successor needs to know.
#[derive(Debug, Clone)]
pub struct Page {
    /// The rows of this page.
    pub list: List,
    /// `$top` as it was given: the most rows over all pages.
    top: Option<u64>,
    /// How many rows the pages before have given.
    given: u64,
}

/// The page that these options ask for, of at most `size` rows.
pub fn page(set: &Arc<EntitySet>, options: &Options, size: usize) -> Result<Page, Error> {
    options.only(&[SystemOption::Top, SystemOption::Count, SystemOption::SkipToken])?;
    let top = options.number(SystemOption::Top)?;
    let count = options.flag(SystemOption::Count)?;
    let (given, after) = match options.get(SystemOption::SkipToken) {
        None => (0, None),
        Some(token) => {
            let (given, after) = read_token(set, top, token).ok_or_else(bad_token)?;
            (given, Some(after))
        }
    };
    let left = top.map_or(u64::MAX, |top| top.saturating_sub(given));
    let limit = usize::try_from(left).unwrap_or(usize::MAX).min(size);
    let list = List { set: Arc::clone(set), limit, after, count };
    Ok(Page { list, top, given })
}

impl Page {
    /// The skip token of the page that follows this row, which is the last of
    /// this page; `None` where `$top` is reached.
    pub fn next(&self, last: &[Value]) -> Option<String> {
        let given = self.given.saturating_add(self.list.limit as u64);
        if self.top.is_some_and(|top| given >= top) {
            return None;
        }
        let texts: Vec<String> = last.iter().map(primitive::text_of).collect();
        let token = json!([FORM, self.list.set.name, self.top, given, texts]);
        Some(URL_SAFE_NO_PAD.encode(token.to_string()))
    }
}

fn read_token(set: &EntitySet, top: Option<u64>, token: &str) -> Option<(u64, Vec<Value>)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let Json::Array(parts) = serde_json::from_slice(&bytes).ok()? else { return None };
    let [form, name, its_top, given, texts] = parts.as_slice() else { return None };
    let same = *form == json!(FORM) && *name == json!(set.name) && *its_top == json!(top);
    let texts = texts.as_array().filter(|texts| same && texts.len() == set.identity.len())?;
    let properties = set.identity.iter().map(|at| &set.entity_type.properties[*at]);
    let values = properties
        .zip(texts)
        .map(|(property, text)| primitive::from_literal_or_text(property, text.as_str()?))
        .collect::<Option<Vec<Value>>>()?;
    Some((given.as_u64()?, values))
}

fn bad_token() -> Error {
    let message = "The $skiptoken is not one that this request was given. Expected the \
                   @odata.nextLink of the page before, unchanged.";
    Error::bad_request(message).about("$skiptoken")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;

    fn set() -> Arc<EntitySet> {
        Arc::clone(&catalog::load(catalog::EMBEDDED).unwrap().entity_sets[0])
    }

    fn asked(query: &str) -> Result<Page, Error> {
        page(&set(), &Options::parse(query).unwrap(), 3)
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
        let texts = "[\"2026-11-18\",\"2026-11-20\",\"7\"]";
        let form = format!("[1,\"office365ActiveUserCounts\",null,{},{texts}]", u64::MAX);
        let page = asked(&format!("$skiptoken={}", URL_SAFE_NO_PAD.encode(form))).unwrap();
        assert!(page.next(&last()).is_some());
    }

    #[test]
    fn a_token_of_another_request_is_refused() {
        let token = asked("$top=5").unwrap().next(&last()).unwrap();
        let altered = format!("{}A", &token[..token.len() - 1]);
        let other_form = URL_SAFE_NO_PAD.encode("[2,\"office365ActiveUserCounts\",5,3,[]]");
        for query in [
            format!("$skiptoken={token}"),
            format!("$top=6&$skiptoken={token}"),
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
            let json = URL_SAFE_NO_PAD.encode(format!("[1,\"office365ActiveUserCounts\",null,{text}]"));
            drop(asked(&format!("$skiptoken={json}")));
        }
    }
}
