//! Documents and files of a XAR put together: what is to become part of the archive.

use std::collections::{BTreeMap, BTreeSet};

use super::contents::{XarFile, is_catalog};
use super::layout::{Declared, Layout, Place};
use super::{Described, Xar, XarError, XarRequest, invalid};
use crate::domain::archive::take::{Incoming, IncomingResource, IncomingScan, Named};
use crate::domain::catalog::FileNotes;
use crate::domain::ids::is_folder_name;
use crate::domain::manifest::FileEntry;
use crate::domain::resource::{check_label, check_notes};
use crate::intake::name::ShownName;
use crate::storage::PackId;
use crate::xml::items::{ResourceDocument, ScanDocument};

/// The files of one resource.
type Whose = (Option<String>, String);

/// What is to become part of the archive.
///
/// # Errors
/// What does not fit together.
pub(super) fn incoming(
    xar: Xar,
    catalogs: &[(String, Vec<String>)],
    request: &XarRequest,
) -> Result<Incoming, XarError> {
    let Xar { file, is_lent, described, files, top } = xar;
    let (session, scans, resources) = match described {
        Described::Session(document) => {
            let mut document = *document;
            let (scans, resources) = (std::mem::take(&mut document.scans), std::mem::take(&mut document.resources));
            (Some(document), scans, resources)
        }
        Described::Scans(_, scans) => (None, scans, Vec::new()),
    };
    check_scans(&scans)?;
    let declared = declared(&scans, resources);
    demand_listed(&files, catalogs)?;
    let placed = placed(files, &top, &scans, &declared)?;
    let mut built = build(placed, &declared, file.shape.id)?;
    let mut incoming_scans = Vec::with_capacity(scans.len());
    for ScanDocument { scan, scan_type, quality, .. } in scans {
        let own = built.keys().filter(|(id, _)| id.as_deref() == Some(scan.id.as_str())).cloned().collect::<Vec<_>>();
        let resources = own.iter().filter_map(|key| built.remove(key)).collect();
        incoming_scans.push(IncomingScan { scan, scan_type, quality, resources });
    }
    let own = built.into_values().collect();
    let named = Named {
        project: request.project.clone(),
        subject: request.subject.clone().or_else(|| session.as_ref().map(|session| session.subject.clone())),
        label: request.session.clone().or_else(|| session.as_ref().map(|session| session.label.clone())),
        id: session.as_ref().map(|session| session.id.clone()),
    };
    let (visit, protocol) = session.as_ref().map(|own| (own.visit.clone(), own.protocol.clone())).unwrap_or_default();
    let mut image = session.map(|session| session.session);
    if let Some(image) = &mut image {
        for field in &request.fields {
            image.fields.retain(|known| known.path != field.path);
            image.fields.push(field.clone());
        }
    } else if !request.fields.is_empty() {
        return Err(invalid("Fields of a session cannot be set with a XAR that describes only scans."));
    }
    Ok(Incoming {
        named,
        session: image,
        visit: request.visit.clone().unwrap_or(visit),
        protocol: request.protocol.clone().unwrap_or(protocol),
        scans: incoming_scans,
        resources: own,
        pack: file.shape,
        is_lent,
        by: request.by.clone(),
        rules: request.rules,
        quarantine: request.quarantine,
        cause: request.cause.clone(),
        is_silent: request.is_silent,
    })
}

fn check_scans(scans: &[ScanDocument]) -> Result<(), XarError> {
    let mut ids = BTreeSet::new();
    for scan in scans {
        let id = scan.scan.id.as_str();
        if !is_folder_name(id) {
            return Err(invalid("A scan's ID must be 1 to 128 letters, digits, underscores, hyphens or dots."));
        }
        if !ids.insert(id) {
            return Err(invalid(format!("The document describes the scan {id} twice.")));
        }
    }
    Ok(())
}

fn declared(scans: &[ScanDocument], own: Vec<ResourceDocument>) -> Vec<Declared> {
    let of_scans = scans.iter().flat_map(|scan| {
        let id = scan.scan.id.clone();
        scan.resources.iter().map(move |resource| Declared { scan: Some(id.clone()), resource: resource.clone() })
    });
    of_scans.chain(own.into_iter().map(|resource| Declared { scan: None, resource })).collect()
}

