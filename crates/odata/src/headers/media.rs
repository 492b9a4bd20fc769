//! Media types of data: the forms that a resource can be had in, and what
//! parameters say of them.

use super::written::Written;

/// A media type that data is answered in, parameters included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/json`, as OData has it.
    Json(Json),
    /// `text/csv`.
    Csv,
    /// `application/x-ndjson`: a JSON object on each line.
    Lines {
        /// As in `Json`.
        ieee754: bool,
    },
    /// `text/plain`.
    Text,
}

/// A form of OData JSON. As a default: Graph's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Json {
    /// How much an answer says besides the data.
    pub metadata: Metadata,
    /// `IEEE754Compatible=true`: numbers that a double has no room for are strings.
    pub ieee754: bool,
}

/// How much an answer in JSON says besides the data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Metadata {
    /// The count and the next link alone.
    None,
    /// What a client with `$metadata` cannot work out.
    #[default]
    Minimal,
    /// Everything.
    Full,
}

/// The media types without their parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `application/json`.
    Json,
    /// `text/csv`.
    Csv,
    /// `application/x-ndjson`.
    Lines,
    /// `text/plain`.
    Text,
}

impl Kind {
    /// Its name.
    pub fn text(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Lines => "application/x-ndjson",
            Self::Text => "text/plain",
        }
    }

    /// Its name in `$format`, where it takes no parameters.
    pub fn short(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Lines => "ndjson",
            Self::Text => "text",
        }
    }
}

macro_rules! odata_json {
    ($metadata:literal, $ieee754:literal) => {
        concat!(
            "application/json;odata.metadata=",
            $metadata,
            ";odata.streaming=true;IEEE754Compatible=",
            $ieee754,
            ";charset=utf-8"
        )
    };
}

impl MediaType {
    /// The `Content-Type` of an answer in it; of JSON as Graph writes it.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json(Json { metadata, ieee754 }) => match (metadata, ieee754) {
                (Metadata::None, false) => odata_json!("none", "false"),
                (Metadata::None, true) => odata_json!("none", "true"),
                (Metadata::Minimal, false) => odata_json!("minimal", "false"),
                (Metadata::Minimal, true) => odata_json!("minimal", "true"),
                (Metadata::Full, false) => odata_json!("full", "false"),
                (Metadata::Full, true) => odata_json!("full", "true"),
            },
            Self::Csv => "text/csv;charset=utf-8",
            Self::Lines { ieee754: false } => "application/x-ndjson",
            Self::Lines { ieee754: true } => "application/x-ndjson;IEEE754Compatible=true",
            Self::Text => "text/plain;charset=utf-8",
        }
    }

    /// The same without its parameters.
    pub fn kind(self) -> Kind {
        match self {
            Self::Json(_) => Kind::Json,
            Self::Csv => Kind::Csv,
            Self::Lines { .. } => Kind::Lines,
            Self::Text => Kind::Text,
        }
    }
}

/// What the parameters behind a media type ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    metadata: Option<Metadata>,
    ieee754: Option<bool>,
    /// Whether there is one that JSON alone has and every answer keeps to.
    of_json: bool,
    /// Whether there is one that nobody knows.
    unknown: bool,
    /// Whether there is one that has no such value or contradicts another.
    wrong: bool,
    /// How many there are.
    pub number: usize,
}

