//! The type-specific parameters of MR, CT and PET scans, in the order of XNAT's schema.

use super::ecat;
use super::fields::{Field, FieldValue};
use super::summary::SeriesSummary;
use super::tags::{self, Tag};
use super::types::ScanType;

/// The fields below `parameters/` (and `coil`, `fieldStrength` of MR) of a series.
pub fn of(scan_type: &ScanType, series: &SeriesSummary) -> Vec<Field> {
    let mut list = List { series, fields: Vec::new() };
    match scan_type.name() {
        "mr" => list.mr(),
        "ct" => list.ct(),
        "pet" => list.pet(),
        _ => {}
    }
    list.fields
}

struct List<'a> {
    series: &'a SeriesSummary,
    fields: Vec<Field>,
}

impl List<'_> {
    fn mr(&mut self) {
        self.text("coil", &[tags::RECEIVE_COIL_NAME]);
        if let Some(strength) = self.first(&[tags::MAGNETIC_FIELD_STRENGTH]).and_then(field_strength) {
            self.fields.push(Field::text("fieldStrength", strength));
        }
        self.geometry();
        self.float("parameters/tr", &[tags::REPETITION_TIME]);
        self.float("parameters/te", &[tags::ECHO_TIME, tags::EFFECTIVE_ECHO_TIME]);
        self.float("parameters/ti", &[tags::INVERSION_TIME, tags::INVERSION_TIMES]);
        self.float("parameters/flip", &[tags::FLIP_ANGLE]);
        self.text("parameters/sequence", &[tags::SEQUENCE_NAME, tags::PULSE_SEQUENCE_NAME]);
        self.text("parameters/imageType", &[tags::IMAGE_TYPE]);
        self.text("parameters/scanSequence", &[tags::SCANNING_SEQUENCE]);
        self.text("parameters/seqVariant", &[tags::SEQUENCE_VARIANT]);
        self.text("parameters/scanOptions", &[tags::SCAN_OPTIONS]);
        self.text("parameters/acqType", &[tags::MR_ACQUISITION_TYPE]);
        self.float("parameters/pixelBandwidth", &[tags::PIXEL_BANDWIDTH]);
        let b_values = numbers_of(self.series.all(tags::DIFFUSION_B_VALUE));
        if !b_values.is_empty() {
            let joined: Vec<String> = b_values.iter().map(|b| FieldValue::Float(*b).to_string()).collect();
            self.fields.push(Field::text("parameters/diffusion/bValues", joined.join("\\")));
        }
        self.text("parameters/diffusion/directionality", &[tags::DIFFUSION_DIRECTIONALITY]);
        self.text("parameters/diffusion/anisotropyType", &[tags::DIFFUSION_ANISOTROPY_TYPE]);
        // Several echo times are no value of te; each is listed, the shortest first.
        let echoes = self.series.all(tags::ECHO_TIME);
        if echoes.len() > 1 {
            for (n, echo) in (1..).zip(numbers_of(echoes)) {
                let path = format!("parameters/addParam[name=MultiEcho_TE{n}]");
                self.fields.push(Field::text(path, FieldValue::Float(echo).to_string()));
            }
        }
    }

    fn ct(&mut self) {
        self.geometry();
        self.float("parameters/rescale/intercept", &[tags::RESCALE_INTERCEPT]);
        self.float("parameters/rescale/slope", &[tags::RESCALE_SLOPE]);
        self.float("parameters/kvp", &[tags::KVP]);
        self.int("parameters/acquisitionNumber", tags::ACQUISITION_NUMBER);
        self.text("parameters/imageType", &[tags::IMAGE_TYPE]);
        self.text("parameters/options", &[tags::SCAN_OPTIONS]);
        self.float("parameters/collectionDiameter", &[tags::DATA_COLLECTION_DIAMETER]);
        self.float("parameters/distanceSourceToDetector", &[tags::DISTANCE_SOURCE_TO_DETECTOR]);
        self.float("parameters/distanceSourceToPatient", &[tags::DISTANCE_SOURCE_TO_PATIENT]);
        self.float("parameters/gantryTilt", &[tags::GANTRY_DETECTOR_TILT]);
        self.float("parameters/tableHeight", &[tags::TABLE_HEIGHT]);
        if let Some(direction) = self.first(&[tags::ROTATION_DIRECTION]) {
            // The schema knows CW and CC; DICOM's value for the latter is CC, but CCW is met too.
            let direction = if direction == "CCW" { "CC" } else { direction };
            self.fields.push(Field::text("parameters/rotationDirection", direction));
        }
        self.float("parameters/exposureTime", &[tags::EXPOSURE_TIME, tags::EXPOSURE_TIME_INMS]);
        self.float("parameters/xrayTubeCurrent", &[tags::X_RAY_TUBE_CURRENT, tags::X_RAY_TUBE_CURRENT_INM_A]);
        self.float("parameters/exposure", &[tags::EXPOSURE, tags::EXPOSURE_INM_AS]);
        self.text("parameters/filter", &[tags::FILTER_TYPE]);
        self.float("parameters/generatorPower", &[tags::GENERATOR_POWER]);
        let spots = self.first(&[tags::FOCAL_SPOTS]).map(numbers).unwrap_or_default();
        for (n, spot) in (1..).zip(spots) {
            let path = format!("parameters/focalSpots/focalSpot[{n}]");
            self.fields.push(Field { path, value: FieldValue::Float(spot) });
        }
        self.text("parameters/convolutionKernel", &[tags::CONVOLUTION_KERNEL]);
        self.float("parameters/collimationWidth/single", &[tags::SINGLE_COLLIMATION_WIDTH]);
        self.float("parameters/collimationWidth/total", &[tags::TOTAL_COLLIMATION_WIDTH]);
        self.float("parameters/tableSpeed", &[tags::TABLE_SPEED]);
        self.float("parameters/tableFeedPerRotation", &[tags::TABLE_FEED_PER_ROTATION]);
        self.float("parameters/pitchFactor", &[tags::SPIRAL_PITCH_FACTOR]);
        self.float("parameters/estimatedDoseSaving", &[tags::ESTIMATED_DOSE_SAVING]);
        self.float("parameters/ctDIvol", &[tags::CTD_IVOL]);
        self.text("parameters/derivation", &[tags::DERIVATION_DESCRIPTION]);
        self.text("parameters/contrastBolus", &[tags::CONTRAST_BOLUS_AGENT]);
    }

    /// What XNAT's schema has for PET is what ECAT headers say; orientation and acquisition type are numbers of ECAT
    /// there, so DICOM's texts go elsewhere.
    fn pet(&mut self) {
        self.text("parameters/originalFileName", &[ecat::ORIGINAL_FILE_NAME]);
        self.int("parameters/systemType", ecat::SYSTEM_TYPE);
        self.int("parameters/fileType", ecat::FILE_TYPE);
        self.float("parameters/transaxialFOV", &[tags::RECONSTRUCTION_DIAMETER]);
        self.text("parameters/facility", &[tags::INSTITUTION_NAME]);
        self.int("parameters/numPlanes", tags::NUMBER_OF_SLICES);
        self.int("parameters/frames/numFrames", tags::NUMBER_OF_TIME_SLICES);
        self.int("parameters/numGates", tags::NUMBER_OF_TIME_SLOTS);
        self.float("parameters/planeSeparation", &[tags::SPACING_BETWEEN_SLICES, tags::SLICE_THICKNESS]);
        self.int("parameters/dataType", ecat::DATA_TYPE);
        self.int("parameters/dimensions/x", tags::COLUMNS);
        self.int("parameters/dimensions/y", tags::ROWS);
        self.int("parameters/dimensions/z", tags::NUMBER_OF_SLICES);
        self.voxels("parameters/pixelSize");
        for (name, tag) in [
            ("ReconstructionMethod", tags::RECONSTRUCTION_METHOD),
            ("AttenuationCorrectionMethod", tags::ATTENUATION_CORRECTION_METHOD),
            ("ScatterCorrectionMethod", tags::SCATTER_CORRECTION_METHOD),
            ("RandomsCorrectionMethod", tags::RANDOMS_CORRECTION_METHOD),
            ("DecayCorrection", tags::DECAY_CORRECTION),
            ("Units", tags::UNITS),
            ("SeriesType", tags::SERIES_TYPE),
            ("ActualFrameDuration", tags::ACTUAL_FRAME_DURATION),
        ] {
            self.text(&format!("parameters/addParam[name={name}]"), &[tag]);
        }
    }

    /// Voxel size, orientation and matrix, which begin the parameters of MR and CT.
    fn geometry(&mut self) {
        self.voxels("parameters/voxelRes");
        if let Some(orientation) = self.first(&[tags::IMAGE_ORIENTATION_PATIENT]).and_then(orientation) {
            self.fields.push(Field::text("parameters/orientation", orientation));
        }
        self.int("parameters/fov/x", tags::COLUMNS);
        self.int("parameters/fov/y", tags::ROWS);
    }

    /// The size of a voxel in mm.
    fn voxels(&mut self, path: &str) {
        for (axis, size) in ["x", "y", "z"].into_iter().zip(voxel_size(self.series)) {
            if let Some(size) = size {
                self.fields.push(Field { path: format!("{path}/{axis}"), value: FieldValue::Float(size) });
            }
        }
    }

    /// The value of the first of these elements that has one value throughout.
    fn first(&self, tags: &[Tag]) -> Option<&str> {
        tags.iter().find_map(|&tag| self.series.one(tag))
    }

    fn text(&mut self, path: &str, tags: &[Tag]) {
        if let Some(text) = self.first(tags).filter(|text| !text.is_empty()) {
            let field = Field::text(path, text);
            self.fields.push(field);
        }
    }

    fn float(&mut self, path: &str, tags: &[Tag]) {
        if let Some(number) = self.first(tags).and_then(number) {
            self.fields.push(Field { path: path.to_owned(), value: FieldValue::Float(number) });
        }
    }

    fn int(&mut self, path: &str, tag: Tag) {
        if let Some(number) = self.first(&[tag]).and_then(|text| text.trim().parse().ok()) {
            self.fields.push(Field::int(path, number));
        }
    }
}

