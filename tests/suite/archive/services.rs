//! The services `archive` and `validate-archive`: how sessions are named, and what the answers look like.

use std::time::Duration;

use narthex_tests::{Api, Modality, Response, Service, Study, Table, eventually, form, sentence, zip_study};

const SOON: Duration = Duration::from_secs(20);

fn study(number: u64) -> Study {
    Study::new(Modality::Mr, 800 + number).patient(&format!("S{number}_MR1"), &format!("S{number}"))
}

fn service() -> (Service, Api) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    (service, api)
}

fn post(api: &Api, path: &str, fields: &[(&str, &str)]) -> Response {
    let body = form(fields);
    api.client.post(path, "application/x-www-form-urlencoded", body.as_bytes()).unwrap()
}

fn archive(api: &Api, fields: &[(&str, &str)]) -> Response {
    post(api, "/data/services/archive", fields)
}

#[test]
fn several_sessions_are_archived_in_the_background() {
    let (_service, api) = service();
    let first = api.import("P1", &study(1));
    api.archive(&first);
    // One of them is in the archive already, with the same files.
    let sources: Vec<String> = (1..=3).map(|number| api.import("P1", &study(number))).collect();
    let fields: Vec<(&str, &str)> = sources.iter().map(|src| ("src", src.as_str())).collect();
    let answer = post(&api, "/data/services/archive?format=json", &fields);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let table = Table::of(&answer);
    assert_eq!(table.column("status"), ["QUEUED_ARCHIVING"; 3]);
    let key = answer.header("x-narthex-job").expect("the key of the job").to_owned();
    eventually(SOON, "the job is done", || {
        let event = api.get(&format!("/xapi/event_tracking/{key}"));
        event.text().contains("\"succeeded\":false").then_some(())
    });
    let left = api.sessions("P1");
    assert_eq!((left.only().get("name"), left.only().get("status")), ("S1_MR1", "CONFLICT"));
    let log = api.get(&format!("/data{}/logs/last", left.only().get("url"))).text();
    assert!(log.contains("Session already exists"), "{log}");
    for number in 1..=3 {
        api.assert_holds(&format!("/data/projects/P1/experiments/S{number}_MR1"), &study(number));
    }
}

#[test]
fn the_table_of_several_sessions_is_xml_unless_a_format_is_named() {
    let (_service, api) = service();
    let sources = [api.import("P1", &study(1)), api.import("P1", &study(2))];
    let answer = archive(&api, &[("src", &sources[0]), ("src", &sources[1])]);
    assert!(answer.header("content-type").unwrap().starts_with("text/xml"));
    eventually(SOON, "both are archived", || {
        (api.table("/data/projects/P1/experiments").rows.len() == 2).then_some(())
    });
}

