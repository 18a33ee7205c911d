//! Whether files could be approved into a resource as it is: all of them, or nothing is done.

use std::collections::BTreeSet;

use super::approve::{Approve, Leaving};
use crate::domain::Core;
use crate::domain::catalog::{Clashes, MAX_FILES, demand_no_clash, full, taken};
use crate::domain::error::DomainError;
use crate::domain::manifest::Resource;
use crate::domain::resource::{check_label, named};
use crate::domain::shelf::{HeldShelf, demand_place};
use crate::intake::name::ShownName;

/// Paths that a sentence names.
const NAMED: usize = 10;

fn listed(paths: &[&str]) -> String {
    let names: Vec<String> = paths.iter().take(NAMED).map(|path| ShownName::new(path).to_string()).collect();
    match paths.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// XNAT's text, with the files.
fn duplicates(paths: &[&str]) -> DomainError {
    DomainError::Conflict {
        reason: format!(
            "Duplicate File(s) found: {} are in the destination already. None of the files for it was moved; approve \
             with overwrite=true to replace them.",
            listed(paths)
        ),
    }
}

/// Overwriting is about what stands in the destination: of what waits nothing gives way unseen.
fn colliding(paths: &[&str]) -> DomainError {
    DomainError::Conflict {
        reason: format!(
            "Several sources have files of the same names for this destination: {}. None of the files for it was moved, \
             since they would replace each other; approve these one source after the other, or remove what is not wanted.",
            listed(paths)
        ),
    }
}

impl Core {
    /// Refuses what cannot be put into the wanted resource of a held shelf, on which `more` resources are to be made
    /// before. Gives whether the resource is to be made as well.
    pub(super) async fn demand_fitting(
        &self,
        shelf: &HeldShelf,
        wanted: &Approve,
        leaving: &[Leaving],
        more: usize,
    ) -> Result<bool, DomainError> {
        let all = leaving.iter().flat_map(|leaving| &leaving.files);
        let mut paths: Vec<&str> = all.map(|file| file.file.name.as_str()).collect();
        paths.sort_unstable();
        let same = paths.windows(2).filter_map(|pair| pair.first().filter(|first| pair.last() == Some(first)).copied());
        let mut same: Vec<&str> = same.collect();
        same.dedup();
        if !same.is_empty() {
            return Err(colliding(&same));
        }
        demand_no_clash(paths.iter().copied())?;
        let resource = &wanted.dest.resource;
        let (there, is_new) = match named(&shelf.shelf.resources, resource) {
            Some(known) => (self.check_paths(&known.catalog, paths.iter().copied()).await?, false),
            None => match self.manifest_resource(shelf, resource).await? {
                Some(found) => (self.check_beside_images(shelf, &found, &paths).await?, true),
                None => {
                    check_label(resource)?;
                    demand_place(shelf.shelf.resources.len().saturating_add(more))?;
                    (Vec::new(), true)
                }
            },
        };
        if there.is_empty() || wanted.overwrite {
            return Ok(is_new);
        }
        Err(duplicates(&there.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    /// As [`Core::check_paths`], of a resource of the manifest, which has no catalog yet.
    async fn check_beside_images(
        &self,
        shelf: &HeldShelf,
        resource: &Resource,
        paths: &[&str],
    ) -> Result<Vec<String>, DomainError> {
        let images = self.files_of_images(shelf, resource).await?;
        let images: BTreeSet<&str> = images.iter().map(|image| image.name.as_str()).collect();
        let (there, new): (Vec<&str>, Vec<&str>) = paths.iter().copied().partition(|path| images.contains(path));
        if (images.len() + new.len()) as u64 > MAX_FILES {
            return Err(full());
        }
        let mut all: Vec<&str> = images.into_iter().chain(new).collect();
        all.sort_unstable();
        let mut clashes = Clashes::default();
        if let Some(path) = all.into_iter().find_map(|path| clashes.next(path)) {
            return Err(taken(&path));
        }
        Ok(there.into_iter().map(str::to_owned).collect())
    }
}
