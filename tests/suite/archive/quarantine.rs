//! Who sees an experiment that is in quarantine.

use narthex_tests::{Api, Client, Service};

use super::shelves::put_file;
use super::study;
use crate::access::user;

const ID: &str = "XNAT_E00001";
const NO_ID: &str = "XNAT_E99999";
const LABEL: &str = "S41_MR1";
const NO_LABEL: &str = "S99_MR1";

/// Everything that can be read of an experiment.
const BELOW: [&str; 22] = [
    "?format=json",
    "?format=xml",
    "?format=html",
    "?format=zip",
    "/status",
    "/projects",
    "/scans",
    "/scans/1?format=json",
    "/scans/1/resources",
    "/scans/1/resources/DICOM",
    "/scans/1/resources/DICOM/files",
    "/scans/1/resources/DICOM/files/{file}",
    "/scans/1/files",
    "/scans/ALL/files?format=zip",
    "/resources",
    "/resources?all=true",
    "/resources/NOTES",
    "/resources/NOTES/files",
    "/resources/NOTES/files/a.txt",
    "/files",
    "/files?format=tar.gz",
    "/files?index=0",
];

/// Every address of an experiment, and the same of one that does not exist.
fn addresses() -> Vec<[String; 2]> {
    let of = |place: &str, name: &str| format!("{place}/experiments/{name}");
    [
        ("/data", ID, NO_ID),
        ("/data/archive/projects/P1", ID, NO_ID),
        ("/data/projects/P1", LABEL, NO_LABEL),
        ("/data/projects/P1/subjects/S41", LABEL, NO_LABEL),
    ]
    .map(|(place, name, missing)| [of(place, name), of(place, missing)])
    .to_vec()
}

const LISTS: [&str; 5] = [
    "/data/experiments",
    "/data/projects/P1/experiments",
    "/data/projects/P1/experiments?columns=ID,scanner&xsiType=xnat:mrSessionData",
    "/data/projects/P1/subjects/S41/experiments",
    "/data/subjects/XNAT_S00001/experiments",
];

/// Somebody, and whether they see what is in quarantine.
struct Reader {
    name: &'static str,
    client: Client,
    sees_quarantined: bool,
}

fn check(reader: &Reader, sees: bool, file: &str) {
    let Reader { name, client, .. } = reader;
    let get = |path: &str| client.get(path).unwrap();
    for [there, missing] in addresses() {
        for below in BELOW {
            let below = below.replace("{file}", file);
            let found = get(&format!("{there}{below}"));
            if sees {
                assert_eq!(found.status, 200, "{name}: {there}{below}: {}", found.text());
                continue;
            }
            let unknown = get(&format!("{missing}{below}"));
            let hide = |text: String| text.replace(ID, "").replace(NO_ID, "").replace(LABEL, "").replace(NO_LABEL, "");
            assert!(matches!(found.status, 401 | 404), "{name}: {there}{below}: {}", found.status);
            assert_eq!(
                (found.status, hide(found.text())),
                (unknown.status, hide(unknown.text())),
                "{name}: {there}{below} tells that it exists"
            );
        }
    }
    let api = Api { client: client.clone() };
    for list in LISTS {
        let table = api.table(list);
        assert_eq!(table.rows.len(), usize::from(sees), "{name}: {list}");
        let text = api.get(list).text();
        assert!(sees || !text.contains(ID), "{name}: {list}: {text}");
    }
    assert_eq!(api.table("/data/projects/P1/subjects").only().get("label"), "S41", "{name}");
    assert_eq!(get("/data/projects/P1/subjects/S41?format=json").status, 200, "{name}");
}

