//! The common crate of Narthex: domain core, intake, storage, HTTP helpers.

pub mod storage;
