//! HTTP: routes, the headers Spin adds, and the server.

pub(crate) mod headers;
pub(crate) mod router;
pub(crate) mod server;
