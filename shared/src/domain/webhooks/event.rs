//! What happened to a session, as a CloudEvents document (specification 1.0, JSON event format).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::time;

/// What stands as it is in a part of an address (RFC 3986, section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEventKind {
    /// It is new in the archive.
    Archived,
    /// Others were merged into it.
    Merged,
    /// Files for it, or for another item, were taken into the quarantine.
    Quarantined,
    /// They were taken from there into the archive.
    Approved,
    /// They were removed from there.
    Rejected,
    /// It came into quarantine.
    SessionQuarantined,
    /// It was taken out of the quarantine.
    SessionReleased,
    /// It was deleted while it was in quarantine.
    SessionRejected,
    /// Nothing; somebody tries the webhook.
    Test,
}

impl SessionEventKind {
    /// The event's type in reverse-DNS form.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Archived => "org.narthex.session.archived",
            Self::Merged => "org.narthex.session.merged",
            Self::Quarantined => "org.narthex.files.quarantined",
            Self::Approved => "org.narthex.files.approved",
            Self::Rejected => "org.narthex.files.rejected",
            Self::SessionQuarantined => "org.narthex.session.quarantined",
            Self::SessionReleased => "org.narthex.session.released",
            Self::SessionRejected => "org.narthex.session.rejected",
            Self::Test => "org.narthex.webhook.test",
        }
    }
}

/// What happened to a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEvent {
    /// The event's identifier: the same event always has the same.
    pub id: String,
    /// What happened.
    pub kind: SessionEventKind,
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// Who did it.
    pub by: String,
    /// The project.
    pub project: String,
    /// The subject's identifier.
    pub subject_id: String,
    /// The subject's label.
    pub subject_label: String,
    /// The experiment's identifier.
    pub experiment: String,
    /// The experiment's label.
    pub label: String,
    /// Its data type.
    pub xsi_type: String,
    /// Of a session that comes into quarantine or leaves it: why, as whoever did it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of what happens in the quarantine of files: to which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<QuarantineFacts>,
}

/// Files that wait in the quarantine, or have waited there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineFacts {
    /// The project in whose quarantine.
    pub project: String,
    /// The folder.
    pub folder: String,
    /// For which resource they are, or where they went.
    pub target: String,
    /// Who uploaded them.
    pub uploader: String,
    /// How many.
    pub files: u64,
    /// Why, as whoever did it says.
    pub reason: String,
}

impl SessionEvent {
    /// An event that tells nothing.
    ///
    /// # Errors
    /// The platform gives no random bytes.
    pub fn test(at_ms: u64, by: &str) -> Result<Self, DomainError> {
        Ok(Self {
            id: random_id()?,
            kind: SessionEventKind::Test,
            at_ms,
            by: by.to_owned(),
            project: String::new(),
            subject_id: String::new(),
            subject_label: String::new(),
            experiment: String::new(),
            label: String::new(),
            xsi_type: String::new(),
            reason: None,
            quarantine: None,
        })
    }

    /// The document. `site` names where it comes from.
    pub fn document(&self, site: &str) -> String {
        let mut data = json!({
            "project": self.project,
            "subject_ID": self.subject_id,
            "subject_label": self.subject_label,
            "session_ID": self.experiment,
            "session_label": self.label,
            "xsiType": self.xsi_type,
            "user": self.by,
        });
        if let Some(reason) = &self.reason {
            data["event_reason"] = json!(reason);
        }
        let subject = match &self.quarantine {
            None => {
                data["URI"] = json!(format!(
                    "/data/archive/projects/{}/subjects/{}/experiments/{}",
                    self.project, self.subject_label, self.label
                ));
                format!("/data/experiments/{}", self.experiment)
            }
            Some(QuarantineFacts { project, folder, target, uploader, files, reason }) => {
                let folder = utf8_percent_encode(folder, UNRESERVED);
                let uri = format!("/data/services/triage/projects/{project}/resources/{folder}");
                data["uploader"] = json!(uploader);
                data["files"] = json!(files);
                data["event_reason"] = json!(reason);
                data["URI"] = json!(uri);
                data["TARGET"] = json!(target);
                uri
            }
        };
        json!({
            "specversion": "1.0",
            "id": self.id,
            "source": format!("urn:narthex:{site}"),
            "type": self.kind.type_name(),
            "subject": subject,
            "time": time::rfc3339(self.at_ms),
            "datacontenttype": "application/json",
            "data": data,
        })
        .to_string()
    }
}
