//! What documents and flags change of a session and its scans, in one write.

use futures::executor::block_on;

use super::crash::{doomed, left, recover};
use super::shelf::{archived, images, put};
use super::*;
use crate::domain::archive::{ExperimentChange, NewExperiment, ScanChange};
use crate::domain::shelf::ShelfOf;
use crate::imaging::Field;
use crate::imaging::types::{ScanType, SessionType};

fn scan(quality: &str) -> ScanChange {
    ScanChange {
        xsi_type: Some(ScanType::new("mr")),
        quality: Some(quality.to_owned()),
        series_description: Some("second".to_owned()),
        ..ScanChange::default()
    }
}

fn change() -> ExperimentChange {
    ExperimentChange {
        fields: vec![Field::text("note", "new")],
        scans: vec![("5".to_owned(), scan("unusable")), ("8".to_owned(), scan("questionable"))],
        ..ExperimentChange::default()
    }
}

/// The scans with their quality, and the note.
async fn said(core: &Core, id: &str) -> (Vec<(String, String)>, String) {
    let experiment = core.experiment_by_id(id).await.unwrap().unwrap();
    let manifest = core.manifest(&experiment.manifest).await.unwrap();
    let scans = core.scans(&manifest).await.unwrap();
    let scans = scans.into_iter().map(|stored| (stored.scan.id, stored.quality.unwrap_or_default())).collect();
    let note = experiment.fields.iter().find(|field| field.path == "note");
    (scans, note.map(|field| field.value.to_string()).unwrap_or_default())
}

fn pairs(scans: &[(&str, &str)]) -> Vec<(String, String)> {
    scans.iter().map(|(id, quality)| ((*id).to_owned(), (*quality).to_owned())).collect()
}

#[test]
fn scans_of_a_document_are_made_changed_and_removed_together() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let id = archived(&core).await.id;
        let before = images(&core, &id).await;
        site.clock.advance(1_000);
        let changed = core.change_experiment(&id, &change()).await.unwrap();
        assert_eq!(changed.last_modified_ms(), site.clock.now_ms());
        let expected = pairs(&[("1", "usable"), ("5", "unusable"), ("8", "questionable")]);
        assert_eq!(said(&core, &id).await, (expected, "new".to_owned()));
        assert_eq!(images(&core, &id).await, before);
        let wrong = ScanChange { xsi_type: Some(ScanType::new("ct")), ..ScanChange::default() };
        let mut refused = change();
        refused.fields = vec![Field::text("note", "other")];
        refused.scans.push(("1".to_owned(), wrong));
        assert!(matches!(core.change_experiment(&id, &refused).await, Err(DomainError::Conflict { .. })));
        assert_eq!(said(&core, &id).await.1, "new", "all or nothing");
        let shelf = ShelfOf::Scan { experiment: id.clone(), scan: "5".to_owned() };
        put(&core, &shelf, "NIFTI", "a.nii", b"x").await.unwrap();
        let only = ExperimentChange {
            scans: vec![("1".to_owned(), ScanChange::default())],
            removes_other_scans: true,
            ..ExperimentChange::default()
        };
        core.change_experiment(&id, &only).await.unwrap();
        assert_eq!(said(&core, &id).await.0, pairs(&[("1", "usable")]));
        let rest: Vec<_> = before.into_iter().filter(|(scan, ..)| scan == "1").collect();
        assert_eq!(images(&core, &id).await, rest);
        assert_eq!((left(&site, "manifest"), left(&site, "shelf-scan")), (1, 0));
    });
}

#[test]
fn whoever_dies_while_a_document_is_taken_over_leaves_all_or_nothing_of_it() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await;
            let id = archived(&site.core()).await.id;
            let before = said(&site.core(), &id).await;
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.change_experiment(&id, &change()).await;
            let core = recover(&site).await;
            let after = said(&core, &id).await;
            let is_done = after.1 == "new" && after.0.len() == 3 && after.0[1].1 == "unusable";
            assert!(is_done || (outcome.is_err() && after == before), "step {steps}: {after:?}");
            core.change_experiment(&id, &change()).await.unwrap();
            assert_eq!(left(&site, "manifest"), 1, "step {steps}");
            if !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 6, "{steps}");
    });
}

