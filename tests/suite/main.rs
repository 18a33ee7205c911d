//! Narthex from outside: real HTTP, the real components, the real stores.
//!
//! One folder or file for each group of endpoints; tests are named after what the service does.

mod access;
mod archive;
mod components;
mod conformance;
mod crash;
mod events;
mod import;
mod prearchive;
mod real_clients;
mod real_files;
mod refusals;
mod settings;
mod triage;
mod user_cache;
