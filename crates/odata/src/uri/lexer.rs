//! The words, literals and marks that expressions are made of.
//!
//! A minus before a digit belongs to the number: OData subtracts with `sub`,
//! so that nothing else can be meant.

use super::{Place, Syntax};

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name, operator or keyword; dots join the parts of a qualified name.
    Word(String),
    /// A string in single quotes, which are taken off.
    Text(String),
    /// A string in single quotes with a word before it: `duration'PT1H'`.
    Prefixed(String, String),
    /// A GUID.
    Guid(String),
    /// What begins like a number: a number, a date, a time.
    Number(String),
    /// The name of a parameter alias, without its `@`.
    Alias(String),
    /// A mark: a parenthesis, comma, slash and so on.
    Mark(char),
    /// Nothing more.
    End,
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(text) | Self::Guid(text) | Self::Number(text) => write!(f, "'{text}'"),
            Self::Text(text) => write!(f, "the string '{text}'"),
            Self::Prefixed(word, text) => write!(f, "{word}'{text}'"),
            Self::Alias(name) => write!(f, "'@{name}'"),
            Self::Mark(mark) => write!(f, "'{mark}'"),
            Self::End => f.write_str("the end"),
        }
    }
}

/// Where a text has been read to.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    /// The whole text, and what to call it.
    pub place: Place<'a>,
    /// How many bytes have been read.
    pub at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.place.text[self.at..]
    }

    /// The next token and the position of its first byte.
    pub fn next(&mut self) -> Result<(usize, Token), Syntax> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let start = self.at;
        let Some(first) = self.rest().chars().next() else { return Ok((start, Token::End)) };
        let token = if first == '\'' {
            Token::Text(self.quoted(start)?)
        } else if let Some(guid) = guid(self.rest()) {
            Token::Guid(self.take(guid))
        } else if first.is_ascii_digit() || is_signed(self.rest()) {
            Token::Number(self.take(number_length(self.rest())))
        } else if first == '@' {
            self.alias(start)?
        } else if starts_word(first) {
            self.word()?
        } else if "(),/:;=*-[]{}\"".contains(first) {
            self.at += 1;
            Token::Mark(first)
        } else {
            return Err(self.place.wrong(start, &Token::Mark(first), "an expression"));
        };
        Ok((start, token))
    }

    fn take(&mut self, length: usize) -> String {
        let taken = self.rest()[..length].to_owned();
        self.at += length;
        taken
    }

    fn word(&mut self) -> Result<Token, Syntax> {
        let start = self.at;
        let word = self.take(word_length(self.rest()));
        if self.rest().starts_with('\'') {
            return Ok(Token::Prefixed(word, self.quoted(start)?));
        }
        Ok(Token::Word(word))
    }

    fn alias(&mut self, start: usize) -> Result<Token, Syntax> {
        self.at += 1;
        let name = self.take(word_length(self.rest()));
        if name.is_empty() {
            return Err(self.place.wrong(
                start,
                &Token::Mark('@'),
                "the name of an alias after it",
            ));
        }
        Ok(Token::Alias(name))
    }

    /// A string in single quotes, doubled quotes made single.
    fn quoted(&mut self, start: usize) -> Result<String, Syntax> {
        let mut value = String::new();
        loop {
            self.at += 1;
            let Some((before, after)) = self.rest().split_once('\'') else {
                return Err(self.place.unclosed(start, '\''));
            };
            value.push_str(before);
            self.at += before.len() + 1;
            if !after.starts_with('\'') {
                return Ok(value);
            }
            value.push('\'');
        }
    }
}

fn starts_word(first: char) -> bool {
    first.is_alphabetic() || first == '_' || first == '$'
}

fn inside_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '.' || letter == '$'
}

fn word_length(text: &str) -> usize {
    text.find(|letter| !inside_word(letter)).unwrap_or(text.len())
}

fn is_signed(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| {
        let infinite = rest.starts_with("INF") && word_length(rest) == 3;
        infinite || rest.starts_with(|first: char| first.is_ascii_digit())
    })
}

/// Whatever a number, date or time is written with. A colon belongs to the clock at the
/// start or behind a T, or to the offset behind that one, and to `case` elsewhere.
fn number_length(text: &str) -> usize {
    let end = plain_length(text);
    let start = text[..end].find(['T', 't']).map_or(0, |at| at + 1);
    let clock = if end - start == 2 { clock_length(&text[start..]) } else { None };
    let Some(clock) = clock else { return end };
    let clock_end = start + clock;
    let end = clock_end + plain_length(&text[clock_end..]);
    let offset = text[clock_end..end].rfind(['+', '-']).filter(|_| start > 0);
    let hour = offset.map(|sign| clock_end + sign + 1).filter(|hour| end - hour == 2);
    end + hour.filter(|hour| pair(text, hour + 2)).map_or(0, |_| 3)
}

/// How many bytes of a number there are up to a colon or what is none of its marks.
fn plain_length(text: &str) -> usize {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".+-_".contains(&byte);
    text.bytes().position(|byte| !plain(byte)).unwrap_or(text.len())
}

/// `hh:mm` or `hh:mm:ss` at the start, without what may follow.
fn clock_length(text: &str) -> Option<usize> {
    let minutes = text.as_bytes()[..2].iter().all(u8::is_ascii_digit) && pair(text, 2);
    minutes.then(|| if pair(text, 5) { 8 } else { 5 })
}

/// Whether a colon stands here, with two digits behind it and no third.
fn pair(text: &str, at: usize) -> bool {
    let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    text.as_bytes().get(at) == Some(&b':') && digit(at + 1) && digit(at + 2) && !digit(at + 3)
}

/// The length of the GUID that stands at the start, if one does.
fn guid(text: &str) -> Option<usize> {
    const LENGTH: usize = 36;
    let shaped = text.len() >= LENGTH
        && text.bytes().take(LENGTH).enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    (shaped && !text[LENGTH..].starts_with(inside_word)).then_some(LENGTH)
}
