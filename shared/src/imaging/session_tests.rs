//! Behaviour of the session builder.

use super::session::{date, time};
use super::testing::{ct_series, mr_series};
use super::{Field, PetMr, SeriesSummary, TagValues, build_session, tags};
use std::collections::BTreeMap;

fn shown(fields: &[Field]) -> Vec<String> {
    fields.iter().map(|field| format!("{}={}", field.path, field.value)).collect()
}

#[test]
fn the_fields_of_an_mr_session_come_in_schema_order() {
    let session = build_session(&[mr_series()], PetMr::PetMr);
    assert_eq!(
        shown(&session.flat_fields()),
        [
            "UID=1.3.12.2.1107.5.2.32.35177.30000006121218324675000000034",
            "modality=MR",
            "session_type=Head^Routine",
            "date=2006-12-14",
            "time=09:12:06",
            "acquisition_site=Hospital",
            "scanner/manufacturer=SIEMENS",
            "scanner/model=TrioTim",
            "scanner=MEDPC",
            "operator=OP",
            "dcmPatientId=S01_MR1",
            "dcmPatientName=S01",
            "fieldStrength=3.0",
        ]
    );
    assert_eq!(
        shown(&session.scans[0].flat_fields()),
        [
            "ID=4",
            "UID=1.3.12.2.1107.5.2.32.35177.3.2006121409284535196417894.0.0.0",
            "series_description=t1_mpr_1mm_p2_pos50",
            "scanner/manufacturer=SIEMENS",
            "scanner/model=TrioTim",
            "scanner=MEDPC",
            "modality=MR",
            "frames=176",
            "startTime=09:14:25",
            "fieldStrength=3.0",
            "parameters/voxelRes/x=1.0",
            "parameters/voxelRes/y=1.0",
            "parameters/voxelRes/z=1.0",
            "parameters/orientation=Sag",
            "parameters/fov/x=256",
            "parameters/fov/y=256",
            "parameters/tr=2400.0",
            "parameters/te=3.08",
            "parameters/ti=1000.0",
            "parameters/flip=8.0",
            "parameters/imageType=ORIGINAL\\PRIMARY\\M\\ND\\NORM",
        ]
    );
}

#[test]
fn what_differs_is_left_out_and_stations_are_joined() {
    let session = build_session(&[ct_series()], PetMr::PetMr);
    let scan = &session.scans[0];
    assert_eq!(scan.scanner.name, "CT01,CT02");
    assert_eq!(scan.start_time.as_deref(), Some("01:03:04"));
    assert_eq!((session.date.as_deref(), session.time.as_deref()), (Some("2019-02-03"), Some("01:02:00")));
    let fields = shown(&scan.flat_fields());
    assert!(fields.iter().all(|field| !field.contains("xrayTubeCurrent")));
    assert!(fields.contains(&"parameters/rotationDirection=CC".to_owned()));
    assert!(fields.contains(&"parameters/voxelRes/x=0.8".to_owned()), "columns come first: {fields:?}");
    assert_eq!(scan.dimensions, Some([512, 400, 3]));
    assert_eq!(scan.voxel_size, Some([0.8, 0.7, 5.0]));
    assert_eq!(scan.orientation.as_deref(), Some("Tra"));
}

#[test]
fn several_echo_times_are_listed() {
    let mut series = mr_series();
    let echoes = TagValues::Several { values: vec!["12.5".into(), "4".into(), "8.0".into()], more: false };
    series.tags.insert(tags::ECHO_TIME, echoes);
    let fields = shown(&build_session(&[series], PetMr::PetMr).scans[0].parameters);
    assert!(fields.iter().all(|field| !field.starts_with("parameters/te=")));
    let listed: Vec<_> = fields.iter().filter(|field| field.contains("MultiEcho")).collect();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[0], "parameters/addParam[name=MultiEcho_TE1]=4.0");
    assert_eq!(listed[2], "parameters/addParam[name=MultiEcho_TE3]=12.5");
}

#[test]
fn a_pet_session_names_its_tracer() {
    let mut series = mr_series();
    series.sop_classes = BTreeMap::from([("1.2.840.10008.5.1.4.1.1.128".to_owned(), 176)]);
    for (tag, value) in [
        (tags::RADIOPHARMACEUTICAL, "FDG"),
        (tags::RADIOPHARMACEUTICAL_START_TIME, "080000.00"),
        (tags::RADIONUCLIDE_TOTAL_DOSE, "3.7e8"),
        (tags::RADIONUCLIDE_CODE_SEQUENCE, "^18^Fluorine"),
        (tags::NUMBER_OF_SLICES, "47"),
    ] {
        series.tags.insert(tag, TagValues::One(value.to_owned()));
    }
    let session = build_session(&[series], PetMr::PetMr);
    let fields = shown(&session.flat_fields());
    for expected in [
        "start_time_injection=08:00:00",
        "tracer/name=FDG",
        "tracer/dose=370000000.0",
        "tracer/dose/units=Bq",
        "tracer/isotope=^18^Fluorine",
    ] {
        assert!(fields.contains(&expected.to_owned()), "{expected}: {fields:?}");
    }
    let parameters = shown(&session.scans[0].parameters);
    assert!(parameters.contains(&"parameters/facility=Hospital".to_owned()));
    assert!(parameters.contains(&"parameters/numPlanes=47".to_owned()));
}

#[test]
fn scans_are_listed_in_the_order_of_their_numbers() {
    let of = |number: &str, uid: &str| {
        let mut series: SeriesSummary = mr_series();
        series.series_uid = uid.to_owned();
        series.tags.insert(tags::SERIES_NUMBER, TagValues::One(number.to_owned()));
        series
    };
    let session = build_session(&[of("10", "1.1"), of("9", "1.2"), of("9", "1.3"), of("", "1.4")], PetMr::PetMr);
    let ids: Vec<_> = session.scans.iter().map(|scan| scan.id.as_str()).collect();
    assert_eq!(ids, ["1_4", "9-MR1", "9-MR2", "10"]);
}

#[test]
fn sessions_come_back_from_json_the_same() {
    for series in [mr_series(), ct_series()] {
        let session = build_session(&[series], PetMr::PetMr);
        let json = serde_json::to_string(&session).unwrap();
        assert_eq!(serde_json::from_str::<super::ImageSession>(&json).unwrap(), session, "{json}");
    }
}

#[test]
fn dates_and_times_of_ps3_5_6_2() {
    assert_eq!(date("20061214").as_deref(), Some("2006-12-14"));
    assert_eq!(date("2006.12.14").as_deref(), Some("2006-12-14"));
    for bad in ["", "2006", "20061314", "20061200", "20060229", "20060231", "2006-12-", "２００６１２１４"] {
        assert_eq!(date(bad), None, "{bad}");
    }
    assert_eq!(time("091206.156000").as_deref(), Some("09:12:06"));
    assert_eq!(time("0912").as_deref(), Some("09:12:00"));
    assert_eq!(time("09:12:06").as_deref(), Some("09:12:06"));
    assert_eq!(time("091206+0100").as_deref(), Some("09:12:06"));
    assert_eq!(time("235960").as_deref(), Some("23:59:59"));
    for bad in ["", "9", "246060", "12x0", "1260", "091"] {
        assert_eq!(time(bad), None, "{bad}");
    }
}
