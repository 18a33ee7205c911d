//! PET/MR studies that a project wants as two sessions: one of the PET images, one of the MR images.
//!
//! The session itself becomes the PET session; its MR images go to a session that is made for them. Both refer to the
//! same packs. One write, that of the PET session's record, is the moment at which the images change hands: until then
//! the MR session cannot be seen, and a worker who dies before leaves nothing but what the next one clears away.

use super::gathered::Gathered;
use super::place::ForcedPlace;
use super::segment::{Segment, SegmentPage, SegmentPart};
use super::session::{HeldSession, PrearchiveSession, RemovedSeries, SessionRef, lease_name};
use super::status::Status;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::ids::{clean_label, random_id};
use crate::domain::project::PetMrHandling;
use crate::imaging::types::is_mr;
use crate::storage::{PackId, StoreError, keys, pack};

/// The label of one part: XNAT's rule. `PETMR` in the label becomes the part's modality, else that stands behind it.
fn part_label(label: &str, modality: &str) -> String {
    if label.contains("PETMR") { label.replace("PETMR", modality) } else { format!("{label}_{modality}") }
}

/// Under which name the MR pages of a segment stand.
fn pages_of(id: &str, segment: u64) -> String {
    format!("{id}-{segment}")
}

/// The images of one segment, divided.
struct Divided {
    number: u64,
    segment: Segment,
    mr: Vec<(PackId, SegmentPage)>,
    rest: Vec<(PackId, SegmentPage)>,
}

impl Core {
    /// Divides a held session that has just been built, if it is a PET/MR session and its project wants two. Gives the
    /// MR session then; the held one is the PET session.
    ///
    /// # Errors
    /// [`DomainError::Busy`] or the store's failure; the session is whole as it was then.
    #[crate::boxed(?Send)]
    pub async fn separate_if_wanted(&self, held: &mut HeldSession) -> Result<Option<PrearchiveSession>, DomainError> {
        if !self.wants_two(&held.session).await? {
            return Ok(None);
        }
        let Some(manifest) = held.session.manifest.clone() else { return Ok(None) };
        let divided = self.divide(&held.session).await?;
        if divided.iter().all(|one| one.mr.is_empty()) || divided.iter().all(|one| one.rest.is_empty()) {
            return Ok(None);
        }
        let id = random_id()?;
        held.session.separating = Some(id.clone());
        held.session.status = Status::Separating;
        self.store_session(held).await?;
        let part = self.make_mr_part(held, id, &divided).await?;
        self.keep_rest(held, divided).await?;
        self.remove_manifest(&manifest, true).await?;
        self.show_part(part).await.map(Some)
    }

    /// Divides a session that has just been taken in, if that is wanted: the PET session and the MR session.
    ///
    /// # Errors
    /// As [`Core::separate_if_wanted`].
    #[crate::boxed(?Send)]
    pub async fn separate(
        &self,
        session: &PrearchiveSession,
    ) -> Result<Option<(PrearchiveSession, PrearchiveSession)>, DomainError> {
        if !self.wants_two(session).await? {
            return Ok(None);
        }
        let mut held = self.hold_session_patiently(&session.id).await?;
        let part = self.separate_if_wanted(&mut held).await;
        let pet = held.session.clone();
        self.let_go(held).await?;
        Ok(part?.map(|mr| (pet, mr)))
    }

    /// Whether a session is a PET/MR session whose project wants two.
    async fn wants_two(&self, session: &PrearchiveSession) -> Result<bool, DomainError> {
        if session.place.is_unassigned() || session.status != Status::Ready {
            return Ok(false);
        }
        let Some(manifest) = &session.manifest else { return Ok(false) };
        if self.manifest(manifest).await?.session.xsi_type.name() != "petmr" {
            return Ok(false);
        }
        Ok(self.project(&session.place.project).await?.pet_mr == PetMrHandling::Separate)
    }

