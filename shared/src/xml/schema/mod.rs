//! The schemas of the documents that are served, for clients that make their classes of them.
//!
//! They name the types and fields of XNAT's that occur here, and no others.

mod attributes;

pub use attributes::{TYPE_STEP, is_attribute};

/// A schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// The name it is asked for by.
    pub name: &'static str,
    /// The document.
    pub document: &'static str,
}

/// All schemas, in the order in which they are listed.
pub static SCHEMAS: [Schema; 3] = [
    Schema { name: "xdat", document: include_str!("xdat.xsd") },
    Schema { name: "xnat", document: include_str!("xnat.xsd") },
    Schema { name: "catalog", document: include_str!("catalog.xsd") },
];

/// The schema of this name.
pub fn schema(name: &str) -> Option<&'static Schema> {
    SCHEMAS.iter().find(|schema| schema.name == name)
}

/// Whether items may be of this type: whether the schema defines it.
pub fn has_type(xsi_type: &str) -> bool {
    let Some((prefix, name)) = xsi_type.split_once(':') else { return false };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let definition = format!("<xs:complexType name=\"{name}\">");
    is_name && schema(prefix).is_some_and(|schema| schema.document.contains(&definition))
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Whole and other numbers.
    Number,
    /// Dates, with or without a time.
    Date,
    /// Anything else.
    Text,
}

/// What the values of the element or attribute of this name are, by its first definition; `None` if there is none.
pub fn kind_of(name: &str) -> Option<ValueKind> {
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
        return None;
    }
    let (_, definition) = schema("xnat")?.document.split_once(&format!(" name=\"{name}\""))?;
    // Up to the next name: what follows belongs to that.
    let definition = definition.split(" name=\"").next().unwrap_or_default();
    let mut types = ["type=\"xs:", "base=\"xs:"].into_iter().filter_map(|start| definition.split_once(start));
    let (_, rest) = types.next()?;
    Some(match rest.split('"').next().unwrap_or_default() {
        "float" | "double" | "integer" | "long" => ValueKind::Number,
        "date" | "dateTime" => ValueKind::Date,
        _ => ValueKind::Text,
    })
}

#[cfg(test)]
mod tests;
