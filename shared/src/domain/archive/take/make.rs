//! A new experiment of documents and their files.

use super::rules::{demand_paths, demand_short, join_scans};
use super::{Incoming, Taken, status_of};
use crate::domain::Core;
use crate::domain::archive::experiment::{ACTIVE, Experiment};
use crate::domain::archive::scans::MAX_SCANS;
use crate::domain::archive::subject::LabelRef;
use crate::domain::archive::trash::{Change, Twin};
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::manifest::{FILES_PER_PAGE, FullScan, StoredScan};
use crate::domain::resource::{ItemResource, MAX_RESOURCES};
use crate::imaging::ImageSession;
use crate::storage::pack;
use crate::storage::{Lease, keys};

impl Core {
    /// Makes the experiment of this label, whose lease the caller holds.
    pub(super) async fn make_from_documents(
        &self,
        lease: &mut Lease,
        label: &str,
        mut incoming: Incoming,
    ) -> Result<Taken, DomainError> {
        let Some(session) = incoming.session.take() else {
            let what = "The XAR describes scans of a session that does not exist.".to_owned();
            return Err(DomainError::Invalid { what });
        };
        let subject = self.named_subject(&incoming.named).await?;
        demand_short(Some(&session), &incoming.scans)?;
        if incoming.resources.len() > MAX_RESOURCES || incoming.scans.len() > MAX_SCANS {
            let what = format!("An experiment may have at most {MAX_RESOURCES} resources and {MAX_SCANS} scans.");
            return Err(DomainError::Invalid { what });
        }
        let mut scans: Vec<FullScan> = Vec::new();
        join_scans(&mut scans, std::mem::take(&mut incoming.scans), incoming.rules)?;
        for resource in &mut incoming.resources {
            demand_paths(&format!("The resource {}", resource.label), &mut resource.files)?;
        }
        let project = incoming.named.project.clone();
        self.dress_scans(&project, scans.iter_mut().map(|scan| &mut scan.stored).collect()).await?;
        let mut resources = Vec::with_capacity(incoming.resources.len());
        for one in &incoming.resources {
            let (label, notes, catalog) = (one.label.clone(), one.notes.clone(), random_id()?);
            resources.push(ItemResource { label, notes, number: 0, catalog, is_made: true });
        }
        self.number("xnat_abstractresource_id", resources.iter_mut().map(|one| &mut one.number).collect()).await?;
        let is_to_be_reviewed = self.is_to_be_reviewed(&incoming).await?;
        let drafted = self.drafted(&project, label, session.xsi_type.clone().into(), &incoming.by).await?;
        let experiment = Experiment {
            id: self.new_item_id('E').await?,
            subject_id: subject.id,
            uid: session.uid.clone(),
            date: session.date.clone().unwrap_or_default(),
            manifest: random_id()?,
            status: status_of(is_to_be_reviewed, ACTIVE),
            visit: incoming.visit.clone(),
            protocol: incoming.protocol.clone(),
            resources,
            ..drafted
        };
        let files: usize = scans.iter().flat_map(|scan| &scan.files).map(Vec::len).sum();
        let twins = experiment.resources.iter().map(|one| Twin { old: None, new: one.catalog.clone() });
        let change = Change {
            manifest: experiment.manifest.clone(),
            file_pages: files.div_ceil(FILES_PER_PAGE) as u64,
            scan_pages: scans.len() as u64,
            catalogs: twins.collect(),
            at_ms: experiment.insert_ms,
        };
        // There is no revision before this one.
        let before = Experiment { manifest: random_id()?, ..experiment.clone() };
        let trash = self.write_trash(&before, Some(change)).await?;
        let (id, shape) = (experiment.id.clone(), incoming.pack);
        let outcome = self.write_new(lease, experiment, session, scans, &incoming).await;
        let made = match outcome {
            Ok(made) => made,
            // Whether it was made is seen from its record alone.
            Err(error) => match self.experiment_by_id(&id).await? {
                Some(made) => made,
                None => {
                    self.finish_change(&id).await?;
                    pack::release(&self.records, &self.blobs, shape.id, &before.content).await?;
                    return Err(error);
                }
            },
        };
        self.forget_trash(&trash).await?;
        Ok(Taken { experiment: made, is_new: true })
    }

    async fn write_new(
        &self,
        lease: &mut Lease,
        mut experiment: Experiment,
        session: ImageSession,
        scans: Vec<FullScan>,
        incoming: &Incoming,
    ) -> Result<Experiment, DomainError> {
        let owner = experiment.content.clone();
        let has_files =
            incoming.has_files() || scans.iter().flat_map(|scan| &scan.files).any(|files| !files.is_empty());
        if has_files {
            pack::commit(&self.records, incoming.pack, vec![owner.clone()], self.clock.now_ms()).await?;
        }
        for (resource, one) in experiment.resources.iter().zip(&incoming.resources) {
            let twin = Twin { old: None, new: resource.catalog.clone() };
            self.write_catalog_of(lease, &twin, self.as_catalog_files(one, &incoming.by)).await?;
        }
        let heads: Vec<StoredScan> = scans.iter().map(|scan| scan.stored.clone()).collect();
        let keep = async || self.keep(lease, "this experiment").await;
        self.write_full_manifest(experiment.manifest.clone(), session, scans, keep).await?;
        let project = experiment.project.clone();
        let (roster, source) = self.experiment_roster(&project);
        let touch = roster.touch(&experiment.id, None).await?;
        experiment.place = touch.place;
        let reference = LabelRef { id: experiment.id.clone() };
        self.records.set(&keys::content(&owner), &reference).await?;
        self.records.set(&keys::experiment_label(&experiment.project, &experiment.label), &reference).await?;
        let subject = experiment.subject_id.clone();
        self.with_subject_in(&subject, &project, async |core, subject_lease: &mut Lease, subject| {
            experiment.subject_label = subject.label_in(&project).unwrap_or(&subject.label).to_owned();
            core.keep(subject_lease, "the subject").await?;
            core.set_experiment(lease, &experiment).await
        })
        .await?;
        roster.settled(&experiment.id, touch).await?;
        roster.fold_if_long(&source).await?;
        if has_files {
            pack::seal(&self.records, incoming.pack.id).await?;
        } else if !incoming.is_lent {
            // It held nothing but documents.
            pack::remove_unwanted(&self.blobs, [incoming.pack]).await;
        }
        self.learn_scan_types(&project, self.scan_types(&project).await?, &heads).await?;
        Ok(experiment)
    }
}
