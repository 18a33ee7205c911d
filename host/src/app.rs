//! The application: which component answers a request, and calls between components.

use crate::http::headers::{BadRequest, add_spin_headers, complete_uri};
use crate::http::router::{Matched, Router};
use crate::runtime::Instances;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Full};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use wasmtime_wasi_http::WasiBody;

/// The paths that Spin keeps to itself.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// What a component sees as the client's address when another component calls it.
const INTERNAL_CLIENT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));

/// The application as it runs.
pub(crate) struct App {
    pub components: BTreeMap<String, Instances>,
    pub router: Router,
    /// Where the host listens, which a component that calls the application itself sees as the host.
    pub address: SocketAddr,
}

impl App {
    /// Answers a request from outside.
    pub async fn serve(&self, mut request: Request<WasiBody>, client: SocketAddr) -> Response<WasiBody> {
        if let Some(name) = request.uri().path().strip_prefix(WELL_KNOWN) {
            return if name == "health" { text(StatusCode::OK, "OK") } else { empty(StatusCode::NOT_FOUND) };
        }
        let Some(matched) = self.router.find(request.uri().path()) else {
            return empty(StatusCode::NOT_FOUND);
        };
        match complete_uri(&mut request) {
            Ok(()) => self.run(&matched, request, client).await,
            Err(bad) => refuse(bad),
        }
    }

    /// A call from a component to the application's own routes.
    pub async fn call_itself(&self, mut request: Request<WasiBody>) -> Response<WasiBody> {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let Ok(uri) = Uri::builder().scheme("http").authority(self.address.to_string()).path_and_query(path).build()
        else {
            return refuse(BadRequest::Address);
        };
        *request.uri_mut() = uri;
        if let Ok(host) = HeaderValue::try_from(self.address.to_string()) {
            request.headers_mut().insert(header::HOST, host);
        }
        self.serve(request, INTERNAL_CLIENT).await
    }

    /// A call from one component to another; none if there is no such component.
    pub async fn call(&self, component: &str, request: Request<WasiBody>) -> Option<Response<WasiBody>> {
        if !self.components.contains_key(component) {
            return None;
        }
        let matched = Matched::internal(component, request.uri().path());
        Some(self.run(&matched, request, INTERNAL_CLIENT).await)
    }

    async fn run(&self, matched: &Matched, mut request: Request<WasiBody>, client: SocketAddr) -> Response<WasiBody> {
        if let Err(bad) = add_spin_headers(&mut request, matched, client) {
            return refuse(bad);
        }
        // The router was built from the components, so it has no other names.
        let Some(instances) = self.components.get(&matched.component) else {
            return empty(StatusCode::NOT_FOUND);
        };
        let what = format!("{} {}", request.method(), request.uri().path());
        match instances.handle((), request).await {
            Ok(response) => response,
            Err(error) => {
                tracing::error!(component = matched.component, "{what} failed: {error:#}");
                empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

fn refuse(bad: BadRequest) -> Response<WasiBody> {
    match bad {
        BadRequest::Header => empty(StatusCode::INTERNAL_SERVER_ERROR),
        BadRequest::Address => {
            let mut response = text(StatusCode::BAD_REQUEST, "the request has no valid Host");
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            response
        }
    }
}

fn empty(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

fn text(status: StatusCode, text: &'static str) -> Response<WasiBody> {
    let body = Full::new(Bytes::from_static(text.as_bytes()));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}
