use super::*;
use crate::domain::archive::StatusChange;
use crate::imaging::Field;
use crate::imaging::types::{ScanType, SessionType};

fn params(query: &str) -> Params {
    Params::from_query(query).unwrap()
}

#[test]
fn fields_of_subjects_come_by_short_names_and_paths() {
    let form = SubjectForm::read(
        None,
        &params("gender=F&xnat:subjectData/demographics[@xsi:type%3Dxnat:demographicData]/yob=1970&group=&req_format=qs&label=N"),
    )
    .unwrap();
    assert_eq!(form.change.label.as_deref(), Some("N"));
    let fields: Vec<_> = form.change.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(fields, [("gender", "female"), ("group", ""), ("yob", "1970")]);
    for query in ["gender=x", "yob=abc", "dob=1970", "nothing=1", "xsiType=xnat:mrSessionData", "weight=NaN"] {
        assert_eq!(SubjectForm::read(None, &params(query)).unwrap_err().status.number(), 400, "{query}");
    }
}

#[test]
fn documents_of_subjects_are_read() {
    let xml = b"<xnat:Subject xmlns:xnat=\"http://nrg.wustl.edu/xnat\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
          label=\"S\" project=\"P\"><xnat:demographics xsi:type=\"xnat:demographicData\"><xnat:dob>05/09/1970</xnat:dob>\
          </xnat:demographics></xnat:Subject>";
    let form = SubjectForm::read(Some(xml), &params("")).unwrap();
    assert_eq!((form.project.as_deref(), form.change.label.as_deref()), (Some("P"), Some("S")));
    assert_eq!(form.change.fields["dob"], "1970-05-09");
    let other = b"<xnat:MRSession xmlns:xnat=\"http://nrg.wustl.edu/xnat\"/>";
    assert_eq!(SubjectForm::read(Some(other), &params("")).unwrap_err().status.number(), 422);
}

#[test]
fn experiments_and_scans_have_types_and_fields() {
    let form = ExperimentForm::read(
        None,
        &params("xsiType=xnat:mrSessionData&note=a&xnat:mrSessionData/date=2024-05-01&lock=true&label=L"),
        None,
    )
    .unwrap();
    assert_eq!(form.xsi_type, Some(SessionType::new("mr")));
    assert_eq!(form.change.fields, [Field::text("note", "a"), Field::text("date", "2024-05-01")]);
    assert_eq!((form.change.status, form.fixed["label"].as_str()), (Some(StatusChange::Lock), "L"));
    for query in
        ["xsiType=xnat:fooSessionData", "xsiType=xnat:mrScanData", "nothing=1", "date=x", "lock=true&activate=true"]
    {
        assert_eq!(ExperimentForm::read(None, &params(query), None).unwrap_err().status.number(), 400, "{query}");
    }
    let flags = params("pullDataFromHeaders=true&fixScanTypes=1&triggerPipelines=false&allowDataDeletion=true");
    let form = ExperimentForm::read(None, &flags, None).unwrap();
    assert_eq!((form.pulls_headers, form.change.fixes_scan_types, form.triggers), (true, true, false));
    assert!(!form.removes_others && !form.change.removes_other_scans, "there is no document that leaves anything out");
    let form =
        ScanForm::read(None, &params("xsiType=xnat:mrScanData&type=T1&frames=3&xnat:mrScanData/note=n"), None, "E")
            .unwrap();
    assert_eq!(form.change.xsi_type, Some(ScanType::new("mr")));
    assert_eq!((form.change.scan_type.as_deref(), form.change.frames), (Some("T1"), Some(3)));
    assert_eq!(form.change.fields, [Field::text("note", "n")]);
    let xml = b"<xnat:MRScan xmlns:xnat=\"http://nrg.wustl.edu/xnat\" ID=\"4\" type=\"t\"><xnat:quality>usable</xnat:quality></xnat:MRScan>";
    let form = ScanForm::read(Some(xml), &params(""), None, "E").unwrap();
    assert_eq!((form.id.as_deref(), form.change.quality.as_deref()), (Some("4"), Some("usable")));
    for query in ["xsiType=xnat:mrSessionData", "frames=x", "file=1"] {
        assert_eq!(ScanForm::read(None, &params(query), None, "E").unwrap_err().status.number(), 400, "{query}");
    }
}

