//! Behaviour of the header reader, hostile input included.

use super::testing::{CT, DataSet, MR, Random, part10, read, read_in, read_with};
use super::{HeaderError, HeaderLimits, HeaderReader, Preamble, Progress, Tag, tags};
use std::io::Write;

const EXPLICIT_LE: &str = "1.2.840.10008.1.2.1";
const IMPLICIT_LE: &str = "1.2.840.10008.1.2";
const EXPLICIT_BE: &str = "1.2.840.10008.1.2.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

fn plain(set: DataSet) -> DataSet {
    set.identified(MR, "1.2.3.4", "1.2.3", "1.2.3.1", "MR")
        .text(tags::SERIES_NUMBER, "IS", "4")
        .text(tags::INSTANCE_NUMBER, "IS", "92")
        .raw(tags::ROWS, "US", &[0, 1])
}

/// An enhanced MR object with functional groups, and things in between that are none of our business.
fn enhanced(set: DataSet, open: bool) -> DataSet {
    let new = || DataSet { bytes: Vec::new(), ..set.clone() };
    let nest = |set: DataSet, tag, items: &[DataSet]| {
        if open { set.open_sequence(tag, items) } else { set.sequence(tag, items) }
    };
    let measures = new().text(tags::SLICE_THICKNESS, "DS", "2.5").text(tags::PIXEL_SPACING, "DS", "0.5\\0.25");
    let shared = nest(new(), tags::PIXEL_MEASURES_SEQUENCE, &[measures]);
    let frame = |echo: f64| {
        let bytes = if set.big_endian { echo.to_be_bytes() } else { echo.to_le_bytes() };
        nest(new(), tags::MR_ECHO_SEQUENCE, &[new().raw(tags::EFFECTIVE_ECHO_TIME, "FD", &bytes)])
    };
    let decoy = new().text(tags::SLICE_THICKNESS, "DS", "99").text(tags::CODE_MEANING, "LO", "decoy");
    let set = set
        .clone()
        .text(tags::SOP_CLASS_UID, "UI", "1.2.840.10008.5.1.4.1.1.4.1")
        .text(tags::SOP_INSTANCE_UID, "UI", "1.2.3.4")
        .text(tags::MODALITY, "CS", "MR");
    let set = nest(set, tags::REFERENCED_IMAGE_SEQUENCE, &[decoy.clone(), decoy]);
    let set = set.text(tags::STUDY_INSTANCE_UID, "UI", "1.2.3").text(tags::SERIES_INSTANCE_UID, "UI", "1.2.3.1").text(
        tags::NUMBER_OF_FRAMES,
        "IS",
        "2",
    );
    let set = nest(set, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, &[shared]);
    nest(set, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, &[frame(30.0), frame(60.0)]).pixels()
}

fn deflated(data_set: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(data_set).unwrap();
    part10(DEFLATED, &encoder.finish().unwrap())
}

#[test]
fn reads_a_plain_object() {
    let header = read(&part10(EXPLICIT_LE, &plain(DataSet::default()).pixels().bytes)).unwrap();
    assert_eq!(header.sop_class_uid, MR);
    assert_eq!(header.sop_instance_uid, "1.2.3.4");
    assert_eq!(header.study_instance_uid, "1.2.3");
    assert_eq!(header.series_instance_uid, "1.2.3.1");
    assert_eq!(header.transfer_syntax.as_deref(), Some(EXPLICIT_LE));
    assert_eq!((header.instance_number, header.frames), (Some(92), 1));
    assert_eq!(header.preamble, Preamble::Zeros);
    assert_eq!(header.get(tags::SERIES_NUMBER), Some("4"));
    assert_eq!(header.get(tags::ROWS), Some("256"));
    assert!(!header.is_dicomdir());
}

#[test]
fn reads_every_encoding_the_same_in_pieces_of_any_size() {
    let expected = read(&part10(EXPLICIT_LE, &enhanced(DataSet::default(), true).bytes)).unwrap();
    assert_eq!(expected.get(tags::SLICE_THICKNESS), Some("2.5"));
    assert_eq!(expected.get(tags::PIXEL_SPACING), Some("0.5\\0.25"));
    assert_eq!(expected.get(tags::EFFECTIVE_ECHO_TIME), Some("30"));
    assert_eq!(expected.frames, 2);
    for open in [true, false] {
        let files = [
            part10(EXPLICIT_LE, &enhanced(DataSet::default(), open).bytes),
            part10(IMPLICIT_LE, &enhanced(DataSet::implicit(), open).bytes),
            part10(EXPLICIT_BE, &enhanced(DataSet::big_endian(), open).bytes),
            deflated(&enhanced(DataSet::default(), open).bytes),
            // The declared syntax is wrong.
            part10(EXPLICIT_LE, &enhanced(DataSet::implicit(), open).bytes),
            part10(IMPLICIT_LE, &enhanced(DataSet::default(), open).bytes),
        ];
        for (number, file) in files.iter().enumerate() {
            for piece in [1, 2, 3, 7, 64, 131, 132, 133, 1000, usize::MAX] {
                let header = read_in(file, piece).unwrap_or_else(|e| panic!("file {number} pieces {piece}: {e}"));
                assert_eq!(header.tags, expected.tags, "file {number} pieces {piece}");
            }
        }
    }
}

