//! Projects.

use crate::domain::project::{Project, ProjectField};
use crate::domain::time::date_time;
use crate::http::filter::{Field, Kind};
use crate::http::{Column, FieldValue, Item, Table};

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
    "alias",
    "pi_firstname",
    "pi_lastname",
    "note",
    "insert_date",
    "insert_user",
    "last_modified",
    "URI",
];

/// The short names of a project's fields with their XPaths.
pub const XPATHS: [(&str, &str); 12] = [
    ("ID", "xnat:projectData/ID"),
    ("secondary_ID", "xnat:projectData/secondary_ID"),
    ("name", "xnat:projectData/name"),
    ("description", "xnat:projectData/description"),
    ("keywords", "xnat:projectData/keywords"),
    ("alias", "xnat:projectData/aliases/alias/alias"),
    ("pi_firstname", "xnat:projectData/PI/firstname"),
    ("pi_lastname", "xnat:projectData/PI/lastname"),
    ("note", "xnat:projectData/note"),
    ("insert_date", "xnat:projectData/meta/insert_date"),
    ("insert_user", "xnat:projectData/meta/insert_user/login"),
    ("last_modified", "xnat:projectData/meta/last_modified"),
];

/// The short name of an XPath.
pub fn short_name(xpath: &str) -> Option<&'static str> {
    XPATHS.iter().find(|(_, known)| *known == xpath).map(|(name, _)| *name)
}

/// What the list of projects can be filtered by: short names and XPaths.
pub fn filter_fields() -> Vec<Field<'static>> {
    let field = |name, column| {
        let kind = if matches!(column, "insert_date" | "last_modified") { Kind::Date } else { Kind::Text };
        Field { name, column, kind }
    };
    XPATHS.iter().flat_map(|(name, xpath)| [field(name, *name), field(xpath, *name)]).collect()
}

/// The short names as the list answers with them when it is asked for its fields.
pub fn fields_table() -> Table {
    let mut table = Table::with_columns(["key", "xpath"]);
    for (name, xpath) in XPATHS {
        table.push([name, xpath]);
    }
    table
}

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
            fields.aliases.join(","),
            fields.pi_firstname.clone(),
            fields.pi_lastname.clone(),
            fields.note.clone(),
            date_time(project.created_ms),
            project.created_by.clone(),
            date_time(project.last_modified_ms()),
            format!("/data/projects/{}", project.id),
        ]);
    }
    table
}

/// What the second form of the list can be filtered by.
pub const DISPLAY_FILTERS: [Field<'static>; 8] = [
    Field { name: "id", column: "id", kind: Kind::Text },
    Field { name: "name", column: "name", kind: Kind::Text },
    Field { name: "description", column: "description", kind: Kind::Text },
    Field { name: "secondary_id", column: "secondary_id", kind: Kind::Text },
    Field { name: "pi", column: "pi", kind: Kind::Text },
    Field { name: "project_access", column: "project_access", kind: Kind::Text },
    Field { name: "insert_date", column: "insert_date", kind: Kind::Date },
    Field { name: "insert_user", column: "insert_user", kind: Kind::Text },
];

/// The second form of the list, as it is for the user of this number and login name; guests have the number 0.
///
/// Investigators besides the first, images of the accessibility and times of access are not kept here, so that their
/// columns, which clients know, are empty.
pub fn display_table(projects: &[Project], number: u64, login: Option<&str>, with_codes: bool) -> Table {
    let mut columns: Vec<Column> = [
        "id",
        "name",
        "description",
        "secondary_id",
        "pi",
        "project_invs",
        "project_access",
        "project_access_img",
        "insert_date",
        "insert_user",
    ]
    .into_iter()
    .map(Column::new)
    .collect();
    columns.push(Column::new(format!("user_role_{number}")));
    columns.push(Column::new(format!("last_accessed_{number}")));
    if with_codes {
        columns.extend(["proj_quarantine", "proj_prearchive_code"].map(Column::new));
    }
    let mut table = Table::new(columns).titled("Projects");
    for project in projects {
        let fields = &project.fields;
        let investigator = [fields.pi_lastname.as_str(), fields.pi_firstname.as_str()];
        let investigator: Vec<&str> = investigator.into_iter().filter(|name| !name.is_empty()).collect();
        let role = login.and_then(|login| project.role_of(login)).map_or("", |role| role.display_name());
        let mut row = vec![
            project.id.to_string(),
            fields.name.clone(),
            fields.description.clone(),
            fields.secondary_id.clone(),
            investigator.join(", "),
            String::new(),
            project.accessibility.word().to_owned(),
            String::new(),
            date_time(project.created_ms),
            project.created_by.clone(),
            role.to_owned(),
            String::new(),
        ];
        if with_codes {
            row.push(u8::from(project.quarantine_code).to_string());
            row.push(u8::from(project.prearchive_code).to_string());
        }
        table.push(row);
    }
    table
}

