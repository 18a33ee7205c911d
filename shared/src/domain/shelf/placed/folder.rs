//! The folders of the archive's resources, as XNAT lays them out, and the items that they stand for.

use super::super::{ShelfOf, ShelvedScan};
use crate::domain::Core;
use crate::domain::archive::Experiment;
use crate::domain::error::DomainError;
use crate::domain::manifest::StoredScan;

/// Bytes of a folder's address, at most.
const MAX_BYTES: usize = 4 * 1024;

/// A folder of the archive: of a resource, or of an item that may have some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchiveFolder {
    /// The project's identifier.
    pub project: String,
    /// The subject's label.
    pub subject: Option<String>,
    /// The experiment's label.
    pub experiment: Option<String>,
    /// The scan's ID.
    pub scan: Option<String>,
    /// The assessor's label.
    pub assessor: Option<String>,
    /// The resource's label.
    pub resource: Option<String>,
    /// The folder within the resource, if it is one.
    pub within: Option<String>,
}

/// The folder of a resource that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceFolder {
    /// Whose resource.
    pub of: ShelfOf,
    /// Its label.
    pub label: String,
    /// Whether it holds the images of a scan, whose identifiers its catalog lists.
    pub has_images: bool,
}

impl ArchiveFolder {
    /// The folder that a text names, with or without `/` or `archive/` at its beginning.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for what names none.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        let invalid = || DomainError::Invalid {
            what:
                "A folder is archive/PROJECT/arc001/EXPERIMENT/SCANS/SCAN/RESOURCE, .../EXPERIMENT/RESOURCES/RESOURCE, \
                   .../EXPERIMENT/ASSESSORS/ASSESSOR/RESOURCE, archive/PROJECT/subjects/SUBJECT/RESOURCE or \
                   archive/PROJECT/resources/RESOURCE, or one within it."
                    .to_owned(),
        };
        let text = text.trim_start_matches('/');
        let text = text.strip_prefix("archive/").unwrap_or(text);
        let text = text.strip_suffix('/').unwrap_or(text);
        let parts: Vec<&str> = text.split('/').collect();
        let is_sound = |part: &&str| !part.is_empty() && *part != "." && *part != ".." && !part.contains('\\');
        if text.len() > MAX_BYTES || text.chars().any(char::is_control) || !parts.iter().all(is_sound) {
            return Err(invalid());
        }
        let own = |part: &&str| Some((*part).to_owned());
        let (project, below) = parts.split_first().ok_or_else(invalid)?;
        let mut folder = Self { project: (*project).to_owned(), ..Self::default() };
        let resource = match below {
            [] | ["resources"] => &[],
            ["resources", rest @ ..] => rest,
            ["subjects", subject, rest @ ..] => {
                folder.subject = own(subject);
                rest
            }
            ["arc001", experiment, rest @ ..] => {
                folder.experiment = own(experiment);
                match rest {
                    [] | ["RESOURCES"] => &[],
                    ["RESOURCES", rest @ ..] => rest,
                    ["SCANS", scan, rest @ ..] => {
                        folder.scan = own(scan);
                        rest
                    }
                    ["ASSESSORS", assessor, rest @ ..] => {
                        folder.assessor = own(assessor);
                        rest
                    }
                    _ => return Err(invalid()),
                }
            }
            _ => return Err(invalid()),
        };
        if let Some((label, within)) = resource.split_first() {
            folder.resource = own(label);
            folder.within = (!within.is_empty()).then(|| within.join("/"));
        }
        Ok(folder)
    }

    /// The label of its resource.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for the folder of an item.
    pub fn demand_resource(&self) -> Result<&str, DomainError> {
        self.resource.as_deref().ok_or_else(|| DomainError::Invalid {
            what: "This is the folder of an item; name that of one of its resources.".to_owned(),
        })
    }

    /// The path within the resource of a file in this folder.
    pub fn path_of(&self, name: &str) -> String {
        match &self.within {
            Some(within) => format!("{within}/{name}"),
            None => name.to_owned(),
        }
    }
}