#[test]
fn reads_data_sets_without_preamble_or_meta_group() {
    for set in [DataSet::default(), DataSet::implicit(), DataSet::big_endian()] {
        let bytes = enhanced(set, false).bytes;
        let header = read(&bytes).unwrap();
        assert_eq!((header.preamble, header.transfer_syntax), (Preamble::Absent, None));
        assert_eq!(header.sop_instance_uid, "1.2.3.4");
    }
    let part10 = part10(EXPLICIT_LE, &plain(DataSet::default()).bytes);
    assert_eq!(read(&part10[132..]).unwrap().transfer_syntax.as_deref(), Some(EXPLICIT_LE));
    let short = DataSet::default().text(tags::SOP_CLASS_UID, "UI", "1.2").text(tags::SOP_INSTANCE_UID, "UI", "1.3");
    assert!(short.bytes.len() < 132);
    assert_eq!(read(&short.bytes).unwrap().sop_class_uid, "1.2");
}

#[test]
fn stops_at_the_pixel_data_and_says_so() {
    let file = part10(EXPLICIT_LE, &plain(DataSet::default()).pixels().bytes);
    let mut reader = HeaderReader::new(HeaderLimits::default());
    assert_eq!(reader.push(&file[..file.len() - 64]), Progress::Done);
    assert_eq!(reader.push(b"whatever"), Progress::Done);
    assert!(reader.finish().is_ok());
}

#[test]
fn what_is_not_dicom_is_known_early() {
    let zip = b"PK\x03\x04".repeat(50);
    let mut reader = HeaderReader::new(HeaderLimits::default());
    assert_eq!(reader.push(&zip), Progress::Done);
    assert_eq!(reader.finish(), Err(HeaderError::NotDicom));
    for other in [&b""[..], b"\0", b"hello", b"\x89PNG", &[0; 400], &[8; 400], &[8, 0, 0, 0, 1, 0, 0, 0, 1]] {
        assert_eq!(read(other), Err(HeaderError::NotDicom), "{other:?}");
    }
}

#[test]
fn tells_what_stands_in_the_preamble() {
    let mut file = part10(EXPLICIT_LE, &plain(DataSet::default()).bytes);
    file[..4].copy_from_slice(b"II*\0");
    assert_eq!(read(&file).unwrap().preamble, Preamble::Tiff);
    file[..4].copy_from_slice(b"MM\0*");
    assert_eq!(read(&file).unwrap().preamble, Preamble::Tiff);
    file[..4].copy_from_slice(b"MZ\0\0");
    assert_eq!(read(&file).unwrap().preamble, Preamble::Other);
}

#[test]
fn a_dicomdir_needs_no_more_than_its_meta_group() {
    let meta = DataSet::default()
        .text(tags::MEDIA_STORAGE_SOP_CLASS_UID, "UI", "1.2.840.10008.1.3.10")
        .text(tags::MEDIA_STORAGE_SOP_INSTANCE_UID, "UI", "1.2.3")
        .text(tags::TRANSFER_SYNTAX_UID, "UI", EXPLICIT_LE);
    let mut file = [vec![0; 128], b"DICM".to_vec(), meta.bytes].concat();
    file.extend([4, 0, 0x30, 0x11, 0xFF, 0xFF]);
    assert!(read(&file).unwrap().is_dicomdir());
}

#[test]
fn text_is_decoded_by_the_declared_character_set() {
    let set = DataSet::default().text(tags::SPECIFIC_CHARACTER_SET, "CS", "ISO_IR 100");
    let set = plain(set).raw(tags::STUDY_COMMENTS, "LT", b"J\xe9r\xf4me");
    assert_eq!(read(&part10(EXPLICIT_LE, &set.bytes)).unwrap().get(tags::STUDY_COMMENTS), Some("Jérôme"));
}

