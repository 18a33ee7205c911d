//! Tars and compressed data that other programs write. Where a program is not installed, its test says so and passes.

use super::harness::noise;
use super::real::run;
use super::tar_harness::accepts_tar;
use crate::intake::decode::{Compression, Decoder};
use crate::limits::Limits;

fn decode(format: Compression, body: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(format, &Limits::default());
    let mut all = Vec::new();
    for mut input in body.chunks(1_000) {
        loop {
            match decoder.step(&mut input).unwrap() {
                [] => break,
                piece => all.extend_from_slice(piece),
            }
        }
    }
    decoder.finish().unwrap();
    all
}

#[test]
fn data_of_gzip_bzip2_and_xz_are_decoded() {
    let data = noise(1_500_000, 1);
    for (format, program, arguments) in [
        (Compression::Gzip, "gzip", &["-c"][..]),
        (Compression::Bzip2, "bzip2", &["-c"]),
        (Compression::Xz, "xz", &["-c", "-0"]),
        (Compression::Xz, "xz", &["-c", "-T2", "--block-size=300000", "-1"]),
        (Compression::Xz, "xz", &["-c", "--lzma2=dict=4KiB,lc=0,lp=4,pb=4", "-C", "sha256"]),
    ] {
        if let Some(body) = run(program, arguments, &data) {
            assert!(decode(format, &body) == data, "{program} {arguments:?}");
        }
    }
}

#[test]
fn tars_of_gnu_tar_are_taken() {
    let folder = std::env::temp_dir().join(format!("narthex-tar-{}", std::process::id()));
    let long = ["deep"; 60].join("/");
    let files = [("a", noise(10_000, 1)), ("b é", Vec::new()), (&long, noise(513, 2))];
    for (name, bytes) in &files {
        let path = folder.join("s").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let root = folder.to_str().unwrap();
    let arguments = |format, what| ["-C", root, "--sort=name", format, "-cf", "-", what];
    for format in ["--format=gnu", "--format=posix", "--format=ustar", "--format=v7"] {
        // The oldest formats have no room for the long name.
        let is_old = format.ends_with("ustar") || format.ends_with("v7");
        for what in ["s", "."] {
            let mut arguments = arguments(format, what).to_vec();
            if is_old {
                arguments.insert(0, "--exclude=deep");
            }
            let Some(body) = run("tar", &arguments, b"") else { continue };
            let mut wanted: Vec<(String, &[u8])> =
                files.iter().map(|(name, bytes)| (format!("s/{name}"), &bytes[..])).collect();
            wanted.truncate(if is_old { 2 } else { 3 });
            let wanted: Vec<(&str, &[u8])> = wanted.iter().map(|(name, bytes)| (&name[..], *bytes)).collect();
            accepts_tar(&body, &wanted);
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn tars_of_python_are_taken() {
    let data = noise(3_000, 1);
    let long = ["deep"; 40].join("/");
    for format in ["USTAR", "GNU", "PAX"] {
        let script = format!(
            "import io, sys, tarfile
data = sys.stdin.buffer.read()
with tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.{format}_FORMAT) as t:
    for name, part in (('s/é.dcm', data), ('{long}', data[:512]), ('empty', b'')):
        i = tarfile.TarInfo(name)
        i.size, i.mtime = len(part), 1.5
        t.addfile(i, io.BytesIO(part))"
        );
        if let Some(body) = run("python3", &["-c", &script], &data) {
            accepts_tar(&body, &[("s/é.dcm", &data), (&long, &data[..512]), ("empty", b"")]);
        }
    }
}
