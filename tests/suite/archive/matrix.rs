//! What meets what: every `overwrite` with every way in which a new session may differ from the one in the archive.

use narthex_tests::{Api, Modality, Packing, Response, Service, Study, Table, form, sentence, zip_files};

const WISHES: [&str; 3] = ["none", "append", "delete"];

/// What is in the archive: scan 1 with three images, as session SES of the subject SUB.
fn base() -> Study {
    Study::new(Modality::Mr, 70).patient("SES", "SUB").slices(3)
}

/// Those files of a study whose names end so.
fn some(study: &Study, ends: &[&str]) -> Vec<(String, Vec<u8>)> {
    let is_wanted = |name: &str| ends.iter().any(|end| name.ends_with(&format!("{end}.dcm")));
    study.files().filter(|file| is_wanted(&file.name)).map(|file| (file.name, file.bytes)).collect()
}

/// A UID that differs in its last digit, in the place of another.
fn with_other_uid(files: Vec<(String, Vec<u8>)>, uid: &str) -> Vec<(String, Vec<u8>)> {
    let last = if uid.ends_with('1') { b'2' } else { b'1' };
    let change = |mut bytes: Vec<u8>| {
        let length = uid.len();
        let places: Vec<usize> =
            (0..bytes.len().saturating_sub(length)).filter(|at| bytes[*at..*at + length] == *uid.as_bytes()).collect();
        for at in places {
            bytes[at + length - 1] = last;
        }
        bytes
    };
    files.into_iter().map(|(name, bytes)| (name, change(bytes))).collect()
}

