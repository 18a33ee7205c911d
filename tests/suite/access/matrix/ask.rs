//! One request made of a row, somebody who asks, and a place.

use std::fmt;

use narthex::http::endpoints::Operation;
use narthex_tests::{Client, Response, zip_study};

use super::rows::{Body, Row};
use super::rules::{Class, Place, Role};
use super::world::{self, World};

/// The request.
pub struct Asked {
    operation: Operation,
    role: Role,
    place: Place,
    path: String,
    content_type: &'static str,
    body: Vec<u8>,
    client: Client,
}

impl Asked {
    /// Makes it, and what it changes if it is to be let through.
    pub fn new(
        world: &mut World,
        row: &Row,
        operation: &Operation,
        role: Role,
        place: Place,
        is_allowed: bool,
    ) -> Self {
        let names = world.names(row, role, place, is_allowed);
        let fill = |text: &str| -> String {
            // Twice, since what a row fills in may name what the place fills in.
            (0..2).fold(text.to_owned(), |text, _| {
                names.iter().fold(text, |text, (name, value)| {
                    text.replace(&format!("{{{name}}}"), value).replace(&format!("{{*{name}}}"), value)
                })
            })
        };
        let separator = if row.query.is_empty() { "" } else { "?" };
        let path = format!("{}{separator}{}", fill(operation.pattern), fill(row.query));
        let (content_type, body) = match row.body {
            Body::Empty => ("", Vec::new()),
            Body::Form(form) => ("application/x-www-form-urlencoded", fill(form).into_bytes()),
            Body::Json(json) => ("application/json", fill(json).into_bytes()),
            Body::Xml(xml) => ("text/xml", fill(xml).into_bytes()),
            Body::File(text) => ("text/plain", text.as_bytes().to_vec()),
            Body::Study => ("application/zip", zip_study(&world::study(7, "IMPORTED"))),
        };
        assert!(!path.contains('{'), "{operation:?}: nothing is filled in for a name in {path}");
        Self { operation: *operation, role, place, path, content_type, body, client: world.client(role) }
    }

    /// Sends it.
    pub fn send(&self) -> Response {
        let mut request = self.client.request(self.operation.method, &self.path);
        if !self.content_type.is_empty() {
            request = request.header("Content-Type", self.content_type);
        }
        let response = match self.operation.method {
            "GET" | "DELETE" => request.send(),
            _ => request.send_bytes(&self.body),
        };
        response.unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    /// What to say of an answer that is not what was expected.
    pub fn complain(&self, expected: Class, response: &Response) -> String {
        let text: String = response.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.split_once("<h3>").map_or(text.as_str(), |(_, heading)| heading);
        format!("{self}: {} instead of {expected:?}: {:.160}", response.status, text)
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Operation { component, name, method, .. } = self.operation;
        write!(formatter, "{component}.{name} by {:?} at {:?}: {method} {}", self.role, self.place, self.path)?;
        match self.content_type {
            "application/x-www-form-urlencoded" => write!(formatter, " ({})", String::from_utf8_lossy(&self.body)),
            _ => Ok(()),
        }
    }
}
