//! Change tracking: what has changed in a set since a moment, page by page.
//!
//! A round begins with all entities, or with a moment, and ends with a delta
//! link, from which the next round goes on. The links hold the round's options
//! themselves, as Graph's do, so that a client follows them unchanged.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::page::{self, Page, Terms, binding};
use super::query::{Selection, Shape};
use super::token;
use crate::edm::EntitySet;
use crate::error::{Code, Error};
use crate::uri::options::{Options, SystemOption};

/// The version of the tokens' form.
const FORM: u64 = 1;

/// The value of `$deltatoken` that asks for a delta link without any entity.
const LATEST: &str = "latest";

/// The options that go on with a round: one of them is all that its links have.
const TOKENS: [SystemOption; 2] = [SystemOption::DeltaToken, SystemOption::SkipToken];

/// The options that still hold when everything has been listed once.
const KEPT: [SystemOption; 5] = [
    SystemOption::Compute,
    SystemOption::Filter,
    SystemOption::Format,
    SystemOption::Search,
    SystemOption::Select,
];

/// The options under which a list cannot be tracked: it is then only a part of
/// the set, and which part depends on its other rows; or it is not of entities.
const PARTIAL: [SystemOption; 4] =
    [SystemOption::Apply, SystemOption::Skip, SystemOption::SkipToken, SystemOption::Top];

/// A moment in the history of a tenant: its changes up to one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    /// The number of the last change; 0 before the first.
    pub number: u64,
    /// The entity and the time of that change, in milliseconds since 1970. They
    /// tell it from one of the same number in another history: that of another
    /// database, or of a copy that was put back.
    pub change: Option<(Uuid, i64)>,
}

/// Why an entity is told of no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It was deleted.
    Deleted,
    /// It is not, or not any more, among those that are asked for.
    Changed,
}

impl Reason {
    /// The reason as clients read it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Changed => "changed",
        }
    }
}

/// Read one page of what has changed in a set, in the order in which it was acknowledged.
#[derive(Debug, Clone)]
pub struct Changes {
    /// Where to look.
    pub set: Arc<EntitySet>,
    /// The most entities of the page; at least 1.
    pub limit: usize,
    /// After which moment.
    pub since: Moment,
    /// Which entities are asked for, and what they have besides; without order.
    pub shape: Shape,
}

/// Where a round is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// At its begin: all entities.
    First,
    /// At its begin, which is now.
    Latest,
    /// Among all entities: after this moment, from this skip token on.
    Rest(Moment, String),
    /// Among the changes since a moment.
    Since(Moment),
}

/// A round, as far as it has come.
#[derive(Debug, Clone)]
pub struct Round {
    set: Arc<EntitySet>,
    tenant: Uuid,
    options: Options,
    /// Where it is.
    pub step: Step,
}

impl Round {
    /// The round that a call of the function begins, or goes on with.
    pub fn of(set: &Arc<EntitySet>, tenant: Uuid, options: &Options) -> Result<Self, Error> {
        options.only(&[&KEPT[..], &TOKENS].concat())?;
        let given = TOKENS.iter().find_map(|one| Some((*one, options.get(*one)?)));
        let step = match given {
            None | Some((SystemOption::DeltaToken, "")) => Step::First,
            Some((SystemOption::DeltaToken, text)) if text.eq_ignore_ascii_case(LATEST) => {
                Step::Latest
            }
            Some((_, token)) => {
                alone(options)?;
                return Self::read(set, tenant, token).ok_or_else(out_of_sync);
            }
        };
        let options = options.among(&KEPT);
        Ok(Self { set: Arc::clone(set), tenant, options, step })
    }

    /// The round that a list begins whose client prefers to track changes;
    /// `None` where that cannot be.
    pub fn of_list(set: &Arc<EntitySet>, tenant: Uuid, options: &Options) -> Option<Self> {
        let whole =
            PARTIAL.iter().all(|one| options.get(*one).is_none()) && options.narrowing().is_empty();
        let options = options.clone();
        whole.then(|| Self { set: Arc::clone(set), tenant, options, step: Step::First })
    }

    /// The options of the round.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The page of all entities where the round is.
    pub fn list(&self, terms: &Terms<'_>) -> Result<Page, Error> {
        let after = match &self.step {
            Step::Rest(_, after) => Some(after.as_str()),
            _ => None,
        };
        let options = self.options.with(SystemOption::SkipToken, after);
        let mut page = self.in_sync(page::page(&self.set, &options, terms))?;
        page.selection = page.selection.map(keyed);
        Ok(page)
    }

