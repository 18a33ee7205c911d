//! Scan folders, scan IDs, and which objects are secondary.

use super::labels::clean_label;
use crate::imaging::ecat;
use crate::imaging::header::DicomHeader;
use crate::imaging::sop_classes;
use crate::imaging::summary::SeriesSummary;
use crate::imaging::tags;
use crate::imaging::types::{self, ScanType};
use std::collections::{BTreeMap, BTreeSet};

/// Label, content and folder of the resource that secondary objects go to.
pub const SECONDARY: &str = "secondary";

/// The longest name of a folder or ID of a scan, in bytes; file systems end at 255.
const MAX_FOLDER_BYTES: usize = 128;

/// The folder below `SCANS/` that an object is received into: its Series Number if that is usable as a file name,
/// else its cleaned Series Instance UID, else `NA`.
pub fn receiving_folder(header: &DicomHeader) -> String {
    let number = header.get(tags::SERIES_NUMBER).and_then(usable_number);
    number.unwrap_or_else(|| folder_of_uid(&header.series_instance_uid))
}

fn folder_of_uid(uid: &str) -> String {
    if uid.is_empty() { "NA".to_owned() } else { clean_label(uid) }
}

/// A name with an ending, which stays whole where the name is too long for both.
fn with_ending(name: &str, ending: &str) -> String {
    let kept = name.floor_char_boundary(MAX_FOLDER_BYTES.saturating_sub(ending.len()));
    format!("{}{ending}", name.get(..kept).unwrap_or_default())
}

/// A Series Number that can be a name; a leading plus becomes `_`.
fn usable_number(number: &str) -> Option<String> {
    let number = number.trim();
    let number = number.strip_prefix('+').map_or_else(|| number.to_owned(), |rest| format!("_{rest}"));
    let usable = !number.is_empty()
        && number.len() <= MAX_FOLDER_BYTES
        && !number.starts_with('.')
        && number.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    usable.then_some(number)
}

/// The scan IDs of the series of one session, in the order of the series.
///
/// XNAT's rule: the Series Number; without one the cleaned Series Instance UID; series that share a number get
/// `{number}-{MOD}{n}`, with MOD the leading modality of those series (`OT` if none has a rank) and n counting from 1 in the order of their
/// UIDs. IDs are distinct in any case. ECAT files have no such number: their scans are counted from 1 in the order of
/// their starts, then of their original file names.
pub fn scan_ids(series: &[SeriesSummary]) -> Vec<String> {
    let counted = ecat_numbers(series);
    let wanted: Vec<String> = series
        .iter()
        .map(|one| {
            let number = match counted.get(one.series_uid.as_str()) {
                Some(number) => Some(number.to_string()),
                None => one.one(tags::SERIES_NUMBER).and_then(usable_number),
            };
            number.unwrap_or_else(|| folder_of_uid(&one.series_uid))
        })
        .collect();
    let mut groups: BTreeMap<&str, Vec<&SeriesSummary>> = BTreeMap::new();
    for (one, number) in series.iter().zip(&wanted) {
        groups.entry(number).or_default().push(one);
    }
    let alone = |number: &str| groups.get(number).is_none_or(|group| group.len() == 1);
    let mut taken: BTreeSet<String> = wanted.iter().filter(|number| alone(number)).cloned().collect();
    let mut ids: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for (number, group) in groups.iter().filter(|(number, _)| !alone(number)) {
        let modalities = group.iter().flat_map(|one| one.all(tags::MODALITY)).map(String::as_str);
        let modality = types::leading_modality(modalities).filter(|known| types::is_ranked(known)).unwrap_or("OT");
        let mut uids: Vec<&str> = group.iter().map(|one| one.series_uid.as_str()).collect();
        uids.sort_unstable();
        let mut n = 0_u32;
        for uid in uids {
            let id = loop {
                n = n.saturating_add(1);
                let id = with_ending(number, &format!("-{}{n}", clean_label(modality)));
                if taken.insert(id.clone()) {
                    break id;
                }
            };
            ids.insert((number, uid), id);
        }
    }
    series
        .iter()
        .zip(&wanted)
        .map(|(one, number)| ids.get(&(number.as_str(), one.series_uid.as_str())).unwrap_or(number).clone())
        .collect()
}

