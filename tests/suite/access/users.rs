//! `/xapi/users` and `/data/users`.

use narthex_tests::{PASSWORD, Service, USER, sentence};
use serde_json::{Value, json};

use super::{USER_PASSWORD, json as body, open_session, send, user};

#[test]
fn an_administrator_makes_users_and_everybody_sees_their_own_profile() {
    let service = Service::start();
    let admin = service.client();
    let ann = user(&admin, "ann");
    assert_eq!(body(&admin.get("/xapi/users").unwrap()), json!([USER, "ann"]));
    let profile = body(&ann.get("/xapi/users/ann").unwrap());
    assert_eq!(profile, body(&ann.get("/xapi/users/current").unwrap()));
    assert_eq!(profile, body(&admin.get("/xapi/users/ann").unwrap()));
    assert_eq!(body(&admin.get("/xapi/users/profiles").unwrap())[1], profile);
    for (member, expected) in [
        ("username", json!("ann")),
        ("firstName", json!("First")),
        ("lastName", json!("ann")),
        ("email", json!("ann@example.org")),
        ("enabled", json!(true)),
        ("verified", json!(true)),
        ("admin", json!(false)),
    ] {
        assert_eq!(profile[member], expected, "{member}");
    }
    assert!(profile["id"].is_u64() && !profile.to_string().contains("argon2"), "{profile}");
    assert_eq!(ann.get("/xapi/users/username").unwrap().text(), "ann");
    assert_eq!(body(&admin.get("/xapi/users/current").unwrap())["admin"], json!(true));
}

#[test]
fn what_is_for_administrators_is_403_for_users_and_401_without_a_login() {
    let service = Service::start();
    let admin = service.client();
    let ann = user(&admin, "ann");
    user(&admin, "bob");
    for (method, path) in [
        ("GET", "/xapi/users"),
        ("GET", "/xapi/users/profiles"),
        ("POST", "/xapi/users"),
        ("GET", "/xapi/users/bob"),
        ("GET", "/xapi/users/nobody"),
        ("PUT", "/xapi/users/bob"),
        ("GET", "/xapi/users/bob/enabled"),
        ("PUT", "/xapi/users/ann/enabled/false"),
        ("GET", "/xapi/users/bob/verified"),
        ("PUT", "/xapi/users/ann/verified/true"),
        ("GET", "/xapi/users/bob/roles"),
        ("PUT", "/xapi/users/ann/roles/Administrator"),
        ("DELETE", "/xapi/users/admin/roles/Administrator"),
        ("GET", "/xapi/users/bob/groups"),
        ("PUT", "/xapi/users/ann/groups/ALL_DATA_ADMIN"),
        ("DELETE", "/xapi/users/ann/groups/ALL_DATA_ADMIN"),
        ("DELETE", "/xapi/users/active/bob"),
    ] {
        let as_user = ann.request(method, path).send_bytes(b"").unwrap();
        assert_eq!(as_user.status, 403, "{method} {path}: {}", as_user.text());
        let anonymous = service.client().anonymous();
        let as_nobody = anonymous.request(method, path).send_bytes(b"").unwrap();
        assert_eq!(as_nobody.status, 401, "{method} {path}: {}", as_nobody.text());
    }
    assert_eq!(service.client().anonymous().get("/xapi/users/current").unwrap().status, 401);
    assert_eq!(service.client().anonymous().get("/data/users").unwrap().status, 401);
    for path in ["/xapi/users/ann/enabled", "/xapi/users/ann/verified"] {
        assert_eq!(body(&ann.get(path).unwrap()), json!(true), "{path}");
    }
    for path in ["/xapi/users/ann/roles", "/xapi/users/ann/groups"] {
        assert_eq!(body(&ann.get(path).unwrap()), json!([]), "{path}");
    }
}

