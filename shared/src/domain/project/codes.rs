//! The settings that decide what becomes of uploads.

use serde::{Deserialize, Serialize};

use super::Project;
use crate::accounts::Identity;
use crate::domain::Core;
use crate::domain::access::ProjectRole;
use crate::domain::error::DomainError;
use crate::imaging::PetMr;

/// What becomes of a session that has been uploaded to a project (XNAT's `prearchive_code`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum PrearchiveCode {
    /// 0: it stays in the prearchive until somebody archives it.
    Manual,
    /// 1: as 0; the older way to say that the upload's own wish decides.
    ByUpload,
    /// 4: it is archived; equal files are not replaced.
    AutoArchive,
    /// 5: it is archived; equal files are replaced.
    AutoArchiveOverwrite,
}

impl From<PrearchiveCode> for u8 {
    fn from(code: PrearchiveCode) -> u8 {
        match code {
            PrearchiveCode::Manual => 0,
            PrearchiveCode::ByUpload => 1,
            PrearchiveCode::AutoArchive => 4,
            PrearchiveCode::AutoArchiveOverwrite => 5,
        }
    }
}

impl TryFrom<u8> for PrearchiveCode {
    type Error = String;

    fn try_from(code: u8) -> Result<Self, String> {
        match code {
            0 => Ok(Self::Manual),
            1 => Ok(Self::ByUpload),
            4 => Ok(Self::AutoArchive),
            5 => Ok(Self::AutoArchiveOverwrite),
            other => Err(format!("{other} is no prearchive code")),
        }
    }
}

impl PrearchiveCode {
    /// The code that a client wrote: 0, 1, 4 or 5, or `true` and `false` for 1 and 0.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        match text {
            "0" | "false" => Ok(Self::Manual),
            "1" | "true" => Ok(Self::ByUpload),
            "4" => Ok(Self::AutoArchive),
            "5" => Ok(Self::AutoArchiveOverwrite),
            other => Err(DomainError::Invalid {
                what: format!(
                    "The submitted code {} is invalid: it must be 0 (stays in the prearchive), 1, 4 (archived, nothing \
                     overwritten) or 5 (archived, files overwritten).",
                    other.chars().take(40).collect::<String>().escape_default()
                ),
            }),
        }
    }

    /// Whether sessions are archived by themselves.
    pub fn archives(self) -> bool {
        matches!(self, Self::AutoArchive | Self::AutoArchiveOverwrite)
    }
}

/// Whether what is archived must be reviewed before it counts (XNAT's `quarantine_code`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum QuarantineCode {
    /// 0: it counts at once.
    #[default]
    Off,
    /// 1: new and changed sessions get the status `quarantine`.
    On,
}

impl From<QuarantineCode> for u8 {
    fn from(code: QuarantineCode) -> u8 {
        match code {
            QuarantineCode::Off => 0,
            QuarantineCode::On => 1,
        }
    }
}

impl TryFrom<u8> for QuarantineCode {
    type Error = String;

    fn try_from(code: u8) -> Result<Self, String> {
        match code {
            0 => Ok(Self::Off),
            1 => Ok(Self::On),
            other => Err(format!("{other} is no quarantine code")),
        }
    }
}

impl QuarantineCode {
    /// The code that a client wrote: 0 or 1, or `false` and `true`.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        match text {
            "0" | "false" => Ok(Self::Off),
            "1" | "true" => Ok(Self::On),
            other => Err(DomainError::Invalid {
                what: format!(
                    "The submitted code {} is invalid: it must be 0 (off) or 1 (new and changed sessions are \
                     quarantined).",
                    other.chars().take(40).collect::<String>().escape_default()
                ),
            }),
        }
    }
}

/// Whose uploads to resources of the archive are taken into the quarantine, beyond XNAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum ResourceQuarantine {
    /// 0: nobody's, as in XNAT.
    #[default]
    Off,
    /// 1: those of collaborators, which are refused otherwise.
    Collaborators,
    /// 2: those of members as well.
    Members,
}

