//! A batch as JSON: Graph's, with the atomic groups of OData 4.01.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use super::{Batch, Form, Part, Unit, is_token, is_value, too_many};
use crate::error::{Code, Error};
use crate::headers::{is_json, media_type};

/// The longest id of a request or name of a group, in bytes: an answer repeats them.
pub(super) const MAX_ID: usize = 256;

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
    let mut batch = Batch { form: Form::Json, parts: Vec::new(), units: Vec::new() };
    for (at, raw) in items.into_iter().enumerate() {
        let item: Item<'_> = object(raw).map_err(|error| {
            wrong(&format!("at position {at}"), &format!("{error}. Expected it as documented"))
        })?;
        add(&mut batch, at, item)?;
    }
    Ok(batch)
}

/// What an object says; a list of the same values is none.
fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, serde_json::Error> {
    if raw.get().starts_with('{') {
        return serde_json::from_str(raw.get());
    }
    Err(serde::de::Error::custom("expected an object"))
}

/// Puts a request behind those that are there.
fn add(batch: &mut Batch, at: usize, item: Item<'_>) -> Result<(), Error> {
    let id = item.id.ok_or_else(|| wrong(&format!("at position {at}"), "it has no id"))?;
    let group = item.atomicity_group;
    if [Some(&id), group.as_ref()].into_iter().flatten().any(|name| !is_name(name)) {
        let problem = format!(
            "an id or group that is empty, too long or has control characters. Expected 1 to {MAX_ID} bytes"
        );
        return Err(wrong(&format!("at position {at}"), &problem));
    }
    let named = format!("with id '{id}'");
    if position(batch, &id).is_some() {
        return Err(wrong(&named, "the id is there twice; letter case makes no difference"));
    }
    if item.condition.is_some() {
        let message = format!("The request {named} has a condition in 'if', which is not served.");
        return Err(Error::new(Code::NotImplemented, message).about("if"));
    }
    let method = item.method.filter(|method| is_token(method));
    let method = method
        .ok_or_else(|| wrong(&named, "it has no method, or one that is none"))?
        .to_ascii_uppercase();
    let url = item.url.ok_or_else(|| wrong(&named, "it has no url"))?;
    let headers = headers(item.headers.unwrap_or_default())
        .ok_or_else(|| wrong(&named, "its headers are not names with texts that can be sent"))?;
    let mut after = Vec::new();
    for other in item.depends_on.unwrap_or_default() {
        after.extend(preceding(batch, &other).ok_or_else(|| depends(&named, &other))?);
    }
    let mut part =
        Part { id: Some(id), id_is_inner: false, method, url, headers, body: Vec::new(), after };
    if let Some(raw) = item.body {
        part.body = body(raw, &part)?;
    }
    batch.parts.push(part);
    join(batch, group)
}

/// Puts the last part into its group, whose parts stand side by side.
fn join(batch: &mut Batch, group: Option<String>) -> Result<(), Error> {
    let at = batch.parts.len() - 1;
    let Some(name) = group else {
        batch.units.push(Unit { group: None, parts: at..at + 1 });
        return Ok(());
    };
    let same = |unit: &Unit| unit.group.as_ref().is_some_and(|one| one.eq_ignore_ascii_case(&name));
    if let Some(last) = batch.units.last_mut().filter(|unit| same(unit)) {
        last.parts.end += 1;
        return Ok(());
    }
    if batch.units.iter().any(same) {
        let message = format!(
            "The requests of the atomic group '{name}' do not stand side by side. Expected no \
             other request between them."
        );
        return Err(Error::bad_request(message));
    }
    batch.units.push(Unit { group: Some(name), parts: at..at + 1 });
    Ok(())
}

/// The positions of the part or the parts of the group of this name.
fn preceding(batch: &Batch, name: &str) -> Option<std::ops::Range<usize>> {
    if let Some(at) = position(batch, name) {
        return Some(at..at + 1);
    }
    let named =
        |unit: &&Unit| unit.group.as_ref().is_some_and(|one| one.eq_ignore_ascii_case(name));
    batch.units.iter().find(named).map(|unit| unit.parts.clone())
}

fn position(batch: &Batch, id: &str) -> Option<usize> {
    let same =
        |part: &Part| part.id.as_ref().is_some_and(|one| one.to_lowercase() == id.to_lowercase());
    batch.parts.iter().position(same)
}

pub(super) fn is_name(name: &str) -> bool {
    (1..=MAX_ID).contains(&name.len()) && !name.chars().any(char::is_control)
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

#[cfg(test)]
mod tests {
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
