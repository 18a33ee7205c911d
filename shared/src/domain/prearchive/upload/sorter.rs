//! Sorting the files of an upload by study, and cutting them into pages of records.

use std::collections::BTreeMap;

use super::rules::{Formats, Naming, Others, UploadRules};
use super::sink::FileFound;
use super::verdict::{Outcome, Reason, Verdict};
use super::{MAX_STUDIES, UploadError};
use crate::domain::prearchive::segment::{ArrivedFile, FILES_PER_PAGE, SegmentPage, SeriesPart};
use crate::imaging::naming::{self, NameTemplate};
use crate::imaging::summary::SeriesSummary;
use crate::imaging::{DicomHeader, Preamble};
use crate::intake::name::ShownName;
use crate::intake::{Entry, EntryVisitor, Extent};
use crate::storage::PackId;

/// A study as it arrived in one upload.
pub struct ArrivedStudy {
    /// StudyInstanceUID, not empty.
    pub study_uid: String,
    /// The header of the study's first file: it decides where the study goes.
    pub first: DicomHeader,
    /// How many files.
    pub files: u64,
    /// Its files, by the packs in which they lie.
    pub(in crate::domain::prearchive) runs: Vec<StudyRun>,
    page_files: usize,
    page_bytes: usize,
}

/// The files of a study in one pack.
pub(in crate::domain::prearchive) struct StudyRun {
    pub pack: PackId,
    pub pages: Vec<SegmentPage>,
}

/// A file of the upload that is itself an archive, to be opened.
pub(super) struct Nested {
    /// The path with which it came.
    pub name: String,
    pub extent: Extent,
    pub crc32: u32,
}

/// Sorts files by study as they are listed.
pub(super) struct Sorter {
    rules: UploadRules,
    template: NameTemplate,
    pub(super) studies: Vec<ArrivedStudy>,
    by_uid: BTreeMap<String, usize>,
    pub(super) verdicts: Vec<Verdict>,
    /// The first file that was left out, and why.
    first_ignored: Option<(String, String)>,
    pub(super) ignored_count: u64,
    pub(super) odd_preambles: u64,
    pub(super) cut_off: u64,
    /// Archives found in the pack that is being listed.
    pub(super) nested: Vec<Nested>,
    pack: Option<PackId>,
    /// What stands before the names of an archive inside the upload.
    prefix: String,
    /// Whether the file that comes is a body that the client gave no name: its own tells nothing.
    pub(super) is_nameless: bool,
    /// Whether archives inside are opened.
    opens_archives: bool,
    ordinal: u32,
}

impl EntryVisitor<FileFound> for Sorter {
    type Error = UploadError;

    fn entry(&mut self, entry: Entry<FileFound>) -> Result<(), UploadError> {
        let ordinal = self.ordinal;
        self.ordinal = self.ordinal.saturating_add(1);
        let name = entry.name.as_str();
        let header = match entry.result {
            FileFound::Image(Ok(header)) => header,
            FileFound::Image(Err(error)) => return self.leave_out(name, error.code(), error.to_string()),
            FileFound::Archive if self.opens_archives => {
                let nested =
                    Nested { name: format!("{}{name}", self.prefix), extent: entry.extent, crc32: entry.crc32 };
                self.nested.push(nested);
                return Ok(());
            }
            FileFound::Archive => {
                return self.leave_out(name, "archive", "it is an archive inside an archive that is not opened");
            }
        };
        match (self.rules.formats, header.is_ecat()) {
            (Formats::Both, _) | (Formats::Dicom, false) | (Formats::Ecat, true) => {}
            (Formats::Dicom, true) => return self.leave_out(name, "not-dicom", "it is ECAT, not DICOM"),
            (Formats::Ecat, false) => return self.leave_out(name, "not-ecat", "it is DICOM, not ECAT"),
        }
        if header.is_dicomdir() {
            // Media have one; nobody means it as an image.
            self.note_ignored(name, "dicomdir", "a DICOMDIR lists files and is none of a study");
            return Ok(());
        }
        if header.study_instance_uid.is_empty() || header.series_instance_uid.is_empty() {
            let missing = if header.study_instance_uid.is_empty() { "study" } else { "series" };
            return self.leave_out(name, "no-study", format!("it names no {missing}"));
        }
        self.odd_preambles += u64::from(header.preamble == Preamble::Other);
        let is_cut_off = header.least_bytes.is_some_and(|least| least > entry.extent.len);
        self.cut_off += u64::from(is_cut_off);
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
        let Some(pack) = self.pack else { return Ok(()) };
        if self.rules.wants_verdicts {
            self.verdicts.push(Verdict {
                name: format!("{}{name}", self.prefix),
                outcome: Outcome::Stored,
                reason: is_cut_off.then(|| Reason {
                    code: "truncated",
                    text: "the file ends before its pixel data does; it is kept as it is".to_owned(),
                }),
                sop_instance_uid: header.sop_instance_uid.clone(),
                place: Some((pack, ordinal)),
            });
        }
        let (name, alternative) = self.names(name, &header);
        let file = ArrivedFile {
            name,
            alternative,
            replaces: self.rules.replaces,
            ordinal,
            extent: entry.extent,
            crc32: entry.crc32,
            sop_class_uid: header.sop_class_uid.clone(),
            sop_instance_uid: header.sop_instance_uid.clone(),
            instance_number: header.instance_number,
        };
        if let Some(study) = self.studies.get_mut(index) {
            study.add(pack, &header, file);
        }
        Ok(())
    }
}

