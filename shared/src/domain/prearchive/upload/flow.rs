//! One body on its way: what is known of it so far.

use super::sink::{FileSink, FileSinks};
use crate::intake::{Decoder, IntakeError, SingleScanner, TarScanner, ZipScanner};
use crate::limits::Limits;
use crate::storage::pack::PackShape;

/// The name of a file that came without one.
pub(super) const NAMELESS: &str = "upload.dcm";

/// One body on its way.
pub(super) struct Flow {
    pub coding: Coding,
    pub content: Content,
}

/// Whether a body is compressed as a whole.
pub(super) enum Coding {
    /// The first bytes, until they say whether the body is compressed as a whole.
    Undecided(Vec<u8>),
    Plain,
    Compressed(Box<Decoder>),
}

/// What the body is once it is decompressed.
pub(super) struct Content {
    pub name: String,
    /// Whether the client gave it no name.
    pub is_nameless: bool,
    pub depth: u32,
    /// What stands before the names of its entries.
    pub prefix: String,
    pub limits: Limits,
    /// Bytes so far.
    pub bytes: u64,
    pub is_compressed: bool,
    /// The pack in which the body lies already, unless what is in it has to be decompressed.
    pub adopted: Option<PackShape>,
    pub state: State,
}

/// What looks at the body as it passes.
pub(super) enum State {
    /// The first bytes, until they say what it is.
    Undecided(Vec<u8>),
    Zip(Box<ZipScanner<FileSinks>>),
    Tar(Box<TarScanner<FileSinks>>),
    Single(Box<SingleScanner<FileSink>>),
}

impl Flow {
    /// Before the first byte.
    pub fn new(name: &str, prefix: &str, depth: u32, limits: Limits) -> Self {
        let content = Content {
            name: if name.is_empty() { NAMELESS } else { name }.to_owned(),
            is_nameless: name.is_empty(),
            depth,
            prefix: prefix.to_owned(),
            limits,
            bytes: 0,
            is_compressed: false,
            adopted: None,
            state: State::Undecided(Vec::new()),
        };
        Self { coding: Coding::Undecided(Vec::new()), content }
    }
}

impl State {
    /// Looks at the next bytes, or keeps them until it is decided who does.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), IntakeError> {
        match self {
            Self::Undecided(head) => {
                head.extend_from_slice(bytes);
                Ok(())
            }
            Self::Zip(scanner) => scanner.push(bytes),
            Self::Tar(scanner) => scanner.push(bytes),
            Self::Single(scanner) => scanner.push(bytes),
        }
    }
}
