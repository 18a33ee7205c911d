//! `tuspy`, a client of resumable uploads.

use std::fs;
use std::path::Path;

use narthex_tests::{Modality, PASSWORD, Packing, Service, Study, USER, sentence, zip_files};
use tempfile::TempDir;

use super::python;

/// Uploads a file with `tuspy` up to an offset, beginning or going on; prints the address and where it began.
const TUSPY: &str = r#"
import base64, sys
from tusclient.client import TusClient

endpoint, login, path, address, stop_at = sys.argv[1:]
headers = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}
client = TusClient(endpoint, headers=headers)
uploader = client.uploader(
    path, url=address or None, chunk_size=1_000_003, metadata={"filename": "study.zip"}, retries=10, retry_delay=1
)
begun_at = uploader.offset
uploader.upload(stop_at=int(stop_at))
print(uploader.url)
print(begun_at)
"#;

fn tuspy(arguments: &[&str]) -> Result<(String, usize), String> {
    let text = python("tuspy", "tusclient", TUSPY, arguments)?;
    let mut lines = text.lines();
    let address = lines.next().expect("an address").to_owned();
    Ok((address, lines.next().and_then(|line| line.parse().ok()).expect("an offset")))
}

fn write(folder: &TempDir, bytes: &[u8]) -> String {
    let path = folder.path().join("study.zip");
    fs::write(&path, bytes).expect("a file to upload");
    path.to_str().map(str::to_owned).expect("a path of text")
}

#[test]
fn tuspy_uploads_goes_on_and_hears_of_a_refusal() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let endpoint = |query: &str| format!("http://{}/data/services/import/resumable?{query}", api.client.address());
    let (good, login) = (endpoint("import-handler=SI&dest=/prearchive/projects/P1"), format!("{USER}:{PASSWORD}"));
    let study = Study::new(Modality::Ct, 1).patient("T1_CT1", "T1").slices(10).matrix(512);
    let zip = zip_files(study.files().map(|file| (file.name, file.bytes)), Packing::Stored);
    let folder = TempDir::new().expect("a folder for temporary files");
    let path = write(&folder, &zip);
    let half = zip.len() / 2;

    let (address, begun_at) = tuspy(&[&good, &login, &path, "", &half.to_string()]).unwrap();
    assert_eq!(begun_at, 0);
    assert!(api.sessions("P1").rows.is_empty());
    let (same, begun_at) = tuspy(&[&good, &login, &path, &address, &zip.len().to_string()]).unwrap();
    assert_eq!((same.as_str(), begun_at), (address.as_str(), half), "it goes on where it was");
    let row = api.sessions("P1").only().clone();
    api.assert_holds(&format!("/data{}", row.get("url")), &study);
    let here = format!("http://{}", api.client.address());
    let shown = api.get(address.strip_prefix(&here).expect("an address of ours"));
    assert!(shown.text().contains(row.get("url")), "{}", shown.text());

    let path = write(&folder, &b"This is no zip. ".repeat(100_000));
    let length = fs::metadata(Path::new(&path)).expect("the file").len().to_string();
    let error = tuspy(&[&good, &login, &path, "", &length]).unwrap_err();
    assert!(error.contains("status 404"), "the upload that was refused is gone: {error}");
    let error = tuspy(&[&endpoint("import-handler=nonsense"), &login, &path, "", &length]).unwrap_err();
    assert!(error.contains("TusCommunicationError"), "{error}");
    let error = tuspy(&[&good, "admin:wrong", &path, "", &length]).unwrap_err();
    assert!(error.contains("401"), "{error}");
    sentence(&api.get("/data/services/import/resumable/unknown"));
}
