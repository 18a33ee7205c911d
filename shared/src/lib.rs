//! The common crate of Narthex: domain core, intake, storage, HTTP helpers.

pub mod accounts;
pub mod domain;
pub mod http;
pub mod imaging;
pub mod intake;
pub mod limits;
pub mod storage;
pub mod xml;
