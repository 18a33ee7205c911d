//! Segments: what each upload added to a session, as an append-only log.
//!
//! The files of an upload stand on pages under the upload's pack; a segment of a session names the pages that are
//! its own. Writing the segment is what adds the files.

use serde::{Deserialize, Serialize};

use crate::domain::Core;
use crate::imaging::summary::SeriesSummary;
use crate::intake::Extent;
use crate::storage::{PackId, Record, StoreError, keys};

/// Files on one page, at most.
pub(crate) const FILES_PER_PAGE: usize = 256;

/// One file as it arrived.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ArrivedFile {
    /// The path it came with.
    #[serde(rename = "n")]
    pub name: String,
    /// The name that it gets if another file of its folder has its own; without one it is numbered.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub alternative: Option<String>,
    /// Whether it takes the place of another file of its SOP instance and name.
    #[serde(rename = "g", default, skip_serializing_if = "std::ops::Not::not")]
    pub replaces: bool,
    /// Its number in the pack.
    #[serde(rename = "o")]
    pub ordinal: u32,
    /// Where in the pack.
    #[serde(rename = "e")]
    pub extent: Extent,
    /// CRC-32 of its bytes.
    #[serde(rename = "c")]
    pub crc32: u32,
    /// SOP Class UID.
    #[serde(rename = "k")]
    pub sop_class_uid: String,
    /// SOP Instance UID.
    #[serde(rename = "u")]
    pub sop_instance_uid: String,
    /// Instance Number.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub instance_number: Option<i64>,
}

/// Files of one series that arrived together, with what their headers have in common.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SeriesPart {
    /// What the headers of these files have in common.
    pub summary: SeriesSummary,
    /// The files.
    pub files: Vec<ArrivedFile>,
}

/// A page of an upload. All of it belongs to one study.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SegmentPage {
    /// Parts of series.
    pub parts: Vec<SeriesPart>,
}

/// Bytes of a page that may stand in the segment itself.
const MAX_INLINE_BYTES: usize = 32 * 1024;

impl SegmentPage {
    /// The page, if it is small enough to stand in the segment itself.
    pub(super) fn inlined(&self) -> Option<Box<Self>> {
        let is_small = serde_json::to_vec(self).is_ok_and(|json| json.len() <= MAX_INLINE_BYTES);
        is_small.then(|| Box::new(self.clone()))
    }
}

impl Record for SegmentPage {
    const VERSION: u32 = 1;
}

/// Files of a session in one pack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SegmentPart {
    /// The pack in which the files lie.
    pub pack: PackId,
    /// Under which name the pages stand, if not under the pack's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages_of: Option<String>,
    /// The first page, and how many.
    pub first_page: u64,
    /// How many pages.
    pub pages: u64,
    /// The only page, where it is small enough to stand here and not in a record of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<Box<SegmentPage>>,
}

/// What one upload added to one session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Segment {
    /// The files, by the packs in which they lie.
    pub parts: Vec<SegmentPart>,
    /// Who uploaded it.
    pub by: String,
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// Whether it was written while its pack, of one chunk, was on its way to the store: it counts only if that has come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_early: bool,
}

impl Record for Segment {
    const VERSION: u32 = 2;
}

/// Where one page of a segment is.
#[derive(Debug, Clone)]
pub struct PageRef<'a> {
    /// The pack in which its files lie.
    pub pack: PackId,
    at: PageAt<'a>,
}

#[derive(Debug, Clone)]
enum PageAt<'a> {
    Record(String, u64),
    Inline(&'a SegmentPage),
}

fn upload(pack: PackId) -> String {
    pack.number().to_string()
}

impl SegmentPart {
    fn upload(&self) -> String {
        self.pages_of.clone().unwrap_or_else(|| upload(self.pack))
    }
}

impl Segment {
    /// The packs in which its files lie.
    pub fn packs(&self) -> impl Iterator<Item = PackId> + '_ {
        self.parts.iter().map(|part| part.pack)
    }

    /// Its pages, in order.
    pub fn pages(&self) -> impl Iterator<Item = PageRef<'_>> {
        self.parts.iter().flat_map(|part| {
            let numbers = part.first_page..part.first_page.saturating_add(part.pages);
            let inline = part.inline.as_deref();
            numbers.map(move |number| PageRef {
                pack: part.pack,
                at: inline.map_or_else(|| PageAt::Record(part.upload(), number), PageAt::Inline),
            })
        })
    }
}

impl Core {
    pub(crate) async fn write_segment_page(
        &self,
        pack: PackId,
        number: u64,
        page: &SegmentPage,
    ) -> Result<(), StoreError> {
        self.records.set(&keys::segment_page(&upload(pack), number), page).await
    }

    pub(crate) async fn segment_page(&self, page: &PageRef<'_>) -> Result<SegmentPage, StoreError> {
        match &page.at {
            PageAt::Inline(page) => Ok((*page).clone()),
            PageAt::Record(upload, number) => {
                let key = keys::segment_page(upload, *number);
                let page = self.records.get(&key).await?;
                page.ok_or_else(|| StoreError::Corrupt { key: key.to_string(), reason: "it is missing".to_owned() })
            }
        }
    }

    /// Removes the pages that stand under a name, up to the first that does not.
    pub(crate) async fn remove_pages(&self, upload: &str) -> Result<(), StoreError> {
        self.records.delete_numbered(|page| keys::segment_page(upload, page)).await
    }

    /// Adds a segment to a session: from here on its files belong to it.
    pub(crate) async fn append_segment(&self, session: &str, segment: &Segment) -> Result<u64, StoreError> {
        let number = self.begin_segment(session).await?;
        self.write_segment(session, number, segment).await?;
        Ok(number)
    }

    /// Takes the number of a new segment.
    pub(crate) async fn begin_segment(&self, session: &str) -> Result<u64, StoreError> {
        let number = self.records.increment(&keys::segment_counter(session), 1).await?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    /// Adds a segment under the number that was taken for it.
    pub(crate) async fn write_segment(&self, session: &str, number: u64, segment: &Segment) -> Result<(), StoreError> {
        self.records.set(&keys::segment(session, number), segment).await
    }

    /// How many segments were begun.
    pub(crate) async fn segments_begun(&self, session: &str) -> Result<u64, StoreError> {
        let count = self.records.store().counter(keys::segment_counter(session).as_str()).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The segment of this number; `None` if its writer has not come to the end (or never will).
    pub(crate) async fn segment(&self, session: &str, number: u64) -> Result<Option<Segment>, StoreError> {
        let Some(segment) = self.segment_as_written(session, number).await? else { return Ok(None) };
        if segment.is_early {
            for pack in segment.packs() {
                if !self.blobs.exists(keys::pack_chunk(pack, 0).as_str()).await? {
                    return Ok(None);
                }
            }
        }
        Ok(Some(segment))
    }

    /// The segment of this number, whether its bytes have come or not.
    async fn segment_as_written(&self, session: &str, number: u64) -> Result<Option<Segment>, StoreError> {
        self.records.get(&keys::segment(session, number)).await
    }

    /// Removes the segments of a session, their pages and the counter.
    pub(crate) async fn remove_segments(&self, session: &str) -> Result<(), StoreError> {
        for number in 1..=self.segments_begun(session).await? {
            if let Some(segment) = self.segment_as_written(session, number).await? {
                for page in segment.pages() {
                    if let PageAt::Record(upload, number) = page.at {
                        self.records.delete(&keys::segment_page(&upload, number)).await?;
                    }
                }
                self.records.delete(&keys::segment(session, number)).await?;
            }
        }
        self.records.delete(&keys::segment_counter(session)).await
    }
}
