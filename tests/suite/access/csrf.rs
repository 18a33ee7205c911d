//! Changes that another site's page makes a browser send.

use narthex_tests::{Client, Service, form, sentence};

use super::open_session;

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36";

fn put(client: &Client, path: &str, agent: &str) -> u16 {
    client.request("PUT", path).header("User-Agent", agent).send_bytes(b"").unwrap().status
}

#[test]
fn a_browser_with_a_session_must_show_the_sessions_own_token_to_change_something() {
    let service = Service::start();
    let client = service.client();
    let (session, token) = open_session(&client);
    let browser = client.session(&session);
    let refused = browser.request("PUT", "/data/projects/A").header("User-Agent", BROWSER).send_bytes(b"").unwrap();
    assert_eq!(refused.status, 403);
    assert!(sentence(&refused).contains("XNAT_CSRF"));
    for wrong in ["x", "", &token[1..], &token.to_uppercase()] {
        assert_eq!(put(&browser, &format!("/data/projects/A?XNAT_CSRF={wrong}"), BROWSER), 403, "{wrong:?}");
    }
    let (_, other) = open_session(&client);
    assert_eq!(put(&browser, &format!("/data/projects/A?XNAT_CSRF={other}"), BROWSER), 403, "another session's");
    assert_eq!(service.api().table("/data/projects").rows.len(), 0);
    assert_eq!(put(&browser, &format!("/data/projects/A?XNAT_CSRF={token}"), BROWSER), 200);
    let by_header = browser.request("PUT", "/data/projects/B").header("User-Agent", BROWSER);
    assert_eq!(by_header.header("X-XNAT-CSRF", &token).send_bytes(b"").unwrap().status, 200);
    let logout = |path: &str| browser.request("DELETE", path).header("User-Agent", BROWSER).send().unwrap().status;
    assert_eq!(logout("/data/JSESSION"), 403);
    assert_eq!(logout(&format!("/data/JSESSION?XNAT_CSRF={token}")), 200);
}

#[test]
fn the_token_may_stand_in_a_form_whose_other_fields_still_count() {
    let service = Service::start();
    let client = service.client();
    let (session, token) = open_session(&client);
    let send = |token: &str| {
        let body = form(&[("XNAT_CSRF", token), ("description", "by form")]);
        let request = client.session(&session);
        let request = request.request("PUT", "/data/projects/A").header("User-Agent", BROWSER);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        request.send_bytes(body.as_bytes()).unwrap()
    };
    assert_eq!(send("wrong").status, 403);
    let made = send(&token);
    assert_eq!(made.status, 200, "{}", made.text());
    assert_eq!(service.api().table("/data/projects").row("ID", "A").get("description"), "by form");
}

#[test]
fn reading_other_programs_and_passwords_need_no_token() {
    let service = Service::start();
    let client = service.client();
    let (session, _) = open_session(&client);
    let with_session = client.session(&session);
    let read = with_session.request("GET", "/data/projects").header("User-Agent", BROWSER).send().unwrap();
    assert_eq!(read.status, 200);
    for agent in ["curl/8.5", "python-requests/2.32", "Mozilla/5.0 XNATDesktopClient/1.0", "Java/17"] {
        assert_eq!(put(&with_session, "/data/projects/A", agent), 200, "{agent}");
    }
    assert_eq!(put(&with_session, "/data/projects/A?XNAT_CSRF=false", "XNATDesktopClient"), 200);
    assert_eq!(put(&client, "/data/projects/A", BROWSER), 200, "a password is no cookie");
}

#[test]
fn a_password_that_a_browser_remembers_does_not_work_for_pages_of_other_sites() {
    let service = Service::start();
    let client = service.client();
    let from = |site: &str, agent: &str| {
        let request = client.request("PUT", "/data/projects/A").header("User-Agent", agent);
        request.header("Sec-Fetch-Site", site).send_bytes(b"").unwrap().status
    };
    assert_eq!((from("cross-site", BROWSER), from("same-site", BROWSER)), (403, 403));
    assert_eq!((from("same-origin", BROWSER), from("none", BROWSER)), (200, 200));
}

#[test]
fn the_check_can_be_turned_off() {
    let service = Service::with(&[("csrf_check", "false")]);
    let (session, _) = open_session(&service.client());
    assert_eq!(put(&service.client().session(&session), "/data/projects/A", BROWSER), 200);
}

#[test]
fn the_front_page_and_auth_tell_the_token_to_its_session() {
    let service = Service::start();
    let client = service.client();
    let (session, token) = open_session(&client);
    let page = client.session(&session).get("/").unwrap();
    assert!(page.text().contains(&format!("var csrfToken = '{token}';")), "{}", page.text());
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert!(!client.anonymous().get("/").unwrap().text().contains("csrfToken"));
    let auth = client.session(&session).get("/data/auth?CSRF=true").unwrap();
    assert_eq!(auth.text(), format!("User 'admin' is logged in; XNAT_CSRF={token}"));
    let fresh = client.get("/").unwrap();
    let cookie = fresh.all("set-cookie").find_map(|cookie| cookie.strip_prefix("JSESSIONID=")).unwrap().to_owned();
    let own = client.session(cookie.split(';').next().unwrap()).get("/data/auth?CSRF=true").unwrap().text();
    let own = own.split_once("XNAT_CSRF=").unwrap().1.to_owned();
    assert!(fresh.text().contains(&format!("var csrfToken = '{own}';")), "the token of the session that it opened");
}

#[test]
fn every_answer_to_a_session_says_when_it_ends() {
    let service = Service::with(&[("session_timeout_seconds", "600")]);
    let client = service.client();
    let (session, _) = open_session(&client);
    let with_session = client.session(&session);
    for path in
        ["/data/projects", "/data/projects/NONE", "/data/prearchive", "/data/JSESSION", "/data/services/nothing"]
    {
        let response = with_session.get(path).unwrap();
        let ends: Vec<&str> =
            response.all("set-cookie").filter(|cookie| cookie.starts_with("SESSION_EXPIRATION_TIME=")).collect();
        assert_eq!(ends.len(), 1, "{path}: {ends:?}");
        let value = ends[0].split('"').nth(1).unwrap();
        let (now_ms, idle_ms) = value.split_once(',').unwrap();
        assert!(now_ms.parse::<u64>().unwrap() > 1_600_000_000_000 && idle_ms == "600000", "{value}");
    }
    assert_eq!(client.get("/data/projects").unwrap().all("set-cookie").count(), 0, "a password has no session");
    let logout = with_session.delete("/data/JSESSION").unwrap();
    assert!(logout.all("set-cookie").all(|cookie| cookie.contains("Max-Age=0")));
}
