//! Compressed bodies that lie or explode.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use narthex_tests::zips::{Entry, raw};

use super::bombs::{bzip2_bomb, unhex, xz_bomb};
use super::dicom_bytes::{before_pixels, long_head};
use super::tar::gzip;
use super::tar_bytes::{file, tar};
use super::{ALL, DICOM_ZIP, GRADUAL, Hostile, OF_ARCHIVES, two_files};

/// More than a whole upload may inflate to for nothing.
const BOMB_MIB: usize = 1_200;

/// What bzip2(1) makes of nothing and of the byte `x`, in hexadecimal digits.
const BZIP2_OF_NOTHING: &str = "425a683917724538509000000000";
const BZIP2_OF_A_BYTE: &str = "425a6839314159265359774bb01400000000800040200021184682ee48a70a120ee9760280";

pub(super) fn sound() -> Vec<Hostile> {
    let (one, two) = two_files();
    let both = [gzip(&tar(&[file("a.dcm", &one)])[..600]), gzip(&tar(&[file("a.dcm", &one)])[600..])].concat();
    vec![
        Hostile::body("a file in gzip", OF_ARCHIVES, gzip(&two)),
        Hostile::body("a tar in two streams of gzip", OF_ARCHIVES, both),
        Hostile::body("a file with zeros behind it in xz", OF_ARCHIVES, xz_bomb(3)),
    ]
}

