//! The fixed records of a zip, as bytes: little-endian fields, local headers, extra fields, data descriptors.

use crate::intake::extent::Method;
use crate::intake::name::{self, ShownName};

/// Signature of a local file header (4.3.7).
pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
/// Signature of a central directory header (4.3.12).
pub(super) const CENTRAL: [u8; 4] = *b"PK\x01\x02";
/// Signature of the end of central directory record (4.3.16).
pub(super) const END: [u8; 4] = *b"PK\x05\x06";
/// Signature of the zip64 end of central directory record (4.3.14).
pub(super) const END64: [u8; 4] = *b"PK\x06\x06";
/// Signature of the zip64 end of central directory locator (4.3.15).
pub(super) const LOCATOR64: [u8; 4] = *b"PK\x06\x07";
/// Signature of a data descriptor, which writers may leave out (4.3.9.3).
pub(super) const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// Bytes of a local header before its name.
pub(super) const LOCAL_BYTES: usize = 30;
/// Bytes of a central directory header before its name.
pub(super) const CENTRAL_BYTES: usize = 46;
/// Bytes of an end of central directory record before its comment.
pub(super) const END_BYTES: usize = 22;
/// Bytes of a zip64 end of central directory record without extensible data.
pub(super) const END64_BYTES: usize = 56;
/// Bytes of a zip64 locator.
pub(super) const LOCATOR64_BYTES: usize = 20;
/// Bytes of the longest data descriptor: signature, CRC-32, two sizes of 64 bits.
pub(super) const MAX_DESCRIPTOR_BYTES: usize = 24;

/// Flag: encrypted (4.4.4, bit 0).
pub(super) const FLAG_ENCRYPTED: u16 = 1;
/// Flag: sizes and CRC-32 follow the data (bit 3).
pub(super) const FLAG_DESCRIPTOR: u16 = 1 << 3;
/// Flag: the data are a patch (bit 5).
pub(super) const FLAG_PATCH: u16 = 1 << 5;
/// Flag: strong encryption (bit 6).
pub(super) const FLAG_STRONG: u16 = 1 << 6;
/// Flag: the name is UTF-8 (bit 11).
pub(super) const FLAG_UTF8: u16 = 1 << 11;
/// Flag: values of the local header are masked, as the central directory is encrypted (bit 13).
pub(super) const FLAG_MASKED: u16 = 1 << 13;
/// Any of the flags that mean encryption.
pub(super) const FLAGS_ENCRYPTION: u16 = FLAG_ENCRYPTED | FLAG_STRONG | FLAG_MASKED;

/// Method number that marks AES encryption (appendix E of the AE-x specification).
pub(super) const METHOD_AES: u16 = 99;

/// Extra field with sizes of 64 bits (4.5.3).
const EXTRA_ZIP64: u16 = 1;
/// Extra field with the name in UTF-8 (4.6.9).
const EXTRA_UNICODE_PATH: u16 = 0x7075;
/// The only version of that field.
const UNICODE_PATH_VERSION: u8 = 1;

/// Takes little-endian fields from the front of a slice.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn signature(&mut self, expected: [u8; 4]) -> Option<()> {
        (self.array::<4>()? == expected).then_some(())
    }
}

/// A local file header (4.3.7) with its zip64 sizes resolved.
#[derive(Debug, Clone)]
pub(super) struct LocalHeader {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    /// `None` if only a zip64 field could say it, and there is none.
    pub(super) stored_len: Option<u64>,
    /// As above.
    pub(super) len: Option<u64>,
    pub(super) name: Box<[u8]>,
    /// What some readers take for the name instead.
    pub(super) other_name: Option<ShownName>,
    /// Bytes of the whole header: the data begin here.
    pub(super) header_len: usize,
}

/// What bytes that should hold a local header turn out to be.
pub(super) enum LocalParse {
    /// So many bytes, counted from the header's start, are needed to say more.
    Need(usize),
    /// Not a local header, or one whose extra fields are broken.
    No,
    Header(LocalHeader),
}

impl LocalHeader {
    /// Looks at `bytes`, which begin where a header should.
    pub(super) fn parse(bytes: &[u8]) -> LocalParse {
        let known = bytes.len().min(LOCAL.len());
        if bytes.get(..known) != LOCAL.get(..known) {
            return LocalParse::No;
        }
        let Some(fixed) = bytes.get(..LOCAL_BYTES) else { return LocalParse::Need(LOCAL_BYTES) };
        Self::parse_rest(fixed, bytes).unwrap_or(LocalParse::No)
    }

    fn parse_rest(fixed: &[u8], bytes: &[u8]) -> Option<LocalParse> {
        let mut fields = Fields(fixed);
        fields.signature(LOCAL)?;
        let _version = fields.u16()?;
        let flags = fields.u16()?;
        let method = fields.u16()?;
        let _modified = fields.u32()?;
        let crc32 = fields.u32()?;
        let stored_len = fields.u32()?;
        let len = fields.u32()?;
        let name_len = usize::from(fields.u16()?);
        let extra_len = usize::from(fields.u16()?);
        // Three numbers of at most 16 bits.
        let header_len = LOCAL_BYTES + name_len + extra_len;
        let mut rest = Fields(bytes.get(LOCAL_BYTES..)?);
        let (Some(name), Some(extra)) = (rest.take(name_len), rest.take(extra_len)) else {
            return Some(LocalParse::Need(header_len));
        };
        let extra = Extra::parse(extra)?;
        let other_name = extra.other_name(name, flags);
        let mut zip64 = extra.zip64.map(Fields);
        let len = wide(len, &mut zip64);
        let stored_len = wide(stored_len, &mut zip64);
        let name = name.into();
        Some(LocalParse::Header(Self { flags, method, crc32, stored_len, len, name, other_name, header_len }))
    }

