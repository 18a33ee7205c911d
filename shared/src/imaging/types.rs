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
pub(super) static GROUP_ORDER: &[&str] = &[
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
pub(super) static SCAN_TYPE_ORDER: &[&str] = &[
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

impl SessionType {
    /// The type with this `xsi:type`, if it is one that sessions are made of.
    pub fn known(xsi_type: &str) -> Option<Self> {
        let found = Self::parse(xsi_type)?;
        let by_modality = MODALITY_ORDER.iter().map(|(_, name)| *name);
        by_modality
            .chain(GROUP_ORDER.iter().copied())
            .chain(["petmr"])
            .any(|name| name == found.name())
            .then_some(found)
    }

    /// The type of documents whose root is this element, without namespace.
    pub fn of_element(element: &str) -> Option<Self> {
        Self::known(&format!("xnat:{}SessionData", name_in_element(element.strip_suffix("Session")?)))
    }
}

impl ScanType {
    /// The type with this `xsi:type`, if it is one that scans are made of.
    pub fn known(xsi_type: &str) -> Option<Self> {
        let found = Self::parse(xsi_type)?;
        SCAN_TYPE_ORDER.iter().any(|name| *name == found.name()).then_some(found)
    }

    /// The type of documents whose root is this element, without namespace.
    pub fn of_element(element: &str) -> Option<Self> {
        Self::known(&format!("xnat:{}ScanData", name_in_element(element.strip_suffix("Scan")?)))
    }
}

fn name_in_element(text: &str) -> String {
    match text {
        "OtherDicom" => "otherDicom".to_owned(),
        "RTImage" => "rtImage".to_owned(),
        text => text.to_ascii_lowercase(),
    }
}

xsi_type! {
    /// The data type of a scan: `xnat:mrScanData`, in XML `xnat:MRScan`.
    ScanType, "ScanData", "Scan"
}

impl SessionType {
    /// Every type that a session can be given here, some of them twice.
    pub fn all() -> impl Iterator<Item = Self> {
        let by_class = GROUP_ORDER.iter().copied().filter(|name| *name != "rt");
        let by_modality = MODALITY_ORDER.iter().map(|(_, name)| *name);
        by_class.chain(["petmr"]).chain(by_modality).map(Self::new).chain([Self::OTHER])
    }
}

impl ScanType {
    /// Every type that a scan can be given here, some of them twice.
    pub fn all() -> impl Iterator<Item = Self> {
        SCAN_TYPE_ORDER.iter().copied().map(Self::new).chain([Self::OTHER])
    }
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

/// Whether a modality has a rank in that order.
pub fn is_ranked(modality: &str) -> bool {
    MODALITY_ORDER.iter().any(|(known, _)| *known == modality)
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
