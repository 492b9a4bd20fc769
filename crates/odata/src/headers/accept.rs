//! `Accept`: which media types a client takes, and how gladly.

use super::media::{Kind, MediaType, Parameters};
use super::written::{Written, items};

/// What an `Accept` header says, in its order. Without one everything is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accept<'a>(Vec<Range<'a>>);

/// One media range.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Range<'a> {
    /// Type and subtype; either may be `*`.
    media_type: &'a str,
    parameters: Parameters,
    /// Its weight in thousandths; 0 is a refusal.
    weight: u16,
}

/// The most media ranges that are looked at.
const MAX_RANGES: usize = 64;

/// The weight of who has no lesser wish.
const MOST: u16 = 1000;

impl<'a> Accept<'a> {
    /// Reads the lines of `Accept`. A range that cannot be read names nothing;
    /// `*/*` alone is as good as no header.
    pub fn parse(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut ranges = lines.flat_map(items).filter(|one| !one.is_empty());
        match (ranges.next(), ranges.next()) {
            (None, _) | (Some("*/*"), None) => Self::default(),
            (first, second) => {
                let all = first.into_iter().chain(second).chain(ranges);
                Self(all.take(MAX_RANGES).map(Range::parse).collect())
            }
        }
    }

    /// Whether something is taken, if not this.
    pub fn takes_something(&self) -> bool {
        self.0.is_empty() || self.0.iter().any(|range| range.weight > 0)
    }

    /// Whether one of these media types is named, word for word, and not refused.
    pub fn names(&self, media_types: &[&str]) -> bool {
        let named = |range: &&Range| media_types.iter().any(|one| range.is(one));
        self.0.iter().filter(named).any(|range| range.weight > 0)
    }

    /// The form of this kind that the client likes best of those that it names.
    pub fn named(&self, kind: Kind) -> Option<MediaType> {
        self.names(&[kind.text()]).then(|| self.choose(&[kind])).flatten()
    }

    /// Which of these media types the client likes best; of several that it
    /// likes alike the first, `None` where it takes none of them. Parameters
    /// of ranges are not looked at.
    pub fn best(&self, offered: &[&str]) -> Option<usize> {
        let weights = offered.iter().map(|media_type| self.weight(media_type));
        let liked = weights.enumerate().filter(|(_, weight)| *weight > 0);
        liked.min_by_key(|(at, weight)| (std::cmp::Reverse(*weight), *at)).map(|(at, _)| at)
    }

    /// The same for documents that are no data, of which OData's parameters name no
    /// form: a range with such parameters counts only where no other takes anything.
    pub fn best_document(&self, offered: &[&str]) -> Option<usize> {
        let plain = |range: &&Range<'a>| !range.parameters.name_a_form();
        let plain = Self(self.0.iter().filter(plain).cloned().collect());
        let best = (!plain.0.is_empty()).then(|| plain.best(offered)).flatten();
        best.or_else(|| self.best(offered))
    }

    /// How gladly a media type is taken: as its most specific range says, of
    /// equals the gladdest.
    fn weight(&self, media_type: &str) -> u16 {
        if self.0.is_empty() {
            return MOST;
        }
        let fitting =
            self.0.iter().filter_map(|range| Some((range.fits(media_type)?, range.weight)));
        fitting.max().map_or(0, |(_, weight)| weight)
    }

    /// The form of one of these kinds that the client likes best; of several
    /// that it likes alike the one that it names most exactly, then the first
    /// that is offered. What its ranges leave open is as by default.
    pub fn choose(&self, offered: &[Kind]) -> Option<MediaType> {
        if self.0.is_empty() {
            return Parameters::default().form(*offered.first()?);
        }
        let mut best: Option<(Liking, MediaType)> = None;
        for kind in offered {
            let ranges = self.0.iter().filter(|range| range.fits(kind.text()).is_some());
            for form in ranges.filter_map(|range| range.parameters.form(*kind)) {
                let liking = self.liking(form).filter(|liking| liking.weight > 0);
                if let Some(liking) = liking
                    && best.is_none_or(|(most, _)| liking > most)
                {
                    best = Some((liking, form));
                }
            }
        }
        best.map(|(_, form)| form)
    }

