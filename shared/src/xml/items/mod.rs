//! Reading the documents of sessions, scans and assessors with all that is in them.

mod assessor;
#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;

pub use assessor::AssessorDocument;

use super::XNAT_NAMESPACE;
use super::assessor::prefix_of;
use super::read::{XmlError, read_tree};
use super::tree::Element;
use crate::imaging::Field;
use crate::imaging::fields::{SCAN_SCHEMA, SESSION_SCHEMA};
use crate::imaging::session::{ImageSession, Scan, Scanner, document_date};
use crate::imaging::types::{ScanType, SessionType};

/// Why a document cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// It is no document of XNAT's.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// It holds something that this version does not take from documents.
    #[error("This version takes image sessions, scans and assessors from a document, but no {what}; leave that out.")]
    NotServed {
        /// What it is, as a noun.
        what: String,
    },
    /// It says something that the item has no field for.
    #[error("{item} has no field {path:?} that can be set; leave it out.")]
    UnknownField {
        /// Which kind of item, as the beginning of a sentence.
        item: &'static str,
        /// The field's path.
        path: String,
    },
    /// A value that cannot be.
    #[error("The value of {path} must be {wanted}.")]
    BadValue {
        /// The field's path.
        path: String,
        /// What it must be.
        wanted: &'static str,
    },
}

/// A resource as a document names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceDocument {
    /// Its label; empty if it has none.
    pub label: String,
    /// Content.
    pub content: String,
    /// Format.
    pub format: String,
    /// Description.
    pub description: String,
    /// Where its catalog or its file is.
    pub uri: String,
    /// How many files it has, if the document says so.
    pub file_count: Option<u64>,
}

/// A scan as a document describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanDocument {
    /// What it is.
    pub scan: Scan,
    /// XNAT's scan type.
    pub scan_type: Option<String>,
    /// XNAT's quality label.
    pub quality: Option<String>,
    /// The session that it says it belongs to; empty if it does not say.
    pub session: String,
    /// Its resources.
    pub resources: Vec<ResourceDocument>,
}

/// A session as a document describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionDocument {
    /// Its identifier; empty if it has none.
    pub id: String,
    /// Its label; empty if it has none.
    pub label: String,
    /// Its project; empty if it names none.
    pub project: String,
    /// Its subject's identifier or label; empty if it names none.
    pub subject: String,
    /// Visit.
    pub visit: String,
    /// Protocol.
    pub protocol: String,
    /// What it is, without its scans.
    pub session: ImageSession,
    /// Its scans.
    pub scans: Vec<ScanDocument>,
    /// Its own resources.
    pub resources: Vec<ResourceDocument>,
    /// Its assessors.
    pub assessors: Vec<AssessorDocument>,
    /// Whether it names other projects that it is in.
    pub is_shared: bool,
}

/// What a document describes.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemDocument {
    /// An image session.
    Session(Box<SessionDocument>),
    /// A scan.
    Scan(Box<ScanDocument>),
    /// An assessor.
    Assessor(Box<AssessorDocument>),
}

/// Reads the document of a session, of a scan or of an assessor.
///
/// # Errors
/// An [`ItemError`].
pub fn read_item(document: &[u8]) -> Result<ItemDocument, ItemError> {
    let is_ours = |namespace: &str, _: &str| prefix_of(namespace).is_some();
    let root = read_tree(document, "MRSession (or another image session, a scan or an assessor)", &is_ours)?;
    if root.namespace != XNAT_NAMESPACE {
        return one_assessor(&root);
    }
    if let Some(kind) = SessionType::of_element(&root.name) {
        return session(&root, kind).map(Box::new).map(ItemDocument::Session);
    }
    match ScanType::of_element(&root.name) {
        Some(kind) => scan(&root, kind).map(Box::new).map(ItemDocument::Scan),
        None => one_assessor(&root),
    }
}

fn one_assessor(root: &Element) -> Result<ItemDocument, ItemError> {
    match assessor::type_of_root(root) {
        Some(kind) => assessor::assessor(root, kind).map(Box::new).map(ItemDocument::Assessor),
        None => Err(ItemError::NotServed { what: format!("xnat:{}", root.name) }),
    }
}

fn has_share(root: &Element) -> bool {
    root.list("sharing", "share").next().is_some()
}

