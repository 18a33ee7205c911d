//! `runtime-config.toml`: which store stands behind which label.
//!
//! The file must stay one that Spin reads as well, so there are no keys of our own in it. How a store is laid out
//! on disk is decided by its label instead: see [`crate::kv::Profile`].

use crate::error::HostError;
use crate::kv::Profile;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The label that exists without any configuration.
pub const DEFAULT_LABEL: &str = "default";

/// The default store's file in the state folder, as Spin names it.
const DEFAULT_STORE_FILE: &str = "sqlite_key_value.db";

/// The state folder that Spin uses when none is given, beside the manifest.
pub const DEFAULT_STATE_FOLDER: &str = ".spin";

/// Why a runtime configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeConfigError {
    /// A provider that this host does not have.
    #[error("[key_value_store.{label}] has type {kind:?}, and this host has only \"spin\" (SQLite)")]
    Provider {
        /// The store's label.
        label: String,
        /// The type it asks for.
        kind: String,
    },
    /// A section that Spin knows and this host does not serve.
    #[error("[{0}] is not supported by this host")]
    Unsupported(&'static str),
    /// A store without a file would lose everything at the end.
    #[error("[key_value_store.{0}] has no path: it would be kept in memory and lost, which this host refuses")]
    NoPath(String),
    /// A component asks for a store that nothing defines.
    #[error("component {component:?} may open store {label:?}, which no [key_value_store.{label}] defines")]
    Undefined {
        /// The component.
        component: String,
        /// The store's label.
        label: String,
    },
}

/// A store on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFile {
    /// The SQLite file.
    pub path: PathBuf,
    /// What it is laid out for.
    pub profile: Profile,
}

/// What the runtime configuration says, with every path made absolute or relative to the working folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// The stores by label.
    pub stores: BTreeMap<String, StoreFile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    #[serde(default)]
    key_value_store: BTreeMap<String, RawStore>,
    state_dir: Option<toml::Value>,
    log_dir: Option<toml::Value>,
    variables_provider: Option<toml::Value>,
    config_provider: Option<toml::Value>,
    sqlite_database: Option<toml::Value>,
    llm_compute: Option<toml::Value>,
    client_tls: Option<toml::Value>,
    outbound_http: Option<toml::Value>,
    outbound_networking: Option<toml::Value>,
}

#[derive(Debug, Deserialize)]
struct RawStore {
    #[serde(rename = "type")]
    kind: String,
    path: Option<PathBuf>,
    /// Keys of other providers: the refusal of the provider says more than one of its keys would.
    #[serde(flatten)]
    rest: BTreeMap<String, toml::Value>,
}

impl RuntimeConfig {
    /// Reads the configuration, or takes the default one when there is no file.
    ///
    /// A relative `path` is relative to the folder of the configuration file, as in Spin. One that thereby lies in
    /// the state folder Spin would use (`.spin` beside the manifest) moves along when another state folder is
    /// asked for, so that `--state-dir` takes all of the state with it.
    pub fn read(file: Option<&Path>, manifest: &Path, state_dir: &Path) -> Result<Self, HostError> {
        let Some(file) = file else {
            return Ok(Self::default().with_default_store(state_dir));
        };
        let text = std::fs::read_to_string(file).map_err(|source| HostError::Read {
            what: "the runtime configuration",
            path: file.to_owned(),
            source,
        })?;
        let raw: RawConfig = toml::from_str(&text).map_err(|source| HostError::Toml {
            what: "the runtime configuration",
            path: file.to_owned(),
            source: Box::new(source),
        })?;
        let folders = Folders {
            config: file.parent().unwrap_or(Path::new("")).to_owned(),
            usual_state: manifest.parent().unwrap_or(Path::new("")).join(DEFAULT_STATE_FOLDER),
            state: state_dir.to_owned(),
        };
        let config = raw.check(&folders).map_err(|error| with_unknown_key(error, file))?;
        Ok(config.with_default_store(state_dir))
    }

    fn with_default_store(mut self, state_dir: &Path) -> Self {
        self.stores.entry(DEFAULT_LABEL.to_owned()).or_insert_with(|| StoreFile {
            path: state_dir.join(DEFAULT_STORE_FILE),
            profile: Profile::of_label(DEFAULT_LABEL),
        });
        self
    }
}

enum CheckError {
    Config(RuntimeConfigError),
    UnknownKey { label: String, key: String },
}

fn with_unknown_key(error: CheckError, file: &Path) -> HostError {
    match error {
        CheckError::Config(error) => error.into(),
        CheckError::UnknownKey { label, key } => HostError::Toml {
            what: "the runtime configuration",
            path: file.to_owned(),
            source: Box::new(serde::de::Error::custom(format!("unknown key {key:?} in [key_value_store.{label}]"))),
        },
    }
}

