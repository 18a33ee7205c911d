//! One subject, and what is shared.

use crate::domain::archive::{Share, Subject};
use crate::domain::resource::CountedResource;
use crate::domain::time::java_date;
use crate::http::forms::items::SUBJECT_FIELDS;
use crate::http::{Item, Table};
use crate::imaging::Field;
use crate::xml::{SUBJECT_PARTS, subject_document};

use super::archive::{resource_items, set_fields};
use super::shelf::described_at;

/// What is said of a subject at a path of the schema; empty if nothing is.
pub fn value_at(subject: &Subject, path: &str) -> String {
    let known = SUBJECT_FIELDS.iter().find(|(_, known)| *known == path);
    known.and_then(|(name, _)| subject.fields.get(*name)).cloned().unwrap_or_default()
}

/// What is said of a subject, by the schema's paths and in its order.
fn fields(subject: &Subject) -> Vec<Field> {
    let said = SUBJECT_FIELDS.iter().filter_map(|(name, path)| Some(Field::text(*path, subject.fields.get(*name)?)));
    said.collect()
}

/// Where XNAT has the catalog of one of a subject's resources.
fn catalog_uri(subject: &Subject, counted: &CountedResource) -> String {
    let label = &counted.resource.label;
    format!("/archive/{}/subjects/{}/{label}/{label}_catalog.xml", subject.project, subject.label)
}

/// One subject as a JSON item, with its resources. What has a type of its own (its demographics, its investigator) is a
/// child.
pub fn item(subject: &Subject, resources: &[CountedResource]) -> Item {
    let mut item = Item::new("xnat:subjectData");
    item.set("ID", subject.id.clone()).set("project", subject.project.clone()).set("label", subject.label.clone());
    item.set_meta("start_date", java_date(subject.insert_ms));
    let fields = fields(subject);
    item.add_children("sharing/share", share_items(&subject.shares));
    item.add_children("resources/resource", resource_items(resources, |counted| catalog_uri(subject, counted)));
    for (part, xsi_type) in SUBJECT_PARTS {
        let inner: Vec<Field> = fields.iter().filter_map(|field| below(field, part)).collect();
        if !inner.is_empty() {
            let mut child = Item::new(xsi_type);
            set_fields(&mut child, inner);
            item.add_children(part, vec![child]);
        }
    }
    let is_own = |field: &Field| SUBJECT_PARTS.iter().all(|(part, _)| below(field, part).is_none());
    set_fields(&mut item, fields.into_iter().filter(is_own).collect());
    item
}

/// The field as it is within a part of the item.
fn below(field: &Field, part: &str) -> Option<Field> {
    let path = field.path.strip_prefix(part)?.strip_prefix('/')?;
    Some(Field { path: path.to_owned(), value: field.value.clone() })
}

/// One subject as XNAT's document, with its resources.
///
/// # Errors
/// None that can happen in memory.
pub fn document(subject: &Subject, resources: &[CountedResource]) -> std::io::Result<Vec<u8>> {
    let resources: Vec<_> =
        resources.iter().map(|counted| described_at(counted, catalog_uri(subject, counted))).collect();
    let shares: Vec<_> = subject.shares.iter().map(|share| [share.project.clone(), share.label.clone()]).collect();
    subject_document([&subject.id, &subject.project, &subject.label], &shares, &fields(subject), &resources)
}

/// The projects that an item is in: its label there, and the project's identifier, secondary identifier and name.
pub fn sharing(rows: Vec<[String; 4]>) -> Table {
    let mut table = Table::with_columns(["label", "ID", "Secondary_ID", "Name"]).titled("Projects");
    for row in rows {
        table.push(row);
    }
    table
}

