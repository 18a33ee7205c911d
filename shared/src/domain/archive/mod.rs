//! The archive: subjects and experiments, and how a session of the prearchive becomes one or part of one.

pub mod assessor;
mod by_hand;
pub mod change;
mod examine;
pub mod experiment;
mod experiment_type;
mod headers;
mod join;
pub mod merge;
mod pull;
mod remove;
mod request;
mod resources;
mod review;
mod scan_types;
pub mod scans;
pub mod sharing;
pub mod subject;
pub mod subject_change;
pub mod take;
pub mod tell;
mod transfer;
mod trash;

pub use assessor::NewAssessor;
pub use change::{ExperimentChange, NewExperiment, StatusChange};
pub use experiment::Experiment;
pub use experiment_type::ExperimentType;
pub use merge::rules::Wish;
pub use merge::{Finding, Overwrite, Rules};
pub use request::ArchiveRequest;
pub use review::Reviewer;
pub use scans::ScanChange;
pub use sharing::{Share, Sharing};
pub use subject::Subject;
pub use subject_change::SubjectChange;
