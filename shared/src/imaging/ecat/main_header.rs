//! The main header and the image subheader: big-endian values at fixed places of a block of 512 bytes.

use super::header::{EcatError, EcatHeader, FileType, FirstImage};
use super::{BLOCK_BYTES, MAGIC};
use sha2::{Digest, Sha256};

/// Positions of the bed besides the first that a main header has room for.
const MAX_FURTHER_BEDS: u16 = 15;

/// A block, read by the place of a value. Whatever lies outside reads as zero.
pub(super) struct Block<'a>(pub &'a [u8; BLOCK_BYTES]);

impl Block<'_> {
    fn bytes<const N: usize>(&self, at: usize) -> [u8; N] {
        self.0.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
    }

    pub fn u16(&self, at: usize) -> u16 {
        u16::from_be_bytes(self.bytes(at))
    }

    pub fn u32(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.bytes(at))
    }

    fn f32(&self, at: usize) -> f32 {
        f32::from_be_bytes(self.bytes(at))
    }

    /// A length in cm as mm. Shortest digits of the single-precision value, so that 0.22 cm are 2.2 mm.
    fn mm(&self, at: usize) -> Option<f64> {
        let cm: f64 = self.f32(at).to_string().parse().ok().filter(|cm: &f64| cm.is_finite())?;
        Some((cm * 1e9).round() / 1e8)
    }

    /// A length in cm as mm, if it is one.
    fn size_mm(&self, at: usize) -> Option<f64> {
        self.mm(at).filter(|mm| *mm > 0.0 && *mm < 1e5)
    }

    /// Latin-1 up to the first NUL, without control characters and without blanks around.
    fn text(&self, at: usize, size: usize) -> String {
        let field = self.0.get(at..at.saturating_add(size)).unwrap_or_default();
        let until_nul = field.iter().take_while(|byte| **byte != 0);
        let text: String = until_nul.map(|byte| char::from(*byte)).filter(|c| !c.is_control()).collect();
        text.trim().to_owned()
    }
}

/// The header of a file from its main header, the count of its frames, and its first subheader.
///
/// `frames` is what the directory says; `None` if it does not say all, and the main header's number counts.
pub(super) fn header(
    main: &[u8; BLOCK_BYTES],
    frames: Option<u16>,
    subheader: &[u8; BLOCK_BYTES],
) -> Result<EcatHeader, EcatError> {
    let file_type = file_type(main)?;
    let digest = Sha256::new().chain_update(main).chain_update(subheader).finalize().into();
    let main = Block(main);
    let image = first_image(&Block(subheader))?;
    let [_, _, z] = image.size;
    let further_beds = usize::from(main.u16(358).min(MAX_FURTHER_BEDS));
    // The first position counts from the scanner, the others from the first.
    let first_bed_mm = main.mm(360).unwrap_or_default();
    let beds = (0..further_beds).filter_map(|n| main.mm(364 + 4 * n)).map(|offset| first_bed_mm + offset);
    Ok(EcatHeader {
        magic: main.text(0, 14),
        original_file_name: main.text(14, 32),
        sw_version: main.u16(46),
        system_type: main.u16(48),
        file_type,
        serial_number: main.text(52, 10),
        scan_start: Some(main.u32(62)).filter(|seconds| !matches!(*seconds, 0 | u32::MAX)),
        isotope: main.text(66, 8),
        half_life_seconds: Some(main.f32(74)).filter(|seconds| seconds.is_finite() && *seconds > 0.0),
        radiopharmaceutical: main.text(78, 32),
        transaxial_fov_mm: main.size_mm(134),
        study_type: main.text(154, 12),
        patient_id: main.text(166, 16),
        patient_name: main.text(182, 32),
        patient_sex: main.0.get(214).map(|sex| char::from(sex.to_ascii_uppercase())).filter(|c| matches!(c, 'M' | 'F')),
        patient_birth: Some(main.u32(228).cast_signed()).filter(|seconds| !matches!(*seconds, 0 | -1)),
        operator: main.text(264, 32),
        study_description: main.text(296, 32),
        facility: main.text(332, 20),
        planes: Some(main.u16(352)).filter(|planes| *planes > 0).unwrap_or(z),
        frames: frames.unwrap_or_else(|| main.u16(354)).max(1),
        gates: main.u16(356).max(1),
        bed_positions_mm: std::iter::once(first_bed_mm).chain(beds).collect(),
        plane_separation_mm: main.size_mm(424),
        image,
        digest,
        least_bytes: 0,
    })
}

/// Checks that the file is ECAT 7, and what it holds.
pub(super) fn file_type(main: &[u8; BLOCK_BYTES]) -> Result<FileType, EcatError> {
    if !main.starts_with(MAGIC) {
        return Err(EcatError::NotEcat);
    }
    FileType::of(Block(main).u16(50))
}

fn first_image(block: &Block<'_>) -> Result<FirstImage, EcatError> {
    let data_type = block.u16(0);
    if !(1..=7).contains(&data_type) {
        return Err(EcatError::Malformed { what: "the first image is of an unknown data type" });
    }
    let (x, y) = (block.u16(4), block.u16(6));
    if x == 0 || y == 0 {
        return Err(EcatError::Malformed { what: "the first image has no voxels" });
    }
    Ok(FirstImage {
        data_type,
        // Slices may leave the third out.
        size: [x, y, block.u16(8).max(1)],
        voxel_mm: [block.size_mm(34), block.size_mm(38), block.size_mm(42)],
        frame_duration_ms: block.u32(46),
        frame_start_ms: block.u32(50),
    })
}
