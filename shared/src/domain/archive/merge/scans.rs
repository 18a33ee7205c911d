//! Which of the new scans meet which of the old ones.

use std::collections::{HashMap, HashSet};

use super::files::join_files;
use super::finding::{Finding, Reason};
use super::rules::Rules;
use super::session::fill_scan;
use crate::domain::catalog::MAX_FILES;
use crate::domain::manifest::{FullScan, Resource};
use crate::imaging::session::scan_order;
use crate::intake::name::ShownName;

/// The scans of a merged session.
#[derive(Debug, Default)]
pub struct MergedScans {
    /// What was found on the way; if something refuses, the scans mean nothing.
    pub findings: Vec<Finding>,
    /// All scans in order, with all their files. New scans and resources have the number 0.
    pub scans: Vec<FullScan>,
}

/// Joins the scans of two sessions by XNAT's rules: a scan of the same UID is the same scan, whatever its ID has become;
/// another scan of a number that is taken gets `{number}-{MOD}{n}`.
pub fn merge_scans(old: Vec<FullScan>, new: Vec<FullScan>, rules: Rules) -> MergedScans {
    let mut merged = MergedScans { findings: Vec::new(), scans: old };
    let by_uid: HashMap<String, usize> =
        merged.scans.iter().enumerate().map(|(index, scan)| (scan.stored.scan.uid.clone(), index)).collect();
    let mut ids: HashSet<String> = merged.scans.iter().map(|scan| scan.stored.scan.id.clone()).collect();
    let old_ids = ids.clone();
    ids.extend(new.iter().map(|scan| scan.stored.scan.id.clone()));
    let mut added = Vec::new();
    for mut scan in new {
        note_repeated(&mut merged.findings, &scan);
        let known = by_uid.get(&scan.stored.scan.uid).copied();
        if let Some(own) = known.and_then(|index| merged.scans.get_mut(index)) {
            compare_numbers(&mut merged.findings, own, &scan, rules);
            join_scan(&mut merged.findings, own, scan, rules);
            continue;
        }
        let id = scan.stored.scan.id.clone();
        if old_ids.contains(&id) {
            let mut text = format!("Session already contains a scan ({id}) with the same number, but a different UID.");
            let mut reason = Reason::NumberTaken;
            if rules.merges() {
                let free = free_id(&scan, &ids);
                text.push_str(&format!(" The new scan will be renamed to {free}."));
                reason = Reason::Renamed;
                ids.insert(free.clone());
                scan.stored.scan.id = free;
            }
            merged.findings.push(Finding::new(reason, text));
        }
        added.push(scan);
    }
    merged.scans.extend(added);
    merged.scans.sort_by(|a, b| scan_order(&a.stored.scan.id).cmp(&scan_order(&b.stored.scan.id)));
    merged
}

/// The number in an ID that may have got `-{MOD}{n}` behind it.
fn number_of(id: &str) -> &str {
    let Some((number, suffix)) = id.rsplit_once('-') else { return id };
    let digits = suffix.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let is_suffix = suffix.len() - digits.len() == 2
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !number.is_empty();
    if is_suffix { number } else { id }
}

/// The first free `{number}-{MOD}{n}`.
fn free_id(scan: &FullScan, taken: &HashSet<String>) -> String {
    let scan = &scan.stored.scan;
    let modality: String = scan.xsi_type.name().chars().take(2).collect::<String>().to_ascii_uppercase();
    let modality = if modality == "PE" { "PT" } else { modality.as_str() };
    let number = number_of(&scan.id);
    let mut n = 1_u64;
    loop {
        let id = format!("{number}-{modality}{n}");
        if !taken.contains(&id) {
            return id;
        }
        n += 1;
    }
}

fn compare_numbers(findings: &mut Vec<Finding>, own: &FullScan, new: &FullScan, rules: Rules) {
    let (own, new) = (&own.stored.scan.id, &new.stored.scan.id);
    if number_of(own) != number_of(new) {
        if !rules.overrides() {
            let text = format!(
                "Session already contains a scan with the same UID, but a different number ({own}, not {new})."
            );
            findings.push(Finding::new(Reason::OtherNumber, text));
        }
    } else if !rules.merges() {
        let text = format!("Session already contains a scan ({own}) with the same UID and number.");
        findings.push(Finding::new(Reason::SameScan, text));
    }
}

