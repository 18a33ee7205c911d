//! The scans, resources and files of one session.

use narthex::domain::manifest::{Manifest, Resource, StoredScan};
use narthex::domain::prearchive::{PrearchiveSession, SessionPlace};
use narthex::http::views::prearchive as views;
use narthex::http::{ClientError, Format, Table};
use narthex::service::{Call, Reply, ReplyBody, download};

/// `GET .../scans`
pub async fn scans(call: &Call, place: &SessionPlace) -> Result<Reply, ClientError> {
    let (_, _, scans) = load(call, place).await?;
    render(call, views::scans(&scans))
}

/// `GET .../scans/ID/resources`
pub async fn resources(call: &Call, place: &SessionPlace, scan: &str) -> Result<Reply, ClientError> {
    let (_, _, scans) = load(call, place).await?;
    render(call, views::resources(&find_scan(&scans, scan)?.resources))
}

/// `GET .../resources`: the resources of all scans.
pub async fn all_resources(call: &Call, place: &SessionPlace) -> Result<Reply, ClientError> {
    let (_, _, scans) = load(call, place).await?;
    render(call, views::all_resources(&scans))
}

/// `GET .../scans/ID/resources/R/files`
pub async fn list(call: &Call, place: &SessionPlace, scan: &str, label: &str) -> Result<Reply, ClientError> {
    let (_, manifest, scans) = load(call, place).await?;
    let resource = find_resource(find_scan(&scans, scan)?, label)?;
    let files = call.site.core.files(&manifest, resource).await?;
    let base = call.context.path.canonical();
    render(call, views::files(&files, &base))
}

/// `GET .../scans/ID/resources/R/files/NAME`
pub async fn one(call: &Call, place: &SessionPlace, scan: &str, label: &str, name: &str) -> Result<Reply, ClientError> {
    let (session, manifest, scans) = load(call, place).await?;
    let resource = find_resource(find_scan(&scans, scan)?, label)?;
    let file = call.site.core.file(&manifest, resource, name).await?;
    let file = file.ok_or_else(|| ClientError::not_found("unknown-file", "Unable to find file."))?;
    download::file(call, &file, session.uploaded_ms).await
}

async fn load(
    call: &Call,
    place: &SessionPlace,
) -> Result<(PrearchiveSession, Manifest, Vec<StoredScan>), ClientError> {
    let session = call.site.core.session_at(place).await?;
    let missing = || ClientError::not_found("not-built", "Unable to locate prearc resource.");
    let manifest = call.site.core.manifest(session.manifest.as_ref().ok_or_else(missing)?).await?;
    let scans = call.site.core.scans(&manifest).await?;
    Ok((session, manifest, scans))
}

fn find_scan<'a>(scans: &'a [StoredScan], id: &str) -> Result<&'a StoredScan, ClientError> {
    let found = scans.iter().find(|stored| stored.scan.id == id);
    found.ok_or_else(|| ClientError::not_found("unknown-scan", format!("Unknown scan {id}.")))
}

fn find_resource<'a>(scan: &'a StoredScan, label: &str) -> Result<&'a Resource, ClientError> {
    let found = scan.resources.iter().find(|resource| resource.label == label);
    found.ok_or_else(|| ClientError::not_found("unknown-resource", format!("Unknown resource {label}.")))
}

fn render(call: &Call, mut table: Table) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Xml, Format::Csv, Format::Html])?;
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(&format)))
}
