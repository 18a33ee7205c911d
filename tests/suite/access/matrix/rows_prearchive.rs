//! The rows of the prearchive.

use super::rows::{Body, Row, Spoils, row};
use super::rules::Rule;

/// The rows.
pub fn rows() -> Vec<Row> {
    const NOTES: &[(&str, &str)] = &[("resource", "NOTES"), ("file", "a.txt")];
    // Another name than that of the file that is there.
    const NEW: &[(&str, &str)] = &[("resource", "NOTES"), ("file", "b/c.txt")];
    const FROM: &[(&str, &str)] = &[("project", "DESTINY_1"), ("session", "{source}")];
    let row = |name, rule| row("prearchive", name, rule);
    let edit = |name| row(name, Rule::EditPrearchive);
    let act = |form| edit("Act").body(Body::Form(form));
    let note = Body::File("a note");
    vec![
        row("ListAll", Rule::User),
        row("Resync", Rule::AllDataAdmin),
        row("Recent", Rule::User).query("recent=5"),
        row("ListProject", Rule::ReadPrearchive),
        edit("Session"),
        act("action=build"),
        act("action=commit&AA=false"),
        act("action=reset-status"),
        act("action=set-status&status=READY"),
        act("action=delete").spoils(Spoils::Session),
        act("action=nonsense").answers(&[400]),
        act("action=move&newProject=DESTINY_1").answers(&[301]).spoils(Spoils::Session),
        edit("Act")
            .with(FROM)
            .body(Body::Form("action=move&newProject={place}"))
            .answers(&[301])
            .spoils(Spoils::Source),
        edit("DeleteSession").spoils(Spoils::Session),
        edit("Logs"),
        edit("Log").with(&[("log", "last")]),
        edit("Scans"),
        edit("Scan").query("format=zip"),
        edit("DeleteScan").spoils(Spoils::Session),
        edit("ScanResources"),
        edit("ScanResource").query("format=zip"),
        edit("ScanFiles"),
        edit("ScanFile"),
        edit("Resources"),
        edit("Resource").query("format=tar").with(NOTES),
        edit("DeleteResource").with(NOTES).spoils(Spoils::Session),
        edit("Files").with(NOTES),
        edit("AddFiles").with(NEW).body(note),
        edit("File").with(NOTES),
        edit("AddFile").with(NEW).body(note),
        edit("DeleteFile").with(NOTES).spoils(Spoils::Session),
        edit("Move").body(Body::Form("src={src}&newProject=DESTINY_1")).spoils(Spoils::Session),
        edit("Move")
            .with(FROM)
            .body(Body::Form("src=/prearchive/projects/DESTINY_1/{timestamp}/{source}&newProject={place}"))
            .spoils(Spoils::Source),
        edit("Rebuild").body(Body::Form("src={src}")),
        edit("Delete").body(Body::Form("src={src}")).spoils(Spoils::Session),
        row("Sweep", Rule::AdminOnly),
    ]
}
