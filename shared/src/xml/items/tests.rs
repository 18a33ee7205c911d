//! Documents that are read with all that is in them.

use super::*;
use crate::imaging::item::{Resource, ScanContext, SessionContext};
use crate::imaging::testing::mr_series;
use crate::imaging::{PetMr, build_session};
use crate::xml::{XNAT_NAMESPACE, XSI_NAMESPACE, session_document};

fn document(root: &str, attributes: &str, inner: &str) -> String {
    format!(
        "<xnat:{root} xmlns:xnat=\"{XNAT_NAMESPACE}\" xmlns:xsi=\"{XSI_NAMESPACE}\" {attributes}>{inner}</xnat:{root}>"
    )
}

#[test]
fn what_is_written_is_read_again() {
    let session = build_session(&[mr_series()], PetMr::PetMr);
    let id = session.scans[0].id.clone();
    let mut context = SessionContext {
        id: "XNAT_E00001".to_owned(),
        project: "P".to_owned(),
        label: "L".to_owned(),
        subject: "XNAT_S00001".to_owned(),
        visit: "V".to_owned(),
        ..SessionContext::default()
    };
    let uri = format!("/archive/P/arc001/L/SCANS/{id}/DICOM/scan_{id}_catalog.xml");
    let files = Resource { label: "DICOM".to_owned(), uri: uri.clone(), file_count: Some(3), ..Resource::default() };
    let scan = ScanContext {
        scan_type: "T1".to_owned(),
        quality: "usable".to_owned(),
        resources: vec![files],
        ..ScanContext::default()
    };
    context.scans.insert(id, scan);
    let written = session_document(&session, &context).unwrap();
    let ItemDocument::Session(read) = read_item(&written).unwrap() else { panic!("no session") };
    let named = (read.id.as_str(), read.project.as_str(), read.label.as_str(), read.subject.as_str());
    assert_eq!(named, ("XNAT_E00001", "P", "L", "XNAT_S00001"));
    assert_eq!(read.visit, "V");
    let texts = |fields: Vec<Field>| -> Vec<(String, String)> {
        fields.into_iter().map(|field| (field.path, field.value.to_string())).collect()
    };
    assert_eq!(texts(read.session.flat_fields()), texts(session.flat_fields()));
    let scan = &read.scans[0];
    assert_eq!(texts(scan.scan.flat_fields()), texts(session.scans[0].flat_fields()));
    assert_eq!((scan.scan_type.as_deref(), scan.quality.as_deref()), (Some("T1"), Some("usable")));
    assert_eq!((scan.resources[0].uri.as_str(), scan.resources[0].file_count), (uri.as_str(), Some(3)));
}

#[test]
fn assessors_are_read_alone_and_within_their_session() {
    let inner = "<xnat:date>2024-05-01</xnat:date><xnat:imageSession_ID>XNAT_E00001</xnat:imageSession_ID><xnat:out>\
                 <xnat:file label=\"OUT\" URI=\"a_catalog.xml\"/></xnat:out><xnat:pass>1</xnat:pass>";
    let attributes = "ID=\"XNAT_E00002\" project=\"P\" label=\"QC\"";
    let alone = document("QCManualAssessment", attributes, inner);
    let ItemDocument::Assessor(alone) = read_item(alone.as_bytes()).unwrap() else { panic!("no assessor") };
    let kind = "xsi:type=\"xnat:qcManualAssessorData\"";
    let within = format!(
        "<xnat:assessors><xnat:assessor {kind} {attributes}>{inner}</xnat:assessor></xnat:assessors><xnat:sharing>\
         <xnat:share project=\"Q\"/></xnat:sharing>"
    );
    let ItemDocument::Session(session) = read_item(document("MRSession", "", &within).as_bytes()).unwrap() else {
        panic!("no session")
    };
    assert_eq!(session.assessors, [*alone.clone()]);
    assert!(session.is_shared && !alone.is_shared);
    assert_eq!((alone.label.as_str(), alone.session.as_str()), ("QC", "XNAT_E00001"));
    assert_eq!(alone.xsi_type.as_str(), "xnat:qcManualAssessorData");
    let fields: Vec<_> = alone.fields.iter().map(|field| (field.path.as_str(), field.value.to_string())).collect();
    assert_eq!(fields, [("date", "2024-05-01".to_owned()), ("pass", "1".to_owned())]);
    assert_eq!(alone.resources[0].label, "OUT");
    // Of a type that is not defined here, in its own namespace.
    let own =
        "<p:GenProc xmlns:p=\"http://nrg.wustl.edu/proc\" label=\"A\"><p:procstatus>ok</p:procstatus></p:GenProc>";
    let ItemDocument::Assessor(own) = read_item(own.as_bytes()).unwrap() else { panic!("no assessor") };
    assert_eq!((own.xsi_type.as_str(), own.fields[0].path.as_str()), ("proc:genProcData", "procstatus"));
}

