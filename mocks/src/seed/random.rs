//! Deterministic pseudorandom numbers: splitmix64.

use crate::store::mix;

/// A pseudorandom sequence.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The sequence of one entity of a kind, independent of all other entities.
    pub(super) fn new(kind: u64, index: usize) -> Self {
        Self(mix(SEED ^ (kind << 40) ^ index as u64))
    }

    /// A number below `bound`; 0 for the bound 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        // The bias of the remainder is negligible for seed data.
        mix(self.0).checked_rem(bound).unwrap_or(0)
    }

    /// A number from `low` up to but not including `high`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low))
    }

    /// An index below `len`.
    pub(super) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// One of `choices`.
    pub(super) fn pick<T: Copy, const N: usize>(&mut self, choices: &[T; N]) -> T {
        const { assert!(N > 0, "`choices` must not be empty") };
        choices.get(self.index(N)).copied().unwrap_or(choices[0])
    }

    /// True with a probability of `percent` in a hundred.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

const SEED: u64 = 0x5745_4952_5348_4f50;
