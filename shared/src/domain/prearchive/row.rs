//! A session as lists show it: small, because a list can have a hundred thousand of them.

use serde::{Deserialize, Serialize};

use super::session::{PrearchiveSession, SessionPlace};
use super::status::Status;

/// XNAT's name for its upload client, which always says when it is done.
const UPLOADER: &str = "uploader";

/// What the list of the prearchive shows of a session, and what decides about it without its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct SessionRow {
    /// Where it stands. The project is not kept in the list, which is the project's own; see [`SessionRow::within`].
    pub place: SessionPlace,
    /// See [`PrearchiveSession::status`].
    pub status: Status,
    /// The session label.
    pub name: String,
    /// The subject label.
    pub subject: String,
    /// StudyInstanceUID.
    pub tag: String,
    /// StudyDate as `yyyy-MM-dd`, or empty.
    pub scan_date: String,
    /// StudyTime as `HH:mm:ss`, or empty.
    pub scan_time: String,
    /// First arrival, in milliseconds since the epoch.
    pub uploaded_ms: u64,
    /// Last change, in milliseconds since the epoch.
    pub lastmod_ms: u64,
    /// `Manual`, `AutoArchive`, `AutoArchiveOverwrite` or empty.
    pub autoarchive: String,
    /// Whether anonymisation is skipped at archive time.
    pub prevent_anon: bool,
    /// Whether only an explicit commit completes the session.
    pub prevent_auto_commit: bool,
    /// Who sent it.
    pub source: String,
    /// As given by the upload.
    pub visit: String,
    /// As given by the upload.
    pub protocol: String,
    /// As given by the upload.
    pub timezone: String,
}

impl SessionRow {
    /// The row in the list of this project.
    #[must_use]
    pub(crate) fn within(mut self, project: &str) -> Self {
        project.clone_into(&mut self.place.project);
        self
    }

    /// Whether silence may complete the session: XNAT's rule for its idle builder.
    pub fn completes_by_silence(&self) -> bool {
        self.status == Status::Receiving && !self.prevent_auto_commit && !self.source.eq_ignore_ascii_case(UPLOADER)
    }
}

impl From<&PrearchiveSession> for SessionRow {
    fn from(session: &PrearchiveSession) -> Self {
        Self {
            place: session.place.clone(),
            status: session.status,
            name: session.name.clone(),
            subject: session.subject.clone(),
            tag: session.tag.clone(),
            scan_date: session.scan_date.clone(),
            scan_time: session.scan_time.clone(),
            uploaded_ms: session.uploaded_ms,
            lastmod_ms: session.lastmod_ms,
            autoarchive: session.autoarchive.clone(),
            prevent_anon: session.prevent_anon,
            prevent_auto_commit: session.prevent_auto_commit,
            source: session.source.clone(),
            visit: session.visit.clone(),
            protocol: session.protocol.clone(),
            timezone: session.timezone.clone(),
        }
    }
}

/// The row as it is stored: values without names, in one order.
#[derive(Serialize, Deserialize)]
struct Wire(
    String,
    String,
    String,
    Status,
    u64,
    u64,
    String,
    String,
    String,
    String,
    String,
    u8,
    String,
    String,
    String,
    String,
);

const PREVENT_ANON: u8 = 1;
const PREVENT_AUTO_COMMIT: u8 = 2;

impl From<SessionRow> for Wire {
    fn from(row: SessionRow) -> Self {
        // The folder is nearly always named after the label.
        let name = if row.name == row.place.folder { String::new() } else { row.name };
        let flags = u8::from(row.prevent_anon) * PREVENT_ANON + u8::from(row.prevent_auto_commit) * PREVENT_AUTO_COMMIT;
        Self(
            row.place.timestamp,
            row.place.folder,
            name,
            row.status,
            row.uploaded_ms,
            row.lastmod_ms,
            row.scan_date,
            row.scan_time,
            row.subject,
            row.tag,
            row.autoarchive,
            flags,
            row.source,
            row.visit,
            row.protocol,
            row.timezone,
        )
    }
}

impl From<Wire> for SessionRow {
    fn from(wire: Wire) -> Self {
        let name = if wire.2.is_empty() { wire.1.clone() } else { wire.2 };
        Self {
            place: SessionPlace { project: String::new(), timestamp: wire.0, folder: wire.1 },
            name,
            status: wire.3,
            uploaded_ms: wire.4,
            lastmod_ms: wire.5,
            scan_date: wire.6,
            scan_time: wire.7,
            subject: wire.8,
            tag: wire.9,
            autoarchive: wire.10,
            prevent_anon: wire.11 & PREVENT_ANON != 0,
            prevent_auto_commit: wire.11 & PREVENT_AUTO_COMMIT != 0,
            source: wire.12,
            visit: wire.13,
            protocol: wire.14,
            timezone: wire.15,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_back_as_it_was() {
        let mut row = SessionRow {
            place: SessionPlace { project: String::new(), timestamp: "20240501_102233123".into(), folder: "S1".into() },
            status: Status::Conflict,
            name: "S1".into(),
            subject: "Ä".into(),
            tag: "1.2.3".into(),
            scan_date: "2006-12-14".into(),
            scan_time: String::new(),
            uploaded_ms: 1,
            lastmod_ms: u64::MAX,
            autoarchive: "Manual".into(),
            prevent_anon: false,
            prevent_auto_commit: true,
            source: "x".into(),
            visit: "v".into(),
            protocol: "p".into(),
            timezone: "t".into(),
        };
        for name in ["S1", "other"] {
            row.name = name.to_owned();
            let json = serde_json::to_string(&row).unwrap();
            assert_eq!(serde_json::from_str::<SessionRow>(&json).unwrap(), row, "{json}");
        }
        assert_eq!(row.within("P").place.uri(), "/prearchive/projects/P/20240501_102233123/S1");
    }

    #[test]
    fn who_says_when_it_is_done_is_not_completed_by_silence() {
        let row = |source: &str, prevent_auto_commit, status| {
            let wire = Wire(
                "t".into(),
                "f".into(),
                String::new(),
                status,
                0,
                0,
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                u8::from(prevent_auto_commit) * PREVENT_AUTO_COMMIT,
                source.into(),
                String::new(),
                String::new(),
                String::new(),
            );
            SessionRow::from(wire).completes_by_silence()
        };
        assert!(row("scanner", false, Status::Receiving));
        assert!(!row("Uploader", false, Status::Receiving));
        assert!(!row("scanner", true, Status::Receiving));
        assert!(!row("scanner", false, Status::Ready));
    }
}
