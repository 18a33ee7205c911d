//! The configuration `separatePETMR`, and others, of which there are none.

use narthex_tests::Service;

use super::send;

const PATH: &str = "/data/projects/P1/config/separatePETMR/config";

#[test]
fn pet_mr_handling_is_set_read_and_taken_away() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    assert_eq!(api.bytes(&format!("{PATH}?contents=true")), b"petmr");
    for word in ["separate", "pet", "petmr", "separate"] {
        let set = send(&api.client, "PUT", &format!("{PATH}?inbody=true"), "text/plain", word);
        assert_eq!((set.status, set.text().as_str()), (200, ""));
        assert_eq!(api.bytes(&format!("{PATH}?contents=true")), word.as_bytes());
    }
    let table = api.table(PATH);
    let row = table.only();
    assert_eq!((row.get("tool"), row.get("path")), ("separatePETMR", "config"));
    assert_eq!((row.get("contents"), row.get("status")), ("separate", "enabled"));
    for bad in ["both", "", &"x".repeat(1_025)] {
        let status = send(&api.client, "PUT", PATH, "text/plain", bad).status;
        assert!([400, 413].contains(&status), "{status}");
    }
    assert_eq!(api.client.delete(PATH).unwrap().status, 200);
    assert_eq!(api.bytes(&format!("{PATH}?contents=true")), b"petmr");
    assert_eq!(api.bytes("/data/config/separatePETMR/config?contents=true"), b"petmr");
    assert_eq!(api.bytes("/REST/config/separatePETMR/config?contents=true"), b"petmr");
}

#[test]
fn other_configurations_do_not_exist() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    for path in ["/data/config/anon/script", "/data/projects/P1/config/applet/require-date"] {
        assert_eq!(api.get(path).status, 404, "{path}");
        let answer = api.get(&format!("{path}?contents=true&accept-not-found=true"));
        assert_eq!((answer.status, answer.text().as_str()), (204, ""), "{path}");
    }
    assert_eq!(send(&api.client, "PUT", "/data/projects/P1/config/anon/script", "text/plain", "x").status, 501);
    assert_eq!(api.get("/data/projects/NONE/config/separatePETMR/config").status, 404);
    assert_eq!(api.client.anonymous().get("/data/config/anon/script").unwrap().status, 401);
}
