//! Approving: files of a folder become files of a resource of the archive. No bytes are moved.

use std::collections::BTreeSet;

use super::{Approval, MAX_CHOSEN, MAX_CHOSEN_BYTES, MAX_URI_BYTES, Target, TriageFolder};
use crate::domain::Core;
use crate::domain::catalog::{CatalogFile, CatalogRef, FileNotes};
use crate::domain::error::DomainError;
use crate::domain::history::Cause;
use crate::domain::resource::{check_label, check_notes, named};
use crate::domain::shelf::ShelfOf;
use crate::intake::name::ShownName;
use crate::storage::{PackId, StoreError, pack};

/// Paths that a sentence names.
const NAMED: usize = 10;

/// What is to be approved.
#[derive(Debug, Clone)]
pub struct Approve {
    /// The project of the quarantine.
    pub project: String,
    /// The folder.
    pub label: String,
    /// Which of its files; `None` for all.
    pub paths: Option<Vec<String>>,
    /// Where they are to go.
    pub dest: Target,
    /// Whether they take the place of files that are there.
    pub overwrite: bool,
    /// What is said of the files; an empty text leaves what the uploader said.
    pub notes: FileNotes,
    /// Who approves.
    pub by: String,
    /// Why.
    pub cause: Cause,
}

/// What was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// How many files.
    pub files: u64,
    /// The folder, if it is gone: to be emptied by [`Core::empty_triage_of`].
    pub gone: Option<TriageFolder>,
}

impl Approve {
    fn check(&self) -> Result<(), DomainError> {
        check_notes(&self.notes)?;
        self.cause.check()?;
        let paths = self.paths.as_deref().unwrap_or_default();
        let bytes: usize = paths.iter().map(String::len).sum();
        if paths.len() > MAX_CHOSEN || bytes > MAX_CHOSEN_BYTES || self.dest.uri.len() > MAX_URI_BYTES {
            return Err(DomainError::Invalid {
                what: format!(
                    "At most {MAX_CHOSEN} single files of a folder can be approved in one request, and fewer if their \
                     paths are very long; approve the whole folder, or send several requests."
                ),
            });
        }
        Ok(())
    }
}

/// XNAT's text, with the files.
fn duplicates(paths: &[String]) -> DomainError {
    let names: Vec<String> = paths.iter().take(NAMED).map(|path| ShownName::new(path).to_string()).collect();
    let more = match paths.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    DomainError::Conflict {
        reason: format!(
            "Duplicate File(s) found: {}{more} are in the destination already. Nothing was moved; approve with \
             overwrite=true to replace them.",
            names.join(", ")
        ),
    }
}

impl Core {
    /// Refuses what an approval would refuse, without doing anything.
    ///
    /// # Errors
    /// As [`Core::approve`].
    #[crate::boxed(?Send)]
    pub async fn check_approval(&self, wanted: &Approve) -> Result<(), DomainError> {
        wanted.check()?;
        let missing = || DomainError::not_found("folder", &wanted.label);
        let folder = self.triage_folder(&wanted.project, &wanted.label).await?.ok_or_else(missing)?;
        let files = self.chosen_files(&folder, wanted.paths.as_deref()).await?;
        demand_some(&files, &folder)?;
        if let ShelfOf::Experiment(id) | ShelfOf::Scan { experiment: id, .. } = &wanted.dest.of {
            self.experiment_that_is(id).await?.demand_unlocked()?;
        }
        if wanted.overwrite {
            return Ok(());
        }
        let shelf = self.shelf_resources(&wanted.dest.of).await?;
        let resources: Vec<_> = shelf.into_iter().map(|counted| counted.resource).collect();
        let there = match named(&resources, &wanted.dest.resource) {
            Some(resource) => self.duplicates_in(&resource.catalog, &files).await?,
            None => Vec::new(),
        };
        if there.is_empty() { Ok(()) } else { Err(duplicates(&there)) }
    }

