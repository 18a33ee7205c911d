//! XAR files: documents and the files of what they describe, straight into the archive.

use std::io::{Cursor, Read};

use narthex_tests::{Api, MULTIPART, Modality, Packing, Response, Service, Study, multipart, sentence, zip_files};

use crate::access::user;

const IMPORT: &str = "/data/services/import?import-handler=XAR";

const HEAD: &str = "xmlns:xnat=\"http://nrg.wustl.edu/xnat\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";

fn study() -> Study {
    Study::new(Modality::Mr, 61).patient("S61_MR1", "S61")
}

fn service() -> (Service, Api) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    assert_eq!(api.put("/data/projects/P1/subjects/S61").status, 201);
    (service, api)
}

fn document(more: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xnat:MRSession {HEAD} ID=\"\" project=\"P1\" label=\"S61_MR1\">\
         <xnat:note>a note</xnat:note><xnat:subject_ID>S61</xnat:subject_ID><xnat:scans><xnat:scan ID=\"4\" \
         type=\"T1\" xsi:type=\"xnat:mrScanData\"><xnat:file URI=\"SCANS/4/NIFTI/4_catalog.xml\" label=\"NIFTI\" \
         format=\"NIFTI\" xsi:type=\"xnat:resourceCatalog\"/></xnat:scan>{more}</xnat:scans></xnat:MRSession>"
    )
}

fn xar(more: &[(&str, &str)]) -> Vec<u8> {
    let document = document("");
    let own = [
        ("session.xml", document.as_str()),
        ("SCANS/4/NIFTI/4_catalog.xml", "<cat:Catalog xmlns:cat=\"c\"><cat:entry URI=\"a.nii\"/></cat:Catalog>"),
        ("SCANS/4/NIFTI/a.nii", "four"),
        ("RESOURCES/NOTES/n.txt", "noted"),
    ];
    let kept = own.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    let files = kept.chain(more).map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    zip_files(files, Packing::Deflated)
}

#[track_caller]
fn send(api: &Api, query: &str, body: &[u8]) -> Response {
    api.client.post(&format!("{IMPORT}{query}"), "application/zip", body).unwrap()
}

/// The address in an answer.
#[track_caller]
fn address(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(response.header("content-type").unwrap_or_default().starts_with("text/uri-list"));
    let text = response.text();
    let line = text.strip_suffix("\r\n").expect("a line end").to_owned();
    assert!(line.starts_with("/data/archive/experiments/") && !line.contains('\n'), "{line}");
    line
}

/// Sends a XAR as a resumable upload that comes with its creation.
fn send_resumable(api: &Api, body: &[u8]) -> Response {
    let request = api.client.request("POST", "/data/services/import/resumable?import-handler=XAR");
    let request = request.header("Tus-Resumable", "1.0.0").header("Upload-Length", &body.len().to_string());
    request.header("Content-Type", "application/offset+octet-stream").send_bytes(body).unwrap()
}

#[test]
fn a_xar_is_read_back_byte_for_byte() {
    let (_service, api) = service();
    let uri = address(&send(&api, "&event_reason=moved", &xar(&[])));
    assert_eq!(api.bytes(&format!("{uri}/scans/4/resources/NIFTI/files/a.nii")), b"four");
    assert_eq!(api.bytes(&format!("{uri}/resources/NOTES/files/n.txt")), b"noted");
    let found = api.table("/data/projects/P1/experiments?columns=label,note,subject_label,xsiType");
    let row = found.only();
    assert_eq!((row.get("label"), row.get("note"), row.get("subject_label")), ("S61_MR1", "a note", "S61"));
    let scan = api.table(&format!("{uri}/scans"));
    assert_eq!((scan.only().get("type"), scan.only().get("ID")), ("T1", "4"));
    // Text with one address and no line end.
    let again = send(&api, "&format=txt", &xar(&[]));
    assert_eq!((again.status, again.text()), (200, uri.clone()));
    // Nothing of it stands in the prearchive.
    assert!(api.sessions("P1").rows.is_empty());
    // More comes, and other bytes only if that is wanted.
    let more = [("SCANS/4/NIFTI/b.nii", "more"), ("SCANS/4/NIFTI/4_catalog.xml", "<Catalog/>")];
    assert_eq!(address(&send(&api, "", &xar(&more))), uri);
    assert_eq!(api.table(&format!("{uri}/scans/4/resources/NIFTI/files")).rows.len(), 2);
    let refused = send(&api, "&overwrite=append", &xar(&[("SCANS/4/NIFTI/a.nii", "other")]));
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(sentence(&refused).contains("a.nii"), "{}", sentence(&refused));
    assert_eq!(api.bytes(&format!("{uri}/scans/4/resources/NIFTI/files/a.nii")), b"four");
    address(&send(&api, "&overwrite=delete", &xar(&[("SCANS/4/NIFTI/a.nii", "other")])));
    assert_eq!(api.bytes(&format!("{uri}/scans/4/resources/NIFTI/files/a.nii")), b"other");
}

