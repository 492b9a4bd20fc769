//! Report functions: the window of days that a call asks for.
//!
//! A call `getX(period='D7')` gives the seven days that end at the newest
//! refresh date of the tenant's data set, or at `to`. Each day is given once,
//! as it was known last: the row of its newest refresh date; of several that
//! differ in their period alone the one of the asked period, else the longest.
//! A day's count does not depend on the window that it was reported in.

use std::sync::Arc;

use jiff::civil::Date;

use super::resource::key::valued;
use crate::edm::Function;
use crate::error::{Code, Error};
use crate::headers::{Accept, Kind, MediaType};
use crate::payload::primitive;
use crate::uri::options::{Options, SystemOption};
use crate::uri::path::{Arguments, Literal};
use crate::value::Period;

/// The parameter that says how many days.
pub const PERIOD: &str = "period";

/// A period as a call asks for it: a number alone is the period of a row.
pub const PERIOD_IN: &str = "^([Dd][1-9][0-9]{0,3}|[Aa][Ll][Ll])$";

/// The parameter, and the query option, that says which day is the last.
pub const LAST_DAY: &str = "to";

/// The periods, in days, that Graph knows: in their answers every row carries
/// the refresh date of the data set, as in Graph's.
const GRAPH_DAYS: [u16; 4] = [7, 30, 90, 180];

/// A call of a report function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Which function.
    pub function: Arc<Function>,
    /// The period that is asked for; `None` where the function takes none.
    pub period: Option<Period>,
    /// The last day, where it is not the newest refresh date.
    pub last: Option<Date>,
}

impl Window {
    /// The window of a call with these arguments. Whatever is wrong with them
    /// is 400 `InvalidArgument`.
    pub fn of(
        function: &Arc<Function>,
        arguments: Option<&Arguments>,
        options: &Options,
    ) -> Result<Self, Error> {
        let mut call = Parameters { function, options, period: None, last: None };
        match arguments {
            None | Some(Arguments::Empty) => {}
            Some(Arguments::Single(_) | Arguments::Expression(_)) => {
                return Err(call.wrong("A value without a name."));
            }
            Some(Arguments::Named(given)) => {
                given.iter().try_for_each(|(name, literal)| call.parameter(name, literal))?;
            }
        }
        if let Some(text) = options.custom(LAST_DAY).filter(|_| function.takes_last_day()) {
            call.last_day(text)?;
        }
        if function.takes_period() && call.period.is_none() {
            return Err(call.wrong("The parameter 'period' is missing."));
        }
        Ok(Self { function: Arc::clone(function), period: call.period, last: call.last })
    }

    /// How many days the window has; `None` is all.
    pub fn days(&self) -> Option<i64> {
        self.period.filter(|period| *period != Period::ALL).map(Period::number)
    }

    /// Whether every row carries the data set's refresh date in place of its own.
    pub fn shares_refresh_date(&self) -> bool {
        let known = |days: &u16| Period::of_days(*days) == self.period;
        self.period.is_none() || GRAPH_DAYS.iter().any(known)
    }

    /// The window in a few characters, for the name of a file: `D7`, `ALL`, `D7-to-2026-03-31`.
    pub fn label(&self) -> String {
        let period = match self.period {
            Some(Period::ALL) => "ALL".to_owned(),
            Some(period) => format!("D{period}"),
            None => String::new(),
        };
        match self.last {
            Some(last) => format!("{period}-{LAST_DAY}-{last}"),
            None => period,
        }
    }
}

/// A period as a call asks for it: `D1` to `D9999`, or `ALL`, in any letter
/// case. A number alone is the period of a row, not of a call.
pub fn asked_period(text: &str) -> Option<Period> {
    let named = text.starts_with(|first: char| first.is_ascii_alphabetic());
    Period::parse(text).filter(|_| named)
}

