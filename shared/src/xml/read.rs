//! Reading the documents that clients send.
//!
//! Documents are flat in truth: attributes and elements with text, at paths. What XML can do beyond that (document
//! types, entities of one's own, deep nesting) is refused before anything is made of it.

use std::borrow::Cow;

use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesStart, Event};
use quick_xml::name::{Namespace, QName, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

use super::assessor::prefix_of;
use super::tree::Element;
use super::{XNAT_NAMESPACE, XSI_NAMESPACE};

/// Larger documents are refused, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;
/// Elements inside elements, at most; XNAT's schema has a handful.
const MAX_DEPTH: usize = 16;
/// Elements of a document, at most: a scan has some forty.
const MAX_ELEMENTS: usize = 100_000;
/// Attributes of one element, at most, namespaces among them.
const MAX_ATTRIBUTES: usize = 64;

/// Why a document is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// It is no XML.
    #[error("The document is not well-formed XML: {reason}.")]
    NotWellFormed {
        /// What the reader said.
        reason: String,
    },
    /// It is not in UTF-8.
    #[error("The document is not in UTF-8; send it in UTF-8.")]
    Encoding,
    /// It has a document type.
    #[error("The document has a DOCTYPE, which is not allowed; leave it out.")]
    DocType,
    /// It uses an entity that XML does not define by itself.
    #[error("The document uses an entity that XML does not define; write the text itself.")]
    Entity,
    /// It is longer than a document of its kind may be.
    #[error("The document is longer than the {limit_bytes} bytes allowed.")]
    TooLong {
        /// The limit.
        limit_bytes: usize,
    },
    /// It has too many elements, too many attributes, or too deep ones.
    #[error("The document has too many, too deep or too richly attributed elements.")]
    TooRich,
    /// Its root is another element.
    #[error("The document is a {found:?}, but {wanted} is wanted here.")]
    WrongType {
        /// What its root is.
        found: String,
        /// What is wanted.
        wanted: String,
    },
    /// A name belongs to another namespace than XNAT's.
    #[error("The document has the name {name:?}, which does not belong to a namespace of XNAT's ({XNAT_NAMESPACE}).")]
    ForeignName {
        /// The name.
        name: String,
    },
    /// A name has a prefix that stands for no namespace.
    #[error("The prefix of {name:?} is not bound to a namespace; declare it with xmlns.")]
    UnboundPrefix {
        /// The name.
        name: String,
    },
    /// An element has text and elements in it.
    #[error("The element {path:?} has text beside its elements.")]
    MixedContent {
        /// Its path.
        path: String,
    },
}

/// The attributes and texts of a document, each with its path below the root, in their order.
pub type Values = Vec<(String, String)>;

/// Reads a document whose root is `xnat:{root}`. Attributes have the path of their element with their name behind it;
/// what repeats comes repeatedly. Comments, processing instructions and `xsi:` attributes say nothing.
///
/// # Errors
/// An [`XmlError`].
pub fn read(document: &[u8], root: &str) -> Result<Values, XmlError> {
    read_any(document, root, &|name| name == root).map(|(_, values)| values)
}

/// As [`read`], of a document whose root may be one of several elements; `wanted` says which in words. Gives the root's
/// name as well.
///
/// # Errors
/// An [`XmlError`].
pub fn read_any(document: &[u8], wanted: &str, is_wanted: &dyn Fn(&str) -> bool) -> Result<(String, Values), XmlError> {
    let is_ours = |namespace: &str, name: &str| namespace == XNAT_NAMESPACE && is_wanted(name);
    let root = read_tree(document, wanted, &is_ours)?;
    let values = root.values();
    Ok((root.name, values))
}

/// Reads a document as a tree. `is_wanted` is asked whether the root may be of this namespace and name; the elements
/// inside are of the root's namespace or of one of XNAT's.
///
/// # Errors
/// An [`XmlError`].
pub fn read_tree(document: &[u8], wanted: &str, is_wanted: &dyn Fn(&str, &str) -> bool) -> Result<Element, XmlError> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(XmlError::TooLong { limit_bytes: MAX_DOCUMENT_BYTES });
    }
    let text = std::str::from_utf8(document).map_err(|_| XmlError::Encoding)?;
    let mut reader = NsReader::from_str(text.strip_prefix('\u{FEFF}').unwrap_or(text));
    let config = reader.config_mut();
    config.check_end_names = true;
    config.expand_empty_elements = true;
    let mut reading =
        Reading { wanted, is_wanted, namespace: String::new(), root: None, open: Vec::new(), elements: 0 };
    loop {
        let event = reader.read_event().map_err(|error| not_well_formed(&error))?;
        match event {
            Event::Start(tag) => reading.start(&reader, &tag)?,
            Event::End(_) => reading.end()?,
            Event::Text(piece) => reading.text(&piece.xml10_content())?,
            Event::CData(piece) => reading.text(&piece.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| not_well_formed(&error))?;
                match character {
                    Some(character) => reading.text(character.encode_utf8(&mut [0; 4]))?,
                    None => reading.text(predefined(&reference.xml10_content()).ok_or(XmlError::Entity)?)?,
                }
            }
            Event::Decl(declaration) => demand_utf8(&declaration)?,
            Event::DocType(_) => return Err(XmlError::DocType),
            Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
            Event::Eof => return reading.finish(),
        }
    }
}

