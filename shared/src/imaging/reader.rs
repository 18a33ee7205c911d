//! The push parser: from the bytes of a file, in pieces of any size, to its header.

use super::beginning::{guess_encoding, is_plausible_start};
use super::element::{self, Encoding};
use super::header::{DICOMDIR_SOP_CLASS, DicomHeader, HeaderError, HeaderLimits, Preamble};
use super::inflate::Inflater;
use super::stream::{Progress, Stream};
use super::tags::{self, Tag};
use super::uid::Uid;
use super::value;
use super::walker::{Step, Walker};
use std::collections::BTreeMap;

/// Preamble and `DICM`, in bytes (DICOM PS3.10 7.1).
const PART10_START_BYTES: usize = 132;
/// Deflated Explicit VR Little Endian (DICOM PS3.5 A.5).
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
/// JPIP Referenced Deflate and JPIP HTJ2K Referenced Deflate, deflated likewise.
const ALSO_DEFLATED: [&str; 2] = ["1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"];
/// Implicit VR Little Endian (DICOM PS3.5 A.1).
const IMPLICIT_LE: &str = "1.2.840.10008.1.2";
/// Explicit VR Big Endian (DICOM PS3.5 A.3, retired).
const EXPLICIT_BE: &str = "1.2.840.10008.1.2.2";

/// Reads the header of one file from bytes pushed into it.
///
/// It holds one element with a value of interest at a time and what it has taken so far, so at most the limit on
/// values once for each element of interest; nothing is allocated by a length that the file declares. Bytes are
/// looked at once, whatever the sizes of the pieces. Pixel data is never looked at.
pub struct HeaderReader {
    stream: Stream,
    machine: Machine,
    seen: u64,
    end: Option<Result<(), HeaderError>>,
}

impl HeaderReader {
    /// A reader for one file.
    pub fn new(limits: HeaderLimits) -> Self {
        let machine = Machine {
            limits,
            state: State::Start,
            preamble: Preamble::Absent,
            meta: BTreeMap::new(),
            has_meta: false,
            meta_bytes: 0,
            data_set_at: 0,
            walker: Walker::new(limits),
            end_of_file: false,
        };
        Self { stream: Stream::default(), machine, seen: 0, end: None }
    }

    /// Takes the next bytes of the file. After [`Progress::Done`] further bytes are ignored.
    pub fn push(&mut self, bytes: &[u8]) -> Progress {
        if self.end.is_none() {
            self.seen = self.seen.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            let machine = &mut self.machine;
            match self.stream.drive(bytes, |bytes| machine.step(bytes)) {
                Ok(Progress::More) => {}
                Ok(Progress::Done) => self.end = Some(Ok(())),
                Err(error) => self.end = Some(Err(error)),
            }
        }
        if self.end.is_some() { Progress::Done } else { Progress::More }
    }

    /// The header, once the file has ended or [`push`](Self::push) has answered [`Progress::Done`].
    pub fn finish(mut self) -> Result<DicomHeader, HeaderError> {
        self.machine.end_of_file = true;
        self.push(&[]);
        let result = match self.end.take() {
            Some(result) => result,
            None if self.stream.is_idle() && self.machine.may_end() => Ok(()),
            None => Err(HeaderError::Truncated { length_bytes: self.seen }),
        };
        // Without DICM and meta group only a readable data set proves that this is DICOM at all.
        let proven = self.machine.preamble != Preamble::Absent || self.machine.has_meta;
        let unproven = |error: HeaderError| match error {
            _ if proven => error,
            HeaderError::TooLarge { .. } | HeaderError::TooDeep { .. } | HeaderError::BadUid { .. } => error,
            _ => HeaderError::NotDicom,
        };
        result.and_then(|()| self.machine.into_header()).map_err(unproven)
    }
}

/// Which part of the file comes next.
enum State {
    Start,
    Meta,
    DataSetStart,
    DataSet,
    Deflated(Box<Inflater>),
}

struct Machine {
    limits: HeaderLimits,
    state: State,
    preamble: Preamble,
    meta: BTreeMap<Tag, String>,
    has_meta: bool,
    meta_bytes: usize,
    /// Where in the file the data set begins, as far as that has been read.
    data_set_at: u64,
    walker: Walker,
    end_of_file: bool,
}

