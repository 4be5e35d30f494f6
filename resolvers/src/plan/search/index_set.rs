//! Sets of small indices, of any size.

/// A set of indices, one bit each; the first 64 need no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct IndexSet {
    first: u64,
    /// The bits of the indices from 64 on, without trailing zeros.
    rest: Vec<u64>,
}

impl IndexSet {
    pub(super) fn from_index(index: usize) -> Self {
        let mut set = Self::default();
        set.insert(index);
        set
    }

    pub(super) fn insert(&mut self, index: usize) {
        let bit = 1 << (index % BITS);
        match index / BITS {
            0 => self.first |= bit,
            word => {
                if self.rest.len() < word {
                    self.rest.resize(word, 0);
                }
                self.rest[word - 1] |= bit;
            }
        }
    }

    /// Adds all indices of `other`.
    pub(super) fn add(&mut self, other: &Self) {
        self.first |= other.first;
        if self.rest.len() < other.rest.len() {
            self.rest.resize(other.rest.len(), 0);
        }
        for (word, other) in self.rest.iter_mut().zip(&other.rest) {
            *word |= other;
        }
    }

    pub(super) fn contains(&self, index: usize) -> bool {
        let word = match index / BITS {
            0 => self.first,
            word => self.rest.get(word - 1).copied().unwrap_or_default(),
        };
        word & (1 << (index % BITS)) != 0
    }

    /// Number of indices.
    pub(super) fn len(&self) -> u32 {
        let rest: u32 = self.rest.iter().map(|word| word.count_ones()).sum();
        self.first.count_ones() + rest
    }

    pub(super) fn is_subset(&self, other: &Self) -> bool {
        let others = other.rest.iter().copied().chain(std::iter::repeat(0));
        self.first & !other.first == 0
            && self
                .rest
                .iter()
                .zip(others)
                .all(|(word, other)| word & !other == 0)
    }
}

/// Number of indices in one word.
const BITS: usize = u64::BITS as usize;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_indices_of_any_size() {
        let mut set = IndexSet::from_index(3);
        set.insert(64);
        set.insert(1_500);

        assert_eq!(set.len(), 3);
        assert!([3, 64, 1_500].iter().all(|index| set.contains(*index)));
        assert!(![0, 67, 128, 9_999].iter().any(|index| set.contains(*index)));
    }

    #[test]
    fn a_short_set_is_a_subset_of_a_long_one() {
        let mut long = IndexSet::from_index(3);
        long.add(&IndexSet::from_index(200));

        assert!(IndexSet::from_index(3).is_subset(&long));
        assert!(IndexSet::from_index(200).is_subset(&long));
        assert!(!long.is_subset(&IndexSet::from_index(3)));
    }
}
