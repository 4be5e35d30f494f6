//! Ids of entities: numbers that are strings in JSON.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The id of a user, product, order or review: counted from 1, a decimal number in a JSON string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id(u32);

impl Id {
    /// The id of the row at `index`.
    pub(crate) fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).map_or(u32::MAX, |index| index.saturating_add(1)))
    }

    /// Parses `1`, `42`, …; rejects `0`, `007`, `+1`, and more than nine digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_canonical = matches!(text.as_bytes(), [b'1'..=b'9', rest @ ..]
            if rest.len() < 9 && rest.iter().all(u8::is_ascii_digit));
        if is_canonical {
            text.parse().ok().map(Self)
        } else {
            None
        }
    }

    /// The index of the row of this id.
    pub(crate) const fn index(self) -> usize {
        (self.0 as usize).saturating_sub(1)
    }

    /// The id as a number.
    pub(crate) const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom("an id is a decimal number in a string, such as \"42\"")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_decimal_numbers_are_ids() {
        for good in ["1", "42", "999999999"] {
            assert_eq!(
                Id::parse(good).map(|id| id.to_string()).as_deref(),
                Some(good)
            );
        }
        for bad in ["", "0", "007", "+1", "-1", "1 ", "1.0", "１", "1000000000"] {
            assert_eq!(Id::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn ids_are_indices_counted_from_one() {
        assert_eq!(Id::from_index(0).to_string(), "1");
        assert_eq!(Id::from_index(41).index(), 41);
    }
}
