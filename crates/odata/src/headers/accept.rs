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
}

fn range(text: &str) -> Range {
    let mut parts = text.split(';');
    let media_type = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let quality = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    Range { media_type, weight: quality.map_or(1000, weight) }
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
    value.map_or(1000, |value| (value * 1000.0).round() as u16)
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
}
