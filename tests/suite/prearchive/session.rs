//! One session of the prearchive.

use narthex_tests::{Modality, Service, Study, Table, sentence};

fn study() -> Study {
    Study::new(Modality::Mr, 31).patient("S31_MR1", "S31").series_named(1, "localizer").slices(3).and_series(
        2,
        "t1",
        Modality::Mr,
        7,
    )
}

#[test]
fn in_json_it_is_a_table_with_its_row() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let uri = api.import("P1", &study());
    let row = api.table(&uri).only().clone();
    assert_eq!(&row, api.sessions("P1").only());
    let gone = uri.replace("/S31_MR1", "/OTHER");
    assert!(api.table(&gone).rows.is_empty(), "an unknown session has no row");
}

#[test]
fn its_scans_resources_and_files_are_listed() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let uri = api.import("P1", &study());

    let scans = api.table(&format!("{uri}/scans"));
    assert_eq!(scans.rows[0].columns(), ["ID", "xsiType", "series_description"]);
    let t1 = scans.row("ID", "2");
    assert_eq!((t1.get("xsiType"), t1.get("series_description")), ("xnat:mrScanData", "t1"));

    let resources = api.table(&format!("{uri}/scans/2/resources"));
    let bytes: usize = study().files().filter(|file| file.series == 2).map(|file| file.bytes.len()).sum();
    assert_eq!(resources.only().columns(), ["label", "file_count", "file_size"]);
    assert_eq!(resources.only().get("label"), "DICOM");
    assert_eq!(resources.only().get("file_count"), "7");
    assert_eq!(resources.only().get("file_size"), bytes.to_string());

    let files = api.table(&format!("{uri}/scans/2/resources/DICOM/files"));
    assert_eq!(files.rows.len(), 7);
    assert_eq!(files.rows[0].columns(), ["Name", "Size", "URI"]);
    for row in &files.rows {
        let wanted = format!("{uri}/scans/2/resources/DICOM/files/{}", row.get("Name"));
        assert_eq!(row.get("URI"), wanted, "the path of the request and the name");
    }
    api.assert_holds(&uri, &study());
}

#[test]
fn its_resources_are_listed_over_all_scans() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let uri = api.import("P1", &study());
    let all = api.table(&format!("{uri}/resources"));
    assert_eq!(all.rows[0].columns(), ["category", "cat_id", "label", "file_count", "file_size"]);
    assert_eq!(all.row("cat_id", "1").get("category"), "scans");
    assert_eq!(all.row("cat_id", "1").get("file_count"), "3");
}

#[test]
fn a_file_comes_with_its_length_and_as_a_download() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let uri = api.import("P1", &study());
    let file = study().files().next().unwrap();
    let path = format!("{uri}/scans/1/resources/DICOM/files/{}", file.name);
    let response = api.get(&path);
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("application/octet-stream"));
    assert!(response.header("content-disposition").unwrap_or_default().starts_with("attachment"));
    assert!(response.body == file.bytes);
    let head = api.client.request("HEAD", &path).send().unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn what_is_not_there_is_404() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let uri = api.import("P1", &study());
    let name = study().files().next().unwrap().name;
    let gone = uri.replace("/S31_MR1", "/OTHER");
    for path in [
        format!("{uri}/scans/99/resources"),
        format!("{uri}/scans/1/resources/NONE/files"),
        format!("{uri}/scans/1/resources/DICOM/files/none.dcm"),
        format!("{uri}/scans/2/resources/DICOM/files/{name}"),
        format!("{uri}/scans/1/resources/DICOM/files/../{name}"),
        format!("{gone}/scans"),
        format!("{gone}/scans/1/resources/DICOM/files/{name}"),
        gone,
        "/data/prearchive/projects/NONE/20240101_000000000/S/scans".to_owned(),
    ] {
        let response = api.get(&path);
        assert!([400, 404].contains(&response.status), "{path}: {}", response.status);
        assert!(!sentence(&response).is_empty());
    }
}

#[test]
fn nobody_else_sees_it() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let uri = api.import("P1", &study());
    let name = study().files().next().unwrap().name;
    for path in [uri.clone(), format!("{uri}/scans"), format!("{uri}/scans/1/resources/DICOM/files/{name}")] {
        assert_eq!(api.client.anonymous().get(&path).unwrap().status, 401, "{path}");
    }
}

#[test]
fn lists_follow_the_old_name_of_the_api() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let uri = api.import("P1", &study());
    let old = uri.replacen("/data", "/REST", 1);
    assert_eq!(Table::of(&api.get(&format!("{old}/scans?format=json"))).rows.len(), 2);
}
