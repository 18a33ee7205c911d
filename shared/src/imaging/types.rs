//! XNAT's data types of sessions and scans, decided by SOP classes and modalities.

use super::sop_classes::{KEY_OBJECT, SCAN_TYPES, SESSION_GROUPS, SR_FAMILY_PREFIX};
use super::summary::SeriesSummary;
use super::tags;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What becomes of a study with both PET and MR images, a setting of project and site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PetMr {
    /// One PET/MR session.
    #[default]
    PetMr,
    /// One PET session.
    AsPet,
    /// Two sessions; the caller divides the series with [`is_mr`] first, and what is built is then one of the two.
    Separate,
}

/// Short names of session types, by SOP class group: the first that is present decides.
static GROUP_ORDER: &[&str] = &[
    "pet", "mr", "ct", "xa", "us", "rt", "cr", "opt", "mg", "dx", "nm", "sr", "sm", "gm", "rf", "es", "rg", "dms",
    "cfm", "pa", "ecg", "emg", "eog", "resp", "pos", "obj", "eeg",
];

/// Modality (0008,0060) and the short name of its session type: the first that is present decides.
static MODALITY_ORDER: &[(&str, &str)] = &[
    ("PT", "pet"),
    ("MR", "mr"),
    ("CT", "ct"),
    ("XA", "xa"),
    ("US", "us"),
    ("RT", "rt"),
    ("CR", "cr"),
    ("OPT", "opt"),
    ("MG", "mg"),
    ("DX", "dx"),
    ("NM", "nm"),
    ("EEG", "eeg"),
    ("ECG", "ecg"),
    ("EMG", "emg"),
    ("EOG", "eog"),
    ("IVUS", "us"),
    ("SM", "sm"),
    ("GM", "gm"),
    ("RF", "rf"),
    ("ES", "es"),
    ("XC", "xc"),
    ("RG", "rg"),
    ("DMS", "dms"),
    ("CFM", "cfm"),
    ("PA", "pa"),
    ("RESP", "resp"),
    ("POS", "pos"),
    ("OBJ", "obj"),
    ("OT", "otherDicom"),
    ("SR", "sr"),
    ("SC", "otherDicom"),
    ("ANN", "otherDicom"),
];

/// Short names of scan types: the first that a series has an object of decides.
static SCAN_TYPE_ORDER: &[&str] = &[
    "pet",
    "mr",
    "ct",
    "xa",
    "us",
    "rtImage",
    "cr",
    "opt",
    "mg",
    "dx",
    "nm",
    "sr",
    "seg",
    "sc",
    "sm",
    "gm",
    "rf",
    "es",
    "rg",
    "dms",
    "cfm",
    "pa",
    "ecg",
    "ann",
    "emg",
    "eog",
    "resp",
    "pos",
    "obj",
    "mtl",
    "eeg",
    "otherDicom",
];