/// A session as this service gives it: the zip of its files with its document beside them.
fn exported(api: &Api, uri: &str, query: &str) -> Vec<(String, Vec<u8>)> {
    let zip = api.bytes(&format!("{uri}?format=zip{query}"));
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut files = vec![("session.xml".to_owned(), api.bytes(&format!("{uri}?format=xml")))];
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.push((name, bytes));
    }
    files
}

#[test]
fn a_session_that_was_given_out_is_taken_in_again() {
    let (_service, api) = service();
    for query in ["", "&structure=legacy", "&structure=improved"] {
        let uri = api.archive(&api.import("P1", &study()));
        let put = format!("{uri}/resources/NOTES/files/n.txt?inbody=true&format=TXT");
        assert_eq!(api.client.request("PUT", &put).send_bytes(b"noted").unwrap().status, 200);
        let scans = api.table(&format!("{uri}/scans?columns=ID,type,quality,series_description,UID,frames")).rows;
        let files = exported(&api, &uri, query);
        assert_eq!(api.client.delete(&uri).unwrap().status, 200);
        assert_eq!(api.get(&uri).status, 404);
        let made = address(&send(&api, "", &zip_files(files, Packing::Stored)));
        api.assert_holds(&made, &study());
        assert_eq!(api.bytes(&format!("{made}/resources/NOTES/files/n.txt")), b"noted", "{query}");
        let again = api.table(&format!("{made}/scans?columns=ID,type,quality,series_description,UID,frames")).rows;
        let texts = |rows: &[narthex_tests::Row]| -> Vec<Vec<String>> {
            let names = ["ID", "type", "quality", "series_description", "UID", "frames"];
            rows.iter().map(|row| names.map(|name| row.get(name).to_owned()).to_vec()).collect()
        };
        assert_eq!(texts(&again), texts(&scans), "{query}");
        assert_eq!(api.client.delete(&made).unwrap().status, 200);
    }
}

