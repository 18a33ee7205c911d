//! Approving: files of folders become files of a resource of the archive. No bytes are moved.

use std::collections::BTreeSet;

use super::hold::{HeldFolder, busy};
use super::{Approval, MAX_CHOSEN, MAX_CHOSEN_BYTES, MAX_URI_BYTES, Target, TriageFolder};
use crate::domain::Core;
use crate::domain::catalog::{CatalogFile, CatalogRef, FileNotes, MAX_FILES, full};
use crate::domain::error::DomainError;
use crate::domain::history::Cause;
use crate::domain::resource::{check_label, check_notes};
use crate::domain::shelf::HeldShelf;
use crate::storage::{PackId, pack};

/// What is to be approved: files that go to one resource of the archive.
#[derive(Debug, Clone)]
pub struct Approve {
    /// Which files; each folder is named once.
    pub sources: Vec<Source>,
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

/// Files of one folder of the quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The project of the quarantine.
    pub project: String,
    /// The folder.
    pub label: String,
    /// Which of its files; `None` for all.
    pub paths: Option<Vec<String>>,
}

/// What was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// How many files.
    pub files: u64,
    /// The folders that are gone: each is to be emptied by [`Core::empty_triage_of`].
    pub gone: Vec<TriageFolder>,
}

/// A folder, and what is about to leave it.
pub(super) struct Leaving {
    folder: TriageFolder,
    paths: Option<Vec<String>>,
    pub files: Vec<CatalogFile>,
}

impl Approve {
    fn check(&self) -> Result<(), DomainError> {
        check_notes(&self.notes)?;
        self.cause.check()?;
        let is_too_much = |source: &Source| {
            let paths = source.paths.as_deref().unwrap_or_default();
            paths.len() > MAX_CHOSEN || paths.iter().map(String::len).sum::<usize>() > MAX_CHOSEN_BYTES
        };
        if self.sources.iter().any(is_too_much) || self.dest.uri.len() > MAX_URI_BYTES {
            return Err(DomainError::Invalid {
                what: format!(
                    "At most {MAX_CHOSEN} single files of a folder can be approved in one request, and fewer if their \
                     paths are very long; approve the whole folder, or send several requests."
                ),
            });
        }
        Ok(())
    }

    fn projects(&self) -> BTreeSet<&str> {
        self.sources.iter().map(|source| source.project.as_str()).collect()
    }
}

impl Core {
    /// Refuses what any of these approvals would refuse, if they were made one after the other, without doing anything.
    ///
    /// # Errors
    /// As [`Core::approve`].
    #[crate::boxed(?Send)]
    pub async fn check_approvals(&self, all: &[Approve]) -> Result<(), DomainError> {
        let mut new = Vec::new();
        for wanted in all {
            wanted.check()?;
            let of = &wanted.dest.of;
            let more = new.iter().filter(|item| **item == of).count();
            let is_new = self
                .with_quarantines(&wanted.projects(), async |core, held| {
                    let leaving = core.choose(held, &wanted.sources).await?;
                    core.with_shelf(of, async |core, shelf| core.demand_fitting(shelf, wanted, &leaving, more).await)
                        .await
                })
                .await?;
            if is_new {
                new.push(of);
            }
        }
        Ok(())
    }

    /// Takes files of one or several folders into a resource of the archive, which is made if there is none: all of them
    /// with one write, or none.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if a file, a folder or the destination's item is not there; [`DomainError::Conflict`]
    /// if the resource has files of their paths that are not to be overwritten, or several of them have the same path;
    /// [`DomainError::Refused`] if the destination is locked; [`DomainError::Invalid`], [`DomainError::Busy`], or the
    /// store's failure.
    #[crate::boxed(?Send)]
    pub async fn approve(&self, wanted: &Approve) -> Result<Approved, DomainError> {
        wanted.check()?;
        self.with_quarantines(&wanted.projects(), async |core, held| {
            let leaving = core.choose(held, &wanted.sources).await?;
            // The folders leave before the destination is let go.
            core.with_shelf(&wanted.dest.of, async |core, shelf| {
                core.demand_fitting(shelf, wanted, &leaving, 0).await?;
                core.move_over(held, shelf, wanted, leaving).await
            })
            .await
        })
        .await
    }

