use super::*;
use crate::imaging::types::{ScanType, SessionType};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::BTreeSet;

fn xnat() -> &'static str {
    schema("xnat").unwrap().document
}

/// The values of an attribute of the elements of this name, at any depth.
fn attributes(document: &str, element: &str, attribute: &str) -> Vec<String> {
    let mut reader = Reader::from_str(document);
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == element => {
                let value = tag.try_get_attribute(attribute).unwrap();
                found.extend(value.map(|value| value.value.into_owned()));
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

#[test]
fn every_type_that_a_session_or_scan_can_have_is_defined_with_its_root_element() {
    let elements: BTreeSet<String> = attributes(xnat(), "xs:element", "name").into_iter().collect();
    let sessions = SessionType::all().map(|kind| (kind.as_str().to_owned(), kind.element()));
    let scans = ScanType::all().map(|kind| (kind.as_str().to_owned(), kind.element()));
    let mut count = 0;
    for (xsi_type, element) in sessions.chain(scans) {
        assert!(has_type(&xsi_type), "{xsi_type} is not defined");
        assert!(elements.contains(element.strip_prefix("xnat:").unwrap()), "{element} is not defined");
        count += 1;
    }
    assert!(count > 50, "{count} types");
}

#[test]
fn every_other_type_of_an_item_is_defined() {
    for xsi_type in [
        "xnat:projectData",
        "xnat:subjectData",
        "xnat:demographicData",
        "xnat:investigatorData",
        "xnat:experimentData",
        "xnat:subjectAssessorData",
        "xnat:imageSessionData",
        "xnat:imageScanData",
        "xnat:abstractResource",
        "xnat:resource",
        "xnat:resourceSeries",
        "xnat:resourceCatalog",
    ] {
        assert!(has_type(xsi_type), "{xsi_type} is not defined");
    }
    for none in ["xnat:nothingData", "mrSessionData", "xnat:", "cat:x", "xnat:mrSession", "xnat:mr\"Session"] {
        assert!(!has_type(none), "{none}");
    }
}

#[test]
fn no_schema_refers_to_a_type_that_is_not_defined() {
    for Schema { name, document } in &SCHEMAS {
        let defined: BTreeSet<String> = attributes(document, "xs:complexType", "name").into_iter().collect();
        let types =
            ["xs:element", "xs:attribute"].into_iter().flat_map(|element| attributes(document, element, "type"));
        for used in types.chain(attributes(document, "xs:extension", "base")) {
            let (prefix, local) = used.split_once(':').unwrap();
            assert!(prefix == "xs" || defined.contains(local), "{name}: {used} is not defined");
        }
    }
}

#[test]
fn clients_find_the_namespaces_in_the_root_element() {
    for Schema { name, document } in &SCHEMAS {
        let (_, root) = document.split_once("<xs:schema ").unwrap();
        let (root, _) = root.split_once('>').unwrap();
        assert!(root.contains("xmlns:xs=\"http://www.w3.org/2001/XMLSchema\""), "{name}");
        assert!(root.contains("targetNamespace=\""), "{name}");
    }
}

#[test]
fn the_schema_tells_numbers_and_dates_from_texts() {
    for (name, kind) in [
        ("tr", Some(ValueKind::Number)),
        ("frames", Some(ValueKind::Number)),
        ("weight", Some(ValueKind::Number)),
        ("x", Some(ValueKind::Number)),
        ("date", Some(ValueKind::Date)),
        ("dob", Some(ValueKind::Date)),
        ("time", Some(ValueKind::Text)),
        ("scanner", Some(ValueKind::Text)),
        ("type", Some(ValueKind::Text)),
        ("nothing", None),
        ("a\"b", None),
    ] {
        assert_eq!(kind_of(name), kind, "{name}");
    }
}
