//! A batch as JSON: Graph's, with the atomic groups of OData 4.01.

mod names;

use std::collections::BTreeSet;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use super::{Batch, Form, MAX_ID, Part, Unit, is_name, is_token, is_value, too_many};
use crate::error::{Code, Error};
use crate::headers::{is_json, media_type};
use names::{Named, Names};

/// base64url, with or without padding.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Envelope<'a> {
    #[serde(borrow)]
    requests: Option<Vec<&'a RawValue>>,
}

/// A request as it is written. Members that are not known do no harm.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct Item<'a> {
    id: Option<String>,
    method: Option<String>,
    url: Option<String>,
    headers: Option<Map<String, Json>>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    depends_on: Option<Vec<String>>,
    atomicity_group: Option<String>,
    #[serde(borrow, rename = "if")]
    condition: Option<&'a RawValue>,
}

/// Reads a batch of no more than so many requests.
pub(super) fn read(body: &[u8], most: usize) -> Result<Batch, Error> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::bad_request(format!("The batch is not JSON as expected: {error}."))
    };
    let text = std::str::from_utf8(body).map_err(|error| unreadable(&error))?;
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    let envelope: Envelope<'_> = object(raw).map_err(|error| unreadable(&error))?;
    let items = envelope.requests.ok_or_else(|| {
        Error::bad_request(
            "The batch has no requests. Expected an object with the list 'requests'.",
        )
    })?;
    if items.len() > most {
        return Err(too_many(most));
    }
    let batch = Batch { form: Form::Json, parts: Vec::new(), units: Vec::new() };
    let mut reader = Reader { batch, names: Names::default(), most };
    for (at, raw) in items.into_iter().enumerate() {
        let item: Item<'_> = object(raw).map_err(|error| {
            wrong(&format!("at position {at}"), &format!("{error}. Expected it as documented"))
        })?;
        reader.add(at, item)?;
    }
    Ok(reader.batch)
}

/// What an object says; a list of the same values is none.
fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, serde_json::Error> {
    if raw.get().starts_with('{') {
        return serde_json::from_str(raw.get());
    }
    Err(serde::de::Error::custom("expected an object"))
}

/// A batch as far as it is read.
struct Reader {
    batch: Batch,
    names: Names,
    /// The most requests that a batch may have.
    most: usize,
}

impl Reader {
    /// Puts a request behind those that are there.
    fn add(&mut self, at: usize, item: Item<'_>) -> Result<(), Error> {
        let id = item.id.ok_or_else(|| wrong(&format!("at position {at}"), "it has no id"))?;
        let group = item.atomicity_group;
        if [Some(&id), group.as_ref()].into_iter().flatten().any(|name| !is_name(name)) {
            let problem = format!(
                "an id or group that is empty, too long or has control characters. Expected 1 to {MAX_ID} bytes"
            );
            return Err(wrong(&format!("at position {at}"), &problem));
        }
        let named = format!("with id '{id}'");
        // What it depends on is looked for among those before it.
        let after = self.after(&named, item.depends_on.unwrap_or_default());
        if !self.names.add(&id, at) {
            return Err(wrong(&named, "the id is there twice; letter case makes no difference"));
        }
        if item.condition.is_some() {
            let message =
                format!("The request {named} has a condition in 'if', which is not served.");
            return Err(Error::new(Code::NotImplemented, message).about("if"));
        }
        let method = item.method.filter(|method| is_token(method));
        let method = method
            .ok_or_else(|| wrong(&named, "it has no method, or one that is none"))?
            .to_ascii_uppercase();
        let url = item.url.ok_or_else(|| wrong(&named, "it has no url"))?;
        let headers = headers(item.headers.unwrap_or_default()).ok_or_else(|| {
            wrong(&named, "its headers are not names with texts that can be sent")
        })?;
        let (id, after, id_is_inner) = (Some(id), after?, false);
        let mut part = Part { id, id_is_inner, method, url, headers, body: Vec::new(), after };
        if let Some(raw) = item.body {
            part.body = body(raw, &part)?;
        }
        self.batch.parts.push(part);
        self.join(group)
    }

