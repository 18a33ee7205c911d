//! Decoding of one data element's head: tag, value representation and length (DICOM PS3.5 7.1 and 7.5).

use dicom_core::{Tag, VR};

/// The length that means "up to the delimiter" (DICOM PS3.5 7.1.1).
const UNDEFINED_LENGTH: u32 = 0xFFFF_FFFF;

/// The shortest head of an element, in bytes: tag and either a length or a VR with a short length.
pub const SHORT_HEAD_BYTES: usize = 8;
/// The head of an explicit element with a 32-bit length, in bytes.
const LONG_HEAD_BYTES: usize = 12;

/// Items and delimiters (DICOM PS3.5 7.5).
pub const ITEM: Tag = Tag(0xFFFE, 0xE000);
/// End of an item of undefined length.
pub const ITEM_DELIMITATION: Tag = Tag(0xFFFE, 0xE00D);
/// End of a sequence of undefined length.
pub const SEQUENCE_DELIMITATION: Tag = Tag(0xFFFE, 0xE0DD);

/// How the elements of a data set are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// The VR is written with each element.
    pub explicit: bool,
    /// Numbers have their high byte first (Explicit VR Big Endian, retired).
    pub big_endian: bool,
}

impl Encoding {
    /// Explicit VR Little Endian, which the meta group always has (DICOM PS3.10 7.1).
    pub const EXPLICIT_LE: Self = Self { explicit: true, big_endian: false };
    /// Implicit VR Little Endian, the default of the standard.
    pub const IMPLICIT_LE: Self = Self { explicit: false, big_endian: false };
    /// Explicit VR Big Endian.
    pub const EXPLICIT_BE: Self = Self { explicit: true, big_endian: true };

    /// A 16-bit number.
    pub fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    /// A 32-bit number.
    pub fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// The head of one element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its tag.
    pub tag: Tag,
    /// The VR as written, `None` where it is not written or not known.
    pub vr: Option<VR>,
    /// The length of the value in bytes, `None` if undefined.
    pub length: Option<u32>,
    /// The length of the head itself in bytes.
    pub size: usize,
}

/// Decodes the head at the start of `bytes`, or says how many bytes it takes to do so.
pub fn head(bytes: &[u8], encoding: Encoding) -> Result<Head, usize> {
    let (Some(&tag), Some(&rest)) = (bytes.first_chunk::<4>(), bytes.get(4..).and_then(|b| b.first_chunk::<4>()))
    else {
        return Err(SHORT_HEAD_BYTES);
    };
    let [t0, t1, t2, t3] = tag;
    let tag = Tag(encoding.u16([t0, t1]), encoding.u16([t2, t3]));
    let [v0, v1, l0, l1] = rest;
    let short = |vr, length| Head { tag, vr, length, size: SHORT_HEAD_BYTES };
    // Items never carry a VR, and an explicit data set may hold elements whose writer forgot it: what cannot be a
    // VR (two capital letters) is the start of a 32-bit length.
    if !encoding.explicit || tag.0 == 0xFFFE || !(v0.is_ascii_uppercase() && v1.is_ascii_uppercase()) {
        return Ok(short(None, defined(encoding.u32(rest))));
    }
    let vr = vr_of([v0, v1]);
    let long = match vr {
        Some(vr) => has_long_head(vr),
        // New VRs have the long form (DICOM PS3.5 7.1.2), whose two reserved bytes are zero; writers of made-up
        // ones use the short form.
        None => l0 == 0 && l1 == 0,
    };
    if !long {
        return Ok(short(vr, Some(u32::from(encoding.u16([l0, l1])))));
    }
    let Some(&length) = bytes.get(SHORT_HEAD_BYTES..).and_then(|b| b.first_chunk::<4>()) else {
        return Err(LONG_HEAD_BYTES);
    };
    Ok(Head { tag, vr, length: defined(encoding.u32(length)), size: LONG_HEAD_BYTES })
}

fn defined(length: u32) -> Option<u32> {
    (length != UNDEFINED_LENGTH).then_some(length)
}