pub(super) fn kinds() -> Vec<Hostile> {
    let (one, _) = two_files();
    let tar = tar(&[file("good.dcm", &one)]);
    let gz = gzip(&tar);
    let mut wrong_crc = gz.clone();
    let crc = wrong_crc.len() - 8;
    wrong_crc[crc] ^= 1;
    let mut wrong_length = gz.clone();
    let length = wrong_length.len() - 4;
    wrong_length[length] ^= 1;
    let xz = xz_bomb(2);
    let mut bad_index = xz.clone();
    let index = bad_index.len() - 20;
    bad_index[index] ^= 1;
    let bz = bzip2_bomb();
    let mut bad_bzip2 = bz.clone();
    bad_bzip2[12] ^= 0x40;
    let many_streams = gzip(b"").repeat(6_000);
    let (nothing, byte) = (unhex(BZIP2_OF_NOTHING), unhex(BZIP2_OF_A_BYTE));
    let nearly_nothing = [nothing.repeat(4_000), byte.clone()].concat();
    let twenty = zip_of(20, "bz2", &nearly_nothing);
    let streams_in_all = |kind: &str, body: Vec<u8>| Hostile::body(kind, OF_ARCHIVES, body).names("streams");
    let thousand = |kind: &str, extension: &str, bytes: &[u8]| {
        Hostile::body(kind, OF_ARCHIVES, zip_of(1_000, extension, bytes))
            .within(Duration::from_secs(3), "what each archive inside holds is stored before it is looked at")
    };
    let with_others = |kind: &str, body: Vec<u8>| {
        Hostile::body(kind, &[DICOM_ZIP], body).query("Ignore-Unparsable=true&project=P1").names("streams")
    };
    let bomb = gzip_bomb();
    let in_gzip = gzip(&bomb);
    let of_a_body = |kind: &str, body: Vec<u8>| Hostile::body(kind, OF_ARCHIVES, body);
    vec![
        of_a_body("gzip: cut off in its header", gz[..5].to_vec()),
        of_a_body("gzip: cut off in its data", gz[..gz.len() / 2].to_vec()),
        of_a_body("gzip: cut off in its end", gz[..gz.len() - 3].to_vec()),
        of_a_body("gzip: a wrong checksum", wrong_crc),
        of_a_body("gzip: a wrong length", wrong_length),
        of_a_body("gzip: garbage behind its end", [&gz[..], b"garbage"].concat()),
        of_a_body("gzip: of nothing", gzip(b"")),
        of_a_body("gzip: of text", gzip(&b"nothing here ".repeat(100))),
        of_a_body("gzip: 6,000 empty streams", many_streams),
        of_a_body("gzip: in gzip, eight deep", (0..8).fold(gz.clone(), |inner, _| gzip(&inner))),
        of_a_body("gzip: for a handler of single objects", gz.clone()).for_single(),
        of_a_body("gzip bomb", bomb.clone()),
        of_a_body("gzip bomb in gzip", in_gzip.clone()),
        of_a_body("gzip bomb in gzip in gzip", gzip(&in_gzip)),
        of_a_body("gzip bomb in a zip", raw(&[Entry::stored("bomb.dcm.gz", &bomb)], None)),
        of_a_body("gzip bomb in a tar", tar_of("bomb.dcm.gz", &bomb)),
        of_a_body(
            "gzip bomb in a tar.gz in a zip",
            raw(&[Entry::stored("a.tar.gz", &gzip(&tar_of("b.gz", &bomb)))], None),
        ),
        of_a_body("bzip2: cut off", bz[..bz.len() / 2].to_vec()),
        of_a_body("bzip2: cut off in its header", bz[..4].to_vec()),
        of_a_body("bzip2: damaged", bad_bzip2),
        streams_in_all("bzip2: 5,000 empty streams", nothing.repeat(5_000)),
        of_a_body("bzip2: 2,000 streams of a byte", byte.repeat(2_000)),
        streams_in_all("bzip2: 4,001 streams in a zip", zip_of(1, "bz2", &nearly_nothing)),
        streams_in_all("bzip2: 20 times 4,001 streams in a zip", twenty.clone()),
        with_others("bzip2: 20 times 4,001 streams among others", twenty.clone()),
        streams_in_all("bzip2: 20 times 4,001 streams in a zip in gzip", gzip(&twenty)),
        thousand("bzip2: 1,000 times 3 streams of a byte in a zip", "bz2", &byte.repeat(3)).names("streams"),
        thousand("gzip: 1,000 times 3 streams of a byte in a zip", "gz", &gzip(b"x").repeat(3)).names("streams"),
        thousand("bzip2: 1,000 times 2 streams of a byte in a zip", "bz2", &byte.repeat(2)),
        thousand("gzip: 1,000 times a byte in a zip", "gz", &gzip(b"x")),
        of_a_body("bzip2 bomb", bz.clone()),
        of_a_body("bzip2 bomb in a zip", raw(&[Entry::stored("bomb.dcm.bz2", &bz)], None)),
        of_a_body("xz: cut off", xz[..xz.len() - 30].to_vec()),
        of_a_body("xz: cut off in its header", xz[..10].to_vec()),
        of_a_body("xz: a damaged index", bad_index),
        of_a_body("xz: garbage behind its end", [&xz[..], b"garbage!"].concat()),
        of_a_body("xz bomb", xz_bomb(BOMB_MIB)),
        of_a_body("xz bomb in a tar", tar_of("bomb.dcm.xz", &xz_bomb(BOMB_MIB))),
        Hostile::body(
            "zstd, which is not taken",
            ALL,
            b"\x28\xB5\x2F\xFD\x24\x05\x29\x00\x00hello\x00\x00\x00\x00".to_vec(),
        ),
        Hostile::body(
            "7z, which is not taken",
            ALL,
            b"7z\xBC\xAF\x27\x1C\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00".to_vec(),
        ),
        Hostile::body("rar, which is not taken", ALL, b"Rar!\x1A\x07\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00".to_vec()),
    ]
}

impl Hostile {
    fn for_single(self) -> Self {
        Self { handlers: &[GRADUAL], ..self }
    }
}

/// A zip of so many files that are the same.
fn zip_of(count: usize, extension: &str, bytes: &[u8]) -> Vec<u8> {
    let same = Entry::deflated("0", bytes);
    let entries: Vec<Entry> = (0..count).map(|number| same.renamed(&format!("{number}.{extension}"))).collect();
    raw(&entries, None)
}

fn tar_of(name: &str, bytes: &[u8]) -> Vec<u8> {
    tar(&[file(name, bytes)])
}

/// A file whose pixel data are zeros.
fn gzip_bomb() -> Vec<u8> {
    let length = u32::try_from(BOMB_MIB << 20).expect("less than 4 GiB");
    let head = [before_pixels("1.2.3.4"), long_head(0x7FE0, 0x0010, *b"OB", length)].concat();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    let written = encoder.write_all(&head);
    let written = (0..BOMB_MIB).fold(written, |written, _| written.and_then(|()| encoder.write_all(&zeros)));
    written.and_then(|()| encoder.finish()).expect("writing into memory")
}