    /// All that has arrived of a session and was not deleted, divided by whether it is MR.
    async fn divide(&self, session: &PrearchiveSession) -> Result<Vec<Divided>, DomainError> {
        let mut all = Vec::new();
        for number in 1..=self.segments_begun(&session.id).await? {
            let Some(segment) = self.segment(&session.id, number).await? else { continue };
            let (mut mr_pages, mut rest_pages) = (Vec::new(), Vec::new());
            for page in segment.pages() {
                let pack = page.pack;
                let page = self.segment_page(&page).await?;
                let live = page.parts.into_iter().filter(|part| !session.is_removed(&part.summary.series_uid, number));
                let (mr, rest): (Vec<_>, Vec<_>) = live.partition(|part| is_mr(&part.summary));
                for (parts, pages) in [(mr, &mut mr_pages), (rest, &mut rest_pages)] {
                    if !parts.is_empty() {
                        pages.push((pack, SegmentPage { parts }));
                    }
                }
            }
            all.push(Divided { number, segment, mr: mr_pages, rest: rest_pages });
        }
        Ok(all)
    }

    /// Makes the session of the MR images; nobody sees it yet.
    async fn make_mr_part(
        &self,
        held: &mut HeldSession,
        id: String,
        divided: &[Divided],
    ) -> Result<PrearchiveSession, DomainError> {
        let whole = &held.session;
        let name = clean_label(&part_label(&whole.name, "MR"));
        let identity = super::place::Identity { label: name.clone(), ..whole.identity_in(&whole.place.project) };
        let wanted = ForcedPlace { timestamp: Some(whole.place.timestamp.clone()), folder: Some(name.clone()) };
        let lease = wanted.place_for(&identity).map(|place| place.lease_name()).unwrap_or_default();
        let claimed = self
            .with_lease(&lease, "this place in the prearchive", async |core| {
                core.claim_place(&identity, &id, &wanted).await
            })
            .await;
        let place = match claimed {
            Err(DomainError::Exists { .. }) => {
                let anywhere = ForcedPlace { timestamp: None, folder: Some(name.clone()) };
                self.claim_place(&identity, &id, &anywhere).await?
            }
            claimed => claimed?,
        };
        let (roster, _) = self.prearchive_roster(&place.project);
        let touch = roster.touch(&id, None).await?;
        let now_ms = self.clock.now_ms();
        let mut part = PrearchiveSession {
            id: id.clone(),
            row: touch.place,
            status: Status::Ready,
            name,
            place,
            lastmod_ms: now_ms,
            manifest: None,
            folded_segments: 0,
            gaps: Vec::new(),
            intent: None,
            left: None,
            job: None,
            separating: None,
            born_of: Some(whole.id.clone()),
            removed_series: Vec::new(),
            resources: Vec::new(),
            log: Vec::new(),
            ..whole.clone()
        };
        part.note(now_ms, format!("Made of the MR images of {}.", whole.place.uri()));
        // From here on it can be found and cleared away, should this worker die.
        self.records.set(&keys::session(&id), &part).await?;
        let mut gathered = Gathered::default();
        for one in divided.iter().filter(|one| !one.mr.is_empty()) {
            let pages_of = pages_of(&id, one.number);
            let mut parts: Vec<SegmentPart> = Vec::new();
            for ((pack, page), number) in one.mr.iter().zip(0..) {
                self.records.set(&keys::segment_page(&pages_of, number), page).await?;
                gathered.add(*pack, page.clone());
                match parts.last_mut().filter(|part| part.pack == *pack) {
                    Some(part) => part.pages += 1,
                    None => parts.push(SegmentPart {
                        pack: *pack,
                        pages_of: Some(pages_of.clone()),
                        first_page: number,
                        pages: 1,
                        inline: None,
                    }),
                }
            }
            let segment = Segment { parts, is_early: false, ..one.segment.clone() };
            part.folded_segments = self.append_segment(&id, &segment).await?;
            for pack in segment.packs() {
                self.with_lease(&pack::owners_lease(pack), "the files of this session", async |core| {
                    pack::add_owner(&core.records, pack, &id).await.map_err(Into::into)
                })
                .await?;
                if !self.leases.keep(&mut held.lease).await? {
                    return Err(DomainError::Busy { what: "this prearchive entry".to_owned() });
                }
            }
        }
        part.manifest = self.write_gathered(gathered, &part.place.project).await?.map(|manifest| manifest.id);
        self.records.set(&keys::session(&id), &part).await?;
        let study = keys::session_study(&identity.project, &identity.study_uid, &identity.label);
        self.records.set(&study, &SessionRef { id }).await?;
        Ok(part)
    }