#[test]
fn elements_that_repeat_have_their_name_or_place_in_the_path() {
    let inner = "<xnat:fields><xnat:field name=\"a\">1</xnat:field><xnat:field name=\"b\">2</xnat:field></xnat:fields>";
    let ItemDocument::Session(read) = read_item(document("MRSession", "", inner).as_bytes()).unwrap() else { panic!() };
    let paths: Vec<&str> = read.session.fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(paths, ["fields/field[name=a]", "fields/field[name=b]"]);
}

#[test]
fn attributes_of_parts_are_given_back_as_attributes() {
    let scan = "<xnat:validation status=\"ok\"><xnat:notes>n</xnat:notes></xnat:validation><xnat:parameters>\
                <xnat:voxelRes x=\"1.0\" y=\"2.0\" z=\"3.0\" units=\"mm\"/><xnat:matrix x=\"4\" y=\"5\"/></xnat:parameters>";
    let own = "<xnat:investigator ID=\"inv1\"><xnat:lastname>L</xnat:lastname></xnat:investigator>\
               <xnat:validation status=\"ok\"><xnat:method>m</xnat:method></xnat:validation>";
    let inner =
        format!("{own}<xnat:scans><xnat:scan ID=\"1\" xsi:type=\"xnat:mrScanData\">{scan}</xnat:scan></xnat:scans>");
    let ItemDocument::Session(read) = read_item(document("MRSession", "", &inner).as_bytes()).unwrap() else {
        panic!()
    };
    let mut session = read.session;
    session.scans = read.scans.into_iter().map(|scan| scan.scan).collect();
    let written = String::from_utf8(session_document(&session, &SessionContext::default()).unwrap()).unwrap();
    let written: String = written.lines().map(str::trim).collect();
    for part in [own, "<xnat:validation status=\"ok\"><xnat:notes>n</xnat:notes></xnat:validation>", "units=\"mm\"/>"] {
        assert!(written.contains(part), "{part} in {written}");
    }
    assert!(written.contains("<xnat:matrix x=\"4\" y=\"5\"/>"), "{written}");
}

#[test]
fn what_is_not_taken_is_refused() {
    for (root, inner, wanted) in [
        ("MRSession", "<xnat:assessors><xnat:assessor/></xnat:assessors>", "data type of an assessor"),
        ("QCManualAssessment", "<xnat:in><xnat:file label=\"A\"/></xnat:in>", "input files"),
        ("QCManualAssessment", "<xnat:frames>1</xnat:frames>", "no field"),
        ("MRSession", "<xnat:reconstructions><xnat:a/></xnat:reconstructions>", "reconstructions"),
        ("MRSession", "<xnat:scans><xnat:scan ID=\"1\"/></xnat:scans>", "data type"),
        ("MRSession", "<xnat:nothing>1</xnat:nothing>", "nothing"),
        ("MRSession", "<xnat:date>yesterday</xnat:date>", "yyyy"),
        ("MRScan", "<xnat:frames>many</xnat:frames>", "whole number"),
        ("Subject", "", "xnat:Subject"),
        ("ReconstructedImage", "", "ReconstructedImage"),
    ] {
        let error = read_item(document(root, "", inner).as_bytes()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{inner}: {error}");
    }
    assert!(matches!(read_item(b"<!DOCTYPE a><a/>"), Err(ItemError::Xml(XmlError::DocType))));
    let deep = document("MRSession", "", &"<xnat:a>".repeat(50));
    assert!(matches!(read_item(deep.as_bytes()), Err(ItemError::Xml(XmlError::TooRich))));
}