    /// What is to leave folders of held quarantines.
    async fn choose(&self, held: &mut [HeldFolder], sources: &[Source]) -> Result<Vec<Leaving>, DomainError> {
        let mut count = 0_u64;
        let mut all = Vec::with_capacity(sources.len());
        for Source { project, label, paths } in sources {
            let held = of_project(held, project)?;
            self.take_in_hand(held, label).await?;
            let folder = held.found()?;
            count = count.saturating_add(match paths {
                Some(paths) => paths.len() as u64,
                None => self.catalog(&folder.catalog).await?.files,
            });
            if count > MAX_FILES {
                return Err(full());
            }
            let files = self.chosen_files(&folder, paths.as_deref()).await?;
            demand_some(&files, &folder)?;
            // Packs of files that have left the folder are its own to give back, not the destination's.
            let owner = folder.owner();
            self.settle_catalog(&mut held.lease, CatalogRef { id: &folder.catalog, owner: &owner }).await?;
            all.push(Leaving { folder, paths: paths.clone(), files });
        }
        Ok(all)
    }

    async fn move_over(
        &self,
        held: &mut [HeldFolder],
        shelf: &mut HeldShelf,
        wanted: &Approve,
        leaving: Vec<Leaving>,
    ) -> Result<Approved, DomainError> {
        let resource = match self.changeable(shelf, &wanted.dest.resource).await? {
            Some(known) => known,
            None => {
                check_label(&wanted.dest.resource)?;
                self.add_resource(shelf, &wanted.dest.resource, &wanted.notes).await?
            }
        };
        let mut marked = Vec::with_capacity(leaving.len());
        let files = leaving.iter().map(|leaving| leaving.files.len() as u64).sum();
        match self.mark_and_put(held, shelf, (wanted, &resource.catalog), leaving, &mut marked).await {
            Ok(()) => {}
            // Whether the files came there is not known; whoever comes next looks.
            Err(error @ DomainError::Store(_)) => return Err(error),
            Err(error) => {
                for (folder, approval) in &marked {
                    let held = of_project(held, &folder.project)?;
                    held.turn_to(folder.clone());
                    self.take_approval_back(held, folder, approval).await?;
                }
                return Err(error);
            }
        }
        let mut gone = Vec::new();
        for (folder, approval) in marked {
            let held = of_project(held, &folder.project)?;
            held.turn_to(TriageFolder { approval: Some(approval), ..folder.clone() });
            self.end_approval(held).await?;
            if held.folder.is_none() {
                gone.push(folder);
            }
        }
        Ok(Approved { files, gone })
    }

    /// Lets each folder say where its files go, then puts all of them there with one write. `marked` has the folders that
    /// say so.
    async fn mark_and_put(
        &self,
        held: &mut [HeldFolder],
        shelf: &mut HeldShelf,
        (wanted, catalog): (&Approve, &str),
        leaving: Vec<Leaving>,
        marked: &mut Vec<(TriageFolder, Approval)>,
    ) -> Result<(), DomainError> {
        let mut moved = Vec::new();
        let mut packs = Vec::with_capacity(leaving.len());
        for Leaving { folder, paths, files } in leaving {
            let approval = Approval {
                dest: wanted.dest.clone(),
                owner: shelf.owner.clone(),
                paths,
                files: files.len() as u64,
                by: wanted.by.clone(),
                cause: wanted.cause.clone(),
                at_ms: self.clock.now_ms(),
            };
            let held = of_project(held, &folder.project)?;
            let said = TriageFolder { approval: Some(approval.clone()), ..folder.clone() };
            self.condemn(&said).await?;
            held.turn_to(folder.clone());
            self.write_folder(held, said).await?;
            packs.push(files.iter().map(|file| file.file.pack).collect());
            moved.extend(files.into_iter().map(|file| approved(file, wanted, approval.at_ms)));
            marked.push((folder, approval));
        }
        let catalog = CatalogRef { id: catalog, owner: &shelf.owner };
        // What the destination has given back before may be a pack that it gets again now.
        self.settle_catalog(&mut shelf.lease, catalog).await?;
        for ((folder, approval), packs) in marked.iter().zip(packs) {
            self.pass_packs_on(folder, approval, packs).await?;
        }
        for held in held {
            self.keep_folder(held).await?;
        }
        self.put_files(&mut shelf.lease, catalog, moved, wanted.overwrite).await.map(drop)
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
}

/// The held quarantine of a project.
fn of_project<'a>(held: &'a mut [HeldFolder], project: &str) -> Result<&'a mut HeldFolder, DomainError> {
    held.iter_mut().find(|held| held.project == project).ok_or_else(busy)
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
    CatalogFile { file: file.file, by: wanted.by.clone(), at_ms, notes, wish: None }
}
