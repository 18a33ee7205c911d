//! Taking files that were put by hand up into the catalog of their resource.
//!
//! The shelf says so before the write of the catalog that does it, so that whoever holds the shelf after a crash finds
//! out which files were taken up, and lets them wait no longer ([`Core::settle_placed`]).

use crate::domain::Core;
use crate::domain::catalog::FileNotes;
use crate::domain::error::DomainError;
use crate::domain::shelf::ShelfOf;
use crate::domain::shelf::hold::HeldShelf;
use crate::storage::pack;

/// What was taken up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::domain) struct Taken {
    /// How many files.
    pub files: u64,
    /// The paths of those that wait still, because the resource has them as files or folders already.
    pub left: Vec<String>,
}

impl Core {
    /// Takes the files that wait beside a resource up into its catalog, as entries of `by` from now on. Those whose paths
    /// it has already are left. `None` if there is no such resource, or it is not the one that `only` names.
    ///
    /// # Errors
    /// As with every change of an item; what was done before is brought to its end by whoever holds the shelf next.
    pub(in crate::domain) async fn take_placed(
        &self,
        of: &ShelfOf,
        label: &str,
        only: Option<&str>,
        by: &str,
    ) -> Result<Option<Taken>, DomainError> {
        self.with_shelf(of, async |core, held| {
            let Some((found, number)) = core.label_and_number(held, label).await? else { return Ok(None) };
            if found != label || only.is_some_and(|only| only != found && only != number.to_string()) {
                return Ok(None);
            }
            let Some(placed) = held.shelf.placed.iter().find(|placed| placed.label == label).cloned() else {
                return Ok(Some(Taken::default()));
            };
            let mut files = core.files_of_catalog(&placed.catalog).await?;
            if files.is_empty() {
                return Ok(Some(Taken::default()));
            }
            let Some(resource) = core.changeable(held, label).await? else { return Ok(None) };
            let catalog = resource.catalog_of(&held.owner);
            let now_ms = core.clock.now_ms();
            for file in &mut files {
                (file.by, file.at_ms, file.notes) = (by.to_owned(), now_ms, FileNotes::default());
            }
            let (fitting, others) = core.fitting(&mut held.lease, catalog, files).await?;
            let left = others.into_iter().map(|file| file.file.name).collect();
            let taken = Taken { files: fitting.len() as u64, left };
            if fitting.is_empty() {
                return Ok(Some(taken));
            }
            for placed in held.shelf.placed.iter_mut().filter(|placed| placed.label == label) {
                placed.is_passing = true;
            }
            core.store_shelf(held).await?;
            let put = core.put_files(&mut held.lease, resource.catalog_of(&held.owner), fitting, false).await;
            match put {
                Ok(_) => {}
                Err(error @ DomainError::Store(_)) => return Err(error),
                Err(error) => {
                    core.settle_placed(held).await?;
                    return Err(error);
                }
            }
            core.settle_placed(held).await?;
            Ok(Some(taken))
        })
        .await
    }

    /// Lets files of a held shelf wait no longer that stand in the catalogs of their resources. May be done again.
    pub(in crate::domain::shelf) async fn settle_placed(&self, held: &mut HeldShelf) -> Result<(), DomainError> {
        while let Some(placed) = held.shelf.placed.iter().find(|placed| placed.is_passing).cloned() {
            let resource = held.shelf.resources.iter().find(|resource| resource.label == placed.label);
            let taken = match resource {
                Some(resource) => self.packs_of_catalog(&resource.catalog).await?,
                None => Default::default(),
            };
            let mut waiting = Vec::new();
            for file in self.files_of_catalog(&placed.catalog).await? {
                // Each has a pack of its own. One that is gone was taken up and removed since.
                if !taken.contains(&file.file.pack) && pack::find(&self.records, file.file.pack).await?.is_some() {
                    waiting.push(file);
                }
            }
            let is_empty = waiting.is_empty();
            self.keep_only(&mut held.lease, placed.catalog_of(&held.owner), waiting).await?;
            if is_empty {
                self.drop_catalog(&placed.catalog).await?;
                held.shelf.placed.retain(|one| one.catalog != placed.catalog);
            }
            for one in held.shelf.placed.iter_mut().filter(|one| one.catalog == placed.catalog) {
                one.is_passing = false;
            }
            self.store_shelf(held).await?;
        }
        Ok(())
    }
}
