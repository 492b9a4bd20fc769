//! Writes, from the plan to the answer.

use std::sync::Arc;

use hyper::StatusCode;
use rollcall_odata::Error;
use rollcall_odata::headers::{self, Answer as Wish, Handling, Json, Preferences, Scope};
use rollcall_odata::plan::query::Selection;
use rollcall_odata::plan::resource::Place;
use rollcall_odata::plan::write::{self, Terms};
use rollcall_odata::plan::{self, Delete, Precondition, Selector, Versions, page};
use rollcall_store::Written;

use super::{Call, OF_A_TENANT, query, wanted};
use crate::http::answer::Answer;
use crate::http::batch::Planned;
use crate::http::error::Refusal;

/// What is to be answered to a write.
pub(super) struct AfterWrite {
    pub preferences: Preferences,
    /// What kind of write it is.
    pub scope: Scope,
    /// The form of the answer.
    pub json: Json,
    /// What is shown of the entity, where it is not everything.
    pub selection: Option<Selection>,
}

impl Call<'_> {
    /// Takes an entity away.
    pub(super) async fn delete(
        &mut self,
        place: Place,
        selector: Selector,
    ) -> Result<Answer, Refusal> {
        self.options.only(&[])?;
        self.preferences.check(Scope::Plain)?;
        let wanted = wanted(&place.set, &selector);
        let precondition = self.precondition();
        let plan = Delete { set: Arc::clone(&place.set), selector, precondition };
        let preferences = self.preferences.clone();
        let (scope, json) = (Scope::Plain, Json::default());
        let wish = AfterWrite { preferences, scope, json, selection: None };
        self.write(place, plan::Write::Delete(plan), &wish, wanted).await
    }

    /// What is to be answered to a write. Who selects properties wants to see them.
    pub(super) fn wish(
        &self,
        place: &Place,
        mut preferences: Preferences,
        scope: Scope,
        json: Json,
    ) -> Result<AfterWrite, Error> {
        let selection = page::written(&place.set, &self.options, &query::query_terms(self.app))?;
        if selection.is_some() && preferences.answer == Some(Wish::Minimal) {
            preferences.idle("return=minimal")?;
            preferences.answer = None;
        }
        preferences.check(scope)?;
        Ok(AfterWrite { preferences, scope, json, selection })
    }

    /// Does a write and answers it.
    pub(super) async fn write(
        &mut self,
        place: Place,
        plan: plan::Write,
        wish: &AfterWrite,
        wanted: String,
    ) -> Result<Answer, Refusal> {
        self.seen.lap("plan");
        let written = self.apply(&place, plan).await;
        let written = written.map_err(|error| self.refusal(error, &place, &wanted))?;
        self.seen.lap("run");
        let answer = match written {
            Written::Deleted => {
                let applied = wish.preferences.applied(wish.scope);
                Answer::empty(StatusCode::NO_CONTENT).applying(&applied).varying(OF_A_TENANT)
            }
            Written::Created(entity) => self.written(StatusCode::CREATED, &place, &entity, wish),
            Written::Changed(entity) | Written::Unchanged(entity) => {
                self.written(StatusCode::OK, &place, &entity, wish)
            }
        };
        self.seen.lap("render");
        Ok(answer.versioned().uncached())
    }

    /// Has the store do a write, together with those of its group if it is in one.
    pub(super) async fn apply(
        &mut self,
        place: &Place,
        plan: plan::Write,
    ) -> Result<Written, rollcall_store::Error> {
        let author = self.author();
        let Some(slot) = self.slot.take() else {
            return self.app.store.write(author, self.once(plan)).await;
        };
        let made = match &plan {
            plan::Write::Create(create) => Some(self.url(place, &create.row)),
            _ => None,
        };
        slot.write(Planned { author, plan: self.once(plan), made }).await
    }

    /// What must hold of the version that is there, with the entity tag of a body
    /// of 4.01, which then must hold as well; in one of 4.0 it says nothing.
    pub(super) fn precondition_in(&self, tag: Option<&str>) -> Precondition {
        let mut condition = self.precondition();
        if let Some(tag) = tag.filter(|_| self.protocol.body_is_4_01) {
            let of_body = headers::versions(std::iter::once(tag)).unwrap_or(Versions::Any);
            condition.matches = Some(match condition.matches {
                None => of_body,
                Some(of_header) => of_header.and(of_body),
            });
        }
        condition
    }

    /// What the plan of a write depends on besides its body.
    pub(super) fn terms(&self, preferences: &Preferences) -> Terms {
        let now = self.app.clock.now();
        Terms {
            new_key: self.app.random.time_ordered_guid(now),
            newest_refresh: write::newest_refresh(now),
            lenient: preferences.handling == Some(Handling::Lenient),
        }
    }
}