const NS: &str = "xmlns:xnat=\"http://nrg.wustl.edu/xnat\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";

fn document(inner: &str) -> String {
    format!("<xnat:MRSession {NS} ID=\"E\" label=\"L\">{inner}</xnat:MRSession>")
}

fn present() -> Present {
    let resource = |label: &str| crate::imaging::Resource { label: label.to_owned(), ..Default::default() };
    Present {
        fields: vec![Field::text("ID", "E"), Field::text("note", "a"), Field::text("operator", "me")],
        by_hand: vec!["note".to_owned(), "operator".to_owned()],
        resources: vec![resource("NOTES")],
        scans: ["1", "2"]
            .map(|id| PresentScan {
                id: id.to_owned(),
                xsi_type: Some(ScanType::new("mr")),
                fields: vec![Field::text("ID", id), Field::text("quality", "usable")],
                resources: vec![resource("DICOM")],
            })
            .to_vec(),
    }
}

#[test]
fn of_a_session_s_document_only_what_is_new_is_a_change() {
    let inner = "<xnat:note>a</xnat:note><xnat:resources><xnat:resource label=\"NOTES\"/></xnat:resources>\
                 <xnat:operator>you</xnat:operator><xnat:scans>\
                 <xnat:scan ID=\"1\" xsi:type=\"xnat:mrScanData\"><xnat:image_session_ID>E</xnat:image_session_ID>\
                 <xnat:quality>usable</xnat:quality><xnat:file label=\"DICOM\" URI=\"x\"/></xnat:scan>\
                 <xnat:scan ID=\"3\" xsi:type=\"xnat:mrScanData\" type=\"T1\"/></xnat:scans>";
    let xml = document(inner);
    let form = ExperimentForm::read(Some(xml.as_bytes()), &params(""), Some(&present())).unwrap();
    assert_eq!(form.change.fields, [Field::text("operator", "you")]);
    let ids: Vec<&str> = form.change.scans.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((ids, form.change.removes_other_scans), (vec!["3"], false));
    let form = ExperimentForm::read(Some(xml.as_bytes()), &params("allowDataDeletion=true"), Some(&present())).unwrap();
    let ids: Vec<&str> = form.change.scans.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((ids, form.change.removes_other_scans), (vec!["1", "3"], true));
    let xml = document("<xnat:operator>me</xnat:operator>");
    let form = ExperimentForm::read(Some(xml.as_bytes()), &params("allowDataDeletion=true"), Some(&present())).unwrap();
    assert_eq!(form.change.fields, [Field::text("note", "")], "it was said by hand and is left out");
}

#[test]
fn what_a_session_s_document_cannot_say_is_refused() {
    for inner in [
        "<xnat:resources><xnat:resource label=\"OTHER\"/></xnat:resources>",
        "<xnat:resources><xnat:resource label=\"NOTES\" content=\"x\"/></xnat:resources>",
        "<xnat:scans><xnat:scan xsi:type=\"xnat:mrScanData\"/></xnat:scans>",
        "<xnat:scans><xnat:scan ID=\"3\"/><xnat:scan ID=\"3\"/></xnat:scans>",
        "<xnat:scans><xnat:scan ID=\"3\" xsi:type=\"xnat:mrSessionData\"/></xnat:scans>",
        "<xnat:scans><xnat:scan ID=\"1\"><xnat:file label=\"NIFTI\"/></xnat:scan></xnat:scans>",
        "<xnat:scans><xnat:scan ID=\"3\"><xnat:nothing>1</xnat:nothing></xnat:scan></xnat:scans>",
        "<xnat:assessors><xnat:assessor xsi:type=\"xnat:mrScanData\"/></xnat:assessors>",
        "<xnat:reconstructions><xnat:reconstructedImage ID=\"1\"/></xnat:reconstructions>",
    ] {
        let error = ExperimentForm::read(Some(document(inner).as_bytes()), &params(""), Some(&present())).unwrap_err();
        assert_eq!(error.status.number(), 400, "{inner}");
    }
}

