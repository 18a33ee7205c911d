//! A new experiment of documents and their files.

use super::add::too_much;
use super::assessors::StagedAssessor;
use super::rules::{demand_paths, demand_short, join_scans};
use super::{HeldLeases, Incoming, Taken, status_of};
use crate::domain::Core;
use crate::domain::archive::experiment::{ACTIVE, Experiment};
use crate::domain::archive::scans::MAX_SCANS;
use crate::domain::archive::subject::LabelRef;
use crate::domain::archive::trash::{Change, Twin};
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::manifest::{FILES_PER_PAGE, FullScan, StoredScan};
use crate::domain::resource::{ItemResource, MAX_RESOURCES};
use crate::domain::webhooks::SessionEventKind;
use crate::imaging::ImageSession;
use crate::storage::{Lease, keys, pack};

impl Core {
    /// Makes the experiment of this label, whose lease the caller holds.
    pub(super) async fn make_from_documents(
        &self,
        held: &mut HeldLeases,
        label: &str,
        mut incoming: Incoming,
    ) -> Result<Taken, DomainError> {
        let told = incoming.told(SessionEventKind::Archived, self.clock.now_ms())?;
        let Some(session) = incoming.session.take() else {
            let what = "The XAR describes scans or assessors of a session that does not exist.".to_owned();
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
        let mut experiment = Experiment {
            id: self.new_item_id('E').await?,
            subject_label: subject.called_in(&project).to_owned(),
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
        let by = random_id()?;
        self.hold_assessors(held, &experiment, &incoming).await?;
        let assessors = self.staged_assessors(&mut experiment, &mut incoming, &by).await?;
        let taken = (!assessors.is_empty()).then_some(by);
        experiment.taken.clone_from(&taken);
        let files: usize = scans.iter().flat_map(|scan| &scan.files).map(Vec::len).sum();
        let twins = experiment.resources.iter().map(|one| Twin { old: None, new: one.catalog.clone() });
        let change = Change {
            manifest: experiment.manifest.clone(),
            file_pages: files.div_ceil(FILES_PER_PAGE) as u64,
            scan_pages: scans.len() as u64,
            catalogs: twins.collect(),
            shelves: Vec::new(),
            at_ms: experiment.insert_ms,
            taken,
            assessors: assessors.iter().map(StagedAssessor::change).collect(),
            told: Some(told),
        };
        let is_its_own = files > 0 || incoming.resources.iter().any(|resource| !resource.files.is_empty());
        let own = is_its_own.then(|| experiment.content.clone());
        let of_resources = incoming.resources.iter().flat_map(|resource| &resource.files);
        let of_assessors = assessors.iter().flat_map(StagedAssessor::files);
        let all = scans.iter().flat_map(|scan| &scan.files).flatten().chain(of_resources).chain(of_assessors);
        let kept = all.map(|file| file.ordinal).collect();
        let owners: Vec<String> =
            own.into_iter().chain(assessors.iter().filter_map(|one| one.owner_in(&incoming))).collect();
        // There is no revision before this one.
        let before = Experiment { manifest: random_id()?, ..experiment.clone() };
        let trash = self.write_trash(&before, Some(change)).await.map_err(too_much)?;
        let (id, shape) = (experiment.id.clone(), incoming.pack);
        let outcome = self.write_new(held, (experiment, session, scans), assessors, &incoming, &owners).await;
        let made = match outcome {
            Ok(made) => made,
            // Whether it was made is seen from its record alone.
            Err(error) => match self.experiment_by_id(&id).await? {
                Some(made) => made,
                None => {
                    self.undo_taking(held, &trash).await?;
                    for owner in &owners {
                        pack::release(&self.records, &self.blobs, shape.id, owner).await?;
                    }
                    return Err(error);
                }
            },
        };
        if self.conclude_or_leave(&trash, &made).await {
            self.forget_trash(&trash).await?;
        }
        Ok(Taken { experiment: made, is_new: true, assessors: Vec::new(), kept })
    }

    async fn write_new(
        &self,
        held: &mut HeldLeases,
        (mut experiment, session, scans): (Experiment, ImageSession, Vec<FullScan>),
        assessors: Vec<StagedAssessor>,
        incoming: &Incoming,
        owners: &[String],
    ) -> Result<Experiment, DomainError> {
        let owner = experiment.content.clone();
        self.own_pack(incoming.pack, owners).await?;
        for (resource, one) in experiment.resources.iter().zip(&incoming.resources) {
            let twin = Twin { old: None, new: resource.catalog.clone() };
            self.write_catalog_of(held, &twin, self.as_catalog_files(one, &incoming.by)).await?;
        }
        self.write_staged(held, assessors).await?;
        let heads: Vec<StoredScan> = scans.iter().map(|scan| scan.stored.clone()).collect();
        let keep = async || self.keep_all(held).await;
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
            experiment.subject_label = subject.called_in(&project).to_owned();
            core.keep(subject_lease, "the subject").await?;
            core.set_experiment(&mut held.session, &experiment).await
        })
        .await?;
        roster.settled(&experiment.id, touch).await?;
        roster.fold_if_long(&source).await?;
        self.settle_pack(incoming, !owners.is_empty()).await?;
        self.learn_scan_types(&project, self.scan_types(&project).await?, &heads).await?;
        Ok(experiment)
    }
}
