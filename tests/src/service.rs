//! A service inside the test.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};

use narthex_host::{Host, HostConfig, Running};
use tempfile::TempDir;

use crate::{Api, Client, PASSWORD, Stores, USER, VARIABLES, cache, root};

/// Narthex on a free port, with a state of its own. It stops when it is dropped.
pub struct Service {
    running: Option<Running>,
    folder: TempDir,
    client: Client,
}

impl Service {
    /// With the variables of every test.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With further variables.
    pub fn with(variables: &[(&str, &str)]) -> Self {
        Self::of(&root().join("spin.toml"), variables)
    }

    /// Another application on the same kind of stores.
    ///
    /// # Panics
    /// When it cannot be started, most likely because its components are not built (`cargo xtask test` builds them).
    pub fn of(manifest: &Path, variables: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().expect("a folder for temporary files");
        let running = Self::run(manifest, folder.path(), variables);
        let client = Client::new(running.address()).login(USER, PASSWORD);
        Self { running: Some(running), folder, client }
    }

    fn run(manifest: &Path, state: &Path, variables: &[(&str, &str)]) -> Running {
        let mut config = HostConfig::new(manifest, state).runtime_config(runtime_config(manifest, state));
        if manifest == root().join("spin.toml") {
            for (name, value) in VARIABLES.iter().chain(variables) {
                config = config.variable(*name, *value);
            }
        }
        config.cache_dir = Some(cache());
        block_on(Host::start(config)).unwrap_or_else(|error| panic!("{} cannot be served: {error}", manifest.display()))
    }

    /// Stops in good order and starts again on the same state, with the variables of every test.
    pub fn restart(&mut self) {
        if let Some(running) = self.running.take() {
            block_on(running.stop());
        }
        let running = Self::run(&root().join("spin.toml"), self.folder.path(), &[]);
        self.client = Client::new(running.address()).login(USER, PASSWORD);
        self.running = Some(running);
    }

    /// Another node: a host of its own on the same state.
    pub fn node(&self) -> Node {
        let running = Self::run(&root().join("spin.toml"), self.folder.path(), &[]);
        let client = Client::new(running.address()).login(USER, PASSWORD);
        Node { _running: running, client }
    }

    /// A client logged in as the administrator.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The same with what tests usually want.
    pub fn api(&self) -> Api {
        Api::new(self.client())
    }

    /// A look into the stores' files.
    pub fn stores(&self) -> Stores {
        Stores::new(self.folder.path())
    }

    /// The state folder.
    pub fn state(&self) -> &Path {
        self.folder.path()
    }
}

/// A further host on the state of a [`Service`]. It stops when it is dropped.
pub struct Node {
    _running: Running,
    client: Client,
}

impl Node {
    /// What tests usually want, as the administrator.
    pub fn api(&self) -> Api {
        Api::new(self.client.clone())
    }
}

/// The runtime configuration beside a manifest; where there is none, one of the same stores, written here.
fn runtime_config(manifest: &Path, state: &Path) -> PathBuf {
    let beside = manifest.with_file_name("runtime-config.toml");
    if beside.exists() {
        return beside;
    }
    let store = |label: &str| {
        let path = serde_json::json!(state.join(format!("{label}.db")));
        format!("[key_value_store.{label}]\ntype = \"spin\"\npath = {path}\n")
    };
    let file = state.join("runtime-config.toml");
    fs::write(&file, format!("{}{}", store("records"), store("blobs"))).expect("a file of the state");
    file
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