macro_rules! xsi_type {
    ($(#[$doc:meta])* $type:ident, $suffix:literal, $element:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Cow<'static, str>);

        impl $type {
            /// The type of whatever has no type of its own.
            pub const OTHER: Self = Self(Cow::Borrowed(concat!("xnat:otherDicom", $suffix)));

            /// The type with this short name, `mr` for example.
            pub fn new(name: &str) -> Self {
                Self(Cow::Owned(format!("xnat:{name}{}", $suffix)))
            }

            /// The type with this `xsi:type`; `None` if the text is not one of this kind of item.
            pub fn parse(xsi_type: &str) -> Option<Self> {
                let name = xsi_type.strip_prefix("xnat:")?.strip_suffix($suffix)?;
                let well_formed = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
                well_formed.then(|| Self(Cow::Owned(xsi_type.to_owned())))
            }

            /// The `xsi:type`.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The short name, `mr` for example.
            pub fn name(&self) -> &str {
                let name = self.0.strip_prefix("xnat:").unwrap_or(&self.0);
                name.strip_suffix($suffix).unwrap_or(name)
            }

            /// The name of the XML element that is an item of this type when it is the root of a document.
            pub fn element(&self) -> String {
                match self.name() {
                    "otherDicom" => concat!("xnat:OtherDicom", $element).to_owned(),
                    "rtImage" => concat!("xnat:RTImage", $element).to_owned(),
                    name => format!("xnat:{}{}", name.to_ascii_uppercase(), $element),
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

xsi_type! {
    /// The data type of an image session: `xnat:mrSessionData`, in XML `xnat:MRSession`.
    SessionType, "SessionData", "Session"
}

xsi_type! {
    /// The data type of a scan: `xnat:mrScanData`, in XML `xnat:MRScan`.
    ScanType, "ScanData", "Scan"
}

/// The type of a session of these series.
///
/// XNAT's rule: PET and MR images together make a PET/MR session (or as the setting says); else the first SOP class
/// group present decides; else the first modality present; else it is another DICOM session.
pub fn session_type(series: &[SeriesSummary], pet_mr: PetMr) -> SessionType {
    let groups: Vec<&str> = series.iter().flat_map(|one| one.sop_classes.keys()).filter_map(|u| group(u)).collect();
    if groups.contains(&"pet") && groups.contains(&"mr") {
        return SessionType::new(if pet_mr == PetMr::AsPet { "pet" } else { "petmr" });
    }
    // RT images and doses are decided by modality, as XNAT does in effect: its RT group never finds its type.
    if let Some(name) = GROUP_ORDER.iter().find(|name| groups.contains(name) && **name != "rt") {
        return SessionType::new(name);
    }
    let modalities = modalities(series);
    let known = MODALITY_ORDER.iter().find(|(modality, _)| modalities.contains(modality));
    known.map_or(SessionType::OTHER, |(_, name)| SessionType::new(name))
}

/// The type of the scan of this series, by its SOP classes.
pub fn scan_type(series: &SeriesSummary) -> ScanType {
    let names: Vec<&str> = series.sop_classes.keys().map(|uid| scan_type_name(uid)).collect();
    let name = SCAN_TYPE_ORDER.iter().find(|name| names.contains(name));
    name.map_or(ScanType::OTHER, |name| ScanType::new(name))
}

/// Session attribute `modality`: `PET/MR` for such sessions, else the leading modality of the series.
pub fn session_modality(session_type: &SessionType, series: &[SeriesSummary]) -> Option<String> {
    match session_type.name() {
        "petmr" => Some("PET/MR".to_owned()),
        // The class decided; its modality leads if the series have it, whatever else they have.
        _ => leading_modality(modalities(series)).map(str::to_owned),
    }
}

/// The leading one of several modalities: the first in the order that decides session types, else the smallest.
pub fn leading_modality<'a>(modalities: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let rank = |modality: &str| MODALITY_ORDER.iter().position(|(known, _)| *known == modality).unwrap_or(usize::MAX);
    modalities.into_iter().filter(|modality| !modality.is_empty()).min_by_key(|modality| (rank(modality), *modality))
}

/// Whether a series holds MR images, which the MR part of a separated PET/MR study is made of.
pub fn is_mr(series: &SeriesSummary) -> bool {
    series.sop_classes.keys().any(|uid| group(uid) == Some("mr"))
}

fn modalities(series: &[SeriesSummary]) -> Vec<&str> {
    series.iter().flat_map(|one| one.all(tags::MODALITY)).map(String::as_str).collect()
}

fn group(sop_class_uid: &str) -> Option<&'static str> {
    SESSION_GROUPS.iter().find(|(uid, _)| *uid == sop_class_uid).map(|(_, group)| *group)
}

fn scan_type_name(sop_class_uid: &str) -> &'static str {
    match SCAN_TYPES.iter().find(|(uid, _)| *uid == sop_class_uid) {
        Some((_, name)) => name,
        None if sop_class_uid == KEY_OBJECT => "otherDicom",
        None if sop_class_uid.starts_with(SR_FAMILY_PREFIX) => "sr",
        None => "otherDicom",
    }
}

#[cfg(test)]
mod tests {
    use super::super::summary::TagValues;
    use super::*;
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

    #[test]
    fn every_type_in_the_tables_has_a_place_in_the_order() {
        assert!(SESSION_GROUPS.iter().all(|(_, group)| GROUP_ORDER.contains(group)));
        assert!(SCAN_TYPES.iter().all(|(_, name)| SCAN_TYPE_ORDER.contains(name)));
    }

    #[test]
    fn types_have_xml_names() {
        assert_eq!(SessionType::new("mr").element(), "xnat:MRSession");
        assert_eq!(SessionType::OTHER.element(), "xnat:OtherDicomSession");
        assert_eq!(ScanType::new("rtImage").element(), "xnat:RTImageScan");
        assert_eq!(ScanType::parse("xnat:mrScanData"), Some(ScanType::new("mr")));
        assert_eq!(ScanType::parse("xnat:mrSessionData"), None);
        assert_eq!(ScanType::parse("xnat:<x>ScanData"), None);
    }
}
