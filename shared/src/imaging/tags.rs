//! The data elements that are read from a header, and where in the data set each is looked for.

pub use dicom_core::{Tag, VR};
pub use dicom_dictionary_std::tags::*;

/// Study Comments, retired from the standard but still what people write routing notes into.
pub const STUDY_COMMENTS: Tag = Tag(0x0032, 0x4000);
/// Estimated Dose Saving, retired from the standard, and one of XNAT's CT parameters.
pub const ESTIMATED_DOSE_SAVING: Tag = Tag(0x0018, 0x9324);

/// Where an element may stand to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The data set itself only.
    Top,
    /// The data set or, in multi-frame objects, a functional group shared by all frames or of the first frame
    /// (DICOM PS3.3 C.7.6.16).
    Frame,
    /// The data set or the first item of Radiopharmaceutical Information Sequence (DICOM PS3.3 C.8.9.2).
    Radio,
    /// A code sequence in the first item of Radiopharmaceutical Information Sequence: the meaning of its first
    /// code is kept under the sequence's own tag.
    RadioCode,
}

/// What a series keeps of an element whose value differs from instance to instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nothing but the fact that it differs.
    One,
    /// The first few distinct values.
    Several,
    /// The element belongs to the instance and is no part of a series summary.
    Never,
}

/// One element of interest.
#[derive(Debug, Clone, Copy)]
pub struct Interest {
    /// Its tag.
    pub tag: Tag,
    /// Its keyword in the DICOM dictionary (PS3.6), used by file name templates.
    pub keyword: &'static str,
    /// Its value representation, for data sets that do not say it.
    pub vr: VR,
    /// Where it is looked for.
    pub place: Place,
    /// What a series summary keeps of it.
    pub keep: Keep,
}

/// The element of interest with this tag, if it is one.
pub fn interest(tag: Tag) -> Option<&'static Interest> {
    // Private and image-plane groups make up most of a header.
    if !matches!(tag.0, 0x0008 | 0x0010 | 0x0018 | 0x0020 | 0x0028 | 0x0032 | 0x0054) {
        return None;
    }
    INTERESTS.binary_search_by_key(&tag, |entry| entry.tag).ok().and_then(|at| INTERESTS.get(at))
}

/// The element of interest with this dictionary keyword.
pub fn by_keyword(keyword: &str) -> Option<&'static Interest> {
    INTERESTS.iter().find(|entry| entry.keyword == keyword)
}

macro_rules! interests {
    ($($tag:ident $keyword:ident $vr:ident $place:ident $keep:ident)*) => {
        &[$(Interest {
            tag: $tag,
            keyword: stringify!($keyword),
            vr: VR::$vr,
            place: Place::$place,
            keep: Keep::$keep,
        }),*]
    };
}

