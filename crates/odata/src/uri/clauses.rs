//! The options that are lists: `$orderby`, `$compute` and `$select`, the star of
//! `$expand`, and the value of a parameter alias.
//!
//! ```text
//! orderby  = expression [ "asc" / "desc" ] *( "," ... )
//! compute  = expression "as" name *( "," ... )
//! select   = ( "*" / name *( "/" name ) [ "(" options ")" ] ) *( "," ... )
//! star     = "*" [ "/$ref" / "(" [ "$" ] "levels=" ( digits / "max" ) ")" ]
//! ```

mod nested;

use super::filter::{Node, Parser};
use super::{Limits, Place, Syntax};

/// One key of `$orderby`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// What to order by.
    pub expression: Node,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// One property of `$compute`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// How its values are made.
    pub expression: Node,
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub at: usize,
}

/// One item of `$select`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// `*`: all properties.
    All,
    /// The names of a property path.
    Path(Vec<String>),
    /// The same, with options for what it leads to, which are well-formed.
    Nested(Vec<String>),
}

/// Reads the value of `$orderby`.
pub fn order(text: &str, limits: Limits) -> Result<Vec<OrderKey>, Syntax> {
    whole("$orderby", text, limits, order_keys)
}

/// Keys of an order, one after another.
pub(super) fn order_keys(parser: &mut Parser<'_>) -> Result<Vec<OrderKey>, Syntax> {
    let keys = list(parser, |parser| {
        let expression = parser.expression()?;
        let descending = parser.take_word("desc")?;
        if !descending {
            parser.take_word("asc")?;
        }
        Ok(OrderKey { expression, descending })
    })?;
    if keys.len() > parser.limits().keys {
        return Err(parser.place().too_many_keys(parser.limits()));
    }
    Ok(keys)
}

/// Reads the value of `$compute`.
pub fn compute(text: &str, limits: Limits) -> Result<Vec<Computed>, Syntax> {
    whole("$compute", text, limits, computed)
}

/// Properties to compute, one after another.
pub(super) fn computed(parser: &mut Parser<'_>) -> Result<Vec<Computed>, Syntax> {
    list(parser, |parser| {
        let expression = parser.expression()?;
        if !parser.take_word("as")? {
            return Err(parser.wrong("an operator or 'as'"));
        }
        let (at, name) = parser.name("a name after 'as'")?;
        Ok(Computed { expression, name, at })
    })
}

/// Reads the value of `$select`.
pub fn select(text: &str, limits: Limits) -> Result<Vec<Selected>, Syntax> {
    whole("$select", text, limits, |parser| selected(parser, 1))
}

/// Items of a selection, so many parentheses deep.
fn selected(parser: &mut Parser<'_>, depth: usize) -> Result<Vec<Selected>, Syntax> {
    list(parser, |parser| {
        if parser.take('*')? {
            return Ok(Selected::All);
        }
        let mut path = vec![parser.name("the name of a property or '*'")?.1];
        while parser.take('/')? {
            path.push(parser.name("the name of a property after '/'")?.1);
        }
        let Some(from) = parser.opens() else { return Ok(Selected::Path(path)) };
        let end = nested::read(parser.place(), from, parser.limits(), depth)?;
        parser.resume(end)?;
        Ok(Selected::Nested(path))
    })
}

/// Whether a value of `$expand` is the star, which expands all that there is. What may
/// follow it says how.
pub fn is_everything(text: &str) -> Result<bool, Syntax> {
    let Some(rest) = text.trim_start().strip_prefix('*') else { return Ok(false) };
    let rest = rest.trim_start();
    let (at, rest) = (text.len() - rest.len(), rest.trim_end());
    if rest.is_empty() || rest == "/$ref" || is_levels(rest) {
        return Ok(true);
    }
    let expected = "the end, '/$ref', or '($levels=...)' with a number or max";
    Err(Place { option: "$expand", text }.wrong(at, &format!("'{rest}'"), expected))
}

/// Whether this is `($levels=...)`, the one option that a star has.
fn is_levels(text: &str) -> bool {
    let option = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    option.and_then(|option| option.split_once('=')).is_some_and(|(name, levels)| {
        let (name, levels) = (name.trim(), levels.trim());
        let is_number = !levels.is_empty() && levels.bytes().all(|one| one.is_ascii_digit());
        name.strip_prefix('$').unwrap_or(name).eq_ignore_ascii_case("levels")
            && (is_number || levels.eq_ignore_ascii_case("max"))
    })
}

