//! The session that a set of series makes: all that can be known of it from headers.

use super::ecat::{self, shown_uid};
use super::fields::{Field, FieldValue, SCAN_SCHEMA, SESSION_SCHEMA, sort_by_schema};
use super::naming;
use super::parameters;
use super::summary::{SeriesSummary, TagValues, absorb_tags};
use super::tags::{self, Tag};
use super::types::{self, ScanType, SessionType};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::{Date, Month};

pub use super::types::PetMr;

/// The machine that took the images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scanner {
    /// Station names, joined by commas.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Manufacturer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub manufacturer: String,
    /// Manufacturer's model name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
}

/// An image session as far as headers tell: no ID, label or project, which are not theirs to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageSession {
    /// Its data type.
    #[serde(rename = "type")]
    pub xsi_type: SessionType,
    /// Study Instance UID; one that was made here ([`shown_uid`]) is not shown.
    pub uid: String,
    /// Leading modality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<String>,
    /// Study Date, `yyyy-MM-dd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Study Time, `HH:mm:ss`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The scanner, where all series agree.
    #[serde(default, skip_serializing_if = "Scanner::is_empty")]
    pub scanner: Scanner,
    /// All other fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// The scans, in the order of their IDs.
    pub scans: Vec<Scan>,
}

/// One scan: a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scan {
    /// Its ID within the session.
    pub id: String,
    /// Series Instance UID; one that was made here ([`shown_uid`]) is not shown.
    pub uid: String,
    /// Its data type.
    #[serde(rename = "type")]
    pub xsi_type: ScanType,
    /// Series Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series_description: Option<String>,
    /// Modality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<String>,
    /// Instances, or frames of multi-frame objects.
    pub frames: u64,
    /// When it began, `HH:mm:ss`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// When it began, `yyyy-MM-dd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// The scanner.
    #[serde(default, skip_serializing_if = "Scanner::is_empty")]
    pub scanner: Scanner,
    /// Columns, rows and number of images, for the catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<[u64; 3]>,
    /// Voxel size in mm along columns, rows and slices, for the catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voxel_size: Option<[f64; 3]>,
    /// `Sag`, `Cor` or `Tra`, for the catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orientation: Option<String>,
    /// All other fields, those of the scan's type among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Field>,
}

/// Builds the session of these series, which are those of one study.
///
/// XNAT's rule: an element that has different values among the files is left out; station names are joined.
pub fn build_session(series: &[SeriesSummary], pet_mr: PetMr) -> ImageSession {
    let xsi_type = types::session_type(series, pet_mr);
    let mut common = BTreeMap::new();
    series.iter().for_each(|one| absorb_tags(&mut common, &one.tags));
    let one = |tag: Tag| common.get(&tag).and_then(TagValues::one).filter(|text| !text.is_empty());
    let mut fields = Vec::new();
    for (path, tag) in [
        ("session_type", tags::STUDY_DESCRIPTION),
        ("study_id", tags::STUDY_ID),
        ("acquisition_site", tags::INSTITUTION_NAME),
        ("operator", tags::OPERATORS_NAME),
        ("fields/field[name=studyComments]", tags::STUDY_COMMENTS),
        ("studyType", ecat::STUDY_TYPE),
        ("dcmAccessionNumber", tags::ACCESSION_NUMBER),
        ("dcmPatientId", tags::PATIENT_ID),
        ("dcmPatientName", tags::PATIENT_NAME),
    ] {
        fields.extend(one(tag).map(|text| Field::text(path, text)));
    }
    fields.extend(one(tags::PATIENT_BIRTH_DATE).and_then(date).map(|date| Field::text("dcmPatientBirthDate", date)));
    fields.extend(float("dcmPatientWeight", one(tags::PATIENT_WEIGHT)));
    if matches!(xsi_type.name(), "mr" | "petmr") {
        let strength = one(tags::MAGNETIC_FIELD_STRENGTH).and_then(parameters::field_strength);
        fields.extend(strength.map(|strength| Field::text("fieldStrength", strength)));
    }
    if matches!(xsi_type.name(), "pet" | "petmr") {
        fields.extend(tracer(&one));
    }
    sort_by_schema(&mut fields, SESSION_SCHEMA);
    let mut scans: Vec<Scan> =
        series.iter().zip(naming::scan_ids(series)).map(|(one, id)| build_scan(one, id)).collect();
    scans.sort_by(|a, b| scan_order(&a.id).cmp(&scan_order(&b.id)));
    let uid = series.iter().map(|one| one.study_uid.as_str()).find(|uid| !uid.is_empty()).unwrap_or_default();
    ImageSession {
        modality: types::session_modality(&xsi_type, series),
        xsi_type,
        uid: uid.to_owned(),
        date: one(tags::STUDY_DATE).and_then(date),
        // The scans of an ECAT session have only times of their own.
        time: one(tags::STUDY_TIME).or(earliest_ecat(series)).and_then(time),
        scanner: scanner(&common),
        fields,
        scans,
    }
}

