//! Telling of what happens in the quarantine: the history of the target and its project, and the webhooks.

use super::{Approval, Quarantined, Target, TriageFolder};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::history::{Cause, Deed, Item, ItemKind};
use crate::domain::ids::random_id;
use crate::domain::shelf::ShelfOf;
use crate::domain::webhooks::{QuarantineFacts, SessionEvent, SessionEventKind};
use crate::storage::StoreError;

/// Characters of a path that a history entry shows.
const MAX_SHOWN: usize = 300;

/// What is told.
struct News<'a> {
    kind: SessionEventKind,
    action: &'static str,
    /// For the history: what exactly.
    details: String,
    by: &'a str,
    cause: &'a Cause,
    at_ms: u64,
    files: u64,
    /// The same event always has the same.
    id: String,
}

/// Which logs are written into; webhooks are told with the project.
#[derive(Clone, Copy)]
struct Hearers {
    item: bool,
    project: bool,
}

/// An item as it is now.
struct Present {
    kind: ItemKind,
    id: String,
    label: String,
    subject_id: String,
    xsi_type: String,
}

impl Target {
    fn in_words(&self) -> String {
        match self.scan.as_str() {
            "" => format!("resource {}", self.resource),
            scan => format!("scan {scan}, resource {}", self.resource),
        }
    }
}

impl ShelfOf {
    /// In whose log stands what is done to it.
    fn log(&self) -> (ItemKind, &str) {
        match self {
            Self::Project(id) => (ItemKind::Project, id),
            Self::Subject(id) => (ItemKind::Subject, id),
            Self::Experiment(id) | Self::Scan { experiment: id, .. } => (ItemKind::Experiment, id),
        }
    }
}

impl Core {
    pub(super) async fn tell_of_upload(
        &self,
        folder: &TriageFolder,
        quarantined: &Quarantined,
        cause: &Cause,
    ) -> Result<(), DomainError> {
        let Some(target) = &folder.target else { return Ok(()) };
        let files = quarantined.paths.len() as u64;
        let news = News {
            kind: SessionEventKind::Quarantined,
            action: "Quarantined",
            details: format!("{}: {} in the quarantine's folder {}", target.in_words(), some(files), folder.label),
            by: &folder.by,
            cause,
            at_ms: self.clock.now_ms(),
            files,
            id: random_id()?,
        };
        Ok(self.tell_of_files(folder, target, news).await?)
    }

    pub(super) async fn tell_of_refusal(
        &self,
        folder: &TriageFolder,
        by: &str,
        cause: &Cause,
        path: Option<&str>,
        files: u64,
    ) -> Result<(), DomainError> {
        let Some(target) = folder.target.as_ref().filter(|_| files > 0) else { return Ok(()) };
        let what = match path {
            None => some(files),
            Some(path) => format!("the file {}", path.chars().take(MAX_SHOWN).collect::<String>()),
        };
        let details = format!(
            "{}: {what} of {} removed from the quarantine's folder {}",
            target.in_words(),
            folder.by,
            folder.label
        );
        let news = News {
            kind: SessionEventKind::Rejected,
            action: "Rejected",
            details,
            by,
            cause,
            at_ms: self.clock.now_ms(),
            files,
            id: random_id()?,
        };
        Ok(self.tell_of_files(folder, target, news).await?)
    }