/// The other projects that an item is in, as JSON items.
pub fn share_items(shares: &[Share]) -> Vec<Item> {
    let one = |share: &Share| {
        let mut item = Item::new("xnat:projectParticipant");
        item.set("project", share.project.clone()).set("label", share.label.clone());
        item
    };
    shares.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalog::Catalog;

    fn subject() -> Subject {
        let json = serde_json::json!({
            "id": "XNAT_S00001", "project": "P", "label": "S1", "insert_ms": 1_714_559_553_123_u64, "insert_user": "ann",
            "place": 1, "fields": {
                "gender": "female", "group": "control", "dob": "1980-02-03", "race": "7 & 8", "pi_lastname": "Curie",
            },
        });
        serde_json::from_value(json).unwrap()
    }

    fn notes() -> CountedResource {
        let resource = serde_json::json!({ "label": "NOTES", "number": 7, "catalog": "c", "is_made": true });
        CountedResource { resource: serde_json::from_value(resource).unwrap(), catalog: Catalog::default() }
    }

    #[test]
    fn what_has_a_type_of_its_own_is_a_child_of_the_item() {
        let value: serde_json::Value = serde_json::from_slice(&item(&subject(), &[notes()]).to_json()).unwrap();
        let item = &value["items"][0];
        assert_eq!(item["meta"]["start_date"], "Wed May 01 10:32:33 UTC 2024");
        assert_eq!(item["data_fields"]["group"], "control");
        assert_eq!(item["data_fields"]["ID"], "XNAT_S00001");
        let child = |field: &str| {
            let children = item["children"].as_array().unwrap();
            children.iter().find(|child| child["field"] == field).map(|child| child["items"][0].clone()).unwrap()
        };
        assert_eq!(child("demographics")["meta"]["xsi:type"], "xnat:demographicData");
        assert_eq!(child("demographics")["data_fields"]["gender"], "female");
        assert_eq!(child("investigator")["data_fields"]["lastname"], "Curie");
        assert_eq!(child("resources/resource")["data_fields"]["label"], "NOTES");
    }

    #[test]
    fn the_projects_that_it_is_shared_with_stand_first() {
        let share = serde_json::json!({ "project": "P2", "label": "A&B", "place": 1 });
        let shared = Subject { shares: vec![serde_json::from_value(share).unwrap()], ..subject() };
        let document = String::from_utf8(document(&shared, &[notes()]).unwrap()).unwrap();
        let expected = concat!(
            "group=\"control\">\n  <xnat:sharing>\n    <xnat:share label=\"A&amp;B\" project=\"P2\"/>\n",
            "  </xnat:sharing>\n  <xnat:resources>",
        );
        assert!(document.contains(expected), "{document}");
        let value: serde_json::Value = serde_json::from_slice(&item(&shared, &[]).to_json()).unwrap();
        let child = &value["items"][0]["children"][0];
        assert_eq!(child["field"], "sharing/share");
        assert_eq!(child["items"][0]["data_fields"], serde_json::json!({ "project": "P2", "label": "A&B" }));
    }

    #[test]
    fn the_document_has_the_schema_s_order() {
        let document = String::from_utf8(document(&subject(), &[notes()]).unwrap()).unwrap();
        let (_, rest) = document.split_once("<xnat:Subject").unwrap();
        let expected = concat!(
            " xmlns:xnat=\"http://nrg.wustl.edu/xnat\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ",
            "ID=\"XNAT_S00001\" project=\"P\" label=\"S1\" group=\"control\">\n",
            "  <xnat:resources>\n    <xnat:resource URI=\"/archive/P/subjects/S1/NOTES/NOTES_catalog.xml\" ",
            "label=\"NOTES\" file_count=\"0\" file_size=\"0\" xsi:type=\"xnat:resourceCatalog\"/>\n  </xnat:resources>\n",
            "  <xnat:investigator>\n    <xnat:lastname>Curie</xnat:lastname>\n  </xnat:investigator>\n",
            "  <xnat:demographics xsi:type=\"xnat:demographicData\">\n    <xnat:dob>1980-02-03</xnat:dob>\n",
            "    <xnat:gender>female</xnat:gender>\n    <xnat:race>7 &amp; 8</xnat:race>\n  </xnat:demographics>\n",
            "</xnat:Subject>\n",
        );
        assert_eq!(rest, expected);
    }
}
