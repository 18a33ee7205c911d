//! What the log of a session says of the uploads it got.

use super::session::PrearchiveSession;

/// What the log of a session should say of an upload.
pub(super) struct ImportNotes {
    /// Files that were left out.
    pub ignored: u64,
    /// Files with a preamble that is neither empty nor TIFF.
    pub odd_preambles: u64,
    /// Files that end before their pixel data does.
    pub cut_off: u64,
}

impl ImportNotes {
    /// Whether there is nothing to say.
    pub(super) fn is_empty(&self) -> bool {
        self.ignored == 0 && self.odd_preambles == 0 && self.cut_off == 0
    }

    /// Writes it into the log.
    pub(super) fn write(&self, session: &mut PrearchiveSession, now_ms: u64) {
        if self.ignored > 0 {
            session.note(
                now_ms,
                format!("{} file(s) of the upload are no images of a study and were left out.", self.ignored),
            );
        }
        if self.odd_preambles > 0 {
            session.note(
                now_ms,
                format!(
                    "{} file(s) of the upload have a preamble that is neither empty nor TIFF; they are kept as they are \
                     and never served as anything a browser would run.",
                    self.odd_preambles
                ),
            );
        }
        if self.cut_off > 0 {
            session.note(
                now_ms,
                format!(
                    "{} file(s) of the upload end before their pixel data does; they are kept as they are.",
                    self.cut_off
                ),
            );
        }
    }
}