/// The list of projects in which something may be done, as choosers of projects want it.
pub fn chooser(projects: &[Project]) -> Table {
    let mut table = Table::with_columns(["id", "secondary_id"]).titled("Projects");
    for project in projects {
        table.push([project.id.as_str(), project.fields.secondary_id.as_str()]);
    }
    table.sort_by("secondary_id", None);
    table
}

/// One project as a JSON item. The investigator, who has a type of their own, is a child.
pub fn item(project: &Project) -> Item {
    let mut item = Item::new("xnat:projectData");
    item.set("ID", project.id.to_string());
    let mut investigator = Item::new("xnat:investigatorData");
    for (field, text) in project.fields.texts().filter(|(_, text)| !text.is_empty()) {
        match field.path().split_once('/') {
            Some(("PI", name)) => investigator.set(name, text),
            _ => item.set(field.path(), text),
        };
    }
    let aliases = project.fields.aliases.iter().map(|alias| {
        let mut child = Item::new("xnat:projectData_alias");
        child.set("alias", FieldValue::Text(alias.clone()));
        child
    });
    item.add_children("aliases/alias", aliases.collect());
    if !investigator.fields.is_empty() {
        item.add_children("PI", vec![investigator]);
    }
    item
}

/// One project as XNAT's document.
pub fn document(project: &Project) -> std::io::Result<Vec<u8>> {
    let aliases: Vec<(String, &str)> = (1..)
        .zip(&project.fields.aliases)
        .map(|(number, alias): (usize, _)| (format!("aliases/alias[{number}]"), alias.as_str()))
        .collect();
    let texts = |from: usize, to: usize| {
        let fields = ProjectField::ALL.into_iter().skip(from).take(to - from);
        fields.map(|field| (field.path(), project.fields.text(field)))
    };
    // XNAT's schema has the aliases behind the keywords.
    let values = std::iter::once(("ID", project.id.as_str()))
        .chain(texts(0, 4))
        .chain(aliases.iter().map(|(path, alias)| (path.as_str(), *alias)))
        .chain(texts(4, ProjectField::ALL.len()));
    crate::xml::project_document(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::project::ProjectChange;
    use crate::http::Params;
    use crate::http::forms::project::ProjectForm;

    fn project() -> Project {
        let json = serde_json::json!({
            "id": "P", "prearchive_code": 4, "quarantine_code": 1, "accessibility": "protected", "created_ms": 0,
            "created_by": "ann", "place": 1, "members": { "ann": "owner" },
            "fields": { "name": "A <b>", "secondary_id": "P", "keywords": "x y", "pi_firstname": "Marie",
                        "pi_lastname": "Curie", "note": "n", "aliases": ["one", "zwei & drei"] },
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_document_that_was_read_can_be_written_again() {
        let written = document(&project()).unwrap();
        let form = ProjectForm::read(Some(&written), &Params::default()).unwrap();
        assert_eq!(form.id.as_deref(), Some("P"));
        let expected: Vec<(ProjectField, String)> = project()
            .fields
            .texts()
            .filter(|(_, text)| !text.is_empty())
            .map(|(field, text)| (field, text.to_owned()))
            .collect();
        let aliases = Some(project().fields.aliases);
        assert_eq!(form.change, ProjectChange { texts: expected.into_iter().collect(), aliases, accessibility: None });
    }

    #[test]
    fn the_investigator_is_a_child_of_the_item() {
        let value: serde_json::Value = serde_json::from_slice(&item(&project()).to_json()).unwrap();
        let item = &value["items"][0];
        assert_eq!(item["data_fields"]["name"], "A <b>");
        assert_eq!(item["data_fields"].get("PI/firstname"), None);
        let investigator = &item["children"][1];
        assert_eq!(
            (&investigator["field"], &investigator["items"][0]["meta"]["xsi:type"]),
            (&"PI".into(), &"xnat:investigatorData".into())
        );
        assert_eq!(investigator["items"][0]["data_fields"]["lastname"], "Curie");
        assert_eq!(item["children"][0]["items"].as_array().map(Vec::len), Some(2), "the aliases");
    }

    #[test]
    fn every_column_but_the_address_has_an_xpath_and_a_filter() {
        let shown: Vec<&str> = COLUMNS.iter().copied().filter(|name| *name != "URI").collect();
        assert_eq!(XPATHS.map(|(name, _)| name).to_vec(), shown);
        let fields = filter_fields();
        assert_eq!(fields.len(), 24);
        assert!(fields.iter().all(|field| COLUMNS.contains(&field.column)));
    }

    #[test]
    fn the_second_form_shows_the_role_of_whoever_asks() {
        let table = display_table(&[project()], 7, Some("ann"), true);
        let cell = |name: &str| table.rows[0][table.position(name).unwrap()].as_str();
        assert_eq!((cell("id"), cell("pi"), cell("project_access")), ("P", "Curie, Marie", "protected"));
        assert_eq!((cell("user_role_7"), cell("proj_quarantine"), cell("proj_prearchive_code")), ("Owners", "1", "4"));
        let table = display_table(&[project()], 0, None, false);
        assert_eq!(table.rows[0][table.position("user_role_0").unwrap()], "");
        assert_eq!(table.position("proj_quarantine"), None);
    }
}
