//! The prearchive: sessions that wait to be reviewed and archived.

pub mod build;
pub mod import;
pub mod list;
pub mod place;
pub mod remove;
pub mod segment;
pub mod session;
pub mod status;
pub mod upload;

pub use session::{PrearchiveSession, SessionPlace};
pub use status::Status;
