//! The history of an experiment and of its project.

use narthex_tests::{Modality, Service, Study, form};

#[test]
fn who_archived_what_and_why_can_be_looked_up() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let staged = api.import("P1", &Study::new(Modality::Mr, 91).patient("S1_MR1", "S1"));
    let body = form(&[("src", &staged), ("event_reason", "reviewed, <good>"), ("event_comment", "no motion")]);
    let archived =
        api.client.post("/data/services/archive", "application/x-www-form-urlencoded", body.as_bytes()).unwrap();
    assert_eq!(archived.status, 200, "{}", archived.text());
    let experiment = "/data/projects/P1/experiments/S1_MR1";
    for place in [experiment.to_owned() + "/history", "/data/projects/P1/history".to_owned()] {
        let list = api.table(&place);
        let row = list.only();
        assert_eq!((row.get("user"), row.get("action"), row.get("label")), ("admin", "Transfer", "S1_MR1"), "{place}");
        assert_eq!(row.get("details"), format!("from {}", staged.trim_start_matches("/data")), "{place}");
        assert_eq!((row.get("event_reason"), row.get("event_comment")), ("reviewed, <good>", "no motion"), "{place}");
    }
    for format in ["csv", "xml", "html"] {
        let text = api.get(&format!("{experiment}/history?format={format}")).text();
        assert!(text.contains("Transfer") && text.contains("no motion"), "{format}: {text}");
        assert!(format == "csv" || !text.contains("<good>"), "{format}: {text}");
    }
    // A reason that cannot be kept is refused, and the session stays.
    let staged = api.import("P1", &Study::new(Modality::Mr, 92).patient("S2_MR1", "S2"));
    let body = form(&[("src", &staged), ("event_reason", &"a".repeat(2_000))]);
    let refused =
        api.client.post("/data/services/archive", "application/x-www-form-urlencoded", body.as_bytes()).unwrap();
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert_eq!(api.get(&format!("{staged}?format=json")).status, 200);
}

#[test]
fn what_is_made_changed_and_removed_in_the_archive_is_in_the_history() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let subject = "/data/projects/P1/subjects/S1";
    let experiment = format!("{subject}/experiments/E1");
    let put = |path: &str| api.put(path).status;
    assert_eq!(put(&format!("{subject}?gender=female&event_reason=enrolled")), 201);
    assert_eq!(put(&format!("{experiment}?xsiType=xnat:mrSessionData")), 201);
    assert_eq!(put(&format!("{experiment}/scans/1?xsiType=xnat:mrScanData&type=T1")), 200);
    assert_eq!(put(&format!("{experiment}/scans/1/resources/NIFTI")), 200);
    assert_eq!(put(&format!("{experiment}?note=a&event_reason={}", "x".repeat(2_000))), 400);
    let told: Vec<(String, String)> = api
        .table(&format!("{experiment}/history"))
        .rows
        .iter()
        .map(|row| (row.get("action").to_owned(), row.get("details").to_owned()))
        .collect();
    let row = |action: &str, details: &str| (action.to_owned(), details.to_owned());
    assert_eq!(told, [row("Modified", "scan 1, resource NIFTI: made"), row("Modified", "scan 1"), row("Created", "")]);
    assert_eq!(
        api.client.delete(&format!("{experiment}?removeFiles=true&event_reason=wrong%20one")).unwrap().status,
        200
    );
    let list = api.table("/data/projects/P1/history");
    let last = list.rows.first().unwrap();
    assert_eq!((last.get("action"), last.get("label"), last.get("event_reason")), ("Removed", "E1", "wrong one"));
    assert_eq!(list.rows.len(), 5);
    assert_eq!(list.rows.last().unwrap().get("event_reason"), "enrolled");
}

#[test]
fn a_file_that_is_there_already_makes_no_history() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let file = "/data/projects/P1/resources/NOTES/files/a.txt";
    for _ in 0..2 {
        let request = api.client.request("PUT", file).header("Content-Type", "text/plain");
        assert_eq!(request.send_bytes(b"text").unwrap().status, 200);
    }
    let list = api.table("/data/projects/P1/history");
    assert_eq!(list.only().get("details"), "resource NOTES: files added");
}

#[test]
fn who_changed_the_settings_and_members_of_a_project_is_in_its_history() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let olga = crate::access::user(&api.client, "olga");
    let project = "/data/projects/P1";
    assert_eq!(api.put(&format!("{project}/users/owner/olga?event_reason=new+lead")).status, 200);
    for path in ["/quarantine_code/1", "/prearchive_code/4", "/accessibility/protected", "?description=x"] {
        assert_eq!(olga.put(&format!("{project}{path}")).unwrap().status, 200, "{path}");
    }
    let config = format!("{project}/config/separatePETMR/config");
    assert_eq!(olga.request("PUT", &config).send_bytes(b"separate").unwrap().status, 200);
    assert_eq!(api.client.delete(&format!("{project}/users/owner/olga")).unwrap().status, 200);
    // What is refused changes nothing, and is not written down.
    assert_eq!(api.put(&format!("{project}/quarantine_code/9")).status, 400);
    assert_eq!(api.put(&format!("{project}/quarantine_code/0?event_reason={}", "x".repeat(2_000))).status, 400);
    let told: Vec<[String; 3]> = api
        .table(&format!("{project}/history"))
        .rows
        .iter()
        .map(|row| ["user", "details", "event_reason"].map(|column| row.get(column).to_owned()))
        .collect();
    let wanted = [
        ["admin", "Owners no more: olga", ""],
        ["olga", "separatePETMR: separate", ""],
        ["olga", "fields of the project", ""],
        ["olga", "accessibility: protected", ""],
        ["olga", "prearchive_code: 4", ""],
        ["olga", "quarantine_code: 1", ""],
        ["admin", "Owners now: olga", "new lead"],
    ];
    assert_eq!(told, wanted.map(|row| row.map(str::to_owned)));
}
