//! What a client says of a scan.

use super::present::{PresentScan, check_resources, is_as_said};
use super::{asked, path_of, unknown_field};
use crate::domain::archive::ScanChange;
use crate::http::xpath::is_path;
use crate::http::{ClientError, Params};
use crate::imaging::Field;
use crate::imaging::fields::{SCAN_SCHEMA, known_path};
use crate::imaging::types::ScanType;
use crate::xml::XNAT_NAMESPACE;
use crate::xml::read::read_tree;
use crate::xml::tree::Element;

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
    /// Reads a document, if there is one, and the parameters, which beat it. Of a scan that is there, what the document
    /// says as it is already is no change; `session` is the identifier of the session.
    ///
    /// # Errors
    /// 400 for what is no field of a scan, 422 for a document that is none's.
    pub fn read(
        document: Option<&[u8]>,
        params: &Params,
        present: Option<&PresentScan>,
        session: &str,
    ) -> Result<Self, ClientError> {
        let mut form = Self::default();
        if let Some(document) = document {
            let is_scan = |uri: &str, name: &str| uri == XNAT_NAMESPACE && ScanType::of_element(name).is_some();
            let root = read_tree(document, "MRScan (or another scan)", &is_scan)?;
            form = Self::of_element(&root, present, session)?;
            form.change.xsi_type = ScanType::of_element(&root.name);
        }
        for (name, value) in asked(params) {
            if name == "xsiType" {
                form.change.xsi_type = Some(known_type(value)?);
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

    /// Reads a scan within the document of its session, whose identifier it may name. Of a scan that is there, what the
    /// document says as it is already is no change.
    ///
    /// # Errors
    /// 400 for what is no field of a scan, and for a resource that is not there.
    pub fn of_element(element: &Element, present: Option<&PresentScan>, session: &str) -> Result<Self, ClientError> {
        let none = PresentScan::default();
        let known = present.unwrap_or(&none);
        let mut form = Self::default();
        if !element.xsi_type.is_empty() {
            let named = known_type(&element.xsi_type)?;
            form.change.xsi_type = Some(named).filter(|named| known.xsi_type.as_ref() != Some(named));
        }
        for (path, value) in element.fields(&["file", "sharing"]) {
            let is_given = path == "xnat_imagescandata_id" || path == "image_session_ID" && value == session;
            if path == "ID" || !(is_given || is_as_said(&known.fields, &path, &value)) {
                form.set(&path, &value)?;
            }
        }
        check_resources(
            element.children.iter().filter(|child| child.name == "file"),
            &known.resources,
            &format!("scan {:?}", known.id),
        )?;
        Ok(form)
    }

    /// Sets a field by its path below the scan.
    ///
    /// # Errors
    /// 400 for what is no field of a scan.
    pub(in crate::http) fn set(&mut self, path: &str, value: &str) -> Result<(), ClientError> {
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
                let path = known_path(path);
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

fn known_type(value: &str) -> Result<ScanType, ClientError> {
    ScanType::known(value).ok_or_else(|| {
        let shown: String = value.chars().take(60).collect();
        let sentence = format!("{shown:?} is no data type of a scan; name one such as xnat:mrScanData.");
        ClientError::bad_request("wrong-type", sentence)
    })
}
