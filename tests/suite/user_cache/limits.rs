//! What one user may keep, and for how long.

use std::time::Duration;

use narthex_tests::{MULTIPART, Service, eventually, multipart, sentence};

use super::{CACHE, delete, put, send};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn what_has_no_room_is_refused_while_it_arrives_and_whoever_deletes_gets_room() {
    let service = Service::with(&[("max_cache_bytes", "3000000")]);
    let api = service.api();
    put(&api, "X/files/a", &vec![1; 2_000_000]);
    let path = format!("{CACHE}/X/files/b");
    let large = vec![2; 1_500_000];
    let announced = send(&api, "PUT", &path, "text/plain", &large);
    assert_eq!(announced.status, 507);
    assert!(sentence(&announced).contains("delete"), "{}", sentence(&announced));
    let streamed = api.client.request("PUT", &path).header("Content-Type", "text/plain");
    let streamed = streamed.send_streamed(|out| out.write_all(&large)).unwrap();
    assert_eq!(streamed.status, 507, "{}", streamed.text());
    let posted = send(&api, "POST", &format!("{CACHE}/Y/files"), MULTIPART, &multipart(&[("f", Some("b"), &large)]));
    assert_eq!(posted.status, 507, "{}", posted.text());
    // This would not fit into an empty cache either.
    assert_eq!(send(&api, "PUT", &path, "text/plain", &vec![3; 3_000_001]).status, 413);
    assert_eq!(api.table(CACHE).column("Resource"), ["X"]);
    assert_eq!(api.table(&format!("{CACHE}/X")).column("Name"), ["a"]);
    eventually(SOON, "what was refused is removed", || (service.stores().chunks() == 2).then_some(()));

    assert_eq!(delete(&api, "X/files/a").status, 200);
    put(&api, "X/files/b", &large);
    put(&api, "X/files/c", &large);
    let full = send(&api, "PUT", &format!("{CACHE}/X/files/d"), "text/plain", b"x");
    assert_eq!(full.status, 507);
}

#[test]
fn deleted_resources_give_their_bytes_back_after_the_answer() {
    let service = Service::start();
    let api = service.api();
    for name in ["a", "b", "c/d"] {
        put(&api, &format!("X/files/{name}"), name.as_bytes());
    }
    assert_eq!(delete(&api, "X").status, 200);
    eventually(SOON, "nothing is left of the resource", || {
        let keys = service.stores().keys();
        let is_of_it = |key: &&String| ["pack", "catalog", "user-cache:"].iter().any(|kind| key.starts_with(kind));
        (!keys.iter().filter(|key| *key != "pack-sweep").any(|key| is_of_it(&key))).then_some(())
    });
}

#[test]
fn old_files_go_with_the_sweep() {
    let service = Service::with(&[("cache_retention_seconds", "1")]);
    let api = service.api();
    put(&api, "X/files/a", b"old");
    eventually(SOON, "the file is too old in the end", || {
        let swept = api.client.post("/data/services/prearchive/sweep", "text/plain", b"").unwrap();
        assert_eq!(swept.status, 200, "{}", swept.text());
        let counts: serde_json::Value = serde_json::from_slice(&swept.body).unwrap();
        (counts["cached"] == 1).then_some(())
    });
    assert!(api.table(CACHE).rows.is_empty());
    assert_eq!(service.stores().chunks(), 0);
}
