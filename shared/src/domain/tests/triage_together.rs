//! Several folders that are approved together, what is said of single files, and what approving costs.

use futures::executor::block_on;

use super::crash::left;
use super::files::received;
use super::shelf::{archived, put};
use super::triage::{FILES, approve, approve_all, arrived, into, some, source, target, unpacked, upload, waiting};
use super::*;
use crate::domain::catalog::{CatalogCursor, FileNotes};
use crate::domain::resource::MAX_RESOURCES;
use crate::domain::shelf::ShelfOf;
use crate::domain::triage::{AUTOMATIC, Approve, Quarantine};
use crate::storage::counting::CountingStore;

fn project() -> ShelfOf {
    ShelfOf::Project("DEMO".to_owned())
}

fn approve_both(first: &str, second: &str, overwrite: bool) -> Approve {
    let sources = vec![source(first, None), source(second, None)];
    Approve { sources, overwrite, ..approve(first, None, &target(&project(), "R")) }
}

#[test]
fn folders_of_several_sources_come_to_a_destination_together_or_not_at_all() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let target = target(&project(), "R");
        for (label, files) in [
            ("X", &[("f.txt", &b"one"[..]), ("g.txt", b"two")][..]),
            ("Y", &[("f.txt", b"other"), ("h/i", b"three")]),
            ("Z", &[("h", b"a file")]),
            ("W", &[("old/new", b"w"), ("ok", b"w")]),
        ] {
            upload(&core, &into(label, &target), files).await.unwrap();
        }
        put(&core, &project(), "R", "old", b"old").await.unwrap();
        let before = (waiting(&core).await, arrived(&core, &project(), "R").await);
        for overwrite in [false, true] {
            let refused = core.approve(&approve_both("X", "Y", overwrite)).await.unwrap_err();
            let names = |text: &str| text.contains("f.txt") && !text.contains("g.txt") && !text.contains("h/i");
            assert!(matches!(&refused, DomainError::Conflict { reason } if names(reason)), "{refused}");
            // A file that is another source's folder, and one that is a folder of the destination.
            for (first, second) in [("Y", "Z"), ("X", "W"), ("W", "X")] {
                let refused = core.approve(&approve_both(first, second, overwrite)).await;
                assert!(matches!(refused, Err(DomainError::Invalid { .. })), "{first} {second}: {refused:?}");
            }
            assert_eq!((waiting(&core).await, arrived(&core, &project(), "R").await), before);
        }
        assert_eq!(left(&site, "triage-trash") + left(&site, "triage-heir"), 0);
        let rest = Approve {
            sources: vec![source("X", None), source("W", Some(&["ok"])), source("Y", Some(&["h/i"]))],
            ..approve_both("X", "Y", false)
        };
        assert_eq!(approve_all(&core, &rest).await.unwrap(), 4);
        let expected: [(&str, &[u8]); 5] =
            [("f.txt", b"one"), ("g.txt", b"two"), ("h/i", b"three"), ("ok", b"w"), ("old", b"old")];
        assert_eq!(arrived(&core, &project(), "R").await, some(&expected));
        let left: Vec<String> = waiting(&core).await.into_iter().map(|(label, _)| label).collect();
        assert_eq!(left, ["Y", "Z", "W"]);
    });
}

#[test]
fn what_several_destinations_would_refuse_is_refused_before_anything_is_done() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let experiment = archived(&core).await;
        for number in 0..MAX_RESOURCES - 1 {
            core.make_item_resource(&project(), &format!("N{number}"), &FileNotes::default()).await.unwrap();
        }
        let scan = ShelfOf::Scan { experiment: experiment.id.clone(), scan: "5".to_owned() };
        let images = images_of_scan(&core, &experiment.id).await;
        let (first, second) = (target(&project(), "NEW1"), target(&project(), "NEW2"));
        upload(&core, &into("X", &first), &FILES).await.unwrap();
        upload(&core, &into("Y", &second), &FILES).await.unwrap();
        let beside = target(&scan, "DICOM");
        let below = format!("{}/below", images[0]);
        upload(&core, &into("Z", &beside), &[(&images[0], b"z")]).await.unwrap();
        upload(&core, &into("W", &beside), &[(&below, b"w")]).await.unwrap();
        let one = approve("X", None, &first);
        for (other, is_conflict) in [
            (approve("Y", None, &second), false),
            (approve("Z", None, &beside), true),
            (approve("W", None, &beside), false),
        ] {
            core.check_approvals(std::slice::from_ref(&one)).await.unwrap();
            let refused = core.check_approvals(&[one.clone(), other.clone()]).await.unwrap_err();
            match is_conflict {
                true => assert!(matches!(refused, DomainError::Conflict { .. }), "{refused}"),
                false => assert!(matches!(refused, DomainError::Invalid { .. }), "{refused}"),
            }
        }
        // What the images have is refused without a change of how they are kept.
        assert!(core.approve(&approve("Z", None, &beside)).await.is_err());
        assert!(core.shelf_resources(&scan).await.unwrap().is_empty());
        assert_eq!(waiting(&core).await.len(), 4);
        approve_all(&core, &one).await.unwrap();
        assert!(core.approve(&approve("Y", None, &second)).await.is_err());
    });
}

