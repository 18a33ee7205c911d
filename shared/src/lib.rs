//! The common crate of Narthex: domain core, intake, storage, HTTP helpers.

pub mod domain;
pub mod imaging;
pub mod intake;
pub mod limits;
pub mod storage;
