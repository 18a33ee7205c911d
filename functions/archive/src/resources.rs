//! Resources and their catalogs.

use http::StatusCode;
use narthex::domain::archive::Experiment;
use narthex::domain::catalog::{CatalogCursor, CatalogFile};
use narthex::domain::manifest::{FileEntry, Resource, StoredScan};
use narthex::domain::resource::CountedResource;
use narthex::domain::time::date_time;
use narthex::http::ClientError;
use narthex::http::views::archive as views;
use narthex::imaging::ecat::{ECAT, shown_uid};
use narthex::service::{Call, Reply, ReplyBody};
use narthex::xml::{CatalogEntry, CatalogHead, CatalogKind, CatalogTail, CatalogWriter};

use crate::experiment::load;
use crate::scans::{one, several};

/// The resources of the session itself, and of its scans with `all=true`.
pub async fn of_experiment(call: &Call, experiment: &Experiment) -> Result<Reply, ClientError> {
    let (_, scans) = load(call, experiment).await?;
    let shown = if call.context.params.flag("all") { scans } else { Vec::new() };
    let own = call.site.core.counted_resources(&experiment.resources).await?;
    let mut table = views::resources(&shown);
    views::add_resources(&mut table, experiment, &own);
    crate::render(call, table)
}

/// The resources of one scan, of several, or of all.
pub async fn of_scan(call: &Call, experiment: &Experiment, scan: &str) -> Result<Reply, ClientError> {
    let (_, scans) = load(call, experiment).await?;
    crate::render(call, views::resources(&several(scans, scan)?))
}

/// The resource of this label or number.
pub fn find<'a>(scan: &'a StoredScan, name: &str) -> Option<&'a Resource> {
    scan.resources.iter().find(|resource| resource.label == name || resource.number.to_string() == name)
}

/// The experiment's own resource of this label or number.
pub async fn find_own(call: &Call, experiment: &Experiment, name: &str) -> Result<CountedResource, ClientError> {
    let found = call.site.core.counted_resource(&experiment.resources, name).await?;
    found.ok_or_else(|| ClientError::not_found("unknown-resource", "Unable to find the specified catalog."))
}

/// The catalog of one of the experiment's own resources, in whatever format it is asked for.
pub async fn own_catalog(call: &Call, experiment: &Experiment, name: &str) -> Result<Reply, ClientError> {
    let counted = find_own(call, experiment, name).await?;
    let core = &call.site.core;
    let head = CatalogHead { id: &counted.resource.label, uid: "" };
    let written = |error: std::io::Error| ClientError::internal(error.to_string());
    let (mut catalog, mut document) = CatalogWriter::begin(CatalogKind::General, &head).map_err(written)?;
    let mut cursor = CatalogCursor::new(&counted.resource.catalog);
    while let Some(files) = core.next_files(&mut cursor).await? {
        let entries: Vec<FileEntry> = files.iter().map(|file| file.file.clone()).collect();
        let digests = core.digests(&entries).await?;
        for (found, digest) in files.iter().zip(&digests) {
            let CatalogFile { file, by, at_ms, notes } = found;
            let size = file.extent.len.to_string();
            let tags: Vec<&str> = notes.tags.split(',').filter(|tag| !tag.is_empty()).collect();
            let entry = CatalogEntry {
                uri: &file.name,
                id: &file.name,
                name: file.name.rsplit('/').next().unwrap_or_default(),
                description: &notes.description,
                cache_path: &file.name,
                created_by: by,
                created_time: &date_time(*at_ms),
                digest,
                format: &notes.format,
                content: &notes.content,
                meta_fields: &[("SIZE", &size)],
                tags: &tags,
                ..Default::default()
            };
            document.extend_from_slice(&catalog.entry(&entry).map_err(written)?);
        }
    }
    document.extend_from_slice(&catalog.end(&CatalogTail::default()).map_err(written)?);
    Ok(ReplyBody::reply(StatusCode::OK, "text/xml", document))
}

/// One resource: always its catalog, in whatever format it is asked for, as XNAT has it.
pub async fn catalog(call: &Call, experiment: &Experiment, scan: &str, resource: &str) -> Result<Reply, ClientError> {
    let (manifest, scans) = load(call, experiment).await?;
    let stored = one(&scans, scan)?;
    let missing = || ClientError::not_found("unknown-resource", "Unable to find the specified catalog.");
    let resource = find(stored, resource).ok_or_else(missing)?;
    let core = &call.site.core;
    let is_ecat = resource.format == ECAT;
    let (kind, head) = if is_ecat {
        (CatalogKind::General, CatalogHead { id: &resource.label, uid: "" })
    } else {
        (CatalogKind::Dicom, CatalogHead { id: "", uid: &stored.scan.uid })
    };
    let written = |error: std::io::Error| ClientError::internal(error.to_string());
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
    let tail = if is_ecat {
        CatalogTail::default()
    } else {
        CatalogTail {
            dimensions: stored.scan.dimensions,
            voxel_size: stored.scan.voxel_size,
            orientation: stored.scan.orientation.as_deref(),
        }
    };
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
