//! What a value can be: small and flat, one level of lists deep, so that no text can make it grow.

use crate::types::TypeId;

/// A set of sorts of JSON values.
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

/// What a value can be; for lists also what their elements can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::link::connect) struct InferredType {
    pub(super) kinds: Kinds,
    pub(super) element: Kinds,
    /// The members of the object, or of the objects in the list.
    pub(super) members: Members,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::link::connect) enum Members {
    Unknown,
    /// There is nothing to read before a service has answered.
    Empty,
    OfType(TypeId),
    Arguments,
    /// `$request`, `$response`.
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

    /// A value in which there is nothing yet.
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

    /// Whether it can be one of `kinds`; null can stand for a value that may be missing.
    pub(in crate::link::connect) fn can_be(self, kinds: Kinds) -> bool {
        let own = self.kinds.without_null();
        own == Kinds::NONE || own.intersects(kinds)
    }

    /// What the elements of the list can be.
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

    /// In words.
    pub(in crate::link::connect) fn description(self) -> String {
        let words: Vec<_> = [
            (Kinds::BOOL, "true or false"),
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

    /// Whether it is a list whatever happens.
    pub(in crate::link::connect) fn is_list(self) -> bool {
        self.kinds.without_null() == Kinds::LIST
    }
}
