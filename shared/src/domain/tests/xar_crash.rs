//! XAR files whose importers die at every step.

use futures::executor::block_on;

use super::crash::{doomed, left, recover, settle};
use super::shelf::put;
use super::xar::{Files, REPLACE, all_files, data, files, send, session_xml, site, zipped};
use super::*;
use crate::domain::archive::{Experiment, Rules};
use crate::domain::shelf::ShelfOf;
use crate::domain::xar::XarError;

/// The kinds of records that a XAR makes or removes, with how many there are.
fn counts(site: &Site) -> Vec<(&'static str, usize)> {
    const KINDS: [&str; 11] = [
        "shelf-scan",
        "manifest",
        "manifest-files",
        "manifest-scans",
        "catalog",
        "catalog-page",
        "content",
        "pack",
        "experiment",
        "experiment-label",
        "experiment-trash",
    ];
    let mut counts: Vec<_> = KINDS.iter().map(|kind| (*kind, left(site, kind))).collect();
    counts.push(("chunks", site.blobs.keys().len()));
    counts
}

/// Sends as a client does that tries again, so often at most, while something is busy.
pub(super) async fn send_in_the_end(site: &Site, core: &Core, body: &[u8], rules: Rules, tries: u32) -> Experiment {
    for _ in 0..tries {
        match send(core, body, rules).await {
            Ok(made) => return made,
            Err(XarError::Domain(DomainError::Busy { .. })) => site.clock.advance(2_000),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the experiment stays busy");
}

#[test]
fn an_importer_who_dies_at_any_step_leaves_a_whole_experiment_or_none() {
    block_on(async {
        let body = zipped(&files());
        let usual = {
            let site = site().await;
            send(&site.core(), &body, Rules::default()).await.unwrap();
            settle(&site, &site.core()).await;
            counts(&site)
        };
        let mut steps = 0;
        loop {
            let site = site().await;
            let nothing = counts(&site);
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = send(&doomed, &body, Rules::default()).await;
            let seen = site.core().list_experiments("DEMO").await.unwrap();
            for one in &seen {
                let one = site.core().experiment_by_id(&one.id).await.unwrap().unwrap();
                assert!(all_files(&site.core(), &one).await == data(&files()), "step {steps}");
            }
            let core = recover(&site).await;
            let found = core.experiment_by_label("DEMO", "S01_MR1").await.unwrap();
            assert!(outcome.is_err() || found.is_some(), "step {steps}: acknowledged, but not there");
            match &found {
                Some(found) => assert!(all_files(&core, found).await == data(&files()), "step {steps}"),
                None => {
                    settle(&site, &core).await;
                    assert_eq!(counts(&site), nothing, "step {steps}: something is left");
                }
            }
            send_in_the_end(&site, &core, &body, Rules::default(), 4).await;
            settle(&site, &core).await;
            let listed = core.list_experiments("DEMO").await.unwrap();
            assert_eq!(listed.len(), 1, "step {steps}");
            let present = core.experiment_by_id(&listed[0].id).await.unwrap().unwrap();
            assert!(all_files(&core, &present).await == data(&files()), "step {steps}");
            assert_eq!(counts(&site), usual, "step {steps}");
            if !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 15, "{steps}");
    });
}

fn changed() -> Files {
    let mut more = files();
    let five = "<xnat:scan ID=\"5\" xsi:type=\"xnat:mrScanData\"/>";
    for (name, text) in [
        ("session.xml", session_xml(five).as_str()),
        ("SCANS/4/DICOM/a.dcm", "changed"),
        ("SCANS/5/DICOM/e.dcm", "fifth"),
        ("RESOURCES/NOTES/n.txt", "changed as well"),
        ("RESOURCES/NOTES/o.txt", "other"),
        ("RESOURCES/MORE/p.txt", "more"),
    ] {
        more.insert(name.to_owned(), text.as_bytes().to_vec());
    }
    more
}

/// A site with the session in its archive, perhaps with another file beside the images of a scan; and what it holds.
async fn prepared(body: &[u8], is_edited: bool) -> (Site, Experiment) {
    let site = site().await;
    let made = send(&site.core(), body, Rules::default()).await.unwrap();
    if is_edited {
        let of = ShelfOf::Scan { experiment: made.id.clone(), scan: "4".to_owned() };
        put(&site.core(), &of, "DICOM", "extra.txt", b"extra").await.unwrap();
    }
    let made = site.core().experiment_by_id(&made.id).await.unwrap().unwrap();
    (site, made)
}

fn with_extra(mut files: Files, is_edited: bool) -> Files {
    if is_edited {
        files.insert("SCANS/4/DICOM/extra.txt".to_owned(), b"extra".to_vec());
    }
    data(&files)
}

#[test]
fn an_addition_that_dies_at_any_step_is_done_or_not() {
    block_on(async {
        let (first, second) = (zipped(&files()), zipped(&changed()));
        for is_edited in [false, true] {
            let (before, after) = (with_extra(files(), is_edited), with_extra(changed(), is_edited));
            let usual = {
                let (site, _) = prepared(&first, is_edited).await;
                send(&site.core(), &second, REPLACE).await.unwrap();
                settle(&site, &site.core()).await;
                counts(&site)
            };
            let mut steps = 0;
            loop {
                let (site, made) = prepared(&first, is_edited).await;
                let (doomed, mortal) = doomed(&site, steps);
                let outcome = send(&doomed, &second, REPLACE).await;
                let whole = async |core: &Core| -> bool {
                    let present = core.experiment_by_id(&made.id).await.unwrap().unwrap();
                    let is_done = present.manifest != made.manifest;
                    let wanted = if is_done { &after } else { &before };
                    assert!(all_files(core, &present).await == *wanted, "step {steps}: half done");
                    is_done
                };
                let is_done = whole(&site.core()).await;
                assert!(outcome.is_err() || is_done, "step {steps}: acknowledged, but not done");
                let core = recover(&site).await;
                assert_eq!(whole(&core).await, is_done, "step {steps}");
                send_in_the_end(&site, &core, &second, REPLACE, 4).await;
                settle(&site, &core).await;
                assert!(whole(&core).await, "step {steps}");
                assert_eq!(counts(&site), usual, "step {steps}");
                if !mortal.is_dead() {
                    break;
                }
                steps += 1;
            }
            assert!(steps > 15, "{steps}");
        }
    });
}