struct Folders {
    config: PathBuf,
    usual_state: PathBuf,
    state: PathBuf,
}

impl Folders {
    fn resolve(&self, path: &Path) -> PathBuf {
        if path.is_absolute() {
            return path.to_owned();
        }
        let path = self.config.join(path);
        match tidy(&path).strip_prefix(tidy(&self.usual_state)) {
            Ok(inside) => self.state.join(inside),
            Err(_) => path,
        }
    }
}

/// A path without `.` parts, so that `./.spin` and `.spin` compare as the same folder.
fn tidy(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != std::path::Component::CurDir).collect()
}

impl RawConfig {
    fn check(self, folders: &Folders) -> Result<RuntimeConfig, CheckError> {
        for (section, value) in [
            ("state_dir", &self.state_dir),
            ("log_dir", &self.log_dir),
            ("variables_provider", &self.variables_provider),
            ("config_provider", &self.config_provider),
            ("sqlite_database", &self.sqlite_database),
            ("llm_compute", &self.llm_compute),
            ("client_tls", &self.client_tls),
            ("outbound_http", &self.outbound_http),
            ("outbound_networking", &self.outbound_networking),
        ] {
            if value.is_some() {
                return Err(CheckError::Config(RuntimeConfigError::Unsupported(section)));
            }
        }
        let mut stores = BTreeMap::new();
        for (label, store) in self.key_value_store {
            if store.kind != "spin" {
                return Err(CheckError::Config(RuntimeConfigError::Provider { label, kind: store.kind }));
            }
            if let Some(key) = store.rest.into_keys().next() {
                return Err(CheckError::UnknownKey { label, key });
            }
            let Some(path) = store.path else {
                return Err(CheckError::Config(RuntimeConfigError::NoPath(label)));
            };
            let profile = Profile::of_label(&label);
            stores.insert(label, StoreFile { path: folders.resolve(&path), profile });
        }
        Ok(RuntimeConfig { stores })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, state_dir: &str) -> Result<RuntimeConfig, HostError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("runtime-config.toml");
        std::fs::write(&file, text).unwrap();
        let mut config = RuntimeConfig::read(Some(&file), &folder.path().join("spin.toml"), Path::new(state_dir))?;
        for store in config.stores.values_mut() {
            if let Ok(rest) = store.path.strip_prefix(folder.path()) {
                store.path = Path::new("CONFIG").join(rest);
            }
        }
        Ok(config)
    }

    fn path(config: &RuntimeConfig, label: &str) -> String {
        config.stores[label].path.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_default_store_needs_no_configuration() {
        let config = RuntimeConfig::read(None, Path::new("spin.toml"), Path::new("/state")).unwrap();
        assert_eq!(path(&config, "default"), "/state/sqlite_key_value.db");
        assert_eq!(config.stores.len(), 1);
    }

    #[test]
    fn paths_are_relative_to_the_configuration_file() {
        let config = read(
            "[key_value_store.records]\ntype = \"spin\"\npath = \"data/records.db\"\n\
             [key_value_store.blobs]\ntype = \"spin\"\npath = \"/abs/blobs.db\"\n",
            "/state",
        )
        .unwrap();
        assert_eq!(path(&config, "records"), "CONFIG/data/records.db");
        assert_eq!(path(&config, "blobs"), "/abs/blobs.db");
        assert_eq!(path(&config, "default"), "/state/sqlite_key_value.db");
        assert_eq!(config.stores["records"].profile, Profile::Small);
        assert_eq!(config.stores["blobs"].profile, Profile::Large);
    }

    #[test]
    fn what_lies_in_the_usual_state_folder_moves_with_it() {
        let config =
            read("[key_value_store.records]\ntype = \"spin\"\npath = \"./.spin/records.db\"\n", "/elsewhere").unwrap();
        assert_eq!(path(&config, "records"), "/elsewhere/records.db");
    }

    #[test]
    fn what_the_host_cannot_do_is_refused() {
        let redis = "[key_value_store.records]\ntype = \"redis\"\nurl = \"redis://localhost\"\n";
        assert!(read(redis, "/s").unwrap_err().report().contains("redis"));
        let memory = "[key_value_store.records]\ntype = \"spin\"\n";
        assert!(read(memory, "/s").unwrap_err().report().contains("no path"));
        let key = "[key_value_store.records]\ntype = \"spin\"\npath = \"a\"\njournal = \"wal\"\n";
        assert!(read(key, "/s").unwrap_err().report().contains("journal"));
        assert!(read("colour = 1\n", "/s").unwrap_err().report().contains("colour"));
        assert!(read("[llm_compute]\ntype = \"spin\"\n", "/s").unwrap_err().report().contains("llm_compute"));
    }
}
