//! Behaviour of the ECAT reader and of what its headers become.

use super::*;
use crate::imaging::testing::Random;
use crate::imaging::{
    DicomHeader, HeaderError, HeaderLimits, ImageReader, PetMr, Progress, SeriesSummary, build_session, naming, tags,
};

/// A file as a scanner writes it.
#[derive(Clone)]
pub(crate) struct EcatFile(pub Vec<u8>);

impl EcatFile {
    /// One frame of 4 x 3 x 2 voxels.
    pub fn new() -> Self {
        let mut file = Self(vec![0; 4 * 512]);
        file.text(0, "MATRIX72v").text(14, "a.v").u16(46, 72).u16(48, 961).u16(50, 7).text(52, "S1");
        file.u32(62, 1_290_124_615).text(66, "F-18").f32(74, 6586.2).text(78, "FDG").f32(134, 51.4);
        file.text(154, "brain").text(166, "P1").text(182, "DOE^JANE").text(214, "F").u32(228, 86_400 * 365);
        file.text(264, "OP").text(296, "FDG brain").text(332, "Hospital");
        file.u16(352, 2).u16(354, 7).u16(356, 1).u16(358, 1).f32(360, 10.0).f32(364, 5.5).f32(424, 0.3125);
        file.directory(2, 2, &[(0x0101_0001, 3, 4, 1)]);
        file.subheader(3)
    }

    pub fn text(&mut self, at: usize, text: &str) -> &mut Self {
        self.0[at..at + text.len()].copy_from_slice(text.as_bytes());
        self
    }

    pub fn u16(&mut self, at: usize, number: u16) -> &mut Self {
        self.0[at..at + 2].copy_from_slice(&number.to_be_bytes());
        self
    }

    pub fn u32(&mut self, at: usize, number: u32) -> &mut Self {
        self.0[at..at + 4].copy_from_slice(&number.to_be_bytes());
        self
    }

    fn f32(&mut self, at: usize, number: f32) -> &mut Self {
        self.u32(at, number.to_bits())
    }

    /// A block of the directory, with the number of the next one and its entries.
    fn directory(&mut self, block: usize, next: u32, entries: &[(u32, u32, u32, u32)]) {
        let at = (block - 1) * 512;
        self.0.resize(self.0.len().max(at + 512), 0);
        let used = u32::try_from(entries.len()).unwrap();
        self.u32(at, 31 - used).u32(at + 4, next).u32(at + 12, used);
        for (n, (id, start, end, status)) in entries.iter().enumerate() {
            let at = at + 16 * (n + 1);
            self.u32(at, *id).u32(at + 4, *start).u32(at + 8, *end).u32(at + 12, *status);
        }
    }

    fn subheader(&mut self, block: usize) -> Self {
        let at = (block - 1) * 512;
        self.0.resize(self.0.len().max(at + 1024), 0);
        self.u16(at, 6).u16(at + 2, 3).u16(at + 4, 4).u16(at + 6, 3).u16(at + 8, 2);
        self.f32(at + 34, 0.22).f32(at + 38, 0.25).f32(at + 42, 0.3125).u32(at + 46, 300_000).u32(at + 50, 1_000);
        self.clone()
    }

    pub fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut file = self.clone();
        change(&mut file);
        file
    }

    fn header(&self) -> Result<EcatHeader, EcatError> {
        read_in(&self.0, self.0.len())
    }

    pub fn dicom(&self) -> DicomHeader {
        self.header().unwrap().into_dicom()
    }
}

fn read_in(file: &[u8], piece: usize) -> Result<EcatHeader, EcatError> {
    let mut reader = EcatReader::new();
    for piece in file.chunks(piece.max(1)) {
        if reader.push(piece) == Progress::Done {
            break;
        }
    }
    reader.finish()
}

fn shown(fields: &[crate::imaging::Field]) -> Vec<String> {
    fields.iter().map(|field| format!("{}={}", field.path, field.value)).collect()
}

