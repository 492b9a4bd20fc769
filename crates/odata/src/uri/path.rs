//! The resource path: segments, and what stands in their parentheses.
//!
//! ```text
//! path       = segment *( "/" segment ) [ "/" ]
//! segment    = name [ "(" [ arguments ] ")" ] / "$" name "(" expression ")"
//! arguments  = literal / name "=" literal *( "," name "=" literal )
//! literal    = "'" text "'" / "@" alias / bare
//! ```

use crate::error::Error;

/// One segment of a path, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// What stands before the parentheses.
    pub name: String,
    /// What stands in them; `None` where there are none.
    pub arguments: Option<Arguments>,
}

/// What stands in the parentheses of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// Nothing.
    Empty,
    /// One value without a name: a key.
    Single(Literal),
    /// Values by name: a key of named parts, or parameters.
    Named(Vec<(String, Literal)>),
    /// Whatever stands after a name with `$` before it: an expression, or names.
    Expression(String),
}

/// A literal before its type is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// A string in single quotes, which are taken off.
    Text(String),
    /// The name of a parameter alias, without its `@`.
    Alias(String),
    /// Anything else: a number, a date, a GUID, `null`, a word.
    Bare(String),
}

/// The most segments of a path; the longest that is served has five.
const MAX_SEGMENTS: usize = 16;

/// Reads an encoded path, without the service root, into its segments.
pub fn parse(path: &str) -> Result<Vec<Segment>, Error> {
    let path = path.trim_start_matches('/');
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(Vec::new());
    }
    // Segments are split before they are decoded: an encoded slash is text.
    let mut segments = Vec::new();
    let mut pieces = path.split('/');
    while let Some(encoded) = pieces.next() {
        if segments.len() == MAX_SEGMENTS {
            return Err(too_many_segments());
        }
        let mut text = super::decoded(encoded, "segment")?.into_owned();
        let mut open = Open::default().after(&text);
        while text.starts_with('$')
            && open != Open::default()
            && let Some(more) = pieces.next()
        {
            let more = super::decoded(more, "segment")?;
            open = open.after(&more);
            text = text + "/" + &more;
        }
        segments.push(segment(&text)?);
    }
    Ok(segments)
}

/// Reads a path that is decoded already, as one in an expression is.
pub(crate) fn read(text: &str) -> Result<Vec<Segment>, Error> {
    let mut segments = Vec::new();
    let mut rest = Some(text);
    while let Some(text) = rest {
        let end = end(text, &['/']);
        segments.push(segment(&text[..end])?);
        if segments.len() > MAX_SEGMENTS {
            return Err(too_many_segments());
        }
        rest = text[end..].strip_prefix('/');
    }
    Ok(segments)
}

/// How many bytes a decoded path has that an expression goes on behind: it ends
/// at a blank or a mark that is neither in parentheses nor in a string.
pub(crate) fn length(text: &str) -> usize {
    end(text, &[' ', '\t', ',', ':', ')', ']'])
}

/// Where the first of these is that is neither in parentheses nor in a string.
fn end(text: &str, marks: &[char]) -> usize {
    let mut open = Open::default();
    let ends = |(_, mark): &(usize, char)| {
        let found = open == Open::default() && marks.contains(mark);
        open = open.with(*mark);
        found
    };
    text.char_indices().find(ends).map_or(text.len(), |(at, _)| at)
}

fn too_many_segments() -> Error {
    Error::bad_request(format!("The path has more than {MAX_SEGMENTS} segments."))
}

/// What of a segment has no end yet: the expression in one goes on behind a
/// slash, which it may have in a path or in a string.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Open {
    parentheses: usize,
    quote: bool,
}

impl Open {
    fn after(self, text: &str) -> Self {
        text.chars().fold(self, Self::with)
    }

