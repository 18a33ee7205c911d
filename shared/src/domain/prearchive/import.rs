//! From an upload to sessions: each study finds the session that receives it, or makes one.

use serde::{Deserialize, Deserializer, Serialize};

use super::commit::{demand_room, demand_short};
use super::gathered::Repeated;
use super::notes::ImportNotes;
use super::place::ForcedPlace;
use super::placing::{Packs, note_repeated};
use super::session::PrearchiveSession;
use super::status::Action;
use super::target::{SessionChoice, Target};
use super::upload::{ArrivedStudy, Upload, Verdict};
use crate::accounts;
use crate::domain::error::DomainError;
use crate::domain::ids::demand_label_fits;
use crate::domain::{Core, project::PrearchiveCode};
use crate::imaging::Field;
use crate::storage::Lease;
use crate::storage::pack;

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