#[test]
fn a_header_is_read_whole_or_in_pieces() {
    let file = EcatFile::new();
    let header = file.header().unwrap();
    for piece in [1, 7, 511, 512, 513, 1024] {
        assert_eq!(read_in(&file.0, piece).as_ref(), Ok(&header));
    }
    assert_eq!((header.magic.as_str(), header.original_file_name.as_str()), ("MATRIX72v", "a.v"));
    assert_eq!((header.sw_version, header.system_type, header.file_type), (72, 961, FileType::Volume16));
    assert_eq!((header.serial_number.as_str(), header.scan_start), ("S1", Some(1_290_124_615)));
    assert_eq!((header.isotope.as_str(), header.half_life_seconds), ("F-18", Some(6586.2)));
    assert_eq!((header.patient_sex, header.patient_birth), (Some('F'), Some(86_400 * 365)));
    assert_eq!((header.planes, header.gates), (2, 1));
    assert_eq!(header.frames, 1, "the directory counts, not the main header");
    assert_eq!(header.bed_positions_mm, [100.0, 155.0]);
    assert_eq!((header.transaxial_fov_mm, header.plane_separation_mm), (Some(514.0), Some(3.125)));
    let image = FirstImage {
        data_type: 6,
        size: [4, 3, 2],
        voxel_mm: [Some(2.2), Some(2.5), Some(3.125)],
        frame_duration_ms: 300_000,
        frame_start_ms: 1_000,
    };
    assert_eq!(header.image, image);
}

#[test]
fn the_reader_stops_behind_the_first_subheader() {
    let mut reader = EcatReader::new();
    let file = EcatFile::new();
    assert_eq!(reader.push(&file.0[..3 * 512 - 1]), Progress::More);
    assert_eq!(reader.push(&file.0[3 * 512 - 1..3 * 512]), Progress::Done);
    assert_eq!(reader.push(&[0xFF; 100_000]), Progress::Done);
    assert!(reader.finish().is_ok());
}

#[test]
fn every_file_that_is_cut_is_refused_as_such() {
    let file = EcatFile::new();
    for length in 0..3 * 512 {
        let expected = match length {
            0..7 => EcatError::NotEcat,
            _ => EcatError::Truncated { length_bytes: length as u64 },
        };
        assert_eq!(read_in(&file.0[..length], 100), Err(expected), "{length}");
    }
}

#[test]
fn it_is_told_how_long_the_file_must_be() {
    // Behind the first subheader come 4 x 3 x 2 voxels of two bytes; the block that they end in need not be full.
    assert_eq!(EcatFile::new().dicom().least_bytes, Some(3 * 512 + 48));
    let more = EcatFile::new().with(|file| file.directory(2, 2, &[(2, 9, 10, 1), (1, 3, 8, 1)]));
    assert_eq!(more.dicom().least_bytes, Some(9 * 512 + 48));
    let short = EcatFile::new().with(|file| file.directory(2, 2, &[(1, 3, 3, 1)]));
    assert_eq!(short.dicom().least_bytes, Some(3 * 512), "no image goes beyond its own blocks");
}

#[test]
fn frames_are_counted_in_the_directory_as_far_as_it_is_near() {
    let frames = |from: u32, count: u32| -> Vec<_> { (from..from + count).map(|n| (n, 6 + n, 6 + n, 1)).collect() };
    let two_blocks = EcatFile::new().with(|file| {
        file.directory(2, 4, &frames(1, 31));
        file.directory(4, 2, &frames(32, 9));
        file.subheader(7);
    });
    assert_eq!(two_blocks.header().unwrap().frames, 40);
    let far = EcatFile::new().with(|file| file.directory(2, 90_000, &[(1, 3, 4, 1)]));
    assert_eq!(far.header().unwrap().frames, 7, "that of the main header");
    let back = two_blocks.with(|file| file.directory(4, 4, &frames(32, 9)));
    assert_eq!(back.header().unwrap().frames, 7, "a directory that runs in a circle says not all");
    let gated = EcatFile::new().with(|file| {
        file.directory(2, 2, &[(0x0100_0001, 3, 3, 1), (0x0200_0001, 4, 4, 2), (0x0100_0002, 5, 5, 3)]);
    });
    assert_eq!(gated.header().unwrap().frames, 1, "gates of one frame, and a deleted matrix");
}

