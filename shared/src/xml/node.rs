//! A small tree of elements, filled by paths and written once.

use super::schema::TYPE_STEP;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use std::borrow::Cow;
use std::io;

/// An element.
#[derive(Debug, Default)]
pub struct Node {
    /// Its name with the prefix.
    pub name: String,
    /// The step of the path that it stands for: its name, and what tells it from its like.
    key: String,
    attributes: Vec<(String, String)>,
    text: Option<String>,
    children: Vec<Node>,
}

impl Node {
    /// An element without content.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Adds an attribute.
    pub fn attribute(&mut self, name: &str, value: impl Into<String>) {
        self.attributes.push((name.to_owned(), value.into()));
    }

    /// Sets the text.
    pub fn text(&mut self, text: &str) {
        self.text = Some(text.to_owned());
    }

    /// Adds an element.
    pub fn child(&mut self, child: Node) {
        self.children.push(child);
    }

    /// Sets the value at a path below this element, making the elements on the way. The last step is an attribute
    /// if so said. Steps may carry `[name=...]`, which becomes an attribute, or `[n]`, a position.
    ///
    /// Paths may come from clients: one with a step that cannot be an XML name is passed over.
    pub fn set(&mut self, path: &str, value: String, is_attribute: bool) {
        let steps = steps(path);
        let Some((last, before)) = steps.split_last() else { return };
        let is_type = is_attribute && last.whole == TYPE_STEP;
        if !before.iter().all(Step::is_well_formed) || !(is_type || last.is_well_formed()) {
            return;
        }
        let mut node = self;
        for step in if is_attribute { before } else { &steps } {
            let Some(next) = node.descend(step) else { return };
            node = next;
        }
        if is_attribute {
            // An attribute that stands twice would make the document unreadable.
            node.attributes.retain(|(name, _)| name != last.name);
            node.attributes.push((last.name.to_owned(), value));
        } else {
            node.text = Some(value);
        }
    }

    /// The element of a step, made if there is none yet, so that it is always found.
    fn descend(&mut self, step: &Step<'_>) -> Option<&mut Self> {
        if !self.children.iter().any(|child| child.key == step.whole) {
            let mut child = Node { name: format!("xnat:{}", step.name), key: step.whole.to_owned(), ..Self::default() };
            if let Some((attribute, value)) = step.predicate.split_once('=') {
                child.attribute(attribute, value);
            }
            self.children.push(child);
        }
        self.children.iter_mut().find(|child| child.key == step.whole)
    }

    /// Writes the element. Its depth is that of XNAT's schema, a handful.
    pub fn write<W: io::Write>(&self, writer: &mut Writer<W>) -> io::Result<()> {
        let start = start(&self.name, self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        if self.text.is_none() && self.children.is_empty() {
            return writer.write_event(Event::Empty(start));
        }
        writer.write_event(Event::Start(start))?;
        if let Some(text) = &self.text {
            writer.write_event(Event::Text(BytesText::new(&clean(text))))?;
        }
        for child in &self.children {
            child.write(writer)?;
        }
        writer.write_event(Event::End(BytesEnd::new(&self.name)))
    }
}

/// One step of a path.
#[derive(Debug, Clone, Copy)]
struct Step<'a> {
    whole: &'a str,
    name: &'a str,
    predicate: &'a str,
}

impl Step<'_> {
    fn is_well_formed(&self) -> bool {
        is_name(self.name) && self.predicate.split_once('=').is_none_or(|(attribute, _)| is_name(attribute))
    }
}

/// The steps of a path: divided by slashes, but for those within brackets.
fn steps(path: &str) -> Vec<Step<'_>> {
    let mut in_brackets = false;
    let divide = |c: char| {
        in_brackets = (in_brackets || c == '[') && c != ']';
        c == '/' && !in_brackets
    };
    let step = |whole| match str::split_once(whole, '[') {
        Some((name, rest)) => Step { whole, name, predicate: rest.strip_suffix(']').unwrap_or(rest) },
        None => Step { whole, name: whole, predicate: "" },
    };
    path.split(divide).map(step).collect()
}

/// Names of XNAT's schema: ASCII letters, digits, `_`, `-` and `.`, a letter or `_` first.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// The start of a document: the declaration that clients recognise documents by.
pub fn declaration<W: io::Write>(writer: &mut Writer<W>) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))
}

/// A start tag.
pub fn start<'a>(name: &str, attributes: impl IntoIterator<Item = (&'a str, &'a str)>) -> BytesStart<'static> {
    let mut tag = BytesStart::new(name.to_owned());
    for (name, value) in attributes {
        // Readers turn line ends in attributes into blanks; so that all see the same, they are blanks from the start.
        let value = clean(value).replace(['\n', '\r', '\t'], " ");
        tag.push_attribute((name, value.as_str()));
    }
    tag
}

/// The text with U+FFFD for each character that XML 1.0 does not allow (section 2.2).
pub fn clean(text: &str) -> Cow<'_, str> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{FFFD}' | '\u{10000}'..);
    if text.chars().all(allowed) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(node: &Node) -> String {
        let mut writer = Writer::new(Vec::new());
        node.write(&mut writer).unwrap();
        String::from_utf8(writer.into_inner()).unwrap()
    }

    #[test]
    fn paths_make_elements_and_attributes() {
        let mut node = Node::new("r");
        node.set("scanner/model", "M".into(), true);
        node.set("scanner", "S".into(), false);
        node.set("p/add[name=a]", "1".into(), false);
        node.set("p/add[name=b]", "2".into(), false);
        node.set("p/spot[1]", "3".into(), false);
        node.set("p/spot[2]", "4".into(), false);
        assert_eq!(
            written(&node),
            "<r><xnat:scanner model=\"M\">S</xnat:scanner><xnat:p><xnat:add name=\"a\">1</xnat:add>\
             <xnat:add name=\"b\">2</xnat:add><xnat:spot>3</xnat:spot><xnat:spot>4</xnat:spot></xnat:p></r>"
        );
    }

    #[test]
    fn paths_from_clients_cannot_break_out() {
        let mut node = Node::new("r");
        for path in ["a><b", "", "/", "a//b", "a b", "1a", "fields/field[x y=1]", "ä", "a:b"] {
            node.set(path, "x".into(), false);
            node.set(path, "x".into(), true);
        }
        assert_eq!(written(&node), "<r/>");
        node.set("fields/field[name=a/b \"<]", "x".into(), false);
        let expected = "<r><xnat:fields><xnat:field name=\"a/b &quot;&lt;\">x</xnat:field></xnat:fields></r>";
        assert_eq!(written(&node), expected);
    }

    #[test]
    fn nothing_gets_through_unescaped() {
        let mut node = Node::new("r");
        node.set("a", "\"><x>&\n\u{0}\u{FFFE}".into(), true);
        node.set("t", "</t>&amp;]]>\u{8}".into(), false);
        assert_eq!(
            written(&node),
            "<r a=\"&quot;&gt;&lt;x&gt;&amp; \u{FFFD}\u{FFFD}\"><xnat:t>&lt;/t&gt;&amp;amp;]]&gt;\u{FFFD}</xnat:t></r>"
        );
    }
}