#[test]
fn a_session_is_taken_in_again_with_its_assessors() {
    let (_service, api) = service();
    for query in ["", "&structure=legacy", "&structure=improved"] {
        let uri = api.archive(&api.import("P1", &study()));
        let made = api.put(&format!("{uri}/assessors/QC1?xsiType=xnat:qcManualAssessorData&pass=1&date=2024-05-01"));
        assert_eq!(made.status, 201, "{}", made.text());
        let own = format!("{uri}/assessors/PROC?xsiType=proc:genProcData&proc:genProcData/procstatus=done&note=n");
        assert_eq!(api.put(&own).status, 201);
        for (assessor, text) in [("QC1", "report"), ("PROC", "processed")] {
            let put = format!("{uri}/assessors/{assessor}/resources/OUT/files/a/o.txt?inbody=true&format=TXT");
            assert_eq!(api.client.request("PUT", &put).send_bytes(text.as_bytes()).unwrap().status, 200);
        }
        let said = |uri: &str| -> Vec<Vec<String>> {
            let columns = "label,xsiType,date,note,xnat:qcManualAssessorData/pass";
            let table = api.table(&format!("{uri}/assessors?columns={columns}"));
            let row = |row: &narthex_tests::Row| columns.split(',').map(|name| row.get(name).to_owned()).collect();
            table.rows.iter().map(row).collect()
        };
        let before = said(&uri);
        let files = exported(&api, &uri, query);
        assert_eq!(api.client.delete(&uri).unwrap().status, 200);
        let made = address(&send(&api, "", &zip_files(files, Packing::Stored)));
        api.assert_holds(&made, &study());
        let count = before.len();
        assert_eq!((said(&made), count), (before, 2), "{query}");
        let item = api.bytes(&format!("{made}/assessors/PROC?format=json"));
        let item: serde_json::Value = serde_json::from_slice(&item).unwrap();
        assert_eq!(item["items"][0]["data_fields"]["procstatus"], "done");
        for (assessor, text) in [("QC1", "report"), ("PROC", "processed")] {
            let file = format!("{made}/assessors/{assessor}/resources/OUT/files/a/o.txt");
            assert_eq!(api.bytes(&file), text.as_bytes(), "{query}");
            let row = api.table(&format!("{made}/assessors/{assessor}/resources"));
            assert_eq!((row.only().get("file_count"), row.only().get("format")), ("1", "TXT"));
        }
        assert_eq!(api.client.delete(&made).unwrap().status, 200);
    }
}

#[test]
fn an_assessor_alone_is_added_to_the_session_that_it_names() {
    let (_service, api) = service();
    let uri = address(&send(&api, "", &xar(&[])));
    let document = |session: &str, pass: &str| {
        format!(
            "<xnat:QCManualAssessment {HEAD} label=\"QC1\" project=\"P1\"><xnat:imageSession_ID>{session}\
             </xnat:imageSession_ID><xnat:out><xnat:file label=\"OUT\" URI=\"OUT/OUT_catalog.xml\"/></xnat:out>\
             <xnat:pass>{pass}</xnat:pass></xnat:QCManualAssessment>"
        )
    };
    let zip = |session: &str, pass: &str, text: &str| {
        let files = [("qc.xml", document(session, pass)), ("OUT/o.txt", text.to_owned())];
        zip_files(files.map(|(name, text)| (name.to_owned(), text.into_bytes())), Packing::Deflated)
    };
    let id = uri.rsplit('/').next().unwrap();
    let made = address(&send(&api, "", &zip(id, "1", "first")));
    assert!(made.starts_with(&format!("{uri}/assessors/")), "{made}");
    assert_eq!(api.bytes(&format!("{made}/resources/OUT/files/o.txt")), b"first");
    let item: serde_json::Value = serde_json::from_slice(&api.bytes(&format!("{made}?format=json"))).unwrap();
    assert_eq!(item["items"][0]["data_fields"]["pass"], "1");
    // The request may name the session instead.
    let named = "&dest=/archive/projects/P1/subjects/S61/experiments/S61_MR1";
    assert_eq!(address(&send(&api, named, &zip("", "1", "first"))), made);
    let refused = send(&api, "&overwrite=append", &zip(id, "0", "second"));
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(address(&send(&api, "&overwrite=delete", &zip(id, "0", "second"))), made);
    assert_eq!(api.bytes(&format!("{made}/resources/OUT/files/o.txt")), b"second");
    assert_eq!(api.table(&format!("{uri}/assessors")).rows.len(), 1);
    for session in ["XNAT_E00099", ""] {
        let refused = send(&api, "", &zip(session, "1", "x"));
        assert_eq!(refused.status, 400, "{}", refused.text());
        assert!(sentence(&refused).contains("name no session"), "{}", sentence(&refused));
    }
    // By a resumable upload it has the same address.
    let body = zip(id, "0", "second");
    let begun = send_resumable(&api, &body);
    assert_eq!(begun.header("x-narthex-imported"), Some(made.as_str()), "{}", begun.text());
}

