//! The memory layout of a node of a parsed document: 24 bytes.

/// A value, with its key if it is a member of an object.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// The first byte in the text.
    pub(super) start: u32,
    /// The length in bytes.
    pub(super) len: u32,
    /// The index of the next node after this one and its descendants.
    pub(super) next: u32,
    /// From the lowest bit: the tag, whether the key has escapes, the number of children.
    info: u32,
    /// The key's range in the text, quotes included; empty if the value is not a member.
    pub(super) key: Span,
}

/// A range of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// The first byte in the text.
    pub(super) start: u32,
    /// The length in bytes.
    pub(super) len: u32,
}

/// A member's key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Key {
    pub(super) span: Span,
    pub(super) escaped: bool,
}

/// The type of a node.
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
    /// Creates a node without children at `index`.
    #[inline]
    pub(super) fn leaf(tag: Tag, key: Key, value: Span, index: u32) -> Self {
        Self {
            start: value.start,
            len: value.len,
            next: index + 1,
            info: tag as u32 | (u32::from(key.escaped) << ESCAPED_BIT),
            key: key.span,
        }
    }

    /// Completes a container that was created by [`Self::leaf`].
    #[inline]
    pub(super) fn close(&mut self, end: u32, next: u32, count: u32) {
        self.len = end - self.start;
        self.next = next;
        self.info |= count << COUNT_BITS;
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
    pub(super) fn key(&self) -> Key {
        Key {
            span: self.key,
            escaped: self.info & (1 << ESCAPED_BIT) != 0,
        }
    }

    #[inline]
    pub(super) fn count(self) -> u32 {
        self.info >> COUNT_BITS
    }
}

/// Maximum number of elements or members of a container.
pub(super) const MAX_COUNT: u32 = u32::MAX >> COUNT_BITS;

const TAG_MASK: u32 = (1 << ESCAPED_BIT) - 1;
const ESCAPED_BIT: u32 = 3;
const COUNT_BITS: u32 = 4;