    /// Whether CRC-32 and sizes follow the data.
    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & FLAG_DESCRIPTOR != 0
    }

    /// The method, if it is one of ours.
    pub(super) fn method(&self) -> Option<Method> {
        // Zero sizes before a data descriptor mean nothing.
        let known = |len: Option<u64>| len.filter(|_| !self.has_descriptor()).unwrap_or(u64::MAX);
        method(self.method, known(self.stored_len), known(self.len))
    }
}

/// The method, if it is one of ours. Some writers mark empty files as deflated and store nothing at all for them, not
/// even the two bytes of an empty deflate stream: such an entry is stored.
pub(super) fn method(number: u16, stored_len: u64, len: u64) -> Option<Method> {
    match number {
        0 => Some(Method::Stored),
        8 if stored_len == 0 && len == 0 => Some(Method::Stored),
        8 => Some(Method::Deflated),
        _ => None,
    }
}

/// A field of 32 bits, or the next one of the zip64 extra field if it is saturated; `None` if that is missing (4.5.3).
pub(super) fn wide(field: u32, zip64: &mut Option<Fields<'_>>) -> Option<u64> {
    if field == u32::MAX { zip64.as_mut()?.u64() } else { Some(field.into()) }
}

/// The extra fields that matter.
#[derive(Default)]
pub(super) struct Extra<'a> {
    pub(super) zip64: Option<&'a [u8]>,
    /// For each name in UTF-8 the CRC-32 of the name that it stands for, and itself.
    unicode_paths: Vec<(u32, &'a [u8])>,
}

impl<'a> Extra<'a> {
    /// Walks the extra fields (4.5.1); `None` if one is longer than what is left, or zip64 comes twice. Up to three
    /// bytes of padding at the end are passed over, as aligning writers leave them.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut found = Self::default();
        let mut fields = Fields(bytes);
        while fields.0.len() >= 4 {
            let id = fields.u16()?;
            let len = usize::from(fields.u16()?);
            let value = fields.take(len)?;
            match id {
                EXTRA_ZIP64 if found.zip64.replace(value).is_some() => return None,
                EXTRA_UNICODE_PATH => found.unicode_paths.extend(unicode_path(value)),
                _ => {}
            }
        }
        Some(found)
    }

    /// A name in UTF-8 that stands for the header's name and says something else, so that readers who know such fields
    /// see another entry than those who do not. One with the CRC-32 of another name is void (4.6.9).
    pub(super) fn other_name(&self, raw_name: &[u8], flags: u16) -> Option<ShownName> {
        if self.unicode_paths.is_empty() {
            return None;
        }
        let crc32 = crc32fast::hash(raw_name);
        // A name that cannot be decoded is refused anyway.
        let text = name::decode(raw_name, flags & FLAG_UTF8 != 0).ok()?;
        // In a code page that nobody knows here only its ASCII can be compared: that is where folders and endings are.
        let is_of_code_page = std::str::from_utf8(raw_name).is_err();
        let ascii = |bytes: &[u8]| bytes.iter().copied().filter(u8::is_ascii).collect::<Vec<_>>();
        let says_the_same =
            |path: &[u8]| path == text.as_bytes() || (is_of_code_page && ascii(path) == ascii(raw_name));
        let differs = |(of, path): &&(u32, &[u8])| *of == crc32 && !says_the_same(path);
        self.unicode_paths.iter().find(differs).map(|(_, path)| ShownName::from_raw(path))
    }
}

/// The CRC-32 and the name in the extra field of a name in UTF-8; nothing if it is of a version that is not known.
fn unicode_path(value: &[u8]) -> Option<(u32, &[u8])> {
    let mut fields = Fields(value.strip_prefix(&[UNICODE_PATH_VERSION])?);
    Some((fields.u32()?, fields.0))
}

/// The length of the data descriptor (4.3.9) at the start of `bytes` that says these values; `None` if there is none.
/// All four forms are tried, the longest first, since writers do not agree when sizes have 64 bits and whether there
/// is a signature. `bytes` has [`MAX_DESCRIPTOR_BYTES`] bytes or all that are left.
pub(super) fn descriptor_len(bytes: &[u8], crc32: u32, stored_len: u64, len: u64) -> Option<usize> {
    let wide = |skip: usize| {
        let mut fields = Fields(bytes.get(skip..)?);
        ((fields.u32()?, fields.u64()?, fields.u64()?) == (crc32, stored_len, len)).then_some(skip + 20)
    };
    let narrow = |skip: usize| {
        let mut fields = Fields(bytes.get(skip..)?);
        let found = (fields.u32()?, u64::from(fields.u32()?), u64::from(fields.u32()?));
        (found == (crc32, stored_len, len)).then_some(skip + 12)
    };
    let signed = bytes.starts_with(&DESCRIPTOR);
    let signed_len = if signed { wide(DESCRIPTOR.len()).or_else(|| narrow(DESCRIPTOR.len())) } else { None };
    signed_len.or_else(|| wide(0)).or_else(|| narrow(0))
}
