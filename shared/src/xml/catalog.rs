//! Catalogs: the lists of a resource's files. Written entry by entry, so that one of 100,000 files never stands in
//! memory.

use super::node::{Node, declaration, start};
use super::{CATALOG_NAMESPACE, XSI_NAMESPACE};
use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use std::io;

/// Which kind of catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogKind {
    /// `cat:DCMCatalog`: DICOM objects of one series.
    Dicom,
    /// `cat:Catalog`: any files.
    General,
}

impl CatalogKind {
    fn element(self) -> &'static str {
        match self {
            Self::Dicom => "cat:DCMCatalog",
            Self::General => "cat:Catalog",
        }
    }
}

/// What stands before the entries. Empty texts are left out.
#[derive(Debug, Clone, Default)]
pub struct CatalogHead<'a> {
    /// Catalog ID.
    pub id: &'a str,
    /// Series Instance UID, of DICOM catalogs.
    pub uid: &'a str,
}

/// What stands after the entries of a DICOM catalog.
#[derive(Debug, Clone, Default)]
pub struct CatalogTail<'a> {
    /// Columns, rows and number of images.
    pub dimensions: Option<[u64; 3]>,
    /// Voxel size in mm along columns, rows and slices.
    pub voxel_size: Option<[f64; 3]>,
    /// `Sag`, `Cor` or `Tra`.
    pub orientation: Option<&'a str>,
}

/// One file. Empty texts are left out.
#[derive(Debug, Clone, Default)]
pub struct CatalogEntry<'a> {
    /// Path relative to the catalog (or absolute, if the root path is wanted).
    pub uri: &'a str,
    /// ID: the relative path, once archived.
    pub id: &'a str,
    /// File name.
    pub name: &'a str,
    /// Description.
    pub description: &'a str,
    /// Path in XNAT's cache: the relative path.
    pub cache_path: &'a str,
    /// Who added it.
    pub created_by: &'a str,
    /// When, as XNAT writes times.
    pub created_time: &'a str,
    /// Number of the event that added it.
    pub created_event_id: Option<u64>,
    /// Who changed it last.
    pub modified_by: &'a str,
    /// When.
    pub modified_time: &'a str,
    /// Number of the event that changed it last.
    pub modified_event_id: Option<u64>,
    /// MD5 in hexadecimal digits.
    pub digest: &'a str,
    /// Format.
    pub format: &'a str,
    /// Content.
    pub content: &'a str,
    /// SOP Instance UID; an entry with one is a `cat:dcmEntry`.
    pub uid: &'a str,
    /// Instance Number.
    pub instance_number: Option<i64>,
    /// Further values by name: `SIZE`, ...
    pub meta_fields: &'a [(&'a str, &'a str)],
    /// Tags.
    pub tags: &'a [&'a str],
}

/// Writes a catalog in pieces: [`begin`](Self::begin), any number of [`entry`](Self::entry), [`end`](Self::end).
///
/// Each call answers the bytes to send on; nothing is kept but the state.
pub struct CatalogWriter {
    kind: CatalogKind,
    writer: Writer<Vec<u8>>,
    entries: u64,
}

impl CatalogWriter {
    /// Begins a catalog. The document starts with the XML declaration, a line feed, and the root element: clients
    /// recognise catalogs by these bytes.
    pub fn begin(kind: CatalogKind, head: &CatalogHead<'_>) -> io::Result<(Self, Vec<u8>)> {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        declaration(&mut writer)?;
        let own = [("ID", head.id), ("UID", head.uid)].into_iter().filter(|(_, value)| !value.is_empty());
        let namespaces = [("xmlns:cat", CATALOG_NAMESPACE), ("xmlns:xsi", XSI_NAMESPACE)];
        writer.write_event(Event::Start(start(kind.element(), own.chain(namespaces))))?;
        writer.write_event(Event::Start(BytesStart::new("cat:entries")))?;
        let mut this = Self { kind, writer, entries: 0 };
        let bytes = this.take();
        Ok((this, bytes))
    }

    /// Adds a file.
    pub fn entry(&mut self, entry: &CatalogEntry<'_>) -> io::Result<Vec<u8>> {
        self.entries = self.entries.saturating_add(1);
        let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
        let (created, modified) = (number(entry.created_event_id), number(entry.modified_event_id));
        let instance = entry.instance_number.map(|n| n.to_string()).unwrap_or_default();
        let attributes = [
            ("ID", entry.id),
            ("name", entry.name),
            ("description", entry.description),
            ("cachePath", entry.cache_path),
            ("createdBy", entry.created_by),
            ("createdTime", entry.created_time),
            ("createdEventId", created.as_str()),
            ("modifiedBy", entry.modified_by),
            ("modifiedTime", entry.modified_time),
            ("modifiedEventId", modified.as_str()),
            ("digest", entry.digest),
            ("format", entry.format),
            ("content", entry.content),
            ("UID", entry.uid),
            ("instanceNumber", instance.as_str()),
            ("xsi:type", if entry.uid.is_empty() { "" } else { "cat:dcmEntry" }),
        ];
        let given = attributes.into_iter().filter(|(_, value)| !value.is_empty());
        let tag = start("cat:entry", std::iter::once(("URI", entry.uri)).chain(given));
        if entry.meta_fields.is_empty() && entry.tags.is_empty() {
            self.writer.write_event(Event::Empty(tag))?;
            return Ok(self.take());
        }
        self.writer.write_event(Event::Start(tag))?;
        let fields = entry.meta_fields.iter().map(|(name, value)| (Some(*name), *value));
        self.list("cat:metaFields", "cat:metaField", fields)?;
        self.list("cat:tags", "cat:tag", entry.tags.iter().map(|tag| (None, *tag)))?;
        self.writer.write_event(Event::End(BytesEnd::new("cat:entry")))?;
        Ok(self.take())
    }

    /// Ends the catalog.
    pub fn end(mut self, tail: &CatalogTail<'_>) -> io::Result<Vec<u8>> {
        self.writer.write_event(Event::End(BytesEnd::new("cat:entries")))?;
        if let Some(size) = tail.dimensions {
            self.sized("cat:dimensions", size.map(|n| n.to_string()))?;
        }
        if let Some(size) = tail.voxel_size {
            self.sized("cat:voxelRes", size.map(|n| format!("{n:?}")))?;
        }
        if let Some(orientation) = tail.orientation {
            let mut node = Node::new("cat:orientation");
            node.text(orientation);
            node.write(&mut self.writer)?;
        }
        self.writer.write_event(Event::End(BytesEnd::new(self.kind.element())))?;
        let mut bytes = self.take();
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Entries written so far.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    fn list<'a>(
        &mut self,
        list: &str,
        element: &str,
        values: impl ExactSizeIterator<Item = (Option<&'a str>, &'a str)>,
    ) -> io::Result<()> {
        if values.len() == 0 {
            return Ok(());
        }
        self.writer.write_event(Event::Start(BytesStart::new(list)))?;
        for (name, value) in values {
            self.writer.write_event(Event::Start(start(element, name.map(|name| ("name", name)))))?;
            self.writer.write_event(Event::Text(BytesText::new(&super::node::clean(value))))?;
            self.writer.write_event(Event::End(BytesEnd::new(element)))?;
        }
        self.writer.write_event(Event::End(BytesEnd::new(list)))
    }

    fn sized(&mut self, element: &str, size: [String; 3]) -> io::Result<()> {
        let axes = ["x", "y", "z"].into_iter().zip(size.iter().map(String::as_str));
        self.writer.write_event(Event::Empty(start(element, axes)))
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.writer.get_mut())
    }
}
