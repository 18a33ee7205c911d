//! CRC-32 (ISO 3309, as zip, gzip and xz have it) of long inputs without instructions made for it, which WebAssembly lacks.
//!
//! Tables of bytes, as `crc32fast` has them there, come to some 2.5 GB/s, for which every upload and download would pay. A
//! CRC is the remainder of a polynomial division, so whatever multiple of the divisor is added leaves it as it is. With
//! `P` the CRC's polynomial and a word of 64 bits,
//!
//! `x^(64*300) + x^(64*155) + x^(64*117) + x^(64*89) + 1 = 0 (mod P)`
//!
//! so a word may be taken out of the input if it is added to the words 145, 183, 211 and 300 places behind it. Done from the
//! front on, that leaves nothing but the last 300 words, whose CRC is that of the whole. It takes four XORs a word, and
//! compilers make vectors of them, as no word depends on one of the 144 before it. (zlib-ng's
//! "Chorba" rests on the same idea; this multiple was found by search, and the tests check it.)

/// How far behind a word the words are to which it is added.
const TAPS: [usize; 4] = [145, 183, 211, FAR];

/// The farthest of them.
const FAR: usize = 300;

/// Words that are worked out at once; none depends on another of them.
const BLOCK: usize = 144;

/// Words after which those that count are moved to the front.
const ROUND: usize = 4 * BLOCK;

/// Bytes of a word.
const WORD: usize = 8;

/// Bytes below which nothing is gained.
const LEAST: usize = 2 * FAR * WORD;

/// The CRC-32 of bytes that come in pieces.
#[derive(Debug, Clone, Default)]
pub struct Crc32(u32);

impl Crc32 {
    /// That of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        // Elsewhere `crc32fast` has instructions for it.
        self.0 = if cfg!(target_family = "wasm") && bytes.len() >= LEAST {
            sparse(self.0, bytes)
        } else {
            by_table(self.0, &[bytes])
        };
    }

    /// The CRC-32 of all bytes.
    pub fn finalize(self) -> u32 {
        self.0
    }
}

/// The CRC-32 of these bytes behind others whose CRC-32 is `before`.
fn by_table(before: u32, pieces: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(before);
    pieces.iter().for_each(|bytes| hasher.update(bytes));
    hasher.finalize()
}

/// Works out the words behind those that are known.
///
/// Counted by an index, as the iterators that do without come out as calls where they are compiled for WebAssembly.
#[inline]
fn add_taps(known: &[u64], new: &mut [u64], block: &[[u8; WORD]]) {
    let [one, two, three, four] = TAPS;
    let count = block.len().min(BLOCK).min(new.len());
    let from = |tap: usize| known.get(known.len().saturating_sub(tap)..)?.get(..count);
    let (Some(a), Some(b), Some(c), Some(d)) = (from(one), from(two), from(three), from(four)) else { return };
    let (new, block) = (&mut new[..count], &block[..count]);
    let mut at = 0;
    while at < count {
        new[at] = u64::from_le_bytes(block[at]) ^ a[at] ^ b[at] ^ c[at] ^ d[at];
        at += 1;
    }
}

/// The same, for [`LEAST`] bytes and more.
fn sparse(before: u32, bytes: &[u8]) -> u32 {
    let taken_out = (bytes.len() / WORD).saturating_sub(FAR);
    let (head, tail) = bytes.split_at(taken_out * WORD);
    let mut words = [0_u64; FAR + ROUND];
    // The CRC so far is added to the first bytes, as if there had been nothing before them.
    let mut first = u64::from(!before);
    for round in head.chunks(ROUND * WORD) {
        for (number, block) in round.chunks(BLOCK * WORD).enumerate() {
            let (known, new) = words.split_at_mut(FAR + number * BLOCK);
            add_taps(known, new, block.as_chunks::<WORD>().0);
            if let Some(new) = new.first_mut() {
                *new ^= std::mem::take(&mut first);
            }
        }
        let count = round.len() / WORD;
        words.copy_within(count..count + FAR, 0);
    }
    // The last words stay; to each those are added that were taken out that far before it.
    let (last, rest) = tail.split_at(FAR * WORD);
    let mut remainder = [0_u8; FAR * WORD];
    for (place, (out, bytes)) in
        remainder.as_chunks_mut::<WORD>().0.iter_mut().zip(last.as_chunks::<WORD>().0).enumerate()
    {
        let added = TAPS.iter().filter(|tap| **tap > place).filter_map(|tap| words.get(FAR + place - tap));
        *out = added.fold(u64::from_le_bytes(*bytes), |word, added| word ^ added).to_le_bytes();
    }
    // All ones for what came before leave the remainder as it is.
    by_table(u32::MAX, &[&remainder, rest])
}

#[cfg(test)]
mod tests {
    use super::{Crc32, LEAST, ROUND, WORD, by_table, sparse};

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn it_is_that_of_the_tables_for_every_length_and_start() {
        let round = ROUND * WORD;
        let bytes = noise(LEAST + 3 * round + 100);
        let about = |len: usize| len.saturating_sub(20)..len + 20;
        for len in (LEAST..LEAST + 50).chain(about(LEAST + round)).chain(about(LEAST + 3 * round)) {
            for (from, before) in [(0, 0), (0, u32::MAX), (7, 0x1234_5678)] {
                let piece = &bytes[from..from + len];
                assert_eq!(sparse(before, piece), by_table(before, &[piece]), "{len} {from} {before:08x}");
            }
        }
        for same in [0x00, 0x01, 0xFF] {
            let piece = vec![same; LEAST + 12_345];
            assert_eq!(sparse(0, &piece), by_table(0, &[&piece]), "{same}");
        }
    }

    #[test]
    fn pieces_of_any_length_come_to_the_same() {
        let bytes = noise(300_000);
        for piece in [1, 4_000, LEAST, 65_536, 299_999] {
            let mut whole = Crc32::new();
            let mut long = 0;
            for piece in bytes.chunks(piece) {
                whole.update(piece);
                long = if piece.len() >= LEAST { sparse(long, piece) } else { by_table(long, &[piece]) };
            }
            assert_eq!((whole.finalize(), long), (crc32fast::hash(&bytes), crc32fast::hash(&bytes)), "{piece}");
        }
        assert_eq!(Crc32::new().finalize(), crc32fast::hash(b""));
    }
}
