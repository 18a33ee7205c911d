//! Golden documents, and that whatever is written can be read.

use super::*;
use crate::imaging::ecat::tests::EcatFile;
use crate::imaging::testing::{ct_series, mr_series};
use crate::imaging::{Field, PetMr, Resource, ScanContext, SeriesSummary, SessionContext, build_session};
use quick_xml::events::Event;
use std::collections::BTreeMap;

/// Reads a document to its end and answers the number of elements.
fn elements(document: &[u8]) -> usize {
    let mut reader = quick_xml::Reader::from_reader(document);
    let (mut buffer, mut count) = (Vec::new(), 0);
    loop {
        match reader.read_event_into(&mut buffer).expect("well-formed") {
            Event::Eof => return count,
            Event::Start(tag) | Event::Empty(tag) => {
                assert!(tag.attributes().all(|attribute| attribute.is_ok()));
                count += 1;
            }
            _ => {}
        }
        buffer.clear();
    }
}

fn dicom(uri: &str) -> Resource {
    Resource {
        label: "DICOM".into(),
        content: "RAW".into(),
        format: "DICOM".into(),
        uri: uri.into(),
        ..Resource::default()
    }
}

#[test]
fn the_document_of_an_mr_session_in_the_prearchive() {
    let session = build_session(&[mr_series()], PetMr::PetMr);
    let scan = ScanContext { resources: vec![dicom("SCANS/4/DICOM/scan_4_catalog.xml")], ..Default::default() };
    let context = SessionContext {
        project: "DEMO".into(),
        label: "S01_MR1".into(),
        subject: "S01".into(),
        prearchive_path: "/prearchive/DEMO/20240501_102233123/S01_MR1".into(),
        scans: BTreeMap::from([("4".into(), scan)]),
        ..Default::default()
    };
    let document = session_document(&session, &context).unwrap();
    assert_eq!(elements(&document), 29);
    assert_eq!(String::from_utf8(document).unwrap(), include_str!("golden/mr_prearchive.xml"));
}

#[test]
fn the_document_of_a_ct_session_in_the_archive() {
    let session = build_session(&[ct_series()], PetMr::PetMr);
    let resource = Resource {
        file_count: Some(3),
        file_size: Some(1_573_000),
        ..dicom("/archive/DEMO/arc001/CT1/SCANS/2/DICOM/scan_2_catalog.xml")
    };
    let notes = Resource {
        label: "NOTES".into(),
        uri: "/archive/DEMO/arc001/CT1/RESOURCES/NOTES/NOTES_catalog.xml".into(),
        ..Default::default()
    };
    let scan = ScanContext {
        scan_type: "Thorax".into(),
        quality: "usable".into(),
        fields: vec![Field::text("note", "<fine>")],
        resources: vec![resource],
        ..Default::default()
    };
    let context = SessionContext {
        id: "XNAT_E00001".into(),
        project: "DEMO".into(),
        label: "CT1".into(),
        subject: "XNAT_S00001".into(),
        resources: vec![notes],
        scans: BTreeMap::from([("2".into(), scan.clone())]),
        ..Default::default()
    };
    let document = session_document(&session, &context).unwrap();
    elements(&document);
    assert_eq!(String::from_utf8(document).unwrap(), include_str!("golden/ct_archive.xml"));
    let alone = String::from_utf8(scan_document(&session.scans[0], &scan, "XNAT_E00001").unwrap()).unwrap();
    assert!(alone.contains("<xnat:CTScan xmlns:xnat=") && alone.contains("ID=\"2\" type=\"Thorax\""), "{alone}");
    elements(alone.as_bytes());
}

#[test]
fn a_dicom_catalog_as_it_is_built() {
    let head = CatalogHead { uid: "1.2.3.1", ..Default::default() };
    let (mut writer, mut document) = CatalogWriter::begin(CatalogKind::Dicom, &head).unwrap();
    let entry = CatalogEntry { uri: "a-4-92.dcm", uid: "1.2.3.4", instance_number: Some(92), ..Default::default() };
    document.extend(writer.entry(&entry).unwrap());
    document.extend(writer.entry(&CatalogEntry { uri: "b.dcm", uid: "1.2.3.5", ..Default::default() }).unwrap());
    assert_eq!(writer.entries(), 2);
    let tail =
        CatalogTail { dimensions: Some([256, 256, 2]), voxel_size: Some([1.0, 1.0, 1.5]), orientation: Some("Sag") };
    document.extend(writer.end(&tail).unwrap());
    assert_eq!(
        String::from_utf8(document).unwrap(),
        r#"<?xml version="1.0" encoding="UTF-8"?>
<cat:DCMCatalog UID="1.2.3.1" xmlns:cat="http://nrg.wustl.edu/catalog" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <cat:entries>
    <cat:entry URI="a-4-92.dcm" UID="1.2.3.4" instanceNumber="92" xsi:type="cat:dcmEntry"/>
    <cat:entry URI="b.dcm" UID="1.2.3.5" xsi:type="cat:dcmEntry"/>
  </cat:entries>
  <cat:dimensions x="256" y="256" z="2"/>
  <cat:voxelRes x="1.0" y="1.0" z="1.5"/>
  <cat:orientation>Sag</cat:orientation>
</cat:DCMCatalog>
"#
    );
}