    fn with(mut self, mark: char) -> Self {
        match mark {
            '\'' => self.quote = !self.quote,
            '(' if !self.quote => self.parentheses += 1,
            ')' if !self.quote => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
        self
    }
}

fn segment(text: &str) -> Result<Segment, Error> {
    let Some((name, rest)) = text.split_once('(') else {
        return Ok(Segment { name: text.to_owned(), arguments: None });
    };
    if name.starts_with('$') {
        let inside = rest.strip_suffix(')').unwrap_or(rest);
        let arguments = Some(Arguments::Expression(inside.to_owned()));
        return Ok(Segment { name: name.to_owned(), arguments });
    }
    let inside = rest.strip_suffix(')').ok_or_else(|| malformed(text, "a closing parenthesis"))?;
    let arguments = arguments(inside).ok_or_else(|| {
        malformed(text, "one value, or `name=value` pairs with commas between them")
    })?;
    Ok(Segment { name: name.to_owned(), arguments: Some(arguments) })
}

fn malformed(text: &str, expected: &str) -> Error {
    let message = format!("The segment '{text}' cannot be read: expected {expected}.");
    Error::bad_request(message)
}

fn arguments(mut text: &str) -> Option<Arguments> {
    if text.trim().is_empty() {
        return Some(Arguments::Empty);
    }
    if let Some((single, "")) = literal(text) {
        return Some(Arguments::Single(single));
    }
    let mut named = Vec::new();
    loop {
        let (name, rest) = text.split_once('=')?;
        let name = name.trim();
        if name.is_empty() || name.contains(['\'', ',', '(', ')']) {
            return None;
        }
        let (value, rest) = literal(rest)?;
        named.push((name.to_owned(), value));
        match rest.strip_prefix(',') {
            Some(more) => text = more,
            None if rest.is_empty() => return Some(Arguments::Named(named)),
            None => return None,
        }
    }
}

/// A literal at the start of the text, and what follows it, blanks skipped.
fn literal(text: &str) -> Option<(Literal, &str)> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix('\'') {
        let (value, rest) = quoted(rest)?;
        return Some((Literal::Text(value), rest.trim_start()));
    }
    let end = text.find(',').unwrap_or(text.len());
    let (bare, rest) = text.split_at(end);
    let bare = bare.trim_end();
    if bare.is_empty() || bare.contains(['\'', '=', '(', ')', ' ']) {
        return None;
    }
    let value = match bare.strip_prefix('@') {
        Some(alias) => Literal::Alias(alias.to_owned()),
        None => Literal::Bare(bare.to_owned()),
    };
    Some((value, rest))
}

/// The text up to the closing quote, doubled quotes made single, and the rest.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('\'')?;
        value.push_str(before);
        let Some(more) = after.strip_prefix('\'') else { return Some((value, after)) };
        value.push('\'');
        rest = more;
    }
}

/// A literal as it stands on its own in a query option, such as an alias's value.
pub fn parse_literal(text: &str) -> Option<Literal> {
    match literal(text)? {
        (value, "") => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> String {
        match parse(path) {
            Ok(segments) => format!("{segments:?}"),
            Err(error) => error.message,
        }
    }

    #[test]
    fn segments_and_arguments() {
        let lines: Vec<String> = [
            "",
            "/",
            "/reports/things/abc/",
            "things('a''b')",
            "things(%27a%2Fb%27)",
            "things(@k)",
            "things(id='x')",
            "things( day = 2026-11-18 , period='7',refresh=@r )",
            "things()",
            "things('a',b='c')",
            "things('a'",
            "things('a)",
            "things(a=)",
            "things(=a)",
            "things(a='b'c)",
            "things(a=b=c)",
            "a//b",
            "%FF",
            "things/$filter(a gt 5 and b/c eq 'x')/$each",
            "things/$filter(f(a,'b/)')%20and%20'%2F'%20eq%20'it''s/')/$count",
            "things/$filter(a eq '/$count",
            "$crossjoin(a,b)",
        ]
        .iter()
        .map(|path| format!("{path}: {}", read(path)))
        .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}") {
            drop(parse(&text));
        }

        #[test]
        fn any_text_survives_its_quotes(text in ".{0,20}") {
            let doubled = text.replace('\'', "''");
            let path = format!("x('{doubled}')");
            let encoded = percent_encoding::utf8_percent_encode(&path, percent_encoding::NON_ALPHANUMERIC);
            let segments = parse(&encoded.to_string()).unwrap();
            assert_eq!(segments[0].arguments, Some(Arguments::Single(Literal::Text(text))));
        }
    }
}
