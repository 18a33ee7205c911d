//! Builders of DICOM objects for tests.

use super::{DicomHeader, HeaderError, HeaderLimits, HeaderReader, Progress, Tag, tags};

pub(crate) const MR: &str = "1.2.840.10008.5.1.4.1.1.4";
pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

/// Writes elements in Explicit VR Little Endian or one of the other syntaxes.
#[derive(Clone, Default)]
pub(crate) struct DataSet {
    pub bytes: Vec<u8>,
    pub implicit: bool,
    pub big_endian: bool,
}

impl DataSet {
    pub fn implicit() -> Self {
        Self { implicit: true, ..Self::default() }
    }

    pub fn big_endian() -> Self {
        Self { big_endian: true, ..Self::default() }
    }

    fn like(&self) -> Self {
        Self { bytes: Vec::new(), ..*self }
    }

    fn u16(&mut self, n: u16) {
        self.bytes.extend(if self.big_endian { n.to_be_bytes() } else { n.to_le_bytes() });
    }

    fn u32(&mut self, n: u32) {
        self.bytes.extend(if self.big_endian { n.to_be_bytes() } else { n.to_le_bytes() });
    }

    pub fn head(mut self, tag: Tag, vr: &str, length: u32) -> Self {
        self.u16(tag.0);
        self.u16(tag.1);
        if tag.0 == 0xFFFE || self.implicit {
            self.u32(length);
        } else if ["OB", "OW", "SQ", "UN", "UT", "OF", "UC"].contains(&vr) {
            self.bytes.extend(vr.bytes());
            self.u16(0);
            self.u32(length);
        } else {
            self.bytes.extend(vr.bytes());
            self.u16(u16::try_from(length).unwrap());
        }
        self
    }

    pub fn raw(self, tag: Tag, vr: &str, value: &[u8]) -> Self {
        let mut set = self.head(tag, vr, u32::try_from(value.len()).unwrap());
        set.bytes.extend(value);
        set
    }

    pub fn text(self, tag: Tag, vr: &str, value: &str) -> Self {
        let mut value = value.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(if vr == "UI" { 0 } else { b' ' });
        }
        self.raw(tag, vr, &value)
    }

    /// A sequence, all its lengths given.
    pub fn sequence(self, tag: Tag, items: &[Self]) -> Self {
        let mut inner = self.like();
        for item in items {
            inner = inner.raw(Tag(0xFFFE, 0xE000), "", &item.bytes);
        }
        self.raw(tag, "SQ", &inner.bytes)
    }

    /// A sequence with delimiters.
    pub fn open_sequence(self, tag: Tag, items: &[Self]) -> Self {
        let mut set = self.head(tag, "SQ", u32::MAX);
        for item in items {
            set = set.head(Tag(0xFFFE, 0xE000), "", u32::MAX);
            set.bytes.extend(&item.bytes);
            set = set.head(Tag(0xFFFE, 0xE00D), "", 0);
        }
        set.head(Tag(0xFFFE, 0xE0DD), "", 0)
    }

    /// The elements every object has.
    pub fn identified(self, class: &str, instance: &str, study: &str, series: &str, modality: &str) -> Self {
        self.text(tags::SOP_CLASS_UID, "UI", class)
            .text(tags::SOP_INSTANCE_UID, "UI", instance)
            .text(tags::MODALITY, "CS", modality)
            .text(tags::STUDY_INSTANCE_UID, "UI", study)
            .text(tags::SERIES_INSTANCE_UID, "UI", series)
    }

    pub fn pixels(self) -> Self {
        self.raw(tags::PIXEL_DATA, "OW", &[1; 64])
    }
}

/// A file with preamble, meta group and the data set's bytes.
pub(crate) fn part10(syntax: &str, data_set: &[u8]) -> Vec<u8> {
    let meta = DataSet::default()
        .raw(Tag(2, 1), "OB", &[0, 1])
        .text(tags::MEDIA_STORAGE_SOP_CLASS_UID, "UI", MR)
        .text(tags::MEDIA_STORAGE_SOP_INSTANCE_UID, "UI", "1.2.3.99")
        .text(tags::TRANSFER_SYNTAX_UID, "UI", syntax);
    let length = u32::try_from(meta.bytes.len()).unwrap();
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    file.extend(DataSet::default().raw(Tag(2, 0), "UL", &length.to_le_bytes()).bytes);
    file.extend(meta.bytes);
    file.extend(data_set);
    file
}

/// Reads a file pushed in pieces of the given size.
pub(crate) fn read_in(file: &[u8], piece: usize) -> Result<DicomHeader, HeaderError> {
    read_with(file, piece, HeaderLimits::default())
}

pub(crate) fn read_with(file: &[u8], piece: usize, limits: HeaderLimits) -> Result<DicomHeader, HeaderError> {
    let mut reader = HeaderReader::new(limits);
    for piece in file.chunks(piece) {
        if reader.push(piece) == Progress::Done {
            break;
        }
    }
    reader.finish()
}

pub(crate) fn read(file: &[u8]) -> Result<DicomHeader, HeaderError> {
    read_in(file, file.len().max(1))
}

