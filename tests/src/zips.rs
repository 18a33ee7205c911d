//! Zips written byte by byte, so that they can lie.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// The mode of a symbolic link, as zips made on Unix carry it.
const SYMLINK: u32 = 0o120_777 << 16;

/// The mode of an ordinary file.
const FILE: u32 = 0o100_644 << 16;

/// An entry, and in what its headers differ from the truth.
#[derive(Debug, Clone)]
pub struct Entry {
    name: Vec<u8>,
    local_name: Option<Vec<u8>>,
    stored: Vec<u8>,
    method: u16,
    flags: u16,
    crc: u32,
    length: u32,
    attributes: u32,
    offset: Option<u32>,
    extra: Vec<u8>,
}

impl Entry {
    /// A file as it is.
    pub fn stored(name: &str, bytes: &[u8]) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            local_name: None,
            stored: bytes.to_vec(),
            method: 0,
            flags: 0x0800,
            crc: crc32fast::hash(bytes),
            length: number(bytes.len()),
            attributes: FILE,
            offset: None,
            extra: Vec::new(),
        }
    }

    /// A deflated file.
    pub fn deflated(name: &str, bytes: &[u8]) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        let stored = encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing into memory");
        Self { stored, method: 8, ..Self::stored(name, bytes) }
    }

    /// The same under another name.
    pub fn renamed(&self, name: &str) -> Self {
        Self { name: name.as_bytes().to_vec(), ..self.clone() }
    }

    /// The same, only named by the table of contents, which says that it begins at this byte of the zip.
    pub fn at(self, offset: u32) -> Self {
        Self { offset: Some(offset), ..self }
    }

    /// The same with a field that gives it another name for those who know such fields (APPNOTE 4.6.9).
    fn also_named(self, name: &str) -> Self {
        let field = [&[1][..], &crc32fast::hash(&self.name).to_le_bytes(), name.as_bytes()].concat();
        Self { extra: [b"up", &short(field.len())[..], &field].concat(), ..self }
    }

    fn local(&self) -> Vec<u8> {
        let mut out = b"PK\x03\x04\x14\x00".to_vec();
        self.common(&mut out);
        let name = self.local_name.as_ref().unwrap_or(&self.name);
        out.extend(short(name.len()));
        out.extend(short(self.extra.len()));
        out.extend(name);
        out.extend(&self.extra);
        out.extend(&self.stored);
        out
    }

    fn central(&self, offset: u32) -> Vec<u8> {
        let mut out = b"PK\x01\x02\x14\x03\x14\x00".to_vec();
        self.common(&mut out);
        out.extend(short(self.name.len()));
        out.extend(short(self.extra.len()));
        out.extend([0; 6]);
        out.extend(self.attributes.to_le_bytes());
        out.extend(self.offset.unwrap_or(offset).to_le_bytes());
        out.extend(&self.name);
        out.extend(&self.extra);
        out
    }

    /// Flags, method, time, checksum and lengths, which both headers have.
    fn common(&self, out: &mut Vec<u8>) {
        out.extend(self.flags.to_le_bytes());
        out.extend(self.method.to_le_bytes());
        out.extend([0, 0, 0x21, 0x28]);
        out.extend(self.crc.to_le_bytes());
        out.extend(number(self.stored.len()).to_le_bytes());
        out.extend(self.length.to_le_bytes());
    }
}

/// A zip of entries, its table of contents claiming `listed` of them (the truth when `None`).
pub fn raw(entries: &[Entry], listed: Option<usize>) -> Vec<u8> {
    let mut zip = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        directory.extend(entry.central(number(zip.len())));
        // An entry with an offset of its own lies inside another one: only the table of contents names it.
        if entry.offset.is_none() {
            zip.extend(entry.local());
        }
    }
    let start = number(zip.len());
    let listed = short(listed.unwrap_or(entries.len()));
    let directory_length = number(directory.len());
    zip.extend(directory);
    zip.extend(b"PK\x05\x06\x00\x00\x00\x00");
    zip.extend(listed);
    zip.extend(listed);
    zip.extend(directory_length.to_le_bytes());
    zip.extend(start.to_le_bytes());
    zip.extend([0, 0]);
    zip
}

