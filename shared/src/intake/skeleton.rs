//! Placeholder.
#![allow(missing_docs, clippy::all, unused)]
use super::*;
use crate::limits::Limits;
use super::verify::*;
pub struct TarScanner<F: SinkFactory>(F);
impl<F: SinkFactory> TarScanner<F> {
    pub fn new(_: Limits, f: F) -> Self { Self(f) }
    pub fn push(&mut self, _: &[u8]) -> Result<(), IntakeError> { Err(IntakeError::EmptyBody) }
    pub fn finish<V: EntryVisitor<SinkOutput<F>>>(self, _: &mut V) -> Result<Summary, V::Error> { Err(IntakeError::EmptyBody.into()) }
}
pub struct Decoder;
impl Decoder {
    pub fn of(kind: BodyKind, _: &Limits) -> Option<Self> { matches!(kind, BodyKind::Gzip | BodyKind::Bzip2 | BodyKind::Xz).then_some(Self) }
    pub fn step<'a>(&'a mut self, _: &mut &[u8]) -> Result<&'a [u8], IntakeError> { Err(IntakeError::EmptyBody) }
    pub fn finish(self) -> Result<(), IntakeError> { Ok(()) }
}
