//! One experiment.

use narthex::domain::archive::Experiment;
use narthex::domain::manifest::{FileEntry, Manifest, Resource, StoredScan};
use narthex::http::views::archive as views;
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody, download};
use narthex::xml::session_document;

/// JSON item, session document, zip of its files, or a page.
pub async fn read(call: &Call, experiment: &Experiment) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Html, Format::Xml, Format::Json])?;
    if format == Format::Html {
        let table = views::experiments(std::slice::from_ref(experiment), "Experiments");
        return Ok(ReplyBody::table(table.render(&Format::Html)));
    }
    let (mut manifest, scans) = load(call, experiment).await?;
    match format {
        Format::Json => Ok(ReplyBody::json(views::experiment(experiment, &manifest.session, &scans).to_json())),
        Format::Xml => {
            let context = views::context(experiment, &scans);
            manifest.session.scans = scans.into_iter().map(|stored| stored.scan).collect();
            let document = session_document(&manifest.session, &context);
            Ok(ReplyBody::xml(document.map_err(|error| ClientError::internal(error.to_string()))?))
        }
        Format::Zip => Ok(zip(call, experiment, manifest, scans)),
        _ => Err(ClientError::bad_request(
            "unsupported-format",
            "Requested type is not supported: an experiment is given as json, xml, html or zip.",
        )),
    }
}

/// The manifest and the scans of an experiment.
pub async fn load(call: &Call, experiment: &Experiment) -> Result<(Manifest, Vec<StoredScan>), ClientError> {
    let manifest = call.site.core.manifest(&experiment.manifest).await?;
    let scans = call.site.core.scans(&manifest).await?;
    Ok((manifest, scans))
}

/// A zip of some scans, its members named as XNAT names them.
pub fn zip(call: &Call, experiment: &Experiment, manifest: Manifest, scans: Vec<StoredScan>) -> Reply {
    let label = experiment.label.clone();
    let name = format!("{label}.zip");
    let member = move |scan: &StoredScan, resource: &Resource, file: &FileEntry| {
        let kind = scan.scan_type.as_deref().unwrap_or("unknown");
        let kind: String =
            kind.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect();
        format!("{label}/scans/{}-{kind}/resources/{}/files/{}", scan.scan.id, resource.label, file.name)
    };
    download::zip(call, &name, manifest, scans, Box::new(member))
}
