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
mod tests {
    use super::*;

    #[test]
    fn the_query_beats_the_body_and_the_last_value_wins() {
        let mut params = Params::from_query("a=q1&a=q2&b=1").unwrap();
        params.add_form(b"a=f1&c=x%20y+z&c=2").unwrap();
        assert_eq!(params.get("a"), Some("q2"));
        assert_eq!(params.all("a").collect::<Vec<_>>(), ["f1", "q1", "q2"]);
        assert_eq!(params.get("c"), Some("2"));
        assert_eq!(params.all("c").collect::<Vec<_>>(), ["x y z", "2"]);
        assert_eq!(params.get("A"), None);
        assert_eq!(params.in_query("c"), None);
    }

    #[test]
    fn flags_follow_the_lenient_and_the_strict_rule() {
        let params = Params::from_query("a&b=&c=false&d=FALSE&e=0&f=no&g=True&h=1&i=yes").unwrap();
        let lenient = ["a", "b", "f", "g", "h", "i"];
        for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "absent"] {
            assert_eq!(params.flag(name), lenient.contains(&name), "{name}");
            assert_eq!(params.literal_true(name), name == "g", "{name}");
        }
        assert_eq!(params.flag_if_given("absent"), None);
    }

    #[test]
    fn only_the_word_true_archives() {
        for (query, expected) in [
            ("", None),
            ("AA=", None),
            ("AA=true", Some(true)),
            ("AA=TRUE", Some(true)),
            ("auto-archive=true", Some(true)),
            ("AA=&auto-archive=true", Some(true)),
            ("AA=false", Some(false)),
            ("AA=false&auto-archive=true", Some(false)),
            ("AA=0", Some(false)),
            ("AA=1", Some(false)),
            ("auto-archive=maybe", Some(false)),
        ] {
            assert_eq!(Params::from_query(query).unwrap().archives(), expected, "{query}");
        }
    }

    #[test]
    fn members_of_a_json_object_are_parameters() {
        let mut params = Params::default();
        params.add_json(br#"{"z":"FDG","n":4,"f":1.5,"t":true,"null":null,"l":["a",2],"z":"last"}"#).unwrap();
        let all: Vec<_> = params.iter().collect();
        assert_eq!(
            all,
            [
                ("z", "FDG"),
                ("n", "4"),
                ("f", "1.5"),
                ("t", "true"),
                ("null", ""),
                ("l", "a"),
                ("l", "2"),
                ("z", "last")
            ]
        );
        assert_eq!(params.get("z"), Some("last"));
        assert_eq!(Params::default().add_json(b" {} "), Ok(()));
        assert_eq!(Params::default().add_json(b" \n"), Ok(()));
    }

    #[test]
    fn other_json_is_refused() {
        for body in [&b"[]"[..], b"1", b"{", b"\"a\"", b"{}x", b"\xff"] {
            assert_eq!(Params::default().add_json(body), Err(ParamsError::NotAnObject));
        }
        for body in [&br#"{"a":{}}"#[..], br#"{"a":[[1]]}"#] {
            assert_eq!(Params::default().add_json(body), Err(ParamsError::NotAPlainValue { name: "a".into() }));
        }
        let deep = [b"{\"a\":".as_slice(), &[b'['; 100_000]].concat();
        assert_eq!(Params::default().add_json(&deep), Err(ParamsError::NotAnObject));
    }

    #[test]
    fn limits_hold() {
        assert_eq!(Params::from_query(&"a".repeat(MAX_QUERY_BYTES + 1)), Err(ParamsError::QueryTooLong));
        let mut params = Params::default();
        assert_eq!(params.add_form(&vec![b'a'; MAX_FORM_BYTES + 1]), Err(ParamsError::BodyTooLarge));
        assert_eq!(params.add_form(&b"a&".repeat(MAX_PARAMETERS + 1)), Err(ParamsError::TooMany));
        let mut params = Params::default();
        assert_eq!(params.add_form(&vec![b'a'; MAX_NAME_BYTES + 1]), Err(ParamsError::NameTooLong));
        let value = "v".repeat(MAX_VALUE_BYTES + 1);
        assert_eq!(params.add_field("a", &value), Err(ParamsError::ValueTooLong { name: "a".into() }));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for query in ["a=%ff", "a=%00", "%00=a", "a=%c0%af"] {
            assert_eq!(Params::from_query(query), Err(ParamsError::NotText), "{query}");
        }
    }

    #[test]
    fn the_field_reference_is_refused_in_a_body() {
        assert_eq!(Params::default().add_form(b"reference=/etc/passwd"), Err(ParamsError::Reference));
    }

    #[test]
    fn lists_may_be_repeated_or_separated_by_commas() {
        let params = Params::from_query("options=checksum,%20delete&options=append,,").unwrap();
        assert_eq!(params.list("options").collect::<Vec<_>>(), ["checksum", "delete", "append"]);
    }

    #[test]
    fn numbers_are_whole_and_bounded() {
        let params = Params::from_query("a=12&b=-1&c=1.5&d=&e=99999999999999999999999&f=+3").unwrap();
        assert_eq!(params.number("a"), Ok(Some(12)));
        assert_eq!(params.number("d"), Ok(None));
        for name in ["b", "c", "e"] {
            assert!(params.number(name).is_err(), "{name}");
        }
        assert_eq!(params.number("f"), Ok(Some(3)), "a plus in a query is a blank");
    }

    #[test]
    fn aliases_are_tried_in_order_and_empty_values_skipped() {
        let params = Params::from_query("project=&PROJECT_ID=P").unwrap();
        assert_eq!(params.text_of(&["project", "PROJECT_ID"]), Some("P"));
    }
}
