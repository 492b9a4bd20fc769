//! Parts of an entity: a property, its plain value, the entity's address.

use std::sync::Arc;

use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, StatusCode};
use rollcall_odata::headers::{
    Answer as Wish, Kind, MediaType, OF_A_VALUE, OF_DATA, Scope, media_type,
};
use rollcall_odata::payload::json::read;
use rollcall_odata::payload::json::write::{self, Style};
use rollcall_odata::payload::primitive;
use rollcall_odata::plan::resource::{Place, entity_id};
use rollcall_odata::plan::{self, Selector};
use rollcall_odata::uri::options::SystemOption;
use rollcall_odata::{Error, Row, Value, headers};
use rollcall_store::{Entity, Written};

use super::query::Rendered;
use super::{Call, OF_A_TENANT, json_body, wanted};
use crate::http::answer::Answer;
use crate::http::error::Refusal;

/// How a property is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As OData JSON.
    Json,
    /// Its value alone, as plain text.
    Plain,
}

impl Form {
    /// What it is offered in.
    fn offered(self) -> &'static [Kind] {
        match self {
            Self::Json => &OF_DATA,
            Self::Plain => &OF_A_VALUE,
        }
    }
}

/// One property of an entity of a set.
pub(super) struct Part {
    pub place: Place,
    /// Its position among the properties.
    pub at: usize,
    pub form: Form,
}

