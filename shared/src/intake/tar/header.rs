//! One header block of a tar: 512 bytes (POSIX.1-2024, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar
//! Format").

use crate::intake::tar::HeaderProblem;

/// Bytes of a block: a header is one, data are padded to whole ones.
pub(super) const BLOCK_BYTES: usize = 512;

/// What a header announces, by its type flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `may_be_folder`: with the flag of the oldest format a name that ends in a slash is that of a folder.
    File {
        may_be_folder: bool,
    },
    Folder,
    HardLink,
    Symlink,
    /// A device or a pipe.
    Special,
    /// GNU's sparse file.
    Sparse,
    /// GNU's rest of a file that begins in another tar.
    Continued,
    /// GNU's name of the whole archive.
    VolumeLabel,
    /// PAX records for the next entry.
    Pax,
    /// PAX records for all entries that follow.
    GlobalPax,
    /// GNU's name of the next entry.
    LongName,
    /// GNU's link target of the next entry.
    LongLink,
    Other(u8),
}

/// What is read of a header. The other fields say nothing of names and bytes, so they are not looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// With the prefix of ustar.
    pub(super) name: Vec<u8>,
    pub(super) size: u64,
}

impl Header {
    /// Parses a block that is not empty.
    ///
    /// # Errors
    /// What makes readers disagree about it, or refuse it.
    pub(super) fn parse(block: &[u8]) -> Result<Self, HeaderProblem> {
        if !has_checksum(block) {
            return Err(HeaderProblem::Checksum);
        }
        let format = Format::of(block).ok_or(HeaderProblem::Magic)?;
        let flag = block.get(156).copied().unwrap_or(0);
        let size = field(block, 124, 12);
        let size = match flag {
            // GNU tar leaves it empty.
            b'V' if size.iter().all(|byte| *byte == 0) => 0,
            _ => number(size).ok_or(HeaderProblem::Size)?,
        };
        let kind = match flag {
            b'V' if size == 0 => Kind::VolumeLabel,
            flag @ (0 | b'0' | b'7') => Kind::File { may_be_folder: flag == 0 },
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'3' | b'4' | b'6' => Kind::Special,
            b'5' => Kind::Folder,
            b'S' => Kind::Sparse,
            b'M' => Kind::Continued,
            b'x' => Kind::Pax,
            b'g' => Kind::GlobalPax,
            b'L' => Kind::LongName,
            b'K' => Kind::LongLink,
            flag => Kind::Other(flag),
        };
        let mut name = Vec::new();
        if format == Format::Posix {
            let prefix = text(field(block, 345, 155));
            if !prefix.is_empty() {
                name.extend_from_slice(prefix);
                name.push(b'/');
            }
        }
        name.extend_from_slice(text(field(block, 0, 100)));
        Ok(Self { kind, name, size })
    }
}

/// Whether these bytes begin with a header block whose checksum is right, as a tar of any format does.
pub(in crate::intake) fn begins(first: &[u8]) -> bool {
    first.get(..BLOCK_BYTES).is_some_and(has_checksum)
}

#[derive(PartialEq, Eq)]
enum Format {
    /// ustar, and with it PAX.
    Posix,
    /// Has other things where ustar has its prefix.
    Gnu,
    /// Older than both.
    V7,
}

impl Format {
    fn of(block: &[u8]) -> Option<Self> {
        match field(block, 257, 8) {
            b"ustar\x0000" => Some(Self::Posix),
            b"ustar  \0" => Some(Self::Gnu),
            b"\0\0\0\0\0\0\0\0" => Some(Self::V7),
            // With another version some readers take the prefix and some do not.
            _ => None,
        }
    }
}

/// The sum of all bytes, the checksum's own taken for spaces. Some old writers summed signed bytes; every reader takes
/// both.
fn has_checksum(block: &[u8]) -> bool {
    let Some(expected) = octal(field(block, 148, 8)) else { return false };
    let (mut unsigned, mut signed) = (0_i64, 0_i64);
    for (at, &byte) in block.iter().enumerate() {
        let byte = if (148..156).contains(&at) { b' ' } else { byte };
        unsigned = unsigned.saturating_add(byte.into());
        signed = signed.saturating_add(byte.cast_signed().into());
    }
    i64::try_from(expected).is_ok_and(|expected| expected == unsigned || expected == signed)
}

fn field(block: &[u8], at: usize, len: usize) -> &[u8] {
    block.get(at..at.saturating_add(len)).unwrap_or_default()
}

/// Up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// A number in octal digits or, as GNU and star write large ones, in base 256: the first bit set, then big-endian. Not
/// one that is negative or passes 63 bits.
fn number(field: &[u8]) -> Option<u64> {
    let value = match field.split_first()? {
        (0x80, bytes) => {
            bytes.iter().try_fold(0_u64, |value, &byte| value.checked_mul(256).map(|value| value | u64::from(byte)))
        }
        _ => octal(field),
    };
    value.filter(|&value| i64::try_from(value).is_ok())
}

/// Spaces, at least one octal digit, then only spaces and NULs. Readers disagree about anything else.
fn octal(field: &[u8]) -> Option<u64> {
    let start = field.iter().position(|&byte| byte != b' ')?;
    let digits = field.get(start..)?;
    let len = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(len)?;
    if digits.is_empty() || rest.iter().any(|&byte| byte != 0 && byte != b' ') {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, &digit| {
        let digit = digit.checked_sub(b'0').filter(|&digit| digit < 8)?;
        value.checked_mul(8)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256() {
        for (field, value) in [
            (&b"00000000017\0"[..], Some(15)),
            (b"   17 \0\0\0\0\0\0", Some(15)),
            (b"777777777777", Some(0o777_777_777_777)),
            (b"\x80\0\0\0\0\0\0\x02\0\0\0\0", Some(2 << 32)),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Some(i64::MAX as u64)),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
            (b"\x81\0\0\0\0\0\0\0\0\0\0\0", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"\0\0\0\0\0\0\0\0\0\0\0\0", None),
            (b"            ", None),
            (b"-0000000017\0", None),
            (b"00000000018\0", None),
            (b"0000\x00000017\0", None),
            (b"0000 000017\0", None),
            (b"\t0000000017\0", None),
        ] {
            assert_eq!(number(field), value, "{field:?}");
        }
    }
}