/// Voxel size in mm along columns, rows and slices. Pixel Spacing has the row spacing (y) first (DICOM PS3.3
/// 10.7.1.3).
pub fn voxel_size(series: &SeriesSummary) -> [Option<f64>; 3] {
    let spacing = series.one(tags::PIXEL_SPACING).map(numbers).unwrap_or_default();
    let (y, x) = (spacing.first().copied(), spacing.get(1).copied());
    [x, y, series.one(tags::SLICE_THICKNESS).and_then(number)]
}

/// `Sag`, `Cor` or `Tra` from Image Orientation (Patient): the axis that the slice normal is nearest to (DICOM PS3.3
/// C.7.6.2.1.1).
pub fn orientation(cosines: &str) -> Option<&'static str> {
    let [rx, ry, rz, cx, cy, cz] = <[f64; 6]>::try_from(numbers(cosines)).ok()?;
    let normal =
        [("Sag", (ry * cz - rz * cy).abs()), ("Cor", (rz * cx - rx * cz).abs()), ("Tra", (rx * cy - ry * cx).abs())];
    let (name, most) = normal.into_iter().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (most > 0.0).then_some(name)
}

/// XNAT's rule: Tesla, from 500 on Gauss; rounded to the nearest half; written like `3.0`.
pub fn field_strength(text: &str) -> Option<String> {
    let strength = number(text)?;
    let tesla = if strength >= 500.0 { strength / 10_000.0 } else { strength };
    let rounded = (tesla * 2.0).round() / 2.0;
    // A tenth of a tesla is a field all the same.
    let shown = if rounded == 0.0 { tesla } else { rounded };
    Some(FieldValue::Float(shown).to_string())
}

