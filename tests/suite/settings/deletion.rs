//! Deleting projects.

use std::time::Duration;

use narthex_tests::{Modality, Service, Study, eventually, sentence};

use super::user;

fn study(seed: u64) -> Study {
    Study::new(Modality::Mr, seed).slices(2).matrix(16)
}

#[test]
fn a_deleted_project_is_gone_with_all_that_it_held() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    api.project("P2");
    assert_eq!(api.put("/data/projects/P1?alias=first").status, 200);
    let archived = api.archive(&api.import("P1", &study(1)));
    let staged = api.import("P1", &study(2));
    let kept = study(3);
    let other = api.import("P2", &kept);

    let refused = api.client.delete("/data/projects/P1").unwrap();
    assert_eq!(refused.status, 409, "it still holds something");
    assert!(sentence(&refused).contains("removeFiles=true"));
    assert_eq!(api.sessions("P1").rows.len(), 1);

    let deleted = api.client.delete("/data/projects/P1?removeFiles=true").unwrap();
    assert_eq!((deleted.status, deleted.text().as_str()), (200, ""));
    for path in ["/data/projects/P1", "/data/projects/first", "/data/projects/P1/subjects", &archived, &staged] {
        assert_eq!(api.get(path).status, 404, "{path}");
    }
    assert_eq!(api.table("/data/projects").only().get("ID"), "P2");
    assert_eq!(api.table("/data/experiments").rows.len(), 0);
    assert_eq!(api.table("/data/prearchive/projects").rows.len(), 1);
    api.assert_holds(&other, &kept);
    eventually(Duration::from_secs(30), "the files of the deleted project go", || {
        (service.stores().chunks() == 1).then_some(())
    });
    assert_eq!(api.client.delete("/data/projects/P1?removeFiles=true").unwrap().status, 404);
}

#[test]
fn the_id_of_a_deleted_project_stays_taken() {
    let mut service = Service::start();
    service.api().project("P1");
    assert_eq!(service.api().client.delete("/data/projects/P1").unwrap().status, 200, "an empty one just goes");
    service.restart();
    let api = service.api();
    let refused = api.put("/data/projects/P1");
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(sentence(&refused).contains("deleted"));
    assert!(api.table("/data/projects").rows.is_empty());
}

#[test]
fn only_owners_delete_projects() {
    let service = Service::start();
    let api = service.api();
    let (ann, bob, eve) = (user(&api, "ann"), user(&api, "bob"), user(&api, "eve"));
    assert_eq!(ann.put("/data/projects/P1").unwrap().status, 200);
    assert_eq!(ann.put("/data/projects/P1/users/member/bob").unwrap().status, 200);
    assert_eq!(bob.delete("/data/projects/P1").unwrap().status, 403);
    assert_eq!(eve.delete("/data/projects/P1").unwrap().status, 404);
    assert_eq!(api.client.anonymous().delete("/data/projects/P1").unwrap().status, 401);
    assert_eq!(ann.delete("/data/projects/P1").unwrap().status, 200);
}
