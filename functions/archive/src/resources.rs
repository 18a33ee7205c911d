//! Resources and their catalogs.

use http::StatusCode;
use narthex::domain::archive::Experiment;
use narthex::domain::catalog::CatalogCursor;
use narthex::domain::manifest::{FileEntry, Resource, StoredScan};
use narthex::domain::resource::CountedResource;
use narthex::domain::time::date_time;
use narthex::http::views::archive as views;
use narthex::http::views::shelf;
use narthex::http::{ClientError, Table};
use narthex::imaging::ecat::shown_uid;
use narthex::service::{Call, Reply, ReplyBody};
use narthex::xml::{CatalogEntry, CatalogHead, CatalogKind, CatalogTail, CatalogWriter};

use crate::asked::{Part, with_each};
use crate::assessors::{self, with_resources};
use crate::experiment::load;
use crate::parent::Parent;
use crate::scans::{one, several};

/// The format of images that have a catalog of the kind of theirs.
const DICOM: &str = "DICOM";

/// The resources of a subject or project.
pub async fn of_item(call: &Call, parent: &Parent) -> Result<Reply, ClientError> {
    let mut table = views::resources([]);
    shelf::add_resources(&mut table, parent.category(), parent.id(), "", &own(call, parent).await?);
    crate::render(call, table)
}

/// The resources of a part of an experiment, or of several of them; with `all=true` those of scans and assessors are
/// among an experiment's. Of several experiments some need not have that part.
///
/// # Errors
/// 404 if none has it.
pub async fn of_experiments(call: &Call, experiments: &[Experiment], part: Part<'_>) -> Result<Reply, ClientError> {
    let mut table = views::resources([]);
    with_each(experiments, async |experiment| add(call, &mut table, experiment, part).await).await?;
    crate::render(call, table)
}

async fn add(call: &Call, table: &mut Table, experiment: &Experiment, part: Part<'_>) -> Result<(), ClientError> {
    let (scans, own_too, assessors) = match part {
        Part::Scans(names, _) => (several(load(call, experiment).await?.1, names)?, false, Vec::new()),
        Part::Assessors(names, _) => (Vec::new(), false, assessors::several(call, experiment, names).await?),
        Part::All | Part::Own(_) if call.context.params.flag("all") => {
            (load(call, experiment).await?.1, true, with_resources(call, experiment).await?)
        }
        Part::All | Part::Own(_) => (Vec::new(), true, Vec::new()),
    };
    views::add_resources(table, &scans);
    if own_too {
        let parent = Parent::Experiment(Box::new(experiment.clone()));
        shelf::add_resources(table, parent.category(), parent.id(), "", &own(call, &parent).await?);
    }
    for (assessor, own) in assessors {
        shelf::add_resources(table, "assessors", &assessor.id, assessor.xsi_type.as_str(), &own);
    }
    Ok(())
}

/// A resource of a scan: in the manifest, or on the scan's shelf.
pub enum OfScan<'a> {
    Images(&'a Resource),
    Shelved(&'a CountedResource),
}

impl OfScan<'_> {
    /// Its number, which no other resource has.
    pub fn number(&self) -> u64 {
        match self {
            Self::Images(resource) => resource.number,
            Self::Shelved(counted) => counted.resource.number,
        }
    }
}

/// The resource of this label or number; a label is meant before a number.
pub fn find<'a>(scan: &'a StoredScan, name: &str) -> Option<OfScan<'a>> {
    let (images, shelved) = (scan.resources.iter(), scan.shelf.iter());
    let by_label = |counted: &&CountedResource| counted.resource.label == name;
    if let Some(found) = images.clone().find(|resource| resource.label == name) {
        return Some(OfScan::Images(found));
    }
    if let Some(found) = shelved.clone().find(by_label).or_else(|| shelved.clone().find(|c| c.resource.is_named(name)))
    {
        return Some(OfScan::Shelved(found));
    }
    images.clone().find(|resource| resource.number.to_string() == name).map(OfScan::Images)
}

/// The own resources of an item.
pub async fn own(call: &Call, parent: &Parent) -> Result<Vec<CountedResource>, ClientError> {
    let core = &call.site.core;
    Ok(match parent {
        Parent::Experiment(experiment) => core.counted_resources(&experiment.resources).await?,
        _ => core.shelf_resources(&parent.shelf()).await?,
    })
}

/// An item's own resource of this label or number.
pub async fn find_own(call: &Call, parent: &Parent, name: &str) -> Result<CountedResource, ClientError> {
    one_named(&own(call, parent).await?, name).cloned().ok_or_else(unknown_catalog)
}

/// The one of this label or number; a label is meant before a number.
fn one_named<'a>(own: &'a [CountedResource], name: &str) -> Option<&'a CountedResource> {
    let by_label = own.iter().find(|counted| counted.resource.label == name);
    by_label.or_else(|| own.iter().find(|counted| counted.resource.is_named(name)))
}

