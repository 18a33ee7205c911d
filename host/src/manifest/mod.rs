//! `spin.toml`: what the application consists of, checked as far as the file alone allows.

mod schema;

use crate::error::HostError;
use crate::template::{Template, TemplateError, is_variable_name};
use schema::{RawComponent, RawHttpTrigger, RawManifest, RawRoute};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What the manifest says.
#[derive(Debug)]
pub struct Manifest {
    /// The application's name.
    pub name: String,
    /// The variables it declares.
    pub variables: BTreeMap<String, VariableDeclaration>,
    /// Its HTTP triggers in the order of the file.
    pub triggers: Vec<HttpTrigger>,
    /// The components that a trigger names.
    pub components: BTreeMap<String, Component>,
}

/// A variable as the manifest declares it.
#[derive(Debug, Clone)]
pub struct VariableDeclaration {
    /// Its value if none is given; none means that one must be given.
    pub default: Option<String>,
}

/// An HTTP trigger.
#[derive(Debug, Clone)]
pub struct HttpTrigger {
    /// The route, or none for a component that only others of the application may call.
    pub route: Option<String>,
    /// The component that answers.
    pub component: String,
}

/// A component.
#[derive(Debug, Clone)]
pub struct Component {
    /// The compiled component.
    pub source: PathBuf,
    /// Variables it can ask for.
    pub variables: BTreeMap<String, Template>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Labels of the key-value stores it may open.
    pub key_value_stores: BTreeSet<String>,
    /// The hosts it may call.
    pub allowed_outbound_hosts: Vec<Template>,
}

/// Why a well-formed manifest cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Another version of the format.
    #[error("spin_manifest_version is {0}, and only version 2 is understood")]
    Version(i64),
    /// Nothing to serve.
    #[error("there is no [[trigger.http]]")]
    NoTrigger,
    /// A trigger without a component of its own name.
    #[error("the trigger for {route} names component {component:?}, and there is no [component.{component}]")]
    NoComponent {
        /// The trigger's route.
        route: String,
        /// The missing component.
        component: String,
    },
    /// A feature of Spin that this host does not have.
    #[error("{place}: {feature} is not supported by this host; run the application under Spin, or leave it out")]
    Unsupported {
        /// Where it stands.
        place: String,
        /// What it is.
        feature: String,
    },
    /// A name in a form that Spin does not allow.
    #[error("{place}: {name:?} is not a valid name ({wanted})")]
    BadName {
        /// Where it stands.
        place: String,
        /// The name.
        name: String,
        /// What would be valid.
        wanted: &'static str,
    },
    /// A variable that is neither required nor has a default, or both.
    #[error("variable {0:?} must have either `default` or `required = true`")]
    VariableDefault(String),
    /// A broken template.
    #[error("{place}: {source}")]
    Template {
        /// Where it stands.
        place: String,
        /// What is wrong.
        source: TemplateError,
    },
    /// A route that cannot be parsed, or the same route twice.
    #[error("route {route:?} of component {component:?}: {reason}")]
    Route {
        /// The route.
        route: String,
        /// The component.
        component: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A host in `allowed_outbound_hosts` in a form that Spin does not allow.
    #[error("component {component:?}, allowed_outbound_hosts: {reason}")]
    OutboundHost {
        /// The component.
        component: String,
        /// What is wrong.
        reason: String,
    },
}

