//! Change tracking: a set from its begin or from a delta link on.

use std::sync::Arc;

use hyper::StatusCode;
use rollcall_odata::headers::{Json, Metadata, Scope};
use rollcall_odata::payload::json::write::{Collection, Onward, Style};
use rollcall_odata::plan::delta::{Moment, Reason, Round, Step, out_of_sync};
use rollcall_odata::plan::resource::{DELTA, Place};
use rollcall_odata::{Code, Error, Row};
use rollcall_store::{ChangeSink, RowSink};
use uuid::Uuid;

use super::query::in_time;
use super::{Call, OF_A_TENANT};
use crate::http::answer::Answer;
use crate::http::controls::Controls;
use crate::http::error::Refusal;

impl Call<'_> {
    /// A page of a round.
    pub(super) async fn delta(&mut self, place: Place) -> Result<Answer, Refusal> {
        let round = Round::of(&place.set, self.tenant(), &self.options);
        let round = round.and_then(|round| self.unless_expired(round));
        let round = round.map_err(|error| {
            Refusal::from(error).leading_back(&self.delta_url(&place, "$deltatoken="))
        })?;
        let answer = self.round(&place, &round).await;
        answer.map_err(|refusal| refusal.leading_back(&self.delta_url(&place, &round.again())))
    }

    /// A round, unless a test asked for its link to lead nowhere.
    fn unless_expired(&self, round: Round) -> Result<Round, Error> {
        let is_link = matches!(round.step, Step::Rest(..) | Step::Since(_));
        let ends = |controls: &Controls| controls.expires(self.seen.route, &self.request.method);
        let has_ended = is_link && self.app.controls.as_ref().is_some_and(ends);
        if has_ended { Err(out_of_sync()) } else { Ok(round) }
    }

    /// The round that a list begins whose client prefers to track changes, where it can.
    /// Without metadata, or without room for a link, a client could not read on.
    pub(super) fn tracked(&self, place: &Place, json: Json) -> Option<Round> {
        if json.metadata == Metadata::None || !self.has_pages() {
            return None;
        }
        self.preferences.track_changes.as_ref()?;
        Round::of_list(&place.set, self.tenant(), &self.options)
    }

    /// A page of a round, where it is.
    pub(super) async fn round(&mut self, place: &Place, round: &Round) -> Result<Answer, Refusal> {
        self.preferences.check(Scope::Tracked)?;
        let json = self.json_of(round)?;
        match &round.step {
            Step::Since(moment) => self.changes(place, round, *moment, json).await,
            Step::Rest(moment, _) => self.entities(place, round, *moment, json).await,
            // What is written after this moment is told later, even where the
            // pages have it already.
            Step::First => {
                let moment = self.now(place).await?;
                self.entities(place, round, moment, json).await
            }
            Step::Latest => {
                let moment = self.now(place).await?;
                let (_, selection) = round.changes(moment, &self.page_terms())?;
                let rows = self.told_of(place, json);
                let rows = rows.selecting(&[], selection.as_ref()).of_changes();
                let onward = self.onward(place, &round.changes_after(moment, false))?;
                Ok(self.told(json, rows.finish_tracked(None, &Onward::Delta(onward))))
            }
        }
    }

    async fn now(&self, place: &Place) -> Result<Moment, Refusal> {
        let moment = self.app.store.moment(self.tenant()).await;
        moment.map_err(|error| self.refusal(error, place, ""))
    }

    /// A page of all entities.
    async fn entities(
        &mut self,
        place: &Place,
        round: &Round,
        moment: Moment,
        json: Json,
    ) -> Result<Answer, Refusal> {
        let page = round.list(&self.page_terms())?;
        let rows = self.told_of(place, json);
        let rows = rows.selecting(&page.list.shape.computed, page.selection.as_ref());
        self.seen.lap("plan");
        let listed = self.app.store.list(self.tenant(), page.list.clone(), Changed(rows));
        let (listed, Changed(rows)) = in_time(self.app.limits.query_time, listed)
            .await?
            .map_err(|error| self.refusal(error, place, ""))?;
        self.seen.lap("run");
        let onward = match listed.last.as_ref().and_then(|last| page.next(last)) {
            Some(token) => Onward::Next(self.onward(place, &round.rest_after(moment, &token))?),
            None => Onward::Delta(self.onward(place, &round.changes_after(moment, false))?),
        };
        Ok(self.told(json, rows.finish_tracked(listed.count, &onward)))
    }

    /// A page of what has changed.
    async fn changes(
        &mut self,
        place: &Place,
        round: &Round,
        since: Moment,
        json: Json,
    ) -> Result<Answer, Refusal> {
        let (plan, selection) = round.changes(since, &self.page_terms())?;
        let rows = self.told_of(place, json);
        let rows = rows.selecting(&plan.shape.computed, selection.as_ref()).of_changes();
        self.seen.lap("plan");
        let changes = self.app.store.changes(self.tenant(), plan, Changed(rows));
        let (followed, Changed(rows)) = in_time(self.app.limits.query_time, changes)
            .await?
            .map_err(|error| self.refusal(error, place, ""))?;
        self.seen.lap("run");
        let link = self.onward(place, &round.changes_after(followed.until, followed.more))?;
        let onward = if followed.more { Onward::Next(link) } else { Onward::Delta(link) };
        Ok(self.told(json, rows.finish_tracked(None, &onward)))
    }

    /// The form of the answer, under the options of the round. OData has none
    /// without metadata for what has changed.
    fn json_of(&self, round: &Round) -> Result<Json, Error> {
        let json = self.json_under(round.options())?;
        if json.metadata != Metadata::None {
            return Ok(json);
        }
        let message = "What has changed cannot be told without metadata. Expected \
                       odata.metadata=minimal or full.";
        Err(Error::new(Code::NotAcceptable, message))
    }

    /// A collection with all nulls: one that is left out would not be told.
    fn told_of(&self, place: &Place, json: Json) -> Collection {
        let rows = Collection::of_set(&self.root, Arc::clone(&place.set));
        rows.styled(Style { json, ..Style::default() })
    }

    fn told(&mut self, json: Json, body: Vec<u8>) -> Answer {
        self.seen.lap("render");
        Answer::odata(StatusCode::OK, json, body)
            .uncached()
            .applying(&self.preferences.applied(Scope::Tracked))
            .varying(OF_A_TENANT)
    }

    fn onward(&self, place: &Place, query: &str) -> Result<String, Error> {
        self.way("").short_enough(self.delta_url(place, query))
    }

    fn delta_url(&self, place: &Place, query: &str) -> String {
        format!("{}/{}/{DELTA}?{query}", self.root, place.path)
    }
}

/// What there is and what has changed, rendered as the store steps over it.
struct Changed(Collection);

impl RowSink for Changed {
    fn row(&mut self, version: u64, row: &Row) {
        self.0.item(version, row);
    }
}

impl ChangeSink for Changed {
    fn removed(&mut self, key: Uuid, reason: Reason) {
        self.0.removed(key, reason);
    }
}
