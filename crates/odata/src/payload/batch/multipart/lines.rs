//! Lines that end with CRLF or LF, and the parts between boundaries.

use super::wrong;
use crate::error::Error;

/// The lines of a text, without their ends.
pub(super) struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|byte| *byte == b'\n');
        let (line, rest) = match end {
            Some(end) => (&self.0[..end], &self.0[end + 1..]),
            None => (self.0, &[][..]),
        };
        self.0 = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// The texts between lines of this boundary. What stands before the first and
/// after the last line counts for nothing; the last one must be there, or part
/// of the batch may be missing.
pub(super) fn between<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<&'a [u8]>, Error> {
    let (mut parts, mut begin) = (Vec::new(), None);
    let mut lines = Lines::of(body);
    loop {
        let at = body.len() - lines.rest().len();
        let Some(line) = lines.next() else {
            return Err(wrong(&format!("the line --{boundary}-- at its end is missing")));
        };
        let after =
            line.strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary.as_bytes()));
        let Some(after) = after.map(<[u8]>::trim_ascii_end) else { continue };
        if !after.is_empty() && after != b"--" {
            continue;
        }
        if let Some(begin) = begin {
            parts.push(without_end(&body[begin..at]));
        }
        if !after.is_empty() {
            return Ok(parts);
        }
        begin = Some(body.len() - lines.rest().len());
    }
}

/// The line end before a boundary belongs to the boundary.
fn without_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}
