//! Resources of the archive that files of the quarantine are meant for, as they are called now.

use std::collections::BTreeMap;

use super::Call;
use super::quarantine::{known, named_target};
use crate::domain::shelf::ShelfOf;
use crate::domain::triage::Target;
use crate::http::path::join_segments;
use crate::http::{ClientError, ResourceUri};

/// Looks targets up, each of them once: files and folders often have the same.
pub struct PresentTargets<'a> {
    call: &'a Call,
    known: BTreeMap<(String, String), Target>,
}

/// The address of an item by identifiers, which it keeps for ever.
pub fn lasting_address(of: &ShelfOf) -> String {
    match of {
        ShelfOf::Project(id) => join_segments(["projects", id]),
        ShelfOf::Subject(id) => join_segments(["subjects", id]),
        ShelfOf::Experiment(id) => join_segments(["experiments", id]),
        ShelfOf::Scan { experiment, scan } => join_segments(["experiments", experiment, "scans", scan]),
    }
}

impl<'a> PresentTargets<'a> {
    /// None is known yet.
    pub fn new(call: &'a Call) -> Self {
        Self { call, known: BTreeMap::new() }
    }

    /// A target as it is called now: its address stays as it was given while it leads there, and is another after the
    /// item has got another label or project. A target whose item is gone, or does not exist for whoever asks, stays as
    /// it is.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn of(&mut self, target: &Target) -> Result<Target, ClientError> {
        let key = (lasting_address(&target.of), target.uri.clone());
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let present = match self.as_given(target).await? {
            Some(found) => found,
            None => self.renamed(target).await?.unwrap_or_else(|| target.clone()),
        };
        self.known.insert(key, present.clone());
        Ok(present)
    }

    /// What the address leads to, if that is the target still.
    async fn as_given(&self, target: &Target) -> Result<Option<Target>, ClientError> {
        let Ok(uri) = ResourceUri::parse(&target.uri) else { return Ok(None) };
        let found = known(named_target(self.call, &uri).await)?.filter(|found| found.is_same(target));
        Ok(found.map(|found| Target { uri: target.uri.clone(), ..found }))
    }

    /// The target under the present labels of its item.
    async fn renamed(&self, target: &Target) -> Result<Option<Target>, ClientError> {
        let core = &self.call.site.core;
        let mut present = target.clone();
        match &target.of {
            ShelfOf::Project(_) => return Ok(None),
            ShelfOf::Subject(id) => {
                let Some(found) = core.subject_by_id(id).await? else { return Ok(None) };
                if !self.call.sees_subject(&found).await? {
                    return Ok(None);
                }
                (present.project, present.subject) = (found.project, found.label);
            }
            ShelfOf::Experiment(id) | ShelfOf::Scan { experiment: id, .. } => {
                let Some(mut found) = core.experiment_by_id(id).await? else { return Ok(None) };
                if !self.call.sees_experiment(&found).await? {
                    return Ok(None);
                }
                if let Some(session) = found.assessed.as_ref().filter(|_| !target.assessor.is_empty()) {
                    let Some(session) = core.experiment_by_id(session).await? else { return Ok(None) };
                    present.assessor = std::mem::replace(&mut found, session).label;
                }
                (present.project, present.subject, present.experiment) =
                    (found.project, found.subject_label, found.label);
            }
        }
        present.uri = address(&present);
        Ok(Some(present))
    }
}

/// The address of a target by labels.
fn address(target: &Target) -> String {
    let parts = [
        ("projects", &target.project),
        ("subjects", &target.subject),
        ("experiments", &target.experiment),
        ("scans", &target.scan),
        ("assessors", &target.assessor),
        ("resources", &target.resource),
    ];
    let named = parts.into_iter().filter(|(_, name)| !name.is_empty());
    let segments = named.flat_map(|(kind, name)| [kind, name.as_str()]);
    format!("/data/archive{}/files", join_segments(segments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_what_the_target_lies_in() {
        let mut target = Target {
            uri: String::new(),
            project: "P".to_owned(),
            of: ShelfOf::Project("P".to_owned()),
            resource: "my R".to_owned(),
            subject: String::new(),
            experiment: String::new(),
            scan: String::new(),
            assessor: String::new(),
        };
        assert_eq!(address(&target), "/data/archive/projects/P/resources/my%20R/files");
        (target.subject, target.experiment, target.scan) = ("S".to_owned(), "E".to_owned(), "1".to_owned());
        assert_eq!(
            address(&target),
            "/data/archive/projects/P/subjects/S/experiments/E/scans/1/resources/my%20R/files"
        );
        let scan = ShelfOf::Scan { experiment: "XNAT_E00001".to_owned(), scan: "1-MR 1".to_owned() };
        assert_eq!(lasting_address(&scan), "/experiments/XNAT_E00001/scans/1-MR%201");
    }
}