#[test]
fn a_xar_comes_in_every_form() {
    let (_service, api) = service();
    let body = xar(&[]);
    // From the user's cache.
    let cached = "/data/user/cache/resources/X/files/s.xar";
    assert_eq!(api.client.request("PUT", &format!("{cached}?inbody=true")).send_bytes(&body).unwrap().status, 200);
    let uri = address(&api.client.post(&format!("{IMPORT}&src=/user/cache/resources/X/files/s.xar"), "", b"").unwrap());
    // In a form, whose fields may come behind the file.
    let parts = [("file", Some("s.xar"), body.as_slice()), ("event_reason", None, b"why".as_slice())];
    assert_eq!(address(&api.client.post(IMPORT, MULTIPART, &multipart(&parts)).unwrap()), uri);
    let two = [("a", Some("s.xar"), body.as_slice()), ("b", Some("t.xar"), body.as_slice())];
    let refused = api.client.post(IMPORT, MULTIPART, &multipart(&two)).unwrap();
    assert_eq!(refused.status, 400);
    assert!(sentence(&refused).contains("limited to one"), "{}", sentence(&refused));
    // A resumable upload.
    let begun = send_resumable(&api, &body);
    assert_eq!(begun.status, 201, "{}", begun.text());
    assert_eq!(begun.header("x-narthex-imported"), Some(uri.as_str()));
}

#[track_caller]
fn json(response: &Response) -> serde_json::Value {
    serde_json::from_str(&response.text()).expect("JSON")
}

/// Name, verdict and reason of each file.
fn verdicts(response: &Response) -> Vec<(String, String, String)> {
    assert_eq!(response.status, 200, "{}", response.text());
    let told = json(response);
    let text = |file: &serde_json::Value, name: &str| file[name].as_str().unwrap_or_default().to_owned();
    let files = told["files"].as_array().expect("a list of files").iter();
    files.map(|file| (text(file, "name"), text(file, "verdict"), text(file, "reason"))).collect()
}

#[test]
fn it_is_told_what_became_of_each_file() {
    let (_service, api) = service();
    let expected = |rows: &[(&str, &str, &str)]| -> Vec<(String, String, String)> {
        rows.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect()
    };
    let read = [("session.xml", "ignored", "document"), ("SCANS/4/NIFTI/4_catalog.xml", "ignored", "catalog")];
    let first = send(&api, "&verdicts=true", &xar(&[]));
    let new = [("SCANS/4/NIFTI/a.nii", "stored", ""), ("RESOURCES/NOTES/n.txt", "stored", "")];
    assert_eq!(verdicts(&first), expected(&[&read[..], &new].concat()));
    let uri = json(&first)["ResultSet"]["Result"][0]["URI"].as_str().unwrap().to_owned();
    assert_eq!(api.bytes(&format!("{uri}/scans/4/resources/NIFTI/files/a.nii")), b"four");
    // Again, with more.
    let again = send(&api, "&verdicts=true", &xar(&[("SCANS/4/OUT/o.txt", "out"), ("RESOURCES/NOTES/n.txt", "noted")]));
    let more = [
        ("SCANS/4/NIFTI/a.nii", "duplicate", ""),
        ("SCANS/4/OUT/o.txt", "stored", ""),
        ("RESOURCES/NOTES/n.txt", "duplicate", ""),
    ];
    assert_eq!(verdicts(&again), expected(&[&read[..], &more].concat()));
    let other = send(&api, "&verdicts=true&overwrite=delete", &xar(&[("RESOURCES/NOTES/n.txt", "other")]));
    let changed = [("SCANS/4/NIFTI/a.nii", "duplicate", ""), ("RESOURCES/NOTES/n.txt", "stored", "")];
    assert_eq!(verdicts(&other), expected(&[&read[..], &changed].concat()));
    // Assessors that come alone, and as a resumable upload.
    let assessor = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xnat:QCManualAssessment {HEAD} project=\"P1\" label=\"A1\">\
         <xnat:imageSession_ID>{}</xnat:imageSession_ID></xnat:QCManualAssessment>",
        uri.rsplit('/').next().unwrap_or_default()
    );
    let files = [("a.xml", assessor.as_str()), ("RESOURCES/OUT/r.txt", "result")];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let zip = zip_files(files, Packing::Deflated);
    for verdict in ["stored", "duplicate"] {
        let rows = [("a.xml", "ignored", "document"), ("RESOURCES/OUT/r.txt", verdict, "")];
        assert_eq!(verdicts(&send(&api, "&verdicts=true", &zip)), expected(&rows));
    }
    let request = api.client.request("POST", "/data/services/import/resumable?import-handler=XAR&verdicts=true");
    let request = request.header("Tus-Resumable", "1.0.0").header("Upload-Length", &zip.len().to_string());
    let begun = request.header("Content-Type", "application/offset+octet-stream").send_bytes(&zip).unwrap();
    assert_eq!(begun.status, 201, "{}", begun.text());
    let upload = api.get(begun.header("location").expect("an address"));
    let rows = [("a.xml", "ignored", "document"), ("RESOURCES/OUT/r.txt", "duplicate", "")];
    assert_eq!(verdicts(&upload), expected(&rows));
}

