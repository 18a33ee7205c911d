//! Scans.

use narthex::domain::archive::Experiment;
use narthex::domain::manifest::StoredScan;
use narthex::http::views::archive as views;
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody};
use narthex::xml::scan_document;

use crate::asked::is_all;
use crate::experiment::load;

/// The scans of an experiment.
pub async fn list(call: &Call, experiment: &Experiment) -> Result<Reply, ClientError> {
    let (_, scans) = load(call, experiment).await?;
    crate::lists::scans(call, experiment, &scans)
}

/// One scan.
pub async fn read(call: &Call, experiment: &Experiment, scan: &str) -> Result<Reply, ClientError> {
    let (_, scans) = load(call, experiment).await?;
    let stored = one(&scans, scan)?;
    match call.context.format(&[Format::Html, Format::Xml, Format::Json])? {
        Format::Json => Ok(ReplyBody::json(views::scan(experiment, stored).to_json())),
        Format::Xml => {
            let document = scan_document(&stored.scan, &views::scan_context(experiment, stored), &experiment.id);
            Ok(ReplyBody::xml(document.map_err(|error| ClientError::internal(error.to_string()))?))
        }
        Format::Html => {
            let page = views::scan(experiment, stored).fields_table().render(&Format::Html);
            Ok(ReplyBody::table(page))
        }
        _ => Err(ClientError::bad_request(
            "unsupported-format",
            "Requested type is not supported: a scan is given as json, xml or html; its files with /files?format=zip.",
        )),
    }
}

/// The scan of this identifier.
pub fn one<'a>(scans: &'a [StoredScan], id: &str) -> Result<&'a StoredScan, ClientError> {
    let found = scans.iter().find(|stored| stored.scan.id == id);
    found.ok_or_else(|| ClientError::not_found("unknown-scan", "Unable to find the specified scan."))
}

/// The scans that a segment of an address names: one, several with commas, a scan type, or all.
pub fn several(scans: Vec<StoredScan>, names: &str) -> Result<Vec<StoredScan>, ClientError> {
    if is_all(names) {
        return Ok(scans);
    }
    // XNAT writes a slash or comma within a scan type like this.
    let names: Vec<String> =
        names.split(',').map(|name| name.replace("[SLASH]", "/").replace("[COMMA]", ",")).collect();
    let is_named = |stored: &StoredScan| {
        names.iter().any(|name| stored.scan.id == *name || stored.scan_type.as_deref() == Some(name))
    };
    let found: Vec<StoredScan> = scans.into_iter().filter(is_named).collect();
    if found.is_empty() {
        return Err(ClientError::not_found("unknown-scan", "Unable to find the specified scan."));
    }
    Ok(found)
}
