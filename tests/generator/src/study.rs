//! What a synthetic study looks like, and its files.

use crate::dicom::{DataSet, Vr, part_10};
use crate::noise::Noise;

/// What a series was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modality {
    /// Computed tomography.
    Ct,
    /// Magnetic resonance.
    Mr,
    /// Positron emission tomography.
    Pt,
    /// Secondary capture (a derived picture).
    Sc,
}

impl Modality {
    /// The value of the Modality element.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ct => "CT",
            Self::Mr => "MR",
            Self::Pt => "PT",
            Self::Sc => "OT",
        }
    }

    /// The SOP class of its images.
    pub fn sop_class(self) -> &'static str {
        match self {
            Self::Ct => "1.2.840.10008.5.1.4.1.1.2",
            Self::Mr => "1.2.840.10008.5.1.4.1.1.4",
            Self::Pt => "1.2.840.10008.5.1.4.1.1.128",
            Self::Sc => "1.2.840.10008.5.1.4.1.1.7",
        }
    }
}

/// One series of a study.
#[derive(Debug, Clone)]
pub struct Series {
    /// Series Number, which becomes the scan's id.
    pub number: u32,
    /// Series Description.
    pub description: String,
    /// What it was made with.
    pub modality: Modality,
    /// How many instances it has.
    pub slices: u32,
}

/// A study to be generated. The seed decides its UIDs and its pixels.
#[derive(Debug, Clone)]
pub struct Study {
    seed: u64,
    patient_id: String,
    patient_name: String,
    description: String,
    comments: Option<String>,
    accession: String,
    series: Vec<Series>,
    matrix: u16,
    noise_256ths: i32,
}

/// One generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// A name that is unique in the study, without folders.
    pub name: String,
    /// The number of its series.
    pub series: u32,
    /// Its SOP Instance UID.
    pub sop_instance: String,
    /// A DICOM Part 10 file.
    pub bytes: Vec<u8>,
}

impl Study {
    /// A study of one series with two slices of 32×32.
    pub fn new(modality: Modality, seed: u64) -> Self {
        Self {
            seed,
            patient_id: format!("PAT{seed}"),
            patient_name: format!("TEST^PATIENT{seed}"),
            description: "Synthetic study".to_owned(),
            comments: None,
            accession: format!("ACC{seed}"),
            series: vec![Series { number: 1, description: "synthetic".to_owned(), modality, slices: 2 }],
            matrix: 32,
            noise_256ths: 12 * 256,
        }
    }

    /// The study that the benchmarks upload: CT, 200 slices of 512×512, about 105 MB, about 26 MB zipped.
    pub fn benchmark(seed: u64) -> Self {
        Self::new(Modality::Ct, seed).patient("BENCH", "BENCH^MARK").slices(200).matrix(512)
    }

    /// Sets Patient ID (the session's label) and Patient's Name (the subject's).
    pub fn patient(mut self, id: &str, name: &str) -> Self {
        id.clone_into(&mut self.patient_id);
        name.clone_into(&mut self.patient_name);
        self
    }

    /// Sets Study Description.
    pub fn description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// Sets Accession Number.
    pub fn accession(mut self, accession: &str) -> Self {
        accession.clone_into(&mut self.accession);
        self
    }

    /// Sets Patient Comments, where XNAT looks for `Project:… Subject:… Session:…`.
    pub fn comments(mut self, comments: &str) -> Self {
        self.comments = Some(comments.to_owned());
        self
    }

    /// Sets the number of slices of the last series.
    pub fn slices(mut self, slices: u32) -> Self {
        if let Some(series) = self.series.last_mut() {
            series.slices = slices;
        }
        self
    }

    /// Names the last series and gives it a number.
    pub fn series_named(mut self, number: u32, description: &str) -> Self {
        if let Some(series) = self.series.last_mut() {
            series.number = number;
            description.clone_into(&mut series.description);
        }
        self
    }

    /// Adds another series.
    pub fn and_series(mut self, number: u32, description: &str, modality: Modality, slices: u32) -> Self {
        self.series.push(Series { number, description: description.to_owned(), modality, slices });
        self
    }

    /// Sets rows and columns.
    pub fn matrix(mut self, matrix: u16) -> Self {
        self.matrix = matrix;
        self
    }

    /// Sets the noise's deviation, in grey values; more noise compresses less.
    pub fn noise(mut self, deviation: u16) -> Self {
        self.noise_256ths = i32::from(deviation) * 256;
        self
    }

    /// Its Study Instance UID.
    pub fn study_uid(&self) -> String {
        self.uid(&[1])
    }

    /// The Series Instance UID of a series.
    pub fn series_uid(&self, number: u32) -> String {
        self.uid(&[2, u64::from(number)])
    }

    /// Its series.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// How many files it has.
    pub fn file_count(&self) -> usize {
        self.series.iter().map(|series| series.slices as usize).sum()
    }

