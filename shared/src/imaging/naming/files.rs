//! Names of received files.

use super::template::NameTemplate;
use crate::imaging::header::DicomHeader;

/// The longest file name kept or made, in bytes; file systems and zip tools end at 255.
pub(super) const MAX_NAME_BYTES: usize = 200;

/// The name of an object received one by one or in a DICOM zip.
///
/// XNAT's rule: the last element of the original path without leading dots, if all its characters are letters,
/// digits, `_`, `.` and `-`; otherwise, or if renaming is asked for, the template name. If the folder holds that name
/// already for another object, the new one gets [`NameTemplate::name`]. The template is for DICOM: ECAT files keep
/// their names, cleaned.
pub fn gradual_file_name(
    original: Option<&str>,
    rename: bool,
    template: &NameTemplate,
    header: &DicomHeader,
) -> String {
    if header.is_ecat() {
        return cleaned_file_name(original.unwrap_or("upload.v"));
    }
    let kept = original.map(|path| base_name(path).trim_start_matches('.')).filter(|name| is_allowed_file_name(name));
    match kept {
        Some(name) if !rename => name.to_owned(),
        _ => template.name(header),
    }
}

/// Whether a name is kept as it is: letters, digits, `_`, `.` and `-`, and something besides dots.
pub fn is_allowed_file_name(name: &str) -> bool {
    name.len() <= MAX_NAME_BYTES && name.chars().all(is_name_char) && name.chars().any(|c| c != '.')
}

/// The name of a file taken over by the session importer (SI): the last element of the original path with `_` for
/// every character that is not allowed.
pub fn cleaned_file_name(original: &str) -> String {
    let name = base_name(original).trim().trim_start_matches('.');
    let cleaned: String = name.chars().map(|c| if is_name_char(c) { c } else { '_' }).take(MAX_NAME_BYTES).collect();
    if cleaned.is_empty() { "_".to_owned() } else { cleaned }
}

/// The n-th file of the same name in one folder: `a.dcm`, `a.dcm_1`, `a.dcm_2` (after the extension).
pub fn numbered_name(name: &str, n: u32) -> String {
    if n == 0 { name.to_owned() } else { format!("{name}_{n}") }
}

/// A short hash of an object's identity: the 32-bit string hashes h(s) = Σ s\[i\]·31^(n-1-i) of both UIDs, combined
/// as 31·(31 + h(class)) + h(instance), unsigned, in base 36.
pub fn sop_hash(sop_class_uid: &str, sop_instance_uid: &str) -> String {
    let combined = 31_u32.wrapping_add(string_hash(sop_class_uid)).wrapping_mul(31);
    base36(combined.wrapping_add(string_hash(sop_instance_uid)))
}

fn string_hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit(number % 36, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

pub(super) fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::imaging::tags;
    use crate::imaging::testing::{DataSet, MR, part10, read};

    const INSTANCE: &str = "1.3.12.2.1107.5.2.32.35177.3.2006121409513852130219399";

    pub fn header(number: &str) -> DicomHeader {
        let mut set =
            DataSet::default().identified(MR, INSTANCE, "1.2.3", "1.2.3.1", "MR").text(tags::SERIES_NUMBER, "IS", "4");
        if !number.is_empty() {
            set = set.text(tags::INSTANCE_NUMBER, "IS", number);
        }
        read(&part10("1.2.840.10008.1.2.1", &set.bytes)).unwrap()
    }

    #[test]
    fn the_hash_is_that_of_xnat() {
        assert_eq!(sop_hash(MR, INSTANCE), "1qy16ih");
        assert_eq!(sop_hash("1.2.840.10008.5.1.4.1.1.4.1", INSTANCE), "sixgly");
        assert_eq!(sop_hash("1.2.840.10008.5.1.4.1.1.481.3", INSTANCE), "1fwmhrv");
        assert_eq!(sop_hash(MR, "1.3.12.2.1107.5.2.32.35177.3.2006121409365951632817982"), "1qs88hj");
        assert_eq!(base36(0), "0");
        assert_eq!(base36(u32::MAX), "1z141z3");
    }

    #[test]
    fn gradual_uploads_keep_plain_names() {
        let name = |original, rename| gradual_file_name(original, rename, &NameTemplate::default(), &header("92"));
        let template = "1.2.3-4-92-1qy16ih.dcm";
        assert_eq!(name(Some("dir/IM1-a_b.dcm"), false), "IM1-a_b.dcm");
        assert_eq!(name(Some("dir\\IM1"), false), "IM1");
        assert_eq!(name(Some("dir/..hidden"), false), "hidden");
        assert_eq!(name(Some("IM1"), true), template);
        for odd in ["a:b", "IM 1", "ä", "dir/", "..", ". .", "a\nb"] {
            assert_eq!(name(Some(odd), false), template, "{odd:?}");
        }
        assert_eq!(name(None, false), template);
    }

    #[test]
    fn the_session_importer_cleans_and_numbers_names() {
        assert_eq!(cleaned_file_name("x/a:b?.dcm"), "a_b_.dcm");
        assert_eq!(cleaned_file_name("x\\y.dcm"), "y.dcm");
        assert_eq!(cleaned_file_name("x/ IM 1 "), "IM_1");
        assert_eq!(cleaned_file_name("../.."), "_");
        assert_eq!(numbered_name("a.dcm", 0), "a.dcm");
        assert_eq!(numbered_name("a.dcm", 2), "a.dcm_2");
    }
}
