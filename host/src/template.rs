//! Templates in the manifest: text with `{{ variable }}` in it.

use std::fmt;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// Why a text is no template.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    /// `{{` without `}}`.
    #[error("{{{{ without }}}} in {0:?}")]
    Unclosed(String),
    /// `{{ name }}` with a name that no variable can have.
    #[error("{name:?} in {template:?} cannot be the name of a variable")]
    BadName {
        /// What stands between the braces.
        name: String,
        /// The whole text.
        template: String,
    },
}

impl Template {
    /// Parses a text; one without braces is a template as well.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let Some((name, after)) = after.split_once("}}") else {
                return Err(TemplateError::Unclosed(text.to_owned()));
            };
            let name = name.trim();
            if !is_variable_name(name) {
                return Err(TemplateError::BadName { name: name.to_owned(), template: text.to_owned() });
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The text with every variable replaced, or the name of the first one that `lookup` does not know.
    pub fn render<'v>(&self, lookup: impl Fn(&str) -> Option<&'v str>) -> Result<String, String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Variable(name) => text.push_str(lookup(name).ok_or_else(|| name.clone())?),
            }
        }
        Ok(text)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Variable(name) => write!(f, "{{{{ {name} }}}}"),
        })
    }
}

/// Whether a name is lower_snake_case, as Spin wants variables named.
pub fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .split('_')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str) -> Result<String, String> {
        Template::parse(text).unwrap().render(|name| match name {
            "host" => Some("example.org"),
            "port" => Some("8080"),
            _ => None,
        })
    }

    #[test]
    fn replaces_variables_and_keeps_the_rest() {
        assert_eq!(render("").unwrap(), "");
        assert_eq!(render("plain }} text").unwrap(), "plain }} text");
        assert_eq!(render("http://{{ host }}:{{port}}/x").unwrap(), "http://example.org:8080/x");
        assert_eq!(render("{{host}}{{host}}").unwrap(), "example.orgexample.org");
    }

    #[test]
    fn names_the_variable_that_is_missing() {
        assert_eq!(render("{{ host }} {{ other }}").unwrap_err(), "other");
    }

    #[test]
    fn refuses_what_is_no_template() {
        assert!(matches!(Template::parse("a {{ host"), Err(TemplateError::Unclosed(_))));
        assert!(matches!(Template::parse("{{ Host }}"), Err(TemplateError::BadName { .. })));
        assert!(matches!(Template::parse("{{}}"), Err(TemplateError::BadName { .. })));
    }

    #[test]
    fn variable_names_are_lower_snake_case() {
        for good in ["a", "admin_user", "s3_key2"] {
            assert!(is_variable_name(good), "{good}");
        }
        for bad in ["", "A", "_a", "a_", "a__b", "a-b", "2a", "ä"] {
            assert!(!is_variable_name(bad), "{bad}");
        }
    }
}