#[test]
fn what_is_in_quarantine_exists_for_nobody_who_only_reads_the_project() {
    let service = Service::with(&[("require_login", "false")]);
    let api = service.api();
    api.project("P1");
    assert_eq!(api.put("/data/projects/P1/accessibility/public").status, 200);
    let staged = api.import("P1", &study());
    api.archive(&staged);
    let experiment = format!("/data/experiments/{ID}");
    put_file(&api, &format!("{experiment}/resources/NOTES/files/a.txt"), b"hello");
    let files = api.table(&format!("{experiment}/scans/1/resources/DICOM/files"));
    let file = files.rows[0].get("Name").to_owned();

    let admin = &api.client;
    let member_of = |role: &str, name: &'static str| {
        let client = user(admin, name);
        assert_eq!(api.put(&format!("/data/projects/P1/users/{role}/{name}")).status, 200);
        client
    };
    let reader = |name, client, sees_quarantined| Reader { name, client, sees_quarantined };
    let rhea = user(admin, "rhea");
    assert_eq!(api.put("/xapi/users/rhea/groups/ALL_DATA_ACCESS").status, 200);
    let readers = [
        reader("the guest", service.client().anonymous(), false),
        reader("the stranger", user(admin, "sara"), false),
        reader("the collaborator", member_of("collaborator", "carl"), false),
        reader("the member", member_of("member", "mary"), true),
        reader("the owner", member_of("owner", "olga"), true),
        reader("the all-data reader", rhea, true),
        reader("the administrator", admin.clone(), true),
    ];
    let [_, _, carl, mary, olga, ..] = &readers;
    readers.iter().for_each(|reader| check(reader, true, &file));

    assert_eq!(mary.client.put(&format!("{experiment}?quarantine=true")).unwrap().status, 200);
    readers.iter().for_each(|reader| check(reader, reader.sees_quarantined, &file));
    let refresh = |client: &Client, id: &str| {
        let form = [("resource", format!("/archive/experiments/{id}")), ("options", "checksum".to_owned())];
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = client.post_form("/data/services/refresh/catalog", &form).unwrap();
        (answer.status, answer.text().replace(id, ""))
    };
    assert_eq!(refresh(&carl.client, ID), refresh(&carl.client, NO_ID));
    assert_eq!(refresh(&mary.client, ID).0, 200);
    // What may not be seen cannot be changed, and is not told of either.
    let change = |client: &Client, id: &str| client.put(&format!("/data/experiments/{id}?note=x")).unwrap().status;
    assert_eq!((change(&carl.client, ID), change(&carl.client, NO_ID), change(&mary.client, ID)), (404, 404, 200));
    let history = |client: &Client| client.get(&format!("{experiment}/history")).unwrap().status;
    assert_eq!((history(&carl.client), history(&mary.client), history(&olga.client)), (404, 403, 200));
    let since = carl.client.get("/data/projects?activeSince=2020-01-01&format=csv").unwrap();
    assert_eq!(since.status, 200);

    // It is for owners to release it.
    assert_eq!(mary.client.put(&format!("{experiment}?activate=true")).unwrap().status, 403);
    assert_eq!(olga.client.put(&format!("{experiment}?activate=true&event_reason=reviewed")).unwrap().status, 200);
    readers.iter().for_each(|reader| check(reader, true, &file));
    let list = api.table(&format!("{experiment}/history"));
    let row = list.row("details", "activated");
    assert_eq!((row.get("user"), row.get("event_reason"), row.get("action")), ("olga", "reviewed", "Released"));
    // A project that asks for it has it for what is new.
    assert_eq!(api.put("/data/projects/P1/quarantine_code/1").status, 200);
    api.archive(&api.import("P1", &narthex_tests::Study::new(narthex_tests::Modality::Mr, 77).patient("N_MR1", "N")));
    assert_eq!(api.get("/data/projects/P1/experiments/N_MR1/status").text(), "quarantine");
    assert_eq!(carl.client.get("/data/projects/P1/experiments/N_MR1?format=json").unwrap().status, 404);
    // Or to reject it.
    assert_eq!(mary.client.delete("/data/projects/P1/experiments/N_MR1").unwrap().status, 403);
    assert_eq!(olga.client.delete("/data/projects/P1/experiments/N_MR1?event_reason=bad").unwrap().status, 200);
    assert_eq!(api.table("/data/projects/P1/history").row("action", "Rejected").get("event_reason"), "bad");
    assert_eq!(api.table("/data/projects/P1/history").row("action", "Quarantined").get("label"), "N_MR1");
}
