//! Guests, where the site lets them in.

use narthex_tests::{PASSWORD, Service, USER, sentence};

#[test]
fn guests_come_in_where_no_login_is_required_and_change_nothing() {
    let service = Service::with(&[("require_login", "false")]);
    service.api().project("SECRET");
    let guest = service.client().anonymous();
    assert_eq!(guest.get("/data/auth").unwrap().text(), "User 'guest' is logged in");
    assert_eq!(guest.get("/xapi/users/username").unwrap().text(), "guest");
    assert_eq!(guest.get("/xapi/siteConfig/buildInfo").unwrap().status, 200);
    let list = guest.get("/data/projects?format=csv").unwrap();
    assert_eq!(list.status, 200, "{}", list.text());
    assert!(!list.text().contains("SECRET"), "{}", list.text());
    for path in ["/data/projects/SECRET", "/data/prearchive", "/xapi/users", "/xapi/users/current", "/data/users"] {
        let response = guest.get(path).unwrap();
        assert_eq!(response.status, 401, "{path}");
        sentence(&response);
    }
    assert_eq!(guest.put("/data/projects/NEW").unwrap().status, 401);
    assert_eq!(guest.post("/data/services/import?import-handler=SI", "application/zip", b"PK").unwrap().status, 401);
}

#[test]
fn clients_of_guests_get_a_session_identifier_that_stands_for_nobody() {
    let service = Service::with(&[("require_login", "false")]);
    let guest = service.client().anonymous();
    let session = guest.get("/data/JSESSION").unwrap();
    assert_eq!(session.status, 200);
    let with_session = guest.session(&session.text());
    assert_eq!(with_session.get("/data/auth").unwrap().text(), "User 'guest' is logged in");
    assert_eq!(with_session.delete("/data/JSESSION").unwrap().status, 200);
}

#[test]
fn wrong_credentials_are_401_also_where_guests_come_in() {
    let service = Service::with(&[("require_login", "false")]);
    for path in ["/data/projects", "/data/auth", "/"] {
        assert_eq!(service.client().login(USER, "wrong").get(path).unwrap().status, 401, "{path}");
        assert_eq!(service.client().login(USER, PASSWORD).get(path).unwrap().status, 200, "{path}");
    }
}

#[test]
fn guests_stay_out_by_default() {
    let service = Service::start();
    let guest = service.client().anonymous();
    for path in ["/data/JSESSION", "/data/auth", "/data/projects", "/xapi/users/username", "/xapi/siteConfig/buildInfo"]
    {
        assert_eq!(guest.get(path).unwrap().status, 401, "{path}");
    }
}
