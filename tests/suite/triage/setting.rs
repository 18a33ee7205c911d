//! `resource_quarantine`: uploads to the archive that go to the quarantine.

use narthex_tests::{Api, Client, Response, Table, sentence};
use serde_json::Value;

use super::{TRIAGE, approved, service};
use crate::access::user;

const ITEMS: [&str; 4] = [
    "/data/projects/P1",
    "/data/archive/projects/P1/subjects/S61",
    "/data/experiments/XNAT_E00001",
    "/data/projects/P1/subjects/S61/experiments/S61_MR1/scans/1",
];

fn upload(client: &Client, path: &str, body: &[u8]) -> Response {
    client.request("PUT", path).header("Content-Type", "text/plain").send_bytes(body).unwrap()
}

fn people(api: &Api) -> [Client; 3] {
    [("carl", "collaborator"), ("mary", "member"), ("olga", "owner")].map(|(name, role)| {
        let client = user(&api.client, name);
        assert_eq!(api.put(&format!("/data/projects/P1/users/{role}/{name}")).status, 200);
        client
    })
}

fn set(api: &Api, code: &str) {
    assert_eq!(api.put(&format!("/data/projects/P1/resource_quarantine/{code}")).status, 200);
    assert_eq!(api.bytes("/data/projects/P1/resource_quarantine"), code.as_bytes());
}

#[test]
fn the_setting_is_a_bare_number() {
    let (_service, api) = service();
    assert_eq!(api.bytes("/data/projects/P1/resource_quarantine"), b"0");
    for code in ["1", "2", "0"] {
        set(&api, code);
    }
    for code in ["3", "-1", "x", ""] {
        assert_eq!(api.put(&format!("/data/projects/P1/resource_quarantine/{code}")).status, 400, "{code}");
    }
    assert_eq!(api.get("/data/projects/P1/resource_quarantine/1").status, 400);
}

#[test]
fn uploads_go_to_the_quarantine_by_role() {
    let (service, api) = service();
    let [carl, mary, olga] = people(&api);
    for (code, expected) in [("0", [403, 0, 0]), ("1", [200, 0, 0]), ("2", [200, 200, 0])] {
        set(&api, code);
        for (client, name, status) in
            [(&carl, "carl", expected[0]), (&mary, "mary", expected[1]), (&olga, "olga", expected[2])]
        {
            for item in ITEMS {
                let path = format!("{item}/resources/R{code}/files/d/{name}.txt");
                let answer = upload(client, &path, name.as_bytes());
                let there = api.get(&path).status;
                match status {
                    403 => assert_eq!((answer.status, there), (403, 404), "{path}"),
                    200 => {
                        assert_eq!((answer.status, there), (200, 404), "{path}: {}", answer.text());
                        let told: Value = serde_json::from_slice(&answer.body).unwrap();
                        let uri = told["quarantined"][0].as_str().unwrap();
                        assert_eq!(told["quarantined"].as_array().unwrap().len(), 1);
                        assert!(uri.starts_with(TRIAGE) && uri.ends_with(&format!("/files/d/{name}.txt")), "{uri}");
                        // The uploader finds it there.
                        assert_eq!(client.get(uri).unwrap().body, name.as_bytes());
                    }
                    _ => {
                        assert_eq!((answer.status, answer.text().as_str(), there), (200, "", 200), "{name} {path}");
                    }
                }
            }
        }
    }
    // What is not an upload of files is as it was.
    assert_eq!(carl.put("/data/projects/P1/resources/NEW").unwrap().status, 403);
    assert_eq!(carl.delete("/data/projects/P1/resources/R0/files/d/mary.txt").unwrap().status, 403);
    assert_eq!(upload(&carl, "/data/projects/P1/subjects/NOBODY/resources/R/files/a", b"x").status, 404);
    let list = Table::of(&carl.get(TRIAGE).unwrap());
    assert_eq!(list.rows.len(), 2 * ITEMS.len());
    for row in &list.rows {
        assert_eq!(row.get("USER"), "carl");
        approved(&api, row.get("URI"), row.get("TARGET"));
        assert_eq!(api.bytes(&format!("{}/d/carl.txt", row.get("TARGET"))), b"carl");
    }
    drop(service);
}

