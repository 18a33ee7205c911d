//! From an upload to sessions: each study finds the session that receives it, or makes one.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde::{Deserialize, Deserializer, Serialize};

use super::build::{Gathered, Repeated};
use super::commit::{demand_room, demand_short};
use super::make::NewSession;
use super::notes::ImportNotes;
use super::place::ForcedPlace;
use super::segment::{Segment, SegmentPart};
use super::session::{HeldSession, PrearchiveSession};
use super::status::{Action, Status};
use super::target::{Begun, SessionChoice, Target};
use super::upload::{ArrivedStudy, StudyRun, Upload, Verdict};
use crate::accounts;
use crate::domain::error::DomainError;
use crate::domain::ids::demand_label_fits;
use crate::domain::{Core, project::PrearchiveCode};
use crate::imaging::Field;
use crate::storage::pack::{self, PackShape, PackWriter};
use crate::storage::{Lease, PackId, StoreError};

/// XNAT's import handlers, as far as they are served here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportHandler {
    /// `SI`: images of whole sessions, which are built at once.
    SessionImporter,
    /// `gradual-DICOM`: one DICOM object of a session that is being received.
    GradualDicom,
    /// `DICOM-zip`: DICOM objects in archives, of sessions that are being received.
    DicomZip,
    /// `XAR`: session XML and files, straight into the archive.
    Xar,
}

impl ImportHandler {
    /// The handler of this name; names are case-sensitive, as XNAT's.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "SI" => Self::SessionImporter,
            "gradual-DICOM" => Self::GradualDicom,
            "DICOM-zip" => Self::DicomZip,
            "XAR" => Self::Xar,
            _ => return None,
        })
    }
}

/// The row's `SOURCE` of a session that the session importer made.
pub const SESSION_IMPORTER: &str = "SessionImporter";

/// Where an upload is to go, as far as the client says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportRequest {
    /// Who uploads, as records show it.
    pub by: String,
    /// Who uploads: headers name only projects whose data they may change. Not stored: rights may change meanwhile.
    #[serde(skip)]
    pub identity: accounts::Identity,
    /// The project, which exists; headers decide if it is not given.
    pub project: Option<String>,
    /// The subject's label; headers decide if it is not given.
    pub subject: Option<String>,
    /// The session's label; headers decide if it is not given.
    pub session: Option<String>,
    /// The place in the prearchive.
    pub place: ForcedPlace,
    /// The row's `SOURCE`.
    pub source: String,
    /// The row's `VISIT`.
    pub visit: String,
    /// The row's `PROTOCOL`.
    pub protocol: String,
    /// The row's `TIMEZONE`.
    pub timezone: String,
    /// Whether the session is to be marked as in quarantine once it is archived.
    #[serde(default)]
    pub quarantine: bool,
    /// The row's `prevent_anon`.
    pub prevent_anon: bool,
    /// The row's `prevent_auto_commit`.
    pub prevent_auto_commit: bool,
    /// The row's `autoarchive`, if the client says whether the session is to be archived; headers may say so otherwise.
    #[serde(default, deserialize_with = "known_wish")]
    pub autoarchive: Option<Word>,
    /// Fields of the session document that the client sets.
    pub fields: Vec<Field>,
    /// Whether more is to come: the sessions are not built yet, and many may add to one at the same time.
    pub is_gradual: bool,
    /// Whether the client names the one session that all of it is for.
    #[serde(default)]
    pub is_for_one_session: bool,
}

impl ImportRequest {
    /// Refuses what is too long or too much for the row and the document of a session, as [`PrearchiveSession::apply`]
    /// does.
    ///
    /// # Errors
    /// [`DomainError::Invalid`].
    pub fn check(&self) -> Result<(), DomainError> {
        demand_short([&self.source, &self.visit, &self.protocol, &self.timezone])?;
        [&self.subject, &self.session].into_iter().flatten().try_for_each(|label| demand_label_fits(label))?;
        demand_room(&[], &self.fields)
    }
}

/// One of the words of a fixed set.
pub type Word = &'static str;

/// XNAT's words for a row's `autoarchive`.
const WISHES: [Word; 3] = ["Manual", "AutoArchive", "AutoArchiveOverwrite"];

fn known_wish<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Word>, D::Error> {
    let word: Option<String> = Option::deserialize(deserializer)?;
    Ok(word.and_then(|word| WISHES.into_iter().find(|known| *known == word)))
}

/// What an upload has become.
#[derive(Debug, Default)]
pub struct Imported {
    /// The sessions that received its studies, in order of their first files.
    pub sessions: Vec<PrearchiveSession>,
    /// What became of each file, if the upload's rules asked for that.
    pub verdicts: Vec<Verdict>,
}

impl Imported {
    /// Corrects what became of each file by what building its sessions showed.
    pub fn note_repeated(&mut self, repeated: &Repeated) {
        note_repeated(&mut self.verdicts, repeated);
    }
}

/// The packs of an upload.
struct Packs<'a> {
    shapes: &'a [PackShape],
    /// Writers of those whose last bytes are on their way to the store.
    flushing: Vec<PackWriter>,
    /// The one that may have been imported before.
    lent: Option<PackId>,
    /// Whether they are to be sealed in the end.
    seals: bool,
}

