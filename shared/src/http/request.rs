//! One request, read once.

use std::net::{IpAddr, SocketAddr};

use ::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use ::http::{HeaderMap, Method, Response, Uri};
use bytes::Bytes;

use super::cookies::{SESSION_COOKIE, cookie};
use super::error::ClientError;
use super::format::{Format, NotAcceptable, choose, choose_without_accept};
use super::params::Params;
use super::path::RequestPath;
use crate::accounts::Credentials;

/// Where the runtime says who is connected. It stands behind what the client may have sent under this name.
const CLIENT_ADDRESS: &str = "spin-client-addr";
/// Where the runtime says how it was addressed, likewise.
const FULL_URL: &str = "spin-full-url";
/// Where a proxy says how it was addressed.
const FORWARDED_PROTO: &str = "x-forwarded-proto";
/// Words in the names of browsers.
const BROWSERS: [&str; 4] = ["MSIE", "Mozilla", "AppleWebKit", "Opera"];

/// Words in the names of programs that look like browsers and are none.
const NO_BROWSERS: [&str; 2] = ["XNATDesktopClient", "Java"];
/// The parameter with which browsers show that a change is meant, and a header for the same.
const CSRF_PARAMETER: &str = "XNAT_CSRF";
const CSRF_HEADER: &str = "x-xnat-csrf";
/// Where browsers say how the page that made them send a request is related to where it goes.
const FETCH_SITE: &str = "sec-fetch-site";

/// What a request's body is by its media type and the flag `inbody`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyKind {
    /// `application/x-www-form-urlencoded`
    Form,
    /// `application/json`
    Json,
    /// `multipart/form-data`
    Multipart {
        /// What separates the parts.
        boundary: String,
    },
    /// The file itself, of this media type (without parameters, in lower case); empty if none is given.
    File {
        /// The media type.
        media_type: String,
    },
}

/// A request without its body.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The method as it came.
    pub method: Method,
    /// The path.
    pub path: RequestPath,
    /// The parameters: of the query, and of the body once the caller has added them.
    pub params: Params,
    /// The headers.
    pub headers: HeaderMap,
}

impl RequestContext {
    /// Reads path and query.
    ///
    /// # Errors
    /// A [`ClientError`] if one of them is not sound.
    pub fn new(method: Method, uri: &Uri, headers: HeaderMap) -> Result<Self, ClientError> {
        let path = RequestPath::parse(uri.path())?;
        let params = Params::from_query(uri.query().unwrap_or_default())?;
        Ok(Self { method, path, params, headers })
    }

    /// The method to route by: HEAD is handled as GET, its body is dropped in the end ([`without_body`]).
    pub fn routed_method(&self) -> Method {
        if self.method == Method::HEAD { Method::GET } else { self.method.clone() }
    }

