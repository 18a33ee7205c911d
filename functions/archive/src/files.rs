//! Files: lists of them, archives of them, and one.

use narthex::domain::archive::Experiment;
use narthex::domain::catalog::CatalogCursor;
use narthex::domain::manifest::{FileEntry, Manifest, StoredScan};
use narthex::domain::resource::CountedResource;
use narthex::http::views::archive as views;
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody, download};

use crate::experiment::{load, resource_folder, scan_folders};
use crate::resources::{find, find_own};
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
            let wanted = find(stored, name).map(|resource| resource.number);
            stored.resources.retain(|resource| Some(resource.number) == wanted);
        }
        if scans.iter().all(|stored| stored.resources.is_empty()) {
            return Err(ClientError::not_found("unknown-resource", "Unable to find the specified catalog."));
        }
    }
    answer(call, experiment, manifest, scans, &[]).await
}

/// The files of one of the experiment's own resources.
pub async fn of_resource(call: &Call, experiment: &Experiment, resource: &str) -> Result<Reply, ClientError> {
    let counted = find_own(call, experiment, resource).await?;
    let manifest = call.site.core.manifest(&experiment.manifest).await?;
    answer(call, experiment, manifest, Vec::new(), &[counted]).await
}

/// All files of an experiment.
pub async fn of_experiment(call: &Call, experiment: &Experiment) -> Result<Reply, ClientError> {
    let (manifest, scans) = load(call, experiment).await?;
    let own = call.site.core.counted_resources(&experiment.resources).await?;
    answer(call, experiment, manifest, scans, &own).await
}

/// A list of the files, or an archive of them.
async fn answer(
    call: &Call,
    experiment: &Experiment,
    manifest: Manifest,
    scans: Vec<StoredScan>,
    own: &[CountedResource],
) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    if let Some(kind) = download::archive_kind(&format) {
        let mut folders = scan_folders(experiment, manifest, scans);
        folders.extend(own.iter().map(|counted| resource_folder(experiment, counted)));
        return Ok(download::archive(call, kind, &experiment.label, folders));
    }
    if matches!(format, Format::Xcat | Format::Xlist | Format::Xar) {
        let sentence = "This version gives files as zip, tar or tar.gz, or lists them as json, xml, csv or html.";
        return Err(ClientError::not_implemented("not-implemented", sentence));
    }
    let core = &call.site.core;
    let mut table = views::files();
    for stored in &scans {
        for resource in &stored.resources {
            let mut page = 0;
            while let Some(files) = core.files_on_page(&manifest, resource, page).await? {
                page += 1;
                let digests = core.digests(&files).await?;
                views::add_files(&mut table, experiment, &stored.scan.id, resource, &files, &digests);
            }
        }
    }
    for counted in own {
        let mut cursor = CatalogCursor::new(&counted.resource.catalog);
        while let Some(files) = core.next_files(&mut cursor).await? {
            let entries: Vec<FileEntry> = files.iter().map(|file| file.file.clone()).collect();
            let digests = core.digests(&entries).await?;
            views::add_catalog_files(&mut table, experiment, &counted.resource, &files, &digests);
        }
    }
    table.arrange(&call.context.params)?;
    if let Some(columns) = call.context.params.text("columns") {
        let all: Vec<String> = table.columns.iter().map(|column| column.name.to_string()).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        table.keep_columns(&narthex::http::shape::choose_columns(Some(columns), &all, &all));
    }
    Ok(ReplyBody::table(table.render(&format)))
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
    let resource = find(stored, resource).ok_or_else(missing)?;
    let file = call.site.core.file(&manifest, resource, name).await?.ok_or_else(missing)?;
    download::image(call, &file, experiment.insert_ms).await
}

/// One file of the experiment's own resource.
pub async fn one_of_resource(
    call: &Call,
    experiment: &Experiment,
    resource: &str,
    path: &str,
) -> Result<Reply, ClientError> {
    let counted = find_own(call, experiment, resource).await?;
    let found = call.site.core.catalog_file(&counted.resource.catalog, path).await?.ok_or_else(missing)?;
    download::file(call, &found.file, found.at_ms).await
}

fn missing() -> ClientError {
    ClientError::not_found("unknown-file", "Unable to find file.")
}
