//! Scan types: what earlier scans of the project with the same description have.
//!
//! XNAT looks at all scans of the project. Here a record of the project keeps for each description which types its scans
//! were given; one that is lost, because two archived at once, is learnt from the next session.

use serde::{Deserialize, Serialize};

use crate::domain::Core;
use crate::domain::manifest::StoredScan;
use crate::storage::{Record, StoreError, keys};

/// Descriptions that are kept of one project; the one that was learnt first goes.
const MAX_DESCRIPTIONS: usize = 400;

/// Types that are kept of one description, each of another number of frames.
const MAX_TYPES: usize = 4;

/// Characters of a description or type that are kept; a DICOM description has 64 at most.
const MAX_CHARACTERS: usize = 64;

/// The scan types of a project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ScanTypes {
    known: Vec<Known>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    /// The description, cleaned.
    #[serde(rename = "d")]
    description: String,
    /// The types that scans of this description were given, with their numbers of frames, the first first.
    #[serde(rename = "t")]
    types: Vec<(u64, String)>,
}

impl Record for ScanTypes {
    const VERSION: u32 = 1;
}

/// A description as XNAT compares it: in capitals, without blanks, `_`, `-` and `*`.
fn cleaned(description: &str) -> String {
    let kept = description.chars().filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '*'));
    kept.flat_map(char::to_uppercase).take(MAX_CHARACTERS).collect()
}

/// The description of a scan without the mark of an invalid one.
fn description_of(scan: &StoredScan) -> &str {
    let text = scan.scan.series_description.as_deref().unwrap_or_default();
    text.strip_prefix("INVALID: ").unwrap_or(text).trim()
}

impl ScanTypes {
    /// The type of a new scan: that of an earlier scan of the same description, of the same number of frames if there is
    /// one; else the description; else `unknown`.
    pub fn of(&self, scan: &StoredScan) -> String {
        let description = description_of(scan);
        let key = cleaned(description);
        if let Some(known) = self.known.iter().find(|known| known.description == key && !key.is_empty()) {
            let same = known.types.iter().find(|(frames, _)| *frames == scan.scan.frames);
            if let Some((_, found)) = same.or(known.types.first()) {
                return found.clone();
            }
        }
        if description.is_empty() { "unknown".to_owned() } else { description.chars().take(255).collect() }
    }

    /// Learns from a scan to which somebody gave a type: that is what scans like it are from now on.
    fn correct(&mut self, scan: &StoredScan) -> bool {
        let description = cleaned(description_of(scan));
        let known = self.known.iter_mut().find(|known| known.description == description);
        let same = known.and_then(|known| known.types.iter_mut().find(|(frames, _)| *frames == scan.scan.frames));
        match (same, &scan.scan_type) {
            (Some((_, held)), Some(given)) if given.chars().count() <= MAX_CHARACTERS => {
                std::mem::replace(held, given.clone()) != *given
            }
            _ => self.learn(scan),
        }
    }

    /// Learns from a scan that was archived. `false` if there is nothing new.
    fn learn(&mut self, scan: &StoredScan) -> bool {
        let Some(given) = scan.scan_type.as_ref().filter(|given| given.chars().count() <= MAX_CHARACTERS) else {
            return false;
        };
        let description = cleaned(description_of(scan));
        if description.is_empty() {
            return false;
        }
        let frames = scan.scan.frames;
        match self.known.iter_mut().find(|known| known.description == description) {
            Some(known) => {
                let is_known = known.types.iter().any(|(held, _)| *held == frames);
                if is_known || known.types.len() >= MAX_TYPES {
                    return false;
                }
                known.types.push((frames, given.clone()));
            }
            None => {
                self.known.push(Known { description, types: vec![(frames, given.clone())] });
                if self.known.len() > MAX_DESCRIPTIONS {
                    self.known.remove(0);
                }
            }
        }
        true
    }
}

impl Core {
    pub(super) async fn scan_types(&self, project: &str) -> Result<ScanTypes, StoreError> {
        Ok(self.records.get(&keys::scan_types(project)).await?.unwrap_or_default())
    }

