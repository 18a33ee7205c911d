//! The two cookies: `JSESSIONID` and `SESSION_EXPIRATION_TIME`.

use ::http::header::{COOKIE, SET_COOKIE};
use ::http::{HeaderMap, HeaderValue};

/// The cookie that holds a login session's token.
pub const SESSION_COOKIE: &str = "JSESSIONID";
/// The cookie that tells clients when their login session ends.
pub const EXPIRATION_COOKIE: &str = "SESSION_EXPIRATION_TIME";
/// No more of the `Cookie` headers is looked at.
const MAX_COOKIE_BYTES: usize = 16 * 1024;
/// No more cookies are looked at.
const MAX_COOKIES: usize = 128;

/// The value of the first cookie of that name.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut left_bytes = MAX_COOKIE_BYTES;
    let mut left_cookies = MAX_COOKIES;
    for header in headers.get_all(COOKIE) {
        let Ok(text) = header.to_str() else { continue };
        left_bytes = left_bytes.checked_sub(text.len())?;
        for pair in text.split(';') {
            left_cookies = left_cookies.checked_sub(1)?;
            if let Some((found, value)) = pair.split_once('=')
                && found.trim() == name
            {
                let value = value.trim();
                return Some(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value));
            }
        }
    }
    None
}

/// `Set-Cookie` for a new login session. `None` if the token is no plain word, which no token of ours is.
pub fn session_cookie(token: &str, secure: bool) -> Option<HeaderValue> {
    let is_word = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_word {
        return None;
    }
    HeaderValue::from_str(&format!("{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax{}", suffix(secure))).ok()
}

/// `Set-Cookie` that ends the login session in the client.
pub fn expired_session_cookie(secure: bool) -> HeaderValue {
    HeaderValue::from_static(if secure {
        "JSESSIONID=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
    } else {
        "JSESSIONID=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    })
}

/// `Set-Cookie` that makes the client forget when its login session ends.
pub fn expired_expiration_cookie() -> HeaderValue {
    HeaderValue::from_static("SESSION_EXPIRATION_TIME=; Path=/; Max-Age=0; SameSite=Lax")
}

/// `Set-Cookie` that tells when the login session ends: `"<now in ms>,<idle time in ms>"`. Scripts may read it.
pub fn expiration_cookie(now_ms: u64, idle_ms: u64, secure: bool) -> Option<HeaderValue> {
    let text = format!("{EXPIRATION_COOKIE}=\"{now_ms},{idle_ms}\"; Path=/; SameSite=Lax{}", suffix(secure));
    HeaderValue::from_str(&text).ok()
}

/// Whether an answer sets a cookie of that name.
pub fn sets_cookie(headers: &HeaderMap, name: &str) -> bool {
    let begins = |value: &HeaderValue| {
        value.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='))
    };
    headers.get_all(SET_COOKIE).iter().any(begins)
}

fn suffix(secure: bool) -> &'static str {
    if secure { "; Secure" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(COOKIE, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn cookies_are_found_among_others() {
        let sent = headers(&["a=1; XJSESSIONID=no;JSESSIONID=\"abc\" ; b", "JSESSIONID=second; c=3"]);
        assert_eq!(cookie(&sent, "JSESSIONID"), Some("abc"));
        assert_eq!(cookie(&sent, "c"), Some("3"));
        assert_eq!(cookie(&sent, "b"), None);
        assert_eq!(cookie(&sent, "jsessionid"), None);
        assert_eq!(cookie(&headers(&["ä=1", "x=2"]), "x"), Some("2"));
    }

    #[test]
    fn cookie_headers_are_not_read_without_end() {
        let many = "a=1;".repeat(MAX_COOKIES) + "x=1";
        assert_eq!(cookie(&headers(&[&many]), "x"), None);
        let long = format!("a={}", "b".repeat(MAX_COOKIE_BYTES));
        assert_eq!(cookie(&headers(&[&long, "x=1"]), "x"), None);
    }

    #[test]
    fn cookies_that_are_set_are_known_by_their_names() {
        let mut headers = HeaderMap::new();
        assert!(!sets_cookie(&headers, EXPIRATION_COOKIE));
        headers.append(SET_COOKIE, expired_session_cookie(true));
        headers.append(SET_COOKIE, expiration_cookie(1, 2, false).unwrap());
        assert!(sets_cookie(&headers, EXPIRATION_COOKIE) && sets_cookie(&headers, SESSION_COOKIE));
        assert!(!sets_cookie(&headers, "SESSION_EXPIRATION") && !sets_cookie(&headers, "JSESSIONID=x"));
    }

    #[test]
    fn set_cookie_is_safe() {
        let value = session_cookie("abc", true).unwrap();
        assert_eq!(value, "JSESSIONID=abc; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(session_cookie("abc", false).unwrap(), "JSESSIONID=abc; Path=/; HttpOnly; SameSite=Lax");
        for hostile in ["", "a;b", "a b", "a\r\nX: y", "ä"] {
            assert_eq!(session_cookie(hostile, true), None);
        }
        assert_eq!(
            expiration_cookie(1000, 900_000, false).unwrap(),
            "SESSION_EXPIRATION_TIME=\"1000,900000\"; Path=/; SameSite=Lax"
        );
    }
}
