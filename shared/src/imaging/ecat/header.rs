//! What is kept of the header of an ECAT 7 file, and why a file may be refused.

/// Why an ECAT file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EcatError {
    /// It does not begin like one.
    #[error("the file is not an ECAT 7 file")]
    NotEcat,
    /// It ends within its header.
    #[error("the file ends within its ECAT header, after {length_bytes} bytes")]
    Truncated {
        /// Bytes seen.
        length_bytes: u64,
    },
    /// It holds something else than images.
    #[error("the ECAT file holds {what}, not images; send the reconstructed images")]
    NoImages {
        /// What it holds, as a noun phrase.
        what: &'static str,
    },
    /// The structure is broken.
    #[error("the ECAT header is malformed: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
}

/// What kinds of files are taken: those that hold reconstructed images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    /// Slices of 16 bits.
    Image16,
    /// Volumes of 8 bits.
    Volume8,
    /// Volumes of 16 bits.
    Volume16,
    /// Slices of 8 bits.
    Image8,
}

impl FileType {
    /// The type with this code of the main header.
    ///
    /// # Errors
    /// [`EcatError::NoImages`] for every other code.
    pub fn of(code: u16) -> Result<Self, EcatError> {
        let what = match code {
            2 => return Ok(Self::Image16),
            6 => return Ok(Self::Volume8),
            7 => return Ok(Self::Volume16),
            10 => return Ok(Self::Image8),
            1 => "a 2D sinogram",
            3 => "an attenuation correction",
            4 => "a 2D normalisation",
            5 => "a polar map",
            8 | 9 => "projections",
            11 | 12 | 14 => "a 3D sinogram",
            13 => "a 3D normalisation",
            _ => "data of an unknown type",
        };
        Err(EcatError::NoImages { what })
    }

    /// Its code in the main header.
    pub fn code(self) -> u16 {
        match self {
            Self::Image16 => 2,
            Self::Volume8 => 6,
            Self::Volume16 => 7,
            Self::Image8 => 10,
        }
    }
}

/// What is kept of the header of one ECAT 7 file. Texts may be empty: they are without control characters and without
/// blanks around. Numbers that make no sense are as if not given.
#[derive(Debug, Clone, PartialEq)]
pub struct EcatHeader {
    /// What the first bytes say: `MATRIX72v`, ...
    pub magic: String,
    /// The name that the file was written under.
    pub original_file_name: String,
    /// Version of the software that wrote it.
    pub sw_version: u16,
    /// Model number of the scanner, 0 if not given.
    pub system_type: u16,
    /// What the file holds.
    pub file_type: FileType,
    /// Serial number of the scanner.
    pub serial_number: String,
    /// When the scan began, in seconds since the epoch.
    pub scan_start: Option<u32>,
    /// Isotope, `F-18` for example.
    pub isotope: String,
    /// Its half-life in seconds.
    pub half_life_seconds: Option<f32>,
    /// Radiopharmaceutical, `FDG` for example.
    pub radiopharmaceutical: String,
    /// Diameter of the transaxial field of view in mm.
    pub transaxial_fov_mm: Option<f64>,
    /// The site's own code of the kind of study.
    pub study_type: String,
    /// Patient's ID.
    pub patient_id: String,
    /// Patient's name.
    pub patient_name: String,
    /// `M` or `F`, if one of them is given.
    pub patient_sex: Option<char>,
    /// Patient's birth date in seconds since the epoch.
    pub patient_birth: Option<i32>,
    /// Operator's name.
    pub operator: String,
    /// Study description.
    pub study_description: String,
    /// Where it was taken.
    pub facility: String,
    /// Planes of a frame.
    pub planes: u16,
    /// Frames in the file, at least 1.
    pub frames: u16,
    /// Gates, at least 1.
    pub gates: u16,
    /// Positions of the bed in mm, the first and then the others.
    pub bed_positions_mm: Vec<f64>,
    /// Distance of the planes in mm.
    pub plane_separation_mm: Option<f64>,
    /// The first image.
    pub image: FirstImage,
    /// SHA-256 of main header and first subheader.
    pub digest: [u8; 32],
    /// How long the file is at least if none of its images is cut off, in bytes.
    pub least_bytes: u64,
}

/// What the first subheader says of its image.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstImage {
    /// How a voxel is written, 1 to 7.
    pub data_type: u16,
    /// Columns, rows and planes, each at least 1.
    pub size: [u16; 3],
    /// Size of a voxel in mm.
    pub voxel_mm: [Option<f64>; 3],
    /// How long the frame took, in milliseconds; 0 if not given.
    pub frame_duration_ms: u32,
    /// When it began after the start of the scan, in milliseconds.
    pub frame_start_ms: u32,
}

impl FirstImage {
    /// How many bytes its voxels take.
    pub fn bytes(&self) -> u64 {
        let width = match self.data_type {
            1 => 1,
            2 | 6 => 2,
            _ => 4,
        };
        self.size.into_iter().map(u64::from).fold(width, u64::saturating_mul)
    }
}