/// Refuses a XAR that lacks a file which one of its catalogs lists.
fn demand_listed(files: &[XarFile], catalogs: &[(String, Vec<String>)]) -> Result<(), XarError> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    for (catalog, listed) in catalogs {
        let folder = catalog.rfind('/').and_then(|at| catalog.get(..=at)).unwrap_or_default();
        for uri in listed {
            if !paths.contains(format!("{folder}{uri}").as_str()) {
                return Err(invalid(format!(
                    "The catalog {} lists the file {}, which is not in the XAR.",
                    ShownName::new(catalog),
                    ShownName::new(uri)
                )));
            }
        }
    }
    Ok(())
}

/// The files but the catalogs, each where it belongs.
fn placed(
    files: Vec<XarFile>,
    top: &str,
    scans: &[ScanDocument],
    declared: &[Declared],
) -> Result<BTreeMap<Place, XarFile>, XarError> {
    let below = |path: &str| path.strip_prefix(top).unwrap_or(path).to_owned();
    let files: Vec<(String, XarFile)> =
        files.into_iter().filter(|file| !is_catalog(&file.path)).map(|file| (below(&file.path), file)).collect();
    let ids = scans.iter().map(|scan| scan.scan.id.as_str()).collect();
    let layout = Layout::new(ids, declared, &files.iter().map(|(path, _)| path.as_str()).collect())?;
    let mut placed = BTreeMap::new();
    for (path, file) in files {
        let place = layout.place(&path)?;
        if let Some(other) = placed.insert(place, file) {
            let (one, two) = (ShownName::new(&other.path), ShownName::new(&path));
            return Err(invalid(format!("The files {one} and {two} of the XAR would have the same place.")));
        }
    }
    Ok(placed)
}

/// What is known of a resource that the document does not describe.
fn usual(scan: Option<&str>, label: &str) -> FileNotes {
    let (content, format) = match (scan, label) {
        (Some(_), "DICOM") => ("RAW", "DICOM"),
        (Some(_), "secondary") => ("secondary", "DICOM"),
        _ => ("", ""),
    };
    FileNotes { content: content.to_owned(), format: format.to_owned(), ..FileNotes::default() }
}

fn build(
    placed: BTreeMap<Place, XarFile>,
    declared: &[Declared],
    pack: PackId,
) -> Result<BTreeMap<Whose, IncomingResource>, XarError> {
    let mut built: BTreeMap<Whose, IncomingResource> = BTreeMap::new();
    for one in declared {
        let label = one.label()?;
        let ResourceDocument { content, format, description, .. } = one.resource.clone();
        let notes = FileNotes { content, format, description, tags: String::new() };
        let resource = IncomingResource { label: label.clone(), notes, files: Vec::new() };
        if built.insert((one.scan.clone(), label.clone()), resource).is_some() {
            return Err(invalid(format!("The document describes the resource {label} twice.")));
        }
    }
    for (Place { scan, label, path }, file) in placed {
        let new =
            || IncomingResource { label: label.clone(), notes: usual(scan.as_deref(), &label), files: Vec::new() };
        let resource = built.entry((scan.clone(), label.clone())).or_insert_with(new);
        resource.files.push(FileEntry {
            name: path,
            pack,
            ordinal: file.ordinal,
            extent: file.extent,
            crc32: file.crc32,
            sop_instance_uid: file.sop_instance_uid,
            instance_number: file.instance_number,
        });
    }
    for resource in built.values() {
        check_label(&resource.label)?;
        check_notes(&resource.notes)?;
    }
    for one in declared {
        let whose = (one.scan.clone(), one.label()?);
        let is_empty = built.get(&whose).is_none_or(|found| found.files.is_empty());
        if is_empty && one.resource.file_count != Some(0) {
            let of = one.scan.as_ref().map_or_else(|| "the session".to_owned(), |scan| format!("the scan {scan}"));
            return Err(invalid(format!(
                "The document names the resource {} of {of}, but the XAR has no file of it.",
                whose.1
            )));
        }
    }
    Ok(built)
}