fn count(scan: &FullScan) -> u64 {
    scan.files.iter().map(|files| files.len() as u64).sum()
}

/// Adds the files of a scan to the one that is there.
fn join_scan(findings: &mut Vec<Finding>, own: &mut FullScan, new: FullScan, rules: Rules) {
    let before = count(own);
    let mut kept = before;
    let FullScan { stored, files } = new;
    for (resource, files) in stored.resources.into_iter().zip(files) {
        let place = own.stored.resources.iter().position(|known| known.label == resource.label);
        match place.and_then(|index| own.files.get_mut(index)) {
            Some(held) => {
                let joined = join_files(std::mem::take(held), files, rules);
                let id = &own.stored.scan.id;
                if let Some(first) = &joined.refused {
                    findings.push(same_files(&format!("Scan {id}"), &resource.label, joined.same as u64, first));
                }
                if let Some(name) = &joined.taken {
                    let text = format!(
                        "A DICOM file with the same name but different UID already exists. There is no way to override \
                         this conflict, you will need to fix your data. (Scan {id}, {}: {}.)",
                        resource.label,
                        ShownName::new(name)
                    );
                    findings.push(Finding::new(Reason::NameTaken, text));
                }
                if let Some(clash) = joined.clash() {
                    findings.push(file_and_folder(&format!("{} of scan {id}", resource.label), &clash));
                }
                kept -= joined.same as u64;
                *held = joined.files;
            }
            None => {
                own.stored.resources.push(Resource { number: 0, ..resource });
                own.files.push(files);
            }
        }
    }
    let frames = own.stored.scan.frames.saturating_mul(kept).checked_div(before).unwrap_or(0);
    fill_scan(&mut own.stored.scan, &stored.scan, frames.saturating_add(stored.scan.frames));
}

/// Files that are there already and are not to be replaced.
pub(crate) fn same_files(whose: &str, resource: &str, count: u64, first: &str) -> Finding {
    let text = format!(
        "Session already exists with the same resources. ({whose} has {count} of the files of {resource} already, such \
         as {}.)",
        ShownName::new(first)
    );
    Finding::new(Reason::SameFiles, text)
}

/// A path of a resource that is a file and a folder of others.
pub(crate) fn file_and_folder(resource: &str, path: &str) -> Finding {
    let path = ShownName::new(path);
    let text = format!("The resource {resource} has {path} as a file on one side and as a folder on the other.");
    Finding::new(Reason::FileAndFolder, text)
}

/// More files than a catalog may have.
pub(crate) fn too_many_files(resource: &str) -> Finding {
    let text = format!("The resource {resource} would have more than {MAX_FILES} files.");
    Finding::new(Reason::TooLarge, text)
}

/// Notes files of one scan that have the same SOP Instance UID.
fn note_repeated(findings: &mut Vec<Finding>, scan: &FullScan) {
    let mut seen = HashSet::new();
    let uids = scan.files.iter().flatten().map(|file| file.sop_instance_uid.as_str()).filter(|uid| !uid.is_empty());
    let repeated = uids.filter(|uid| !seen.insert(*uid)).count();
    if repeated > 0 {
        let id = &scan.stored.scan.id;
        let text = format!("Scan {id} has {repeated} files whose SOP Instance UID another file of it has as well.");
        findings.push(Finding::new(Reason::RepeatedInstances, text));
    }
}

#[cfg(test)]
mod tests {
    use super::number_of;

    #[test]
    fn the_number_stands_before_what_a_renamed_scan_got() {
        for (id, number) in [
            ("4", "4"),
            ("4-MR1", "4"),
            ("4-PT12", "4"),
            ("4-MR", "4-MR"),
            ("4-mr1", "4-mr1"),
            ("4-MRX1", "4-MRX1"),
            ("1_2_840-5", "1_2_840-5"),
            ("-MR1", "-MR1"),
        ] {
            assert_eq!(number_of(id), number, "{id}");
        }
    }
}
