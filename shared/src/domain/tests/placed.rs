//! Files that were put by hand, and taking them up, with workers that die at every step.

use futures::executor::block_on;

use super::crash::{doomed, left, recover};
use super::files::received;
use super::shelf::{archived, images, on_shelf, put};
use super::*;
use crate::domain::refresh::{RefreshOptions, RefreshTarget, Refreshed};
use crate::domain::shelf::ShelfOf;
use crate::domain::shelf::placed::{ArchiveFolder, PlacedFile};
use crate::storage::keys;

type Files = Vec<(String, String, Vec<u8>)>;

async fn place(core: &Core, of: &ShelfOf, label: &str, files: &[(&str, &str)]) -> Result<(), DomainError> {
    let mut placed = Vec::new();
    for (path, bytes) in files {
        let received = received(core, path, bytes.as_bytes()).await;
        let received = received.map_err(|error| DomainError::Invalid { what: error.to_string() })?;
        placed.push(PlacedFile { received, sop_instance_uid: String::new(), instance_number: None });
    }
    core.place_files(of, label, "hand", placed).await
}

async fn waiting(core: &Core, of: &ShelfOf) -> Vec<(String, u64)> {
    let mut files = Vec::new();
    for placed in core.placed_on(of).await.unwrap() {
        files.extend(core.placed_files(&placed).await.unwrap());
    }
    files
}

async fn append(core: &Core, of: &ShelfOf) -> Result<Vec<Refreshed>, DomainError> {
    let options = RefreshOptions { append: true, ..RefreshOptions::default() };
    core.refresh(&RefreshTarget { of: of.clone(), resource: None }, options, "reviewer").await
}

fn project() -> ShelfOf {
    ShelfOf::Project("DEMO".to_owned())
}

fn listed(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(path, bytes)| ("R".to_owned(), (*path).to_owned(), bytes.as_bytes().to_vec())).collect()
}

/// A project with a resource of one file.
async fn prepared() -> Site {
    let site = Site::new().with_project().await;
    put(&site.core(), &project(), "R", "a", b"old").await.unwrap();
    site
}

/// Lets all time pass that anything may wait for. What a change of a resource left behind goes with the next one.
async fn settle(site: &Site, core: &Core) {
    put(core, &project(), "R", "next", b"x").await.unwrap();
    core.remove_item_file(&project(), "R", "next").await.unwrap();
    for _ in 0..3 {
        site.clock.advance(4_000_000);
        core.sweep().await.unwrap();
    }
}

#[test]
fn files_put_by_hand_wait_until_they_are_taken_up_where_they_are() {
    block_on(async {
        let site = prepared().await;
        let core = site.core();
        let of = project();
        place(&core, &of, "R", &[("b/c", "two"), ("a", "mine"), ("d", "four")]).await.unwrap();
        place(&core, &of, "R", &[("d", "five")]).await.unwrap();
        assert_eq!(on_shelf(&core, &of).await, listed(&[("a", "old")]));
        let wait =
            |files: &[(&str, u64)]| files.iter().map(|(name, len)| ((*name).to_owned(), *len)).collect::<Vec<_>>();
        assert_eq!(waiting(&core, &of).await, wait(&[("a", 4), ("b/c", 3), ("d", 4)]));
        // A refresh that does not say so takes nothing up, and the sweep leaves what waits.
        let target = RefreshTarget { of: of.clone(), resource: None };
        let options = RefreshOptions { checksum: true, delete: true, populate_stats: true, append: false };
        core.refresh(&target, options, "reviewer").await.unwrap();
        settle(&site, &core).await;
        let (chunks, packs) = (site.blobs.keys(), left(&site, "pack"));
        let [row] = append(&core, &of).await.unwrap().try_into().unwrap();
        assert_eq!((row.appended, row.not_appended, row.files, row.bytes), (2, vec!["a".to_owned()], 3, 10));
        assert_eq!(on_shelf(&core, &of).await, listed(&[("a", "old"), ("b/c", "two"), ("d", "five")]));
        assert_eq!((site.blobs.keys(), left(&site, "pack")), (chunks, packs), "no bytes are moved");
        let catalog = core.shelf_resources(&of).await.unwrap()[0].resource.catalog.clone();
        let entry = core.catalog_file(&catalog, "d").await.unwrap().unwrap();
        assert_eq!((entry.by.as_str(), entry.at_ms), ("reviewer", site.clock.now_ms()));
        // What the resource had already waits still, and can be removed.
        assert_eq!(waiting(&core, &of).await, wait(&[("a", 4)]));
        let [again] = append(&core, &of).await.unwrap().try_into().unwrap();
        assert_eq!((again.appended, again.not_appended_count), (0, 1));
        assert_eq!(core.remove_placed(&of, "R", |name| name == "x").await.unwrap(), 0);
        assert_eq!(core.remove_placed(&of, "R", |name| name == "a").await.unwrap(), 1);
        assert!(core.placed_on(&of).await.unwrap().is_empty());
        assert_eq!((left(&site, "pack"), left(&site, "catalog")), (3, 1));
    });
}

