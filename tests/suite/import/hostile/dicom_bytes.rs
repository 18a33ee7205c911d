//! DICOM files written element by element, so that they can lie.

use narthex_tests::{DataSet, Vr, part_10};

/// Secondary capture.
const SOP_CLASS: &str = "1.2.840.10008.5.1.4.1.1.7";
const SOP_INSTANCE: &str = "1.2.3.9";

/// A sound file of a study up to where its pixel data would stand.
pub(super) fn before_pixels(study_uid: &str) -> Vec<u8> {
    file(study_uid, "1.2.3.8", SOP_INSTANCE)
}

/// The same with UIDs of study, series and object.
pub(super) fn file(study_uid: &str, series_uid: &str, sop_instance: &str) -> Vec<u8> {
    let mut data = head();
    data.text((0x0008, 0x0018), Vr::Ui, sop_instance);
    data.text((0x0020, 0x000D), Vr::Ui, study_uid).text((0x0020, 0x000E), Vr::Ui, series_uid);
    part_10(SOP_CLASS, sop_instance, &data)
}

/// A file that ends before what says which study it belongs to; what is put behind it is read first.
pub(super) fn unfinished() -> Vec<u8> {
    part_10(SOP_CLASS, SOP_INSTANCE, &head())
}

fn head() -> DataSet {
    let mut data = DataSet::default();
    data.text((0x0008, 0x0016), Vr::Ui, SOP_CLASS)
        .text((0x0008, 0x0018), Vr::Ui, SOP_INSTANCE)
        .text((0x0008, 0x0060), Vr::Cs, "OT")
        .text((0x0010, 0x0010), Vr::Pn, "HOSTILE");
    data
}

/// A file of another transfer syntax: its meta group, and then these bytes.
pub(super) fn in_syntax(transfer_syntax: &str, data: &[u8]) -> Vec<u8> {
    let mut meta = Vec::new();
    meta.extend(element(0x0002, 0x0002, *b"UI", SOP_CLASS.as_bytes()));
    meta.extend(element(0x0002, 0x0003, *b"UI", SOP_INSTANCE.as_bytes()));
    meta.extend(element(0x0002, 0x0010, *b"UI", transfer_syntax.as_bytes()));
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    file.extend(element(0x0002, 0x0000, *b"UL", &number(meta.len()).to_le_bytes()));
    file.extend(meta);
    file.extend(data);
    file
}

/// An element in explicit VR little endian, with a length of 16 bits.
pub(super) fn element(group: u16, element: u16, vr: [u8; 2], value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if !value.len().is_multiple_of(2) {
        value.push(0);
    }
    let length = u16::try_from(value.len()).expect("a short value");
    [&tag(group, element)[..], &vr, &length.to_le_bytes(), &value].concat()
}

/// The head of an element with a length of 32 bits, which may be a lie.
pub(super) fn long_head(group: u16, element: u16, vr: [u8; 2], length: u32) -> Vec<u8> {
    [&tag(group, element)[..], &vr, &[0, 0], &length.to_le_bytes()].concat()
}

/// The head of an item (PS3.5, section 7.5).
pub(super) fn item_head(length: u32) -> Vec<u8> {
    [&tag(0xFFFE, 0xE000)[..], &length.to_le_bytes()].concat()
}

fn tag(group: u16, element: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (group.to_le_bytes(), element.to_le_bytes());
    [a, b, c, d]
}

/// A length as DICOM has it.
pub(super) fn number(length: usize) -> u32 {
    u32::try_from(length).expect("test files are small")
}
