//! One experiment.

use narthex::domain::archive::Experiment;
use narthex::domain::contents::Folder;
use narthex::domain::manifest::{Manifest, StoredScan};
use narthex::http::views::archive as views;
use narthex::http::views::assessor;
use narthex::http::views::layout::Layout;
use narthex::http::{ClientError, Format};
use narthex::intake::archiveout::ArchiveKind;
use narthex::service::{Call, Reply, ReplyBody, download};
use narthex::storage::StoreError;
use narthex::xml::session_document;

use crate::assessors::{self, with_resources};
use crate::sharing;

/// JSON item, session document, archive of its files, or a page.
pub async fn read(call: &Call, experiment: &Experiment) -> Result<Reply, ClientError> {
    use Format::{Html, Json, Tar, TarGz, Xml, Zip};
    let format = call.context.format(&[Html, Xml, Json, Zip, TarGz, Tar])?;
    let (mut manifest, scans) = load(call, experiment).await?;
    let own = call.site.core.counted_resources(&experiment.resources).await?;
    let shares = sharing::shown(call, &experiment.project, &experiment.shares).await?;
    let experiment = &Experiment { shares, ..experiment.clone() };
    let assessors = with_resources(call, experiment).await?;
    match format {
        Format::Html => {
            let item = views::experiment(experiment, &manifest.session, &scans, &own);
            Ok(ReplyBody::table(item.fields_table().render(&Format::Html)))
        }
        Format::Json => {
            let mut item = views::experiment(experiment, &manifest.session, &scans, &own);
            let children = assessors.iter().map(|(one, own)| assessor::item(one, &experiment.label, own)).collect();
            item.add_children("assessors/assessor", children);
            Ok(ReplyBody::json(item.to_json()))
        }
        Format::Xml => {
            let mut context = views::context(experiment, &scans, &own);
            context.assessors = assessors::contexts(experiment, &assessors);
            manifest.session.scans = scans.into_iter().map(|stored| stored.scan).collect();
            let document = session_document(&manifest.session, &context);
            Ok(ReplyBody::xml(document.map_err(|error| ClientError::internal(error.to_string()))?))
        }
        Format::Zip | Format::Tar | Format::TarGz => {
            let layout = Layout::read(&call.context.params)?;
            let mut folders = scan_folders(&layout, experiment, manifest, scans);
            let own_folder = |label: &str| layout.resource_folder(experiment, label);
            folders.extend(own.iter().map(|counted| Folder::of_resource(counted, own_folder(&counted.resource.label))));
            folders.extend(assessors::folders(&layout, experiment, &assessors));
            let kind = download::archive_kind(&format).unwrap_or(ArchiveKind::Zip);
            Ok(download::archive(call, kind, &experiment.label, folders))
        }
        _ => Err(ClientError::bad_request(
            "unsupported-format",
            "Requested type is not supported: an experiment is given as json, xml, html, zip, tar or tar.gz.",
        )),
    }
}

/// The projects that an experiment is in.
pub async fn projects(call: &Call, experiment: &Experiment) -> Result<Reply, ClientError> {
    sharing::projects(call, (&experiment.project, &experiment.label), &experiment.shares).await
}

/// The manifest and the scans of an experiment. Should the manifest give way to a new one while it is read, the new one
/// is.
pub async fn load(call: &Call, experiment: &Experiment) -> Result<(Manifest, Vec<StoredScan>), ClientError> {
    let core = &call.site.core;
    let mut present = experiment.clone();
    loop {
        let read = async {
            let manifest = core.manifest(&present.manifest).await?;
            let scans = core.scans_of(&present, &manifest).await?;
            Ok::<_, StoreError>((manifest, scans))
        };
        let error = match read.await {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        match core.experiment_by_id(&experiment.id).await? {
            Some(newer) if newer.manifest != present.manifest => present = newer,
            _ => return Err(error.into()),
        }
    }
}

/// Folders of some scans, named as the request wants it.
pub fn scan_folders(
    layout: &Layout,
    experiment: &Experiment,
    manifest: Manifest,
    scans: Vec<StoredScan>,
) -> Vec<Folder> {
    let name = |stored: &StoredScan, label: &str| layout.scan_folder(experiment, stored, label);
    let shelved = scans.iter().flat_map(|stored| stored.shelf.iter().map(move |counted| (stored, counted)));
    let shelved: Vec<Folder> =
        shelved.map(|(stored, counted)| Folder::of_resource(counted, name(stored, &counted.resource.label))).collect();
    let mut folders = Folder::of_scans(manifest, scans, |stored, resource| name(stored, &resource.label));
    folders.extend(shelved);
    folders
}
