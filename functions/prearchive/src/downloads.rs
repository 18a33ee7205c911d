//! Downloads of a session, of a scan, of a resource: plain copies of XNAT's folders, as zip, tar or tar.gz.

use narthex::domain::contents::Folder;
use narthex::domain::manifest::{Manifest, StoredScan};
use narthex::domain::prearchive::{PrearchiveSession, SessionPlace};
use narthex::http::{ClientError, Format};
use narthex::intake::archiveout::ArchiveKind;
use narthex::service::{Call, Reply, download};

use crate::files::{find_resource, find_scan, load};
use crate::resources::{find, session_at};

/// The whole session: its scans and its own resources.
pub async fn session(
    call: &Call,
    kind: ArchiveKind,
    session: &PrearchiveSession,
    manifest: Manifest,
    scans: Vec<StoredScan>,
) -> Result<Reply, ClientError> {
    let folder = &session.place.folder;
    let mut folders = scan_folders(folder, manifest, scans);
    for counted in call.site.core.counted_resources(&session.resources).await? {
        let prefix = format!("{folder}/RESOURCES/{}/", counted.resource.label);
        folders.push(Folder::of_resource(&counted, prefix));
    }
    Ok(download::archive(call, kind, folder, folders))
}

/// `GET .../scans/ID?format=zip`
pub async fn scan(call: &Call, place: &SessionPlace, id: &str) -> Result<Reply, ClientError> {
    let kind = wanted(call)?;
    let (session, manifest, scans) = load(call, place).await?;
    let scan = find_scan(&scans, id)?.clone();
    let folder = &session.place.folder;
    let name = format!("{folder}_{id}");
    Ok(download::archive(call, kind, &name, scan_folders(folder, manifest, vec![scan])))
}

/// `GET .../scans/ID/resources/R?format=zip`
pub async fn scan_resource(call: &Call, place: &SessionPlace, id: &str, label: &str) -> Result<Reply, ClientError> {
    let kind = wanted(call)?;
    let (session, manifest, scans) = load(call, place).await?;
    let mut scan = find_scan(&scans, id)?.clone();
    scan.resources = vec![find_resource(&scan, label)?.clone()];
    let folder = &session.place.folder;
    let name = format!("{folder}_{id}_{label}");
    Ok(download::archive(call, kind, &name, scan_folders(folder, manifest, vec![scan])))
}

/// `GET .../resources/R?format=zip`
pub async fn resource(call: &Call, place: &SessionPlace, label: &str) -> Result<Reply, ClientError> {
    let kind = wanted(call)?;
    let session = session_at(call, place).await?;
    let counted = find(call, &session, label).await?;
    let folder = &session.place.folder;
    let folders = vec![Folder::of_resource(&counted, format!("{folder}/RESOURCES/{}/", counted.resource.label))];
    Ok(download::archive(call, kind, &format!("{folder}_{label}"), folders))
}

fn scan_folders(folder: &str, manifest: Manifest, scans: Vec<StoredScan>) -> Vec<Folder> {
    Folder::of_scans(manifest, scans, |stored, resource| {
        format!("{folder}/SCANS/{}/{}/", stored.scan.id, resource.label)
    })
}

/// The kind of archive that is asked for.
fn wanted(call: &Call) -> Result<ArchiveKind, ClientError> {
    // Whoever names no format and takes anything gets XNAT's default format, which this has not.
    let format = call.context.format(&[Format::Html, Format::Zip, Format::TarGz, Format::Tar])?;
    download::archive_kind(&format).ok_or_else(|| {
        ClientError::bad_request(
            "unsupported-format",
            "Requested type is not supported: ask for format=zip, format=tar or format=tar.gz.",
        )
    })
}
