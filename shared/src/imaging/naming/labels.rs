//! Project, subject and session of an object, and the `Key:value` notes in its comments.

use sha2::{Digest, Sha256};

use crate::imaging::header::DicomHeader;
use crate::imaging::tags::{self, Tag};

/// The elements that `Key:value` notes are looked for in, in order.
const NOTE_TAGS: [Tag; 3] = [tags::PATIENT_COMMENTS, tags::STUDY_COMMENTS, tags::ADDITIONAL_PATIENT_HISTORY];

/// The same of ECAT files, which have no comments.
const ECAT_NOTE_TAGS: [Tag; 1] = [tags::STUDY_DESCRIPTION];

/// What an object's notes ask for about archiving without review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoArchive {
    /// `AA:true`: archive as soon as the session is complete.
    Archive,
    /// `AA:false`: wait for a person.
    Manual,
}

/// The names to look the project up by, best first: a `Project:` note, Study Description, Accession Number.
///
/// XNAT's rule: each is tried as a project's ID or alias that the user may upload to; the first that matches wins.
/// The values are as they stand in the header, unchecked.
pub fn project_candidates(header: &DicomHeader) -> Vec<String> {
    let mut candidates: Vec<String> = Vec::new();
    let notes = note_tags(header).iter().filter_map(|&tag| note(header.get(tag)?, "Project"));
    let whole = [tags::STUDY_DESCRIPTION, tags::ACCESSION_NUMBER].into_iter().filter_map(|tag| header.get(tag));
    for candidate in notes.chain(whole).map(str::trim) {
        if !candidate.is_empty() && !candidates.iter().any(|known| known == candidate) {
            candidates.push(candidate.to_owned());
        }
    }
    candidates
}

/// The subject's label, cleaned: a `Subject:` note, else Patient's Name. `None` if neither has a value.
pub fn subject_label(header: &DicomHeader) -> Option<String> {
    label(header, "Subject", tags::PATIENT_NAME)
}

/// The session's label, cleaned: a `Session:` note, else Patient ID. `None` if neither has a value.
pub fn session_label(header: &DicomHeader) -> Option<String> {
    label(header, "Session", tags::PATIENT_ID)
}

/// What an `AA:` note asks for, if there is one that says true or false.
pub fn auto_archive(header: &DicomHeader) -> Option<AutoArchive> {
    let value = first_note(header, "AA")?.to_ascii_lowercase();
    match value.as_str() {
        "true" | "t" => Some(AutoArchive::Archive),
        "false" | "f" => Some(AutoArchive::Manual),
        _ => None,
    }
}

/// The longest label of a subject or session, in characters.
pub const MAX_LABEL_CHARS: usize = 128;

/// Characters of the hash with which a label ends that was too long.
const HASH_CHARS: usize = 16;

/// A cleaned label of at most [`MAX_LABEL_CHARS`] characters: a longer one is its first part, `-` and 16 hexadecimal
/// digits of the whole one's SHA-256, so that the same text gives the same label and another text another one.
pub fn fitted_label(label: &str) -> String {
    let cleaned = clean_label(label);
    if cleaned.len() <= MAX_LABEL_CHARS {
        return cleaned;
    }
    let hash: String = Sha256::digest(label.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let kept = MAX_LABEL_CHARS - HASH_CHARS - 1;
    cleaned.chars().take(kept).chain(['-']).chain(hash.chars().take(HASH_CHARS)).collect()
}

/// A label with every character other than ASCII letters, digits, `_` and `-` replaced by `_`.
pub fn clean_label(label: &str) -> String {
    label.chars().map(|c| if is_label_char(c) { c } else { '_' }).collect()
}

pub(super) fn is_label_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn label(header: &DicomHeader, key: &str, fallback: Tag) -> Option<String> {
    let value = first_note(header, key).or(header.get(fallback))?.trim();
    (!value.is_empty()).then(|| fitted_label(value))
}

fn first_note<'a>(header: &'a DicomHeader, key: &str) -> Option<&'a str> {
    note_tags(header).iter().find_map(|&tag| note(header.get(tag)?, key))
}

fn note_tags(header: &DicomHeader) -> &'static [Tag] {
    if header.is_ecat() { &ECAT_NOTE_TAGS } else { &NOTE_TAGS }
}