    /// The positions of the requests that these names stand for, each once.
    /// Each name is looked for once, and no list is longer than one that names
    /// every request of the largest batch, and a group of each: the work on a
    /// request grows with the requests before it and with nothing else.
    fn after(&self, named: &str, others: Vec<String>) -> Result<Vec<usize>, Error> {
        let most = self.most.saturating_mul(2);
        if others.len() > most {
            return Err(depends_on_many(named, others.len(), most));
        }
        let mut units = BTreeSet::new();
        let mut parts = BTreeSet::new();
        for other in others {
            match self.names.find(&other).ok_or_else(|| depends(named, &other))? {
                Named::Part(at) => drop(parts.insert(at)),
                Named::Unit(unit) => drop(units.insert(unit)),
            }
        }
        parts.extend(units.into_iter().flat_map(|unit| self.batch.units[unit].parts.clone()));
        Ok(parts.into_iter().collect())
    }

    /// Puts the last part into its group, whose parts stand side by side.
    fn join(&mut self, group: Option<String>) -> Result<(), Error> {
        let (at, next) = (self.batch.parts.len() - 1, self.batch.units.len());
        let unit = group.as_ref().map_or(next, |name| self.names.group(name, next));
        if unit == next {
            self.batch.units.push(Unit { group, parts: at..at + 1 });
            return Ok(());
        }
        if unit + 1 == next {
            self.batch.units[unit].parts.end += 1;
            return Ok(());
        }
        let message = format!(
            "The requests of the atomic group '{}' do not stand side by side. Expected no other \
             request between them.",
            group.unwrap_or_default()
        );
        Err(Error::bad_request(message))
    }
}

/// The headers as texts; numbers and Booleans are taken as they are written.
fn headers(given: Map<String, Json>) -> Option<Vec<(String, String)>> {
    let mut headers = Vec::with_capacity(given.len());
    for (name, value) in given {
        let value = match value {
            Json::Null => continue,
            Json::String(text) => text,
            Json::Number(_) | Json::Bool(_) => value.to_string(),
            Json::Array(_) | Json::Object(_) => return None,
        };
        if !is_token(&name) || !is_value(&value) {
            return None;
        }
        headers.push((name, value));
    }
    Some(headers)
}

/// The bytes of a body: JSON as it stands, everything else from base64url.
fn body(raw: &RawValue, part: &Part) -> Result<Vec<u8>, Error> {
    let id = part.id.as_deref().unwrap_or_default();
    let Some(content_type) = part.header("content-type") else {
        // Graph's words.
        return Err(Error::bad_request(format!(
            "Write request with id '{id}' does not contain a Content-Type header."
        )));
    };
    let subtype = media_type(content_type).to_ascii_lowercase();
    if is_json(content_type) || subtype.ends_with("+json") {
        return Ok(raw.get().as_bytes().to_vec());
    }
    let text: Option<String> = serde_json::from_str(raw.get()).ok();
    let bytes =
        text.and_then(|text| BASE64URL.decode(text.replace('+', "-").replace('/', "_")).ok());
    bytes.ok_or_else(|| {
        wrong(
            &format!("with id '{id}'"),
            "its body is not JSON and not base64url in a string either",
        )
    })
}

fn wrong(which: &str, what: &str) -> Error {
    Error::bad_request(format!("The request {which} of the batch cannot be read: {what}."))
}

fn depends(named: &str, other: &str) -> Error {
    let message = format!(
        "The request {named} depends on '{other}', which is no request or group before it."
    );
    Error::bad_request(message).about("dependsOn")
}

