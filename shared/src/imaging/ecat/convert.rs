//! The header of an ECAT file in DICOM's terms.

use super::header::EcatHeader;
use super::uid::{ECAT_CLASS, derived};
use crate::imaging::header::{DicomHeader, Preamble};
use crate::imaging::tags::{self, Tag};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// The group of the elements that stand for values of ECAT that DICOM has no element for. A private group (DICOM PS3.5
/// 7.8), which is never read from a DICOM file.
pub const PRIVATE_GROUP: u16 = 0x0EC7;
/// The name that the file was written under.
pub const ORIGINAL_FILE_NAME: Tag = Tag(PRIVATE_GROUP, 0x1001);
/// The site's own code of the kind of study.
pub const STUDY_TYPE: Tag = Tag(PRIVATE_GROUP, 0x1002);
/// Model number of the scanner.
pub const SYSTEM_TYPE: Tag = Tag(PRIVATE_GROUP, 0x1003);
/// Code of what the file holds.
pub const FILE_TYPE: Tag = Tag(PRIVATE_GROUP, 0x1004);
/// Code of how a voxel is written.
pub const DATA_TYPE: Tag = Tag(PRIVATE_GROUP, 0x1005);

const SECONDS_A_DAY: u32 = 24 * 60 * 60;

impl EcatHeader {
    /// The same in DICOM's terms: what sorts, names, and documents images takes this.
    ///
    /// UIDs are derived: the study's from patient, facility and the day of the scan, as files of one session may be
    /// described differently; the series' from those, the start of the scan and the original file name; the instance's from main header and first
    /// subheader. Dates and times are in UTC.
    pub fn into_dicom(self) -> DicomHeader {
        let start = self.scan_start.unwrap_or_default();
        let day = (start / SECONDS_A_DAY).to_be_bytes();
        let study = derived(
            "study",
            &[self.patient_id.as_bytes(), self.patient_name.as_bytes(), self.facility.as_bytes(), &day],
        );
        let series = derived("series", &[study.as_bytes(), &start.to_be_bytes(), self.original_file_name.as_bytes()]);
        let instance = derived("instance", &[&self.digest]);
        let mut header = DicomHeader {
            transfer_syntax: None,
            sop_class_uid: ECAT_CLASS.to_owned(),
            sop_instance_uid: instance,
            study_instance_uid: study,
            series_instance_uid: series,
            instance_number: None,
            frames: u32::from(self.frames),
            preamble: Preamble::Absent,
            least_bytes: Some(self.least_bytes),
            tags: self.tags(),
        };
        for (tag, uid) in [
            (tags::SOP_CLASS_UID, &header.sop_class_uid),
            (tags::SOP_INSTANCE_UID, &header.sop_instance_uid),
            (tags::STUDY_INSTANCE_UID, &header.study_instance_uid),
            (tags::SERIES_INSTANCE_UID, &header.series_instance_uid),
        ] {
            header.tags.insert(tag, uid.clone());
        }
        header
    }

    fn tags(&self) -> BTreeMap<Tag, String> {
        let mut tags = BTreeMap::new();
        let mut set = |tag: Tag, text: &str| {
            if !text.is_empty() {
                tags.insert(tag, text.to_owned());
            }
        };
        set(tags::MODALITY, "PT");
        if let Some((date, time)) = self.scan_start.and_then(|seconds| date_and_time(seconds.into())) {
            set(tags::STUDY_DATE, &date);
            set(tags::ACQUISITION_DATE, &date);
            // The session's time is that of the first of its scans.
            set(tags::ACQUISITION_TIME, &time);
        }
        set(tags::STUDY_DESCRIPTION, &self.study_description);
        set(tags::SERIES_DESCRIPTION, &self.study_description);
        set(tags::INSTITUTION_NAME, &self.facility);
        set(tags::OPERATORS_NAME, &self.operator);
        set(tags::PATIENT_ID, &self.patient_id);
        set(tags::PATIENT_NAME, &self.patient_name);
        set(tags::PATIENT_SEX, &self.patient_sex.map(String::from).unwrap_or_default());
        if let Some((date, _)) = self.patient_birth.and_then(|seconds| date_and_time(seconds.into())) {
            set(tags::PATIENT_BIRTH_DATE, &date);
        }
        if self.system_type > 0 {
            let model = format!("ECAT {}", self.system_type);
            set(tags::STATION_NAME, &model);
            set(tags::MANUFACTURER_MODEL_NAME, &model);
            set(SYSTEM_TYPE, &self.system_type.to_string());
        }
        let tracer = [&self.radiopharmaceutical, &self.isotope].into_iter().find(|name| !name.is_empty());
        set(tags::RADIOPHARMACEUTICAL, tracer.map(String::as_str).unwrap_or_default());
        set(tags::RADIONUCLIDE_CODE_SEQUENCE, &self.isotope);
        set(tags::RADIONUCLIDE_HALF_LIFE, &shown(self.half_life_seconds));
        set(ORIGINAL_FILE_NAME, &self.original_file_name);
        set(STUDY_TYPE, &self.study_type);
        set(FILE_TYPE, &self.file_type.code().to_string());
        set(DATA_TYPE, &self.image.data_type.to_string());
        let [columns, rows, _] = self.image.size;
        set(tags::COLUMNS, &columns.to_string());
        set(tags::ROWS, &rows.to_string());
        set(tags::NUMBER_OF_SLICES, &self.planes.to_string());
        set(tags::NUMBER_OF_TIME_SLICES, &self.frames.to_string());
        set(tags::NUMBER_OF_TIME_SLOTS, &self.gates.to_string());
        let [x, y, z] = self.image.voxel_mm;
        if let (Some(x), Some(y)) = (x, y) {
            // The distance of the rows comes first (DICOM PS3.3 10.7.1.3).
            set(tags::PIXEL_SPACING, &format!("{y}\\{x}"));
        }
        set(tags::SLICE_THICKNESS, &shown(z));
        set(tags::SPACING_BETWEEN_SLICES, &shown(self.plane_separation_mm));
        set(tags::RECONSTRUCTION_DIAMETER, &shown(self.transaxial_fov_mm));
        if self.image.frame_duration_ms > 0 {
            set(tags::ACTUAL_FRAME_DURATION, &self.image.frame_duration_ms.to_string());
        }
        tags
    }
}

fn shown(number: Option<impl ToString>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// `yyyyMMdd` and `HHmmss` (DICOM PS3.5 6.2, DA and TM) in UTC.
fn date_and_time(seconds: i64) -> Option<(String, String)> {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    let (year, month, day) = moment.to_calendar_date();
    let (hour, minute, second) = moment.to_hms();
    Some((format!("{year:04}{:02}{day:02}", u8::from(month)), format!("{hour:02}{minute:02}{second:02}")))
}