/// The numbers of the series that are ECAT files, by their UIDs.
fn ecat_numbers(series: &[SeriesSummary]) -> BTreeMap<&str, usize> {
    let first = |one: &SeriesSummary, tag| one.all(tag).first().cloned().unwrap_or_default();
    let mut in_order: Vec<_> = series
        .iter()
        .filter(|one| one.is_ecat())
        .map(|one| {
            let start = [tags::ACQUISITION_DATE, tags::ACQUISITION_TIME].map(|tag| first(one, tag));
            (start, first(one, ecat::ORIGINAL_FILE_NAME), one.series_uid.as_str())
        })
        .collect();
    in_order.sort_unstable();
    in_order.into_iter().map(|(_, _, uid)| uid).zip(1..).collect()
}

/// The new ID of a scan whose ID stands in the archived session for another series: `{id}-{MOD}{n}` with the first
/// free n, MOD the first two letters of the scan type in capitals (`PE` becomes `PT`).
pub fn renamed_scan_id(id: &str, scan_type: &ScanType, is_taken: impl Fn(&str) -> bool) -> String {
    let letters: String = scan_type.name().chars().take(2).collect::<String>().to_ascii_uppercase();
    let modality = if letters == "PE" { "PT" } else { letters.as_str() };
    (1_u32..=u32::MAX)
        .map(|n| with_ending(id, &format!("-{modality}{n}")))
        .find(|candidate| !is_taken(candidate))
        .unwrap_or_else(|| with_ending(id, &format!("-{modality}")))
}

