//! Fields of scans that are set on archiving and commit.

use futures::executor::block_on;

use super::crash::{doomed, recover};
use super::*;
use crate::domain::archive::{Experiment, Overwrite, Rules, ScanChange};
use crate::domain::manifest::StoredScan;
use crate::domain::prearchive::commit::{CommitRequest, Committed, SessionChange};
use crate::domain::prearchive::onward::{Onward, Way};
use crate::domain::prearchive::scan_fields::{MAX_SCAN_FIELDS, ScanSelector, ScanWish};
use crate::imaging::Field;
use crate::imaging::types::ScanType;

fn at(index: usize) -> ScanSelector {
    ScanSelector { index: Some(index), ..ScanSelector::default() }
}

fn of(id: &str) -> ScanSelector {
    ScanSelector { id: Some(id.to_owned()), ..ScanSelector::default() }
}

fn wish(scan: ScanSelector, scan_type: &str, note: &str) -> ScanWish {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let fields = text(note).map(|note| Field::text("note", note)).into_iter().collect();
    ScanWish { scan, change: ScanChange { scan_type: text(scan_type), fields, ..ScanChange::default() } }
}

fn change(scans: Vec<ScanWish>) -> SessionChange {
    SessionChange { scans, ..SessionChange::default() }
}

/// IDs, types, qualities and notes.
fn shown(scans: &[StoredScan]) -> Vec<String> {
    let note = |scan: &StoredScan| {
        let found = scan.scan.parameters.iter().find(|field| field.path == "note");
        found.map(|field| field.value.to_string()).unwrap_or_default()
    };
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    scans
        .iter()
        .map(|scan| format!("{} {} {} {}", scan.scan.id, or_none(&scan.scan_type), or_none(&scan.quality), note(scan)))
        .collect()
}

async fn archived_scans(core: &Core, experiment: &Experiment) -> Vec<String> {
    let manifest = core.manifest(&experiment.manifest).await.unwrap();
    shown(&core.scans(&manifest).await.unwrap())
}

async fn staged_scans(core: &Core, session: &PrearchiveSession) -> Vec<String> {
    let session = core.session(&session.id).await.unwrap().unwrap();
    let manifest = core.manifest(session.manifest.as_ref().unwrap()).await.unwrap();
    shown(&core.staged_scans(&session, &manifest).await.unwrap())
}

#[test]
fn fields_of_scans_are_set_on_archiving() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        let mr = ScanSelector { xsi_type: ScanType::known("xnat:mrScanData"), ..at(0) };
        let wishes = vec![wish(mr, "T1", "first"), wish(of("5"), "", "x"), wish(of("5"), "T2", "second")];
        let request = ArchiveRequest { change: change(wishes), ..archive_request() };
        assert!(
            core.validate_archiving(&session, &request)
                .await
                .unwrap()
                .iter()
                .all(|found| !found.message.contains("scan"))
        );
        let experiment = core.archive(&session, &request).await.unwrap();
        assert_eq!(archived_scans(&core, &experiment).await, ["1 T1 usable first", "5 T2 usable second"]);
        assert_eq!(contents(&core, &experiment.manifest).await, sent(&study(1)));
    });
}

#[test]
fn a_scan_or_value_that_cannot_be_is_refused_and_nothing_is_archived() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        let ct = ScanSelector { xsi_type: ScanType::known("xnat:ctScanData"), ..at(0) };
        let other = ScanSelector { id: Some("5".to_owned()), ..at(0) };
        for (scan, text) in
            [(at(2), "x"), (of("2"), "x"), (ct, "x"), (other, "x"), (at(0), &"x".repeat(5_000)), (at(0), "a\nb")]
        {
            let request = ArchiveRequest { change: change(vec![wish(scan, text, "")]), ..archive_request() };
            let refused = core.archive(&session, &request).await;
            assert!(matches!(refused, Err(DomainError::Invalid { .. })), "{refused:?}");
            let found = core.validate_archiving(&session, &request).await.unwrap();
            assert!(found.iter().any(|found| found.reason.is_of_request()), "{found:?}");
        }
        let many = |n: usize| ScanWish {
            scan: at(0),
            change: ScanChange { fields: vec![Field::text(format!("parameters/p{n}"), "x")], ..ScanChange::default() },
        };
        let request = ArchiveRequest { change: change((0..=MAX_SCAN_FIELDS).map(many).collect()), ..archive_request() };
        assert!(matches!(core.archive(&session, &request).await, Err(DomainError::Invalid { .. })));
        // What was refused is not kept.
        let experiment = core.archive(&session, &archive_request()).await.unwrap();
        assert!(archived_scans(&core, &experiment).await.iter().all(|scan| scan.ends_with(" usable ")));
    });
}

