//! Lists that a client asks for like a query: which fields, under which conditions, in what order, which part.
//!
//! A field has a short name and an XPath. Within the server it goes by its *path*: the XPath without its type, or with
//! it where only items of that type have the field.

pub mod assessors;
mod columns;
pub mod experiments;
pub mod scans;
pub mod subjects;

pub use columns::Listing;

use crate::http::Table;
use crate::http::filter::Kind;
use crate::imaging::Field;
use crate::imaging::fields::known_path;
use crate::xml::schema::{ValueKind, kind_of};

/// A field by which lists of one kind of item can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListField {
    /// XNAT's short name.
    pub name: &'static str,
    /// The XPath.
    pub xpath: &'static str,
    /// The path.
    pub path: &'static str,
}

/// One kind of list.
#[derive(Debug, Clone, Copy)]
pub struct ListKind {
    /// All short names, in XNAT's order.
    pub fields: &'static [ListField],
    /// The short names of the columns that it has if none are asked for; the address is not among them.
    pub defaults: &'static [&'static str],
    /// Types whose fields every item of the list has.
    pub common_types: &'static [&'static str],
    /// The end of the names of the types that only some of its items have; empty if all are of one type.
    pub type_suffix: &'static str,
    /// First steps of paths that items of the list have.
    pub schema: &'static [&'static str],
}

/// The path of the column of addresses, which no field has.
pub const URI: &str = "URI";
/// The path of the type.
pub const TYPE: &str = "xsiType";

impl ListKind {
    /// The path that a name stands for: a short name, or an XPath, whose case does not matter.
    pub fn path_of(&self, name: &str) -> Option<String> {
        if let Some(field) = self.fields.iter().find(|field| field.name == name) {
            return Some(field.path.to_owned());
        }
        let (kind, path) = name.split_once('/')?;
        if let Some(field) = self.fields.iter().find(|field| field.xpath.eq_ignore_ascii_case(name)) {
            return Some(field.path.to_owned());
        }
        let path = self.known_path(&without_types(path))?;
        if self.common_types.iter().any(|common| common.eq_ignore_ascii_case(kind)) {
            return Some(path);
        }
        let suffix = kind.len().checked_sub(self.type_suffix.len()).and_then(|at| kind.get(at..));
        let is_of_list = !self.type_suffix.is_empty()
            && kind.get(..5).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xnat:"))
            && suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(self.type_suffix));
        is_of_list.then(|| format!("{kind}/{path}"))
    }

    /// The path as the items have it, if they can have it.
    fn known_path(&self, path: &str) -> Option<String> {
        let named = self.fields.iter().map(|field| field.path).find(|known| known.eq_ignore_ascii_case(path));
        if let Some(known) = named {
            return Some(known.to_owned());
        }
        let head = path.split(['/', '[']).next().unwrap_or_default();
        let is_known = self.schema.contains(&head) && path.len() <= MAX_PATH_BYTES;
        is_known.then(|| known_path(path).to_owned())
    }

    /// The short names with their XPaths, as the list answers when it is asked for its fields.
    pub fn fields_table(&self) -> Table {
        let mut table = Table::with_columns(["key", "xpath"]);
        for field in self.fields {
            table.push([field.name, field.xpath]);
        }
        table
    }
}

/// Bytes of a path, at most.
const MAX_PATH_BYTES: usize = 256;

/// A path without the types that clients write into it, such as `demographics[@xsi:type=xnat:demographicData]/dob`.
fn without_types(path: &str) -> String {
    let mut steps = path.split("[@xsi:type=");
    let mut plain = steps.next().unwrap_or_default().to_owned();
    for step in steps {
        plain.push_str(step.split_once(']').map_or("", |(_, rest)| rest));
    }
    plain
}

/// The type that a path demands of its item, and the rest of the path.
fn demanded_type(path: &str) -> (Option<&str>, &str) {
    match path.split_once('/') {
        Some((kind, rest)) if kind.contains(':') => (Some(kind), rest),
        _ => (None, path),
    }
}

/// How the values at a path are compared.
pub fn compared_as(path: &str) -> Kind {
    let last = path.rsplit('/').next().unwrap_or(path);
    match last {
        "insert_date" | "last_modified" => Kind::Date,
        "xnat_imagescandata_id" => Kind::Number,
        _ => match kind_of(last) {
            Some(ValueKind::Number) => Kind::Number,
            Some(ValueKind::Date) => Kind::Date,
            Some(ValueKind::Text) | None => Kind::Text,
        },
    }
}

/// The value at a path, as text; empty if there is none.
fn value_at(fields: &[Field], path: &str) -> String {
    fields.iter().find(|field| field.path == path).map(|field| field.value.to_string()).unwrap_or_default()
}

/// Whether an item of one type is wanted by the parameter `xsiType`: types, one of which it must be.
fn is_of_type(kind: &ListKind, wanted: &[String], xsi_type: &str) -> bool {
    let is = |wanted: &String| {
        wanted.eq_ignore_ascii_case(xsi_type)
            || kind.common_types.iter().any(|common| common.eq_ignore_ascii_case(wanted))
    };
    wanted.is_empty() || wanted.iter().any(is)
}

#[cfg(test)]
mod tests;