impl Core {
    /// Makes an upload's studies sessions of the prearchive, or adds them to the sessions that receive them, and
    /// builds those unless more is to come. From the return on every file is kept.
    ///
    /// # Errors
    /// [`DomainError::Busy`] while a session that should receive files is worked on, or the store's failure. Nothing
    /// refers to the upload's packs then, unless the error came between the sessions of several studies.
    #[crate::boxed(?Send)]
    pub async fn import(&self, upload: Upload, request: &ImportRequest) -> Result<Imported, DomainError> {
        let Upload {
            started_ms,
            packs,
            mut flushing,
            lent,
            studies,
            ignored_count,
            odd_preambles,
            cut_off,
            mut verdicts,
        } = upload;
        let mut targets = Vec::with_capacity(studies.len());
        let mut leases = Vec::new();
        let mut result = self.demand_in_time(started_ms).and_then(|()| request.check());
        if request.is_for_one_session && studies.len() > 1 {
            let what = format!(
                "Upload included files for multiple imaging sessions. The request names one session, and {} studies \
                 came: send each by itself, or leave the session out.",
                studies.len()
            );
            result = result.and(Err(DomainError::Invalid { what }));
        }
        if result.is_ok() {
            result = self.find_targets(studies, request, &mut targets, &mut leases).await;
        }
        result = result.and_then(|()| {
            targets.iter().try_for_each(|target| {
                let session = match &target.session {
                    SessionChoice::Existing(held) => &held.session,
                    SessionChoice::Open(session) => session,
                    SessionChoice::New(_) => return Ok(()),
                };
                session.allow(Action::Receive)?;
                demand_room(&session.fields, &request.fields)
            })
        });
        let outcome = match result {
            Ok(()) => {
                let notes = ImportNotes { ignored: ignored_count, odd_preambles, cut_off };
                // Of a pack that came alone for one session the sweep finds out by itself.
                let seals = !request.is_gradual || lent.is_some();
                let packs = Packs { shapes: &packs, flushing, lent, seals };
                self.place_studies(packs, targets, request, &notes, &mut verdicts).await
            }
            Err(error) => {
                for target in targets {
                    if let SessionChoice::Existing(held) = target.session {
                        self.let_go(*held).await?;
                    }
                }
                for writer in &mut flushing {
                    // What is on its way must not arrive behind its removal.
                    let _ = writer.flush().await;
                }
                let own = packs.into_iter().filter(|shape| Some(shape.id) != lent);
                pack::remove_unwanted(&self.blobs, own).await;
                Err(error)
            }
        };
        for lease in leases {
            self.leases.release(lease).await?;
        }
        Ok(Imported { sessions: outcome?, verdicts })
    }

    /// Decides where each study goes. Several are leased in an order that all uploads have in common.
    async fn find_targets(
        &self,
        studies: Vec<ArrivedStudy>,
        request: &ImportRequest,
        targets: &mut Vec<Target>,
        leases: &mut Vec<Lease>,
    ) -> Result<(), DomainError> {
        let mut named = Vec::with_capacity(studies.len());
        for (number, study) in studies.into_iter().enumerate() {
            named.push((number, self.naming_of(&study, request).await?, study));
        }
        named.sort_by_cached_key(|(_, names, _)| names.identity.lease_name());
        let mut numbers = Vec::with_capacity(named.len());
        for (number, names, study) in named {
            targets.push(self.target(study, names, request, leases).await?);
            numbers.push(number);
        }
        // They are told in the order in which they came.
        let mut in_order: Vec<_> = numbers.into_iter().zip(targets.drain(..)).collect();
        in_order.sort_by_key(|(number, _)| *number);
        targets.extend(in_order.into_iter().map(|(_, target)| target));
        Ok(())
    }

    /// Refuses an upload of an age at which the sweep takes it for a dead one.
    pub(crate) fn demand_in_time(&self, started_ms: u64) -> Result<(), DomainError> {
        let longest_s = self.settings.upload_retention_seconds / 2;
        if self.clock.now_ms().saturating_sub(started_ms) / 1000 <= longest_s {
            return Ok(());
        }
        Err(DomainError::Invalid {
            what: format!("The upload took longer than the {longest_s} seconds allowed; send it in smaller parts."),
        })
    }

    async fn place_studies(
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

    /// XNAT's rule for a session that has just been built: whether it goes to the archive by itself.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn archives_by_itself(
        &self,
        session: &PrearchiveSession,
        to_archive: Option<bool>,
    ) -> Result<bool, DomainError> {
        if session.place.is_unassigned() {
            return Ok(false);
        }
        if session.autoarchive.starts_with("AutoArchive") {
            return Ok(true);
        }
        if let Some(wanted) = to_archive {
            return Ok(wanted);
        }
        let project = self.find_project(&session.place.project).await?;
        Ok(project.map_or(PrearchiveCode::Manual, |project| project.prearchive_code).archives())
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
fn note_repeated(verdicts: &mut [Verdict], repeated: &Repeated) {
    for verdict in verdicts {
        if let Some(outcome) = verdict.place.and_then(|place| repeated.get(&place)) {
            verdict.outcome = *outcome;
        }
    }
}
