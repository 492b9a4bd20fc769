//! `$search`: words and phrases, with `NOT`, `AND` and `OR`.
//!
//! ```text
//! or      = and *( "OR" and )
//! and     = not *( [ "AND" ] not )
//! not     = "NOT" not / "(" or ")" / phrase / word
//! phrase  = '"' text '"'     of one letter or more, with \" and \\ for a quote and a backslash
//! ```
//!
//! The operators are upper case; in any other they are words to search for.

use super::{Limits, Place, Syntax};

/// What to search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// A word or phrase.
    Term(String),
    /// What must not be found.
    Not(Box<Search>),
    /// Two or more that must all be found.
    And(Vec<Search>),
    /// Two or more of which one must be found.
    Or(Vec<Search>),
}

/// Reads the value of `$search`.
pub fn parse(text: &str, limits: Limits) -> Result<Search, Syntax> {
    let place = Place { option: "$search", text };
    match part(place, 0, limits)? {
        (search, at) if at == text.len() => Ok(search),
        (_, at) => Err(place.wrong(at, &Token::Close, "a word or the end")),
    }
}

/// Reads what to search for from this byte on, up to the end or to a
/// parenthesis that does not open there, and gives where that is.
pub(super) fn part(place: Place<'_>, at: usize, limits: Limits) -> Result<(Search, usize), Syntax> {
    let mut parser = Parser { place, at, limits, nodes: 0, depth: 0 };
    let search = parser.or()?;
    Ok((search, parser.peek()?.0))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Phrase(String),
    Open,
    Close,
    End,
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(text) => write!(f, "'{text}'"),
            Self::Phrase(text) => write!(f, "\"{text}\""),
            Self::Open => f.write_str("'('"),
            Self::Close => f.write_str("')'"),
            Self::End => f.write_str("the end"),
        }
    }
}

struct Parser<'a> {
    place: Place<'a>,
    at: usize,
    limits: Limits,
    nodes: usize,
    depth: usize,
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Search, Syntax> {
        let mut all = vec![self.and()?];
        while self.take(&Token::Word("OR".to_owned()))? {
            all.push(self.and()?);
        }
        self.joined(all, Search::Or)
    }

    fn and(&mut self) -> Result<Search, Syntax> {
        let mut all = vec![self.not()?];
        loop {
            let said = self.take(&Token::Word("AND".to_owned()))?;
            let (_, next) = self.peek()?;
            let ends = matches!(next, Token::Close | Token::End) || is_word(&next, "OR");
            if ends && !said {
                return self.joined(all, Search::And);
            }
            all.push(self.not()?);
        }
    }

    fn joined(
        &mut self,
        mut all: Vec<Search>,
        join: fn(Vec<Search>) -> Search,
    ) -> Result<Search, Syntax> {
        match all.pop() {
            Some(only) if all.is_empty() => Ok(only),
            last => {
                all.extend(last);
                self.counted(join(all))
            }
        }
    }

    fn counted(&mut self, search: Search) -> Result<Search, Syntax> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(self.place.too_long(self.limits));
        }
        Ok(search)
    }

    fn not(&mut self) -> Result<Search, Syntax> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(self.place.too_deep(self.limits));
        }
        let search = self.single();
        self.depth -= 1;
        search
    }

    fn single(&mut self) -> Result<Search, Syntax> {
        let (at, token) = self.peek()?;
        let expected = "a word, a phrase that is not empty, or '('";
        let wrong = |place: Place<'_>| Err(place.wrong(at, &token, expected));
        // An empty phrase is in every text: who searches for it means something else.
        let empty = token == Token::Phrase(String::new());
        if empty || is_word(&token, "AND") || is_word(&token, "OR") {
            return wrong(self.place);
        }
        match token {
            Token::Word(word) if word == "NOT" => {
                self.next()?;
                let operand = self.not()?;
                self.counted(Search::Not(Box::new(operand)))
            }
            Token::Word(text) | Token::Phrase(text) => {
                self.next()?;
                self.counted(Search::Term(text))
            }
            Token::Open => {
                self.next()?;
                let inside = self.or()?;
                if self.take(&Token::Close)? {
                    return Ok(inside);
                }
                let (at, found) = self.peek()?;
                Err(self.place.wrong(at, &found, "a word or ')'"))
            }
            Token::Close | Token::End => wrong(self.place),
        }
    }

    fn take(&mut self, wanted: &Token) -> Result<bool, Syntax> {
        let found = self.peek()?.1 == *wanted;
        if found {
            self.next()?;
        }
        Ok(found)
    }

    fn peek(&mut self) -> Result<(usize, Token), Syntax> {
        let before = self.at;
        let next = self.next();
        self.at = before;
        next
    }

    fn next(&mut self) -> Result<(usize, Token), Syntax> {
        let rest = &self.place.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        let (start, rest) = (self.at, rest.trim_start());
        let Some(first) = rest.chars().next() else { return Ok((start, Token::End)) };
        let token = match first {
            '(' | ')' => {
                self.at += 1;
                if first == '(' { Token::Open } else { Token::Close }
            }
            '"' => Token::Phrase(self.phrase()?),
            _ => {
                let ends = |letter: char| letter.is_whitespace() || "()\"".contains(letter);
                let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
                self.at += word.len();
                Token::Word(word.to_owned())
            }
        };
        Ok((start, token))
    }

    fn phrase(&mut self) -> Result<String, Syntax> {
        let start = self.at;
        let mut phrase = String::new();
        let mut letters = self.place.text[start + 1..].char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.at = start + 1 + at + 1;
                    return Ok(phrase);
                }
                '\\' => match letters.next() {
                    Some((_, escaped)) => phrase.push(escaped),
                    None => break,
                },
                _ => phrase.push(letter),
            }
        }
        Err(self.place.unclosed(start, '"'))
    }
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(text) if text == word)
}

