//! Whatever happens to a sound zip on the way: it is refused, or what is taken is what was sent. Never a panic.

use super::builder::{Part, deflated, folder, stored, zip, zip_with};
use super::harness::{Random, noise, take_in};
use crate::limits::Limits;

const CHUNKS: [Option<usize>; 3] = [Some(7), Some(usize::MAX), None];

fn sound() -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    let data = [noise(600, 1), noise(90, 2), b"short".to_vec()];
    let parts: Vec<Part> = vec![
        deflated("s/a.dcm", &data[0]),
        folder("s/"),
        deflated("s/b.dcm", &data[1]).described(true, false),
        stored("s/c.dcm", &data[2]),
    ];
    let odd: Vec<Part> = vec![
        deflated("a", &data[0]).described(false, true).both(|head| head.zip64 = true),
        stored("b", &data[1]).described(true, false),
        stored("c", &data[2]).gap(b"gap"),
    ];
    let contents = data.to_vec();
    vec![
        (zip(&parts), contents.clone()),
        (zip_with(&odd, |end| (end.zip64, end.comment) = (true, b"comment".to_vec())), contents),
    ]
}

/// Taken or refused; if taken, each file has the bytes that were sent.
fn never_wrong(body: &[u8], contents: &[Vec<u8>], chunk: Option<usize>) -> bool {
    let Ok((entries, _)) = take_in(body, chunk, Limits::default()) else { return false };
    for entry in &entries {
        assert_eq!(crc32fast::hash(&entry.result), entry.crc32);
        assert!(contents.contains(&entry.result), "wrong bytes for {}", entry.name);
    }
    true
}

#[test]
fn a_zip_cut_off_anywhere_is_refused() {
    for (body, contents) in sound() {
        for len in 0..body.len() {
            for chunk in CHUNKS {
                assert!(!never_wrong(&body[..len], &contents, chunk), "cut at {len} of {}", body.len());
            }
        }
        assert!(never_wrong(&body, &contents, Some(1)));
    }
}

#[test]
fn any_flipped_bit_is_refused_or_harmless() {
    for (body, contents) in sound() {
        for at in 0..body.len() {
            for bit in 0..8 {
                let mut damaged = body.clone();
                damaged[at] ^= 1 << bit;
                let verdicts = CHUNKS.map(|chunk| never_wrong(&damaged, &contents, chunk));
                // What a scanner saw must not change the verdict, other than that it may see more.
                assert_eq!(verdicts[0], verdicts[1], "byte {at} bit {bit}: {verdicts:?}");
                assert!(verdicts[2] || !verdicts[0], "byte {at} bit {bit}: {verdicts:?}");
            }
        }
    }
}

#[test]
fn random_damage_is_refused_or_harmless() {
    let mut random = Random(7);
    for (body, contents) in sound() {
        for _ in 0..4_000 {
            let mut damaged = body.clone();
            for _ in 0..=random.below(4) {
                let at = random.below(damaged.len());
                match random.below(4) {
                    0 => damaged[at] = random.next() as u8,
                    1 => damaged[at] = 0xff,
                    2 => drop(damaged.remove(at)),
                    _ => {
                        // Something from elsewhere in the zip, as a record would be.
                        let from = random.below(damaged.len());
                        let len = random.below(40).min(damaged.len() - from.max(at));
                        let copy = damaged[from..from + len].to_vec();
                        damaged[at..at + len].copy_from_slice(&copy);
                    }
                }
            }
            let chunk = CHUNKS[random.below(CHUNKS.len())];
            never_wrong(&damaged, &contents, chunk);
        }
    }
}

#[test]
fn random_bytes_that_begin_like_a_zip_are_refused() {
    let mut random = Random(8);
    for _ in 0..2_000 {
        let mut body = b"PK\x03\x04\x14\0\0\0\x08\0".to_vec();
        body.extend((0..random.below(200)).map(|_| random.next() as u8));
        assert!(take_in(&body, Some(5), Limits::default()).is_err());
    }
}