#[test]
fn what_one_user_sends_for_one_resource_waits_in_one_folder() {
    let (_service, api) = service();
    let [carl, ..] = people(&api);
    set(&api, "1");
    let files = "/data/projects/P1/resources/R/files";
    for name in ["a", "b"] {
        assert_eq!(upload(&carl, &format!("{files}/{name}?format=TXT&event_reason=why"), b"1").status, 200);
    }
    let again = upload(&carl, &format!("{files}/a"), b"2");
    let told: Value = serde_json::from_slice(&again.body).unwrap();
    assert_eq!(told, serde_json::json!({ "quarantined": [], "duplicates": ["a"] }));
    let over = upload(&carl, &format!("{files}/a?overwrite=true"), b"2");
    assert_eq!(over.status, 200);
    let list = api.table(TRIAGE);
    assert_eq!(list.column("FSOURCE"), ["a<br>", "b<br>"]);
    assert_eq!(list.rows[0].get("Resource"), list.rows[1].get("Resource"));
    assert_eq!(list.rows[1].get("format"), "TXT");
    assert_eq!(list.rows[0].get("OVERWRITE"), "true");
    let zip = narthex_tests::zip_files(
        ["x/1", "x/2"].map(|name| (name.to_owned(), b"z".to_vec())),
        narthex_tests::Packing::Stored,
    );
    let sent = carl.request("PUT", &format!("{files}/all.zip?extract=true")).header("Content-Type", "application/zip");
    let told: Value = serde_json::from_slice(&sent.send_bytes(&zip).unwrap().body).unwrap();
    assert_eq!(told["quarantined"].as_array().unwrap().len(), 2, "{told}");
    assert_eq!(api.table(TRIAGE).rows.len(), 4);
    assert_eq!(upload(&carl, &format!("{files}/a?async=true"), b"2").status, 501);
}

#[test]
fn the_project_that_an_item_belongs_to_decides_by_whichever_address() {
    let (_service, api) = service();
    let [_, mary, olga] = people(&api);
    set(&api, "2");
    assert_eq!(api.put("/data/experiments/XNAT_E00001/assessors/QC1?xsiType=xnat:qcManualAssessorData").status, 201);
    assert_eq!(mary.put("/data/projects/MARYS").unwrap().status, 200);
    let session = "/data/projects/P1/subjects/S61/experiments/S61_MR1";
    assert_eq!(mary.put(&format!("{session}/projects/MARYS?label=MINE")).unwrap().status, 200);
    let assessor = format!("{session}/assessors/QC1/projects/MARYS?label=RATING");
    assert_eq!(mary.put(&assessor).unwrap().status, 200);
    let items = [
        "/data/projects/MARYS/experiments/MINE",
        "/REST/projects/MARYS/subjects/S61/experiments/MINE",
        "/data/archive/projects/MARYS/experiments/XNAT_E00001/scans/1",
        "/data/projects/MARYS/subjects/S61",
        "/data/projects/MARYS/experiments/MINE/assessors/QC1",
        "/data/projects/MARYS/experiments/MINE/assessors/QC1/out",
        "/data/projects/MARYS/experiments/RATING",
        "/data/experiments/XNAT_E00001",
        "/data/experiments/XNAT_E00001/scans/1",
        "/data/experiments/XNAT_E00001/assessors/QC1",
        "/data/experiments/XNAT_E00002",
        "/data/subjects/XNAT_S00001",
        session,
    ];
    for (number, item) in items.iter().enumerate() {
        for method in ["PUT", "POST"] {
            let path = format!("{item}/resources/BYP{number}/files/{method}.txt");
            let request = mary.request(method, &path).header("Content-Type", "text/plain");
            let answer = request.send_bytes(b"evil").unwrap();
            assert!(answer.text().contains("quarantined"), "{path}: {} {}", answer.status, answer.text());
            assert_eq!(api.get(&path).status, 404, "{path}");
        }
    }
    // Who reviews is told of no address of a project that is hidden from them, and can take the files in.
    let list = Table::of(&olga.get(TRIAGE).unwrap());
    assert_eq!(list.rows.len(), 2 * items.len());
    let reviewer = Api { client: olga };
    for row in &list.rows {
        assert!(!row.get("TARGET").contains("MARYS") && !row.get("FTARGET").contains("MARYS"), "{}", row.get("TARGET"));
    }
    let mut folders: Vec<(&str, &str)> = list.rows.iter().map(|row| (row.get("URI"), row.get("TARGET"))).collect();
    folders.sort_unstable();
    folders.dedup();
    for (folder, target) in folders {
        approved(&reviewer, folder, target);
        assert_eq!(api.bytes(&format!("{target}/PUT.txt")), b"evil");
    }
    // Another project's setting does not matter to what is only shared with it.
    api.project("P2");
    assert_eq!(api.put("/data/projects/P2/resource_quarantine/2").status, 200);
    for (project, role) in [("P2", "member"), ("MARYS", "owner")] {
        assert_eq!(api.put(&format!("/data/projects/{project}/users/{role}/mary")).status, 200);
    }
    assert_eq!(mary.put("/data/projects/MARYS/subjects/OWN").unwrap().status, 201);
    assert_eq!(mary.put("/data/projects/MARYS/subjects/OWN/projects/P2").unwrap().status, 200);
    let path = "/data/projects/P2/subjects/OWN/resources/R/files/a.txt";
    assert_eq!(upload(&mary, path, b"fine").status, 200);
    assert_eq!(api.bytes(path), b"fine");
}

