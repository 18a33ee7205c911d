//! Takes a tar in, in pieces of every kind of size, and reads everything back.

use super::harness::{Collect, KeepAll, Taken, assert_entries, memory};
use crate::intake::{IntakeError, Summary, TarScanner};
use crate::limits::Limits;

pub const CHUNKS: [usize; 6] = [1, 7, 511, 512, 513, 64 << 10];

pub fn take_tar(body: &[u8], chunk: usize, limits: Limits) -> Result<Taken, IntakeError> {
    let mut scanner = TarScanner::new(limits, KeepAll);
    for chunk in body.chunks(chunk) {
        scanner.push(chunk)?;
    }
    assert_eq!(scanner.received_bytes(), body.len() as u64);
    let mut collect = Collect(Vec::new());
    let summary = scanner.finish(&mut collect)?;
    Ok((collect.0, summary))
}

/// In pieces of any size the tar gives these files, in this order, to the sinks and when read back.
#[track_caller]
pub fn accepts_tar(body: &[u8], files: &[(&str, &[u8])]) -> Summary {
    let mut first = None;
    for chunk in CHUNKS {
        let (entries, summary) =
            take_tar(body, chunk, Limits::default()).unwrap_or_else(|error| panic!("{chunk}: {error}"));
        assert_entries(&entries, files, &memory(body, 1000), chunk);
        assert_eq!(*first.get_or_insert(summary), summary, "{chunk}");
    }
    first.unwrap()
}

/// In pieces of any size the tar is refused with this code.
#[track_caller]
pub fn refuses_tar(body: &[u8], code: &str) -> String {
    let mut message = String::new();
    for chunk in CHUNKS {
        match take_tar(body, chunk, Limits::default()) {
            Ok(_) => panic!("{chunk}: accepted, but should be {code}"),
            Err(error) => {
                assert_eq!(error.code(), code, "{chunk}: {error}");
                assert!(error.is_client_fault());
                message = error.to_string();
            }
        }
    }
    message
}
