use super::*;
use ::http::header::ACCEPT;

fn accept(value: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(value));
    headers
}

fn body(error: &ClientError, format: ErrorFormat) -> String {
    String::from_utf8(error.render(format).into_body().to_vec()).unwrap()
}

#[test]
fn the_page_is_the_one_that_clients_read() {
    let error = ClientError::not_found("unknown-project", "No project <b>\"P\"</b> & co").with_detail("secret");
    let page = body(&error, ErrorFormat::Html);
    assert!(page.starts_with("<html>\n<head>\n   <title>Status page</title>"));
    assert!(page.contains("<h3>No project &lt;b&gt;&quot;P&quot;&lt;/b&gt; &amp; co</h3>"));
    assert_eq!(page.matches("<h3>").count(), 1);
    assert!(!page.contains("secret"));
    let response = error.render(ErrorFormat::Html);
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["x-narthex-error"], "unknown-project");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert!(response.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert_eq!(response.headers()["content-length"], page.len().to_string().as_str());
}

#[test]
fn programs_get_json_and_shells_get_text() {
    let error = ClientError::conflict("session-locked", "say \"no\"").with_detail("secret");
    assert_eq!(
        body(&error, ErrorFormat::Json),
        r#"{"error":{"status":409,"code":"session-locked","message":"say \"no\""}}"#
    );
    assert_eq!(body(&error, ErrorFormat::Text), "say \"no\"");
}

#[test]
fn html_is_told_unless_something_else_is_asked_for() {
    for (headers, expected) in [
        (HeaderMap::new(), ErrorFormat::Html),
        (accept("*/*"), ErrorFormat::Html),
        (accept("application/json"), ErrorFormat::Json),
        (accept("application/json, text/plain, */*"), ErrorFormat::Json),
        (accept("text/plain"), ErrorFormat::Text),
        (accept("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), ErrorFormat::Html),
        (accept("image/png"), ErrorFormat::Html),
    ] {
        assert_eq!(ErrorFormat::choose(&headers), expected, "{headers:?}");
    }
}

#[test]
fn what_went_wrong_inside_is_for_the_log_alone() {
    for (error, status) in [
        (StoreError::Corrupt { key: "account:ann".into(), reason: "eof".into() }, 500),
        (StoreError::Failed { operation: "get", key: "account:ann".into(), reason: "eof".into() }, 503),
    ] {
        let error = ClientError::from(error);
        assert_eq!(error.status.number(), status);
        for format in [ErrorFormat::Html, ErrorFormat::Json, ErrorFormat::Text] {
            assert!(!body(&error, format).contains("ann"));
        }
        assert!(error.log_line().contains("account:ann"));
    }
}

#[test]
fn a_401_says_how_to_log_in() {
    let error = ClientError::from(AuthError::Required);
    let response = error.render(ErrorFormat::Html);
    assert_eq!(response.status(), 401);
    assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic realm=\"Narthex\""));
    assert!(body(&error, ErrorFormat::Html).contains("<h3>The request requires user authentication</h3>"));
    assert_eq!(ClientError::from(AuthError::Malformed).status.number(), 400);
}

#[test]
fn hostile_text_reaches_neither_headers_nor_further_log_lines() {
    let error = ClientError::bad_request("a\r\nX: y".to_owned(), "one\r\ntwo").with_detail("three\nfour");
    let response = error.render(ErrorFormat::Html);
    assert_eq!(response.headers()["x-narthex-error"], "error");
    assert!(!error.log_line().contains(['\r', '\n']));
    let long = ClientError::bad_request("x", "ä".repeat(100_000));
    assert!(body(&long, ErrorFormat::Text).len() <= 2000);
}

#[test]
fn allowed_methods_are_named() {
    let error = ClientError::method_not_allowed(&[::http::Method::GET, ::http::Method::PUT]);
    assert_eq!(error.render(ErrorFormat::Text).headers()["allow"], "GET, PUT");
}
