//! The common crate of Narthex: domain core, intake, storage, HTTP helpers.

pub mod accounts;
pub mod domain;
pub mod http;
pub mod imaging;
pub mod intake;
pub mod limits;
#[cfg(target_family = "wasm")]
pub mod service;
pub mod storage;
pub mod xml;

/// Makes an asynchronous function return a boxed future, so that its body is compiled with this crate: Rust compiles the
/// body of a plain `async fn` in every crate that awaits it, which would be once for each component.
pub use async_recursion::async_recursion as boxed;
