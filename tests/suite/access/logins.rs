//! Passwords.

use narthex_tests::{PASSWORD, Service, USER, form};

#[test]
fn without_a_login_everything_but_the_open_routes_is_401_and_says_how_to_log_in() {
    let service = Service::start();
    let client = service.client().anonymous();
    let paths = [
        "/data/projects",
        "/data/projects/P1",
        "/data/projects/P1/prearchive_code",
        "/data/prearchive",
        "/data/prearchive/projects",
        "/data/prearchive/projects/P1/20240101_000000000/S",
        "/data/experiments",
        "/data/auth",
        "/data/services/import",
        "/data/services/archive",
        "/data/services/refresh/catalog",
        "/data/services/triage/projects/P1",
        "/REST/projects",
        "/data/archive/projects",
    ];
    for path in paths {
        let response = client.get(path).unwrap();
        assert_eq!(response.status, 401, "{path}: {}", response.text());
        let challenge = response.header("www-authenticate").unwrap_or_default();
        assert!(challenge.starts_with("Basic realm="), "{path}: {challenge:?}");
    }
    let upload = client.post("/data/services/import?import-handler=SI", "application/zip", b"PK").unwrap();
    assert_eq!(upload.status, 401);
}

#[test]
fn a_wrong_password_and_an_unknown_user_look_alike() {
    let service = Service::start();
    let client = service.client();
    let wrong = client.login(USER, "wrong").get("/data/projects").unwrap();
    let unknown = client.login("nobody", PASSWORD).get("/data/projects").unwrap();
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert_eq!(wrong.text(), unknown.text());
}

#[test]
fn a_broken_authorization_header_lets_nobody_in() {
    let service = Service::start();
    let client = service.client().anonymous();
    for header in ["Basic", "Basic !!!", "Basic YWRtaW4=", "Bearer x", "Basic Og=="] {
        let response = client.request("GET", "/data/projects").header("Authorization", header).send().unwrap();
        assert!([400, 401].contains(&response.status), "{header}: {}", response.status);
    }
}

#[test]
fn basic_works_on_any_request_and_under_the_old_name() {
    let service = Service::start();
    for path in ["/data/projects", "/REST/projects", "/data/archive/projects"] {
        assert_eq!(service.client().get(path).unwrap().status, 200, "{path}");
    }
}

#[test]
fn auth_says_who_is_logged_in() {
    let service = Service::start();
    let response = service.client().get("/data/auth").unwrap();
    assert_eq!(response.status, 200);
    assert!(response.header("content-type").unwrap_or_default().starts_with("text/plain"));
    assert_eq!(response.text(), format!("User '{USER}' is logged in"));
}

#[test]
fn the_login_service_takes_a_form_and_answers_with_the_bare_session() {
    let service = Service::start();
    let client = service.client().anonymous();
    for (user, password) in [("username", "password"), ("j_username", "j_password")] {
        let body = form(&[(user, USER), (password, PASSWORD)]);
        let response = client
            .request("PUT", "/data/services/auth")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .send_bytes(body.as_bytes())
            .unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
        let session = response.text();
        assert!(
            !session.is_empty() && session.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)),
            "{session:?}"
        );
        let cookies: Vec<&str> = response.all("set-cookie").collect();
        assert!(cookies.iter().any(|cookie| cookie.starts_with(&format!("JSESSIONID={session}"))), "{cookies:?}");
        assert_eq!(client.session(&session).get("/data/projects").unwrap().status, 200);
    }
    let wrong = client.post_form("/data/services/auth", &[("username", USER), ("password", "wrong")]).unwrap();
    assert_eq!(wrong.status, 401);
}

#[test]
fn the_health_route_and_the_front_page_need_no_login() {
    let service = Service::start();
    let client = service.client().anonymous();
    assert_eq!(client.get("/.well-known/spin/health").unwrap().status, 200);
    assert_eq!(client.get("/").unwrap().status, 200);
}

#[test]
fn clients_learn_the_version_they_expect() {
    let service = Service::start();
    // xnatpy asks here first and must not be told a version.
    assert_eq!(service.client().get("/data/version").unwrap().status, 404);
    let info = service.client().get("/xapi/siteConfig/buildInfo?format=json").unwrap();
    assert_eq!(info.status, 200);
    let info: serde_json::Value = serde_json::from_slice(&info.body).unwrap();
    let version = info["version"].as_str().unwrap();
    assert!(version.starts_with("1."), "{version}");
    let plain = service.client().get("/xapi/siteConfig/buildInfo/version").unwrap();
    assert_eq!(plain.text(), version);
}

#[test]
fn an_unknown_address_is_404_with_the_message_in_a_heading() {
    let service = Service::start();
    for path in ["/data/nothing/here", "/data/projects/NONE"] {
        let response = service.client().get(path).unwrap();
        assert_eq!(response.status, 404, "{path}");
        let text = response.text();
        assert!(text.starts_with("<html>") && text.matches("<h3>").count() == 1, "{path}: {text}");
    }
}

#[test]
fn an_administrator_that_cannot_be_is_told_in_the_log_and_serves_nobody() {
    for (name, value, why) in
        [("admin_password", "short", "at least 8 characters"), ("admin_user", "no body", "admin_user")]
    {
        let service = Service::with(&[(name, value)]);
        let client = service.client();
        for path in ["/", "/data/projects", "/data/prearchive"] {
            let answer = client.get(path).unwrap();
            assert_eq!(answer.status, 503, "{name} {path}: {}", answer.text());
            assert!(!answer.text().contains(value) && !answer.text().contains(why), "{}", answer.text());
        }
        let files = std::fs::read_dir(service.state().join("logs")).unwrap();
        let told: String = files
            .map(|file| String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()).into_owned())
            .collect();
        assert!(told.contains(&format!("the variable {name}")) && told.contains(why), "{told}");
        assert!(!told.contains(value) || name == "admin_user", "{told}");
    }
}

#[test]
fn the_sweep_is_for_administrators_and_for_whoever_brings_its_token() {
    const SWEEP: &str = "/data/services/prearchive/sweep";
    let service = Service::with(&[("sweep_token", "a-token-for-the-clock")]);
    let client = service.client();
    let ask = |client: &narthex_tests::Client, authorization: Option<&str>| {
        let mut request = client.request("POST", SWEEP);
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        request.send_bytes(b"").unwrap()
    };
    let nobody = client.anonymous();
    let swept = ask(&nobody, Some("Bearer a-token-for-the-clock"));
    assert_eq!((swept.status, swept.header("content-type")), (200, Some("application/json")), "{}", swept.text());
    for wrong in [None, Some("Bearer another-token-for-it"), Some("Bearer a-token-for-the-cloc"), Some("Bearer ")] {
        assert_eq!(ask(&nobody, wrong).status, 401, "{wrong:?}");
    }
    assert_eq!(ask(&client, None).status, 200);
    assert_eq!(ask(&super::user(&client, "somebody"), None).status, 403);
    // The token opens nothing else.
    let other = nobody.request("GET", "/data/projects").header("Authorization", "Bearer a-token-for-the-clock");
    assert_eq!(other.send().unwrap().status, 401);
    // Without the variable there is none, not even an empty one.
    let service = Service::start();
    for token in ["Bearer ", "Bearer a-token-for-the-clock"] {
        assert_eq!(ask(&service.client().anonymous(), Some(token)).status, 401, "{token}");
    }
}
