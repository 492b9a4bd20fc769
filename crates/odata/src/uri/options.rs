//! Query options: system options with or without `$` and in any letter case,
//! parameter aliases, and custom options, which are the client's own affair
//! unless an address gives one a meaning.

use crate::error::Error;

macro_rules! system_options {
    ($($name:ident $text:literal $bare:literal,)*) => {
        /// The system query options of the protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum SystemOption {
            $(#[doc = concat!("`$", $text, "`.")] $name,)*
        }

        impl SystemOption {
            /// Its name without the `$`.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The option of this name, `None` where there is none. Without
            /// the `$` those do not count that are everyday words.
            pub(super) fn named(name: &str) -> Option<Self> {
                let (name, dollar) = match name.strip_prefix('$') {
                    Some(rest) => (rest, true),
                    None => (name, false),
                };
                $(if name.eq_ignore_ascii_case($text) && (dollar || $bare) {
                    return Some(Self::$name);
                })*
                None
            }
        }
    };
}

system_options! {
    Apply "apply" true,
    Compute "compute" true,
    Count "count" true,
    DeltaToken "deltatoken" true,
    Expand "expand" true,
    Filter "filter" true,
    Format "format" true,
    Id "id" false,
    Index "index" false,
    Levels "levels" false,
    OrderBy "orderby" true,
    SchemaVersion "schemaversion" true,
    Search "search" true,
    Select "select" true,
    Skip "skip" true,
    SkipToken "skiptoken" true,
    Top "top" true,
}

/// The query options of one request, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    system: Vec<(SystemOption, String)>,
    aliases: Vec<(String, String)>,
    custom: Vec<(String, String)>,
    narrowing: Vec<String>,
}

/// The version of the model that there is, as `$schemaversion` names it.
pub const CURRENT: &str = "*";

/// The most query options of a request, custom ones and aliases included.
const MAX_OPTIONS: usize = 64;

impl Options {
    /// Reads an encoded query string, without its `?`.
    pub fn parse(query: &str) -> Result<Self, Error> {
        let mut options = Self::default();
        let parts = query.split('&').filter(|part| !part.is_empty());
        for (number, part) in parts.enumerate() {
            if number == MAX_OPTIONS {
                let message = format!("The query has more than {MAX_OPTIONS} options.");
                return Err(Error::bad_request(message));
            }
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = super::decoded(name, "query option")?;
            // Graph's documentation writes a blank as `+`.
            let value = value.replace('+', " ");
            options.add(
                name.trim(),
                super::decoded(&value, "value of a query option")?.into_owned(),
            )?;
        }
        Ok(options)
    }

    /// Whether this part of an encoded query string gives this option.
    pub fn is_given(part: &str, option: SystemOption) -> bool {
        let name = part.split_once('=').map_or(part, |(name, _)| name);
        let name = super::decoded(name, "query option");
        name.is_ok_and(|name| SystemOption::named(name.trim()) == Some(option))
    }

    fn add(&mut self, name: &str, value: String) -> Result<(), Error> {
        if let Some(alias) = name.strip_prefix('@') {
            let twice = self.aliases.iter().any(|(other, _)| other == alias);
            self.aliases.push((alias.to_owned(), value));
            return if twice { Err(more_than_once(name)) } else { Ok(()) };
        }
        let Some(option) = SystemOption::named(name) else {
            if name.starts_with('$') {
                let message = format!("The query option '{name}' is not one of OData's.");
                return Err(Error::bad_request(message).about(name));
            }
            self.custom.push((name.to_owned(), value));
            return Ok(());
        };
        let twice = self.get(option).is_some();
        self.system.push((option, value));
        if twice { Err(more_than_once(name)) } else { Ok(()) }
    }

