//! What an upload has used of its limits, over all its bodies and the archives inside them.

use crate::limits::Limits;

/// What the upload has used of its limits.
#[derive(Default)]
pub(super) struct Spent {
    pub received_bytes: u64,
    pub inflated_bytes: u64,
    pub entries: u64,
    pub archives: u64,
    /// Streams of compressed files ([`Decoder::spent_streams`](crate::intake::Decoder::spent_streams)).
    pub streams: u64,
}

impl Spent {
    /// What is left of the limits. Of what is inflated, an archive inside must make do with what the bytes received
    /// allow, so that nesting gains nothing.
    pub fn left_of(&self, limits: &Limits, depth: u32) -> Limits {
        let earned = self.received_bytes.saturating_mul(limits.max_ratio);
        let unearned = self.inflated_bytes.saturating_sub(earned);
        let allowed = earned.saturating_add(limits.ratio_free_total_bytes).saturating_sub(self.inflated_bytes);
        let left = limits.max_inflated_bytes.saturating_sub(self.inflated_bytes);
        Limits {
            max_entries: limits.max_entries.saturating_sub(self.entries),
            max_inflated_bytes: if depth == 0 { left } else { left.min(allowed) },
            ratio_free_total_bytes: limits.ratio_free_total_bytes.saturating_sub(unearned),
            ratio_free_decompressed_bytes: limits.ratio_free_decompressed_bytes.saturating_sub(unearned),
            ..*limits
        }
    }
}
