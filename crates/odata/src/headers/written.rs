//! How headers write lists, and media types with their parameters: one way of
//! taking them apart, in which what stands between double quotes is whole.

/// The items of a list with commas, without the blanks around them.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    parts(text, ',')
}

/// A media type as it is written, or anything else with parameters behind it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a>(&'a str);

impl<'a> Written<'a> {
    /// The text, not looked at yet.
    pub fn of(text: &'a str) -> Self {
        Self(text)
    }

    /// What stands before the parameters.
    pub fn name(self) -> &'a str {
        parts(self.0, ';').next().unwrap_or_default()
    }

    /// The parameters in their order, values without their quotes.
    pub fn parameters(self) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
        parts(self.0, ';').skip(1).filter(|part| !part.is_empty()).map(pair)
    }

    /// The value of the first parameter of this name, in any letter case.
    pub fn parameter(self, name: &str) -> Option<&'a str> {
        let mut all = self.parameters();
        all.find(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A name and its value, which may be absent or in quotes.
pub(crate) fn pair(text: &str) -> (&str, &str) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (name.trim(), value.trim().trim_matches('"'))
}

/// What stands between separators, those in quotes apart, without blanks around it.
fn parts(text: &str, separator: char) -> impl Iterator<Item = &str> + Clone {
    let mut quoted = false;
    let apart = move |one: char| {
        quoted ^= one == '"';
        one == separator && !quoted
    };
    text.split(apart).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_together_what_is_in_them() {
        assert_eq!(items("a, b=\"c,d\" ,,e").collect::<Vec<_>>(), ["a", "b=\"c,d\"", "", "e"]);
        let written = Written::of(" text/plain ; A=\"x;y=z\";; b = 1 ;c;a=2");
        assert_eq!(written.name(), "text/plain");
        let all = [("A", "x;y=z"), ("b", "1"), ("c", ""), ("a", "2")];
        assert_eq!(written.parameters().collect::<Vec<_>>(), all);
        assert_eq!((written.parameter("a"), written.parameter("d")), (Some("x;y=z"), None));
        assert_eq!(items("\"open, to the end").count(), 1);
    }
}
