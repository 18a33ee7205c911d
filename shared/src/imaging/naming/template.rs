//! The template that names of DICOM files are made from.

use super::files::{MAX_NAME_BYTES, is_name_char, sop_hash};
use crate::imaging::header::DicomHeader;
use crate::imaging::tags::{self, Tag};

/// XNAT's default template; `.dcm` is appended to what it gives.
pub const DEFAULT_TEMPLATE: &str =
    "${StudyInstanceUID}-${SeriesNumber}-${InstanceNumber}-${HashSOPClassUIDWithSOPInstanceUID}";

/// The one keyword that is no element's.
const HASH: &str = "HashSOPClassUIDWithSOPInstanceUID";
/// What every name ends with.
const EXTENSION: &str = ".dcm";
/// The longest template, in bytes.
const MAX_TEMPLATE_BYTES: usize = 512;

/// A template for names of DICOM files: text with `${Keyword}` for values of the header (keywords as in DICOM PS3.6)
/// and `${HashSOPClassUIDWithSOPInstanceUID}` for [`sop_hash`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Tag, &'static str),
    Hash,
}

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It is empty or has more than 512 bytes.
    #[error("the template is empty or longer than {MAX_TEMPLATE_BYTES} bytes")]
    Length,
    /// A `${` without its `}`.
    #[error("the template has a ${{ that is not closed")]
    Open,
    /// An element that is not read.
    #[error("the template names {keyword:?}, which is no element that is kept of a header")]
    Unknown {
        /// The keyword.
        keyword: String,
    },
}

impl NameTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// [`TemplateError`] saying what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.is_empty() || text.len() > MAX_TEMPLATE_BYTES {
            return Err(TemplateError::Length);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (keyword, after) = after.split_once('}').ok_or(TemplateError::Open)?;
            parts.extend((!before.is_empty()).then(|| Part::Text(before.to_owned())));
            parts.push(if keyword == HASH {
                Part::Hash
            } else {
                let entry = tags::by_keyword(keyword);
                let entry = entry.ok_or_else(|| TemplateError::Unknown { keyword: keyword.to_owned() })?;
                Part::Value(entry.tag, entry.keyword)
            });
            rest = after;
        }
        parts.extend((!rest.is_empty()).then(|| Part::Text(rest.to_owned())));
        Ok(Self(parts))
    }

    /// The name of the object with this header, with `.dcm` at its end.
    ///
    /// XNAT's rule: a missing value is written `no-value-for-Keyword`; characters that are not allowed become `_`.
    pub fn name(&self, header: &DicomHeader) -> String {
        let mut name = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Hash => name.push_str(&sop_hash(&header.sop_class_uid, &header.sop_instance_uid)),
                Part::Value(tag, keyword) => match header.get(*tag).filter(|value| !value.is_empty()) {
                    Some(value) => name.push_str(value),
                    None => {
                        name.push_str("no-value-for-");
                        name.push_str(keyword);
                    }
                },
            }
        }
        let mut name: String = name.chars().map(|c| if is_name_char(c) { c } else { '_' }).collect();
        // All ASCII by now. What identifies the object stands last in any sensible template, so the front is cut.
        if let Some(surplus) = name.len().checked_sub(MAX_NAME_BYTES - EXTENSION.len()) {
            name.drain(..surplus);
        }
        if name.starts_with('.') {
            name.replace_range(..1, "_");
        }
        name.push_str(EXTENSION);
        name
    }
}

impl Default for NameTemplate {
    /// XNAT's default, [`DEFAULT_TEMPLATE`].
    fn default() -> Self {
        let text = |text: &str| Part::Text(text.to_owned());
        Self(vec![
            Part::Value(tags::STUDY_INSTANCE_UID, "StudyInstanceUID"),
            text("-"),
            Part::Value(tags::SERIES_NUMBER, "SeriesNumber"),
            text("-"),
            Part::Value(tags::INSTANCE_NUMBER, "InstanceNumber"),
            text("-"),
            Part::Hash,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::naming::files::tests::header;

    fn named(template: &str, number: &str) -> String {
        NameTemplate::parse(template).unwrap().name(&header(number))
    }

    #[test]
    fn the_default_is_that_of_xnat() {
        assert_eq!(NameTemplate::parse(DEFAULT_TEMPLATE), Ok(NameTemplate::default()));
    }

    #[test]
    fn names_say_what_is_missing() {
        assert_eq!(named(DEFAULT_TEMPLATE, "92"), "1.2.3-4-92-1qy16ih.dcm");
        assert_eq!(named(DEFAULT_TEMPLATE, ""), "1.2.3-4-no-value-for-InstanceNumber-1qy16ih.dcm");
        assert_eq!(named("${PatientID}", "1"), "no-value-for-PatientID.dcm");
    }

    #[test]
    fn what_no_name_may_have_becomes_an_underscore() {
        assert_eq!(named("a/${Modality} ä", "1"), "a_MR__.dcm");
        assert_eq!(named("..", "1"), "_..dcm");
        assert_eq!(named("$}{", "1"), "___.dcm");
        let long = named(&format!("{}${{InstanceNumber}}", "x".repeat(300)), "77");
        assert!(long.len() == MAX_NAME_BYTES && long.ends_with("x77.dcm"), "{long}");
    }

    #[test]
    fn what_is_no_template_is_refused() {
        assert_eq!(NameTemplate::parse(""), Err(TemplateError::Length));
        assert_eq!(NameTemplate::parse(&"x".repeat(513)), Err(TemplateError::Length));
        assert_eq!(NameTemplate::parse("${Modality}${"), Err(TemplateError::Open));
        let unknown = NameTemplate::parse("${Nope}").unwrap_err();
        assert_eq!(unknown.to_string(), "the template names \"Nope\", which is no element that is kept of a header");
    }
}
