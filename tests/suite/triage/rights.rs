//! Who sees, uploads, approves and removes what.

use narthex_tests::{Api, Client, Service, sentence};

use super::{TRIAGE, send};
use crate::access::user;

const TARGET: &str = "target=/data/projects/P1/resources/R";

struct Users {
    _service: Service,
    admin: Api,
    olga: Client,
    mary: Client,
    carl: Client,
}

fn users() -> Users {
    let (service, admin) = super::service();
    let [olga, mary, carl] = [("olga", "owner"), ("mary", "member"), ("carl", "collaborator")].map(|(name, role)| {
        let client = user(&admin.client, name);
        assert_eq!(admin.put(&format!("/data/projects/P1/users/{role}/{name}")).status, 200);
        client
    });
    Users { _service: service, admin, olga, mary, carl }
}

fn upload(client: &Client, path: &str) -> u16 {
    let request = client.request("POST", &format!("{TRIAGE}/resources/{path}?{TARGET}"));
    request.header("Content-Type", "text/plain").send_bytes(b"x").unwrap().status
}

fn folders(client: &Client) -> Vec<String> {
    let list = narthex_tests::Table::of(&client.get(&format!("{TRIAGE}?format=json")).unwrap());
    list.rows.iter().map(|row| row.get("Resource").to_owned()).collect()
}

#[test]
fn reviewers_see_all_and_others_their_own() {
    let users = users();
    assert_eq!((upload(&users.mary, "M/files/a"), upload(&users.olga, "O/files/a")), (200, 200));
    assert_eq!(upload(&users.carl, "C/files/a"), 403);
    for (client, seen) in [
        (&users.admin.client, vec!["M", "O"]),
        (&users.olga, vec!["M", "O"]),
        (&users.mary, vec!["M"]),
        (&users.carl, vec![]),
    ] {
        assert_eq!(folders(client), seen);
        for folder in ["M", "O"] {
            let status = if seen.contains(&folder) { 200 } else { 404 };
            for address in [format!("{folder}?format=json"), format!("{folder}/files"), format!("{folder}/files/a")] {
                assert_eq!(client.get(&format!("{TRIAGE}/resources/{address}")).unwrap().status, status, "{address}");
            }
        }
    }
    // Another's folder is not written into, and its name is taken.
    assert_eq!(upload(&users.mary, "O/files/b"), 409);
    assert_eq!(upload(&users.olga, "M/files/b"), 409);
    assert_eq!(users.carl.put(&format!("{TRIAGE}/resources/NEW")).unwrap().status, 403);
    assert_eq!(users.mary.put(&format!("{TRIAGE}/resources/NEW")).unwrap().status, 200);
    let stranger = user(&users.admin.client, "sara");
    assert_eq!(stranger.get(TRIAGE).unwrap().status, 404);
    assert_eq!(users.admin.put("/data/projects/P1/accessibility/public").status, 200);
    assert!(folders(&stranger).is_empty());
    assert_eq!(stranger.anonymous().get(TRIAGE).unwrap().status, 401);
}

#[test]
fn who_reviews_approves_and_uploaders_take_back_their_own() {
    let users = users();
    for folder in ["M", "N", "Q"] {
        assert_eq!(upload(&users.mary, &format!("{folder}/files/a")), 200);
    }
    let approve = |client: &Client, folder: &str, dest: &str| {
        let fields = [("src", format!("{TRIAGE}/resources/{folder}")), ("dest", dest.to_owned())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        client.post_form("/data/services/triage/approve", &fields).unwrap()
    };
    let dest = "/data/projects/P1/resources/R";
    for client in [&users.mary, &users.carl] {
        assert_eq!(approve(client, "M", dest).status, 403);
    }
    // A reviewer here needs the right to change what they send files to.
    users.admin.project("P2");
    assert_eq!(approve(&users.olga, "M", "/data/projects/P2/resources/R").status, 400);
    assert_eq!(users.admin.put("/data/projects/P2/users/collaborator/olga").status, 200);
    assert_eq!(approve(&users.olga, "M", "/data/projects/P2/resources/R").status, 403);
    assert_eq!(users.admin.put("/data/projects/P2/users/member/olga").status, 200);
    assert_eq!(approve(&users.olga, "M", "/data/projects/P2/resources/R").status, 201);
    assert_eq!(users.admin.bytes("/data/projects/P2/resources/R/files/a"), b"x");
    assert_eq!(approve(&users.olga, "N", dest).status, 201);
    let folder = format!("{TRIAGE}/resources/Q");
    assert_eq!(users.carl.delete(&folder).unwrap().status, 404);
    assert_eq!(users.mary.delete(&folder).unwrap().status, 200);
    assert!(folders(&users.olga).is_empty());
}

#[test]
fn files_are_quarantined_where_they_are_meant_to_go() {
    let users = users();
    users.admin.project("P2");
    for (target, text) in [
        ("/data/projects/P2/resources/R", "does not lie in"),
        ("/data/projects/P1", "names no resource"),
        ("/data/projects/P1/resources/R/files/a", "names no resource"),
        ("/data/projects/P1/subjects/NOBODY/resources/R", "does not lie in"),
        ("/data/prearchive/projects/P1/a/b", "names no resource"),
        ("projects/P1/resources/R", "cannot be read"),
        ("/data/projects/P1/../P2/resources/R", "cannot be read"),
    ] {
        let path = format!("{TRIAGE}/resources/X/files/a?target={}", narthex_tests::encode(target));
        let refused = send(&users.admin, "POST", &path, "text/plain", b"x");
        assert_eq!(refused.status, 400, "{target}");
        let sentence = sentence(&refused);
        assert!(sentence.contains("target") && sentence.contains(text), "{target}: {sentence}");
    }
    let without = send(&users.admin, "POST", &format!("{TRIAGE}/resources/X/files/a"), "text/plain", b"x");
    assert_eq!(without.status, 400);
    assert!(folders(&users.olga).is_empty());
}
