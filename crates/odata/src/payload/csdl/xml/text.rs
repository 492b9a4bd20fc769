//! The little of XML that a CSDL document needs: nested elements, attributes, texts.

/// An XML document while it is written, indented by two blanks for each level.
pub(in crate::payload::csdl) struct Xml {
    out: String,
    depth: usize,
}

impl Xml {
    /// A document without a root element yet.
    pub(in crate::payload::csdl) fn new() -> Self {
        Self { out: "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_owned(), depth: 0 }
    }

    /// An element with what `children` writes into it.
    pub(in crate::payload::csdl) fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        children: impl FnOnce(&mut Self),
    ) {
        self.start(name, attributes);
        let empty_end = self.out.len();
        self.out.push_str(">\n");
        let inner = self.out.len();
        self.depth += 1;
        children(self);
        self.depth -= 1;
        if self.out.len() == inner {
            self.out.truncate(empty_end);
            self.out.push_str("/>\n");
        } else {
            self.indent();
            self.end(name);
        }
    }

    /// An element with attributes alone.
    pub(in crate::payload::csdl) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.out.push_str("/>\n");
    }

    /// An element with a text alone.
    pub(in crate::payload::csdl) fn text(&mut self, name: &str, text: &str) {
        self.start(name, &[]);
        self.out.push('>');
        self.escaped(text);
        self.end(name);
    }

    /// The document as it is to be sent.
    pub(in crate::payload::csdl) fn finish(self) -> String {
        self.out
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.indent();
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.escaped(value);
            self.out.push('"');
        }
    }

    fn end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push_str(">\n");
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n("  ", self.depth));
    }

    /// A text that means the same in an attribute and between tags. Line
    /// breaks and tabs are written as references, or attributes would turn
    /// them into blanks; what XML cannot hold at all becomes U+FFFD.
    fn escaped(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\t' => self.out.push_str("&#9;"),
                '\n' => self.out.push_str("&#10;"),
                '\r' => self.out.push_str("&#13;"),
                '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => self.out.push('\u{fffd}'),
                letter => self.out.push(letter),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_nest_and_texts_are_escaped() {
        let mut xml = Xml::new();
        xml.element("a", &[("x", "1 < 2 & \"q\"")], |xml| {
            xml.text("b", "a\tb\n</b>\u{1}");
            xml.element("c", &[], |_| {});
            xml.empty("d", &[("y", "'")]);
        });
        insta::assert_snapshot!(xml.finish(), @r#"
        <?xml version="1.0" encoding="utf-8"?>
        <a x="1 &lt; 2 &amp; &quot;q&quot;">
          <b>a&#9;b&#10;&lt;/b&gt;�</b>
          <c/>
          <d y="'"/>
        </a>
        "#);
    }
}