    /// The held session keeps what is not MR, under a label that says so: the commit.
    async fn keep_rest(&self, held: &mut HeldSession, divided: Vec<Divided>) -> Result<(), DomainError> {
        let mut gathered = Gathered::default();
        let mut removed = Vec::new();
        let upto_segment = held.session.folded_segments;
        for one in divided {
            for (pack, page) in one.rest {
                gathered.add(pack, page);
            }
            let series = one.mr.into_iter().flat_map(|(_, page)| page.parts).map(|part| part.summary.series_uid);
            removed.extend(series);
        }
        removed.sort_unstable();
        removed.dedup();
        let manifest = self.write_gathered(gathered, &held.session.place.project).await?;
        let now_ms = self.clock.now_ms();
        let session = &mut held.session;
        for series_uid in removed {
            session.removed_series.retain(|known| known.series_uid != series_uid);
            session.removed_series.push(RemovedSeries { series_uid, upto_segment });
        }
        let old = session.identity_in(&session.place.project);
        session.name = clean_label(&part_label(&session.name, "PET"));
        session.manifest = manifest.map(|manifest| manifest.id);
        session.separating = None;
        session.status = session.resting();
        session.lastmod_ms = now_ms;
        session.note(now_ms, "The MR images went to a session of their own.");
        let identity = session.identity_in(&session.place.project);
        let study = keys::session_study(&identity.project, &identity.study_uid, &identity.label);
        self.records.set(&study, &SessionRef { id: held.session.id.clone() }).await?;
        self.store_session(held).await?;
        self.forget_study(&old, &held.session.id).await
    }

    /// The MR session can be seen now; its record need not look after the other any more.
    async fn show_part(&self, mut part: PrearchiveSession) -> Result<PrearchiveSession, DomainError> {
        let (roster, _) = self.prearchive_roster(&part.place.project);
        let touch = roster.touch(&part.id, Some(part.row)).await?;
        part.born_of = None;
        if let Some(lease) = self.leases.acquire(&lease_name(&part.id)).await? {
            self.records.set(&keys::session(&part.id), &part).await?;
            self.leases.release(lease).await?;
        }
        roster.settled(&part.id, touch).await?;
        Ok(part)
    }

    /// Whether a session is still in the making: the one it is made of has not let go of its images.
    pub(super) async fn is_unborn(&self, session: &PrearchiveSession) -> Result<bool, StoreError> {
        let Some(parent) = &session.born_of else { return Ok(false) };
        let parent: Option<PrearchiveSession> = self.records.get(&keys::session(parent)).await?;
        Ok(parent.is_some_and(|parent| parent.separating.as_ref() == Some(&session.id)))
    }

    /// Clears away the MR session that a dead worker had begun to make.
    pub(super) async fn discard_unborn(&self, held: &mut HeldSession) -> Result<(), DomainError> {
        let Some(id) = held.session.separating.clone() else { return Ok(()) };
        if let Some(session) = self.records.get::<PrearchiveSession>(&keys::session(&id)).await?
            && let Some(lease) = self.leases.acquire(&lease_name(&id)).await?
        {
            self.throw_away(HeldSession { session, lease, repeated: Default::default() }, false).await?;
        }
        // Pages whose segment was not written yet are nobody's.
        for number in 1..=self.segments_begun(&held.session.id).await? {
            self.remove_pages(&pages_of(&id, number)).await?;
        }
        held.session.separating = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_after_their_modality() {
        assert_eq!(part_label("S01_PETMR1", "PET"), "S01_PET1");
        assert_eq!(part_label("S01_PETMR1", "MR"), "S01_MR1");
        assert_eq!(part_label("S01", "MR"), "S01_MR");
    }
}
