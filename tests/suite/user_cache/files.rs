//! Making, filling, reading and removing resources.

use narthex_tests::{MULTIPART, Service, multipart, sentence};

use super::{CACHE, delete, put, send};

#[test]
fn a_resource_is_made_once_listed_and_deleted() {
    let service = Service::start();
    let api = service.api();
    assert!(api.table(CACHE).rows.is_empty());
    for label in ["X", "my%20files", "%C3%BC,1"] {
        assert_eq!(api.put(&format!("{CACHE}/{label}")).status, 200, "{label}");
        let again = api.put(&format!("{CACHE}/{label}"));
        assert_eq!((again.status, sentence(&again).as_str()), (412, "Resource with this name already exists."));
    }
    let list = api.table(CACHE);
    assert_eq!(list.rows[0].columns(), ["Resource", "URI"]);
    assert_eq!(list.column("Resource"), ["X", "my files", "ü,1"]);
    assert_eq!(list.column("URI"), ["X", "my%20files", "%C3%BC,1"].map(|label| format!("{CACHE}/{label}")));
    assert_eq!(list.rest["totalRecords"], "3");
    assert_eq!(list.rest["Columns"], serde_json::json!([{ "key": "URI", "serverRoot": "" }]));
    assert!(api.table(&format!("{CACHE}/X")).rows.is_empty());
    for row in &list.rows {
        assert_eq!(api.client.delete(row.get("URI")).unwrap().status, 200);
        let gone = api.client.delete(row.get("URI")).unwrap();
        assert_eq!((gone.status, sentence(&gone).as_str()), (404, UNKNOWN_RESOURCE));
    }
    assert!(api.table("/REST/user/cache/resources").rows.is_empty());
    // Nothing was to be made of this.
    assert_eq!(send(&api, "PUT", &format!("{CACHE}/X"), "text/plain", b"lost").status, 400);
}

const UNKNOWN_RESOURCE: &str = "User directory not found or is not a directory.";
const UNKNOWN_FILE: &str = "No matching files found.";

#[test]
fn a_file_is_put_listed_read_replaced_and_deleted() {
    let service = Service::start();
    let api = service.api();
    let bytes: Vec<u8> = (0..2_500_000_u32).map(|number| (number % 253) as u8).collect();
    let path = "X/files/run%201/b%C3%A4%2B%25.bin";
    put(&api, path, &bytes);
    let uri = format!("{CACHE}/{}", path.replace("%2B", "+"));
    assert!(api.bytes(&uri) == bytes);
    assert!(api.bytes(&uri.replacen("/data", "/REST", 1)) == bytes);
    for list in ["X", "X/", "X/files", "X/files/"] {
        let files = api.table(&format!("{CACHE}/{list}"));
        let file = files.only();
        assert_eq!(file.columns(), ["Name", "Size", "URI"]);
        assert_eq!((file.get("Name"), file.get("Size"), file.get("URI")), ("bä+%.bin", "2500000", uri.as_str()));
        assert_eq!(files.rest["Columns"], serde_json::json!([{ "key": "URI", "serverRoot": "" }]));
    }
    put(&api, path, b"another");
    assert_eq!(api.bytes(&uri), b"another");
    assert_eq!(api.table(&format!("{CACHE}/X")).rows.len(), 1);
    let missing = api.get(&format!("{CACHE}/X/files/nothing"));
    assert_eq!((missing.status, sentence(&missing).as_str()), (404, UNKNOWN_FILE));
    for list in ["Y", "Y/files", "Y/files?format=zip", "Y/files/a"] {
        let missing = api.get(&format!("{CACHE}/{list}"));
        assert_eq!((missing.status, sentence(&missing).as_str()), (404, UNKNOWN_RESOURCE), "{list}");
    }
    assert_eq!(delete(&api, path).status, 200);
    let gone = delete(&api, path);
    assert_eq!((gone.status, sentence(&gone).as_str()), (404, UNKNOWN_FILE));
    // The resource stays without its last file, unlike those of sessions.
    assert!(api.table(&format!("{CACHE}/X")).rows.is_empty());
}