/// A zip that must be refused.
pub struct Hostile {
    /// What is wrong with it.
    pub kind: &'static str,
    /// The zip.
    pub zip: Vec<u8>,
    /// A word that the refusal must hold: the name of the entry, where one is at fault.
    pub names: &'static str,
}

/// Zips that must be refused, each for one reason: the two files they hold would be taken otherwise.
pub fn hostile(one: &[u8], two: &[u8]) -> Vec<Hostile> {
    const BAD: &str = "bad.dcm";
    let good = Entry::deflated("good.dcm", one);
    let bad = Entry::deflated(BAD, two);
    let with = |kind: &'static str, names: &'static str, bad: Entry| {
        let zip = raw(&[good.clone(), bad], None);
        Hostile { kind, zip, names }
    };
    let named = |kind, name: &'static str, shown| with(kind, shown, Entry::deflated(name, two));
    let whole = raw(&[good.clone(), bad.clone()], None);
    let mut damaged = bad.clone();
    let middle = damaged.stored.len() / 2;
    damaged.stored[middle..middle + 8].fill(0xFF);

    let mut list = vec![
        named("an absolute path", "/bad.dcm", BAD),
        named("a parent path", "../bad.dcm", BAD),
        named("a parent path in the middle", "a/../../bad.dcm", BAD),
        named("a parent path with backslashes", "..\\bad.dcm", BAD),
        named("a drive letter", "C:\\bad.dcm", BAD),
        named("a zero byte in a name", "bad\0.dcm", "bad"),
        with("a symbolic link", BAD, Entry { attributes: SYMLINK, ..Entry::stored(BAD, b"/etc/passwd") }),
        with("an encrypted entry", BAD, Entry { flags: bad.flags | 1, ..bad.clone() }),
        with("an unknown method", BAD, Entry { method: 97, ..bad.clone() }),
        with("a wrong checksum", BAD, Entry { crc: bad.crc ^ 1, ..bad.clone() }),
        with("a length that is too short", BAD, Entry { length: bad.length - 2, ..bad.clone() }),
        with("a length that is too long", BAD, Entry { length: bad.length + 2, ..bad.clone() }),
        with("damaged data", BAD, damaged),
        with("two names for one entry", BAD, Entry { local_name: Some(b"oth.dcm".to_vec()), ..bad.clone() }),
        with("another name in the extra fields", BAD, bad.clone().also_named("../other.dcm")),
        with("the same name twice", "good.dcm", Entry { name: b"good.dcm".to_vec(), ..bad.clone() }),
        with("a place outside of the zip", BAD, Entry { offset: Some(0x7FFF_0000), ..bad.clone() }),
        named("a file that is also a folder", "good.dcm/bad.dcm", "good.dcm"),
        overlapping(one, two),
    ];
    let unnamed = |kind: &'static str, zip: Vec<u8>| Hostile { kind, zip, names: "zip" };
    list.push(unnamed("cut off at the end", whole[..whole.len() - 30].to_vec()));
    list.push(unnamed("cut off in the middle", whole[..whole.len() / 2].to_vec()));
    list.push(unnamed("bytes after the end", [&whole[..], &[0; 100]].concat()));
    list.push(unnamed("fewer entries than announced", raw(&[good.clone(), bad.clone()], Some(3))));
    list.push(unnamed("more entries than announced", raw(&[good, bad], Some(1))));
    list
}

/// An entry that lies inside the data of another one.
fn overlapping(one: &[u8], two: &[u8]) -> Hostile {
    let inner = Entry::deflated("bad.dcm", two);
    let outer = Entry::stored("good.dcm", &[one, &inner.local()].concat());
    // Behind the local header of the outer entry and the bytes of its own file.
    let offset = number(30 + "good.dcm".len() + one.len());
    let inner = Entry { offset: Some(offset), ..inner };
    Hostile { kind: "an entry inside another", zip: raw(&[outer, inner], None), names: ".dcm" }
}

fn number(length: usize) -> u32 {
    u32::try_from(length).expect("test zips are small")
}

fn short(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("test zips are small").to_le_bytes()
}
