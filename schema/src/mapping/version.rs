//! Versions of the mapping grammar.

/// A version of the connect specification. Only the grammar depends on it; methods do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// v0.1
    V0_1,
    /// v0.2
    V0_2,
    /// v0.3: `?`, `??`, `?!`, single keys as arguments.
    V0_3,
    /// v0.4: literals after an alias, `...`, commas.
    V0_4,
}

impl Version {
    /// The versions, oldest first.
    pub const ALL: [Self; 4] = [Self::V0_1, Self::V0_2, Self::V0_3, Self::V0_4];

    /// The version in the specification's URL, without the `v`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V0_1 => "0.1",
            Self::V0_2 => "0.2",
            Self::V0_3 => "0.3",
            Self::V0_4 => "0.4",
        }
    }

    /// The version for the text that [`Self::as_str`] returns.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|version| version.as_str() == name)
    }
}
