//! Placing the studies of an upload: their bytes are made safe, and each is added to its session, or makes one.

use std::collections::BTreeMap;

use futures::future::join_all;

use super::gathered::{Gathered, Repeated};
use super::import::ImportRequest;
use super::make::NewSession;
use super::notes::ImportNotes;
use super::segment::{Segment, SegmentPart};
use super::session::{HeldSession, PrearchiveSession};
use super::status::Status;
use super::target::{Begun, SessionChoice, Target};
use super::upload::{StudyRun, Verdict};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::pack::{self, PackShape, PackWriter};
use crate::storage::{PackId, StoreError};

/// The packs of an upload.
pub(super) struct Packs<'a> {
    pub shapes: &'a [PackShape],
    /// Writers of those whose last bytes are on their way to the store.
    pub flushing: Vec<PackWriter>,
    /// The one that may have been imported before.
    pub lent: Option<PackId>,
    /// Whether they are to be sealed in the end.
    pub seals: bool,
}

impl Core {
    /// Makes the bytes of an upload safe, and brings each study to its session.
    ///
    /// # Errors
    /// The first that was refused, or the store's failure; the studies after it are given up.
    pub(super) async fn place_studies(
        &self,
        packs: Packs<'_>,
        targets: Vec<Target>,
        request: &ImportRequest,
        notes: &ImportNotes,
        verdicts: &mut [Verdict],
    ) -> Result<Vec<PrearchiveSession>, DomainError> {
        let begun = self.commit_packs(packs.shapes, packs.flushing, packs.lent, &targets, request).await?;
        let mut next_page = BTreeMap::new();
        let mut sessions = Vec::with_capacity(targets.len());
        let mut refused = None;
        // Whoever looks after a pack may bring it once more.
        let own: Vec<PackId> = packs.shapes.iter().map(|shape| shape.id).filter(|id| packs.lent != Some(*id)).collect();
        for (mut target, begun) in targets.into_iter().zip(begun) {
            if refused.is_some() {
                self.abandon_target(target, &own).await;
                continue;
            }
            target.begun = begun;
            let id = target.session.id().to_owned();
            match self.place_study(target, request, notes, &mut next_page, verdicts).await {
                Ok(session) => sessions.push(session),
                Err(error) => {
                    // After a failure of the store nobody knows what is written by now; the sweep will.
                    if !matches!(error, DomainError::Store(_)) {
                        self.forget_unborn(&id, &own).await;
                    }
                    refused = Some(error);
                }
            }
        }
        if let Some(error) = refused {
            return Err(error);
        }
        if packs.seals {
            for shape in packs.shapes {
                pack::seal(&self.records, shape.id).await?;
            }
        }
        Ok(sessions)
    }

    async fn place_study(
        &self,
        mut target: Target,
        request: &ImportRequest,
        notes: &ImportNotes,
        next_page: &mut BTreeMap<PackId, u64>,
        verdicts: &mut [Verdict],
    ) -> Result<PrearchiveSession, DomainError> {
        let runs = std::mem::take(&mut target.study.runs);
        let segment = match target.begun.as_ref().and_then(|begun| begun.written.clone()) {
            Some(written) => written,
            None => self.write_segment_pages(&runs, &request.by, next_page).await?,
        };
        match target.session {
            SessionChoice::Existing(held) => {
                let (session, repeated) = self.add_to(*held, &segment, notes, request).await?;
                note_repeated(verdicts, &repeated);
                Ok(session)
            }
            SessionChoice::Open(ref session) => {
                self.join(session.as_ref().clone(), segment, runs, target, request, notes).await
            }
            SessionChoice::New(ref id) => {
                let new = NewSession::of(id.clone(), &target);
                let mut gathered = Gathered::default();
                if !request.is_gradual {
                    for run in runs {
                        run.pages.into_iter().for_each(|page| gathered.add(run.pack, page));
                    }
                }
                note_repeated(verdicts, gathered.repeated());
                self.make_session_at(new, &segment, gathered, request, notes).await
            }
        }
    }

    /// Gives up what was to go to a session, after another of the same upload was refused. What cannot be done now the
    /// sweep does.
    async fn abandon_target(&self, target: Target, packs: &[PackId]) {
        let id = target.session.id().to_owned();
        if let SessionChoice::Existing(held) = target.session {
            _ = self.let_go(*held).await;
        }
        self.forget_unborn(&id, packs).await;
    }

    /// Gives back what a session owns that was not made. What cannot be done now the sweep does.
    async fn forget_unborn(&self, id: &str, packs: &[PackId]) {
        if !matches!(self.content_is_alive(id).await, Ok(false)) {
            return;
        }
        _ = self.remove_segments(id).await;
        for pack in packs {
            _ = pack::release(&self.records, &self.blobs, *pack, id).await;
        }
    }