#[test]
fn radiopharmaceutical_items_of_ps3_3_c_8_9_2_are_taken() {
    let isotope =
        DataSet::default().text(Tag(8, 0x100), "SH", "C-111A1").text(tags::CODE_MEANING, "LO", "^18^Fluorine");
    let item = DataSet::default()
        .text(tags::RADIOPHARMACEUTICAL, "LO", "FDG")
        .text(tags::RADIONUCLIDE_TOTAL_DOSE, "DS", "370000000")
        .sequence(tags::RADIONUCLIDE_CODE_SEQUENCE, &[isotope]);
    let set = plain(DataSet::default()).sequence(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE, &[item]);
    let header = read(&part10(EXPLICIT_LE, &set.bytes)).unwrap();
    assert_eq!(header.get(tags::RADIOPHARMACEUTICAL), Some("FDG"));
    assert_eq!(header.get(tags::RADIONUCLIDE_TOTAL_DOSE), Some("370000000"));
    assert_eq!(header.get(tags::RADIONUCLIDE_CODE_SEQUENCE), Some("^18^Fluorine"));
}

#[test]
fn identifiers_are_required_and_checked() {
    let bad = |tag: Tag, uid: &str| read(&part10(EXPLICIT_LE, &DataSet::default().text(tag, "UI", uid).bytes));
    for (tag, uid) in [
        (tags::SOP_CLASS_UID, "../../etc"),
        (tags::SOP_INSTANCE_UID, "1..2"),
        (tags::STUDY_INSTANCE_UID, "x"),
        (tags::SERIES_INSTANCE_UID, &"1.".repeat(40)),
    ] {
        assert!(matches!(bad(tag, uid), Err(HeaderError::BadUid { tag: t, .. }) if t == tag), "{uid}");
    }
    // The meta group stands in for the data set.
    assert_eq!(bad(tags::MODALITY, "MR").unwrap().sop_instance_uid, "1.2.3.99");
    let bare = [vec![0; 128], b"DICM".to_vec(), DataSet::default().text(tags::MODALITY, "CS", "MR").bytes].concat();
    assert_eq!(read(&bare), Err(HeaderError::NoSopClass));
    let class = DataSet::default().text(tags::SOP_CLASS_UID, "UI", MR).bytes;
    assert_eq!(read(&[vec![0; 128], b"DICM".to_vec(), class].concat()), Err(HeaderError::NoSopInstance));
}

#[test]
fn the_first_of_two_equal_elements_stands() {
    let set = plain(DataSet::default()).text(tags::STUDY_INSTANCE_UID, "UI", "9.9");
    assert_eq!(read(&part10(EXPLICIT_LE, &set.bytes)).unwrap().study_instance_uid, "1.2.3");
}

#[test]
fn a_file_cut_anywhere_in_its_header_is_truncated() {
    for set in [enhanced(DataSet::default(), true), enhanced(DataSet::implicit(), false)] {
        let syntax = if set.implicit { IMPLICIT_LE } else { EXPLICIT_LE };
        let file = part10(syntax, &set.bytes);
        let mut complete = 0;
        for cut in 0..file.len() - 80 {
            match read(&file[..cut]) {
                Err(HeaderError::Truncated { length_bytes }) => assert_eq!(length_bytes, u64::try_from(cut).unwrap()),
                Err(HeaderError::NotDicom) => assert!(cut < 132, "{cut}"),
                Err(HeaderError::NoSopClass | HeaderError::NoSopInstance) => {}
                // Between two elements of the data set nothing shows that more should come; after the first
                // frame's functional groups nothing is wanted any more.
                Ok(header) => complete += usize::from(header.get(tags::EFFECTIVE_ECHO_TIME).is_none()),
                Err(other) => panic!("{cut}: {other}"),
            }
        }
        assert!(complete < 12, "{complete}");
    }
}

#[test]
fn a_deflated_data_set_cut_anywhere_is_refused() {
    let file = deflated(&plain(DataSet::default()).bytes);
    let meta = part10(DEFLATED, &[]).len();
    for cut in meta..file.len() {
        assert!(matches!(read(&file[..cut]), Err(HeaderError::Truncated { .. })), "{cut}");
    }
    assert!(read(&file).is_ok());
}

