//! One node of a parsed document in 16 bytes.
//!
//! Knows the layout and nothing of JSON's grammar.

/// A value, or a member's key, which stands right before its value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// First byte in the text.
    pub(super) start: u32,
    /// Bytes in the text.
    pub(super) len: u32,
    /// Index of the first node behind everything inside this one.
    pub(super) next: u32,
    /// Count of elements or members above, tag in the lowest three bits.
    info: u32,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Null,
    False,
    True,
    Number,
    String,
    EscapedString,
    List,
    Object,
}

impl Entry {
    /// A node with nothing inside, at `index`.
    #[inline]
    pub(super) fn leaf(tag: Tag, start: u32, len: u32, index: u32) -> Self {
        Self {
            start,
            len,
            next: index + 1,
            info: tag as u32,
        }
    }

    /// Completes a container that was begun with [`Self::leaf`].
    #[inline]
    pub(super) fn close(&mut self, end: u32, next: u32, count: u32) {
        self.len = end - self.start;
        self.next = next;
        self.info |= count << TAG_BITS;
    }

    #[inline]
    pub(super) fn tag(self) -> Tag {
        match self.info & TAG_MASK {
            0 => Tag::Null,
            1 => Tag::False,
            2 => Tag::True,
            3 => Tag::Number,
            4 => Tag::String,
            5 => Tag::EscapedString,
            6 => Tag::List,
            _ => Tag::Object,
        }
    }

    #[inline]
    pub(super) fn count(self) -> u32 {
        self.info >> TAG_BITS
    }
}

/// The most elements or members that one container can count.
pub(super) const MAX_COUNT: u32 = u32::MAX >> TAG_BITS;

const TAG_BITS: u32 = 3;
const TAG_MASK: u32 = (1 << TAG_BITS) - 1;
