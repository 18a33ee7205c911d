//! What Python makes of files.

use std::io::Write;
use std::process::{Command, Stdio};

/// What a Python program writes when it reads these bytes.
///
/// # Panics
/// When there is no Python, or the program fails.
pub(super) fn python(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("python3");
    command.arg("-c").arg(program).args(arguments);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("python3 runs; without it leave these tests out with --without-real-files");
    // The programs read all before they write anything, so neither side waits for the other.
    child.stdin.take().expect("the input of Python").write_all(input).expect("Python reads what it is given");
    let output = child.wait_with_output().expect("the output of Python");
    assert!(output.status.success(), "Python failed: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A tar of one file, compressed by Python with `bz2` or `xz`.
pub(super) fn compressed_tar(compression: &str, name: &str, bytes: &[u8]) -> Vec<u8> {
    const PROGRAM: &str = "
import io, sys, tarfile
data = sys.stdin.buffer.read()
out = io.BytesIO()
with tarfile.open(fileobj=out, mode='w:' + sys.argv[1]) as tar:
    entry = tarfile.TarInfo(sys.argv[2])
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))
sys.stdout.buffer.write(out.getvalue())
";
    python(PROGRAM, &[compression, name], bytes)
}
