//! Who has which role in a project.

use std::collections::BTreeMap;

use super::Project;
use crate::accounts::Login;
use crate::domain::Core;
use crate::domain::access::ProjectRole;
use crate::domain::error::DomainError;

/// Members of one project, at most: all of them stand in its record.
pub const MAX_MEMBERS: usize = 2_000;

/// Whether a change may leave a project that has owners without any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastOwner {
    /// The last one stays: the project must not be left to nobody.
    Stays,
    /// The last one may go: whoever asks can give the project an owner again.
    MayGo,
}

impl Core {
    /// Gives users a role in a project, in place of the one they have.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], [`DomainError::Conflict`] if no owner would be left, [`DomainError::Invalid`] beyond
    /// [`MAX_MEMBERS`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn add_members(
        &self,
        project: &str,
        role: ProjectRole,
        logins: &[Login],
        last_owner: LastOwner,
    ) -> Result<Project, DomainError> {
        self.edit_project(project, |project| {
            change_members(&mut project.members, last_owner, |members| {
                members.extend(logins.iter().map(|login| (login.as_str().to_owned(), role)));
            })
        })
        .await
    }

    /// Takes a role in a project from users; those who have another role keep it.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], [`DomainError::Conflict`] if no owner would be left, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn remove_members(
        &self,
        project: &str,
        role: ProjectRole,
        logins: &[Login],
        last_owner: LastOwner,
    ) -> Result<Project, DomainError> {
        self.edit_project(project, |project| {
            change_members(&mut project.members, last_owner, |members| {
                members.retain(|login, has| *has != role || !logins.iter().any(|gone| gone.as_str() == login));
            })
        })
        .await
    }
}

fn change_members(
    members: &mut BTreeMap<String, ProjectRole>,
    last_owner: LastOwner,
    change: impl FnOnce(&mut BTreeMap<String, ProjectRole>),
) -> Result<(), DomainError> {
    let has_owner = |members: &BTreeMap<String, ProjectRole>| members.values().any(|role| *role == ProjectRole::Owner);
    let had_owner = has_owner(members);
    change(members);
    if last_owner == LastOwner::Stays && had_owner && !has_owner(members) {
        return Err(DomainError::Conflict {
            reason: "The last owner of a project cannot be removed or given another role; make another user an owner \
                     first."
                .to_owned(),
        });
    }
    if members.len() > MAX_MEMBERS {
        return Err(DomainError::Invalid { what: format!("A project has at most {MAX_MEMBERS} members.") });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProjectRole::{Collaborator, Member, Owner};

    fn members(list: &[(&str, ProjectRole)]) -> BTreeMap<String, ProjectRole> {
        list.iter().map(|(login, role)| ((*login).to_owned(), *role)).collect()
    }

    fn removing<'l>(login: &'l str) -> impl FnOnce(&mut BTreeMap<String, ProjectRole>) + 'l {
        move |members| {
            members.remove(login);
        }
    }

    #[test]
    fn the_last_owner_stays_unless_an_administrator_says_otherwise() {
        let two = [("ann", Owner), ("bob", Owner), ("eve", Member)];
        assert!(change_members(&mut members(&two), LastOwner::Stays, removing("ann")).is_ok());
        let one = [("ann", Owner), ("eve", Member)];
        let refused = change_members(&mut members(&one), LastOwner::Stays, removing("ann"));
        assert!(matches!(refused, Err(DomainError::Conflict { .. })), "{refused:?}");
        let demoted = change_members(&mut members(&one), LastOwner::Stays, |all| {
            all.insert("ann".to_owned(), Collaborator);
        });
        assert!(matches!(demoted, Err(DomainError::Conflict { .. })), "{demoted:?}");
        assert!(change_members(&mut members(&one), LastOwner::MayGo, removing("ann")).is_ok());
        assert!(change_members(&mut members(&one), LastOwner::Stays, removing("eve")).is_ok());
        // One that has none already can be changed by all who may.
        assert!(change_members(&mut members(&[("eve", Member)]), LastOwner::Stays, removing("eve")).is_ok());
    }

    #[test]
    fn a_project_has_a_limit_of_members() {
        let mut all = members(&[("ann", Owner)]);
        let fill = |count: usize| {
            move |all: &mut BTreeMap<String, ProjectRole>| {
                all.extend((1..count).map(|number| (format!("user{number}"), Member)));
            }
        };
        assert!(change_members(&mut all, LastOwner::Stays, fill(MAX_MEMBERS)).is_ok());
        assert!(change_members(&mut all, LastOwner::Stays, fill(MAX_MEMBERS + 1)).is_err());
    }
}
