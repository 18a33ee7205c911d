//! Synthetic DICOM studies: small or large, the same bytes for the same seed.
//!
//! Used by the tests, the benchmarks and `cargo xtask up --demo`. Everything is made up; the pixel data is a body of
//! noise on an empty background, so that it compresses about as well as real images do.
//!
//! ```
//! use narthex_generator::{Modality, Study, zip_study};
//!
//! let study = Study::new(Modality::Ct, 7).patient("P001", "DOE^JANE").slices(3).matrix(16);
//! assert_eq!(study.files().count(), 3);
//! assert_eq!(zip_study(&study), zip_study(&study));
//! ```

mod archive;
mod dicom;
mod noise;
mod study;

pub use archive::{Packing, write_zip, zip_files, zip_study};
pub use dicom::{DataSet, Vr, part_10};
pub use noise::Noise;
pub use study::{File, Modality, Series, Study};
