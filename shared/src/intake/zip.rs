//! The verdict on a zip: what the central directory lists, compared with what the scanner saw or read back.

use crate::intake::directory::{self, Listed};
use crate::intake::error::{Field, IntakeError};
use crate::intake::extent::Extent;
use crate::intake::name::EntryName;
use crate::intake::reread::reread;
use crate::intake::scan::{Scanned, Seen, ZipScanner};
use crate::intake::source::PackSource;
use crate::intake::verify::{SinkFactory, SinkOutput};

/// One file of an upload, checked: its bytes have this CRC-32 and this length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<R> {
    pub name: EntryName,
    /// Where its stored bytes are in the pack.
    pub extent: Extent,
    /// Of its (inflated) bytes.
    pub crc32: u32,
    /// What the sink found out.
    pub result: R,
}

/// Takes the files of an upload one by one, so that nobody must hold all of them.
pub trait EntryVisitor<R> {
    /// Why it gives up; what is wrong with the upload is put into it too.
    type Error: From<IntakeError>;

    /// The next file. A later one may still make the upload refused: make nothing final before [`finish`] is `Ok`.
    fn entry(&mut self, entry: Entry<R>) -> Result<(), Self::Error>;
}

/// What a zip came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files, all of which were visited.
    pub files: u64,
    /// Folders, which are dropped: a path says enough.
    pub folders: u64,
    /// Bytes of all files after inflating.
    pub bytes: u64,
    /// Entries that had to be read back from the pack.
    pub reread: u64,
    /// Entries that passed by but are not in the central directory, such as deleted ones. They do not count.
    pub unlisted: u64,
}

/// Reads the central directory from the pack, compares each of its entries with what the scanner saw at that place,
/// reads back from the pack those it did not see, and gives the files to the visitor in the directory's order.
///
/// A scanner that was given no byte at all is fine: then everything is read back.
///
/// # Errors
/// The first thing that does not agree, as [`IntakeError`]; a failing store, likewise; whatever the visitor returns.
pub async fn finish<F, P, V>(scanner: ZipScanner<F>, pack: &P, visitor: &mut V) -> Result<Summary, V::Error>
where
    F: SinkFactory,
    P: PackSource,
    V: EntryVisitor<SinkOutput<F>>,
{
    let mut scanned = scanner.end();
    let limits = scanned.limits;
    let listed = directory::read(pack, &limits).await?;
    let mut summary = Summary::default();
    for listed in listed {
        let seen = match scanned.take(listed.header_offset) {
            Some(seen) => {
                compare(&seen, &listed)?;
                seen
            }
            None => {
                summary.reread = summary.reread.saturating_add(1);
                let Scanned { inflater, factory, .. } = &mut scanned;
                reread(pack, &listed, inflater, factory).await?
            }
        };
        if seen.end > listed.end_limit {
            return Err(IntakeError::Overlap { entry: listed.shown() }.into());
        }
        if listed.is_folder {
            summary.folders = summary.folders.saturating_add(1);
            continue;
        }
        // Only a folder has no sink, and the kind goes by the name, which agrees.
        let Some(result) = seen.result else {
            return Err(IntakeError::Disagree { entry: listed.shown(), field: Field::Name }.into());
        };
        summary.files = summary.files.saturating_add(1);
        summary.bytes = summary.bytes.saturating_add(seen.len);
        let extent =
            Extent { offset: seen.data_offset, stored_len: seen.stored_len, len: seen.len, method: seen.method };
        visitor.entry(Entry { name: listed.name, extent, crc32: seen.crc32, result })?;
    }
    summary.unlisted = scanned.seen.iter().flatten().count() as u64;
    Ok(summary)
}

fn compare<R>(seen: &Seen<R>, listed: &Listed) -> Result<(), IntakeError> {
    let field = if *seen.raw_name != *listed.raw_name() {
        Field::Name
    } else if seen.method_number != listed.method_number {
        Field::Method
    } else if seen.len != listed.len {
        Field::Length
    } else if seen.stored_len != listed.stored_len {
        Field::StoredLength
    } else if seen.crc32 != listed.crc32 {
        Field::Crc
    } else {
        return Ok(());
    };
    Err(IntakeError::Disagree { entry: listed.shown(), field })
}