fn depends_on_many(named: &str, given: usize, most: usize) -> Error {
    let message = format!(
        "The request {named} depends on {given} names. Expected no more than {most}: the id and \
         the group of each request that a batch may have, by the limit batch-parts of the service."
    );
    Error::bad_request(message).about("dependsOn")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(text: &str) -> String {
        match read(text.as_bytes(), 3) {
            Ok(batch) => batch
                .parts
                .iter()
                .map(|part| {
                    let body = String::from_utf8_lossy(&part.body);
                    format!(
                        "{} {} {:?} {body} {:?}",
                        part.method, part.url, part.headers, part.after
                    )
                })
                .chain(batch.units.iter().map(|unit| format!("{:?} {:?}", unit.group, unit.parts)))
                .collect::<Vec<String>>()
                .join("\n  "),
            Err(error) => format!("{error}"),
        }
    }

    const GOOD: &[&str] = &[
        r#"{"requests":[]}"#,
        r#"{"x":1,"requests":[{"id":"1","method":"get","url":"/x","y":{},"headers":null,"body":null,"dependsOn":null}]}"#,
        r#"{"requests":[{"id":"1","method":"POST","url":"x","headers":{"content-type":"application/json"},"body":{"a":9007199254740993, "b":[1]}}]}"#,
        r#"{"requests":[{"id":"1","method":"PUT","url":"x","headers":{"Content-Type":"text/plain","N":1},"body":"NQ=="}]}"#,
        r#"{"requests":[{"id":"1","method":"PUT","url":"x","headers":{"Content-Type":"text/plain"},"body":"-_8"}]}"#,
        r#"{"requests":[{"id":"a","method":"PUT","url":"x","atomicityGroup":"g"},{"id":"b","method":"PUT","url":"x","atomicityGroup":"G"},{"id":"c","method":"GET","url":"x","dependsOn":["g","B"]}]}"#,
    ];

    const BAD: &[&str] = &[
        "",
        "[]",
        "[[]]",
        r#"{"requests":[["1","GET","x",null,null,null,null,null]]}"#,
        "null",
        "{",
        "{}",
        r#"{"requests":null}"#,
        r#"{"requests":{}}"#,
        r#"{"requests":[1]}"#,
        r#"{"requests":[],"requests":[]}"#,
        r#"{"requests":[{},{},{},{}]}"#,
        r#"{"requests":[{}]}"#,
        r#"{"requests":[{"id":1}]}"#,
        r#"{"requests":[{"id":""}]}"#,
        r#"{"requests":[{"id":"1"}]}"#,
        r#"{"requests":[{"id":"1","method":"GE T","url":"x"}]}"#,
        r#"{"requests":[{"id":"1","method":"GET"}]}"#,
        r#"{"requests":[{"id":"1","id":"2"}]}"#,
        r#"{"requests":[{"id":"1","method":"GET","url":"x","headers":{"a b":"c"}}]}"#,
        r#"{"requests":[{"id":"1","method":"GET","url":"x","headers":{"a":"c\r\nd"}}]}"#,
        r#"{"requests":[{"id":"1","method":"GET","url":"x","headers":{"a":["c"]}}]}"#,
        r#"{"requests":[{"id":"1","method":"GET","url":"x","if":"x"}]}"#,
        r#"{"requests":[{"id":"a","method":"GET","url":"x"},{"id":"A","method":"GET","url":"x"}]}"#,
        r#"{"requests":[{"id":"1","method":"POST","url":"x","body":{}}]}"#,
        r#"{"requests":[{"id":"1","method":"POST","url":"x","headers":{"Content-Type":"text/plain"},"body":"*"}]}"#,
        r#"{"requests":[{"id":"1","method":"POST","url":"x","headers":{"Content-Type":"text/plain"},"body":{}}]}"#,
        r#"{"requests":[{"id":"1","method":"GET","url":"x","dependsOn":["1"]}]}"#,
        r#"{"requests":[{"id":"1","method":"GET","url":"x","dependsOn":["2"]},{"id":"2","method":"GET","url":"x"}]}"#,
        r#"{"requests":[{"id":"1","method":"GET","url":"x","dependsOn":"2"}]}"#,
        r#"{"requests":[{"id":"1","method":"PUT","url":"x","atomicityGroup":"g"},{"id":"2","method":"PUT","url":"x"},{"id":"3","method":"PUT","url":"x","atomicityGroup":"g"}]}"#,
    ];

    #[test]
    fn what_is_read_and_what_is_not() {
        let lines = |texts: &[&str]| {
            let lines: Vec<String> =
                texts.iter().map(|text| format!("{text}\n  {}", told(text))).collect();
            lines.join("\n")
        };
        insta::assert_snapshot!("good", lines(GOOD));
        insta::assert_snapshot!("bad", lines(BAD));
        assert!(BAD.iter().all(|text| read(text.as_bytes(), 3).is_err()));
    }

    /// A batch of so many requests in one group and one that depends on these names.
    fn depending(group: usize, names: &[&str]) -> Result<Batch, Error> {
        let item = |at| json!({ "id": format!("a{at}"), "method": "PUT", "url": "x", "atomicityGroup": "g" });
        let last = json!({ "id": "z", "method": "GET", "url": "x", "dependsOn": names });
        let requests: Vec<Json> = (0..group).map(item).chain([last]).collect();
        read(json!({ "requests": requests }).to_string().as_bytes(), group + 1)
    }

    #[test]
    fn what_a_request_depends_on_is_there_once() {
        let after = |names: &[&str]| depending(30, names).unwrap().parts[30].after.clone();
        let all: Vec<usize> = (0..30).collect();
        assert_eq!(after(&["a7", "g", "G", "A7", "a2", "g"]), all);
        assert_eq!(after(&["a7", "A7", "a2", "a7"]), [2, 7]);
        assert_eq!(after(&["g"; 62]), all);
    }

    #[test]
    fn what_a_request_may_depend_on_is_limited() {
        let error = depending(30, &["g"; 63]).unwrap_err();
        assert_eq!((error.code, error.target.as_deref()), (Code::BadRequest, Some("dependsOn")));
        let expected = "The request with id 'z' depends on 63 names. Expected no more than 62: the \
                        id and the group of each request that a batch may have, by the limit \
                        batch-parts of the service.";
        assert_eq!(error.message, expected);
        let all = vec!["g"; 260_000];
        assert!(depending(30, &all).unwrap_err().to_string().contains("260000 names"));
    }

    #[test]
    fn ids_and_groups_are_the_same_in_any_letter_case() {
        let item = |id: &str, group: &str, after: &[&str]| json!({ "id": id, "method": "PUT", "url": "x", "atomicityGroup": group, "dependsOn": after });
        let requests = [
            item("ä", "Ö", &[]),
            item("b", "ö", &[]),
            item("c", "x", &["Ä"]),
            item("d", "y", &["ö"]),
        ];
        let batch = read(json!({ "requests": requests }).to_string().as_bytes(), 4).unwrap();
        let units: Vec<_> = batch.units.iter().map(|unit| unit.parts.clone()).collect();
        assert_eq!(units, [0..2, 2..3, 3..4]);
        assert_eq!([&batch.parts[2].after[..], &batch.parts[3].after], [&[0][..], &[0, 1]]);
    }

    proptest::proptest! {
        #[test]
        fn no_piece_of_a_batch_makes_it_panic(at in 0..GOOD.len(), cut in 0..300_usize, junk in "\\PC{0,4}") {
            let text = GOOD[at];
            let cut = (0..=cut.min(text.len())).rev().find(|cut| text.is_char_boundary(*cut));
            let (before, after) = text.split_at(cut.unwrap_or(0));
            drop(read(format!("{before}{junk}{after}").as_bytes(), 3));
        }
    }
}
