//! Sessions of the prearchive.

use std::collections::BTreeMap;

use crate::domain::manifest::{FileEntry, Resource, StoredScan};
use crate::domain::prearchive::{PrearchiveSession, SessionRow};
use crate::domain::resource::CountedResource;
use crate::domain::time::date_time;
use crate::http::path::join_segments;
use crate::http::{Column, Table};
use crate::imaging::item::{Resource as ItemResource, ScanContext, SessionContext};

/// The columns of every prearchive table, in XNAT's order.
pub const COLUMNS: &[&str] = &[
    "project",
    "timestamp",
    "lastmod",
    "uploaded",
    "scan_date",
    "scan_time",
    "subject",
    "folderName",
    "name",
    "tag",
    "status",
    "url",
    "autoarchive",
    "prevent_anon",
    "prevent_auto_commit",
    "SOURCE",
    "VISIT",
    "PROTOCOL",
    "TIMEZONE",
];

/// The table of sessions.
pub fn table<'a>(sessions: impl IntoIterator<Item = &'a SessionRow>) -> Table {
    let mut table = Table::with_columns(COLUMNS.iter().copied());
    for session in sessions {
        let scan_date =
            if session.scan_date.is_empty() { String::new() } else { format!("{} 00:00:00.0", session.scan_date) };
        table.push([
            session.place.project.clone(),
            session.place.timestamp.clone(),
            date_time(session.lastmod_ms),
            date_time(session.uploaded_ms),
            scan_date,
            session.scan_time.clone(),
            session.subject.clone(),
            session.place.folder.clone(),
            session.name.clone(),
            session.tag.clone(),
            session.status.as_str().to_owned(),
            session.place.uri(),
            session.autoarchive.clone(),
            session.prevent_anon.to_string(),
            session.prevent_auto_commit.to_string(),
            session.source.clone(),
            session.visit.clone(),
            session.protocol.clone(),
            session.timezone.clone(),
        ]);
    }
    table
}

/// The table of a session's log: each entry with its identifier, or the identifiers alone.
pub fn logs(session: &PrearchiveSession, with_entries: bool) -> Table {
    if !with_entries {
        let mut table = Table::with_columns(["id"]);
        log_entries(session).into_iter().for_each(|(at_ms, _)| table.push([at_ms.to_string()]));
        return table;
    }
    let mut table = Table::with_columns(["id", "date", "entry"]);
    for (at_ms, entry) in log_entries(session) {
        table.push([at_ms.to_string(), date_time(at_ms), entry]);
    }
    table
}

/// The entries of a session's log, oldest first: what was noted at one moment is one entry, named by that moment.
pub fn log_entries(session: &PrearchiveSession) -> Vec<(u64, String)> {
    let mut entries: Vec<(u64, String)> = Vec::new();
    for line in &session.log {
        match entries.last_mut() {
            Some((at_ms, entry)) if *at_ms == line.at_ms => {
                entry.push('\n');
                entry.push_str(&line.text);
            }
            _ => entries.push((line.at_ms, line.text.clone())),
        }
    }
    entries
}

/// The table of a session's scans.
pub fn scans(scans: &[StoredScan]) -> Table {
    let mut table = Table::with_columns(["ID", "xsiType", "series_description"]);
    for stored in scans {
        let scan = &stored.scan;
        table.push([scan.id.as_str(), scan.xsi_type.as_str(), scan.series_description.as_deref().unwrap_or_default()]);
    }
    table
}

/// The table of a scan's resources.
pub fn resources(resources: &[Resource]) -> Table {
    let mut table = Table::with_columns(["label", "file_count", "file_size"]);
    for resource in resources {
        table.push([resource.label.clone(), resource.count.to_string(), resource.bytes.to_string()]);
    }
    table
}

/// The table of the resources of all scans of a session, and of its own.
pub fn all_resources(scans: &[StoredScan], resources: &[CountedResource]) -> Table {
    let mut table = Table::with_columns(["category", "cat_id", "label", "file_count", "file_size"]);
    for stored in scans {
        for resource in &stored.resources {
            let (count, bytes) = (resource.count.to_string(), resource.bytes.to_string());
            table.push(["scans", &stored.scan.id, &resource.label, &count, &bytes]);
        }
    }
    for counted in resources {
        let (count, bytes) = (counted.catalog.files.to_string(), counted.catalog.bytes.to_string());
        table.push(["resources", "", &counted.resource.label, &count, &bytes]);
    }
    table
}

/// An empty table of a resource's files.
pub fn files() -> Table {
    Table::new([Column::new("Name"), Column::new("Size"), Column::uri("URI")])
}

/// Adds files to the table of a resource's files; `base` is the address of the list.
pub fn add_files<'a>(table: &mut Table, files: impl IntoIterator<Item = &'a FileEntry>, base: &str) {
    for file in files {
        let name = file.name.rsplit('/').next().unwrap_or_default().to_owned();
        table.push([name, file.extent.len.to_string(), file_uri(base, &file.name)]);
    }
}

/// XNAT's answer for files that are there already: `{"duplicates":["PATH"]}`.
pub fn duplicates(paths: &[String]) -> String {
    serde_json::json!({ "duplicates": paths }).to_string()
}

/// The address of a file below the address of its list.
pub fn file_uri(base: &str, name: &str) -> String {
    format!("{base}{}", join_segments(name.split('/')))
}

/// What a session document says besides the headers; `resources` are those of the session itself.
pub fn context(session: &PrearchiveSession, scans: &[StoredScan], resources: &[CountedResource]) -> SessionContext {
    let place = &session.place;
    let project = if place.is_unassigned() { String::new() } else { place.project.clone() };
    let scans = scans.iter().map(|stored| {
        let resources = stored.resources.iter().map(|resource| ItemResource {
            label: resource.label.clone(),
            content: resource.content.clone(),
            format: resource.format.clone(),
            uri: catalog_path(&stored.scan.id, &resource.label),
            file_count: None,
            file_size: None,
        });
        (stored.scan.id.clone(), ScanContext { resources: resources.collect(), ..Default::default() })
    });
    SessionContext {
        project,
        label: session.name.clone(),
        subject: session.subject.clone(),
        visit: session.visit.clone(),
        protocol: session.protocol.clone(),
        fields: session.fields.clone(),
        prearchive_path: format!("/prearchive/{}/{}/{}", place.project, place.timestamp, place.folder),
        resources: resources.iter().map(|counted| described(counted, String::new())).collect(),
        scans: scans.collect::<BTreeMap<_, _>>(),
        ..Default::default()
    }
}

/// A session's own resource as its document refers to it; `folder` is where XNAT has the session, empty in the
/// prearchive.
pub(super) fn described(counted: &CountedResource, folder: String) -> ItemResource {
    let resource = &counted.resource;
    let is_archived = !folder.is_empty();
    let folder = if is_archived { format!("{folder}/") } else { folder };
    ItemResource {
        label: resource.label.clone(),
        content: resource.notes.content.clone(),
        format: resource.notes.format.clone(),
        uri: format!("{folder}RESOURCES/{0}/{0}_catalog.xml", resource.label),
        file_count: is_archived.then_some(counted.catalog.files),
        file_size: is_archived.then_some(counted.catalog.bytes),
    }
}

/// Where XNAT has the catalog of a scan's resource, relative to the session's folder.
pub fn catalog_path(scan: &str, resource: &str) -> String {
    let kind = if resource == "secondary" { "_secondary" } else { "" };
    format!("SCANS/{scan}/{resource}/scan_{scan}{kind}_catalog.xml")
}
