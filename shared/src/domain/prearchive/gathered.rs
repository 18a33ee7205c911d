//! Gathering: all that has arrived of a session, without what came twice, sorted into scans and resources.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::segment::{ArrivedFile, SegmentPage};
use super::upload::Outcome;
use crate::domain::manifest::{FileEntry, NewScan};
use crate::imaging::ecat::{ECAT, ECAT_CLASS};
use crate::imaging::naming;
use crate::imaging::summary::SeriesSummary;
use crate::imaging::{ImageSession, PetMr, build_session};
use crate::storage::PackId;

/// What became of files that were the same as others, by pack and number in the pack: they were there already, or gave
/// way to a later one.
pub type Repeated = HashMap<(PackId, u32), Outcome>;

/// All that has arrived of a session, by series.
#[derive(Default)]
pub(crate) struct Gathered {
    series: BTreeMap<String, GatheredSeries>,
    repeated: Repeated,
}

#[derive(Default)]
struct GatheredSeries {
    summary: Option<SeriesSummary>,
    files: Vec<(PackId, ArrivedFile)>,
    /// Where a file stands in `files`, by what makes it the same file.
    known: HashMap<Sameness, usize>,
    /// Whether they are known to files that replace others, and to files that do not.
    known_to: [bool; 2],
}

/// What makes two files the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Sameness {
    /// SOP instance, bytes and name: other bytes under a SOP Instance UID that is there already are another file, so
    /// that nothing that was taken in is lost.
    Whole(String, u32, u64, String),
    /// SOP instance and bytes, for objects that come one by one: two clients may name the same object differently.
    Bytes(String, String, u32, u64),
    /// SOP instance and name, for objects that come one by one: XNAT's rule is that the later one stays.
    Name(String, String, String),
}

/// What a file has that another is looked for by, which replaces others or does not.
fn sameness(file: &ArrivedFile, replaces: bool) -> Vec<Sameness> {
    let uid = file.sop_instance_uid.clone();
    let name = naming::cleaned_file_name(&file.name);
    if !replaces {
        return vec![Sameness::Whole(uid, file.crc32, file.extent.len, name)];
    }
    let class = file.sop_class_uid.clone();
    vec![Sameness::Bytes(class.clone(), uid.clone(), file.crc32, file.extent.len), Sameness::Name(class, uid, name)]
}

/// Whether two files have the same bytes.
fn is_same(one: &ArrivedFile, other: &ArrivedFile) -> bool {
    (one.crc32, one.extent.len) == (other.crc32, other.extent.len)
}

impl GatheredSeries {
    /// Where a file stands that is the same as this one.
    fn find(&mut self, file: &ArrivedFile) -> Option<usize> {
        let is_known = &mut self.known_to[usize::from(file.replaces)];
        if !std::mem::replace(is_known, true) {
            // Most series have files of one kind only, and so need only its marks.
            for (index, (_, held)) in self.files.iter().enumerate() {
                self.known.extend(sameness(held, file.replaces).into_iter().map(|same| (same, index)));
            }
        }
        let found = sameness(file, file.replaces).iter().find_map(|same| self.known.get(same).copied());
        // What stood there may have been replaced since, which only another that replaces passes over.
        found.filter(|index| file.replaces || self.files.get(*index).is_some_and(|(_, held)| is_same(held, file)))
    }

    /// Makes a file known as the one that stands there.
    fn note(&mut self, file: &ArrivedFile, index: usize) {
        for replaces in [false, true] {
            if self.known_to[usize::from(replaces)] {
                self.known.extend(sameness(file, replaces).into_iter().map(|same| (same, index)));
            }
        }
    }
}

impl Gathered {
    /// Adds a page. The same file twice is stored once.
    pub fn add(&mut self, pack: PackId, page: SegmentPage) {
        self.add_without(pack, page, |_| false);
    }

    /// As [`Gathered::add`], without the series that are to be left out.
    pub(super) fn add_without(&mut self, pack: PackId, page: SegmentPage, is_left_out: impl Fn(&str) -> bool) {
        for part in page.parts {
            if is_left_out(&part.summary.series_uid) {
                continue;
            }
            let series = self.series.entry(part.summary.series_uid.clone()).or_default();
            for file in part.files {
                let index = series.find(&file).unwrap_or(series.files.len());
                series.note(&file, index);
                match series.files.get_mut(index) {
                    Some(held) => {
                        if is_same(&held.1, &file) {
                            self.repeated.insert((pack, file.ordinal), Outcome::Duplicate);
                        } else {
                            self.repeated.insert((held.0, held.1.ordinal), Outcome::Replaced);
                        }
                        *held = (pack, file);
                    }
                    None => series.files.push((pack, file)),
                }
            }
            match &mut series.summary {
                Some(summary) => summary.absorb(&part.summary),
                None => series.summary = Some(part.summary),
            }
        }
    }

    /// What became of files that were the same as others.
    pub fn repeated(&self) -> &Repeated {
        &self.repeated
    }

