//! A small, strict host for Narthex that runs the same `spin.toml` and `runtime-config.toml` as `spin up`.
//!
//! It serves the part of Spin that Narthex uses and refuses the rest by name: the HTTP trigger with components of
//! WASI 0.3, key-value stores on SQLite, variables, outgoing HTTP within `allowed_outbound_hosts`, and calls between
//! components. It is as strict as Spin, so that what runs here runs there.
//!
//! ```no_run
//! # async fn example() -> Result<(), narthex_host::HostError> {
//! use narthex_host::{Host, HostConfig};
//!
//! let config = HostConfig::new("spin.toml", "state").runtime_config("runtime-config.toml").variable("admin_user", "me");
//! let running = Host::start(config).await?;
//! println!("http://{}", running.address());
//! running.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! The way of a request: [`mod@http`] takes it from the connection and finds its route, `app` gives it to a component,
//! `runtime` keeps the component's instances and answers what they import, [`kv`] stores.

mod allowed_hosts;
mod app;
pub mod cli;
mod config;
mod error;
pub mod files;
mod host;
mod http;
pub mod kv;
mod logs;
mod manifest;
mod runtime;
mod runtime_config;
mod template;
mod variables;

pub use config::{HostConfig, InstanceLimits};
pub use error::HostError;
pub use host::{Host, Running};
pub use logs::{LineObserver, LogSink, Stream};
pub use manifest::ManifestError;
pub use runtime_config::RuntimeConfigError;
pub use template::TemplateError;
pub use variables::VariableError;
