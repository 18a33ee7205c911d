//! Verifying an entry by reading it back from the pack: for those that the scanner could not follow.

use crate::intake::directory::Listed;
use crate::intake::error::{Field, IntakeError};
use crate::intake::record::{self, LocalHeader, LocalParse};
use crate::intake::scan::{self, Seen};
use crate::intake::source::{Cursor, PackSource};
use crate::intake::verify::{EntryCheck, Expected, Inflater, SinkFactory, SinkOutput};

/// Reads the entry from its local header to its data descriptor, in bounded pieces.
pub(super) async fn reread<P: PackSource, F: SinkFactory>(
    pack: &P,
    listed: &Listed,
    inflater: &mut Inflater,
    factory: &mut F,
) -> Result<Seen<SinkOutput<F>>, IntakeError> {
    let mut cursor = Cursor::new(pack, listed.header_offset, listed.end_limit);
    let local = local_header(&mut cursor, listed).await?;
    disagreement(&local, listed)?;
    let data_offset = listed.header_offset.saturating_add(local.header_len as u64);
    if cursor.left() < listed.stored_len {
        return Err(IntakeError::Overlap { entry: listed.shown() });
    }
    let expected = Expected { stored_len: Some(listed.stored_len), len: Some(listed.len), crc32: Some(listed.crc32) };
    let sink = (!listed.is_folder).then(|| factory.open(&listed.name));
    let mut check = EntryCheck::new(inflater, listed.name.clone(), listed.method, expected, sink)?;
    while !check.is_ended() {
        let taken = check.push(inflater, cursor.peek().await?)?;
        if taken == 0 && !check.is_ended() {
            break;
        }
        cursor.skip(taken);
    }
    let checked = check.finish()?;
    let mut end = data_offset.saturating_add(listed.stored_len);
    if local.has_descriptor() {
        let longest = usize::try_from(cursor.left()).unwrap_or(usize::MAX).min(record::MAX_DESCRIPTOR_BYTES);
        let bytes = cursor.take(longest).await?.unwrap_or_default();
        match record::descriptor_len(&bytes, checked.crc32, checked.stored_len, checked.len) {
            Some(len) => end = end.saturating_add(len as u64),
            // Some writers set the flag for folders and put nothing behind them.
            None if listed.is_folder => {}
            None => return Err(IntakeError::Descriptor { entry: listed.shown() }),
        }
    }
    Ok(Seen {
        header_offset: listed.header_offset,
        raw_name: local.name,
        method: listed.method,
        crc32: checked.crc32,
        len: checked.len,
        stored_len: checked.stored_len,
        data_offset,
        end,
        result: checked.result,
        method_number: local.method,
    })
}

async fn local_header<P: PackSource>(cursor: &mut Cursor<&P>, listed: &Listed) -> Result<LocalHeader, IntakeError> {
    let missing = || IntakeError::NoLocalHeader { entry: listed.shown() };
    let mut bytes = Vec::new();
    loop {
        match LocalHeader::parse(&bytes) {
            LocalParse::Header(local) => return Ok(local),
            LocalParse::No => return Err(missing()),
            LocalParse::Need(need) => {
                let more = cursor.take(need.saturating_sub(bytes.len())).await?.ok_or_else(missing)?;
                bytes.extend_from_slice(&more);
            }
        }
    }
}

/// What the local header says must be what the directory says, except that sizes may follow the data (4.4.4).
fn disagreement(local: &LocalHeader, listed: &Listed) -> Result<(), IntakeError> {
    if local.flags & record::FLAGS_ENCRYPTION != 0 {
        return Err(IntakeError::Encrypted { entry: listed.shown() });
    }
    if let Some(other) = local.other_name.clone() {
        return Err(IntakeError::TwoNames { entry: listed.shown(), other });
    }
    let described = local.has_descriptor();
    let field = if *local.name != *listed.raw_name() {
        Field::Name
    } else if local.method != listed.method_number {
        Field::Method
    } else if described {
        if scan::agrees_when_described(local, listed.crc32, listed.stored_len, listed.len) {
            return Ok(());
        }
        Field::Length
    } else if local.crc32 != listed.crc32 {
        Field::Crc
    } else if local.len != Some(listed.len) {
        Field::Length
    } else if local.stored_len != Some(listed.stored_len) {
        Field::StoredLength
    } else {
        return Ok(());
    };
    Err(IntakeError::Disagree { entry: listed.shown(), field })
}
