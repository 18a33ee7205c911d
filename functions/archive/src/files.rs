//! Files: lists of them, archives of them, and one.

use narthex::domain::archive::Experiment;
use narthex::domain::catalog::{CatalogCursor, CatalogFile};
use narthex::domain::contents::Folder;
use narthex::domain::file_filter::{FileFilter, PathFilter};
use narthex::domain::manifest::FileEntry;
use narthex::domain::resource::CountedResource;
use narthex::http::views::archive as views;
use narthex::http::views::layout::Layout;
use narthex::http::views::selection::FileSelection;
use narthex::http::views::shelf;
use narthex::http::{ClientError, Format, Table};
use narthex::service::{Call, Reply, ReplyBody, download};

use crate::asked::{Part, with_each};
use crate::chosen::{Chosen, Own, Scans, own_of};
use crate::experiment::{load, scan_folders};
use crate::nth::nth;
use crate::parent::Parent;
use crate::resources::{OfScan, find, find_own};

/// The files of a part of an experiment, or of several of them: those at a path, if one is named. Of several
/// experiments some need not have that part.
///
/// # Errors
/// 404 if none has it.
pub async fn of_experiments(
    call: &Call,
    experiments: &[Experiment],
    part: Part<'_>,
    path: Option<&[&str]>,
) -> Result<Reply, ClientError> {
    let mut chosen = Chosen::default();
    with_each(experiments, async |experiment| chosen.add(call, experiment, part).await).await?;
    let layout = Layout::read(&call.context.params)?.of_several(experiments)?;
    let name = match experiments {
        [one] => one.label.as_str(),
        _ => "experiments",
    };
    answer(call, name, &layout, chosen, paths(call, path)).await
}

/// The files of one of an item's own resources: those at a path, if one is named.
pub async fn of_resource(
    call: &Call,
    parent: &Parent,
    resource: &str,
    path: Option<&[&str]>,
) -> Result<Reply, ClientError> {
    let counted = find_own(call, parent, resource).await?;
    if let Some(path) = path
        && let Some(file) = call.site.core.catalog_file(&counted.resource.catalog, &path.join("/")).await?
    {
        return send(call, &file).await;
    }
    if let PathFilter::File(_) = paths(call, path) {
        return Err(missing());
    }
    of_own(call, parent, vec![counted], path).await
}

/// All files of a subject or project.
pub async fn of_item(call: &Call, parent: &Parent) -> Result<Reply, ClientError> {
    of_own(call, parent, crate::resources::own(call, parent).await?, None).await
}

async fn of_own(
    call: &Call,
    parent: &Parent,
    resources: Vec<CountedResource>,
    path: Option<&[&str]>,
) -> Result<Reply, ClientError> {
    let chosen = Chosen { scans: Vec::new(), own: vec![own_of(parent, resources)] };
    answer(call, parent.label(), &Layout::read(&call.context.params)?, chosen, paths(call, path)).await
}

/// Which paths an address asks for. One that ends in a slash is a folder's.
pub fn paths(call: &Call, path: Option<&[&str]>) -> PathFilter {
    let is_recursive = call.context.params.flag_if_given("recursive").unwrap_or(true);
    PathFilter::parse(&path.unwrap_or_default().join("/"), call.context.path.trailing_slash(), is_recursive)
}

/// A list of the files, an archive of them, or one of them by its place in the list.
async fn answer(
    call: &Call,
    name: &str,
    layout: &Layout,
    chosen: Chosen<'_>,
    paths: PathFilter,
) -> Result<Reply, ClientError> {
    let params = &call.context.params;
    let mut selection = FileSelection::read(params)?;
    selection.filter.paths = paths;
    let filter = &selection.filter;
    let Chosen { mut scans, own } = chosen;
    for stored in scans.iter_mut().flat_map(|scans| &mut scans.stored) {
        // The files of a resource of the manifest are all of its kind; those on a shelf are looked at one by one.
        stored.resources.retain(|resource| filter.accepts_notes(&resource.format, &resource.content));
    }
    if let Some(index) = selection.index {
        return nth(call, &scans, &own, filter, index).await?.ok_or_else(missing);
    }
    use Format::{Csv, Html, Json, Tar, TarGz, Xml, Zip};
    let format = call.context.format(&[Json, Html, Xml, Csv, Zip, TarGz, Tar])?;
    download::refuse_rendering(call, None)?;
    if let Some(kind) = download::archive_kind(&format) {
        let mut folders = Vec::new();
        for Scans { experiment, manifest, stored } in scans {
            folders.extend(scan_folders(layout, experiment, manifest, stored));
        }
        for Own { resources, folder, .. } in &own {
            let named = |counted: &CountedResource| folder(layout, &counted.resource.label);
            folders.extend(resources.iter().map(|counted| Folder::of_resource(counted, named(counted))));
        }
        let folders: Vec<Folder> =
            folders.into_iter().map(|folder| Folder { filter: filter.clone(), ..folder }).collect();
        if !call.site.core.have_files(&folders).await? {
            return Err(missing());
        }
        return Ok(download::archive(call, kind, name, folders));
    }
    if matches!(format, Format::Xcat | Format::Xlist | Format::Xar) {
        let sentence = "This version gives files as zip, tar or tar.gz, or lists them as json, xml, csv or html.";
        return Err(ClientError::not_implemented("not-implemented", sentence));
    }
    if let PathFilter::File(_) = &filter.paths {
        let one = nth(call, &scans, &own, filter, 0).await?.ok_or_else(missing)?;
        if nth(call, &scans, &own, filter, 1).await?.is_some() {
            let sentence = "Several items that the address names have a file of this path; name one of them, or ask for \
                            an archive (format=zip).";
            return Err(ClientError::bad_request("ambiguous-file", sentence));
        }
        return Ok(one);
    }
    let mut table = views::files();
    for scans in &scans {
        list_scans(call, &mut table, scans, filter).await?;
    }
    for Own { address, resources, .. } in &own {
        list_shelved(call, &mut table, address, resources, filter).await?;
    }
    if table.rows.is_empty() && filter.paths != PathFilter::All {
        return Err(missing());
    }
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(&format)))
}

