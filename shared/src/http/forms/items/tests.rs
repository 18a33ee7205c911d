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
    )
    .unwrap();
    assert_eq!(form.xsi_type, Some(SessionType::new("mr")));
    assert_eq!(form.change.fields, [Field::text("note", "a"), Field::text("date", "2024-05-01")]);
    assert_eq!((form.change.status, form.fixed["label"].as_str()), (Some(StatusChange::Lock), "L"));
    for query in
        ["xsiType=xnat:fooSessionData", "xsiType=xnat:mrScanData", "nothing=1", "date=x", "lock=true&activate=true"]
    {
        assert_eq!(ExperimentForm::read(None, &params(query)).unwrap_err().status.number(), 400, "{query}");
    }
    assert_eq!(ExperimentForm::read(None, &params("pullDataFromHeaders=true")).unwrap_err().status.number(), 501);
    let form =
        ScanForm::read(None, &params("xsiType=xnat:mrScanData&type=T1&frames=3&xnat:mrScanData/note=n")).unwrap();
    assert_eq!(form.change.xsi_type, Some(ScanType::new("mr")));
    assert_eq!((form.change.scan_type.as_deref(), form.change.frames), (Some("T1"), Some(3)));
    assert_eq!(form.change.fields, [Field::text("note", "n")]);
    let xml = b"<xnat:MRScan xmlns:xnat=\"http://nrg.wustl.edu/xnat\" ID=\"4\" type=\"t\"><xnat:quality>usable</xnat:quality></xnat:MRScan>";
    let form = ScanForm::read(Some(xml), &params("")).unwrap();
    assert_eq!((form.id.as_deref(), form.change.quality.as_deref()), (Some("4"), Some("usable")));
    for query in ["xsiType=xnat:mrSessionData", "frames=x", "file=1"] {
        assert_eq!(ScanForm::read(None, &params(query)).unwrap_err().status.number(), 400, "{query}");
    }
}