fn session(root: &Element, xsi_type: SessionType) -> Result<SessionDocument, ItemError> {
    let mut document = SessionDocument {
        id: String::new(),
        label: String::new(),
        project: String::new(),
        subject: String::new(),
        visit: String::new(),
        protocol: String::new(),
        session: ImageSession::empty(xsi_type),
        scans: Vec::new(),
        resources: Vec::new(),
        assessors: Vec::new(),
        is_shared: has_share(root),
    };
    for part in &root.children {
        match part.name.as_str() {
            "scans" => {
                for one in part.named("scan") {
                    let named = ScanType::known(&one.xsi_type);
                    let wanted = "the data type of a scan, such as xnat:mrScanData";
                    let kind = named.ok_or_else(|| bad("scans/scan/@xsi:type", wanted))?;
                    document.scans.push(scan(one, kind)?);
                }
            }
            "resources" => {
                document.resources.extend(part.named("resource").map(resource).collect::<Result<Vec<_>, _>>()?)
            }
            "assessors" => {
                let all = part.named("assessor").map(assessor::assessor_of_session);
                document.assessors.extend(all.collect::<Result<Vec<_>, _>>()?);
            }
            // The one place that says what of a session this version does not take from its document.
            "reconstructions" | "regions" if !part.children.is_empty() => {
                return Err(ItemError::NotServed { what: part.name.clone() });
            }
            _ => {}
        }
    }
    let set_aside = ["scans", "resources", "reconstructions", "assessors", "sharing", "regions", "prearchivePath"];
    for (path, value) in root.fields(&set_aside) {
        let session = &mut document.session;
        match path.as_str() {
            "ID" => document.id = value,
            "label" => document.label = value,
            "project" => document.project = value,
            "subject_ID" => document.subject = value.trim().to_owned(),
            "visit" | "visit_id" => document.visit = value,
            "protocol" => document.protocol = value,
            "UID" => session.uid = value,
            "modality" => session.modality = some(value),
            "date" => session.date = date(&path, value)?,
            "time" => session.time = some(value),
            path if set_scanner(&mut session.scanner, path, &value) => {}
            _ => session.fields.push(field("An image session", Some(SESSION_SCHEMA), path, value)?),
        }
    }
    Ok(document)
}

fn scan(root: &Element, xsi_type: ScanType) -> Result<ScanDocument, ItemError> {
    let scan = Scan::empty("", xsi_type);
    let resources = root.named("file").map(resource).collect::<Result<_, _>>()?;
    let mut document = ScanDocument { scan, scan_type: None, quality: None, session: String::new(), resources };
    for (path, value) in root.fields(&["file", "sharing"]) {
        let scan = &mut document.scan;
        match path.as_str() {
            "ID" => scan.id = value,
            "type" => document.scan_type = some(value),
            "quality" => document.quality = some(value),
            "image_session_ID" => document.session = value.trim().to_owned(),
            // A scan is where its session is, and the server numbers it.
            "project" | "xnat_imagescandata_id" => {}
            "UID" => scan.uid = value,
            "series_description" => scan.series_description = some(value),
            "modality" => scan.modality = some(value),
            "frames" => {
                let frames = value.trim().parse().ok().filter(|frames| *frames <= u64::from(u32::MAX));
                scan.frames = frames.ok_or_else(|| bad(&path, "a whole number"))?;
            }
            "startTime" => scan.start_time = some(value),
            "start_date" => scan.start_date = date(&path, value)?,
            path if set_scanner(&mut scan.scanner, path, &value) => {}
            _ => scan.parameters.push(field("A scan", Some(SCAN_SCHEMA), path, value)?),
        }
    }
    Ok(document)
}

fn resource(element: &Element) -> Result<ResourceDocument, ItemError> {
    let text = |name| element.attribute(name).to_owned();
    let file_count = Some(element.attribute("file_count").trim()).filter(|count| !count.is_empty());
    let file_count = file_count.map(|count| count.parse().map_err(|_| bad("file_count", "a whole number")));
    Ok(ResourceDocument {
        label: text("label"),
        content: text("content"),
        format: text("format"),
        description: text("description"),
        uri: text("URI"),
        file_count: file_count.transpose()?,
    })
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn bad(path: &str, wanted: &'static str) -> ItemError {
    ItemError::BadValue { path: path.to_owned(), wanted }
}

fn date(path: &str, value: String) -> Result<Option<String>, ItemError> {
    let value = value.trim();
    let parts: Vec<&str> = value.split('-').collect();
    let is_date = match parts.as_slice() {
        [year, month, day] if value.len() == 10 => document_date(year, month, day).is_some(),
        _ => false,
    };
    match value {
        "" => Ok(None),
        _ if is_date => Ok(Some(value.to_owned())),
        _ => Err(bad(path, "a date as yyyy-MM-dd")),
    }
}

fn set_scanner(scanner: &mut Scanner, path: &str, value: &str) -> bool {
    let part = match path {
        "scanner" => &mut scanner.name,
        "scanner/manufacturer" => &mut scanner.manufacturer,
        "scanner/model" => &mut scanner.model,
        _ => return false,
    };
    value.clone_into(part);
    true
}

/// A field of an item whose schema knows the first step of its path; without a schema any will do.
fn field(item: &'static str, schema: Option<&[&str]>, path: String, value: String) -> Result<Field, ItemError> {
    let head = path.split(['/', '[']).next().unwrap_or_default();
    let is_fit =
        path.len() <= 256 && !path.chars().any(char::is_control) && schema.is_none_or(|schema| schema.contains(&head));
    if !is_fit {
        return Err(ItemError::UnknownField { item, path: path.chars().take(100).collect() });
    }
    Ok(Field::text(path, value))
}