/// Reads the value of a parameter alias: an expression, or a JSON array.
pub fn alias(name: &str, text: &str, limits: Limits) -> Result<Node, Syntax> {
    whole(name, text, limits, value)
}

fn value(parser: &mut Parser<'_>) -> Result<Node, Syntax> {
    if parser.is_array() { parser.array() } else { parser.expression() }
}

/// A text that is this and nothing else.
fn whole<T>(
    option: &str,
    text: &str,
    limits: Limits,
    read: impl Fn(&mut Parser<'_>) -> Result<T, Syntax>,
) -> Result<T, Syntax> {
    let mut parser = Parser::new(Place { option, text }, limits)?;
    let value = read(&mut parser)?;
    parser.end()?;
    Ok(value)
}

/// Items with commas between them.
pub(super) fn list<T>(
    parser: &mut Parser<'_>,
    item: impl Fn(&mut Parser<'_>) -> Result<T, Syntax>,
) -> Result<Vec<T>, Syntax> {
    let mut items = Vec::new();
    loop {
        // Of expressions there are fewer: they share one limit.
        if items.len() == parser.limits().list {
            return Err(parser.place().too_many(parser.limits()));
        }
        items.push(item(parser)?);
        if !parser.take(',')? {
            return Ok(items);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits { nodes: 50, depth: 10, list: 9, keys: 4, pattern: 1000, transformations: 20 };

    #[test]
    fn what_is_read_and_what_is_refused() {
        let shown = |text: &str, read: fn(&str) -> Result<String, Syntax>| {
            format!("{text}\n    {}", read(text).unwrap_or_else(|error| error.message))
        };
        let orders =
            ["a", "a desc,b ASC , -c Desc", "length(a) asc", "", "a,", "a up", "a,b,c,d,e", "desc"];
        let computes = ["a add 1 as b", "a as b,c mul 2 AS d", "a", "a as", "a as 5", "a as b c"];
        let selects = [
            "*",
            "a,b/c, *",
            "",
            "a,,b",
            "a b",
            "a($filter=b)",
            "a/b($select=c(top=5;$count=true),d;$search=\"x;)\";@p=5),e",
            "a(b",
            "a(b)",
            "a($top=x)",
            "a($apply=x)",
            "a()",
            "a($filter=b",
            "a(filter=b;)",
            "5",
            "a/",
        ];
        let aliases = ["5", "[1,2]", "'x'", "a eq 1", "", "[1", "[1] 5", "5 6"];
        let lines = orders
            .map(|text| {
                shown(text, |text| {
                    let keys = order(text, LIMITS)?;
                    let shown = |key: &OrderKey| format!("{} {}", key.expression, key.descending);
                    Ok(keys.iter().map(shown).collect::<Vec<_>>().join("; "))
                })
            })
            .into_iter()
            .chain(computes.map(|text| {
                shown(text, |text| {
                    let all = compute(text, LIMITS)?;
                    let shown = |one: &Computed| format!("{} = {}", one.name, one.expression);
                    Ok(all.iter().map(shown).collect::<Vec<_>>().join("; "))
                })
            }))
            .chain(
                selects.map(|text| shown(text, |text| Ok(format!("{:?}", select(text, LIMITS)?)))),
            )
            .chain(
                aliases.map(|text| shown(text, |text| Ok(alias("@p", text, LIMITS)?.to_string()))),
            );
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_star_may_be_followed_by_how_it_is_expanded() {
        for text in ["*", " * ", "*/$ref", "*($levels=2)", "* ( LEVELS = Max )"] {
            assert_eq!(is_everything(text), Ok(true), "{text}");
        }
        for text in ["", "a", "a*"] {
            assert_eq!(is_everything(text), Ok(false), "{text}");
        }
        for text in ["**", "*/x", "*()", "*($levels)", "*($levels=)", "*($$levels=1)"] {
            let wrong = is_everything(text).unwrap_err().message;
            assert!(wrong.contains("expected the end, '/$ref'"), "{text}: {wrong}");
        }
    }
}
