//! The session documents of real files say what pydicom, which no one here wrote, reads of the same files.

use std::collections::BTreeMap;

use narthex_tests::{Service, encode, real_files, root};

use super::python::python;
use crate::prearchive::formats::parsers::elements;

/// Facts of a file by their paths in the document; `None` for what must not be in it.
type Facts = BTreeMap<String, Option<String>>;

/// What pydicom reads, by the names of the files.
fn read_by_pydicom(names: &[String]) -> BTreeMap<String, Facts> {
    let folder = root().join("target/test-data");
    let wheels = std::fs::read_dir(&folder).expect("the folder of test data").flatten().map(|entry| entry.path());
    let is_pydicom = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("pydicom-") && name.ends_with(".whl")
    };
    let wheel = wheels.into_iter().find(is_pydicom).expect("the wheel of pydicom");
    let paths: Vec<String> = names.iter().map(|name| format!("{}/pydicom/{name}", folder.display())).collect();
    let output = python(include_str!("facts.py"), &[&wheel.to_string_lossy()], paths.join("\n").as_bytes());
    let facts: BTreeMap<String, Facts> = serde_json::from_slice(&output).expect("JSON of facts");
    let short = |path: String| path.rsplit_once("/test-data/pydicom/").expect("a path of the test data").1.to_owned();
    facts.into_iter().map(|(path, facts)| (short(path), facts)).collect()
}

/// The content of a session document by path: below its root, without the prefix of the namespace.
fn said(xml: &str) -> BTreeMap<String, String> {
    let plain =
        |path: String| path.split('/').skip(1).map(|step| step.replace("xnat:", "")).collect::<Vec<_>>().join("/");
    elements(xml).into_iter().map(|(path, text)| (plain(path), text.trim().to_owned())).collect()
}

fn is_equal(one: &str, other: &str) -> bool {
    let numbers = one.parse::<f64>().ok().zip(other.parse::<f64>().ok());
    // XML makes one blank of several only for those who ask; trailing ones are padding in DICOM.
    one == other || numbers.is_some_and(|(one, other)| (one - other).abs() <= f64::EPSILON * one.abs())
}

#[test]
fn of_session_documents_are_those_that_pydicom_reads() {
    let files = real_files();
    let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    let read = read_by_pydicom(&names);
    let service = Service::start();
    let api = service.api();
    api.project("REAL");
    let (mut compared, mut facts_compared) = (0, 0);
    let mut wrong = Vec::new();
    for file in &files {
        let facts = &read[&file.name];
        let response = api.send("dest=/prearchive/projects/REAL", "application/octet-stream", &file.bytes);
        if response.status != 200 {
            continue;
        }
        let uri = response.text().trim().to_owned();
        if let Some(Some(error)) = facts.get("error") {
            println!("{:<60} pydicom: {error}", file.name);
        } else {
            let said = said(&api.get(&format!("{uri}?format=xml")).text());
            let mut all = facts.clone();
            all.insert("@project".to_owned(), Some("REAL".to_owned()));
            for (path, wanted) in &all {
                let found = said.get(path).map(String::as_str);
                facts_compared += 1;
                let agrees = match (wanted.as_deref(), found) {
                    (Some(wanted), Some(found)) => is_equal(wanted, found),
                    (None, found) => found.is_none_or(str::is_empty),
                    (Some(_), None) => false,
                };
                if !agrees {
                    wrong.push(format!("{} {path}: pydicom {wanted:?}, the document {found:?}", file.name));
                }
            }
            // One file is one scan of one file.
            let scans = api.table(&format!("{uri}/scans"));
            assert_eq!(scans.rows.len(), 1, "{}", file.name);
            let scan = encode(scans.only().get("ID"));
            let resources = api.table(&format!("{uri}/scans/{scan}/resources"));
            assert_eq!(resources.only().get("file_count"), "1", "{}", file.name);
            compared += 1;
        }
        let removed = api.client.delete(&uri).unwrap();
        assert_eq!(removed.status, 200, "{}: {}", file.name, removed.text());
    }
    println!("{facts_compared} facts of {compared} files compared");
    assert!(wrong.is_empty(), "{} differ: {wrong:#?}", wrong.len());
    assert!(compared > 80, "only {compared} files were compared");
}
