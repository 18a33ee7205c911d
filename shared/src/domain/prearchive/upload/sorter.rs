//! Sorting the files of an upload by study, and cutting them into pages of records.

use std::collections::BTreeMap;

use super::{MAX_STUDIES, UploadError};
use crate::domain::prearchive::segment::{ArrivedFile, FILES_PER_PAGE, SegmentPage, SeriesPart};
use crate::imaging::summary::SeriesSummary;
use crate::imaging::{DicomHeader, HeaderError, Preamble};
use crate::intake::{Entry, EntryVisitor};

/// Files of which an upload's ignored ones are named, at most.
const MAX_NAMED_IGNORED: usize = 20;

/// A study as it arrived in one upload.
pub struct ArrivedStudy {
    /// StudyInstanceUID, not empty.
    pub study_uid: String,
    /// The header of the study's first file: it decides where the study goes.
    pub first: DicomHeader,
    /// How many files.
    pub files: u64,
    pub(in crate::domain::prearchive) pages: Vec<SegmentPage>,
    page_files: usize,
    page_bytes: usize,
}

/// Sorts files by study as they are listed.
#[derive(Default)]
pub(super) struct Sorter {
    pub(super) studies: Vec<ArrivedStudy>,
    by_uid: BTreeMap<String, usize>,
    pub(super) ignored: Vec<(String, String)>,
    pub(super) ignored_count: u64,
    pub(super) odd_preambles: u64,
    ordinal: u32,
}

impl EntryVisitor<Result<Box<DicomHeader>, HeaderError>> for Sorter {
    type Error = UploadError;

    fn entry(&mut self, entry: Entry<Result<Box<DicomHeader>, HeaderError>>) -> Result<(), UploadError> {
        let ordinal = self.ordinal;
        self.ordinal = self.ordinal.saturating_add(1);
        let header = match entry.result {
            Ok(header) => header,
            Err(reason) => {
                self.ignore(entry.name.as_str(), reason.to_string());
                return Ok(());
            }
        };
        if header.is_dicomdir() {
            self.ignore(entry.name.as_str(), "a DICOMDIR lists files and is none of a study".to_owned());
            return Ok(());
        }
        if header.study_instance_uid.is_empty() || header.series_instance_uid.is_empty() {
            self.ignore(entry.name.as_str(), "it names no study or no series".to_owned());
            return Ok(());
        }
        self.odd_preambles += u64::from(header.preamble == Preamble::Other);
        let index = match self.by_uid.get(&header.study_instance_uid) {
            Some(index) => *index,
            None => {
                if self.studies.len() >= MAX_STUDIES {
                    return Err(UploadError::TooManyStudies { limit: MAX_STUDIES });
                }
                self.by_uid.insert(header.study_instance_uid.clone(), self.studies.len());
                self.studies.push(ArrivedStudy::new(&header));
                self.studies.len() - 1
            }
        };
        let file = ArrivedFile {
            name: entry.name.as_str().to_owned(),
            alternative: None,
            ordinal,
            extent: entry.extent,
            crc32: entry.crc32,
            sop_class_uid: header.sop_class_uid.clone(),
            sop_instance_uid: header.sop_instance_uid.clone(),
            instance_number: header.instance_number,
        };
        if let Some(study) = self.studies.get_mut(index) {
            study.add(&header, file);
        }
        Ok(())
    }
}

impl Sorter {
    fn ignore(&mut self, name: &str, reason: String) {
        self.ignored_count += 1;
        if self.ignored.len() < MAX_NAMED_IGNORED {
            self.ignored.push((name.to_owned(), reason));
        }
    }

    pub(super) fn check(&self) -> Result<(), UploadError> {
        if !self.studies.is_empty() {
            return Ok(());
        }
        let why = match self.ignored.first() {
            None => "It holds no file.".to_owned(),
            Some((name, reason)) => {
                let name: String = name.chars().take(200).collect();
                format!(
                    "It holds {} file(s), none of them an image of a study; the first, {name:?}: {reason}.",
                    self.ignored_count
                )
            }
        };
        Err(UploadError::NothingParsable { why })
    }
}

/// Encoded bytes of the files of one page, and series on it: a page stays well below the largest record.
const PAGE_FILE_BYTES: usize = 100 * 1024;
const PARTS_PER_PAGE: usize = 8;

impl ArrivedStudy {
    fn new(first: &DicomHeader) -> Self {
        Self {
            study_uid: first.study_instance_uid.clone(),
            first: first.clone(),
            files: 0,
            pages: Vec::new(),
            page_files: FILES_PER_PAGE,
            page_bytes: 0,
        }
    }

    fn add(&mut self, header: &DicomHeader, file: ArrivedFile) {
        let summary = SeriesSummary::of(header);
        self.files += 1;
        let bytes = serde_json::to_vec(&file).map_or(PAGE_FILE_BYTES, |json| json.len());
        let has_part = |page: &SegmentPage| page.parts.iter().any(|part| part.summary.series_uid == summary.series_uid);
        let fits = self.pages.last().is_some_and(|page| page.parts.len() < PARTS_PER_PAGE || has_part(page))
            && self.page_files < FILES_PER_PAGE
            && self.page_bytes + bytes <= PAGE_FILE_BYTES;
        if !fits {
            self.pages.push(SegmentPage { parts: Vec::new() });
            (self.page_files, self.page_bytes) = (0, 0);
        }
        self.page_files += 1;
        self.page_bytes += bytes;
        if let Some(page) = self.pages.last_mut() {
            match page.parts.iter_mut().find(|part| part.summary.series_uid == summary.series_uid) {
                Some(part) => {
                    part.summary.absorb(&summary);
                    part.files.push(file);
                }
                None => page.parts.push(SeriesPart { summary, files: vec![file] }),
            }
        }
    }
}