impl Call<'_> {
    /// One property: read, replaced, or set to null.
    pub(super) async fn property(
        &mut self,
        part: Part,
        selector: Selector,
        method: &Method,
    ) -> Result<Answer, Refusal> {
        self.options.only(&[SystemOption::Format])?;
        match *method {
            Method::PUT => {
                let value = match part.form {
                    Form::Json => {
                        let (bytes, numbers) = json_body(self.request)?;
                        read::property(bytes, &part.place.set, part.at, numbers)?
                    }
                    Form::Plain => self.plain_body(&part)?,
                };
                self.set(part, selector, value).await
            }
            Method::DELETE => self.set(part, selector, Value::Null).await,
            _ => {
                self.preferences.check(Scope::Plain)?;
                let form = self.form(part.form.offered(), &self.options)?;
                let place = part.place.clone();
                let render = move |call: &Self, entity: &Entity| call.shown(&part, entity, form);
                let answer = self.found(place, selector, (Vec::new(), true), render).await?;
                Ok(answer.applying(&self.preferences.applied(Scope::Plain)))
            }
        }
    }

    /// The address of one entity.
    pub(super) async fn reference(
        &mut self,
        place: Place,
        selector: Selector,
    ) -> Result<Answer, Refusal> {
        self.options.only(&[SystemOption::Format])?;
        self.preferences.check(Scope::Plain)?;
        let json = self.json()?;
        let style = Style { json, ..Style::default() };
        let set = Arc::clone(&place.set);
        let render = move |call: &Self, entity: &Entity| {
            let address = entity_id(&set, &entity.row[0]);
            Answer::odata(StatusCode::OK, json, write::reference(&call.root, &address, style))
        };
        let answer = self.found(place, selector, (Vec::new(), true), render).await?;
        Ok(answer.applying(&self.preferences.applied(Scope::Plain)))
    }

    /// The addresses of the entities of a set, page by page.
    pub(super) async fn references(&mut self, place: Place) -> Result<Answer, Refusal> {
        let shaping = [SystemOption::Apply, SystemOption::Select, SystemOption::Expand];
        if let Some(option) = shaping.into_iter().find(|one| self.options.get(*one).is_some()) {
            let name = format!("${}", option.text());
            let message = format!("{name} says nothing of addresses: expected it to be left out.");
            return Err(Error::bad_request(message).about(name).into());
        }
        let rows = write::Collection::of_references(&self.root, Arc::clone(&place.set));
        let (root, set) = (self.root.clone(), Arc::clone(&place.set));
        let render = move |rows: &mut write::Collection, _version: u64, row: &Row| {
            rows.reference(&format!("{root}/{}", entity_id(&set, &row[0])));
        };
        let page = self.plan(&place)?;
        let json = self.json()?;
        let rows = rows.styled(Style { json, ..Style::default() });
        let scope = if self.has_pages() { Scope::Addresses } else { Scope::Plain };
        self.page(place, "/$ref", page, (json, scope), Rendered { rows, render }).await
    }

    fn shown(&self, Part { place, at, .. }: &Part, entity: &Entity, form: MediaType) -> Answer {
        let value = &entity.row[*at];
        if value.is_null() {
            return Answer::empty(StatusCode::NO_CONTENT).versioned();
        }
        let MediaType::Json(json) = form else {
            let text = primitive::text_of(value);
            return Answer::body(StatusCode::OK, form.content_type(), text).versioned();
        };
        let address = entity_id(&place.set, &entity.row[0]);
        let property = &place.set.entity_type.properties[*at];
        let style = Style { json, ..Style::default() };
        let body = write::property(&self.root, &address, property, value, style);
        Answer::odata(StatusCode::OK, json, body)
    }

    /// Writes one property: 204, or the property for who asks for it.
    async fn set(
        &mut self,
        part: Part,
        selector: Selector,
        value: Value,
    ) -> Result<Answer, Refusal> {
        self.preferences.check(Scope::Property)?;
        // A format that cannot be had is refused, though nothing need be answered.
        if self.options.get(SystemOption::Format).is_some() {
            self.form(part.form.offered(), &self.options)?;
        }
        let set = &part.place.set;
        let preferences = self.preferences.clone();
        let form = match preferences.answer {
            Some(Wish::Representation) => Some(self.form(part.form.offered(), &self.options)?),
            _ => None,
        };
        let wanted = wanted(set, &selector);
        let terms = self.terms(&preferences);
        let condition = self.precondition();
        let plan = plan::write::property(set, selector, (part.at, value), &terms, condition)?;
        self.seen.lap("plan");
        let written = self.apply(&part.place, plan::Write::Update(plan)).await;
        let written = written.map_err(|error| self.refusal(error, &part.place, &wanted))?;
        self.seen.lap("run");
        let (Written::Created(entity) | Written::Changed(entity) | Written::Unchanged(entity)) =
            written
        else {
            return Ok(Answer::empty(StatusCode::NO_CONTENT).versioned());
        };
        let answer = match form {
            Some(form) => self.shown(&part, &entity, form),
            None => Answer::empty(StatusCode::NO_CONTENT).versioned(),
        };
        let answer = answer.tagged(&headers::entity_tag(entity.version)).uncached();
        let answer = answer.varying(OF_A_TENANT);
        self.seen.lap("render");
        Ok(answer.applying(&preferences.applied(Scope::Property)))
    }

    /// The value that a body of plain text is.
    fn plain_body(&self, Part { place, at, .. }: &Part) -> Result<Value, Error> {
        let property = &place.set.entity_type.properties[*at];
        let content_type = self.request.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let content_type = content_type.and_then(|bytes| std::str::from_utf8(bytes).ok());
        if !content_type.is_some_and(|one| media_type(one).eq_ignore_ascii_case("text/plain")) {
            return Err(Error::bad_request(
                "The value of a property is written as text/plain. Expected that Content-Type.",
            ));
        }
        headers::check_content_type(content_type.unwrap_or_default())?;
        let bytes = self.request.body.as_deref().map_err(Clone::clone)?;
        let text = std::str::from_utf8(bytes).ok();
        let value = text.and_then(|text| primitive::from_literal_or_text(property, text));
        value.ok_or_else(|| {
            let message = format!(
                "The body is no value of the property '{}'. Expected {}.",
                property.name,
                primitive::expected(property)
            );
            Error::bad_request(message).about(property.name.as_str())
        })
    }
}
