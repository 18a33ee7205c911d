//! Subjects and experiments that are in several projects.

use narthex_tests::{Api, Service};
use serde_json::Value;

use super::shelves::put_file;
use super::study;
use crate::access::user;

const ID: &str = "XNAT_E00001";
const SUBJECT: &str = "XNAT_S00001";

/// A private project with an archived session, another one, and those who are members of each, of both, and of none.
struct World {
    _service: Service,
    admin: Api,
    /// Owner of P1.
    one: Api,
    /// Owner of P2.
    two: Api,
    /// Member of both.
    both: Api,
    /// Collaborator of P2.
    reader: Api,
    /// Owner of both.
    chief: Api,
}

fn world() -> World {
    let service = Service::start();
    let admin = service.api();
    admin.project("P1");
    admin.project("P2");
    admin.archive(&admin.import("P1", &study()));
    put_file(&admin, &format!("/data/experiments/{ID}/resources/NOTES/files/a.txt"), b"hello");
    put_file(&admin, &format!("/data/subjects/{SUBJECT}/resources/CONSENT/files/c.txt"), b"yes");
    let somebody = |name: &str, roles: &[(&str, &str)]| {
        let client = user(&admin.client, name);
        for (project, role) in roles {
            assert_eq!(admin.put(&format!("/data/projects/{project}/users/{role}/{name}")).status, 200);
        }
        Api { client }
    };
    World {
        one: somebody("one", &[("P1", "owner")]),
        two: somebody("two", &[("P2", "owner")]),
        both: somebody("both", &[("P1", "member"), ("P2", "member")]),
        reader: somebody("reader", &[("P2", "collaborator")]),
        chief: somebody("chief", &[("P1", "owner"), ("P2", "owner")]),
        admin,
        _service: service,
    }
}

fn delete(api: &Api, path: &str) -> u16 {
    api.client.delete(path).unwrap().status
}

fn item(api: &Api, path: &str) -> Value {
    let found: Value = serde_json::from_slice(&api.bytes(&format!("{path}?format=json"))).unwrap();
    found["items"][0].clone()
}

/// The projects that an item names as those it is shared with.
fn shared_with(item: &Value) -> Vec<(String, String)> {
    let children = item["children"].as_array().unwrap();
    let Some(shares) = children.iter().find(|child| child["field"] == "sharing/share") else { return Vec::new() };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let shares = shares["items"].as_array().unwrap();
    shares.iter().map(|one| (text(&one["data_fields"]["project"]), text(&one["data_fields"]["label"]))).collect()
}

