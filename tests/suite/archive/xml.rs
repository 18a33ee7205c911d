//! Reading a document: its elements in order, for tests.

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// An element, without its place in the tree.
pub(super) struct Element {
    /// Its name with the prefix.
    pub(super) name: String,
    /// The text directly in it.
    pub(super) text: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    fn new(start: &BytesStart<'_>) -> Self {
        let attributes = start.attributes().map(|attribute| {
            let attribute = attribute.unwrap();
            (attribute.key.as_ref().to_owned(), attribute.value.into_owned())
        });
        let attributes = attributes.collect();
        Self { name: start.name().as_ref().to_owned(), text: String::new(), attributes }
    }

    /// The value of an attribute, empty when there is none.
    pub(super) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }
}

/// The elements in the order of the document; fails the test where it is not well-formed.
pub(super) fn elements(xml: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let mut elements = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("not well-formed ({error}): {xml}")) {
            Event::Start(start) => {
                open.push(elements.len());
                elements.push(Element::new(&start));
            }
            Event::Empty(start) => elements.push(Element::new(&start)),
            Event::End(_) => drop(open.pop()),
            Event::Text(text) => {
                if let Some(index) = open.last() {
                    elements[*index].text.push_str(text.trim());
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "elements are left open: {xml}");
    elements
}