/// A small generator of random numbers (xorshift), so that tests need no seed from outside.
pub(crate) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n.max(1)).unwrap()).unwrap()
    }
}

/// The MR series of XNAT's sample: 176 sagittal slices.
pub(crate) fn mr_series() -> super::SeriesSummary {
    let mut set = DataSet::default().identified(
        MR,
        "1.3.12.2.1107.5.2.32.35177.3.2006121409513852130219399",
        "1.3.12.2.1107.5.2.32.35177.30000006121218324675000000034",
        "1.3.12.2.1107.5.2.32.35177.3.2006121409284535196417894.0.0.0",
        "MR",
    );
    for (tag, vr, value) in [
        (tags::STUDY_DATE, "DA", "20061214"),
        (tags::STUDY_TIME, "TM", "091206.156000"),
        (tags::ACQUISITION_TIME, "TM", "091425.197500"),
        (tags::INSTITUTION_NAME, "LO", "Hospital"),
        (tags::MANUFACTURER, "LO", "SIEMENS"),
        (tags::MANUFACTURER_MODEL_NAME, "LO", "TrioTim"),
        (tags::STATION_NAME, "SH", "MEDPC"),
        (tags::STUDY_DESCRIPTION, "LO", "Head^Routine"),
        (tags::SERIES_DESCRIPTION, "LO", "t1_mpr_1mm_p2_pos50"),
        (tags::OPERATORS_NAME, "PN", "OP"),
        (tags::PATIENT_NAME, "PN", "S01"),
        (tags::PATIENT_ID, "LO", "S01_MR1"),
        (tags::SERIES_NUMBER, "IS", "4"),
        (tags::MAGNETIC_FIELD_STRENGTH, "DS", "3"),
        (tags::PIXEL_SPACING, "DS", "1\\1"),
        (tags::SLICE_THICKNESS, "DS", "1"),
        (tags::IMAGE_ORIENTATION_PATIENT, "DS", "0\\1\\0\\0\\0\\-1"),
        (tags::COLUMNS, "IS", "256"),
        (tags::ROWS, "IS", "256"),
        (tags::REPETITION_TIME, "DS", "2400"),
        (tags::ECHO_TIME, "DS", "3.08"),
        (tags::INVERSION_TIME, "DS", "1000"),
        (tags::FLIP_ANGLE, "DS", "8"),
        (tags::IMAGE_TYPE, "CS", "ORIGINAL\\PRIMARY\\M\\ND\\NORM"),
    ] {
        set = set.text(tag, vr, value);
    }
    let mut summary = super::SeriesSummary::of(&read(&part10("1.2.840.10008.1.2.1", &set.bytes)).unwrap());
    summary.instances = 176;
    summary.frames = 176;
    summary
}

/// A CT series of 3 slices with awkward values.
pub(crate) fn ct_series() -> super::SeriesSummary {
    let slice = |instance: &str, time: &str, station: &str, current: &str| {
        let mut set = DataSet::default().identified(CT, instance, "1.2.3", "1.2.3.1", "CT");
        for (tag, vr, value) in [
            (tags::STUDY_DATE, "DA", "2019.02.03"),
            (tags::STUDY_TIME, "TM", "0102"),
            (tags::ACQUISITION_TIME, "TM", time),
            (tags::STATION_NAME, "SH", station),
            (tags::MANUFACTURER, "LO", "A & B \"<GmbH>\""),
            (tags::SERIES_DESCRIPTION, "LO", "Thorax <1 mm> & \u{1}more"),
            (tags::SERIES_NUMBER, "IS", "2"),
            (tags::PATIENT_WEIGHT, "DS", "70"),
            (tags::PATIENT_BIRTH_DATE, "DA", "19700101"),
            (tags::PIXEL_SPACING, "DS", "0.7\\0.8"),
            (tags::SLICE_THICKNESS, "DS", "5.0"),
            (tags::IMAGE_ORIENTATION_PATIENT, "DS", "1\\0\\0\\0\\1\\0"),
            (tags::COLUMNS, "IS", "512"),
            (tags::ROWS, "IS", "400"),
            (tags::RESCALE_INTERCEPT, "DS", "-1024"),
            (tags::RESCALE_SLOPE, "DS", "1"),
            (tags::KVP, "DS", "120"),
            (tags::ACQUISITION_NUMBER, "IS", "1"),
            (tags::IMAGE_TYPE, "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
            (tags::ROTATION_DIRECTION, "CS", "CCW"),
            (tags::X_RAY_TUBE_CURRENT, "IS", current),
            (tags::FOCAL_SPOTS, "DS", "0.7\\1.2"),
            (tags::CONVOLUTION_KERNEL, "SH", "B30f"),
        ] {
            set = set.text(tag, vr, value);
        }
        super::SeriesSummary::of(&read(&part10("1.2.840.10008.1.2.1", &set.bytes)).unwrap())
    };
    let mut all = slice("1.1", "010305", "CT02", "200");
    all.absorb(&slice("1.2", "010304.5", "CT01", "210"));
    all.absorb(&slice("1.3", "010306", "CT02", "220"));
    all
}