impl Machine {
    fn step(&mut self, bytes: &[u8]) -> Result<Step, HeaderError> {
        match &mut self.state {
            State::Start => self.start(bytes),
            State::Meta => self.meta(bytes),
            State::DataSetStart => Ok(self.data_set_start(bytes)),
            State::DataSet => self.walker.step(bytes),
            State::Deflated(inflater) => inflater.step(bytes, &mut self.walker, self.end_of_file),
        }
    }

    /// The preamble, if there is one.
    fn start(&mut self, bytes: &[u8]) -> Result<Step, HeaderError> {
        match bytes.split_at_checked(PART10_START_BYTES) {
            Some((start, _)) if start.ends_with(b"DICM") => {
                self.preamble = if start.starts_with(&[0; 128]) {
                    Preamble::Zeros
                } else if start.starts_with(b"II*\0") || start.starts_with(b"MM\0*") || is_big_tiff(start) {
                    Preamble::Tiff
                } else {
                    Preamble::Other
                };
                self.state = State::Meta;
                self.data_set_at = PART10_START_BYTES as u64;
                return Ok(Step::Took(PART10_START_BYTES));
            }
            None if !self.end_of_file => return Ok(Step::Needs(PART10_START_BYTES)),
            _ => {}
        }
        if !is_plausible_start(bytes) {
            return Err(HeaderError::NotDicom);
        }
        self.state = State::Meta;
        Ok(Step::Took(0))
    }

    /// One element of the meta group, which is always Explicit VR Little Endian (DICOM PS3.10 7.1).
    fn meta(&mut self, bytes: &[u8]) -> Result<Step, HeaderError> {
        match bytes.first_chunk::<2>() {
            None => return Ok(Step::Needs(2)),
            Some([2, 0]) => {}
            Some(_) => {
                self.state = State::DataSetStart;
                let class = self.meta.get(&tags::MEDIA_STORAGE_SOP_CLASS_UID).map(String::as_str);
                // A directory's records can be many and are of no use here.
                return Ok(if class == Some(DICOMDIR_SOP_CLASS) { Step::Done } else { Step::Took(0) });
            }
        }
        let malformed = |what| HeaderError::Malformed { offset: 0, what };
        let head = match element::head(bytes, Encoding::EXPLICIT_LE) {
            Ok(head) => head,
            Err(needed) => return Ok(Step::Needs(needed)),
        };
        let length = head.length.ok_or(malformed("an undefined length in the meta group"))?;
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        let wanted =
            [tags::MEDIA_STORAGE_SOP_CLASS_UID, tags::MEDIA_STORAGE_SOP_INSTANCE_UID, tags::TRANSFER_SYNTAX_UID];
        let keep = wanted.contains(&head.tag) && size <= self.limits.max_value_bytes;
        let whole = head.size.saturating_add(if keep { size } else { 0 });
        let Some(raw) = bytes.get(head.size..whole) else {
            return Ok(Step::Needs(whole));
        };
        self.has_meta = true;
        let whole_bytes = (head.size as u64).saturating_add(u64::from(length));
        self.data_set_at = self.data_set_at.saturating_add(whole_bytes);
        self.meta_bytes = self.meta_bytes.saturating_add(whole);
        if self.meta_bytes > self.limits.max_header_bytes {
            return Err(HeaderError::TooLarge { max_header_bytes: self.limits.max_header_bytes });
        }
        if !keep {
            return Ok(Step::TookAndSkips(whole, u64::from(length)));
        }
        let text = value::render(tags::VR::UI, raw, Encoding::EXPLICIT_LE, &Default::default());
        self.meta.entry(head.tag).or_insert_with(|| text.unwrap_or_default());
        Ok(Step::Took(whole))
    }

