//! `Prefer`: what a client would like, and what was made of it.

use std::borrow::Cow;

use super::written::{Written, items, pair};
use crate::error::Error;

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
    /// `continue-on-error` or `odata.continue-on-error`: whether a batch goes on
    /// after an error, and the name as it was written.
    pub continue_on_error: Option<(bool, String)>,
    /// `omit-values`: which properties are left out.
    pub omit_values: Option<OmitValues>,
    /// The first that cannot be honoured, as it was written.
    unserved: Option<String>,
}

/// Which properties an answer may leave out. No property has another default
/// than null, so that both come to the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OmitValues {
    /// Those that are null.
    Nulls,
    /// Those that have their default value.
    Defaults,
}

/// What a request is, as far as preferences matter to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// It reads one entity.
    One,
    /// It reads a list, page by page.
    List,
    /// It reads addresses, page by page.
    Addresses,
    /// It reads all rows at once, or one value.
    Plain,
    /// It follows what changes in a list.
    Tracked,
    /// It creates an entity.
    Create,
    /// It changes an entity; by the fact that it states it could create one.
    Change {
        /// Whether it is addressed by that fact.
        by_fact: bool,
    },
    /// It writes one property.
    Property,
    /// It sends many rows.
    Rows,
    /// It sends many requests.
    Batch,
}

/// How much a request puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// A missing count is null.
    Lenient,
    /// Of many rows all are stored or none, and a preference that cannot be
    /// honoured is an error.
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

impl Answer {
    fn text(self) -> &'static str {
        match self {
            Self::Minimal => "return=minimal",
            Self::Representation => "return=representation",
        }
    }
}

impl OmitValues {
    fn text(self) -> &'static str {
        match self {
            Self::Nulls => "omit-values=nulls",
            Self::Defaults => "omit-values=defaults",
        }
    }
}