/// What a report function is offered in: CSV behind a redirect is Graph's
/// default in both versions.
const OFFERED: [Kind; 2] = [Kind::Csv, Kind::Json];

/// The names of what CSV could be.
const CSV: [&str; 2] = ["text/csv", "application/octet-stream"];

/// The media type of an answer. `$format` decides where it is given. Else it is
/// JSON for who names JSON and nothing that CSV could be: the generated SDKs of
/// the beta send that. To take none of both is to take CSV only for who names
/// nothing else.
pub fn format(options: &Options, accept: &Accept<'_>) -> Result<MediaType, Error> {
    if let Some(format) = options.get(SystemOption::Format) {
        return MediaType::of_format(&OFFERED, format);
    }
    if accept.names(&CSV) || accept.names(&["*/*"]) {
        return Ok(MediaType::Csv);
    }
    if let Some(json) = accept.named(Kind::Json) {
        return Ok(json);
    }
    if accept.best(&CSV).is_some() || !accept.takes_something() {
        return Ok(MediaType::Csv);
    }
    MediaType::negotiate(&OFFERED, options, accept)
}

/// The arguments of a call as they are read.
struct Parameters<'a> {
    function: &'a Function,
    options: &'a Options,
    period: Option<Period>,
    last: Option<Date>,
}