#[test]
fn bodies_that_cannot_be_taken_are_refused_with_a_sentence() {
    let service = Service::start();
    let admin = service.client();
    user(&admin, "ann");
    let new = |changes: Value| {
        let mut user = json!({"username": "bob", "password": USER_PASSWORD});
        for (name, value) in changes.as_object().unwrap() {
            user[name] = value.clone();
        }
        user
    };
    for (sent, status) in [
        (new(json!({"username": "ann"})), 409),
        (new(json!({"email": "ANN@example.org"})), 409),
        (new(json!({"username": "a/b"})), 400),
        (new(json!({"username": "guest"})), 400),
        (new(json!({"username": "profiles"})), 400),
        (new(json!({"username": "0f8fad5b-d9cb-469f-a165-70867728950e"})), 400),
        (new(json!({"username": null})), 400),
        (new(json!({"password": "short"})), 400),
        (new(json!({"password": null})), 400),
        (new(json!({"email": "nowhere"})), 400),
        (new(json!({"firstName": "a\nb"})), 400),
        (new(json!({"enabled": "yes"})), 400),
        (new(json!({"admin": true})), 400),
        (new(json!({"login": "bob"})), 400),
        (json!([1]), 400),
        (new(json!({"firstName": "x".repeat(70_000)})), 413),
    ] {
        let response = send(&admin, "POST", "/xapi/users", &sent);
        assert_eq!(response.status, status, "{:.100}: {}", sent.to_string(), response.text());
        sentence(&response);
    }
    let named = send(&admin, "POST", "/xapi/users", &new(json!({"favouriteColour": "red"})));
    assert!(sentence(&named).contains("favouriteColour"));
    let form = admin.post_form("/xapi/users", &[("username", "bob"), ("password", USER_PASSWORD)]).unwrap();
    assert_eq!(form.status, 415, "{}", form.text());
    assert_eq!(body(&admin.get("/xapi/users").unwrap()), json!([USER, "ann"]));
    for (method, path, status) in [
        ("GET", "/xapi/users/nobody", 404),
        ("PUT", "/xapi/users/nobody/enabled/true", 404),
        ("PUT", "/xapi/users/ann/enabled/maybe", 400),
        ("PUT", "/xapi/users/ann/roles/Wizard", 404),
        ("PUT", "/xapi/users/ann/groups/DEMO_owner", 400),
        ("DELETE", "/xapi/users/ann", 405),
    ] {
        let response = admin.request(method, path).send_bytes(b"").unwrap();
        assert_eq!(response.status, status, "{method} {path}: {}", response.text());
        sentence(&response);
    }
}

#[test]
fn users_change_their_own_names_and_password_and_nothing_else() {
    let service = Service::start();
    let admin = service.client();
    let ann = user(&admin, "ann");
    // Clients read a profile, change a member and send the whole of it back.
    let mut whole = body(&ann.get("/xapi/users/ann").unwrap());
    whole["firstName"] = json!("Anna");
    assert_eq!(body(&send(&ann, "PUT", "/xapi/users/ann", &whole))["firstName"], json!("Anna"));
    assert_eq!(send(&ann, "PUT", "/xapi/users/ann", &json!({"enabled": false})).status, 403);
    assert_eq!(send(&ann, "PUT", "/xapi/users/ann", &json!({"verified": false})).status, 403);
    assert_eq!(send(&ann, "PUT", "/xapi/users/ann", &json!({"admin": true})).status, 400);
    assert_eq!(send(&ann, "PUT", "/xapi/users/ann", &json!({"username": "eve"})).status, 400);
    let (session, _) = open_session(&ann);
    let change = send(&ann, "PUT", "/xapi/users/ann", &json!({"password": "another password"}));
    assert_eq!(change.status, 200, "{}", change.text());
    assert_eq!(ann.get("/data/auth").unwrap().status, 401, "the old password");
    assert_eq!(ann.session(&session).get("/data/auth").unwrap().status, 401, "a session under the old password");
    assert_eq!(ann.login("ann", "another password").get("/data/auth").unwrap().status, 200);
}

#[test]
fn disabling_a_user_ends_all_logins_at_once() {
    let service = Service::start();
    let admin = service.client();
    let ann = user(&admin, "ann");
    for switch in ["enabled", "verified"] {
        let (session, _) = open_session(&ann);
        let with_session = ann.session(&session);
        assert_eq!(with_session.get("/data/auth").unwrap().status, 200);
        let path = format!("/xapi/users/ann/{switch}");
        assert_eq!(body(&admin.put(&format!("{path}/false")).unwrap()), json!(false));
        assert_eq!(body(&admin.get(&path).unwrap()), json!(false));
        assert_eq!(ann.get("/data/auth").unwrap().status, 401, "{switch}: the password");
        assert_eq!(with_session.get("/data/auth").unwrap().status, 401, "{switch}: the session");
        assert_eq!(body(&admin.put(&format!("{path}/true")).unwrap()), json!(true));
        assert_eq!(ann.get("/data/auth").unwrap().status, 200, "{switch}: the password again");
        assert_eq!(with_session.get("/data/auth").unwrap().status, 401, "{switch}: the session stays ended");
    }
    let (session, _) = open_session(&ann);
    assert_eq!(admin.delete("/xapi/users/active/ann").unwrap().status, 200);
    assert_eq!(ann.session(&session).get("/data/auth").unwrap().status, 401);
    assert_eq!(ann.get("/data/auth").unwrap().status, 200, "the password still counts");
}

