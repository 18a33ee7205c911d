//! Who has the packs that are owned under the name of a folder: the folder while it is there, then whoever took its files
//! over.

use serde::{Deserialize, Serialize};

use super::{OwnedFolder, TriageFolder};
use crate::domain::Core;
use crate::storage::{Record, StoreError, keys};

/// Who takes the files of a folder over. It counts once the folder's record is gone.
#[derive(Debug, Serialize, Deserialize)]
struct Heir {
    /// The name under which the packs of the destination's files are owned.
    owner: String,
}

impl Record for Heir {
    const VERSION: u32 = 1;
}

impl Core {
    pub(super) async fn set_heir(&self, folder: &TriageFolder, owner: &str) -> Result<(), StoreError> {
        self.records.set(&keys::triage_heir(&folder.project, folder.number), &Heir { owner: owner.to_owned() }).await
    }

    pub(super) async fn forget_heir(&self, folder: &TriageFolder) -> Result<(), StoreError> {
        self.records.delete(&keys::triage_heir(&folder.project, folder.number)).await
    }

    /// Removes what says who took the files of a deleted project's folders over, unless they have them still.
    pub(super) async fn forget_dead_heirs(&self, project: &str) -> Result<(), StoreError> {
        let count = self.records.store().counter(keys::triage_counter(project).as_str()).await?;
        for number in 1..=u64::try_from(count).unwrap_or(0) {
            let key = keys::triage_heir(project, number);
            if let Some(heir) = self.records.get::<Heir>(&key).await?
                && !self.item_is_alive(&heir.owner).await?
            {
                self.records.delete(&key).await?;
            }
        }
        Ok(())
    }

    /// The folder whose packs are owned under this name, while it is there.
    pub(crate) async fn folder_of_owner(&self, owner: &str) -> Result<Option<TriageFolder>, StoreError> {
        let Some(OwnedFolder { project, number, label }) = OwnedFolder::parse(owner) else { return Ok(None) };
        let found: Option<TriageFolder> = self.records.get(&keys::triage(project, label)).await?;
        Ok(found.filter(|found| found.number == number))
    }

    /// Who took over, or is about to take over, what is owned under this name, if it is that of a folder.
    pub(crate) async fn heir_of_owner(&self, owner: &str) -> Result<Option<String>, StoreError> {
        let Some(OwnedFolder { project, number, .. }) = OwnedFolder::parse(owner) else { return Ok(None) };
        let found: Option<Heir> = self.records.get(&keys::triage_heir(project, number)).await?;
        Ok(found.map(|heir| heir.owner))
    }

    /// The name that stands for this one when packs are given back: that of whoever took a folder's files over, once the
    /// folder is gone.
    pub(crate) async fn present_owner(&self, owner: &str) -> Result<String, StoreError> {
        match self.heir_of_owner(owner).await? {
            Some(heir) if self.folder_of_owner(owner).await?.is_none() => Ok(heir),
            _ => Ok(owner.to_owned()),
        }
    }
}
