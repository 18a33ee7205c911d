//! Every field that the schema declares of an item is taken from its document and given back in it.

use super::*;
use crate::imaging::AssessorType;
use crate::imaging::item::{AssessorContext, ScanContext, SessionContext};
use crate::xml::schema::schema;
use crate::xml::{XSI_NAMESPACE, assessor_document, scan_document, session_document};
use std::collections::BTreeSet;

/// What is no field of its item: parts, which are read by themselves, and what the server says.
const NO_FIELDS: [&str; 12] = [
    "sharing",
    "resources",
    "file",
    "scans",
    "assessors",
    "prearchivePath",
    "image_session_ID",
    "imageSession_ID",
    "subject_ID",
    "project",
    "visit_id",
    "xnat_imagescandata_id",
];

fn definitions() -> Element {
    let document = schema("xnat").unwrap().document;
    read_tree(document.as_bytes(), "schema", &|_, name| name == "schema").unwrap()
}

fn value_of(kind: &str) -> &'static str {
    match kind {
        "xs:float" => "1.5",
        "xs:integer" | "xs:long" => "7",
        "xs:date" => "2024-05-01",
        "xs:time" => "10:11:12",
        _ => "text",
    }
}

/// The attributes and elements of a type, its bases first.
fn content(all: &Element, of: &Element, attributes: &mut String, elements: &mut String) {
    for child in &of.children {
        match child.name.as_str() {
            "complexContent" | "sequence" | "complexType" => content(all, child, attributes, elements),
            "extension" => {
                named(all, child.attribute("base"), attributes, elements);
                content(all, child, attributes, elements);
            }
            "simpleContent" => {
                let extension = child.named("extension").next().unwrap();
                elements.push_str(value_of(extension.attribute("base")));
                content(all, extension, attributes, elements);
            }
            "attribute" if !NO_FIELDS.contains(&child.attribute("name")) => {
                let (name, value) = (child.attribute("name"), value_of(child.attribute("type")));
                attributes.push_str(&format!(" {name}=\"{value}\""));
            }
            "element" if !NO_FIELDS.contains(&child.attribute("name")) => element(all, child, elements),
            _ => {}
        }
    }
}

/// The content of the type of this name.
fn named(all: &Element, name: &str, attributes: &mut String, elements: &mut String) {
    let Some(name) = name.strip_prefix("xnat:") else { return };
    let found = all.named("complexType").find(|kind| kind.attribute("name") == name);
    content(all, found.unwrap(), attributes, elements);
}

fn element(all: &Element, declared: &Element, out: &mut String) {
    let (name, kind) = (declared.attribute("name"), declared.attribute("type"));
    let (mut attributes, mut inner) = (String::new(), String::new());
    if kind.starts_with("xs:") {
        inner.push_str(value_of(kind));
    }
    named(all, kind, &mut attributes, &mut inner);
    content(all, declared, &mut attributes, &mut inner);
    out.push_str(&format!("<xnat:{name}{attributes}>{inner}</xnat:{name}>"));
}

/// A document of this type with all that the schema declares.
fn full(all: &Element, element: &str, xsi_type: &str) -> String {
    let (mut attributes, mut elements) = (String::new(), String::new());
    named(all, xsi_type, &mut attributes, &mut elements);
    format!(
        "<{element} xmlns:xnat=\"{XNAT_NAMESPACE}\" xmlns:xsi=\"{XSI_NAMESPACE}\"{attributes}>{elements}</{element}>"
    )
}

fn given_back(document: &str) -> Vec<u8> {
    match read_item(document.as_bytes()).unwrap_or_else(|error| panic!("{error} in {document}")) {
        ItemDocument::Session(read) => {
            let context = SessionContext {
                id: read.id,
                label: read.label,
                visit: read.visit,
                protocol: read.protocol,
                ..Default::default()
            };
            session_document(&read.session, &context)
        }
        ItemDocument::Scan(read) => {
            let context = ScanContext {
                scan_type: read.scan_type.unwrap(),
                quality: read.quality.unwrap(),
                ..Default::default()
            };
            scan_document(&read.scan, &context, "")
        }
        ItemDocument::Assessor(read) => {
            let named = [("ID", &read.id), ("label", &read.label)].map(|(path, text)| Field::text(path, text));
            assessor_document(&AssessorContext {
                xsi_type: read.xsi_type.as_str().to_owned(),
                element: read.xsi_type.element(),
                fields: named.into_iter().chain(read.fields).collect(),
                resources: Vec::new(),
            })
        }
    }
    .unwrap()
}

/// The attributes (with `@`) and texts of an element, each with its path.
fn values(element: &Element, path: &str, found: &mut BTreeSet<(String, String)>) {
    found.extend(element.attributes.iter().map(|(name, value)| (format!("{path}/@{name}"), value.clone())));
    if !element.text.is_empty() {
        found.insert((path.to_owned(), element.text.clone()));
    }
    element.children.iter().for_each(|child| values(child, &format!("{path}/{}", child.name), found));
}

fn said(document: &[u8]) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    values(&read_tree(document, "item", &|_, _| true).unwrap(), "", &mut found);
    found
}

#[test]
fn what_the_schema_declares_is_taken_and_given_back() {
    let all = definitions();
    let sessions = SessionType::all().map(|kind| (kind.element(), kind.as_str().to_owned()));
    let scans = ScanType::all().map(|kind| (kind.element(), kind.as_str().to_owned()));
    let assessors = ["xnat:imageAssessorData", "xnat:qcManualAssessorData", "xnat:qcAssessmentData"];
    let assessors = assessors.map(|kind| (AssessorType::parse(kind).unwrap().element(), kind.to_owned()));
    for (element, xsi_type) in sessions.chain(scans).chain(assessors) {
        let document = full(&all, &element, &xsi_type);
        let wanted = said(document.as_bytes());
        assert!(wanted.len() > 10, "{document}");
        assert_eq!(said(&given_back(&document)), wanted, "{xsi_type}");
    }
}

#[test]
fn the_scans_that_an_assessor_rates_keep_their_types() {
    let all = definitions();
    let kinds = ["xnat:qcScanData", "xnat:mrQcScanData", "xnat:petQcScanData", "xnat:mrQcScanData"];
    let scan = |kind: &str| {
        let (mut attributes, mut elements) = (String::new(), String::new());
        named(&all, kind, &mut attributes, &mut elements);
        format!("<xnat:scan xsi:type=\"{kind}\"{attributes}>{elements}</xnat:scan>")
    };
    let scans: String = kinds.into_iter().map(scan).collect();
    let document = full(&all, "xnat:QCManualAssessment", "xnat:qcManualAssessorData");
    let document = document.replace("<xnat:comments>", &format!("<xnat:scans>{scans}</xnat:scans><xnat:comments>"));
    let given = given_back(&document);
    let types = |document: &[u8]| -> Vec<String> {
        let root = read_tree(document, "item", &|_, _| true).unwrap();
        root.list("scans", "scan").map(|scan| format!("{} {:?}", scan.xsi_type, scan.values())).collect()
    };
    assert_eq!(types(&given), types(document.as_bytes()));
    assert_eq!(types(&given).len(), 4);
    assert_eq!(said(&given), said(document.as_bytes()));
}