/// Refuses a document that says it is in another encoding.
pub(super) fn demand_utf8(declaration: &BytesDecl<'_>) -> Result<(), XmlError> {
    if let Some(encoding) = declaration.encoding() {
        let encoding = encoding.map_err(|error| not_well_formed(&error))?;
        if !["utf-8", "utf8", "us-ascii"].contains(&encoding.to_ascii_lowercase().as_str()) {
            return Err(XmlError::Encoding);
        }
    }
    Ok(())
}

/// The five entities that XML defines.
pub(super) fn predefined(name: &str) -> Option<&'static str> {
    Some(match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "apos" => "'",
        "quot" => "\"",
        _ => return None,
    })
}

pub(super) fn not_well_formed(error: &dyn std::fmt::Display) -> XmlError {
    let reason: String = error.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
    XmlError::NotWellFormed { reason: reason.trim_end_matches('.').to_owned() }
}

struct Reading<'r> {
    wanted: &'r str,
    is_wanted: &'r dyn Fn(&str, &str) -> bool,
    /// The root's.
    namespace: String,
    root: Option<Element>,
    /// The elements that have begun.
    open: Vec<Element>,
    elements: usize,
}

impl Reading<'_> {
    fn start(&mut self, reader: &NsReader<&[u8]>, tag: &BytesStart<'_>) -> Result<(), XmlError> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS || self.open.len() >= MAX_DEPTH {
            return Err(XmlError::TooRich);
        }
        if self.root.is_some() {
            return Err(not_well_formed(&"it has more than one root"));
        }
        let is_name =
            |name: QName<'_>| name.as_ref().chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'));
        let bad_name = || not_well_formed(&"it has a name that is none");
        if !is_name(tag.name()) {
            return Err(bad_name());
        }
        let resolver = reader.resolver();
        let (namespace, name) = resolver.resolve_element(tag.name());
        let namespace = match namespace {
            ResolveResult::Bound(Namespace(namespace)) => namespace,
            _ => "",
        };
        let name = name.as_ref();
        if self.open.is_empty() {
            if !(self.is_wanted)(namespace, name) {
                let (found, wanted) = (shown(tag.name()), format!("xnat:{}", self.wanted));
                return Err(XmlError::WrongType { found, wanted });
            }
            self.namespace = namespace.to_owned();
        } else if namespace != self.namespace && prefix_of(namespace).is_none() {
            return Err(XmlError::ForeignName { name: shown(tag.name()) });
        }
        let mut element = Element { name: name.to_owned(), namespace: namespace.to_owned(), ..Element::default() };
        for (number, attribute) in tag.attributes().enumerate() {
            let attribute = attribute.map_err(|error| not_well_formed(&error))?;
            if number >= MAX_ATTRIBUTES {
                return Err(XmlError::TooRich);
            }
            if !is_name(attribute.key) {
                return Err(bad_name());
            }
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            match resolver.resolve_attribute(attribute.key) {
                (ResolveResult::Unbound, name) => {
                    element.attributes.push((name.as_ref().to_owned(), checked(&value_of(&attribute)?)?));
                }
                (ResolveResult::Bound(Namespace(XSI_NAMESPACE)), name) => {
                    if name.as_ref() == "type" {
                        element.xsi_type = type_named(reader, value_of(&attribute)?.trim())?;
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
        let is_blank = element.text.chars().all(char::is_whitespace);
        if !element.children.is_empty() || self.open.is_empty() {
            if !is_blank {
                let names = self.open.iter().skip(1).map(|open| open.name.as_str()).chain([element.name.as_str()]);
                let path = if self.open.is_empty() { String::new() } else { names.collect::<Vec<_>>().join("/") };
                return Err(XmlError::MixedContent { path });
            }
            element.text.clear();
        } else if is_blank && !element.attributes.is_empty() {
            element.text.clear();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, XmlError> {
        self.root.ok_or_else(|| not_well_formed(&"it ends before its root does"))
    }
}

/// The type that the value of an `xsi:type` names, with the prefix that XNAT's documents have for its namespace; one of
/// another namespace, or of none, has the namespace itself before it, in braces.
fn type_named(reader: &NsReader<&[u8]>, value: &str) -> Result<String, XmlError> {
    let value = checked(value)?;
    // What holds for an element's name holds for a type's (XML Schema, 3.3.2): without a prefix it is of the default namespace.
    match reader.resolver().resolve_element(QName(&value)) {
        (ResolveResult::Unknown(_), _) => Err(XmlError::UnboundPrefix { name: shown(QName(&value)) }),
        (ResolveResult::Bound(Namespace(namespace)), name) => Ok(match prefix_of(namespace) {
            Some(prefix) => format!("{prefix}:{}", name.as_ref()),
            None => format!("{{{namespace}}}{}", name.as_ref()),
        }),
        (ResolveResult::Unbound, name) => Ok(name.as_ref().to_owned()),
    }
}

pub(super) fn shown(name: QName<'_>) -> String {
    name.as_ref().chars().take(100).collect()
}

pub(super) fn value_of<'a>(attribute: &Attribute<'a>) -> Result<Cow<'a, str>, XmlError> {
    use quick_xml::escape::EscapeError;
    attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| match error {
        quick_xml::Error::Escape(EscapeError::UnrecognizedEntity(..)) => XmlError::Entity,
        error => not_well_formed(&error),
    })
}

/// Refuses characters that XML does not know, which character references can bring in.
fn checked(text: &str) -> Result<String, XmlError> {
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    if text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(not_well_formed(&"it has a character that XML does not allow"))
    }
}

#[cfg(test)]
mod tests;
