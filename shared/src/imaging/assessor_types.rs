//! XNAT's data types of assessors: what is derived from, or said of, an image session.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The type that every assessor has.
pub const ANY_ASSESSOR: &str = "xnat:imageAssessorData";

/// Types that the schema defines, with the elements that are items of them.
const ELEMENTS: &[(&str, &str)] = &[
    (ANY_ASSESSOR, "xnat:ImageAssessor"),
    ("xnat:qcManualAssessorData", "xnat:QCManualAssessment"),
    ("xnat:qcAssessmentData", "xnat:QCAssessment"),
];

/// Ends of names in XNAT's namespace that are types of other items.
const OTHERS: &[&str] =
    &["SessionData", "ScanData", "subjectData", "projectData", "experimentData", "subjectAssessorData"];

/// Bytes of a type's name, at most.
const MAX_BYTES: usize = 96;

/// The data type of an assessor: `xnat:qcManualAssessorData`, or another of the form `namespace:nameData`, which plug-ins
/// of XNAT define.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AssessorType(String);

impl AssessorType {
    /// The type with this `xsi:type`; `None` if it is none that an assessor can have.
    pub fn parse(xsi_type: &str) -> Option<Self> {
        let (namespace, name) = xsi_type.split_once(':')?;
        let is_word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_alphabetic())
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let is_other = namespace == "xnat" && OTHERS.iter().any(|end| name.ends_with(end));
        let is_type = is_word(namespace) && is_word(name) && name.ends_with("Data") && xsi_type.len() <= MAX_BYTES;
        (is_type && !is_other).then(|| Self(xsi_type.to_owned()))
    }

    /// As a record has it.
    pub(crate) fn stored(xsi_type: String) -> Self {
        Self(xsi_type)
    }

    /// The type of documents whose root is this element of a namespace, `xnat` for example.
    pub fn of_element(namespace: &str, element: &str) -> Option<Self> {
        let full = format!("{namespace}:{element}");
        if let Some((known, _)) = ELEMENTS.iter().find(|(_, known)| *known == full) {
            return Some(Self((*known).to_owned()));
        }
        let first = element.chars().next()?.to_ascii_lowercase();
        Self::parse(&format!("{namespace}:{first}{}Data", element.get(1..)?))
    }

    /// The `xsi:type`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its namespace, `xnat` for example.
    pub fn namespace(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// The name of the XML element that is an item of this type when it is the root of a document.
    pub fn element(&self) -> String {
        if let Some((_, element)) = ELEMENTS.iter().find(|(known, _)| *known == self.0) {
            return (*element).to_owned();
        }
        let (namespace, name) = self.0.split_once(':').unwrap_or(("xnat", &self.0));
        let name = name.strip_suffix("Data").unwrap_or(name);
        let mut letters = name.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase()).unwrap_or('X');
        format!("{namespace}:{first}{}", letters.as_str())
    }

    /// Whether the schema that is served says which fields it has.
    pub fn is_defined(&self) -> bool {
        ELEMENTS.iter().any(|(known, _)| *known == self.0)
    }
}

impl fmt::Display for AssessorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_elements_name_each_other() {
        for (xsi_type, namespace, element) in [
            ("xnat:qcManualAssessorData", "xnat", "QCManualAssessment"),
            ("xnat:qcAssessmentData", "xnat", "QCAssessment"),
            ("proc:genProcData", "proc", "GenProc"),
        ] {
            let found = AssessorType::parse(xsi_type).unwrap();
            assert_eq!(found.element(), format!("{namespace}:{element}"));
            assert_eq!(AssessorType::of_element(namespace, element), Some(found));
        }
    }

    #[test]
    fn types_of_other_items_and_what_is_no_name_are_refused() {
        for text in [
            "xnat:mrSessionData",
            "xnat:mrScanData",
            "xnat:subjectData",
            "xnat:subjectAssessorData",
            "qcManualAssessorData",
            "xnat:Foo",
            "a b:cData",
            "x:y:zData",
            "1x:yData",
        ] {
            assert_eq!(AssessorType::parse(text), None, "{text}");
        }
        assert_eq!(AssessorType::parse(&format!("x:{}Data", "a".repeat(100))), None);
    }
}