/// Those that are named, by labels or numbers with commas between them, in their own order.
pub fn several_named(own: &[CountedResource], names: &str) -> Vec<CountedResource> {
    let wanted: Vec<u64> = names.split(',').filter_map(|name| Some(one_named(own, name)?.resource.number)).collect();
    own.iter().filter(|counted| wanted.contains(&counted.resource.number)).cloned().collect()
}

/// That there is no such resource.
pub fn unknown_catalog() -> ClientError {
    ClientError::not_found("unknown-resource", "Unable to find the specified catalog.")
}

/// The catalog of one of an item's own resources, in whatever format it is asked for.
pub async fn own_catalog(call: &Call, parent: &Parent, name: &str) -> Result<Reply, ClientError> {
    let counted = find_own(call, parent, name).await?;
    let head = CatalogHead { id: &counted.resource.label, uid: "" };
    shelved_catalog(call, &counted, CatalogKind::General, &head, &CatalogTail::default()).await
}

async fn shelved_catalog(
    call: &Call,
    counted: &CountedResource,
    kind: CatalogKind,
    head: &CatalogHead<'_>,
    tail: &CatalogTail<'_>,
) -> Result<Reply, ClientError> {
    let core = &call.site.core;
    let (mut catalog, mut document) = CatalogWriter::begin(kind, head).map_err(written)?;
    let mut cursor = CatalogCursor::new(&counted.resource.catalog);
    while let Some(files) = core.next_files(&mut cursor).await? {
        let entries: Vec<FileEntry> = files.iter().map(|file| file.file.clone()).collect();
        let digests = core.digests(&entries).await?;
        for (found, digest) in files.iter().zip(&digests) {
            let bytes = shelf::with_entry(found, digest, |entry| catalog.entry(entry)).map_err(written)?;
            document.extend_from_slice(&bytes);
        }
    }
    document.extend_from_slice(&catalog.end(tail).map_err(written)?);
    Ok(ReplyBody::reply(StatusCode::OK, "text/xml", document))
}

fn written(error: std::io::Error) -> ClientError {
    ClientError::internal(error.to_string())
}

/// One resource: always its catalog, in whatever format it is asked for, as XNAT has it.
pub async fn catalog(call: &Call, experiment: &Experiment, scan: &str, resource: &str) -> Result<Reply, ClientError> {
    let (manifest, scans) = load(call, experiment).await?;
    let stored = one(&scans, scan)?;
    let found = find(stored, resource).ok_or_else(unknown_catalog)?;
    let core = &call.site.core;
    let (label, format) = match &found {
        OfScan::Images(resource) => (&resource.label, &resource.format),
        OfScan::Shelved(counted) => (&counted.resource.label, &counted.resource.notes.format),
    };
    let is_dicom = format == DICOM;
    let (kind, head, tail) = if is_dicom {
        let tail = CatalogTail {
            dimensions: stored.scan.dimensions,
            voxel_size: stored.scan.voxel_size,
            orientation: stored.scan.orientation.as_deref(),
        };
        (CatalogKind::Dicom, CatalogHead { id: "", uid: &stored.scan.uid }, tail)
    } else {
        (CatalogKind::General, CatalogHead { id: label, uid: "" }, CatalogTail::default())
    };
    let resource = match found {
        OfScan::Images(resource) => resource,
        OfScan::Shelved(counted) => return shelved_catalog(call, counted, kind, &head, &tail).await,
    };
    let (mut catalog, mut document) = CatalogWriter::begin(kind, &head).map_err(written)?;
    let created = date_time(experiment.insert_ms);
    let mut page = 0;
    while let Some(files) = core.files_on_page(&manifest, resource, page).await? {
        page += 1;
        let digests = core.digests(&files).await?;
        for (file, digest) in files.iter().zip(&digests) {
            let entry = entry(experiment, resource, file, digest, &created);
            document.extend_from_slice(&catalog.entry(&entry).map_err(written)?);
        }
    }
    document.extend_from_slice(&catalog.end(&tail).map_err(written)?);
    Ok(ReplyBody::reply(StatusCode::OK, "text/xml", document))
}

fn entry<'a>(
    experiment: &'a Experiment,
    resource: &'a Resource,
    file: &'a FileEntry,
    digest: &'a str,
    created: &'a str,
) -> CatalogEntry<'a> {
    let is_secondary = resource.label == "secondary";
    CatalogEntry {
        uri: &file.name,
        id: &file.name,
        created_by: &experiment.insert_user,
        created_time: created,
        digest,
        format: &resource.format,
        content: if is_secondary { &resource.content } else { "" },
        uid: shown_uid(&file.sop_instance_uid),
        instance_number: file.instance_number.filter(|_| !is_secondary),
        ..Default::default()
    }
}
