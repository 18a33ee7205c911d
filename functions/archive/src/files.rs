//! Files: lists of them, archives of them, and one.

use narthex::domain::archive::Experiment;
use narthex::domain::catalog::CatalogCursor;
use narthex::domain::manifest::{FileEntry, Manifest, StoredScan};
use narthex::domain::resource::CountedResource;
use narthex::http::views::archive as views;
use narthex::http::views::shelf;
use narthex::http::{ClientError, Format, Table};
use narthex::service::{Call, Reply, ReplyBody, download};

use crate::experiment::{load, resource_folder, scan_folders};
use crate::parent::Parent;
use crate::resources::{OfScan, find, find_own};
use crate::scans::several;

/// The files of a scan, of several or of all, and of one resource if it is named.
pub async fn of_scans(
    call: &Call,
    experiment: &Experiment,
    scan: &str,
    resource: Option<&str>,
) -> Result<Reply, ClientError> {
    let (manifest, scans) = load(call, experiment).await?;
    let mut scans = several(scans, scan)?;
    if let Some(name) = resource {
        for stored in &mut scans {
            let wanted = match find(stored, name) {
                Some(OfScan::Images(resource)) => resource.number,
                Some(OfScan::Shelved(counted)) => counted.resource.number,
                None => 0,
            };
            stored.resources.retain(|resource| resource.number == wanted);
            stored.shelf.retain(|counted| counted.resource.number == wanted);
        }
        if scans.iter().all(|stored| stored.resources.is_empty() && stored.shelf.is_empty()) {
            return Err(ClientError::not_found("unknown-resource", "Unable to find the specified catalog."));
        }
    }
    let parent = Parent::Experiment(Box::new(experiment.clone()));
    answer(call, &parent, Some((manifest, scans)), &[]).await
}

/// The files of one of an item's own resources.
pub async fn of_resource(call: &Call, parent: &Parent, resource: &str) -> Result<Reply, ClientError> {
    let counted = find_own(call, parent, resource).await?;
    answer(call, parent, None, &[counted]).await
}

/// All files of an item; those of an experiment's scans are among them.
pub async fn of_item(call: &Call, parent: &Parent) -> Result<Reply, ClientError> {
    let scans = match parent {
        Parent::Experiment(experiment) => Some(load(call, experiment).await?),
        _ => None,
    };
    let own = crate::resources::own(call, parent).await?;
    answer(call, parent, scans, &own).await
}

/// A list of the files, or an archive of them.
async fn answer(
    call: &Call,
    parent: &Parent,
    scans: Option<(Manifest, Vec<StoredScan>)>,
    own: &[CountedResource],
) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    if let Some(kind) = download::archive_kind(&format) {
        let label = parent.label();
        let mut folders = match scans {
            Some((manifest, scans)) => scan_folders(label, manifest, scans),
            None => Vec::new(),
        };
        folders.extend(own.iter().map(|counted| resource_folder(label, counted)));
        return Ok(download::archive(call, kind, label, folders));
    }
    if matches!(format, Format::Xcat | Format::Xlist | Format::Xar) {
        let sentence = "This version gives files as zip, tar or tar.gz, or lists them as json, xml, csv or html.";
        return Err(ClientError::not_implemented("not-implemented", sentence));
    }
    let core = &call.site.core;
    let mut table = views::files();
    if let (Parent::Experiment(experiment), Some((manifest, scans))) = (parent, &scans) {
        for stored in scans {
            for resource in &stored.resources {
                let mut page = 0;
                while let Some(files) = core.files_on_page(manifest, resource, page).await? {
                    page += 1;
                    let digests = core.digests(&files).await?;
                    views::add_files(&mut table, experiment, &stored.scan.id, resource, &files, &digests);
                }
            }
            let address = format!("{}/scans/{}", parent.address(), stored.scan.id);
            list_shelved(call, &mut table, &address, &stored.shelf).await?;
        }
    }
    list_shelved(call, &mut table, &parent.address(), own).await?;
    table.arrange(&call.context.params)?;
    if let Some(columns) = call.context.params.text("columns") {
        let all: Vec<String> = table.columns.iter().map(|column| column.name.to_string()).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        table.keep_columns(&narthex::http::shape::choose_columns(Some(columns), &all, &all));
    }
    Ok(ReplyBody::table(table.render(&format)))
}

/// Adds the files of resources with changeable catalogs.
async fn list_shelved(
    call: &Call,
    table: &mut Table,
    item: &str,
    resources: &[CountedResource],
) -> Result<(), ClientError> {
    let core = &call.site.core;
    for counted in resources {
        let mut cursor = CatalogCursor::new(&counted.resource.catalog);
        while let Some(files) = core.next_files(&mut cursor).await? {
            let entries: Vec<FileEntry> = files.iter().map(|file| file.file.clone()).collect();
            let digests = core.digests(&entries).await?;
            shelf::add_files(table, item, counted, &files, &digests);
        }
    }
    Ok(())
}

/// One file of a scan's resource.
pub async fn one(
    call: &Call,
    experiment: &Experiment,
    scan: &str,
    resource: &str,
    name: &str,
) -> Result<Reply, ClientError> {
    let (manifest, scans) = load(call, experiment).await?;
    let stored = crate::scans::one(&scans, scan)?;
    match find(stored, resource).ok_or_else(missing)? {
        OfScan::Images(resource) => {
            let file = call.site.core.file(&manifest, resource, name).await?.ok_or_else(missing)?;
            download::image(call, &file, experiment.insert_ms).await
        }
        OfScan::Shelved(counted) => of_catalog(call, counted, name).await,
    }
}

/// One file of an item's own resource.
pub async fn one_of_resource(call: &Call, parent: &Parent, resource: &str, path: &str) -> Result<Reply, ClientError> {
    let counted = find_own(call, parent, resource).await?;
    of_catalog(call, &counted, path).await
}

async fn of_catalog(call: &Call, counted: &CountedResource, path: &str) -> Result<Reply, ClientError> {
    let found = call.site.core.catalog_file(&counted.resource.catalog, path).await?.ok_or_else(missing)?;
    // An image is one wherever it is listed.
    match found.file.sop_instance_uid.is_empty() {
        true => download::file(call, &found.file, found.at_ms).await,
        false => download::image(call, &found.file, found.at_ms).await,
    }
}

fn missing() -> ClientError {
    ClientError::not_found("unknown-file", "Unable to find file.")
}
