//! What the instances of one series have in common: small, bounded and mergeable in any order.

use super::ecat::{ECAT_CLASS, PRIVATE_GROUP};
use super::header::DicomHeader;
use super::tags::{self, Keep, Tag};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Distinct values kept of an element that may have several.
pub const MAX_DISTINCT_VALUES: usize = 8;
/// Distinct SOP classes or transfer syntaxes kept of a series.
pub const MAX_DISTINCT_UIDS: usize = 16;
/// A value is cut after this many bytes, so that a summary stays far below the limit of a record.
pub const MAX_SUMMARY_VALUE_BYTES: usize = 512;

/// The values of one element throughout a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TagValues {
    /// The same wherever it is given.
    One(String),
    /// Different.
    Several {
        /// The smallest distinct values, sorted; none for elements of which only the fact matters.
        #[serde(rename = "v", default, skip_serializing_if = "Vec::is_empty")]
        values: Vec<String>,
        /// There are more values than are kept.
        #[serde(rename = "m", default, skip_serializing_if = "std::ops::Not::not")]
        more: bool,
    },
}

impl TagValues {
    /// The value, if there is only one.
    pub fn one(&self) -> Option<&str> {
        match self {
            Self::One(value) => Some(value),
            Self::Several { .. } => None,
        }
    }

    /// All values that are kept, sorted.
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Several { values, .. } => values,
        }
    }

    fn absorb(&mut self, other: &Self, keep: Keep) {
        if self == other {
            return;
        }
        if keep != Keep::Several {
            *self = Self::Several { values: Vec::new(), more: true };
            return;
        }
        let is_full = |side: &Self| matches!(side, Self::Several { more: true, .. });
        let mut values: Vec<String> = self.all().iter().chain(other.all()).cloned().collect();
        values.sort();
        values.dedup();
        let more = is_full(self) || is_full(other) || values.len() > MAX_DISTINCT_VALUES;
        // The smallest ones are kept, whatever the order of merging.
        values.truncate(MAX_DISTINCT_VALUES);
        *self = Self::Several { values, more };
    }
}

/// What is known of the instances of one series. Merging is associative and commutative.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesSummary {
    /// Study Instance UID.
    #[serde(rename = "st")]
    pub study_uid: String,
    /// Series Instance UID.
    #[serde(rename = "se")]
    pub series_uid: String,
    /// SOP Class UIDs with their number of instances.
    #[serde(rename = "sc")]
    pub sop_classes: BTreeMap<String, u32>,
    /// Transfer Syntax UIDs with their number of instances.
    #[serde(rename = "ts", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub transfer_syntaxes: BTreeMap<String, u32>,
    /// Instances.
    #[serde(rename = "n")]
    pub instances: u32,
    /// Frames of all instances.
    #[serde(rename = "f")]
    pub frames: u64,
    /// Values of the elements of interest.
    #[serde(rename = "t", with = "tag_keys")]
    pub tags: BTreeMap<Tag, TagValues>,
}

impl SeriesSummary {
    /// The summary of a single instance.
    pub fn of(header: &DicomHeader) -> Self {
        let kept = |tag: &Tag| {
            tag.0 == PRIVATE_GROUP || tags::interest(*tag).is_some_and(|interest| interest.keep != Keep::Never)
        };
        Self {
            study_uid: header.study_instance_uid.clone(),
            series_uid: header.series_instance_uid.clone(),
            sop_classes: BTreeMap::from([(header.sop_class_uid.clone(), 1)]),
            transfer_syntaxes: header.transfer_syntax.iter().map(|uid| (uid.clone(), 1)).collect(),
            instances: 1,
            frames: u64::from(header.frames),
            tags: header
                .tags
                .iter()
                .filter(|(tag, _)| kept(tag))
                .map(|(tag, value)| (*tag, TagValues::One(cut(value).to_owned())))
                .collect(),
        }
    }

    /// Adds what another summary of the same series knows.
    pub fn absorb(&mut self, other: &Self) {
        // The series is the caller's key; should it differ, the result still must not depend on the order.
        merge_name(&mut self.study_uid, &other.study_uid);
        merge_name(&mut self.series_uid, &other.series_uid);
        merge_counts(&mut self.sop_classes, &other.sop_classes);
        merge_counts(&mut self.transfer_syntaxes, &other.transfer_syntaxes);
        self.instances = self.instances.saturating_add(other.instances);
        self.frames = self.frames.saturating_add(other.frames);
        absorb_tags(&mut self.tags, &other.tags);
    }

    /// Whether these are ECAT files.
    pub fn is_ecat(&self) -> bool {
        self.sop_classes.contains_key(ECAT_CLASS)
    }

    /// The value of an element that is the same throughout.
    pub fn one(&self, tag: Tag) -> Option<&str> {
        self.tags.get(&tag).and_then(TagValues::one)
    }

    /// The kept values of an element, sorted.
    pub fn all(&self, tag: Tag) -> &[String] {
        self.tags.get(&tag).map(TagValues::all).unwrap_or_default()
    }
}

/// Merges the values of elements of two sets of instances.
pub(super) fn absorb_tags(into: &mut BTreeMap<Tag, TagValues>, from: &BTreeMap<Tag, TagValues>) {
    for (tag, values) in from {
        match into.get_mut(tag) {
            Some(known) => known.absorb(values, tags::interest(*tag).map_or(Keep::One, |interest| interest.keep)),
            None => {
                into.insert(*tag, values.clone());
            }
        }
    }
}

fn merge_name(into: &mut String, from: &str) {
    if into.is_empty() || (!from.is_empty() && from < into.as_str()) {
        from.clone_into(into);
    }
}