/// The first number of a value.
pub fn number(text: &str) -> Option<f64> {
    numbers(text).first().copied()
}

fn numbers(text: &str) -> Vec<f64> {
    let parse = |part: &str| part.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    text.split('\\').map_while(parse).collect()
}

/// Distinct numbers, sorted.
fn numbers_of(values: &[String]) -> Vec<f64> {
    let mut numbers: Vec<f64> = values.iter().filter_map(|text| number(text)).collect();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orientation_is_that_of_the_slice_normal() {
        assert_eq!(orientation("1\\0\\0\\0\\1\\0"), Some("Tra"));
        assert_eq!(orientation("0\\1\\0\\0\\0\\-1"), Some("Sag"));
        assert_eq!(orientation("1\\0\\0\\0\\0\\-1"), Some("Cor"));
        assert_eq!(orientation("0.05\\0.998\\0.01\\0.02\\0.01\\-0.999"), Some("Sag"));
        assert_eq!(orientation("1\\0\\0"), None);
        assert_eq!(orientation("0\\0\\0\\0\\0\\0"), None);
        assert_eq!(orientation("nan\\0\\0\\0\\1\\0"), None);
    }

    #[test]
    fn field_strength_is_tesla_in_halves() {
        assert_eq!(field_strength("3").as_deref(), Some("3.0"));
        assert_eq!(field_strength("2.8936").as_deref(), Some("3.0"));
        assert_eq!(field_strength("1.494").as_deref(), Some("1.5"));
        assert_eq!(field_strength("15000").as_deref(), Some("1.5"));
        assert_eq!(field_strength("0.2").as_deref(), Some("0.2"));
        assert_eq!(field_strength("7T"), None);
    }
}
