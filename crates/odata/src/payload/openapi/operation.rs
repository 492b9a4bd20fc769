//! What can be done at an address, and what is answered.

use serde_json::{Map, Value as Json, json};

use super::{parameters, reference};
use crate::error::Code;

/// One path with its operations.
pub struct Address {
    /// The path with its parameters in braces.
    pub path: String,
    /// The parameters that all operations have.
    pub parameters: Vec<Json>,
    /// What can be done there.
    pub operations: Vec<Operation>,
}

impl Address {
    /// Its path item.
    pub(super) fn json(&self) -> Json {
        let operations = self.operations.iter();
        let mut item: Map<String, Json> =
            operations.map(|one| (one.method.to_ascii_lowercase(), one.json())).collect();
        if !self.parameters.is_empty() {
            item.insert("parameters".to_owned(), self.parameters.as_slice().into());
        }
        item.into()
    }
}

/// One method of an address.
pub struct Operation {
    /// The method in upper case.
    pub method: &'static str,
    /// Its name, unique in the document.
    pub id: String,
    /// What it does, in a few words.
    pub summary: String,
    /// What else is to be known.
    pub description: String,
    /// Parameters besides those of the address.
    pub parameters: Vec<Json>,
    /// The body that it takes.
    pub body: Option<Json>,
    /// What it answers, by status.
    pub answers: Vec<(u16, Answer)>,
    /// Why it may refuse.
    pub refusals: Vec<Code>,
    /// Whether it answers without a token.
    pub open: bool,
}

impl Operation {
    /// An operation that answers nothing yet.
    pub fn new(method: &'static str, id: impl Into<String>, summary: &str) -> Self {
        Self {
            method,
            id: id.into(),
            summary: summary.to_owned(),
            description: String::new(),
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            refusals: Vec::new(),
            open: false,
        }
    }

    /// The same with more to be known.
    #[must_use]
    pub fn described(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// The same with more parameters.
    #[must_use]
    pub fn taking(mut self, parameters: impl IntoIterator<Item = Json>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// The same with a body of this media type, or of those given before.
    #[must_use]
    pub fn reading(mut self, media_type: &str, schema: Json) -> Self {
        let body = self.body.get_or_insert_with(|| json!({ "required": true, "content": {} }));
        body["content"][media_type]["schema"] = schema;
        self
    }

    /// The same with another answer.
    #[must_use]
    pub fn answering(mut self, status: u16, answer: Answer) -> Self {
        self.answers.push((status, answer));
        self
    }

    /// The same with more reasons to refuse.
    #[must_use]
    pub fn refusing(mut self, codes: &[Code]) -> Self {
        self.refusals.extend(codes);
        self
    }

    /// `HEAD` for this `GET`: the same without bodies.
    #[must_use]
    pub fn head(&self) -> Self {
        let answers = self.answers.iter().map(|(status, answer)| (*status, answer.bare()));
        Self {
            method: "HEAD",
            id: format!("{}.head", self.id),
            summary: format!("{}, without the body", self.summary),
            description: self.description.clone(),
            parameters: self.parameters.clone(),
            body: None,
            answers: answers.collect(),
            refusals: self.refusals.clone(),
            open: self.open,
        }
    }

    /// The same as a request that may be sent again.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        for (_, answer) in &mut self.answers {
            answer.headers.push("Repeatability-Result");
        }
        let refusals = [Code::RequestIdReused, Code::RequestTooOld, Code::NotImplemented];
        self.taking(parameters::repeatability()).refusing(&refusals)
    }

    fn json(&self) -> Json {
        let mut operation = json!({
            "operationId": self.id,
            "summary": self.summary,
            "responses": self.responses(),
        });
        if !self.description.is_empty() {
            operation["description"] = self.description.as_str().into();
        }
        if !self.parameters.is_empty() {
            operation["parameters"] = self.parameters.as_slice().into();
        }
        if let Some(body) = &self.body {
            operation["requestBody"] = body.clone();
        }
        if self.open {
            operation["security"] = json!([]);
        }
        operation
    }

    /// Whether its answers have bodies.
    pub(super) fn has_body(&self) -> bool {
        self.method != "HEAD"
    }

    /// The component that has the answer to this refusal.
    pub(super) fn refusal_name(&self, code: Code) -> String {
        let kind = if self.has_body() { "Error" } else { "Bare" };
        format!("{kind}{}", code.status())
    }

    fn responses(&self) -> Map<String, Json> {
        let refusals = self.refusals.iter().map(|code| {
            (code.status().to_string(), reference("responses", &self.refusal_name(*code)))
        });
        let answers =
            self.answers.iter().map(|(status, answer)| (status.to_string(), answer.json()));
        refusals.chain(answers).collect()
    }
}

/// An answer: what it means, its headers, its body by media type.
#[derive(Clone)]
pub struct Answer {
    meaning: String,
    headers: Vec<&'static str>,
    content: Map<String, Json>,
    links: Map<String, Json>,
}

impl Answer {
    /// An answer without a body, with the headers of every answer.
    pub fn new(meaning: &str) -> Self {
        let headers = parameters::EVERY_ANSWER.to_vec();
        let (content, links) = (Map::new(), Map::new());
        Self { meaning: meaning.to_owned(), headers, content, links }
    }

    /// The same with more headers.
    #[must_use]
    pub fn with(mut self, headers: &[&'static str]) -> Self {
        self.headers.extend(headers);
        self
    }

    /// The same without any header.
    pub(super) fn headless(mut self) -> Self {
        self.headers.clear();
        self
    }

    /// The same with a body of this media type, and of those given before.
    #[must_use]
    pub fn body(mut self, media_type: &str, schema: Json) -> Self {
        self.content
            .insert(media_type.to_owned(), Map::from_iter([("schema".to_owned(), schema)]).into());
        self
    }

    /// The same with operations that can follow, all with these parameters.
    #[must_use]
    pub fn leading_to(mut self, operations: &[String], parameters: &Json) -> Self {
        self.links.extend(
            operations
                .iter()
                .map(|id| (id.clone(), json!({ "operationId": id, "parameters": parameters }))),
        );
        self
    }

    /// The same for a request that wants no body.
    fn bare(&self) -> Self {
        Self { content: Map::new(), links: Map::new(), ..self.clone() }
    }

    pub(super) fn json(&self) -> Json {
        let headers = self.headers.iter();
        let headers: Map<String, Json> =
            headers.map(|name| ((*name).to_owned(), reference("headers", name))).collect();
        let mut answer = json!({ "description": self.meaning, "headers": headers });
        if !self.content.is_empty() {
            answer["content"] = self.content.clone().into();
        }
        if !self.links.is_empty() {
            answer["links"] = self.links.clone().into();
        }
        answer
    }
}
