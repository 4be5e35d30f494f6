//! Limits of a search that only pathological graphs reach.
//!
//! They end searches without a result early. None of them may make a valid operation fail: a scope
//! without a cover is searched again with lifted limits.

/// Limits of the searches of one plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Maximum entry points that wait for each other in a chain.
    pub(super) chain: usize,
    /// Maximum requirements nested in each other.
    pub(super) requirement_depth: u32,
    /// Maximum steps beyond the budget while no cover is known at all.
    pub(super) overdraft: u64,
    is_lifted: bool,
}

/// Maximum requirements nested in each other; requirements in a cycle would have no end.
pub(in super::super) const MAX_REQUIREMENT_DEPTH: u32 = 8;

/// Maximum requirements nested in each other with lifted limits.
const LIFTED_REQUIREMENT_DEPTH: u32 = 64;

/// Maximum entry points that wait for each other in a chain; most graphs need far fewer.
const MAX_CHAIN: usize = 12;

/// Maximum steps beyond the budget, for an operation of any size.
const MAX_OVERDRAFT: u64 = 80_000;

/// Additional steps beyond the budget for each selected slot.
const OVERDRAFT_PER_SLOT: u64 = 200;

impl Limits {
    /// The limits for an operation that selects `slots` slots.
    pub(super) fn usual(slots: usize) -> Self {
        let slots = u64::try_from(slots).unwrap_or(u64::MAX);
        Self {
            chain: MAX_CHAIN,
            requirement_depth: MAX_REQUIREMENT_DEPTH,
            overdraft: MAX_OVERDRAFT.saturating_add(slots.saturating_mul(OVERDRAFT_PER_SLOT)),
            is_lifted: false,
        }
    }

    /// Lifts the limits; false if they are lifted already.
    pub(super) fn lift(&mut self) -> bool {
        let was_lifted = std::mem::replace(&mut self.is_lifted, true);
        if !was_lifted {
            // A chain ends by itself: no entry point waits twice in it.
            self.chain = usize::MAX;
            self.requirement_depth = LIFTED_REQUIREMENT_DEPTH;
        }
        !was_lifted
    }
}
