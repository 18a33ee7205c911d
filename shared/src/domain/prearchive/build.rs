//! Building: folding a session's segments into the manifest of its session document.

use super::gathered::Gathered;
use super::session::{HeldSession, PrearchiveSession};
use super::status::{Action, Status};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::manifest::{BUILDER, FullScan, Manifest};
use crate::domain::project::PetMrHandling;
use crate::imaging::{ImageSession, PetMr};

/// From so many segments on, a session is shown as BUILDING while it is built, and the lease is renewed on the way.
const MANY_SEGMENTS: u64 = 32;

impl Core {
    /// Writes the manifest of what was gathered for a project; `None` if that makes no session.
    pub(crate) async fn write_gathered(
        &self,
        gathered: Gathered,
        project: &str,
    ) -> Result<Option<Manifest>, DomainError> {
        match gathered.into_scans(self.pet_mr_of(project).await?) {
            Some((session, scans)) => Ok(Some(self.write_manifest(session, scans).await?)),
            None => Ok(None),
        }
    }

    /// What a project wants studies with PET and MR images to become.
    async fn pet_mr_of(&self, project: &str) -> Result<PetMr, DomainError> {
        let project = self.project_by_id(project).await?;
        Ok(match project.map(|project| project.pet_mr) {
            Some(PetMrHandling::Pet) => PetMr::AsPet,
            // What is to be two sessions is one until it is divided.
            Some(PetMrHandling::PetMr | PetMrHandling::Separate) | None => PetMr::PetMr,
        })
    }

    /// Whether the document is already what building would make it: it follows from the segments alone, which never
    /// change, and from the way that this version builds.
    async fn is_built(&self, session: &PrearchiveSession) -> Result<bool, DomainError> {
        let Some(manifest) = &session.manifest else { return Ok(false) };
        if self.has_unbuilt(session).await? {
            return Ok(false);
        }
        let manifest = self.manifest(manifest).await?;
        // The project may want another type of these sessions by now.
        let is_type_settled = match manifest.session.xsi_type.name() {
            "petmr" => self.pet_mr_of(&session.place.project).await? != PetMr::AsPet,
            "pet" => !self.scans(&manifest).await?.iter().any(|stored| stored.scan.xsi_type.name() == "mr"),
            _ => true,
        };
        Ok(manifest.builder == BUILDER && is_type_settled)
    }

    /// All that has arrived of a session and was not deleted, and the numbers of segments that are not there. `keep` is
    /// asked on the way whether to go on.
    async fn gather(
        &self,
        session: &PrearchiveSession,
        begun: u64,
        mut keep: impl AsyncFnMut() -> Result<(), DomainError>,
    ) -> Result<(Gathered, Vec<u64>), DomainError> {
        let mut gathered = Gathered::default();
        let mut gaps = Vec::new();
        for number in 1..=begun {
            match self.segment(&session.id, number).await? {
                Some(segment) => {
                    let is_removed = |series: &str| session.is_removed(series, number);
                    for page in segment.pages() {
                        gathered.add_without(page.pack, self.segment_page(&page).await?, is_removed);
                    }
                    if number.is_multiple_of(MANY_SEGMENTS) {
                        keep().await?;
                    }
                }
                None => gaps.push(number),
            }
        }
        Ok((gathered, gaps))
    }

    /// What building would make of a session just now; nothing is written. `None` if it holds no image.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) async fn preview(
        &self,
        session: &PrearchiveSession,
    ) -> Result<Option<(ImageSession, Vec<FullScan>)>, DomainError> {
        let begun = self.segments_begun(&session.id).await?;
        let (gathered, _) = self.gather(session, begun, async || Ok(())).await?;
        let built = gathered.into_scans(self.pet_mr_of(&session.place.project).await?);
        Ok(built.map(|(session, scans)| (session, scans.into_iter().map(FullScan::from).collect())))
    }

    /// Builds a held session's document from all its segments and stores the session. A document that is up to date is
    /// kept.
    ///
    /// # Errors
    /// [`DomainError::WrongState`] if the state forbids it, [`DomainError::NothingParsable`] if there is nothing to
    /// build from (the session is then in ERROR), or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn build(&self, held: &mut HeldSession) -> Result<(), DomainError> {
        held.session.allow(Action::Build)?;
        if self.is_built(&held.session).await? {
            held.session.status = Status::Ready;
            held.session.lastmod_ms = self.clock.now_ms();
            return self.store_session(held).await;
        }
        let begun = self.segments_begun(&held.session.id).await?;
        if begun > MANY_SEGMENTS {
            // Others see that it takes a while.
            held.session.status = Status::Building;
            self.store_session(held).await?;
        }
        let HeldSession { session, lease, .. } = &mut *held;
        let keep = async || match self.leases.keep(lease).await? {
            true => Ok(()),
            false => Err(DomainError::Busy { what: "this prearchive entry".to_owned() }),
        };
        let (gathered, gaps) = self.gather(session, begun, keep).await?;
        held.repeated.clone_from(gathered.repeated());
        let old = held.session.manifest.take();
        let manifest = self.write_gathered(gathered, &held.session.place.project).await?;
        let now_ms = self.clock.now_ms();
        held.session.lastmod_ms = now_ms;
        held.session.folded_segments = begun;
        held.session.gaps = gaps;
        let outcome = match manifest {
            Some(manifest) => {
                held.session.scan_date = manifest.session.date.clone().unwrap_or_default();
                held.session.scan_time = manifest.session.time.clone().unwrap_or_default();
                held.session.manifest = Some(manifest.id);
                held.session.status = Status::Ready;
                Ok(())
            }
            None => {
                held.session.status = Status::Error;
                held.session.note(now_ms, "No file of the session can be read as an image.");
                Err(DomainError::NothingParsable { why: "the session holds no image".to_owned() })
            }
        };
        self.store_session(held).await?;
        if let Some(old) = old {
            self.remove_manifest(&old, true).await?;
        }
        outcome
    }
}
