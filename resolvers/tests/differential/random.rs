//! Pseudo-random numbers, the same for the same seed on every machine.

/// A stream of numbers (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(scrambled(seed))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        scrambled(self.0)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        below(self.next(), bound)
    }

    /// A number from `least` to `most`.
    pub(crate) fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    /// True once in `times`.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of `items`; `None` if there are none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            return None;
        }
        items.get(self.below(items.len()))
    }

    /// At most `count` of `items`, in their order.
    pub(crate) fn some<T: Clone>(&mut self, items: &[T], count: usize) -> Vec<T> {
        let mut left = count.min(items.len());
        let mut taken = Vec::with_capacity(left);
        for (index, item) in items.iter().enumerate() {
            if self.below(items.len() - index) < left {
                taken.push(item.clone());
                left -= 1;
            }
        }
        taken
    }
}

/// A hash of `hash` and `text`, of which every bit depends on both.
pub(crate) fn mixed(hash: u64, text: &str) -> u64 {
    let mut mixed = hash ^ GOLDEN;
    for byte in text.bytes() {
        mixed = (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    scrambled(mixed)
}

/// A number below `bound` from a hash.
#[expect(
    clippy::cast_possible_truncation,
    reason = "less than `bound`, which is a `usize`"
)]
pub(crate) fn below(hash: u64, bound: usize) -> usize {
    (hash % bound as u64) as usize
}

fn scrambled(number: u64) -> u64 {
    let mut mixed = number;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
