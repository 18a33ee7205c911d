//! Refreshing catalogs of which something is gone or damaged.

use futures::executor::block_on;

use super::files::received;
use super::*;
use crate::domain::refresh::{RefreshOptions, RefreshTarget, Refreshed};
use crate::domain::shelf::{AddItemFiles, ShelfOf};
use crate::storage::Provider;
use crate::storage::keys;

async fn put(core: &Core, of: &ShelfOf, path: &str, bytes: &[u8]) {
    let file = received(core, path, bytes).await.unwrap();
    let add = AddItemFiles { resource: "NOTES".to_owned(), by: "admin".to_owned(), ..AddItemFiles::default() };
    core.add_item_files(of, &add, vec![file]).await.unwrap();
}

fn all() -> RefreshOptions {
    RefreshOptions { append: true, checksum: true, delete: true, populate_stats: true }
}

async fn refresh(core: &Core, of: &ShelfOf, options: RefreshOptions) -> Vec<Refreshed> {
    core.refresh(&RefreshTarget { of: of.clone(), resource: None }, options, "admin").await.unwrap()
}

/// The key of the only chunk of the pack in which a file lies.
async fn chunk_of(core: &Core, of: &ShelfOf, path: &str) -> String {
    let catalog = core.shelf_resources(of).await.unwrap()[0].resource.catalog.clone();
    let file = core.catalog_file(&catalog, path).await.unwrap().unwrap();
    keys::pack_chunk(file.file.pack, 0).as_str().to_owned()
}

#[test]
fn what_is_damaged_is_named_and_what_is_gone_is_removed_if_that_is_wanted() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let of = ShelfOf::Project("DEMO".to_owned());
        for path in ["fine", "damaged", "gone"] {
            put(&core, &of, path, path.as_bytes()).await;
        }
        let [first] =
            refresh(&core, &of, RefreshOptions { checksum: true, ..Default::default() }).await.try_into().unwrap();
        assert_eq!((first.digests_taken, first.damaged_count, first.missing_count), (3, 0, 0));
        let damaged = chunk_of(&core, &of, "damaged").await;
        site.blobs.set(&damaged, b"dAmaged".to_vec()).await.unwrap();
        let gone = chunk_of(&core, &of, "gone").await;
        site.blobs.delete(&gone).await.unwrap();
        // Nothing is read, so nothing is noticed.
        let [plain] = refresh(&core, &of, RefreshOptions::default()).await.try_into().unwrap();
        assert_eq!((plain.damaged_count, plain.missing_count, plain.files), (0, 0, 3));
        let [read] =
            refresh(&core, &of, RefreshOptions { checksum: true, ..Default::default() }).await.try_into().unwrap();
        assert_eq!(
            (read.damaged.as_slice(), read.missing.as_slice()),
            (&["damaged".to_owned()][..], &["gone".to_owned()][..])
        );
        assert_eq!((read.files, read.removed, read.digests_taken), (3, 0, 0));
        let [done] = refresh(&core, &of, all()).await.try_into().unwrap();
        assert_eq!((done.files, done.removed, done.damaged_count), (2, 1, 1));
        let [again] = refresh(&core, &of, all()).await.try_into().unwrap();
        assert_eq!((again.files, again.removed, again.missing_count), (2, 0, 0));
        let unknown = RefreshTarget { of, resource: Some("NOTHING".to_owned()) };
        assert!(matches!(core.refresh(&unknown, all(), "admin").await, Err(DomainError::NotFound { .. })));
    });
}

#[test]
fn a_session_is_refreshed_with_all_its_scans() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        let experiment = core.archive(&session, &archive_request()).await.unwrap();
        core.empty_trash_of(&session.id).await.unwrap();
        let own = ShelfOf::Experiment(experiment.id.clone());
        put(&core, &own, "a", b"x").await;
        let found = refresh(&core, &own, all()).await;
        let scans: Vec<_> = found.iter().map(|one| (one.scan.as_deref(), one.label.as_str(), one.files)).collect();
        assert_eq!(scans, [(Some("1"), "DICOM", 3), (Some("5"), "DICOM", 2), (None, "NOTES", 1)]);
        // The images are gone: their resources stay, and list nothing any more.
        for key in site.blobs.keys() {
            site.blobs.delete(&key).await.unwrap();
        }
        let one = ShelfOf::Scan { experiment: experiment.id.clone(), scan: "5".to_owned() };
        let [images] = refresh(&core, &one, all()).await.try_into().unwrap();
        assert_eq!((images.removed, images.files, images.bytes), (2, 0, 0));
        let found = refresh(&core, &own, all()).await;
        let counts: Vec<_> = found.iter().map(|one| (one.removed, one.files)).collect();
        assert_eq!(counts, [(3, 0), (0, 0), (1, 0)]);
    });
}
