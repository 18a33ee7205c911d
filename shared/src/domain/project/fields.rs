//! What can be said of a project.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::access::Accessibility;
use crate::domain::error::DomainError;
use crate::domain::ids::{MAX_NAME_BYTES, UNASSIGNED};

/// One of the texts of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProjectField {
    /// The title.
    Name,
    /// The running title.
    SecondaryId,
    /// What it is about.
    Description,
    /// Words it can be found by.
    Keywords,
    /// A remark.
    Note,
    /// The principal investigator's title.
    PiTitle,
    /// The principal investigator's first name.
    PiFirstname,
    /// The principal investigator's last name.
    PiLastname,
    /// The principal investigator's institution.
    PiInstitution,
    /// The principal investigator's department.
    PiDepartment,
    /// The principal investigator's e-mail address.
    PiEmail,
    /// The principal investigator's telephone number.
    PiPhone,
}

impl ProjectField {
    /// All of them, in the order of XNAT's schema.
    pub const ALL: [Self; 12] = [
        Self::SecondaryId,
        Self::Name,
        Self::Description,
        Self::Keywords,
        Self::PiTitle,
        Self::PiFirstname,
        Self::PiLastname,
        Self::PiInstitution,
        Self::PiDepartment,
        Self::PiEmail,
        Self::PiPhone,
        Self::Note,
    ];

    /// XNAT's short name.
    pub fn short_name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::SecondaryId => "secondary_ID",
            Self::Description => "description",
            Self::Keywords => "keywords",
            Self::Note => "note",
            Self::PiTitle => "pi_title",
            Self::PiFirstname => "pi_firstname",
            Self::PiLastname => "pi_lastname",
            Self::PiInstitution => "pi_institution",
            Self::PiDepartment => "pi_department",
            Self::PiEmail => "pi_email",
            Self::PiPhone => "pi_phone",
        }
    }

    /// Its path below `xnat:projectData`.
    pub fn path(self) -> &'static str {
        match self {
            Self::PiTitle => "PI/title",
            Self::PiFirstname => "PI/firstname",
            Self::PiLastname => "PI/lastname",
            Self::PiInstitution => "PI/institution",
            Self::PiDepartment => "PI/department",
            Self::PiEmail => "PI/email",
            Self::PiPhone => "PI/phone",
            other => other.short_name(),
        }
    }

    /// The field of a short name or path.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.short_name() == name || field.path() == name)
    }

    /// The longest text, in bytes. All of a project must fit into one record, two thousand members among it.
    fn max_bytes(self) -> usize {
        match self {
            Self::Description => 8 * 1024,
            Self::Note => 4 * 1024,
            Self::Keywords => 2 * 1024,
            Self::Name | Self::SecondaryId => 1024,
            _ => 256,
        }
    }

    fn checked(self, text: &str) -> Result<String, DomainError> {
        let max_bytes = self.max_bytes();
        if text.len() <= max_bytes && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Ok(text.to_owned());
        }
        Err(DomainError::Invalid {
            what: format!(
                "The project's {} must have at most {max_bytes} bytes and no control characters.",
                self.short_name()
            ),
        })
    }
}

/// What is said of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectFields {
    /// See [`ProjectField::Name`]; the identifier if nothing else was given.
    pub name: String,
    /// See [`ProjectField::SecondaryId`]; the identifier if nothing else was given.
    pub secondary_id: String,
    /// See [`ProjectField::Description`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// See [`ProjectField::Keywords`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub keywords: String,
    /// See [`ProjectField::Note`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// See [`ProjectField::PiTitle`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pi_title: String,
    /// See [`ProjectField::PiFirstname`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pi_firstname: String,
    /// See [`ProjectField::PiLastname`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pi_lastname: String,
    /// See [`ProjectField::PiInstitution`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pi_institution: String,
    /// See [`ProjectField::PiDepartment`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pi_department: String,
    /// See [`ProjectField::PiEmail`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pi_email: String,
    /// See [`ProjectField::PiPhone`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pi_phone: String,
    /// Further names by which the project is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
}

macro_rules! text_of {
    ($fields:expr, $field:expr, $($of:tt)+) => {
        match $field {
            ProjectField::Name => $($of)+ $fields.name,
            ProjectField::SecondaryId => $($of)+ $fields.secondary_id,
            ProjectField::Description => $($of)+ $fields.description,
            ProjectField::Keywords => $($of)+ $fields.keywords,
            ProjectField::Note => $($of)+ $fields.note,
            ProjectField::PiTitle => $($of)+ $fields.pi_title,
            ProjectField::PiFirstname => $($of)+ $fields.pi_firstname,
            ProjectField::PiLastname => $($of)+ $fields.pi_lastname,
            ProjectField::PiInstitution => $($of)+ $fields.pi_institution,
            ProjectField::PiDepartment => $($of)+ $fields.pi_department,
            ProjectField::PiEmail => $($of)+ $fields.pi_email,
            ProjectField::PiPhone => $($of)+ $fields.pi_phone,
        }
    };
}

