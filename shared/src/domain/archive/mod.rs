//! The archive: subjects and experiments, and how a session of the prearchive becomes one or part of one.

mod examine;
pub mod experiment;
mod headers;
mod join;
pub mod merge;
mod remove;
mod request;
mod resources;
mod scan_types;
pub mod subject;
pub mod tell;
mod transfer;
mod trash;

pub use experiment::Experiment;
pub use merge::rules::Wish;
pub use merge::{Finding, Overwrite, Rules};
pub use request::ArchiveRequest;
pub use subject::Subject;
