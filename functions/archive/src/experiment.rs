//! One experiment.

use narthex::domain::archive::Experiment;
use narthex::domain::contents::Folder;
use narthex::domain::manifest::{Manifest, StoredScan};
use narthex::domain::resource::CountedResource;
use narthex::http::views::archive as views;
use narthex::http::{ClientError, Format};
use narthex::intake::archiveout::ArchiveKind;
use narthex::service::{Call, Reply, ReplyBody, download};
use narthex::xml::session_document;

/// JSON item, session document, archive of its files, or a page.
pub async fn read(call: &Call, experiment: &Experiment) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Html, Format::Xml, Format::Json])?;
    if format == Format::Html {
        let table = views::experiments(std::slice::from_ref(experiment), "Experiments");
        return Ok(ReplyBody::table(table.render(&Format::Html)));
    }
    let (mut manifest, scans) = load(call, experiment).await?;
    let own = call.site.core.counted_resources(&experiment.resources).await?;
    match format {
        Format::Json => {
            let item = views::experiment(experiment, &manifest.session, &scans, &own);
            Ok(ReplyBody::json(item.to_json()))
        }
        Format::Xml => {
            let context = views::context(experiment, &scans, &own);
            manifest.session.scans = scans.into_iter().map(|stored| stored.scan).collect();
            let document = session_document(&manifest.session, &context);
            Ok(ReplyBody::xml(document.map_err(|error| ClientError::internal(error.to_string()))?))
        }
        Format::Zip | Format::Tar | Format::TarGz => {
            let mut folders = scan_folders(experiment, manifest, scans);
            folders.extend(own.iter().map(|counted| resource_folder(experiment, counted)));
            let kind = download::archive_kind(&format).unwrap_or(ArchiveKind::Zip);
            Ok(download::archive(call, kind, &experiment.label, folders))
        }
        _ => Err(ClientError::bad_request(
            "unsupported-format",
            "Requested type is not supported: an experiment is given as json, xml, html, zip, tar or tar.gz.",
        )),
    }
}

/// The manifest and the scans of an experiment.
pub async fn load(call: &Call, experiment: &Experiment) -> Result<(Manifest, Vec<StoredScan>), ClientError> {
    let manifest = call.site.core.manifest(&experiment.manifest).await?;
    let scans = call.site.core.scans(&manifest).await?;
    Ok((manifest, scans))
}

/// Folders of some scans, named as XNAT names them.
pub fn scan_folders(experiment: &Experiment, manifest: Manifest, scans: Vec<StoredScan>) -> Vec<Folder> {
    let label = &experiment.label;
    Folder::of_scans(manifest, scans, |scan, resource| {
        let kind = scan.scan_type.as_deref().unwrap_or("unknown");
        let kind: String =
            kind.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect();
        format!("{label}/scans/{}-{kind}/resources/{}/files/", scan.scan.id, resource.label)
    })
}

/// The folder of one of the experiment's own resources.
pub fn resource_folder(experiment: &Experiment, counted: &CountedResource) -> Folder {
    let prefix = format!("{}/resources/{}/files/", experiment.label, counted.resource.label);
    Folder::of_resource(counted, prefix)
}