/// When the first scan of a session of ECAT files began.
fn earliest_ecat(series: &[SeriesSummary]) -> Option<&str> {
    let times = series.iter().filter(|one| one.is_ecat()).flat_map(|one| one.all(tags::ACQUISITION_TIME));
    times.map(String::as_str).min()
}

/// Numbers before names, by value.
pub(crate) fn scan_order(id: &str) -> (u64, &str) {
    let digits = id.find(|c: char| !c.is_ascii_digit()).unwrap_or(id.len());
    (id.get(..digits).and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX), id)
}

fn build_scan(series: &SeriesSummary, id: String) -> Scan {
    let xsi_type = types::scan_type(series);
    let one = |tag: Tag| series.one(tag).filter(|text| !text.is_empty());
    let mut fields = Vec::new();
    for (path, tag) in [
        ("requestedProcedureDescription", tags::REQUESTED_PROCEDURE_DESCRIPTION),
        ("protocolName", tags::PROTOCOL_NAME),
        ("bodyPartExamined", tags::BODY_PART_EXAMINED),
    ] {
        fields.extend(one(tag).map(|text| Field::text(path, text)));
    }
    fields.extend(parameters::of(&xsi_type, series));
    // The first of the acquisition times is kept even where they differ.
    let earliest = |tag: Tag| series.all(tag).first().map(String::as_str);
    let moment = earliest(tags::ACQUISITION_DATE_TIME);
    let acquired = earliest(tags::ACQUISITION_TIME).or(moment.and_then(|moment| moment.get(8..)));
    let acquired_on = earliest(tags::ACQUISITION_DATE).or(moment.and_then(|moment| moment.get(..8)));
    let whole = |tag: Tag| one(tag).and_then(|text| text.parse::<u64>().ok());
    let dimensions = whole(tags::COLUMNS).zip(whole(tags::ROWS)).map(|(x, y)| [x, y, series.frames]);
    let voxel_size = match parameters::voxel_size(series) {
        [Some(x), Some(y), Some(z)] => Some([x, y, z]),
        _ => None,
    };
    Scan {
        id,
        uid: series.series_uid.clone(),
        xsi_type,
        series_description: one(tags::SERIES_DESCRIPTION).map(str::to_owned),
        modality: types::leading_modality(series.all(tags::MODALITY).iter().map(String::as_str)).map(str::to_owned),
        frames: series.frames,
        start_time: acquired.and_then(time).or_else(|| one(tags::SERIES_TIME).and_then(time)),
        start_date: acquired_on.and_then(date).or_else(|| one(tags::SERIES_DATE).and_then(date)),
        scanner: scanner(&series.tags),
        dimensions,
        voxel_size,
        orientation: one(tags::IMAGE_ORIENTATION_PATIENT).and_then(parameters::orientation).map(str::to_owned),
        parameters: fields,
    }
}

fn scanner(tags: &BTreeMap<Tag, TagValues>) -> Scanner {
    let one = |tag| tags.get(&tag).and_then(TagValues::one).unwrap_or_default().to_owned();
    Scanner {
        name: tags.get(&tags::STATION_NAME).map(|names| names.all().join(",")).unwrap_or_default(),
        manufacturer: one(tags::MANUFACTURER),
        model: one(tags::MANUFACTURER_MODEL_NAME),
    }
}

/// The elements of a PET session about the tracer, from the radiopharmaceutical sequence.
fn tracer<'a>(one: &impl Fn(Tag) -> Option<&'a str>) -> Vec<Field> {
    let moment = one(tags::RADIOPHARMACEUTICAL_START_DATE_TIME);
    let injected =
        one(tags::RADIOPHARMACEUTICAL_START_TIME).or(moment.and_then(|moment| moment.get(8..))).and_then(time);
    let mut fields = Vec::new();
    fields.extend(injected.clone().map(|time| Field::text("start_time_injection", time)));
    let name = one(tags::RADIOPHARMACEUTICAL).or(one(tags::RADIOPHARMACEUTICAL_CODE_SEQUENCE));
    fields.extend(name.map(|name| Field::text("tracer/name", name)));
    fields.extend(injected.map(|time| Field::text("tracer/startTime", time)));
    if let Some(dose) = float("tracer/dose", one(tags::RADIONUCLIDE_TOTAL_DOSE)) {
        fields.push(dose);
        fields.push(Field::text("tracer/dose/units", "Bq"));
    }
    fields.extend(one(tags::RADIONUCLIDE_CODE_SEQUENCE).map(|isotope| Field::text("tracer/isotope", isotope)));
    fields.extend(float("tracer/isotope/half-life", one(tags::RADIONUCLIDE_HALF_LIFE)));
    fields
}

