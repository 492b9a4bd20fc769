//! Which form of a resource an answer has: `$format` decides, else `Accept`.

use super::Accept;
use super::media::{Kind, MediaType, Parameters};
use super::written::Written;
use crate::error::{Code, Error};
use crate::uri::options::{Options, SystemOption};

/// What an entity set is offered in: pages of JSON, or all rows at once.
pub const OF_A_SET: [Kind; 3] = [Kind::Json, Kind::Csv, Kind::Lines];

/// What every other resource is offered in but plain values.
pub const OF_DATA: [Kind; 1] = [Kind::Json];

/// What a plain value is offered in.
pub const OF_A_VALUE: [Kind; 1] = [Kind::Text];

impl MediaType {
    /// The media type of an answer from a resource that is offered in these
    /// kinds, the one for who has no wish first.
    pub fn negotiate(
        offered: &[Kind],
        options: &Options,
        accept: &Accept<'_>,
    ) -> Result<Self, Error> {
        match options.get(SystemOption::Format) {
            Some(format) => Self::of_format(offered, format),
            None => accept.choose(offered).ok_or_else(|| {
                refused("The Accept header takes no format that this can be had in", offered)
                    .about("Accept")
            }),
        }
    }

    /// What `$format` asks for: a media type with parameters, or a short name without.
    pub fn of_format(offered: &[Kind], format: &str) -> Result<Self, Error> {
        let written = Written::of(format);
        let is = |kind: &Kind| {
            format.eq_ignore_ascii_case(kind.short())
                || written.name().eq_ignore_ascii_case(kind.text())
        };
        // Here a quality is a parameter like any other, and none of a media type.
        let weighted = written.parameter("q").is_some();
        let kind = offered.iter().copied().find(is).filter(|_| !weighted);
        let form = kind.and_then(|kind| Parameters::read(written.parameters()).form(kind));
        form.ok_or_else(|| {
            let what = format!("'{format}' is no format that this can be had in");
            refused(&what, offered).about("$format")
        })
    }
}

fn refused(what: &str, offered: &[Kind]) -> Error {
    let expected: Vec<&str> = offered.iter().map(|kind| kind.text()).collect();
    let mut message = format!("{what}. Expected {}", expected.join(" or "));
    if offered.contains(&Kind::Json) {
        message += ", of JSON with odata.metadata=none, minimal or full, \
                    IEEE754Compatible=true or false, or without parameters";
    }
    Error::new(Code::NotAcceptable, message + ".")
}

#[cfg(test)]
mod tests {
    use super::super::media::{Json, Metadata};
    use super::*;

    const JSON: MediaType = json(Metadata::Minimal, false);
    const FULL: MediaType = json(Metadata::Full, false);

    const fn json(metadata: Metadata, ieee754: bool) -> MediaType {
        MediaType::Json(Json { metadata, ieee754 })
    }

    fn asked(offered: &[Kind], query: &str, accept: &str) -> Option<MediaType> {
        let options = Options::parse(query).unwrap();
        let accept = Accept::parse([accept].into_iter());
        MediaType::negotiate(offered, &options, &accept)
            .map_err(|error| assert_eq!(error.code, Code::NotAcceptable))
            .ok()
    }

