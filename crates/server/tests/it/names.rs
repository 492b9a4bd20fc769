//! A catalogue in which every property has another name, and the way between
//! the two: nothing may depend on what a property is called.

use rollcall_odata::catalog;

/// The documented names and those of the same length that stand for them.
#[derive(Debug, Clone)]
pub struct Names(Vec<(String, String)>);

impl Names {
    /// Another name for each property of the embedded catalogue: its first
    /// letter put last, so that no `Content-Length` changes.
    pub fn others() -> Self {
        let model = catalog::load(catalog::EMBEDDED).unwrap();
        let properties = model.entity_types.iter().flat_map(|one| &one.properties);
        let mut names: Vec<(String, String)> = properties
            .map(|one| {
                let (first, rest) = one.name.split_at(1);
                (one.name.clone(), format!("{rest}{first}"))
            })
            .collect();
        names.sort();
        names.dedup();
        Self(names)
    }

    /// The embedded catalogue under the other names.
    pub fn catalogue(&self) -> Vec<(&'static str, String)> {
        catalog::EMBEDDED.iter().map(|(file, text)| (*file, self.there(text))).collect()
    }

    /// A text under the other names.
    pub fn there(&self, text: &str) -> String {
        swap(text, |word| self.0.iter().find(|(from, _)| from == word).map(|(_, to)| to.as_str()))
    }

    /// A text under the documented names.
    pub fn back(&self, text: &str) -> String {
        swap(text, |word| self.0.iter().find(|(_, to)| to == word).map(|(from, _)| from.as_str()))
    }
}

/// Replaces whole words. What joins a word to others, as in `request-id`, is part of it.
fn swap<'a>(text: &str, other: impl Fn(&str) -> Option<&'a str>) -> String {
    let inside = |letter: char| letter.is_alphanumeric() || "_-.$".contains(letter);
    let mut swapped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(inside) {
        swapped.push_str(&rest[..start]);
        let tail = &rest[start..];
        let end = tail.find(|letter| !inside(letter)).unwrap_or(tail.len());
        let word = &tail[..end];
        let bare = word.trim_end_matches('.');
        swapped.push_str(other(bare).unwrap_or(bare));
        swapped.push_str(&word[bare.len()..]);
        rest = &tail[end..];
    }
    swapped + rest
}

#[test]
fn there_and_back() {
    let names = Names::others();
    let text = "{\"teams\":5,\"id\":\"x\"} request-id office365ActiveUserCounts(reportDate=1)";
    let other = names.there(text);
    assert_eq!(
        other,
        "{\"eamst\":5,\"di\":\"x\"} request-id office365ActiveUserCounts(eportDater=1)"
    );
    assert_eq!(names.back(&other), text);
}