impl Manifest {
    /// Reads the manifest from a file.
    pub fn read(path: &Path) -> Result<Self, HostError> {
        let text = std::fs::read_to_string(path).map_err(|source| HostError::Read {
            what: "the manifest",
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Reads the manifest from text; `path` is where it stands, and sources are relative to its folder.
    pub fn parse(text: &str, path: &Path) -> Result<Self, HostError> {
        let raw: RawManifest = toml::from_str(text).map_err(|source| HostError::Toml {
            what: "the manifest",
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(Self::check(raw, folder)?)
    }

    fn check(raw: RawManifest, folder: &Path) -> Result<Self, ManifestError> {
        if raw.spin_manifest_version != 2 {
            return Err(ManifestError::Version(raw.spin_manifest_version));
        }
        let variables = check_variables(&raw)?;
        let triggers = raw.trigger.http.iter().map(check_trigger).collect::<Result<Vec<_>, _>>()?;
        if triggers.is_empty() {
            return Err(ManifestError::NoTrigger);
        }
        let mut components = BTreeMap::new();
        for (name, component) in &raw.component {
            check_component_name(name)?;
            let checked = check_component(name, component, folder)?;
            if triggers.iter().any(|trigger| trigger.component == *name) {
                components.insert(name.clone(), checked);
            } else {
                tracing::warn!(component = name, "no trigger names this component, so it is not loaded");
            }
        }
        for trigger in &triggers {
            if !components.contains_key(&trigger.component) {
                return Err(ManifestError::NoComponent {
                    route: trigger.route.clone().unwrap_or_else(|| "a private route".to_owned()),
                    component: trigger.component.clone(),
                });
            }
        }
        Ok(Self { name: raw.application.name, variables, triggers, components })
    }
}

fn check_variables(raw: &RawManifest) -> Result<BTreeMap<String, VariableDeclaration>, ManifestError> {
    let mut variables = BTreeMap::new();
    for (name, variable) in &raw.variables {
        check_variable_name("[variables]", name)?;
        if variable.required == variable.default.is_some() {
            return Err(ManifestError::VariableDefault(name.clone()));
        }
        variables.insert(name.clone(), VariableDeclaration { default: variable.default.clone() });
    }
    Ok(variables)
}

fn check_trigger(raw: &RawHttpTrigger) -> Result<HttpTrigger, ManifestError> {
    let route = match &raw.route {
        RawRoute::Path(path) => Some(path.clone()),
        RawRoute::Private(private) if private.private => None,
        RawRoute::Private(_) => {
            return Err(ManifestError::Route {
                route: "{ private = false }".to_owned(),
                component: raw.component.as_ref().map(ToString::to_string).unwrap_or_default(),
                reason: "a route is a path or { private = true }".to_owned(),
            });
        }
    };
    let place = format!("trigger for {}", route.as_deref().unwrap_or("a private route"));
    let unsupported = |feature: &str| ManifestError::Unsupported { place: place.clone(), feature: feature.to_owned() };
    if raw.static_response.is_some() {
        return Err(unsupported("static_response"));
    }
    if let Some(executor) = &raw.executor
        && !matches!(executor.kind.as_str(), "http" | "spin")
    {
        return Err(unsupported(&format!("executor {:?}", executor.kind)));
    }
    match &raw.component {
        Some(toml::Value::String(component)) => Ok(HttpTrigger { route, component: component.clone() }),
        Some(_) => Err(unsupported("a component written out in the trigger")),
        None => Err(unsupported("a trigger without a component")),
    }
}

fn check_component(name: &str, raw: &RawComponent, folder: &Path) -> Result<Component, ManifestError> {
    let place = format!("component {name:?}");
    if let Some(key) = raw.unserved().next() {
        return Err(ManifestError::Unsupported { place, feature: key.to_owned() });
    }
    let toml::Value::String(source) = &raw.source else {
        return Err(ManifestError::Unsupported { place, feature: "a source that is not a local file".to_owned() });
    };
    let template = |text: &String, key: &str| {
        Template::parse(text).map_err(|source| ManifestError::Template { place: format!("{place}, {key}"), source })
    };
    let mut variables = BTreeMap::new();
    for (variable, text) in &raw.variables {
        check_variable_name(&format!("{place}, variables"), variable)?;
        variables.insert(variable.clone(), template(text, variable)?);
    }
    for label in &raw.key_value_stores {
        check_label(&place, label)?;
    }
    Ok(Component {
        source: folder.join(source),
        variables,
        environment: raw.environment.clone(),
        key_value_stores: raw.key_value_stores.iter().cloned().collect(),
        allowed_outbound_hosts: raw
            .allowed_outbound_hosts
            .iter()
            .map(|text| template(text, "allowed_outbound_hosts"))
            .collect::<Result<_, _>>()?,
    })
}

fn check_variable_name(place: &str, name: &str) -> Result<(), ManifestError> {
    if is_variable_name(name) {
        return Ok(());
    }
    Err(ManifestError::BadName { place: place.to_owned(), name: name.to_owned(), wanted: "lower_snake_case" })
}

/// A component's name becomes part of a host name and of log file names, so it must be kebab-case.
fn check_component_name(name: &str) -> Result<(), ManifestError> {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.split('-').all(word) {
        return Ok(());
    }
    Err(ManifestError::BadName { place: "[component]".to_owned(), name: name.to_owned(), wanted: "kebab-case" })
}

pub(crate) fn check_label(place: &str, label: &str) -> Result<(), ManifestError> {
    let words = |separator| {
        label.split(separator).all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    if label.starts_with(|c: char| c.is_ascii_alphabetic()) && (words('-') || words('_')) {
        return Ok(());
    }
    Err(ManifestError::BadName {
        place: format!("{place}, key_value_stores"),
        name: label.to_owned(),
        wanted: "kebab-case or snake_case",
    })
}

#[cfg(test)]
mod tests;
