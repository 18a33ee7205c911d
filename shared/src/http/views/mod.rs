//! What lists and items show: from the domain to tables, items and documents.

pub mod archive;
pub mod import;
pub mod jobs;
pub mod members;
pub mod prearchive;
pub mod project;
pub mod refresh;
pub mod shelf;
pub mod user_cache;
pub mod users;
