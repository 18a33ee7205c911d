//! What became of the files of an upload, kept for whoever asks after its end.

use serde::{Deserialize, Serialize};

use super::ResumableUpload;
use crate::domain::Core;
use crate::domain::prearchive::upload::{ToldVerdict, Verdict};
use crate::storage::{Record, StoreError, keys};

/// Bytes of a page, after which the next begins.
const PAGE_BYTES: usize = 128 * 1024;

/// Verdicts on some of the files.
#[derive(Debug, Default, Serialize, Deserialize)]
struct VerdictPage {
    /// How many pages there are, so that one who died while writing them is noticed.
    of: u64,
    files: Vec<ToldVerdict>,
}

impl Record for VerdictPage {
    const VERSION: u32 = 1;
}

fn pages(verdicts: &[Verdict]) -> Vec<VerdictPage> {
    let mut pages = vec![VerdictPage::default()];
    let mut bytes = 0;
    for told in verdicts.iter().map(ToldVerdict::from) {
        let texts = told.name.len() + told.sop_instance_uid.len() + told.message.as_ref().map_or(0, String::len);
        // Each byte may be escaped, and each member has a name.
        let more = 6 * texts + 128;
        if bytes > 0 && bytes + more > PAGE_BYTES {
            bytes = 0;
            pages.push(VerdictPage::default());
        }
        bytes += more;
        if let Some(page) = pages.last_mut() {
            page.files.push(told);
        }
    }
    let of = pages.len() as u64;
    pages.iter_mut().for_each(|page| page.of = of);
    pages
}

impl Core {
    /// Writes down what became of the files of an upload.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn keep_verdicts(&self, upload: &ResumableUpload, verdicts: &[Verdict]) -> Result<(), StoreError> {
        for (page, number) in pages(verdicts).iter().zip(0..) {
            self.records.set(&keys::resumable_verdicts(&upload.id, number), page).await?;
        }
        Ok(())
    }

    /// What became of the files of an upload; `None` if nobody wrote it down, as when whoever imported it died before that.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn verdicts_of(&self, upload: &ResumableUpload) -> Result<Option<Vec<ToldVerdict>>, StoreError> {
        let (mut files, mut found, mut of) = (Vec::new(), 0, 1);
        let page = async |number| self.records.get(&keys::resumable_verdicts(&upload.id, number)).await;
        while let Some(VerdictPage { of: pages, files: more }) = page(found).await? {
            files.extend(more);
            found += 1;
            of = pages;
        }
        Ok((found == of).then_some(files))
    }

    /// Removes what was written down.
    pub(super) async fn remove_verdicts(&self, upload: &ResumableUpload) -> Result<(), StoreError> {
        self.records.delete_numbered(|page| keys::resumable_verdicts(&upload.id, page)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::prearchive::upload::{Outcome, Reason};

    #[test]
    fn pages_fit_into_records_whatever_the_names_are() {
        for name in ["\u{1}".repeat(1_024), "a.dcm".to_owned()] {
            let verdict = |number: u32| Verdict {
                name: format!("{number}/{name}"),
                outcome: Outcome::Ignored,
                reason: Some(Reason { code: "not-dicom", text: name.clone() }),
                sop_instance_uid: String::new(),
                place: None,
            };
            let verdicts: Vec<Verdict> = (0..3_000).map(verdict).collect();
            let pages = pages(&verdicts);
            assert!(pages.len() > 1 && pages.iter().all(|page| page.of == pages.len() as u64));
            let names: Vec<&String> = pages.iter().flat_map(|page| &page.files).map(|told| &told.name).collect();
            assert!(names.into_iter().eq(verdicts.iter().map(|verdict| &verdict.name)));
            assert!(pages.iter().all(|page| serde_json::to_vec(page).unwrap().len() <= PAGE_BYTES));
        }
        assert_eq!(pages(&[]).len(), 1);
    }
}