async fn images_of_scan(core: &Core, experiment: &str) -> Vec<String> {
    let images = super::shelf::images(core, experiment).await;
    images.into_iter().filter(|(scan, ..)| scan == "5").map(|(_, name, _)| name).collect()
}

#[test]
fn what_is_wanted_is_kept_with_each_file() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let target = target(&project(), "R");
        for (name, overwrite, reason) in [("a", false, "first"), ("b", true, "second"), ("c", false, "")] {
            let cause = super::triage::cause(reason);
            upload(&core, &Quarantine { overwrite, cause, ..into("X", &target) }, &[(name, b"x")]).await.unwrap();
        }
        let zip = unpacked(&core, &[("d/1", b"1"), ("d/2", b"2")]).await;
        let cause = super::triage::cause("all");
        core.quarantine_files(&Quarantine { overwrite: true, cause, ..into("X", &target) }, zip).await.unwrap();
        let folder = core.triage_folder("DEMO", "X").await.unwrap().unwrap();
        let mut cursor = CatalogCursor::new(folder.catalog.clone());
        let files = core.next_files(&mut cursor).await.unwrap().unwrap();
        let wishes: Vec<_> =
            files.iter().map(|file| folder.wish_of(file)).map(|wish| (wish.overwrite, wish.reason)).collect();
        let own = |overwrite, reason: &str| (overwrite, reason.to_owned());
        assert_eq!(
            wishes,
            [own(false, "first"), own(true, "second"), own(false, ""), own(true, "all"), own(true, "all")]
        );
        // Wishes decide nothing: what the destination has is replaced if the reviewer says so.
        put(&core, &project(), "R", "b", b"old").await.unwrap();
        assert!(core.approve(&approve("X", None, &target)).await.is_err());
        approve_all(&core, &Approve { overwrite: true, ..approve("X", None, &target) }).await.unwrap();
        let resource = core.shelf_resources(&project()).await.unwrap().remove(0).resource;
        let mut cursor = CatalogCursor::new(resource.catalog);
        let files = core.next_files(&mut cursor).await.unwrap().unwrap();
        assert!(files.len() == 5 && files.iter().all(|file| file.wish.is_none()));
    });
}

#[test]
fn names_of_the_service_are_its_own() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let label = format!("{AUTOMATIC}0123456789abcdef");
        let wanted = into(&label, &target(&project(), "R"));
        let made = core.make_triage_folder("DEMO", &label, "carl", None).await;
        assert!(matches!(made, Err(DomainError::Invalid { .. })), "{made:?}");
        let refused = upload(&core, &wanted, &FILES).await;
        assert!(matches!(refused, Err(DomainError::Invalid { .. })), "{refused:?}");
        assert_eq!((left(&site, "triage"), site.blobs.keys().len()), (0, 0));
        upload(&core, &Quarantine { is_automatic: true, ..wanted.clone() }, &FILES[..1]).await.unwrap();
        // Whose it is goes on with it.
        upload(&core, &wanted, &FILES[1..]).await.unwrap();
        assert_eq!(waiting(&core).await, [(label, some(&FILES))]);
    });
}

/// What an approval of so many files asks of the store before it is answered, and what is written.
async fn cost(count: usize, is_zip: bool) -> (u64, u64) {
    let site = Site::new().with_project().await;
    let records = CountingStore::new(site.records.clone());
    let core = site.core_on(records.clone(), site.blobs.clone());
    let names: Vec<String> = (0..count).map(|number| format!("{number:04}.txt")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), name.as_bytes())).collect();
    let wanted = into("X", &target(&project(), "R"));
    let received = match is_zip {
        true => unpacked(&core, &files).await,
        false => {
            let mut all = Vec::new();
            for (name, bytes) in &files {
                all.push(received(&core, name, bytes).await.unwrap());
            }
            all
        }
    };
    core.quarantine_files(&wanted, received).await.unwrap();
    records.take();
    records.take_changes();
    let approved = core.approve(&approve("X", None, &wanted.target)).await.unwrap();
    assert_eq!(approved.files, count as u64);
    (records.take(), records.take_changes())
}

#[test]
fn a_thousand_files_are_approved_with_hardly_more_requests_than_one() {
    block_on(async {
        for is_zip in [false, true] {
            let (one, one_changes) = cost(1, is_zip).await;
            let (all, all_changes) = cost(1_000, is_zip).await;
            // A thousand files stand on four pages, or a few more, which are read and written as a whole; that they are
            // more than two is noted before.
            assert!(all_changes <= one_changes + 6, "{all_changes} changes, {one_changes} for one");
            assert!(all <= one + 16, "{all} requests, {one} for one");
        }
    });
}