/// Rows of a list of files, at most: it is made in memory.
const MAX_LISTED: usize = 500_000;

fn demand_rows(table: &Table) -> Result<(), ClientError> {
    if table.rows.len() <= MAX_LISTED {
        return Ok(());
    }
    let sentence = format!("More than {MAX_LISTED} files cannot be listed at once; ask for fewer, or for an archive.");
    Err(ClientError::bad_request("too-many-files", sentence))
}

/// Adds the wanted files of scans.
async fn list_scans(
    call: &Call,
    table: &mut Table,
    Scans { experiment, manifest, stored }: &Scans<'_>,
    filter: &FileFilter,
) -> Result<(), ClientError> {
    let core = &call.site.core;
    for scan in stored {
        for resource in &scan.resources {
            let mut page = 0;
            while let Some(mut files) = core.files_on_page(manifest, resource, page).await? {
                page += 1;
                files.retain(|file| filter.paths.accepts(&file.name));
                let digests = core.digests(&files).await?;
                views::add_files(table, experiment, &scan.scan.id, resource, &files, &digests);
                demand_rows(table)?;
            }
        }
        let address = format!("/data/experiments/{}/scans/{}", experiment.id, scan.scan.id);
        list_shelved(call, table, &address, &scan.shelf, filter).await?;
    }
    Ok(())
}

/// Adds the wanted files of resources with changeable catalogs.
async fn list_shelved(
    call: &Call,
    table: &mut Table,
    item: &str,
    resources: &[CountedResource],
    filter: &FileFilter,
) -> Result<(), ClientError> {
    let core = &call.site.core;
    for counted in resources {
        let mut cursor = CatalogCursor::new(&counted.resource.catalog);
        while let Some(mut files) = core.next_files(&mut cursor).await? {
            files.retain(|file| filter.accepts(&file.file.name, &file.notes.format, &file.notes.content));
            let entries: Vec<FileEntry> = files.iter().map(|file| file.file.clone()).collect();
            let digests = core.digests(&entries).await?;
            shelf::add_files(table, item, counted, &files, &digests);
            demand_rows(table)?;
        }
    }
    Ok(())
}

/// Files of scans' resources at a path: of one scan mostly a file.
pub async fn of_scan_at(
    call: &Call,
    experiment: &Experiment,
    scan: &str,
    resource: &str,
    path: &[&str],
) -> Result<Reply, ClientError> {
    let (manifest, scans) = load(call, experiment).await?;
    if let Some(stored) = scans.iter().find(|stored| stored.scan.id == scan)
        && !resource.contains(',')
    {
        let name = path.join("/");
        match find(stored, resource).ok_or_else(missing)? {
            OfScan::Images(resource) => {
                if let Some(file) = call.site.core.file(&manifest, resource, &name).await? {
                    return download::image(call, &file, experiment.insert_ms).await;
                }
            }
            OfScan::Shelved(counted) => {
                if let Some(found) = call.site.core.catalog_file(&counted.resource.catalog, &name).await? {
                    return send(call, &found).await;
                }
            }
        }
        if let PathFilter::File(_) = paths(call, Some(path)) {
            return Err(missing());
        }
    }
    let part = Part::Scans(scan, Some(resource));
    of_experiments(call, std::slice::from_ref(experiment), part, Some(path)).await
}

/// Sends a file of a catalog. An image is one wherever it is listed.
pub async fn send(call: &Call, found: &CatalogFile) -> Result<Reply, ClientError> {
    match found.file.sop_instance_uid.is_empty() {
        true => download::file(call, &found.file, found.at_ms).await,
        false => download::image(call, &found.file, found.at_ms).await,
    }
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
