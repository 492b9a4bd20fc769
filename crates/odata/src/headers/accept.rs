//! `Accept`: which media types a client takes, and how gladly.

/// What an `Accept` header says, in its order. Without one everything is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accept(Vec<Range>);

/// One media range.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    /// Type and subtype in lower case; either may be `*`.
    media_type: String,
    /// Its weight in thousandths; 0 is a refusal.
    weight: u16,
}

/// The most media ranges that are looked at.
const MAX_RANGES: usize = 64;

/// The weight of who has no lesser wish.
const MOST: u16 = 1000;

impl Accept {
    /// Reads the lines of `Accept`. A range that cannot be read names nothing.
    pub fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let ranges = lines.flat_map(|line| line.split(',')).map(str::trim);
        Self(ranges.filter(|one| !one.is_empty()).take(MAX_RANGES).map(range).collect())
    }

    /// Whether one of these media types is named, word for word, and not refused.
    pub fn names(&self, media_types: &[&str]) -> bool {
        let named = |range: &&Range| media_types.contains(&range.media_type.as_str());
        self.0.iter().filter(named).any(|range| range.weight > 0)
    }

    /// Which of these media types the client likes best; of several that it
    /// likes alike the first, `None` where it takes none of them.
    pub fn best(&self, offered: &[&str]) -> Option<usize> {
        let weights = offered.iter().map(|media_type| self.weight(media_type));
        let liked = weights.enumerate().filter(|(_, weight)| *weight > 0);
        liked.min_by_key(|(at, weight)| (std::cmp::Reverse(*weight), *at)).map(|(at, _)| at)
    }

    /// How gladly a media type is taken: as its most specific range says, of
    /// equals the gladdest, as the parameters of ranges are not looked at.
    fn weight(&self, media_type: &str) -> u16 {
        if self.0.is_empty() {
            return MOST;
        }
        let fitting =
            self.0.iter().filter_map(|range| Some((range.fits(media_type)?, range.weight)));
        fitting.max().map_or(0, |(_, weight)| weight)
    }
}

impl Range {
    /// How exactly the range means this media type: 2 by its name, 1 by its
    /// type, 0 as any other, `None` not at all.
    fn fits(&self, media_type: &str) -> Option<u8> {
        let kind = media_type.split('/').next().unwrap_or_default();
        match self.media_type.as_str() {
            "*/*" => Some(0),
            range if range == media_type => Some(2),
            range if range.strip_suffix("/*") == Some(kind) => Some(1),
            _ => None,
        }
    }
}

fn range(text: &str) -> Range {
    let mut parts = text.split(';');
    let media_type = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let quality = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    Range { media_type, weight: quality.map_or(MOST, weight) }
}

/// A quality value (RFC 9110, section 12.4.2) in thousandths. What is none
/// counts as no wish to have it less.
fn weight(text: &str) -> u16 {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value = text.parse::<f32>().ok().filter(|value| plain && (0.0..=1.0).contains(value));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number from 0 to 1000"
    )]
    value.map_or(MOST, |value| (value * 1000.0).round() as u16)
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
        assert!(named("application/json;q=nonsense", "application/json"));
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
