//! Names of one archive that exclude each other.

use std::cmp::Ordering;

use crate::intake::error::IntakeError;
use crate::intake::name::{EntryName, ShownName};

/// No file twice, and no file that is also a folder. A folder may be listed more than once, which says nothing new.
/// Each entry is its name and whether it is a folder.
pub(super) fn check<'a>(entries: impl Iterator<Item = (&'a EntryName, bool)>) -> Result<(), IntakeError> {
    let mut order: Vec<(&EntryName, bool)> = entries.collect();
    order.sort_unstable_by(|a, b| by_path(a.0, b.0).then(a.1.cmp(&b.1)));
    for (&(name, is_folder), &(next, next_is_folder)) in order.iter().zip(order.iter().skip(1)) {
        if is_folder {
            continue;
        }
        // In this order all that lies in a folder follows its name at once.
        match next.as_str().strip_prefix(name.as_str()) {
            Some("") if !next_is_folder => return Err(IntakeError::Duplicate { entry: ShownName::from(name) }),
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                return Err(IntakeError::FileAndFolder { entry: ShownName::from(name) });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The order of bytes, but with `/` before all others.
fn by_path(a: &EntryName, b: &EntryName) -> Ordering {
    a.as_str().split('/').cmp(b.as_str().split('/'))
}