impl Sorter {
    pub(super) fn new(rules: UploadRules, template: NameTemplate) -> Self {
        Self {
            rules,
            template,
            studies: Vec::new(),
            by_uid: BTreeMap::new(),
            verdicts: Vec::new(),
            first_ignored: None,
            ignored_count: 0,
            odd_preambles: 0,
            cut_off: 0,
            nested: Vec::new(),
            pack: None,
            prefix: String::new(),
            is_nameless: false,
            opens_archives: false,
            ordinal: 0,
        }
    }

    pub(super) fn rules(&self) -> &UploadRules {
        &self.rules
    }

    /// The files that follow lie in this pack; the first has this number there.
    pub(super) fn enter(&mut self, pack: PackId, prefix: &str, opens_archives: bool, ordinal: u32) {
        self.pack = Some(pack);
        self.prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        self.opens_archives = opens_archives;
        self.ordinal = ordinal;
    }

    /// The name under which a file is stored, and the one for when that is taken.
    fn names(&self, name: &str, header: &DicomHeader) -> (String, Option<String>) {
        match self.rules.naming {
            Naming::Kept => (name.to_owned(), None),
            Naming::Gradual { rename } => {
                let template = self.template.name(header);
                let original = Some(name).filter(|name| !name.is_empty() && !self.is_nameless);
                let stored = naming::gradual_file_name(original, rename, &self.template, header);
                let other = Some(template).filter(|template| *template != stored);
                (stored, other)
            }
        }
    }

    /// A file that is no image: refuses the upload if it must be one.
    pub(super) fn leave_out(
        &mut self,
        name: &str,
        code: &'static str,
        text: impl Into<String>,
    ) -> Result<(), UploadError> {
        let text = text.into();
        if self.rules.others == Others::Refused {
            return Err(UploadError::NotAnImage { name: ShownName::new(name), reason: text });
        }
        self.note_ignored(name, code, text);
        Ok(())
    }

    fn note_ignored(&mut self, name: &str, code: &'static str, text: impl Into<String>) {
        let text = text.into();
        self.ignored_count += 1;
        if self.first_ignored.is_none() {
            self.first_ignored = Some((name.to_owned(), text.clone()));
        }
        if self.rules.wants_verdicts {
            self.verdicts.push(Verdict {
                name: format!("{}{name}", self.prefix),
                outcome: Outcome::Ignored,
                reason: Some(Reason { code, text }),
                sop_instance_uid: String::new(),
                place: None,
            });
        }
    }

    pub(super) fn check(&self) -> Result<(), UploadError> {
        if !self.studies.is_empty() {
            return Ok(());
        }
        let why = match &self.first_ignored {
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
            runs: Vec::new(),
            page_files: FILES_PER_PAGE,
            page_bytes: 0,
        }
    }

    fn add(&mut self, pack: PackId, header: &DicomHeader, file: ArrivedFile) {
        let summary = SeriesSummary::of(header);
        self.files += 1;
        if self.runs.last().is_none_or(|run| run.pack != pack) {
            self.runs.push(StudyRun { pack, pages: Vec::new() });
        }
        let Some(run) = self.runs.last_mut() else { return };
        let bytes = serde_json::to_vec(&file).map_or(PAGE_FILE_BYTES, |json| json.len());
        let has_part = |page: &SegmentPage| page.parts.iter().any(|part| part.summary.series_uid == summary.series_uid);
        let fits = run.pages.last().is_some_and(|page| page.parts.len() < PARTS_PER_PAGE || has_part(page))
            && self.page_files < FILES_PER_PAGE
            && self.page_bytes + bytes <= PAGE_FILE_BYTES;
        if !fits {
            run.pages.push(SegmentPage { parts: Vec::new() });
            (self.page_files, self.page_bytes) = (0, 0);
        }
        self.page_files += 1;
        self.page_bytes += bytes;
        if let Some(page) = run.pages.last_mut() {
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