/// The VR that two letters stand for (DICOM PS3.5 6.2). A match on bytes: it is done for every element.
pub fn vr_of(letters: [u8; 2]) -> Option<VR> {
    macro_rules! vrs {
        ($($vr:ident $letters:literal)*) => {
            match &letters {
                $($letters => Some(VR::$vr),)*
                _ => None,
            }
        };
    }
    vrs! {
        AE b"AE" AS b"AS" AT b"AT" CS b"CS" DA b"DA" DS b"DS" DT b"DT" FL b"FL" FD b"FD" IS b"IS" LO b"LO" LT b"LT"
        OB b"OB" OD b"OD" OF b"OF" OL b"OL" OV b"OV" OW b"OW" PN b"PN" SH b"SH" SL b"SL" SQ b"SQ" SS b"SS" ST b"ST"
        SV b"SV" TM b"TM" UC b"UC" UI b"UI" UL b"UL" UN b"UN" UR b"UR" US b"US" UT b"UT" UV b"UV"
    }
}

/// Whether the first eight bytes of an element, little end first, are of one with a VR, where that should have none.
///
/// Without a VR the two letters would be the low half of a length, which must be even (DICOM PS3.5 7.1.1).
pub fn looks_explicit(first: &[u8; SHORT_HEAD_BYTES]) -> bool {
    let &[_, _, _, _, v0, v1, l0, l1] = first;
    let is_odd = v0 & 1 == 1;
    match vr_of([v0, v1]) {
        Some(vr) if has_long_head(vr) => [l0, l1] == [0, 0],
        // Few values are as long as the other reading would have it, and none of those stands first.
        Some(_) => [l0, l1] != [0, 0] || is_odd,
        None => false,
    }
}

/// VRs with two reserved bytes and a 32-bit length (DICOM PS3.5 table 7.1-1).
fn has_long_head(vr: VR) -> bool {
    use VR::{OB, OD, OF, OL, OV, OW, SQ, SV, UC, UN, UR, UT, UV};
    matches!(vr, OB | OD | OF | OL | OV | OW | SQ | SV | UC | UN | UR | UT | UV)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_three_forms_of_ps3_5_7_1() {
        let short = head(b"\x08\x00\x60\x00CS\x02\x00MR", Encoding::EXPLICIT_LE).unwrap();
        assert_eq!(short, Head { tag: Tag(8, 0x60), vr: Some(VR::CS), length: Some(2), size: 8 });
        let long = head(b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff", Encoding::EXPLICIT_LE).unwrap();
        assert_eq!(long, Head { tag: Tag(8, 0x1140), vr: Some(VR::SQ), length: None, size: 12 });
        let implicit = head(b"\x08\x00\x60\x00\x02\x00\x00\x00MR", Encoding::IMPLICIT_LE).unwrap();
        assert_eq!(implicit, Head { tag: Tag(8, 0x60), vr: None, length: Some(2), size: 8 });
        let big = head(b"\x00\x08\x00\x60CS\x00\x02MR", Encoding::EXPLICIT_BE).unwrap();
        assert_eq!(big, short);
    }

    #[test]
    fn knows_every_vr_of_the_standard() {
        let letters = |n: u8| (b'A'..=b'Z').nth(n.into()).unwrap();
        let pairs = (0..26).flat_map(|a| (0..26).map(move |b| [letters(a), letters(b)]));
        assert!(pairs.into_iter().all(|pair| vr_of(pair) == VR::from_binary(pair)));
    }

    #[test]
    fn says_how_much_it_needs() {
        assert_eq!(head(b"\x08\x00\x60\x00CS\x02", Encoding::EXPLICIT_LE), Err(8));
        assert_eq!(head(b"\x08\x00\x40\x11SQ\0\0\xff", Encoding::EXPLICIT_LE), Err(12));
    }

    #[test]
    fn an_element_without_vr_in_an_explicit_data_set_is_read_as_implicit() {
        let odd = head(b"\x08\x00\x60\x00\x02\x00\x00\x00MR", Encoding::EXPLICIT_LE).unwrap();
        assert_eq!((odd.vr, odd.length), (None, Some(2)));
    }

    #[test]
    fn an_element_shows_whether_it_has_a_vr() {
        let element = |rest: &[u8; 4]| looks_explicit(&[[9, 0, 0x10, 0], *rest].concat().try_into().unwrap());
        for explicit in [b"LO\x04\x00", b"SH\x00\x00", b"SQ\x00\x00", b"OB\x00\x00", b"CS\x10\x00"] {
            assert!(element(explicit), "{explicit:?}");
        }
        // Lengths: 4, none, that of an item, 20,300 (whose bytes are L and O).
        for implicit in [b"\x04\x00\x00\x00", b"\x00\x00\x00\x00", b"\xFF\xFF\xFF\xFF", b"LO\x00\x00", b"XY\x04\x00"] {
            assert!(!element(implicit), "{implicit:?}");
        }
    }
}
