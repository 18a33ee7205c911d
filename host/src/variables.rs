//! Application variables: where their values come from, and what each component sees of them.

use crate::manifest::Manifest;
use crate::template::TemplateError;
use std::collections::BTreeMap;

/// Prefix of the environment variables that set application variables, as with `spin up`.
pub const ENVIRONMENT_PREFIX: &str = "SPIN_VARIABLE_";

/// Why the variables of an application have no complete set of values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VariableError {
    /// A required variable got no value.
    #[error("{0:?} is required: give it as --variable {0}=... or in SPIN_VARIABLE_{upper}", upper = .0.to_ascii_uppercase())]
    Missing(String),
    /// A value was given for a variable that the manifest does not declare.
    #[error("the manifest declares no variable {0:?}")]
    Unknown(String),
    /// A template refers to a variable that the manifest does not declare.
    #[error("{place} refers to variable {name:?}, which the manifest does not declare")]
    Undeclared {
        /// Where the template stands.
        place: String,
        /// The missing name.
        name: String,
    },
    /// A template cannot be parsed.
    #[error("{place}: {source}")]
    Template {
        /// Where the template stands.
        place: String,
        /// What is wrong with it.
        source: TemplateError,
    },
}

/// The values of the application's variables.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, String>,
}

impl Variables {
    /// Takes each declared variable from `given`, else from `environment`, else from its default.
    ///
    /// A name in `given` that the manifest does not declare is an error, since it can only be a slip; other
    /// environment variables are none of ours.
    pub fn resolve(
        manifest: &Manifest,
        given: &BTreeMap<String, String>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, VariableError> {
        if let Some(name) = given.keys().find(|name| !manifest.variables.contains_key(*name)) {
            return Err(VariableError::Unknown(name.clone()));
        }
        let mut values = BTreeMap::new();
        for (name, declared) in &manifest.variables {
            let value = given
                .get(name)
                .or_else(|| environment.get(name))
                .or(declared.default.as_ref())
                .ok_or_else(|| VariableError::Missing(name.clone()))?;
            values.insert(name.clone(), value.clone());
        }
        Ok(Self { values })
    }

    /// The value of one variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Renders a template that stands at `place`.
    pub fn render(&self, template: &crate::template::Template, place: &str) -> Result<String, VariableError> {
        template
            .render(|name| self.get(name))
            .map_err(|name| VariableError::Undeclared { place: place.to_owned(), name })
    }
}

/// The application variables that the process's environment sets.
pub fn from_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.to_str()?.strip_prefix(ENVIRONMENT_PREFIX)?.to_ascii_lowercase();
            Some((name, value.into_string().ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(variables: &str) -> Manifest {
        let text = format!(
            "spin_manifest_version = 2\n[application]\nname = \"t\"\n{variables}\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n[component.a]\nsource = \"a.wasm\"\n"
        );
        Manifest::parse(&text, std::path::Path::new("spin.toml")).unwrap()
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn given_beats_environment_beats_default() {
        let manifest =
            manifest("[variables]\na = { default = \"0\" }\nb = { default = \"0\" }\nc = { default = \"0\" }");
        let values =
            Variables::resolve(&manifest, &map(&[("a", "1")]), &map(&[("a", "2"), ("b", "2"), ("zz", "2")])).unwrap();
        assert_eq!((values.get("a"), values.get("b"), values.get("c")), (Some("1"), Some("2"), Some("0")));
        assert_eq!(values.get("zz"), None);
    }

    #[test]
    fn a_required_variable_must_be_given() {
        let manifest = manifest("[variables]\nsecret_key = { required = true, secret = true }");
        let error = Variables::resolve(&manifest, &map(&[]), &map(&[])).unwrap_err();
        assert!(error.to_string().contains("SPIN_VARIABLE_SECRET_KEY"), "{error}");
        Variables::resolve(&manifest, &map(&[("secret_key", "x")]), &map(&[])).unwrap();
    }

    #[test]
    fn an_unknown_name_is_refused() {
        let error = Variables::resolve(&manifest(""), &map(&[("typo", "1")]), &map(&[])).unwrap_err();
        assert!(matches!(error, VariableError::Unknown(name) if name == "typo"));
    }
}
