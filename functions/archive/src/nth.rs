//! One file by its place in the list of all that are asked for.

use narthex::domain::catalog::{CatalogCursor, CatalogFile};
use narthex::domain::file_filter::{FileFilter, PathFilter};
use narthex::domain::manifest::{FileEntry, Manifest, Resource};
use narthex::domain::resource::CountedResource;
use narthex::http::ClientError;
use narthex::service::{Call, Reply, download};

use crate::chosen::{Own, Scans};
use crate::files::send;

/// The file at a place of the list, from 0; none if the list is shorter. The order is the list's: of each scan first
/// the images, then what stands on its shelf; the item's own resources come then, and those of assessors last.
pub async fn nth(
    call: &Call,
    scans: &[Scans<'_>],
    own: &[Own],
    filter: &FileFilter,
    index: u64,
) -> Result<Option<Reply>, ClientError> {
    let mut left = index;
    for Scans { experiment, manifest, stored } in scans {
        for scan in stored {
            if let Some(file) = among_images(call, manifest, &scan.resources, &filter.paths, &mut left).await? {
                return download::image(call, &file, experiment.insert_ms).await.map(Some);
            }
            if let Some(found) = among_shelved(call, &scan.shelf, filter, &mut left).await? {
                return send(call, &found).await.map(Some);
            }
        }
    }
    for Own { resources, .. } in own {
        if let Some(found) = among_shelved(call, resources, filter, &mut left).await? {
            return send(call, &found).await.map(Some);
        }
    }
    Ok(None)
}

/// The file behind `left` others, or none, and then `left` is less by those that are here.
async fn among_images(
    call: &Call,
    manifest: &Manifest,
    resources: &[Resource],
    paths: &PathFilter,
    left: &mut u64,
) -> Result<Option<FileEntry>, ClientError> {
    for resource in resources {
        if *paths == PathFilter::All && *left >= resource.count {
            *left -= resource.count;
            continue;
        }
        let mut page = 0;
        while let Some(mut files) = call.site.core.files_on_page(manifest, resource, page).await? {
            page += 1;
            files.retain(|file| paths.accepts(&file.name));
            match usize::try_from(*left).ok().filter(|place| *place < files.len()) {
                Some(place) => return Ok(Some(files.swap_remove(place))),
                None => *left -= files.len() as u64,
            }
        }
    }
    Ok(None)
}

/// The same of catalogs that can be changed, of whose files only the wanted ones count.
async fn among_shelved(
    call: &Call,
    resources: &[CountedResource],
    filter: &FileFilter,
    left: &mut u64,
) -> Result<Option<CatalogFile>, ClientError> {
    for counted in resources {
        let mut cursor = CatalogCursor::new(&counted.resource.catalog);
        while let Some(files) = call.site.core.next_files(&mut cursor).await? {
            for file in files {
                if !filter.accepts(&file.file.name, &file.notes.format, &file.notes.content) {
                    continue;
                }
                if *left == 0 {
                    return Ok(Some(file));
                }
                *left -= 1;
            }
        }
    }
    Ok(None)
}
