//! Requests that name several sources or destinations: all is done, or nothing.

use narthex_tests::{Api, sentence};

use super::{TRIAGE, approve, put, send, service};

const PROJECT: &str = "/data/archive/projects/P1/resources/R";

fn src(name: &str) -> String {
    format!("{TRIAGE}/resources/{name}")
}

/// The files that wait, as folder and path.
fn waiting(api: &Api) -> Vec<String> {
    api.table(TRIAGE).rows.iter().map(|row| format!("{}/{}", row.get("Resource"), row.get("FSOURCE"))).collect()
}

fn paths(api: &Api) -> Vec<String> {
    let list = api.table(&format!("{PROJECT}/files"));
    list.rows.iter().map(|row| row.get("URI").split_once("/files/").unwrap().1.to_owned()).collect()
}

#[test]
fn sources_with_files_of_the_same_name_are_refused_and_nothing_is_moved() {
    let (_service, api) = service();
    for (path, body) in [("X/files/f.txt", "x"), ("X/files/g.txt", "g"), ("Y/files/f.txt", "y"), ("Y/files/h.txt", "h")]
    {
        put(&api, path, PROJECT, body.as_bytes());
    }
    let before = waiting(&api);
    let (x, y) = (src("X"), src("Y"));
    // The resource may be named in another way, and its files one by one.
    let (by_pair, file, other) = ("/data/projects/P1/resources/R/files", src("X/files/f.txt"), src("Y/files/f.txt"));
    for sources in [
        vec![("src", x.as_str()), ("src", y.as_str()), ("dest", PROJECT)],
        vec![("src", x.as_str()), ("dest", PROJECT), (y.as_str(), by_pair)],
        vec![(file.as_str(), PROJECT), (other.as_str(), by_pair)],
    ] {
        for overwrite in ["false", "true"] {
            let mut fields = sources.clone();
            fields.push(("overwrite", overwrite));
            let refused = approve(&api, &fields);
            assert_eq!(refused.status, 409, "{fields:?}: {}", refused.text());
            let text = sentence(&refused);
            assert!(text.contains("f.txt") && !text.contains("g.txt") && !text.contains("h.txt"), "{text}");
            assert_eq!(waiting(&api), before);
            assert_eq!(api.get(&format!("{PROJECT}/files/f.txt")).status, 404);
        }
    }
    // One source that is named twice is one.
    let twice = [("src", x.as_str()), ("src", &file), ("src", &x), ("dest", PROJECT), (&x, by_pair)];
    let done = approve(&api, &twice);
    assert_eq!(done.status, 201, "{}", done.text());
    assert_eq!(
        (paths(&api), api.bytes(&format!("{PROJECT}/files/f.txt"))),
        (vec!["f.txt".into(), "g.txt".into()], b"x".into())
    );
    assert_eq!(waiting(&api), ["Y/f.txt<br>", "Y/h.txt<br>"]);
    // What the destination has is another matter.
    assert_eq!(approve(&api, &[("src", &y), ("dest", PROJECT)]).status, 409);
    assert_eq!(approve(&api, &[("src", &y), ("dest", PROJECT), ("overwrite", "true")]).status, 201);
    assert_eq!(api.bytes(&format!("{PROJECT}/files/f.txt")), b"y");
}

#[test]
fn a_file_in_the_place_of_a_folder_is_refused_before_anything_is_moved() {
    let (_service, api) = service();
    assert_eq!(send(&api, "PUT", &format!("{PROJECT}/files/n/deep"), "text/plain", b"deep").status, 200);
    put(&api, "X4/files/n", PROJECT, b"n");
    put(&api, "X5/files/ok5", PROJECT, b"ok");
    put(&api, "X6/files/ok5/below", PROJECT, b"below");
    let before = waiting(&api);
    for sources in [["X5", "X4"], ["X4", "X5"], ["X5", "X6"], ["X6", "X5"]] {
        let [first, second] = sources.map(src);
        let refused = approve(&api, &[("src", &first), ("src", &second), ("dest", PROJECT), ("overwrite", "true")]);
        assert_eq!(refused.status, 400, "{sources:?}: {}", refused.text());
        assert_eq!((waiting(&api), paths(&api)), (before.clone(), vec!["n/deep".to_owned()]), "{sources:?}");
    }
}

#[test]
fn what_one_of_several_destinations_cannot_take_keeps_all_files_back() {
    let (_service, api) = service();
    // As many resources as a subject may have, but one.
    let subject = "/data/projects/P1/subjects/S61/resources";
    for number in 1..100 {
        assert_eq!(api.put(&format!("{subject}/N{number}")).status, 200);
    }
    let images = "/data/experiments/XNAT_E00001/scans/1/resources/DICOM";
    let image = api.table(&format!("{images}/files")).rows[0].get("Name").to_owned();
    let targets = [
        ("X", "a", format!("{subject}/NEW1")),
        ("Y", "b", format!("{subject}/NEW2")),
        ("Z", image.as_str(), images.to_owned()),
        ("W", &format!("{image}/below"), images.to_owned()),
    ];
    for (folder, path, target) in &targets {
        put(&api, &format!("{folder}/files/{path}"), target, b"x");
    }
    let before = waiting(&api);
    let first = src("X");
    for ((folder, _, target), status) in targets.iter().skip(1).zip([400, 409, 400]) {
        let second = src(folder);
        let refused = approve(&api, &[(&first, &targets[0].2), (&second, target)]);
        assert_eq!(refused.status, status, "{folder}: {}", refused.text());
        assert_eq!(waiting(&api), before, "{folder}");
        assert_eq!(api.table(subject).rows.len(), 99);
    }
    assert_eq!(approve(&api, &[("src", &first), ("dest", &targets[0].2)]).status, 201);
    assert_eq!(api.table(subject).rows.len(), 100);
}

#[test]
fn folders_of_two_quarantines_come_to_one_resource() {
    let (_service, api) = service();
    api.project("P2");
    put(&api, "X/files/a", PROJECT, b"a");
    let other = TRIAGE.replace("P1", "P2");
    let path = format!("{other}/resources/X/files/b?target=/data/projects/P2/resources/R");
    assert_eq!(send(&api, "POST", &path, "text/plain", b"b").status, 200);
    let sources = [src("X"), format!("{other}/resources/X")];
    let done = approve(&api, &[("src", &sources[0]), ("src", &sources[1]), ("dest", PROJECT)]);
    assert_eq!(done.status, 201, "{}", done.text());
    assert_eq!(paths(&api), ["a", "b"]);
    assert!(api.table(TRIAGE).rows.is_empty() && api.table(&other).rows.is_empty());
}
