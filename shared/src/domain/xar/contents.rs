//! What lies in a XAR: its files, its documents, its catalogs.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::{Described, Xar, XarError, invalid};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::prearchive::upload::{FileFound, FileSinks, Outcome, Reason, Verdict};
use crate::domain::prearchive::upload_files::{FilesError, ReceivedFile};
use crate::intake::name::ShownName;
use crate::intake::{Entry, EntryVisitor, Extent, ExtentError, ExtentReader};
use crate::storage::pack::{PackReader, PackShape};
use crate::storage::{PackId, StoreError};
use crate::xml::items::{ItemDocument, ItemError, read_item};
use crate::xml::listing::{ListedFile, MAX_CATALOG_BYTES, listed_files};
use crate::xml::read::MAX_DOCUMENT_BYTES;
use crate::xml::read::XmlError;

/// Documents in one XAR, at most.
const MAX_DOCUMENTS: usize = 1_000;

/// How the names of catalogs end: what is called so is never itself a file of a resource, as with XNAT.
const CATALOG_END: &str = "_catalog.xml";

/// A file of a XAR.
#[derive(Debug, Clone)]
pub(super) struct XarFile {
    /// Its number in the archive.
    pub ordinal: u32,
    /// Its path.
    pub path: String,
    /// Where it lies in the pack.
    pub extent: Extent,
    /// CRC-32 of its bytes.
    pub crc32: u32,
    /// SOP Instance UID, if it is a DICOM object.
    pub sop_instance_uid: String,
    /// Instance Number, if it has one.
    pub instance_number: Option<i64>,
    /// Its frames, if it is a DICOM object.
    pub frames: u64,
}

/// What a XAR holds.
#[derive(Debug)]
pub(super) struct Contents {
    /// What its documents describe.
    pub described: Described,
    /// The files that these documents are.
    pub documents: Vec<XarFile>,
    /// Its other files.
    pub files: Vec<XarFile>,
    /// The folder in which all of it stands, with a slash behind it, or nothing.
    pub top: String,
}

impl Contents {
    /// What becomes of each file if none of them is there already.
    pub fn verdicts(&self, pack: PackId) -> Vec<Verdict> {
        let documents = self.documents.iter().map(|file| (file, Some(("document", "its fields are taken over"))));
        let others = self.files.iter().map(|file| {
            let is_read = is_catalog(&file.path);
            (file, is_read.then_some(("catalog", "what it says of files is taken over")))
        });
        let mut all: Vec<_> = documents.chain(others).collect();
        all.sort_unstable_by_key(|(file, _)| file.ordinal);
        let verdict = |(file, read): (&XarFile, Option<(&'static str, &str)>)| Verdict {
            name: file.path.clone(),
            outcome: if read.is_some() { Outcome::Ignored } else { Outcome::Stored },
            reason: read.map(|(code, text)| Reason { code, text: text.to_owned() }),
            sop_instance_uid: file.sop_instance_uid.clone(),
            place: read.is_none().then_some((pack, file.ordinal)),
        };
        all.into_iter().map(verdict).collect()
    }
}

struct Listing(Vec<XarFile>);

impl EntryVisitor<FileFound> for Listing {
    type Error = FilesError;