#[test]
fn a_commit_keeps_them_for_archiving_whatever_comes_between() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        let commit =
            |wishes| CommitRequest { by: "admin".to_owned(), change: change(wishes), ..CommitRequest::default() };
        let held = core.hold_session(&session.id).await.unwrap();
        let refused = core.commit_held(held, &commit(vec![wish(of("9"), "T1", "")])).await;
        assert!(matches!(refused, Err(DomainError::Invalid { .. })));
        let held = core.hold_session(&session.id).await.unwrap();
        let done = core.commit_held(held, &commit(vec![wish(at(1), "T2", "kept")])).await.unwrap();
        assert!(matches!(done, Committed::Staged(_)));
        assert_eq!(staged_scans(&core, &session).await, ["1 - - ", "5 T2 - kept"]);
        // Built anew, and with another field of the same scan.
        let held = core.hold_session(&session.id).await.unwrap();
        core.commit_held(held, &commit(vec![wish(of("5"), "T3", ""), wish(of("1"), "", "one")])).await.unwrap();
        assert_eq!(staged_scans(&core, &session).await, ["1 - - one", "5 T3 - kept"]);
        let session = core.session(&session.id).await.unwrap().unwrap();
        let experiment = core.archive(&session, &archive_request()).await.unwrap();
        let scans = archived_scans(&core, &experiment).await;
        assert!(scans[0].ends_with(" usable one") && scans[1] == "5 T3 usable kept", "{scans:?}");
    });
}

#[test]
fn an_import_sets_them_before_it_archives_and_a_merge_takes_them_along() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        core.archive(&session, &archive_request()).await.unwrap();
        core.empty_trash_of(&session.id).await.unwrap();
        // The same session comes again with another scan.
        let more = Study::new(Modality::Mr, 1).patient("S01_MR1", "S01").series_named(7, "third").slices(2).matrix(16);
        let session = import(&core, &more).await.unwrap();
        let onward = Onward {
            way: Way::Built,
            by: "admin".to_owned(),
            scans: vec![wish(of("7"), "T7", "seventh")],
            ..Onward::default()
        };
        core.bring_on(vec![session.clone()], &onward).await.unwrap();
        let session = core.session(&session.id).await.unwrap().unwrap();
        assert_eq!(staged_scans(&core, &session).await, ["7 T7 - seventh"]);
        let rules = Rules { overwrite: Overwrite::Append, ..Rules::default() };
        let experiment = core.archive(&session, &ArchiveRequest { rules, ..archive_request() }).await.unwrap();
        let scans = archived_scans(&core, &experiment).await;
        assert_eq!(scans.last().map(String::as_str), Some("7 T7 usable seventh"), "{scans:?}");
    });
}

#[test]
fn archiving_that_dies_at_any_step_sets_them_in_the_end() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await;
            let session = import(&site.core(), &study(1)).await.unwrap();
            let request = ArchiveRequest { change: change(vec![wish(at(0), "T1", "n")]), ..archive_request() };
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.archive(&session, &request).await;
            let core = recover(&site).await;
            let mut tries = 0;
            while core.list_experiments("DEMO").await.unwrap().is_empty() {
                match core.archive(&session, &request).await {
                    Ok(_) => break,
                    Err(DomainError::Busy { .. }) if tries < 4 => site.clock.advance(2_000),
                    Err(error) => panic!("step {steps}: {error}"),
                }
                tries += 1;
            }
            let experiment = core.list_experiments("DEMO").await.unwrap().remove(0);
            assert_eq!(archived_scans(&core, &experiment).await[0], "1 T1 usable n", "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 4, "there are more steps than {steps}");
    });
}
