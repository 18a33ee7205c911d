//! The walk through a data set's elements: a state machine with an explicit, bounded stack.
//!
//! The parsers of dicom-rs allocate by declared length and read from a blocking source; this walk looks only at the
//! bytes it is handed, passes over what is of no interest and can stop and go on anywhere.

use super::charset::Charset;
use super::element::{self, Encoding, Head, ITEM, ITEM_DELIMITATION, SEQUENCE_DELIMITATION, SHORT_HEAD_BYTES};
use super::header::{HeaderError, HeaderLimits};
use super::tags::{self, Place, Tag, VR};
use super::value;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// What one step did with the bytes it was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Used this many of them.
    Took(usize),
    /// Used this many and has no interest in this many that follow.
    TookAndSkips(usize, u64),
    /// Nothing can be done with fewer bytes than this.
    Needs(usize),
    /// No further bytes are wanted.
    Done,
}

/// Where in the data set the walk is, as far as it matters for what is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    Top,
    Ignored,
    /// Shared Functional Groups Sequence and its item.
    SharedGroups,
    /// Per-Frame Functional Groups Sequence and its first item.
    FrameGroups,
    /// A functional group.
    Group,
    /// Radiopharmaceutical Information Sequence.
    Radio,
    /// A code sequence in it, whose meaning is kept under this tag.
    Code(Tag),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sequence,
    Item,
    /// Encapsulated pixel data (of an icon, say): items that hold bytes.
    Fragments,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    kind: Kind,
    context: Context,
    encoding: Encoding,
    /// Where it ends, if that is known; else a delimiter ends it.
    end: Option<u64>,
    /// Where the nearest enclosing sequence or item of known length ends.
    limit: Option<u64>,
    /// Items seen so far, of a sequence.
    items: u32,
    /// A sequence whose writer called it UN, or an item of it before its first element: the elements should be implicit
    /// and may be explicit all the same.
    is_unknown: bool,
}

/// The state of a walk.
#[derive(Debug)]
pub struct Walker {
    limits: HeaderLimits,
    encoding: Encoding,
    charset: Charset,
    stack: Vec<Frame>,
    depth: u32,
    position: u64,
    looked_at: usize,
    rt_object: bool,
    /// SOP Instance UID has been seen: an object whose elements are in disorder is read on until it is.
    identified: bool,
    /// Where in the data set its pixel data ends, if that was reached and says how long it is.
    pub pixels_end: Option<u64>,
    /// What has been taken.
    pub tags: BTreeMap<Tag, String>,
}

impl Walker {
    /// A walk that has yet to begin.
    pub fn new(limits: HeaderLimits) -> Self {
        Self {
            limits,
            encoding: Encoding::EXPLICIT_LE,
            charset: Charset::default(),
            stack: Vec::new(),
            depth: 0,
            position: 0,
            looked_at: 0,
            rt_object: false,
            identified: false,
            pixels_end: None,
            tags: BTreeMap::new(),
        }
    }

    /// Says how the data set is written; before the first step.
    pub fn set_encoding(&mut self, encoding: Encoding) {
        self.encoding = encoding;
    }

    /// Whether the data set may end here.
    pub fn at_top(&self) -> bool {
        self.stack.iter().all(|frame| frame.end == Some(self.position))
    }

    /// Does one step: one element head, with its value if that is of interest, or one item or delimiter.
    pub fn step(&mut self, bytes: &[u8]) -> Result<Step, HeaderError> {
        while let Some(frame) = self.stack.last()
            && frame.end == Some(self.position)
        {
            if self.pop() {
                return Ok(Step::Done);
            }
        }
        if let Some(frame) = self.stack.last_mut()
            && frame.kind == Kind::Item
            && frame.is_unknown
        {
            let Some(first) = bytes.first_chunk() else { return Ok(Step::Needs(SHORT_HEAD_BYTES)) };
            frame.is_unknown = false;
            frame.encoding.explicit = element::looks_explicit(first);
        }
        let frame = self.stack.last().copied();
        let encoding = frame.map_or(self.encoding, |frame| frame.encoding);
        let head = match element::head(bytes, encoding) {
            Ok(head) => head,
            Err(needed) => return Ok(Step::Needs(needed)),
        };
        match frame {
            Some(frame) if frame.kind != Kind::Item => self.item(frame, head),
            _ => self.element(frame, head, bytes),
        }
    }

    /// An item or delimiter within a sequence.
    fn item(&mut self, frame: Frame, head: Head) -> Result<Step, HeaderError> {
        match head.tag {
            SEQUENCE_DELIMITATION => {
                // Some writers end sequences of known length with a delimiter as well.
                if frame.end.is_none() && self.pop() {
                    return Ok(Step::Done);
                }
                self.took(head.size)
            }
            ITEM => {
                let first = frame.items == 0;
                if let Some(top) = self.stack.last_mut() {
                    top.items = top.items.saturating_add(1);
                }
                // Only the first item is of interest: of the frames, the tracers and the codes alike.
                let context = if first { frame.context } else { Context::Ignored };
                match head.length {
                    None if frame.kind == Kind::Fragments => Err(self.malformed("a fragment of undefined length")),
                    Some(length) if context == Context::Ignored || frame.kind == Kind::Fragments => {
                        self.skip(Some(frame), head.size, length)
                    }
                    length => {
                        self.push(Kind::Item, context, frame.encoding, head.size, length)?;
                        self.took(head.size)
                    }
                }
            }
            _ => Err(self.malformed("something else than an item in a sequence")),
        }
    }

