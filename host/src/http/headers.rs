//! What is changed in a request before a component sees it: its address, and the headers that Spin adds.

use super::router::Matched;
use http::header::{HOST, HeaderName, HeaderValue};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Request, Uri};
use std::net::SocketAddr;

/// Why a request cannot be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRequest {
    /// No or two or a broken host, or an address that is none: 400.
    Address,
    /// A header that is not UTF-8, with which Spin answers 500.
    Header,
}

/// Gives the request a whole address, from its `Host` header or its own.
pub fn complete_uri<B>(request: &mut Request<B>) -> Result<(), BadRequest> {
    let header = match request.headers().get(HOST) {
        // Only a component can be called by such a name, and only by another component.
        Some(host) if is_internal(host) => None,
        Some(host) => {
            let host = host.to_str().map_err(|_| BadRequest::Address)?;
            Some(host.parse::<Authority>().map_err(|_| BadRequest::Address)?)
        }
        None => None,
    };
    if !request.uri().path().starts_with('/') {
        return Err(BadRequest::Address);
    }
    let mut parts = request.uri().clone().into_parts();
    let authority = match (header, parts.authority.take()) {
        (Some(header), Some(own)) if header != own => return Err(BadRequest::Address),
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => return Err(BadRequest::Address),
    };
    parts.authority = Some(authority);
    parts.scheme = Some(Scheme::HTTP);
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| BadRequest::Address)?;
    Ok(())
}

fn is_internal(host: &HeaderValue) -> bool {
    host.to_str().is_ok_and(|host| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        name.ends_with(".spin.internal")
    })
}

/// Adds the headers that tell of the route and the client, behind what the client sent under those names.
pub fn add_spin_headers<B>(request: &mut Request<B>, matched: &Matched, client: SocketAddr) -> Result<(), BadRequest> {
    if request.headers().values().any(|value| std::str::from_utf8(value.as_bytes()).is_err()) {
        return Err(BadRequest::Header);
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost").to_owned();
    let scheme = request.uri().scheme_str().unwrap_or("http");
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let full_url = format!("{scheme}://{host}{path}");
    let headers = request.headers_mut();
    append(headers, "spin-path-info", &matched.path_info);
    append(headers, "spin-full-url", &full_url);
    append(headers, "spin-matched-route", &matched.route);
    append(headers, "spin-base-path", "/");
    append(headers, "spin-raw-component-route", &matched.route);
    append(headers, "spin-component-route", matched.prefix());
    append(headers, "spin-client-addr", &client.to_string());
    for (name, value) in &matched.parameters {
        let name = format!("spin-path-match-{}", name.to_ascii_lowercase().replace('_', "-"));
        append(headers, &name, value);
    }
    Ok(())
}

/// A name or value that cannot be a header is left out, as in Spin.
fn append(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) {
        headers.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, headers: &[(&str, &[u8])]) -> Request<()> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
        }
        request.body(()).unwrap()
    }

    #[test]
    fn the_address_comes_from_the_host_header() {
        let mut plain = request("/data/x?y=1", &[("host", b"example.org:3000")]);
        complete_uri(&mut plain).unwrap();
        assert_eq!(plain.uri(), "http://example.org:3000/data/x?y=1");
        let mut proxied = request("http://example.org/x", &[("host", b"example.org")]);
        complete_uri(&mut proxied).unwrap();
        assert_eq!(proxied.uri(), "http://example.org/x");
    }

    #[test]
    fn a_request_without_one_clear_address_is_refused() {
        for mut bad in [
            request("/x", &[]),
            request("/x", &[("host", b"a b")]),
            request("http://a/x", &[("host", b"b")]),
            request("/x", &[("host", b"worker.spin.internal:80")]),
            request("*", &[("host", b"a")]),
        ] {
            assert_eq!(complete_uri(&mut bad), Err(BadRequest::Address), "{bad:?}");
        }
    }

    #[test]
    fn spin_headers_stand_behind_forged_ones() {
        let mut request =
            request("/data/projects/P/x?y=1", &[("host", b"h"), ("spin-client-addr", b"1.2.3.4:5"), ("x", b"y")]);
        complete_uri(&mut request).unwrap();
        let matched = Matched {
            component: "a".into(),
            route: "/data/projects/:project_id/...".into(),
            path_info: "/x".into(),
            parameters: vec![("project_id".into(), "P".into())],
        };
        add_spin_headers(&mut request, &matched, "127.0.0.1:9".parse().unwrap()).unwrap();
        let all = |name| request.headers().get_all(name).iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(all("spin-client-addr"), ["1.2.3.4:5", "127.0.0.1:9"]);
        assert_eq!(all("spin-full-url"), ["http://h/data/projects/P/x?y=1"]);
        assert_eq!(all("spin-path-info"), ["/x"]);
        assert_eq!(all("spin-matched-route"), ["/data/projects/:project_id/..."]);
        assert_eq!(all("spin-component-route"), ["/data/projects/:project_id"]);
        assert_eq!(all("spin-path-match-project-id"), ["P"]);
    }

    #[test]
    fn a_header_that_is_not_utf8_is_refused() {
        let mut request = request("/x", &[("host", b"h"), ("x", b"\xff")]);
        let matched = Matched::internal("a", "/x");
        let client = "127.0.0.1:9".parse().unwrap();
        assert_eq!(add_spin_headers(&mut request, &matched, client), Err(BadRequest::Header));
    }
}