#[test]
fn what_holds_no_images_is_refused_with_a_reason() {
    for code in (0..20).filter(|code| ![2, 6, 7, 10].contains(code)) {
        let error = EcatFile::new().with(|file| _ = file.u16(50, code)).header().unwrap_err();
        assert!(matches!(error, EcatError::NoImages { .. }), "{code}: {error}");
    }
    let sinogram = EcatFile::new().with(|file| _ = file.u16(50, 11)).header().unwrap_err();
    assert_eq!(sinogram.to_string(), "the ECAT file holds a 3D sinogram, not images; send the reconstructed images");
    for code in [2, 6, 7, 10] {
        let header = EcatFile::new().with(|file| _ = file.u16(50, code)).header().unwrap();
        assert_eq!(header.file_type.code(), code);
    }
}

#[test]
fn broken_structures_are_refused() {
    type Change = fn(&mut EcatFile);
    let broken: [(&str, Change); 9] = [
        ("too many entries", |file| _ = file.u32(512 + 12, 32)),
        ("entries that do not add up", |file| _ = file.u32(512, 12)),
        ("endless entries", |file| _ = file.u32(512, 0).u32(512 + 12, u32::MAX)),
        ("no matrix", |file| file.directory(2, 2, &[])),
        ("only deleted matrices", |file| file.directory(2, 2, &[(1, 3, 4, 3)])),
        ("a matrix within the directory", |file| file.directory(2, 2, &[(1, 2, 4, 1)])),
        ("a matrix at the end of the world", |file| file.directory(2, 2, &[(1, u32::MAX, u32::MAX, 1)])),
        ("no voxels", |file| _ = file.u16(1024 + 4, 0)),
        ("an unknown data type", |file| _ = file.u16(1024, 8)),
    ];
    for (what, change) in broken {
        let error = EcatFile::new().with(change).header().unwrap_err();
        assert!(matches!(error, EcatError::Malformed { .. }), "{what}: {error}");
    }
}

#[test]
fn numbers_without_sense_are_as_if_not_given() {
    let file = EcatFile::new().with(|file| {
        file.f32(74, f32::NAN).u32(62, 0).u32(228, u32::MAX).f32(134, -1.0).f32(424, f32::INFINITY).f32(360, f32::NAN);
        file.u16(356, 0).u16(352, 0).u16(358, u16::MAX).f32(1024 + 34, 0.0).text(214, "U");
    });
    let header = file.header().unwrap();
    assert_eq!((header.half_life_seconds, header.scan_start, header.patient_birth), (None, None, None));
    assert_eq!((header.transaxial_fov_mm, header.plane_separation_mm, header.patient_sex), (None, None, None));
    assert_eq!((header.gates, header.planes, header.bed_positions_mm.len()), (1, 2, 16));
    assert_eq!(header.image.voxel_mm, [None, Some(2.5), Some(3.125)]);
    let session = build_session(&[SeriesSummary::of(&header.into_dicom())], PetMr::PetMr);
    assert_eq!((session.date, session.time), (None, None));
}

#[test]
fn texts_are_latin_1_without_control_characters() {
    let file = EcatFile::new().with(|file| file.0[182..192].copy_from_slice(b" M\xfcl\x01l\x9fer\0"));
    assert_eq!(file.header().unwrap().patient_name, "Müller");
    let full = EcatFile::new().with(|file| _ = file.text(166, &"x".repeat(16)));
    assert_eq!(full.header().unwrap().patient_id, "x".repeat(16));
}

