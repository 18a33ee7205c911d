//! Importers of XARs with assessors who die at every step.

use futures::executor::block_on;

use super::crash::{doomed, left, recover};
use super::xar::{REPLACE, send, site, zipped};
use super::xar_assessors::{assessed_files, one, pass_time, seen};
use super::xar_crash::send_in_the_end;
use super::*;
use crate::domain::archive::Rules;
use crate::domain::history::ItemKind;
use crate::domain::webhooks::{NewWebhook, Scope};

const KINDS: [&str; 9] = [
    "manifest",
    "manifest-files",
    "catalog",
    "catalog-page",
    "content",
    "pack",
    "experiment",
    "experiment-label",
    "experiment-trash",
];

fn counts(site: &Site) -> Vec<usize> {
    KINDS.iter().map(|kind| left(site, kind)).chain([site.blobs.keys().len()]).collect()
}

#[test]
fn an_importer_who_dies_at_any_step_leaves_all_or_nothing_and_all_is_told() {
    block_on(async {
        let (first, second) = (assessed_files(&["QC1"], "1"), assessed_files(&["QC1", "QC2"], "0"));
        let mut second = second;
        second.insert("ASSESSORS/QC1/OUT/sub/o.txt".to_owned(), b"changed".to_vec());
        let (first, second) = (zipped(&first), zipped(&second));
        let before = [one("QC1", "1", &[("OUT/sub/o.txt", "out of QC1")])];
        let after =
            [one("QC1", "0", &[("OUT/sub/o.txt", "changed")]), one("QC2", "0", &[("OUT/sub/o.txt", "out of QC2")])];
        for is_addition in [false, true] {
            let usual = {
                let site = site().await;
                let core = site.core();
                send(&core, &first, Rules::default()).await.unwrap();
                if is_addition {
                    send(&core, &second, REPLACE).await.unwrap();
                }
                pass_time(&site, &core).await;
                counts(&site)
            };
            let (body, rules) = if is_addition { (&second, REPLACE) } else { (&first, Rules::default()) };
            let mut steps = 0;
            loop {
                let site = site().await;
                let hook = NewWebhook { url: "http://127.0.0.1:9/hook".to_owned(), ..NewWebhook::default() };
                site.core().add_webhook(&Scope::Site, hook).await.unwrap();
                if is_addition {
                    send(&site.core(), &first, Rules::default()).await.unwrap();
                    pass_time(&site, &site.core()).await;
                }
                let messages = left(&site, "delivery");
                let (doomed, mortal) = doomed(&site, steps);
                let outcome = send(&doomed, body, rules).await;
                let core = site.core();
                let state = async || {
                    let session = core.experiment_by_label("DEMO", "S01_MR1").await.unwrap()?;
                    Some((seen(&core, &session.id).await, session))
                };
                let found = state().await;
                let is_done = match (&found, is_addition) {
                    (None, false) => false,
                    (Some((found, _)), false) => {
                        assert_eq!(*found, before, "step {steps}");
                        true
                    }
                    (Some((found, _)), true) => {
                        assert!(*found == before || *found == after, "step {steps}: half done: {found:?}");
                        *found == after
                    }
                    (None, true) => panic!("step {steps}: it is gone"),
                };
                assert!(outcome.is_err() || is_done, "step {steps}: acknowledged, but not done");
                let core = recover(&site).await;
                pass_time(&site, &core).await;
                assert_eq!(state().await.map(|(seen, _)| seen), found.map(|(seen, _)| seen), "step {steps}");
                if is_done {
                    // What was done is told, also by whoever comes after the dead.
                    let (_, session) = state().await.unwrap();
                    let action = if is_addition { "Merged" } else { "Transfer" };
                    let told = core.history(ItemKind::Experiment, &session.id, 0, 10).await.unwrap();
                    assert!(told.iter().any(|event| event.action == action), "step {steps}: {told:?}");
                    for assessor in core.assessors_of(&session).await.unwrap() {
                        let told = core.history(ItemKind::Experiment, &assessor.id, 0, 10).await.unwrap();
                        assert!(!told.is_empty(), "step {steps}: {}", assessor.label);
                    }
                    assert_eq!(left(&site, "delivery"), messages + 1, "step {steps}");
                } else {
                    assert_eq!(left(&site, "delivery"), messages, "step {steps}");
                }
                send_in_the_end(&site, &core, body, rules, 6).await;
                pass_time(&site, &core).await;
                let (found, _) = state().await.unwrap();
                assert_eq!(found, if is_addition { after.to_vec() } else { before.to_vec() }, "step {steps}");
                assert_eq!(core.list_experiments("DEMO").await.unwrap().len(), 1 + found.len(), "step {steps}");
                assert_eq!(counts(&site), usual, "step {steps}: {KINDS:?}");
                if !mortal.is_dead() {
                    break;
                }
                steps += 1;
            }
            assert!(steps > 25, "{steps}");
        }
    });
}
