//! Files: lists of them, archives of them, and one.

use narthex::domain::archive::Experiment;
use narthex::domain::catalog::CatalogCursor;
use narthex::domain::contents::{Folder, NoteFilter};
use narthex::domain::manifest::{FileEntry, Manifest, StoredScan};
use narthex::domain::resource::CountedResource;
use narthex::http::views::archive as views;
use narthex::http::views::layout::Layout;
use narthex::http::views::selection::FileSelection;
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody, download};

use crate::experiment::{load, resource_folder, scan_folders};
use crate::resources::{find, find_own};
use crate::scans::several;

/// The files of a scan, of several or of all, and of one resource or several if they are named.
pub async fn of_scans(
    call: &Call,
    experiment: &Experiment,
    scan: &str,
    resource: Option<&str>,
) -> Result<Reply, ClientError> {
    let (manifest, scans) = load(call, experiment).await?;
    let mut scans = several(scans, scan)?;
    if let Some(names) = resource {
        for stored in &mut scans {
            let wanted: Vec<u64> = names.split(',').filter_map(|name| Some(find(stored, name)?.number)).collect();
            stored.resources.retain(|resource| wanted.contains(&resource.number));
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

/// A list of the files, an archive of them, or one of them by its place in the list.
async fn answer(
    call: &Call,
    experiment: &Experiment,
    manifest: Manifest,
    mut scans: Vec<StoredScan>,
    own: &[CountedResource],
) -> Result<Reply, ClientError> {
    let params = &call.context.params;
    let selection = FileSelection::read(params)?;
    for stored in &mut scans {
        // The files of such a resource are all of its kind.
        stored.resources.retain(|resource| selection.filter.accepts(&resource.format, &resource.content));
    }
    if let Some(index) = selection.index {
        return nth(call, experiment, &manifest, &scans, own, &selection.filter, index).await;
    }
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    if let Some(kind) = download::archive_kind(&format) {
        let layout = Layout::read(params)?;
        let mut folders = scan_folders(&layout, experiment, manifest, scans);
        folders.extend(own.iter().map(|counted| resource_folder(&layout, experiment, counted)));
        let folders: Vec<Folder> =
            folders.into_iter().map(|folder| Folder { filter: selection.filter.clone(), ..folder }).collect();
        if !call.site.core.have_files(&folders).await? {
            return Err(missing());
        }
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
        while let Some(mut files) = core.next_files(&mut cursor).await? {
            files.retain(|file| selection.filter.accepts(&file.notes.format, &file.notes.content));
            let entries: Vec<FileEntry> = files.iter().map(|file| file.file.clone()).collect();
            let digests = core.digests(&entries).await?;
            views::add_catalog_files(&mut table, experiment, &counted.resource, &files, &digests);
        }
    }
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(&format)))
}

/// The file at a place of the list, from 0.
async fn nth(
    call: &Call,
    experiment: &Experiment,
    manifest: &Manifest,
    scans: &[StoredScan],
    own: &[CountedResource],
    filter: &NoteFilter,
    index: u64,
) -> Result<Reply, ClientError> {
    let core = &call.site.core;
    let mut before = 0;
    for resource in scans.iter().flat_map(|stored| &stored.resources) {
        let end = before + resource.count;
        if index >= end {
            before = end;
            continue;
        }
        let mut page = 0;
        while let Some(files) = core.files_on_page(manifest, resource, page).await? {
            page += 1;
            let place = usize::try_from(index - before).unwrap_or(usize::MAX);
            if let Some(file) = files.get(place) {
                return download::image(call, file, experiment.insert_ms).await;
            }
            before += files.len() as u64;
        }
    }
    for counted in own {
        let mut cursor = CatalogCursor::new(&counted.resource.catalog);
        while let Some(files) = core.next_files(&mut cursor).await? {
            for file in files.iter().filter(|file| filter.accepts(&file.notes.format, &file.notes.content)) {
                if before == index {
                    return download::file(call, &file.file, file.at_ms).await;
                }
                before += 1;
            }
        }
    }
    Err(missing())
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

const UNKNOWN_FILE: &str = "unknown-file";

fn missing() -> ClientError {
    ClientError::not_found(UNKNOWN_FILE, "Unable to find file.")
}

/// 204 instead of 404 for files that are not there, for whoever asks for that.
pub fn accept_none(call: &Call, answer: Result<Reply, ClientError>) -> Result<Reply, ClientError> {
    match answer {
        Err(error)
            if matches!(&*error.code, UNKNOWN_FILE | "unknown-resource")
                && FileSelection::read(&call.context.params)?.accepts_none =>
        {
            Ok(ReplyBody::no_content())
        }
        answer => answer,
    }
}
