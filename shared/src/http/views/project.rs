//! Projects.

use crate::domain::project::Project;
use crate::http::{Column, Item, Table};

/// The default columns of the list of projects, in XNAT's order.
pub const DEFAULT_COLUMNS: &[&str] =
    &["ID", "secondary_ID", "name", "description", "pi_firstname", "pi_lastname", "URI"];

/// All columns of the list of projects.
pub const COLUMNS: &[&str] = &[
    "ID",
    "secondary_ID",
    "name",
    "description",
    "keywords",
    "pi_firstname",
    "pi_lastname",
    "insert_date",
    "insert_user",
    "URI",
];

/// The list of projects.
pub fn table(projects: &[Project]) -> Table {
    let mut table = Table::new(COLUMNS.iter().map(|name| Column::new(*name))).titled("Projects");
    for project in projects {
        let fields = &project.fields;
        table.push([
            project.id.to_string(),
            fields.secondary_id.clone(),
            fields.name.clone(),
            fields.description.clone(),
            fields.keywords.clone(),
            fields.pi_firstname.clone(),
            fields.pi_lastname.clone(),
            crate::domain::time::date_time(project.created_ms),
            project.created_by.clone(),
            format!("/data/projects/{}", project.id),
        ]);
    }
    table
}

fn values(project: &Project) -> [(&'static str, &str); 7] {
    let fields = &project.fields;
    [
        ("ID", project.id.as_str()),
        ("secondary_ID", &fields.secondary_id),
        ("name", &fields.name),
        ("description", &fields.description),
        ("keywords", &fields.keywords),
        ("PI/firstname", &fields.pi_firstname),
        ("PI/lastname", &fields.pi_lastname),
    ]
}

/// One project as a JSON item.
pub fn item(project: &Project) -> Item {
    let mut item = Item::new("xnat:projectData");
    for (name, value) in values(project) {
        item.set_some(name, Some(value.to_owned()));
    }
    item
}

/// One project as XNAT's document.
pub fn document(project: &Project) -> std::io::Result<Vec<u8>> {
    crate::xml::project_document(&values(project))
}
