//! Outgoing HTTP: checked against the manifest, then sent to the network, to another component or to the
//! application itself.

use super::guest::Component;
use crate::allowed_hosts::{AllowedHosts, Target};
use crate::app::App;
use http::{Request, Response};
use http_body_util::BodyExt;
use std::sync::{Arc, Weak};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(Response<WasiBody>, Io), Error>;

/// What an instance may send, and how.
pub(crate) struct Outbound {
    component: Arc<Component>,
    allowed: Arc<AllowedHosts>,
    app: Weak<App>,
}

impl Outbound {
    pub fn new(component: Arc<Component>, allowed: Arc<AllowedHosts>, app: Weak<App>) -> Self {
        Self { component, allowed, app }
    }
}

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_processed: Io,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let Some(target) = self.allowed.check(request.uri()) else {
            let text = format!(
                "a request to {:?} was refused: allowed_outbound_hosts in the manifest does not have it",
                request.uri().authority().map_or("", |authority| authority.as_str())
            );
            self.component.log.note(&text);
            return Box::new(async { Err(Error::HttpRequestDenied) });
        };
        let app = self.app.clone();
        Box::new(async move {
            match target {
                Target::Network => {
                    let (response, io) = default_send_request(request, options).await?;
                    Ok((response.map(BodyExt::boxed_unsync), Box::new(io) as Io))
                }
                Target::Component(name) => {
                    let app = app.upgrade().ok_or(Error::ConnectionTerminated)?;
                    let response = app.call(&name, request).await.ok_or(Error::DestinationNotFound)?;
                    Ok((response, Box::new(async { Ok(()) }) as Io))
                }
                Target::Itself => {
                    let app = app.upgrade().ok_or(Error::ConnectionTerminated)?;
                    Ok((app.call_itself(request).await, Box::new(async { Ok(()) }) as Io))
                }
            }
        })
    }
}
