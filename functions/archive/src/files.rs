//! Files: lists of them, archives of them, and one.

use narthex::domain::archive::Experiment;
use narthex::domain::catalog::{CatalogCursor, CatalogFile};
use narthex::domain::contents::{Folder, NoteFilter};
use narthex::domain::manifest::{FileEntry, Manifest, StoredScan};
use narthex::domain::resource::CountedResource;
use narthex::http::views::archive as views;
use narthex::http::views::layout::Layout;
use narthex::http::views::selection::FileSelection;
use narthex::http::views::shelf;
use narthex::http::{ClientError, Format, Table};
use narthex::service::{Call, Reply, ReplyBody, download};

use crate::assessors::with_resources;
use crate::experiment::{load, scan_folders};
use crate::nth::nth;
use crate::parent::Parent;
use crate::resources::{OfScan, find, find_own};
use crate::scans::several;

/// Scans of an experiment whose files are asked for.
pub struct Scans<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// Its manifest.
    pub manifest: Manifest,
    /// The scans, with the resources that are wanted.
    pub stored: Vec<StoredScan>,
}

/// The files of a scan, of several or of all, and of one resource or several if they are named.
pub async fn of_scans(
    call: &Call,
    experiment: &Experiment,
    scan: &str,
    resource: Option<&str>,
) -> Result<Reply, ClientError> {
    let (manifest, scans) = load(call, experiment).await?;
    let mut stored = several(scans, scan)?;
    if let Some(names) = resource {
        for scan in &mut stored {
            let wanted: Vec<u64> = names.split(',').filter_map(|name| Some(find(scan, name)?.number())).collect();
            scan.resources.retain(|resource| wanted.contains(&resource.number));
            scan.shelf.retain(|counted| wanted.contains(&counted.resource.number));
        }
        if stored.iter().all(|scan| scan.resources.is_empty() && scan.shelf.is_empty()) {
            return Err(ClientError::not_found("unknown-resource", "Unable to find the specified catalog."));
        }
    }
    let parent = Parent::Experiment(Box::new(experiment.clone()));
    answer(call, &parent, Some(Scans { experiment, manifest, stored }), Vec::new()).await
}

/// The files of one of an item's own resources.
pub async fn of_resource(call: &Call, parent: &Parent, resource: &str) -> Result<Reply, ClientError> {
    let counted = find_own(call, parent, resource).await?;
    answer(call, parent, None, vec![own_of(parent, vec![counted])]).await
}

/// Says which folder the resource of a label has.
type NameFolder = dyn Fn(&Layout, &str) -> String;

/// Resources of one item, and how their files are named.
pub struct Own {
    /// The item's address.
    address: String,
    /// The resources.
    pub resources: Vec<CountedResource>,
    /// The folder of a resource of this label in an archive.
    folder: Box<NameFolder>,
}

/// An item's own resources.
fn own_of(parent: &Parent, resources: Vec<CountedResource>) -> Own {
    let named = parent.clone();
    Own { address: parent.address(), resources, folder: Box::new(move |layout, label| named.folder(layout, label)) }
}

/// Those of the assessors of a session.
async fn of_assessors(call: &Call, session: &Experiment) -> Result<Vec<Own>, ClientError> {
    let assessors = with_resources(call, session).await?;
    let own = |(assessor, resources): (Experiment, _)| {
        let (session, label) = (session.clone(), assessor.label.clone());
        Own {
            address: Parent::Experiment(Box::new(assessor)).address(),
            resources,
            folder: Box::new(move |layout, resource| layout.assessor_folder(&session, &label, resource)),
        }
    };
    Ok(assessors.into_iter().map(own).collect())
}

/// All files of an item; those of an experiment's scans and assessors are among them.
pub async fn of_item(call: &Call, parent: &Parent) -> Result<Reply, ClientError> {
    let scans = match parent {
        Parent::Experiment(experiment) if experiment.assessed.is_none() => {
            let (manifest, stored) = load(call, experiment).await?;
            Some(Scans { experiment, manifest, stored })
        }
        _ => None,
    };
    let mut own = vec![own_of(parent, crate::resources::own(call, parent).await?)];
    if let Parent::Experiment(experiment) = parent {
        own.extend(of_assessors(call, experiment).await?);
    }
    answer(call, parent, scans, own).await
}

/// A list of the files, an archive of them, or one of them by its place in the list.
async fn answer(
    call: &Call,
    parent: &Parent,
    mut scans: Option<Scans<'_>>,
    own: Vec<Own>,
) -> Result<Reply, ClientError> {
    let params = &call.context.params;
    let selection = FileSelection::read(params)?;
    for stored in scans.iter_mut().flat_map(|scans| &mut scans.stored) {
        // The files of a resource of the manifest are all of its kind; those on a shelf are looked at one by one.
        stored.resources.retain(|resource| selection.filter.accepts(&resource.format, &resource.content));
    }
    if let Some(index) = selection.index {
        return nth(call, scans.as_ref(), &own, &selection.filter, index).await?.ok_or_else(missing);
    }
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    if let Some(kind) = download::archive_kind(&format) {
        let layout = Layout::read(params)?;
        let mut folders = match scans {
            Some(Scans { experiment, manifest, stored }) => scan_folders(&layout, experiment, manifest, stored),
            None => Vec::new(),
        };
        for Own { resources, folder, .. } in &own {
            let named = |counted: &CountedResource| folder(&layout, &counted.resource.label);
            folders.extend(resources.iter().map(|counted| Folder::of_resource(counted, named(counted))));
        }
        let folders: Vec<Folder> =
            folders.into_iter().map(|folder| Folder { filter: selection.filter.clone(), ..folder }).collect();
        if !call.site.core.have_files(&folders).await? {
            return Err(missing());
        }
        return Ok(download::archive(call, kind, parent.label(), folders));
    }
    if matches!(format, Format::Xcat | Format::Xlist | Format::Xar) {
        let sentence = "This version gives files as zip, tar or tar.gz, or lists them as json, xml, csv or html.";
        return Err(ClientError::not_implemented("not-implemented", sentence));
    }
    let core = &call.site.core;
    let mut table = views::files();
    if let Some(Scans { experiment, manifest, stored }) = &scans {
        for scan in stored {
            for resource in &scan.resources {
                let mut page = 0;
                while let Some(files) = core.files_on_page(manifest, resource, page).await? {
                    page += 1;
                    let digests = core.digests(&files).await?;
                    views::add_files(&mut table, experiment, &scan.scan.id, resource, &files, &digests);
                }
            }
            let address = format!("{}/scans/{}", parent.address(), scan.scan.id);
            list_shelved(call, &mut table, &address, &scan.shelf, &selection.filter).await?;
        }
    }
    for Own { address, resources, .. } in &own {
        list_shelved(call, &mut table, address, resources, &selection.filter).await?;
    }
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(&format)))
}

/// Adds the wanted files of resources with changeable catalogs.
async fn list_shelved(
    call: &Call,
    table: &mut Table,
    item: &str,
    resources: &[CountedResource],
    filter: &NoteFilter,
) -> Result<(), ClientError> {
    let core = &call.site.core;
    for counted in resources {
        let mut cursor = CatalogCursor::new(&counted.resource.catalog);
        while let Some(mut files) = core.next_files(&mut cursor).await? {
            files.retain(|file| filter.accepts(&file.notes.format, &file.notes.content));
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
    send(call, &found).await
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
