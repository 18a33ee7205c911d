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

/// `GET .../resources`: the resources of all scans, and those of the session itself.
pub async fn all_resources(call: &Call, place: &SessionPlace) -> Result<Reply, ClientError> {
    let (session, _, scans) = load(call, place).await?;
    let own = call.site.core.counted_resources(&session.resources).await?;
    render(call, views::all_resources(&scans, &own))
}

/// `GET .../scans/ID/resources/R/files`
pub async fn list(call: &Call, place: &SessionPlace, scan: &str, label: &str) -> Result<Reply, ClientError> {
    download::refuse_rendering(call, None)?;
    let (_, manifest, scans) = load(call, place).await?;
    let resource = find_resource(find_scan(&scans, scan)?, label)?;
    let base = call.context.path.canonical();
    let mut table = views::files();
    let mut page = 0;
    while let Some(files) = call.site.core.files_on_page(&manifest, resource, page).await? {
        views::add_files(&mut table, &files, &base);
        page += 1;
    }
    render(call, table)
}

/// `GET .../scans/ID/resources/R/files/NAME`
pub async fn one(call: &Call, place: &SessionPlace, scan: &str, label: &str, name: &str) -> Result<Reply, ClientError> {
    let (session, manifest, scans) = load(call, place).await?;
    let resource = find_resource(find_scan(&scans, scan)?, label)?;
    let file = call.site.core.file(&manifest, resource, name).await?;
    let file = file.ok_or_else(|| ClientError::not_found("unknown-file", "Unable to find file."))?;
    download::image(call, &file, session.uploaded_ms).await
}

/// The session at a place, its manifest and its scans.
///
/// # Errors
/// 404 if there is none, or if it is not built.
pub async fn load(
    call: &Call,
    place: &SessionPlace,
) -> Result<(PrearchiveSession, Manifest, Vec<StoredScan>), ClientError> {
    let session = call.site.core.session_at(place).await?;
    let missing = || ClientError::not_found("not-built", "Unable to locate prearc resource.");
    let manifest = call.site.core.manifest(session.manifest.as_ref().ok_or_else(missing)?).await?;
    let scans = call.site.core.staged_scans(&session, &manifest).await?;
    Ok((session, manifest, scans))
}

/// The scan of this identifier.
pub fn find_scan<'a>(scans: &'a [StoredScan], id: &str) -> Result<&'a StoredScan, ClientError> {
    let found = scans.iter().find(|stored| stored.scan.id == id);
    found.ok_or_else(|| ClientError::not_found("unknown-scan", format!("Unknown scan {id}.")))
}

/// The resource of this label.
pub fn find_resource<'a>(scan: &'a StoredScan, label: &str) -> Result<&'a Resource, ClientError> {
    let found = scan.resources.iter().find(|resource| resource.label == label);
    found.ok_or_else(|| ClientError::not_found("unknown-resource", format!("Unknown resource {label}.")))
}

/// A table in the format asked for.
pub fn render(call: &Call, mut table: Table) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Xml, Format::Csv, Format::Html])?;
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(&format)))
}
