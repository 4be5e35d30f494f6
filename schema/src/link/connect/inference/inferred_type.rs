//! The type of a value: flat, and one level of lists deep, so that its size does not grow with the
//! text.

use crate::types::TypeId;

/// A set of JSON types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::link::connect) struct Kinds(u8);

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(in crate::link::connect) const NULL: Self = Self(1);
    pub(in crate::link::connect) const BOOL: Self = Self(2);
    pub(in crate::link::connect) const NUMBER: Self = Self(4);
    pub(in crate::link::connect) const STRING: Self = Self(8);
    pub(in crate::link::connect) const OBJECT: Self = Self(16);
    pub(in crate::link::connect) const LIST: Self = Self(32);
    pub(in crate::link::connect) const SCALAR: Self = Self(2 | 4 | 8);
    pub(super) const ALL: Self = Self(63);

    pub(super) fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn without_null(self) -> Self {
        Self(self.0 & !1)
    }
}

/// The JSON types that a value can have, and those of the elements of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::link::connect) struct InferredType {
    pub(super) kinds: Kinds,
    pub(super) element: Kinds,
    /// The members of the object, or of the objects in the list.
    pub(super) members: Members,
}

/// The source of the types of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::link::connect) enum Members {
    Unknown,
    /// The value has no members, because the response has not arrived.
    Empty,
    OfType(TypeId),
    Arguments,
    /// `$request` or `$response`.
    HttpMessage,
    Headers,
    /// `$env`.
    Strings,
}

impl InferredType {
    pub(in crate::link::connect) const ANY: Self = Self {
        kinds: Kinds::ALL,
        element: Kinds::ALL,
        members: Members::Unknown,
    };

    /// A value without members, before the response.
    pub(in crate::link::connect) const fn empty(kinds: Kinds) -> Self {
        Self {
            kinds,
            element: Kinds::NONE,
            members: Members::Empty,
        }
    }

    pub(super) const fn from_kinds(kinds: Kinds) -> Self {
        Self {
            kinds,
            element: Kinds::NONE,
            members: Members::Unknown,
        }
    }

    pub(super) const fn object(members: Members) -> Self {
        Self {
            kinds: Kinds::OBJECT,
            element: Kinds::NONE,
            members,
        }
    }

    pub(super) fn list(elements: Self) -> Self {
        Self {
            kinds: Kinds::LIST,
            element: elements.kinds,
            members: if elements.kinds.intersects(Kinds::LIST) {
                Members::Unknown
            } else {
                elements.members
            },
        }
    }

    /// Whether the value can have one of `kinds`; null alone fits every kind, as a missing value.
    pub(in crate::link::connect) fn can_be(self, kinds: Kinds) -> bool {
        let own = self.kinds.without_null();
        own == Kinds::NONE || own.intersects(kinds)
    }

    /// The type of the elements of the list.
    pub(in crate::link::connect) fn elements(self) -> Self {
        if self.element == Kinds::ALL || self.element.intersects(Kinds::LIST) {
            return Self {
                kinds: self.element,
                ..Self::ANY
            };
        }
        Self {
            kinds: self.element,
            element: Kinds::NONE,
            members: self.members,
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        if self.kinds == Kinds::NONE {
            return other;
        }
        if other.kinds == Kinds::NONE {
            return self;
        }
        Self {
            kinds: self.kinds.or(other.kinds),
            element: self.element.or(other.element),
            members: if self.members == other.members {
                self.members
            } else {
                Members::Unknown
            },
        }
    }

    /// The types in words, for messages.
    pub(in crate::link::connect) fn description(self) -> String {
        let words: Vec<_> = [
            (Kinds::BOOL, "a boolean"),
            (Kinds::NUMBER, "a number"),
            (Kinds::STRING, "a string"),
            (Kinds::OBJECT, "an object"),
            (Kinds::LIST, "a list"),
        ]
        .into_iter()
        .filter(|(kind, _)| self.kinds.intersects(*kind))
        .map(|(_, word)| word)
        .collect();
        words.join(" or ")
    }

    /// Whether every value that is not null is a list.
    pub(in crate::link::connect) fn is_list(self) -> bool {
        self.kinds.without_null() == Kinds::LIST
    }
}
