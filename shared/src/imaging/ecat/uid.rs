//! UIDs for what has none: ECAT knows neither studies nor series nor instances.
//!
//! They are UUIDs under `2.25` (DICOM PS3.5 B.2) of version 8, whose bits are the writer's to choose (RFC 9562 5.8):
//! 48 bits that say that they are ours, and 74 of a SHA-256 over what identifies the thing.

use sha2::{Digest, Sha256};

/// The SOP class that says that a file is ECAT 7: a UUID like those of the instances, of nothing at all.
pub const ECAT_CLASS: &str = "2.25.92004546821993743007439517915887435776";

/// The first 48 bits of our UUIDs.
const OURS: [u8; 6] = *b"E7narx";
/// Version and variant of a UUID of version 8, as a mask and what is to stand there.
const VERSION_MASK: u128 = 0xF000_C000_0000_0000_0000;
const VERSION_8: u128 = 0x8000_8000_0000_0000_0000;
/// Bits behind [`OURS`].
const FREE_BITS: u32 = 80;

/// The UID of what these parts identify, in the order and number that they are given in.
pub(super) fn derived(kind: &str, parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(&kind.as_bytes()).chain(parts) {
        // With its length before it no part can pass for the beginning of the next.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let (bits, _) = digest.split_first_chunk().unwrap_or((&[0; 16], &[]));
    uid(u128::from_be_bytes(*bits))
}

/// The UID with these bits where they are free.
fn uid(bits: u128) -> String {
    let free = bits & ((1 << FREE_BITS) - 1) & !VERSION_MASK;
    format!("2.25.{}", (ours() << FREE_BITS) | VERSION_8 | free)
}

/// Whether a UID was made here and means nothing to anybody else.
pub fn is_derived_uid(uid: &str) -> bool {
    let number = uid.strip_prefix("2.25.").and_then(|number| number.parse::<u128>().ok());
    number.is_some_and(|number| number >> FREE_BITS == ours() && number & VERSION_MASK == VERSION_8)
}

/// A UID as documents and lists show it: empty for one that was made here, because XNAT shows none for ECAT.
pub fn shown_uid(uid: &str) -> &str {
    if is_derived_uid(uid) { "" } else { uid }
}

fn ours() -> u128 {
    OURS.iter().fold(0, |number, byte| (number << 8) | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::Uid;

    #[test]
    fn ours_are_valid_and_known_again() {
        assert_eq!(uid(0), ECAT_CLASS);
        let one = derived("study", &[b"a", b"bc"]);
        assert!(Uid::parse(&one).is_ok() && is_derived_uid(&one) && is_derived_uid(ECAT_CLASS), "{one}");
        assert_eq!(one, derived("study", &[b"a", b"bc"]));
        for other in [derived("study", &[b"ab", b"c"]), derived("series", &[b"a", b"bc"]), derived("study", &[b"a"])] {
            assert_ne!(one, other);
        }
        assert_eq!(shown_uid(&one), "");
    }

    #[test]
    fn those_of_others_are_not_ours() {
        for other in ["", "1.2.3", "2.25.329800735698586629295641978511506172918", "2.25.", "2.25.0", "2.25.9e9"] {
            assert!(!is_derived_uid(other));
            assert_eq!(shown_uid(other), other);
        }
        assert!(!is_derived_uid(&format!("2.25.{}", ours() << FREE_BITS)), "of no version");
    }
}
