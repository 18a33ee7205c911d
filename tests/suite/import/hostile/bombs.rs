//! Bombs of bzip2 and xz: a DICOM file whose pixel data are zeros without end.

use super::dicom_bytes::{before_pixels, long_head, number};

/// What bzip2(1) made of the head of a DICOM file and 1,200 MiB of zeros, in hexadecimal digits.
const BZIP2_BOMB: &str = "\
    425a68393141592653592cf01af5000001ff81fc43455040017ee01c2e8e0440000004c00000083000b80c64d32064d0c83234c08c31934c\
    81934320c8d3023044a26a6a0683d1a81a687b547a9e9293d7a202a8aa89cea7eda808aa2aa25a022a8aa89481edcaa79d6bc4c379840f2e\
    26bc3c31cb8659eeb67e39efa7c444551551349dd0fc85e1708ed29086b4fad0ecb9c8d1805821810b9561b9ab61b8752c44c5835626a76d\
    b6d976ca9b5998d14e9041545544ff3141592653590e09e2df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2\
    df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d4642a025a90a809731\
    41592653590e09e2df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d46\
    42a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c000\
    0008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2\
    df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d4642a025a90a809731\
    41592653590e09e2df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d46\
    42a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c000\
    0008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2\
    df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d4642a025a90a809731\
    41592653590e09e2df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d46\
    42a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c000\
    0008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2\
    df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d4642a025a90a809731\
    41592653590e09e2df015f8e4000c0000008200030804d4642a025a90a80973141592653590e09e2df015f8e4000c0000008200030804d46\
    42a025a90a8097314159265359fb664ea50091b44400c00000800008200030cc0529a6129423622528478bb9229c284878efa40a80\
    ";

/// A block of xz without a check that holds a MiB of zeros.
const XZ_ZEROS: &str = "\
    020021011c00000010cf58ccefffff00d95d00006ffdffffa3b7ff473e481572396151b89228e6a38607f9eee41e82d32fc53a3c014bb17e\
    c98a8a4d2fa30dd97fa6e38c231153e05918c5758ae277f8b6947f0c6ac0de744964e2e95c53b204d8f7440cab5f0d6d46e9e5c37688b796\
    57acb64de1691d6ffb4b88106c42cb883f5c008fd04eaf262894711f3d8f24e1709ea7235fec28cb85d195988a7e2a91f22775f719c00698\
    4d98fdd8afd5900fc42553f8f591363105a5b0ee6fc1704d470cd19111aaad601dbaceb127185c5986e9665258bee976ac59e4e55b0508f9\
    c7daadfcfb522af7e495250000000000\
    ";

/// Bytes of that block without its padding (The .xz File Format 1.2.1, section 4.3).
const XZ_ZEROS_UNPADDED_BYTES: u64 = 237;

/// What [`XZ_ZEROS`] holds, in bytes.
const XZ_ZEROS_BYTES: u64 = 1 << 20;

/// The head of a block with nothing but LZMA2 and a dictionary of 1 MiB.
const XZ_BLOCK_HEAD: [u8; 8] = [0x02, 0x00, 0x21, 0x01, 0x10, 0x00, 0x00, 0x00];

/// A bomb of 1,200 MiB in a KiB.
pub(super) fn bzip2_bomb() -> Vec<u8> {
    unhex(BZIP2_BOMB)
}

/// The same as xz, of so many MiB.
pub(super) fn xz_bomb(mebibytes: usize) -> Vec<u8> {
    let file = [before_pixels("1.2.3.7"), long_head(0x7FE0, 0x0010, *b"OB", number(mebibytes << 20))].concat();
    let zeros = unhex(XZ_ZEROS);
    // The head of the file is one chunk of LZMA2 that is not compressed.
    let chunk = [&[1][..], &u16::try_from(file.len() - 1).expect("a short head").to_be_bytes(), &file, &[0]].concat();
    let mut first = with_crc(&XZ_BLOCK_HEAD);
    first.extend(chunk);
    let unpadded = first.len() as u64;
    first.resize(first.len().next_multiple_of(4), 0);

    let mut index = vec![0];
    index.extend(variable(mebibytes as u64 + 1));
    index.extend([variable(unpadded), variable(file.len() as u64)].concat());
    for _ in 0..mebibytes {
        index.extend([variable(XZ_ZEROS_UNPADDED_BYTES), variable(XZ_ZEROS_BYTES)].concat());
    }
    index.resize(index.len().next_multiple_of(4), 0);
    let index = with_crc(&index);

    let backward = number(index.len() / 4 - 1).to_le_bytes();
    let footer = [&backward[..], &[0, 0]].concat();
    let mut stream = b"\xFD7zXZ\0\0\0".to_vec();
    stream.extend(crc32fast::hash(&[0, 0]).to_le_bytes());
    stream.extend(first);
    for _ in 0..mebibytes {
        stream.extend(&zeros);
    }
    stream.extend(index);
    stream.extend(crc32fast::hash(&footer).to_le_bytes());
    stream.extend(footer);
    stream.extend(b"YZ");
    stream
}

fn with_crc(bytes: &[u8]) -> Vec<u8> {
    [bytes, &crc32fast::hash(bytes).to_le_bytes()].concat()
}

/// A number as xz has it (section 1.2).
fn variable(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(0x80 | (number & 0x7F) as u8);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

pub(super) fn unhex(digits: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("digits");
    digits.as_bytes().chunks(2).map(byte).collect()
}