#[test]
fn paths_that_would_be_file_and_folder_are_left_and_others_taken() {
    block_on(async {
        let site = prepared().await;
        let core = site.core();
        place(&core, &project(), "R", &[("a/below", "x"), ("z", "y")]).await.unwrap();
        let [row] = append(&core, &project()).await.unwrap().try_into().unwrap();
        assert_eq!((row.appended, row.not_appended), (1, vec!["a/below".to_owned()]));
        assert!(place(&core, &project(), "R", &[("a", "x")]).await.is_err(), "it is a folder of what waits");
    });
}

#[test]
fn only_resources_that_are_there_take_files() {
    block_on(async {
        let site = prepared().await;
        let core = site.core();
        let refused = place(&core, &project(), "OTHER", &[("x", "y")]).await;
        assert!(matches!(refused, Err(DomainError::NotFound { .. })));
        let refused = place(&core, &project(), "R", &[("x", "y"), ("R_catalog.xml", "<x/>")]).await;
        assert!(matches!(refused, Err(DomainError::Invalid { .. })));
        assert_eq!(site.blobs.keys().len(), 1);
        // What waits goes with the resource.
        place(&core, &project(), "R", &[("x", "y")]).await.unwrap();
        core.remove_item_resource(&project(), "R").await.unwrap();
        core.tidy_shelf(&project()).await.unwrap();
        assert_eq!((site.blobs.keys().len(), left(&site, "catalog")), (0, 0));
    });
}

#[test]
fn a_session_takes_up_what_waits_beside_its_images_scans_and_itself() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let experiment = archived(&core).await;
        let before = images(&core, &experiment.id).await;
        let own = ShelfOf::Experiment(experiment.id.clone());
        put(&core, &own, "R", "a", b"old").await.unwrap();
        let folder =
            |text: &str| ArchiveFolder::parse(&format!("archive/DEMO/arc001/{}/{text}", experiment.label)).unwrap();
        let found = core.resource_of_folder(&folder("SCANS/5/DICOM")).await.unwrap();
        assert!(found.has_images);
        place(&core, &found.of, &found.label, &[("new.dcm", "image")]).await.unwrap();
        let found = core.resource_of_folder(&folder("RESOURCES/R")).await.unwrap();
        assert_eq!((&found.of, found.has_images), (&own, false));
        place(&core, &own, "R", &[("b", "new")]).await.unwrap();
        let items = core.items_below(&ArchiveFolder::parse("archive/DEMO").unwrap()).await.unwrap();
        let mut paths = Vec::new();
        for (path, of) in items {
            let files = waiting(&core, &of).await;
            paths.extend(files.into_iter().map(|(name, _)| format!("{path}: {name}")));
        }
        let start = format!("archive/DEMO/arc001/{}", experiment.label);
        assert_eq!(paths, [format!("{start}/RESOURCES: b"), format!("{start}/SCANS/5: new.dcm")]);
        for missing in ["SCANS/9/DICOM", "SCANS/5/OTHER", "RESOURCES/DICOM", "ASSESSORS/A/R"] {
            let found = core.resource_of_folder(&folder(missing)).await;
            assert!(matches!(found, Err(DomainError::NotFound { .. })), "{missing}");
        }
        assert_eq!(images(&core, &experiment.id).await, before, "nothing is listed before");
        let rows = append(&core, &own).await.unwrap();
        let counts: Vec<_> = rows.iter().map(|row| (row.scan.as_deref(), row.appended, row.files)).collect();
        assert_eq!(counts, [(Some("1"), 0, 3), (Some("5"), 1, 3), (None, 1, 2)]);
        let mut after = before;
        after.push(("5".to_owned(), "new.dcm".to_owned(), b"image".to_vec()));
        after.sort();
        assert_eq!(images(&core, &experiment.id).await, after);
        assert_eq!(on_shelf(&core, &own).await, listed(&[("a", "old"), ("b", "new")]));
        // One resource by its number.
        place(&core, &own, "R", &[("c", "x")]).await.unwrap();
        let number = core.shelf_resources(&own).await.unwrap()[0].resource.number.to_string();
        let options = RefreshOptions { append: true, ..RefreshOptions::default() };
        let target = RefreshTarget { of: own.clone(), resource: Some(number) };
        assert_eq!(core.refresh(&target, options, "reviewer").await.unwrap()[0].appended, 1);
        // What waits goes with the item.
        place(&core, &own, "R", &[("waits", "x")]).await.unwrap();
        place(&core, &found_scan(&experiment.id), "DICOM", &[("waits", "x")]).await.unwrap();
        core.delete_experiment(&experiment.id).await.unwrap();
        for _ in 0..2 {
            site.clock.advance(4_000_000);
            core.sweep().await.unwrap();
        }
        assert!(site.blobs.keys().is_empty(), "{:?}", site.blobs.keys());
        assert_eq!((left(&site, "pack"), left(&site, "catalog"), left(&site, "catalog-page")), (0, 0, 0));
    });
}

