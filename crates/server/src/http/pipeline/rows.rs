//! All rows of a set at once, as CSV or as lines of JSON.

use std::io;
use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::CONTENT_DISPOSITION;
use rollcall_odata::Row;
use rollcall_odata::headers::{Json, MediaType, Metadata, Scope};
use rollcall_odata::payload::Part;
use rollcall_odata::payload::csv::write::{Asked, Sheet};
use rollcall_odata::payload::json::write::Collection;
use rollcall_odata::plan::page;
use rollcall_odata::plan::resource::Place;

use super::parts::{Form, Reading};
use super::query::{Onward, query_terms, selected};
use super::{Call, OF_A_TENANT};
use crate::http::answer::Answer;
use crate::http::error::Refusal;

impl Call<'_> {
    /// All rows that are asked for, as import takes them back.
    pub(super) async fn rows_of(
        &mut self,
        place: Place,
        form: MediaType,
    ) -> Result<Answer, Refusal> {
        let page = page::unpaged(&place.set, &self.options, &query_terms(self.app))?;
        let (shape, selection) = (&page.list.shape, page.selection.as_ref());
        let set = &place.set;
        if form == MediaType::Csv {
            let asked = Asked { shape, selection };
            let sheet = Sheet::of_list(&self.app.model, set, asked, Vec::new());
            return self.rows_as(&place, form, page, Csv(sheet)).await;
        }
        let ieee754 = form == MediaType::Lines { ieee754: true };
        let rows = Collection::of_set(&self.root, Arc::clone(set))
            // A line is the data alone, as import takes it back.
            .styled(self.style(Json { ieee754, metadata: Metadata::None }));
        let rows = selected(rows, &page);
        self.rows_as(&place, form, page, Lines(rows)).await
    }

    async fn rows_as(
        &mut self,
        place: &Place,
        media_type: MediaType,
        page: page::Page,
        form: impl Form,
    ) -> Result<Answer, Refusal> {
        let scope = if media_type == MediaType::Csv { Scope::Plain } else { Scope::One };
        self.preferences.check(scope)?;
        self.seen.lap("plan");
        // Without pages there is no way to the next.
        let reading = Reading::new(self.app, self.tenant(), None, page, Onward::default());
        let begun = Box::pin(reading.begin(form, self.request)).await?;
        self.seen.lap("run");
        let name = format!("{}.{}", place.set.name, media_type.kind().short());
        Ok(Answer::of(StatusCode::OK, media_type.content_type(), begun.body)
            .with(CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""))
            .versioned()
            .uncached()
            .varying(OF_A_TENANT)
            .applying(&self.preferences.applied(scope)))
    }
}

/// Rows as lines of JSON, each rendered as the store steps over it.
struct Lines(Collection);

impl Form for Lines {
    fn row(&mut self, form: u64, row: &Row) {
        self.0.line(form, row);
    }

    fn written(&self) -> usize {
        self.0.written()
    }

    fn part(&mut self, _part: &Part<'_>) -> io::Result<Vec<u8>> {
        Ok(self.0.lines())
    }

    fn fresh(&self) -> Self {
        Self(self.0.fresh())
    }
}

/// Rows as CSV, likewise. What cannot be written is told in the end.
pub(super) struct Csv(pub io::Result<Sheet<Vec<u8>>>);

impl Form for Csv {
    fn row(&mut self, _version: u64, row: &Row) {
        if let Ok(sheet) = &mut self.0
            && let Err(error) = sheet.row(row)
        {
            self.0 = Err(error);
        }
    }

    fn written(&self) -> usize {
        self.0.as_ref().map_or(0, Sheet::written)
    }

    fn part(&mut self, _part: &Part<'_>) -> io::Result<Vec<u8>> {
        match &mut self.0 {
            Ok(sheet) => sheet.part(),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        }
    }

    fn fresh(&self) -> Self {
        Self(match &self.0 {
            Ok(sheet) => Ok(sheet.continued(Vec::new())),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        })
    }
}
