//! Members of projects and their roles.

use narthex_tests::{Response, Service, Table, sentence};

use super::user;

#[track_caller]
fn logins(response: &Response) -> Vec<String> {
    Table::of(response).column("login").into_iter().map(str::to_owned).collect()
}

#[test]
fn members_are_added_moved_and_removed() {
    let service = Service::start();
    let api = service.api();
    let (ann, _) = (user(&api, "ann"), user(&api, "bob"));
    user(&api, "eve");
    assert_eq!(ann.put("/data/projects/P1").unwrap().status, 200);
    let list = api.table("/data/projects/P1/users");
    let row = list.only();
    assert_eq!(row.columns(), ["GROUP_ID", "displayname", "login", "firstname", "lastname", "email"]);
    assert_eq!((row.get("GROUP_ID"), row.get("displayname"), row.get("login")), ("P1_owner", "Owners", "ann"));
    assert_eq!((row.get("firstname"), row.get("lastname"), row.get("email")), ("First", "ann", "ann@example.org"));
    assert_eq!((list.rest["title"].as_str(), list.rest["totalRecords"].as_str()), (Some("Projects"), Some("1")));

    // By short name, group and display name; by login, e-mail address and number; several at once.
    let users = "/data/projects/P1/users";
    let added = ann.put(&format!("{users}/member/bob,eve@example.org")).unwrap();
    assert_eq!(logins(&added), ["ann", "bob", "eve"]);
    let moved = ann.put(&format!("{users}/P1_collaborator/eve")).unwrap();
    assert_eq!(Table::of(&moved).row("login", "eve").get("displayname"), "Collaborators");
    assert_eq!(ann.put(&format!("{users}/Owners/bob")).unwrap().status, 200);
    let wrong_role = ann.delete(&format!("{users}/member/bob")).unwrap();
    assert_eq!(logins(&wrong_role), ["ann", "bob", "eve"], "bob is no member, but an owner");
    assert_eq!(logins(&ann.delete(&format!("{users}/owner/bob")).unwrap()), ["ann", "eve"]);
    assert_eq!(
        logins(&ann.delete(&format!("{users}/owner/bob")).unwrap()),
        ["ann", "eve"],
        "once more changes nothing"
    );
    assert!(api.get(&format!("{users}?format=csv")).text().starts_with("GROUP_ID,displayname,login,"));
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let service = Service::start();
    let api = service.api();
    let (ann, bob, eve) = (user(&api, "ann"), user(&api, "bob"), user(&api, "eve"));
    assert_eq!(ann.put("/data/projects/P1").unwrap().status, 200);
    assert_eq!(ann.put("/data/projects/P1/users/member/bob").unwrap().status, 200);
    for (status, path) in [
        (404, "P1/users/king/bob"),
        (404, "P1/users/P2_owner/bob"),
        (404, "P1/users/owner/nobody"),
        (404, "P1/users/owner/eve,nobody"),
        (404, "P1/users/owner/nobody@example.org"),
        (404, "P1/users/owner/99999"),
        (412, "P1/users/member/guest"),
        (404, "P2/users/member/eve"),
        (501, "P1/users/member/eve?sendemail=true"),
    ] {
        let answer = ann.put(&format!("/data/projects/{path}")).unwrap();
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(!sentence(&answer).is_empty());
    }
    for (method, path) in [("PUT", "P1/users/owner/eve"), ("DELETE", "P1/users/member/bob")] {
        let request = ann.request(method, &format!("/data/projects/{path}")).header("Accept", "text/plain");
        assert_eq!(request.send().unwrap().status, 406, "{method}");
    }
    assert_eq!(bob.put("/data/projects/P1/users/owner/bob").unwrap().status, 403);
    assert_eq!(eve.put("/data/projects/P1/users/owner/eve").unwrap().status, 404);
    assert_eq!(eve.get("/data/projects/P1/users").unwrap().status, 404);
    assert_eq!(bob.get("/data/projects/P1/users").unwrap().status, 200);
    assert_eq!(logins(&api.get("/data/projects/P1/users")), ["ann", "bob"]);
}

#[test]
fn the_last_owner_stays_until_an_administrator_says_otherwise() {
    let service = Service::start();
    let api = service.api();
    let ann = user(&api, "ann");
    user(&api, "bob");
    assert_eq!(ann.put("/data/projects/P1").unwrap().status, 200);
    for (method, path) in [("DELETE", "owner/ann"), ("PUT", "member/ann")] {
        let refused = ann.request(method, &format!("/data/projects/P1/users/{path}")).send_bytes(b"").unwrap();
        assert_eq!(refused.status, 409, "{method} {path}");
        assert!(sentence(&refused).contains("last owner"));
    }
    assert_eq!(ann.put("/data/projects/P1/users/owner/ann,bob").unwrap().status, 200);
    assert_eq!(ann.delete("/data/projects/P1/users/owner/ann").unwrap().status, 200, "bob is one now");
    assert!(logins(&api.client.delete("/data/projects/P1/users/owner/bob").unwrap()).is_empty());
    assert_eq!(logins(&api.client.put("/data/projects/P1/users/owner/ann").unwrap()), ["ann"]);
}

#[test]
fn guests_see_no_members_even_of_public_projects() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    assert_eq!(api.put("/data/projects/P1/accessibility/public").status, 200);
    assert_eq!(api.client.anonymous().get("/data/projects/P1/users").unwrap().status, 401);
}

#[test]
fn disabled_users_are_shown_only_if_wanted() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    user(&api, "ann");
    assert_eq!(api.put("/data/projects/P1/users/member/ann").status, 200);
    assert_eq!(api.put("/xapi/users/ann/enabled/false").status, 200);
    assert_eq!(logins(&api.get("/data/projects/P1/users")), ["admin"]);
    assert_eq!(logins(&api.get("/data/projects/P1/users?DISPLAY_HIDDEN_USERS=true")), ["admin", "ann"]);
}