/// The value of `Key:value` in a text: the key in any case, at the start or after a separator; blanks around the
/// colon; the value of letters, digits, `_` and `-`, up to a separator or the end.
fn note<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let is_separator = |c: char| c.is_whitespace() || c == ',' || c == ';';
    text.char_indices().find_map(|(at, _)| {
        let (before, here) = text.split_at_checked(at)?;
        let (found, after) = here.split_at_checked(key.len())?;
        if !found.eq_ignore_ascii_case(key) || !before.chars().next_back().is_none_or(is_separator) {
            return None;
        }
        let value = after.trim_start().strip_prefix(':')?.trim_start();
        let end = value.find(|c| !is_label_char(c)).unwrap_or(value.len());
        let (value, rest) = value.split_at_checked(end)?;
        (!value.is_empty() && rest.chars().next().is_none_or(is_separator)).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::testing::{DataSet, MR, part10, read};

    fn header(values: &[(Tag, &str)]) -> DicomHeader {
        let mut set = DataSet::default().identified(MR, "1.2.3.4", "1.2.3", "1.2.3.1", "MR");
        for (tag, value) in values {
            set = set.text(*tag, "LO", value);
        }
        read(&part10("1.2.840.10008.1.2.1", &set.bytes)).unwrap()
    }

    #[test]
    fn notes_are_found_as_xnat_finds_them() {
        let text = "Project:DEMO Subject:S01; Session:S01_MR1 AA:true";
        assert_eq!(note(text, "Project"), Some("DEMO"));
        assert_eq!(note(text, "Subject"), Some("S01"));
        assert_eq!(note(text, "Session"), Some("S01_MR1"));
        assert_eq!(note(text, "AA"), Some("true"));
        assert_eq!(note("x,PROJECT : a-b", "Project"), Some("a-b"));
        for text in ["x;project:a", "x\tproject\t:\ta\n", "project:a,b", "project:a;", "project:a"] {
            assert_eq!(note(text, "Project"), Some("a"), "{text:?}");
        }
        for text in ["x.project:a", "project:a.", "project;a", "project a", "project: ,a"] {
            assert_eq!(note(text, "Project"), None, "{text:?}");
        }
        assert_eq!(note("MyProject:x", "Project"), None);
        assert_eq!(note("Project:x/y", "Project"), None);
        assert_eq!(note("Project:x/y Project:z", "Project"), Some("z"));
        assert_eq!(note("Project:", "Project"), None);
        assert_eq!(note("Projekt:x é Project:é", "Project"), None);
    }

    #[test]
    fn project_candidates_come_in_xnats_order() {
        let notes = header(&[
            (tags::PATIENT_COMMENTS, "Project:A"),
            (tags::STUDY_COMMENTS, "Project:B"),
            (tags::ADDITIONAL_PATIENT_HISTORY, "Project:C"),
            (tags::STUDY_DESCRIPTION, "Head^Routine"),
            (tags::ACCESSION_NUMBER, "A"),
        ]);
        assert_eq!(project_candidates(&notes), ["A", "B", "C", "Head^Routine"]);
        assert!(project_candidates(&header(&[])).is_empty());
    }

    #[test]
    fn subject_and_session_fall_back_each_on_its_own() {
        let plain = header(&[(tags::PATIENT_NAME, "DOE^JANE"), (tags::PATIENT_ID, "P 1")]);
        assert_eq!(subject_label(&plain).as_deref(), Some("DOE_JANE"));
        assert_eq!(session_label(&plain).as_deref(), Some("P_1"));
        let noted = header(&[(tags::PATIENT_NAME, "DOE^JANE"), (tags::STUDY_COMMENTS, "session: V1")]);
        assert_eq!(subject_label(&noted).as_deref(), Some("DOE_JANE"));
        assert_eq!(session_label(&noted).as_deref(), Some("V1"));
        assert_eq!(subject_label(&header(&[])), None);
        // Each of the three notes is looked for in all elements, best first.
        let spread = header(&[
            (tags::PATIENT_COMMENTS, "Subject:A"),
            (tags::STUDY_COMMENTS, "Subject:B Session:C"),
            (tags::ADDITIONAL_PATIENT_HISTORY, "Session:D Project:E"),
        ]);
        assert_eq!(subject_label(&spread).as_deref(), Some("A"));
        assert_eq!(session_label(&spread).as_deref(), Some("C"));
        assert_eq!(project_candidates(&spread), ["E"]);
        // A DICOM file's study description names a project as a whole only.
        let described = header(&[(tags::STUDY_DESCRIPTION, "Project:X Subject:Y")]);
        assert_eq!(project_candidates(&described), ["Project:X Subject:Y"]);
        assert_eq!(subject_label(&described), None);
    }

    #[test]
    fn aa_notes_say_true_or_false_or_nothing() {
        let aa = |text: &str| auto_archive(&header(&[(tags::PATIENT_COMMENTS, text)]));
        assert_eq!(aa("AA:true"), Some(AutoArchive::Archive));
        assert_eq!(aa("aa:T"), Some(AutoArchive::Archive));
        assert_eq!(aa("AA:f"), Some(AutoArchive::Manual));
        assert_eq!(aa("AA:maybe"), None);
        assert_eq!(aa("nothing"), None);
    }

    #[test]
    fn labels_are_cleaned() {
        assert_eq!(clean_label("DOE^JANE"), "DOE_JANE");
        assert_eq!(clean_label("a-b_c.d é/.."), "a-b_c_d_____");
    }

    #[test]
    fn labels_that_are_too_long_are_cut_and_stay_distinct() {
        let longest = "a".repeat(MAX_LABEL_CHARS);
        assert_eq!(fitted_label(&longest), longest);
        let (one, other) = (format!("{}1", "é".repeat(9_000)), format!("{}2", "é".repeat(9_000)));
        let (cut, other) = (fitted_label(&one), fitted_label(&other));
        assert_eq!((cut.len(), other.len()), (MAX_LABEL_CHARS, MAX_LABEL_CHARS));
        assert!(cut != other && cut[..111] == other[..111] && cut.chars().all(is_label_char), "{cut} {other}");
        assert_eq!(fitted_label(&one), cut);
        assert_eq!(fitted_label(&cut), cut);
        let long = header(&[(tags::PATIENT_NAME, &"y".repeat(129)), (tags::PATIENT_ID, &"x".repeat(16_000))]);
        assert_eq!(subject_label(&long).map(|label| label.len()), Some(MAX_LABEL_CHARS));
        assert_eq!(session_label(&long).map(|label| label.len()), Some(MAX_LABEL_CHARS));
    }
}
