//! Bodies whose compression for the transport lies or explodes.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use narthex_tests::zip_study;

use super::tar::gzip;
use super::{ALL, Hostile, OF_ARCHIVES, study};

pub(super) fn kinds() -> Vec<Hostile> {
    let zip = zip_study(&study());
    let packed = gzip(&zip);
    let coded = |kind: &str, coding: &str, body: Vec<u8>| {
        Hostile::body(format!("coding: {kind}"), OF_ARCHIVES, body).header("Content-Encoding", coding)
    };
    vec![
        coded("gzip that is none", "gzip", zip.clone()),
        coded("gzip that is cut off", "gzip", packed[..packed.len() - 5].to_vec()),
        coded("gzip with garbage behind it", "gzip", [&packed[..], b"garbage"].concat()),
        coded("gzip of nothing", "gzip", gzip(b"")),
        coded("gzip twice", "gzip, gzip", gzip(&packed)),
        coded("br", "br", zip.clone()),
        coded("compress", "compress", zip.clone()),
        coded("a word that is none", "../../etc", zip),
        Hostile { handlers: ALL, ..coded("a gzip bomb of zeros", "gzip", bomb(&[0; 4096])) },
        coded("a gzip bomb that begins as a zip", "gzip", bomb(b"PK\x03\x04\x14\0\0\0\0\0\0\0\x21\x28")),
        Hostile { handlers: ALL, ..coded("a gzip bomb that begins as DICOM", "gzip", bomb(&dicom())) },
    ]
}

fn dicom() -> Vec<u8> {
    study().files().next().expect("a file").bytes
}

/// A beginning, and 1,200 MiB of zeros.
fn bomb(start: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    let written = encoder.write_all(start);
    let written = (0..1_200).fold(written, |written, _| written.and_then(|()| encoder.write_all(&zeros)));
    written.and_then(|()| encoder.finish()).expect("writing into memory")
}
