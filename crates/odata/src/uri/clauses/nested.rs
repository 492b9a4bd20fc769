//! The options that may stand in parentheses after an item of `$select`.
//!
//! ```text
//! options  = option *( ";" option )
//! option   = [ "$" ] name "=" value / "@" alias "=" value
//! ```

use super::{Limits, Place, Syntax};
use crate::uri::filter::Parser;
use crate::uri::options::SystemOption;
use crate::uri::search;

/// Reads the options that begin at this byte, and gives the position after the
/// parenthesis that closes them. `depth` is how many parentheses are open.
pub(super) fn read(
    place: Place<'_>,
    from: usize,
    limits: Limits,
    depth: usize,
) -> Result<usize, Syntax> {
    if depth > limits.depth {
        return Err(place.too_deep(limits));
    }
    let mut start = from;
    for (at, mark) in marks(place.text, from) {
        option(Place { text: &place.text[..at], ..place }, start, limits, depth)?;
        if mark == ')' {
            return Ok(at + 1);
        }
        start = at + 1;
    }
    let end = place.text.len();
    Err(place.wrong(end, &"the end", "')' after the options"))
}

/// Where options are separated and where they end: semicolons and the closing
/// parenthesis, outside of strings and of parentheses of their own.
fn marks(text: &str, from: usize) -> impl Iterator<Item = (usize, char)> {
    let (mut quote, mut escaped, mut open) = (None, false, 0_usize);
    text[from..].char_indices().filter_map(move |(at, letter)| {
        match (quote, letter) {
            _ if std::mem::take(&mut escaped) => {}
            (Some('"'), '\\') => escaped = true,
            (Some(end), _) => quote = (end != letter).then_some(end),
            (None, '\'' | '"') => quote = Some(letter),
            (None, '(') => open += 1,
            (None, ')') if open > 0 => open -= 1,
            (None, ')' | ';') if open == 0 => return Some((from + at, letter)),
            _ => {}
        }
        None
    })
}

/// One option. What its value is read from ends with it, so that positions
/// are those of the whole text.
fn option(place: Place<'_>, at: usize, limits: Limits, depth: usize) -> Result<(), Syntax> {
    let text = &place.text[at..];
    let wrong = |expected: &str| place.wrong(at, &format!("'{text}'"), expected);
    let expected = "an option and its value, such as $filter=…, before ';' or ')'";
    let (name, value) = text.split_once('=').ok_or_else(|| wrong(expected))?;
    let from = place.text.len() - value.len();
    if name.trim_start().starts_with('@') {
        return ends(place, from, limits, |parser| super::value(parser).map(drop));
    }
    match SystemOption::named(name.trim()) {
        Some(SystemOption::Filter) => {
            ends(place, from, limits, |parser| parser.expression().map(drop))
        }
        Some(SystemOption::Search) => match search::part(place, from, limits)? {
            (_, end) if end == place.text.len() => Ok(()),
            (_, end) => Err(place.wrong(end, &"')'", "a word or the end")),
        },
        Some(SystemOption::OrderBy) => {
            ends(place, from, limits, |parser| super::order_keys(parser).map(drop))
        }
        Some(SystemOption::Compute) => {
            ends(place, from, limits, |parser| super::computed(parser).map(drop))
        }
        Some(SystemOption::Select | SystemOption::Expand) => {
            ends(place, from, limits, |parser| super::selected(parser, depth + 1).map(drop))
        }
        Some(SystemOption::Top | SystemOption::Skip) if is_number(value) => Ok(()),
        Some(SystemOption::Top | SystemOption::Skip) => Err(wrong("a whole number from 0")),
        Some(SystemOption::Count) if matches!(value, "true" | "false") => Ok(()),
        Some(SystemOption::Count) => Err(wrong("true or false as the value of $count")),
        _ => Err(wrong(
            "one of $filter, $search, $orderby, $compute, $select, $expand, $top, $skip, $count",
        )),
    }
}

/// From this byte to the end it is what `read` reads.
fn ends(
    place: Place<'_>,
    from: usize,
    limits: Limits,
    read: impl Fn(&mut Parser<'_>) -> Result<(), Syntax>,
) -> Result<(), Syntax> {
    let mut parser = Parser::within(place, from, limits)?;
    read(&mut parser)?;
    parser.end()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