    /// The value of a system option, if it was given.
    pub fn get(&self, option: SystemOption) -> Option<&str> {
        self.system.iter().find(|(other, _)| *other == option).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter alias, by its name without `@`.
    pub fn alias(&self, name: &str) -> Option<&str> {
        self.aliases.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The value of the first custom option of this name, in any letter case.
    pub fn custom(&self, name: &str) -> Option<&str> {
        let named = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        self.custom.iter().find(named).map(|(_, value)| value.as_str())
    }

    /// The parameter aliases without `@`, with their values.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.aliases.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same for what is left where these expressions are true, which stand in the path.
    #[must_use]
    pub fn narrowed(self, filters: &[String]) -> Self {
        Self { narrowing: filters.to_vec(), ..self }
    }

    /// What stands in the segments `$filter(…)` of the path.
    pub fn narrowing(&self) -> &[String] {
        &self.narrowing
    }

    /// Of the system options only these; aliases all, custom options none.
    #[must_use]
    pub fn among(&self, some: &[SystemOption]) -> Self {
        let system = self.system.iter().filter(|(one, _)| some.contains(one)).cloned().collect();
        Self { system, custom: Vec::new(), ..self.clone() }
    }

    /// The same with this value of a system option, or without one.
    #[must_use]
    pub fn with(&self, option: SystemOption, value: Option<&str>) -> Self {
        let mut options = self.clone();
        options.system.retain(|(one, _)| *one != option);
        options.system.extend(value.map(|value| (option, value.to_owned())));
        options
    }

    /// The system options and the parameter aliases, with `$` and `@`.
    pub fn named(&self) -> impl Iterator<Item = (String, &str)> {
        let system = self.system.iter().map(|(one, value)| (format!("${}", one.text()), value));
        let aliases = self.aliases.iter().map(|(name, value)| (format!("@{name}"), value));
        system.chain(aliases).map(|(name, value)| (name, value.as_str()))
    }

    /// Options from what `named` gives; `None` among it is nothing that it gives.
    pub fn of_named<'a>(
        named: impl Iterator<Item = Option<(&'a str, &'a str)>>,
    ) -> Result<Self, Error> {
        let mut options = Self::default();
        for one in named {
            let wrong = || Error::bad_request("Expected names and values of query options.");
            let (name, value) = one.ok_or_else(wrong)?;
            options.add(name, value.to_owned())?;
        }
        Ok(options)
    }

    /// Refuses every system option but these: what means nothing is never ignored.
    /// The model has one version, so that all may ask for the current one.
    pub fn only(&self, served: &[SystemOption]) -> Result<(), Error> {
        let asks = |(option, version): &&(SystemOption, String)| {
            *option != SystemOption::SchemaVersion || version.trim() != CURRENT
        };
        match self.system.iter().filter(asks).find(|(option, _)| !served.contains(option)) {
            None => Ok(()),
            Some((SystemOption::SchemaVersion, version)) => {
                let message = format!(
                    "There is no version '{version}' of the model: it has one, which has no name. \
                     Expected '{CURRENT}', the current one."
                );
                Err(Error::bad_request(message).about("$schemaversion"))
            }
            Some((option, _)) => Err(means_nothing(*option, served)),
        }
    }

    /// A system option that is a whole number from 0.
    pub fn number(&self, option: SystemOption) -> Result<Option<u64>, Error> {
        let Some(text) = self.get(option) else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        number.map(Some).ok_or_else(|| {
            let name = format!("${}", option.text());
            let message = format!(
                "Invalid value '{text}' for {name} query option found. The {name} query option \
                 requires a non-negative integer value."
            );
            Error::bad_request(message).about(name)
        })
    }

    /// A system option that is `true` or `false` in any letter case; absent is false.
    pub fn flag(&self, option: SystemOption) -> Result<bool, Error> {
        match self.get(option) {
            None => Ok(false),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) => {
                let name = format!("${}", option.text());
                let message = format!(
                    "Invalid value '{text}' for {name} query option found. Expected true or false."
                );
                Err(Error::bad_request(message).about(name))
            }
        }
    }
}

/// An option that says nothing of this resource; these do.
fn means_nothing(option: SystemOption, served: &[SystemOption]) -> Error {
    let name = format!("${}", option.text());
    let mut others: Vec<String> = served.iter().map(|one| format!("${}", one.text())).collect();
    others.sort_unstable();
    let expected = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
    let message =
        format!("The query option '{name}' does not apply to this resource. Expected {expected}.");
    Error::bad_request(message).about(name)
}

fn more_than_once(name: &str) -> Error {
    let message = format!(
        "Query option '{name}' was specified more than once, but it must be specified at most once."
    );
    Error::bad_request(message).about(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(query: &str) -> String {
        match Options::parse(query) {
            Ok(options) => format!("{options:?}"),
            Err(error) => error.message,
        }
    }

    #[test]
    fn names_with_and_without_dollar_in_any_case() {
        for query in ["$top=5", "top=5", "$TOP=5", "%24Top=5", "Top=%35"] {
            let options = Options::parse(query).unwrap();
            assert_eq!(options.number(SystemOption::Top).unwrap(), Some(5), "{query}");
        }
        assert_eq!(Options::parse("foo=1&id=2&$filter=a+eq+1").unwrap().system.len(), 1);
    }

    #[test]
    fn an_option_is_found_as_it_is_read() {
        for part in
            ["$skiptoken=x", "SkipToken=", "%24skip%74oken=x", "+$skiptoken", "%20$skiptoken=a=b"]
        {
            let read = Options::parse(part).map(|all| all.get(SystemOption::SkipToken).is_some());
            assert_eq!(read, Ok(Options::is_given(part, SystemOption::SkipToken)), "{part}");
        }
        assert!(!Options::is_given("$skip=x", SystemOption::SkipToken));
        assert!(!Options::is_given("%ff=x", SystemOption::SkipToken));
    }

    #[test]
    fn what_is_refused() {
        let lines: Vec<String> = ["$foo=1", "$top=1&top=2", "@a=1&@a=2", "%FF=1", "$top=%FF"]
            .iter()
            .map(|query| format!("{query}: {}", message(query)))
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
        for query in
            ["$top=", "$top=-1", "$top=x", "$top=1.0", "$top=%2B1", "$top=99999999999999999999"]
        {
            assert!(Options::parse(query).unwrap().number(SystemOption::Top).is_err(), "{query}");
        }
        assert!(Options::parse("$count=1").unwrap().flag(SystemOption::Count).is_err());
        let refused = Options::parse("$apply=x").unwrap().only(&[SystemOption::Top]).unwrap_err();
        assert_eq!(refused.code, crate::Code::BadRequest);
        insta::assert_snapshot!(refused.message, @"The query option '$apply' does not apply to this resource. Expected $top.");
        let version = |query: &str| Options::parse(query).unwrap().only(&[]);
        assert!(version("$schemaversion=*").is_ok() && version("SchemaVersion=%2A").is_ok());
        assert_eq!(version("$schemaversion=1").unwrap_err().code, crate::Code::BadRequest);
    }
}
