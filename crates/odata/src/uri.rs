//! Request targets: grammar-shaped parsers that know nothing of the model.

pub mod options;
pub mod path;

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::error::Error;

/// The text behind percent-encoding, or a refusal of what is not UTF-8.
fn decoded<'a>(text: &'a str, what: &str) -> Result<Cow<'a, str>, Error> {
    percent_decode_str(text).decode_utf8().map_err(|_| {
        Error::bad_request(format!("The {what} '{text}' is not UTF-8 once it is decoded."))
    })
}