impl Parameters<'_> {
    fn parameter(&mut self, name: &str, literal: &Literal) -> Result<(), Error> {
        let literal = valued(literal, self.options)?;
        if name.eq_ignore_ascii_case(PERIOD) && self.function.takes_period() {
            return self.period(&literal);
        }
        if name.eq_ignore_ascii_case(LAST_DAY) && self.function.takes_last_day() {
            let (Literal::Text(text) | Literal::Bare(text) | Literal::Alias(text)) = literal;
            return self.last_day(&text);
        }
        Err(self.wrong(&format!("There is no parameter '{name}'.")))
    }

    fn period(&mut self, literal: &Literal) -> Result<(), Error> {
        let (Literal::Text(text) | Literal::Bare(text) | Literal::Alias(text)) = literal;
        let quoted = matches!(literal, Literal::Text(_));
        let period = asked_period(text).filter(|_| quoted).ok_or_else(|| {
            let message = format!(
                "Invalid period value specified: {text}. Expected 'D7', 'D30', 'D90', 'D180', any \
                 other from 'D1' to 'D9999', or 'ALL', in single quotes."
            );
            Error::new(Code::InvalidArgument, message).about(PERIOD)
        })?;
        match self.period.replace(period) {
            None => Ok(()),
            Some(_) => Err(self.wrong("The parameter 'period' is given twice.")),
        }
    }

    fn last_day(&mut self, text: &str) -> Result<(), Error> {
        let date = primitive::date(text).ok_or_else(|| {
            let message = format!(
                "Invalid date value specified: {text}. Expected a real day as YYYY-MM-DD, the last \
                 of the window."
            );
            Error::new(Code::InvalidArgument, message).about(LAST_DAY)
        })?;
        match self.last.replace(date) {
            None => Ok(()),
            Some(_) => Err(self.wrong("The last day, 'to', is given twice.")),
        }
    }

    fn wrong(&self, what: &str) -> Error {
        let name = &self.function.name;
        let expected = match (self.function.takes_period(), self.function.takes_last_day()) {
            (true, true) => format!("{name}(period='D7') or {name}(period='D7',to=2026-03-31)"),
            (true, false) => format!("{name}(period='D7')"),
            (false, true) => format!("{name}() or {name}(to=2026-03-31)"),
            (false, false) => format!("{name}()"),
        };
        let message = format!("{what} Expected {expected}.");
        Error::new(Code::InvalidArgument, message).about(name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;
    use crate::uri::path;

    fn read(arguments: &str, query: &str) -> String {
        let model = catalog::load(catalog::EMBEDDED).unwrap();
        let segments = path::parse(&format!("f{arguments}")).unwrap();
        let options = Options::parse(query).unwrap();
        match Window::of(&model.functions[0], segments[0].arguments.as_ref(), &options) {
            Ok(window) => {
                format!("{} {:?} {}", window.label(), window.days(), window.shares_refresh_date())
            }
            Err(error) => format!("{error}"),
        }
    }

    #[test]
    fn calls() {
        let lines: Vec<String> = [
            ("(period='D7')", ""),
            ("(PERIOD='d180')", ""),
            ("(period='D8')", ""),
            ("(period='all')", ""),
            ("(period=@p)", "@p='D30'"),
            ("(period='D7',to=2026-03-31)", ""),
            ("(to='2026-03-31',period='D7')", ""),
            ("(period='D7')", "to=2026-03-31"),
            ("(period='D7')", "TO=2026-03-31&x=1"),
            ("(period='D7',to=2026-03-31)", "to=2026-03-31"),
            ("(period='D7')", "to=2026-02-30"),
            ("(period='D7')", "to="),
            ("(period='7')", ""),
            ("(period=D7)", ""),
            ("(period=7)", ""),
            ("(period='D0')", ""),
            ("(period='D07')", ""),
            ("(period='D10000')", ""),
            ("(period='')", ""),
            ("(period=null)", ""),
            ("(period='D7',period='D7')", ""),
            ("(period='D7',days=3)", ""),
            ("('D7')", ""),
            ("(period=@p)", ""),
            ("()", ""),
            ("", ""),
        ]
        .iter()
        .map(|(arguments, query)| format!("{arguments}?{query}\n    {}", read(arguments, query)))
        .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn csv_unless_json_is_asked_for() {
        use crate::headers::{Json, Metadata};
        const CSV: MediaType = MediaType::Csv;
        const JSON: MediaType =
            MediaType::Json(Json { metadata: Metadata::Minimal, ieee754: false });
        const FULL: MediaType = MediaType::Json(Json { metadata: Metadata::Full, ieee754: false });
        let format = |query: &str, accept: &str| {
            let options = Options::parse(query).unwrap();
            let accept = Accept::parse([accept].into_iter());
            format(&options, &accept).map_err(|error| error.code)
        };
        for (query, accept, expected) in [
            ("", "", Ok(CSV)),
            ("", "*/*", Ok(CSV)),
            ("", "application/json", Ok(JSON)),
            ("", "application/json;odata.metadata=minimal, text/html", Ok(JSON)),
            ("", "application/octet-stream, application/json", Ok(CSV)),
            ("", "application/octet-stream;q=0, application/json", Ok(JSON)),
            ("", "application/json, text/csv;q=0.1", Ok(CSV)),
            ("", "application/json, */*;q=0", Ok(JSON)),
            ("", "application/json;q=0", Ok(CSV)),
            ("$format=application/json", "text/csv", Ok(JSON)),
            ("format=JSON", "", Ok(JSON)),
            ("$format=application/json;odata.metadata=minimal", "", Ok(JSON)),
            ("$format=application/json;odata.metadata=full", "", Ok(FULL)),
            ("", "application/json;odata.metadata=full", Ok(FULL)),
            ("", "application/json;odata.metadata=bogus", Err(Code::NotAcceptable)),
            ("", "application/json;odata.metadata=bogus, application/json;q=0.1", Ok(JSON)),
            ("", "application/xml", Err(Code::NotAcceptable)),
            ("", "text/*", Ok(CSV)),
            ("", "application/*", Ok(CSV)),
            ("$format=json;odata.metadata=full", "", Err(Code::NotAcceptable)),
            ("$format=text/csv", "application/json", Ok(CSV)),
            ("$format=xml", "application/json", Err(Code::NotAcceptable)),
            ("$format=", "application/json", Err(Code::NotAcceptable)),
        ] {
            assert_eq!(format(query, accept), expected, "{query} {accept}");
        }
    }
}
