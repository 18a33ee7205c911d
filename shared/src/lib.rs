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
