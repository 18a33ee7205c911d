//! Reading catalogs that clients send: which files they list, and what they say of each.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::read::{XmlError, demand_utf8, not_well_formed, predefined, shown, value_of};

/// Longer catalogs are refused, in bytes: those of 100,000 files are shorter.
pub const MAX_CATALOG_BYTES: usize = 64 * 1024 * 1024;

/// Attributes of one element, at most.
const MAX_ATTRIBUTES: usize = 64;

/// A file that a catalog lists, and what it says of it. Size and digest are not asked: they follow from the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedFile {
    /// Its path, relative to the catalog.
    pub uri: String,
    /// Format.
    pub format: String,
    /// Content.
    pub content: String,
    /// Description.
    pub description: String,
    /// Tags.
    pub tags: Vec<String>,
}

/// The entries of a catalog, in their order; `None` for a document that is no catalog.
///
/// # Errors
/// An [`XmlError`].
pub fn listed_files(document: &[u8]) -> Result<Option<Vec<ListedFile>>, XmlError> {
    if document.len() > MAX_CATALOG_BYTES {
        return Err(XmlError::TooLong { limit_bytes: MAX_CATALOG_BYTES });
    }
    let text = std::str::from_utf8(document).map_err(|_| XmlError::Encoding)?;
    let mut reader = Reader::from_str(text.strip_prefix('\u{FEFF}').unwrap_or(text));
    reader.config_mut().check_end_names = true;
    reader.config_mut().expand_empty_elements = true;
    let mut listing = Listing::default();
    loop {
        match reader.read_event().map_err(|error| not_well_formed(&error))? {
            Event::Start(tag) => {
                let name = tag.local_name();
                let is_root = listing.depth == 0;
                if is_root && !matches!(name.as_ref(), "Catalog" | "DCMCatalog") {
                    return Ok(None);
                }
                listing.has_root = true;
                listing.start(name.as_ref(), &tag)?;
            }
            Event::End(_) => listing.end(),
            Event::Text(piece) => listing.text(&piece.xml10_content()),
            Event::CData(piece) => listing.text(&piece.xml10_content()),
            Event::GeneralRef(reference) => {
                match reference.resolve_char_ref().map_err(|error| not_well_formed(&error))? {
                    Some(character) => listing.text(character.encode_utf8(&mut [0; 4])),
                    None => listing.text(predefined(&reference.xml10_content()).ok_or(XmlError::Entity)?),
                }
            }
            Event::Decl(declaration) => demand_utf8(&declaration)?,
            Event::DocType(_) => return Err(XmlError::DocType),
            Event::Eof if listing.has_root && listing.depth == 0 => return Ok(Some(listing.files)),
            Event::Eof => return Err(not_well_formed(&"it ends before its root does")),
            Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
        }
    }
}

#[derive(Default)]
struct Listing {
    files: Vec<ListedFile>,
    has_root: bool,
    depth: usize,
    /// The depth of the entry that is open.
    entry: Option<usize>,
    /// The depth and text of the tag that is open.
    tag: Option<(usize, String)>,
}

impl Listing {
    fn start(&mut self, name: &str, tag: &BytesStart<'_>) -> Result<(), XmlError> {
        self.depth += 1;
        match name {
            "entry" => {
                self.files.push(listed_file(tag)?);
                self.entry = Some(self.depth);
            }
            "tag" if self.entry.is_some() => self.tag = Some((self.depth, String::new())),
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some((_, open)) = &mut self.tag {
            open.push_str(text);
        }
    }

    fn end(&mut self) {
        if let Some((_, text)) = self.tag.take_if(|(depth, _)| *depth == self.depth)
            && let Some(file) = self.files.last_mut().filter(|_| !text.trim().is_empty())
        {
            file.tags.push(text.trim().to_owned());
        }
        self.entry.take_if(|depth| *depth == self.depth);
        self.depth = self.depth.saturating_sub(1);
    }
}

fn listed_file(tag: &BytesStart<'_>) -> Result<ListedFile, XmlError> {
    let (mut file, mut uri) = (ListedFile::default(), None);
    for (number, attribute) in tag.attributes().enumerate() {
        let attribute = attribute.map_err(|error| not_well_formed(&error))?;
        if number >= MAX_ATTRIBUTES {
            return Err(XmlError::TooRich);
        }
        let value = || value_of(&attribute).map(|value| value.into_owned());
        match attribute.key.as_ref() {
            "URI" => uri = Some(value()?),
            "format" => file.format = value()?,
            "content" => file.content = value()?,
            "description" => file.description = value()?,
            _ => {}
        }
    }
    file.uri = uri.ok_or_else(|| not_well_formed(&format!("{} has no URI", shown(tag.name()))))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_with_what_is_said_of_them() {
        let catalog = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<cat:DCMCatalog xmlns:cat=\"c\" UID=\"1\">\
                       <cat:tags><cat:tag>of all</cat:tag></cat:tags><cat:entries>\
                       <cat:entry URI=\"a&amp;b.dcm\" ID=\"1\" format=\"F\" content=\"C\" description=\"d &lt;\"><cat:tags>\
                       <cat:tag>x &amp; y</cat:tag><cat:tag/><cat:tag>z</cat:tag></cat:tags></cat:entry>\
                       <cat:entry URI=\"sub/c.dcm\"><cat:metaFields/></cat:entry></cat:entries></cat:DCMCatalog>";
        let first = ListedFile {
            uri: "a&b.dcm".to_owned(),
            format: "F".to_owned(),
            content: "C".to_owned(),
            description: "d <".to_owned(),
            tags: vec!["x & y".to_owned(), "z".to_owned()],
        };
        let second = ListedFile { uri: "sub/c.dcm".to_owned(), ..ListedFile::default() };
        assert_eq!(listed_files(catalog.as_bytes()).unwrap().unwrap(), [first, second]);
        assert_eq!(listed_files(b"<xnat:MRSession/>").unwrap(), None);
        for bad in ["<Catalog>", "<Catalog><entry/></Catalog>", "<!DOCTYPE a><Catalog/>", "", "<Catalog></b>"] {
            assert!(listed_files(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
