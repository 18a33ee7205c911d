//! The prearchive: lists, one session, its scans, resources, files.

mod list;
mod session;