    /// An element of the data set or of an item.
    fn element(&mut self, frame: Option<Frame>, head: Head, bytes: &[u8]) -> Result<Step, HeaderError> {
        let context = frame.map_or(Context::Top, |frame| frame.context);
        match head.tag {
            ITEM_DELIMITATION => {
                if frame.is_some_and(|frame| frame.end.is_none()) && self.pop() {
                    return Ok(Step::Done);
                }
                return self.took(head.size);
            }
            SEQUENCE_DELIMITATION if frame.is_none_or(|frame| frame.end.is_some()) => return self.took(head.size),
            ITEM | SEQUENCE_DELIMITATION => return Err(self.malformed("an item outside a sequence")),
            tag if context == Context::Top && self.is_end(tag) => {
                let is_pixels = is_pixel_data(tag);
                self.pixels_end = head.length.filter(|_| is_pixels).map(|length| self.after(head.size, length));
                return Ok(Step::Done);
            }
            _ => {}
        }
        let encoding = frame.map_or(self.encoding, |frame| frame.encoding);
        let inner = inner_context(context, head.tag);
        let Some(length) = head.length else {
            return self.open_undefined(inner, encoding, head);
        };
        if inner != Context::Ignored && matches!(head.vr, Some(VR::SQ | VR::UN) | None) {
            let encoding = if head.vr == Some(VR::UN) { Encoding::IMPLICIT_LE } else { encoding };
            self.push(Kind::Sequence, inner, encoding, head.size, Some(length))?;
            self.note_unknown(head);
            return self.took(head.size);
        }
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        let Some((tag, vr)) = wanted(context, head).filter(|_| size <= self.limits.max_value_bytes) else {
            return self.skip(frame, head.size, length);
        };
        let whole = head.size.saturating_add(size);
        self.check_limit(frame, head.size, length)?;
        let Some(raw) = bytes.get(head.size..whole) else {
            return Ok(Step::Needs(whole));
        };
        // The first value stands: the data set's own comes before those of its functional groups, and a second
        // element of the same tag is an error that must not change where an object goes.
        if let Entry::Vacant(place) = self.tags.entry(tag)
            && let Some(text) = value::render(vr, raw, encoding, &self.charset)
        {
            match tag {
                tags::SOP_INSTANCE_UID => self.identified = true,
                tags::SPECIFIC_CHARACTER_SET => self.charset = Charset::parse(&text),
                tags::SOP_CLASS_UID => self.rt_object = text.starts_with("1.2.840.10008.5.1.4.1.1.481."),
                _ => {}
            }
            place.insert(text);
        }
        self.took(whole)
    }

    /// A value of undefined length: a sequence, or encapsulated pixel data.
    fn open_undefined(&mut self, inner: Context, encoding: Encoding, head: Head) -> Result<Step, HeaderError> {
        let (kind, encoding) = match head.vr {
            // UN of undefined length is a sequence in implicit form (DICOM PS3.5 6.2.2 note 4).
            Some(VR::UN) => (Kind::Sequence, Encoding::IMPLICIT_LE),
            Some(VR::OB | VR::OW) => (Kind::Fragments, encoding),
            None if head.tag == tags::PIXEL_DATA => (Kind::Fragments, encoding),
            Some(VR::SQ) | None => (Kind::Sequence, encoding),
            Some(_) => return Err(self.malformed("an undefined length where a length must be given")),
        };
        self.push(kind, inner, encoding, head.size, None)?;
        self.note_unknown(head);
        self.took(head.size)
    }

    /// Marks the sequence that was just opened if its writer did not know that it is one.
    fn note_unknown(&mut self, head: Head) {
        if let Some(top) = self.stack.last_mut() {
            top.is_unknown = head.vr == Some(VR::UN);
        }
    }

    /// Whether nothing of interest can come from here on.
    fn is_end(&self, tag: Tag) -> bool {
        match tag {
            tag if is_pixel_data(tag) => true,
            _ if !self.identified => false,
            // Plans and structure sets may go on for a hundred megabytes, and have no functional groups.
            Tag(0x3002..=0x300E, _) => self.rt_object,
            _ => tag > tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        }
    }

