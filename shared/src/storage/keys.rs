//! Every key that is ever written, built here and nowhere else.
//!
//! A key is words joined by `:`. Words that come from outside are encoded so that they hold neither `:` nor
//! anything that a provider treats specially (`/`, `\`, `?`, `#`, blanks); two different names never give one key.

use std::fmt;

use sha2::Digest;

use super::pack::PackId;

/// The longest word that stands in a key as it is, in bytes.
const MAX_WORD_BYTES: usize = 256;

/// A key of the records or blobs store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Starts a key with a word of this module's own.
    fn root(kind: &'static str) -> Self {
        Self(kind.to_owned())
    }

    /// Adds a word that may come from outside.
    fn name(mut self, word: &str) -> Self {
        self.0.push(':');
        if word.len() > MAX_WORD_BYTES {
            // Nothing that exists has such a name, but somebody may ask for it, and providers bound their keys.
            self.0.push_str("%~");
            for byte in sha2::Sha256::digest(word.as_bytes()) {
                self.0.push_str(&format!("{byte:02x}"));
            }
            return self;
        }
        for byte in word.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' => self.0.push(char::from(byte)),
                _ => {
                    const HEX: &[u8; 16] = b"0123456789ABCDEF";
                    self.0.push('%');
                    self.0.push(char::from(HEX[usize::from(byte >> 4)]));
                    self.0.push(char::from(HEX[usize::from(byte & 15)]));
                }
            }
        }
        self
    }

    fn number(mut self, number: u64) -> Self {
        self.0.push(':');
        self.0.push_str(&number.to_string());
        self
    }

    /// The key as the store takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The counter of a named sequence (pack numbers, subject numbers, ...).
pub fn sequence(name: &str) -> Key {
    Key::root("seq").name(name)
}

/// A lease's present state.
pub fn lease(name: &str) -> Key {
    Key::root("lease").name(name)
}

/// The counter that decides who gets generation `generation` of a lease.
pub fn lease_ticket(name: &str, generation: u64) -> Key {
    Key::root("lease-ticket").name(name).number(generation)
}

/// When somebody first saw that generation `generation` of a lease is taken but not yet written down.
pub fn lease_seen(name: &str, generation: u64) -> Key {
    Key::root("lease-seen").name(name).number(generation)
}

/// The head of a roster: its pages, and how far its log is folded into them.
pub fn roster_head(roster: &str) -> Key {
    Key::root("roster").name(roster)
}

/// The counter of a roster's log.
pub fn roster_counter(roster: &str) -> Key {
    Key::root("roster-n").name(roster)
}

/// One entry of a roster's log.
pub fn roster_slot(roster: &str, slot: u64) -> Key {
    Key::root("roster-slot").name(roster).number(slot)
}

/// One folded page of a roster.
pub fn roster_page(roster: &str, page: u64) -> Key {
    Key::root("roster-page").name(roster).number(page)
}

/// What is known of a committed pack.
pub fn pack(pack: PackId) -> Key {
    Key::root("pack").number(pack.number())
}

/// One chunk of a pack (in the blobs store).
pub fn pack_chunk(pack: PackId, chunk: u64) -> Key {
    Key::root("pack-chunk").number(pack.number()).number(chunk)
}

/// Says that one of a pack's owners needs it no more.
pub fn pack_released(pack: PackId, owner: &str) -> Key {
    Key::root("pack-released").number(pack.number()).name(owner)
}

/// One page of the digests of a pack's entries.
pub fn pack_digests(pack: PackId, page: u64) -> Key {
    Key::root("pack-digests").number(pack.number()).number(page)
}

/// How far the sweep of uncommitted packs has come.
pub fn pack_sweep() -> Key {
    Key::root("pack-sweep")
}

/// A project.
pub fn project(id: &str) -> Key {
    Key::root("project").name(id)
}

/// Which project has an alias.
pub fn project_alias(alias: &str) -> Key {
    Key::root("project-alias").name(alias)
}

/// Says that there was a project of this identifier, and what is still to be done about it.
pub fn project_tombstone(id: &str) -> Key {
    Key::root("project-tombstone").name(id)
}

/// A deleted experiment whose files are still to be removed.
pub fn experiment_trash(id: &str) -> Key {
    Key::root("experiment-trash").name(id)
}

/// A session in the prearchive, by its own number.
pub fn session(id: &str) -> Key {
    Key::root("session").name(id)
}

/// Which session stands at a place of the prearchive.
pub fn session_place(project: &str, timestamp: &str, folder: &str) -> Key {
    Key::root("session-place").name(project).name(timestamp).name(folder)
}

/// The counter that decides who has a place of the prearchive.
pub fn session_place_claim(project: &str, timestamp: &str, folder: &str) -> Key {
    Key::root("session-place-n").name(project).name(timestamp).name(folder)
}

/// A session that has left the prearchive and whose remains are to be removed.
pub fn trash(session: &str) -> Key {
    Key::root("trash").name(session)
}

/// An upload that may be broken off and gone on with.
pub fn resumable(id: &str) -> Key {
    Key::root("resumable").name(id)
}

/// A page of the verdicts on the files of such an upload.
pub fn resumable_verdicts(id: &str, page: u64) -> Key {
    Key::root("resumable-verdicts").name(id).number(page)
}

/// A job.
pub fn job(id: &str) -> Key {
    Key::root("job").name(id)
}

/// One page of what a job is to work on.
pub fn job_items(id: &str, page: u64) -> Key {
    Key::root("job-items").name(id).number(page)
}

