//! Request targets: grammar-shaped parsers that know nothing of the model.

pub mod apply;
pub mod clauses;
pub mod filter;
mod lexer;
pub mod options;
pub mod path;
pub mod search;

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::error::{Code, Error};

/// How large an expression may be. No text makes a parser recurse deeper or a
/// tree grow larger than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most operators, functions, properties and literals of an option.
    pub nodes: usize,
    /// How deep they may be nested.
    pub depth: usize,
    /// The most items of all lists after `in` together.
    pub list: usize,
    /// The most keys of `$orderby`.
    pub keys: usize,
    /// The most memory that a pattern of `matchesPattern` may take, in bytes.
    pub pattern: usize,
    /// The most transformations of `$apply`, those that are done several times
    /// counted as often.
    pub transformations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            nodes: 500,
            depth: 64,
            list: 1000,
            keys: 16,
            pattern: 1024 * 1024,
            transformations: 50,
        }
    }
}

/// Why a text cannot be read.
pub(crate) type Syntax = Error;

/// A text that is being read, and the option that it is the value of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    option: &'a str,
    text: &'a str,
}

impl Place<'_> {
    /// Something else stands at this byte than what was expected.
    fn wrong(self, at: usize, found: &impl std::fmt::Display, expected: &str) -> Syntax {
        let option = self.option;
        let message = format!(
            "Syntax error at position {at} of {option}: found {found}, expected {expected}."
        );
        Error::bad_request(message).about(option)
    }

    /// A string that begins at this byte has no end.
    fn unclosed(self, at: usize, quote: char) -> Syntax {
        let option = self.option;
        let message = format!(
            "Syntax error at position {at} of {option}: the string that begins here has no end, \
             expected {quote}."
        );
        Error::bad_request(message).about(option)
    }

    /// What stands at this byte is of the language, and not served.
    fn not_served(self, at: usize, what: &str) -> Syntax {
        let option = self.option;
        let message = format!("{what}, at position {at} of {option}, is not served here.");
        Error::new(Code::NotImplemented, message).about(option)
    }

    fn too_long(self, limits: Limits) -> Syntax {
        let what = format!("more than {} operators, functions and operands", limits.nodes);
        too_complex(self.option, &what, "query-nodes")
    }

    fn too_deep(self, limits: Limits) -> Syntax {
        let what = format!("more than {} levels of nesting", limits.depth);
        too_complex(self.option, &what, "query-depth")
    }

    fn too_many_steps(self, limits: Limits) -> Syntax {
        let what = format!("more than {} transformations", limits.transformations);
        too_complex(self.option, &what, "query-transformations")
    }

    fn too_many_keys(self, limits: Limits) -> Syntax {
        too_complex(self.option, &format!("more than {} keys", limits.keys), "query-keys")
    }

    fn too_many(self, limits: Limits) -> Syntax {
        let what = format!("a list of more than {} items", limits.list);
        too_complex(self.option, &what, "query-list")
    }
}

/// The option is over a limit, which has this name.
pub(crate) fn too_complex(option: &str, what: &str, limit: &str) -> Error {
    let message =
        format!("The query option {option} has {what}: the limit {limit} of the service.");
    Error::new(Code::TooComplex, message).about(option)
}

/// The text behind percent-encoding, or a refusal of what is not UTF-8.
fn decoded<'a>(text: &'a str, what: &str) -> Result<Cow<'a, str>, Error> {
    percent_decode_str(text).decode_utf8().map_err(|_| {
        Error::bad_request(format!("The {what} '{text}' is not UTF-8 once it is decoded."))
    })
}
