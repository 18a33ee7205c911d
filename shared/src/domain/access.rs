//! Who may do what in a project: roles, accessibility, and the one table that both lead to.

use serde::{Deserialize, Serialize};

use super::Core;
use super::error::DomainError;
use super::project::Project;
use crate::accounts::Identity;

/// What a user is in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProjectRole {
    /// Reads, changes and deletes data, and sets up the project.
    Owner,
    /// Reads and changes data.
    Member,
    /// Reads data.
    Collaborator,
}

impl ProjectRole {
    /// All roles, the mightiest first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Member, Self::Collaborator];

    /// XNAT's short word: `owner`, `member`, `collaborator`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
            Self::Collaborator => "collaborator",
        }
    }

    /// The name that XNAT shows: `Owners`, `Members`, `Collaborators`.
    pub fn display_name(self) -> &'static str {
        match self {
            Self::Owner => "Owners",
            Self::Member => "Members",
            Self::Collaborator => "Collaborators",
        }
    }

    /// XNAT's group identifier, such as `DEMO_owner`.
    pub fn group_id(self, project: &str) -> String {
        format!("{project}_{}", self.word())
    }

    /// The role that an address names: by its group identifier, its short word or the name that is shown.
    pub fn parse(text: &str, project: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|role| text == role.word() || text == role.display_name() || text == role.group_id(project))
    }
}

/// What a project shows to those who have no role in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accessibility {
    /// Nothing, not even that it exists.
    #[default]
    Private,
    /// That it exists, and its title.
    Protected,
    /// All its data, to guests as well.
    Public,
}

impl Accessibility {
    /// XNAT's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Protected => "protected",
            Self::Public => "public",
        }
    }

    /// The level of this word.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for another word.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        [Self::Private, Self::Protected, Self::Public].into_iter().find(|level| level.word() == text).ok_or_else(|| {
            DomainError::Invalid { what: "The accessibility must be private, protected or public.".to_owned() }
        })
    }
}

/// What somebody wants to do in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Know that it exists.
    See,
    /// Read its data.
    Read,
    /// Add and change data: upload, prearchive, archive.
    Edit,
    /// Delete data, set the project up, manage its members.
    Own,
}

/// What comes of the question whether somebody may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may be done.
    Allowed,
    /// It may not be done, and the asker knows that the project exists.
    Forbidden,
    /// It may not be done, and for the asker the project does not exist.
    Hidden,
}

impl Project {
    /// The role of a user in the project.
    pub fn role_of(&self, login: &str) -> Option<ProjectRole> {
        self.members.get(login).copied()
    }

    /// Whether somebody may do something in the project.
    pub fn grants(&self, who: &Identity, right: Right) -> bool {
        if who.edits_all_data() {
            return true;
        }
        let role = who.login().and_then(|login| self.role_of(login.as_str()));
        let by_role = match role {
            Some(ProjectRole::Owner) => true,
            Some(ProjectRole::Member) => right <= Right::Edit,
            Some(ProjectRole::Collaborator) => right <= Right::Read,
            None => false,
        };
        let by_accessibility = match self.accessibility {
            Accessibility::Private => false,
            // Guests are told of public projects only.
            Accessibility::Protected => right == Right::See && who.login().is_some(),
            Accessibility::Public => right <= Right::Read,
        };
        by_role || by_accessibility || (who.reads_all_data() && right <= Right::Read)
    }

    /// Whether somebody may see those experiments of the project that are in quarantine: whoever may change its data,
    /// and whoever reads the data of all projects.
    pub fn shows_quarantined(&self, who: &Identity) -> bool {
        self.grants(who, Right::Edit) || who.reads_all_data()
    }
}

/// Decides for a project that may not exist.
pub fn decide(project: Option<&Project>, who: &Identity, right: Right) -> Decision {
    match project {
        Some(project) if project.grants(who, right) => Decision::Allowed,
        Some(project) if project.grants(who, Right::See) => Decision::Forbidden,
        _ => Decision::Hidden,
    }
}

impl Core {
    /// The projects in which somebody may do something, oldest first.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn projects_for(&self, who: &Identity, right: Right) -> Result<Vec<Project>, DomainError> {
        let mut projects = self.list_projects().await?;
        projects.retain(|project| project.grants(who, right));
        Ok(projects)
    }
}
