//! Documents and files of a XAR put together: what is to become part of the archive.

use std::collections::{BTreeMap, BTreeSet};

use super::contents::{Contents, XarFile, is_catalog};
use super::declared::{Declared, Owner, Place};
use super::layout::{Items, Layout};
use super::{Described, Xar, XarError, XarRequest, invalid};
use crate::domain::archive::take::{Incoming, IncomingAssessor, IncomingResource, IncomingScan, Named};
use crate::domain::catalog::FileNotes;
use crate::domain::ids::{clean_label, demand_label_fits, is_folder_name};
use crate::domain::manifest::FileEntry;
use crate::domain::resource::{check_label, check_notes};
use crate::intake::name::ShownName;
use crate::storage::PackId;
use crate::xml::items::{AssessorDocument, ResourceDocument, ScanDocument};
use crate::xml::listing::ListedFile;

/// The files of one resource.
type Whose = (Owner, String);

/// What is to become part of the archive.
///
/// # Errors
/// What does not fit together.
pub(super) fn incoming(
    xar: Xar,
    catalogs: Vec<(String, Vec<ListedFile>)>,
    request: &XarRequest,
) -> Result<Incoming, XarError> {
    let Xar { file, is_lent, contents: Contents { described, files, top, .. } } = xar;
    let (mut session, mut scans, mut assessors, mut resources) = (None, Vec::new(), Vec::new(), Vec::new());
    let mut passes_shares_over = false;
    match described {
        Described::Session(document) => {
            let mut document = *document;
            passes_shares_over = document.is_shared;
            scans = std::mem::take(&mut document.scans);
            assessors = std::mem::take(&mut document.assessors);
            resources = std::mem::take(&mut document.resources);
            session = Some(document);
        }
        Described::Scans(_, described) => scans = described,
        Described::Assessors(_, described) => assessors = described,
    }
    check_scans(&scans)?;
    check_assessors(&mut assessors)?;
    passes_shares_over |= assessors.iter().any(|assessor| assessor.is_shared);
    let own = match (&session, assessors.as_slice()) {
        // Its own folders stand for it where nothing else is described.
        (None, [only]) => Owner::Assessor(only.label.clone()),
        _ => Owner::Session,
    };
    let declared = declared(&scans, &assessors, resources);
    let listed = listed(&files, catalogs)?;
    let placed = placed(files, &top, Items { scans: ids(&scans), assessors: names(&assessors), own }, &declared)?;
    if session.is_none() && !assessors.is_empty() && placed.keys().any(|place| place.owner == Owner::Session) {
        return Err(invalid("The XAR has files of the session itself, but describes only assessors of it."));
    }
    let frames = frames_of_scans(&placed);
    let mut built = build(placed, &declared, &listed, file.shape.id)?;
    let mut incoming_scans = Vec::with_capacity(scans.len());
    for ScanDocument { mut scan, scan_type, quality, .. } in scans {
        let resources = taken_of(&mut built, &Owner::Scan(scan.id.clone()));
        let counts_frames = scan.frames == 0;
        if counts_frames {
            scan.frames = frames.get(&scan.id).copied().unwrap_or_default();
        }
        incoming_scans.push(IncomingScan { scan, counts_frames, scan_type, quality, resources });
    }
    let mut incoming_assessors = Vec::with_capacity(assessors.len());
    for AssessorDocument { id, label, xsi_type, fields, .. } in assessors {
        let resources = taken_of(&mut built, &Owner::Assessor(label.clone()));
        incoming_assessors.push(IncomingAssessor { id, label, xsi_type, fields, resources });
    }
    let own = built.into_values().collect();
    let subject = request.subject.clone().or_else(|| session.as_ref().map(|session| session.subject.clone()));
    let label = request.session.clone().or_else(|| session.as_ref().map(|session| session.label.clone()));
    label.iter().chain(&subject).try_for_each(|label| demand_label_fits(label))?;
    let named = Named {
        project: request.project.clone(),
        subject: subject.map(|label| clean_label(&label)),
        label: label.map(|label| clean_label(&label)),
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
        return Err(invalid("Fields of a session cannot be set with a XAR that describes only scans or assessors."));
    }
    Ok(Incoming {
        named,
        session: image,
        visit: request.visit.clone().unwrap_or(visit),
        protocol: request.protocol.clone().unwrap_or(protocol),
        scans: incoming_scans,
        assessors: incoming_assessors,
        resources: own,
        passes_shares_over,
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

/// Gives each assessor a label: without one, its identifier stands for it.
fn check_assessors(assessors: &mut [AssessorDocument]) -> Result<(), XarError> {
    let mut labels = BTreeSet::new();
    for assessor in assessors {
        if assessor.label.is_empty() {
            assessor.label.clone_from(&assessor.id);
        }
        if assessor.label.is_empty() {
            return Err(invalid("An assessor of the document has no label; give the attribute label."));
        }
        if !labels.insert(assessor.label.as_str()) {
            let label = ShownName::new(&assessor.label);
            return Err(invalid(format!("The document describes the assessor {label} twice.")));
        }
    }
    Ok(())
}

fn ids(scans: &[ScanDocument]) -> BTreeSet<&str> {
    scans.iter().map(|scan| scan.scan.id.as_str()).collect()
}

/// The labels and identifiers of assessors, each with the label.
fn names(assessors: &[AssessorDocument]) -> BTreeMap<&str, &str> {
    let by_id = assessors.iter().filter(|one| !one.id.is_empty()).map(|one| (one.id.as_str(), one.label.as_str()));
    // A label stands before another's identifier.
    by_id.chain(assessors.iter().map(|one| (one.label.as_str(), one.label.as_str()))).collect()
}

fn declared(scans: &[ScanDocument], assessors: &[AssessorDocument], own: Vec<ResourceDocument>) -> Vec<Declared> {
    let scans = scans.iter().map(|scan| (Owner::Scan(scan.scan.id.clone()), &scan.resources));
    let assessors = assessors.iter().map(|one| (Owner::Assessor(one.label.clone()), &one.resources));
    let of_items = scans.chain(assessors).flat_map(|(owner, resources)| {
        resources.iter().map(move |resource| Declared { owner: owner.clone(), resource: resource.clone() })
    });
    of_items.chain(own.into_iter().map(|resource| Declared { owner: Owner::Session, resource })).collect()
}

/// Takes the resources of one item out of all.
fn taken_of(built: &mut BTreeMap<Whose, IncomingResource>, owner: &Owner) -> Vec<IncomingResource> {
    let own: Vec<Whose> = built.keys().filter(|(whose, _)| whose == owner).cloned().collect();
    own.iter().filter_map(|key| built.remove(key)).collect()
}

/// What catalogs say of files, by the files' paths.
///
/// # Errors
/// A file that one of them lists and the XAR lacks.
fn listed(
    files: &[XarFile],
    catalogs: Vec<(String, Vec<ListedFile>)>,
) -> Result<BTreeMap<String, FileNotes>, XarError> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut said = BTreeMap::new();
    for (catalog, listed) in catalogs {
        let folder = catalog.rfind('/').and_then(|at| catalog.get(..=at)).unwrap_or_default();
        for ListedFile { uri, format, content, description, tags } in listed {
            let path = format!("{folder}{uri}");
            if !paths.contains(path.as_str()) {
                return Err(invalid(format!(
                    "The catalog {} lists the file {}, which is not in the XAR.",
                    ShownName::new(&catalog),
                    ShownName::new(&uri)
                )));
            }
            let notes = FileNotes { format, content, description, tags: tags.join(",") };
            if notes != FileNotes::default() {
                said.insert(path, notes);
            }
        }
    }
    Ok(said)
}

/// What is said of a file: by its catalog, else of the whole resource.
fn notes_of(file: FileNotes, resource: &FileNotes) -> FileNotes {
    let either = |own: String, other: &String| if own.is_empty() { other.clone() } else { own };
    FileNotes {
        format: either(file.format, &resource.format),
        content: either(file.content, &resource.content),
        description: either(file.description, &resource.description),
        tags: either(file.tags, &resource.tags),
    }
}

/// The files but the catalogs, each where it belongs.
fn placed(
    files: Vec<XarFile>,
    top: &str,
    items: Items<'_>,
    declared: &[Declared],
) -> Result<BTreeMap<Place, XarFile>, XarError> {
    let below = |path: &str| path.strip_prefix(top).unwrap_or(path).to_owned();
    let files: Vec<(String, XarFile)> =
        files.into_iter().filter(|file| !is_catalog(&file.path)).map(|file| (below(&file.path), file)).collect();
    let layout = Layout::new(items, declared, &files.iter().map(|(path, _)| path.as_str()).collect())?;
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

/// The frames of the images of each scan, by its ID.
fn frames_of_scans(placed: &BTreeMap<Place, XarFile>) -> BTreeMap<String, u64> {
    let mut frames: BTreeMap<String, u64> = BTreeMap::new();
    for (place, file) in placed {
        if let Owner::Scan(id) = &place.owner {
            let count = frames.entry(id.clone()).or_default();
            *count = count.saturating_add(file.frames);
        }
    }
    frames
}

/// What is known of a resource that the document does not describe.
fn usual(owner: &Owner, label: &str) -> FileNotes {
    let (content, format) = match (owner, label) {
        (Owner::Scan(_), "DICOM") => ("RAW", "DICOM"),
        (Owner::Scan(_), "secondary") => ("secondary", "DICOM"),
        _ => ("", ""),
    };
    FileNotes { content: content.to_owned(), format: format.to_owned(), ..FileNotes::default() }
}

fn build(
    placed: BTreeMap<Place, XarFile>,
    declared: &[Declared],
    listed: &BTreeMap<String, FileNotes>,
    pack: PackId,
) -> Result<BTreeMap<Whose, IncomingResource>, XarError> {
    let mut built: BTreeMap<Whose, IncomingResource> = BTreeMap::new();
    for one in declared {
        let label = one.label()?;
        let ResourceDocument { content, format, description, .. } = one.resource.clone();
        let notes = FileNotes { content, format, description, tags: String::new() };
        let resource = IncomingResource { label: label.clone(), notes, said: BTreeMap::new(), files: Vec::new() };
        if built.insert((one.owner.clone(), label.clone()), resource).is_some() {
            return Err(invalid(format!("The document describes the resource {label} twice.")));
        }
    }
    for (Place { owner, label, path }, file) in placed {
        let new = || IncomingResource {
            label: label.clone(),
            notes: usual(&owner, &label),
            said: BTreeMap::new(),
            files: Vec::new(),
        };
        let resource = built.entry((owner.clone(), label.clone())).or_insert_with(new);
        if let Some(said) = listed.get(&file.path) {
            let notes = notes_of(said.clone(), &resource.notes);
            check_notes(&notes)?;
            resource.said.insert(path.clone(), notes);
        }
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
        let whose = (one.owner.clone(), one.label()?);
        let is_empty = built.get(&whose).is_none_or(|found| found.files.is_empty());
        if is_empty && one.resource.file_count != Some(0) {
            let of = one.owner.named();
            return Err(invalid(format!(
                "The document names the resource {} of {of}, but the XAR has no file of it.",
                whose.1
            )));
        }
    }
    Ok(built)
}
