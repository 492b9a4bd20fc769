//! The answers to a batch, in the form of its requests.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use super::{Form, Part};
use crate::headers::{is_json, media_type};

/// The answer to one part.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// The status in words.
    pub reason: &'a str,
    /// Its headers, their names in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    /// Its body.
    pub body: &'a [u8],
}

/// The answers that have been written so far.
#[derive(Debug)]
pub struct Answers {
    form: Form,
    text: Vec<u8>,
    /// What tells this answer's boundaries from all other texts.
    name: String,
    /// How many change sets have been begun.
    sets: usize,
    /// The boundary of the change set that is open.
    open: Option<String>,
}

/// What stands before the body of an answer in JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    atomicity_group: Option<&'a str>,
    status: u16,
    headers: BTreeMap<String, &'a str>,
}

impl Answers {
    /// No answers yet. `name` is in no answer, such as a GUID that nobody knew.
    pub fn new(form: Form, name: impl Into<String>) -> Self {
        let text = if form == Form::Json { b"{\"responses\":[".to_vec() } else { Vec::new() };
        Self { form, text, name: name.into(), sets: 0, open: None }
    }

    /// How many bytes have been written.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The media type of all.
    pub fn media_type(&self) -> String {
        match self.form {
            Form::Json => "application/json".to_owned(),
            Form::Multipart => format!("multipart/mixed; boundary={}", self.boundary()),
        }
    }

    /// The answers to a change set follow. JSON names the group at each instead.
    pub fn begin_set(&mut self) {
        if self.form == Form::Multipart {
            self.sets += 1;
            let boundary = format!("changesetresponse_{}_{}", self.name, self.sets);
            let outer = self.boundary();
            self.line(&format!("--{outer}"));
            self.line(&format!("Content-Type: multipart/mixed; boundary={boundary}"));
            self.line("");
            self.open = Some(boundary);
        }
    }

    /// The last answer to a change set has been written.
    pub fn end_set(&mut self) {
        if let Some(boundary) = self.open.take() {
            self.line(&format!("--{boundary}--"));
        }
    }

    /// Writes an answer. `group` is the atomic group that the part is in.
    pub fn add(&mut self, part: &Part, group: Option<&str>, answer: &Answer<'_>) {
        match self.form {
            Form::Json => self.add_json(part, group, answer),
            Form::Multipart => self.add_http(part, answer),
        }
    }

    /// The whole text.
    pub fn finish(mut self) -> Vec<u8> {
        match self.form {
            Form::Json => self.text.extend_from_slice(b"]}"),
            Form::Multipart => {
                let boundary = self.boundary();
                self.line(&format!("--{boundary}--"));
            }
        }
        self.text
    }

    fn boundary(&self) -> String {
        format!("batchresponse_{}", self.name)
    }

    fn line(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
        self.text.extend_from_slice(b"\r\n");
    }

    /// JSON stands as it is, every other body as base64url.
    fn add_json(&mut self, part: &Part, group: Option<&str>, answer: &Answer<'_>) {
        if !self.text.ends_with(b"[") {
            self.text.push(b',');
        }
        let headers = answer.headers.iter().map(|(name, value)| (cased(name), *value));
        let (id, status) = (part.id.as_deref(), answer.status);
        let head = Head { id, atomicity_group: group, status, headers: headers.collect() };
        // Texts and numbers always have a JSON form.
        let mut head = serde_json::to_string(&head).unwrap_or_default();
        // The last brace, until the body stands before it.
        head.pop();
        self.text.extend_from_slice(head.as_bytes());
        if !answer.body.is_empty() {
            self.text.extend_from_slice(b",\"body\":");
            if answer.is_json() {
                self.text.extend_from_slice(answer.body);
            } else {
                self.text.push(b'"');
                self.text.extend_from_slice(URL_SAFE_NO_PAD.encode(answer.body).as_bytes());
                self.text.push(b'"');
            }
        }
        self.text.push(b'}');
    }

    /// A response as HTTP has it, the way that clients with little patience parse
    /// it: CRLF throughout, a length where there can be a body, an empty line
    /// after the headers in any case.
    fn add_http(&mut self, part: &Part, answer: &Answer<'_>) {
        let boundary = self.open.clone().unwrap_or_else(|| self.boundary());
        self.line(&format!("--{boundary}"));
        self.line("Content-Type: application/http");
        self.line("Content-Transfer-Encoding: binary");
        let id = part.id.as_ref().map(|id| format!("Content-ID: {id}"));
        if let Some(id) = &id {
            self.line(id);
        }
        self.line("");
        self.line(&format!("HTTP/1.1 {} {}", answer.status, answer.reason));
        if let Some(id) = id.filter(|_| part.id_is_inner) {
            self.line(&id);
        }
        for (name, value) in answer.headers {
            self.line(&format!("{}: {value}", cased(name)));
        }
        if ![204, 304].contains(&answer.status) {
            self.line(&format!("Content-Length: {}", answer.body.len()));
        }
        self.line("");
        self.text.extend_from_slice(answer.body);
        self.line("");
    }
}

impl Answer<'_> {
    fn is_json(&self) -> bool {
        let content_type = self.headers.iter().find(|(name, _)| *name == "content-type");
        content_type.is_some_and(|(_, value)| {
            is_json(value) || media_type(value).to_ascii_lowercase().ends_with("+json")
        })
    }
}

/// A header's name as Graph's clients look for it: each word with a capital.
fn cased(name: &str) -> String {
    let word = |word: &str| match word {
        "etag" => "ETag".to_owned(),
        "odata" => "OData".to_owned(),
        "entityid" => "EntityId".to_owned(),
        "www" => "WWW".to_owned(),
        word => {
            let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            first.to_ascii_uppercase() + rest
        }
    };
    let words: Vec<String> = name.split('-').map(word).collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(id: &str) -> Part {
        Part {
            id: Some(id.to_owned()),
            id_is_inner: id == "2",
            method: "GET".to_owned(),
            url: "x".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            after: Vec::new(),
        }
    }

    fn written(form: Form) -> String {
        let mut answers = Answers::new(form, "N");
        let json = [("content-type", "application/json"), ("odata-version", "4.0")];
        let body = b"{\"a\":9007199254740993}";
        answers.begin_set();
        let one = Answer { status: 201, reason: "Created", headers: &json, body };
        answers.add(&part("1\""), Some("g"), &one);
        answers.end_set();
        let none = Answer {
            status: 204,
            reason: "No Content",
            headers: &[("etag", "W/\"1\"")],
            body: b"",
        };
        answers.add(&part("2"), None, &none);
        let text = [("content-type", "text/plain"), ("www-authenticate", "x")];
        let plain = Answer { status: 200, reason: "OK", headers: &text, body: b"\xff?" };
        answers.add(&part("3"), None, &plain);
        let media_type = answers.media_type();
        format!("{media_type}\n{}", String::from_utf8_lossy(&answers.finish()))
    }

    #[test]
    fn answers_as_json() {
        let text = written(Form::Json);
        serde_json::from_str::<serde_json::Value>(text.split_once('\n').unwrap().1).unwrap();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn answers_as_multipart() {
        insta::assert_snapshot!(written(Form::Multipart).replace('\r', "<CR>"));
    }
}