impl Parameters {
    /// Reads what stands behind a media type; `q` is for others to read.
    pub fn read<'a>(given: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut parameters = Self::default();
        for (name, value) in given.filter(|(name, _)| !name.eq_ignore_ascii_case("q")) {
            parameters.add(name, value);
        }
        parameters
    }

    /// Whether they name a form of OData's JSON, or something that nobody knows: no
    /// other JSON has such parameters.
    pub fn name_a_form(&self) -> bool {
        self.metadata.is_some() || self.ieee754.is_some() || self.of_json || self.unknown
    }

    /// Whether one has no such value or contradicts another.
    pub fn is_wrong(&self) -> bool {
        self.wrong
    }

    fn add(&mut self, name: &str, value: &str) {
        self.number += 1;
        let is = |one: &str| name.eq_ignore_ascii_case(one);
        let agrees = if is("odata.metadata") || is("metadata") {
            set(&mut self.metadata, metadata(value))
        } else if is("IEEE754Compatible") {
            set(&mut self.ieee754, flag(value))
        } else if is("odata.streaming") || is("streaming") || is("ExponentialDecimals") {
            // Members are always in order, and no decimal needs an exponent.
            self.of_json = true;
            flag(value).is_some()
        } else if is("charset") {
            value.eq_ignore_ascii_case("utf-8")
        } else {
            self.unknown = true;
            true
        };
        self.wrong |= !agrees;
    }

    /// The form of this kind that they ask for, if it has what they name.
    pub fn form(&self, kind: Kind) -> Option<MediaType> {
        let has_metadata = self.metadata.is_some() || self.of_json;
        let form = match kind {
            Kind::Json => MediaType::Json(Json {
                metadata: self.metadata.unwrap_or_default(),
                ieee754: self.ieee754.unwrap_or_default(),
            }),
            Kind::Lines if !has_metadata => {
                MediaType::Lines { ieee754: self.ieee754.unwrap_or_default() }
            }
            Kind::Csv if !has_metadata && self.ieee754.is_none() => MediaType::Csv,
            Kind::Text if !has_metadata && self.ieee754.is_none() => MediaType::Text,
            _ => return None,
        };
        (!self.wrong && !self.unknown).then_some(form)
    }

    /// Whether this media type is as they ask.
    pub fn allow(&self, media_type: MediaType) -> bool {
        let as_asked = match media_type {
            MediaType::Json(Json { metadata, ieee754 }) => {
                self.metadata.is_none_or(|one| one == metadata)
                    && self.ieee754.is_none_or(|one| one == ieee754)
            }
            MediaType::Lines { ieee754 } => self.ieee754.is_none_or(|one| one == ieee754),
            MediaType::Csv | MediaType::Text => true,
        };
        as_asked && self.form(media_type.kind()).is_some()
    }
}

/// How a body in JSON writes numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// `IEEE754Compatible=true`: whole numbers of 64 bits may be strings.
    pub ieee754: bool,
}

impl Numbers {
    /// From the parameters of a `Content-Type`; others than this do not matter.
    pub fn of(content_type: &str) -> Self {
        if !content_type.contains(';') {
            return Self::default();
        }
        let parameters = Parameters::read(Written::of(content_type).parameters());
        Self { ieee754: parameters.ieee754 == Some(true) }
    }
}

/// Keeps a parameter's value, unless it has none or contradicts the one before.
fn set<T: Copy + PartialEq>(slot: &mut Option<T>, value: Option<T>) -> bool {
    let agrees = slot.is_none_or(|before| Some(before) == value);
    *slot = slot.or(value);
    agrees && value.is_some()
}

fn metadata(value: &str) -> Option<Metadata> {
    let levels = [Metadata::None, Metadata::Minimal, Metadata::Full];
    let at = ["none", "minimal", "full"].iter().position(|one| value.eq_ignore_ascii_case(one));
    at.map(|at| levels[at])
}

fn flag(value: &str) -> Option<bool> {
    match value {
        _ if value.eq_ignore_ascii_case("true") => Some(true),
        _ if value.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_it_is() {
        for (text, metadata, ieee754) in [
            ("none", Metadata::None, false),
            ("minimal", Metadata::Minimal, true),
            ("full", Metadata::Full, false),
        ] {
            let json = MediaType::Json(Json { metadata, ieee754 });
            let written = json.content_type();
            assert!(written.contains(&format!("metadata={text};")), "{written}");
            assert!(written.contains(&format!("IEEE754Compatible={ieee754};")), "{written}");
            let read = Parameters::read(Written::of(written).parameters());
            assert_eq!((read.form(Kind::Json), read.allow(json)), (Some(json), true), "{written}");
            assert_eq!(Numbers::of(written), Numbers { ieee754 });
        }
    }

    #[test]
    fn content_types_of_requests() {
        assert!(Numbers::of("application/json; ieee754compatible = \"TRUE\"").ieee754);
        assert!(Numbers::of("application/x-ndjson;x=y;IEEE754Compatible=true").ieee754);
        for not in ["application/json", "application/json;IEEE754Compatible=false", "x;true"] {
            assert!(!Numbers::of(not).ieee754, "{not}");
        }
    }
}
