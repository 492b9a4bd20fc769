//! A batch as multipart/mixed: requests, and change sets of requests.
//!
//! Read the way that clients write it: with CRLF or LF, with an empty line too
//! many or too few, with lengths that are absent or wrong, with `Content-ID`
//! around the request or in it.

mod lines;

use super::{Batch, Form, MAX_ID, Part, Unit, first_of, is_name, is_token, is_value, too_many};
use crate::error::{Code, Error};
use crate::headers::media_type;
use crate::headers::written::Written;
use lines::{Lines, between};

/// Reads a batch of no more than so many requests.
pub(super) fn read(content_type: &str, body: &[u8], most: usize) -> Result<Batch, Error> {
    let mut batch = Batch { form: Form::Multipart, parts: Vec::new(), units: Vec::new() };
    for part in between(body, &boundary(content_type)?)? {
        let mut lines = Lines::of(part);
        let head = Head::read(&mut lines)?;
        if head.is_mixed() {
            change_set(&mut batch, &head, lines.rest(), most)?;
        } else {
            let at = batch.parts.len();
            add(&mut batch, &head, lines.rest(), most)?;
            batch.units.push(Unit { group: None, parts: at..at + 1 });
        }
    }
    Ok(batch)
}

/// Reads the requests of a change set. None of them may be a change set again,
/// and no two have the same `Content-ID`.
fn change_set(batch: &mut Batch, head: &Head, body: &[u8], most: usize) -> Result<(), Error> {
    let boundary = boundary(head.get("content-type").unwrap_or_default())?;
    let begin = batch.parts.len();
    for part in between(body, &boundary)? {
        let mut lines = Lines::of(part);
        let head = Head::read(&mut lines)?;
        if head.is_mixed() {
            return Err(wrong("a change set has another one in it. Expected requests alone"));
        }
        add(batch, &head, lines.rest(), most)?;
        let (last, others) = batch.parts[begin..]
            .split_last()
            .map_or((None, &[][..]), |(last, others)| (Some(last), others));
        if let Some(id) = last.and_then(|part| part.id.as_ref())
            && others.iter().any(|part| part.id.as_ref() == Some(id))
        {
            return Err(wrong(&format!("the Content-ID '{id}' is there twice in a change set")));
        }
    }
    batch.units.push(Unit { group: Some(boundary), parts: begin..batch.parts.len() });
    Ok(())
}

/// Puts a request behind those that are there.
fn add(batch: &mut Batch, around: &Head, text: &[u8], most: usize) -> Result<(), Error> {
    if batch.parts.len() == most {
        return Err(too_many(most));
    }
    around.check()?;
    let mut lines = Lines::of(text);
    let (method, url) = request_line(&mut lines)?;
    let head = Head::read(&mut lines)?;
    let inner = head.get("content-id");
    let id = around.get("content-id").or(inner).map(str::to_owned);
    if let Some(id) = id.as_ref().filter(|id| !is_name(id)) {
        return Err(wrong(&format!(
            "the Content-ID has {} bytes. Expected 1 to {MAX_ID}",
            id.len()
        )));
    }
    let body = body(lines.rest(), head.get("content-length"));
    let (id_is_inner, after) = (inner.is_some(), Vec::new());
    batch.parts.push(Part {
        id,
        id_is_inner,
        method,
        url,
        headers: head.0,
        body: body.to_vec(),
        after,
    });
    Ok(())
}

/// `POST address HTTP/1.1`, after any empty lines. The address may have blanks in it.
fn request_line(lines: &mut Lines<'_>) -> Result<(String, String), Error> {
    let line = loop {
        match lines.next() {
            None => return Err(wrong("a part has no request in it")),
            Some(line) if line.trim_ascii().is_empty() => {}
            Some(line) => break line,
        }
    };
    let text = std::str::from_utf8(line).unwrap_or_default().trim();
    let parts = text.split_once(' ').and_then(|(method, rest)| {
        let (url, version) = rest.rsplit_once(' ')?;
        let is_http = version.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("HTTP/"));
        (is_token(method) && is_http && is_value(url)).then_some((method, url.trim()))
    });
    let (method, url) = parts.ok_or_else(|| {
        let line = String::from_utf8_lossy(line);
        let line: String = line.chars().take(64).collect();
        wrong(&format!("'{line}' is no request line. Expected such as GET reports HTTP/1.1"))
    })?;
    Ok((method.to_ascii_uppercase(), url.to_owned()))
}

/// The body of a request. A length that does not lead to the part's end is
/// wrong: clients count characters, or line ends of another kind.
fn body<'a>(rest: &'a [u8], length: Option<&str>) -> &'a [u8] {
    let length = length.and_then(|text| text.parse().ok());
    let split = length.and_then(|length| rest.split_at_checked(length));
    match split {
        Some((body, after)) if after.iter().all(|byte| b"\r\n".contains(byte)) => body,
        _ => {
            let end = rest.iter().rposition(|byte| !b"\r\n".contains(byte));
            &rest[..end.map_or(0, |end| end + 1)]
        }
    }
}

/// The boundary that a `Content-Type` names, quoted or not.
fn boundary(content_type: &str) -> Result<String, Error> {
    let boundary = Written::of(content_type).parameter("boundary");
    // As long as MIME lets it be (RFC 2046, section 5.1.1).
    let good = boundary.filter(|one| (1..=70).contains(&one.len()) && is_value(one));
    good.map(str::to_owned).ok_or_else(|| {
        wrong("a multipart/mixed has no boundary of 1 to 70 characters in its Content-Type")
    })
}

/// Headers, their names as they were written.
struct Head(Vec<(String, String)>);

impl Head {
    /// Reads headers up to an empty line or the end.
    fn read(lines: &mut Lines<'_>) -> Result<Self, Error> {
        let mut head = Vec::new();
        for line in lines.by_ref() {
            if line.trim_ascii().is_empty() {
                break;
            }
            let text = std::str::from_utf8(line).ok();
            let pair = text.and_then(|text| text.split_once(':'));
            let pair = pair.map(|(name, value)| (name.trim_end(), value.trim()));
            let pair = pair.filter(|(name, value)| is_token(name) && is_value(value));
            let (name, value) = pair.ok_or_else(|| {
                let line = String::from_utf8_lossy(line);
                let line: String = line.chars().take(64).collect();
                wrong(&format!("'{line}' is no header. Expected a name, a colon and a value"))
            })?;
            head.push((name.to_owned(), value.to_owned()));
        }
        Ok(Self(head))
    }

    fn get(&self, name: &str) -> Option<&str> {
        first_of(&self.0, name)
    }

    fn media_type(&self) -> String {
        media_type(self.get("content-type").unwrap_or_default()).to_ascii_lowercase()
    }

    fn is_mixed(&self) -> bool {
        self.media_type() == "multipart/mixed"
    }

    /// Refuses what stands around something else than a plain request.
    fn check(&self) -> Result<(), Error> {
        if self.media_type() != "application/http" {
            return Err(wrong(
                "a part is of another Content-Type than application/http and multipart/mixed",
            ));
        }
        let encoding = self.get("content-transfer-encoding").unwrap_or("binary");
        if ["binary", "8bit", "7bit"].iter().any(|one| encoding.eq_ignore_ascii_case(one)) {
            return Ok(());
        }
        let message = "The Content-Transfer-Encoding of a part is not one that is read. Expected \
                       binary.";
        Err(Error::new(Code::UnsupportedEncoding, message))
    }
}

fn wrong(what: &str) -> Error {
    Error::bad_request(format!("The batch cannot be read: {what}."))
}

#[cfg(test)]
mod tests;