#[test]
fn administrators_make_administrators_and_the_last_one_stays() {
    let service = Service::start();
    let admin = service.client();
    let ann = user(&admin, "ann");
    for (method, path) in [
        ("DELETE", "/xapi/users/admin/roles/Administrator"),
        ("PUT", "/xapi/users/admin/enabled/false"),
        ("PUT", "/xapi/users/admin/verified/false"),
    ] {
        let response = admin.request(method, path).send_bytes(b"").unwrap();
        assert_eq!(response.status, 409, "{method} {path}");
        sentence(&response);
    }
    assert_eq!(body(&admin.put("/xapi/users/ann/roles/Administrator").unwrap()), json!(["Administrator"]));
    assert_eq!(body(&ann.get("/xapi/users").unwrap()), json!([USER, "ann"]));
    assert_eq!(body(&ann.delete("/xapi/users/admin/roles/Administrator").unwrap()), json!([]));
    assert_eq!(admin.get("/xapi/users").unwrap().status, 403);
    assert_eq!(ann.delete("/xapi/users/ann/roles/Administrator").unwrap().status, 409);
}

#[test]
fn the_groups_for_all_data_are_given_and_taken() {
    let service = Service::start();
    let admin = service.client();
    user(&admin, "ann");
    for (method, group, expected) in [
        ("PUT", "ALL_DATA_ACCESS", json!(["ALL_DATA_ACCESS"])),
        ("PUT", "ALL_DATA_ADMIN", json!(["ALL_DATA_ADMIN"])),
        ("DELETE", "ALL_DATA_ADMIN", json!([])),
    ] {
        let path = format!("/xapi/users/ann/groups/{group}");
        let response = admin.request(method, &path).send_bytes(b"").unwrap();
        assert_eq!(body(&response), expected, "{method} {group}");
        assert_eq!(body(&admin.get("/xapi/users/ann/groups").unwrap()), expected, "{method} {group}");
    }
}

#[test]
fn the_table_of_users_shows_the_enabled_ones_in_every_format() {
    let service = Service::start();
    let (admin, api) = (service.client(), service.api());
    let ann = user(&admin, "ann");
    user(&admin, "bob");
    user(&admin, "carl");
    assert_eq!(admin.put("/xapi/users/bob/enabled/false").unwrap().status, 200);
    let table = api.table("/data/users?sortBy=login&sortOrder=desc");
    assert_eq!(table.column("login"), ["carl", "ann", USER]);
    let row = table.row("login", "ann");
    assert_eq!(row.columns(), ["xdat_user_id", "login", "firstname", "lastname", "email"]);
    assert_eq!((row.get("firstname"), row.get("email")), ("First", "ann@example.org"));
    let csv = ann.get("/data/users?format=csv").unwrap();
    assert_eq!(csv.status, 200);
    assert!(csv.text().starts_with("xdat_user_id,login,firstname,lastname,email"), "{}", csv.text());
    assert!(ann.get("/data/users?format=xml").unwrap().text().contains("carl@example.org"));
    assert!(ann.get("/REST/users?format=html").unwrap().text().contains("carl@example.org"));
}

#[test]
fn a_chosen_password_outlives_a_restart_although_a_setting_gave_the_first() {
    let mut service = Service::start();
    let path = format!("/xapi/users/{USER}");
    assert_eq!(send(&service.client(), "PUT", &path, &json!({"password": "a password of mine"})).status, 200);
    service.restart();
    let client = service.client();
    assert_eq!(client.login(USER, "a password of mine").get("/data/auth").unwrap().status, 200);
    assert_eq!(client.login(USER, PASSWORD).get("/data/auth").unwrap().status, 401);
}
