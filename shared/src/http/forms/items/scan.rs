//! What a client says of a scan.

use super::{asked, path_of, unknown_field};
use crate::domain::archive::ScanChange;
use crate::http::xpath::is_path;
use crate::http::{ClientError, Params};
use crate::imaging::Field;
use crate::imaging::fields::SCAN_SCHEMA;
use crate::imaging::types::ScanType;
use crate::xml::read::read_any;

/// First steps of a scan's fields that are decided otherwise.
const NOT_OF_SCANS: &[&str] = &["project", "image_session_ID", "file"];

/// What a client says of a scan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScanForm {
    /// Its ID, if the client names it.
    pub id: Option<String>,
    /// What is to be changed.
    pub change: ScanChange,
}

impl ScanForm {
    /// Reads a document, if there is one, and the parameters, which beat it.
    ///
    /// # Errors
    /// 400 for what is no field of a scan, 422 for a document that is none's.
    pub fn read(document: Option<&[u8]>, params: &Params) -> Result<Self, ClientError> {
        let mut form = Self::default();
        if let Some(document) = document {
            let is_scan = |root: &str| ScanType::of_element(root).is_some();
            let (root, values) = read_any(document, "MRScan (or another scan)", &is_scan)?;
            form.change.xsi_type = ScanType::of_element(&root);
            for (path, value) in values {
                form.set(&path, &value)?;
            }
        }
        for (name, value) in asked(params) {
            if name == "xsiType" {
                let Some(found) = ScanType::known(value) else {
                    let shown: String = value.chars().take(60).collect();
                    let sentence = format!("{shown:?} is no data type of a scan; name one such as xnat:mrScanData.");
                    return Err(ClientError::bad_request("wrong-type", sentence));
                };
                form.change.xsi_type = Some(found);
                continue;
            }
            let path = match name.split_once('/') {
                Some((kind, path)) if kind.ends_with("ScanData") => path.to_owned(),
                _ => path_of(name, &[]),
            };
            form.set(&path, value)?;
        }
        Ok(form)
    }

    fn set(&mut self, path: &str, value: &str) -> Result<(), ClientError> {
        let text = || Some(value.to_owned());
        match path {
            "ID" => self.id = text(),
            "type" => self.change.scan_type = text(),
            "quality" => self.change.quality = text(),
            "series_description" => self.change.series_description = text(),
            "UID" => self.change.uid = text(),
            "modality" => self.change.modality = text(),
            "frames" => {
                let frames = value.trim().parse().ok().filter(|frames| *frames <= u64::from(u32::MAX));
                let sentence = "The field frames must be a whole number.";
                self.change.frames = Some(frames.ok_or_else(|| ClientError::bad_request("bad-value", sentence))?);
            }
            path => {
                let head = path.split(['/', '[']).next().unwrap_or_default();
                let is_known = SCAN_SCHEMA.contains(&head) && !NOT_OF_SCANS.contains(&head);
                if !is_known || !is_path(path) {
                    return Err(unknown_field("A scan", path));
                }
                self.change.fields.push(Field::text(path, value));
            }
        }
        Ok(())
    }
}
