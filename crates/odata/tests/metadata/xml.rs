//! As much of an XML reader as it takes to read `$metadata`: elements,
//! attributes, texts and references, no more. It panics at anything else.

/// An element with all that is in it.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    pub text: String,
}

impl Element {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element of this name, however deep.
    pub fn find(&self, name: &str) -> &Element {
        fn seek<'a>(element: &'a Element, name: &str) -> Option<&'a Element> {
            if element.name == name {
                return Some(element);
            }
            element.children.iter().find_map(|child| seek(child, name))
        }
        seek(self, name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// Shows this element and all that are in it.
    pub fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Element)) {
        see(self);
        self.children.iter().for_each(|child| child.visit(see));
    }
}

/// The root element of a document.
pub fn parse(text: &str) -> Element {
    let (declaration, mut rest) = text.split_once("?>").expect("a declaration");
    assert_eq!(declaration, "<?xml version=\"1.0\" encoding=\"utf-8\"");
    let root = element(&mut rest);
    assert_eq!(rest.trim(), "");
    root
}

fn element(rest: &mut &str) -> Element {
    let inside = rest.trim_start().strip_prefix('<').expect("an element");
    let (tag, after) = inside.split_once('>').expect("the end of a tag");
    let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
    let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
    *rest = after;
    let mut found = Element {
        name: name.to_owned(),
        attributes: read_attributes(attributes),
        children: Vec::new(),
        text: String::new(),
    };
    if !empty {
        content(&mut found, rest);
    }
    found
}

fn content(owner: &mut Element, rest: &mut &str) {
    let end = format!("</{}>", owner.name);
    loop {
        let (text, _) = rest.split_once('<').expect("the end of an element");
        owner.text.push_str(&plain(text.trim()));
        *rest = &rest[text.len()..];
        if let Some(after) = rest.strip_prefix(end.as_str()) {
            *rest = after;
            return;
        }
        owner.children.push(element(rest));
    }
}

fn read_attributes(mut text: &str) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    while let Some((name, after)) = text.trim_start().split_once("=\"") {
        let (value, after) = after.split_once('"').expect("the end of an attribute");
        assert!(!value.contains('<'), "{value}");
        attributes.push((name.to_owned(), plain(value)));
        text = after;
    }
    assert_eq!(text, "");
    attributes
}

fn plain(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (reference, after) = part.split_once(';').expect("the end of a reference");
        plain.push(match reference {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#9" => '\t',
            "#10" => '\n',
            "#13" => '\r',
            other => panic!("&{other};"),
        });
        plain.push_str(after);
    }
    plain
}