    /// Whether the answer must have no body.
    pub fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }

    /// The format of the answer: `format=` in the query, else what `Accept` prefers of the variants, else the first.
    ///
    /// # Errors
    /// [`NotAcceptable`].
    pub fn format(&self, variants: &[Format]) -> Result<Format, NotAcceptable> {
        choose(self.params.in_query("format"), &self.headers, variants)
    }

    /// The format of an answer of the services that do not negotiate.
    pub fn format_without_accept(&self, default: Format) -> Format {
        choose_without_accept(self.params.in_query("format"), default)
    }

    /// The name of the client's program.
    pub fn user_agent(&self) -> &str {
        self.text(USER_AGENT.as_str()).unwrap_or_default()
    }

    /// Whether the client looks like a browser.
    pub fn is_browser(&self) -> bool {
        let agent = self.user_agent();
        BROWSERS.iter().any(|browser| agent.contains(browser))
    }

    /// Whether the request is of a kind that another site's page could make a browser send without its user knowing:
    /// a change, by something that calls itself a browser.
    pub fn may_be_forged(&self) -> bool {
        let is_change = !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let agent = self.user_agent();
        is_change && self.is_browser() && !NO_BROWSERS.iter().any(|program| agent.contains(program))
    }

    /// Whether a browser says that a page of another origin made it send the request. Browsers add passwords that they
    /// remember to such requests too.
    pub fn is_cross_site(&self) -> bool {
        self.text(FETCH_SITE).is_some_and(|site| matches!(site, "cross-site" | "same-site"))
    }

    /// What the client shows for its login session's own token: the header `X-XNAT-CSRF` or the parameter `XNAT_CSRF`.
    pub fn csrf_token(&self) -> Option<&str> {
        self.text(CSRF_HEADER).or_else(|| self.params.get(CSRF_PARAMETER))
    }

    /// The client's address as the runtime saw it.
    pub fn client_address(&self) -> Option<IpAddr> {
        let text = last_value(&self.headers, CLIENT_ADDRESS)?;
        text.parse::<SocketAddr>().map(|address| address.ip()).or_else(|_| text.parse()).ok()
    }

    /// Whether the request came by https: as the runtime saw it, or, if proxies are trusted, as the proxy says.
    pub fn is_secure(&self, trust_forwarded_proto: bool) -> bool {
        let begins_with = |name, scheme: &str| {
            last_value(&self.headers, name)
                .and_then(|text| text.get(..scheme.len()))
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        begins_with(FULL_URL, "https://") || (trust_forwarded_proto && begins_with(FORWARDED_PROTO, "https"))
    }

    /// Where the client addressed the server, as `scheme://host[:port]`; empty if the runtime does not say. A proxy's
    /// word for the scheme is taken: it only decides what the client itself is told.
    pub fn origin(&self) -> String {
        let full = self.headers.get_all(FULL_URL).iter().next_back().and_then(|value| value.to_str().ok());
        let full = full.and_then(|text| text.parse::<Uri>().ok());
        let scheme = if self.is_secure(true) { "https" } else { "http" };
        full.and_then(|uri| uri.authority().map(|host| format!("{scheme}://{host}"))).unwrap_or_default()
    }

    /// The length of the body as far as it was told.
    pub fn content_length(&self) -> Option<u64> {
        self.text(CONTENT_LENGTH.as_str())?.trim().parse().ok()
    }

    /// The media type of the body, without parameters, in lower case; empty if none is given.
    pub fn media_type(&self) -> String {
        let text = self.text(CONTENT_TYPE.as_str()).unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// What the body is. With `inbody=true` it is a file, whatever its media type.
    ///
    /// # Errors
    /// 406 for `inbody=true` with a multipart body, 400 for a multipart body without a usable boundary.
    pub fn body_kind(&self) -> Result<BodyKind, ClientError> {
        let media_type = self.media_type();
        let inbody = self.params.flag("inbody");
        match media_type.as_str() {
            "multipart/form-data" if inbody => Err(ClientError::not_acceptable(
                "inbody-multipart",
                "In-body File posts must include the file directly as the body of the message (not as part of \
                 multi-part form data).",
            )),
            "multipart/form-data" => self
                .boundary()
                .map(|boundary| BodyKind::Multipart { boundary })
                .ok_or_else(|| ClientError::bad_request("bad-multipart", "The multipart body has no usable boundary.")),
            "application/x-www-form-urlencoded" if !inbody => Ok(BodyKind::Form),
            "application/json" if !inbody => Ok(BodyKind::Json),
            _ => Ok(BodyKind::File { media_type }),
        }
    }

    fn boundary(&self) -> Option<String> {
        let mut parameters = self.text(CONTENT_TYPE.as_str())?.split(';').skip(1);
        let value = parameters.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim())
        })?;
        let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
        // RFC 2046: 1 to 70 characters.
        let usable =
            (1..=70).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        usable.then(|| value.to_owned())
    }

    /// Adds the parameters of a form or JSON body that was read whole; other bodies have none.
    ///
    /// # Errors
    /// A [`ClientError`] if it is malformed or too large.
    pub fn add_body_params(&mut self, body: &[u8]) -> Result<(), ClientError> {
        match self.body_kind()? {
            BodyKind::Form => Ok(self.params.add_form(body)?),
            BodyKind::Json => Ok(self.params.add_json(body)?),
            BodyKind::Multipart { .. } | BodyKind::File { .. } => Ok(()),
        }
    }

    /// What the request brings along to say whose it is.
    pub fn credentials(&self) -> Credentials<'_> {
        Credentials {
            authorization: self.headers.get(AUTHORIZATION).map(|value| value.as_bytes()),
            session_token: cookie(&self.headers, SESSION_COOKIE),
        }
    }

    /// The token of `Authorization: Bearer`, if there is one.
    pub fn bearer_token(&self) -> Option<&str> {
        let (scheme, token) = self.text(AUTHORIZATION.as_str())?.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The last value of a header, also of several in one line: what stands before it may come from the client.
fn last_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    Some(value.rsplit(',').next().unwrap_or(value).trim())
}