#[test]
fn what_cannot_be_taken_is_refused_and_leaves_nothing() {
    let (service, api) = service();
    let chunks = service.stores().chunks();
    let text = document("");
    let with = |inner: &str| text.replace("<xnat:scans>", &format!("{inner}<xnat:scans>"));
    let untyped = with("<xnat:assessors><xnat:assessor label=\"A\"/></xnat:assessors>");
    let reconstructions = with("<xnat:reconstructions><xnat:a/></xnat:reconstructions>");
    let bomb = "<!DOCTYPE a [<!ENTITY x \"xx\">]><a>&x;</a>";
    for (query, body, status, word) in [
        ("", xar(&[("session.xml", &text.replace("\"P1\"", "\"P9\""))]), 400, "Invalid project tag."),
        ("", xar(&[("session.xml", &text.replace(">S61<", ">S9<"))]), 400, "Invalid subject."),
        ("", xar(&[("session.xml", bomb)]), 400, "DOCTYPE"),
        ("", xar(&[("session.xml", &untyped)]), 400, "data type of an assessor"),
        ("", xar(&[("session.xml", &reconstructions)]), 501, "reconstructions"),
        ("", xar(&[("ASSESSORS/A/OUT/a", "x")]), 400, "does not describe"),
        ("", xar(&[("stray", "x")]), 400, "belongs to no scan"),
        ("", xar(&[("SCANS/4/NIFTI/4_catalog.xml", "<Catalog><entry URI=\"b.nii\"/></Catalog>")]), 400, "b.nii"),
        ("", zip_files([("../x.xml".to_owned(), text.clone().into_bytes())], Packing::Stored), 400, ".."),
        ("", b"nothing of the kind".to_vec(), 400, "zip or a tar"),
        ("&dest=/prearchive/projects/P1", xar(&[]), 400, "straight into the archive"),
        ("&project=P9", xar(&[]), 404, "P9"),
    ] {
        let refused = send(&api, query, &body);
        assert_eq!(refused.status, status, "{word}: {}", refused.text());
        assert!(sentence(&refused).contains(word), "{word}: {}", sentence(&refused));
        assert_eq!(service.stores().chunks(), chunks, "{word}");
    }
    assert!(api.table("/data/projects/P1/experiments").rows.is_empty());
}

#[test]
fn a_xar_needs_the_right_to_edit_the_project() {
    let (_service, api) = service();
    let anna = Api { client: user(&api.client, "anna") };
    // A project that she does not see is none to her.
    let hidden = send(&anna, "", &xar(&[]));
    assert_eq!(hidden.status, 400, "{}", hidden.text());
    assert!(sentence(&hidden).contains("Invalid project tag."), "{}", sentence(&hidden));
    assert_eq!(api.put("/data/projects/P1/users/collaborator/anna").status, 200);
    assert_eq!(send(&anna, "", &xar(&[])).status, 403);
    assert_eq!(send(&anna, "&project=P1", &xar(&[])).status, 403);
    assert!(api.table("/data/projects/P1/experiments").rows.is_empty());
    assert_eq!(api.put("/data/projects/P1/users/member/anna").status, 200);
    address(&send(&anna, "", &xar(&[])));
    assert_eq!(anna.client.anonymous().post(IMPORT, "application/zip", &xar(&[])).unwrap().status, 401);
}

