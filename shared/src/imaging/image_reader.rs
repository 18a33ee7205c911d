//! One reader for every kind of image that is taken: the first bytes say which it is.

use super::ecat::{self, EcatReader};
use super::header::{DicomHeader, HeaderError, HeaderLimits};
use super::reader::HeaderReader;
use super::stream::Progress;

/// Reads the header of one DICOM or ECAT 7 file from bytes pushed into it. Which of them it is, its first bytes say;
/// what is neither is refused as not being DICOM.
pub struct ImageReader(State);

enum State {
    /// What came so far could still be ECAT's magic.
    Unknown(Vec<u8>, HeaderLimits),
    Dicom(Box<HeaderReader>),
    Ecat(Box<EcatReader>),
}

impl ImageReader {
    /// A reader for one file.
    pub fn new(limits: HeaderLimits) -> Self {
        Self(State::Unknown(Vec::new(), limits))
    }

    /// Takes the next bytes of the file. After [`Progress::Done`] further bytes are ignored.
    pub fn push(&mut self, bytes: &[u8]) -> Progress {
        match &mut self.0 {
            State::Dicom(reader) => reader.push(bytes),
            State::Ecat(reader) => reader.push(bytes),
            State::Unknown(first, limits) => {
                let missing = ecat::MAGIC.len().saturating_sub(first.len());
                let (next, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
                first.extend_from_slice(next);
                let first = std::mem::take(first);
                if first == ecat::MAGIC {
                    self.0 = State::Ecat(Box::default());
                } else if !ecat::MAGIC.starts_with(&first) {
                    self.0 = State::Dicom(Box::new(HeaderReader::new(*limits)));
                } else {
                    self.0 = State::Unknown(first, *limits);
                    return Progress::More;
                }
                match self.push(&first) {
                    Progress::More => self.push(rest),
                    Progress::Done => Progress::Done,
                }
            }
        }
    }

    /// The header, once the file has ended or [`push`](Self::push) has answered [`Progress::Done`]. That of an ECAT
    /// file comes in DICOM's terms; see [`DicomHeader::is_ecat`].
    ///
    /// # Errors
    /// [`HeaderError`] saying why the file is refused.
    pub fn finish(self) -> Result<DicomHeader, HeaderError> {
        match self.0 {
            State::Dicom(reader) => reader.finish(),
            State::Ecat(reader) => Ok(reader.finish()?.into_dicom()),
            State::Unknown(first, limits) => {
                let mut reader = HeaderReader::new(limits);
                reader.push(&first);
                reader.finish()
            }
        }
    }
}
