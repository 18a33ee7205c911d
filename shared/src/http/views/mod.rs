//! What lists and items show: from the domain to tables, items and documents.

pub mod archive;
pub mod assessor;
pub mod history;
pub mod import;
pub mod jobs;
pub mod layout;
pub mod lists;
pub mod members;
pub mod prearchive;
pub mod project;
pub mod refresh;
pub mod search;
pub mod selection;
pub mod shelf;
pub mod subject;
pub mod triage;
pub mod user_cache;
pub mod users;