    /// Keeps the types of scans that were archived.
    ///
    /// # Errors
    /// The store's failure; the next session teaches the same then.
    pub(super) async fn learn_scan_types(
        &self,
        project: &str,
        mut types: ScanTypes,
        scans: &[StoredScan],
    ) -> Result<(), StoreError> {
        let learnt = scans.iter().filter(|scan| types.learn(scan)).count();
        if learnt == 0 {
            return Ok(());
        }
        self.records.set(&keys::scan_types(project), &types).await
    }

    /// Keeps the types that somebody gave to scans.
    ///
    /// # Errors
    /// The store's failure.
    pub(super) async fn correct_scan_types(&self, project: &str, scans: &[StoredScan]) -> Result<(), StoreError> {
        if scans.is_empty() {
            return Ok(());
        }
        let mut types = self.scan_types(project).await?;
        if scans.iter().filter(|scan| types.correct(scan)).count() == 0 {
            return Ok(());
        }
        self.records.set(&keys::scan_types(project), &types).await
    }

    /// Forgets the scan types of a project that is deleted.
    pub(crate) async fn forget_scan_types(&self, project: &str) -> Result<(), StoreError> {
        self.records.delete(&keys::scan_types(project)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::ScanType;
    use crate::imaging::session::Scan;

    fn scan(description: Option<&str>, frames: u64, given: Option<&str>) -> StoredScan {
        StoredScan {
            scan: Scan {
                id: "1".to_owned(),
                uid: "1.2".to_owned(),
                xsi_type: ScanType::new("mr"),
                series_description: description.map(str::to_owned),
                modality: None,
                frames,
                start_time: None,
                start_date: None,
                scanner: Default::default(),
                dimensions: None,
                voxel_size: None,
                orientation: None,
                parameters: Vec::new(),
            },
            scan_type: given.map(str::to_owned),
            quality: None,
            number: 0,
            resources: Vec::new(),
            shelf: Vec::new(),
        }
    }

    #[test]
    fn a_description_is_the_type_where_nothing_is_known() {
        let types = ScanTypes::default();
        assert_eq!(types.of(&scan(Some("INVALID: T1 MPRAGE "), 1, None)), "T1 MPRAGE");
        assert_eq!(types.of(&scan(Some(" "), 1, None)), "unknown");
        assert_eq!(types.of(&scan(None, 1, None)), "unknown");
    }

    #[test]
    fn an_earlier_scan_of_the_same_description_says_the_type() {
        let mut types = ScanTypes::default();
        assert!(types.learn(&scan(Some("T1_MPRAGE*"), 176, Some("T1"))));
        assert!(types.learn(&scan(Some("t1 mprage"), 3, Some("T1 scout"))));
        assert!(!types.learn(&scan(Some("T1MPRAGE"), 3, Some("other"))));
        assert_eq!(types.of(&scan(Some("t1-mprage"), 3, None)), "T1 scout");
        assert_eq!(types.of(&scan(Some("t1-mprage"), 99, None)), "T1");
        assert_eq!(types.of(&scan(Some("t2"), 3, None)), "t2");
    }

    #[test]
    fn a_type_that_somebody_gave_counts_from_then_on() {
        let mut types = ScanTypes::default();
        types.learn(&scan(Some("abc"), 3, Some("abc")));
        types.learn(&scan(Some("abc"), 4, Some("abc")));
        assert!(types.correct(&scan(Some("ABC"), 3, Some("T1"))));
        assert!(!types.correct(&scan(Some("ABC"), 3, Some("T1"))));
        assert_eq!(types.of(&scan(Some("abc"), 3, None)), "T1");
        assert_eq!(types.of(&scan(Some("abc"), 4, None)), "abc");
        assert!(types.correct(&scan(Some("new"), 4, Some("T2"))));
        assert_eq!(types.of(&scan(Some("new"), 4, None)), "T2");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut types = ScanTypes::default();
        let long = "ß".repeat(500);
        for number in 0..2_000_u64 {
            types.learn(&scan(Some(&format!("{number}{long}")), number, Some(&"ä".repeat(64))));
            types.learn(&scan(Some("same"), number, Some(&"ä".repeat(64))));
        }
        assert!(serde_json::to_vec(&types).unwrap().len() < 200 * 1024);
    }
}
