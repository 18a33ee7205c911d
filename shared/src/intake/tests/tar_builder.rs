//! Builds tars of which every byte can be a lie.

/// A header block and what follows it.
#[derive(Clone)]
pub struct Member {
    pub header: [u8; 512],
    /// Whether the checksum is made right at last.
    pub has_checksum: bool,
    pub data: Vec<u8>,
    pub is_padded: bool,
}

/// With the marks of ustar.
pub fn member(name: impl AsRef<[u8]>, flag: u8, data: &[u8]) -> Member {
    let mut header = [0; 512];
    for (at, field) in [(100, "0000644\0"), (108, "0001750\0"), (116, "0001750\0"), (136, "14600000000\0")] {
        header[at..at + field.len()].copy_from_slice(field.as_bytes());
    }
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[156] = flag;
    let member = Member { header, has_checksum: true, data: data.to_vec(), is_padded: true };
    let size = format!("{:011o}\0", data.len());
    member.set(0, name.as_ref()).set(124, size.as_bytes())
}

pub fn file(name: impl AsRef<[u8]>, data: &[u8]) -> Member {
    member(name, b'0', data)
}

pub fn folder(name: impl AsRef<[u8]>) -> Member {
    member(name, b'5', b"")
}

/// A PAX header with these records.
pub fn pax(records: &[(&str, &str)]) -> Member {
    raw_pax(b'x', &records.iter().map(|(key, value)| record(key, value)).collect::<String>().into_bytes())
}

pub fn raw_pax(flag: u8, records: &[u8]) -> Member {
    member("PaxHeaders/1", flag, records)
}

pub fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let len = (1..9).map(|digits| rest.len() + digits).find(|len| len.to_string().len() + rest.len() == *len);
    format!("{}{rest}", len.unwrap())
}

/// GNU's long name.
pub fn long_name(name: impl AsRef<[u8]>) -> Member {
    let mut data = name.as_ref().to_vec();
    data.push(0);
    member("././@LongLink", b'L', &data).gnu()
}

impl Member {
    pub fn set(mut self, at: usize, bytes: &[u8]) -> Self {
        self.header[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub fn gnu(self) -> Self {
        self.set(257, b"ustar  \0")
    }

    pub fn v7(self) -> Self {
        self.set(257, &[0; 8])
    }

    /// The size as the header has it, whatever the data are.
    pub fn size(self, field: &[u8; 12]) -> Self {
        self.set(124, field)
    }

    /// Size in base 256.
    pub fn wide_size(self, size: u64) -> Self {
        let mut field = [0; 12];
        field[0] = 0x80;
        field[4..].copy_from_slice(&size.to_be_bytes());
        self.size(&field)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut header = self.header;
        if self.has_checksum {
            header[148..156].fill(b' ');
            let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        let mut bytes = header.to_vec();
        bytes.extend(&self.data);
        if self.is_padded {
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        bytes
    }
}

/// Without the end.
pub fn members(members: &[Member]) -> Vec<u8> {
    members.iter().flat_map(Member::bytes).collect()
}

/// With the two empty blocks of its end.
pub fn tar(parts: &[Member]) -> Vec<u8> {
    let mut bytes = members(parts);
    bytes.extend([0; 1024]);
    bytes
}