/// One way in which a new session meets the one in the archive.
#[derive(Clone)]
struct Case {
    name: &'static str,
    files: Vec<(String, Vec<u8>)>,
    /// Further parameters of the request.
    also: &'static [(&'static str, &'static str)],
    /// Of each wish what validating says, and the scans and numbers of files that the archive has afterwards; 409 if
    /// that is nothing.
    wanted: [(&'static [&'static str], Option<&'static str>); 3],
}

fn cases() -> Vec<Case> {
    let other_series = || with_other_uid(some(&base(), &["-1-0003"]), &base().series_uid(1));
    let case = |name, files, wanted| Case { name, files, also: &[], wanted };
    vec![
        case(
            "the same file",
            some(&base(), &["-1-0001"]),
            [(&["session-exists", "same-files", "same-scan"], None), (&["same-files"], None), (&[], Some("1=2"))],
        ),
        Case {
            also: &[("overwrite_files", "true")],
            ..case(
                "the same file, to be replaced",
                some(&base(), &["-1-0001"]),
                [(&["session-exists", "same-scan"], None), (&[], Some("1=2")), (&[], Some("1=2"))],
            )
        },
        case(
            "a changed file and a new one",
            some(&base().description("changed"), &["-1-0002", "-1-0003"]),
            [(&["session-exists", "same-files", "same-scan"], None), (&["same-files"], None), (&[], Some("1=3"))],
        ),
        case(
            "a new file of an old scan",
            some(&base(), &["-1-0003"]),
            [(&["session-exists", "same-scan"], None), (&[], Some("1=3")), (&[], Some("1=3"))],
        ),
        case(
            "a new scan",
            some(&base().and_series(7, "more", Modality::Mr, 1), &["-7-0001"]),
            [(&["session-exists"], None), (&[], Some("1=2 7=1")), (&[], Some("1=2 7=1"))],
        ),
        case(
            "a scan of the same number with another UID",
            other_series(),
            [
                (&["session-exists", "number-taken"], None),
                (&["renamed"], Some("1=2 1-MR1=1")),
                (&["renamed"], Some("1=2 1-MR1=1")),
            ],
        ),
        case(
            "another study",
            with_other_uid(some(&base(), &["-1-0003"]), &base().study_uid()),
            [(&["session-exists", "other-study", "same-scan"], None), (&["other-study"], None), (&[], Some("1=3"))],
        ),
        case(
            "another type of session",
            some(&Study::new(Modality::Ct, 70).patient("SES", "SUB").slices(3), &["-1-0003"]),
            [
                (&["session-exists", "same-scan", "other-modality"], None),
                (&["other-modality"], None),
                (&["other-modality"], None),
            ],
        ),
        Case {
            also: &[("subject", "SOMEBODY")],
            ..case(
                "another subject",
                some(&base(), &["-1-0003"]),
                [
                    (&["session-exists", "other-subject", "same-scan"], None),
                    (&["other-subject"], None),
                    (&["other-subject"], None),
                ],
            )
        },
    ]
}

/// Makes a project with the first two images in its archive.
fn archived(api: &Api, project: &str) {
    api.project(project);
    let src = import(api, project, some(&base(), &["-1-0001", "-1-0002"]));
    api.archive(&src);
}

/// Puts a file among the images of scan 1.
fn edit(api: &Api, project: &str) {
    let file = format!("/data/projects/{project}/experiments/SES/scans/1/resources/DICOM/files/extra.txt?inbody=true");
    let answer = api.client.request("PUT", &file).header("Content-Type", "application/octet-stream");
    assert_eq!(answer.send_bytes(b"extra").unwrap().status, 200);
}

/// What [`scans`] gives when that file is there as well.
fn with_extra(scans: &str) -> String {
    let count = |text: &str| text.strip_prefix("1=").and_then(|count| count.parse::<u32>().ok());
    let parts = scans.split(' ').map(|part| count(part).map_or(part.to_owned(), |count| format!("1={}", count + 1)));
    parts.collect::<Vec<_>>().join(" ")
}

fn import(api: &Api, project: &str, files: Vec<(String, Vec<u8>)>) -> String {
    let dest = format!("dest=/prearchive/projects/{project}");
    let mut uris = api.import_zip(&dest, &zip_files(files, Packing::Deflated));
    uris.remove(0)
}

fn ask(api: &Api, service: &str, fields: &[(&str, &str)]) -> Response {
    let path = format!("/data/services/{service}?format=json");
    api.client.post(&path, "application/x-www-form-urlencoded", form(fields).as_bytes()).unwrap()
}

/// The scans of the archived session with their numbers of files, as `1=2 7=1`.
fn scans(api: &Api, project: &str) -> String {
    let table = api.table(&format!("/data/projects/{project}/experiments/SES/scans/ALL/resources"));
    let scans = table.rows.iter().map(|row| format!("{}={}", row.get("cat_id"), row.get("file_count")));
    scans.collect::<Vec<_>>().join(" ")
}

#[test]
fn archiving_does_what_validating_says() {
    let service = Service::start();
    let api = service.api();
    for (number, wish) in WISHES.iter().enumerate() {
        for (place, case) in cases().into_iter().flat_map(|case| [(case.clone(), false), (case, true)]).enumerate() {
            let (case, is_edited) = case;
            let project = format!("P{number}_{place}");
            archived(&api, &project);
            if is_edited {
                edit(&api, &project);
            }
            let shown = |scans: &str| if is_edited { with_extra(scans) } else { scans.to_owned() };
            let session = format!("/data/projects/{project}/experiments/SES");
            let before = api.content(&session);
            let src = import(&api, &project, case.files.clone());
            let (findings, after) = case.wanted[number];
            let mut fields = vec![("src", src.as_str()), ("overwrite", wish)];
            fields.extend(case.also);
            let what = format!("{} with {wish}{}", case.name, if is_edited { ", beside another file" } else { "" });

            let answer = ask(&api, "validate-archive", &fields);
            assert_eq!(answer.status, 200, "{what}: {}", answer.text());
            let table = Table::of(&answer);
            assert_eq!(table.column("reason"), findings, "{what}");
            assert!(table.column("code").is_sorted_by_key(|code| code.parse::<u32>().unwrap()), "{what}");
            assert_eq!(api.sessions(&project).only().get("status"), "READY", "{what}");

            let answer = ask(&api, "archive", &fields);
            match after {
                Some(after) => {
                    assert_eq!(answer.status, 200, "{what}: {}", answer.text());
                    let uri = format!("/data/archive/projects/{project}/subjects/SUB/experiments/SES\r\n");
                    assert_eq!(answer.text(), uri, "{what}");
                    assert_eq!(scans(&api, &project), shown(after), "{what}");
                    assert!(api.sessions(&project).rows.is_empty(), "{what}");
                    let found = api.content(&session);
                    for (_, bytes) in &case.files {
                        assert!(found.values().any(|held| held == bytes), "{what}: a new file is not there");
                    }
                }
                None => {
                    assert_eq!(answer.status, 409, "{what}: {}", answer.text());
                    let messages = table.column("message");
                    assert!(messages.iter().any(|text| *text == sentence(&answer)), "{what}: {}", sentence(&answer));
                    assert_eq!(api.content(&session), before, "{what}");
                    assert_eq!(api.sessions(&project).only().get("status"), "CONFLICT", "{what}");
                }
            }
        }
    }
}

#[test]
fn an_upload_into_the_archive_follows_the_same_rules() {
    let service = Service::start();
    let api = service.api();
    for (number, wish) in WISHES.iter().enumerate() {
        for (place, case) in cases().into_iter().flat_map(|case| [(case.clone(), false), (case, true)]).enumerate() {
            let (case, is_edited) = case;
            let project = format!("P{number}_{place}");
            archived(&api, &project);
            if is_edited {
                edit(&api, &project);
            }
            let shown = |scans: &str| if is_edited { with_extra(scans) } else { scans.to_owned() };
            let (_, after) = case.wanted[number];
            let what = format!("{} with {wish}{}", case.name, if is_edited { ", beside another file" } else { "" });
            let subject = case.also.iter().find(|(name, _)| *name == "subject").map_or("SUB", |(_, value)| *value);
            let session = format!("/archive/projects/{project}/subjects/{subject}/experiments/SES");
            let mut query = format!("dest={session}&overwrite={wish}");
            for (name, value) in case.also.iter().filter(|(name, _)| *name != "subject") {
                query.push_str(&format!("&{name}={value}"));
            }
            let answer = api.send(&query, "application/zip", &zip_files(case.files.clone(), Packing::Deflated));
            match after {
                Some(after) => {
                    assert_eq!(answer.status, 200, "{what}: {}", answer.text());
                    assert_eq!(answer.text(), format!("/data{session}\r\n"), "{what}");
                    assert_eq!(scans(&api, &project), shown(after), "{what}");
                }
                None => {
                    assert_eq!(answer.status, 409, "{what}: {}", answer.text());
                    assert_eq!(scans(&api, &project), shown("1=2"), "{what}");
                    assert_eq!(api.sessions(&project).only().get("status"), "CONFLICT", "{what}");
                }
            }
        }
    }
}

#[test]
fn another_project_is_refused_whatever_is_wanted() {
    let service = Service::start();
    let api = service.api();
    archived(&api, "P1");
    api.project("P2");
    let src = import(&api, "P1", some(&base(), &["-1-0003"]));
    for wish in WISHES {
        for other in [("project", "P2"), ("dest", "/archive/projects/P2/subjects/SUB/experiments/SES")] {
            let fields = [("src", src.as_str()), ("overwrite", wish), other];
            let table = Table::of(&ask(&api, "validate-archive", &fields));
            let row = table.row("reason", "other-project");
            assert_eq!((row.get("code"), row.get("type")), ("3", "FAIL"));
            assert_eq!(ask(&api, "archive", &fields).status, 409, "{wish} {other:?}");
        }
    }
    assert_eq!(scans(&api, "P1"), "1=2");
}

#[test]
fn an_experiment_may_be_named_by_its_id() {
    let service = Service::start();
    let api = service.api();
    archived(&api, "P1");
    let id = api.table("/data/projects/P1/experiments").only().get("ID").to_owned();
    let dest = format!("/archive/experiments/{id}");
    let zip = zip_files(some(&base(), &["-1-0003"]), Packing::Deflated);
    let answer = api.send(&format!("dest={dest}&overwrite=append"), "application/zip", &zip);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(scans(&api, "P1"), "1=3");
    let unknown = api.send("dest=/archive/experiments/XNAT_E99999", "application/zip", &zip);
    assert_eq!(unknown.status, 404, "{}", unknown.text());
    let more = Study::new(Modality::Mr, 70).patient("ELSE", "SUB").slices(4);
    let src = import(&api, "P1", some(&more, &["-1-0004"]));
    for (wish, name, value, wanted) in [("none", "session", &id, 409), ("append", "dest", &dest, 200)] {
        let answer = ask(&api, "archive", &[("src", src.as_str()), ("overwrite", wish), (name, value)]);
        assert_eq!(answer.status, wanted, "{name}={value}: {}", answer.text());
    }
    assert_eq!(scans(&api, "P1"), "1=4");
}
