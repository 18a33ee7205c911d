//! Archives whose content is stored in their stead.

use std::io::Write;

use futures::executor::block_on;
use narthex_generator::{Packing, zip_files};

use super::crash::{doomed, left, recover};
use super::files::received;
use super::shelf::{on_shelf, put, to};
use super::*;
use crate::domain::shelf::{AddItemFiles, ShelfOf};

pub(super) async fn put_unpacked(
    core: &Core,
    of: &ShelfOf,
    resource: &str,
    path: &str,
    bytes: &[u8],
    overwrite: bool,
) -> Result<Vec<String>, DomainError> {
    let invalid = |error: String| DomainError::Invalid { what: error };
    let file = received(core, path, bytes).await.map_err(|error| invalid(error.to_string()))?;
    let files = core.unpack_files(vec![file]).await.map_err(|error| invalid(error.to_string()))?;
    core.add_item_files(of, &AddItemFiles { overwrite, ..to(resource) }, files).await
}

pub(super) fn zip(names: &[&str]) -> Vec<u8> {
    zip_files(names.iter().map(|name| ((*name).to_owned(), name.as_bytes().repeat(3))), Packing::Deflated)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(names: &[&str]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for name in names {
        let data = name.as_bytes().repeat(3);
        let mut header = tar::Header::new_ustar();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append_data(&mut header.clone(), name, data.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn archives_are_unpacked_without_a_copy_and_given_back_with_their_last_file() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let of = ShelfOf::Project("DEMO".to_owned());
        let names = ["a.txt", "d/b.txt", "d/e/c.txt"];
        for body in [zip(&names), tar(&names), gzip(&tar(&names))] {
            assert!(put_unpacked(&core, &of, "R", "x/upload", &body, false).await.unwrap().is_empty());
            let found = on_shelf(&core, &of).await;
            let expected: Vec<_> =
                names.iter().map(|name| ("R".to_owned(), format!("x/{name}"), name.as_bytes().repeat(3))).collect();
            assert_eq!(found, expected);
            assert_eq!((left(&site, "pack"), site.blobs.keys().len()), (1, 1), "one pack for all");
            for name in names {
                core.remove_item_file(&of, "R", &format!("x/{name}")).await.unwrap();
            }
            assert_eq!((left(&site, "pack"), site.blobs.keys().len()), (0, 0), "the last file takes the pack along");
        }
        // One file that is compressed is that file.
        put_unpacked(&core, &of, "R", "brain.nii.gz", &gzip(b"voxels"), false).await.unwrap();
        put_unpacked(&core, &of, "R", "plain.txt", b"no archive", false).await.unwrap();
        let names: Vec<_> = on_shelf(&core, &of).await.into_iter().map(|(_, name, _)| name).collect();
        assert_eq!(names, ["brain.nii", "plain.txt"]);
        // What is there stays, or gives way, as is said.
        let there = put_unpacked(&core, &of, "R", "z", &zip(&["plain.txt", "new.txt"]), false).await.unwrap();
        assert_eq!(there, ["plain.txt"]);
        assert_eq!(left(&site, "pack"), 3);
        assert!(put_unpacked(&core, &of, "R", "z", &zip(&["plain.txt", "new.txt"]), true).await.unwrap().is_empty());
        assert_eq!(on_shelf(&core, &of).await.len(), 3);
        assert_eq!(left(&site, "pack"), 2, "what was replaced is given back");
        core.remove_item_resource(&of, "R").await.unwrap();
        core.tidy_shelf(&of).await.unwrap();
        assert_eq!((left(&site, "pack"), site.blobs.keys().len()), (0, 0));
    });
}

#[test]
fn an_archive_that_is_refused_leaves_nothing() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let of = ShelfOf::Project("DEMO".to_owned());
        put(&core, &of, "R", "d/b.txt", b"kept").await.unwrap();
        let (records, blobs) = (site.records.keys(), site.blobs.keys());
        let mut broken = zip(&["a.txt"]);
        broken.truncate(broken.len() - 5);
        let mut cut_off = gzip(&tar(&["a.txt"]));
        cut_off.truncate(cut_off.len() - 3);
        // The last have a file where there is a folder, and the other way.
        for body in [broken, cut_off, gzip(b""), zip(&["d"]), zip(&["d/b.txt/c", "x"])] {
            let refused = put_unpacked(&core, &of, "R", "u", &body, true).await;
            assert!(matches!(refused, Err(DomainError::Invalid { .. })), "{refused:?}");
        }
        assert_eq!(site.blobs.keys(), blobs);
        let fresh: Vec<_> = site.records.keys().into_iter().filter(|key| !records.contains(key)).collect();
        assert!(fresh.iter().all(|key| key.starts_with("lease")), "{fresh:?}");
        assert_eq!(on_shelf(&core, &of).await.len(), 1);
    });
}

#[test]
fn whoever_dies_while_an_archive_is_taken_over_leaves_all_of_it_or_nothing() {
    block_on(async {
        let names: Vec<String> = (0..600).map(|number| format!("{number:04}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let body = zip(&names);
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await;
            let of = ShelfOf::Project("DEMO".to_owned());
            put(&site.core(), &of, "R", "0005", b"old").await.unwrap();
            put(&site.core(), &of, "R", "x", b"other").await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = put_unpacked(&doomed, &of, "R", "u", &body, true).await;
            let core = recover(&site).await;
            site.clock.advance(4_000_000);
            core.sweep().await.unwrap();
            let files = on_shelf(&core, &of).await;
            assert!(files.len() == 601 || (outcome.is_err() && files.len() == 2), "step {steps}: {}", files.len());
            if files.len() == 2 {
                assert_eq!(left(&site, "pack"), 2, "step {steps}");
                assert_eq!(site.blobs.keys().len(), 2, "step {steps}");
            }
            core.remove_item_resource(&of, "R").await.unwrap();
            core.tidy_shelf(&of).await.unwrap();
            for kind in ["catalog", "catalog-page", "pack"] {
                assert_eq!(left(&site, kind), 0, "step {steps}: {kind}");
            }
            assert!(site.blobs.keys().is_empty(), "step {steps}");
            if !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 8, "{steps}");
    });
}
