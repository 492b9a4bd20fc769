//! Which format of `$metadata` a client gets.

use crate::error::{Code, Error};
use crate::headers::{self, Accept};
use crate::uri::options::{Options, SystemOption};

/// A format of `$metadata`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CSDL XML, for who has no wish.
    Xml,
    /// CSDL JSON.
    Json,
}

/// Each format with its media type and its short name, the one for who has no wish first.
const FORMATS: [(Format, &str, &str); 2] =
    [(Format::Xml, "application/xml", "xml"), (Format::Json, "application/json", "json")];

impl Format {
    /// `$format` decides where it is given, else `Accept`.
    pub fn of(options: &Options, accept: &Accept<'_>) -> Result<Self, Error> {
        let Some(format) = options.get(SystemOption::Format) else {
            let offered = FORMATS.map(|(_, media_type, _)| media_type);
            let best = accept.best_document(&offered).map(|at| FORMATS[at].0);
            return best.ok_or_else(|| refused("The Accept header takes no format", "Accept"));
        };
        let named = |(_, media_type, short): &&(Self, &str, &str)| {
            format.eq_ignore_ascii_case(short)
                || headers::media_type(format).eq_ignore_ascii_case(media_type)
        };
        let found = FORMATS.iter().find(named).map(|(found, ..)| *found);
        found.ok_or_else(|| refused(&format!("'{format}' is no format"), "$format"))
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        FORMATS[self as usize].1
    }
}

fn refused(what: &str, target: &str) -> Error {
    let message = format!(
        "{what} that $metadata can be had in. Expected application/xml or application/json."
    );
    Error::new(Code::NotAcceptable, message).about(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_unless_json_is_asked_for() {
        for (query, accept, expected) in [
            ("", "", Ok(Format::Xml)),
            ("", "application/json", Ok(Format::Json)),
            ("", "application/json;q=0.5, application/xml;q=0.4", Ok(Format::Json)),
            ("", "application/json;odata.metadata=minimal", Ok(Format::Json)),
            ("", "application/json;odata.metadata=minimal, application/xml;q=0.1", Ok(Format::Xml)),
            ("", "application/json;charset=utf-8, application/xml;q=0.1", Ok(Format::Json)),
            ("", "text/csv", Err("Accept")),
            ("$format=json", "application/xml", Ok(Format::Json)),
            ("format=XML", "application/json", Ok(Format::Xml)),
            ("$format=Application/JSON;odata.streaming=true", "", Ok(Format::Json)),
            ("$format=application/xml", "text/csv", Ok(Format::Xml)),
            ("$format=json;x=1", "", Err("$format")),
            ("$format=csv", "application/json", Err("$format")),
            ("$format=", "", Err("$format")),
        ] {
            let options = Options::parse(query).unwrap();
            let format = Format::of(&options, &Accept::parse([accept].into_iter()));
            let format = format.map_err(|error| {
                assert_eq!(error.code, Code::NotAcceptable);
                error.target.unwrap_or_default()
            });
            assert_eq!(format, expected.map_err(str::to_owned), "{query} {accept}");
        }
        assert_eq!(Format::Json.media_type(), "application/json");
    }
}