    fn data_set_start(&mut self, bytes: &[u8]) -> Step {
        let syntax = self.meta.get(&tags::TRANSFER_SYNTAX_UID).map(String::as_str).filter(|uid| !uid.is_empty());
        if let Some(uid) = syntax
            && (uid == DEFLATED || ALSO_DEFLATED.contains(&uid))
        {
            self.walker.set_encoding(Encoding::EXPLICIT_LE);
            self.state = State::Deflated(Box::new(Inflater::new(self.limits)));
            return Step::Took(0);
        }
        // Enough to see the first VR; writers do not always keep to the syntax they declare.
        const FIRST_BYTES: usize = element::SHORT_HEAD_BYTES;
        if bytes.len() < FIRST_BYTES {
            return Step::Needs(FIRST_BYTES);
        }
        let declared = syntax.map(|uid| match uid {
            IMPLICIT_LE => Encoding::IMPLICIT_LE,
            EXPLICIT_BE => Encoding::EXPLICIT_BE,
            _ => Encoding::EXPLICIT_LE,
        });
        self.walker.set_encoding(guess_encoding(bytes, declared));
        self.state = State::DataSet;
        Step::Took(0)
    }

    /// Whether a file may end in this state.
    fn may_end(&self) -> bool {
        match &self.state {
            // A meta group alone is no object.
            State::Start | State::Meta | State::DataSetStart => false,
            State::DataSet => self.walker.at_top(),
            State::Deflated(inflater) => inflater.is_idle() && self.walker.at_top(),
        }
    }

    fn into_header(self) -> Result<DicomHeader, HeaderError> {
        let least_bytes = match &self.state {
            State::DataSet => self.walker.pixels_end.map(|end| end.saturating_add(self.data_set_at)),
            // What is deflated says nothing of the file's length.
            _ => None,
        };
        let mut kept = self.walker.tags;
        let mut meta = self.meta;
        let mut take = |tag: Tag, media: Tag| kept.remove(&tag).or(meta.remove(&media).filter(|uid| !uid.is_empty()));
        let class = take(tags::SOP_CLASS_UID, tags::MEDIA_STORAGE_SOP_CLASS_UID).ok_or(HeaderError::NoSopClass)?;
        let instance =
            take(tags::SOP_INSTANCE_UID, tags::MEDIA_STORAGE_SOP_INSTANCE_UID).ok_or(HeaderError::NoSopInstance)?;
        let study = kept.remove(&tags::STUDY_INSTANCE_UID).unwrap_or_default();
        let series = kept.remove(&tags::SERIES_INSTANCE_UID).unwrap_or_default();
        let syntax = meta.remove(&tags::TRANSFER_SYNTAX_UID).filter(|uid| !uid.is_empty());
        check(tags::SOP_CLASS_UID, "SOPClassUID", &class)?;
        check(tags::SOP_INSTANCE_UID, "SOPInstanceUID", &instance)?;
        for (tag, keyword, uid) in [
            (tags::STUDY_INSTANCE_UID, "StudyInstanceUID", Some(&study)),
            (tags::SERIES_INSTANCE_UID, "SeriesInstanceUID", Some(&series)),
            (tags::TRANSFER_SYNTAX_UID, "TransferSyntaxUID", syntax.as_ref()),
        ] {
            uid.filter(|uid| !uid.is_empty()).map_or(Ok(()), |uid| check(tag, keyword, uid))?;
        }
        let number = |tag| kept.get(&tag).and_then(|text: &String| text.split('\\').next()?.trim().parse::<i64>().ok());
        let frames = number(tags::NUMBER_OF_FRAMES).and_then(|n| u32::try_from(n).ok()).unwrap_or(1).max(1);
        let instance_number = number(tags::INSTANCE_NUMBER);
        for (tag, uid) in [
            (tags::SOP_CLASS_UID, &class),
            (tags::SOP_INSTANCE_UID, &instance),
            (tags::STUDY_INSTANCE_UID, &study),
            (tags::SERIES_INSTANCE_UID, &series),
        ] {
            if !uid.is_empty() {
                kept.insert(tag, uid.clone());
            }
        }
        Ok(DicomHeader {
            transfer_syntax: syntax,
            sop_class_uid: class,
            sop_instance_uid: instance,
            study_instance_uid: study,
            series_instance_uid: series,
            instance_number,
            frames,
            preamble: self.preamble,
            least_bytes,
            tags: kept,
        })
    }
}

fn check(tag: Tag, keyword: &'static str, uid: &str) -> Result<(), HeaderError> {
    Uid::parse(uid).map(drop).map_err(|reason| HeaderError::BadUid { tag, keyword, reason })
}

fn is_big_tiff(start: &[u8]) -> bool {
    start.starts_with(b"II+\0") || start.starts_with(b"MM\0+")
}