/// Sorted by tag.
#[rustfmt::skip]
pub static INTERESTS: &[Interest] = interests! {
    SPECIFIC_CHARACTER_SET            SpecificCharacterSet            CS Top   Never
    IMAGE_TYPE                        ImageType                       CS Top   One
    SOP_CLASS_UID                     SOPClassUID                     UI Top   Never
    SOP_INSTANCE_UID                  SOPInstanceUID                  UI Top   Never
    STUDY_DATE                        StudyDate                       DA Top   One
    SERIES_DATE                       SeriesDate                      DA Top   One
    ACQUISITION_DATE                  AcquisitionDate                 DA Top   Several
    CONTENT_DATE                      ContentDate                     DA Top   Never
    ACQUISITION_DATE_TIME             AcquisitionDateTime             DT Top   Several
    STUDY_TIME                        StudyTime                       TM Top   One
    SERIES_TIME                       SeriesTime                      TM Top   One
    ACQUISITION_TIME                  AcquisitionTime                 TM Top   Several
    CONTENT_TIME                      ContentTime                     TM Top   Never
    ACCESSION_NUMBER                  AccessionNumber                 SH Top   One
    MODALITY                          Modality                        CS Top   Several
    MANUFACTURER                      Manufacturer                    LO Top   One
    INSTITUTION_NAME                  InstitutionName                 LO Top   One
    TIMEZONE_OFFSET_FROM_UTC          TimezoneOffsetFromUTC           SH Top   One
    STATION_NAME                      StationName                     SH Top   Several
    STUDY_DESCRIPTION                 StudyDescription                LO Top   One
    SERIES_DESCRIPTION                SeriesDescription               LO Top   One
    OPERATORS_NAME                    OperatorsName                   PN Top   One
    MANUFACTURER_MODEL_NAME           ManufacturerModelName           LO Top   One
    DERIVATION_DESCRIPTION            DerivationDescription           ST Top   One
    PATIENT_NAME                      PatientName                     PN Top   One
    PATIENT_ID                        PatientID                       LO Top   One
    PATIENT_BIRTH_DATE                PatientBirthDate                DA Top   One
    PATIENT_SEX                       PatientSex                      CS Top   One
    PATIENT_AGE                       PatientAge                      AS Top   One
    PATIENT_SIZE                      PatientSize                     DS Top   One
    PATIENT_WEIGHT                    PatientWeight                   DS Top   One
    ADDITIONAL_PATIENT_HISTORY        AdditionalPatientHistory        LT Top   One
    PATIENT_COMMENTS                  PatientComments                 LT Top   One
    CONTRAST_BOLUS_AGENT              ContrastBolusAgent              LO Top   One
    BODY_PART_EXAMINED                BodyPartExamined                CS Top   One
    SCANNING_SEQUENCE                 ScanningSequence                CS Top   One
    SEQUENCE_VARIANT                  SequenceVariant                 CS Top   One
    SCAN_OPTIONS                      ScanOptions                     CS Top   One
    MR_ACQUISITION_TYPE               MRAcquisitionType               CS Top   One
    SEQUENCE_NAME                     SequenceName                    SH Top   One
    RADIOPHARMACEUTICAL               Radiopharmaceutical             LO Radio One
    SLICE_THICKNESS                   SliceThickness                  DS Frame One
    KVP                               KVP                             DS Frame One
    REPETITION_TIME                   RepetitionTime                  DS Frame One
    ECHO_TIME                         EchoTime                        DS Frame Several
    INVERSION_TIME                    InversionTime                   DS Frame One
    NUMBER_OF_AVERAGES                NumberOfAverages                DS Frame One
    ECHO_NUMBERS                      EchoNumbers                     IS Top   One
    MAGNETIC_FIELD_STRENGTH           MagneticFieldStrength           DS Top   One
    SPACING_BETWEEN_SLICES            SpacingBetweenSlices            DS Frame One
    DATA_COLLECTION_DIAMETER          DataCollectionDiameter          DS Frame One
    ECHO_TRAIN_LENGTH                 EchoTrainLength                 IS Frame One
    PIXEL_BANDWIDTH                   PixelBandwidth                  DS Frame One
    PROTOCOL_NAME                     ProtocolName                    LO Top   One
    RADIOPHARMACEUTICAL_START_TIME    RadiopharmaceuticalStartTime    TM Radio One
    RADIONUCLIDE_TOTAL_DOSE           RadionuclideTotalDose           DS Radio One
    RADIONUCLIDE_HALF_LIFE            RadionuclideHalfLife            DS Radio One
    RADIOPHARMACEUTICAL_START_DATE_TIME RadiopharmaceuticalStartDateTime DT Radio One
    RECONSTRUCTION_DIAMETER           ReconstructionDiameter          DS Frame One
    DISTANCE_SOURCE_TO_DETECTOR       DistanceSourceToDetector        DS Frame One
    DISTANCE_SOURCE_TO_PATIENT        DistanceSourceToPatient         DS Frame One
    GANTRY_DETECTOR_TILT              GantryDetectorTilt              DS Frame One
    TABLE_HEIGHT                      TableHeight                     DS Frame One
    ROTATION_DIRECTION                RotationDirection               CS Frame One
    EXPOSURE_TIME                     ExposureTime                    IS Frame One
    X_RAY_TUBE_CURRENT                XRayTubeCurrent                 IS Frame One
    EXPOSURE                          Exposure                        IS Frame One
    FILTER_TYPE                       FilterType                      SH Frame One
    GENERATOR_POWER                   GeneratorPower                  IS Frame One
    FOCAL_SPOTS                       FocalSpots                      DS Frame One
    CONVOLUTION_KERNEL                ConvolutionKernel               SH Frame One
    ACTUAL_FRAME_DURATION             ActualFrameDuration             IS Top   Several
    RECEIVE_COIL_NAME                 ReceiveCoilName                 SH Frame One
    TRANSMIT_COIL_NAME                TransmitCoilName                SH Frame One
    ACQUISITION_MATRIX                AcquisitionMatrix               US Top   One
    IN_PLANE_PHASE_ENCODING_DIRECTION InPlanePhaseEncodingDirection   CS Frame One
    FLIP_ANGLE                        FlipAngle                       DS Frame One
    PATIENT_POSITION                  PatientPosition                 CS Top   One
    PULSE_SEQUENCE_NAME               PulseSequenceName               SH Top   One
    DIFFUSION_DIRECTIONALITY          DiffusionDirectionality         CS Frame One
    INVERSION_TIMES                   InversionTimes                  FD Frame One
    EFFECTIVE_ECHO_TIME               EffectiveEchoTime               FD Frame One
    DIFFUSION_B_VALUE                 DiffusionBValue                 FD Frame Several
    DIFFUSION_ANISOTROPY_TYPE         DiffusionAnisotropyType         CS Frame One
    SINGLE_COLLIMATION_WIDTH          SingleCollimationWidth          FD Frame One
    TOTAL_COLLIMATION_WIDTH           TotalCollimationWidth           FD Frame One
    TABLE_SPEED                       TableSpeed                      FD Frame One
    TABLE_FEED_PER_ROTATION           TableFeedPerRotation            FD Frame One
    SPIRAL_PITCH_FACTOR               SpiralPitchFactor               FD Frame One
    ESTIMATED_DOSE_SAVING             EstimatedDoseSaving             FD Frame One
    EXPOSURE_TIME_INMS                ExposureTimeInms                FD Frame One
    X_RAY_TUBE_CURRENT_INM_A          XRayTubeCurrentInmA             FD Frame One
    EXPOSURE_INM_AS                   ExposureInmAs                   FD Frame One
    CTD_IVOL                          CTDIvol                         FD Frame One
    STUDY_INSTANCE_UID                StudyInstanceUID                UI Top   Never
    SERIES_INSTANCE_UID               SeriesInstanceUID               UI Top   Never
    STUDY_ID                          StudyID                         SH Top   One
    SERIES_NUMBER                     SeriesNumber                    IS Top   One
    ACQUISITION_NUMBER                AcquisitionNumber               IS Top   One
    INSTANCE_NUMBER                   InstanceNumber                  IS Top   Never
    IMAGE_ORIENTATION_PATIENT         ImageOrientationPatient         DS Frame One
    NUMBER_OF_FRAMES                  NumberOfFrames                  IS Top   Never
    ROWS                              Rows                            US Top   One
    COLUMNS                           Columns                         US Top   One
    PIXEL_SPACING                     PixelSpacing                    DS Frame One
    RESCALE_INTERCEPT                 RescaleIntercept                DS Frame One
    RESCALE_SLOPE                     RescaleSlope                    DS Frame One
    REQUESTED_PROCEDURE_DESCRIPTION   RequestedProcedureDescription   LO Top   One
    STUDY_COMMENTS                    StudyComments                   LT Top   One
    NUMBER_OF_TIME_SLOTS              NumberOfTimeSlots               US Top   One
    NUMBER_OF_SLICES                  NumberOfSlices                  US Top   One
    NUMBER_OF_TIME_SLICES             NumberOfTimeSlices              US Top   One
    RADIONUCLIDE_CODE_SEQUENCE        RadionuclideCodeSequence        SQ RadioCode One
    RADIOPHARMACEUTICAL_CODE_SEQUENCE RadiopharmaceuticalCodeSequence SQ RadioCode One
    SERIES_TYPE                       SeriesType                      CS Top   One
    UNITS                             Units                           CS Top   One
    RANDOMS_CORRECTION_METHOD         RandomsCorrectionMethod         CS Top   One
    ATTENUATION_CORRECTION_METHOD     AttenuationCorrectionMethod     LO Top   One
    DECAY_CORRECTION                  DecayCorrection                 CS Top   One
    RECONSTRUCTION_METHOD             ReconstructionMethod            LO Top   One
    SCATTER_CORRECTION_METHOD         ScatterCorrectionMethod         LO Top   One
};

#[cfg(test)]
mod tests {
    use super::*;
    use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, VirtualVr};
    use dicom_dictionary_std::StandardDataDictionary;

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(INTERESTS.windows(2).all(|pair| pair[0].tag < pair[1].tag));
    }

    #[test]
    fn keywords_and_value_representations_are_those_of_the_dictionary() {
        for entry in INTERESTS {
            let known = StandardDataDictionary.by_tag(entry.tag).expect("a standard tag");
            assert_eq!(known.alias(), entry.keyword);
            match known.vr() {
                VirtualVr::Exact(vr) => assert_eq!(vr, entry.vr, "{}", entry.keyword),
                other => panic!("{}: {other:?}", entry.keyword),
            }
        }
    }

    #[test]
    fn finds_by_tag_and_keyword() {
        assert_eq!(interest(MODALITY).map(|i| i.keyword), Some("Modality"));
        assert!(interest(PIXEL_DATA).is_none());
        assert_eq!(by_keyword("SeriesNumber").map(|i| i.tag), Some(SERIES_NUMBER));
    }
}
