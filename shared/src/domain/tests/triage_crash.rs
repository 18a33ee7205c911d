//! Work on the quarantine whose workers die at every step.

use futures::executor::block_on;

use super::crash::{doomed, left, recover};
use super::shelf::put;
use super::triage::{Files, approve, arrived, files_of, into, some, source, target, unpacked, upload, waiting};
use super::*;
use crate::domain::history::Cause;
use crate::domain::shelf::ShelfOf;
use crate::domain::triage::{Approve, Quarantine, Source};

const FILES: [(&str, &[u8]); 3] = [("a", b"one"), ("b", b"two"), ("c", b"three")];

fn project() -> ShelfOf {
    ShelfOf::Project("DEMO".to_owned())
}

/// A folder with files in packs of their own, or in one, for a resource that has one of them in another form.
async fn prepared(is_zip: bool) -> Site {
    let site = Site::new().with_project().await;
    let core = site.core();
    put(&core, &project(), "R", "a", b"old").await.unwrap();
    let wanted = into("X", &target(&project(), "R"));
    match is_zip {
        true => {
            let files = unpacked(&core, &FILES).await;
            core.quarantine_files(&wanted, files).await.map(drop).unwrap();
        }
        false => upload(&core, &wanted, &FILES).await.map(drop).unwrap(),
    }
    site
}

async fn state(core: &Core) -> (Files, Files) {
    let waiting = waiting(core).await.into_iter().flat_map(|(_, files)| files).collect();
    (waiting, arrived(core, &project(), "R").await)
}

fn counts(site: &Site) -> Vec<(&'static str, usize)> {
    const KINDS: [&str; 8] =
        ["triage", "triage-trash", "triage-heir", "catalog", "catalog-page", "pack", "pack-released", "pack-digests"];
    let mut counts: Vec<_> = KINDS.iter().map(|kind| (*kind, left(site, kind))).collect();
    counts.push(("chunks", site.blobs.keys().len()));
    counts
}

/// Lets all time pass that anything may wait for. What a change of a resource left behind goes with the next one.
async fn settle(site: &Site, core: &Core) {
    if !arrived(core, &project(), "R").await.is_empty() {
        put(core, &project(), "R", "next", b"x").await.unwrap();
        core.remove_item_file(&project(), "R", "next").await.unwrap();
    }
    for _ in 0..3 {
        site.clock.advance(4_000_000);
        core.sweep().await.unwrap();
    }
}

async fn approve_whole(core: &Core, wanted: &Approve) -> Result<(), DomainError> {
    let approved = core.approve(wanted).await?;
    for folder in &approved.gone {
        core.empty_triage_of(folder).await?;
    }
    Ok(())
}

/// Approves as a client does that tries again while something is busy.
async fn approve_in_the_end(site: &Site, core: &Core, wanted: &Approve, what: &str) {
    for _ in 0..4 {
        match approve_whole(core, wanted).await {
            Ok(()) => return,
            Err(DomainError::Busy { .. }) => site.clock.advance(2_000),
            Err(error) => panic!("{what}: {error}"),
        }
    }
    panic!("{what}: the quarantine stays busy");
}

#[test]
fn an_approval_that_dies_at_any_step_is_done_or_not() {
    block_on(async {
        for (is_zip, paths) in
            [(false, None), (true, None), (false, Some(&["a", "b"][..])), (true, Some(&["a", "b"][..]))]
        {
            let wanted = Approve { overwrite: true, ..approve("X", paths, &target(&project(), "R")) };
            let site = prepared(is_zip).await;
            let core = site.core();
            let before = state(&core).await;
            approve_whole(&core, &wanted).await.unwrap();
            let after = state(&core).await;
            settle(&site, &core).await;
            let usual = counts(&site);
            match paths {
                None => assert_eq!(after, (Files::new(), some(&FILES))),
                Some(_) => assert_eq!(after, (some(&FILES[2..]), some(&FILES[..2]))),
            }
            let mut steps = 0;
            loop {
                let site = prepared(is_zip).await;
                let (doomed, mortal) = doomed(&site, steps);
                let outcome = approve_whole(&doomed, &wanted).await;
                let what = format!("zip {is_zip}, {paths:?}, step {steps}");
                // Also before anybody has cleared up behind the dead.
                let seen = state(&site.core()).await;
                assert!(seen == before || seen == after, "{what}: {seen:?}");
                let core = recover(&site).await;
                let seen_later = state(&core).await;
                assert_eq!(seen, seen_later, "{what}");
                assert!(outcome.is_err() || seen == after, "{what}: acknowledged, but not approved");
                if seen == before {
                    if steps % 2 == 0 {
                        settle(&site, &core).await;
                        assert_eq!(state(&core).await, before, "{what}");
                    }
                    approve_in_the_end(&site, &core, &wanted, &what).await;
                }
                settle(&site, &core).await;
                assert_eq!(state(&core).await, after, "{what}");
                assert_eq!(counts(&site), usual, "{what}");
                if outcome.is_ok() && !mortal.is_dead() {
                    break;
                }
                steps += 1;
            }
            assert!(steps > 20, "an approval has more steps than {steps}");
        }
    });
}