    /// A page of what has changed since this moment, and what is shown of it.
    pub fn changes(
        &self,
        since: Moment,
        terms: &Terms<'_>,
    ) -> Result<(Changes, Option<Selection>), Error> {
        let options = self.options.among(&KEPT);
        let page = self.in_sync(page::page(&self.set, &options, terms))?;
        let shape = Shape { order: Vec::new(), ..page.list.shape };
        let limit = page.list.limit.max(1);
        Ok((Changes { set: Arc::clone(&self.set), limit, since, shape }, page.selection.map(keyed)))
    }

    /// What a link has held and cannot be understood any more is no fault of the client's.
    fn in_sync<T>(&self, planned: Result<T, Error>) -> Result<T, Error> {
        let resumed = matches!(self.step, Step::Rest(..) | Step::Since(_));
        if resumed { planned.map_err(|_| out_of_sync()) } else { planned }
    }

    /// The query that begins the same round anew.
    pub fn again(&self) -> String {
        let options = self.options.among(&KEPT);
        let parts = options.named().map(|(name, value)| {
            format!("{name}={}&", utf8_percent_encode(value, NON_ALPHANUMERIC))
        });
        parts.collect::<String>() + "$deltatoken="
    }

    /// The query of the link to the changes after this moment: of more of
    /// them, or, where there are none yet, of those to come.
    pub fn changes_after(&self, moment: Moment, more: bool) -> String {
        let option = if more { SystemOption::SkipToken } else { SystemOption::DeltaToken };
        let token = self.token(&self.options.among(&KEPT), moment, None);
        format!("${}={token}", option.text())
    }

    /// The query of the link to the next page of all entities, which has this
    /// skip token.
    pub fn rest_after(&self, moment: Moment, after: &str) -> String {
        let token = self.token(&self.options, moment, Some(after));
        format!("${}={token}", SystemOption::SkipToken.text())
    }

    fn token(&self, options: &Options, moment: Moment, after: Option<&str>) -> String {
        let options: Vec<(String, &str)> = options.named().collect();
        let change = moment.change.map(|(entity, at)| (entity.to_string(), at));
        let token = json!([FORM, self.bound_to(), moment.number, change, options, after]);
        token::write(&token)
    }

    fn read(set: &Arc<EntitySet>, tenant: Uuid, token: &str) -> Option<Self> {
        let parts = token::read(token)?;
        let [form, bound_to, number, change, options, after] = parts.as_slice() else {
            return None;
        };
        let change = match change {
            Json::Null => None,
            change => Some(change_of(change)?),
        };
        let moment = Moment { number: number.as_u64()?, change };
        let step = match after {
            Json::Null => Step::Since(moment),
            after => Step::Rest(moment, after.as_str()?.to_owned()),
        };
        let options = Options::of_named(options.as_array()?.iter().map(name_and_value)).ok()?;
        if PARTIAL.into_iter().any(|one| options.get(one).is_some()) {
            return None;
        }
        let round = Self { set: Arc::clone(set), tenant, options, step };
        let ours = *form == json!(FORM) && *bound_to == json!(round.bound_to());
        ours.then_some(round)
    }

    /// A token holds for one set of one tenant.
    fn bound_to(&self) -> u64 {
        binding(&format!("{} of {}", self.set.name, self.tenant), &Options::default())
    }
}

fn change_of(change: &Json) -> Option<(Uuid, i64)> {
    let entity = Uuid::try_parse(change.get(0)?.as_str()?).ok()?;
    Some((entity, change.get(1)?.as_i64()?))
}

fn name_and_value(option: &Json) -> Option<(&str, &str)> {
    Some((option.get(0)?.as_str()?, option.get(1)?.as_str()?))
}

/// Whoever gets changes has to know of which entity.
fn keyed(mut selection: Selection) -> Selection {
    if selection.properties.first() != Some(&0) {
        selection.properties.insert(0, 0);
    }
    selection
}

/// A link holds all options itself.
fn alone(options: &Options) -> Result<(), Error> {
    if options.named().count() == 1 {
        return Ok(());
    }
    let message = "A token of change tracking stands with other query options. Expected it alone: \
                   the link that it came in holds the options of its round.";
    Err(Error::bad_request(message).about("$deltatoken"))
}