#[test]
fn one_that_is_followed_is_archived_in_the_background() {
    let (_service, api) = service();
    let src = api.import("P1", &study(1));
    let answer = archive(&api, &[("src", &src), ("http-session-listener", "MY KEY")]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let last = eventually(SOON, "the work is done", || {
        let text = api.get("/data/status/MY%20KEY?format=json").text();
        text.contains("terminal").then_some(text)
    });
    assert!(last.contains("Archive:/archive/projects/P1/subjects/S1/experiments/S1_MR1"), "{last}");
    api.assert_holds("/data/projects/P1/experiments/S1_MR1", &study(1));
    let empty = archive(&api, &[("src", &src), ("http-session-listener", "")]);
    assert_eq!(empty.status, 400, "{}", empty.text());
}

#[test]
fn a_session_may_be_named_by_its_folders() {
    let (_service, api) = service();
    let src = api.import("P1", &study(1));
    let parts: Vec<&str> = src.split('/').collect();
    let older = [("project", "P1"), ("PREARC_TIMESTAMP", parts[5]), ("PREARC_SESSION_FOLDER", parts[6])];
    assert_eq!(archive(&api, &older[..2]).status, 404);
    let answer = archive(&api, &older);
    assert_eq!(answer.text(), "/data/archive/projects/P1/subjects/S1/experiments/S1_MR1\r\n");
}

#[test]
fn subject_and_label_may_be_chosen_by_parameters_or_destination() {
    let (_service, api) = service();
    for (number, fields) in [
        (1, vec![("subject", "SUB"), ("session", "A")]),
        (2, vec![("SUBJECT_ID", "sub"), ("EXPT_LABEL", "A2")]),
        (3, vec![("dest", "/archive/projects/P1/subjects/SUB/experiments/A3")]),
    ] {
        let src = api.import("P1", &study(number));
        let mut all = vec![("src", src.as_str())];
        all.extend(fields);
        let answer = archive(&api, &all);
        assert!(answer.text().starts_with("/data/archive/projects/P1/subjects/SUB/experiments/A"), "{}", answer.text());
    }
    assert_eq!(api.table("/data/projects/P1/subjects").only().get("label"), "SUB");
    let sources = [api.import("P1", &study(4)), api.import("P1", &study(5))];
    let refused = archive(&api, &[("src", &sources[0]), ("src", &sources[1]), ("session", "ONE")]);
    assert_eq!(refused.status, 400, "{}", refused.text());
}

#[test]
fn fields_and_quarantine_are_set_on_the_archived_session() {
    let (_service, api) = service();
    let src = api.import("P1", &study(1));
    let fields =
        [("src", src.as_str()), ("xnat:mrSessionData/note", "seen"), ("quarantine", "true"), ("event_reason", "test")];
    assert_eq!(archive(&api, &fields).status, 200);
    let document = api.get("/data/projects/P1/experiments/S1_MR1?format=xml").text();
    assert!(document.contains("<xnat:note>seen</xnat:note>"), "{document}");
    assert_eq!(api.get("/data/projects/P1/experiments/S1_MR1/status").text(), "quarantine");
    let src = api.import("P1", &study(2));
    for (name, value) in [("xnat:mrSessionData/project", "x"), ("xnat:mrScanData/type", "x"), ("overwrite", "maybe")] {
        let refused = archive(&api, &[("src", &src), (name, value)]);
        assert_eq!(refused.status, 400, "{name}: {}", refused.text());
    }
    let long = "x".repeat(1_025);
    let refused = archive(&api, &[("src", &src), ("event_reason", &long)]);
    assert_eq!(refused.status, 400, "{}", refused.text());
}

#[test]
fn the_answer_is_a_redirection_where_the_session_would_have_gone_by_itself() {
    let (_service, api) = service();
    for (number, code, fields, status) in [
        (1, 0, vec![], 200),
        (2, 0, vec![("redirect", "true")], 303),
        (3, 0, vec![("auto-archive", "true")], 303),
        (4, 4, vec![], 303),
        (5, 4, vec![("auto-archive", "false")], 200),
        (6, 5, vec![("AA", "false"), ("redirect", "true")], 303),
    ] {
        api.code("P1", code);
        let src = api.import("P1", &study(number));
        let mut all = vec![("src", src.as_str())];
        all.extend(fields);
        let answer = archive(&api, &all);
        assert_eq!(answer.status, status, "{all:?}: {}", answer.text());
        let uri = format!("/data/archive/projects/P1/subjects/S{number}/experiments/S{number}_MR1");
        if status == 303 {
            assert_eq!(answer.header("location"), Some(uri.as_str()));
        } else {
            assert_eq!(answer.text(), format!("{uri}\r\n"));
        }
    }
}

#[test]
fn validating_answers_in_every_format_and_takes_one_session() {
    let (_service, api) = service();
    api.archive(&api.import("P1", &study(1)));
    let src = api.import("P1", &study(1));
    for (format, kind) in
        [("", "text/xml"), ("?format=xml", "text/xml"), ("?format=csv", "text/csv"), ("?format=html", "text/html")]
    {
        let answer = post(&api, &format!("/data/services/validate-archive{format}"), &[("src", &src)]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.header("content-type").unwrap().starts_with(kind), "{format}");
        assert!(answer.text().contains("session-exists"), "{}", answer.text());
    }
    let path = "/data/services/validate-archive?format=json";
    let table = Table::of(&post(&api, path, &[("src", &src)]));
    let first = table.row("code", "1");
    assert_eq!(first.columns(), ["code", "type", "message", "reason"]);
    assert_eq!(first.get("type"), "CONFLICT");
    assert_eq!(first.get("message"), "Session already exists, retry with overwrite enabled");
    let several = post(&api, path, &[("src", &src), ("src", "/prearchive/projects/P1/T/S")]);
    assert_eq!(several.status, 400);
    assert_eq!(sentence(&several), "Cannot validate multiple sessions in one request.");
    for (src, status) in
        [("", 400), ("/archive/projects/P1", 400), ("/prearchive/projects/P1/20240101_000000000/NONE", 404)]
    {
        assert_eq!(post(&api, path, &[("src", src)]).status, status, "{src}");
    }
    assert_eq!(post(&api, path, &[]).status, 404);
    assert_eq!(api.get(path).status, 405);
    let new = Table::of(&post(&api, path, &[("src", &api.import("P1", &study(2)))]));
    assert_eq!((new.column("reason"), new.column("type")), (vec!["new-subject"], vec!["WARN"]));
}

#[test]
fn what_goes_to_the_archive_by_itself_is_merged_as_the_project_says() {
    let (_service, api) = service();
    let more = study(1).and_series(3, "more", Modality::Mr, 1);
    for (code, study, status) in [(4, study(1), 200), (4, more.clone(), 409), (5, more.clone(), 200)] {
        api.code("P1", code);
        let answer = api.send("project=P1", "application/zip", &zip_study(&study));
        assert_eq!(answer.status, status, "code {code}: {}", answer.text());
    }
    api.assert_holds("/data/projects/P1/experiments/S1_MR1", &more);
    let zip = zip_study(&study(1).and_series(4, "again", Modality::Mr, 1));
    let path = "/data/services/import?import-handler=DICOM-zip&dest=/archive/projects/P1";
    let refused = api.client.post(path, "application/zip", &zip).unwrap();
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(sentence(&refused).contains("Session already exists"), "{}", sentence(&refused));
}
