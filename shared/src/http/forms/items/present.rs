//! A session as it is, for the document of it that a client sends back.

use crate::domain::archive::Experiment;
use crate::domain::manifest::StoredScan;
use crate::domain::resource::CountedResource;
use crate::http::ClientError;
use crate::http::views::archive::{context, scan_context};
use crate::imaging::fields::known_path;
use crate::imaging::item::{Resource, scan_fields, session_fields};
use crate::imaging::types::ScanType;
use crate::imaging::{Field, ImageSession};
use crate::xml::tree::Element;

/// A session as its document shows it.
#[derive(Debug, Clone, Default)]
pub struct Present {
    /// Its fields.
    pub fields: Vec<Field>,
    /// The paths of those that somebody has set.
    pub by_hand: Vec<String>,
    /// Its own resources.
    pub resources: Vec<Resource>,
    /// Its scans.
    pub scans: Vec<PresentScan>,
}

/// A scan as the document shows it.
#[derive(Debug, Clone, Default)]
pub struct PresentScan {
    /// Its ID.
    pub id: String,
    /// Its data type.
    pub xsi_type: Option<ScanType>,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Its resources.
    pub resources: Vec<Resource>,
}

impl Present {
    /// Of an experiment with its headers, scans and own resources.
    pub fn of(experiment: &Experiment, session: &ImageSession, scans: &[StoredScan], own: &[CountedResource]) -> Self {
        let context = context(experiment, &[], own);
        Self {
            fields: session_fields(session, &context),
            by_hand: experiment.fields.iter().map(|field| known_path(&field.path).to_owned()).collect(),
            scans: scans.iter().map(|stored| PresentScan::of(experiment, stored)).collect(),
            resources: context.resources,
        }
    }
}

impl PresentScan {
    /// Of a scan of an experiment.
    pub fn of(experiment: &Experiment, stored: &StoredScan) -> Self {
        let context = scan_context(experiment, stored);
        Self {
            id: stored.scan.id.clone(),
            xsi_type: Some(stored.scan.xsi_type.clone()),
            fields: scan_fields(&stored.scan, &context, &experiment.id),
            resources: context.resources,
        }
    }
}

/// Whether a field is already what a document says.
pub fn is_as_said(fields: &[Field], path: &str, value: &str) -> bool {
    fields.iter().any(|field| field.path == path && field.value.to_string().trim() == value.trim())
}

/// Refuses references to resources that are not there, or that are said to be others than they are: a document neither
/// makes resources nor changes them.
///
/// # Errors
/// 400.
pub fn check_resources<'a>(
    named: impl Iterator<Item = &'a Element>,
    present: &[Resource],
    of: &str,
) -> Result<(), ClientError> {
    for element in named {
        let label = element.attribute("label");
        let shown: String = label.chars().take(100).collect();
        let Some(found) = present.iter().find(|resource| resource.label == label) else {
            let sentence = format!(
                "The document refers to the resource {shown:?} of {of}, which is not there. Send its files to \
                 .../resources/LABEL/files, or leave it out."
            );
            return Err(ClientError::bad_request("unknown-resource", sentence));
        };
        let is_same = |name: &str, is: &str| element.attribute(name).is_empty() || element.attribute(name) == is;
        let are_same = [("content", &found.content), ("format", &found.format), ("description", &found.description)];
        if !are_same.into_iter().all(|(name, is)| is_same(name, is)) {
            let sentence = format!(
                "The document says another content, format or description of the resource {shown:?} of {of} than it \
                 has; they are not changed by a document."
            );
            return Err(ClientError::bad_request("resource-differs", sentence));
        }
    }
    Ok(())
}
