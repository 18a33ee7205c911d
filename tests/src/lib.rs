//! What the integration tests stand on: a service of their own, a client, builders of inputs, and looks into the store.
//!
//! [`Service`] runs the host inside the test; [`ServiceProcess`] runs it as a process that can be killed. Both serve
//! the real components from the real manifest on a free port and keep their state in a folder that goes with them.
//! [`Api`] says in one line what a test wants of the service and fails the test with the service's own words.

mod api;
mod md5;
mod multipart;
mod poll;
mod process;
mod real;
mod receiver;
mod sentence;
mod service;
mod stores;
mod table;
pub mod zips;

use std::path::{Path, PathBuf};

pub use api::{Api, Content};
pub use md5::md5;
pub use multipart::{MULTIPART, multipart};
pub use narthex_client::{Client, Response, encode, form};
pub use narthex_generator::{DataSet, File, Modality, Noise, Packing, Study, Vr, part_10, zip_files, zip_study};
pub use poll::eventually;
pub use process::{ServiceProcess, host_binary};
pub use real::{RealFile, ecat_file, real_files};
pub use receiver::{Message, Receiver};
pub use sentence::sentence;
pub use service::{Node, Service};
pub use stores::Stores;
pub use table::{Row, Table};

/// The administrator of every test.
pub const USER: &str = "admin";

/// The administrator's password.
pub const PASSWORD: &str = "test-password";

/// What every service in a test is told: the account, and a short life for the leases of the dead.
const VARIABLES: [(&str, &str); 3] = [("admin_user", USER), ("admin_password", PASSWORD), ("lease_seconds", "2")];

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where compiled components are kept between services, so that only the first start compiles them.
fn cache() -> PathBuf {
    root().join("target").join("narthex-host-cache")
}