impl Preferences {
    /// Reads the lines of `Prefer`. Of a preference given twice the first
    /// counts (RFC 7240, section 2).
    pub fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut preferences = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for one in lines.flat_map(items) {
            let (name, value) = pair(Written::of(one).name());
            let written = name.to_ascii_lowercase();
            let name = written.strip_prefix("odata.").unwrap_or(&written).to_owned();
            if !name.is_empty() && !seen.contains(&name) {
                preferences.set(&name, &written, value);
                seen.push(name);
            }
        }
        preferences
    }

    /// Refuses what cannot be honoured in a request of this kind, for who wants that.
    pub fn check(&self, scope: Scope) -> Result<(), Error> {
        let idle = self.judged(scope).into_iter().find(|(_, honoured)| !honoured);
        let idle = idle.map(|(preference, _)| preference);
        match self.unserved.as_deref().map(Cow::from).or(idle) {
            Some(preference) => self.idle(&preference),
            None => Ok(()),
        }
    }

    /// Refuses this preference, which cannot be honoured, for who wants that.
    pub fn idle(&self, preference: &str) -> Result<(), Error> {
        if self.handling != Some(Handling::Strict) {
            return Ok(());
        }
        let message = format!(
            "The preference '{preference}' cannot be honoured in this request, and handling=strict \
             asks for an error then. Expected it to be left out, or handling=lenient."
        );
        Err(Error::bad_request(message).about("Prefer"))
    }

    /// What was honoured of it in a request of this kind, for `Preference-Applied`.
    pub fn applied(&self, scope: Scope) -> Vec<Cow<'_, str>> {
        let judged = self.judged(scope).into_iter();
        judged.filter(|(_, honoured)| *honoured).map(|(preference, _)| preference).collect()
    }

    /// Each preference, and whether it is honoured in a request of this kind.
    fn judged(&self, scope: Scope) -> Vec<(Cow<'_, str>, bool)> {
        use Scope::{Addresses, Change, Create, List, One, Property, Rows, Tracked};
        let writes = matches!(scope, Create | Change { .. } | Property);
        let creates = match scope {
            Change { by_fact } => by_fact && self.create_if_missing,
            scope => scope == Create,
        };
        let empty = writes && self.answer == Some(Answer::Minimal);
        let shows = matches!(scope, One | List | Create | Change { .. }) && !empty;
        let pages = matches!(scope, List | Addresses | Tracked);
        let mut judged: Vec<(Cow<'_, str>, bool)> = Vec::new();
        let mut add = |when: bool, text: Option<Cow<'static, str>>| {
            judged.extend(text.map(|text| (text, when)));
        };
        add(writes, self.answer.map(|answer| answer.text().into()));
        match self.handling {
            Some(Handling::Lenient) => add(creates, Some("handling=lenient".into())),
            Some(Handling::Strict) => add(true, Some("handling=strict".into())),
            None => {}
        }
        let given = |is: bool, text: &'static str| is.then(|| Cow::from(text));
        add(scope == Rows, given(self.replace, "resolution=replace"));
        add(scope == Rows, given(self.dry_run, "dry-run"));
        add(creates && scope != Create, given(self.create_if_missing, "create-if-missing"));
        add(scope == Tracked, self.track_changes.clone().map(Cow::from));
        let size = self.max_page_size.as_ref().map(|(size, name)| format!("{name}={size}"));
        add(pages, size.map(Cow::from));
        add(shows, self.omit_values.map(|values| values.text().into()));
        let on = self.continue_on_error.as_ref();
        let on = on.map(|(on, name)| if *on { name.clone() } else { format!("{name}=false") });
        add(scope == Scope::Batch, on.map(Cow::from));
        judged
    }

    fn set(&mut self, name: &str, written: &str, value: &str) {
        let is = |text: &str| value.eq_ignore_ascii_case(text);
        match name {
            "return" if is("minimal") => self.answer = Some(Answer::Minimal),
            "return" if is("representation") => self.answer = Some(Answer::Representation),
            "handling" if is("lenient") => self.handling = Some(Handling::Lenient),
            "handling" if is("strict") => self.handling = Some(Handling::Strict),
            "resolution" if is("replace") => self.replace = true,
            "dry-run" if value.is_empty() || is("true") => self.dry_run = true,
            "maxpagesize" => match value.parse().ok().filter(|size| *size > 0) {
                Some(size) => self.max_page_size = Some((size, written.to_owned())),
                None => self.unserved(written, value),
            },
            "track-changes" => self.track_changes = Some(written.to_owned()),
            "continue-on-error" if value.is_empty() || is("true") || is("false") => {
                self.continue_on_error = Some((!is("false"), written.to_owned()));
            }
            "dry-run" | "create-if-missing" if is("false") => {}
            "create-if-missing" if value.is_empty() || is("true") => self.create_if_missing = true,
            "omit-values" if is("nulls") => self.omit_values = Some(OmitValues::Nulls),
            "omit-values" if is("defaults") => self.omit_values = Some(OmitValues::Defaults),
            _ => self.unserved(written, value),
        }
    }

    fn unserved(&mut self, name: &str, value: &str) {
        self.unserved.get_or_insert_with(|| match value {
            "" => name.to_owned(),
            value => format!("{name}={value}"),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for (line, values) in [
            ("omit-values=nulls", Some(OmitValues::Nulls)),
            ("OData.Omit-Values=\"Defaults\"", Some(OmitValues::Defaults)),
            ("omit-values=some", None),
            ("omit-values", None),
        ] {
            assert_eq!(read(line).omit_values, values, "{line}");
        }
        for (line, goes_on) in [
            ("continue-on-error", Some((true, "continue-on-error"))),
            ("odata.continue-on-error=TRUE", Some((true, "odata.continue-on-error"))),
            ("continue-on-error=false", Some((false, "continue-on-error"))),
            ("continue-on-error=maybe", None),
        ] {
            let goes_on = goes_on.map(|(is, name)| (is, name.to_owned()));
            assert_eq!(read(line).continue_on_error, goes_on, "{line}");
        }
        let nonsense = read("nonsense=1,,;=,");
        assert_eq!(Preferences { unserved: None, ..nonsense }, Preferences::default());
    }

    #[test]
    fn strict_handling_of_what_cannot_be_honoured() {
        let check = |line: &str| {
            Preferences::parse([line].into_iter()).check(Scope::Change { by_fact: false })
        };
        for fine in [
            "",
            "nonsense",
            "handling=strict,,;=,",
            "handling=lenient, nonsense",
            "handling=strict, return=minimal",
        ] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        for (line, named) in [
            ("respond-async, handling=strict", "'respond-async'"),
            ("handling=strict, Nonsense=1, other", "'nonsense=1'"),
            ("handling=strict, return=both", "'return=both'"),
            ("handling=strict, odata.maxpagesize=0", "'odata.maxpagesize=0'"),
            ("handling=strict, omit-values=some", "'omit-values=some'"),
            ("handling=strict, resolution=merge", "'resolution=merge'"),
            ("handling=strict, dry-run=maybe", "'dry-run=maybe'"),
            ("handling=strict, create-if-missing", "'create-if-missing'"),
            ("maxpagesize=5, handling=strict", "'maxpagesize=5'"),
            ("handling=strict, return=minimal, omit-values=nulls", "'omit-values=nulls'"),
        ] {
            let message = check(line).unwrap_err().message;
            assert!(message.contains(named), "{message}");
        }
    }

    #[test]
    fn what_was_honoured_depends_on_the_request() {
        let every = "return=representation, handling=lenient, resolution=replace, dry-run, \
                     create-if-missing, odata.track-changes, odata.maxpagesize=7, \
                     omit-values=nulls, continue-on-error, nonsense";
        let preferences = Preferences::parse([every].into_iter());
        let scopes = [
            Scope::One,
            Scope::List,
            Scope::Addresses,
            Scope::Plain,
            Scope::Tracked,
            Scope::Create,
            Scope::Change { by_fact: false },
            Scope::Change { by_fact: true },
            Scope::Property,
            Scope::Rows,
            Scope::Batch,
        ];
        let lines =
            scopes.map(|scope| format!("{scope:?}: {}", preferences.applied(scope).join(", ")));
        insta::assert_snapshot!(lines.join("\n"));
        let minimal = Preferences::parse(["return=minimal, omit-values=nulls"].into_iter());
        assert_eq!(minimal.applied(Scope::Create), ["return=minimal"], "nothing to leave out");
        let strict = Preferences::parse(["handling=strict"].into_iter());
        for scope in scopes {
            assert_eq!(strict.applied(scope), ["handling=strict"], "{scope:?}");
        }
    }
}