    /// The destination hears of it, and who has heard of the upload if that is somebody else. After a crash this may be
    /// done twice; receivers know the event by its identifier.
    pub(super) async fn tell_of_approval(&self, folder: &TriageFolder, approval: &Approval) -> Result<(), StoreError> {
        let dest = &approval.dest;
        let files = format!("{} of {} from the quarantine's folder {}", some(approval.files), folder.by, folder.label);
        let news = |details: String, ending: &str| News {
            kind: SessionEventKind::Approved,
            action: "Approved",
            details,
            by: &approval.by,
            cause: &approval.cause,
            at_ms: approval.at_ms,
            files: approval.files,
            id: format!("triage-{}-{}-{}{ending}", folder.project, folder.number, approval.at_ms),
        };
        self.tell_of_files(folder, dest, news(format!("{}: {files}", dest.in_words()), "")).await?;
        let Some(target) = &folder.target else { return Ok(()) };
        let (is_same_item, is_same_project) = (target.of.log() == dest.of.log(), target.project == dest.project);
        if is_same_item && is_same_project {
            return Ok(());
        }
        let details = format!("{}: {files} went elsewhere, to {}", target.in_words(), dest.uri);
        let hearers = Hearers { item: !is_same_item, project: !is_same_project };
        self.tell_hearers(folder, (target, hearers), &dest.uri, news(details, "-target")).await
    }

    async fn tell_of_files(&self, folder: &TriageFolder, target: &Target, news: News<'_>) -> Result<(), StoreError> {
        self.tell_hearers(folder, (target, Hearers { item: true, project: true }), &target.uri, news).await
    }

    async fn tell_hearers(
        &self,
        folder: &TriageFolder,
        (target, hearers): (&Target, Hearers),
        uri: &str,
        news: News<'_>,
    ) -> Result<(), StoreError> {
        let present = self.present(target).await?;
        let deed = Deed { by: news.by, action: news.action, details: &news.details, cause: news.cause };
        // What has gone has no log of its own any more.
        let item = match &present {
            Some(Present { kind, id, label, .. }) => Item { kind: *kind, id, label },
            None => Item { kind: ItemKind::Project, id: &target.project, label: &target.project },
        };
        let has_log = hearers.item && item.kind != ItemKind::Project;
        match (has_log, hearers.project) {
            (true, true) => self.remember(&target.project, item, deed).await?,
            (true, false) => self.remember_of_item(item, deed).await?,
            (false, true) => self.remember_removal(&target.project, item, deed).await?,
            (false, false) => {}
        }
        if !hearers.project {
            return Ok(());
        }
        let experiment = present.as_ref().filter(|present| present.kind == ItemKind::Experiment);
        let event = SessionEvent {
            id: news.id,
            kind: news.kind,
            at_ms: news.at_ms,
            by: news.by.to_owned(),
            project: target.project.clone(),
            subject_id: present.as_ref().map(|present| present.subject_id.clone()).unwrap_or_default(),
            subject_label: target.subject.clone(),
            experiment: experiment.map(|present| present.id.clone()).unwrap_or_default(),
            label: target.experiment.clone(),
            xsi_type: experiment.map(|present| present.xsi_type.clone()).unwrap_or_default(),
            reason: None,
            quarantine: Some(QuarantineFacts {
                project: folder.project.clone(),
                folder: folder.label.clone(),
                target: uri.to_owned(),
                uploader: folder.by.clone(),
                files: news.files,
                reason: news.cause.reason.clone(),
            }),
        };
        self.announce(&event).await.map(drop)
    }

    async fn present(&self, target: &Target) -> Result<Option<Present>, StoreError> {
        Ok(match &target.of {
            ShelfOf::Project(id) => self.project_by_id(id).await?.map(|_| Present {
                kind: ItemKind::Project,
                id: id.clone(),
                label: id.clone(),
                subject_id: String::new(),
                xsi_type: String::new(),
            }),
            ShelfOf::Subject(id) => self.subject_by_id(id).await?.map(|found| Present {
                kind: ItemKind::Subject,
                subject_id: found.id.clone(),
                id: found.id,
                label: found.label,
                xsi_type: String::new(),
            }),
            ShelfOf::Experiment(id) | ShelfOf::Scan { experiment: id, .. } => {
                self.experiment_by_id(id).await?.map(|found| Present {
                    kind: ItemKind::Experiment,
                    id: found.id,
                    label: found.label,
                    subject_id: found.subject_id,
                    xsi_type: found.xsi_type.as_str().to_owned(),
                })
            }
        })
    }
}

fn some(files: u64) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}
