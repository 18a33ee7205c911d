//! The records of a PAX extended header: `length key=value\n`, length in decimal digits and counting itself
//! (POSIX.1-2024, pax, "pax Extended Header").

use std::collections::BTreeSet;

use crate::intake::tar::HeaderProblem;

/// What the records say of names and bytes. Times, owners and attributes are left aside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) has_link_path: bool,
    /// Whether the file is sparse, in the way of GNU, star or Solaris.
    pub(super) is_sparse: bool,
}

impl Pax {
    /// Parses the whole of a header's data.
    ///
    /// # Errors
    /// [`HeaderProblem::Pax`] for whatever readers may disagree about, and [`HeaderProblem::PaxTwice`].
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, HeaderProblem> {
        let mut pax = Self::default();
        let mut keys = BTreeSet::new();
        while !bytes.is_empty() {
            let (record, rest) = split_record(bytes).ok_or(HeaderProblem::Pax)?;
            bytes = rest;
            let equals = record.iter().position(|&byte| byte == b'=').ok_or(HeaderProblem::Pax)?;
            let (key, value) = record.split_at_checked(equals).ok_or(HeaderProblem::Pax)?;
            let value = value.get(1..).unwrap_or_default();
            if !keys.insert(key) {
                return Err(HeaderProblem::PaxTwice);
            }
            pax.take(key, value)?;
        }
        Ok(pax)
    }

    /// Whether a global header may say this: that of all entries which follow.
    pub(super) fn may_be_global(&self) -> bool {
        *self == Self::default()
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), HeaderProblem> {
        match key {
            b"" => return Err(HeaderProblem::Pax),
            // An empty value takes back what a global header said, which may say nothing of the kind.
            b"path" | b"linkpath" if value.is_empty() => return Err(HeaderProblem::Pax),
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.has_link_path = true,
            b"size" => self.size = Some(decimal(value).ok_or(HeaderProblem::Pax)?),
            b"hdrcharset" if !matches!(value, b"ISO-IR 10646 2000 UTF-8" | b"BINARY") => {
                return Err(HeaderProblem::Pax);
            }
            b"SCHILY.realsize" | b"SUN.holesdata" => self.is_sparse = true,
            _ if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
            _ => {}
        }
        Ok(())
    }
}

/// The first record without its length and line feed, and what follows it.
fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|&byte| byte == b' ')?;
    let (digits, _) = bytes.split_at_checked(space)?;
    // Of "06" readers do not know whether it is six.
    let len = usize::try_from(decimal(digits).filter(|_| digits.first() != Some(&b'0'))?).ok()?;
    let (record, rest) = bytes.split_at_checked(len)?;
    let record = record.get(space.checked_add(1)?..)?.strip_suffix(b"\n")?;
    Some((record, rest))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0_u64, |value, &digit| {
        let digit = digit.checked_sub(b'0').filter(|&digit| digit < 10)?;
        value.checked_mul(10)?.checked_add(digit.into())
    });
    value.filter(|&value| i64::try_from(value).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        let pax = Pax::parse(b"12 path=a/b\n18 mtime=1.000000000\n".get(..12).unwrap()).unwrap();
        assert_eq!(pax.path.as_deref(), Some(&b"a/b"[..]));
        assert!(Pax::parse(b"").unwrap().may_be_global());
        let pax = Pax::parse(b"14 path=a=\nb\n\n10 size=7\n27 SCHILY.xattr.user.x=a\x00b\n").unwrap();
        assert_eq!((pax.path.as_deref(), pax.size), (Some(&b"a=\nb\n"[..]), Some(7)));
        assert!(Pax::parse(b"22 GNU.sparse.major=1\n").unwrap().is_sparse);
        assert!(Pax::parse(b"14 linkpath=x\n").unwrap().has_link_path);
    }

    #[test]
    fn malformed_records_are_refused() {
        for bytes in [
            &b"x"[..],
            b"12 path=a/b",
            b"11 path=a/b\n",
            b"13 path=a/b\n",
            b"012 path=a/b\n",
            b"+12 path=a/b\n",
            b"-1 path=a\n",
            b"0 ",
            b"1 ",
            b"2 \n",
            b"3 \n\n",
            b"7 path\n",
            b"5 =x\n",
            b"8 path=\n",
            b"8 size=\n",
            b"10 size=-\n",
            b"11 size=+1\n",
            b"28 size=9223372036854775808\n",
            b"12 path=a/b\n\0\0",
            b"12\tpath=a/b\n",
            b"99999999999999999999 path=a\n",
            b"18446744073709551615 path=a\n",
            b"22 hdrcharset=EBCDIC\n",
        ] {
            assert_eq!(Pax::parse(bytes), Err(HeaderProblem::Pax), "{bytes:?}");
        }
        assert_eq!(Pax::parse(b"9 uid=12\n9 uid=13\n"), Err(HeaderProblem::PaxTwice));
    }
}
