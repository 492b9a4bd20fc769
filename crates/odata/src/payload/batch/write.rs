//! The answers to a batch, in the form of its requests. A body may come piece by
//! piece: it is written where it stays, and held nowhere else.

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
}

/// The answer that is being written.
#[derive(Debug)]
struct Open {
    /// Where it begins, and where its body does.
    begin: usize,
    body: usize,
    kind: Kind,
    status: u16,
}

/// How a body stands in the text.
#[derive(Debug)]
enum Kind {
    /// As it is, after this in front of it.
    Plain { before: &'static str },
    /// As base64url in quotes; up to two bytes wait for a third.
    Encoded(Vec<u8>),
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
    set: Option<String>,
    open: Option<Open>,
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
        Self { form, text, name: name.into(), sets: 0, set: None, open: None }
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
            self.set = Some(boundary);
        }
    }

    /// The last answer to a change set has been written.
    pub fn end_set(&mut self) {
        if let Some(boundary) = self.set.take() {
            self.line(&format!("--{boundary}--"));
        }
    }

    /// Writes an answer whose body is at hand. `group` is the atomic group that
    /// the part is in.
    pub fn add(&mut self, part: &Part, group: Option<&str>, answer: &Answer<'_>, body: &[u8]) {
        self.begin(part, group, answer);
        self.body(body);
        self.end();
    }

    /// Begins an answer; its body follows.
    pub fn begin(&mut self, part: &Part, group: Option<&str>, answer: &Answer<'_>) {
        let begin = self.text.len();
        let kind = match self.form {
            Form::Json => {
                self.head_json(part, group, answer);
                let member = Kind::Plain { before: ",\"body\":" };
                if answer.is_json() { member } else { Kind::Encoded(Vec::new()) }
            }
            Form::Multipart => {
                self.head_http(part, answer);
                Kind::Plain { before: "" }
            }
        };
        self.open = Some(Open { begin, body: self.text.len(), kind, status: answer.status });
    }

    /// Writes more of the body of the answer that has been begun.
    pub fn body(&mut self, bytes: &[u8]) {
        let Some(open) = self.open.as_mut().filter(|_| !bytes.is_empty()) else { return };
        let is_first = self.text.len() == open.body;
        match &mut open.kind {
            Kind::Plain { before } => {
                if is_first {
                    self.text.extend_from_slice(before.as_bytes());
                }
                self.text.extend_from_slice(bytes);
            }
            Kind::Encoded(waiting) => {
                if is_first {
                    self.text.extend_from_slice(b",\"body\":\"");
                }
                waiting.extend_from_slice(bytes);
                let rest = waiting.split_off(waiting.len() / 3 * 3);
                let whole = std::mem::replace(waiting, rest);
                self.text.extend_from_slice(URL_SAFE_NO_PAD.encode(whole).as_bytes());
            }
        }
    }

    /// Ends the answer that has been begun.
    pub fn end(&mut self) {
        let Some(Open { body, kind, status, .. }) = self.open.take() else { return };
        if let Kind::Encoded(waiting) = kind
            && self.text.len() > body
        {
            self.text.extend_from_slice(URL_SAFE_NO_PAD.encode(waiting).as_bytes());
            self.text.push(b'"');
        }
        match self.form {
            Form::Json => self.text.push(b'}'),
            Form::Multipart => {
                let length = self.text.len() - body;
                let can_have_one = ![204, 304].contains(&status);
                let length = can_have_one.then(|| format!("Content-Length: {length}\r\n"));
                let head_end = length.unwrap_or_default() + "\r\n";
                self.text.splice(body..body, head_end.into_bytes());
                self.line("");
            }
        }
    }

    /// Takes back the answer that has been begun, as if it had not been.
    pub fn undo(&mut self) {
        if let Some(open) = self.open.take() {
            self.text.truncate(open.begin);
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

    /// All of an answer in JSON but its body and the last brace.
    fn head_json(&mut self, part: &Part, group: Option<&str>, answer: &Answer<'_>) {
        if !self.text.ends_with(b"[") {
            self.text.push(b',');
        }
        let headers = answer.headers.iter().map(|(name, value)| (cased(name), *value));
        let (id, status) = (part.id.as_deref(), answer.status);
        let head = Head { id, atomicity_group: group, status, headers: headers.collect() };
        // Texts and numbers always have a JSON form.
        let mut head = serde_json::to_string(&head).unwrap_or_default();
        head.pop();
        self.text.extend_from_slice(head.as_bytes());
    }

    /// The head of a response as HTTP has it, the way that clients with little
    /// patience parse it: CRLF throughout, a length where there can be a body, an
    /// empty line after the headers in any case. Length and line come in the end.
    fn head_http(&mut self, part: &Part, answer: &Answer<'_>) {
        let boundary = self.set.clone().unwrap_or_else(|| self.boundary());
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
        let one = Answer { status: 201, reason: "Created", headers: &json };
        answers.add(&part("1\""), Some("g"), &one, body);
        answers.end_set();
        let none = Answer { status: 204, reason: "No Content", headers: &[("etag", "W/\"1\"")] };
        answers.add(&part("2"), None, &none, b"");
        let text = [("content-type", "text/plain"), ("www-authenticate", "x")];
        let plain = Answer { status: 200, reason: "OK", headers: &text };
        answers.add(&part("3"), None, &plain, b"\xff?");
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
    proptest::proptest! {
        #[test]
        fn a_body_in_pieces_is_the_body(
            pieces in proptest::collection::vec(proptest::collection::vec(0_u8.., 0..9), 0..6),
            is_json: bool,
        ) {
            let headers = [("content-type", if is_json { "application/json" } else { "text/plain" })];
            let answer = Answer { status: 200, reason: "OK", headers: &headers };
            for form in [Form::Json, Form::Multipart] {
                let (mut whole, mut pieced) = (Answers::new(form, "N"), Answers::new(form, "N"));
                whole.add(&part("1"), None, &answer, &pieces.concat());
                for _ in 0..2 {
                    pieced.undo();
                    pieced.begin(&part("1"), None, &answer);
                    for piece in &pieces { pieced.body(piece); }
                }
                pieced.end();
                proptest::prop_assert_eq!(whole.finish(), pieced.finish());
            }
        }
    }
}
