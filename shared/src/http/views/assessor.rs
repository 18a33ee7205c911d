//! Assessors of sessions.

use super::archive::{resource_items, set_fields};
use super::shelf::described_at;
use crate::domain::archive::{Experiment, ExperimentType};
use crate::domain::resource::CountedResource;
use crate::domain::time::java_date;
use crate::http::Item;
use crate::imaging::Field;
use crate::imaging::fields::ASSESSOR_SCHEMA;
use crate::imaging::item::{AssessorContext, with_set};
use crate::xml::assessor_document;

/// What is said of an assessor, by the schema's paths and in its order.
pub fn fields(assessor: &Experiment) -> Vec<Field> {
    let session = assessor.assessed.as_deref().unwrap_or_default();
    let mut fields = vec![Field::text("ID", &assessor.id)];
    for (path, text) in
        [("project", assessor.project.as_str()), ("label", &assessor.label), ("imageSession_ID", session)]
    {
        fields.push(Field::text(path, text));
    }
    with_set(fields, &assessor.fields, ASSESSOR_SCHEMA)
}

/// Where XNAT has the catalog of one of an assessor's resources; `session` is the label of the session.
fn catalog_uri(assessor: &Experiment, session: &str, counted: &CountedResource) -> String {
    let label = &counted.resource.label;
    format!("/archive/{}/arc001/{session}/ASSESSORS/{}/{label}/{label}_catalog.xml", assessor.project, assessor.label)
}

/// An assessor as a JSON item, with its resources.
pub fn item(assessor: &Experiment, session: &str, resources: &[CountedResource]) -> Item {
    let mut item = Item::new(assessor.xsi_type.as_str().to_owned());
    set_fields(&mut item, fields(assessor));
    item.set_meta("start_date", java_date(assessor.insert_ms));
    item.add_children(
        "resources/resource",
        resource_items(resources, |counted| catalog_uri(assessor, session, counted)),
    );
    item
}

/// What an assessor's document says.
pub fn context(assessor: &Experiment, session: &str, resources: &[CountedResource]) -> AssessorContext {
    let element = match &assessor.xsi_type {
        ExperimentType::Assessor(kind) => kind.element(),
        ExperimentType::Session(kind) => kind.element(),
    };
    AssessorContext {
        xsi_type: assessor.xsi_type.as_str().to_owned(),
        element,
        fields: fields(assessor),
        resources: resources
            .iter()
            .map(|counted| described_at(counted, catalog_uri(assessor, session, counted)))
            .collect(),
    }
}

/// An assessor as XNAT's document, with its resources.
///
/// # Errors
/// None that can happen in memory.
pub fn document(assessor: &Experiment, session: &str, resources: &[CountedResource]) -> std::io::Result<Vec<u8>> {
    assessor_document(&context(assessor, session, resources))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assessor(xsi_type: &str) -> Experiment {
        let json = serde_json::json!({
            "id": "XNAT_E00002", "project": "P", "label": "QC1", "subject_id": "XNAT_S1", "subject_label": "S",
            "xsi_type": xsi_type, "uid": "", "date": "2024-05-01", "manifest": "m", "content": "c", "status": "active",
            "insert_ms": 0, "insert_user": "ann", "place": 1, "assessed": "XNAT_E00001",
            "fields": [{ "p": "pass", "v": "1" }, { "p": "date", "v": "2024-05-01" }],
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn an_assessor_has_a_document_of_its_type() {
        let text = String::from_utf8(document(&assessor("xnat:qcManualAssessorData"), "L", &[]).unwrap()).unwrap();
        let (_, rest) = text.split_once("<xnat:QCManualAssessment").unwrap();
        let expected = concat!(
            " xmlns:xnat=\"http://nrg.wustl.edu/xnat\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ",
            "ID=\"XNAT_E00002\" project=\"P\" label=\"QC1\">\n  <xnat:date>2024-05-01</xnat:date>\n",
            "  <xnat:imageSession_ID>XNAT_E00001</xnat:imageSession_ID>\n  <xnat:pass>1</xnat:pass>\n",
            "</xnat:QCManualAssessment>\n",
        );
        assert_eq!(rest, expected);
        let text = String::from_utf8(document(&assessor("proc:genProcData"), "L", &[]).unwrap()).unwrap();
        assert!(text.contains("<proc:GenProc xmlns:xnat="), "{text}");
        assert!(text.contains("xmlns:proc=\"http://nrg.wustl.edu/proc\""), "{text}");
    }

    #[test]
    fn the_scans_that_it_rates_are_children_of_their_types() {
        let mut assessor = assessor("xnat:qcManualAssessorData");
        for (path, value) in [
            ("scans/scan[1]/imageScan_ID", "4"),
            ("scans/scan[1]/xsi:type", "xnat:mrQcScanData"),
            ("scans/scan[1]/fields/field[name=a]", "b"),
            ("scans/scan[2]/imageScan_ID", "5"),
            ("scans/scan[2]/rating/scale", "ABC"),
        ] {
            assessor.fields.push(Field::text(path, value));
        }
        let value: serde_json::Value = serde_json::from_slice(&item(&assessor, "L", &[]).to_json()).unwrap();
        let scans = &value["items"][0]["children"][0];
        assert_eq!((&scans["field"], scans["items"].as_array().unwrap().len()), (&"scans/scan".into(), 2));
        let (first, second) = (&scans["items"][0], &scans["items"][1]);
        assert_eq!(first["meta"]["xsi:type"], "xnat:mrQcScanData");
        assert_eq!(first["data_fields"], serde_json::json!({ "imageScan_ID": "4" }));
        assert_eq!(first["children"][0]["field"], "fields/field");
        assert_eq!(second["data_fields"], serde_json::json!({ "imageScan_ID": "5", "rating/scale": "ABC" }));
    }
}