#[test]
fn a_document_may_have_any_prefix_for_the_namespace() {
    let (_service, api) = service();
    let written = document("");
    let other = written.replace("xmlns:xnat", "xmlns:x").replace("xnat:", "x:");
    let default = written.replace("xmlns:xnat", "xmlns").replace("xnat:", "");
    for document in [other, default] {
        let uri = address(&send(&api, "", &xar(&[("session.xml", &document)])));
        assert_eq!(api.table(&format!("{uri}/scans")).only().get("xsiType"), "xnat:mrScanData", "{document}");
        assert_eq!(api.client.delete(&uri).unwrap().status, 200);
    }
    let unbound = written.replace("xsi:type=\"xnat:mrScanData\"", "xsi:type=\"y:mrScanData\"");
    let refused = send(&api, "", &xar(&[("session.xml", &unbound)]));
    assert_eq!(refused.status, 400);
    assert!(sentence(&refused).contains("not bound to a namespace"), "{}", sentence(&refused));
}

#[test]
fn labels_are_cleaned() {
    let (_service, api) = service();
    let labels = || -> Vec<String> {
        let table = api.table("/data/projects/P1/experiments");
        table.column("label").iter().map(|label| (*label).to_owned()).collect()
    };
    address(&send(&api, "&session=a%20b", &xar(&[])));
    assert_eq!(labels(), ["a_b"]);
    address(&send(&api, "&dest=/archive/projects/P1/subjects/S61/experiments/c.d", &xar(&[])));
    let own = document("").replace("label=\"S61_MR1\"", "label=\"e^f\"");
    address(&send(&api, "", &xar(&[("session.xml", &own)])));
    assert_eq!(labels(), ["a_b", "c_d", "e_f"]);
    // What is there is found by the label that it got.
    address(&send(&api, "&session=a%20b", &xar(&[])));
    assert_eq!(labels().len(), 3);
    let long = format!("&session={}", "x".repeat(129));
    assert_eq!(send(&api, &long, &xar(&[])).status, 400);
}

#[test]
fn images_are_counted_where_no_document_says_how_many_frames_there_are() {
    let (_service, api) = service();
    let uri = api.archive(&api.import("P1", &study()));
    let files = exported(&api, &uri, "");
    assert_eq!(api.client.delete(&uri).unwrap().status, 200);
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    let mut seen = std::collections::BTreeSet::new();
    for (name, bytes) in files {
        if name == "session.xml" {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains("<xnat:frames>"), "{text}");
            let lines = text.lines().filter(|line| !line.contains("<xnat:frames>"));
            let text: String = lines.flat_map(|line| [line, "\n"]).collect();
            first.push((name.clone(), text.clone().into_bytes()));
            rest.push((name, text.into_bytes()));
        } else if seen.insert(name.split("/resources/").next().unwrap().to_owned()) {
            first.push((name, bytes));
        } else {
            rest.push((name, bytes));
        }
    }
    let frames = |uri: &str| -> Vec<u64> {
        let table = api.table(&format!("{uri}/scans?columns=ID,frames"));
        table.column("frames").iter().map(|text| text.parse().unwrap()).collect()
    };
    let made = address(&send(&api, "", &zip_files(first.clone(), Packing::Stored)));
    assert!(frames(&made).iter().all(|count| *count == 1), "{:?}", frames(&made));
    let whole: Vec<(String, Vec<u8>)> = first.into_iter().chain(rest.into_iter().skip(1)).collect();
    let images = whole.len() as u64 - 1;
    // The same ones again, and more.
    assert_eq!(address(&send(&api, "", &zip_files(whole, Packing::Stored))), made);
    assert_eq!(frames(&made).iter().sum::<u64>(), images);
}