impl std::fmt::Display for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Term(text) => {
                write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
            }
            Self::Not(one) => {
                f.write_str("NOT ")?;
                within(f, one)
            }
            Self::And(all) | Self::Or(all) => {
                let between = if matches!(self, Self::And(_)) { " AND " } else { " OR " };
                for (number, one) in all.iter().enumerate() {
                    f.write_str(if number > 0 { between } else { "" })?;
                    within(f, one)?;
                }
                Ok(())
            }
        }
    }
}

fn within(f: &mut std::fmt::Formatter<'_>, search: &Search) -> std::fmt::Result {
    match search {
        Search::And(_) | Search::Or(_) => write!(f, "({search})"),
        _ => std::fmt::Display::fmt(search, f),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits =
        Limits { nodes: 50, depth: 10, list: 10, keys: 5, pattern: 1000, transformations: 20 };

    fn shown(text: &str) -> String {
        parse(text, LIMITS).map_or_else(|error| error.message, |search| search.to_string())
    }

    #[test]
    fn what_is_read_and_what_is_refused() {
        let (deep, long) = ("(".repeat(1000), "a ".repeat(1000));
        let nots = "NOT ".repeat(1000);
        let lines: Vec<String> = [
            "word",
            "two words",
            "\"a phrase\" word",
            "a OR b AND c",
            "(a OR b) c",
            "NOT a OR NOT NOT b",
            "not and or",
            "a AND NOT (b OR c)",
            "\"with \\\"quotes\\\" and \\\\\"",
            "2026-11-18 7",
            "\"AND\"",
            "a\u{a0}b",
            "",
            "  ",
            "()",
            "AND",
            "a AND",
            "a OR",
            "OR a",
            "NOT",
            "(a",
            "a)",
            "\"a",
            "\"a\\",
            "a AND OR b",
            "\"\"",
            "a NOT \"\"",
            &deep,
            &long,
            &nots,
        ]
        .iter()
        .map(|text| format!("{}\n    {}", text.chars().take(40).collect::<String>(), shown(text)))
        .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    fn trees() -> impl Strategy<Value = Search> {
        let leaf = "[a-c\"\\\\ ANDOR\u{e9}]{1,4}".prop_map(Search::Term);
        leaf.prop_recursive(4, 20, 3, |inner| {
            let all = || prop::collection::vec(inner.clone(), 2..4);
            prop_oneof![
                inner.clone().prop_map(|one| Search::Not(Box::new(one))),
                all().prop_map(Search::And),
                all().prop_map(Search::Or),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn what_is_printed_is_read_as_the_same(tree in trees()) {
            let wide = Limits { nodes: 1000, depth: 100, list: 10, keys: 5, pattern: 1000, transformations: 20 };
            prop_assert_eq!(parse(&tree.to_string(), wide), Ok(tree));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[a\"()\\\\ \u{e9}NOTANDOR]{0,30}") {
            drop(parse(&text, LIMITS));
        }
    }
}
