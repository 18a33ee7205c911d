//! Whose uploads are, how many, and how they end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use narthex_tests::{Api, Noise, Service, eventually, sentence, zip_study};

use super::{RESUMABLE, begin, create, imported, patch, service, study};
use crate::access::user;
use crate::import::SOON;

#[test]
fn a_deleted_upload_is_gone_with_its_bytes_but_a_session_stays() {
    let (service, api) = service();
    let chunks = service.stores().chunks();
    let delete =
        |path: &str| api.client.request("DELETE", path).header("Tus-Resumable", "1.0.0").send().unwrap().status;
    let noise = Noise::new(2).bytes(5_000_000);
    let path = begin(&api, "project=P1", noise.len() + 1);
    assert_eq!(patch(&api, &path, 0, &noise).status, 204);
    assert!(service.stores().chunks() >= chunks + 5);
    assert_eq!(api.client.delete(&path).unwrap().status, 412);
    assert_eq!(delete(&path), 204);
    assert_eq!(service.stores().chunks(), chunks);
    assert_eq!((api.get(&path).status, delete(&path), patch(&api, &path, 0, b"x").status), (404, 404, 404));

    let zip = zip_study(&study(10));
    let path = begin(&api, "dest=/prearchive/projects/P1", zip.len());
    assert_eq!(patch(&api, &path, 0, &zip).status, 204);
    let uri = imported(&api, &path).remove(0);
    assert_eq!(delete(&path), 204);
    assert_eq!(api.get(&path).status, 404);
    api.assert_holds(&uri, &study(10));
    let left: Vec<_> = service.stores().keys().into_iter().filter(|key| key.starts_with("resumable:")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_upload_is_nobody_else_s() {
    let (_service, admin) = service();
    let anna = Api { client: user(&admin.client, "anna") };
    let path = begin(&anna, "", 1_000);
    for other in [&admin, &Api { client: user(&admin.client, "bert") }] {
        assert_eq!(other.get(&path).status, 404);
        assert_eq!(patch(other, &path, 0, b"x").status, 404);
        let deleted = other.client.request("DELETE", &path).header("Tus-Resumable", "1.0.0").send().unwrap();
        assert_eq!(deleted.status, 404);
    }
    assert_eq!(anna.client.anonymous().get(&path).unwrap().status, 401);
    assert_eq!(patch(&anna, &path, 0, b"x").status, 204);
    assert_eq!(admin.get(&format!("{RESUMABLE}/..%2f..")).status, 400);
    // A project that she does not see is none to her.
    assert_eq!(create(&anna, "dest=/prearchive/projects/P1", 1_000).status, 404);
}

#[test]
fn nobody_may_keep_too_many_unfinished_uploads() {
    let (_service, admin) = service();
    let anna = Api { client: user(&admin.client, "anna") };
    let first = begin(&anna, "", 10);
    let begun = AtomicUsize::new(1);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..14 {
                    begun.fetch_add(usize::from(create(&anna, "", 10).status == 201), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(begun.into_inner(), 100);
    let listed: serde_json::Value = serde_json::from_str(&anna.get(RESUMABLE).text()).unwrap();
    let listed = listed["uploads"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 100);
    let shown = listed.iter().find(|upload| first.ends_with(upload["id"].as_str().unwrap())).unwrap();
    assert_eq!((&shown["state"], &shown["length"], &shown["offset"]), (&"receiving".into(), &10.into(), &0.into()));
    let refused = create(&anna, "", 10);
    assert!([403, 409].contains(&refused.status), "{}", refused.status);
    assert!(sentence(&refused).contains("100"), "{}", sentence(&refused));
    begin(&admin, "", 10);
    let deleted = anna.client.request("DELETE", &first).header("Tus-Resumable", "1.0.0").send().unwrap();
    assert_eq!(deleted.status, 204);
    begin(&anna, "", 10);
}

#[test]
fn an_upload_that_nobody_goes_on_with_expires() {
    let service = Service::with(&[("upload_retention_seconds", "10")]);
    let api = service.api();
    let chunks = service.stores().chunks();
    let path = begin(&api, "", 3_000_000);
    assert_eq!(patch(&api, &path, 0, &Noise::new(3).bytes(2_500_000)).status, 204);
    eventually(SOON, "the upload expires", || {
        // A listing gives the service a chance to do what is due.
        api.table("/data/prearchive/projects");
        (api.get(&path).status == 404 && service.stores().chunks() == chunks).then_some(())
    });
}