    fn entry(&mut self, entry: Entry<FileFound>) -> Result<(), FilesError> {
        let (sop_instance_uid, instance_number, frames) = match entry.result {
            FileFound::Image(Ok(header)) => {
                (header.sop_instance_uid.clone(), header.instance_number, u64::from(header.frames))
            }
            FileFound::Image(Err(_)) | FileFound::Archive => (String::new(), None, 0),
        };
        self.0.push(XarFile {
            ordinal: u32::try_from(self.0.len()).unwrap_or(u32::MAX),
            path: entry.name.as_str().to_owned(),
            extent: entry.extent,
            crc32: entry.crc32,
            sop_instance_uid,
            instance_number,
            frames,
        });
        Ok(())
    }
}

fn is_document(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.ends_with(".xml") && !is_catalog(&path)
}

/// Whether a file is called as catalogs are.
pub(super) fn is_catalog(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(CATALOG_END)
}

/// The folder in which documents and data stand: the one that all files are in, unless a document stands beside it.
fn top_of(files: &[XarFile]) -> String {
    if files.iter().any(|file| !file.path.contains('/') && is_document(&file.path)) {
        return String::new();
    }
    let folders: BTreeSet<Option<&str>> =
        files.iter().map(|file| file.path.split_once('/').map(|(folder, _)| folder)).collect();
    match folders.first() {
        Some(Some(folder)) if folders.len() == 1 => format!("{folder}/"),
        _ => String::new(),
    }
}

fn of_document(name: &str, error: ItemError) -> XarError {
    let name = ShownName::new(name);
    match error {
        ItemError::NotServed { .. } => {
            DomainError::NotImplemented { what: format!("{error} (The document {name} of the XAR.)") }.into()
        }
        error => invalid(format!("The document {name} of the XAR cannot be taken. {error}")),
    }
}

fn of_catalog(name: &str, error: &XmlError) -> XarError {
    invalid(format!("The catalog {} of the XAR cannot be read. {error}", ShownName::new(name)))
}

/// What several documents describe together.
fn described(documents: Vec<ItemDocument>) -> Result<Described, XarError> {
    let (mut sessions, mut scans, mut assessors) = (Vec::new(), Vec::new(), Vec::new());
    for document in documents {
        match document {
            ItemDocument::Session(found) => sessions.push(found),
            ItemDocument::Scan(found) => scans.push(*found),
            ItemDocument::Assessor(found) => assessors.push(*found),
        }
    }
    let of_one = || invalid("XAR can only include data for one imaging session.");
    match (sessions.pop(), scans.first(), assessors.first()) {
        (Some(session), None, None) if sessions.is_empty() => Ok(Described::Session(session)),
        (Some(_), None, None) => Err(of_one()),
        (None, Some(first), None) => {
            let of = first.session.clone();
            let is_one = scans.iter().all(|scan| scan.session == of);
            if is_one { Ok(Described::Scans(of, scans)) } else { Err(of_one()) }
        }
        (None, None, Some(first)) => {
            let (of, project) = (first.session.clone(), first.project.clone());
            let is_one = assessors.iter().all(|one| one.session == of && one.project == project);
            if is_one { Ok(Described::Assessors(of, assessors)) } else { Err(of_one()) }
        }
        (None, None, None) => Err(invalid("Unable to locate XNAT xml document.")),
        _ => Err(invalid(
            "Multiple data types cannot share a single XAR. Send the document of a session, or those of scans, or those \
             of assessors.",
        )),
    }
}

impl Core {
    /// Lists a XAR and reads its documents.
    pub(super) async fn looked_through(&self, file: &mut ReceivedFile, is_kept: bool) -> Result<Contents, XarError> {
        let sinks = FileSinks(self.settings.limits);
        let no_archive = || invalid("A XAR must be a zip or a tar.");
        let opened = self.open_archive(file.shape, &file.name, sinks, is_kept, 0).await?.ok_or_else(no_archive)?;
        file.shape = opened.shape;
        if opened.is_single() {
            return Err(no_archive());
        }
        let mut listing = Listing(Vec::new());
        self.visit(opened, &mut listing).await?;
        if listing.0.is_empty() {
            return Err(invalid("Archive file contains no files."));
        }
        let top = top_of(&listing.0);
        let stands_on_top = |path: &str| path.strip_prefix(&top).is_some_and(|rest| !rest.contains('/'));
        let (documents, files): (Vec<XarFile>, Vec<XarFile>) =
            listing.0.into_iter().partition(|file| stands_on_top(&file.path) && is_document(&file.path));
        if documents.len() > MAX_DOCUMENTS {
            return Err(invalid(format!("A XAR may have at most {MAX_DOCUMENTS} documents.")));
        }
        let mut items = Vec::with_capacity(documents.len());
        for document in &documents {
            let bytes = self.bytes_of_xar(file.shape, document, MAX_DOCUMENT_BYTES).await?;
            items.push(read_item(&bytes).map_err(|error| of_document(&document.path, error))?);
        }
        Ok(Contents { described: described(items)?, documents, files, top })
    }

    /// The catalogs among a XAR's files, by their paths, each with its entries.
    pub(super) async fn catalogs_of_xar(&self, xar: &Xar) -> Result<Vec<(String, Vec<ListedFile>)>, XarError> {
        let mut catalogs = Vec::new();
        for file in xar.contents.files.iter().filter(|file| is_catalog(&file.path)) {
            let bytes = self.bytes_of_xar(xar.file.shape, file, MAX_CATALOG_BYTES).await?;
            let listed = listed_files(&bytes).map_err(|error| of_catalog(&file.path, &error))?;
            let Some(listed) = listed else {
                let name = ShownName::new(&file.path);
                return Err(invalid(format!("The file {name} is called as a catalog is, but is none; rename it.")));
            };
            catalogs.push((file.path.clone(), listed));
        }
        Ok(catalogs)
    }

    async fn bytes_of_xar(&self, shape: PackShape, file: &XarFile, limit: usize) -> Result<Vec<u8>, XarError> {
        if file.extent.len > limit as u64 {
            let name = ShownName::new(&file.path);
            return Err(invalid(format!(
                "{name} of the XAR is longer than the {limit} bytes that a document may have."
            )));
        }
        let pack = Rc::new(PackReader::new(self.blobs.clone(), shape));
        let broken = |error: ExtentError| {
            XarError::from(StoreError::Corrupt { key: file.path.clone(), reason: error.to_string() })
        };
        let mut reader = ExtentReader::whole(pack, file.extent, file.crc32).map_err(broken)?;
        let mut bytes = Vec::new();
        while let Some(piece) = reader.next().await.map_err(broken)? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}
