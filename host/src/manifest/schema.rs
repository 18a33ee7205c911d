//! The shape of `spin.toml`, manifest version 2, as serde reads it. Unknown keys are errors that name the key.

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawManifest {
    pub spin_manifest_version: i64,
    pub application: RawApplication,
    #[serde(default)]
    pub variables: BTreeMap<String, RawVariable>,
    #[serde(default)]
    pub trigger: RawTriggers,
    #[serde(default)]
    pub component: BTreeMap<String, RawComponent>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "known keys that change nothing here")]
pub(super) struct RawApplication {
    pub name: String,
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub authors: Vec<String>,
    #[serde(default)]
    pub targets: Vec<toml::Value>,
    #[serde(default)]
    pub trigger: BTreeMap<String, toml::Table>,
    #[serde(default)]
    pub tool: BTreeMap<String, toml::Table>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "known keys that change nothing here")]
pub(super) struct RawVariable {
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    pub default: Option<String>,
    #[serde(default)]
    pub secret: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTriggers {
    #[serde(default)]
    pub http: Vec<RawHttpTrigger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "known keys that change nothing here")]
pub(super) struct RawHttpTrigger {
    #[serde(default)]
    pub id: String,
    pub route: RawRoute,
    pub component: Option<toml::Value>,
    pub static_response: Option<toml::Value>,
    pub executor: Option<RawExecutor>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a route such as \"/data/...\", or { private = true }")]
pub(super) enum RawRoute {
    Path(String),
    Private(RawPrivate),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrivate {
    pub private: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExecutor {
    #[serde(rename = "type")]
    pub kind: String,
}

/// The keys that Spin knows and this host does not serve are read so that they can be refused by name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "known keys that change nothing here")]
pub(super) struct RawComponent {
    pub source: toml::Value,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    #[serde(default)]
    pub key_value_stores: Vec<String>,
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub build: Option<toml::Value>,
    #[serde(default)]
    pub tool: BTreeMap<String, toml::Table>,

    pub files: Option<toml::Value>,
    pub exclude_files: Option<toml::Value>,
    pub allowed_http_hosts: Option<toml::Value>,
    pub sqlite_databases: Option<toml::Value>,
    pub ai_models: Option<toml::Value>,
    pub dependencies: Option<toml::Value>,
    pub dependencies_inherit_configuration: Option<toml::Value>,
    pub profile: Option<toml::Value>,
}

impl RawComponent {
    /// The keys that would change what the component can do and that this host does not serve.
    pub fn unserved(&self) -> impl Iterator<Item = &'static str> {
        [
            ("files", &self.files),
            ("exclude_files", &self.exclude_files),
            ("allowed_http_hosts", &self.allowed_http_hosts),
            ("sqlite_databases", &self.sqlite_databases),
            ("ai_models", &self.ai_models),
            ("dependencies", &self.dependencies),
            ("dependencies_inherit_configuration", &self.dependencies_inherit_configuration),
            ("profile", &self.profile),
        ]
        .into_iter()
        .filter_map(|(key, value)| {
            let empty = match value {
                None => true,
                Some(toml::Value::Array(list)) => list.is_empty(),
                Some(toml::Value::Table(table)) => table.is_empty(),
                Some(toml::Value::Boolean(set)) => !set,
                Some(_) => false,
            };
            (!empty).then_some(key)
        })
    }
}