#[test]
fn a_comma_list_is_deleted_whole_or_not_at_all() {
    let service = Service::start();
    let api = service.api();
    for name in ["a", "b/c", "d", "e,f"] {
        put(&api, &format!("X/files/{name}"), name.as_bytes());
    }
    let refused = delete(&api, "X/files/a,nothing,d");
    assert_eq!(refused.status, 404);
    assert!(sentence(&refused).contains("nothing"), "{}", sentence(&refused));
    assert_eq!(api.table(&format!("{CACHE}/X")).rows.len(), 4);
    assert_eq!(delete(&api, "X/files/a,b/c").status, 200);
    assert_eq!(api.table(&format!("{CACHE}/X")).column("Name"), ["d", "e,f"]);
    // A file whose name has a comma is meant before a list is.
    assert_eq!(delete(&api, "X/files/e,f").status, 200);
    assert_eq!(api.table(&format!("{CACHE}/X")).column("Name"), ["d"]);
    assert_eq!(delete(&api, "Y/files/a,b").status, 404);
    assert_eq!(delete(&api, "X").status, 200);
    assert!(api.table(CACHE).rows.is_empty());
}

#[test]
fn forms_name_their_files_and_are_answered_201() {
    let service = Service::start();
    let api = service.api();
    let body =
        multipart(&[("note", None, b"x"), ("one", Some("C:\\My Files\\a b.txt"), b"hello"), ("two", Some("b"), b"")]);
    let posted = send(&api, "POST", &format!("{CACHE}/X/files"), MULTIPART, &body);
    assert_eq!((posted.status, posted.text().as_str()), (201, "2 files were uploaded."));
    assert_eq!(api.table(&format!("{CACHE}/X")).column("Name"), ["a b.txt", "b"]);
    assert_eq!(api.bytes(&format!("{CACHE}/X/files/a%20b.txt")), b"hello");
    assert_eq!(api.bytes(&format!("{CACHE}/X/files/b")), b"");

    let one = multipart(&[("f", Some("x"), b"named")]);
    assert_eq!(send(&api, "PUT", &format!("{CACHE}/X/files/d/y"), MULTIPART, &one).status, 200);
    assert_eq!(api.bytes(&format!("{CACHE}/X/files/d/y")), b"named");
    let named = send(&api, "POST", &format!("{CACHE}/X/files/z"), MULTIPART, &one);
    assert_eq!(named.status, 400);
    assert!(sentence(&named).contains("PUT"));
    let same = multipart(&[("f", Some("u/w"), b"one"), ("g", Some("v/w"), b"two")]);
    let twice = send(&api, "POST", &format!("{CACHE}/X/files"), MULTIPART, &same);
    assert_eq!(twice.status, 400);
    assert!(sentence(&twice).contains("two files named \"w\""), "{}", sentence(&twice));
    let several = send(&api, "PUT", &format!("{CACHE}/X/files/z"), MULTIPART, &body);
    assert_eq!(several.status, 400);
    assert_eq!(api.table(&format!("{CACHE}/X")).rows.len(), 3);
}

#[test]
fn bodies_are_files_by_their_media_type_or_because_the_client_says_so() {
    let service = Service::start();
    let api = service.api();
    let files = format!("{CACHE}/R/files");
    assert_eq!(send(&api, "PUT", &files, "text/plain", b"text").status, 200);
    assert_eq!(send(&api, "POST", &files, "application/dicom", b"d").status, 201);
    assert_eq!(send(&api, "PUT", &format!("{files}?inbody=true"), "application/x-strange", b"s").status, 200);
    assert_eq!(send(&api, "PUT", &format!("{files}/json?inbody=true"), "application/json", b"[1]").status, 200);
    assert_eq!(api.table(&files).column("Name"), ["json", "upload.dcm", "upload.txt", "upload.unsupported"]);
    let both = send(&api, "PUT", &format!("{files}/x?inbody=true"), MULTIPART, &multipart(&[("f", Some("x"), b"y")]));
    assert_eq!(both.status, 406);
    let chunked = api.client.request("PUT", &format!("{files}/chunked")).header("Content-Type", "text/plain");
    assert_eq!(chunked.send_streamed(|out| out.write_all(b"in chunks")).unwrap().status, 200);
    assert_eq!(api.bytes(&format!("{files}/chunked")), b"in chunks");
}
