//! Validating and archiving say the same, whatever meets.

use std::collections::BTreeMap;

use futures::executor::block_on;
use narthex_generator::Noise;

use super::crash::doomed;
use super::files::{add, into};
use super::merge::{Sent, archived, import_files, other_uid, part, replaced};
use super::shelf::{images, put};
use super::*;
use crate::domain::archive::{Finding, Overwrite, Rules};
use crate::domain::prearchive::commit::SessionChange;
use crate::domain::shelf::ShelfOf;
use crate::imaging::Field;

/// Pairs of sessions that are tried.
const CASES: u64 = 400;

struct Random(Noise);

impl Random {
    fn one_in(&mut self, n: u64) -> bool {
        self.0.below(n) == 0
    }
}

/// Some slices of some series, some of them changed, renamed, of another series or another study.
fn files(random: &mut Random) -> Vec<Sent> {
    let whole =
        Study::new(Modality::Mr, 1).patient("S01_MR1", "S01").slices(3).matrix(4).and_series(5, "x", Modality::Mr, 3);
    let study = if random.one_in(8) { whole.clone().description("changed") } else { whole.clone() };
    let mut wanted: Vec<(u32, u32)> = Vec::new();
    for series in [1, 5] {
        wanted.extend((1..=3).filter(|_| random.one_in(3)).map(|slice| (series, slice)));
    }
    if wanted.is_empty() {
        wanted.push((1, 1));
    }
    let mut files = part(&study, &wanted);
    if random.one_in(4) {
        files = replaced(files, &whole.series_uid(1), &other_uid(&whole.series_uid(1)));
    }
    if random.one_in(10) {
        files = replaced(files, &whole.study_uid(), &other_uid(&whole.study_uid()));
    }
    if random.one_in(4) {
        for (name, _) in &mut files {
            *name = if random.one_in(3) { format!("z{name}") } else { name.clone() };
        }
    }
    if random.one_in(6) {
        // A name that belongs to another instance on the other side.
        files.truncate(1);
        files[0].0 = format!("mr-1-000{}.dcm", 1 + random.0.below(3));
    }
    files
}

fn request(random: &mut Random) -> ArchiveRequest {
    let overwrite =
        [Overwrite::None, Overwrite::Append, Overwrite::Delete][usize::try_from(random.0.below(3)).unwrap()];
    let often = |random: &mut Random, text: &str| random.one_in(12).then(|| text.to_owned());
    let count = if random.one_in(30) { 101 } else { 1 };
    ArchiveRequest {
        rules: Rules { overwrite, overwrite_files: random.one_in(4) },
        project: often(random, "ELSEWHERE").or_else(|| often(random, "DEMO")),
        subject: often(random, "OTHER").or_else(|| often(random, "s01")),
        label: often(random, "OTHER"),
        change: SessionChange {
            fields: (0..count).map(|n| Field::text(format!("fields/field[name=f{n}]"), "x")).collect(),
            ..SessionChange::default()
        },
        ..archive_request()
    }
}

/// What the archive must hold after a merge, by SOP instance within its series.
fn expected(old: &[Sent], new: &[Sent]) -> Vec<Vec<u8>> {
    let key = |bytes: &[u8]| -> (Vec<u8>, Vec<u8>) {
        let after = |tag: [u8; 4]| {
            let at = bytes.windows(4).rposition(|window| window == tag).unwrap();
            let length = usize::from(u16::from_le_bytes([bytes[at + 6], bytes[at + 7]]));
            bytes[at + 8..at + 8 + length].to_vec()
        };
        (after([0x20, 0, 0x0E, 0]), after([0x08, 0, 0x18, 0]))
    };
    let all: BTreeMap<_, _> = old.iter().chain(new).map(|(_, bytes)| (key(bytes), bytes.clone())).collect();
    let mut all: Vec<Vec<u8>> = all.into_values().collect();
    all.sort();
    all
}

async fn bytes_of(core: &Core, experiment: &str) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = images(core, experiment).await.into_iter().map(|(_, _, bytes)| bytes).collect();
    all.sort();
    all
}