#[test]
fn lengths_that_lie_are_found_out() {
    let inner = DataSet::default().head(tags::SLICE_THICKNESS, "DS", 60000);
    let set = DataSet::default().sequence(
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        &[DataSet::default().sequence(tags::PIXEL_MEASURES_SEQUENCE, &[inner])],
    );
    assert!(matches!(read(&part10(EXPLICIT_LE, &set.bytes)), Err(HeaderError::Malformed { .. })));
    for length in [0xFFFF_FFFE, 0x7FFF_FFFF, 0x8000_0000] {
        for tag in [tags::PATIENT_COMMENTS, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, Tag(9, 0x1010)] {
            let set = plain(DataSet::default()).head(tag, "UN", length);
            assert!(matches!(read(&part10(EXPLICIT_LE, &set.bytes)), Err(HeaderError::Truncated { .. })));
        }
    }
    let set = plain(DataSet::implicit()).head(tags::STATION_NAME, "SH", u32::MAX).text(tags::ROWS, "US", "ab");
    assert!(matches!(read(&part10(IMPLICIT_LE, &set.bytes)), Err(HeaderError::Malformed { .. })));
}

#[test]
fn a_private_sequence_that_is_called_un_may_have_either_form() {
    // What comes behind is read only if the walk has come through.
    let item = |inside: DataSet| {
        let open = DataSet::default().head(Tag(9, 0x1010), "UN", u32::MAX).head(Tag(0xFFFE, 0xE000), "", u32::MAX);
        let close = DataSet::default().head(Tag(0xFFFE, 0xE00D), "", 0).head(Tag(0xFFFE, 0xE0DD), "", 0);
        [open.bytes, inside.bytes, close.bytes].concat()
    };
    let inside = |set: DataSet| {
        set.text(Tag(9, 0x1011), "LO", "ab").text(Tag(9, 0x1012), "SH", "").raw(Tag(9, 0x1013), "OB", &[7; 40])
    };
    for inside in [inside(DataSet::default()), inside(DataSet::implicit()), DataSet::default()] {
        let mut bytes = plain(DataSet::default()).bytes;
        bytes.extend(item(inside));
        bytes.extend(DataSet::default().text(tags::PROTOCOL_NAME, "LO", "behind").bytes);
        let header = read(&part10(EXPLICIT_LE, &bytes)).unwrap();
        assert_eq!(header.get(tags::PROTOCOL_NAME), Some("behind"));
    }
}

#[test]
fn sequences_may_not_be_nested_without_end() {
    let mut set = plain(DataSet::default());
    for _ in 0..10_000 {
        set = set.head(Tag(0x0040, 0xA730), "SQ", u32::MAX).head(Tag(0xFFFE, 0xE000), "", u32::MAX);
    }
    assert_eq!(read(&part10(EXPLICIT_LE, &set.bytes)), Err(HeaderError::TooDeep { max_depth: 32 }));
}

#[test]
fn the_header_may_not_go_on_without_end() {
    let limits = HeaderLimits { max_header_bytes: 10_000, ..HeaderLimits::default() };
    let mut set = plain(DataSet::default());
    for _ in 0..2_000 {
        set = set.raw(Tag(0x0029, 0x1010), "OB", b"");
    }
    let too_large = Err(HeaderError::TooLarge { max_header_bytes: 10_000 });
    assert_eq!(read_with(&part10(EXPLICIT_LE, &set.bytes), 512, limits), too_large);
    // A bomb: what is inflated counts, even if it is passed over.
    let bomb = plain(DataSet::default()).raw(Tag(0x0029, 0x1010), "OB", &[0; 1 << 20]);
    assert_eq!(read_with(&deflated(&bomb.bytes), 512, limits), too_large);
    // Long values that are passed over are no matter otherwise.
    assert!(read_with(&part10(EXPLICIT_LE, &bomb.bytes), 512, limits).is_ok());
}

#[test]
fn long_values_of_interest_are_passed_over() {
    let set = plain(DataSet::default()).text(tags::STUDY_COMMENTS, "UT", &"x".repeat(20_000)).pixels();
    assert_eq!(read_in(&part10(EXPLICIT_LE, &set.bytes), 100).unwrap().get(tags::STUDY_COMMENTS), None);
}

#[test]
fn icons_with_encapsulated_pixels_are_walked_through() {
    let icon = DataSet::default()
        .head(tags::PIXEL_DATA, "OB", u32::MAX)
        .raw(Tag(0xFFFE, 0xE000), "", b"")
        .raw(Tag(0xFFFE, 0xE000), "", b"\xFE\xFF\xDD\xE0\0\0\0\0")
        .head(Tag(0xFFFE, 0xE0DD), "", 0);
    let set = plain(DataSet::default()).open_sequence(Tag(0x0088, 0x0200), &[icon]);
    let set = set.text(tags::STUDY_COMMENTS, "LT", "after").pixels();
    assert_eq!(read(&part10(EXPLICIT_LE, &set.bytes)).unwrap().get(tags::STUDY_COMMENTS), Some("after"));
}

