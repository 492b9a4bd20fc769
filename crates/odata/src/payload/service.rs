//! The service document: what a client finds at the service root.

use serde::Serialize;

use crate::edm::Model;
use crate::headers::Metadata;

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "@odata.context", skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    value: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    kind: &'static str,
    url: &'a str,
}

/// The service document as JSON: every entity set, then every singleton.
/// `root` is the service root without a slash at its end; the URLs are
/// relative to it, as Graph's are.
pub fn document(model: &Model, root: &str, metadata: Metadata) -> String {
    let sets = model.entity_sets.iter().map(|set| entry(&set.name, "EntitySet"));
    let singletons = model.singletons().into_iter().map(|name| entry(name, "Singleton"));
    let value = sets.chain(singletons).collect();
    let context = (metadata != Metadata::None).then(|| format!("{root}/$metadata"));
    let document = Document { context, value };
    // Strings and lists always have a JSON form.
    serde_json::to_string(&document).unwrap_or_default()
}

fn entry<'a>(name: &'a str, kind: &'static str) -> Entry<'a> {
    Entry { name, kind, url: name }
}

#[cfg(test)]
mod tests {
    use super::Metadata;
    use crate::catalog;

    #[test]
    fn sets_and_singletons_are_listed() {
        let model = catalog::load(catalog::EMBEDDED).unwrap();
        let document = super::document(&model, "http://127.0.0.1:8365/v1.0", Metadata::Minimal);
        insta::assert_snapshot!(document, @r#"{"@odata.context":"http://127.0.0.1:8365/v1.0/$metadata","value":[{"name":"office365ActiveUserCounts","kind":"EntitySet","url":"office365ActiveUserCounts"},{"name":"reports","kind":"Singleton","url":"reports"}]}"#);
    }
}