fn float(path: &str, text: Option<&str>) -> Option<Field> {
    let number = text.and_then(parameters::number)?;
    Some(Field { path: path.to_owned(), value: FieldValue::Float(number) })
}

/// `yyyyMMdd`, or the older `yyyy.MM.dd`, as `yyyy-MM-dd` (DICOM PS3.5 6.2, DA).
pub fn date(text: &str) -> Option<String> {
    let digits: String = text.trim().chars().filter(|c| *c != '.').collect();
    if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    document_date(digits.get(..4)?, digits.get(4..6)?, digits.get(6..)?)
}

/// A day that there is, as `yyyy-MM-dd`: the year in four digits, month and day in one or two.
pub fn calendar_date(year: &str, month: &str, day: &str) -> Option<String> {
    let is_number =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if year.len() != 4 || !is_number(year, 4) || !is_number(month, 2) || !is_number(day, 2) {
        return None;
    }
    let month_of_year = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year.parse().ok()?, month_of_year, day.parse().ok()?).ok()?;
    Some(format!("{year}-{month:0>2}-{day:0>2}"))
}

/// The same of a day that may stand in a document: a year nought is none to XML's dates.
pub fn document_date(year: &str, month: &str, day: &str) -> Option<String> {
    calendar_date(year, month, day).filter(|date| !date.starts_with("0000"))
}

/// `HHmmss` with or without a fraction, minutes or seconds left out or not, or the older form with colons, as
/// `HH:mm:ss` (DICOM PS3.5 6.2, TM). Anything after the seconds is dropped, as is the zone of a DT.
pub fn time(text: &str) -> Option<String> {
    let whole = text.trim().split(['.', '+', '-']).next()?;
    let digits: String = whole.chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4 | 6) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |range| digits.get(range).unwrap_or("00");
    let (hours, minutes, seconds) = (part(0..2), part(2..4), part(4..6));
    // A leap second is written 60, which no reader of XML takes.
    let seconds = if seconds == "60" { "59" } else { seconds };
    let below = |part: &str, end: u8| part.parse::<u8>().is_ok_and(|n| n < end);
    (below(hours, 24) && below(minutes, 60) && below(seconds, 60)).then(|| format!("{hours}:{minutes}:{seconds}"))
}

impl ImageSession {
    /// A session of which nothing is known but its data type.
    pub fn empty(xsi_type: SessionType) -> Self {
        Self {
            xsi_type,
            uid: String::new(),
            modality: None,
            date: None,
            time: None,
            scanner: Scanner::default(),
            fields: Vec::new(),
            scans: Vec::new(),
        }
    }

    /// The fields known from headers, as path and value in schema order, without scans.
    pub fn flat_fields(&self) -> Vec<Field> {
        let mut fields = uid_field(&self.uid);
        for (path, value) in [("modality", &self.modality), ("date", &self.date), ("time", &self.time)] {
            fields.extend(value.iter().map(|text| Field::text(path, text)));
        }
        fields.extend(self.scanner.fields());
        fields.extend(self.fields.iter().cloned());
        sort_by_schema(&mut fields, SESSION_SCHEMA);
        fields
    }
}

impl Scan {
    /// A scan of which nothing is known but its ID and its data type.
    pub fn empty(id: &str, xsi_type: ScanType) -> Self {
        Self {
            id: id.to_owned(),
            uid: String::new(),
            xsi_type,
            series_description: None,
            modality: None,
            frames: 0,
            start_time: None,
            start_date: None,
            scanner: Scanner::default(),
            dimensions: None,
            voxel_size: None,
            orientation: None,
            parameters: Vec::new(),
        }
    }

    /// The fields known from headers, as path and value in schema order.
    pub fn flat_fields(&self) -> Vec<Field> {
        let mut fields = vec![Field::text("ID", &self.id)];
        fields.extend(uid_field(&self.uid));
        for (path, value) in [
            ("series_description", &self.series_description),
            ("modality", &self.modality),
            ("startTime", &self.start_time),
            ("start_date", &self.start_date),
        ] {
            fields.extend(value.iter().map(|text| Field::text(path, text)));
        }
        fields.extend(self.scanner.fields());
        fields.push(Field::int("frames", i64::try_from(self.frames).unwrap_or(i64::MAX)));
        fields.extend(self.parameters.iter().cloned());
        sort_by_schema(&mut fields, SCAN_SCHEMA);
        fields
    }
}

/// The UID, unless there is none or it is one that was made here.
fn uid_field(uid: &str) -> Vec<Field> {
    if !uid.is_empty() && uid == shown_uid(uid) { vec![Field::text("UID", uid)] } else { Vec::new() }
}

impl Scanner {
    /// Whether nothing is known of it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn fields(&self) -> impl Iterator<Item = Field> {
        [("scanner/manufacturer", &self.manufacturer), ("scanner/model", &self.model), ("scanner", &self.name)]
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(path, text)| Field::text(path, text))
    }
}