#[test]
fn a_resource_has_one_folder_however_it_is_addressed() {
    let (_service, api) = service();
    let [carl, mary, _] = people(&api);
    set(&api, "2");
    let resource = "/data/experiments/XNAT_E00001/resources/R";
    assert_eq!(api.put(resource).status, 200);
    let list = api.table("/data/experiments/XNAT_E00001/resources");
    let number = list.row("label", "R").get("xnat_abstractresource_id").to_owned();
    for (at, item) in [
        "/data/experiments/XNAT_E00001/resources/R".to_owned(),
        "/data/archive/projects/P1/experiments/S61_MR1/resources/R".to_owned(),
        "/data/projects/P1/subjects/S61/experiments/XNAT_E00001/resources/R".to_owned(),
        format!("/data/experiments/XNAT_E00001/resources/{number}"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = upload(&carl, &format!("{item}/files/{at}"), b"x");
        assert_eq!(answer.status, 200, "{item}: {}", answer.text());
    }
    let other = upload(&carl, "/data/experiments/XNAT_E00001/resources/S/files/a", b"x");
    let another = upload(&mary, &format!("{resource}/files/a"), b"x");
    assert_eq!((other.status, another.status), (200, 200));
    let list = api.table(TRIAGE);
    let folders: Vec<&str> = list.column("Resource");
    assert_eq!(folders.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{folders:?}");
    assert!(folders[..4].iter().all(|folder| *folder == folders[0]), "{folders:?}");
    approved(&api, list.rows[0].get("URI"), list.rows[0].get("TARGET"));
    assert_eq!(api.table(&format!("{resource}/files")).rows.len(), 4);
}

#[test]
fn the_names_of_automatic_folders_are_not_for_clients() {
    let (_service, api) = service();
    let [carl, mary, _] = people(&api);
    set(&api, "1");
    let target = "/data/projects/P1/resources/R";
    let answer = upload(&carl, &format!("{target}/files/a"), b"a");
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    let (folder, _) = told["quarantined"][0].as_str().unwrap().split_once("/files/").unwrap();
    // It is approved, and somebody else tries to stand in the way of the next.
    approved(&api, folder, target);
    for client in [&api.client, &mary, &carl] {
        let made = client.put(folder).unwrap();
        assert_eq!(made.status, 400, "{}", made.text());
        assert!(sentence(&made).contains("auto-"), "{}", sentence(&made));
        let sent = upload(client, &format!("{folder}/files/b?target={target}"), b"b");
        assert_eq!(sent.status, 400, "{}", sent.text());
    }
    assert_eq!(upload(&carl, &format!("{target}/files/c"), b"c").status, 200);
    // Whose folder it is may add to it, and nobody else.
    assert_eq!(upload(&carl, &format!("{folder}/files/d?target={target}"), b"d").status, 200);
    assert_eq!(upload(&mary, &format!("{folder}/files/e?target={target}"), b"e").status, 409);
    assert_eq!(mary.put(folder).unwrap().status, 412);
    assert_eq!(api.table(TRIAGE).column("FSOURCE"), ["c<br>", "d<br>"]);
    approved(&api, folder, target);
}
