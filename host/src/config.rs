//! What the host is asked to run, and how.

use crate::logs::LogSink;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the host is asked to run, and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HostConfig {
    /// The application's `spin.toml`.
    pub manifest: PathBuf,
    /// Which stores stand behind which labels; without it there is only the store `default`.
    pub runtime_config: Option<PathBuf>,
    /// Where state lies: the default store, logs, and the stores whose path in the runtime configuration lies in
    /// the state folder that Spin would use.
    pub state_dir: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Values of application variables; they come before the environment's and the defaults.
    pub variables: BTreeMap<String, String>,
    /// Whether variables are also taken from `SPIN_VARIABLE_<NAME>` in the environment.
    pub variables_from_environment: bool,
    /// Where compiled components are kept: by default in `target` beside the manifest, or if there is none in the
    /// state folder.
    pub cache_dir: Option<PathBuf>,
    /// Where the output of components goes.
    pub log: LogSink,
    /// How many instances there may be, and how they are reused.
    pub instances: InstanceLimits,
    /// How long requests in flight may take when the host stops.
    pub request_grace: Duration,
    /// How long work after the response may take when the host stops.
    pub background_grace: Duration,
}

impl HostConfig {
    /// A free port of 127.0.0.1, logs in files, everything else as Spin has it.
    pub fn new(manifest: impl Into<PathBuf>, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            manifest: manifest.into(),
            runtime_config: None,
            state_dir: state_dir.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            variables: BTreeMap::new(),
            variables_from_environment: false,
            cache_dir: None,
            log: LogSink::files(),
            instances: InstanceLimits::default(),
            request_grace: Duration::from_secs(60),
            background_grace: Duration::from_secs(10),
        }
    }

    /// With a runtime configuration.
    pub fn runtime_config(mut self, path: impl Into<PathBuf>) -> Self {
        self.runtime_config = Some(path.into());
        self
    }

    /// Listening elsewhere.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// With a variable.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// With the output of components elsewhere.
    pub fn log(mut self, sink: LogSink) -> Self {
        self.log = sink;
        self
    }

    /// Where compiled components are kept.
    pub(crate) fn cache_folder(&self) -> PathBuf {
        if let Some(folder) = &self.cache_dir {
            return folder.clone();
        }
        let target = self.manifest.parent().unwrap_or(Path::new("")).join("target");
        if target.is_dir() { target.join("narthex-host-cache") } else { self.state_dir.join("cache") }
    }
}

/// How many instances there may be, and how they are reused: Spin's flags and defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceLimits {
    /// Requests that one instance answers before it goes.
    pub max_reuse: usize,
    /// Requests that one instance answers at once.
    pub max_concurrent_reuse: usize,
    /// How long an instance without work is kept.
    pub idle_timeout: Duration,
    /// The most memory of one instance.
    pub max_memory_bytes: usize,
    /// The most instances at once, of all components; a request beyond them gets 500.
    pub max_instances: u32,
}

impl Default for InstanceLimits {
    fn default() -> Self {
        Self {
            max_reuse: 128,
            max_concurrent_reuse: 16,
            idle_timeout: Duration::from_secs(1),
            max_memory_bytes: 4 << 30,
            max_instances: 1000,
        }
    }
}
