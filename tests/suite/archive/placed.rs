//! Files that are put by hand with the host's command, beside a running service, and taken up by a refresh.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use narthex_tests::{Api, Modality, Service, Study, Table, host_binary, root};
use tempfile::TempDir;

use super::archived;
use super::shelves::put_file;

const SESSION: &str = "archive/P1/arc001/S41_MR1";

/// Runs `narthex-host files`.
fn files(service: &Service, what: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(host_binary());
    command.args(["files", what]).arg("--from").arg(root().join("spin.toml"));
    command.arg("--state-dir").arg(service.state());
    command.arg("--runtime-config-file").arg(root().join("runtime-config.toml"));
    command.args(arguments).output().unwrap()
}

#[track_caller]
fn done(service: &Service, what: &str, arguments: &[&str]) -> String {
    let output = files(service, what, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(service: &Service, what: &str, arguments: &[&str]) -> String {
    let output = files(service, what, arguments);
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

fn append(api: &Api, resource: &str) -> Table {
    let fields = [("resource", resource), ("options", "append,checksum"), ("format", "json")];
    Table::of(&api.client.post_form("/data/services/refresh/catalog", &fields).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder with one file of each name, which has its name as content.
fn folder(names: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in names {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    folder
}

#[test]
fn what_is_put_by_hand_becomes_a_file_like_any_other() {
    let (service, api) = archived();
    put_file(&api, "/data/experiments/XNAT_E00001/resources/NOTES/files/a.txt", b"old");
    put_file(&api, "/data/projects/P1/subjects/S41/resources/PAPERS/files/p", b"x");
    put_file(&api, "/data/projects/P1/resources/PLAN/files/p", b"x");
    let source = folder(&["a.txt", "sub/b.txt", "c_catalog.xml"]);
    let at = |name: &str| text(&source.path().join(name)).to_owned();
    let said = done(&service, "put", &[&format!("/{SESSION}/RESOURCES/NOTES/"), &at("a.txt"), &at("sub")]);
    assert!(said.starts_with("2 files of 14 bytes wait in"), "{said}");
    done(&service, "put", &["archive/P1/subjects/S41/PAPERS/deep", &at("sub/b.txt")]);
    done(&service, "put", &["--as", "lab", "archive/P1/resources/PLAN", &at("sub/b.txt")]);
    // Nobody sees them before.
    let notes = "/data/experiments/XNAT_E00001/resources/NOTES/files";
    assert_eq!(api.table(&format!("{notes}?format=json")).column("Name"), ["a.txt"]);
    assert_eq!(api.get(&format!("{notes}/sub/b.txt")).status, 404);
    let listed = done(&service, "list", &["archive/P1"]);
    assert_eq!(
        listed.lines().collect::<Vec<_>>(),
        [
            "9\tarchive/P1/resources/PLAN/b.txt",
            "9\tarchive/P1/subjects/S41/PAPERS/deep/b.txt",
            "5\tarchive/P1/arc001/S41_MR1/RESOURCES/NOTES/a.txt",
            "9\tarchive/P1/arc001/S41_MR1/RESOURCES/NOTES/sub/b.txt",
        ]
    );
    let table = append(&api, "/archive/experiments/XNAT_E00001/resources/NOTES");
    let row = &table.rows[0];
    assert_eq!((row.get("appended"), row.get("not_appended"), row.get("file_count")), ("1", "1", "2"));
    assert_eq!(row.get("not_appended_files"), "a.txt");
    assert_eq!(append(&api, "/data/archive/projects/P1/subjects/S41").column("appended"), ["1"]);
    assert_eq!(append(&api, "/projects/P1").column("appended"), ["1"]);
    assert_eq!(api.bytes(&format!("{notes}/a.txt")), b"old");
    assert_eq!(api.bytes(&format!("{notes}/sub/b.txt")), b"sub/b.txt");
    assert_eq!(api.bytes("/data/projects/P1/subjects/S41/resources/PAPERS/files/deep/b.txt"), b"sub/b.txt");
    let catalog = api.get("/data/projects/P1/resources/PLAN").text();
    for part in ["URI=\"b.txt\"", "ID=\"b.txt\"", "createdBy=\"admin\"", "digest=\""] {
        assert!(catalog.contains(part), "{part}: {catalog}");
    }
    // What the resource had waits until somebody removes it.
    let notes = format!("{SESSION}/RESOURCES/NOTES");
    assert!(refused(&service, "remove", &[&notes, "b"]).contains("not all"));
    assert_eq!(done(&service, "list", &[SESSION]).lines().count(), 1);
    assert!(done(&service, "remove", &[&notes]).starts_with("1 files"));
    assert_eq!(done(&service, "list", &["archive/P1"]), "");
}

#[test]
fn images_put_by_hand_stand_in_the_catalog_of_their_scan() {
    let (service, api) = archived();
    let study = Study::new(Modality::Mr, 41).patient("S41_MR1", "S41").series_named(2, "t1").slices(7);
    let image = study.files().last().unwrap().bytes;
    let source = TempDir::new().unwrap();
    let path = source.path().join("late.dcm");
    fs::write(&path, &image).unwrap();
    done(&service, "put", &[&format!("{SESSION}/SCANS/2/DICOM"), text(&path)]);
    let files = "/data/projects/P1/experiments/S41_MR1/scans/2/resources/DICOM/files";
    let before = api.table(&format!("{files}?format=json")).rows.len();
    let rows = append(&api, "/archive/projects/P1/experiments/S41_MR1").rows;
    let of = |scan: &str, label: &str| {
        rows.iter().find(|row: &&narthex_tests::Row| row.get("scan") == scan && row.get("label") == label)
    };
    assert_eq!(of("2", "DICOM").unwrap().get("appended"), "1");
    assert_eq!(of("1", "DICOM").unwrap().get("appended"), "0");
    assert_eq!(api.table(&format!("{files}?format=json")).rows.len(), before + 1);
    assert_eq!(api.bytes(&format!("{files}/late.dcm")), image);
    let catalog = api.get("/data/projects/P1/experiments/S41_MR1/scans/2/resources/DICOM").text();
    let entry = catalog.split("<cat:entry").find(|entry| entry.contains("late.dcm")).unwrap();
    assert!(entry.contains("xsi:type=\"cat:dcmEntry\"") && entry.contains("UID=\""), "{entry}");
}

#[test]
fn what_names_no_resource_or_no_fit_file_is_refused_and_nothing_is_put() {
    let (service, api) = archived();
    put_file(&api, "/data/experiments/XNAT_E00001/resources/NOTES/files/a.txt", b"old");
    let source = folder(&["a.txt", "x_catalog.xml"]);
    fs::write(source.path().join("empty"), b"").unwrap();
    let file = text(&source.path().join("a.txt")).to_owned();
    for (folder, word) in [
        ("archive/P2/resources/R", "\"P2\""),
        ("archive/P1/arc001/NONE/RESOURCES/NOTES", "NONE"),
        ("archive/P1/arc001/S41_MR1/SCANS/77/DICOM", "\"77\""),
        ("archive/P1/arc001/S41_MR1/RESOURCES/OTHER", "OTHER"),
        ("archive/P1/arc001/S41_MR1/RESOURCES/../NOTES", "A folder is"),
        ("archive/P1/arc001/S41_MR1", "folder of an item"),
    ] {
        let said = refused(&service, "put", &[folder, &file]);
        assert!(said.contains(word), "{folder}: {said}");
    }
    let notes = format!("{SESSION}/RESOURCES/NOTES");
    let said = refused(&service, "put", &[&notes, text(source.path()), "/does/not/exist"]);
    assert_eq!(said.lines().count(), 3, "{said}");
    // What is fit is put all the same.
    assert_eq!(done(&service, "list", &[SESSION]).lines().count(), 1);
    assert_eq!(api.put("/data/experiments/XNAT_E00001?lock=true").status, 200);
    assert!(refused(&service, "put", &[&notes, &file]).contains("locked"));
    let fields = [("resource", "/archive/experiments/XNAT_E00001"), ("options", "append")];
    assert_eq!(api.client.post_form("/data/services/refresh/catalog", &fields).unwrap().status, 403);
    let elsewhere = TempDir::new().unwrap();
    let output = Command::new(host_binary())
        .args(["files", "list", "--state-dir", text(elsewhere.path()), "archive/P1"])
        .arg("--runtime-config-file")
        .arg(root().join("runtime-config.toml"))
        .arg("--from")
        .arg(root().join("spin.toml"))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no store"), "{output:?}");
}
