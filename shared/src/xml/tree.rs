//! Reading documents whose elements repeat and hold others: as a small tree, within the same bounds of form as
//! [`super::read`], but of a size that a session with many scans may have.

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, QName, ResolveResult};

use super::read::{XmlError, checked, not_well_formed, predefined, shown, value_of};
use super::{XNAT_NAMESPACE, XSI_NAMESPACE};

/// Longer documents of sessions are refused, in bytes: those of some thousand scans are shorter.
pub const MAX_TREE_BYTES: usize = 4 * 1024 * 1024;
/// Elements inside elements, at most; XNAT's schema has a handful.
const MAX_DEPTH: usize = 16;
/// Elements of a document, at most.
const MAX_ELEMENTS: usize = 50_000;
/// Attributes of one element, at most, namespaces among them.
const MAX_ATTRIBUTES: usize = 64;

/// An element of XNAT's namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name without prefix.
    pub name: String,
    /// What `xsi:type` says.
    pub xsi_type: Option<String>,
    /// Its attributes but those of XML Schema.
    pub attributes: Vec<(String, String)>,
    /// Its text; blank where it has elements.
    pub text: String,
    /// The elements in it.
    pub children: Vec<Element>,
}

impl Element {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The elements of this name in it.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Reads a document all of whose elements are XNAT's.
///
/// # Errors
/// An [`XmlError`].
pub fn read_tree(document: &[u8]) -> Result<Element, XmlError> {
    if document.len() > MAX_TREE_BYTES {
        return Err(XmlError::TooLong { limit_bytes: MAX_TREE_BYTES });
    }
    let text = std::str::from_utf8(document).map_err(|_| XmlError::Encoding)?;
    let mut reader = NsReader::from_str(text.strip_prefix('\u{FEFF}').unwrap_or(text));
    let config = reader.config_mut();
    config.check_end_names = true;
    config.expand_empty_elements = true;
    let mut growing = Growing::default();
    loop {
        let event = reader.read_event().map_err(|error| not_well_formed(&error))?;
        match event {
            Event::Start(tag) => growing.start(&reader, &tag)?,
            Event::End(_) => growing.end()?,
            Event::Text(piece) => growing.text(&piece.xml10_content())?,
            Event::CData(piece) => growing.text(&piece.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| not_well_formed(&error))?;
                match character {
                    Some(character) => growing.text(character.encode_utf8(&mut [0; 4]))?,
                    None => growing.text(predefined(&reference.xml10_content()).ok_or(XmlError::Entity)?)?,
                }
            }
            Event::Decl(declaration) => super::read::demand_utf8(&declaration)?,
            Event::DocType(_) => return Err(XmlError::DocType),
            Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
            Event::Eof => return growing.finish(),
        }
    }
}

/// A tree that is being read.
#[derive(Default)]
struct Growing {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Growing {
    fn start(&mut self, reader: &NsReader<&[u8]>, tag: &BytesStart<'_>) -> Result<(), XmlError> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS || self.open.len() >= MAX_DEPTH {
            return Err(XmlError::TooRich);
        }
        if self.root.is_some() {
            return Err(not_well_formed(&"it has more than one root"));
        }
        let resolver = reader.resolver();
        let (namespace, name) = resolver.resolve_element(tag.name());
        if namespace != ResolveResult::Bound(Namespace(XNAT_NAMESPACE)) || !is_name(tag.name()) {
            return Err(XmlError::ForeignName { name: shown(tag.name()) });
        }
        let mut element = Element { name: name.as_ref().to_owned(), ..Element::default() };
        for (number, attribute) in tag.attributes().enumerate() {
            let attribute = attribute.map_err(|error| not_well_formed(&error))?;
            if number >= MAX_ATTRIBUTES {
                return Err(XmlError::TooRich);
            }
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let value = checked(&value_of(&attribute)?)?;
            match resolver.resolve_attribute(attribute.key) {
                (ResolveResult::Unbound, name) if is_name(attribute.key) => {
                    element.attributes.push((name.as_ref().to_owned(), value));
                }
                (ResolveResult::Bound(Namespace(XSI_NAMESPACE)), name) => {
                    if name.as_ref() == "type" {
                        element.xsi_type = Some(value);
                    }
                }
                _ => return Err(XmlError::ForeignName { name: shown(attribute.key) }),
            }
        }
        self.open.push(element);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(&checked(text)?),
            None if text.chars().all(char::is_whitespace) => {}
            None => return Err(not_well_formed(&"it has text outside its root")),
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), XmlError> {
        let Some(mut element) = self.open.pop() else {
            return Err(not_well_formed(&"an element ends that never began"));
        };
        if !element.children.is_empty() {
            if !element.text.chars().all(char::is_whitespace) {
                return Err(XmlError::MixedContent { path: element.name });
            }
            element.text = String::new();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, XmlError> {
        match self.root {
            Some(root) if self.open.is_empty() => Ok(root),
            _ => Err(not_well_formed(&"it ends before its root does")),
        }
    }
}

fn is_name(name: QName<'_>) -> bool {
    name.as_ref().chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
}