/// Which job a user follows under a key.
pub fn job_key(login: &str, key: &str) -> Key {
    Key::root("job-key").name(login).name(key)
}

/// Which session of the prearchive receives a study under a label.
pub fn session_study(project: &str, study_uid: &str, label: &str) -> Key {
    Key::root("session-study").name(project).name(study_uid).name(label)
}

/// The counter of a session's segments.
pub fn segment_counter(session: &str) -> Key {
    Key::root("segment-n").name(session)
}

/// One segment of a session.
pub fn segment(session: &str, number: u64) -> Key {
    Key::root("segment").name(session).number(number)
}

/// One page of the files of an upload, before its segment is written.
pub fn segment_page(upload: &str, page: u64) -> Key {
    Key::root("segment-page").name(upload).number(page)
}

/// The head of a manifest.
pub fn manifest(id: &str) -> Key {
    Key::root("manifest").name(id)
}

/// One page of a manifest's scans.
pub fn manifest_scans(id: &str, page: u64) -> Key {
    Key::root("manifest-scans").name(id).number(page)
}

/// One page of a manifest's files.
pub fn manifest_files(id: &str, page: u64) -> Key {
    Key::root("manifest-files").name(id).number(page)
}

/// The head of a catalog.
pub fn catalog(id: &str) -> Key {
    Key::root("catalog").name(id)
}

/// One page of a catalog's files.
pub fn catalog_page(id: &str, page: u64) -> Key {
    Key::root("catalog-page").name(id).number(page)
}

/// The resources of a scan of an experiment that have changeable catalogs, in the revision of this name; the first has
/// none.
pub fn scan_shelf(experiment: &str, scan: &str, revision: &str) -> Key {
    let key = Key::root("shelf-scan").name(experiment).name(scan);
    if revision.is_empty() { key } else { key.name(revision) }
}

/// The resources of a subject.
pub fn subject_shelf(subject: &str) -> Key {
    Key::root("shelf-subject").name(subject)
}

/// The resources of a project.
pub fn project_shelf(project: &str) -> Key {
    Key::root("shelf-project").name(project)
}

/// A subject.
pub fn subject(id: &str) -> Key {
    Key::root("subject").name(id)
}

/// Which subject has a label in a project; labels of subjects are matched without case.
pub fn subject_label(project: &str, label: &str) -> Key {
    Key::root("subject-label").name(project).name(&label.to_lowercase())
}

/// An experiment.
pub fn experiment(id: &str) -> Key {
    Key::root("experiment").name(id)
}

/// Which experiment has a label in a project.
pub fn experiment_label(project: &str, label: &str) -> Key {
    Key::root("experiment-label").name(project).name(label)
}

/// The scan types of a project.
pub fn scan_types(project: &str) -> Key {
    Key::root("scan-types").name(project)
}

/// Which experiment has the files that are owned under a session's identifier.
pub fn content(session: &str) -> Key {
    Key::root("content").name(session)
}

/// The counter of an item's history.
pub fn history_counter(kind: &str, id: &str) -> Key {
    Key::root("history-n").name(kind).name(id)
}

/// One event of an item's history.
pub fn history_event(kind: &str, id: &str, number: u64) -> Key {
    Key::root("history").name(kind).name(id).number(number)
}

/// The webhooks of a project, or of the site.
pub fn webhooks(scope: &str) -> Key {
    Key::root("webhooks").name(scope)
}

/// An event on its way to a webhook.
pub fn delivery(id: &str) -> Key {
    Key::root("delivery").name(id)
}

/// A user's account.
pub fn account(login: &str) -> Key {
    Key::root("account").name(login)
}

/// What a user keeps in the user cache.
pub fn user_cache(login: &str) -> Key {
    Key::root("user-cache").name(login)
}

/// A folder of the quarantine.
pub fn triage(project: &str, label: &str) -> Key {
    Key::root("triage").name(project).name(label)
}

/// The counter of the folders that the quarantine of a project ever had.
pub fn triage_counter(project: &str) -> Key {
    Key::root("triage-n").name(project)
}

/// A folder of the quarantine that is about to go, or has gone, by its number.
pub fn triage_trash(project: &str, number: u64) -> Key {
    Key::root("triage-trash").name(project).number(number)
}

/// Who takes the files of a folder of the quarantine over, by the folder's number.
pub fn triage_heir(project: &str, number: u64) -> Key {
    Key::root("triage-heir").name(project).number(number)
}

/// A login session, by the hash of its token.
pub fn login(token_hash: &str) -> Key {
    Key::root("login").name(token_hash)
}

/// An alias token.
pub fn alias_token(alias: &str) -> Key {
    Key::root("alias-token").name(alias)
}

/// A password that was verified lately, by a keyed hash of name and password.
pub fn verified(hash: &str) -> Key {
    Key::root("verified").name(hash)
}

/// The server's secret for keyed hashes.
pub fn server_secret() -> Key {
    Key::root("server-secret")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_cannot_reach_another_key() {
        assert_ne!(session_place("a:b", "c", "d"), session_place("a", "b:c", "d"));
        assert_eq!(project("ä/b").as_str(), "project:%C3%A4%2Fb");
        assert_ne!(project("a%2F"), project("a/"));
        let long = "ä".repeat(5_000);
        assert!(project(&long).as_str().len() < 100);
        assert_ne!(project(&long), project(&format!("{long}x")));
    }
}
