//! The archive: subjects and experiments, and how a session of the prearchive becomes one.

pub mod change;
pub mod experiment;
mod remove;
pub mod scans;
pub mod subject;
pub mod subject_change;
pub mod transfer;

pub use change::{ExperimentChange, NewExperiment, StatusChange};
pub use experiment::Experiment;
pub use scans::ScanChange;
pub use subject::Subject;
pub use subject_change::SubjectChange;
pub use transfer::{ArchiveRequest, Overwrite};