/// Perhaps changes the images of a scan in the archive; gives what stands beside images then.
async fn edit(random: &mut Random, core: &Core, experiment: &str, files: &mut Vec<Sent>) -> Vec<Vec<u8>> {
    let before = images(core, experiment).await;
    let Some((scan, name, bytes)) = before.first().filter(|_| random.one_in(3)).cloned() else { return Vec::new() };
    let of = ShelfOf::Scan { experiment: experiment.to_owned(), scan };
    if random.one_in(2) {
        core.remove_item_file(&of, "DICOM", &name).await.unwrap();
        files.retain(|(_, sent)| *sent != bytes);
        return Vec::new();
    }
    // Sometimes in the way of an image.
    let path = ["extra.txt", "mr-1-0003.dcm/extra.txt"][usize::from(random.one_in(2))];
    match put(core, &of, "DICOM", path, b"extra").await {
        Ok(_) => vec![b"extra".to_vec()],
        Err(_) => Vec::new(),
    }
}

#[test]
fn archiving_fails_exactly_where_validating_says_so() {
    block_on(async {
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        for case in 0..CASES {
            let mut random = Random(Noise::new(0x5EED + case));
            let site = Site::new().with_project().await.with("ELSEWHERE").await;
            let core = site.core();
            let mut old_files = files(&mut random);
            let old = archived(&site, old_files.clone()).await;
            let mut beside = edit(&mut random, &core, &old.id, &mut old_files).await;
            let is_edited = !core.experiment_by_id(&old.id).await.unwrap().unwrap().shelved_scans.is_empty();
            let new_files = files(&mut random);
            let session = import_files(&core, new_files.clone()).await;
            if random.one_in(3) {
                add(&core, &session.id, &into("NOTES"), "a", b"note").await.unwrap();
            }
            let session = core.session(&session.id).await.unwrap().unwrap();
            let request = request(&mut random);
            // Validating cannot change anything: its store takes no change.
            let (reader, _) = doomed(&site, 0);
            let findings = reader.validate_archiving(&session, &request).await.unwrap();
            let refusing = findings.iter().filter(|finding| finding.refuses()).count();
            let outcome = core.archive(&session, &request).await;
            assert_eq!(outcome.is_err(), refusing > 0, "case {case}: {outcome:?}, {findings:?}, {request:?}");
            for Finding { reason, .. } in &findings {
                *seen.entry(reason.word().to_owned()).or_default() += 1;
            }
            let present = core.experiment_by_id(&old.id).await.unwrap().unwrap();
            match outcome {
                Ok(merged) if merged.id == old.id => {
                    *seen.entry("merged".to_owned()).or_default() += 1;
                    *seen.entry("merged into a changed scan".to_owned()).or_default() += u64::from(is_edited);
                    beside.extend(expected(&old_files, &new_files));
                    beside.sort();
                    assert_eq!(bytes_of(&core, &merged.id).await, beside, "case {case}");
                }
                Ok(other) => {
                    assert_eq!(bytes_of(&core, &other.id).await, expected(&[], &new_files), "case {case}");
                    assert_eq!(present.manifest, old.manifest);
                }
                Err(error) => {
                    assert_eq!(present.manifest, old.manifest, "case {case}");
                    assert!(
                        findings.iter().any(|finding| finding.message == error.to_string()),
                        "case {case}: {error}"
                    );
                    assert!(core.session(&session.id).await.unwrap().is_some(), "case {case}");
                }
            }
            assert!(is_edited || !bytes_of(&core, &present.id).await.is_empty());
        }
        for wanted in [
            "merged",
            "merged into a changed scan",
            "file-and-folder",
            "session-exists",
            "other-project",
            "other-subject",
            "other-study",
            "bad-fields",
            "same-files",
            "name-taken",
            "same-scan",
            "number-taken",
            "renamed",
        ] {
            assert!(seen.get(wanted).is_some_and(|count| *count >= 3), "{wanted} hardly ever comes: {seen:?}");
        }
    });
}

#[test]
fn a_session_that_is_not_built_is_validated_as_it_would_be_archived() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let study = Study::new(Modality::Mr, 1).patient("S01_MR1", "S01").slices(3).matrix(4);
        archived(&site, part(&study, &[(1, 1)])).await;
        let gradual = ImportRequest { is_gradual: true, ..super::request() };
        let upload = receive(&core, &narthex_generator::zip_study(&study)).await.unwrap();
        let session = core.import(upload, &gradual).await.unwrap().sessions.remove(0);
        let session = core.session(&session.id).await.unwrap().unwrap();
        assert!(session.manifest.is_none());
        let (reader, _) = doomed(&site, 0);
        let request = super::merge::with(Rules::APPEND);
        let findings = reader.validate_archiving(&session, &request).await.unwrap();
        let words: Vec<&str> = findings.iter().map(|finding| finding.reason.word()).collect();
        assert_eq!(words, ["same-files"]);
        assert!(core.archive(&session, &request).await.is_err());
    });
}
