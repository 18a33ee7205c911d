//! The tables of session and scan types, rule by rule.

use super::sop_classes::{SCAN_TYPES, SESSION_GROUPS};
use super::summary::TagValues;
use super::types::*;
use super::types::{GROUP_ORDER, SCAN_TYPE_ORDER};
use super::{SeriesSummary, tags};
use std::collections::BTreeMap;

const MR: &str = "1.2.840.10008.5.1.4.1.1.4";
const PET: &str = "1.2.840.10008.5.1.4.1.1.128";
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const SC: &str = "1.2.840.10008.5.1.4.1.1.7";
const RTSTRUCT: &str = "1.2.840.10008.5.1.4.1.1.481.3";
const RTDOSE: &str = "1.2.840.10008.5.1.4.1.1.481.2";

fn series(class: &str, modality: &str) -> SeriesSummary {
    SeriesSummary {
        sop_classes: BTreeMap::from([(class.to_owned(), 1)]),
        tags: BTreeMap::from([(tags::MODALITY, TagValues::One(modality.to_owned()))]),
        ..Default::default()
    }
}

fn session(of: &[(&str, &str)]) -> String {
    let all: Vec<_> = of.iter().map(|(class, modality)| series(class, modality)).collect();
    session_type(&all, PetMr::PetMr).to_string()
}

#[test]
fn pet_and_mr_together_are_a_type_of_their_own_or_as_configured() {
    let both = [series(PET, "PT"), series(MR, "MR")];
    let petmr = session_type(&both, PetMr::PetMr);
    assert_eq!((petmr.as_str(), petmr.element().as_str()), ("xnat:petmrSessionData", "xnat:PETMRSession"));
    assert_eq!(session_modality(&petmr, &both).as_deref(), Some("PET/MR"));
    assert_eq!(session_type(&both, PetMr::AsPet).as_str(), "xnat:petSessionData");
}

#[test]
fn sop_classes_decide_before_modalities() {
    assert_eq!(session(&[(CT, "CT"), (PET, "PT"), (RTSTRUCT, "RTSTRUCT")]), "xnat:petSessionData");
    assert_eq!(session(&[(RTSTRUCT, "RTSTRUCT"), (MR, "MR")]), "xnat:mrSessionData");
    assert_eq!(session(&[(MR, "")]), "xnat:mrSessionData");
    assert_eq!(session(&[("1.2.840.10008.5.1.4.1.1.13.1.1", "XA")]), "xnat:xaSessionData");
}

#[test]
fn modalities_decide_where_classes_do_not() {
    assert_eq!(session(&[(SC, "CT")]), "xnat:ctSessionData");
    assert_eq!(session(&[(RTDOSE, "RT")]), "xnat:rtSessionData");
    assert_eq!(session(&[(RTDOSE, "RTDOSE")]), "xnat:otherDicomSessionData");
    assert_eq!(session(&[(SC, "IVUS")]), "xnat:usSessionData");
    assert_eq!(session(&[(SC, "OT")]), "xnat:otherDicomSessionData");
    assert_eq!(session(&[]), "xnat:otherDicomSessionData");
}

#[test]
fn scan_types_follow_sop_classes_in_order() {
    assert_eq!(scan_type(&series(MR, "x")).as_str(), "xnat:mrScanData");
    assert_eq!(scan_type(&series(RTSTRUCT, "x")).as_str(), "xnat:rtImageScanData");
    assert_eq!(scan_type(&series("1.2.840.10008.5.1.4.1.1.88.67", "SR")).as_str(), "xnat:srScanData");
    assert_eq!(scan_type(&series("1.2.840.10008.5.1.4.1.1.88.59", "KO")).as_str(), "xnat:otherDicomScanData");
    assert_eq!(scan_type(&series("1.3.12.2.1107.5.9.1", "MR")).as_str(), "xnat:otherDicomScanData");
    let mut mixed = series(SC, "MR");
    mixed.sop_classes.insert(MR.to_owned(), 3);
    assert_eq!(scan_type(&mixed).as_str(), "xnat:mrScanData");
}

/// A class of each group, first the one that decides before the others, with the type of its scan.
const GROUPS: &[(&str, &str, &str)] = &[
    ("128", "pet", "pet"),
    ("4", "mr", "mr"),
    ("2.1", "ct", "ct"),
    ("12.1", "xa", "xa"),
    ("3.1", "us", "us"),
    ("1", "cr", "cr"),
    ("77.1.5.4", "opt", "opt"),
    ("1.2", "mg", "mg"),
    ("1.1", "dx", "dx"),
    ("20", "nm", "nm"),
    ("88.11", "sr", "sr"),
    ("77.1.6", "sm", "sm"),
    ("77.1.2", "gm", "gm"),
    ("12.2", "rf", "rf"),
    ("77.1.7", "dms", "dms"),
    ("77.1.8", "cfm", "cfm"),
    ("6.3", "pa", "pa"),
    ("9.1.1", "ecg", "ecg"),
    ("9.7.2", "emg", "emg"),
    ("9.7.3", "eog", "eog"),
    ("9.6.1", "resp", "resp"),
    ("9.8.1", "pos", "pos"),
    ("104.4", "obj", "obj"),
];

