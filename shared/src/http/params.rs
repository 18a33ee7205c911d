//! Parameters from the query, a form body, a JSON body or multipart fields.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// Longer query strings are refused; Spin itself ends at some 64 KiB.
pub const MAX_QUERY_BYTES: usize = 32 * 1024;
/// Larger form and JSON bodies are refused; a thousand sessions named by their URIs need some 100 KiB.
pub const MAX_FORM_BYTES: usize = 2 * 1024 * 1024;
/// More parameters in one request are refused.
pub const MAX_PARAMETERS: usize = 20_000;
/// Longer names are refused; the longest real ones are XPaths.
pub const MAX_NAME_BYTES: usize = 512;
/// Longer values are refused.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;
/// The field that asks the server to read a file of its own; always refused.
const REFERENCE: &str = "reference";

/// Why parameters are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// More than [`MAX_QUERY_BYTES`].
    #[error("The query is too long.")]
    QueryTooLong,
    /// More than [`MAX_FORM_BYTES`].
    #[error("The body is too large for a form.")]
    BodyTooLarge,
    /// More than [`MAX_PARAMETERS`].
    #[error("The request has too many parameters.")]
    TooMany,
    /// A name longer than [`MAX_NAME_BYTES`].
    #[error("The name of a parameter is too long.")]
    NameTooLong,
    /// A value longer than [`MAX_VALUE_BYTES`].
    #[error("The value of the parameter '{name}' is too long.")]
    ValueTooLong {
        /// The parameter.
        name: String,
    },
    /// A name or value is no UTF-8 or holds NUL.
    #[error("The request has a parameter that is not valid text.")]
    NotText,
    /// The JSON body is no object, or no JSON at all.
    #[error("The body must be a JSON object.")]
    NotAnObject,
    /// A member of the JSON body is an object, or an array of more than plain values.
    #[error("The member '{name}' of the JSON body must be a plain value or a list of plain values.")]
    NotAPlainValue {
        /// The member.
        name: String,
    },
    /// A field called `reference`.
    #[error("The field 'reference' is not supported: files must be sent in the request.")]
    Reference,
    /// A number was expected.
    #[error("The parameter '{name}' must be a whole number.")]
    NotANumber {
        /// The parameter.
        name: String,
    },
}

/// The parameters of one request, in the order they came, names repeated or not.
///
/// Values from the body are read first and those of the query last, as XNAT does: for a single value the last one
/// wins, so the query beats the body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params {
    query: Vec<(String, String)>,
    body: Vec<(String, String)>,
}

