//! Resources of a session itself: files of any kind beside its scans.

use super::session::{HeldSession, PrearchiveSession};
use super::status::Action;
use super::upload_files::ReceivedFile;
use crate::domain::Core;
use crate::domain::catalog::{FileNotes, Taking};
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::resource::{ItemResource, MAX_RESOURCES, check_label, check_notes};

/// What is to be done with files that have been received.
#[derive(Debug, Clone, Default)]
pub struct AddFiles {
    /// The label of the resource, which is made if it is not there.
    pub label: String,
    /// Who adds them.
    pub by: String,
    /// What is said of them, and of the resource if it is made.
    pub notes: FileNotes,
    /// Whether they take the place of files that are there.
    pub overwrite: bool,
}

impl Core {
    /// Adds files to a resource of a session. Gives the paths of those that are there already and were not to be
    /// overwritten: nothing is changed about them. Each of the others is kept from the return on; on an error some
    /// may have been added.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for a label or path that cannot be, [`DomainError::Busy`], [`DomainError::NotFound`]
    /// or [`DomainError::WrongState`] as the session is, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn add_files(
        &self,
        session: &PrearchiveSession,
        add: &AddFiles,
        files: Vec<ReceivedFile>,
    ) -> Result<Vec<String>, DomainError> {
        let mut left = files;
        let outcome = self.add_files_held(session, add, &mut left).await;
        // What was not taken over is nobody's.
        self.abandon_files(left).await;
        outcome
    }

    async fn add_files_held(
        &self,
        session: &PrearchiveSession,
        add: &AddFiles,
        left: &mut Vec<ReceivedFile>,
    ) -> Result<Vec<String>, DomainError> {
        check_label(&add.label)?;
        check_notes(&add.notes)?;
        for file in left.iter() {
            self.demand_in_time(file.started_ms)?;
        }
        let mut held = self.hold_found_patiently(session).await?;
        let outcome = self.add_to_resource(&mut held, add, left).await;
        self.let_go(held).await?;
        outcome
    }

    async fn add_to_resource(
        &self,
        held: &mut HeldSession,
        add: &AddFiles,
        left: &mut Vec<ReceivedFile>,
    ) -> Result<Vec<String>, DomainError> {
        held.session.allow(Action::Edit)?;
        let resource = self.resource_to_fill(held, add).await?;
        let owner = held.session.id.clone();
        let taking = Taking { by: &add.by, notes: &add.notes, wish: None, overwrite: add.overwrite };
        self.take_files(&mut held.lease, resource.catalog_of(&owner), taking, left).await
    }

    /// The resource of this label; a new one if there is none with files. It is not there for readers until it has a
    /// file.
    async fn resource_to_fill(&self, held: &mut HeldSession, add: &AddFiles) -> Result<ItemResource, DomainError> {
        let owner = held.session.id.clone();
        let known = held.session.resources.iter().find(|resource| resource.label == add.label).cloned();
        if let Some(known) = known {
            if !self.catalog(&known.catalog).await?.is_empty() {
                return Ok(known);
            }
            self.remove_catalog(known.catalog_of(&owner)).await?;
            held.session.resources.retain(|resource| resource.label != add.label);
        }
        if held.session.resources.len() >= MAX_RESOURCES {
            self.drop_empty_resources(held).await?;
        }
        if held.session.resources.len() >= MAX_RESOURCES {
            return Err(DomainError::Invalid {
                what: format!("A session may have at most {MAX_RESOURCES} resources; put the file into one of them."),
            });
        }
        let new = ItemResource {
            label: add.label.clone(),
            notes: add.notes.clone(),
            number: 0,
            catalog: random_id()?,
            is_made: false,
        };
        held.session.resources.push(new.clone());
        self.store_session(held).await?;
        Ok(new)
    }

    /// Forgets the resources without files; the caller stores the session.
    async fn drop_empty_resources(&self, held: &mut HeldSession) -> Result<(), DomainError> {
        let owner = held.session.id.clone();
        let mut kept = Vec::new();
        for resource in held.session.resources.clone() {
            if self.catalog(&resource.catalog).await?.is_empty() {
                self.remove_catalog(resource.catalog_of(&owner)).await?;
            } else {
                kept.push(resource);
            }
        }
        held.session.resources = kept;
        Ok(())
    }

    /// Removes a file from a resource of a session. The last file takes the resource with it.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if there is no such file, or as [`Core::add_files`].
    #[crate::boxed(?Send)]
    pub async fn remove_session_file(
        &self,
        session: &PrearchiveSession,
        label: &str,
        path: &str,
    ) -> Result<(), DomainError> {
        let mut held = self.hold_found_patiently(session).await?;
        let outcome = self.remove_file_held(&mut held, label, path).await;
        self.let_go(held).await?;
        outcome
    }

    async fn remove_file_held(&self, held: &mut HeldSession, label: &str, path: &str) -> Result<(), DomainError> {
        held.session.allow(Action::Edit)?;
        let owner = held.session.id.clone();
        let missing = || DomainError::not_found("file", path);
        let resource = held.session.resources.iter().find(|resource| resource.label == label).cloned();
        let resource = resource.ok_or_else(missing)?;
        if !self.remove_file(&mut held.lease, resource.catalog_of(&owner), path).await? {
            return Err(missing());
        }
        if self.catalog(&resource.catalog).await?.is_empty() {
            self.forget_resource(held, &resource).await?;
        }
        Ok(())
    }

    /// Removes a resource of a session with its files: they are gone when this returns. What they take in the store
    /// is given back by [`Core::finish_removal`], which may take long.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if there is no such resource, or as [`Core::add_files`].
    #[crate::boxed(?Send)]
    pub async fn remove_session_resource(
        &self,
        session: &PrearchiveSession,
        label: &str,
    ) -> Result<ItemResource, DomainError> {
        let mut held = self.hold_found_patiently(session).await?;
        let outcome = self.remove_resource_held(&mut held, label).await;
        self.let_go(held).await?;
        outcome
    }

    async fn remove_resource_held(&self, held: &mut HeldSession, label: &str) -> Result<ItemResource, DomainError> {
        held.session.allow(Action::Edit)?;
        let owner = held.session.id.clone();
        let missing = || DomainError::not_found("resource", label);
        let resource = held.session.resources.iter().find(|resource| resource.label == label).cloned();
        let resource = resource.ok_or_else(missing)?;
        if self.catalog(&resource.catalog).await?.is_empty() {
            return Err(missing());
        }
        self.clear_catalog(&mut held.lease, resource.catalog_of(&owner)).await?;
        Ok(resource)
    }

    /// Gives back what a removed resource takes in the store. If this does not come to its end, it is done when a
    /// resource of that label is made again, or with the session's deletion.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if the session is worked on, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn finish_removal(&self, session: &str, resource: &ItemResource) -> Result<(), DomainError> {
        self.remove_catalog(resource.catalog_of(session)).await?;
        let mut held = match self.hold_session_patiently(session).await {
            // It took its resources with it.
            Err(DomainError::NotFound { .. }) => return Ok(()),
            held => held?,
        };
        let outcome = self.forget_resource(&mut held, resource).await;
        self.let_go(held).await?;
        outcome
    }

    async fn forget_resource(&self, held: &mut HeldSession, resource: &ItemResource) -> Result<(), DomainError> {
        if !held.session.resources.iter().any(|known| known.catalog == resource.catalog) {
            return Ok(());
        }
        self.remove_catalog(resource.catalog_of(&held.session.id)).await?;
        held.session.resources.retain(|known| known.catalog != resource.catalog);
        self.store_session(held).await
    }
}
