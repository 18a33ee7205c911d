//! What a header means, together with the records and long names before it.

use crate::intake::error::IntakeError;
use crate::intake::name::{EntryName, NameError, ShownName};
use crate::intake::tar::HeaderProblem;
use crate::intake::tar::header::{Header, Kind};
use crate::intake::tar::pax::Pax;
use crate::limits::Limits;

/// What was announced for the next entry.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) pax: Option<Pax>,
    pub(super) long_name: Option<Vec<u8>>,
    pub(super) has_long_link: bool,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.pax.is_none() && self.long_name.is_none() && !self.has_long_link
    }

    /// Whether records or a name of this kind may come now: none twice, not both kinds of them, and nothing between
    /// them and their entry.
    pub(super) fn expect(&self, kind: Kind) -> Result<(), HeaderProblem> {
        let allowed = match kind {
            Kind::LongName => self.pax.is_none() && self.long_name.is_none(),
            Kind::LongLink => self.pax.is_none() && !self.has_long_link,
            _ => self.is_empty(),
        };
        if allowed { Ok(()) } else { Err(HeaderProblem::TwoNames) }
    }
}

/// What comes next.
pub(super) enum Next {
    /// The folder that all names are in, which has no name of its own.
    Root,
    Folder(EntryName),
    File {
        name: EntryName,
        size: u64,
    },
}

/// A long name as GNU tar writes it, with the NUL at its end.
pub(super) fn without_end(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}

/// Decides what entry a header stands for.
pub(super) fn next(header: Header, pending: Pending, header_offset: u64, limits: &Limits) -> Result<Next, IntakeError> {
    let Pending { pax, long_name, .. } = pending;
    let Pax { path, size: pax_bytes, is_sparse, .. } = pax.unwrap_or_default();
    let raw = path.or(long_name).unwrap_or(header.name);
    let shown = || ShownName::from_raw(&raw);
    let may_be_folder = match header.kind {
        Kind::File { .. } if is_sparse => return Err(IntakeError::SparseFile { entry: shown() }),
        Kind::File { may_be_folder } => may_be_folder,
        Kind::Folder => true,
        Kind::HardLink => return Err(IntakeError::HardLink { entry: shown() }),
        Kind::Symlink => return Err(IntakeError::Symlink { entry: shown() }),
        Kind::Special => return Err(IntakeError::SpecialFile { entry: shown() }),
        Kind::Sparse => return Err(IntakeError::SparseFile { entry: shown() }),
        Kind::Continued => return Err(IntakeError::MultiVolume { entry: shown() }),
        Kind::Other(flag) => {
            return Err(IntakeError::TarType { entry: shown(), flag: std::ascii::escape_default(flag) });
        }
        Kind::VolumeLabel | Kind::Pax | Kind::GlobalPax | Kind::LongName | Kind::LongLink => {
            return Err(IntakeError::TarHeader { offset: header_offset, problem: HeaderProblem::TwoNames });
        }
    };
    let bad_name = |problem| IntakeError::Name { entry: shown(), problem };
    let text = std::str::from_utf8(&raw).map_err(|_| bad_name(NameError::NotUtf8))?;
    let is_folder = header.kind == Kind::Folder || (may_be_folder && text.ends_with('/'));
    // PAX's size is the one that counts. Readers that do not know PAX take the other for it if there is one.
    let size = match pax_bytes {
        Some(pax_bytes) if header.size != 0 && header.size != pax_bytes => {
            return Err(IntakeError::TwoSizes { entry: shown(), header_bytes: header.size, pax_bytes });
        }
        Some(pax_bytes) => pax_bytes,
        None => header.size,
    };
    if is_folder && size != 0 {
        return Err(IntakeError::FolderWithData { entry: shown() });
    }
    let path = if is_folder { text.strip_suffix('/').unwrap_or(text) } else { text };
    // Some tools, like Python's tarfile, write no name at all, which becomes "/". No reader makes anything of it.
    if is_folder && matches!(path, "." | "") {
        return Ok(Next::Root);
    }
    // So begins every name in a tar of ".", and all readers drop it.
    let path = path.strip_prefix("./").unwrap_or(path);
    let name = EntryName::parse(path, limits).map_err(bad_name)?;
    Ok(if is_folder { Next::Folder(name) } else { Next::File { name, size } })
}