    /// Writes down whose files lie in the packs, begins the segment of each session that others add to as well, and waits
    /// until all bytes are safe: all at the same time, as none depends on another.
    async fn commit_packs(
        &self,
        shapes: &[PackShape],
        flushing: Vec<PackWriter>,
        lent: Option<PackId>,
        targets: &[Target],
        request: &ImportRequest,
    ) -> Result<Vec<Option<Begun>>, DomainError> {
        let now_ms = self.clock.now_ms();
        let commits = shapes.iter().map(async |shape| {
            let is_in = |target: &&Target| target.study.runs.iter().any(|run| run.pack == shape.id);
            let mut owners = targets.iter().filter(is_in).map(|target| target.session.id().to_owned()).collect();
            if lent == Some(shape.id) {
                self.keep_earlier_owners(shape.id, &mut owners).await?;
            }
            pack::commit(&self.records, *shape, owners, now_ms).await
        });
        let begins = targets.iter().map(async |target| match &target.session {
            SessionChoice::Open(session) => {
                let written = self.early_segment(target, shapes, lent, request);
                let number = self.begin_segment(&session.id).await?;
                if let Some(segment) = &written {
                    self.write_segment(&session.id, number, segment).await?;
                }
                Ok(Some(Begun { number, written }))
            }
            SessionChoice::Existing(_) | SessionChoice::New(_) => Ok(None),
        });
        let flushes = flushing.into_iter().map(async |mut writer: PackWriter| writer.flush().await);
        let (commits, begins, flushes) = futures::join!(join_all(commits), join_all(begins), join_all(flushes));
        let begins: Vec<Result<Option<Begun>, StoreError>> = begins;
        if let Err(error) = commits.into_iter().chain(flushes).collect::<Result<(), StoreError>>() {
            for (target, begun) in targets.iter().zip(begins) {
                if let Ok(Some(Begun { number, written: Some(_) })) = begun {
                    // Where the bytes have not come it counts for nothing anyway.
                    _ = self.take_back(target.session.id(), number).await;
                }
            }
            return Err(error.into());
        }
        Ok(begins.into_iter().collect::<Result<_, StoreError>>()?)
    }

    /// The segment of a study that may be written while its bytes are on their way: of one chunk, which is there or is not.
    fn early_segment(
        &self,
        target: &Target,
        shapes: &[PackShape],
        lent: Option<PackId>,
        request: &ImportRequest,
    ) -> Option<Segment> {
        let [shape] = shapes else { return None };
        // Who asks for quarantine has that written down before the session gets the files.
        if shape.chunks() != 1 || lent.is_some() || request.quarantine {
            return None;
        }
        let part = inline_part(&target.study.runs, 0)?;
        Some(Segment { parts: vec![part], by: request.by.clone(), at_ms: self.clock.now_ms(), is_early: true })
    }

    /// Writes the pages of a study's files; a small one stands in the segment itself. `next_page` counts the pages of
    /// each pack.
    pub(super) async fn write_segment_pages(
        &self,
        runs: &[StudyRun],
        by: &str,
        next_page: &mut BTreeMap<PackId, u64>,
    ) -> Result<Segment, DomainError> {
        let mut parts = Vec::with_capacity(runs.len());
        for run in runs {
            let next = next_page.entry(run.pack).or_default();
            let first_page = *next;
            let pages = run.pages.len() as u64;
            let inline = inline_part(runs, first_page);
            if inline.is_none() {
                let numbered: Vec<_> = (first_page..).zip(&run.pages).collect();
                for some in numbered.chunks(8) {
                    let writes = some.iter().map(|(number, page)| self.write_segment_page(run.pack, *number, page));
                    for done in join_all(writes).await {
                        done?;
                    }
                }
                *next += pages;
            }
            let part = SegmentPart { pack: run.pack, pages_of: None, first_page, pages, inline: None };
            parts.push(inline.unwrap_or(part));
        }
        Ok(Segment { parts, by: by.to_owned(), at_ms: self.clock.now_ms(), is_early: false })
    }

    /// Adds a segment to a session that is there, and builds it anew.
    async fn add_to(
        &self,
        mut held: HeldSession,
        segment: &Segment,
        notes: &ImportNotes,
        request: &ImportRequest,
    ) -> Result<(PrearchiveSession, Repeated), DomainError> {
        self.append_segment(&held.session.id, segment).await?;
        held.session.status = Status::Receiving;
        let now_ms = self.clock.now_ms();
        notes.write(&mut held.session, now_ms);
        held.session.take_over(request, now_ms);
        let built = self.build(&mut held).await;
        let session = held.session.clone();
        let repeated = std::mem::take(&mut held.repeated);
        self.let_go(held).await?;
        built?;
        Ok((session, repeated))
    }
}

/// The files of a study that came in one pack, if they stand on one page that is small enough to stand in the segment.
fn inline_part(runs: &[StudyRun], first_page: u64) -> Option<SegmentPart> {
    let [run] = runs else { return None };
    let [page] = run.pages.as_slice() else { return None };
    let inline = Some(page.inlined()?);
    Some(SegmentPart { pack: run.pack, pages_of: None, first_page, pages: 1, inline })
}

/// Marks the files that were there already, and those whose place others took.
pub(super) fn note_repeated(verdicts: &mut [Verdict], repeated: &Repeated) {
    for verdict in verdicts {
        if let Some(outcome) = verdict.place.and_then(|place| repeated.get(&place)) {
            verdict.outcome = *outcome;
        }
    }
}
