//! What becomes of scans, files and fields that both sides have: rules without a store.

use std::collections::{BTreeMap, BTreeSet};

use super::IncomingScan;
use crate::domain::archive::change::set_fields;
use crate::domain::archive::merge::Rules;
use crate::domain::archive::merge::session::{fill_scan, fill_session};
use crate::domain::catalog::{Clashes, MAX_FILES};
use crate::domain::error::DomainError;
use crate::domain::manifest::{FileEntry, FullScan};
use crate::imaging::Field;
use crate::imaging::session::{ImageSession, scan_order};
use crate::intake::name::ShownName;

/// Bytes of a text that an item says of itself, at most.
const MAX_TEXT_BYTES: usize = 1024;

fn conflict(reason: String) -> DomainError {
    DomainError::Conflict { reason }
}

/// The files of a resource, those that were there and those that come. The same file may come again; another one of the
/// same path, or of the same SOP Instance UID, takes the place of the old one or is refused.
pub(super) fn join_files(
    whose: &str,
    old: Vec<FileEntry>,
    new: Vec<FileEntry>,
    rules: Rules,
) -> Result<Vec<FileEntry>, DomainError> {
    let by_path: BTreeMap<&str, usize> = old.iter().enumerate().map(|(at, file)| (file.name.as_str(), at)).collect();
    let uids = old.iter().enumerate().filter(|(_, file)| !file.sop_instance_uid.is_empty());
    let by_uid: BTreeMap<&str, usize> = uids.map(|(at, file)| (file.sop_instance_uid.as_str(), at)).collect();
    let mut gone = BTreeSet::new();
    let mut added = Vec::new();
    for file in new {
        let known = [by_path.get(file.name.as_str()), by_uid.get(file.sop_instance_uid.as_str())];
        let known: Vec<usize> = known.into_iter().flatten().copied().collect();
        let is_same =
            |at: &usize| old.get(*at).is_some_and(|old| (old.crc32, old.extent.len) == (file.crc32, file.extent.len));
        if known.is_empty() {
            added.push(file);
        } else if known.iter().all(is_same) {
            continue;
        } else if rules.replaces() {
            gone.extend(known);
            added.push(file);
        } else {
            let names = known.iter().filter(|at| !is_same(at)).filter_map(|at| old.get(*at)).map(|old| &old.name);
            return Err(conflict(other_content(whose, &file.name, names.collect())));
        }
    }
    let mut files: Vec<FileEntry> =
        old.into_iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, file)| file).collect();
    files.append(&mut added);
    demand_paths(whose, &mut files)?;
    Ok(files)
}

/// What is said of a file that comes with other content than one of its path or SOP Instance UID has, at these paths.
fn other_content(whose: &str, new: &str, known: Vec<&String>) -> String {
    let shown = ShownName::new(new);
    match known.into_iter().find(|known| *known != new) {
        None => format!(
            "{whose} has the file {shown} already, with other content; send it with overwrite=delete to replace it."
        ),
        Some(known) => format!(
            "{whose} has the SOP Instance UID of the file {shown} already, as {}, with other content; send it with \
             overwrite=delete to replace that.",
            ShownName::new(known)
        ),
    }
}