    fn push(
        &mut self,
        kind: Kind,
        context: Context,
        encoding: Encoding,
        head_size: usize,
        length: Option<u32>,
    ) -> Result<(), HeaderError> {
        let parent = self.stack.last().copied();
        if kind != Kind::Item {
            self.depth = self.depth.saturating_add(1);
            if self.depth > self.limits.max_depth {
                return Err(HeaderError::TooDeep { max_depth: self.limits.max_depth });
            }
        }
        let end = length.map(|length| self.after(head_size, length));
        if let Some(length) = length {
            self.check_limit(parent, head_size, length)?;
        }
        let limit = end.or(parent.and_then(|parent| parent.limit));
        let is_unknown = kind == Kind::Item && parent.is_some_and(|parent| parent.is_unknown);
        self.stack.push(Frame { kind, context, encoding, end, limit, items: 0, is_unknown });
        Ok(())
    }

    /// Leaves the innermost sequence or item. `true` if it was the first frame's functional groups: the last element
    /// of interest, and in a whole-slide image the first of a hundred thousand.
    fn pop(&mut self) -> bool {
        let Some(frame) = self.stack.pop() else { return false };
        if frame.kind != Kind::Item {
            self.depth = self.depth.saturating_sub(1);
        }
        frame.kind == Kind::Item && frame.context == Context::FrameGroups && self.identified
    }

    fn took(&mut self, size: usize) -> Result<Step, HeaderError> {
        self.move_on(size, 0)?;
        Ok(Step::Took(size))
    }

    fn skip(&mut self, frame: Option<Frame>, size: usize, length: u32) -> Result<Step, HeaderError> {
        self.check_limit(frame, size, length)?;
        self.move_on(size, length)?;
        Ok(Step::TookAndSkips(size, u64::from(length)))
    }

    fn move_on(&mut self, size: usize, skipped: u32) -> Result<(), HeaderError> {
        self.position = self.after(size, skipped);
        if let Some(limit) = self.stack.last().and_then(|frame| frame.limit)
            && self.position > limit
        {
            return Err(self.malformed("an element longer than the sequence that holds it"));
        }
        self.looked_at = self.looked_at.saturating_add(size);
        if self.looked_at > self.limits.max_header_bytes {
            return Err(HeaderError::TooLarge { max_header_bytes: self.limits.max_header_bytes });
        }
        Ok(())
    }

    fn check_limit(&self, frame: Option<Frame>, size: usize, length: u32) -> Result<(), HeaderError> {
        match frame.and_then(|frame| frame.limit) {
            Some(limit) if self.after(size, length) > limit => {
                Err(self.malformed("an element longer than the sequence that holds it"))
            }
            _ => Ok(()),
        }
    }

    fn after(&self, size: usize, length: u32) -> u64 {
        self.position.saturating_add(u64::try_from(size).unwrap_or(u64::MAX)).saturating_add(u64::from(length))
    }

    fn malformed(&self, what: &'static str) -> HeaderError {
        HeaderError::Malformed { offset: self.position, what }
    }
}

fn is_pixel_data(tag: Tag) -> bool {
    matches!(tag, tags::PIXEL_DATA | tags::FLOAT_PIXEL_DATA | tags::DOUBLE_FLOAT_PIXEL_DATA)
}

/// What the items of a sequence with this tag are, seen from where it stands.
fn inner_context(context: Context, tag: Tag) -> Context {
    match (context, tag) {
        (Context::Top, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE) => Context::SharedGroups,
        (Context::Top, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE) => Context::FrameGroups,
        (Context::Top, tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE) => Context::Radio,
        (Context::SharedGroups | Context::FrameGroups, tag) if may_be_group(tag) => Context::Group,
        // Diffusion direction stands one level further down (DICOM PS3.3 C.8.13.5.9).
        (Context::Group, tags::DIFFUSION_GRADIENT_DIRECTION_SEQUENCE) => Context::Group,
        (Context::Radio, tag) if tags::interest(tag).is_some_and(|i| i.place == Place::RadioCode) => Context::Code(tag),
        _ => Context::Ignored,
    }
}

/// Functional groups are sequences of the acquisition, relation and image groups; those about other objects are not
/// wanted, and private ones could hold anything.
fn may_be_group(tag: Tag) -> bool {
    matches!(tag.0, 0x0018 | 0x0020 | 0x0028) && tag.1 != 0
}

/// The tag under which an element is kept, and how its value is written; `None` if it is not kept.
fn wanted(context: Context, head: Head) -> Option<(Tag, VR)> {
    let entry = match context {
        Context::Code(sequence) => {
            return (head.tag == tags::CODE_MEANING).then_some((sequence, VR::LO));
        }
        _ => tags::interest(head.tag)?,
    };
    let here = match context {
        Context::Top => entry.place != Place::RadioCode,
        Context::Group => entry.place == Place::Frame,
        Context::Radio => entry.place == Place::Radio,
        Context::SharedGroups | Context::FrameGroups | Context::Ignored | Context::Code(_) => false,
    };
    let vr = match head.vr {
        Some(VR::UN) | None => entry.vr,
        Some(vr) => vr,
    };
    here.then_some((entry.tag, vr))
}
