//! Which grammar a mapping is written in.

/// A version of the connect specification. Only the grammar depends on it; methods do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// v0.1
    V0_1,
    /// v0.2
    V0_2,
    /// v0.3: `?`, `??`, `?!`, lone keys as arguments.
    V0_3,
    /// v0.4: literals behind an alias, `...`, commas.
    V0_4,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 4] = [Self::V0_1, Self::V0_2, Self::V0_3, Self::V0_4];

    /// As it stands at the end of the specification's URL, without the `v`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V0_1 => "0.1",
            Self::V0_2 => "0.2",
            Self::V0_3 => "0.3",
            Self::V0_4 => "0.4",
        }
    }

    /// The version written like [`Self::as_str`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|version| version.as_str() == name)
    }
}
