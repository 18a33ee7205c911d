//! Writing DICOM: data sets in explicit VR little endian, and Part 10 files around them.

use std::collections::BTreeMap;

/// Explicit VR little endian.
pub const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

/// The value representations that the generator writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vr {
    /// Code string.
    Cs,
    /// Date.
    Da,
    /// Decimal string.
    Ds,
    /// Integer string.
    Is,
    /// Long string.
    Lo,
    /// Long text.
    Lt,
    /// Other bytes.
    Ob,
    /// Other words.
    Ow,
    /// Person name.
    Pn,
    /// Short string.
    Sh,
    /// Time.
    Tm,
    /// Unique identifier.
    Ui,
    /// Unsigned 32 bits.
    Ul,
    /// Unsigned 16 bits.
    Us,
}

impl Vr {
    fn code(self) -> [u8; 2] {
        match self {
            Self::Cs => *b"CS",
            Self::Da => *b"DA",
            Self::Ds => *b"DS",
            Self::Is => *b"IS",
            Self::Lo => *b"LO",
            Self::Lt => *b"LT",
            Self::Ob => *b"OB",
            Self::Ow => *b"OW",
            Self::Pn => *b"PN",
            Self::Sh => *b"SH",
            Self::Tm => *b"TM",
            Self::Ui => *b"UI",
            Self::Ul => *b"UL",
            Self::Us => *b"US",
        }
    }

    /// Whether the element carries a length of 32 bits after two reserved bytes.
    fn long(self) -> bool {
        matches!(self, Self::Ob | Self::Ow)
    }

    /// What fills a value up to an even length.
    fn padding(self) -> u8 {
        if matches!(self, Self::Ui | Self::Ob | Self::Ow | Self::Ul | Self::Us) { 0 } else { b' ' }
    }
}

/// Elements in the order of their tags, as the standard wants them.
#[derive(Debug, Clone, Default)]
pub struct DataSet(BTreeMap<(u16, u16), (Vr, Vec<u8>)>);

impl DataSet {
    /// Sets an element to bytes.
    pub fn bytes(&mut self, tag: (u16, u16), vr: Vr, mut value: Vec<u8>) -> &mut Self {
        if !value.len().is_multiple_of(2) {
            value.push(vr.padding());
        }
        self.0.insert(tag, (vr, value));
        self
    }

    /// Sets an element to a text.
    pub fn text(&mut self, tag: (u16, u16), vr: Vr, value: &str) -> &mut Self {
        self.bytes(tag, vr, value.as_bytes().to_vec())
    }

    /// Sets an element to a 16 bit number.
    pub fn number(&mut self, tag: (u16, u16), value: u16) -> &mut Self {
        self.bytes(tag, Vr::Us, value.to_le_bytes().to_vec())
    }

    /// The text of an element, for tests.
    pub fn get(&self, tag: (u16, u16)) -> Option<&[u8]> {
        self.0.get(&tag).map(|(_, value)| value.as_slice())
    }

    fn write(&self, out: &mut Vec<u8>) {
        for ((group, element), (vr, value)) in &self.0 {
            out.extend_from_slice(&group.to_le_bytes());
            out.extend_from_slice(&element.to_le_bytes());
            out.extend_from_slice(&vr.code());
            if vr.long() {
                out.extend_from_slice(&[0, 0]);
                out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
            } else {
                out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
            }
            out.extend_from_slice(value);
        }
    }
}

/// A Part 10 file: preamble, file meta information, data set.
pub fn part_10(sop_class: &str, sop_instance: &str, data: &DataSet) -> Vec<u8> {
    let mut meta = DataSet::default();
    meta.bytes((0x0002, 0x0001), Vr::Ob, vec![0, 1])
        .text((0x0002, 0x0002), Vr::Ui, sop_class)
        .text((0x0002, 0x0003), Vr::Ui, sop_instance)
        .text((0x0002, 0x0010), Vr::Ui, EXPLICIT_LITTLE_ENDIAN)
        .text((0x0002, 0x0012), Vr::Ui, "2.25.304862214157243129512318841233577211")
        .text((0x0002, 0x0013), Vr::Sh, "NARTHEX_GENERATOR");
    let mut meta_bytes = Vec::new();
    meta.write(&mut meta_bytes);
    let mut length = DataSet::default();
    let meta_length = u32::try_from(meta_bytes.len()).unwrap_or(u32::MAX);
    length.bytes((0x0002, 0x0000), Vr::Ul, meta_length.to_le_bytes().to_vec());

    let pixels = data.get((0x7FE0, 0x0010)).map_or(0, <[u8]>::len);
    let mut file = Vec::with_capacity(pixels + 4096);
    file.resize(128, 0);
    file.extend_from_slice(b"DICM");
    length.write(&mut file);
    file.extend_from_slice(&meta_bytes);
    data.write(&mut file);
    file
}