/// Whether objects of this SOP class go to the resource [`SECONDARY`] where a site separates them.
pub fn is_secondary(sop_class_uid: &str) -> bool {
    !sop_classes::PRIMARY.contains(&sop_class_uid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::testing::{DataSet, MR, part10, read};

    fn header(series: &str, number: &str, modality: &str) -> DicomHeader {
        let mut set = DataSet::default().identified(MR, "1.2.3.4", "1.2.3", series, modality);
        if !number.is_empty() {
            set = set.text(tags::SERIES_NUMBER, "IS", number);
        }
        read(&part10("1.2.840.10008.1.2.1", &set.bytes)).unwrap()
    }

    fn ids(series: &[(&str, &str, &str)]) -> Vec<String> {
        let all: Vec<_> = series.iter().map(|(uid, n, m)| SeriesSummary::of(&header(uid, n, m))).collect();
        scan_ids(&all)
    }

    #[test]
    fn received_files_go_to_the_folder_of_their_series_number() {
        assert_eq!(receiving_folder(&header("1.2.9", "4", "MR")), "4");
        assert_eq!(receiving_folder(&header("1.2.9", "+4", "MR")), "_4");
        assert_eq!(receiving_folder(&header("1.2.9", "../4", "MR")), "1_2_9");
        assert_eq!(receiving_folder(&header("1.2.9", "", "MR")), "1_2_9");
        assert_eq!(receiving_folder(&header("", "", "MR")), "NA");
        for unusable in [".4", "4/5", "a b", "é", &"4".repeat(129)] {
            assert_eq!(receiving_folder(&header("1.2.9", unusable, "MR")), "1_2_9", "{unusable}");
        }
    }

    #[test]
    fn scan_ids_are_series_numbers() {
        assert_eq!(ids(&[("1.9", "4", "MR"), ("1.8", "5", "MR"), ("1.7", "", "MR")]), ["4", "5", "1_7"]);
        assert_eq!(ids(&[("1.9", "+4", "MR"), ("1.8", "4", "MR")]), ["_4", "4"]);
        assert!(ids(&[]).is_empty());
    }

    #[test]
    fn series_with_the_same_number_are_told_apart() {
        let series = [("1.9", "4", "MR"), ("1.8", "4", "SR"), ("1.7", "5", "MR")];
        assert_eq!(ids(&series), ["4-MR2", "4-MR1", "5"]);
        assert_eq!(ids(&[("1.1", "4", ""), ("1.2", "4", "")]), ["4-OT1", "4-OT2"]);
        assert_eq!(ids(&[("1.1", "4", "SEG"), ("1.2", "4", "REG")]), ["4-OT1", "4-OT2"]);
        assert_eq!(ids(&[("1.1", "4", "SEG"), ("1.2", "4", "PT")]), ["4-PT1", "4-PT2"]);
        // An ID that is in use already is passed over.
        assert_eq!(ids(&[("1.1", "4", "MR"), ("1.2", "4", "MR"), ("1.3", "4-MR1", "MR")]), ["4-MR2", "4-MR3", "4-MR1"]);
    }

    #[test]
    fn names_stay_short_enough_for_a_folder() {
        let number = "4".repeat(128);
        let told_apart = ids(&[("1.1", &number, "MR"), ("1.2", &number, "MR")]);
        assert_eq!(told_apart, ["1", "2"].map(|n| format!("{}-MR{n}", "4".repeat(124))));
        assert_eq!(renamed_scan_id(&number, &ScanType::new("ct"), |_| false), format!("{}-CT1", "4".repeat(124)));
    }

    #[test]
    fn a_scan_that_meets_another_of_its_id_is_renamed() {
        let taken = ["4-MR1"];
        assert_eq!(renamed_scan_id("4", &ScanType::new("mr"), |id| taken.contains(&id)), "4-MR2");
        assert_eq!(renamed_scan_id("4", &ScanType::new("pet"), |_| false), "4-PT1");
        assert_eq!(renamed_scan_id("4", &ScanType::OTHER, |_| false), "4-OT1");
    }

    /// Those that XNAT leaves in `DICOM`, as the last parts of their UIDs (DICOM PS3.6 annex A).
    const PRIMARY: &str = "2 2.1 4 4.1 128 130 20 6.1 3.1 1 1.1 1.1.1 1.2 1.2.1 1.3 1.3.1 12.1 13.1.1 12.2 13.1.2 481.1 \
        481.2 88.11 88.22 9.1.1 9.1.3 9.2.1 9.3.1 9.7.2 9.7.3 9.6.1 9.8.1 77.1.5.1 77.1.5.2 77.1.5.4 77.1.2 77.1.6 \
        77.1.1.1 77.1.2.1 77.1.4.1 77.1.7 77.1.8 6.3 91.1 104.4 104.5";
    /// Secondary capture, segmentation, RT structure set, plan and records, MR colour and spectroscopy, raw data,
    /// presentation state, key object, PDF, and reports of measurements.
    const OTHERS: &str = "7 7.1 7.2 7.3 7.4 66.4 66 481.3 481.5 481.8 481.4 481.6 481.7 4.3 4.2 11.1 88.59 104.1 88.33 \
        88.34 88.67";

    #[test]
    fn derived_objects_are_secondary() {
        let class = |part: &str| format!("1.2.840.10008.5.1.4.1.1.{part}");
        for part in PRIMARY.split_whitespace() {
            assert!(!is_secondary(&class(part)), "{part}");
        }
        for part in OTHERS.split_whitespace() {
            assert!(is_secondary(&class(part)), "{part}");
        }
        assert!(is_secondary("1.3.12.2.1107.5.9.1") && is_secondary(""));
        // Besides these only ECAT files.
        assert_eq!(sop_classes::PRIMARY.len(), PRIMARY.split_whitespace().count() + 1);
    }
}
