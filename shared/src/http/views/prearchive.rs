//! Sessions of the prearchive.

use std::collections::BTreeMap;

use crate::domain::manifest::{FileEntry, Resource, StoredScan};
use crate::domain::prearchive::{PrearchiveSession, SessionRow};
use crate::domain::resource::CountedResource;
use crate::domain::time::date_time;
use crate::http::json_table::JsonTable;
use crate::http::path::join_segments;
use crate::http::{Column, Format, Rendered, Table};
use crate::imaging::ecat::shown_uid;
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
        table.push(cells(session, &Written::of(session)));
    }
    table
}

/// The same as JSON, without holding the table: for lists of any length that come in the order in which they were read.
pub fn json(sessions: &[SessionRow]) -> Rendered {
    let columns: Vec<Column> = COLUMNS.iter().copied().map(Column::new).collect();
    let mut json = JsonTable::begin(&columns, 64 + sessions.len() * JSON_ROW_BYTES);
    for session in sessions {
        json.row(cells(session, &Written::of(session)));
    }
    Rendered { content_type: Format::Json.content_type(), body: json.end(None, false).into() }
}

/// A usual row in JSON, with some air.
const JSON_ROW_BYTES: usize = 640;

/// The cells of a row that its session does not hold as they are written.
struct Written {
    lastmod: String,
    uploaded: String,
    scan_date: String,
    url: String,
}

impl Written {
    fn of(session: &SessionRow) -> Self {
        let scan_date =
            if session.scan_date.is_empty() { String::new() } else { format!("{} 00:00:00.0", session.scan_date) };
        Self {
            lastmod: date_time(session.lastmod_ms),
            uploaded: date_time(session.uploaded_ms),
            scan_date,
            url: session.place.uri(),
        }
    }
}

/// The cells of a row, in the order of the columns.
fn cells<'a>(session: &'a SessionRow, written: &'a Written) -> [&'a str; COLUMNS.len()] {
    let flag = |is_set: bool| if is_set { "true" } else { "false" };
    [
        &session.place.project,
        &session.place.timestamp,
        &written.lastmod,
        &written.uploaded,
        &written.scan_date,
        &session.scan_time,
        &session.subject,
        &session.place.folder,
        &session.name,
        shown_uid(&session.tag),
        session.status.as_str(),
        &written.url,
        &session.autoarchive,
        flag(session.prevent_anon),
        flag(session.prevent_auto_commit),
        &session.source,
        &session.visit,
        &session.protocol,
        &session.timezone,
    ]
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
            description: resource.description.clone(),
            uri: catalog_path(&stored.scan.id, &resource.label),
            file_count: None,
            file_size: None,
        });
        (
            stored.scan.id.clone(),
            ScanContext {
                scan_type: stored.scan_type.clone().unwrap_or_default(),
                quality: stored.quality.clone().unwrap_or_default(),
                resources: resources.collect(),
                ..Default::default()
            },
        )
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
        description: resource.notes.description.clone(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::prearchive::{SessionPlace, Status};

    fn row(folder: &str) -> SessionRow {
        SessionRow {
            place: SessionPlace::new("P", "20240501_102233123", folder),
            status: Status::Ready,
            name: "a \"name\"".to_owned(),
            subject: "Ä".to_owned(),
            tag: "1.2.3".to_owned(),
            scan_date: "2024-05-01".to_owned(),
            scan_time: "10:15:00".to_owned(),
            uploaded_ms: 1_714_559_553_123,
            lastmod_ms: 1_714_559_553_124,
            autoarchive: "Manual".to_owned(),
            prevent_anon: true,
            prevent_auto_commit: false,
            source: "s".to_owned(),
            visit: "v".to_owned(),
            protocol: "p\n".to_owned(),
            timezone: "t".to_owned(),
        }
    }

    #[test]
    fn sessions_are_the_same_json_with_and_without_a_table() {
        let undated = SessionRow { scan_date: String::new(), ..row("S3") };
        for rows in [vec![], vec![row("S1")], vec![row("S1"), row("S2"), undated]] {
            assert_eq!(json(&rows), table(&rows).render(&Format::Json));
        }
    }
}
