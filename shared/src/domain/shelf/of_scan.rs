//! Which scans of an experiment have a shelf, and which revision of it counts.

use serde::{Deserialize, Serialize};

use super::Shelf;
use crate::domain::Core;
use crate::domain::archive::Experiment;
use crate::storage::keys::Key;
use crate::storage::{StoreError, keys};

/// A scan that may have a shelf. It is written as `SCAN`, or `SCAN/REVISION`: no scan's ID has a slash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct ShelvedScan {
    /// The scan's ID.
    pub scan: String,
    /// The revision of the shelf; empty for the first. A merge writes the next one beside it.
    pub(crate) revision: String,
}

impl From<String> for ShelvedScan {
    fn from(text: String) -> Self {
        match text.split_once('/') {
            Some((scan, revision)) => Self { scan: scan.to_owned(), revision: revision.to_owned() },
            None => Self { scan: text, revision: String::new() },
        }
    }
}

impl From<ShelvedScan> for String {
    fn from(ShelvedScan { scan, revision }: ShelvedScan) -> Self {
        if revision.is_empty() { scan } else { format!("{scan}/{revision}") }
    }
}

impl ShelvedScan {
    /// Where its shelf is.
    pub(crate) fn key(&self, experiment: &str) -> Key {
        keys::scan_shelf(experiment, &self.scan, &self.revision)
    }
}

impl Experiment {
    /// The scan of this ID, if it may have a shelf. What is left of a scan of this ID that was deleted counts no more.
    pub(crate) fn shelved(&self, scan: &str) -> Option<&ShelvedScan> {
        self.shelved_scans.iter().find(|shelved| shelved.scan == scan)
    }
}

impl Core {
    /// The shelf of a scan; an empty one if it has none.
    pub(crate) async fn scan_shelf(&self, experiment: &Experiment, scan: &str) -> Result<Shelf, StoreError> {
        match experiment.shelved(scan) {
            Some(shelved) => self.shelf_of_scan(&experiment.id, shelved).await,
            None => Ok(Shelf::default()),
        }
    }

    /// The shelf of a scan of this experiment that may have one.
    pub(crate) async fn shelf_of_scan(&self, experiment: &str, shelved: &ShelvedScan) -> Result<Shelf, StoreError> {
        Ok(self.records.get(&shelved.key(experiment)).await?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::ShelvedScan;

    #[test]
    fn a_revision_stands_behind_the_scan() {
        for text in ["4", "4-MR1/a1b2"] {
            assert_eq!(String::from(ShelvedScan::from(text.to_owned())), text);
        }
        let read = ShelvedScan::from("4-MR1/a1b2".to_owned());
        assert_eq!((read.scan.as_str(), read.revision.as_str()), ("4-MR1", "a1b2"));
    }
}
