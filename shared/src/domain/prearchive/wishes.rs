//! What an upload says of a session that is there already: what it names takes the place of what was said before.

use super::import::{ImportRequest, SESSION_IMPORTER};
use super::session::PrearchiveSession;
use crate::domain::ids::clean_label;

/// A label that was given, if anything is left of it.
pub(super) fn wanted_label(given: Option<&String>) -> Option<String> {
    given.map(|label| clean_label(label)).filter(|label| !label.is_empty())
}

impl ImportRequest {
    /// What the row's `SOURCE` is to be; the handler's own name only tells how a session began.
    fn wanted_source(&self) -> &str {
        if self.source == SESSION_IMPORTER { "" } else { &self.source }
    }

    /// Whether a session says all of that already.
    pub(super) fn is_told_by(&self, session: &PrearchiveSession) -> bool {
        let is_told = |own: &str, wanted: &str| wanted.is_empty() || own == wanted;
        is_told(&session.source, self.wanted_source())
            && is_told(&session.visit, &self.visit)
            && is_told(&session.protocol, &self.protocol)
            && is_told(&session.timezone, &self.timezone)
            && is_told(&session.autoarchive, self.autoarchive.unwrap_or_default())
            && is_told(&session.subject, &wanted_label(self.subject.as_ref()).unwrap_or_default())
            && (session.quarantine || !self.quarantine)
            && (session.prevent_anon || !self.prevent_anon)
            && (session.prevent_auto_commit || !self.wants_no_auto_commit())
            && self.fields.is_empty()
    }

    /// That of a session importer's own session says nothing of one that others began.
    fn wants_no_auto_commit(&self) -> bool {
        self.is_gradual && self.prevent_auto_commit
    }
}

impl PrearchiveSession {
    /// Takes over what an upload says of the session.
    pub(super) fn take_over(&mut self, request: &ImportRequest, now_ms: u64) {
        if let Some(subject) = wanted_label(request.subject.as_ref()).filter(|subject| *subject != self.subject) {
            let note = format!("An upload named the subject {subject}; it was \"{}\" before.", self.subject);
            self.note(now_ms, note);
            self.subject = subject;
        }
        for (own, wanted) in [
            (&mut self.source, request.wanted_source()),
            (&mut self.visit, &request.visit),
            (&mut self.protocol, &request.protocol),
            (&mut self.timezone, &request.timezone),
            (&mut self.autoarchive, request.autoarchive.unwrap_or_default()),
        ] {
            if !wanted.is_empty() {
                wanted.clone_into(own);
            }
        }
        self.quarantine |= request.quarantine;
        self.prevent_anon |= request.prevent_anon;
        self.prevent_auto_commit |= request.wants_no_auto_commit();
        self.set_fields(&request.fields);
    }
}