#[test]
fn a_session_of_ecat_files_is_one_of_pet() {
    let first = EcatFile::new();
    let later = first.with(|file| _ = file.u32(62, 1_290_124_615 + 60).text(14, "b.v"));
    let (one, two) = (first.dicom(), later.dicom());
    assert_eq!(one.study_instance_uid, two.study_instance_uid);
    let session = build_session(&[SeriesSummary::of(&two), SeriesSummary::of(&one)], PetMr::PetMr);
    assert_eq!(
        shown(&session.flat_fields()),
        [
            "modality=PT",
            "session_type=FDG brain",
            "date=2010-11-18",
            "time=23:56:55",
            "acquisition_site=Hospital",
            "scanner/model=ECAT 961",
            "scanner=ECAT 961",
            "operator=OP",
            "dcmPatientId=P1",
            "dcmPatientName=DOE^JANE",
            "dcmPatientBirthDate=1971-01-01",
            "studyType=brain",
            "tracer/name=FDG",
            "tracer/isotope=F-18",
            "tracer/isotope/half-life=6586.2",
        ]
    );
    assert_eq!(session.xsi_type.as_str(), "xnat:petSessionData");
    assert_eq!(session.scans.iter().map(|scan| scan.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(session.scans[0].uid, one.series_instance_uid);
    assert_eq!(
        shown(&session.scans[1].flat_fields()),
        [
            "ID=2",
            "series_description=FDG brain",
            "scanner/model=ECAT 961",
            "scanner=ECAT 961",
            "modality=PT",
            "frames=1",
            "startTime=23:57:55",
            "start_date=2010-11-18",
            "parameters/originalFileName=b.v",
            "parameters/systemType=961",
            "parameters/fileType=7",
            "parameters/transaxialFOV=514.0",
            "parameters/facility=Hospital",
            "parameters/numPlanes=2",
            "parameters/frames/numFrames=1",
            "parameters/numGates=1",
            "parameters/planeSeparation=3.125",
            "parameters/dataType=6",
            "parameters/dimensions/x=4",
            "parameters/dimensions/y=3",
            "parameters/dimensions/z=2",
            "parameters/pixelSize/x=2.2",
            "parameters/pixelSize/y=2.5",
            "parameters/pixelSize/z=3.125",
            "parameters/addParam[name=ActualFrameDuration]=300000",
        ]
    );
}

#[test]
fn the_tracer_is_named_after_its_isotope_where_it_has_no_name() {
    let file = EcatFile::new().with(|file| file.0[78..110].fill(0));
    assert_eq!(file.dicom().get(tags::RADIOPHARMACEUTICAL), Some("F-18"));
}

#[test]
fn the_study_description_may_say_where_it_goes() {
    let plain = EcatFile::new().dicom();
    assert_eq!(naming::project_candidates(&plain), ["FDG brain"]);
    assert_eq!(naming::subject_label(&plain).as_deref(), Some("DOE_JANE"));
    assert_eq!(naming::session_label(&plain).as_deref(), Some("P1"));
    let noted = EcatFile::new().with(|file| _ = file.text(296, "Project:X Subject:Y Session:Z"));
    let noted = noted.dicom();
    assert_eq!(naming::project_candidates(&noted), ["X", "Project:X Subject:Y Session:Z"]);
    assert_eq!(naming::subject_label(&noted).as_deref(), Some("Y"));
    assert_eq!(naming::session_label(&noted).as_deref(), Some("Z"));
    assert!(!naming::is_secondary(&noted.sop_class_uid));
    assert_eq!(naming::gradual_file_name(Some("d/a b.v"), true, &naming::NameTemplate::default(), &noted), "a_b.v");
}

#[test]
fn uids_follow_from_what_they_identify() {
    let one = EcatFile::new();
    let same = one.dicom();
    assert_eq!(one.dicom(), same);
    let differ = |change: fn(&mut EcatFile)| {
        let other = one.with(change).dicom();
        [
            other.study_instance_uid != same.study_instance_uid,
            other.series_instance_uid != same.series_instance_uid,
            other.sop_instance_uid != same.sop_instance_uid,
        ]
    };
    assert_eq!(differ(|file| _ = file.text(166, "P2")), [true, true, true]);
    assert_eq!(differ(|file| _ = file.u32(62, 1_290_124_615 + 86_400)), [true, true, true]);
    assert_eq!(differ(|file| _ = file.text(14, "c.v")), [false, true, true]);
    assert_eq!(differ(|file| _ = file.u32(62, 1_290_124_615 + 60)), [false, true, true]);
    assert_eq!(differ(|file| _ = file.text(296, "Stress")), [false, false, true]);
    assert_eq!(differ(|file| _ = file.u32(1024 + 50, 2_000)), [false, false, true]);
    assert_eq!(differ(|file| file.0.extend([1; 100])), [false, false, false], "bytes are compared elsewhere");
    for uid in [&same.study_instance_uid, &same.series_instance_uid, &same.sop_instance_uid, &same.sop_class_uid] {
        assert!(is_derived_uid(uid));
    }
}

#[test]
fn the_common_reader_tells_ecat_from_dicom() {
    let read = |file: &[u8], piece: usize| {
        let mut reader = ImageReader::new(HeaderLimits::default());
        file.chunks(piece).all(|piece| reader.push(piece) == Progress::More);
        reader.finish()
    };
    let ecat = EcatFile::new();
    let mr = crate::imaging::testing::DataSet::default()
        .identified(crate::imaging::testing::MR, "1.2.3.4", "1.2.3", "1.2.3.1", "MR")
        .pixels();
    let mr = crate::imaging::testing::part10("1.2.840.10008.1.2.1", &mr.bytes);
    for piece in [1, 3, 7, 8, 5_000] {
        assert_eq!(read(&ecat.0, piece), Ok(ecat.dicom()));
        assert_eq!(read(&mr, piece).map(|header| header.is_ecat()), Ok(false));
        assert_eq!(read(b"MATRIX8", piece), Err(HeaderError::NotDicom));
        assert_eq!(read(b"MATRI", piece), Err(HeaderError::NotDicom));
    }
    assert_eq!(read(b"", 1), Err(HeaderError::NotDicom));
    assert_eq!(read(&ecat.0[..600], 100), Err(HeaderError::Ecat(EcatError::Truncated { length_bytes: 600 })));
}

#[test]
fn random_bytes_never_panic() {
    let mut random = Random(11);
    let file = EcatFile::new();
    for _ in 0..20_000 {
        let mut damaged = file.0.clone();
        for _ in 0..1 + random.below(20) {
            // Mostly where structure is.
            let at = if random.below(2) == 0 { random.below(damaged.len()) } else { 500 + random.below(80) };
            damaged[at] = random.next() as u8;
        }
        if let Ok(header) = read_in(&damaged, 1 + random.below(2_000)) {
            let series = SeriesSummary::of(&header.into_dicom());
            assert_eq!(build_session(&[series], PetMr::PetMr).scans.len(), 1);
        }
    }
    for length in 0..2_000 {
        let mut noise: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        _ = read_in(&noise, 700);
        noise.splice(..MAGIC.len().min(noise.len()), MAGIC.iter().copied());
        _ = read_in(&noise, 700);
    }
}

/// Reads the file of nibabel, if `NARTHEX_NIBABEL_DIR` names a folder that has it (`tinypet.v` of the wheel).
#[test]
fn the_file_of_nibabel() {
    let Some(root) = std::env::var_os("NARTHEX_NIBABEL_DIR") else { return };
    let file = EcatFile(std::fs::read(std::path::Path::new(&root).join("tinypet.v")).unwrap());
    let header = file.header().unwrap();
    assert_eq!((header.magic.as_str(), header.sw_version, header.system_type), ("MATRIX72v", 74, 961));
    assert_eq!((header.scan_start, header.isotope.as_str()), (Some(1_290_124_615), "F-18"));
    assert_eq!(header.study_description, "fdg em - Iter(Brain Mode) 4 ite");
    assert_eq!((header.planes, header.frames, header.gates), (3, 1, 1));
    assert_eq!(header.image.size, [10, 10, 3]);
    assert_eq!(header.image.voxel_mm, [Some(2.2024198), Some(2.2024198), Some(3.125)]);
    for length in 0..3 * 512 {
        assert!(read_in(&file.0[..length], 512).is_err());
    }
    let session = build_session(&[SeriesSummary::of(&header.into_dicom())], PetMr::PetMr);
    assert_eq!((session.date.as_deref(), session.time.as_deref()), (Some("2010-11-18"), Some("23:56:55")));
    assert_eq!(session.scanner.model, "ECAT 961");
}
