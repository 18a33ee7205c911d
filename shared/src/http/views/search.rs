//! What there is to be searched: types and their fields.

use super::lists::ListKind;
use super::lists::experiments::EXPERIMENTS;
use super::lists::subjects::SUBJECTS;
use super::project;
use crate::domain::project::Project;
use crate::http::Table;
use crate::xml::schema::{ValueKind, kind_of};

/// A type of what can be listed.
struct Element {
    name: &'static str,
    singular: &'static str,
    plural: &'static str,
}

const ELEMENTS: [Element; 3] = [
    Element { name: "xnat:projectData", singular: "Project", plural: "Projects" },
    Element { name: "xnat:subjectData", singular: "Subject", plural: "Subjects" },
    Element { name: "xnat:imageSessionData", singular: "Session", plural: "Sessions" },
];

/// The types of what can be listed.
pub fn elements() -> Table {
    let mut table = Table::with_columns(["ELEMENT_NAME", "SINGULAR", "PLURAL", "SECURED"]).titled("Elements");
    for Element { name, singular, plural } in ELEMENTS {
        table.push([name, singular, plural, "true"]);
    }
    table
}

/// The fields by which items of a type can be listed, by the names that XNAT's searches have for fields: in capitals.
pub fn fields(element: &str) -> Option<Table> {
    let of = |kind: &ListKind| kind.fields.iter().map(|field| (field.name, field.xpath)).collect();
    let fields: Vec<(&str, &str)> = match element {
        "xnat:projectData" => project::XPATHS.to_vec(),
        "xnat:subjectData" => of(&SUBJECTS),
        "xnat:imageSessionData" => of(&EXPERIMENTS),
        _ => return None,
    };
    let mut table = Table::with_columns(["FIELD_ID", "HEADER", "TYPE", "ELEMENT_NAME", "DESC"]).titled("Fields");
    for (name, xpath) in fields {
        let kind = match name {
            "insert_date" | "last_modified" => "date",
            _ => match kind_of(xpath.rsplit('/').next().unwrap_or(xpath)) {
                Some(ValueKind::Date) => "date",
                Some(ValueKind::Number) => "float",
                Some(ValueKind::Text) | None => "string",
            },
        };
        table.push([&name.to_ascii_uppercase(), name, kind, element, xpath]);
    }
    Some(table)
}

/// What somebody is in each of these projects, as clients ask for it.
pub fn access(projects: &[Project], login: Option<&str>) -> Vec<u8> {
    let one = |project: &Project| {
        let role = login.and_then(|login| project.role_of(login)).map_or("", |role| role.display_name());
        serde_json::json!({
            "ID": project.id.as_str(),
            "name": project.fields.name,
            "secondary_ID": project.fields.secondary_id,
            "role": role,
        })
    };
    serde_json::Value::Array(projects.iter().map(one).collect()).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_has_fields_of_different_names_in_capitals() {
        let elements = elements();
        assert_eq!(elements.rows.len(), 3);
        for element in &elements.rows {
            let fields = fields(&element[0]).unwrap();
            let names: std::collections::BTreeSet<&str> = fields.rows.iter().map(|row| row[0].as_str()).collect();
            assert_eq!(names.len(), fields.rows.len());
            // Clients set these as attributes of their classes, whose own are in small letters.
            assert!(names.iter().all(|name| !name.chars().any(|c| c.is_ascii_lowercase())));
        }
        assert_eq!(fields("xnat:nothing"), None);
    }
}