impl Core {
    /// The item that a folder belongs to. Only its own project's folders are an item's, not those of projects that it is
    /// shared with.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if there is none, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn item_of_folder(&self, folder: &ArchiveFolder) -> Result<ShelfOf, DomainError> {
        let project = &folder.project;
        self.project_by_id(project).await?.ok_or_else(|| DomainError::not_found("project", project))?;
        if let Some(label) = &folder.subject {
            let found = self.find_subject(project, label).await?;
            let found = found.filter(|found| found.project == *project && found.label == *label);
            return Ok(ShelfOf::Subject(found.ok_or_else(|| DomainError::not_found("subject", label))?.id));
        }
        let Some(label) = &folder.experiment else { return Ok(ShelfOf::Project(project.clone())) };
        let missing = || DomainError::not_found("experiment", label);
        let found = self.experiment(Some(project), label).await?;
        if found.project != *project || found.label != *label || found.assessed.is_some() {
            return Err(missing());
        }
        if let Some(scan) = &folder.scan {
            if !self.has_scan(&found.id, scan).await? {
                return Err(DomainError::not_found("scan", scan));
            }
            return Ok(ShelfOf::Scan { experiment: found.id, scan: scan.clone() });
        }
        if let Some(name) = &folder.assessor {
            let assessor = self.assessor(&found, name).await?.filter(|assessor| assessor.label == *name);
            return Ok(ShelfOf::Experiment(assessor.ok_or_else(|| DomainError::not_found("assessor", name))?.id));
        }
        Ok(ShelfOf::Experiment(found.id))
    }

    /// The resource that a folder is, or lies in.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if there is none, [`DomainError::Invalid`] for the folder of an item, or the store's
    /// failure.
    #[crate::boxed(?Send)]
    pub async fn resource_of_folder(&self, folder: &ArchiveFolder) -> Result<ResourceFolder, DomainError> {
        let of = self.item_of_folder(folder).await?;
        let label = folder.demand_resource()?;
        let missing = || DomainError::not_found("resource", label);
        let mut known: Vec<(String, String)> = Vec::new();
        if let ShelfOf::Scan { experiment, scan } = &of {
            let experiment = self.experiment_that_is(experiment).await?;
            let manifest = self.manifest(&experiment.manifest).await?;
            let mut scans = self.scans_of(&experiment, &manifest).await?;
            scans.retain(|stored| stored.scan.id == *scan);
            for StoredScan { resources, shelf, .. } in scans {
                known.extend(resources.into_iter().map(|resource| (resource.label, resource.format)));
                known.extend(shelf.into_iter().map(|one| (one.resource.label, one.resource.notes.format)));
            }
        } else {
            let shelf = self.shelf_resources(&of).await?;
            known.extend(shelf.into_iter().map(|one| (one.resource.label, one.resource.notes.format)));
        }
        let (_, format) = known.into_iter().find(|(found, _)| found == label).ok_or_else(missing)?;
        let has_images = format == "DICOM" && matches!(of, ShelfOf::Scan { .. });
        Ok(ResourceFolder { of, label: label.to_owned(), has_images })
    }

    /// The items whose resources lie in a folder or below it, with their folders: of a project its own and those of its
    /// subjects and experiments, of an experiment its own and those of its scans and assessors.
    ///
    /// # Errors
    /// As [`Core::item_of_folder`].
    #[crate::boxed(?Send)]
    pub async fn items_below(&self, folder: &ArchiveFolder) -> Result<Vec<(String, ShelfOf)>, DomainError> {
        let of = self.item_of_folder(folder).await?;
        let project = format!("archive/{}", folder.project);
        let mut items = Vec::new();
        match &of {
            ShelfOf::Project(id) => {
                items.push((format!("{project}/resources"), of.clone()));
                for subject in self.list_subjects(id).await?.into_iter().filter(|subject| subject.project == *id) {
                    items.push((format!("{project}/subjects/{}", subject.label), ShelfOf::Subject(subject.id)));
                }
                for experiment in self.list_experiments(id).await? {
                    if experiment.project == *id && experiment.assessed.is_none() {
                        let experiment = self.experiment_that_is(&experiment.id).await?;
                        self.add_items_of(&experiment, &mut items).await?;
                    }
                }
            }
            ShelfOf::Experiment(id) if folder.assessor.is_none() => {
                let experiment = self.experiment_that_is(id).await?;
                self.add_items_of(&experiment, &mut items).await?;
            }
            ShelfOf::Experiment(_) | ShelfOf::Subject(_) | ShelfOf::Scan { .. } => {
                let name = |name: &Option<String>| name.clone().unwrap_or_default();
                let experiment = || format!("{project}/arc001/{}", name(&folder.experiment));
                let path = match (&folder.subject, &folder.scan) {
                    (Some(subject), _) => format!("{project}/subjects/{subject}"),
                    (None, Some(scan)) => format!("{}/SCANS/{scan}", experiment()),
                    (None, None) => format!("{}/ASSESSORS/{}", experiment(), name(&folder.assessor)),
                };
                items.push((path, of));
            }
        }
        Ok(items)
    }

    async fn add_items_of(
        &self,
        experiment: &Experiment,
        items: &mut Vec<(String, ShelfOf)>,
    ) -> Result<(), DomainError> {
        let path = format!("archive/{}/arc001/{}", experiment.project, experiment.label);
        items.push((format!("{path}/RESOURCES"), ShelfOf::Experiment(experiment.id.clone())));
        for ShelvedScan { scan, .. } in &experiment.shelved_scans {
            let of = ShelfOf::Scan { experiment: experiment.id.clone(), scan: scan.clone() };
            items.push((format!("{path}/SCANS/{scan}"), of));
        }
        for assessor in self.assessors_of(experiment).await? {
            items.push((format!("{path}/ASSESSORS/{}", assessor.label), ShelfOf::Experiment(assessor.id)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resource_has_a_folder() {
        let of = |text: &str| ArchiveFolder::parse(text).unwrap();
        for (text, expected) in [
            ("archive/P/resources/R", ["P", "", "", "", "", "R", ""]),
            ("/archive/P/resources/", ["P", "", "", "", "", "", ""]),
            ("P", ["P", "", "", "", "", "", ""]),
            ("/P/subjects/S/R/a/b", ["P", "S", "", "", "", "R", "a/b"]),
            ("archive/P/arc001/E/RESOURCES/my notes", ["P", "", "E", "", "", "my notes", ""]),
            ("archive/P/arc001/E/SCANS/1-MR2/DICOM/", ["P", "", "E", "1-MR2", "", "DICOM", ""]),
            ("archive/P/arc001/E/ASSESSORS/A/R/a", ["P", "", "E", "", "A", "R", "a"]),
            ("archive/P/arc001/E", ["P", "", "E", "", "", "", ""]),
        ] {
            let found = of(text);
            let rest = [found.subject, found.experiment, found.scan, found.assessor, found.resource, found.within];
            let parts: Vec<String> =
                std::iter::once(found.project).chain(rest.map(Option::unwrap_or_default)).collect();
            assert_eq!(parts, expected, "{text}");
        }
        assert_eq!(of("P/resources/R/a").path_of("b"), "a/b");
        assert_eq!(of("P/resources/R").path_of("b"), "b");
    }

    #[test]
    fn what_is_no_folder_is_refused() {
        for text in [
            "",
            "/",
            "archive/",
            "archive/P//R",
            "archive/P/resources/..",
            "archive/P/resources/R/../x",
            "archive/P/arc001/E/SCANS",
            "archive/P/arc001/E/scans/1/R",
            "archive/P/arc002/E/SCANS/1/R",
            "archive/P/subjects",
            "archive/P/resources/a\\b",
            "archive/P/resources/a\nb",
            &"a/".repeat(3_000),
        ] {
            assert!(ArchiveFolder::parse(text).is_err(), "{text:?}");
        }
    }
}
