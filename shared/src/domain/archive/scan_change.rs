//! What somebody wants changed of a scan.

use serde::{Deserialize, Serialize};

use super::change::set_fields;
use crate::domain::error::DomainError;
use crate::domain::manifest::StoredScan;
use crate::imaging::Field;
use crate::imaging::session::Scan;
use crate::imaging::types::ScanType;

/// What is to be made or changed of a scan. Empty texts take away what is there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScanChange {
    /// Its data type; needed for a new scan.
    pub xsi_type: Option<ScanType>,
    /// XNAT's scan type.
    pub scan_type: Option<String>,
    /// XNAT's quality label.
    pub quality: Option<String>,
    /// Series Description.
    pub series_description: Option<String>,
    /// Series Instance UID.
    pub uid: Option<String>,
    /// Modality.
    pub modality: Option<String>,
    /// Frames.
    pub frames: Option<u64>,
    /// All other fields by their paths.
    pub fields: Vec<Field>,
}

impl ScanChange {
    /// Takes over what a later one says.
    pub(in crate::domain) fn absorb(&mut self, later: &Self) {
        let newer = |own: &mut Option<String>, new: &Option<String>| {
            if new.is_some() {
                own.clone_from(new);
            }
        };
        if later.xsi_type.is_some() {
            self.xsi_type.clone_from(&later.xsi_type);
        }
        newer(&mut self.scan_type, &later.scan_type);
        newer(&mut self.quality, &later.quality);
        newer(&mut self.series_description, &later.series_description);
        newer(&mut self.uid, &later.uid);
        newer(&mut self.modality, &later.modality);
        self.frames = later.frames.or(self.frames);
        self.fields.retain(|own| later.fields.iter().all(|new| new.path != own.path));
        self.fields.extend(later.fields.iter().cloned());
    }

    /// How many fields it concerns.
    pub(in crate::domain) fn count(&self) -> usize {
        let texts = [&self.scan_type, &self.quality, &self.series_description, &self.uid, &self.modality];
        texts.into_iter().flatten().count() + usize::from(self.frames.is_some()) + self.fields.len()
    }

    /// Makes the change.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for what is too long or too much.
    pub(in crate::domain) fn apply(&self, stored: &mut StoredScan) -> Result<(), DomainError> {
        let set = |to: &mut Option<String>, new: &Option<String>| {
            if let Some(new) = new {
                *to = Some(new.clone()).filter(|text| !text.is_empty());
            }
        };
        let texts = [&self.scan_type, &self.quality, &self.series_description, &self.uid, &self.modality];
        // The same limits for all.
        let all: Vec<Field> = texts.into_iter().flatten().map(|text| Field::text("text", text)).collect();
        set_fields(&mut Vec::new(), &all)?;
        set(&mut stored.scan_type, &self.scan_type);
        set(&mut stored.quality, &self.quality);
        set(&mut stored.scan.series_description, &self.series_description);
        set(&mut stored.scan.modality, &self.modality);
        if let Some(uid) = &self.uid {
            stored.scan.uid = uid.clone();
        }
        stored.scan.frames = self.frames.unwrap_or(stored.scan.frames);
        let (own, parameters): (Vec<Field>, Vec<Field>) =
            self.fields.iter().cloned().partition(|field| own_field(&field.path).is_some());
        set_fields(&mut Vec::new(), &own)?;
        for field in own {
            if let Some(set) = own_field(&field.path) {
                set(&mut stored.scan, field.value.to_string());
            }
        }
        set_fields(&mut stored.scan.parameters, &parameters)
    }
}

/// How to set a field that has a place of its own in a scan; an empty text takes it away.
fn own_field(path: &str) -> Option<fn(&mut Scan, String)> {
    fn some(text: String) -> Option<String> {
        Some(text).filter(|text| !text.is_empty())
    }
    Some(match path {
        "startTime" => |scan, text| scan.start_time = some(text),
        "start_date" => |scan, text| scan.start_date = some(text),
        "scanner" => |scan, text| scan.scanner.name = text,
        "scanner/manufacturer" => |scan, text| scan.scanner.manufacturer = text,
        "scanner/model" => |scan, text| scan.scanner.model = text,
        _ => return None,
    })
}
