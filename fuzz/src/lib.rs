//! What the targets have in common: the checks, which the replay in `schema/tests` runs too.

#[path = "../../schema/tests/corpus/check.rs"]
pub mod check;