    /// Its files, made one after the other.
    pub fn files(&self) -> impl Iterator<Item = File> + '_ {
        self.series.iter().flat_map(move |series| (1..=series.slices).map(move |slice| self.file(series, slice)))
    }

    fn uid(&self, path: &[u64]) -> String {
        let mut noise = Noise::new(self.seed);
        for step in path {
            noise = Noise::new(noise.bits() ^ step.wrapping_mul(0x2545_F491_4F6C_DD1D));
        }
        let number = (u128::from(noise.bits()) << 63) | u128::from(noise.bits());
        format!("2.25.{number}")
    }

    fn file(&self, series: &Series, slice: u32) -> File {
        let sop_instance = self.uid(&[3, u64::from(series.number), u64::from(slice)]);
        let sop_class = series.modality.sop_class();
        let mut data = DataSet::default();
        data.text((0x0008, 0x0005), Vr::Cs, "ISO_IR 100")
            .text((0x0008, 0x0008), Vr::Cs, "ORIGINAL\\PRIMARY\\AXIAL")
            .text((0x0008, 0x0016), Vr::Ui, sop_class)
            .text((0x0008, 0x0018), Vr::Ui, &sop_instance)
            .text((0x0008, 0x0020), Vr::Da, "20240501")
            .text((0x0008, 0x0030), Vr::Tm, "101500")
            .text((0x0008, 0x0050), Vr::Sh, &self.accession)
            .text((0x0008, 0x0060), Vr::Cs, series.modality.code())
            .text((0x0008, 0x0070), Vr::Lo, "Narthex")
            .text((0x0008, 0x1010), Vr::Sh, "GENERATOR")
            .text((0x0008, 0x1030), Vr::Lo, &self.description)
            .text((0x0008, 0x103E), Vr::Lo, &series.description)
            .text((0x0008, 0x1090), Vr::Lo, "Synthetic 1")
            .text((0x0010, 0x0010), Vr::Pn, &self.patient_name)
            .text((0x0010, 0x0020), Vr::Lo, &self.patient_id)
            .text((0x0010, 0x0030), Vr::Da, "19700101")
            .text((0x0018, 0x0050), Vr::Ds, "1.5")
            .text((0x0020, 0x000D), Vr::Ui, &self.study_uid())
            .text((0x0020, 0x000E), Vr::Ui, &self.series_uid(series.number))
            .text((0x0020, 0x0010), Vr::Sh, "1")
            .text((0x0020, 0x0011), Vr::Is, &series.number.to_string())
            .text((0x0020, 0x0013), Vr::Is, &slice.to_string())
            .text((0x0020, 0x0032), Vr::Ds, &format!("-180\\-180\\{}", f64::from(slice) * 1.5))
            .text((0x0020, 0x0037), Vr::Ds, "1\\0\\0\\0\\1\\0")
            .number((0x0028, 0x0002), 1)
            .text((0x0028, 0x0004), Vr::Cs, "MONOCHROME2")
            .number((0x0028, 0x0010), self.matrix)
            .number((0x0028, 0x0011), self.matrix)
            .text((0x0028, 0x0030), Vr::Ds, "0.7\\0.7")
            .number((0x0028, 0x0100), 16)
            .number((0x0028, 0x0101), 16)
            .number((0x0028, 0x0102), 15)
            .number((0x0028, 0x0103), 0)
            .text((0x0028, 0x1052), Vr::Ds, "-1024")
            .text((0x0028, 0x1053), Vr::Ds, "1")
            .bytes((0x7FE0, 0x0010), Vr::Ow, self.pixels(series, slice));
        if let Some(comments) = &self.comments {
            data.text((0x0010, 0x4000), Vr::Lt, comments);
        }
        if series.modality == Modality::Mr {
            data.text((0x0018, 0x0087), Vr::Ds, "3");
        }
        let code = series.modality.code().to_lowercase();
        File {
            name: format!("{code}-{}-{slice:04}.dcm", series.number),
            series: series.number,
            bytes: part_10(sop_class, &sop_instance, &data),
            sop_instance,
        }
    }

    /// A body of soft tissue with noise on an empty background.
    fn pixels(&self, series: &Series, slice: u32) -> Vec<u8> {
        let mut noise = Noise::new(self.seed ^ (u64::from(series.number) << 40) ^ (u64::from(slice) << 8));
        let size = i64::from(self.matrix);
        let (half_width, half_height) = ((size * 46 / 100).max(1), (size * 36 / 100).max(1));
        let mut pixels = Vec::with_capacity(usize::from(self.matrix) * usize::from(self.matrix) * 2);
        for row in 0..size {
            let y = row - size / 2;
            let height = y * y * half_width * half_width;
            for column in 0..size {
                let x = column - size / 2;
                let inside =
                    x * x * half_height * half_height + height <= half_width * half_width * half_height * half_height;
                let grey = if inside { 1064 + noise.gaussian(self.noise_256ths) } else { 0 };
                pixels.extend_from_slice(&u16::try_from(grey).unwrap_or(0).to_le_bytes());
            }
        }
        pixels
    }
}

#[cfg(test)]
mod tests {
    use super::{Modality, Study};

    #[test]
    fn a_study_is_the_same_for_the_same_seed_and_another_for_another() {
        let files = |seed| Study::new(Modality::Mr, seed).files().collect::<Vec<_>>();
        assert_eq!(files(1), files(1));
        assert_ne!(files(1)[0].sop_instance, files(2)[0].sop_instance);
    }

    #[test]
    fn files_are_part_10_and_uids_are_short_enough() {
        let study = Study::new(Modality::Ct, 5).and_series(2, "more", Modality::Sc, 1);
        assert_eq!(study.file_count(), 3);
        for file in study.files() {
            assert_eq!(&file.bytes[128..132], b"DICM");
            assert!(file.bytes.len().is_multiple_of(2));
            assert!(file.sop_instance.len() <= 64, "{}", file.sop_instance);
        }
        assert!(study.study_uid().len() <= 64);
    }
}