#[test]
fn a_general_catalog_with_all_that_an_entry_can_say() {
    let head = CatalogHead { id: "NOTES", ..Default::default() };
    let (mut writer, mut document) = CatalogWriter::begin(CatalogKind::General, &head).unwrap();
    let entry = CatalogEntry {
        uri: "a/read <me>.txt",
        id: "a/read <me>.txt",
        name: "read <me>.txt",
        cache_path: "a/read <me>.txt",
        created_by: "admin",
        created_time: "2024-05-01 10:22:33.123",
        created_event_id: Some(17),
        digest: "9e107d9d372bb6826bd81d3542a419d6",
        format: "TXT",
        content: "doc",
        meta_fields: &[("SIZE", "43")],
        tags: &["a&b"],
        ..Default::default()
    };
    document.extend(writer.entry(&entry).unwrap());
    document.extend(writer.end(&CatalogTail::default()).unwrap());
    elements(&document);
    assert_eq!(
        String::from_utf8(document).unwrap(),
        r#"<?xml version="1.0" encoding="UTF-8"?>
<cat:Catalog ID="NOTES" xmlns:cat="http://nrg.wustl.edu/catalog" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <cat:entries>
    <cat:entry URI="a/read &lt;me&gt;.txt" ID="a/read &lt;me&gt;.txt" name="read &lt;me&gt;.txt" cachePath="a/read &lt;me&gt;.txt" createdBy="admin" createdTime="2024-05-01 10:22:33.123" createdEventId="17" digest="9e107d9d372bb6826bd81d3542a419d6" format="TXT" content="doc">
      <cat:metaFields>
        <cat:metaField name="SIZE">43</cat:metaField>
      </cat:metaFields>
      <cat:tags>
        <cat:tag>a&amp;b</cat:tag>
      </cat:tags>
    </cat:entry>
  </cat:entries>
</cat:Catalog>
"#
    );
}

#[test]
fn an_empty_catalog_is_whole_and_a_long_one_is_never_held() {
    let (writer, mut document) = CatalogWriter::begin(CatalogKind::General, &CatalogHead::default()).unwrap();
    assert!(document.starts_with(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<cat:Catalog"));
    document.extend(writer.end(&CatalogTail::default()).unwrap());
    assert_eq!(elements(&document), 2);

    let (mut writer, mut document) = CatalogWriter::begin(CatalogKind::Dicom, &CatalogHead::default()).unwrap();
    for n in 0..1_000 {
        let name = format!("{n}\u{1}.dcm");
        let piece = writer.entry(&CatalogEntry { uri: &name, uid: "1.2", ..Default::default() }).unwrap();
        assert!(piece.len() < 200);
        document.extend(piece);
    }
    document.extend(writer.end(&CatalogTail::default()).unwrap());
    assert_eq!(elements(&document), 1_002);
}

#[test]
fn the_document_of_an_ecat_session_shows_none_of_our_uids() {
    let header = EcatFile::new().dicom();
    let session = build_session(&[SeriesSummary::of(&header)], PetMr::PetMr);
    let ecat = Resource { label: "ECAT".into(), format: "ECAT".into(), ..dicom("SCANS/1/ECAT/scan_1_catalog.xml") };
    let scan = ScanContext { resources: vec![ecat], ..Default::default() };
    let context = SessionContext { scans: BTreeMap::from([("1".into(), scan)]), ..Default::default() };
    let document = session_document(&session, &context).unwrap();
    elements(&document);
    let document = String::from_utf8(document).unwrap();
    assert!(document.contains("<xnat:PETSession ") && !document.contains("UID="), "{document}");
    for part in [
        r#"<xnat:scan ID="1" xsi:type="xnat:petScanData">"#,
        r#"content="RAW" format="ECAT" label="ECAT""#,
        r#"<xnat:frames numFrames="1"/>"#,
        r#"<xnat:dimensions x="4" y="3" z="2"/>"#,
        r#"<xnat:pixelSize x="2.2" y="2.5" z="3.125"/>"#,
        r#"<xnat:isotope half-life="6586.2">F-18</xnat:isotope>"#,
        "<xnat:studyType>brain</xnat:studyType>",
    ] {
        assert!(document.contains(part), "{part} in {document}");
    }
}