/// The answer to HEAD: that to GET without its body, the length that it would have kept.
pub fn without_body(response: Response<Bytes>) -> Response<Bytes> {
    let (mut parts, body) = response.into_parts();
    parts.headers.entry(CONTENT_LENGTH).or_insert(body.len().into());
    Response::from_parts(parts, Bytes::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::{HeaderName, HeaderValue};

    #[test]
    fn the_origin_is_where_the_client_looked() {
        let of = |pairs| request("/", pairs).origin();
        assert_eq!(of(&[]), "");
        assert_eq!(of(&[("spin-full-url", "http://h:8080/data/projects?columns=a,b")]), "http://h:8080");
        assert_eq!(of(&[("spin-full-url", "http://h/"), ("x-forwarded-proto", "https")]), "https://h");
        assert_eq!(of(&[("spin-full-url", "http://from.client/"), ("spin-full-url", "http://h/")]), "http://h");
    }

    fn request(uri: &str, pairs: &[(&str, &str)]) -> RequestContext {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        RequestContext::new(Method::POST, &uri.parse().unwrap(), headers).unwrap()
    }

    #[test]
    fn path_and_query_are_read_whether_the_uri_is_whole_or_not() {
        for uri in ["/data/projects/P?format=csv", "http://host:3000/data/projects/P?format=csv"] {
            let request = request(uri, &[("accept", "text/xml")]);
            assert_eq!(request.path.segments(), ["projects", "P"]);
            assert_eq!(request.format(&[Format::Json]), Ok(Format::Csv));
            assert_eq!(request.format_without_accept(Format::Xml), Format::Csv);
        }
    }

    #[test]
    fn unsound_requests_are_refused_with_a_status() {
        for (uri, status) in [("/data/../x".to_owned(), 400), (format!("/data?{}", "a".repeat(40_000)), 414)] {
            let error = RequestContext::new(Method::GET, &uri.parse().unwrap(), HeaderMap::new()).unwrap_err();
            assert_eq!(error.status.number(), status);
        }
    }

    #[test]
    fn what_the_runtime_says_stands_last_and_forged_values_do_not_count() {
        let forged = request(
            "/",
            &[
                ("spin-client-addr", "6.6.6.6:1"),
                ("spin-client-addr", "10.0.0.1:4711"),
                ("spin-full-url", "https://forged/"),
                ("spin-full-url", "http://host/"),
                ("x-forwarded-proto", "https"),
            ],
        );
        assert_eq!(forged.client_address(), Some([10, 0, 0, 1].into()));
        assert!(!forged.is_secure(false));
        assert!(forged.is_secure(true));
        let joined = request("/", &[("spin-client-addr", "6.6.6.6:1, [::1]:80"), ("spin-full-url", "HTTPS://host/")]);
        assert_eq!(joined.client_address(), Some("::1".parse().unwrap()));
        assert!(joined.is_secure(false));
        assert_eq!(request("/", &[("spin-client-addr", "nonsense")]).client_address(), None);
        assert!(!request("/", &[("spin-full-url", "é")]).is_secure(true));
    }

    #[test]
    fn browsers_are_known_by_their_names() {
        for (agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", true),
            ("Opera/9.80", true),
            ("python-requests/2.32", false),
            ("curl/8.5", false),
            ("XNATDesktopClient/1.0", false),
            ("", false),
        ] {
            assert_eq!(request("/", &[("user-agent", agent)]).is_browser(), expected, "{agent}");
        }
        assert!(!request("/", &[]).is_browser());
    }

    #[test]
    fn only_changes_by_browsers_may_be_forged() {
        let with = |method: Method, agent: &str| {
            let mut request = request("/", &[("user-agent", agent)]);
            request.method = method;
            request.may_be_forged()
        };
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            assert!(with(method.clone(), "Mozilla/5.0 (X11)"), "{method}");
            for other in ["", "curl/8.5", "Mozilla/5.0 XNATDesktopClient/1.0", "Mozilla/5.0 (Java/1.8)"] {
                assert!(!with(method.clone(), other), "{method} {other}");
            }
        }
        assert!(!with(Method::GET, "Mozilla/5.0") && !with(Method::HEAD, "Mozilla/5.0"));
    }

    #[test]
    fn the_sessions_own_token_is_shown_in_a_header_or_parameter() {
        assert_eq!(request("/?XNAT_CSRF=a", &[]).csrf_token(), Some("a"));
        assert_eq!(request("/?XNAT_CSRF=a", &[("x-xnat-csrf", "b")]).csrf_token(), Some("b"));
        assert_eq!(request("/", &[]).csrf_token(), None);
        let mut form = request("/", &[("content-type", "application/x-www-form-urlencoded")]);
        form.add_body_params(b"XNAT_CSRF=c").unwrap();
        assert_eq!(form.csrf_token(), Some("c"));
        for (site, expected) in [("cross-site", true), ("same-site", true), ("same-origin", false), ("none", false)] {
            assert_eq!(request("/", &[("sec-fetch-site", site)]).is_cross_site(), expected, "{site}");
        }
    }

    #[test]
    fn the_body_is_known_by_its_media_type() {
        let kind = |query: &str, media_type: &str| request(query, &[("content-type", media_type)]).body_kind();
        assert_eq!(kind("/", "application/x-www-form-urlencoded; charset=UTF-8").unwrap(), BodyKind::Form);
        assert_eq!(kind("/", "Application/JSON").unwrap(), BodyKind::Json);
        let multipart = BodyKind::Multipart { boundary: "a=b".into() };
        assert_eq!(kind("/", "multipart/form-data; charset=x; Boundary=\"a=b\"").unwrap(), multipart);
        let file = |media_type: &str| BodyKind::File { media_type: media_type.into() };
        assert_eq!(kind("/?inbody=true", "application/json").unwrap(), file("application/json"));
        assert_eq!(kind("/", "application/zip").unwrap(), file("application/zip"));
        assert_eq!(request("/", &[]).body_kind().unwrap(), file(""));
        assert_eq!(kind("/?inbody=true", "multipart/form-data; boundary=a").unwrap_err().status.number(), 406);
        for bad in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\""] {
            assert_eq!(kind("/", bad).unwrap_err().status.number(), 400);
        }
    }

    #[test]
    fn parameters_of_the_body_are_added_by_its_kind() {
        let mut form = request("/?a=1", &[("content-type", "application/x-www-form-urlencoded")]);
        form.add_body_params(b"a=2&b=3").unwrap();
        assert_eq!((form.params.get("a"), form.params.get("b")), (Some("1"), Some("3")));
        let mut json = request("/", &[("content-type", "application/json")]);
        json.add_body_params(b"{\"b\":3}").unwrap();
        assert_eq!(json.params.get("b"), Some("3"));
        let mut file = request("/", &[("content-type", "application/zip")]);
        file.add_body_params(b"b=3").unwrap();
        assert_eq!(file.params.get("b"), None);
        assert_eq!(json.add_body_params(b"[]").unwrap_err().status.number(), 400);
    }

    #[test]
    fn credentials_are_taken_from_header_and_cookie() {
        let request = request("/", &[("authorization", "Basic x"), ("cookie", "a=b; JSESSIONID=t")]);
        let credentials = request.credentials();
        assert_eq!(credentials.authorization, Some(&b"Basic x"[..]));
        assert_eq!(credentials.session_token, Some("t"));
    }

    #[test]
    fn head_is_get_without_its_body() {
        let mut request = request("/", &[]);
        request.method = Method::HEAD;
        assert_eq!(request.routed_method(), Method::GET);
        let answer = without_body(Response::new(Bytes::from_static(b"12345")));
        assert!(answer.body().is_empty());
        assert_eq!(answer.headers()["content-length"], "5");
    }
}
