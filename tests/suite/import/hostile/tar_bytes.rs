//! Tars written block by block, so that they can lie.

/// A header block and what follows it.
#[derive(Clone)]
pub(super) struct Member {
    header: [u8; 512],
    data: Vec<u8>,
}

/// An entry with the marks of ustar (POSIX.1-2017, pax, "ustar Interchange Format").
pub(super) fn member(name: &str, flag: u8, data: &[u8]) -> Member {
    let member = Member { header: [0; 512], data: data.to_vec() };
    let fields =
        [(0, name), (100, "0000644\0"), (108, "0001750\0"), (116, "0001750\0"), (136, "14600000000\0"), (257, "ustar")];
    let member = fields.into_iter().fold(member, |member, (at, text)| member.set(at, text.as_bytes()));
    let size = format!("{:011o}\0", data.len());
    member.set(156, &[flag]).set(263, b"00").set(124, size.as_bytes())
}

pub(super) fn file(name: &str, data: &[u8]) -> Member {
    member(name, b'0', data)
}

/// A PAX header with these records: for the next entry (`x`), or for all that follow (`g`).
pub(super) fn pax(flag: u8, records: &[(&str, &str)]) -> Member {
    let text: String = records.iter().map(|(key, value)| record(key, value)).collect();
    member("PaxHeaders/1", flag, text.as_bytes())
}

fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let length =
        (1..9).map(|digits| rest.len() + digits).find(|length| length.to_string().len() + rest.len() == *length);
    format!("{}{rest}", length.expect("a short record"))
}

impl Member {
    /// The same with other bytes in its header.
    pub(super) fn set(mut self, at: usize, bytes: &[u8]) -> Self {
        self.header[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// The same with a size in base 256, whatever its data are.
    pub(super) fn wide_size(self, size: u64) -> Self {
        self.set(124, &[0x80, 0, 0, 0]).set(128, &size.to_be_bytes())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.header.to_vec();
        bytes[148..156].fill(b' ');
        let sum: u32 = bytes.iter().map(|&byte| u32::from(byte)).sum();
        bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(&self.data);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }
}

/// The blocks without the two empty ones of the end.
pub(super) fn members(members: &[Member]) -> Vec<u8> {
    members.iter().flat_map(Member::bytes).collect()
}

/// A whole tar.
pub(super) fn tar(parts: &[Member]) -> Vec<u8> {
    [members(parts), vec![0; 1024]].concat()
}
