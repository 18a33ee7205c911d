//! What the first bytes of a data set say of it.

use super::element::{self, Encoding, SHORT_HEAD_BYTES};

/// Guesses how a data set is written from its first bytes, given what the meta group says.
pub fn guess_encoding(bytes: &[u8], declared: Option<Encoding>) -> Encoding {
    let (Some(&[g0, g1]), Some(vr)) = (bytes.first_chunk::<2>(), bytes.get(4..6)) else {
        return declared.unwrap_or(Encoding::IMPLICIT_LE);
    };
    let explicit = vr.first_chunk::<2>().and_then(|&vr| element::vr_of(vr)).is_some();
    // The first group is small: whichever byte is zero is the high one.
    let big_endian = match declared {
        Some(declared) => declared.big_endian && g0 == 0,
        None => explicit && g0 == 0 && g1 != 0,
    };
    Encoding { explicit, big_endian }
}

/// Whether bytes at the start of a file without preamble can be a data set or a meta group.
pub fn is_plausible_start(bytes: &[u8]) -> bool {
    let encoding = guess_encoding(bytes, None);
    let Ok(head) = element::head(bytes, encoding) else { return false };
    // Command groups are never stored; every data set starts in group 2 or 8, and never with a long value.
    const MAX_FIRST_VALUE_BYTES: u32 = 1 << 16;
    bytes.len() >= SHORT_HEAD_BYTES
        && matches!(head.tag.0, 0x0002 | 0x0008)
        && head.tag.1 < 0x2000
        && head.length.is_none_or(|length| length <= MAX_FIRST_VALUE_BYTES)
}