#[test]
fn noise_neither_panics_nor_depends_on_the_pieces() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let sets = [enhanced(DataSet::default(), true), enhanced(DataSet::implicit(), false)];
    let mut files: Vec<_> = sets.iter().map(|set| part10(EXPLICIT_LE, &set.bytes)).collect();
    files.push(deflated(&sets[0].bytes));
    files.push(sets[1].bytes.clone());
    for round in 0..20_000 {
        let mut file = files[round % files.len()].clone();
        for _ in 0..=random.below(4) {
            let at = random.below(file.len());
            file[at] = match random.below(4) {
                0 => 0xFF,
                1 => 0,
                2 => file[at] ^ (1 << random.below(8)),
                _ => random.next().to_le_bytes()[0],
            };
        }
        file.truncate(file.len() - random.below(8) * random.below(20));
        let whole = read(&file);
        let in_pieces = read_in(&file, 1 + random.below(40));
        // A broken deflate stream may yield more or less before the error shows.
        assert!(whole == in_pieces || round % files.len() == 2, "round {round}: {whole:?} {in_pieces:?}");
    }
}

#[test]
fn a_ct_slice_header_is_read_quickly() {
    let mut set = DataSet::default().identified(CT, "1.2.3.4", "1.2.3", "1.2.3.1", "CT");
    for entry in tags::INTERESTS.iter().filter(|entry| entry.tag > tags::SERIES_INSTANCE_UID) {
        set = set.text(entry.tag, "LO", "some value");
    }
    for element in 0..100 {
        set = set.text(Tag(0x0029, 0x1000 + element), "LO", "private value");
    }
    let file = part10(EXPLICIT_LE, &set.pixels().bytes);
    let start = std::time::Instant::now();
    for _ in 0..1000 {
        assert!(read(&file).is_ok());
    }
    let each = start.elapsed() / 1000;
    println!("{each:?} for a header of {} bytes", file.len());
    // Far above what it takes, so that a busy machine does not fail the test.
    assert!(each < std::time::Duration::from_millis(2));
}

/// Runs over the test files of pydicom, if `NARTHEX_PYDICOM_DIR` names a folder that has them (`pydicom/data` of the
/// wheel): every DICOM file is read, whole or in pieces, or refused for a reason of its own; and none that is cut or
/// damaged makes the reader panic.
#[test]
fn the_test_files_of_pydicom() {
    let Some(root) = std::env::var_os("NARTHEX_PYDICOM_DIR") else { return };
    // These have no SOP Class or SOP Instance UID.
    let refused = ["empty_charset_LEI.dcm", "meta_missing_tsyntax.dcm", "nested_priv_SQ.dcm", "no_meta.dcm"];
    let (mut folders, mut read_ok, mut random) = (vec![std::path::PathBuf::from(root)], 0, Random(3));
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = std::fs::read(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy();
            let whole = read(&file);
            assert_eq!(whole, read_in(&file, 1 + random.below(500)), "{name}");
            let is_dicom = file.get(128..132) == Some(b"DICM") || name.ends_with(".dcm");
            assert_eq!(whole.is_ok(), is_dicom && !refused.contains(&&*name), "{name}: {whole:?}");
            read_ok += usize::from(whole.is_ok());
            for _ in 0..50 {
                let mut damaged = file[..random.below(file.len().min(20_000))].to_vec();
                let _ = read(&damaged);
                if !damaged.is_empty() {
                    let at = random.below(damaged.len());
                    damaged[at] ^= 1 << random.below(8);
                    let _ = read_in(&damaged, 700);
                }
            }
        }
    }
    assert!(read_ok > 150, "{read_ok}");
}

#[test]
fn how_long_a_file_must_be_follows_from_its_pixel_data() {
    for (syntax, set) in
        [(EXPLICIT_LE, DataSet::default()), (IMPLICIT_LE, DataSet::implicit()), (EXPLICIT_BE, DataSet::big_endian())]
    {
        let file = part10(syntax, &plain(set.clone()).pixels().bytes);
        for piece in [1, 7, file.len()] {
            assert_eq!(read_in(&file, piece).unwrap().least_bytes, Some(file.len() as u64), "{syntax}");
        }
        let cut_off = &file[..file.len() - 10];
        assert_eq!(read(cut_off).unwrap().least_bytes, Some(file.len() as u64), "{syntax}");
        assert_eq!(read(&part10(syntax, &plain(set).bytes)).unwrap().least_bytes, None, "{syntax}");
    }
    let bare = plain(DataSet::default()).pixels().bytes;
    assert_eq!(read(&bare).unwrap().least_bytes, Some(bare.len() as u64));
    assert_eq!(read(&deflated(&bare)).unwrap().least_bytes, None);
}