#[test]
fn assessors_have_the_fields_of_their_types() {
    let manual = "xsiType=xnat:qcManualAssessorData";
    let read = |query: &str| AssessorForm::read(None, &params(query), None);
    let form = read(&format!("{manual}&pass=1&xnat:qcManualAssessorData/rater=ann&date=05/01/2024&label=Q")).unwrap();
    let fields = [Field::text("pass", "1"), Field::text("rater", "ann"), Field::text("date", "2024-05-01")];
    assert_eq!((form.change.fields, form.fixed["label"].as_str()), (fields.to_vec(), "Q"));
    let form = read("xsiType=proc:genProcData&proc:genProcData/procstatus=NEED_INPUTS&note=n").unwrap();
    assert_eq!(form.change.fields, [Field::text("procstatus", "NEED_INPUTS"), Field::text("note", "n")]);
    for query in [
        "xsiType=xnat:mrSessionData",
        "xsiType=xnat:qcManualAssessorData&nothing=1",
        "xsiType=xnat:qcManualAssessorData&xnat:qcManualAssessorData/nothing=1",
        "xsiType=proc:genProcData&procstatus=x",
        "xsiType=proc:genProcData&proc:genProcData/a b=x",
        "xsiType=xnat:qcManualAssessorData&date=x",
    ] {
        assert_eq!(read(query).unwrap_err().status.number(), 400, "{query}");
    }
    let xml = format!(
        "<xnat:QCManualAssessment {NS} label=\"Q\"><xnat:fields><xnat:field name=\"a\">b</xnat:field></xnat:fields>\
         <xnat:pass>0</xnat:pass></xnat:QCManualAssessment>"
    );
    let form = AssessorForm::read(Some(xml.as_bytes()), &params(""), None).unwrap();
    assert_eq!(form.change.fields, [Field::text("fields/field[name=a]", "b"), Field::text("pass", "0")]);
    let scans =
        "<xnat:scans><xnat:scan xsi:type=\"xnat:mrQcScanData\"><xnat:motion>m</xnat:motion></xnat:scan></xnat:scans>";
    let xml = format!("<xnat:QCManualAssessment {NS}>{scans}</xnat:QCManualAssessment>");
    let form = AssessorForm::read(Some(xml.as_bytes()), &params(""), None).unwrap();
    let fields = [("scans/scan[1]/xsi:type", "xnat:mrQcScanData"), ("scans/scan[1]/motion", "m")];
    assert_eq!(form.change.fields, fields.map(|(path, value)| Field::text(path, value)));
    let session = document("");
    assert_eq!(AssessorForm::read(Some(session.as_bytes()), &params(""), None).unwrap_err().status.number(), 422);
}

#[test]
fn scans_have_the_fields_of_the_schema() {
    let read = |query: &str| ScanForm::read(None, &params(query), None, "E").unwrap().change.fields;
    let set = "xnat:mrScanData/marker=R&stabilization=s&dcmValidation/status=ok";
    let fields = [("marker", "R"), ("stabilization", "s"), ("dcmValidation/status", "ok")];
    assert_eq!(read(set), fields.map(|(path, value)| Field::text(path, value)));
    let inner = "<xnat:scans><xnat:scan ID=\"3\" xsi:type=\"xnat:mrScanData\" xnat_imagescandata_id=\"7\">\
                 <xnat:marker>R</xnat:marker></xnat:scan></xnat:scans>";
    let form = ExperimentForm::read(Some(document(inner).as_bytes()), &params(""), Some(&present())).unwrap();
    assert_eq!(form.change.scans[0].1.fields, [Field::text("marker", "R")]);
}