#[test]
fn descriptions_of_resources_are_given_out_and_taken_in_again() {
    let (_service, api) = service();
    let resource = "<xnat:resources><xnat:resource URI=\"RESOURCES/NOTES/NOTES_catalog.xml\" label=\"NOTES\" \
                    description=\"what was noted\"/></xnat:resources>";
    let own = document("").replace("<xnat:subject_ID>", &format!("{resource}<xnat:subject_ID>"));
    let own = own.replace("label=\"NIFTI\"", "label=\"NIFTI\" description=\"as &lt;made&gt;\"");
    let mut uri = address(&send(&api, "", &xar(&[("session.xml", &own)])));
    let put = api.put(&format!("{uri}/scans/4/resources/OTHER?description=by+hand&content=x"));
    assert!([200, 201].contains(&put.status), "{}", put.text());
    for _ in 0..2 {
        let document = String::from_utf8(api.bytes(&format!("{uri}?format=xml"))).unwrap();
        for said in ["what was noted", "as &lt;made&gt;", "by hand"] {
            assert!(document.contains(&format!(" description=\"{said}\"")), "{said}: {document}");
        }
        let sent = api.client.request("PUT", &uri).header("Content-Type", "text/xml");
        assert_eq!(sent.send_bytes(document.as_bytes()).unwrap().status, 200, "{document}");
        let item: serde_json::Value = serde_json::from_slice(&api.bytes(&format!("{uri}?format=json"))).unwrap();
        assert!(item.to_string().contains("\"description\":\"as <made>\""), "{item}");
        let files = exported(&api, &uri, "");
        assert_eq!(api.client.delete(&uri).unwrap().status, 200);
        uri = address(&send(&api, "", &zip_files(files, Packing::Stored)));
    }
}

#[test]
fn what_a_catalog_says_of_files_is_taken_over() {
    let (_service, api) = service();
    let entry = "<cat:entry URI=\"n.txt\" format=\"TXT\" content=\"doc\" description=\"d &amp; e\" digest=\"0\">\
                 <cat:tags><cat:tag>one</cat:tag><cat:tag>two</cat:tag></cat:tags></cat:entry>";
    let catalog = format!(
        "<cat:Catalog xmlns:cat=\"c\"><cat:entries>{entry}<cat:entry URI=\"m.txt\"/></cat:entries></cat:Catalog>"
    );
    let resource = "<xnat:resources><xnat:resource URI=\"RESOURCES/NOTES/NOTES_catalog.xml\" label=\"NOTES\" \
                    format=\"PLAIN\" content=\"notes\"/></xnat:resources>";
    let own = document("").replace("<xnat:subject_ID>", &format!("{resource}<xnat:subject_ID>"));
    let files = [
        ("session.xml", own.as_str()),
        ("RESOURCES/NOTES/NOTES_catalog.xml", &catalog),
        ("RESOURCES/NOTES/m.txt", "another"),
    ];
    let uri = address(&send(&api, "", &xar(&files)));
    let table = api.table(&format!("{uri}/resources/NOTES/files"));
    let said = |name: &str| {
        let row = table.row("Name", name);
        ["file_format", "file_content", "file_tags"].map(|column| row.get(column).to_owned())
    };
    assert_eq!(said("n.txt"), ["TXT", "doc", "one,two"]);
    assert_eq!(said("m.txt"), ["PLAIN", "notes", ""]);
    assert_ne!(table.row("Name", "n.txt").get("digest"), "0");
    let given = String::from_utf8(api.bytes(&format!("{uri}/resources/NOTES?format=xml"))).unwrap();
    assert_eq!(given.matches("description=\"d &amp; e\"").count(), 1, "{given}");
    let long = catalog.replace("d &amp; e", &"x".repeat(10_000));
    let files = [files[0], ("RESOURCES/NOTES/NOTES_catalog.xml", long.as_str()), files[2]];
    assert_eq!(send(&api, "&session=OTHER", &xar(&files)).status, 400);
}
