//! What can go wrong before the host serves: every variant names the thing at fault and what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the host could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// A file named by the configuration could not be read.
    #[error("cannot read {what} {path}", path = path.display())]
    Read {
        /// What the file is for.
        what: &'static str,
        /// Where it was looked for.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A folder or file of the host's own could not be made.
    #[error("cannot create {what} {path}", path = path.display())]
    Create {
        /// What it is for.
        what: &'static str,
        /// Where it should have been.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file is not the TOML that is expected there: the source names the key and the line.
    #[error("{what} {path} is not valid", path = path.display())]
    Toml {
        /// What the file is for.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// Key, line and reason.
        source: Box<toml::de::Error>,
    },
    /// The manifest can be read and says something that cannot be run.
    #[error("the manifest cannot be run: {0}")]
    Manifest(#[from] crate::manifest::ManifestError),
    /// The runtime configuration can be read and says something that cannot be run.
    #[error("the runtime configuration cannot be used: {0}")]
    RuntimeConfig(#[from] crate::runtime_config::RuntimeConfigError),
    /// A variable is missing, unknown or refers to one that is.
    #[error("variables: {0}")]
    Variables(#[from] crate::variables::VariableError),
    /// A key-value store could not be opened.
    #[error("cannot open key-value store {label:?}")]
    Store {
        /// The store's label.
        label: String,
        /// The provider's reason.
        source: crate::kv::StoreError,
    },
    /// The WebAssembly engine could not be set up.
    #[error("cannot set up the WebAssembly engine: {0:#}")]
    Engine(wasmtime::Error),
    /// A component could not be compiled or asks for something the host does not offer.
    #[error("component {component:?} cannot be loaded: {source:#}")]
    Component {
        /// The component's name in the manifest.
        component: String,
        /// The engine's reason.
        source: wasmtime::Error,
    },
    /// The address is taken or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The host's own threads could not be started, or one of them died while starting.
    #[error("cannot start the host's threads")]
    Threads(#[source] io::Error),
}

impl HostError {
    /// The error and all that caused it, in one line for a person.
    pub fn report(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let reason = error.to_string();
            if !text.contains(&reason) {
                text.push_str(": ");
                text.push_str(&reason);
            }
            cause = error.source();
        }
        text
    }
}