fn class(part: &str) -> String {
    format!("1.2.840.10008.5.1.4.1.1.{part}")
}

#[test]
fn the_first_group_present_decides() {
    for (at, (first, group, _)) in GROUPS.iter().enumerate() {
        for (second, _, _) in &GROUPS[at..] {
            let of = [series(&class(second), "x"), series(&class(first), "y")];
            let expected = match (*first, *second) {
                ("128", "4") => "petmr",
                _ => group,
            };
            assert_eq!(session_type(&of, PetMr::PetMr).name(), expected, "{first} and {second}");
        }
    }
}

#[test]
fn the_first_modality_present_decides_where_classes_do_not() {
    const ORDER: &str = "PT=pet MR=mr CT=ct XA=xa US=us RT=rt CR=cr OPT=opt MG=mg DX=dx NM=nm EEG=eeg ECG=ecg \
        EMG=emg EOG=eog IVUS=us SM=sm GM=gm RF=rf ES=es XC=xc RG=rg DMS=dms CFM=cfm PA=pa RESP=resp POS=pos OBJ=obj \
        OT=otherDicom SR=sr SC=otherDicom ANN=otherDicom";
    let order: Vec<_> = ORDER.split_whitespace().map(|pair| pair.split_once('=').unwrap()).collect();
    for (at, (first, name)) in order.iter().enumerate() {
        for (second, _) in &order[at..] {
            let of = [series(SC, second), series(RTSTRUCT, first)];
            let decided = session_type(&of, PetMr::PetMr);
            assert_eq!(decided.name(), *name, "{first} and {second}");
            assert_eq!(session_modality(&decided, &of).as_deref(), Some(*first));
        }
    }
    assert_eq!(session(&[(SC, "WHAT")]), "xnat:otherDicomSessionData");
}

#[test]
fn the_first_type_present_is_that_of_the_scan() {
    // Those that decide nothing about the session have their places between.
    let mut order: Vec<_> = GROUPS.iter().map(|(part, _, scan)| (*part, *scan)).collect();
    order.insert(5, ("481.5", "rtImage"));
    order.insert(12, ("66.4", "seg"));
    order.insert(13, ("7.2", "sc"));
    order.insert(21, ("91.1", "ann"));
    order.extend([("104.5", "mtl"), ("9.2.1", "otherDicom")]);
    for (at, (first, name)) in order.iter().enumerate() {
        for (second, _) in &order[at..] {
            let mut both = series(&class(first), "x");
            both.sop_classes.insert(class(second), 7);
            assert_eq!(scan_type(&both).name(), *name, "{first} and {second}");
        }
    }
}

#[test]
fn every_scan_class_of_the_reference_has_its_type() {
    const TYPES: &str = "4=mr 4.1=mr 4.3=mr 130=pet 2=ct 13.1.1=xa 6.1=us 481.1=rtImage 481.2=rtImage 481.3=rtImage \
        481.8=rtImage 481.4=rtImage 481.6=rtImage 481.7=rtImage 1.2.1=mg 1.1.1=dx 88.22=sr 88.33=sr 88.34=sr 7=sc \
        7.1=sc 7.3=sc 7.4=sc 9.1.3=ecg 1.3=otherDicom 77.1.1.1=otherDicom 77.1.2.1=otherDicom 77.1.4.1=otherDicom \
        77.1.5.1=otherDicom 9.3.1=otherDicom 13.1.2=otherDicom 66=otherDicom 104.1=otherDicom";
    for (part, name) in TYPES.split_whitespace().map(|pair| pair.split_once('=').unwrap()) {
        assert_eq!(scan_type(&series(&class(part), "x")).name(), name, "{part}");
    }
}

#[test]
fn every_type_in_the_tables_has_a_place_in_the_order() {
    assert!(SESSION_GROUPS.iter().all(|(_, group)| GROUP_ORDER.contains(group)));
    assert!(SCAN_TYPES.iter().all(|(_, name)| SCAN_TYPE_ORDER.contains(name)));
}

#[test]
fn types_have_xml_names() {
    assert_eq!(SessionType::new("mr").element(), "xnat:MRSession");
    for (name, element) in [("petmr", "PETMR"), ("sm", "SM"), ("resp", "RESP"), ("otherDicom", "OtherDicom")] {
        assert_eq!(SessionType::new(name).element(), format!("xnat:{element}Session"));
    }
    assert_eq!(SessionType::OTHER, SessionType::new("otherDicom"));
    assert_eq!(ScanType::new("rtImage").element(), "xnat:RTImageScan");
    assert_eq!(ScanType::parse("xnat:mrScanData"), Some(ScanType::new("mr")));
    assert_eq!(ScanType::parse("xnat:mrSessionData"), None);
    assert_eq!(ScanType::parse("xnat:<x>ScanData"), None);
}