/// The link does not lead on from here.
pub fn out_of_sync() -> Error {
    let message = "The sync state is not found: the link is not one that this service gave this \
                   tenant for this set, or the data has since been put back to an earlier state. \
                   Start again without a token, as Location says.";
    Error::new(Code::SyncStateNotFound, message)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;
    use crate::catalog;
    use crate::edm::Model;
    use crate::uri::Limits;

    const TENANT: Uuid = Uuid::from_u128(7);

    fn set() -> Arc<EntitySet> {
        Arc::clone(&catalog::load(catalog::EMBEDDED).unwrap().entity_sets[0])
    }

    fn terms(model: &Model) -> Terms<'_> {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        Terms { model, page_size: 3, limits: Limits::default(), now }
    }

    fn round(query: &str) -> Result<Round, Error> {
        Round::of(&set(), TENANT, &Options::parse(query).unwrap())
    }

    fn moment() -> Moment {
        Moment { number: 17, change: Some((Uuid::from_u128(9), 1000)) }
    }

    #[test]
    fn links_hold_the_options_of_their_round() {
        let first = round("$filter=teams gt @least&$select=yammer&@least=3").unwrap();
        assert_eq!(first.step, Step::First);
        let expected = first.list(&terms(&Model::default())).unwrap();
        assert_eq!(expected.selection.as_ref().unwrap().properties[0], 0, "the key is shown");
        let next = round(&first.changes_after(moment(), false)).unwrap();
        assert_eq!(next.step, Step::Since(moment()));
        let (changes, selection) = next.changes(moment(), &terms(&Model::default())).unwrap();
        assert_eq!((changes.shape, selection), (expected.list.shape, expected.selection));
        assert_eq!((changes.limit, changes.since), (3, moment()));
        let more = first.changes_after(moment(), true);
        assert!(more.starts_with("$skiptoken="), "{more}");
        assert_eq!(round(&more).unwrap().step, Step::Since(moment()));
    }

    #[test]
    fn a_list_keeps_its_order_to_its_end_and_no_longer() {
        let options = Options::parse("$orderby=teams desc&$count=true").unwrap();
        let first = Round::of_list(&set(), TENANT, &options).unwrap();
        let rest = round(&first.rest_after(Moment::default(), "a token")).unwrap();
        assert_eq!(rest.step, Step::Rest(Moment::default(), "a token".to_owned()));
        assert_eq!(rest.options, options);
        let since = round(&rest.changes_after(moment(), false)).unwrap();
        assert_eq!(since.options, Options::default());
        for part in ["$top=3", "$skip=1", "$skiptoken=x"] {
            let options = Options::parse(part).unwrap();
            assert!(Round::of_list(&set(), TENANT, &options).is_none(), "{part}");
        }
    }

    #[test]
    fn what_begins_a_round_and_what_cannot() {
        for (query, step) in [
            ("", Step::First),
            ("$deltatoken=", Step::First),
            ("$filter=teams eq 1&$deltatoken=LATEST", Step::Latest),
        ] {
            assert_eq!(round(query).unwrap().step, step, "{query}");
        }
        for query in ["$orderby=teams", "$top=1", "$expand=*", "$count=true"] {
            assert_eq!(round(query).unwrap_err().code, Code::BadRequest, "{query}");
        }
        assert!(round("$filter=nothing eq 1").unwrap().list(&terms(&Model::default())).is_err());
        let token = round("").unwrap().changes_after(moment(), false);
        for more in ["$filter=teams eq 1", "$skiptoken=x", "@p=1"] {
            let error = round(&format!("{token}&{more}")).unwrap_err();
            assert_eq!(
                (error.code, error.target.as_deref()),
                (Code::BadRequest, Some("$deltatoken"))
            );
        }
    }

    #[test]
    fn a_token_of_another_s_leads_nowhere() {
        let token = round("").unwrap().changes_after(moment(), false);
        let other = Round::of(&set(), Uuid::from_u128(8), &Options::parse(&token).unwrap());
        assert_eq!(other.unwrap_err().code, Code::SyncStateNotFound);
        for end in "$deltatoken=".len() + 1..token.len() {
            assert_eq!(round(&token[..end]).unwrap_err().code, Code::SyncStateNotFound, "{end}");
        }
        let forged = round("").unwrap().token(
            &Options::parse("$filter=nothing eq 1").unwrap(),
            moment(),
            None,
        );
        let forged = round(&format!("$deltatoken={forged}")).unwrap();
        assert_eq!(
            forged.list(&terms(&Model::default())).unwrap_err().code,
            Code::SyncStateNotFound
        );
    }

    proptest::proptest! {
        #[test]
        fn no_token_makes_it_panic(text in "\\PC{0,40}", parts in "[\\[\\]0-9a,\"]{0,40}") {
            let bound_to = round("").unwrap().bound_to();
            for json in [text.clone(), format!("[{FORM},{bound_to},{parts}]"), format!("[{FORM},{bound_to},1,null,[[{text}]],{parts}]")] {
                let token = URL_SAFE_NO_PAD.encode(json);
                if let Ok(round) = round(&format!("$skiptoken={token}")) {
                    drop(round.list(&terms(&Model::default())));
                    drop(round.changes(moment(), &terms(&Model::default())));
                }
            }
        }
    }
}