/// Refuses paths that cannot stand together, and too many of them.
pub(super) fn demand_paths(whose: &str, files: &mut [FileEntry]) -> Result<(), DomainError> {
    if files.len() as u64 > MAX_FILES {
        return Err(DomainError::Invalid { what: format!("{whose} would have more than {MAX_FILES} files.") });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let mut clashes = Clashes::default();
    match files.iter().find_map(|file| clashes.next(&file.name)) {
        None => Ok(()),
        Some(path) => Err(DomainError::Invalid {
            what: format!("{whose} would have {} both as a file and as a folder.", ShownName::new(&path)),
        }),
    }
}

/// Refuses texts that are too long to stand in a record.
pub(super) fn demand_short(session: Option<&ImageSession>, scans: &[IncomingScan]) -> Result<(), DomainError> {
    let mut texts: Vec<&str> = Vec::new();
    if let Some(session) = session {
        set_fields(&mut Vec::new(), &session.fields)?;
        texts.extend(
            [&session.uid, &session.scanner.name, &session.scanner.manufacturer, &session.scanner.model]
                .map(String::as_str),
        );
        texts.extend([&session.modality, &session.time].into_iter().flatten().map(String::as_str));
    }
    for IncomingScan { scan, scan_type, quality, .. } in scans {
        set_fields(&mut Vec::new(), &scan.parameters)?;
        let options = [scan_type, quality, &scan.series_description, &scan.modality, &scan.start_time];
        texts.extend(options.into_iter().flatten().map(String::as_str));
        texts.extend(
            [&scan.uid, &scan.scanner.name, &scan.scanner.manufacturer, &scan.scanner.model].map(String::as_str),
        );
    }
    match texts.iter().all(|text| text.len() <= MAX_TEXT_BYTES && !text.chars().any(char::is_control)) {
        true => Ok(()),
        false => {
            let what = format!("A field may have at most {MAX_TEXT_BYTES} bytes and no control characters.");
            Err(DomainError::Invalid { what })
        }
    }
}

/// Adds scans to those that are there. A scan of the same ID is the same scan.
pub(super) fn join_scans(old: &mut Vec<FullScan>, new: Vec<IncomingScan>, rules: Rules) -> Result<(), DomainError> {
    for new in new {
        let id = new.scan.id.clone();
        let uid = new.scan.uid.as_str();
        let other = old.iter().map(|scan| &scan.stored.scan).find(|known| known.uid == uid && known.id != id);
        if let Some(other) = other.filter(|_| !uid.is_empty()) {
            return Err(conflict(format!(
                "Session already contains a scan with the same UID, but a different number ({}, not {id}).",
                other.id
            )));
        }
        match old.iter_mut().find(|scan| scan.stored.scan.id == id) {
            Some(known) => join_scan(known, new, rules)?,
            None => {
                let mut full = new.into_full();
                for (resource, files) in full.stored.resources.iter().zip(&mut full.files) {
                    demand_paths(&whose(&id, &resource.label), files)?;
                }
                old.push(full);
            }
        }
    }
    old.sort_by(|a, b| scan_order(&a.stored.scan.id).cmp(&scan_order(&b.stored.scan.id)));
    Ok(())
}

fn whose(scan: &str, resource: &str) -> String {
    format!("The resource {resource} of scan {scan}")
}

fn join_scan(own: &mut FullScan, new: IncomingScan, rules: Rules) -> Result<(), DomainError> {
    let id = own.stored.scan.id.clone();
    if own.stored.scan.xsi_type != new.scan.xsi_type {
        return Err(conflict("Specified xsiType differs from existing xsiType".to_owned()));
    }
    let (old_uid, new_uid) = (&own.stored.scan.uid, &new.scan.uid);
    if !old_uid.is_empty() && !new_uid.is_empty() && old_uid != new_uid {
        return Err(conflict(format!(
            "Session already contains a scan ({id}) with the same number, but a different UID."
        )));
    }
    let counts_frames = new.counts_frames;
    let new = new.into_full();
    let (before, coming) = (images(&own.files), images(&new.files));
    for (resource, mut files) in new.stored.resources.iter().zip(new.files) {
        let place = own.stored.resources.iter().position(|known| known.label == resource.label);
        match place.and_then(|at| own.files.get_mut(at)) {
            Some(held) => *held = join_files(&whose(&id, &resource.label), std::mem::take(held), files, rules)?,
            None => {
                demand_paths(&whose(&id, &resource.label), &mut files)?;
                own.stored.resources.push(resource.clone());
                own.files.push(files);
            }
        }
    }
    let (had, comes) = (own.stored.scan.frames, new.stored.scan.frames);
    let frames = if counts_frames {
        let added = images(&own.files).saturating_sub(before);
        let had = if had == 0 { before } else { had };
        had.saturating_add(comes.saturating_mul(added).checked_div(coming).unwrap_or(0))
    } else if had == 0 || rules.overrides() {
        comes
    } else {
        had
    };
    if rules.overrides() {
        let mut scan = new.stored.scan;
        if scan.uid.is_empty() {
            scan.uid.clone_from(&own.stored.scan.uid);
        }
        // What it does not say is as before.
        fill_scan(&mut scan, &own.stored.scan, frames);
        own.stored.scan = scan;
        own.stored.scan_type = new.stored.scan_type.or_else(|| own.stored.scan_type.take());
        own.stored.quality = new.stored.quality.or_else(|| own.stored.quality.take());
        return Ok(());
    }
    if own.stored.scan.uid.is_empty() {
        own.stored.scan.uid.clone_from(&new.stored.scan.uid);
    }
    fill_scan(&mut own.stored.scan, &new.stored.scan, frames);
    Ok(())
}

/// How many files are images.
fn images(files: &[Vec<FileEntry>]) -> u64 {
    files.iter().flatten().filter(|file| !file.sop_instance_uid.is_empty()).count() as u64
}

/// The session as both say it is; fields that were set by hand are given as well, as they stand before all others.
pub(super) fn join_session(
    own: ImageSession,
    by_hand: &mut Vec<Field>,
    new: ImageSession,
    rules: Rules,
) -> Result<ImageSession, DomainError> {
    if own.xsi_type != new.xsi_type {
        return Err(conflict(format!(
            "Invalid modification of session modality via archive process.  Data may require a manual merge. ({} is \
             there, {} was sent.)",
            own.xsi_type, new.xsi_type
        )));
    }
    let is_other = !own.uid.is_empty() && !new.uid.is_empty() && own.uid != new.uid;
    if is_other && !rules.overrides() {
        return Err(conflict("Invalid modification of session UID via archive process.".to_owned()));
    }
    let (mut first, second) = if rules.overrides() { (new, own) } else { (own, new) };
    if rules.overrides() {
        let told: BTreeSet<String> = first.flat_fields().into_iter().map(|field| field.path).collect();
        by_hand.retain(|field| !told.contains(&field.path));
    }
    fill_session(&mut first, &second);
    set_fields(&mut Vec::new(), &first.fields)?;
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::{Extent, Method};
    use crate::storage::PackId;

    fn file(name: &str, uid: &str, crc32: u32) -> FileEntry {
        FileEntry {
            name: name.to_owned(),
            pack: PackId::from_number(1),
            ordinal: 0,
            extent: Extent { offset: 0, stored_len: 4, len: 4, method: Method::Stored },
            crc32,
            sop_instance_uid: uid.to_owned(),
            instance_number: None,
        }
    }

    #[test]
    fn a_file_of_other_content_is_refused_by_the_names_of_both() {
        let join =
            |new: FileEntry| join_files("The resource R", vec![file("one.dcm", "1.2", 1)], vec![new], Rules::default());
        let refused = |new: FileEntry| join(new).unwrap_err().to_string();
        assert!(refused(file("one.dcm", "1.2", 2)).contains("has the file \"one.dcm\" already"));
        let both = refused(file("two.dcm", "1.2", 2));
        assert!(both.contains("the SOP Instance UID of the file \"two.dcm\" already, as \"one.dcm\","), "{both}");
        assert_eq!(join(file("two.dcm", "1.2", 1)).unwrap().len(), 1, "the same one under another name");
    }
}
