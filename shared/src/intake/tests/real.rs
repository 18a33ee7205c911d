//! Zips that other programs write. Where a program is not installed, its test says so and passes.

use std::io::Write;
use std::process::{Command, Stdio};

use super::harness::{accepts, noise};

/// Runs a program; `None` if it cannot be started.
pub fn run(program: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    let piped = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = piped.spawn() else {
        eprintln!("{program} is not installed: not tested");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}");
        Some(output.stdout)
    })
}

/// `length name` of each file as Python's `zipfile` sees them, after its `testzip`.
pub fn python_reads(body: &[u8]) -> Option<String> {
    const SCRIPT: &str = "import io, sys, zipfile
z = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))
assert z.testzip() is None
sys.stdout.reconfigure(encoding='utf-8')
for i in z.infolist(): print(i.file_size, i.filename)";
    run("python3", &["-c", SCRIPT], body).map(|listed| String::from_utf8(listed).unwrap())
}

#[test]
fn zips_of_python_are_taken() {
    let data = noise(100_000, 5);
    // To a file that can seek and to a stream that cannot, stored and deflated, with and without zip64.
    for (seekable, method, zip64, reread) in [
        (true, "ZIP_DEFLATED", false, 0),
        (true, "ZIP_STORED", false, 0),
        (true, "ZIP_DEFLATED", true, 0),
        (false, "ZIP_DEFLATED", false, 0),
        (false, "ZIP_DEFLATED", true, 0),
        (false, "ZIP_STORED", false, 3),
        (false, "ZIP_STORED", true, 3),
    ] {
        let (seekable, zip64) = (if seekable { "True" } else { "False" }, if zip64 { "True" } else { "False" });
        let script = format!(
            "import io, sys, zipfile
data = sys.stdin.buffer.read()
class Stream(io.RawIOBase):
    def writable(self): return True
    def write(self, b): sys.stdout.buffer.write(b); return len(b)
out = io.BytesIO() if {seekable} else Stream()
with zipfile.ZipFile(out, 'w', zipfile.{method}) as z:
    for name, part in (('s/é.dcm', data), ('b.dcm', data[:5000]), ('empty', b'')):
        with z.open(name, 'w', force_zip64={zip64}) as f: f.write(part)
    z.comment = b'a comment'
if {seekable}: sys.stdout.buffer.write(out.getvalue())
sys.stdout.flush()"
        );
        let Some(body) = run("python3", &["-c", &script], &data) else { return };
        let summary = accepts(&body, &[("s/é.dcm", &data), ("b.dcm", &data[..5000]), ("empty", b"")]);
        assert_eq!(summary.reread, reread, "{seekable} {method} {zip64}");
    }
}

#[test]
fn zips_of_info_zip_are_taken() {
    let folder = std::env::temp_dir().join(format!("narthex-intake-{}", std::process::id()));
    let (a, b) = (noise(100_000, 6), noise(20, 7));
    std::fs::create_dir_all(folder.join("s/1")).unwrap();
    std::fs::write(folder.join("s/1/a.dcm"), &a).unwrap();
    std::fs::write(folder.join("s/b.dcm"), &b).unwrap();
    std::fs::write(folder.join("s/c.dcm"), b"").unwrap();
    let files: [(&str, &[u8]); 3] = [("s/1/a.dcm", &a), ("s/b.dcm", &b), ("s/c.dcm", b"")];
    for options in ["-q", "-q0", "-q9D", "-qfd"] {
        // (Not -fz: Info-ZIP 3.0 then saturates the end record without writing the zip64 one.)
        // Given an order, and written into a pipe: with data descriptors where the program cannot seek.
        let script = format!("cd '{}' && zip -X {options} - s s/1 s/1/a.dcm s/b.dcm s/c.dcm | cat", folder.display());
        match run("sh", &["-c", &format!("command -v zip >/dev/null || exit 0; {script}")], b"") {
            Some(body) if !body.is_empty() => _ = accepts(&body, &files),
            _ => eprintln!("zip is not installed: not tested"),
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}