fn merge_counts(into: &mut BTreeMap<String, u32>, from: &BTreeMap<String, u32>) {
    for (uid, count) in from {
        let known = into.entry(uid.clone()).or_default();
        *known = known.saturating_add(*count);
    }
    // Likewise the smallest ones.
    while into.len() > MAX_DISTINCT_UIDS {
        into.pop_last();
    }
}

fn cut(value: &str) -> &str {
    value.get(..value.floor_char_boundary(MAX_SUMMARY_VALUE_BYTES)).unwrap_or(value)
}

/// Tags as eight hexadecimal digits, the keys of a JSON object.
mod tag_keys {
    use super::{BTreeMap, Tag, TagValues};
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(tags: &BTreeMap<Tag, TagValues>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(tags.iter().map(|(tag, values)| (format!("{:04x}{:04x}", tag.0, tag.1), values)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Tag, TagValues>, D::Error> {
        let parse = |key: &str| {
            let (group, element) = key.split_at_checked(4)?;
            Some(Tag(u16::from_str_radix(group, 16).ok()?, u16::from_str_radix(element, 16).ok()?))
        };
        BTreeMap::<String, TagValues>::deserialize(deserializer)?
            .into_iter()
            .map(|(key, values)| {
                Ok((parse(&key).ok_or_else(|| D::Error::custom("a tag is eight hex digits"))?, values))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{DataSet, MR, Random, part10, read};
    use super::*;

    fn random_summary(random: &mut Random) -> SeriesSummary {
        let mut set = DataSet::default().identified(MR, "1.2.3.4", "1.2.3", "1.2.3.1", "MR");
        for tag in [tags::STATION_NAME, tags::ECHO_TIME, tags::ROWS, tags::STUDY_DESCRIPTION] {
            if random.below(4) > 0 {
                set = set.text(tag, "LO", &random.below(14).to_string());
            }
        }
        let mut summary = SeriesSummary::of(&read(&part10("1.2.840.10008.1.2.1", &set.bytes)).unwrap());
        summary.sop_classes = BTreeMap::from([(format!("1.{}", random.below(40)), 1 + random.below(3) as u32)]);
        summary
    }

    fn merged(parts: &[&SeriesSummary]) -> SeriesSummary {
        let mut all = parts[0].clone();
        parts[1..].iter().for_each(|part| all.absorb(part));
        all
    }

    #[test]
    fn merging_is_associative_and_commutative() {
        let mut random = Random(42);
        for _ in 0..200 {
            let parts: Vec<_> = (0..40).map(|_| random_summary(&mut random)).collect();
            let expected = merged(&parts.iter().collect::<Vec<_>>());
            let mut shuffled: Vec<_> = parts.iter().collect();
            for at in (1..shuffled.len()).rev() {
                shuffled.swap(at, random.below(at + 1));
            }
            assert_eq!(merged(&shuffled), expected);
            let cut = 1 + random.below(38);
            let (left, right) = (merged(&shuffled[..cut]), merged(&shuffled[cut..]));
            assert_eq!(merged(&[&left, &right]), expected);
            assert_eq!(merged(&[&right, &left]), expected);
        }
    }

    #[test]
    fn differing_values_are_kept_only_where_they_are_needed() {
        let of = |station: &str, description: &str| {
            let set = DataSet::default()
                .identified(MR, "1.2.3.4", "1.2.3", "1.2.3.1", "MR")
                .text(tags::STATION_NAME, "SH", station)
                .text(tags::SERIES_DESCRIPTION, "LO", description);
            SeriesSummary::of(&read(&part10("1.2.840.10008.1.2.1", &set.bytes)).unwrap())
        };
        let summary = merged(&[&of("B", "x"), &of("A", "y"), &of("B", "x")]);
        assert_eq!(summary.all(tags::STATION_NAME), ["A", "B"]);
        assert_eq!(summary.one(tags::STATION_NAME), None);
        assert_eq!(summary.one(tags::MODALITY), Some("MR"));
        assert_eq!(summary.tags[&tags::SERIES_DESCRIPTION], TagValues::Several { values: vec![], more: true });
        assert_eq!((summary.instances, summary.frames), (3, 3));
    }

    #[test]
    fn its_json_is_compact_and_comes_back_the_same() {
        let mut random = Random(7);
        let parts: Vec<_> = (0..9).map(|_| random_summary(&mut random)).collect();
        let summary = merged(&parts.iter().collect::<Vec<_>>());
        let json = serde_json::to_string(&summary).unwrap();
        assert_eq!(serde_json::from_str::<SeriesSummary>(&json).unwrap(), summary);
        assert!(json.contains(r#""00080060":"MR""#), "{json}");
    }

    #[test]
    fn hostile_values_leave_it_small() {
        let mut all: Option<SeriesSummary> = None;
        for instance in 0..40 {
            let mut set = DataSet::default().identified(MR, "1.2.3.4", "1.2.3", "1.2.3.1", "MR");
            for entry in tags::INTERESTS.iter().filter(|entry| entry.keep != Keep::Never) {
                set = set.text(entry.tag, "LO", &format!("{instance}{}", "é".repeat(4_000)));
            }
            let one = SeriesSummary::of(&read(&part10("1.2.840.10008.1.2.1", &set.bytes)).unwrap());
            match &mut all {
                Some(all) => all.absorb(&one),
                None => {
                    assert!(serde_json::to_vec(&one).unwrap().len() < 80_000);
                    all = Some(one);
                }
            }
        }
        assert!(serde_json::to_vec(&all).unwrap().len() < 80_000);
    }
}