    #[test]
    fn accept_in_every_form() {
        let lines = Some(MediaType::Lines { ieee754: false });
        for (accept, expected) in [
            ("", Some(JSON)),
            ("*/*", Some(JSON)),
            ("application/*", Some(JSON)),
            ("text/*", Some(MediaType::Csv)),
            ("application/json", Some(JSON)),
            ("application/json, text/plain, */*", Some(JSON)),
            ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", Some(JSON)),
            ("application/json;odata.metadata=full", Some(FULL)),
            ("APPLICATION/JSON ; Metadata=\"Full\" ; q=0.3, text/html", Some(FULL)),
            ("application/json;odata.metadata=none", Some(json(Metadata::None, false))),
            (
                "application/json;metadata=none;ieee754compatible=true",
                Some(json(Metadata::None, true)),
            ),
            ("application/json;IEEE754Compatible=false;charset=utf-8;streaming=true", Some(JSON)),
            ("application/json;odata.streaming=false;ExponentialDecimals=true", Some(JSON)),
            ("application/json;odata.metadata=full;metadata=full", Some(FULL)),
            ("application/json;odata.metadata=full;metadata=none", None),
            ("application/json;odata.metadata=bogus", None),
            ("application/json;odata.metadata", None),
            ("application/json;odata=verbose", None),
            ("application/json;charset=utf-16", None),
            ("application/json;IEEE754Compatible=1", None),
            ("application/json;odata.metadata=bogus, */*;q=0.1", Some(JSON)),
            // What Power Query sends.
            (
                "application/json;odata.metadata=minimal;q=1.0,application/json;odata=\
                 minimalmetadata;q=0.9,application/atomsvc+xml;q=0.8,application/atom+xml;q=0.8",
                Some(JSON),
            ),
            ("application/json;odata.metadata=full, */*", Some(FULL)),
            ("application/json, application/json;odata.metadata=full;q=0.5", Some(JSON)),
            ("application/json;q=0.5, application/json;odata.metadata=full", Some(FULL)),
            ("application/json;odata.metadata=full;q=0, application/json", Some(JSON)),
            ("application/json;odata.metadata=minimal;q=0, application/json", None),
            ("application/json;q=0, */*", Some(MediaType::Csv)),
            ("application/json;q=0.1, */*", Some(MediaType::Csv)),
            ("text/csv, application/json", Some(JSON)),
            ("text/csv, */*", Some(MediaType::Csv)),
            ("text/csv;charset=UTF-8", Some(MediaType::Csv)),
            ("text/csv;odata.metadata=full", None),
            ("application/x-ndjson", lines),
            ("application/x-ndjson;odata.streaming=true", None),
            (
                "application/x-ndjson;IEEE754Compatible=true",
                Some(MediaType::Lines { ieee754: true }),
            ),
            ("application/xml", None),
            ("application/jsonp, nonsense, ;;", None),
            ("application/json;q=0", None),
        ] {
            assert_eq!(asked(&OF_A_SET, "", accept), expected, "{accept}");
        }
        assert_eq!(asked(&OF_A_VALUE, "", "text/plain;q=0.9"), Some(MediaType::Text));
        assert_eq!(asked(&OF_A_VALUE, "", "application/json"), None);
    }

    #[test]
    fn format_comes_before_accept() {
        for (query, expected) in [
            ("$format=json", Some(JSON)),
            ("format=JSON", Some(JSON)),
            ("$format=application/json", Some(JSON)),
            ("$format=application/json;odata.metadata=full", Some(FULL)),
            ("$format=Application/Json;%20METADATA=full;charset=utf-8", Some(FULL)),
            (
                "$format=application/json;IEEE754Compatible=true",
                Some(json(Metadata::Minimal, true)),
            ),
            ("$format=csv", Some(MediaType::Csv)),
            ("$format=text/csv", Some(MediaType::Csv)),
            ("$format=ndjson", Some(MediaType::Lines { ieee754: false })),
            ("$format=json;odata.metadata=full", None),
            ("$format=json;", None),
            ("$format=application/json;odata.metadata=bogus", None),
            ("$format=application/json;x=1", None),
            ("$format=application/json;q=1", None),
            ("$format=application/json,text/csv", None),
            ("$format=*/*", None),
            ("$format=text/plain", None),
            ("$format=xml", None),
            ("$format=", None),
        ] {
            assert_eq!(asked(&OF_A_SET, query, "application/xml"), expected, "{query}");
        }
        assert_eq!(asked(&OF_DATA, "$format=csv", ""), None);
        assert_eq!(asked(&OF_A_VALUE, "$format=text/plain", ""), Some(MediaType::Text));
    }

    #[test]
    fn a_refusal_says_what_can_be_had() {
        let error = MediaType::of_format(&OF_A_SET, "xml").unwrap_err();
        insta::assert_snapshot!(error.message, @"'xml' is no format that this can be had in. Expected application/json or text/csv or application/x-ndjson, of JSON with odata.metadata=none, minimal or full, IEEE754Compatible=true or false, or without parameters.");
    }

    proptest::proptest! {
        /// A range of one media type asks for the same as `$format`.
        #[test]
        fn both_ways_to_ask_agree(parameters in "(;(odata\\.|)(metadata|streaming|x)=(none|full|true|y)){0,3}") {
            let text = format!("application/json{parameters}");
            let format = MediaType::of_format(&OF_DATA, &text).ok();
            proptest::prop_assert_eq!(asked(&OF_DATA, "", &text), format);
        }

        #[test]
        fn no_header_makes_it_panic(text in "[a-z*/;=,. q01\"]{0,60}") {
            let _ = asked(&OF_A_SET, "", &text);
            drop(MediaType::of_format(&OF_A_SET, &text));
        }
    }
}
