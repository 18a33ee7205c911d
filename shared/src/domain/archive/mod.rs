//! The archive: subjects and experiments, and how a session of the prearchive becomes one.

pub mod experiment;
mod headers;
mod remove;
pub mod subject;
pub mod transfer;

pub use experiment::Experiment;
pub use subject::Subject;
pub use transfer::{ArchiveRequest, Overwrite};
