//! Resources that hold arbitrary files, as a list on the record of what they belong to.

use serde::{Deserialize, Serialize};

use super::Core;
use super::catalog::{Catalog, CatalogRef, FileNotes};
use super::error::DomainError;
use super::ids::MAX_NAME_BYTES;
use crate::storage::StoreError;

/// Resources of one owner, at most: they stand in its record.
pub const MAX_RESOURCES: usize = 100;

/// Bytes of a format or content, at most.
const MAX_WORD_BYTES: usize = 64;
/// Bytes of a description, at most.
const MAX_DESCRIPTION_BYTES: usize = 300;
/// Bytes of all tags together, at most.
const MAX_TAGS_BYTES: usize = 200;

/// A resource of an item. It is there for readers if it was made as such, or as long as its catalog has a file: an entry
/// that has neither is left from a change that is not complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemResource {
    /// Its label, which no other resource of the owner has.
    pub label: String,
    /// What was said of it when it was made.
    #[serde(default)]
    pub notes: FileNotes,
    /// Its number on the server (`xnat_abstractresource_id`), given when it is archived; 0 before.
    #[serde(default)]
    pub number: u64,
    /// The identifier of its catalog.
    pub catalog: String,
    /// Whether it is there though it may be empty, as resources of the archive may be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_made: bool,
}

impl ItemResource {
    /// Whether an address means it by this name: its label, or its number once it has one.
    pub fn is_named(&self, name: &str) -> bool {
        self.label == name || (self.number > 0 && self.number.to_string() == name)
    }

    /// Its catalog, as whoever owns the files under this name refers to it.
    pub fn catalog_of<'a>(&'a self, owner: &'a str) -> CatalogRef<'a> {
        CatalogRef { id: &self.catalog, owner }
    }
}

/// A resource with what its catalog says.
#[derive(Debug, Clone, PartialEq)]
pub struct CountedResource {
    /// The resource.
    pub resource: ItemResource,
    /// The head of its catalog.
    pub catalog: Catalog,
}

/// The resource that an address means by this name: a label is meant before a number.
pub fn named<'a>(resources: &'a [ItemResource], name: &str) -> Option<&'a ItemResource> {
    let by_label = resources.iter().find(|resource| resource.label == name);
    by_label.or_else(|| resources.iter().find(|resource| resource.is_named(name)))
}

/// A label that a new resource may have: 1 to 128 letters, digits, `_`, `-`, `.` and blanks (ASCII), the first a
/// letter, digit or `_`, the last neither a blank nor a dot. It is a folder's name in every download.
///
/// # Errors
/// [`DomainError::Invalid`].
pub fn check_label(text: &str) -> Result<(), DomainError> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (first, last) = (text.bytes().next(), text.bytes().next_back());
    let is_fit = text.len() <= MAX_NAME_BYTES
        && first.is_some_and(is_word)
        && last.is_some_and(|byte| is_word(byte) || byte == b'-')
        && text.bytes().all(|byte| is_word(byte) || matches!(byte, b'-' | b'.' | b' '));
    if is_fit {
        return Ok(());
    }
    Err(DomainError::Invalid {
        what: format!(
            "A resource's label must be 1 to {MAX_NAME_BYTES} letters, digits, underscores, hyphens, dots or blanks, \
             and neither begin nor end with a dot or blank."
        ),
    })
}

/// What a client says of a resource or file, within the limits of what is kept.
///
/// # Errors
/// [`DomainError::Invalid`] for what is too long or has control characters.
pub fn check_notes(notes: &FileNotes) -> Result<(), DomainError> {
    for (name, text, limit) in [
        ("format", &notes.format, MAX_WORD_BYTES),
        ("content", &notes.content, MAX_WORD_BYTES),
        ("description", &notes.description, MAX_DESCRIPTION_BYTES),
        ("tags", &notes.tags, MAX_TAGS_BYTES),
    ] {
        if text.len() > limit || text.chars().any(char::is_control) {
            return Err(DomainError::Invalid {
                what: format!("The parameter {name} may have at most {limit} bytes and no control characters."),
            });
        }
    }
    Ok(())
}

impl Core {
    /// The resources of a list that are there, with their numbers of files and bytes, in order of their labels.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn counted_resources(&self, resources: &[ItemResource]) -> Result<Vec<CountedResource>, StoreError> {
        let mut counted = Vec::new();
        for some in resources.chunks(8) {
            let heads = futures::future::join_all(some.iter().map(|resource| self.catalog(&resource.catalog))).await;
            for (resource, catalog) in some.iter().zip(heads) {
                let catalog = catalog?;
                if resource.is_made || !catalog.is_empty() {
                    counted.push(CountedResource { resource: resource.clone(), catalog });
                }
            }
        }
        counted.sort_by(|a, b| a.resource.label.cmp(&b.resource.label));
        Ok(counted)
    }

    /// The resource of this name, if it is there.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn counted_resource(
        &self,
        resources: &[ItemResource],
        name: &str,
    ) -> Result<Option<CountedResource>, StoreError> {
        let Some(resource) = named(resources, name) else { return Ok(None) };
        let catalog = self.catalog(&resource.catalog).await?;
        Ok((resource.is_made || !catalog.is_empty()).then(|| CountedResource { resource: resource.clone(), catalog }))
    }

    /// Removes the catalogs of these resources and releases their packs; the owner is about to go.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn remove_catalogs(&self, resources: &[ItemResource], owner: &str) -> Result<(), StoreError> {
        for resource in resources {
            self.remove_catalog(resource.catalog_of(owner)).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_harmless_names_of_folders() {
        for fine in ["NOTES", "a", "3", "_x-", "my notes.v2", &"a".repeat(128)] {
            assert!(check_label(fine).is_ok(), "{fine:?}");
        }
        for bad in ["", " a", "a ", ".", "..", ".a", "a.", "-a", "a/b", "a\\b", "ä", "a\0", "a:b", &"a".repeat(129)] {
            assert!(check_label(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_said_of_a_file_is_bounded() {
        let notes = |tags: &str| FileNotes { tags: tags.to_owned(), ..FileNotes::default() };
        assert!(check_notes(&notes(&"a".repeat(200))).is_ok());
        assert!(check_notes(&notes(&"a".repeat(201))).is_err());
        assert!(check_notes(&notes("a\nb")).is_err());
    }
}
