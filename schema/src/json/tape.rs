//! One node of a parsed document in 24 bytes.
//!
//! Knows the layout and nothing of JSON's grammar.

/// A value, and its key where it is a member of an object.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// First byte in the text.
    pub(super) start: u32,
    /// Bytes in the text.
    pub(super) len: u32,
    /// Index of the first node behind everything inside this one.
    pub(super) next: u32,
    /// Count of elements or members, above whether the key has escapes, above the tag.
    info: u32,
    /// The key's place in the text, quotes included; nothing for what is no member.
    pub(super) key: Span,
}

/// A piece of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// First byte in the text.
    pub(super) start: u32,
    /// Bytes in the text.
    pub(super) len: u32,
}

/// A member's key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Key {
    pub(super) span: Span,
    pub(super) escaped: bool,
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
    pub(super) fn leaf(tag: Tag, key: Key, value: Span, index: u32) -> Self {
        Self {
            start: value.start,
            len: value.len,
            next: index + 1,
            info: tag as u32 | (u32::from(key.escaped) << ESCAPED_BIT),
            key: key.span,
        }
    }

    /// Completes a container that was begun with [`Self::leaf`].
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

/// The most elements or members that one container can count.
pub(super) const MAX_COUNT: u32 = u32::MAX >> COUNT_BITS;

const TAG_MASK: u32 = (1 << ESCAPED_BIT) - 1;
const ESCAPED_BIT: u32 = 3;
const COUNT_BITS: u32 = 4;
