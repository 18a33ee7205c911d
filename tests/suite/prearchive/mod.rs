//! The prearchive: lists, one session, its scans, resources, files.

mod document;
mod downloads;
mod formats;
mod list;
mod model;
mod resources;
mod session;
