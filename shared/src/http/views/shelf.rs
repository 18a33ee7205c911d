//! Resources with changeable catalogs, and their files.

use super::prearchive::{catalog_path, file_uri};
use crate::domain::catalog::{CatalogFile, FileNotes};
use crate::domain::resource::CountedResource;
use crate::domain::time::date_time;
use crate::http::Table;
use crate::imaging::ecat::shown_uid;
use crate::imaging::item;
use crate::xml::CatalogEntry;

/// Adds resources to a list of resources: what kind of item they belong to (`resources` of a project, subject or
/// experiment itself, `scans`, `assessors`), its identifier, and what it is called.
pub fn add_resources(table: &mut Table, category: &str, id: &str, kind: &str, resources: &[CountedResource]) {
    for CountedResource { resource, catalog } in resources {
        table.push([
            resource.number.to_string(),
            resource.label.clone(),
            "xnat:resourceCatalog".to_owned(),
            category.to_owned(),
            id.to_owned(),
            kind.to_owned(),
            catalog.files.to_string(),
            catalog.bytes.to_string(),
            resource.notes.tags.clone(),
            resource.notes.content.clone(),
            resource.notes.format.clone(),
        ]);
    }
}

/// Adds files of a resource to a list of files; `item` is the address of what the resource belongs to.
pub fn add_files(table: &mut Table, item: &str, counted: &CountedResource, files: &[CatalogFile], digests: &[String]) {
    let resource = &counted.resource;
    let base = format!("{item}/resources/{}/files", resource.number);
    for (file, digest) in files.iter().zip(digests) {
        let CatalogFile { file, notes, .. } = file;
        table.push([
            file.name.rsplit('/').next().unwrap_or_default().to_owned(),
            file.extent.len.to_string(),
            file_uri(&base, &file.name),
            resource.label.clone(),
            notes.tags.clone(),
            notes.format.clone(),
            notes.content.clone(),
            resource.number.to_string(),
            digest.clone(),
        ]);
    }
}

/// A resource of a scan as the scan's document refers to it; `folder` is where XNAT has the session.
pub fn described(counted: &CountedResource, scan: &str, folder: &str) -> item::Resource {
    // The catalogs of images have names of their own.
    let path = match counted.resource.label.as_str() {
        label @ ("DICOM" | "secondary") => catalog_path(scan, label),
        label => format!("SCANS/{scan}/{label}/{label}_catalog.xml"),
    };
    described_at(counted, format!("{folder}/{path}"))
}

/// A resource as the document of its item refers to it, with its catalog at this place.
pub fn described_at(counted: &CountedResource, uri: String) -> item::Resource {
    let CountedResource { resource, catalog } = counted;
    item::Resource {
        label: resource.label.clone(),
        content: resource.notes.content.clone(),
        format: resource.notes.format.clone(),
        description: resource.notes.description.clone(),
        uri,
        file_count: Some(catalog.files),
        file_size: Some(catalog.bytes),
    }
}

/// Calls `write` with a file as its catalog lists it. Images are known by their UIDs and have no size of their own
/// there, as XNAT has it.
pub fn with_entry<T>(found: &CatalogFile, digest: &str, write: impl FnOnce(&CatalogEntry<'_>) -> T) -> T {
    let CatalogFile { file, by, at_ms, notes, .. } = found;
    let FileNotes { format, content, description, tags } = notes;
    let (size, created) = (file.extent.len.to_string(), date_time(*at_ms));
    let tags: Vec<&str> = tags.split(',').filter(|tag| !tag.is_empty()).collect();
    let entry = CatalogEntry {
        uri: &file.name,
        id: &file.name,
        created_by: by,
        created_time: &created,
        digest,
        format,
        ..Default::default()
    };
    if !file.sop_instance_uid.is_empty() {
        let is_secondary = content == "secondary";
        return write(&CatalogEntry {
            content: if is_secondary { content } else { "" },
            uid: shown_uid(&file.sop_instance_uid),
            instance_number: file.instance_number.filter(|_| !is_secondary),
            tags: &tags,
            ..entry
        });
    }
    write(&CatalogEntry {
        name: file.name.rsplit('/').next().unwrap_or_default(),
        description,
        cache_path: &file.name,
        content,
        meta_fields: &[("SIZE", &size)],
        tags: &tags,
        ..entry
    })
}