#[test]
fn an_assessor_is_shared_without_its_session() {
    let World { admin, one, two, both, reader, chief, _service } = world();
    let qc = format!("/data/experiments/{ID}/assessors/QC1");
    assert_eq!(admin.put(&format!("{qc}?xsiType=xnat:qcManualAssessorData&rater=ann")).status, 201);
    put_file(&admin, &format!("{qc}/resources/DATA/files/a.txt"), b"a");
    let share = format!("{qc}/projects/P2?label=RATING");
    assert_eq!((one.put(&share).status, two.put(&share).status, reader.put(&share).status), (404, 404, 404));
    assert_eq!(both.put(&share).status, 200);
    assert_eq!(both.put(&share).status, 409);
    assert_eq!(both.put(&format!("{qc}/projects/P2?primary=true")).status, 403);
    assert_eq!(chief.put(&format!("{qc}/projects/P2?primary=true")).status, 400);

    // It is listed in P2 for those who ask for its type, under its label there; its session is not there.
    assert_eq!(reader.table("/data/projects/P2/experiments").rows.len(), 0);
    for query in ["xsiType=xnat:qcManualAssessorData", "xsiType=xnat:imageAssessorData", "xsiType=xnat:experimentData"]
    {
        let list = reader.table(&format!("/data/projects/P2/experiments?{query}&columns=ID,label"));
        assert_eq!((list.only().get("ID"), list.only().get("label")), ("XNAT_E00002", "RATING"), "{query}");
    }
    let list = reader.table("/data/projects/P2/experiments?xsiType=xnat:qcManualAssessorData");
    assert_eq!((list.only().get("session_ID"), list.only().get("session_label")), (ID, ""));
    let seen = admin.table("/data/experiments?xsiType=xnat:qcManualAssessorData");
    assert_eq!((seen.only().get("label"), seen.only().get("session_label")), ("QC1", "S41_MR1"));
    let there = "/data/projects/P2/experiments/RATING";
    assert_eq!(item(&reader, there)["data_fields"]["rater"], "ann");
    assert_eq!(shared_with(&item(&both, there)), [("P2".to_owned(), "RATING".to_owned())]);
    let files = reader.table(&format!("{there}/files"));
    assert_eq!(reader.bytes(files.only().get("URI")), b"a");
    assert_eq!(reader.get(&format!("/data/experiments/{ID}?format=json")).status, 404);
    assert_eq!(reader.get(&format!("{qc}?format=json")).status, 404);
    assert_eq!(reader.table("/data/experiments/XNAT_E00002/projects").rows.len(), 2, "its own project by its ID alone");

    // It hides with its session.
    assert_eq!(one.put(&format!("/data/experiments/{ID}?quarantine=true")).status, 200);
    assert_eq!(reader.table("/data/projects/P2/experiments?xsiType=xnat:qcManualAssessorData").rows.len(), 0);
    assert_eq!(reader.get(there).status, 404);
    assert_eq!(one.put(&format!("/data/experiments/{ID}?activate=true")).status, 200);

    // Another label, and out again: by whoever owns one of the projects.
    assert_eq!(both.put(&format!("{qc}/projects/P2?label=OPINION")).status, 200);
    assert_eq!((reader.get(there).status, reader.get("/data/projects/P2/experiments/OPINION").status), (404, 200));
    assert_eq!(
        (delete(&reader, "/data/experiments/XNAT_E00002/projects/P2"), delete(&both, &format!("{qc}/projects/P2"))),
        (403, 403)
    );
    assert_eq!(delete(&one, &format!("{qc}/projects/P2")), 200);
    assert_eq!(reader.table("/data/projects/P2/experiments?xsiType=xnat:experimentData").rows.len(), 0);
    assert_eq!(both.put(&share).status, 200);
    assert_eq!(delete(&admin, &format!("/data/experiments/{ID}")), 200);
    assert_eq!(reader.get(there).status, 404);
    assert_eq!(reader.table("/data/projects/P2/experiments?xsiType=xnat:experimentData").rows.len(), 0);
}

