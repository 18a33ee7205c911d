//! Files: lists of them, zips of them, and one.

use narthex::domain::archive::Experiment;
use narthex::http::views::archive as views;
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody, download};

use crate::experiment::{load, zip};
use crate::resources::find;
use crate::scans::several;

/// The files of a scan, of several or of all, and of one resource if it is named; with `format=zip` the files.
pub async fn list(
    call: &Call,
    experiment: &Experiment,
    scan: &str,
    resource: Option<&str>,
) -> Result<Reply, ClientError> {
    let (manifest, scans) = load(call, experiment).await?;
    let mut scans = several(scans, scan)?;
    if let Some(name) = resource {
        for stored in &mut scans {
            let wanted = find(stored, name).map(|resource| resource.number);
            stored.resources.retain(|resource| Some(resource.number) == wanted);
        }
        if scans.iter().all(|stored| stored.resources.is_empty()) {
            return Err(ClientError::not_found("unknown-resource", "Unable to find the specified catalog."));
        }
    }
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    match format {
        Format::Zip => return Ok(zip(call, experiment, manifest, scans)),
        Format::Tar | Format::TarGz | Format::Xcat | Format::Xlist | Format::Xar => {
            let sentence = "This version gives files as zip, or lists them as json, xml, csv or html.";
            return Err(ClientError::not_implemented("not-implemented", sentence));
        }
        _ => {}
    }
    let core = &call.site.core;
    let mut table = views::files();
    for stored in &scans {
        for resource in &stored.resources {
            let mut page = 0;
            while let Some(files) = core.files_on_page(&manifest, resource, page).await? {
                page += 1;
                let digests = core.digests(&files).await?;
                views::add_files(&mut table, experiment, &stored.scan.id, resource, &files, &digests);
            }
        }
    }
    table.arrange(&call.context.params)?;
    if let Some(columns) = call.context.params.text("columns") {
        let all: Vec<String> = table.columns.iter().map(|column| column.name.to_string()).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        table.keep_columns(&narthex::http::shape::choose_columns(Some(columns), &all, &all));
    }
    Ok(ReplyBody::table(table.render(&format)))
}

/// One file.
pub async fn one(
    call: &Call,
    experiment: &Experiment,
    scan: &str,
    resource: &str,
    name: &str,
) -> Result<Reply, ClientError> {
    let (manifest, scans) = load(call, experiment).await?;
    let stored = crate::scans::one(&scans, scan)?;
    let missing = || ClientError::not_found("unknown-file", "Unable to find file.");
    let resource = find(stored, resource).ok_or_else(missing)?;
    let file = call.site.core.file(&manifest, resource, name).await?.ok_or_else(missing)?;
    download::file(call, &file, experiment.insert_ms).await
}