    /// The session that these files make, and its scans with their files.
    pub(super) fn into_scans(self, pet_mr: PetMr) -> Option<(ImageSession, Vec<NewScan>)> {
        let mut summaries = Vec::with_capacity(self.series.len());
        let mut files = Vec::with_capacity(self.series.len());
        for series in self.series.into_values() {
            let Some(mut summary) = series.summary else { continue };
            // Repeated instances are counted in the summaries of each upload; what is stored is what counts.
            let stored = u32::try_from(series.files.len()).unwrap_or(u32::MAX);
            if stored < summary.instances && summary.instances > 0 {
                summary.frames = summary.frames * u64::from(stored) / u64::from(summary.instances);
                summary.instances = stored;
            }
            summaries.push(summary);
            files.push(series.files);
        }
        if summaries.is_empty() {
            return None;
        }
        let mut session = build_session(&summaries, pet_mr);
        let scans = std::mem::take(&mut session.scans);
        let mut by_uid: HashMap<String, Vec<(PackId, ArrivedFile)>> =
            summaries.into_iter().map(|summary| summary.series_uid).zip(files).collect();
        let scans = scans
            .into_iter()
            .map(|scan| {
                let files = by_uid.remove(&scan.uid).unwrap_or_default();
                NewScan { resources: resources(files), scan }
            })
            .collect();
        Some((session, scans))
    }
}

/// Sorts a series' files into its resources and gives each a name that is its own there.
fn resources(files: Vec<(PackId, ArrivedFile)>) -> Vec<(String, String, String, Vec<FileEntry>)> {
    let (mut primary, mut secondary, mut ecat) = (Vec::new(), Vec::new(), Vec::new());
    for (pack, file) in files {
        let list = match file.sop_class_uid.as_str() {
            ECAT_CLASS => &mut ecat,
            class if naming::is_secondary(class) => &mut secondary,
            _ => &mut primary,
        };
        list.push((pack, file));
    }
    let mut resources = Vec::new();
    for (label, content, format, list) in [
        ("DICOM", "RAW", "DICOM", primary),
        (naming::SECONDARY, naming::SECONDARY, "DICOM", secondary),
        (ECAT, "RAW", ECAT, ecat),
    ] {
        if !list.is_empty() {
            resources.push((label.to_owned(), content.to_owned(), format.to_owned(), named(list)));
        }
    }
    resources
}

fn named(files: Vec<(PackId, ArrivedFile)>) -> Vec<FileEntry> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut next: HashMap<String, u32> = HashMap::new();
    files
        .into_iter()
        .map(|(pack, file)| {
            let mut wanted = naming::cleaned_file_name(&file.name);
            if let Some(alternative) = file.alternative.filter(|_| taken.contains(&wanted)) {
                wanted = naming::cleaned_file_name(&alternative);
            }
            let count = next.entry(wanted.clone()).or_insert(0);
            let mut name = naming::numbered_name(&wanted, *count);
            while !taken.insert(name.clone()) {
                *count += 1;
                name = naming::numbered_name(&wanted, *count);
            }
            FileEntry {
                name,
                pack,
                ordinal: file.ordinal,
                extent: file.extent,
                crc32: file.crc32,
                sop_instance_uid: file.sop_instance_uid,
                instance_number: file.instance_number,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::testing::{MR, mr_series};
    use crate::intake::{Extent, Method};

    fn file(class: &str, name: &str, alternative: Option<&str>) -> (PackId, ArrivedFile) {
        let extent = Extent { offset: 0, stored_len: 1, len: 1, method: Method::Stored };
        let file = ArrivedFile {
            name: name.to_owned(),
            replaces: false,
            alternative: alternative.map(str::to_owned),
            ordinal: 0,
            extent,
            crc32: 0,
            sop_class_uid: class.to_owned(),
            sop_instance_uid: "1.2.3".to_owned(),
            instance_number: None,
        };
        (PackId::from_number(1), file)
    }

    #[test]
    fn files_go_to_the_resource_of_their_kind() {
        let capture = "1.2.840.10008.5.1.4.1.1.7";
        let files = vec![file(capture, "a", None), file(ECAT_CLASS, "a", None), file(MR, "a", None)];
        let made: Vec<_> = resources(files)
            .into_iter()
            .map(|(label, content, format, files)| (label, content, format, files.len()))
            .collect();
        let of =
            |label: &str, content: &str, format: &str| (label.to_owned(), content.to_owned(), format.to_owned(), 1);
        assert_eq!(
            made,
            [of("DICOM", "RAW", "DICOM"), of("secondary", "secondary", "DICOM"), of("ECAT", "RAW", "ECAT")]
        );
    }

    #[test]
    fn a_name_that_is_taken_is_followed_by_the_alternative_or_a_number() {
        let files =
            [("d/a.dcm", None), ("a.dcm", None), ("a.dcm", Some("t.dcm")), ("a.dcm", Some("t.dcm")), ("b?", Some("u"))];
        let files = files.into_iter().map(|(name, alternative)| file(MR, name, alternative)).collect();
        let names: Vec<_> = named(files).into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["a.dcm", "a.dcm_1", "t.dcm", "t.dcm_1", "b_"]);
    }

    #[test]
    fn a_file_that_came_twice_is_stored_once() {
        let summary = mr_series();
        let mut gathered = Gathered::default();
        for _ in 0..2 {
            let files = vec![file(MR, "a.dcm", None).1, file(MR, "b.dcm", None).1];
            let parts = vec![crate::domain::prearchive::segment::SeriesPart { summary: summary.clone(), files }];
            gathered.add(PackId::from_number(1), SegmentPage { parts });
        }
        let (_, scans) = gathered.into_scans(PetMr::PetMr).unwrap();
        assert_eq!(scans[0].resources[0].3.len(), 2);
    }
}