impl From<ResourceQuarantine> for u8 {
    fn from(code: ResourceQuarantine) -> u8 {
        match code {
            ResourceQuarantine::Off => 0,
            ResourceQuarantine::Collaborators => 1,
            ResourceQuarantine::Members => 2,
        }
    }
}

impl TryFrom<u8> for ResourceQuarantine {
    type Error = String;

    fn try_from(code: u8) -> Result<Self, String> {
        match code {
            0 => Ok(Self::Off),
            1 => Ok(Self::Collaborators),
            2 => Ok(Self::Members),
            other => Err(format!("{other} is no code of the resource quarantine")),
        }
    }
}

impl ResourceQuarantine {
    /// The code that a client wrote: 0, 1 or 2.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        match text {
            "0" | "false" => Ok(Self::Off),
            "1" | "true" => Ok(Self::Collaborators),
            "2" => Ok(Self::Members),
            other => Err(DomainError::Invalid {
                what: format!(
                    "The submitted code {} is invalid: it must be 0 (off), 1 (uploads of collaborators are quarantined) \
                     or 2 (those of members as well).",
                    other.chars().take(40).collect::<String>().escape_default()
                ),
            }),
        }
    }
}

impl Project {
    /// Whether what somebody uploads to resources of the archive is taken into the quarantine.
    pub fn quarantines(&self, who: &Identity) -> bool {
        if self.resource_quarantine == ResourceQuarantine::Off || who.edits_all_data() {
            return false;
        }
        match who.login().and_then(|login| self.role_of(login.as_str())) {
            Some(ProjectRole::Collaborator) => true,
            Some(ProjectRole::Member) => self.resource_quarantine == ResourceQuarantine::Members,
            Some(ProjectRole::Owner) | None => false,
        }
    }
}

/// What becomes of studies that hold PET and MR (XNAT's configuration `separatePETMR`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PetMrHandling {
    /// One PET session.
    Pet,
    /// One PET/MR session.
    #[default]
    PetMr,
    /// A PET session and an MR session.
    Separate,
}

impl PetMrHandling {
    /// XNAT's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pet => "pet",
            Self::PetMr => "petmr",
            Self::Separate => "separate",
        }
    }

    /// The handling of this word.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for another word.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        [Self::Pet, Self::PetMr, Self::Separate].into_iter().find(|handling| handling.word() == text).ok_or_else(|| {
            DomainError::Invalid { what: "The contents must be one of the words pet, petmr and separate.".to_owned() }
        })
    }
}

impl From<PetMrHandling> for PetMr {
    fn from(handling: PetMrHandling) -> Self {
        match handling {
            PetMrHandling::Pet => Self::AsPet,
            PetMrHandling::PetMr => Self::PetMr,
            PetMrHandling::Separate => Self::Separate,
        }
    }
}

impl Core {
    /// Sets what becomes of uploads to the project.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn set_prearchive_code(&self, id: &str, code: PrearchiveCode) -> Result<Project, DomainError> {
        self.change_settings(id, |project| project.prearchive_code = code).await
    }

    /// Sets whether what is archived must be reviewed.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn set_quarantine_code(&self, id: &str, code: QuarantineCode) -> Result<Project, DomainError> {
        self.change_settings(id, |project| project.quarantine_code = code).await
    }

    /// Sets whose uploads to resources of the archive are taken into the quarantine.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn set_resource_quarantine(&self, id: &str, code: ResourceQuarantine) -> Result<Project, DomainError> {
        self.change_settings(id, |project| project.resource_quarantine = code).await
    }

    /// Sets what becomes of studies that hold PET and MR.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn set_pet_mr(&self, id: &str, handling: PetMrHandling) -> Result<Project, DomainError> {
        self.change_settings(id, |project| project.pet_mr = handling).await
    }

    async fn change_settings(&self, id: &str, change: impl FnOnce(&mut Project)) -> Result<Project, DomainError> {
        self.edit_project(id, |project| {
            change(project);
            Ok(())
        })
        .await
    }
}