#[test]
fn a_new_session_may_have_scans_and_scans_get_the_types_of_earlier_ones() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let first = archived(&core).await;
        let typed = ScanChange { scan_type: Some("T2".to_owned()), ..ScanChange::default() };
        core.put_scan(&first.id, "5", &typed).await.unwrap();
        let new = NewExperiment {
            project: "DEMO".to_owned(),
            subject: "S1".to_owned(),
            label: "E1".to_owned(),
            xsi_type: SessionType::new("mr"),
            uid: "1.2.3".to_owned(),
            by: "admin".to_owned(),
            change: ExperimentChange { fixes_scan_types: true, ..change() },
        };
        let made = core.create_experiment(&new).await.unwrap();
        assert_eq!(made.uid, "1.2.3");
        let manifest = core.manifest(&made.manifest).await.unwrap();
        let scans = core.scans(&manifest).await.unwrap();
        assert!(scans.iter().all(|stored| stored.number > 0 && stored.scan_type.as_deref() == Some("T2")));
        assert_eq!(scans.len(), 2);
        core.put_scan(&made.id, "9", &scan("usable")).await.unwrap();
        let fix = ExperimentChange { fixes_scan_types: true, ..ExperimentChange::default() };
        let fixed = core.change_experiment(&made.id, &fix).await.unwrap();
        let scans = core.scans(&core.manifest(&fixed.manifest).await.unwrap()).await.unwrap();
        assert_eq!(scans[2].scan_type.as_deref(), Some("T2"));
    });
}

#[test]
fn headers_are_read_again_and_what_they_do_not_speak_of_stays() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let id = archived(&core).await.id;
        let before = core.experiment_by_id(&id).await.unwrap().unwrap();
        let manifest = core.manifest(&before.manifest).await.unwrap();
        let (session, scans) = (manifest.session.clone(), core.scans(&manifest).await.unwrap());
        let spoilt = ScanChange {
            series_description: Some("spoilt".to_owned()),
            scan_type: Some("T1".to_owned()),
            frames: Some(77),
            fields: vec![Field::text("note", "kept"), Field::text("parameters/tr", "1")],
            ..ScanChange::default()
        };
        let change = ExperimentChange {
            fields: vec![Field::text("date", "1999-01-01"), Field::text("note", "kept")],
            scans: vec![("5".to_owned(), spoilt)],
            ..ExperimentChange::default()
        };
        core.change_experiment(&id, &change).await.unwrap();
        // One of the images stands in a catalog that can be changed.
        let shelf = ShelfOf::Scan { experiment: id.clone(), scan: "1".to_owned() };
        put(&core, &shelf, "DICOM", "no-image.txt", b"x").await.unwrap();
        let pulled = core.pull_headers(&id).await.unwrap();
        let manifest = core.manifest(&pulled.manifest).await.unwrap();
        assert_eq!(manifest.session, session);
        let now = core.scans(&manifest).await.unwrap();
        assert_eq!((now[1].scan.frames, now[1].scan_type.as_deref()), (scans[1].scan.frames, Some("T1")));
        assert_eq!(now[1].scan.series_description, scans[1].scan.series_description);
        let kept = now[1].scan.parameters.iter().find(|field| field.path == "note");
        assert_eq!(kept.map(|field| field.value.to_string()).as_deref(), Some("kept"));
        for field in &scans[1].scan.parameters {
            assert!(now[1].scan.parameters.contains(field), "{field:?}");
        }
        assert_eq!(now[0].scan, scans[0].scan);
        assert_eq!((pulled.date, pulled.fields), (before.date, vec![Field::text("note", "kept")]));
        for date in ["1999-01-01", ""] {
            let dated = ExperimentChange { fields: vec![Field::text("date", date)], ..ExperimentChange::default() };
            core.change_experiment(&id, &dated).await.unwrap();
        }
        let again = core.experiment_by_id(&id).await.unwrap().unwrap();
        assert_eq!(Some(again.date), session.date, "what is taken away by hand is as the headers say again");
        let none = core
            .create_experiment(&NewExperiment {
                project: "DEMO".to_owned(),
                subject: "S1".to_owned(),
                label: "E1".to_owned(),
                xsi_type: SessionType::new("mr"),
                uid: String::new(),
                by: "admin".to_owned(),
                change: ExperimentChange::default(),
            })
            .await
            .unwrap();
        assert!(matches!(core.pull_headers(&none.id).await, Err(DomainError::Invalid { .. })));
    });
}
