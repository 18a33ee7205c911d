//! The archive: subjects and experiments, and how a session of the prearchive becomes one or part of one.

mod by_hand;
pub mod change;
mod examine;
pub mod experiment;
mod headers;
mod join;
pub mod merge;
mod remove;
mod request;
mod resources;
mod scan_types;
pub mod scans;
pub mod subject;
pub mod subject_change;
pub mod take;
pub mod tell;
mod transfer;
mod trash;

pub use change::{ExperimentChange, NewExperiment, StatusChange};
pub use experiment::Experiment;
pub use merge::rules::Wish;
pub use merge::{Finding, Overwrite, Rules};
pub use request::ArchiveRequest;
pub use scans::ScanChange;
pub use subject::Subject;
pub use subject_change::SubjectChange;