fn found_scan(experiment: &str) -> ShelfOf {
    ShelfOf::Scan { experiment: experiment.to_owned(), scan: "5".to_owned() }
}

#[test]
fn a_command_that_dies_at_any_step_has_put_all_or_nothing() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = prepared().await;
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = place(&doomed, &project(), "R", &[("b", "two"), ("c", "three")]).await;
            let core = recover(&site).await;
            let names: Vec<_> = waiting(&core, &project()).await.into_iter().map(|(name, _)| name).collect();
            match outcome.is_ok() {
                true => assert_eq!(names, ["b", "c"], "step {steps}"),
                false => assert!(names.is_empty() || names == ["b", "c"], "step {steps}: {names:?}"),
            }
            place(&core, &project(), "R", &[("b", "two"), ("c", "three")]).await.unwrap();
            append(&core, &project()).await.unwrap();
            settle(&site, &core).await;
            let all = listed(&[("a", "old"), ("b", "two"), ("c", "three")]);
            assert_eq!(on_shelf(&core, &project()).await, all, "step {steps}");
            let counts = (left(&site, "pack"), site.blobs.keys().len(), left(&site, "catalog"));
            assert_eq!(counts, (3, 3, 1), "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 8, "there are more steps than {steps}");
    });
}

#[test]
fn a_refresh_that_dies_at_any_step_is_done_again_and_loses_nothing() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = prepared().await;
            place(&site.core(), &project(), "R", &[("a", "mine"), ("b", "two"), ("c", "three")]).await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = append(&doomed, &project()).await;
            let core = recover(&site).await;
            let (before, all) = (listed(&[("a", "old")]), listed(&[("a", "old"), ("b", "two"), ("c", "three")]));
            let seen = on_shelf(&core, &project()).await;
            assert!(seen == all || seen == before && outcome.is_err(), "step {steps}: {seen:?}");
            match steps % 3 {
                // Whoever comes first puts another in the place of one that waits, or was taken up;
                0 => place(&core, &project(), "R", &[("b", "again")]).await.unwrap(),
                // or removes one, which the refresh may have taken up;
                1 => drop(core.remove_item_file(&project(), "R", "b").await),
                // or asks again.
                _ => {}
            }
            append(&core, &project()).await.unwrap();
            settle(&site, &core).await;
            let seen = on_shelf(&core, &project()).await;
            match steps % 3 {
                0 => assert!(seen == all || seen == listed(&[("a", "old"), ("b", "again"), ("c", "three")])),
                1 => assert!(seen == all || seen == listed(&[("a", "old"), ("c", "three")]), "step {steps}: {seen:?}"),
                _ => assert_eq!(seen, all, "step {steps}"),
            }
            // `a` waits in any case, since the resource has one.
            let waiting = waiting(&core, &project()).await.len();
            let packs = seen.len() + waiting;
            assert_eq!((left(&site, "pack"), site.blobs.keys().len()), (packs, packs), "step {steps}");
            core.remove_placed(&project(), "R", |_| true).await.unwrap();
            assert_eq!((left(&site, "pack"), left(&site, "catalog")), (seen.len(), 1), "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 8, "there are more steps than {steps}");
    });
}

async fn set_status(core: &Core, id: &str, status: &str) {
    let mut experiment = core.experiment_by_id(id).await.unwrap().unwrap();
    experiment.status = status.to_owned();
    core.records.set(&keys::experiment(id), &experiment).await.unwrap();
}

#[test]
fn what_waits_is_not_taken_up_while_the_session_is_locked() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let experiment = archived(&core).await;
        let own = ShelfOf::Experiment(experiment.id.clone());
        put(&core, &own, "R", "a", b"old").await.unwrap();
        place(&core, &own, "R", &[("b", "new")]).await.unwrap();
        set_status(&core, &experiment.id, "locked").await;
        assert!(matches!(append(&core, &own).await, Err(DomainError::Refused { .. })));
        let refused = place(&core, &own, "R", &[("c", "new")]).await;
        assert!(matches!(refused, Err(DomainError::Refused { .. })));
        set_status(&core, &experiment.id, "active").await;
        assert_eq!(append(&core, &own).await.unwrap().last().unwrap().appended, 1);
    });
}