    /// What the most specific range that allows this form says of it.
    fn liking(&self, form: MediaType) -> Option<Liking> {
        let allowing = self.0.iter().filter(|range| range.parameters.allow(form));
        let exactness = |range: &Range| {
            Some(((range.fits(form.kind().text())?, range.parameters.number), range.weight))
        };
        let (exactness, weight) = allowing.filter_map(exactness).max()?;
        Some(Liking { weight, exactness })
    }
}

/// How much a form is liked: first by its weight, then by how exactly it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Liking {
    weight: u16,
    exactness: (u8, usize),
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Self {
        let written = Written::of(text);
        let parameters = Parameters::read(written.parameters());
        match written.parameter("q").map_or(Some(MOST), weight) {
            Some(weight) => Self { media_type: written.name(), parameters, weight },
            None => Self { media_type: "", parameters, weight: 0 },
        }
    }

    fn is(&self, media_type: &str) -> bool {
        self.media_type.eq_ignore_ascii_case(media_type)
    }

    /// How exactly the range means this media type: 2 by its name, 1 by its
    /// type, 0 as any other, `None` not at all.
    fn fits(&self, media_type: &str) -> Option<u8> {
        let kind = media_type.split('/').next().unwrap_or_default();
        match self.media_type.strip_suffix("/*") {
            Some("*") => Some(0),
            Some(range) => range.eq_ignore_ascii_case(kind).then_some(1),
            None => self.is(media_type).then_some(2),
        }
    }
}

/// A quality value (RFC 9110, section 12.4.2) in thousandths: 0 to 1, with at
/// most three decimals.
fn weight(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok().filter(|_| digits)?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(MOST),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(line: &str, media_type: &str) -> bool {
        Accept::parse([line].into_iter()).names(&[media_type])
    }

    #[test]
    fn what_is_named() {
        assert!(named(
            "text/csv, Application/JSON;odata.metadata=minimal ; q=0.5",
            "application/json"
        ));
        assert!(!named("application/json;q=0", "application/json"));
        assert!(!named("application/json; q=0.000, */*", "application/json"));
        assert!(named("*/*;q=0.001", "*/*"));
        for none in ["nonsense", "2", "1.001", "-1", "0.1234", ".5", "", "1e0", "00", "NaN"] {
            assert!(!named(&format!("application/json;q={none}"), "application/json"), "{none}");
        }
        for some in ["1", "1.", "1.000", "0.", "0.001", "0.50"] {
            let line = format!("application/json;q={some}");
            assert_eq!(named(&line, "application/json"), some != "0.", "{some}");
        }
        assert!(!named("", "application/json"));
        assert!(!named("application/*", "application/json"), "word for word");
        assert!(named("text/html,,application/json", "application/json"));
    }

    #[test]
    fn what_is_liked_best() {
        let offered = ["application/xml", "application/json"];
        for (line, expected) in [
            ("", Some(0)),
            ("*/*", Some(0)),
            ("application/*", Some(0)),
            ("application/json", Some(1)),
            ("application/json;odata.metadata=full", Some(1)),
            ("Application/XML;q=0.4, application/json;q=0.5", Some(1)),
            ("application/json, application/xml", Some(0)),
            ("*/*, application/json;q=0.9", Some(0)),
            ("*/*;q=0.1, application/json", Some(1)),
            ("application/xml;q=0, */*", Some(1)),
            ("application/*;q=0, */*", None),
            ("application/json;q=0, application/xml;q=0", None),
            ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", Some(0)),
            ("text/xml", None),
            ("application/jsonp", None),
            ("nonsense", None),
        ] {
            assert_eq!(Accept::parse([line].into_iter()).best(&offered), expected, "{line}");
        }
    }
}