impl Params {
    /// The parameters of a query string (without its `?`).
    ///
    /// # Errors
    /// A [`ParamsError`] beyond a limit or for what is no text.
    pub fn from_query(query: &str) -> Result<Self, ParamsError> {
        if query.len() > MAX_QUERY_BYTES {
            return Err(ParamsError::QueryTooLong);
        }
        let mut params = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            params.check(&name, &value)?;
            params.query.push((name.into_owned(), value.into_owned()));
        }
        Ok(params)
    }

    /// Adds the parameters of an `application/x-www-form-urlencoded` body.
    ///
    /// # Errors
    /// A [`ParamsError`] beyond a limit or for what is no text.
    pub fn add_form(&mut self, body: &[u8]) -> Result<(), ParamsError> {
        if body.len() > MAX_FORM_BYTES {
            return Err(ParamsError::BodyTooLarge);
        }
        for (name, value) in form_urlencoded::parse(body) {
            self.add_field(&name, &value)?;
        }
        Ok(())
    }

    /// Adds the members of a JSON object. Lists of plain values count as repeated parameters, null as empty.
    ///
    /// # Errors
    /// A [`ParamsError`] beyond a limit, or if it is no such object. An empty body counts as no parameters.
    pub fn add_json(&mut self, body: &[u8]) -> Result<(), ParamsError> {
        if body.len() > MAX_FORM_BYTES {
            return Err(ParamsError::BodyTooLarge);
        }
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let members: Members = serde_json::from_slice(body).map_err(|_| ParamsError::NotAnObject)?;
        for (name, value) in members.0 {
            match value {
                serde_json::Value::Array(values) => {
                    for value in values {
                        let value = plain(&name, value)?;
                        self.add_field(&name, &value)?;
                    }
                }
                value => {
                    let value = plain(&name, value)?;
                    self.add_field(&name, &value)?;
                }
            }
        }
        Ok(())
    }

    /// Adds one field of a body, for instance of a multipart one.
    ///
    /// # Errors
    /// A [`ParamsError`] beyond a limit, for what is no text, and for the field `reference`.
    pub fn add_field(&mut self, name: &str, value: &str) -> Result<(), ParamsError> {
        if name == REFERENCE {
            return Err(ParamsError::Reference);
        }
        self.check(name, value)?;
        self.body.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    fn check(&self, name: &str, value: &str) -> Result<(), ParamsError> {
        // The decoder writes U+FFFD for bytes that are no UTF-8; no real value holds it.
        let is_text = |text: &str| !text.contains(['\u{FFFD}', '\0']);
        if self.query.len() + self.body.len() >= MAX_PARAMETERS {
            Err(ParamsError::TooMany)
        } else if name.len() > MAX_NAME_BYTES {
            Err(ParamsError::NameTooLong)
        } else if !is_text(name) || !is_text(value) {
            Err(ParamsError::NotText)
        } else if value.len() > MAX_VALUE_BYTES {
            Err(ParamsError::ValueTooLong { name: name.to_owned() })
        } else {
            Ok(())
        }
    }

    /// All parameters: those of the body, then those of the query.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.body.iter().chain(&self.query).map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All parameters written as a query.
    pub fn as_query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(self.iter()).finish()
    }

    /// Every value of `name`; the last is the one that [`Params::get`] gives.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The value of a single-valued parameter: the query beats the body, the last one wins.
    pub fn get(&self, name: &str) -> Option<&str> {
        last(&self.query, name).or_else(|| last(&self.body, name))
    }

    /// As [`Params::get`], with blanks around it removed and an empty value counting as none.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// The first of several names (a parameter and its aliases) that has a non-empty value.
    pub fn text_of(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.text(name))
    }

    /// The value of `name` in the query alone.
    pub fn in_query(&self, name: &str) -> Option<&str> {
        last(&self.query, name)
    }

    /// Whether `name` was given at all.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The items of a list that may be given by commas, by repetition, or both.
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.all(name).flat_map(|value| value.split(',')).map(str::trim).filter(|item| !item.is_empty())
    }

    /// The lenient rule for flags: given, and neither `false` nor `0`.
    pub fn flag(&self, name: &str) -> bool {
        self.flag_if_given(name).unwrap_or(false)
    }

    /// The lenient rule for flags whose absence means something else than false.
    pub fn flag_if_given(&self, name: &str) -> Option<bool> {
        self.get(name).map(str::trim).map(|value| !(value.eq_ignore_ascii_case("false") || value == "0"))
    }

    /// Whether sessions are to be archived, as far as `AA` or `auto-archive` says: only the word `true` says that they
    /// are, and nothing at all says neither.
    pub fn archives(&self) -> Option<bool> {
        self.text_of(&["AA", "auto-archive"]).map(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The strict rule for flags (XNAT's `redirect`, `overwrite_files`, `AA`, `auto-archive`, `rename`,
    /// `Ignore-Unparsable` and `Direct-Archive`; [`Params::flag`] is for all others): the word `true`, in any case.
    pub fn literal_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// A whole number, if one was given.
    ///
    /// # Errors
    /// [`ParamsError::NotANumber`].
    pub fn number(&self, name: &str) -> Result<Option<u64>, ParamsError> {
        match self.text(name) {
            None => Ok(None),
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().map(Some).map_err(|_| ParamsError::NotANumber { name: name.to_owned() })
            }
            Some(_) => Err(ParamsError::NotANumber { name: name.to_owned() }),
        }
    }
}

fn last<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

fn plain(name: &str, value: serde_json::Value) -> Result<String, ParamsError> {
    match value {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        serde_json::Value::Bool(flag) => Ok(flag.to_string()),
        serde_json::Value::Null => Ok(String::new()),
        _ => {
            let name = name.chars().take(64).collect();
            Err(ParamsError::NotAPlainValue { name })
        }
    }
}

/// A JSON object's members in their order, repeated ones kept.
struct Members(Vec<(String, serde_json::Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
#[path = "params_tests.rs"]
mod tests;
