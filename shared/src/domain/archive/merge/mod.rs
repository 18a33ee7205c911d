//! What archiving finds in the archive, and what it makes of it: rules without a store.
//!
//! [`rules`] says what `overwrite` allows, [`finding`] what can stand against archiving, [`scans`] which of the new scans
//! meet which of the old ones, [`files`] what becomes of the files of a resource that both sides have, and [`session`]
//! how the fields of the two sessions are joined.

pub mod files;
pub mod finding;
pub mod rules;
pub mod scans;
pub mod session;
#[cfg(test)]
mod tests;

pub use files::join_files;
pub use finding::{Finding, Kind, Reason};
pub use rules::{Overwrite, Rules};
pub use scans::{MergedScans, merge_scans};