#[test]
fn a_shared_experiment_is_read_in_both_projects_and_changed_in_its_own() {
    let World { admin, one, two, both, reader, chief, _service } = world();
    let experiment = "/data/projects/P1/experiments/S41_MR1";
    let share = format!("{experiment}/projects/P2?label=CASE7");
    assert_eq!(reader.get(&format!("/data/experiments/{ID}?format=json")).status, 404);
    // Members of both may share, others not.
    assert_eq!((one.put(&share).status, two.put(&share).status, reader.put(&share).status), (404, 404, 404));
    assert_eq!(both.put(&format!("{experiment}/projects/NONE")).status, 404);
    assert_eq!(both.put(&format!("{experiment}/projects/P2?label=a%20b")).status, 400);
    let shared = both.put(&share);
    assert_eq!((shared.status, shared.text().as_str()), (200, ""), "{}", shared.text());
    assert_eq!(both.put(&share).status, 409);
    assert_eq!(both.put(&format!("/data/experiments/{ID}/projects/P1")).status, 409);

    // Whoever reads P2 reads all of it, and finds it in the lists under its label there.
    let list = reader.table("/data/projects/P2/experiments?columns=ID,label,project,subject_project");
    let row = list.only();
    assert_eq!(
        [row.get("ID"), row.get("label"), row.get("project"), row.get("subject_project")],
        [ID, "CASE7", "P1", "P1"]
    );
    assert_eq!(reader.table("/data/experiments").only().get("label"), "CASE7");
    assert_eq!(both.table("/data/experiments").only().get("label"), "S41_MR1");
    assert_eq!(reader.table("/data/projects/P2/subjects").only().get("label"), "S41");
    assert_eq!(reader.table("/data/projects/P2/subjects/S41/experiments").only().get("ID"), ID);
    assert_eq!(reader.table(&format!("/data/subjects/{SUBJECT}/experiments")).only().get("ID"), ID);
    for address in [
        "/data/projects/P2/experiments/CASE7".to_owned(),
        format!("/data/projects/P2/experiments/{ID}"),
        "/data/projects/P2/subjects/S41/experiments/CASE7".to_owned(),
        format!("/data/experiments/{ID}"),
    ] {
        reader.assert_holds(&address, &study());
        assert_eq!(reader.bytes(&format!("{address}/resources/NOTES/files/a.txt")), b"hello", "{address}");
        assert_eq!(reader.get(&format!("{address}/files?format=zip")).status, 200, "{address}");
        assert_eq!(reader.get(&format!("{address}/status")).text(), "active");
    }
    let consent = reader.table("/data/projects/P2/subjects/S41/files");
    assert_eq!(reader.bytes(consent.only().get("URI")), b"yes");
    assert_eq!(reader.get(experiment).status, 404);

    // The item tells where it is, to those who may know of the projects.
    let here = [("P2".to_owned(), "CASE7".to_owned())];
    assert_eq!(shared_with(&item(&reader, &format!("/data/experiments/{ID}"))), here);
    assert_eq!(shared_with(&item(&one, experiment)), here);
    assert_eq!(shared_with(&item(&one, "/data/projects/P1/subjects/S41")), [("P2".to_owned(), "S41".to_owned())]);
    let xml = admin.get(&format!("{experiment}?format=xml")).text();
    assert!(xml.contains("<xnat:share label=\"CASE7\" project=\"P2\"/>"), "{xml}");
    let subject_xml = admin.get("/data/projects/P1/subjects/S41?format=xml").text();
    assert!(subject_xml.contains("<xnat:share label=\"S41\" project=\"P2\"/>"), "{subject_xml}");
    let table = reader.table("/data/projects/P2/experiments/CASE7/projects");
    let rows: Vec<_> = table.rows.iter().map(|row| [row.get("label"), row.get("ID"), row.get("Name")]).collect();
    // The name of a project that may not be seen is not told.
    assert_eq!(rows, [["S41_MR1", "P1", ""], ["CASE7", "P2", "P2"]]);

    // Rights in P2 change nothing of it.
    for (path, status) in [
        ("/data/projects/P2/experiments/CASE7?note=x".to_owned(), 403),
        (format!("/data/experiments/{ID}?note=x"), 403),
        ("/data/projects/P2/experiments/CASE7/scans/1?quality=unusable".to_owned(), 403),
        ("/data/projects/P2/experiments/CASE7/resources/MORE".to_owned(), 403),
        ("/data/projects/P2/subjects/S41?gender=F".to_owned(), 403),
    ] {
        let answer = two.put(&path);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    assert_eq!(two.get("/data/projects/P2/experiments/CASE7/history").status, 403);
    assert_eq!(both.put("/data/projects/P2/experiments/CASE7?note=y").status, 200);

    // In quarantine it is seen by those only who see it in its own project.
    assert_eq!(both.put(&format!("{experiment}?quarantine=true")).status, 200);
    for api in [&two, &reader] {
        assert_eq!(api.get("/data/projects/P2/experiments/CASE7?format=json").status, 404);
        assert_eq!(api.get(&format!("/data/experiments/{ID}/scans")).status, 404);
        assert!(api.table("/data/projects/P2/experiments").rows.is_empty());
    }
    assert_eq!(both.table("/data/projects/P2/experiments").only().get("ID"), ID);
    assert_eq!(one.put(&format!("{experiment}?activate=true")).status, 200);

    // A label stands for one item.
    let clash = both.put("/data/projects/P2/subjects/S9/experiments/CASE7?xsiType=xnat:mrSessionData");
    assert_eq!(clash.status, 409, "{}", clash.text());
    // Owners of either project take it back, as do those who delete it by an address of P2.
    assert_eq!(delete(&both, &format!("{experiment}/projects/P2")), 403);
    assert_eq!(delete(&reader, "/data/projects/P2/experiments/CASE7"), 403);
    assert_eq!(delete(&two, "/data/projects/P2/experiments/CASE7?removeFiles=true"), 200);
    assert_eq!(reader.get(&format!("/data/experiments/{ID}?format=json")).status, 404);
    assert_eq!(both.put(&format!("/data/experiments/{ID}/projects/P2")).status, 200);
    assert_eq!(delete(&one, &format!("/data/experiments/{ID}/projects/P2")), 200);
    assert_eq!(delete(&chief, &format!("/data/experiments/{ID}/projects/P2")), 404);
    assert_eq!(delete(&chief, &format!("/data/experiments/{ID}/projects/P1")), 409);
    admin.assert_holds(experiment, &study());
    let history = admin.table(&format!("/data/experiments/{ID}/history"));
    let actions: Vec<&str> = history.column("action").into_iter().filter(|action| *action != "Modified").collect();
    assert_eq!(actions, ["Unshared", "Shared", "Unshared", "Released", "Quarantined", "Shared", "Transfer"]);
    let history = admin.table("/data/projects/P2/history");
    assert_eq!(history.rows.iter().filter(|row| row.get("ID") == ID).count(), 4);
}

#[test]
fn items_move_to_another_project_with_primary() {
    let World { both, chief, reader, admin, _service, .. } = world();
    let experiment = "/data/projects/P1/subjects/S41/experiments/S41_MR1";
    let before = admin.content(experiment);
    // Moving takes the item away, which is for owners.
    assert_eq!(both.put(&format!("{experiment}/projects/P2?primary=true")).status, 403);
    let moved = chief.put(&format!("{experiment}/projects/P2?primary=true&label=CASE7"));
    assert_eq!(moved.status, 200, "{}", moved.text());
    assert_eq!(chief.get(&format!("{experiment}?format=json")).status, 404);
    assert!(chief.table("/data/projects/P1/experiments").rows.is_empty());
    assert_eq!(reader.content("/data/projects/P2/experiments/CASE7"), before);
    let list = chief.table("/data/projects/P2/experiments?columns=ID,project,label,subject_label,subject_project");
    let row = list.only();
    let cells = ["ID", "project", "label", "subject_label", "subject_project"].map(|column| row.get(column));
    assert_eq!(cells, [ID, "P2", "CASE7", "S41", "P1"]);
    assert_eq!(both.put("/data/projects/P2/experiments/CASE7?note=moved").status, 200);
    // The subject cannot go before what is left of it, but may follow.
    assert_eq!(delete(&chief, "/data/projects/P1/subjects/S41?removeFiles=true"), 409);
    assert_eq!(delete(&chief, "/data/projects/P1/subjects/S41/projects/P2"), 409);
    assert_eq!(chief.put(&format!("/data/subjects/{SUBJECT}/projects/P2?primary=true")).status, 200);
    assert!(chief.table("/data/projects/P1/subjects").rows.is_empty());
    assert_eq!(reader.table("/data/projects/P2/subjects").only().get("project"), "P2");
    // What the first project had goes with it, and nothing else.
    assert_eq!(delete(&chief, "/data/projects/P1?removeFiles=true"), 200);
    assert_eq!(reader.content("/data/projects/P2/subjects/S41/experiments/CASE7"), before);
    assert_eq!(delete(&chief, "/data/projects/P2/experiments/CASE7"), 200);
    assert_eq!(delete(&chief, "/data/projects/P2/subjects/S41"), 200);
}

#[test]
fn a_project_that_is_deleted_takes_only_the_sharing_along() {
    let World { admin, one, both, chief, reader, _service, .. } = world();
    let subject = "/data/projects/P1/subjects/S41";
    assert_eq!(both.put(&format!("{subject}/projects/P2?label=X1")).status, 200);
    assert_eq!(both.put(&format!("{subject}/experiments/S41_MR1/projects/P2")).status, 200);
    assert_eq!(reader.get("/data/projects/P2/subjects/X1/experiments/S41_MR1/scans").status, 200);
    assert_eq!(delete(&chief, "/data/projects/P2"), 200);
    assert_eq!(reader.get(&format!("/data/experiments/{ID}?format=json")).status, 404);
    assert!(shared_with(&item(&one, subject)).is_empty());
    assert_eq!(one.table(&format!("{subject}/projects")).only().get("ID"), "P1");
    admin.assert_holds("/data/projects/P1/experiments/S41_MR1", &study());
}
