//! Reading catalogs that clients send: which files they list.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::read::{XmlError, demand_utf8, not_well_formed, shown, value_of};

/// Longer catalogs are refused, in bytes: those of 100,000 files are shorter.
pub const MAX_CATALOG_BYTES: usize = 64 * 1024 * 1024;

/// Attributes of one element, at most.
const MAX_ATTRIBUTES: usize = 64;

/// The URIs of a catalog's entries, in their order; `None` for a document that is no catalog. What else a catalog says
/// follows from the files themselves.
///
/// # Errors
/// An [`XmlError`].
pub fn listed_files(document: &[u8]) -> Result<Option<Vec<String>>, XmlError> {
    if document.len() > MAX_CATALOG_BYTES {
        return Err(XmlError::TooLong { limit_bytes: MAX_CATALOG_BYTES });
    }
    let text = std::str::from_utf8(document).map_err(|_| XmlError::Encoding)?;
    let mut reader = Reader::from_str(text.strip_prefix('\u{FEFF}').unwrap_or(text));
    reader.config_mut().check_end_names = true;
    reader.config_mut().expand_empty_elements = true;
    let mut uris = Vec::new();
    let (mut depth, mut has_root) = (0_usize, false);
    loop {
        match reader.read_event().map_err(|error| not_well_formed(&error))? {
            Event::Start(tag) => {
                let name = tag.local_name();
                if depth == 0 {
                    if !matches!(name.as_ref(), "Catalog" | "DCMCatalog") {
                        return Ok(None);
                    }
                    has_root = true;
                }
                depth += 1;
                if name.as_ref() != "entry" {
                    continue;
                }
                let mut uri = None;
                for (number, attribute) in tag.attributes().enumerate() {
                    let attribute = attribute.map_err(|error| not_well_formed(&error))?;
                    if number >= MAX_ATTRIBUTES {
                        return Err(XmlError::TooRich);
                    }
                    if attribute.key.as_ref() == "URI" {
                        uri = Some(value_of(&attribute)?.into_owned());
                    }
                }
                match uri {
                    Some(uri) => uris.push(uri),
                    None => return Err(not_well_formed(&format!("{} has no URI", shown(tag.name())))),
                }
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Decl(declaration) => demand_utf8(&declaration)?,
            Event::DocType(_) => return Err(XmlError::DocType),
            Event::Eof if has_root && depth == 0 => return Ok(Some(uris)),
            Event::Eof => return Err(not_well_formed(&"it ends before its root does")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uris_of_entries_are_read() {
        let catalog = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<cat:DCMCatalog xmlns:cat=\"c\" UID=\"1\"><cat:entries>\
                       <cat:entry URI=\"a&amp;b.dcm\" ID=\"1\"/><cat:entry URI=\"sub/c.dcm\"><cat:metaFields/></cat:entry>\
                       </cat:entries></cat:DCMCatalog>";
        assert_eq!(listed_files(catalog.as_bytes()).unwrap().unwrap(), ["a&b.dcm", "sub/c.dcm"]);
        assert_eq!(listed_files(b"<xnat:MRSession/>").unwrap(), None);
        for bad in ["<Catalog>", "<Catalog><entry/></Catalog>", "<!DOCTYPE a><Catalog/>", "", "<Catalog></b>"] {
            assert!(listed_files(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
