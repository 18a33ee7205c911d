//! Scans, their resources and files.

use super::super::formats::parsers;
use super::{import, media_type, ok, post, service, study};

#[test]
fn scans_are_listed_and_deleted() {
    let service = service();
    let api = service.api();
    let uri = format!("/data/prearchive/projects/P1/{}", import(&api, 1));
    // Clients ask for columns that lists of experiments have.
    for query in ["", "?format=json", "?columns=ID,URI,series_description&format=json"] {
        let cells = parsers::json(&api.get(&format!("{uri}/scans{query}")));
        assert_eq!(cells.columns, ["ID", "xsiType", "series_description"], "{query}");
        assert_eq!(cells.rows, [["1", "xnat:mrScanData", "localizer"], ["2", "xnat:mrScanData", "t1"]], "{query}");
    }
    let deleted = api.client.delete(&format!("{uri}/scans/1")).unwrap();
    assert_eq!((deleted.status, deleted.text().as_str()), (200, ""));
    assert_eq!(api.table(&format!("{uri}/scans")).column("ID"), ["2"]);
    assert!(!String::from_utf8(api.bytes(&uri)).unwrap().contains("localizer"), "the document has the scan yet");
    assert_eq!(api.get(&format!("{uri}/scans/1/resources")).status, 404);
    let unknown = api.client.delete(&format!("{uri}/scans/1")).unwrap();
    assert!(unknown.status == 404 && unknown.text().contains("Unknown scan 1"), "{}", unknown.text());
    // What is left is as it was, also when it is built again.
    ok(&post(&api, &format!("{uri}?action=build")));
    assert_eq!(api.table(&format!("{uri}/scans")).column("ID"), ["2"]);
    assert_eq!(api.content(&uri).len(), 3);
}

#[test]
fn resources_and_files_of_a_scan_are_listed() {
    let service = service();
    let api = service.api();
    let uri = format!("/data/prearchive/projects/P1/{}", import(&api, 1));
    let files: Vec<_> = study(1).files().filter(|file| file.series == 2).collect();
    let size: usize = files.iter().map(|file| file.bytes.len()).sum();
    for base in [uri.clone(), uri.replace("/data", "/REST")] {
        let resources = parsers::json(&api.get(&format!("{base}/scans/2/resources")));
        assert_eq!(resources.columns, ["label", "file_count", "file_size"]);
        assert_eq!(resources.rows, [["DICOM".to_owned(), "3".to_owned(), size.to_string()]]);
        let list = api.table(&format!("{base}/scans/2/resources/DICOM/files"));
        assert_eq!(list.rows[0].columns(), ["Name", "Size", "URI"]);
        for (row, file) in list.rows.iter().zip(&files) {
            assert_eq!((row.get("Name"), row.get("Size")), (file.name.as_str(), file.bytes.len().to_string().as_str()));
            // Links always begin with /data, whatever the request did.
            assert_eq!(row.get("URI"), format!("{uri}/scans/2/resources/DICOM/files/{}", file.name));
            assert!(api.bytes(row.get("URI")) == file.bytes);
        }
    }
}

#[test]
fn a_file_is_given_whole_in_part_or_not_again() {
    let service = service();
    let api = service.api();
    let uri = format!("/data/prearchive/projects/P1/{}", import(&api, 1));
    let file = study(1).files().next().unwrap();
    let length = file.bytes.len();
    let path = format!("{uri}/scans/1/resources/DICOM/files/{}", file.name);
    let whole = api.get(&path);
    ok(&whole);
    assert!(whole.body == file.bytes);
    assert_eq!(media_type(&whole), "application/octet-stream");
    assert_eq!(whole.header("content-length"), Some(length.to_string().as_str()));
    let disposition = whole.header("content-disposition").unwrap_or_default();
    assert!(disposition.starts_with("attachment") && disposition.contains(&file.name), "{disposition}");

    let head = api.client.request("HEAD", &path).send().unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
    for header in ["content-length", "content-type", "content-disposition", "etag", "last-modified", "accept-ranges"] {
        assert!(whole.header(header).is_some(), "{header}");
        assert_eq!(head.header(header), whole.header(header), "{header}");
    }

    let ask = |name: &str, value: &str| api.client.request("GET", &path).header(name, value).send().unwrap();
    for (range, from, to) in [("bytes=0-9", 0, 10), ("bytes=100-", 100, length), ("bytes=-7", length - 7, length)] {
        let part = ask("Range", range);
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(part.header("content-range"), Some(format!("bytes {from}-{}/{length}", to - 1).as_str()), "{range}");
        assert!(part.body == file.bytes[from..to], "{range}");
    }
    let beyond = ask("Range", &format!("bytes={length}-"));
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some(format!("bytes */{length}").as_str())));
    let etag = whole.header("etag").unwrap();
    assert_eq!(ask("If-None-Match", etag).status, 304);
    assert_eq!(ask("If-None-Match", "\"other\"").status, 200);
    assert_eq!(ask("If-Modified-Since", whole.header("last-modified").unwrap()).status, 304);
    assert!(ask("If-Match", "\"other\"").status == 412);
    for gone in [format!("{path}x"), path.replace("/DICOM/", "/NONE/"), path.replace("/scans/1/", "/scans/9/")] {
        assert_eq!(api.get(&gone).status, 404, "{gone}");
    }
}

#[test]
fn a_session_has_files_of_its_own() {
    let service = service();
    let api = service.api();
    let uri = format!("/data/prearchive/projects/P1/{}", import(&api, 1));
    let path = format!("{uri}/resources/NOTES/files/a.txt");
    ok(&api.client.request("PUT", &path).header("Content-Type", "text/plain").send_bytes(b"hello").unwrap());
    let all = parsers::json(&api.get(&format!("{uri}/resources")));
    assert_eq!(all.columns, ["category", "cat_id", "label", "file_count", "file_size"]);
    assert!(all.rows.contains(&["resources", "", "NOTES", "1", "5"].map(str::to_owned).to_vec()), "{:?}", all.rows);
    assert_eq!(all.rows.iter().filter(|row| row[0] == "scans").count(), 2);
    assert_eq!(api.bytes(&path), b"hello");
    ok(&api.client.delete(&path).unwrap());
    assert_eq!(api.client.delete(&path).unwrap().status, 404);
}
