//! The resource quarantine.

use crate::domain::catalog::CatalogFile;
use crate::domain::time::date_time;
use crate::domain::triage::{Target, TriageFolder};
use crate::http::escape::markup;
use crate::http::path::{join_segments, push_segment};
use crate::http::{Column, Table};

/// The address of a folder.
pub fn folder_address(project: &str, label: &str) -> String {
    format!("/data/services/triage{}", join_segments(["projects", project, "resources", label]))
}

/// The address of a file of a folder.
pub fn file_address(project: &str, label: &str, path: &str) -> String {
    let mut address = folder_address(project, label);
    address.push_str("/files");
    path.split('/').for_each(|part| push_segment(&mut address, part));
    address
}

/// What is answered to an upload that went to the quarantine instead of the archive.
pub fn quarantined(addresses: &[String], duplicates: &[String]) -> String {
    let mut answer = serde_json::json!({ "quarantined": addresses });
    if !duplicates.is_empty() {
        answer["duplicates"] = duplicates.into();
    }
    answer.to_string()
}

/// The table of the files of a project's quarantine.
pub fn list() -> Table {
    let names = [
        "Resource",
        "URI",
        "TARGET",
        "USER",
        "DATE",
        "OVERWRITE",
        "EVENT_REASON",
        "FTARGET",
        "format",
        "content",
        "FSOURCE",
    ];
    table(&names)
}

/// The table of the files of a folder.
pub fn files() -> Table {
    let names =
        ["Name", "Size", "URI", "TARGET", "USER", "DATE", "OVERWRITE", "EVENT_REASON", "FTARGET", "format", "content"];
    table(&names)
}

fn table(names: &[&'static str]) -> Table {
    let column =
        |name: &&'static str| if matches!(*name, "URI" | "TARGET") { Column::uri(*name) } else { Column::new(*name) };
    let mut table = Table::new(names.iter().map(column));
    table.counted = true;
    table
}

/// Adds a row for each file of a folder to the list of a project's quarantine. As in XNAT a row has the folder's
/// address, and two cells are HTML.
pub fn add_to_list(table: &mut Table, folder: &TriageFolder, files: &[CatalogFile]) {
    let uri = folder_address(&folder.project, &folder.label);
    for file in files {
        let name = markup(&file.file.name);
        let [target, user, date, overwrite, reason, ftarget, format, content] = facts(folder, file);
        table.push([
            folder.label.clone(),
            uri.clone(),
            target,
            user,
            date,
            overwrite,
            reason,
            ftarget,
            format,
            content,
            format!("{name}<br>"),
        ]);
    }
}

/// Adds files to the table of a folder's files.
pub fn add_files(table: &mut Table, folder: &TriageFolder, files: &[CatalogFile]) {
    for file in files {
        let name = file.file.name.rsplit('/').next().unwrap_or_default().to_owned();
        let uri = file_address(&folder.project, &folder.label, &file.file.name);
        let [target, user, date, overwrite, reason, ftarget, format, content] = facts(folder, file);
        table.push([
            name,
            file.file.extent.len.to_string(),
            uri,
            target,
            user,
            date,
            overwrite,
            reason,
            ftarget,
            format,
            content,
        ]);
    }
}

fn facts(folder: &TriageFolder, file: &CatalogFile) -> [String; 8] {
    let (target, wish) = (folder.target.as_ref(), folder.wish_of(file));
    [
        target.map(|target| target.uri.clone()).unwrap_or_default(),
        file.by.clone(),
        // XNAT's has no fractions of seconds.
        date_time(file.at_ms).split('.').next().unwrap_or_default().to_owned(),
        wish.overwrite.to_string(),
        wish.reason,
        target.map(in_html).unwrap_or_default(),
        file.notes.format.clone(),
        file.notes.content.clone(),
    ]
}

/// A destination as XNAT's page shows it.
fn in_html(target: &Target) -> String {
    let parts = [
        ("Project", &target.project),
        ("Subject", &target.subject),
        ("Experiment", &target.experiment),
        ("Scan", &target.scan),
        ("Assessor", &target.assessor),
        ("Resource", &target.resource),
    ];
    let shown = parts.into_iter().filter(|(_, name)| !name.is_empty());
    shown.map(|(kind, name)| format!("<b>{kind}</b>: {}", markup(name))).collect::<Vec<_>>().join("<br>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shelf::ShelfOf;

    #[test]
    fn destinations_are_html_out_of_which_no_name_breaks() {
        let target = Target {
            uri: String::new(),
            project: "P".to_owned(),
            of: ShelfOf::Subject("S1".to_owned()),
            resource: "R".to_owned(),
            subject: "<img src=x onerror=\"a()\">".to_owned(),
            experiment: String::new(),
            scan: String::new(),
            assessor: String::new(),
        };
        assert_eq!(
            in_html(&target),
            "<b>Project</b>: P<br><b>Subject</b>: &lt;img src=x onerror=&quot;a()&quot;&gt;<br><b>Resource</b>: R"
        );
    }

    #[test]
    fn addresses_hold_any_name() {
        assert_eq!(
            file_address("P", "a b<", "c/d\"%.txt"),
            "/data/services/triage/projects/P/resources/a%20b%3C/files/c/d%22%25.txt"
        );
        assert_eq!(quarantined(&["a".to_owned()], &[]), r#"{"quarantined":["a"]}"#);
    }
}