    /// Takes files of a folder into a resource of the archive, which is made if there is none: all of them with one
    /// write, or none.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if a file, the folder or the destination's item is not there; [`DomainError::Conflict`]
    /// if the resource has files of their paths that are not to be overwritten; [`DomainError::Refused`] if the
    /// destination is locked; [`DomainError::Invalid`], [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn approve(&self, wanted: &Approve) -> Result<Approved, DomainError> {
        wanted.check()?;
        self.with_folder(&wanted.project, &wanted.label, async |core, held| {
            let folder = held.found()?;
            let files = core.chosen_files(&folder, wanted.paths.as_deref()).await?;
            demand_some(&files, &folder)?;
            // Packs of files that have left the folder are its own to give back, not the destination's.
            let owner = folder.owner();
            core.settle_catalog(&mut held.lease, CatalogRef { id: &folder.catalog, owner: &owner }).await?;
            let count = files.len() as u64;
            let of = wanted.dest.of.clone();
            // The folder leaves before the destination is let go.
            core.with_shelf(&of, async |core, shelf| {
                let known = core.changeable(shelf, &wanted.dest.resource).await?;
                if let Some(known) = &known
                    && !wanted.overwrite
                {
                    let there = core.duplicates_in(&known.catalog, &files).await?;
                    if !there.is_empty() {
                        return Err(duplicates(&there));
                    }
                }
                let resource = match known {
                    Some(known) => known,
                    None => {
                        check_label(&wanted.dest.resource)?;
                        core.add_resource(shelf, &wanted.dest.resource, &wanted.notes).await?
                    }
                };
                let approval = Approval {
                    dest: wanted.dest.clone(),
                    owner: shelf.owner.clone(),
                    paths: wanted.paths.clone(),
                    files: count,
                    by: wanted.by.clone(),
                    cause: wanted.cause.clone(),
                    at_ms: core.clock.now_ms(),
                };
                let leaving = TriageFolder { approval: Some(approval.clone()), ..folder.clone() };
                core.condemn(&leaving).await?;
                core.write_folder(held, leaving).await?;
                let packs: BTreeSet<PackId> = files.iter().map(|file| file.file.pack).collect();
                let moved = files.into_iter().map(|file| approved(file, wanted, approval.at_ms)).collect();
                let outcome = async {
                    let catalog = CatalogRef { id: &resource.catalog, owner: &shelf.owner };
                    // What the destination has given back before may be a pack that it gets again now.
                    core.settle_catalog(&mut shelf.lease, catalog).await?;
                    core.pass_packs_on(&folder, &approval, packs).await?;
                    core.keep_folder(held).await?;
                    core.put_files(&mut shelf.lease, catalog, moved, wanted.overwrite).await
                }
                .await;
                match outcome {
                    Ok(_) => core.end_approval(held).await,
                    // Whether the files came there is not known; whoever comes next looks.
                    Err(error @ DomainError::Store(_)) => Err(error),
                    Err(error) => {
                        core.take_approval_back(held, &folder, &approval).await?;
                        Err(error)
                    }
                }
            })
            .await?;
            let gone = held.folder.is_none().then_some(folder);
            Ok(Approved { files: count, gone })
        })
        .await
    }

    /// Lets the destination own the packs in which its files will lie. With the whole folder goes the name under which
    /// the folder owns them.
    async fn pass_packs_on(
        &self,
        folder: &TriageFolder,
        approval: &Approval,
        packs: BTreeSet<PackId>,
    ) -> Result<(), DomainError> {
        if approval.paths.is_none() {
            return Ok(self.set_heir(folder, &approval.owner).await?);
        }
        for id in packs {
            self.with_lease(&pack::owners_lease(id), "the files", async |core| {
                Ok::<(), DomainError>(pack::add_owner(&core.records, id, &approval.owner).await?)
            })
            .await?;
        }
        Ok(())
    }

    /// Which of these files' paths a catalog has already.
    async fn duplicates_in(&self, catalog: &str, files: &[CatalogFile]) -> Result<Vec<String>, StoreError> {
        self.paths_in(catalog, files.iter().map(|file| file.file.name.as_str())).await
    }
}

fn demand_some(files: &[CatalogFile], folder: &TriageFolder) -> Result<(), DomainError> {
    if files.is_empty() {
        let what = format!("The folder {} of the quarantine is empty: there is nothing to approve.", folder.label);
        return Err(DomainError::Invalid { what });
    }
    Ok(())
}

/// A file as the destination lists it.
fn approved(file: CatalogFile, wanted: &Approve, at_ms: u64) -> CatalogFile {
    let said = |new: &String, old: String| if new.is_empty() { old } else { new.clone() };
    let notes = FileNotes {
        format: said(&wanted.notes.format, file.notes.format),
        content: said(&wanted.notes.content, file.notes.content),
        description: said(&wanted.notes.description, file.notes.description),
        tags: said(&wanted.notes.tags, file.notes.tags),
    };
    CatalogFile { file: file.file, by: wanted.by.clone(), at_ms, notes }
}