impl ProjectFields {
    /// A text, empty if nothing is said.
    pub fn text(&self, field: ProjectField) -> &str {
        text_of!(self, field, &)
    }

    fn text_mut(&mut self, field: ProjectField) -> &mut String {
        text_of!(self, field, &mut)
    }

    /// Every text with its field, in the order of XNAT's schema.
    pub fn texts(&self) -> impl Iterator<Item = (ProjectField, &str)> {
        ProjectField::ALL.into_iter().map(|field| (field, self.text(field)))
    }
}

/// Changes to a project: what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectChange {
    /// Texts; an empty one is taken away.
    pub texts: BTreeMap<ProjectField, String>,
    /// All aliases, in place of those that were.
    pub aliases: Option<Vec<String>>,
    /// What those see who have no role in it.
    pub accessibility: Option<Accessibility>,
}

/// Aliases of one project, at most.
const MAX_ALIASES: usize = 32;

impl ProjectChange {
    /// Makes the changes. An empty title or running title becomes the identifier again.
    pub(super) fn apply(&self, id: &str, fields: &mut ProjectFields) -> Result<(), DomainError> {
        for (field, text) in &self.texts {
            *fields.text_mut(*field) = field.checked(text)?;
        }
        for field in [ProjectField::Name, ProjectField::SecondaryId] {
            let text = fields.text_mut(field);
            if text.trim().is_empty() {
                *text = id.to_owned();
            }
        }
        if let Some(aliases) = &self.aliases {
            fields.aliases = checked_aliases(aliases)?;
        }
        Ok(())
    }
}

/// Aliases stand in addresses where identifiers do, so they must be one harmless part of a path; commas divide lists.
fn checked_aliases(aliases: &[String]) -> Result<Vec<String>, DomainError> {
    let mut checked: Vec<String> = Vec::new();
    for alias in aliases.iter().map(|alias| alias.trim()).filter(|alias| !alias.is_empty()) {
        let is_fit = alias.len() <= MAX_NAME_BYTES
            && !alias.chars().any(|c| c.is_control() || matches!(c, '/' | '\\' | ','))
            && alias != "."
            && alias != ".."
            && !alias.eq_ignore_ascii_case(UNASSIGNED);
        if !is_fit {
            return Err(DomainError::Invalid {
                what: format!(
                    "An alias must have at most {MAX_NAME_BYTES} bytes, no slash, backslash, comma or control \
                     character, and must not be {UNASSIGNED}."
                ),
            });
        }
        if !checked.iter().any(|known| known == alias) {
            checked.push(alias.to_owned());
        }
    }
    if checked.len() > MAX_ALIASES {
        return Err(DomainError::Invalid { what: format!("A project has at most {MAX_ALIASES} aliases.") });
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_mean_one_field() {
        for field in ProjectField::ALL {
            assert_eq!(ProjectField::parse(field.short_name()), Some(field));
            assert_eq!(ProjectField::parse(field.path()), Some(field));
        }
        assert_eq!(ProjectField::parse("ID"), None);
    }

    #[test]
    fn texts_have_limits_and_titles_fall_back_to_the_id() {
        let change = |field, text: &str| ProjectChange {
            texts: BTreeMap::from([(field, text.to_owned())]),
            ..Default::default()
        };
        let mut fields = ProjectFields::default();
        change(ProjectField::Name, " ").apply("P", &mut fields).unwrap();
        assert_eq!((fields.name.as_str(), fields.secondary_id.as_str()), ("P", "P"));
        assert!(change(ProjectField::PiEmail, &"a".repeat(257)).apply("P", &mut fields).is_err());
        assert!(change(ProjectField::Name, "a\u{1}").apply("P", &mut fields).is_err());
        change(ProjectField::Description, "two\nlines").apply("P", &mut fields).unwrap();
        assert_eq!(fields.text(ProjectField::Description), "two\nlines");
    }

    #[test]
    fn aliases_are_parts_of_paths() {
        let aliases =
            |list: &[&str]| checked_aliases(&list.iter().map(|alias| (*alias).to_owned()).collect::<Vec<_>>());
        assert_eq!(aliases(&[" a b ", "", "ä", "ä"]).unwrap(), ["a b", "ä"]);
        for bad in ["a/b", "a\\b", "..", "unassigned", "a,b", "a\nb", &"a".repeat(129)] {
            assert!(aliases(&[bad]).is_err(), "{bad:?}");
        }
        let many: Vec<String> = (0..33).map(|number| format!("a{number}")).collect();
        assert!(checked_aliases(&many).is_err());
    }
}
