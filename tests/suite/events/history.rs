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