#[test]
fn an_approval_of_several_folders_that_dies_at_any_step_is_done_or_not() {
    const MORE: [(&str, &[u8]); 2] = [("n/d", b"four"), ("n/e", b"five")];
    /// Three folders, of which two go whole, in the quarantines of two projects.
    async fn prepared_for_all() -> Site {
        let site = prepared(true).await.with("OTHER").await;
        let core = site.core();
        upload(&core, &into("Y", &target(&project(), "R")), &MORE).await.unwrap();
        let other = Quarantine { project: "OTHER".to_owned(), ..into("X", &target(&project(), "R")) };
        upload(&core, &other, &[("o", b"six"), ("p", b"seven")]).await.unwrap();
        site
    }
    async fn state_of_all(core: &Core) -> (Files, Files) {
        let (mut waiting, arrived) = state(core).await;
        for folder in core.list_triage("OTHER", None).await.unwrap() {
            waiting.extend(files_of(core, &folder).await);
        }
        (waiting, arrived)
    }
    block_on(async {
        let other = Source { project: "OTHER".to_owned(), ..source("X", Some(&["o"])) };
        let sources = vec![source("Y", None), other, source("X", None)];
        let wanted = Approve { sources, overwrite: true, ..approve("X", None, &target(&project(), "R")) };
        let site = prepared_for_all().await;
        let core = site.core();
        let before = state_of_all(&core).await;
        approve_whole(&core, &wanted).await.unwrap();
        let after = state_of_all(&core).await;
        let all: Vec<_> = FILES.iter().chain(&MORE).copied().chain([("o", &b"six"[..])]).collect();
        assert_eq!(after, (some(&[("p", b"seven")]), some(&all)));
        settle(&site, &core).await;
        let usual = counts(&site);
        let mut steps = 0;
        loop {
            let site = prepared_for_all().await;
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = approve_whole(&doomed, &wanted).await;
            let what = format!("step {steps}");
            let seen = state_of_all(&site.core()).await;
            assert!(seen == before || seen == after, "{what}: {seen:?}");
            let core = recover(&site).await;
            assert_eq!(seen, state_of_all(&core).await, "{what}");
            assert!(outcome.is_err() || seen == after, "{what}: acknowledged, but not approved");
            if seen == before {
                approve_in_the_end(&site, &core, &wanted, &what).await;
            }
            settle(&site, &core).await;
            assert_eq!(state_of_all(&core).await, after, "{what}");
            assert_eq!(counts(&site), usual, "{what}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 40, "an approval of three folders has more steps than {steps}");
    });
}

#[test]
fn what_a_dead_approval_left_goes_with_the_folder_and_the_resource() {
    block_on(async {
        for (is_zip, paths) in [(false, None), (true, None), (true, Some(&["a", "b"][..]))] {
            for steps in 0..60 {
                let site = prepared(is_zip).await;
                let (doomed, _) = doomed(&site, steps);
                let wanted = Approve { overwrite: true, ..approve("X", paths, &target(&project(), "R")) };
                let _ = approve_whole(&doomed, &wanted).await;
                let core = recover(&site).await;
                if core.triage_folder("DEMO", "X").await.unwrap().is_some() {
                    let gone = core.remove_triage_folder("DEMO", "X", "olga", &Cause::default()).await.unwrap();
                    core.empty_triage_of(&gone).await.unwrap();
                }
                core.remove_item_resource(&project(), "R").await.unwrap();
                core.tidy_shelf(&project()).await.unwrap();
                settle(&site, &core).await;
                let left: Vec<_> =
                    counts(&site).into_iter().filter(|(kind, count)| *count > 0 && *kind != "triage-heir").collect();
                assert!(left.is_empty(), "zip {is_zip}, {paths:?}, step {steps}: {left:?}");
            }
        }
    });
}

#[test]
fn an_upload_and_a_refusal_that_die_at_any_step_are_done_or_not() {
    block_on(async {
        for is_removal in [false, true] {
            let mut steps = 0;
            loop {
                let site = if is_removal { prepared(false).await } else { Site::new().with_project().await };
                let (doomed, mortal) = doomed(&site, steps);
                let outcome = match is_removal {
                    true => match doomed.remove_triage_folder("DEMO", "X", "olga", &Cause::default()).await {
                        Ok(folder) => doomed.empty_triage_of(&folder).await.map_err(DomainError::from),
                        Err(error) => Err(error),
                    },
                    false => upload(&doomed, &into("X", &target(&project(), "R")), &FILES[..1]).await.map(drop),
                };
                let core = recover(&site).await;
                settle(&site, &core).await;
                let seen = waiting(&core).await;
                let all = some(if is_removal { &FILES } else { &FILES[..1] });
                let (there, gone) = (seen == [("X".to_owned(), all)], seen.is_empty());
                assert!(there || gone, "step {steps}: {seen:?}");
                assert!(outcome.is_err() || there != is_removal, "step {steps}");
                if gone {
                    assert_eq!(left(&site, "triage") + left(&site, "triage-trash"), 0, "step {steps}");
                    let others = usize::from(is_removal);
                    assert_eq!((left(&site, "pack"), site.blobs.keys().len()), (others, others), "step {steps}");
                    upload(&core, &into("X", &target(&project(), "S")), &FILES).await.unwrap();
                }
                if outcome.is_ok() && !mortal.is_dead() {
                    break;
                }
                steps += 1;
            }
            assert!(steps > 10);
        }
    });
}
