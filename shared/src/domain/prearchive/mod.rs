//! The prearchive: sessions that wait to be reviewed and archived.

pub mod build;
pub mod commit;
pub mod gathered;
pub mod hold;
pub mod idle;
pub mod import;
mod join;
pub mod list;
mod make;
mod notes;
pub mod onward;
pub(in crate::domain) mod opened;
pub mod place;
mod placing;
pub mod relocate;
pub mod remove;
pub mod reset;
pub mod resources;
pub mod row;
pub mod scan_fields;
pub mod scans;
pub mod segment;
pub mod separate;
pub mod session;
pub mod status;
mod target;
pub mod trash;
pub mod unpack;
pub mod upload;
pub mod upload_files;
mod wishes;

pub use row::SessionRow;
pub use session::{PrearchiveSession, SessionPlace};
pub use status::Status;
